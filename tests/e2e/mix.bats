#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many callers that do everything at once, some of them killed: the history of their calls against the server's log.
# MIX_S (60), MIX_WORKERS (50) and MIX_SEED (by chance) change a run.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/git

setup_file() {
	program_setup_file
	# The interpreter itself: a wrapper in PATH may want the caller's home.
	PYTHON=$(python3 -c 'import sys; print(sys.executable)') || return 1
	export PYTHON
}

teardown_file() {
	program_teardown_file
}

setup() {
	users=(--user demo:demo-password:102 --user other:other-password:103)
	program_setup "${users[@]}"
	helpers=()
	session_store_neighbour
	log_in_both
}

teardown() {
	program_end_helpers
	program_teardown
	secret-tool clear application neighbour || :
}

log_in_both() {
	login_demo
	expect 0 || return 1
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
}

mix() { # HOW ARG...
	"$PYTHON" "$SANDBOX_TOP/tests/tools/mix.py" "$1" --program "$CRED" --url "$SANDBOX_URL" "${users[@]}" \
		--history "$BATS_TEST_TMPDIR/history" --seed "${MIX_SEED:-}" "${@:2}" 3>&-
}

mix_check() { # ARG...: figures as TAP comments; a history that must not be is kept in MIX_KEEP, where that is set
	local status=0
	"$PYTHON" "$SANDBOX_TOP/tests/tools/mix-check.py" "$BATS_TEST_TMPDIR/history" "$SANDBOX_LOG" "$@" >"$OUT.check" || status=1
	sed 's/^/# /' "$OUT.check" >&3
	[[ $status == 0 || ! ${MIX_KEEP:-} ]] || cp "$BATS_TEST_TMPDIR/history" "$SANDBOX_LOG" "$MIX_KEEP"
	return "$status"
}

# Everyone has ended: nothing holds a lock, the list is whole, and who logs in works on.
all_is_well() {
	local lock id
	for lock in "$STATE"/locks/*; do
		flock -n "$lock" true || fails "held: $lock" || return 1
	done
	[[ $(session_neighbour) == 'a neighbour' ]] || fails "the neighbour's item is another one" || return 1
	run_cred status --format json
	expect 0 || return 1
	log_in_both || return 1
	for id in 102 103; do
		[[ $(stored "$id") ]] || fails "no RefreshToken of $id" || return 1
		run_cred get "${SANDBOX_URL/:\/\//:\/\/$id@}"
		expect 0 && works "$out" || return 1
	done
}

@test "C4: a minute of everything at once with random kills: no token is served that had ended before" {
	mix run --seconds "${MIX_S:-60}" --workers "${MIX_WORKERS:-50}" | sed 's/^/# /' >&3
	mix_check
	all_is_well
}

@test "R16: 200 parallel gets, stores and logouts mixed: one mint a store, whole records" {
	local callers=200
	[[ $(ldd "$CRED") != *san* ]] || callers=50
	mix burst --workers "$callers" --timeout 100 | sed 's/^/# /' >&3
	mix_check --timeout 100 --mints-per-store
	all_is_well
}

# killed_at ENDPOINT ARG...: the program is killed while the server holds that call, whose answer nobody takes any more.
killed_at() {
	sandbox_fault "endpoint=$1" delay_ms=600000 ${drop:+drop="$drop"}
	"$CRED" "${@:2}" <&0 >/dev/null 2>&1 3>&- &
	helpers+=($!)
	sandbox_held
	kill -KILL $!
	wait $! || :
}

@test "a killed rotation acts at the server after the next mint: the call that meets it says what was lost" {
	local end=$((SECONDS + 10)) account=${SANDBOX_URL/:\/\//:\/\/102@}
	killed_at regenRefreshToken rotate "$account"
	run_cred token --fresh "$account"
	expect 0
	sandbox_release
	until [[ $(sandbox_calls regenRefreshToken) == 1 ]]; do ((SECONDS < end)); done
	run_cred token --validate "$account"
	expect 3 'its answer with the new one was lost on the way'
}

@test "a login is killed before it has ended the old access token: a revoke ends it, or says that it lives" {
	local account=${SANDBOX_URL/:\/\//:\/\/102@} token drop=before
	run_cred get "$account"
	token=$out
	killed_at revokeAPIAccessTokens login "$SANDBOX_URL" --user demo --password-stdin <<<demo-password
	sandbox_release
	run_cred revoke "$account"
	expect 0
	[[ $err == *'earlier RefreshToken'* ]] || is_dead "$token"
}
