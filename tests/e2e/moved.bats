#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A login that moves an account to another keyring: wherever it is broken off, the keyring that the list names has a
# RefreshToken that lives.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

FAILPOINTS=${B:-$SANDBOX_TOP/.build}/alation-cred-failpoints

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	(umask 077 && echo 'a key' >"$BATS_TEST_TMPDIR/key")
	printf '%s\n' 'refresh sufficient secret-service' "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/key" >"$ALATION_CRED_CONFIG"
	login_token "$(sandbox_refresh_token 102 first)" --exclusive
	expect 0
	NEW=$(sandbox_refresh_token 102 second)
}

teardown() { program_teardown; }

@test "killed before the new place is listed" {
	local point
	for point in login.stored login.cached file.written login.listed; do
		ALATION_CRED_FAILPOINT=$point:kill CRED=$FAILPOINTS login_token "$NEW" --exclusive --keyring sealed-file
		[[ $code == 137 ]] || fails "$point was not reached"
		run_cred get --fresh "$ACCOUNT"
		expect 0 || { echo "killed at $point" >&2; return 1; }
		works "$out"
	done
	[[ -n $(stored) ]] # the last kill comes before anything is taken away
	login_token "$NEW" --exclusive --keyring sealed-file
	expect 0
	[[ -z $(stored) ]]
}

@test "with a list that cannot be written the earlier one stays" {
	ALATION_CRED_FAILPOINT=file.written:error:1 CRED=$FAILPOINTS login_token "$NEW" --exclusive --keyring sealed-file
	[[ $code == 9 ]] || fails "not 9"
	[[ -n $(stored) ]] || fails "the listed keyring is empty"
	[[ $err != *"delete it"* ]] || fails "the one that is served is to be deleted"
	run_cred get --fresh "$ACCOUNT"
	expect 0
}

@test "by password nothing is made at the server while the keyring of the instance's account is locked" {
	login_token "$NEW" --exclusive --keyring sealed-file
	expect 0
	echo >"$ALATION_CRED_CONFIG" # no line has that keyring any more, and nobody is there to give a passphrase
	forget_calls
	login_demo
	expect 4 'nothing was made at the server'
	no_calls
	login_demo --keyring secret-service
	expect 0
}

@test "a line with arguments that is gone from the configuration is what is said, not that the login is lost" {
	local line="refresh sufficient sealed-file file=$BATS_TEST_TMPDIR/mine key-file=$BATS_TEST_TMPDIR/key"
	echo "$line" >"$ALATION_CRED_CONFIG"
	login_token "$NEW" --exclusive --keyring sealed-file
	expect 0
	echo >"$ALATION_CRED_CONFIG"
	run_cred get --fresh "$ACCOUNT"
	expect 3 "in 'sealed-file', which no line of the configuration has" 'write that line again'
	echo "$line" >"$ALATION_CRED_CONFIG"
	run_cred get --fresh "$ACCOUNT"
	expect 0
}
