#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rotate: the order of its steps, looked at from outside while the call is held; what each answer of the server leaves,
# and what becomes of the account when the program, the reply or the keyring is lost on the way.

bats_require_minimum_version 1.5.0
load ../lib/program

TOOLS=${B:-$SANDBOX_TOP/.build}/tests/tools
MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} OTHER=${SANDBOX_URL/:\/\//:\/\/103@}
	COPY=$STATE/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}.recovery
	helpers=()
}

teardown() {
	program_end_helpers
	program_teardown
	session_stop # a test's own
}

# A gnome-keyring of this test alone, which it can take away.
own_keyring() {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
}

ours() { secret-tool "$1" application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 "${@:2}"; }
stored() { ours lookup; }
refresh_token() { stored | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }
put() { printf %s "$1" | secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
last_made() { sed -n "s/.*$1.* made=//p" "$SANDBOX_LOG" | tail -n 1; }

key() { keyctl search @u user "alation-cred-tree:${1:-access}:102@$SANDBOX_URL" 2>/dev/null; }
record() { keyctl pipe "$(key "$@")"; }
drop_cached() { keyctl unlink "$(key)" @u >/dev/null; }
is_marked() { [[ $(record) == *'&suspect='* ]] || fails "no mark: $(record)"; }
not_marked() { [[ $(record) != *suspect* ]] || fails "the mark is still there"; }
no_copies() { [[ -z $(key recovery) && ! -e $COPY ]] || fails "a copy is left"; }

regens() { sandbox_calls regenRefreshToken; }
mints() { sandbox_calls createAPIAccessToken; }
asked() { [[ $(calls | paste -sd ' ') == "$*" ]] || fails "asked: $(calls | paste -sd ' ')"; }
forget_calls() { : >"$SANDBOX_LOG"; }
member() { sed -n "s/.*user_id=$1&.*&$2=\\([^&]*\\).*/\\1/p" "$STATE/accounts"; }

start() { # ARG...: in the background; $started is its own pid
	env --default-signal=INT "$CRED" "$@" >"$OUT.${#helpers[@]}" 2>"$OUT.${#helpers[@]}.err" 3>&- &
	started=$!
	helpers+=("$started")
}

# ended CODE: the one that was started last, after its call was let go.
ended() {
	local code=0
	sandbox_release
	wait "$started" || code=$?
	[[ $code == "$1" ]] || { echo "exit $code"; cat "$OUT".*err; return 1; } >&2
}

# The one that was started last waits for the lock: it has slept so often as only a waiter does.
until_waits() {
	local end=$((SECONDS + 20))
	until [[ $(sed -n 's/^voluntary_ctxt_switches:\s*//p' "/proc/$started/status") -ge 30 ]]; do ((SECONDS < end)) || return 1; done
}

hold() { sandbox_fault endpoint=regenRefreshToken delay_ms=60000 "$@"; }

until_acted() { until [[ $(regens) -ge 1 ]]; do :; done; } # a line of the log is written when the server has acted

# The new token serves, the one that was is dead, and nothing that a rotation leaves is there any more.
rotated_from() {
	local now
	now=$(stored)
	[[ $now == *"&refresh_token=$(last_made regenRefreshToken)&"* && $now != *regen_begun* ]] || fails "not the new one" || return 1
	no_copies || return 1
	[[ $(sandbox_curl /integration/v1/createAPIAccessToken/ -o /dev/null -w '%{http_code}' -d "user_id=102&refresh_token=$1") == 401 ]] ||
		fails "the old one lives" || return 1
	run_cred get "$ACCOUNT"
	expect 0 || return 1
	works "$out"
}

@test "while the server is asked: the cached token is marked, the record says what was begun, the old token is in it" {
	local old record
	session_store_neighbour
	login_token "$(sandbox_refresh_token 102 pasted expires_in=864000)" --exclusive
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	record=$(stored)'&later=a%20b'
	put "$record"
	old=$(refresh_token)
	others() { secret-tool lookup application alation-cred user_id 103; session_neighbour; keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:103@$SANDBOX_URL")"; }
	others >"$BATS_TEST_TMPDIR/others"
	forget_calls
	hold
	start rotate
	sandbox_held
	is_marked
	[[ $(stored) =~ ^(.*)'&regen_begun='([0-9]+)'&later=a%20b'$ && $record == "${BASH_REMATCH[1]}&later=a%20b" ]] || fails "the record: $(stored)"
	((BASH_REMATCH[2] <= EPOCHSECONDS && BASH_REMATCH[2] > EPOCHSECONDS - 60))
	no_copies
	run_cred get --timeout 1
	expect 8
	no_calls
	ended 0
	[[ ! -s $OUT.0 && $(<"$OUT.0.err") == "alation-cred: $ACCOUNT has a new RefreshToken 'pasted'; it ends 20"* ]]
	asked regenRefreshToken
	[[ -z $(key) ]] || fails "what was minted with the old one is cached"
	[[ $(stored) == *'&later=a%20b' && $(member 102 exclusive)$(member 102 default) == 11 ]]
	(($(member 102 token_expires_at) > EPOCHSECONDS + 59 * 86400))
	rotated_from "$old"
	others | cmp - "$BATS_TEST_TMPDIR/others"
}

@test "with nothing cached, in JSON, and again and again" {
	local old
	login_demo
	drop_cached
	for _ in 1 2; do
		old=$(refresh_token)
		run_cred rotate --format json
		expect 0 'has a new RefreshToken'
		[[ $(jq -c '[.success,.base_url,.user_id,(.refresh_token_expires_at|type),.warnings]' <<<"$out") == "[true,\"$SANDBOX_URL\",102,\"string\",[]]" ]]
		rotated_from "$old"
	done
	[[ $(listed) == 1 ]]
}

@test "a server that says no: its exit code, and everything is as it was" {
	local row before cached wanted name fault more
	login_demo
	before=$(stored) cached=$(record)
	forget_calls
	for row in '3 refresh_token_refused status=401' '7 forbidden status=403' '7 not_an_alation_server status=404' '7 throttled status=429' \
		'7 bad_reply status=400' '7 bad_reply set=status:"failed" act=no status=200' '7 not_an_alation_server status=302 header=Location:/x'; do
		read -r wanted name fault more <<<"$row"
		sandbox_fault endpoint=regenRefreshToken "$fault" $more
		run_cred rotate --format json
		[[ $fault == set* ]] || { expect_json "$wanted" "$name" && [[ $(stored) == "$before" && $(record) == "$cached" ]]; } || fails "$row: not as it was"
		[[ $err != *'next call finds out'* && $err != *$'\n'* ]] || fails "$row: what it says"
		[[ $fault != set* ]] || break
	done
	no_copies
	[[ $(mints) == 0 && $(sandbox_calls validateAPIAccessToken) == 0 ]]
}

# row: CODE NAME FAULT…; the server did not act.
@test "an answer that leaves it open, and the server did not act: the next get goes on, the next mint takes the mark away" {
	local row old cached wanted name fault
	login_demo
	old=$(refresh_token)
	for row in '7 server_error status=503' '6 network drop=before' '7 not_an_alation_server type=text/html body=<html>'; do
		read -r wanted name fault <<<"$row"
		run_cred get
		cached=$out
		forget_calls
		sandbox_fault endpoint=regenRefreshToken $fault
		run_cred rotate --format json
		expect_json "$wanted" "$name" "may have regenerated the RefreshToken of $ACCOUNT all the same; the next call finds out" || fails "$row"
		[[ $(stored) == *"&refresh_token=$old&"*regen_begun* ]]
		is_marked
		run_cred get
		expect 0
		[[ $out == "$cached" && -z $err ]] || fails "$row: it lives"
		not_marked
		asked regenRefreshToken validateAPIAccessToken
		drop_cached
		run_cred get
		expect 0
		[[ $(refresh_token) == "$old" && $(stored) != *regen_begun* ]] || fails "$row: the mark"
	done
	# Another rotation is no worse for it.
	sandbox_fault endpoint=regenRefreshToken status=503
	run_cred rotate
	run_cred rotate
	expect 0
	rotated_from "$old"
	grep -q rotation_lost_at "$STATE/accounts" && fails "nothing was lost"
	true
}

lost='the server did so, and its answer with the new one was lost on the way'

# Every call says so, and in the same words.
explained() {
	local verb words
	refuses 3 refresh_token_refused "the RefreshToken of $ACCOUNT was to be regenerated at 20|$lost|alation-cred login|$SANDBOX_URL/account/auth" get || return 1
	words=$err
	for verb in token get 'get --fresh' 'get --validate' revoke rotate 'rotate --all' "get $ACCOUNT"; do
		run_cred $verb
		expect 3 "$lost" || return 1
		[[ $err == "$words" ]] || fails "other words: $words" || return 1
	done
	run_cred status
	[[ $out == *"the new one was lost; log in again"* ]] || fails "status does not tell" || return 1
	run_cred validate
	expect 1 'the RefreshToken is not active'
}

@test "an answer that leaves it open, and the server acted: every call explains the loss until a login" {
	local fault before
	for fault in drop=after 'status=503 act=yes' 'type=text/html body=<html> act=yes' cut=20 unset=refresh_token; do
		login_demo
		sandbox_fault endpoint=regenRefreshToken $fault
		run_cred rotate
		[[ $code == [67] && $err == *'the next call finds out'* ]] || fails "$fault"
		if [[ $fault != drop* ]]; then
			run_cred get
			expect 3 "$lost" || fails "$fault"
			continue
		fi
		explained
		before=$(stored)
		[[ $(member 102 rotation_lost_at) == "$(sed 's/.*regen_begun=\([0-9]*\).*/\1/' <<<"$before")" ]]
		# Who is offline has lost nothing more.
		forget_refusal
		sandbox_fault endpoint=createAPIAccessToken status=503
		run_cred get
		expect 7
	done
	login_demo
	expect 0
	run_cred get
	expect 0
	works "$out"
	run_cred status
	[[ $out != *lost* ]] || fails "it is still said"
	grep -q rotation_lost_at "$STATE/accounts" && fails "it is still noted"
	[[ $(stored) != *regen_begun* ]]
}

@test "a loss keeps its date however often a rotation is tried; logout ends it" {
	login_demo
	sandbox_revoke "$(refresh_token)"
	drop_cached
	put "$(stored)&regen_begun=1700000000"
	for verb in get rotate rotate get; do
		run_cred $verb
		expect 3 'regenerated at 2023-11-14T22:13:20Z' "$lost"
	done
	run_cred logout
	expect 0
	[[ -z $(stored) && $(listed) == 0 ]]
}

@test "killed while the server is asked, which then acts: the next get explains the loss" {
	login_demo
	forget_calls
	hold
	start rotate
	sandbox_held
	kill -KILL "$started"
	wait "$started" || :
	sandbox_release
	until_acted
	explained
}

@test "killed while the server is asked, which never acts: the next get goes on" {
	local old cached
	login_demo
	old=$(refresh_token)
	cached=$(record | sed 's/.*token=\([^&]*\).*/\1/')
	hold drop=before
	start rotate
	sandbox_held
	kill -KILL "$started"
	wait "$started" || :
	sandbox_release
	run_cred get
	expect 0
	[[ $out == "$cached" ]]
	run_cred rotate
	expect 0
	rotated_from "$old"
}

# The call was answered while the keyring was away: 5, `recovery`, and two copies of the new token.
recovered_with() {
	local token
	token=$(last_made regenRefreshToken)
	[[ $(<"$OUT.0.err") == *"the RefreshToken of $ACCOUNT is regenerated, but could not be kept where it belongs: "*"'alation-cred get $ACCOUNT': it takes the token over from $COPY"* ]] || fails "$(<"$OUT.0.err")" || return 1
	[[ $(jq -r '.code, .exit, .retryable' "$OUT.0" | paste -sd ' ') == 'recovery 5 false' ]] || fails "$(<"$OUT.0")" || return 1
	[[ $(stat -c '%a %u' "$COPY") == "600 $UID" && $(<"$COPY") == *"&refresh_token=$token&"* ]] || fails "the file" || return 1
	[[ $(record recovery) == "$(<"$COPY")" ]] || fails "the copy in the kernel" || return 1
	[[ $(keyctl rdescribe "$(key recovery)") == "user;$UID;"*";3f1f0000;"* ]] || fails "its permissions" || return 1
	[[ $(awk -v key="alation-cred-tree:recovery:102@$SANDBOX_URL:" '$9 == key { print $4 }' /proc/keys) =~ ^(23h|1d)$ ]] || fails "its end"
}

@test "the keyring dies while the server is asked: 5 and copies, which the next get takes over" {
	local old survivor
	own_keyring
	login_demo
	old=$(refresh_token)
	hold
	start rotate --format json
	sandbox_held
	session_end_process "$session_keyring_pid" KILL
	ended 5
	recovered_with
	# Nobody is served from the cache meanwhile, and no copy is lost; not even where a cached token outlived the rotation.
	run_cred get
	expect 5
	survivor=$(sandbox_curl /integration/v1/createAPIAccessToken/ -d "user_id=102&refresh_token=$(last_made regenRefreshToken)" | jq -r .api_access_token)
	record | sed "s/token=[^&]*/token=$survivor/" >"$BATS_TEST_TMPDIR/record"
	keyctl pupdate "$(key)" <"$BATS_TEST_TMPDIR/record"
	run_cred get
	expect 5
	recovered_with
	session_unlock
	run_cred get
	expect 0
	works "$out"
	[[ $out == "$survivor" ]]
	(($(member 102 token_expires_at) > EPOCHSECONDS + 59 * 86400))
	rotated_from "$old"
}

@test "the keyring is locked while the server is asked: 5 and copies; either alone is enough" {
	local old lost_copy
	own_keyring
	login_demo
	for lost_copy in kernel file; do
		old=$(refresh_token)
		hold
		helpers=()
		start rotate --format json
		sandbox_held
		session_lock
		ended 5
		recovered_with
		[[ $(<"$OUT.0.err") == *'locked'* ]] || fails "$(<"$OUT.0.err")"
		run_cred get
		expect 4
		session_unlock
		case $lost_copy in
		kernel) keyctl unlink "$(key recovery)" @u ;; # the machine was started anew
		file) rm "$COPY" ;;
		esac
		run_cred rotate --if-expiring 1d # not due; the next call that reads the token does it
		expect 0
		run_cred validate
		expect 1 'the RefreshToken is active; the cached access token is not active'
		rotated_from "$old"
	done
}

