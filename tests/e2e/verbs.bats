#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a caller can ask of a token (get --min-ttl, --fresh, --validate), and the verbs that ask or end: validate,
# revoke, set, logout --all. Each says what the server was asked. rotate is rotate.bats', exit codes contract.bats'.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

MANY=${B:-$SANDBOX_TOP/.build}/tests/tools/many

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	lock=3 # what start() keeps from its children: nothing more than 3, or the lock a test holds
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} OTHER=${SANDBOX_URL/:\/\//:\/\/103@}
	helpers=()
}

teardown() {
	program_end_helpers
	program_teardown
}

two_accounts() {
	login_demo
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
	forget_calls
}

many() { counts=$(setsid -w "$MANY" "$1" "$CRED" --timeout 100 "${@:2}" 3>&-); }
all_got() { [[ $counts == "exit 0 $1"$'\n'"output $1 $2\\n" ]] || { echo "$counts" >&2; return 1; }; }

@test "--min-ttl: more than a token ever has is served with a warning, and not minted at each call" {
	local token
	login_demo
	token=$(cached)
	forget_calls
	for _ in 1 2 3; do
		run_cred get --min-ttl 48h
		expect 0 "the access token of $ACCOUNT lives 86" 'the server gives no more than 86400 s'
		[[ $out == "$token" ]]
	done
	run_cred token --min-ttl 2d --format json
	[[ $(jq -r '.token, .warnings[].code' <<<"$out" | paste -sd ' ') == "$token min_ttl" ]] || fails "the warning in JSON"
	no_calls
}

@test "--min-ttl: a token that has less left than that, and is not young, is minted anew, once" {
	login_demo
	earlier minted_at $((3 * 3600))
	run_cred get --min-ttl 20h
	expect 0
	[[ $(mints) == 1 ]]
	many 40 get --min-ttl 22h
	[[ $(mints) == 2 ]]
	all_got 40 "$(cached)"
	works "$(cached)"
	run_cred get --min-ttl 22h
	[[ $code == 0 && -z $err && $(mints) == 2 ]]
}

@test "the margin without it is 60 s; --min-ttl can ask for less" {
	local token
	login_demo
	token=$(cached)
	earlier minted_at $((86400 - 70))
	run_cred get
	[[ $out == "$token" ]]
	earlier minted_at 30
	run_cred get --min-ttl 5
	[[ $out == "$token" && -z $err ]]
	run_cred get --min-ttl 0
	[[ $out == "$token" && -z $err && $(mints) == 1 ]]
	run_cred get
	expect 0
	[[ $out != "$token" && $(mints) == 2 ]]
}

@test "--fresh mints at each call; those who wait at the same moment take one mint, and so does a plain get" {
	local i
	login_demo
	run_cred get --fresh
	run_cred get --fresh
	expect 0
	works "$out"
	[[ $(mints) == 3 ]]
	crowd 12 get --fresh
	[[ $(mints) == 4 ]]
	for i in {0..11}; do [[ $(<"$OUT.$i") == "$(cached)" ]]; done
	works "$(cached)"
	run_cred get
	[[ $out == "$(cached)" && $(mints) == 4 ]]
}

