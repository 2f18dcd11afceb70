#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# stdout is the product: the whole answer or nothing, and no mint for a reader that is known not to be there.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	program_setup
	login_demo
	expect 0
	drop_cached
}

teardown() {
	program_teardown
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
}

mints() { sandbox_calls createAPIAccessToken; }

# unwritten WORDS COMMAND...: it ends with 10, says so on stderr, and is no crash.
unwritten() {
	local words=$1 code=0
	shift
	"$@" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	[[ $code == 10 && $(<"$BATS_TEST_TMPDIR/err") == 'alation-cred: '*"$words"* ]] && return 0
	echo "exit $code: $(<"$BATS_TEST_TMPDIR/err")" >&2
	return 1
}

# without_reader COMMAND...: its stdout is a pipe whose reader has gone.
without_reader() {
	local fd code=0
	rm -f "$BATS_TEST_TMPDIR/pipe"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {both}<>"$BATS_TEST_TMPDIR/pipe" {fd}>"$BATS_TEST_TMPDIR/pipe" {both}<&-
	"$@" >&"$fd" || code=$?
	exec {fd}>&-
	return "$code"
}

@test "closed, or open for reading alone: 10 and no mint, whatever the format" {
	local format
	for format in token header curl env headers-json json; do
		unwritten 'not open for writing' "$CRED" get --format "$format" >&-
		unwritten 'not open for writing' "$CRED" token --format "$format" 1</dev/null
	done
	[[ $(mints) == 1 ]]
	run_cred get
	expect 0
	[[ $(mints) == 2 ]]
}

@test "a pipe whose reader is gone: 10 and no mint, with SIGPIPE as the caller left it" {
	without_reader unwritten 'nobody reads' "$CRED" get
	without_reader unwritten 'nobody reads' env --ignore-signal=PIPE "$CRED" get --format json
	without_reader unwritten 'nobody reads' env --block-signal=PIPE "$CRED" get
	[[ $(mints) == 1 ]]
}

@test "the reader goes while the token is minted: 10; the token is cached, and the next get has it" {
	local reader code=0
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
	unwritten Broken "$CRED" get >"$BATS_TEST_TMPDIR/pipe" {reader}<&- 3>&- &
	sandbox_held
	exec {reader}<&-
	sandbox_release
	wait $!
	run_cred get
	expect 0
	works "$out"
	[[ $(mints) == 2 ]]
}

@test "a pipe that nobody drains: 10 by the timeout; the next get has the token" {
	login_demo
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec 7<>"$BATS_TEST_TMPDIR/pipe"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/pipe" bs=64k count=1 oflag=nonblock 2>/dev/null
	code=0
	timeout 15 "$CRED" get --timeout 1 >&7 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- || code=$?
	[[ $code == 10 && $(<"$BATS_TEST_TMPDIR/err") == *'nobody reads it'* ]]
	run_cred get
	expect 0
	exec 7<&-
}

@test "full: 10; the token is cached, and the next get serves it without a mint" {
	unwritten 'No space left' "$CRED" get >/dev/full
	[[ $(mints) == 2 ]]
	unwritten 'No space left' "$CRED" get --format json >/dev/full
	run_cred get
	expect 0
	works "$out"
	[[ $(mints) == 2 ]]
}

@test "a file that may not grow: 10, nothing in it, no signal's death" {
	local code=0
	# stderr is a pipe: a file could not grow either.
	out=$(bash -c 'ulimit -f 0; exec "$0" get >"$1"' "$CRED" "$BATS_TEST_TMPDIR/file" 2>&1) || code=$?
	[[ $code == 10 && $out == *'too large'* ]]
	[[ ! -s $BATS_TEST_TMPDIR/file ]]
	run_cred get
	expect 0
	[[ $(mints) == 2 ]]
}

