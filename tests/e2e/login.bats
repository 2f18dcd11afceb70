#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login and logout: which secrets pass and which are refused, in which order things become durable, what a login
# over an account does and says, and that no secret shows anywhere over a whole story. The dialog is terminal.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup; }
teardown() { program_teardown; }

# What the keyring holds for an account of this sandbox.
stored() {
	secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id "${1:-102}"
}

# Everything that a login can change here.
local_state() {
	stored "$@" || echo nothing
	cat "$STATE/accounts" 2>/dev/null || echo no list
	for key in $(kernel_keys); do
		echo "$key $(keyctl pipe "$(keyctl search @u user "$key")")"
	done
}

asked() { [[ $(calls | paste -sd ' ') == "$*" ]] || fails "asked: $(calls | paste -sd ' ')"; }

@test "by password: what it says, what it asks the server, what is cached then" {
	login_demo
	expect 0 "logged in as ${SANDBOX_URL/:\/\//://102@}; the RefreshToken 'alation-cred@$(uname -n)' is kept in secret-service and ends 20"
	[[ -z $raw && $err != *$'\n'* ]] || fails "more than one line"
	asked createRefreshToken createAPIAccessToken
	run_cred token
	expect 0
	[[ -z $err && $raw == "$out"$'\n' && ${#out} == 43 ]] || fails "not the token alone"
	works "$out"
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
	[[ $(stored) == 'v=1&kind=refresh-token&base_url=http%3A%2F%2F127.0.0.1%3A'*'&user_id=102&refresh_token='*'&name=alation-cred%40'* ]]
	[[ $(stored) =~ ^[A-Za-z0-9%=\&._~+-]+$ ]]
	[[ $(stat -c %a "$STATE" "$STATE/accounts" | paste -sd ' ') == '700 600' ]]
}

@test "by password: --name, the user id in the address, --exclusive" {
	run_cred login "${SANDBOX_URL/:\/\//://102@}" --user demo --password-stdin --exclusive --name 'my "token" & ü' <<<"$SANDBOX_PASSWORD"
	expect 0 "the RefreshToken 'my \"token\" & ü' is kept in"
	run_cred status --format json
	[[ $out == *'"name":"my \"token\" & ü","default":true,"exclusive":true,'* ]] || fails "the name in status"
}

@test "passwords and user names with every kind of character" {
	local i id=200 secrets=('&' 'a&b=c&password=x' 'a+b c' '100%' '%41%' 'p:w:' '"quoted"' "it's" 'back\slash\' ' blanks around ' \
		'grüße' 'пароль' '密码🔑' $'tab\there' $'inner\nline' $'cr at the end\r' '-n' '--password' '$(id)`id`' '<h1>' '?#/;' \
		"$(printf 'x%.0s' {1..2000})") options=()
	for ((i = 0; i < ${#secrets[@]}; i++)); do
		options+=(--user "user+$i &%\"ü@x:${secrets[i]}:$((id + i))")
	done
	program_sandbox "${options[@]}"
	for ((i = 0; i < ${#secrets[@]}; i++)); do
		# One final line feed is dropped, and none is needed.
		printf %s "${secrets[i]}" >"$BATS_TEST_TMPDIR/secret"
		((i % 2 == 0)) || echo >>"$BATS_TEST_TMPDIR/secret"
		run_cred login "$SANDBOX_URL" --user "user+$i &%\"ü@x" --password-stdin <"$BATS_TEST_TMPDIR/secret"
		expect 0 "logged in as ${SANDBOX_URL/:\/\//://$((id + i))@}" || fails "the password was ${secrets[i]@Q}"
	done
	# A second one is the password's.
	input=$'&\n' refuses 3 login_refused 'user name or the password' login "$SANDBOX_URL" --user "user+0 &%\"ü@x" --password-stdin
}

@test "empty secrets, and passwords that cannot be: 2, nobody is asked" {
	local secret
	for secret in '' '\n'; do
		printf "$secret" >"$BATS_TEST_TMPDIR/secret"
		run_cred login "$SANDBOX_URL" --user demo --password-stdin <"$BATS_TEST_TMPDIR/secret"
		expect 2 'the password is empty'
	done
	run_cred --format json login "$SANDBOX_URL" --user demo --password-stdin <&-
	expect_json 2 usage 'the password is empty'
	run_cred login "$SANDBOX_URL" --user demo --password-stdin < <(printf 'Xcan\0ary')
	expect 2 NUL
	[[ $err != *ary* ]]
	run_cred login "$SANDBOX_URL" --user demo --password-stdin < <(printf 'x%.0s' {1..10000})
	expect 2 'more than'
	for secret in '' '\n' ' ' '\n\n' ' \t\r\n ' '\r\n'; do
		printf "$secret" >"$BATS_TEST_TMPDIR/secret"
		run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin <"$BATS_TEST_TMPDIR/secret"
		expect 2 'the RefreshToken is empty'
	done
	no_calls
	[[ ! -e $STATE/accounts ]]
}

@test "stdin that stays open and silent ends with the timeout: 2" {
	mkfifo "$BATS_TEST_TMPDIR/silent"
	exec {silent}<>"$BATS_TEST_TMPDIR/silent"
	run_cred login "$SANDBOX_URL" --timeout 1 --user-id 102 --token-stdin <&"$silent"
	expect 2 'stdin'
	exec {silent}>&-
	no_calls
}

@test "a pasted RefreshToken: blanks, CR and LF around it go" {
	local token around
	for around in '%s' '%s\n' '%s\r\n' ' %s' '\t %s \t' '\n\n%s\n\n' '\r\n%s\r\n \r\n'; do
		token=$(sandbox_refresh_token 102 pasted)
		printf "$around" "$token" >"$BATS_TEST_TMPDIR/pasted"
		run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin <"$BATS_TEST_TMPDIR/pasted"
		expect 0 "'pasted'" || fails "around it: $around"
		[[ $(stored) == *"&refresh_token=$token&name=pasted&"* ]] || fails "not the token itself: $(stored)"
	done
}

@test "a pasted RefreshToken: one that starts with '-', every character of the charset, one byte, 16384 bytes" {
	local token
	for token in -leading-hyphen-0123456789 --user --help - x 'A-Za-z0-9._~+/=-' v=1 'v=1=' ==== \
		"$(printf 'y%.0s' {1..16384})"; do
		sandbox_refresh_token 102 odd "token=$token" >/dev/null
		login_token "$token"
		# A keyring has its own limit, and says so; the token is not cut.
		if [[ ${#token} -gt 16000 && $code == 5 ]]; then continue; fi
		expect 0 || fails "the token was ${token:0:40}"
		run_cred token
		expect 0
		works "$out"
		run_cred token --timeout 5
		keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
		run_cred token
		expect 0 || fails "not minted again from what was stored"
	done
}

@test "a pasted RefreshToken with an inner blank, a control character or another byte than a token's: 2, never shown" {
	local inner
	for inner in 'Xcanary one' $'Xcanary\tone' $'Xcanary\none' $'Xcanary\r\none' $'Xcanary\e[31mone' $'Xcanary\aone' $'Xcanary\x7fone' \
		'Xcanary"one' 'Xcanary\one' 'Xcanary&one' 'Xcanary%2Bone' 'Xcanary:one' 'Xcanaryöne' $'Xcanary\xffone' $'Xcanary\u202eone' \
		$'\u00a0Xcanary' $'\ufeffXcanary' 'Xcanary,' '"Xcanary"' $'Xcanary\v' $'Xcanary\f'; do
		input=$inner refuses 2 usage 'no RefreshToken' login "$SANDBOX_URL" --user-id 102 --token-stdin || return 1
		[[ $out$err != *canary* && $out$err != *[$'\e\a\x7f']* ]] || fails "it is shown"
	done
	printf 'Xcan\0ary' >"$BATS_TEST_TMPDIR/nul"
	run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin <"$BATS_TEST_TMPDIR/nul"
	expect 2 'no RefreshToken'
	run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin < <(printf 'x%.0s' {1..16385})
	expect 2 'no RefreshToken'
	run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin < <(head -c 100000 /dev/zero | tr '\0' x)
	expect 2 'more than'
	no_calls
	[[ ! -e $STATE/accounts ]]
}

@test "an access token in the RefreshToken's place, an unknown one, another user's, an expired one: 3, and nothing changes" {
	local access refresh before
	login_demo
	run_cred token
	access=$out
	before=$(local_state)
	input=$access refuses 3 refresh_token_refused '43 characters|access token|/account/auth' login "$SANDBOX_URL" --user-id 102 --token-stdin
	input=nobody-knows-this-one refuses 3 refresh_token_refused 'refused|102 is not its user id|/account/auth' login "$SANDBOX_URL" --user-id 102 --token-stdin
	[[ $err != *'43 characters'* ]]
	refresh=$(sandbox_refresh_token 102)
	input=$refresh refuses 3 refresh_token_refused '103 is not its user id' login "$SANDBOX_URL" --user-id 103 --token-stdin
	sandbox_expire "$refresh"
	input=$refresh refuses 3 refresh_token_expired 'expired or revoked|/account/auth' login "$SANDBOX_URL" --user-id 102 --token-stdin
	[[ $(local_state) == "$before" ]] || fails "changed: $before"$'\n'"$(local_state)"
	works "$access"
	stored 103 && fails "an account that was refused is kept"
	[[ $(sandbox_calls revokeAPIAccessTokens) == 0 && $(sandbox_calls validateRefreshToken) == 0 ]]
}

@test "the first paste refused leaves nothing: no account, no secret, no key" {
	login_token nobody-knows-this-one
	expect 3
	[[ ! -e $STATE/accounts && -z $(stored) && -z $(kernel_keys) ]]
	run_cred status
	[[ $out == 'nobody is logged in;'* ]]
}

@test "a paste is proved before it is kept: while the mint is under way nothing is stored" {
	local token pid
	token=$(sandbox_refresh_token 102)
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	cred login "$SANDBOX_URL" --user-id 102 --token-stdin <<<"$token" 2>/dev/null &
	pid=$!
	sandbox_held
	[[ -z $(stored) && ! -e $STATE/accounts ]]
	sandbox_release
	wait "$pid"
	[[ $(stored) == *"$token"* && -n $(kernel_keys) ]]
	asked createAPIAccessToken validateRefreshToken
}

@test "a created RefreshToken is durable before it mints, even if the program is killed then" {
	local pid
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	"$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD" 2>/dev/null 3>&- &
	pid=$!
	sandbox_held
	[[ $(stored) == *refresh_token=* && $(listed) == 1 ]]
	kill -KILL "$pid"
	wait "$pid" || :
	sandbox_release
	run_cred token
	expect 0
	works "$out"
	[[ $(sandbox_calls createRefreshToken) == 1 ]]
}

# row: how the mint goes wrong; CODE NAME
failed_mint() {
	local wanted=$1 name=$2
	shift 2
	sandbox_fault endpoint=createAPIAccessToken "$@"
	run_cred login "$SANDBOX_URL" --format json --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect_json "$wanted" "$name" || return 1
	[[ $(stored) == *refresh_token=* && $(listed) == 1 ]] || fails "the account is gone" || return 1
	run_cred token
	expect 0 || return 1
	works "$out" || return 1
}

@test "a login whose mint fails: the account stays, and the mint's exit tells" {
	failed_mint 7 server_error status=500
	failed_mint 7 forbidden status=403
	failed_mint 3 refresh_token_refused status=401
	failed_mint 6 network drop=before
	failed_mint 7 bad_reply 'set=status:"failed"'
	failed_mint 7 throttled status=429
	failed_mint 7 bad_reply unset=api_access_token
	[[ $(sandbox_calls createRefreshToken) == 7 ]]
}

@test "what was created and cannot be kept is told: a reply that was lost, another user id, no user id" {
	local row
	for row in drop=after 'cut=20' unset=user_id 'set=user_id:"x"' 'set=user_id:0' 'set=refresh_token:7' 'set=status:"failed"'; do
		sandbox_fault endpoint=createRefreshToken "$row"
		run_cred login "$SANDBOX_URL" --user demo --password-stdin --name orphan <<<"$SANDBOX_PASSWORD"
		[[ $row == *cut* || $row == drop* ]] && expect 6 || expect 7
		[[ $row == *status* || $err == *"'orphan'"*"$SANDBOX_URL/account/auth"* ]] || fails "$row: not told"
		[[ ! -e $STATE/accounts ]]
	done
	run_cred login "${SANDBOX_URL/:\/\//://103@}" --user demo --password-stdin --name orphan <<<"$SANDBOX_PASSWORD"
	expect 7 'another user_id' "'orphan'" "$SANDBOX_URL/account/auth"
	[[ ! -e $STATE/accounts && -z $(stored) && -z $(stored 103) ]]
	# Where it cannot have been created, nothing of that kind is said.
	sandbox_fault endpoint=createRefreshToken status=302 header=Location:https://idp.example/
	run_cred login "$SANDBOX_URL" --user demo --password-stdin --name orphan <<<"$SANDBOX_PASSWORD"
	expect 7
	[[ $err != *orphan* ]]
}

@test "a second login by password: the earlier RefreshToken still lives, where it is deleted; its access tokens end" {
	local first second
	login_demo --name one
	run_cred token
	first=$out
	login_demo --name two
	expect 0 "the earlier RefreshToken 'one' of ${SANDBOX_URL/:\/\//://102@} still lives" "delete it at $SANDBOX_URL/account/auth"
	is_dead "$first"
	run_cred token
	second=$out
	works "$second"
	[[ $second != "$first" && $(stored) == *'&name=two&'* && $(listed) == 1 ]]
	asked createRefreshToken createAPIAccessToken createRefreshToken revokeAPIAccessTokens createAPIAccessToken datasource datasource
	# Of the revocation's two tokens it is the earlier one.
	[[ $(sed -n 's/.*revokeAPIAccessTokens.* refresh=\([^ ]*\) .*/\1/p' "$SANDBOX_LOG") == "$(sed -n '1s/.* made=//p' "$SANDBOX_LOG")" ]]
	login_demo --name three --format json
	[[ $out == *'"warnings":[{"code":"earlier_refresh_token","message":"the earlier RefreshToken '"'two'"*"$SANDBOX_URL/account/auth\"}]}" ]] || fails "not in JSON"
}

@test "a second login by paste: the same, and a long name does not cut off where to delete it" {
	local first name
	name=$(printf 'n%.0s' {1..255})
	login_demo --name "$name"
	run_cred token
	first=$out
	login_token "$(sandbox_refresh_token 102 pasted)"
	expect 0 "the earlier RefreshToken '$name'" "delete it at $SANDBOX_URL/account/auth"
	is_dead "$first"
	run_cred token
	works "$out"
	[[ $(stored) == *'&name=pasted&'* ]]
	# One that the server does not know any more does not live.
	sandbox_revoke "$(stored | sed 's/.*refresh_token=\([^&]*\).*/\1/')"
	login_demo
	expect 0
	[[ $err != *'still lives'* ]] || fails "it does not live"
}

@test "a second login whose mint fails: what was revoked is not served from the cache" {
	login_demo
	sandbox_fault endpoint=createAPIAccessToken status=500
	login_demo
	expect 7
	run_cred token
	expect 0
	works "$out"
}

@test "a second login whose revocation does not work says that access tokens may live, too" {
	login_demo
	sandbox_fault endpoint=revokeAPIAccessTokens status=500
	login_demo
	expect 0 'still lives, and its access tokens may; delete it at'
}

@test "the same RefreshToken pasted again: nothing is revoked, nothing is said of an earlier one" {
	local token first
	token=$(sandbox_refresh_token 102 pasted)
	login_token "$token"
	run_cred token
	first=$out
	login_token "$token" --exclusive
	expect 0
	[[ $err != *earlier* && $(sandbox_calls revokeAPIAccessTokens) == 0 && $(listed) == 1 ]] || fails "as if it were another"
	run_cred token
	[[ $out != "$first" ]]
	works "$out"
	run_cred status --format json
	[[ $out == *'"exclusive":true'* ]]
}

@test "the same RefreshToken pasted again, and the mint fails: the account is as it was, and serves no dead token" {
	local token before fault
	token=$(sandbox_refresh_token 102 pasted)
	login_token "$token" --exclusive
	for fault in status=500 drop=before drop=after unset=api_access_token; do
		before=$(stored; cat "$STATE/accounts")
		sandbox_fault endpoint=createAPIAccessToken "$fault"
		login_token "$token"
		[[ $fault == drop* ]] && expect 6 || expect 7
		[[ $(stored; cat "$STATE/accounts") == "$before" ]] || fails "changed"
		run_cred token
		works "$out" || fails "$fault"
	done
}

@test "shared or exclusive: what is said, what is kept" {
	local ends
	login_token "$(sandbox_refresh_token 102 pasted expires_in=864000)"
	ends=$(date -u -d "@$((EPOCHSECONDS + 864000))" +%Y-%m-%d)
	expect 0 "counts as shared" "ends $ends" "set ${SANDBOX_URL/:\/\//://102@} exclusive"
	login_token "$(sandbox_refresh_token 102 pasted)" --shared
	expect 0 "counts as shared"
	run_cred status --format json
	[[ $out == *'"exclusive":false'* ]]
	run_cred status
	[[ $out == *'(default, shared)'* ]]
	login_token "$(sandbox_refresh_token 102 pasted)" --exclusive
	expect 0
	[[ $err != *shared* ]]
	run_cred status
	[[ $out == *'(default, exclusive)'* ]]
	login_token "$(sandbox_refresh_token 102 pasted)" --format json
	[[ $out == *'{"code":"shared","message":"'* ]] || fails "no warning in JSON"
}

@test "a paste whose expiry the server does not tell: kept, and said" {
	sandbox_fault endpoint=validateRefreshToken status=500 times=2
	login_token "$(sandbox_refresh_token 102)"
	expect 0 'did not tell when this RefreshToken expires'
	run_cred status --format json
	[[ $out == *'"refresh":{"module":"secret-service","expires_at":null,"expires_at_epoch":null,'* ]] || fails "an expiry out of nowhere"
	run_cred token --format json
	[[ $out == *'"refresh_token_expires_at":null,'* ]]
}

nothing_left() { [[ -z $(stored) && -z $(kernel_keys) && $(listed) == 0 ]] || fails "something is left: $(local_state)"; }

@test "logout of an exclusive account: what lay in this keyring is dead, everything here is forgotten" {
	local token refresh
	login_demo --name mine
	run_cred token
	token=$out
	refresh=$(sed -n '1s/.* made=//p' "$SANDBOX_LOG")
	run_cred logout
	expect 0 'logged out of'
	[[ -z $raw && $err != *lives* && $err != *$'\n'* ]] || fails "nothing lives on"
	asked createRefreshToken createAPIAccessToken revokeAPIAccessTokens regenRefreshToken
	is_dead "$token"
	login_token "$refresh"
	expect 3 'expired or revoked'
	nothing_left
	refuses 3 no_account 'nobody is logged in' token
	refuses 3 no_account 'nobody is logged in' logout
	refuses 3 no_account 'nothing is stored for' logout "${SANDBOX_URL/:\/\//://102@}"
	run_cred status --format json
	[[ $code == 0 && $out == '{"version":1,"success":true,"accounts":[]}' ]]
}

@test "logout of a shared account, or with --keep: says what still lives until when and where to delete it" {
	local token refresh keep
	for keep in '' --keep; do
		refresh=$(sandbox_refresh_token 102 mine)
		login_token "$refresh" ${keep:+--exclusive}
		run_cred token
		token=$out
		run_cred logout $keep
		expect 0 'logged out of' "the RefreshToken 'mine'" "at the server until 20" "delete it at $SANDBOX_URL/account/auth"
		[[ -z $raw && $err != *'access tokens'* ]] || fails "what lives"
		is_dead "$token"
		nothing_left
		[[ $(sandbox_calls regenRefreshToken) == 0 ]]
		login_token "$refresh"
		expect 0
		run_cred logout
	done
}

@test "logout of an exclusive account whose RefreshToken cannot be ended: it says that it lives, and forgets it" {
	local row
	for row in '7 server_error status=503' '7 forbidden status=403' '6 network drop=before' '6 network drop=after'; do
		read -r wanted name fault <<<"$row"
		login_demo --name mine
		sandbox_fault endpoint=regenRefreshToken "$fault"
		run_cred logout --format json
		expect_json "$wanted" "$name" "the RefreshToken 'mine'" 'at the server until 20' 'is forgotten all the same' || fails "$row"
		[[ $err != *'access tokens'* ]] || fails "these ended"
		nothing_left
	done
	login_demo
	sandbox_fault endpoint=regenRefreshToken status=401
	run_cred logout
	expect 0 'logged out of'
	nothing_left
}

# row: CODE NAME WORDS FAULT…: everything here is gone all the same.
logout_fails() {
	local wanted=$1 name=$2 words=$3
	shift 3
	login_demo
	sandbox_fault endpoint=revokeAPIAccessTokens "$@"
	run_cred logout --format json
	expect_json "$wanted" "$name" 'at the server until 20' 'access tokens' "$SANDBOX_URL/account/auth" || return 1
	nothing_left
	[[ $(sandbox_calls regenRefreshToken) == 0 ]] || fails "it was regenerated"
}

@test "logout: the server refuses, has a fault, is away: local things go all the same" {
	login_demo
	sandbox_revoke "$(stored | sed 's/.*refresh_token=\([^&]*\).*/\1/')"
	run_cred logout --format json
	expect 0 'logged out of'
	[[ $out == '{"version":1,"success":true,"base_url":"'"$SANDBOX_URL"'","user_id":102,"refresh_token_expires_at":'*'}' ]] || fails "the answer"
	[[ $err != *lives* ]] || fails "it does not live"
	[[ -z $(stored) && -z $(kernel_keys) && $(listed) == 0 ]]
	logout_fails 7 server_error '' status=500
	logout_fails 7 forbidden '' status=403
	logout_fails 7 not_an_alation_server '' status=404
	logout_fails 7 not_an_alation_server '' status=200 'body=<html>' type=text/html
	logout_fails 7 throttled '' status=429
	logout_fails 6 network '' drop=before
	login_demo
	sandbox_stop
	run_cred logout
	expect 6 'no connection' 'at the server until' 'is forgotten all the same'
	[[ -z $(kernel_keys) && $(listed) == 0 ]]
}

@test "logout: a server that accepts and stays silent: local things go all the same" {
	login_demo
	sandbox_fault endpoint=revokeAPIAccessTokens delay_ms=60000
	run_cred logout --timeout 1
	sandbox_release
	expect 6 'at the server until 20' 'is forgotten all the same'
	nothing_left
}

@test "the same RefreshToken pasted again, and the server stays silent about it: no dead token is served" {
	local token
	token=$(sandbox_refresh_token 102)
	login_token "$token"
	sandbox_fault endpoint=validateRefreshToken delay_ms=60000 times=0
	login_token "$token"
	sandbox_clear
	sandbox_release
	expect 0 'did not tell when'
	run_cred get
	expect 0
	works "$out"
}

@test "no secret shows anywhere over a whole story" {
	local home=$HOME secret secrets=() pid traces=$BATS_TEST_TMPDIR/traces shown=$BATS_TEST_TMPDIR/shown
	export ALATION_CRED_TRACE=$traces
	program_sandbox --user 'demo:Xcanary-password:102' --user 'eve:Xcanary-other:103'
	SANDBOX_PASSWORD=Xcanary-password
	secrets=(Xcanary-password Xcanary-wrong)
	note() { printf '%s\n' "$err" >>"$shown"; [[ $1 == quiet ]] || printf '%s\n' "$out" >>"$shown"; }

	login_demo -v; note
	run_cred login "$SANDBOX_URL" -v --user demo --password-stdin <<<Xcanary-wrong; note
	login_token "$(sandbox_refresh_token 102 pasted token=Xcanary-refresh)" -v; note
	login_token Xcanary-refresh-nobody-knows -v; note
	run_cred token -v; note quiet
	secrets+=("$out" Xcanary-refresh Xcanary-refresh-nobody-knows)
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	sandbox_fault 'endpoint=*' times=1 status=500 'body=Xcanary-refresh'
	keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
	"$CRED" token -v 2>>"$shown" >/dev/null 3>&- &
	pid=$!
	sandbox_held
	tr '\0' '\n' <"/proc/$pid/cmdline" >>"$shown"
	ls "$STATE/locks" >>"$shown"
	sandbox_release
	wait "$pid"
	run_cred token -v; note quiet
	for fault in status=401 status=500 drop=before drop=after 'set=status:"failed"' set=api_access_token:7 \
		'body={"api_access_token":"Xcanary-reply"' 'body={"detail":"Xcanary-refresh expired"}'; do
		keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u 2>/dev/null || :
		sandbox_clear
		sandbox_fault endpoint=createAPIAccessToken "$fault"
		run_cred token -v; note
		run_cred token -v --format json; note quiet
	done
	run_cred status -v; note
	run_cred status --format json; note
	run_cred logout -v; note
	login_demo -v; note

	# Every token that the server ever saw or made is a canary, too.
	mapfile -t -O ${#secrets[@]} secrets < <(sed -nE 's/.* refresh=([^ ]*) access=([^ ]*) .* made=([^ ]*)$/\1\n\2\n\3/p' "$SANDBOX_LOG" |
		sort -u | grep -v '^-$')
	((${#secrets[@]} > 15))
	kernel_keys >>"$shown"
	[[ -s $traces && -s $shown && -s $STATE/accounts ]]
	printf '%s\n' "${secrets[@]}" Xcanary >"$BATS_TEST_TMPDIR/secrets"
	if grep -rnFf "$BATS_TEST_TMPDIR/secrets" "$traces" "$shown" "$home"; then fails "a secret shows"; fi
	if find "$home" | grep -Ff "$BATS_TEST_TMPDIR/secrets"; then fails "a file's name is a secret"; fi
	[[ $(stat -c %a "$traces") == 600 ]]
}