@test "the keyring hangs while the server is asked: 5 and copies, in its time" {
	local old
	own_keyring
	login_demo
	old=$(refresh_token)
	hold
	start rotate --format json
	sandbox_held
	session_freeze
	ended 5
	session_thaw
	recovered_with
	run_cred rotate
	expect 0
	rotated_from "$old"
}

@test "a copy that cannot be written to the file is in a cache, for a day: the kernel keyring's, or the tmpfs's" {
	local tool
	own_keyring
	login_demo
	mkdir -p "$COPY/in the way"
	for tool in '' "$TOOLS/no-keyctl"; do
		helpers=()
		hold
		CRED=${tool:-$CRED} start ${tool:+"$CRED"} rotate
		sandbox_held
		session_lock
		ended 5
		[[ $(<"$OUT.0.err") == *"'alation-cred get $ACCOUNT' within a day and before a restart" ]]
		session_unlock
		code=0
		out=$(${tool:+"$tool"} "$CRED" get 2>"$BATS_TEST_TMPDIR/err") || code=$?
		raw=$out err=$(<"$BATS_TEST_TMPDIR/err")
		expect 0
		works "$out"
		[[ -z $(key recovery) && $(refresh_token) == "$(last_made regenRefreshToken)" ]]
	done
	$tool "$CRED" logout
	[[ -z $(find "/dev/shm/alation-cred-$UID" -name "*${SANDBOX_URL##*:}*" ! -path '*/locks/*') ]]
}

