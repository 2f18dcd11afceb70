#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rows K of the fault matrix, each under its name: killed before the lock, in a login, a mint, a rotation, a logout;
# a lock holder that stands still; a parent that dies. Where a failpoint only tells when to kill, the failpoint files
# have the whole table; here stand what the row expects and the ways of dying that they do not show.

bats_require_minimum_version 1.5.0
load ../lib/failpoints

PTY=${B:-$SANDBOX_TOP/.build}/tests/tools/pty

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	failpoints_setup
	helpers=()
}

teardown() {
	program_end_helpers
	failpoints_teardown
}

killed_at() { # POINT[:N] COMMAND...
	local nth=1
	[[ $1 != *:* ]] || nth=${1##*:}
	ALATION_CRED_FAILPOINT=${1%:*}:kill:$nth CRED=$FAILPOINTS "${@:2}"
	[[ $code == 137 ]] || fails "not killed at $1"
	read_log
	no_lock
}

start() { # COMMAND...: in the background; $started is its own pid
	"$@" <&0 >"$OUT.${#helpers[@]}" 2>"$OUT.${#helpers[@]}.err" 3>&- &
	started=$!
	helpers+=("$started")
}

end_started() { # and it is gone
	kill -KILL "$started"
	wait "$started" || :
}

# The server has acted on a call whose caller is gone: a line of the log is written when it has.
until_asked() { # ENDPOINT [N]
	local end=$((SECONDS + 20))
	until [[ $(sandbox_calls "$1") -ge ${2:-1} ]]; do ((SECONDS < end)) || return 1; done
}

# PID waits for the lock: it has slept so often as only a waiter does.
until_waits() {
	local end=$((SECONDS + 30))
	until [[ $(sed -n 's/^voluntary_ctxt_switches:\s*//p' "/proc/$1/status") -ge 30 ]]; do ((SECONDS < end)) || return 1; done
}

until_stopped() { # PID, at its failpoint
	local end=$((SECONDS + 20))
	until [[ $(sed -n 's/^State:\s*\(.\).*/\1/p' "/proc/$1/status") == T ]]; do ((SECONDS < end)) || return 1; done
}

everything() {
	secret-tool search --all application alation-cred base_url "$SANDBOX_URL" user_id 102 2>/dev/null | grep -v '^schema = '
	record
	cat "$STATE/accounts"
}

nothing_changed() {
	[[ $(everything) == "$before" ]] || fails "something changed: $(diff <(echo "$before") <(everything))" || return 1
	no_calls && untouched
}

asked() { # ENDPOINT...: the six
	local asked
	asked=$(calls | grep -v datasource | paste -sd ' ')
	[[ $asked == "$*" ]] || fails "asked: $asked"
}
no_copies() { [[ -z $(key recovery) && -z $(find "$STATE" -name '*.recovery') ]] || fails "a copy is left"; }

# Every verb that changes something, with what it reads on stdin.
verbs() {
	cat <<-END
		token $ACCOUNT --fresh
		rotate $ACCOUNT
		revoke $ACCOUNT
		logout $ACCOUNT
		set $ACCOUNT shared
		login $SANDBOX_URL --user-id 102 --token-stdin|$PASTE
		--protocol git store|$(git_request "oauth_refresh_token=$PASTE" | paste -sd '|')
		--protocol git erase|$(git_request | paste -sd '|')
	END
}

@test "K1: killed before the lock, or while waiting for it: nothing has changed" {
	local before verb signal pid
	fresh cached
	before=$(everything)
	start env ALATION_CRED_FAILPOINT=lock.taken:stop "$FAILPOINTS" token "$ACCOUNT" --fresh
	until_stopped "$started"
	for signal in KILL TERM; do
		helpers=("${helpers[0]}")
		while IFS='|' read -r verb input; do
			start "$CRED" --timeout 60 $verb < <(tr '|' '\n' <<<"$input")
		done < <(verbs)
		for pid in "${helpers[@]:1}"; do until_waits "$pid"; done
		for pid in "${helpers[@]:1}"; do
			kill "-$signal" "$pid"
			code=0
			wait "$pid" || code=$?
			[[ $code == $((128 + $(kill -l "$signal"))) ]] || fails "$signal: exit $code"
		done
		nothing_changed || fails "$signal"
		cat "$OUT".[1-9] >"$OUT.all"
		[[ ! -s $OUT.all ]]
	done
	kill -KILL "${helpers[0]}"
	wait "${helpers[0]}" || :
	no_lock
	while IFS='|' read -r verb input; do
		killed_at lock.taken run_cred $verb < <(tr '|' '\n' <<<"$input")
		nothing_changed || fails "$verb"
	done < <(verbs)
	next_get old 0
}

# on_terminal COMMAND...: a login by password at a terminal that outlives it; its end and the terminal's state are in
# $screen. COMMAND runs beside it, with the shell's pid, from the hidden prompt on.
on_terminal() {
	screen=$("$PTY" bash -c 'trap "" TTOU; trap : INT QUIT HUP
		if [ $# -gt 2 ]; then
			until stty -a </dev/tty | grep -q -- " -echo "; do :; done && "${@:3}" $$ &
		fi
		"$1" login "$2"
		echo "ended $?"
		stty -a' - "$CRED" "$SANDBOX_URL" "$@" 3>&- | tr -d '\r')
}
signal_child() { kill "-$1" "$(pgrep -P "$2" -x "alation-cred.*")"; }

@test "K2: a login that dies at the prompt, or after it and before it asks: nothing has changed, the terminal echoes" {
	local signal
	export -f signal_child
	for signal in TERM HUP INT QUIT; do
		on_terminal bash -c 'signal_child "$@"' - "$signal" <<-END
			expect 1 or 2
			send 2
			expect User name:
			send demo
			expect Password:
			expect ended $((128 + $(kill -l "$signal")))
			echo on
		END
		[[ $screen =~ [[:space:]]echo[[:space:]] ]] || { echo "$signal: $screen" >&2 && false; }
	done
	ALATION_CRED_FAILPOINT=create.asking:kill CRED=$FAILPOINTS on_terminal <<-END
		expect 1 or 2
		send 2
		expect User name:
		send demo
		expect Password:
		echo off
		send demo-password
		expect ended 137
		echo on
	END
	[[ $screen =~ [[:space:]]echo[[:space:]] && $screen != *demo-password* ]] || { echo "$screen" >&2 && false; }
	[[ $(sandbox_calls createRefreshToken) == 1 ]] # the other account's
	holds none
	run ! is_listed
	untouched
	no_lock
}

# What the server has made is an orphan there; no call can know of it. That the next login works, and claims nothing of
# an earlier one, is all.
@test "K3: a login by password that is killed after the server's act, before the store: nothing here, and a new one works" {
	local point
	logs_in() {
		run_cred get "$ACCOUNT"
		expect 3 "no RefreshToken is stored for $ACCOUNT" || return 1
		login_demo
		expect 0 'logged in as' || return 1
		[[ $err != *earlier* ]] || fails "of which one?" || return 1
		read_log
		holds new && untouched
	}
	fresh none
	sandbox_fault endpoint=createRefreshToken delay_ms=60000
	start "$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<demo-password
	sandbox_held
	end_started
	sandbox_release
	until_asked createRefreshToken
	logs_in
	for point in create.answered lock.taken:3 login.read; do
		fresh none
		killed_at "$point" login_demo
		[[ $(sandbox_calls createRefreshToken) == 1 ]]
		holds none
		logs_in || fails "$point"
	done
}

@test "K3: the same over an account: it is what it was, and serves" {
	fresh cached
	killed_at create.answered login_demo
	holds old
	next_get old 0
	[[ $out == "$CACHED" ]]
	login_demo
	expect 0 "the earlier RefreshToken 'old'"
}

@test "K4: a login that is killed after the store, before the access token is cached: logged in" {
	local point way
	paste_token() { login_token "$PASTE"; }
	for way in login_demo paste_token; do
		for point in login.stored file.written login.listed; do
			fresh none
			killed_at "$point" "$way"
			holds new
			run_cred get "$ACCOUNT"
			expect 0
			serves "$out"
			"$way"
			expect 0 'logged in as'
			is_listed
		done
	done
	for point in mint.asking mint.answered; do
		fresh none
		killed_at "$point" login_demo
		holds new
		run_cred get "${SANDBOX_URL/:\/\//:\/\/102@}"
		expect 0
		serves "$out"
		is_listed
	done
}

@test "K5: killed before a mint is asked for, or while it is: the old token is asked about before it is served" {
	fresh cached
	killed_at mint.asking run_cred get "$ACCOUNT" --fresh
	next_get old 0
	[[ $out == "$CACHED" ]]
	asked validateAPIAccessToken
	# The server never acts on what was asked.
	fresh cached
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000 drop=before
	start "$CRED" get "$ACCOUNT" --fresh
	sandbox_held
	end_started
	sandbox_release
	until_asked createAPIAccessToken
	next_get old 1
	[[ $out == "$CACHED" ]]
	asked createAPIAccessToken validateAPIAccessToken
	# It does: the old one is dead, and one mint follows.
	fresh cached
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	start "$CRED" get "$ACCOUNT" --fresh
	sandbox_held
	end_started
	sandbox_release
	until_asked createAPIAccessToken
	next_get old 2
	asked createAPIAccessToken validateAPIAccessToken createAPIAccessToken
	no_lock
	untouched
}

@test "K6: killed after a mint's reply, before it is cached: two mints, and the second serves" {
	for begin in cold cached; do
		fresh "$begin"
		killed_at mint.answered run_cred get "$ACCOUNT" --fresh
		[[ $mints == 1 && -z $raw ]]
		next_get old 2
		[[ $out == "$made_access" ]]
		untouched
	done
}

@test "K7: killed after the cache has it, before or in the middle of stdout: the next get has the same token, no second mint" {
	local point token reader
	for point in mint.cached answer.printing answer.printed; do
		fresh cold
		killed_at "$point" run_cred get "$ACCOUNT"
		token=$made_access
		[[ $mints == 1 && ( -z $raw || $raw == "$token"$'\n' ) ]] || fails "$point"
		next_get old 1
		[[ $out == "$token" ]]
	done
	# In the middle: a pipe that is full.
	fresh cold
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/pipe" bs=64k count=1 oflag=nonblock 2>/dev/null
	: >"$REACHED"
	ALATION_CRED_FAILPOINT_LOG=$REACHED "$FAILPOINTS" get "$ACCOUNT" --timeout 60 >"$BATS_TEST_TMPDIR/pipe" {reader}<&- 3>&- &
	started=$!
	helpers+=("$started")
	until grep -q answer.printing "$REACHED"; do :; done
	end_started
	next_get old 1
	[[ $out == "$made_access" ]]
	exec {reader}<&-
	untouched
}

@test "K8: a rotation killed before its write-ahead: the old RefreshToken lives" {
	local point before
	for point in lock.taken rotate.marked; do
		fresh cached
		before=$(everything)
		killed_at "$point" run_cred rotate "$ACCOUNT"
		[[ $point != lock.taken ]] || nothing_changed
		holds old
		next_get old 0
		[[ $out == "$CACHED" && $(record) != *suspect* ]]
	done
}

@test "K9: a rotation killed after its write-ahead, before the call: the next mint clears the mark" {
	local point
	for point in rotate.written-ahead regen.asking; do
		fresh cached
		killed_at "$point" run_cred rotate "$ACCOUNT"
		[[ $(everything) == *regen_begun=* ]]
		next_get old 0
		[[ $out == "$CACHED" ]]
		run_cred get "$ACCOUNT" --fresh
		expect 0
		serves "$out"
		[[ $(everything) != *regen_begun* ]] || fails "the mark stays"
		holds old
		run_cred status
		[[ $out != *lost* ]] || fails "nothing was lost"
		untouched
	done
}

@test "K10: a rotation killed while it is asked for, the server acts: every call says so, nothing else is touched, a login mends" {
	local way
	for way in held answered; do
		fresh cached
		if [[ $way == held ]]; then
			sandbox_fault endpoint=regenRefreshToken delay_ms=60000
			start "$CRED" rotate "$ACCOUNT"
			sandbox_held
			end_started
			sandbox_release
			until_asked regenRefreshToken
		else
			killed_at regen.answered run_cred rotate "$ACCOUNT"
		fi
		holds lost
		forget_calls
		for _ in 1 2 3; do
			run_cred get "$ACCOUNT"
			expect 3 "the RefreshToken of $ACCOUNT was to be regenerated at 20" "$LOST" "log in again: 'alation-cred login $SANDBOX_URL'"
		done
		[[ $(sandbox_calls regenRefreshToken) == 0 && $(calls | wc -l) -le 6 ]] || fails "it loops: $(calls)"
		holds lost
		untouched
		no_lock
		login_demo
		expect 0
		read_log
		holds new
		run_cred get "$ACCOUNT"
		expect 0
		serves "$out"
	done
}

@test "K10: a rotation killed after the reply, before the store: the copy is taken over, nothing is lost" {
	fresh cached
	killed_at rotate.copied run_cred rotate "$ACCOUNT"
	holds copy
	next_get copy 1
	no_copies
	untouched
}

@test "K11: a rotation killed after the store: done, and what is left of it goes" {
	local point
	for point in rotate.stored rotate.emptied rotate.copies-gone file.written rotate.listed; do
		fresh cached
		killed_at "$point" run_cred rotate "$ACCOUNT"
		holds new
		next_get new 1 || fails "$point"
		no_copies || fails "$point"
		[[ $(everything) != *regen_begun* && $(everything) != *suspect* ]] || fails "$point: a mark is left"
		untouched
	done
}

@test "K12: a logout killed after it has revoked, and between the erasures: once more completes it, and a third finds nothing" {
	local point
	for point in revoke.answered regen.answered forget.cache forget.copies forget.refresh file.written; do
		fresh cached
		killed_at "$point" run_cred logout "$ACCOUNT"
		run_cred logout "$ACCOUNT"
		expect 0 "logged out of $ACCOUNT" || fails "$point"
		[[ -z $(key) ]]
		no_copies
		holds none
		run ! is_listed
		run_cred logout "$ACCOUNT"
		expect 3
		untouched
	done
}

@test "K13: a lock holder that stands still in a rotation: the others are BUSY in their time, ask nobody, change nothing" {
	local before verb input began
	fresh cached
	start env ALATION_CRED_FAILPOINT=rotate.written-ahead:stop "$FAILPOINTS" rotate "$ACCOUNT"
	until_stopped "$started"
	before=$(everything)
	[[ $before == *suspect=* && $before == *regen_begun=* ]]
	while IFS='|' read -r verb input; do
		began=$SECONDS
		run_cred --timeout 1 $verb < <(tr '|' '\n' <<<"$input")
		expect 8 "$ACCOUNT"
		((SECONDS - began <= 6)) || fails "it took $((SECONDS - began)) s"
	done < <(verbs; echo "get $ACCOUNT")
	nothing_changed
	kill -CONT "$started"
	wait "$started"
	read_log
	holds new
	next_get new 1
	no_copies
	untouched
}

# rotated: it went on to its end, whatever came.
rotated() {
	flock -w 30 "$STATE/locks/102@"* true || fails "it never ends" || return 1
	read_log
	holds new && next_get new 1 && no_copies && untouched && no_lock
}

@test "K14: the terminal goes in the middle of a rotation, SIGHUP: the new RefreshToken is kept, then it ends" {
	local keeps pid shell
	fresh cached
	sandbox_fault endpoint=regenRefreshToken delay_ms=60000
	mkfifo "$BATS_TEST_TMPDIR/dialog"
	exec {keeps}<>"$BATS_TEST_TMPDIR/dialog"
	start "$PTY" bash -c '"$0" rotate "$1"; :' "$CRED" "$ACCOUNT" <"$BATS_TEST_TMPDIR/dialog"
	sandbox_held
	pid=$(lock_holder) shell=$(pgrep -P "$started")
	helpers+=("$pid")
	end_started
	# It leads the session: when it is gone, the signal is sent.
	until [[ ! -e /proc/$shell || $(<"/proc/$shell/stat") == *') Z '* ]]; do :; done
	kill -0 "$pid"
	sandbox_release
	exec {keeps}>&-
	rotated
}

@test "K14: who reads its output dies in the middle of a rotation, SIGPIPE: the new RefreshToken is kept" {
	local reader
	fresh cached
	sandbox_fault endpoint=regenRefreshToken delay_ms=60000
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
	env --default-signal=PIPE "$CRED" rotate "$ACCOUNT" --format json -v >"$BATS_TEST_TMPDIR/pipe" 2>&1 {reader}<&- 3>&- &
	helpers+=($!)
	sandbox_held
	exec {reader}<&-
	sandbox_release
	code=0
	wait "${helpers[0]}" || code=$?
	[[ $code == 10 ]] || fails "exit $code"
	rotated
}