@test "--fresh while a mint is in flight that began before: another follows" {
	local first
	login_demo
	drop_cached
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	start get
	sandbox_held
	start get --fresh
	waits 1
	sandbox_release
	wait "${helpers[@]}"
	first=$(<"$OUT.0")
	[[ $(mints) == 3 && ${#first} == 43 && $(<"$OUT.1") != "$first" ]]
	works "$(<"$OUT.1")"
	is_dead "$first"
	run_cred get
	[[ $out == "$(<"$OUT.1")" ]]
}

@test "--validate: the server's word counts for 10 s and for everyone; a token that was minted since needs none" {
	local token
	login_demo
	token=$(cached)
	forget_calls
	run_cred get --validate
	[[ $code == 0 && $out == "$token" && -z $err ]]
	asked validateAPIAccessToken
	[[ $(record) == *'&validated_at='* ]]
	many 20 get --validate
	all_got 20 "$token"
	asked validateAPIAccessToken
	earlier validated_at 11
	run_cred token --validate
	[[ $out == "$token" ]]
	asked validateAPIAccessToken validateAPIAccessToken
	# Plain callers do not ask.
	earlier validated_at 11
	run_cred get
	asked validateAPIAccessToken validateAPIAccessToken
	drop_cached
	run_cred get --validate
	expect 0
	asked validateAPIAccessToken validateAPIAccessToken createAPIAccessToken
	[[ $(record) != *validated_at* ]]
}

@test "--validate, 20 at once on a token nobody has asked about: one question" {
	login_demo
	forget_calls
	many 20 token --validate
	all_got 20 "$(cached)"
	asked validateAPIAccessToken
}

@test "--validate finds a token dead that was revoked elsewhere: one mint follows, for 20 at once" {
	local dead i
	login_demo
	dead=$(cached)
	mint_elsewhere >/dev/null
	run_cred get
	[[ $out == "$dead" ]]
	forget_calls
	# All of them are there before the first mints: one that comes later would rightly ask about the new token.
	crowd 20 get --validate
	asked validateAPIAccessToken createAPIAccessToken
	for i in {0..19}; do [[ $(<"$OUT.$i") == "$(cached)" ]] || fails "$i: $(<"$OUT.$i.trace")"; done
	works "$(cached)"
	# A server that answers with 401 says the same.
	sandbox_fault endpoint=validateAPIAccessToken status=401
	earlier minted_at 60
	run_cred get --validate
	expect 0
	works "$out"
	asked validateAPIAccessToken createAPIAccessToken datasource validateAPIAccessToken createAPIAccessToken datasource
}

@test "--validate and a server in trouble: its exit code, nothing minted, nothing forgotten" {
	local row token
	login_demo
	token=$(cached)
	forget_calls
	for row in '7 server_error status=503' '7 throttled status=429' '7 forbidden status=403' '7 not_an_alation_server status=404' \
		'7 not_an_alation_server type=text/html body=<html>' '7 bad_reply unset=token_status' '6 network drop=before' '6 network drop=after' '6 timeout delay_ms=60000'; do
		read -r wanted name fault more <<<"$row"
		sandbox_fault endpoint=validateAPIAccessToken times=0 "$fault" ${more:+"$more"}
		run_cred get --validate --timeout 1 --format json
		expect_json "$wanted" "$name" || fails "$row"
		sandbox_clear
		sandbox_release
		[[ $(cached) == "$token" ]] || fails "$row: the cache"
	done
	[[ $(mints) == 0 ]]
	run_cred get
	[[ $out == "$token" ]]
}

@test "while a mint is under way the token it replaces is marked; a plain get asks before it serves it" {
	local old
	login_demo
	old=$(cached)
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	start get --fresh
	sandbox_held
	is_marked
	[[ $(cached) == "$old" ]]
	# It waits for what is under way instead of serving what may be dead.
	start get
	waits 1
	sandbox_release
	wait "${helpers[@]}"
	not_marked
	[[ $(<"$OUT.1") == "$(<"$OUT.0")" && $(<"$OUT.1") != "$old" ]]
}

# lost_mint FAULT…: a mint that fails; the cached token is $old.
lost_mint() {
	forget_calls
	sandbox_fault endpoint=createAPIAccessToken "$@"
	run_cred get --fresh
}

@test "a mint whose reply was lost: the next get asks the server first, and mints only if the old token is dead" {
	local old fault
	login_demo
	for fault in drop=after cut=20 'status=502 act=yes' 'unset=api_access_token'; do
		old=$(cached)
		lost_mint $fault
		[[ $code == [67] ]] || fails "$fault"
		is_marked
		run_cred get
		expect 0
		[[ $out != "$old" ]] || fails "$fault: a dead token"
		works "$out"
		asked createAPIAccessToken validateAPIAccessToken createAPIAccessToken datasource
		not_marked
	done
	for fault in drop=before status=500; do
		old=$(cached)
		lost_mint $fault
		[[ $code == [67] ]] || fails "$fault"
		is_marked
		# Who cannot ask is not served.
		sandbox_fault endpoint=validateAPIAccessToken times=2 status=503
		run_cred get
		expect 7
		is_marked
		sandbox_clear
		run_cred get
		expect 0
		[[ $out == "$old" ]] || fails "$fault: a token that lives"
		[[ $(mints) == 1 ]]
		not_marked
		run_cred get
		# What was lost may still come: it is asked about at each call, for a minute.
		[[ $out == "$old" && $(grep -c validateAPIAccessToken "$SANDBOX_LOG") == [345] ]]
	done
}

@test "a mint that was refused takes nothing from the old token: it is served, unasked" {
	local old fault
	login_demo
	old=$(cached)
	for fault in status=401 status=403 status=404 status=429 'set=status:"failed"'; do
		forget_refusal
		lost_mint "$fault"
		[[ $code == [37] ]] || fails "$fault"
		not_marked
		[[ $fault != set* ]] || continue
		run_cred get
		[[ $code == 0 && $out == "$old" ]] || fails "$fault"
		asked createAPIAccessToken
	done
	# Nor does a server that was not there.
	sandbox_stop
	run_cred get --fresh
	expect 6
	not_marked
	run_cred get
	[[ $code == 0 && $out == "$old" ]]
}

@test "killed in a mint: the next get asks the server before it serves" {
	local old
	login_demo
	old=$(cached)
	killed_in createAPIAccessToken get --fresh
	sandbox_clear
	run_cred get
	[[ $code == 0 && $out == "$old" ]] || fails "the call is still held: the old one lives"
	not_marked
	# Now the server acts on what was lost.
	sandbox_release
	until [[ $(mints) == 2 ]]; do :; done
	run_cred get --validate --min-ttl 1
	expect 0
}

# As a client does on 401: away with what I was given, and give me another.
erase_and_get() {
	printf 'protocol=http\nhost=%s\nusername=102\npassword=%s\n' "${SANDBOX_URL#http://}" "$DEAD" | "$CRED" --timeout 100 erase && "$CRED" --timeout 100 token
}

@test "C3: 200 at once erase the same dead token and get another: one mint" {
	login_demo
	DEAD=$(cached)
	mint_elsewhere >/dev/null
	forget_calls
	export SANDBOX_URL DEAD CRED
	export -f erase_and_get
	counts=$(setsid -w "$MANY" 200 bash -c erase_and_get 3>&-)
	asked createAPIAccessToken
	all_got 200 "$(cached)"
	works "$(cached)"
}

@test "validate: both tokens are asked about, nothing is minted; what it says, and its exit code" {
	login_demo
	forget_calls
	run_cred validate
	expect 0 "$ACCOUNT: the RefreshToken is active until 20" 'the cached access token is active'
	[[ -z $raw && $err != *$'\n'* ]] || fails "more than one line"
	asked validateRefreshToken validateAPIAccessToken
	run_cred validate "$ACCOUNT" --format json
	expect 0
	[[ $(jq -c '[.success,.base_url,.user_id,.warnings]' <<<"$out") == "[true,\"$SANDBOX_URL\",102,[]]" ]]
	drop_cached
	forget_calls
	run_cred validate
	expect 0 'the RefreshToken is active until 20' 'no access token is cached'
	asked validateRefreshToken
	nothing_cached
}

@test "validate: a dead access token leaves the cache, and it is 1; a get then mints" {
	login_demo
	mint_elsewhere >/dev/null
	run_cred validate
	expect 1 "$ACCOUNT: the RefreshToken is active; the cached access token is not active; the next 'alation-cred get $ACCOUNT' mints another"
	nothing_cached
	[[ $(mints) == 2 ]]
	run_cred validate
	expect 0 'no access token is cached'
	run_cred get
	expect 0
	works "$out"
	mint_elsewhere >/dev/null
	run_cred validate --format json
	expect_json 1 not_active "$ACCOUNT"
}

@test "validate: a dead RefreshToken is 1 whether its access token lives or not, and stays where it is" {
	local token before
	login_demo
	token=$(cached)
	sandbox_expire "$(refresh_token)"
	before=$(stored)
	run_cred validate
	expect 1 "$ACCOUNT: the RefreshToken is not active; the cached access token is active; log in again"
	[[ $(cached) == "$token" ]]
	sandbox_revoke "$(refresh_token)"
	refuses 1 not_active 'the RefreshToken is not active|alation-cred login' validate
	nothing_cached
	[[ $(stored) == "$before" && $(mints) == 1 ]]
	# By a server that answers with 401.
	sandbox_fault endpoint=validateRefreshToken status=401
	run_cred validate
	expect 1 'the RefreshToken is not active; no access token is cached'
}

@test "validate: nothing stored is 3; without the server its exit code; the list learns when the RefreshToken ends" {
	local row endpoint wanted name fault
	refuses 3 no_account "$ACCOUNT|alation-cred login" validate "$ACCOUNT"
	no_calls
	login_demo
	sed -i 's/token_expires_at=[0-9]*&//' "$STATE/accounts"
	run_cred validate
	expect 0
	[[ $(<"$STATE/accounts") =~ token_expires_at=([0-9]+) ]]
	((BASH_REMATCH[1] > EPOCHSECONDS + 59 * 86400))
	for row in 'validateRefreshToken 7 server_error status=500' 'validateAPIAccessToken 7 forbidden status=403' \
		'validateRefreshToken 6 network drop=before' 'validateAPIAccessToken 6 network drop=after'; do
		read -r endpoint wanted name fault <<<"$row"
		sandbox_fault endpoint=$endpoint times=0 "$fault"
		run_cred validate --format json
		expect_json "$wanted" "$name" || fails "$row"
		sandbox_clear
	done
	[[ -n $(cached) && $(mints) == 1 ]]
}

@test "validate: nothing stored but an access token in the cache is asked about" {
	login_demo
	secret-tool clear application alation-cred
	forget_calls
	run_cred validate
	expect 1 'no RefreshToken is stored; the cached access token is active'
	asked validateAPIAccessToken
}

@test "revoke: every access token is dead and none is cached; the RefreshToken lives" {
	local ours
	login_demo
	ours=$(cached)
	forget_calls
	run_cred revoke
	expect 0 "revoked the access tokens of $ACCOUNT"
	[[ -z $raw && $err != *$'\n'* ]]
	asked revokeAPIAccessTokens
	is_dead "$ours"
	nothing_cached
	run_cred get
	expect 0
	works "$out"
	run_cred revoke --format json
	expect 0
	[[ $(jq -c '[.success,.user_id]' <<<"$out") == '[true,102]' ]]
	# Nothing to revoke is no failure.
	run_cred revoke "$ACCOUNT"
	expect 0
}

@test "revoke: what a server in trouble leaves in the cache is asked about where it may have acted, else served" {
	local row old
	login_demo
	for row in '7 forbidden status=403' '7 throttled status=429'; do
		read -r wanted name fault <<<"$row"
		old=$(cached)
		sandbox_fault endpoint=revokeAPIAccessTokens times=2 "$fault"
		refuses "$wanted" "$name" '' revoke
		sandbox_clear
		not_marked
		run_cred get
		[[ $out == "$old" ]] || fails "$row"
	done
	for row in '7 server_error status=503' '6 network drop=before'; do
		read -r wanted name fault <<<"$row"
		sandbox_fault endpoint=revokeAPIAccessTokens "$fault"
		run_cred revoke
		expect "$wanted"
		is_marked
		run_cred get
		[[ $out == "$old" ]] || fails "$row"
		not_marked
	done
	sandbox_fault endpoint=revokeAPIAccessTokens drop=after
	run_cred revoke
	expect 6
	is_marked
	run_cred get
	expect 0
	[[ $out != "$old" ]]
	works "$out"
	sandbox_revoke "$(refresh_token)"
	refuses 3 refresh_token_expired "$ACCOUNT|alation-cred login" revoke
}

@test "killed in a revocation: the next get asks the server before it serves" {
	login_demo
	sandbox_fault endpoint=revokeAPIAccessTokens delay_ms=60000
	start revoke
	sandbox_held
	is_marked
	kill -KILL "$started"
	wait "$started" || :
	forget_calls
	sandbox_release
	until [[ $(sandbox_calls revokeAPIAccessTokens) == 1 ]]; do :; done
	run_cred get
	expect 0
	works "$out"
	asked revokeAPIAccessTokens validateAPIAccessToken createAPIAccessToken datasource
}

member() { sed -n "s/.*user_id=$1&.*&$2=\\([^&]*\\).*/\\1/p" "$STATE/accounts"; }

@test "set: default, exclusive, shared; no server, no keyring; it is in status, and in the list" {
	local before bus run
	two_accounts
	sed -i '2,$s/$/\&later=x/' "$STATE/accounts"
	before=$(stored)$(stored 103)
	bus=$DBUS_SESSION_BUS_ADDRESS run=$XDG_RUNTIME_DIR
	export DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent
	run_cred set "$OTHER" default
	expect 0 "$OTHER is the default account"
	[[ $(member 102 default)$(member 103 default) == 01 && -z $raw ]]
	run_cred set shared
	expect 0 "$OTHER counts as shared"
	[[ $(member 103 exclusive)$(member 102 exclusive) == 01 ]]
	run_cred set "$ACCOUNT" shared --format json
	expect 0 "$ACCOUNT counts as shared"
	[[ $(jq -c '[.success,.base_url,.user_id]' <<<"$out") == "[true,\"$SANDBOX_URL\",102]" ]]
	run_cred set "$OTHER" exclusive
	expect 0 "$OTHER counts as exclusive"
	# What is so already is no failure.
	run_cred set "$OTHER" exclusive
	expect 0
	[[ $(member 102 exclusive)$(member 103 exclusive)$(member 102 default)$(member 103 default) == 0101 ]]
	ALATION_BASE_URL=$ACCOUNT run_cred set default
	DBUS_SESSION_BUS_ADDRESS=$bus XDG_RUNTIME_DIR=$run
	expect 0 "$ACCOUNT is the default account"
	[[ $(member 102 default)$(member 103 default) == 10 && $(grep -c '&later=x$' "$STATE/accounts") == 2 ]]
	run_cred status
	[[ $(grep -c '(default, shared)' <<<"$out") == 1 && $(grep -c '(exclusive)' <<<"$out") == 1 ]] || fails "status"
	[[ $(stored)$(stored 103) == "$before" ]]
	no_calls
	refuses 3 no_account "${ACCOUNT/102@/104@}" set "${ACCOUNT/102@/104@}" default
	[[ $(listed) == 2 ]]
}

@test "set exclusive: what logout then does" {
	local refresh
	refresh=$(sandbox_refresh_token 102)
	login_token "$refresh"
	run_cred set exclusive
	forget_calls
	run_cred logout
	expect 0
	asked revokeAPIAccessTokens regenRefreshToken
	login_demo
	run_cred set shared
	forget_calls
	run_cred logout
	expect 0 'lives at the server'
	asked revokeAPIAccessTokens
}

@test "--all: validate and revoke do each, and answer with the list" {
	two_accounts
	run_cred validate --all
	expect 0 "$ACCOUNT: the RefreshToken is active" "$OTHER: the RefreshToken is active"
	asked validateRefreshToken validateAPIAccessToken validateRefreshToken validateAPIAccessToken
	run_cred validate --all --format json
	expect 0
	[[ $(jq -c '[.success,.warnings,[.accounts[]|[.base_url,.user_id,(.refresh_token_expires_at|type)]]]' <<<"$out") == \
		"[true,[],[[\"$SANDBOX_URL\",102,\"string\"],[\"$SANDBOX_URL\",103,\"string\"]]]" ]] || fails "the list"
	run_cred revoke --all --format json
	expect 0 "revoked the access tokens of $ACCOUNT" "revoked the access tokens of $OTHER"
	[[ $(jq '.accounts | length' <<<"$out") == 2 ]]
	nothing_cached
	nothing_cached 103
}

@test "--all: one failure does not stop the others; the first is the exit code and the last line" {
	two_accounts
	sandbox_fault endpoint=revokeAPIAccessTokens status=403
	run_cred revoke --all --format json
	expect_json 7 forbidden "revoked the access tokens of $OTHER"
	[[ ${err##*$'\n'} == *"forbids this to $ACCOUNT"* && -n $(cached) ]] || fails "the last line"
	nothing_cached 103
	sandbox_fault endpoint=revokeAPIAccessTokens status=429
	sandbox_fault endpoint=revokeAPIAccessTokens status=403
	run_cred revoke --all
	expect 7 "forbids this to $OTHER"
	[[ ${err##*$'\n'} == *'too many requests'*"$ACCOUNT"* ]] || fails "the last line"
	# One is dead, one is not there: 1, and both are told.
	secret-tool clear application alation-cred user_id 103
	sandbox_revoke "$(refresh_token)"
	run_cred validate --all
	expect 1 "no RefreshToken is stored for $OTHER"
	[[ ${err##*$'\n'} == *"$ACCOUNT: the RefreshToken is not active"* ]] || fails "the last line"
}

@test "logout --all: each as it is, one that fails too; nothing is left" {
	two_accounts
	run_cred set "$OTHER" shared
	run_cred logout --all --format json
	expect 0 "logged out of $ACCOUNT" "logged out of $OTHER" "of $OTHER lives at the server until 20"
	[[ $err != *"of $ACCOUNT lives"* && $(jq -c '[.accounts[].user_id],[.warnings[].code]' <<<"$out" | paste -sd ' ') == '[102,103] ["refresh_token_lives"]' ]] || fails "the answer"
	asked revokeAPIAccessTokens regenRefreshToken revokeAPIAccessTokens
	[[ -z $(kernel_keys) && $(listed) == 0 && -z $(secret-tool search --all application alation-cred 2>&1) ]]

	two_accounts
	sandbox_fault endpoint=revokeAPIAccessTokens status=503
	run_cred logout --all --keep
	expect 7 "logged out of $OTHER" "of $ACCOUNT lives on with its access tokens" "of $OTHER lives at the server"
	[[ ${err##*$'\n'} == *'HTTP 503'* ]] || fails "the last line"
	asked revokeAPIAccessTokens revokeAPIAccessTokens
	[[ -z $(kernel_keys) && $(listed) == 0 && -z $(secret-tool search --all application alation-cred 2>&1) ]]
}