@test "a keyring that lost the record, and a copy: the copy serves" {
	own_keyring
	login_demo
	hold
	start rotate --format json
	sandbox_held
	session_restart_keyring
	ended 5
	session_unlock
	ours clear
	run_cred get
	expect 0
	works "$out"
	[[ $(refresh_token) == "$(last_made regenRefreshToken)" ]]
	no_copies
}

@test "a copy that is not this rotation's is never taken, nor any where no rotation is open" {
	local other copy token record
	login_demo
	token=$(refresh_token) record=$(stored)
	record+='&regen_begun=1700000000'
	other=${record/$token/$(sandbox_refresh_token 102 older)}
	for copy in "${other/=1700000000/=1600000000}" "$record" "$other" "${other%&regen_begun*}" "${other/user_id=102/user_id=103}" \
		'v=1&rubbish' "${other/#v=1/v=2}"; do
		[[ $copy != "$other" ]] || record=${record%&regen_begun*} # from here on none is open
		keyctl setperm "$(printf %s "$copy" | keyctl padd user "alation-cred-tree:recovery:102@$SANDBOX_URL" @u)" 0x3f1f0000
		(umask 077 && printf %s "$copy" >"$COPY")
		put "$record"
		drop_cached
		run_cred get
		expect 0
		[[ $(refresh_token) == "$token" ]] || fails "it was taken: $copy"
	done
	works "$out"
	run_cred rotate
	expect 0
	rotated_from "$token"
}

