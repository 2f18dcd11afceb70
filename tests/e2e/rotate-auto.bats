#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rotate --auto, which a timer and get call: what is due and what is left, that nobody is asked, and that it has
# nothing to say where there was nothing to do. How a rotation goes is rotate.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

PTY=${B:-$SANDBOX_TOP/.build}/tests/tools/pty
HOUR=3600 DAY=86400

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} OTHER=${SANDBOX_URL/:\/\//:\/\/103@}
	helpers=() watcher=
}

teardown() {
	program_end_helpers
	[[ -z $watcher ]] || session_end_process "$watcher"
	program_teardown
	session_stop # a test's own
}

own_keyring() {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
}

login_for() { # SECONDS USER_ID [ARG...]: with a RefreshToken that lives so long
	run_cred login "$SANDBOX_URL" --user-id "$2" --token-stdin "${@:3}" <<<"$(sandbox_refresh_token "$2" pasted expires_in="$1")"
	expect 0
	forget_calls
}
# As if six hours had gone by: what the cache remembers of a try goes.
later() { keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null; }
stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id "${1:-102}"; }
refresh_token() { stored "$@" | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }
put() { secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
regens() { sandbox_calls regenRefreshToken; }
forget_calls() { : >"$SANDBOX_LOG"; }

start() { # ARG...: in the background; $started is its own pid
	"$CRED" "$@" >"$OUT.${#helpers[@]}" 2>"$OUT.${#helpers[@]}.err" 3>&- &
	started=$!
	helpers+=("$started")
}
hold_rotation() { sandbox_fault endpoint=regenRefreshToken delay_ms=60000; }

# It waits for the lock: it has slept so often as only a waiter does.
until_waits() {
	local end=$((SECONDS + 20))
	until [[ $(sed -n 's/^voluntary_ctxt_switches:\s*//p' "/proc/$started/status") -ge 30 ]]; do ((SECONDS < end)) || return 1; done
}

# silent ARG...: 0 and not a byte, with no server and no keyring.
silent() {
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent run_cred rotate --auto "$@"
	expect 0 || return 1
	[[ -z $raw$err ]] || fails "it says something" || return 1
	no_calls
}

@test "nothing to do: silence and 0, and no keyring is opened" {
	silent --all
	login_for $((20 * DAY)) 102 --exclusive
	silent
	silent --all
	silent "$ACCOUNT"
	silent --if-expiring 19d
	silent --all --timeout 1 --interactive never
	run_cred rotate --auto --all --format json
	expect 0
	[[ $(jq -c '[.success,.accounts[].user_id]' <<<"$out") == '[true,102]' && -z $err ]]
	# Without --auto it is said.
	run_cred rotate --all --if-expiring 19d
	expect 0 'has nothing to do'
}

@test "a shared one is passed over, named or not, due or ended; one that is in no list counts as shared" {
	local before
	login_for $((2 * DAY)) 102
	before=$(stored)
	silent
	silent --all
	silent "$ACCOUNT"
	silent "$ACCOUNT" --if-expiring 365d
	sed -i 's/token_expires_at=[0-9]*/token_expires_at=1/' "$STATE/accounts"
	silent "$ACCOUNT"
	silent "$OTHER"
	[[ $(stored) == "$before" ]]
	# By its name alone, and by hand, it is rotated.
	run_cred rotate "$ACCOUNT" --if-expiring 10d
	expect 0 'has a new RefreshToken' 'is cut off now'
}

@test "nobody is logged in: 0 for all, 3 for one" {
	silent --all
	refuses 3 no_account 'alation-cred login' rotate --auto
	refuses 3 no_account 'alation-cred login' rotate --auto "$SANDBOX_URL"
}

@test "without --if-expiring it is ten days; with it, what it says" {
	local old
	login_for $((10 * DAY + HOUR)) 102 --exclusive
	silent
	old=$(refresh_token)
	login_for $((10 * DAY - 5)) 102 --exclusive
	silent --if-expiring 9d
	run_cred rotate --auto
	expect 0 "$ACCOUNT has a new RefreshToken 'pasted'; it ends 20"
	[[ -z $raw && $err != *$'\n'* && $(calls) == regenRefreshToken && $(refresh_token) != "$old" ]] || fails "$(calls)"
	forget_calls
	silent
	later
	run_cred rotate --auto --if-expiring 61d --format json
	expect 0 'has a new RefreshToken'
	[[ $(jq -c '[.success,.user_id]' <<<"$out") == '[true,102]' && $(calls) == regenRefreshToken ]]
}

@test "as get starts it: a session of its own, nothing on its descriptors, the account by its whole name" {
	local old
	login_for $((5 * DAY)) 102 --exclusive
	old=$(refresh_token)
	setsid -w "$CRED" rotate --auto "$ACCOUNT" </dev/null >/dev/null 2>&1 3>&-
	[[ $(calls) == regenRefreshToken && $(refresh_token) != "$old" ]]
	setsid -w "$CRED" rotate --auto "$ACCOUNT" </dev/null >/dev/null 2>&1 3>&-
	[[ $(calls) == regenRefreshToken ]]
	run_cred get
	expect 0
	works "$out"
}

@test "20 at once: one rotation; the others wait, look again, and say nothing" {
	local i
	login_for $((5 * DAY)) 102 --exclusive
	hold_rotation
	start rotate --auto "$ACCOUNT" --timeout 100
	sandbox_held
	for i in {1..20}; do start rotate --auto --all --timeout 100; done
	until_waits
	sandbox_release
	for i in "${helpers[@]}"; do wait "$i"; done
	[[ $(regens) == 1 && $(cat "$OUT".*.err) == "alation-cred: $ACCOUNT has a new RefreshToken"* && $(cat "$OUT".*.err | wc -l) == 1 ]]
	[[ -z $(cat "$OUT".{0..20}) ]]
}

@test "the list is behind the keyring: the record's date decides under the lock" {
	login_for $((40 * DAY)) 102 --exclusive
	sed -i "s/token_expires_at=[0-9]*/token_expires_at=$((EPOCHSECONDS + DAY))/" "$STATE/accounts"
	run_cred rotate --auto
	expect 0
	[[ -z $raw$err ]] || fails "it says something"
	no_calls
	# Tomorrow no keyring is opened for it.
	silent
}

@test "made shared while it waited for the lock: it is left alone" {
	login_for $((5 * DAY)) 102 --exclusive
	exec {lock}<>"$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}"
	flock "$lock"
	"$CRED" rotate --auto "$ACCOUNT" --timeout 100 >"$OUT.0" 2>"$OUT.0.err" 3>&- {lock}>&- &
	started=$!
	helpers+=("$started")
	until_waits
	sed -i 's/&exclusive=1//' "$STATE/accounts"
	exec {lock}>&-
	wait "$started"
	[[ ! -s $OUT.0 && ! -s $OUT.0.err ]]
	no_calls
}

@test "a token that has ended is left to the server's word: 3, as ever" {
	local token words
	login_for $((5 * DAY)) 102 --exclusive
	token=$(refresh_token)
	sandbox_expire "$token"
	sed -i 's/token_expires_at=[0-9]*/token_expires_at=1700000000/' "$STATE/accounts"
	stored | sed 's/token_expires_at=[0-9]*/token_expires_at=1700000000/' | tr -d '\n' >"$BATS_TEST_TMPDIR/record"
	put <"$BATS_TEST_TMPDIR/record"
	refuses 3 refresh_token_expired "$ACCOUNT|alation-cred login" rotate --auto --all
	words=$err
	run_cred rotate
	expect 3
	[[ $err == "$words" && $(refresh_token) == "$token" ]] || fails "other words: $words"
	[[ $(calls | sort -u) == regenRefreshToken ]]
}

@test "an end that nobody knows: the server is asked, and what it cannot tell is said" {
	local listed
	login_for $((40 * DAY)) 102 --exclusive
	listed=$(<"$STATE/accounts")
	stored | sed 's/&token_expires_at=[0-9]*//' | tr -d '\n' >"$BATS_TEST_TMPDIR/record"
	put <"$BATS_TEST_TMPDIR/record"
	sed -i 's/&token_expires_at=[0-9]*//' "$STATE/accounts"
	run_cred rotate --auto
	expect 0
	[[ -z $raw$err && $(calls) == validateRefreshToken ]] || fails "$(calls)"
	# Whoever calls tomorrow finds it in the list.
	[[ $(<"$STATE/accounts") == "$listed" ]] || fails "not listed"
	forget_calls
	silent
	sed -i 's/&token_expires_at=[0-9]*//' "$STATE/accounts"
	sandbox_fault endpoint=validateRefreshToken set=token_expires_at:null
	run_cred rotate --auto
	expect 0 "$ACCOUNT is left as it is: the server does not tell when its RefreshToken ends"
	sandbox_fault endpoint=validateRefreshToken times=0 status=503
	run_cred rotate --auto
	expect 7
	sandbox_clear
	[[ $(regens) == 0 ]]
	run_cred rotate --auto --if-expiring 41d
	expect 0 'has a new RefreshToken'
}

@test "a locked keyring: 4 where something is due, at a terminal too, and no dialog; 0 where nothing is" {
	own_keyring
	login_for $((20 * DAY)) 102 --exclusive
	login_for $((5 * DAY)) 103
	session_restart_keyring
	dbus-monitor --session "interface='org.freedesktop.Secret.Prompt'" >"$BATS_TEST_TMPDIR/dialogs" 3>&- &
	watcher=$!
	until grep -q NameAcquired "$BATS_TEST_TMPDIR/dialogs"; do kill -0 "$watcher"; done
	run_cred rotate --auto --all
	expect 0
	[[ -z $raw$err ]] || fails "nothing is due"
	refuses 4 keyring_locked "$ACCOUNT|unlock it with 'alation-cred unlock" rotate --auto --if-expiring 21d
	[[ $err != *--interactive* ]] || fails "it may not ask"
	code=0
	screen=$("$PTY" "$CRED" rotate --auto --all --if-expiring 21d 3>&- </dev/null) || code=$?
	[[ $code == 4 && $screen == *"$ACCOUNT"*unlock* ]]
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Prompt.EndOfTest
	until grep -q EndOfTest "$BATS_TEST_TMPDIR/dialogs"; do kill -0 "$watcher"; done
	run ! grep 'member=Prompt$' "$BATS_TEST_TMPDIR/dialogs"
	no_calls
}

@test "--interactive always beside it: 2; auto and never are taken" {
	local row
	login_for $((5 * DAY)) 102 --exclusive
	for row in '--auto --interactive always' '--interactive=always --auto --all' "--auto $ACCOUNT --interactive always"; do
		refuses 2 usage '--auto asks nobody|--interactive always' rotate $row
	done
	no_calls
	for row in auto never; do
		later
		run_cred rotate --auto --interactive $row --if-expiring 61d
		expect 0 'has a new RefreshToken'
	done
}

@test "--all: one that fails does not stop the others, and its exit code is the call's" {
	login_for $((5 * DAY)) 102 --exclusive
	login_for $((5 * DAY)) 103 --exclusive
	sandbox_fault endpoint=regenRefreshToken status=403
	run_cred rotate --all --auto
	expect 7 "$OTHER has a new RefreshToken"
	[[ ${err##*$'\n'} == *"$ACCOUNT"* && $err != *'nothing to do'* ]]
	run_cred rotate --all --auto
	expect 0 "$ACCOUNT has a new RefreshToken"
	[[ $err != *"$OTHER"* ]] || fails "it is no longer due"
}
