#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# get renews an exclusive account's RefreshToken in its last days: in a process of its own, which goes on whatever becomes
# of the caller. rotate --auto itself and the timer are renewal.bats'.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	lock=3
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	helpers=()
}

teardown() {
	program_end_helpers
	program_teardown
	session_stop # a test's own
}

login_ending() { # SECONDS [ARG...]: an account by a RefreshToken that ends then, with nothing cached; $old is that token
	old=$(sandbox_refresh_token 102 ending "expires_in=$1")
	login_token "$old" --exclusive "${@:2}"
	expect 0
	drop_cached
	forget_calls
}

DAY=86400

renewed() { # the keyring has another RefreshToken, which the server takes; the old one is dead; the list knows its end
	local new
	new=$(refresh_token)
	[[ $new && $new != "$old" ]] || fails "it is the old one" || return 1
	[[ $(token_status "$new") == ACTIVE && $(token_status "$old") != ACTIVE ]] || fails "the server does not take it" || return 1
	[[ $(stored) != *regen_begun* ]] || fails "the mark is still there" || return 1
	(($(sed -n 's/.*&token_expires_at=\([0-9]*\).*/\1/p' "$STATE/accounts") > EPOCHSECONDS + 50 * DAY)) || fails "the list has the old end"
}

token_status() {
	sandbox_curl /integration/v1/validateRefreshToken/ -d "user_id=102&refresh_token=$1" | jq -r .token_status
}

@test "in the last 10 days: one rotation, one mint, not a word; a warm call renews nothing" {
	login_ending $((9 * DAY))
	run_cred get --format json
	expect 0
	[[ -z $err && $out == *'"refresh_token_expires_at":"'* && $out == *'"warnings":[]'* ]]
	asked regenRefreshToken createAPIAccessToken
	(($(jq -r '.refresh_token_expires_at | fromdate' <<<"$out") > EPOCHSECONDS + 50 * DAY))
	works "$(jq -r .token <<<"$out")"
	renewed
	forget_calls
	run_cred get
	expect 0
	asked ''
	run_cred get --fresh
	expect 0
	asked createAPIAccessToken
}

@test "what is cached is served until a mint is needed anyway" {
	old=$(sandbox_refresh_token 102 ending "expires_in=$((9 * DAY))")
	login_token "$old" --exclusive
	forget_calls
	run_cred get
	expect 0
	asked ''
	[[ $(refresh_token) == "$old" ]]
}

@test "not shared ones, not one that ends later, not one that has ended" {
	login_ending $((11 * DAY))
	run_cred get
	expect 0
	asked createAPIAccessToken
	login_ending $((9 * DAY))
	run_cred set shared
	run_cred get
	expect 0
	asked createAPIAccessToken
	login_ending 2
	sandbox_expire "$old"
	until (($(sed -n 's/.*&token_expires_at=\([0-9]*\).*/\1/p' "$STATE/accounts") <= EPOCHSECONDS)); do :; done
	run_cred get
	expect 3
	asked createAPIAccessToken
	[[ $(refresh_token) == "$old" ]]
}

@test "a rotation that the server refuses: the old token serves, with a warning; the next try is six hours later" {
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken times=2 status=403
	run_cred get --format json
	expect 0 "the RefreshToken of $ACCOUNT ends " "could not be renewed (exit 7); 'alation-cred rotate $ACCOUNT' tells why"
	[[ $out == *'"warnings":[{"code":"not_renewed",'* ]]
	works "$(jq -r .token <<<"$out")"
	asked regenRefreshToken createAPIAccessToken datasource
	[[ $(refresh_token) == "$old" && $(stored) != *regen_begun* ]]
	run_cred get
	[[ $code == 0 && -z $err ]]
	run_cred get --fresh
	[[ $code == 0 && -z $err ]]
	run_cred rotate --auto
	[[ $code == 0 && -z $err ]]
	[[ $(sandbox_calls regenRefreshToken) == 1 ]]
	earlier renewal_tried 21601
	run_cred get --fresh
	expect 0 'could not be renewed'
	earlier renewal_tried 21601
	run_cred get --fresh
	[[ $code == 0 && -z $err ]]
	renewed
}

@test "its answer is lost: the mint that follows finds out which token lives" {
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken drop=before
	run_cred get
	expect 0 'could not be renewed (exit 6)'
	works "$out"
	[[ $(refresh_token) == "$old" && $(stored) != *regen_begun* ]]
	drop_cached # with what it remembers
	sandbox_fault endpoint=regenRefreshToken drop=after
	run_cred get
	expect 3 'its answer with the new one was lost on the way' 'alation-cred login'
}