@test "a login, a paste, an erase and a logout end what a rotation left" {
	local way record
	login_demo
	record=$(stored)
	for way in login_demo 'login_token TOKEN' erase 'run_cred logout'; do
		put "${record/refresh_token=/refresh_token=x}&regen_begun=1700000000"
		printf %s "$record&regen_begun=1700000000" >"$COPY"
		keyctl setperm "$(keyctl padd user "alation-cred-tree:recovery:102@$SANDBOX_URL" @u <"$COPY")" 0x3f1f0000
		case $way in
		erase) run_cred erase <<<"url=$ACCOUNT" ;;
		*) ${way/TOKEN/$(sandbox_refresh_token 102)} ;;
		esac
		expect 0
		no_copies || fails "$way"
		[[ $way != erase ]] || login_demo
	done
	[[ -z $(stored) ]]
}

@test "SIGTERM, SIGINT and SIGHUP while the server is asked end it once the new token is kept" {
	local signal old
	login_demo
	for signal in TERM INT HUP; do
		old=$(refresh_token)
		hold
		start rotate
		sandbox_held
		kill -"$signal" "$started"
		kill -0 "$started"
		ended $((128 + $(kill -l "$signal")))
		rotated_from "$old"
	done
}

@test "--timeout does not cut off a call that was sent" {
	local old
	login_demo
	old=$(refresh_token)
	sandbox_fault endpoint=regenRefreshToken delay_ms=2500
	run_cred rotate --timeout 1
	expect 0 'has a new RefreshToken'
	rotated_from "$old"
}

