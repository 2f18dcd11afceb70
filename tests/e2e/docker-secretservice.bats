#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The module docker-helper with Debian's docker-credential-secretservice, a real gnome-keyring behind it. That helper calls
# what lies in a locked keyring absent, says that it erased it, or crashes.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

setup() {
	[[ -e ${CRED%/*}/modules/docker-helper.so ]] || skip 'built without docker-helper'
	program_environment
	session_start unlocked
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	echo 'refresh sufficient docker-helper program=docker-credential-secretservice' >"$ALATION_CRED_CONFIG"
}

teardown() {
	session_thaw 2>/dev/null || :
	session_stop
	program_teardown 2>/dev/null
}

in_service() { secret-tool lookup docker_cli 1 server "$SANDBOX_URL/alation-cred/refresh/102" username 102; }
token_in_service() { in_service | sed 's/.*&refresh_token=\([^&]*\).*/\1/'; }

@test "docker-credential-secretservice: login, get, status, rotate, logout; the neighbours stay" {
	local first
	session_store_neighbour
	login_demo
	expect 0 'is kept in docker-helper'
	first=$(token_in_service)
	[[ $first && -z $(stored) ]]
	run_cred get --fresh
	expect 0
	works "$out"
	run_cred status --format json
	[[ $(jq -r '.accounts[0].refresh.module' <<<"$out") == docker-helper ]]
	run_cred rotate
	expect 0
	[[ $(token_in_service) && $(token_in_service) != "$first" ]]
	run_cred get --fresh
	expect 0
	works "$out"
	run_cred logout
	expect 0
	[[ -z $(in_service) && $(session_neighbour) == 'a neighbour' && $(listed) == 0 ]]
}

# Locked by the desktop, and locked since the daemon was started: the helper answers differently.
@test "a locked keyring is locked: not absent, and not erased" {
	local how tool=${B:-$SANDBOX_TOP/.build}/tests/tools/keyring-tool
	login_demo
	expect 0
	for how in session_lock session_restart_keyring; do
		$how
		refused_plainly=
		refuses 4 keyring_locked docker-helper get "$ACCOUNT" --fresh || fails "$how"
		run_cred rotate
		expect 4 || fails "$how"
		run_cred logout
		expect 4 || fails "$how"
		[[ $(listed) == 1 ]]
		run_cred login "$SANDBOX_URL" --user-id 103 --token-stdin <<<"$(sandbox_refresh_token 103 other)"
		expect 4 || fails "$how"
		# Without a look-up before, as a logout has it.
		run "$tool" erase refresh "$SANDBOX_URL" 102 --line "$(<"$ALATION_CRED_CONFIG")"
		[[ $status == 2 ]] || fails "$how: erased, it says"
		session_unlock
		[[ $(token_in_service) ]]
		run_cred get --fresh
		expect 0
		works "$out"
	done
}

@test "no service, no bus: unavailable" {
	login_demo
	expect 0
	session_end_process "$session_keyring_pid" KILL
	refuses 5 keyring_unavailable docker-helper get "$ACCOUNT" --fresh
	DBUS_SESSION_BUS_ADDRESS=unix:path=$session_dir/none XDG_RUNTIME_DIR=$session_dir/none run_cred get --fresh
	expect 5 docker-helper
}

@test "a service that hangs: timeout" {
	login_demo
	expect 0
	session_freeze
	refuses 5 keyring_timeout docker-helper get "$ACCOUNT" --fresh --timeout 3
	session_thaw
	run_cred get --fresh
	expect 0
	works "$out"
}
