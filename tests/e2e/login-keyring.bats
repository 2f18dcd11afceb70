#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login --keyring MODULE: the RefreshToken is kept there and by no other, whatever the configuration's lines are; an account
# that was kept elsewhere moves, and its old copy goes. The other keyring is an honest tests/modules/liar.c.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules

setup() {
	program_environment
	session_start unlocked
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} TOKEN=$(sandbox_refresh_token 102 pasted)
	mkdir -m 0755 "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "${CRED%/*}/modules/secret-service.so" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$MODULES/liar.so" "$BATS_TEST_TMPDIR/tree/modules/other.so"
	cp "$MODULES/read-only.so" "$MODULES/no-symbol.so" "$BATS_TEST_TMPDIR/tree/modules"
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
	export LIAR_FILE=$BATS_TEST_TMPDIR/other
	helpers=()
}

teardown() {
	program_end_helpers
	session_stop
	program_teardown
}

in_other() { sed 's/.*refresh_token=\([^&]*\).*/\1/' "$LIAR_FILE" 2>/dev/null || :; }
module() { sed -n 's/.*&module=\([^&]*\).*/\1/p' "$STATE/accounts"; }

# is_in MODULE: the account, its RefreshToken and nobody else has it; it serves.
is_in() {
	[[ $(module) == "$1" ]] || fails "the list says $(module)" || return 1
	if [[ $1 == other ]]; then
		[[ $(in_other) && -z $(stored) ]] || fails "not there, or in the Secret Service too" || return 1
	else
		[[ $(stored) && ! -e $LIAR_FILE ]] || fails "not there, or in the other too" || return 1
	fi
	run_cred token "$ACCOUNT" --fresh
	expect 0 && works "$out" || return 1
	run_cred status --format json
	[[ $(jq -r '.accounts[0].refresh.module' <<<"$out") == "$1" ]] || fails "status: another"
}

@test "the one that is named keeps it, though no line names it; and it is reached, renewed and emptied there" {
	login_demo --keyring other
	expect 0 'is kept in other'
	is_in other
	run_cred rotate
	expect 0
	is_in other
	run_cred logout
	expect 0
	[[ ! -e $LIAR_FILE && -z $(stored) ]]
	login_token "$TOKEN" --keyring other
	expect 0
	[[ $(in_other) == "$TOKEN" ]]
	is_in other
}

@test "an account moves, by password and by token: the new one has it, the old copy goes" {
	local to
	login_demo
	is_in secret-service
	session_store_neighbour
	for to in other secret-service; do
		login_demo --keyring $to
		expect 0 "is kept in $to"
		is_in $to
		run ! grep 'could not be removed' <<<"$err"
	done
	for to in other secret-service; do
		login_token "$TOKEN" --keyring $to
		expect 0 "is kept in $to"
		is_in $to
		[[ $(refresh_token)$(in_other) == "$TOKEN" ]]
	done
	# Where it is already, nothing goes.
	login_demo --keyring secret-service
	is_in secret-service
	[[ $(session_neighbour) == 'a neighbour' ]]
}

@test "a login that says nothing stays where the account is" {
	login_demo --keyring other
	login_demo
	expect 0 'is kept in other'
	is_in other
	login_token "$TOKEN"
	expect 0 'is kept in other'
	is_in other
}

@test "the earlier RefreshToken is told of, and its access tokens end, wherever it was" {
	local before
	login_demo
	run_cred get
	before=$out
	login_demo --keyring other --name second
	expect 0 'the earlier RefreshToken' "delete it at $SANDBOX_URL/account/auth"
	is_dead "$before"
	is_in other
}

@test "the old keyring erases nothing: the login works all the same, and says what could not be removed" {
	login_demo --keyring other
	LIAR_KEEPS=1 login_demo --keyring secret-service
	expect 0 "the earlier RefreshToken of $ACCOUNT could not be removed from the keyring (other)"
	[[ $(module) == secret-service && $(in_other) ]]
	login_demo --keyring other
	LIAR_KEEPS=1 run_cred logout
	expect 5 "the keyring (other) of $ACCOUNT can only be read"
	[[ $(in_other) ]]
}

@test "the old keyring is away: the login works all the same, and says what could not be removed" {
	login_demo
	session_end_process "$session_keyring_pid" KILL
	login_demo --keyring other
	expect 0 "the earlier RefreshToken of $ACCOUNT could not be removed from the keyring (secret-service)"
	[[ $(module) == other && $(in_other) ]]
	run_cred get --fresh
	expect 0
	works "$out"
}

@test "killed on the way from one to the other: what is listed serves, and a logout leaves nothing in either" {
	local at step way
	cp "${B:-$SANDBOX_TOP/.build}/alation-cred-failpoints" "$BATS_TEST_TMPDIR/tree"
	for way in login_demo "login_token $TOKEN"; do
		for step in login.stored login.cached login.listed; do
			login_demo --keyring secret-service
			expect 0
			at=$step:kill
			CRED=$CRED-failpoints ALATION_CRED_FAILPOINT=$at $way --keyring other
			[[ $code == 137 ]] || fails "not killed at $at"
			run_cred get --fresh
			expect 0 || fails "$way, $at"
			works "$out"
			[[ $step != login.stored || $(module) == secret-service ]]
			run_cred logout
			expect 0
			[[ ! -e $LIAR_FILE || $step != login.listed ]] || fails "$way, $at: a copy is left"
			[[ -z $(stored) ]] || fails "$way, $at: the old copy is left"
			rm -f "$LIAR_FILE"
		done
	done
}

@test "an account whose module no line of the configuration names is reached" {
	login_demo
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	echo 'refresh sufficient environment' >"$ALATION_CRED_CONFIG"
	is_in secret-service
	run_cred rotate
	expect 0
	is_in secret-service
	echo 'refresh sufficient other' >"$ALATION_CRED_CONFIG"
	is_in secret-service
	login_demo # where it is known to be
	is_in secret-service
	run_cred logout
	expect 0
	[[ -z $(stored) ]]
	login_demo
	is_in other
}

@test "a module that is not there, that is none, that can only be read, or a name that is none: before the server is asked" {
	local input=$SANDBOX_PASSWORD module
	refuses 5 keyring_unavailable "the keyring module 'nosuch' cannot be used: $BATS_TEST_TMPDIR/tree/modules/nosuch.so: No such file|log in with another|nothing was made at the server" \
		login "$SANDBOX_URL" --user demo --password-stdin --keyring nosuch
	refused_plainly=
	refuses 5 keyring_unavailable "the keyring module 'no-symbol' cannot be used: |nothing was made at the server" login "$SANDBOX_URL" --user demo --password-stdin --keyring no-symbol
	for module in read-only environment credentials-directory; do
		refused_plainly=
		refuses 5 keyring_readonly "($module) can only be read|--keyring sealed-file|nothing was made at the server" login "$SANDBOX_URL" --user demo --password-stdin --keyring $module
	done
	for module in ../modules/other "$BATS_TEST_TMPDIR/tree/modules/other.so" Other '' "$(printf '%0300d' 0)"; do
		refused_plainly=
		refuses 2 usage '--keyring' login "$SANDBOX_URL" --user demo --password-stdin --keyring "$module"
	done
	no_calls
	[[ ! -e $STATE/accounts && ! -e $LIAR_FILE && -z $(stored) ]]
}

@test "of two that are not there, the one that was named is told of, with its file" {
	mkdir -p -m 0700 "$HOME/.config/alation-cred"
	echo 'refresh sufficient elsewhere' >"$HOME/.config/alation-cred/config"
	XDG_CONFIG_HOME=$HOME/.config login_demo --keyring nowhere
	expect 5 "the keyring module 'nowhere' cannot be used: " '/nowhere.so: No such file or directory; ' 'install that module'
	[[ $err != *elsewhere* ]]
	no_calls
}