@test "a keyring that is frozen or locked before the call: 5 or 4, and the server hears of nothing" {
	local before
	own_keyring
	login_demo
	before=$(stored; record)
	forget_calls
	session_freeze
	refuses 5 keyring_timeout "$ACCOUNT" rotate --timeout 1
	session_thaw
	session_restart_keyring
	refuses 4 keyring_locked "$ACCOUNT|unlock" rotate
	session_end_process "$session_keyring_pid" KILL
	refuses 5 keyring_unavailable "$ACCOUNT" rotate
	no_calls
	session_unlock
	[[ $(stored; record) == "$before" ]] || fails "something changed"
}

@test "a keyring that can only be read: 5, keyring_readonly, and the server hears of nothing" {
	login_demo
	mkdir -m 0755 "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "$MODULES/read-only.so" "$BATS_TEST_TMPDIR/tree/modules/secret-service.so"
	READ_ONLY_TOKEN=$(refresh_token)
	export READ_ONLY_TOKEN
	forget_calls
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
	refuses 5 keyring_readonly "$ACCOUNT" rotate
	no_calls
	not_marked
	run_cred get --fresh
	expect 0
	works "$out"
}

@test "--if-expiring: not due opens no keyring and asks nobody; due rotates; of two at once one" {
	local old end due
	login_demo
	end=$(member 102 token_expires_at)
	forget_calls
	for due in 0 10d 59d; do
		DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent run_cred rotate --if-expiring $due
		expect 0 "$ACCOUNT has nothing to do: its RefreshToken is 'alation-cred@$(uname -n)'; it ends $(date -u -d "@$end" +%Y-%m-%dT%H:%M)"
		[[ -z $raw ]]
	done
	run_cred rotate --if-expiring 10d --format json
	[[ $code == 0 && $(jq -c '[.success,.warnings]' <<<"$out") == '[true,[]]' ]]
	no_calls
	old=$(refresh_token)
	run_cred rotate --if-expiring 61d
	expect 0 'has a new RefreshToken'
	asked regenRefreshToken
	rotated_from "$old"
	# Two timers at once: the second finds it done.
	old=$(refresh_token)
	put "$(stored | sed "s/token_expires_at=[0-9]*/token_expires_at=$((EPOCHSECONDS + 86400))/")"
	sed -i "s/token_expires_at=[0-9]*/token_expires_at=$((EPOCHSECONDS + 86400))/" "$STATE/accounts"
	forget_calls
	hold
	start rotate --if-expiring 10d
	sandbox_held
	start rotate --if-expiring 10d
	until_waits
	sandbox_release
	wait "${helpers[@]}"
	[[ $(<"$OUT.0.err") == *'has a new RefreshToken'* && $(<"$OUT.1.err") == *'has nothing to do'* && $(regens) == 1 ]]
	rotated_from "$old"
}

