#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A RefreshToken from the environment goes before the one that is kept, and leaves that one as it was: its date, its
# recovery copies, its place.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

FAILPOINTS=${B:-$SANDBOX_TOP/.build}/alation-cred-failpoints

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	unset "${!ALATION_@}"
	login_demo
	expect 0
	OTHER=$(sandbox_refresh_token 102 elsewhere)
}

teardown() { program_teardown; }

given() { # COMMAND...: with the other RefreshToken in the environment
	ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=$OTHER "$@"
}

line() { grep -F '&user_id=102&' "$STATE/accounts"; }

@test "what a killed rotation left of the kept one survives a mint with the other" {
	ALATION_CRED_FAILPOINT=rotate.copied:kill CRED=$FAILPOINTS run_cred rotate "$ACCOUNT"
	[[ $code == 137 ]]
	given run_cred get --fresh "$ACCOUNT"
	expect 0
	run_cred get --fresh "$ACCOUNT"
	expect 0
	works "$out"
}

@test "the list goes on telling when the kept one ends" {
	local before
	before=$(line)
	given run_cred validate "$ACCOUNT"
	expect 0
	[[ $(line) == "$before" ]] || fails "validate: $(line)"
	given run_cred rotate --if-expiring 1s "$ACCOUNT"
	[[ $(line) == "$before" ]] || fails "rotate: $(line)"
}

@test "with the keyring of the kept one locked a logout and git's erase change nothing" {
	local config=$BATS_TEST_TMPDIR/config before
	(umask 077 && echo 'a key' >"$BATS_TEST_TMPDIR/key")
	printf '%s\n' 'refresh sufficient environment' "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/key" >"$config"
	export ALATION_CRED_CONFIG=$config
	login_demo --keyring sealed-file
	expect 0
	echo 'another key' >"$BATS_TEST_TMPDIR/key"
	before=$(cached)
	forget_calls
	given run_cred logout "$ACCOUNT"
	expect 4 sealed-file
	no_calls
	given run_cred --protocol git erase <<<"url=$ACCOUNT"
	expect 4 sealed-file
	[[ $(cached) == "$before" ]] || fails "the cache was emptied"
	given run_cred unlock "$ACCOUNT"
	expect 4 sealed-file
	echo 'a key' >"$BATS_TEST_TMPDIR/key"
	run_cred get --fresh "$ACCOUNT"
	expect 0
}

@test "git's word against the other takes nothing of the kept one" {
	local before
	before=$(stored)
	given run_cred --protocol git erase < <(printf '%s\n' "url=$ACCOUNT" "password=$OTHER")
	expect 0
	[[ -n $before && $(stored) == "$before" ]] || fails "it is gone"
}

@test "status gives the other neither the name nor the end of the kept one" {
	given run_cred status --format json
	[[ $(jq -c '.accounts[0]|[.name,.refresh.module,.refresh.expires_at]' <<<"$out") == '["","environment",null]' ]] || fails "as JSON"
	given run_cred status
	[[ $out == *'  RefreshToken  in environment; passed over'* ]] || fails "in words"
	run_cred status
	[[ $out == *"'alation-cred@"*"in secret-service; passed over: "* ]] || fails "of its own"
}

@test "the token in the environment goes where the environment says, whatever a line has for it" {
	printf '%s\n' "refresh sufficient environment base-url=$SANDBOX_URL user-id=102" >"$BATS_TEST_TMPDIR/config"
	forget_calls
	run_cred logout --keep "$ACCOUNT"
	forget_calls
	ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config ALATION_BASE_URL=https://other.invalid ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=$OTHER \
		run_cred get "$ACCOUNT"
	expect 3
	no_calls
	ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config ALATION_REFRESH_TOKEN=$OTHER run_cred get "$ACCOUNT"
	expect 0
}
