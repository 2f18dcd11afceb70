#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rotate and login, killed before their k-th system call (tests/tools/kill-at.c), for k from the first to the last. After
# each kill:
#
#   - stdout has nothing or one whole answer; no lock is held; the state directory has nothing new but a half list,
#     which the next change replaces
#   - the next call serves a token that works, and the keyring holds the RefreshToken that the server takes: what it made
#     last, or the one before where it made none
#   - a rotation's new token is lost only where the server had acted and the kill came before the answer could be read and
#     copied: then the next call says so, and a login mends it. A login's is lost (an orphan at the server) only where it
#     was not stored yet: the account is what it was
#   - the server minted no more often than the login and the next call account for; a neighbour's item is as before
#
# Threads race, so one k is not the same place each time. KILL_STRIDE: every how many calls (1: at each); KILL_OFFSET: how
# many of the first are left out, by default others each time.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

KILL_AT=${B:-$SANDBOX_TOP/.build}/tests/tools/kill-at
KILLED=113
COPY_MAX_CALLS=14 # from the last byte of an answer to the copy of what it brought; two of them disarm the watchdog of foreign code
FROM_NOTHING=4    # each so many logins find no account

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	nm "$CRED" | grep -q __asan_init && skip 'the leak sanitizer cannot be traced'
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} PORT=${SANDBOX_URL##*:}
	CALLS=$BATS_TEST_TMPDIR/calls
	stride=${KILL_STRIDE:-17}
	offset=${KILL_OFFSET:-$((RANDOM % stride))}
	kills=0 survived=0 unread=0 in_hand=0 orphans=0 half_lists=0 furthest=0 rounds=0 input='' held=''
	session_store_neighbour
	exec {LOG}<"$SANDBOX_LOG"
	shopt -s nullglob
	declare -gA made
}

teardown() {
	[[ ${LOG:-} ]] || return 0
	exec {LOG}<&-
	program_teardown
}