@test "--if-expiring and an end that the list does not know: the record's, else the server's, else left as it is" {
	local old
	unknown() { sed -i 's/token_expires_at=[0-9]*&//' "$STATE/accounts"; }
	login_demo
	forget_calls
	unknown
	run_cred rotate --if-expiring 10d
	expect 0 'has nothing to do'
	no_calls
	put "$(stored | sed 's/&token_expires_at=[0-9]*//')"
	unknown
	run_cred rotate --if-expiring 10d
	expect 0 'has nothing to do'
	asked validateRefreshToken
	sandbox_fault endpoint=validateRefreshToken set=token_expires_at:null
	unknown
	run_cred rotate --if-expiring 10d
	expect 0 'is left as it is: the server does not tell when its RefreshToken ends'
	sandbox_fault endpoint=validateRefreshToken times=0 status=503
	unknown
	run_cred rotate --if-expiring 10d
	expect 7
	sandbox_clear
	[[ $(regens) == 0 ]]
	old=$(refresh_token)
	run_cred rotate --if-expiring 100d
	expect 0 'has a new RefreshToken'
	rotated_from "$old"
}

@test "a shared one is rotated where it is named, with a warning; --all and a timer for all pass it over" {
	local old shared
	login_demo
	run_cred login "$SANDBOX_URL" --user-id 103 --token-stdin <<<"$(sandbox_refresh_token 103)"
	forget_calls
	old=$(refresh_token) shared=$(secret-tool lookup application alation-cred user_id 103)
	run_cred rotate --all --format json
	expect 0 "$ACCOUNT has a new RefreshToken" "$OTHER is left as it is: its RefreshToken counts as shared"
	[[ $(jq -c '[.success,[.accounts[].user_id],.warnings]' <<<"$out") == '[true,[102,103],[]]' ]]
	asked regenRefreshToken
	rotated_from "$old"
	run_cred rotate --all --if-expiring 365d
	expect 0 "$OTHER is left as it is"
	[[ $(regens) == 2 && $(secret-tool lookup application alation-cred user_id 103) == "$shared" ]]
	run_cred rotate "$OTHER" --format json
	expect 0 "$OTHER has a new RefreshToken" 'whatever else used it is cut off now'
	[[ $(jq -c '[.warnings[].code]' <<<"$out") == '["shared_rotated"]' && $(secret-tool lookup application alation-cred user_id 103) != "$shared" ]]
	# One that fails does not stop the other.
	run_cred set "$OTHER" exclusive
	old=$(secret-tool lookup application alation-cred user_id 103)
	sandbox_fault endpoint=regenRefreshToken status=403
	run_cred rotate --all
	expect 7 "$OTHER has a new RefreshToken"
	[[ ${err##*$'\n'} == *"forbids this to $ACCOUNT"* && $(secret-tool lookup application alation-cred user_id 103) != "$old" ]]
}

@test "a bare token that somebody put there by hand becomes a record, by a refusal too" {
	local token
	token=$(sandbox_refresh_token 102 'by hand')
	put "$token"
	sandbox_fault endpoint=regenRefreshToken status=403
	run_cred rotate "$ACCOUNT"
	expect 7
	[[ $(refresh_token) == "$token" && $(stored) != *regen_begun* ]]
	put "$token"
	run_cred rotate "$ACCOUNT"
	expect 0 "$ACCOUNT has a new RefreshToken 'by hand'"
	[[ $(stored) == "v=1&kind=refresh-token&base_url=http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}&user_id=102&refresh_token=$(last_made regenRefreshToken)&name=by%20hand&created_at="* ]]
	rotated_from "$token"
}

@test "two at once: one after the other, and the last token is the one that is kept" {
	local old
	login_demo
	old=$(refresh_token)
	forget_calls
	hold
	start rotate
	sandbox_held
	start rotate
	until_waits
	sandbox_release
	wait "${helpers[@]}"
	asked regenRefreshToken regenRefreshToken
	rotated_from "$old"
}

@test "20 gets during a rotation wait for it, and one mint serves them" {
	local i
	login_demo
	forget_calls
	hold
	start rotate
	sandbox_held
	for i in {1..20}; do start get --timeout 100 -v; done
	# Each has seen the mark, and that the lock is taken.
	for i in {1..20}; do until [[ $(grep -c 'look up access' "$OUT.$i.err") -ge 2 ]]; do :; done; done
	sandbox_release
	wait "${helpers[@]}"
	for i in {1..20}; do [[ $(<"$OUT.$i") == "$(last_made createAPIAccessToken)" ]]; done
	asked regenRefreshToken createAPIAccessToken
	works "$(<"$OUT.1")"
}