@test "Python's subprocess.run with a timeout of 1 s against a regeneration of 3 s: the next get works without a login" {
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken delay_ms=3000
	run -0 python3 - "$CRED" <<-'END'
		import subprocess, sys, time
		began = time.monotonic()
		try:
		    subprocess.run([sys.argv[1], "get"], timeout=1, capture_output=True, stdin=subprocess.DEVNULL)
		    sys.exit("it was not cut off")
		except subprocess.TimeoutExpired as e:
		    assert not e.stdout, e.stdout
		# Nothing of ours holds its pipes: the wait for their end was short.
		assert time.monotonic() - began < 7
	END
	run_cred get
	expect 0
	works "$out"
	asked regenRefreshToken createAPIAccessToken datasource
	renewed
}

@test "killed with its whole process group while the server is asked: the rotation goes on to its end" {
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken delay_ms=60000
	setsid "$CRED" get >"$OUT.group" 2>&1 3>&- &
	sandbox_held
	# Its leader is the child of setsid, or setsid itself, which has become it.
	kill -KILL -- "-$!"
	wait "$!" || :
	[[ ! -s $OUT.group ]]
	sandbox_release
	run_cred get
	expect 0
	works "$out"
	renewed
	[[ $(sandbox_calls regenRefreshToken) == 1 ]]
}

@test "a command substitution that is cut off does not wait for it; of the caller's descriptors it holds none" {
	local began=$SECONDS pipe=$BATS_TEST_TMPDIR/pipe got
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken delay_ms=60000
	mkfifo "$pipe"
	exec {reader}<>"$pipe"
	got=$(timeout 2 "$CRED" get 2>&1 3>&- 7>"$pipe") || code=$?
	[[ $code == 124 && -z $got ]]
	((SECONDS - began < 7))
	sandbox_held
	exec {writer}>"$pipe" {reader}<&- {reader}<"$pipe" {writer}>&-
	# The end of the pipe comes at once: nobody has it open for writing.
	run -0 timeout 5 cat <&"$reader"
	exec {reader}<&-
	sandbox_release
	run_cred get
	expect 0
	renewed
}

@test "the time of a rotation does not count: --timeout 1 and a regeneration of 3 s" {
	login_ending $((9 * DAY))
	sandbox_fault endpoint=regenRefreshToken delay_ms=3000
	run_cred get --timeout 1
	expect 0
	works "$out"
	renewed
}

@test "a RefreshToken that never lives longer than 10 days: 20 at once renew it once, and not at each mint" {
	local i
	program_sandbox --refresh-lifetime $((5 * DAY))
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	login_ending $((5 * DAY))
	crowd 20 get
	for i in {0..19}; do [[ $(<"$OUT.$i") == "$(cached)" ]] || fails "$i: $(<"$OUT.$i.trace")"; done
	works "$(cached)"
	run_cred get --fresh
	expect 0
	asked regenRefreshToken createAPIAccessToken datasource createAPIAccessToken
}

@test "what the server refused a moment ago is not sent to it to be renewed" {
	login_ending $((9 * DAY))
	sandbox_revoke "$old"
	for _ in 1 2 3; do
		run_cred get
		expect 3
	done
	# One try to renew it, and one to mint.
	asked regenRefreshToken createAPIAccessToken
}

@test "20 at once: one rotation, one mint, 20 equal answers" {
	local i
	login_ending $((9 * DAY))
	crowd 20 get
	for i in {0..19}; do [[ $(<"$OUT.$i") == "$(cached)" ]] || fails "$i: $(<"$OUT.$i.trace")"; done
	works "$(cached)"
	asked regenRefreshToken createAPIAccessToken datasource
	renewed
}

@test "a caller that ignores SIGCHLD, with signals held: it renews all the same, and holds neither" {
	login_ending $((9 * DAY))
	code=0
	out=$(python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
os.execv(sys.argv[1], [sys.argv[1], "get"])' "$CRED" 2>"$OUT.err" 3>&-) || code=$?
	[[ $code == 0 && ! -s $OUT.err ]]
	works "$out"
	renewed
}

@test "a locked keyring: 4, as without a renewal; the server is not asked" {
	local home=$HOME
	session_start unlocked # this test's own
	export HOME=$home XDG_STATE_HOME=
	login_ending $((9 * DAY))
	session_lock
	run_cred get
	session_unlock
	expect 4 'is locked'
	asked ''
	run_cred get
	expect 0
	renewed
}
