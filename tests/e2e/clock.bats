#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Row H7 of the fault matrix: the wall clock jumps, before a call and in the middle of one (tests/preload/shift-clock.c); the
# boot clock runs on alone, as in a suspend, or the record is of another boot. A suspend itself cannot be had in a test.

bats_require_minimum_version 1.5.0
load ../lib/program

HOUR=3600 TEN_YEARS=315360000
JUMPS="$HOUR -$HOUR $TEN_YEARS -$TEN_YEARS"

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	CLOCK=$BATS_TEST_TMPDIR/clock helpers=()
	wall 0
	login_token "$(sandbox_refresh_token 102)" --shared
	expect 0
	TOKEN=$(record | sed 's/.*&token=\([^&]*\).*/\1/')
	: >"$SANDBOX_LOG"
}

teardown() {
	program_end_helpers
	session_stop # a test's own
	program_teardown
}

PRELOAD=${B:-$SANDBOX_TOP/.build}/tests/preload/shift-clock.so
wall() { # SECONDS: so much is the wall clock off from now on, for those who run already, too
	echo "$1" >"$CLOCK.new"
	mv "$CLOCK.new" "$CLOCK"
}
shifted() { env LD_PRELOAD="$PRELOAD" SHIFT_CLOCK_FILE="$CLOCK" "$@"; }
cred() { shifted setsid -w "$CRED" "$@" 3>&-; }
start() { # ARG...: in the background; $started is its own pid
	shifted "$CRED" "$@" >"$OUT.$1" 2>"$OUT.$1.err" 3>&- &
	started=$!
	helpers+=("$started")
}
until_asks() { # it has decided, and the keyring is next
	local end=$((SECONDS + 20))
	until grep -q ': mint$' "$OUT.token.err"; do ((SECONDS < end)) || fails "it never did: $(cat "$OUT".*)" || return 1; done
}
# ended CODE SECONDS: the one that was started last, in that time and 5 s to spare.
ended() {
	code=0
	wait "$started" || code=$?
	[[ $code == "$1" && $((SECONDS - began)) -le $(($2 + 5)) ]] || fails "exit $code after $((SECONDS - began)) s: $(cat "$OUT".*)"
}
until_waits() { # it has tried the lock, and looks into the cache again
	local end=$((SECONDS + 20))
	until [[ $(grep -c 'look up access' "$OUT.get.err") -ge 2 ]]; do ((SECONDS < end)) || fails "it never did: $(cat "$OUT".*)" || return 1; done
}

key() { keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL"; }
record() { keyctl pipe "$(key)"; }
change() { # SED: the record in the cache
	record | sed "$1" >"$BATS_TEST_TMPDIR/record"
	keyctl pupdate "$(key)" <"$BATS_TEST_TMPDIR/record"
}
mints() { sandbox_calls createAPIAccessToken; }
serves_the_same() { # and nobody is asked
	run_cred token "$ACCOUNT"
	expect 0 && [[ $out == "$TOKEN" ]] || fails "not the cached token: $1" || return 1
	no_calls
}

@test "H7: the library shifts the wall clock, and nothing else" {
	wall "$TEN_YEARS"
	[[ $(shifted date +%Y) == $(date -d '+3650 days' +%Y) ]]
	[[ $(shifted node -e 'console.log(process.hrtime()[0])') -lt $TEN_YEARS ]]
}

@test "H7: the wall clock jumps before a call: the cached token is served, and one minted then lives as long as it does" {
	local jump back
	for jump in $JUMPS; do
		wall "$jump"
		serves_the_same "$jump"
		run_cred token "$ACCOUNT" --min-ttl 12h
		expect 0
		[[ $out == "$TOKEN" ]]
		no_calls
	done
	# No early and no missing mint of what was minted while it was wrong.
	for jump in $JUMPS; do
		wall "$jump"
		run_cred token "$ACCOUNT" --fresh
		expect 0
		works "$out"
		TOKEN=$out
		: >"$SANDBOX_LOG"
		for back in 0 $JUMPS; do
			wall "$back"
			serves_the_same "minted at $jump, served at $back"
		done
	done
}

@test "H7: the wall clock jumps during a wait for the lock: busy at the deadline, or the token that was waited for" {
	local jump
	for jump in $JUMPS; do
		wall 0
		sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
		start token "$ACCOUNT" --fresh --timeout 60
		sandbox_held
		holder=$started
		start get "$ACCOUNT" --timeout 5 -v
		began=$SECONDS
		until_waits
		wall "$jump"
		ended 8 5
		start get "$ACCOUNT" --timeout 60 -v
		until_waits
		wall "$((-jump))"
		sandbox_release
		began=$SECONDS
		ended 0 5
		started=$holder
		ended 0 5
		[[ $(<"$OUT.token") == $(<"$OUT.get") && $(mints) == 1 ]] || fails "jump of $jump"
		works "$(<"$OUT.get")"
		: >"$SANDBOX_LOG"
	done
}

@test "H7: the wall clock jumps during a call to the server: its deadline holds, and what comes lives as long as it does" {
	local jump
	for jump in $JUMPS; do
		wall 0
		sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
		start token "$ACCOUNT" --fresh --timeout 3
		began=$SECONDS
		sandbox_held
		wall "$jump"
		ended 6 3
		sandbox_release
		wall 0
		sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
		start token "$ACCOUNT" --fresh
		sandbox_held
		wall "$jump"
		sandbox_release
		began=$SECONDS
		ended 0 5
		TOKEN=$(<"$OUT.token")
		works "$TOKEN"
		run_cred validate "$ACCOUNT"
		expect 0
		: >"$SANDBOX_LOG"
		wall 0
		# A lost call is remembered for a minute, and the server's word about its successor for ten seconds.
		run_cred token "$ACCOUNT"
		expect 0
		[[ $out == "$TOKEN" && $(mints) == 0 ]] || fails "jump of $jump"
	done
}

@test "H7: the wall clock jumps while a keyring hangs: its deadline holds" {
	local jump home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
	login_token "$(sandbox_refresh_token 102)" --shared
	for jump in $JUMPS; do
		wall 0
		session_freeze
		start token "$ACCOUNT" --fresh --timeout 3 -v
		began=$SECONDS
		until_asks
		wall "$jump"
		ended 5 3
		session_thaw
	done
	wall 0
	run_cred token "$ACCOUNT" --fresh
	expect 0
}
@test "H7: the wall clock jumps during a rotation: the new token is kept and serves" {
	local jump old
	run_cred set "$ACCOUNT" exclusive
	for jump in $JUMPS; do
		wall 0
		old=$(secret-tool lookup application alation-cred base_url "$SANDBOX_URL")
		sandbox_fault endpoint=regenRefreshToken delay_ms=60000
		start rotate "$ACCOUNT"
		sandbox_held
		wall "$jump"
		sandbox_release
		began=$SECONDS
		ended 0 5
		wall 0
		[[ $(secret-tool lookup application alation-cred base_url "$SANDBOX_URL") != "$old" ]]
		run_cred token "$ACCOUNT"
		expect 0
		works "$out"
	done
}

# boot SECONDS COMMAND...: the boot clock is that far ahead, and no other.
boot() { unshare -T -f --boottime "$1" "${@:2}"; }

@test "H7: the boot clock runs on alone, as in a suspend: what has ended by it is replaced once, whatever the wall clock says" {
	local jump
	boot 1 true 2>/dev/null || skip 'no time namespace can be made here'
	cred() { boot "$ahead" env LD_PRELOAD="$PRELOAD" SHIFT_CLOCK_FILE="$CLOCK" setsid -w "$CRED" "$@" 3>&-; }
	ahead=80000
	for jump in 0 $JUMPS; do
		wall "$jump"
		serves_the_same "$jump"
	done
	for jump in 0 $JUMPS; do
		wall "$jump"
		ahead=$((ahead + 90000)) # it lived 86400 s
		: >"$SANDBOX_LOG"
		run_cred token "$ACCOUNT"
		expect 0
		[[ $out != "$TOKEN" && $(mints) == 1 ]] || fails "jump of $jump: minted $(mints) times"
		TOKEN=$out
		run_cred token "$ACCOUNT"
		expect 0
		[[ $out == "$TOKEN" && $(mints) == 1 ]] || fails "jump of $jump: minted again"
	done
}

@test "H7: a record of another boot: the wall clock decides" {
	local jump
	change 's/boot_id=[^&]*/boot_id=00000000-0000-0000-0000-000000000000/; s/minted_at=[^&]*/minted_at=1/'
	for jump in 0 "$HOUR" "-$HOUR" "-$TEN_YEARS"; do
		wall "$jump"
		serves_the_same "$jump"
	done
	wall "$TEN_YEARS"
	run_cred token "$ACCOUNT"
	expect 0
	[[ $out != "$TOKEN" && $(mints) == 1 ]]
	works "$out"
	TOKEN=$out
	: >"$SANDBOX_LOG"
	wall 0
	serves_the_same 'what was minted then is of this boot'
}
