#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One contract for callers: a test for each `code` of a failure, named after it, that brings it about on real parts. Its
# exit code; nothing on stdout but the whole object where JSON is wanted; whether it may be tried again; and a last line
# on stderr that names whom it is about and what to do.

bats_require_minimum_version 1.5.0
load ../lib/program

TOOLS=${B:-$SANDBOX_TOP/.build}/tests/tools
MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules
FORMATS='header curl env headers-json' # beside the default and json

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup && names_of_account; }
teardown() {
	program_teardown
	session_stop # a test's own
}

names_of_account() { ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}; }

# A gnome-keyring of this test alone.
own_keyring() {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
}

ours() { secret-tool "$1" application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 "${@:2}"; }
refresh_token() { ours lookup | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }
drop_cached() { keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null; }

logged_in() { # and nothing cached
	login_demo
	expect 0
	drop_cached
}

# fault EXIT WORDS ARG...: plainly, in every other format, and in JSON; WORDS ('|' between them) stand in the last line.
fault() {
	local wanted=$1 words=$2 each
	shift 2
	run_cred "$@" <<<"$input"
	expect "$wanted" || return 1
	last_line_names "$words" || return 1
	for each in $FORMATS; do
		run_cred --format "$each" "$@" <<<"$input"
		expect "$wanted" || return 1
		last_line_names "$words" || return 1
	done
	fault_in_json "$wanted" "$words" "$@"
}

