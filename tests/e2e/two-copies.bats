#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# More than one line must take a RefreshToken, and one of them does not: what the other has stays.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	(umask 077 && echo 'a key' >"$BATS_TEST_TMPDIR/key")
	configure "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/key"
	TOKEN=$(sandbox_refresh_token 102 first)
	login_token "$TOKEN" --exclusive
	expect 0
	rm "$STATE/accounts" # the keyring has it all the same
	configure "refresh required sealed-file key-file=$BATS_TEST_TMPDIR/key" 'refresh required secret-service'
}

teardown() { program_teardown; }

configure() { printf '%s\n' "$@" >"$ALATION_CRED_CONFIG"; }

@test "a rotation of an account that no list has" {
	DBUS_SESSION_BUS_ADDRESS='' XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR run_cred rotate "$ACCOUNT"
	run_cred get --fresh "$ACCOUNT"
	expect 0
	works "$out"
}
