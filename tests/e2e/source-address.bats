#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where a record that no login has made may send its RefreshToken: to no address that a user could not give either.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	unset "${!ALATION_@}"
	export CREDENTIALS_DIRECTORY=$BATS_TEST_TMPDIR/credentials
	mkdir -m 0700 "$CREDENTIALS_DIRECTORY"
	TOKEN=$(sandbox_refresh_token 102 given)
}

teardown() { program_teardown; }

record() { # BASE_URL, form-encoded
	rm -f "$CREDENTIALS_DIRECTORY/alation-refresh-token"
	printf 'v=1&kind=refresh-token&base_url=%s&user_id=102&refresh_token=%s' "$1" "$TOKEN" >"$CREDENTIALS_DIRECTORY/alation-refresh-token"
}

@test "a record's address is judged as one that is typed: plain http is loopback's alone, and a key has one spelling" {
	record "http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}"
	run_cred token
	expect 0
	record http%3A%2F%2Fcatalog.invalid
	run_cred token
	expect 3 "the RefreshToken of 'credentials-directory' is not used" 'plain http'
	run_cred status
	[[ $code == 0 && $out == 'nobody is logged in'* ]] || fails "it is shown"
	record https%3A%2F%2FCatalog.invalid%2F
	run_cred token
	expect 3 'must have the address as https://catalog.invalid'
}

@test "a list that names plain http elsewhere is sent nothing" {
	mkdir -p -m 0700 "$STATE"
	printf '%s\n' 'v=2&accounts=1' 'v=1&base_url=http%3A%2F%2Fcatalog.invalid&user_id=102&name=&module=&default=1&exclusive=0' >"$STATE/accounts"
	record http%3A%2F%2Fcatalog.invalid
	run_cred token
	expect 9 'nothing is sent to http://102@catalog.invalid'
}