fault_in_json() {
	local wanted=$1 words=$2 message remedy
	shift 2
	run_cred "$@" --format json <<<"$input"
	expect_json "$wanted" "$NAME" || return 1
	last_line_names "$words" || return 1
	# The same words, for machines.
	message=$(jq -r .message <<<"$out") remedy=$(jq -r .remedy <<<"$out")
	[[ ${err##*$'\n'} == "alation-cred: $message; $remedy" && $message && $remedy ]] || fails "the message is another one"
}

last_line_names() {
	local words=$1 each last=${err##*$'\n'}
	[[ $last == 'alation-cred: '*'; '* && $last != *. ]] || fails "no last line" || return 1
	while [[ $words ]]; do
		each=${words%%|*} words=${words#"${words%%|*}"} words=${words#|}
		[[ $last == *"$each"* ]] || fails "not in the last line: $each" || return 1
	done
}

@test "not_active: 1, of validate" {
	NAME=not_active
	login_demo
	sandbox_revoke "$(refresh_token)"
	fault 1 "$ACCOUNT|log in again: 'alation-cred login $SANDBOX_URL'" validate
}

@test "usage: 2" {
	NAME=usage
	fault 2 "'--what'|alation-cred --help" get --what
	fault 2 "alation-cred set [ACCOUNT] default|exclusive|shared" set
	printf 'host=\nx' >"$BATS_TEST_TMPDIR/request"
	run_cred get --protocol git <"$BATS_TEST_TMPDIR/request"
	expect 2 'malformed' 'alation-cred-protocol(7)'
	no_calls
}

@test "ambiguous_account: 2" {
	NAME=ambiguous_account
	program_sandbox --user demo:demo-password:102 --user other:other-password:103 --user third:third-password:104
	names_of_account
	login_demo
	for name in other third; do
		run_cred login "$SANDBOX_URL" --user $name --password-stdin <<<$name-password
	done
	run_cred logout "$ACCOUNT"
	fault 2 "${ACCOUNT/102@/103@}|${ACCOUNT/102@/104@}|name one of them|set ACCOUNT default" get
	run_cred get --protocol git <<<"protocol=http"$'\n'"host=${SANDBOX_URL#http://}"
	expect 2 'more than one account matches'
}

@test "no_account: 3" {
	NAME=no_account
	fault 3 "nobody is logged in|'alation-cred login" get
	fault 3 "$ACCOUNT|'alation-cred login $SANDBOX_URL'" get "$ACCOUNT"
	fault 3 "$ACCOUNT|alation-cred login" validate "$ACCOUNT"
	fault 3 "$ACCOUNT|alation-cred login" revoke "$ACCOUNT"
	fault 3 "$ACCOUNT|alation-cred login" rotate "$ACCOUNT"
	fault 3 "$ACCOUNT|alation-cred status" logout "$ACCOUNT"
	fault 3 "$ACCOUNT|alation-cred status" set "$ACCOUNT" default
	fault 3 "nobody is logged in|'alation-cred login" status "$SANDBOX_URL"
	no_calls
}

@test "refresh_token_refused: 3" {
	NAME=refresh_token_refused
	logged_in
	sandbox_fault endpoint=createAPIAccessToken times=0 status=401
	fault 3 "$ACCOUNT|alation-cred login $SANDBOX_URL|$SANDBOX_URL/account/auth" get
	sandbox_clear
	input=nobody-knows-this-one fault 3 "$ACCOUNT|$SANDBOX_URL/account/auth" login "$SANDBOX_URL" --user-id 102 --token-stdin
}

@test "refresh_token_expired: 3" {
	NAME=refresh_token_expired
	logged_in
	sandbox_expire "$(refresh_token)"
	fault 3 "$ACCOUNT|expired or revoked|alation-cred login $SANDBOX_URL|$SANDBOX_URL/account/auth" get
	for verb in revoke rotate; do
		fault_in_json 3 "$ACCOUNT|expired or revoked|alation-cred login" $verb
	done
}

@test "login_refused: 3" {
	NAME=login_refused
	input=wrong fault 3 "$SANDBOX_URL|the user name or the password|$SANDBOX_URL/account/auth" login "$SANDBOX_URL" --user demo --password-stdin
}

@test "keyring_locked: 4" {
	NAME=keyring_locked
	own_keyring
	logged_in
	session_restart_keyring
	fault 4 "$ACCOUNT|unlock it with 'alation-cred unlock" get
	for verb in validate revoke rotate logout; do
		fault_in_json 4 "$ACCOUNT|unlock it with 'alation-cred unlock" $verb
	done
	[[ $(calls | paste -sd ' ') == 'createRefreshToken createAPIAccessToken' ]]
}

@test "keyring_unavailable: 5" {
	NAME=keyring_unavailable
	logged_in
	export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent
	fault 5 "$ACCOUNT|Secret Service" get
	for verb in validate revoke rotate logout; do
		fault_in_json 5 "$ACCOUNT|Secret Service" $verb
	done
}

@test "keyring_timeout: 5, and it may be tried again" {
	NAME=keyring_timeout
	own_keyring
	logged_in
	session_freeze
	fault 5 "$ACCOUNT|hangs, then try again" get --timeout 1
	session_thaw
}

@test "keyring_failed: 5" {
	NAME=keyring_failed
	logged_in
	printf 'v=1&rubbish' | ours store --label=x
	fault 5 "$ACCOUNT|is damaged|alation-cred logout" get
	for verb in validate revoke rotate; do
		fault_in_json 5 "$ACCOUNT|is damaged" $verb
	done
}

# The program with another keyring in secret-service's place.
program_with() {
	mkdir -m 0755 "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "$MODULES/$1.so" "$BATS_TEST_TMPDIR/tree/modules/secret-service.so"
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
}

@test "keyring_readonly: 5, and the server hears of nothing" {
	NAME=keyring_readonly
	program_with read-only
	READ_ONLY_TOKEN=$(sandbox_refresh_token 102)
	export READ_ONLY_TOKEN
	run_cred get "$ACCOUNT"
	expect 0
	: >"$SANDBOX_LOG"
	fault 5 "$ACCOUNT|can only be read|alation-cred login" rotate "$ACCOUNT"
	no_calls
}

@test "recovery: 5, and the file is named" {
	local format pid
	NAME=recovery
	own_keyring
	login_demo
	for format in token json; do
		sandbox_fault endpoint=regenRefreshToken delay_ms=60000
		"$CRED" rotate --format $format >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
		pid=$!
		sandbox_held
		session_end_process "$session_keyring_pid" KILL
		sandbox_release
		code=0
		wait "$pid" || code=$?
		raw=$(<"$OUT") out=$raw err=$(<"$BATS_TEST_TMPDIR/err") ran=rotate
		[[ $format == token ]] || { raw+=$'\n' && expect_json 5 recovery && answers_record 5 json rotate "$raw"; }
		[[ $format == json ]] || expect 5
		last_line_names "$ACCOUNT|is regenerated|alation-cred get $ACCOUNT|$STATE/102@"
		session_unlock
		run_cred get
		expect 0
	done
}

@test "network: 6, and it may be tried again" {
	NAME=network
	logged_in
	sandbox_fault endpoint=createAPIAccessToken times=0 drop=before
	fault 6 "$ACCOUNT|the connection broke|check the network" get
	sandbox_stop
	fault 6 "$ACCOUNT|no connection|check the network" get
	for verb in validate revoke rotate; do
		fault_in_json 6 "$ACCOUNT|no connection|check the network" $verb
	done
}

@test "tls: 6" {
	NAME=tls
	program_sandbox --tls
	names_of_account
	CURL_CA_BUNDLE=$SANDBOX_CA login_demo
	expect 0
	drop_cached
	fault 6 "$ACCOUNT|CURL_CA_BUNDLE" get
	CURL_CA_BUNDLE=$SANDBOX_CA run_cred get
	expect 0
}

@test "proxy: 6" {
	NAME=proxy
	program_sandbox --tls
	names_of_account
	export CURL_CA_BUNDLE=$SANDBOX_CA
	logged_in
	export https_proxy=http://127.0.0.1:1
	fault 6 "$ACCOUNT|check proxy and no-proxy" get
}

@test "timeout: 6, and it may be tried again" {
	NAME=timeout
	logged_in
	sandbox_fault endpoint=createAPIAccessToken times=0 delay_ms=60000
	fault 6 "$ACCOUNT|did not answer in time|--timeout" get --timeout 1
	sandbox_release
}

# answers WORDS FAULT…: of the server, whatever it is asked.
answers() {
	local words=$1 verb
	shift
	sandbox_fault 'endpoint=*' times=0 "$@"
	fault 7 "$words" get || return 1
	for verb in validate revoke rotate; do
		fault_in_json 7 "$words" $verb || return 1
	done
	sandbox_clear
}

@test "forbidden: 7" {
	NAME=forbidden
	logged_in
	answers "$ACCOUNT|HTTP 403|ask the catalog's administrator" status=403
}

@test "not_an_alation_server: 7, for 404, a redirect and a web page" {
	NAME=not_an_alation_server
	logged_in
	answers "$ACCOUNT|HTTP 404|check the network" status=404
	answers "$ACCOUNT|redirected to https://idp.example|check the network" status=302 'header=Location: https://idp.example/'
	sandbox_fault endpoint=createAPIAccessToken times=0 type=text/html 'body=<html>'
	fault 7 "$ACCOUNT|web page|check the network" get
}

@test "throttled: 7, it may be tried again, and JSON says when" {
	NAME=throttled
	logged_in
	answers "$ACCOUNT|try again later" status=429
	[[ $out == *'"retryable":true,"retry_after":null}' ]]
	answers "$ACCOUNT|the server asks to wait 1|try again then" status=429 'header=Retry-After: 17'
	[[ $out == *'"retryable":true,"retry_after":17}' ]]
}

@test "server_error: 7, and it may be tried again" {
	NAME=server_error
	logged_in
	answers "$ACCOUNT|HTTP 503|try again later" status=503
}

@test "bad_reply: 7" {
	NAME=bad_reply
	logged_in
	answers "$ACCOUNT|HTTP 422|administrator" status=422
	sandbox_fault 'endpoint=*' times=0 'set=status:"failed"' status=200
	fault 7 "$ACCOUNT|says that it failed|administrator" get
}

@test "busy: 8, and it may be tried again" {
	local lock
	NAME=busy
	logged_in
	exec {lock}<>"$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}"
	flock "$lock"
	cred() { setsid -w "$CRED" "$@" 3>&- {lock}>&-; }
	fault 8 "$ACCOUNT|try again" get --timeout 1
	for verb in validate revoke rotate logout 'set default'; do
		fault_in_json 8 'try again' $verb --timeout 1
	done
	exec {lock}>&-
	run_cred get
	expect 0
}

@test "configuration: 9" {
	NAME=configuration
	logged_in
	echo rubbish >>"$STATE/accounts"
	for verb in get validate revoke rotate logout status 'set default' 'validate --all'; do
		fault_in_json 9 "$STATE/accounts|line 3|mend or move the file away" $verb
	done
	rm "$STATE/accounts"
	program_with no-symbol
	rm "$BATS_TEST_TMPDIR/tree/alation.so"
	cp "${B:-$SANDBOX_TOP/.build}/modules/secret-service.so" "$BATS_TEST_TMPDIR/tree/modules"
	fault 9 'the Alation client cannot be loaded|install alation-cred anew' get "$ACCOUNT"
}

@test "write_failed: 10, and nothing was minted for nobody" {
	local verb
	NAME=write_failed
	logged_in
	for verb in get token 'get --format json'; do
		code=0 raw=
		cred $verb >&- 2>"$BATS_TEST_TMPDIR/err" || code=$?
		err=$(<"$BATS_TEST_TMPDIR/err") ran=$verb out=
		expect 10
		[[ $err == 'alation-cred: '*'; '* ]] || fails "no last line"
	done
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
	code=0
	cred get >/dev/full 2>"$BATS_TEST_TMPDIR/err" || code=$?
	err=$(<"$BATS_TEST_TMPDIR/err")
	expect 10
	# What is done all the same: nothing, where a reply was wanted that cannot be given.
	for verb in validate revoke rotate 'logout --all' 'set default'; do
		code=0
		cred $verb --format json >&- 2>"$BATS_TEST_TMPDIR/err" || code=$?
		err=$(<"$BATS_TEST_TMPDIR/err") ran=$verb
		expect 10
	done
	[[ $(calls | sort -u | paste -sd ' ') == 'createAPIAccessToken createRefreshToken' && $(listed) == 1 ]]
}

@test "expiring: 1" {
	NAME=expiring
	login_demo
	fault 1 "$ACCOUNT ends 20|renew it with 'alation-cred rotate $ACCOUNT'" status --expiring-within 61d
	run_cred set "$ACCOUNT" shared
	fault 1 "$ACCOUNT ends 20|log in again: 'alation-cred login $SANDBOX_URL'" status --expiring-within 61d "$ACCOUNT"
}

@test "every code of the program has its test here, with its exit code, in every format" {
	local name exit retryable
	[[ $("$TOOLS/contract" | sed -n 's/^format //p' | sort | paste -sd ' ') == "$(printf '%s\n' token json $FORMATS | sort | paste -sd ' ')" ]]
	"$TOOLS/contract" | sed -n 's/^code //p' >"$BATS_TEST_TMPDIR/codes"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/codes") -ge 25 ]]
	while read -r name exit retryable; do
		grep -qE "^@test \"$name: $exit\\b" "$BATS_TEST_FILENAME" || { echo "no test of $name ($exit)"; return 1; }
		grep -q "^	NAME=$name$" "$BATS_TEST_FILENAME" || { echo "no fault of $name"; return 1; }
		case $retryable$RETRYABLE in
		retryable*" $name "*) ;;
		-*" $name "* | retryable*) echo "$name: $retryable" && return 1 ;;
		esac
	done <"$BATS_TEST_TMPDIR/codes"
}
