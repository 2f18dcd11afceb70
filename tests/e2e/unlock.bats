#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login by an askpass program.

bats_require_minimum_version 1.5.0
load ../lib/program

BUILD=${B:-$SANDBOX_TOP/.build}
PTY=$BUILD/tests/tools/pty
SPARE_S=15

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	program_setup --user "demo:demo-password:102" --user "ada:demo-password:103"
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	LOCK=$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}
}

teardown() {
	local id key
	while IFS=: read -r id key; do # what a sealed file's key left
		[[ $key != *"alation-cred-test-$$:"* ]] || keyctl unlink "$id" @u >/dev/null
	done < <(keyctl list @u)
	[[ -z ${own_session:-} ]] || session_stop
	program_teardown
}

# A session of the test's own, whose keyring it may lock.
own_session() {
	own_session=1
	session_start "$1"
}

login_ada() {
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<demo-password
	expect 0
}
key() { keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL" 2>/dev/null; }
record() { keyctl pipe "$(key)" 2>/dev/null || echo nothing; }

# askpass BODY: a program that asks. What it was asked is added to $ASKED.
askpass() {
	ASKED=$BATS_TEST_TMPDIR/questions
	printf '%s\n' '#!/bin/sh' "printf '%s\\n' \"\$*\" >>'$ASKED'" "$1" >"$BATS_TEST_TMPDIR/askpass"
	chmod 0755 "$BATS_TEST_TMPDIR/askpass"
	ASKPASS=$BATS_TEST_TMPDIR/askpass
}

# dialog COMMAND...: on a terminal; what is typed comes on stdin. $screen is what it showed, $code how it ended.
dialog() {
	code=0
	screen=$("$PTY" "$@" 3>&- | tr -d '\r'; exit "${PIPESTATUS[0]}") || code=$?
	[[ $code != 99 ]] || { echo "$screen" >&2; return 1; }
}
shows() {
	local words
	for words; do
		[[ $screen == *"$words"* ]] || { echo "not shown: $words" "$screen" >&2; return 1; }
	done
}
hides() {
	local words
	for words; do
		[[ $screen != *"$words"* ]] || { echo "shown: $words" "$screen" >&2; return 1; }
	done
}

## login.

@test "login: password and RefreshToken come by askpass where there is no terminal" {
	askpass "echo $SANDBOX_PASSWORD"
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER"
	expect 2 'no terminal to ask on' '--password-stdin'
	export ALATION_CRED_ASKPASS=$ASKPASS
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER"
	expect 0 "logged in as $ACCOUNT"
	[[ $(<"$ASKED") == Password*"$SANDBOX_URL"* ]]
	run_cred get
	works "$out"
	rm "$ASKED"
	askpass "echo $(sandbox_refresh_token 102)"
	run_cred login "$SANDBOX_URL" --user-id 102 --exclusive
	expect 0 "logged in as $ACCOUNT"
	[[ $(<"$ASKED") == RefreshToken*"$SANDBOX_URL"* ]]
	# What is no secret is not asked for so.
	rm "$ASKED"
	run_cred login "$SANDBOX_URL"
	expect 2 'no terminal to ask how'
	[[ ! -e $ASKED ]]
}

@test "login: an askpass program that gives nothing is 2, and no server was asked" {
	askpass 'exit 1'
	export ALATION_CRED_ASKPASS=$ASKPASS
	refuses 2 usage "gave no answer" login "$SANDBOX_URL" --user "$SANDBOX_USER"
	ALATION_CRED_ASKPASS=$BATS_TEST_TMPDIR
	refuses 2 usage "cannot be started|ALATION_CRED_ASKPASS" login "$SANDBOX_URL" --user "$SANDBOX_USER"
	no_calls
}
