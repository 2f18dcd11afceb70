# SPDX-License-Identifier: MIT
# The sandbox Alation for bats files (`load lib/sandbox`). Starts at most one at a time; sleeps nowhere; writes
# nothing outside of SANDBOX_DIR; ends by pid what it started. Call sandbox_start plainly, never in $(...) or `run`:
# the server ends with the shell that started it. Nothing is exported; from setup_file, export what tests need.
#
#   sandbox_start [OPTION...]    alation-sandbox's options; sets SANDBOX_URL SANDBOX_PID SANDBOX_LOG SANDBOX_DIR,
#                                and with `--tls` (given without a directory) SANDBOX_CA
#   sandbox_stop                 TERM, and waits until it is gone
#   sandbox_fault K=V...         sandbox_fault endpoint=createAPIAccessToken status=503 'body=<h1>no</h1>'
#   sandbox_break WHAT [N]       the next N connections (1) go wrong before a request: sandbox_break expired
#   sandbox_clear                forgets all faults
#   sandbox_refresh_token ID [NAME] [K=V...]   prints a RefreshToken as the web UI makes it
#   sandbox_expire TOKEN         sandbox_revoke TOKEN
#   sandbox_held [N]             waits until N calls (1) are held up by a fault's delay_ms
#   sandbox_release              lets those go on
#   sandbox_control CALL [K=V...]              any other control call: sandbox_control dates style=z
#   sandbox_curl PATH [ARG...]   curl, with the CA where there is one
#   sandbox_calls ENDPOINT       how often it was called; sandbox_log prints the log
#
# Decoys (tests/tools/decoy.c), as many as a test likes, each under a NAME:
#
#   decoy_start NAME MODE...  sets DECOY_PORT; decoy_start target sink
#   decoy_met NAME            how many connections (or datagrams) came; decoy_got NAME prints all bytes
#   decoy_stop                ends all of them; a test's teardown calls it

SANDBOX_USER=demo
SANDBOX_PASSWORD=demo-password
SANDBOX_USER_ID=102
SANDBOX_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

sandbox_start() {
	local build=${B:-$SANDBOX_TOP/.build} options=() option
	local program=$build/tests/alation-sandbox

	[[ -x $program ]] || { echo "not built: $program" >&2; return 1; }
	SANDBOX_DIR=${SANDBOX_DIR:-${BATS_TEST_TMPDIR:-${BATS_FILE_TMPDIR:?}}/sandbox}
	mkdir -p "$SANDBOX_DIR"
	SANDBOX_LOG=$SANDBOX_DIR/log SANDBOX_CA='' SANDBOX_URL=''
	for option; do
		options+=("$option")
		if [[ $option == --tls ]]; then
			options+=("$SANDBOX_DIR/tls")
			SANDBOX_CA=$SANDBOX_DIR/tls/ca.pem
		fi
	done
	rm -f "$SANDBOX_DIR/url" "$SANDBOX_LOG"
	: >"$SANDBOX_LOG"
	mkfifo "$SANDBOX_DIR/url"
	# bats waits for everyone who holds its descriptor 3.
	"$program" --die-with-parent --log "$SANDBOX_LOG" "${options[@]}" \
		>"$SANDBOX_DIR/url" 2>"$SANDBOX_DIR/stderr" </dev/null 3>&- &
	SANDBOX_PID=$!
	# The line, or the end of a server that did not start: no time is waited for.
	exec {SANDBOX_FD}<"$SANDBOX_DIR/url"
	read -r SANDBOX_URL <&"$SANDBOX_FD" && return 0
	exec {SANDBOX_FD}<&-
	cat "$SANDBOX_DIR/stderr" >&2
	wait "$SANDBOX_PID" || :
	SANDBOX_PID=
	return 1
}

# The server's own exit status, where it is this shell's child. The end of its stdout is its end; one that does not
# end in 10 s is killed, and that is a failure (137).
sandbox_stop() {
	local pid=${SANDBOX_PID:-}

	SANDBOX_PID=
	[[ $pid ]] || return 0
	kill -TERM "$pid" 2>/dev/null || :
	if [[ $(jobs -p) != *"$pid"* ]]; then
		timeout 10 tail --pid="$pid" -s 0.05 -f /dev/null # another shell's child
		return
	fi
	read -r -t 10 <&"$SANDBOX_FD" || [[ $? == 1 ]] || kill -KILL "$pid"
	exec {SANDBOX_FD}<&-
	wait "$pid"
}

sandbox_curl() {
	local path=$1
	shift
	curl -q -sS --noproxy '*' --max-time 20 ${SANDBOX_CA:+--cacert "$SANDBOX_CA"} "$@" "$SANDBOX_URL$path"
}

# A refusal is printed on stderr and fails: a misspelt fault must not become a test that tests nothing.
sandbox_control() {
	local call=$1 field form=()
	shift
	for field; do form+=(--data-urlencode "$field"); done
	sandbox_curl "/sandbox/$call" -X POST --fail-with-body -o "$SANDBOX_DIR/answer" "${form[@]}" && return 0
	echo "sandbox $call: $(<"$SANDBOX_DIR/answer")" >&2
	return 1
}

sandbox_fault() { sandbox_control fault "$@"; }
sandbox_break() { sandbox_control connection "fault=$1" "times=${2:-1}"; }
sandbox_clear() { sandbox_control clear; }
sandbox_expire() { sandbox_control expire "token=$1"; }
sandbox_revoke() { sandbox_control revoke "token=$1"; }
sandbox_held() { sandbox_control held "calls=${1:-1}"; }
sandbox_release() { sandbox_control release; }

sandbox_refresh_token() {
	local form=(--data-urlencode "user_id=$1") field
	shift
	if [[ $# -gt 0 && $1 != *=* ]]; then
		form+=(--data-urlencode "name=$1")
		shift
	fi
	for field; do form+=(--data-urlencode "$field"); done
	sandbox_curl /sandbox/refresh-token --fail-with-body "${form[@]}"
}

sandbox_calls() { grep -c " /integration/v[12]/$1/ " "$SANDBOX_LOG" || :; }
sandbox_log() { cat "$SANDBOX_LOG"; }

decoy_pids=()

decoy_start() {
	local dir=$BATS_TEST_TMPDIR/decoy-$1

	shift
	mkdir "$dir" && mkfifo "$dir/port" || return 1
	${DECOY_WITHIN:-} "${B:-$SANDBOX_TOP/.build}/tests/tools/decoy" "$dir" "$@" >"$dir/port" 3>&- &
	decoy_pids+=($!)
	# The line, or the end of one that did not start.
	read -r DECOY_PORT <"$dir/port"
}

decoy_met() { wc -c <"$BATS_TEST_TMPDIR/decoy-$1/connections"; }
decoy_got() { cat "$BATS_TEST_TMPDIR/decoy-$1/received"; }

decoy_stop() {
	local pid
	for pid in "${decoy_pids[@]}"; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	decoy_pids=()
}