@test "login and status: a JSON answer that cannot be written is 10, and nothing was created before that was known" {
	unwritten 'not open for writing' "$CRED" login "$SANDBOX_URL" --user demo --password-stdin --format json <<<"$SANDBOX_PASSWORD" >&-
	without_reader unwritten 'nobody reads' "$CRED" login "$SANDBOX_URL" --user demo --password-stdin --format json <<<"$SANDBOX_PASSWORD"
	[[ $(sandbox_calls createRefreshToken) == 1 ]]
	unwritten 'No space left' "$CRED" status >/dev/full
	unwritten 'not open for writing' "$CRED" status --format json >&-
	unwritten 'No space left' "$CRED" --help >/dev/full
	unwritten 'not open for writing' "$CRED" --version >&-
	# Plainly, login writes nothing to stdout, so it may be closed.
	"$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD" >&- 2>/dev/null
}

@test "a failure keeps its own exit code, whatever stdout and stderr are" {
	local code target
	for target in '>&-' '>/dev/full' '2>&-' '2>/dev/full' '>&- 2>&-'; do
		code=0
		eval "\"\$CRED\" get https://1@no-such-account.invalid --format json $target" || code=$?
		[[ $code == 3 || $target == '>&-'* && $code == 10 ]] || { echo "$target: $code"; return 1; }
	done 2>/dev/null >/dev/null
}

@test "descriptors 0, 1 and 2 closed in every combination: no crash, no half answer, no socket among them" {
	local mask closed code trace=$BATS_TEST_TMPDIR/trace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	for mask in 0 1 2 3 4 5 6 7; do
		[[ -z $(kernel_keys) ]] || drop_cached
		closed=
		((mask & 1)) && closed+=' <&-'
		((mask & 2)) && closed+=' >&-'
		((mask & 4)) && closed+=' 2>&-'
		code=0
		ASAN_OPTIONS=detect_leaks=0 strace -f -o "$trace" -e trace=prctl,desc,network bash -c "exec \"\$0\" get $closed" "$CRED" \
			</dev/null >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
		[[ $code == $((mask & 2 ? 10 : 0)) ]] || { echo "closed:$closed, exit $code: $(<"$BATS_TEST_TMPDIR/err")"; return 1; }
		# From here on the three are taken; before, the loader had them for a moment. The one change: stdout is set aside.
		sed -n -e '/prctl(PR_SET_DUMPABLE/,$p' "$trace" | sed -E '/ dup2\([0-9]+, 1\) *= 1$/d' >"$trace.own"
		[[ $(grep -cE ' dup2\([0-9]+, 1\) *= 1$' "$trace") -le 1 ]]
		[[ -s $trace.own ]]
		run ! grep -E '(socket|accept4?|openat|open|eventfd2?|epoll_create1?|dup[23]?|timerfd_create|memfd_create)\(.*= [012]$' "$trace.own"
		run ! grep -E '(socketpair|pipe2?)\(.*\[([012], |[0-9]+, [012]\])' "$trace.own"
		if ((mask & 2)); then
			run ! grep -q 'socket(' "$trace.own"
			[[ ! -s $OUT ]]
		else
			grep -qE 'socket\(.*= [0-9]' "$trace.own"
			works "$(<"$OUT")"
		fi
	done
}

@test "SIGALRM blocked or ignored by the caller: a frozen keyring ends the call all the same" {
	local how code
	kill -STOP "$(session_pid)"
	for how in block ignore; do
		code=0
		timeout 10 env "--$how-signal=ALRM" "$CRED" get --timeout 1 >"$OUT" 2>"$BATS_TEST_TMPDIR/err" || code=$?
		[[ $code == 5 && ! -s $OUT ]] || break
	done
	kill -CONT "$(session_pid)"
	[[ $code == 5 && ! -s $OUT && $(<"$BATS_TEST_TMPDIR/err") == *'did not answer in time'* ]]
	run_cred get
	expect 0
}

session_pid() { # of the file's gnome-keyring: the setup's variables are not a test's
	gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.GetConnectionUnixProcessID \
		org.freedesktop.secrets | tr -dc '0-9 ' | awk '{ print $2 }'
}