# Into $answer what the server says to a request, without a process.
form='Content-Type: application/x-www-form-urlencoded'
ask() { # METHOD PATH HEADER [BODY]
	local fd
	exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
	printf '%s %s HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n%s\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "$3" "${#4}" "$4" >&"$fd"
	IFS= read -r -d '' answer <&"$fd" || :
	exec {fd}>&-
}
is_live() { # a RefreshToken
	ask POST /integration/v1/validateRefreshToken/ "$form" "user_id=102&refresh_token=$1"
	[[ $answer == *'"token_status":"ACTIVE"'* ]] || fails "the server does not take the RefreshToken: $answer"
}
serves() { # an access token
	ask GET /integration/v2/datasource/ "TOKEN: $1" ''
	[[ $answer == 'HTTP/1.1 200 '* ]] || fails "the token does not work: $answer"
}
paste_token() { # into $pasted
	ask POST /sandbox/refresh-token "$form" user_id=102
	pasted=${answer##*$'\r\n\r\n'} pasted=${pasted%$'\n'}
}

# What the server was asked in this round, asked=(ENDPOINT...), and what it made last, made[ENDPOINT].
round_begins() {
	while read -r -u "$LOG"; do :; done
	asked=() made=()
}
look_at_log() {
	local path status token
	while read -r -u "$LOG" _ _ _ path status _ _ _ _ token; do
		path=${path#/integration/v[12]/} path=${path%/}
		asked+=("$path")
		[[ $status != 2* ]] || made[$path]=${token#made=}
	done
}
is_asked_at_most() { # N ENDPOINT
	local each n=0
	for each in "${asked[@]}"; do [[ $each != "$2" ]] || n=$((n + 1)); done
	((n <= $1)) || fails "$n times: $2"
}

# Of the calls that were made: how many, the requests that were sent whole, how many calls came after the last answer was
# read ('unread'), and which one was to come. A socket that goes to the server connects in its own time (EINPROGRESS).
what_it_did() {
	read -r n_calls requests since next < <(awk '
		$3 == "killed" { next_call = $2; next }
		{ n = $1 }
		$2 == "connect" { open = $3 == -115; sent = got = 0 }
		$2 == "sendto" && open && !sent && ($3 == "?" || $3 + 0 > 0) { sent = 1; requests++ }
		$2 == "recvfrom" && sent && $3 + 0 > 0 { got = $1 }
		END { print n + 0, requests + 0, sent && !got ? "unread" : n - got, next_call }' "$CALLS")
}

# Each other round finds no trace of the one before: what a broken-off call leaves behind it makes the next ones careful.
begins_clean() {
	((++rounds % 2)) && [[ $held ]] || return 0
	drop_cached 2>/dev/null || :
	run_cred token "$ACCOUNT"
	expect 0
}

# killed_at K ARG...: the program with $input on stdin, killed before call K; what the server was sent, it has done.
killed_at() {
	local k=$1 end=$((SECONDS + 20))
	shift
	begins_clean || return 1
	round_begins
	code=0 ran="alation-cred $*"
	setsid -w "$KILL_AT" --log "$CALLS" "$k" "$CRED" "$@" --format json --timeout 20 \
		<<<"$input" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- {LOG}<&- || code=$?
	IFS= read -r -d '' raw <"$OUT" || :
	IFS= read -r -d '' err <"$BATS_TEST_TMPDIR/err" || :
	out=$raw
	what_it_did
	ran+=" (before call $k, $next; $since calls since the last answer)"
	((n_calls <= furthest)) || furthest=$n_calls
	if [[ $code == "$KILLED" ]]; then
		[[ ! $raw || $raw == '{"version":1,"success":true,'*$'}\n' ]] || fails "half an answer" || return 1
		kills=$((kills + 1))
	else
		[[ $code == 0 && $raw == '{"version":1,"success":true,'*$'}\n' ]] || fails "not done" || return 1
		answers_record 0 json "$ran" "$raw"
		survived=$((survived + 1))
	fi
	until look_at_log && ((${#asked[@]} >= requests)); do ((SECONDS < end)) || fails "the server did not act" || return 1; done
	[[ ! -e $STATE/.accounts.new ]] || half_lists=$((half_lists + 1))
	nothing_held && nothing_else_lies_about
}

nothing_held() {
	local file fd
	for file in "$STATE"/locks/*; do
		exec {fd}<"$file"
		flock -n "$fd" || fails "a lock is held: $file" || return 1
		exec {fd}<&-
	done
}
nothing_else_lies_about() {
	local file
	for file in "$STATE"/* "$STATE"/.[!.]*; do
		case ${file##*/} in
		accounts | locks | .accounts.new) ;;
		*) fails "left behind: $file" || return 1 ;;
		esac
	done
}

next_call() { # MINTS: what this round may have minted until its end
	local before=$ran
	run_cred token "$ACCOUNT" --timeout 20
	look_at_log
	ran="after $before, the server was asked: ${asked[*]:-nothing}: $ran"
	is_asked_at_most "$1" createAPIAccessToken
}

look_into_keyring() { # into $kept
	kept=$(stored) || :
	[[ ! $kept =~ (^|&)refresh_token=([^&]*) ]] || kept=${BASH_REMATCH[2]}
}

# It served by that RefreshToken, and the server takes it.
served_by() {
	expect 0 || return 1
	serves "$out" || return 1
	[[ $kept == "$1" ]] || fails "another RefreshToken in the keyring than $1" || return 1
	is_live "$1"
}

# walk ROUND: ROUND K for each K that this run looks at.
walk() {
	local k n began=$SECONDS
	"$1" 0 || return 1
	n=$n_calls survived=0
	for ((k = offset + 1; k <= n; k += stride)); do
		"$1" "$k" || return 1
	done
	printf '# %s: %d calls (%d at most), KILL_STRIDE=%d KILL_OFFSET=%d: %d kills, %d came to their end; lost %d before the answer was read, %d before it was copied; %d orphans; a half list seen %d times; %d s\n' \
		"$BATS_TEST_DESCRIPTION" "$n" "$furthest" "$stride" "$offset" "$kills" "$survived" "$unread" "$in_hand" "$orphans" "$half_lists" $((SECONDS - began)) >&3
	((kills > 0))
}

# What may be left: what is remembered of calls that the last rounds' kills have lost, for some minutes, and without a token.
remembers_at_most() {
	local record
	[[ $(kernel_keys) ]] || return 0
	record=$(keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")")
	[[ $(kernel_keys) == "alation-cred-tree:access:102@$SANDBOX_URL" && $record == v=1'&'* && $record != *token=* ]] || fails "keys are left: $(kernel_keys): $record"
}

# An undisturbed call leaves nothing else of all that.
clean_at_last() {
	[[ $(session_neighbour) == 'a neighbour' ]] || fails "the neighbour's item" || return 1
	[[ $(secret-tool search --all application alation-cred 2>/dev/null | grep -c '^\[/') == 1 ]] || fails "not one item" || return 1
	run_cred rotate "$ACCOUNT"
	expect 0 || return 1
	remembers_at_most || return 1
	nothing_else_lies_about || return 1
	[[ ! -e $STATE/.accounts.new ]] || fails "a half list stays"
}

# The way out of every loss.
log_in_again() {
	paste_token
	login_token "$pasted" --exclusive
	expect 0 && held=$pasted
}

# The only way to lose a rotation's token.
is_excused() {
	expect 3 'was to be regenerated at 20' 'the server did so, and its answer with the new one was lost on the way' 'alation-cred login' || return 1
	[[ $kept == "$held" ]] || fails "another RefreshToken in the keyring" || return 1
	if [[ $since == unread ]]; then
		unread=$((unread + 1))
	else
		((since <= COPY_MAX_CALLS)) || fails "lost $since calls after it was read" || return 1
		in_hand=$((in_hand + 1))
	fi
}

rotate_round() { # K
	killed_at "$1" rotate "$ACCOUNT" || return 1
	is_asked_at_most 1 regenRefreshToken || return 1
	local new=${made[regenRefreshToken]:-}
	[[ $code == "$KILLED" || $new ]] || fails "not rotated" || return 1
	next_call 1 || return 1
	look_into_keyring
	if [[ $code == 0 || ! $new ]]; then
		held=${new:-$held}
		served_by "$held"
		return
	fi
	is_excused && log_in_again
}

@test "rotate" {
	login_demo
	expect 0
	held=$(refresh_token)
	walk rotate_round
	clean_at_last
}

# Each FROM_NOTHING-th time nothing is there before.
login_begins() {
	((rounds % FROM_NOTHING == 2)) && [[ $held ]] || return 0
	secret-tool clear application alation-cred base_url "$SANDBOX_URL"
	rm "$STATE/accounts"
	drop_cached 2>/dev/null || :
	held=
}

# After the login of $new, or of none yet: the account that was, or the new one.
login_ends() {
	local code_of_login=$code
	next_call 2 || return 1
	look_into_keyring
	[[ $code_of_login == "$KILLED" || $kept == "$new" ]] || fails "not logged in" || return 1
	[[ ! $new || $kept == "$new" ]] || lost=1
	if [[ ! $held && ! $kept ]]; then
		expect 3 'no RefreshToken' && log_in_again
		return
	fi
	[[ $kept == "$held" || $kept == "$new" ]] || fails "whose RefreshToken is that?" || return 1
	held=$kept
	served_by "$held"
}

password_round() { # K
	local new lost=
	login_begins
	input=$SANDBOX_PASSWORD
	killed_at "$1" login "$SANDBOX_URL" --user "$SANDBOX_USER" --password-stdin || return 1
	is_asked_at_most 1 createRefreshToken || return 1
	new=${made[createRefreshToken]:-}
	login_ends || return 1
	[[ ! $lost ]] || orphans=$((orphans + 1))
}

token_round() { # K
	local new lost=
	login_begins
	paste_token
	input=$pasted new=$pasted
	killed_at "$1" login "$SANDBOX_URL" --user-id 102 --token-stdin --exclusive || return 1
	login_ends
}

@test "login by password" {
	walk password_round
	clean_at_last
}

@test "login by token" {
	walk token_round
	clean_at_last
}
