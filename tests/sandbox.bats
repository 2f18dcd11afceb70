#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The sandbox itself: it behaves like Alation's API, and goes wrong as it is told. By real curl alone.

bats_require_minimum_version 1.5.0
load lib/sandbox

setup() {
	sandbox_start
	REFRESH=$(sandbox_refresh_token 102 'from the UI')
}

teardown() {
	decoy_stop
	sandbox_stop
}

# call ENDPOINT [CURL ARG...]: the body into $body, the status into $status, the headers into $headers. Without
# subshells: under bats each costs a third of what curl costs.
call() {
	local endpoint=$1 dir=$BATS_TEST_TMPDIR
	shift
	curl_status=0
	: >"$dir/body"
	sandbox_curl "/integration/v1/$endpoint" -D "$dir/headers" -o "$dir/body" -w '%{http_code}' "$@" >"$dir/status" ||
		curl_status=$?
	IFS= read -rd '' status <"$dir/status" || :
	IFS= read -rd '' body <"$dir/body" || :
	IFS= read -rd '' headers <"$dir/headers" || :
	headers=${headers//$'\r'/}
	return "$curl_status"
}

# The same with a form (K=V...) and with JSON ('{...}').
form() {
	local endpoint=$1 field args=()
	shift
	for field; do args+=(--data-urlencode "$field"); done
	call "$endpoint/" "${args[@]}"
}
json() { call "$1/" -H 'Content-Type: application/json' -d "$2"; }

with_refresh() { form "$1" user_id=102 "refresh_token=${2:-$REFRESH}"; }
mint() {
	with_refresh createAPIAccessToken "$@"
	[[ $body =~ \"api_access_token\":\"([^\"]+)\" ]] && token=${BASH_REMATCH[1]}
}
get() { call "$1" -H "TOKEN: $2"; }

# A member without escapes in it, by the shell alone: jq would take most of the time here.
member() { [[ $body =~ \"$1\":\"?([^\"\\,}]*) ]] && echo "${BASH_REMATCH[1]}"; }
keys() { jq -r 'keys_unsorted | join(" ")' <<<"$body"; }

# expect STATUS [DETAIL CODE]
expect() {
	[[ $status == "$1" ]] || { echo "status $status, not $1: $body"; return 1; }
	[[ $# == 1 ]] && return
	[[ $body == "{\"detail\":\"$2\",\"code\":\"$3\"}" ]] || { echo "$body"; return 1; }
}

@test "createRefreshToken: form and JSON, 201, a name and a password with every kind of character" {
	sandbox_stop
	sandbox_start --user 'ada@x.example:a:b&+%: "ü:7'
	form createRefreshToken username=ada@x.example 'password=a:b&+%: "ü' $'name=my "own" \\ token\n/ü'
	expect 201
	[[ $(keys) == 'user_id created_at token_expires_at token_status last_used_at name refresh_token' ]]
	[[ $(member user_id) == 7 && $(member token_status) == ACTIVE && $body == *'"last_used_at":null,'* ]]
	[[ $(jq -er .name <<<"$body") == $'my "own" \\ token\n/ü' ]]
	[[ $(member refresh_token) =~ ^[A-Za-z0-9_-]{86}$ ]]
	[[ $headers == *$'\nContent-Type: text/json'* && $body != *[[:space:]]'"'* ]]
	json createRefreshToken '{"username":"ada@x.example","password":"a:b&+%: \"\u00fc","name":"n"}'
	expect 201
	[[ $(member name) == n ]]
}

@test "createRefreshToken: wrong password, unknown user, an SSO user are 401" {
	sandbox_stop
	sandbox_start --sso sam:8
	local detail='Username or password provided is invalid.'
	form createRefreshToken username=demo password=wrong name=n
	expect 401 "$detail" 401000
	form createRefreshToken username=nobody password=demo-password name=n
	expect 401 "$detail" 401000
	form createRefreshToken username=sam password=demo-password name=n
	expect 401 "$detail" 401000
	form createRefreshToken username=demo password=demo-password name=n
	expect 201
	mint "$(member refresh_token)"
	expect 201
	with_refresh validateRefreshToken "$(sandbox_refresh_token 8)"
	expect 401
	form validateRefreshToken user_id=8 "refresh_token=$(sandbox_refresh_token 8 ui)"
	expect 200
}

@test "createAPIAccessToken: form and JSON, user_id as number and as string" {
	mint
	expect 201
	[[ $(keys) == 'user_id created_at token_expires_at token_status api_access_token' ]]
	[[ $token =~ ^[A-Za-z0-9_-]{43}$ && $(member user_id) == 102 ]]
	json createAPIAccessToken "{\"user_id\":102,\"refresh_token\":\"$REFRESH\"}"
	expect 201
	json createAPIAccessToken " {\"user_id\":\"102\", \"refresh_token\":\"$REFRESH\", \"more\":null}
"
	expect 201
}

@test "a mint revokes the token minted before from the same RefreshToken, and no other" {
	local other first
	other=$(sandbox_refresh_token 102)
	mint "$other"
	other=$token
	mint
	first=$token
	get userinfo/ "$first"
	expect 200
	mint
	get userinfo/ "$first"
	expect 403
	form validateAPIAccessToken user_id=102 "api_access_token=$first"
	expect 401 'API Access Token provided is expired or revoked.' 401000
	get userinfo/ "$token"
	expect 200
	get userinfo/ "$other"
	expect 200
}

@test "regenRefreshToken: a new one of the same name; the old one and its access token end" {
	local old=$REFRESH
	mint
	with_refresh regenRefreshToken
	expect 201
	[[ $(member name) == 'from the UI' && $(member refresh_token) != "$old" ]]
	REFRESH=$(member refresh_token)
	get userinfo/ "$token"
	expect 403
	with_refresh createAPIAccessToken "$old"
	expect 401 'Refresh token provided is expired or revoked.' 401000
	with_refresh regenRefreshToken "$old"
	expect 401 'Refresh token provided is expired or revoked.' 401000
	json regenRefreshToken "{\"user_id\":102,\"refresh_token\":\"$REFRESH\"}"
	expect 201
}

@test "revokeAPIAccessTokens: 201, the access token ends, the RefreshToken lives, the detail echoes it" {
	mint
	with_refresh revokeAPIAccessTokens
	expect 201
	[[ $(keys) == detail ]]
	[[ $(member detail) =~ ^"Revoked active access tokens for refresh token: '$REFRESH' with id: "[0-9]+$ ]]
	get userinfo/ "$token"
	expect 403
	json revokeAPIAccessTokens "{\"user_id\":102,\"refresh_token\":\"$REFRESH\"}"
	expect 201
	mint
	expect 201
}

@test "validates: 200 with what the token is; the sentences for unknown, mismatched, expired, revoked" {
	local endpoint
	with_refresh validateRefreshToken
	expect 200
	[[ $(member refresh_token) == "$REFRESH" ]]
	json validateRefreshToken "{\"user_id\":102,\"refresh_token\":\"$REFRESH\"}"
	expect 200
	mint
	form validateAPIAccessToken user_id=102 "api_access_token=$token"
	expect 200
	[[ $(member api_access_token) == "$token" ]]
	json validateAPIAccessToken "{\"user_id\":102,\"api_access_token\":\"$token\"}"
	expect 200
	form validateAPIAccessToken user_id=103 "api_access_token=$token"
	expect 401 'API Access Token provided is invalid.' 401000
	sandbox_expire "$token"
	form validateAPIAccessToken user_id=102 "api_access_token=$token"
	expect 401 'API Access Token provided is expired or revoked.' 401000
	sandbox_refresh_token 102 token=revoked
	sandbox_revoke revoked
	sandbox_refresh_token 102 token=expired
	sandbox_expire expired
	with_refresh validateRefreshToken unknown
	expect 401 'Refresh token provided is invalid.' 401000
	with_refresh validateRefreshToken expired
	expect 401 'Refresh token provided is expired or revoked.' 401000
	for endpoint in validateRefreshToken createAPIAccessToken regenRefreshToken revokeAPIAccessTokens; do
		form "$endpoint" user_id=103 "refresh_token=$REFRESH"
		expect 401 'Refresh token provided is invalid.' 401000
		with_refresh "$endpoint" revoked
		expect 401 'Refresh token provided is expired or revoked.' 401000
	done
}

@test "data endpoints: a live TOKEN, else 403000" {
	local detail='Authentication credentials were not provided.'
	mint
	get userinfo/ "$token"
	expect 200
	[[ $body == '{"id":102,"username":"demo","email":"demo@sandbox.example","role":"VIEWER"}' ]]
	status=$(sandbox_curl /integration/v2/datasource/ -H "token: $token" -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')
	expect 200
	[[ $(jq -r '.[0].id' "$BATS_TEST_TMPDIR/body") == 1 ]]
	call userinfo/
	expect 403 "$detail" 403000
	get userinfo/ "$REFRESH"
	expect 403 "$detail" 403000
	sandbox_expire "$token"
	get userinfo/ "$token"
	expect 403 "$detail" 403000
	body=$(sandbox_curl /integration/v2/datasource/ -H "TOKEN: $token" -w '%{http_code}')
	[[ $body == "{\"detail\":\"$detail\",\"code\":\"403000\"}403" ]]
}

@test "the instance's own API page needs no token, and is switched off by a fault" {
	status=$(sandbox_curl /openapi/api_authentication/ -o "$BATS_TEST_TMPDIR/body" -w '%{http_code} %{content_type}')
	[[ $status == '200 text/html; charset=utf-8' ]]
	grep -q swagger "$BATS_TEST_TMPDIR/body"
	sandbox_fault endpoint=apiPage status=404
	[[ $(sandbox_curl /openapi/api_authentication/ -o /dev/null -w '%{http_code}') == 404 ]]
}

@test "bad requests: 400, 415, 413, 405, 404, and 301 for a missing slash" {
	form createAPIAccessToken user_id=abc
	expect 400
	[[ $(jq -c .errors <<<"$body") == \
		'{"refresh_token":["This field is required."],"user_id":["A valid integer is required."]}' ]]
	form createRefreshToken username=demo password= name=n
	expect 400
	json createAPIAccessToken '{"user_id":102,'
	expect 400
	json createAPIAccessToken '{"user_id":102,"refresh_token":["x"]}'
	expect 400
	json createAPIAccessToken '{} {}'
	expect 400
	call createAPIAccessToken/ -F user_id=102
	expect 415
	head -c 1100000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/large"
	call createAPIAccessToken/ -H Expect: -d "@$BATS_TEST_TMPDIR/large" || :
	expect 413
	call createAPIAccessToken/
	expect 405
	call nothing/ -d a=b
	expect 404 'Not found.' 404000
	call createAPIAccessToken -d a=b
	expect 301
	[[ $headers == *$'\nLocation: /integration/v1/createAPIAccessToken/'* ]]
	mint
	expect 201
}

@test "dates: with an offset, with Z, without a fraction; lifetimes; a clock that is wrong" {
	local style pattern lived skew
	sandbox_stop
	sandbox_start --dates z --access-lifetime 7200 --refresh-lifetime 86400
	REFRESH=$(sandbox_refresh_token 102)
	mint
	[[ $(member created_at) =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$ ]]
	while read -r style pattern; do
		sandbox_control dates "style=$style"
		mint
		[[ $(member created_at) =~ $pattern && $(member token_expires_at) =~ $pattern ]]
		lived=$(($(date -d "$(member token_expires_at)" +%s) - $(date -d "$(member created_at)" +%s)))
		((lived == 7200 || lived == 7199))
		skew=$((EPOCHSECONDS - $(date -d "$(member created_at)" +%s)))
		((skew >= 0 && skew < 60))
	done <<-'END'
		offset ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}-07:00$
		plain ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$
		z ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$
	END
	sandbox_control date-header skew_s=-864000
	mint
	for when in "$(member created_at)" "$(sed -n 's/^Date: //p' <<<"$headers")"; do
		skew=$((EPOCHSECONDS - $(date -d "$when" +%s)))
		((skew >= 864000 && skew < 864060))
	done
	get userinfo/ "$token"
	expect 200
	run ! sandbox_control dates style=roman
}

@test "lifetimes end by themselves, judged by the true clock" {
	local short
	short=$(sandbox_refresh_token 102 short expires_in=1)
	with_refresh validateRefreshToken "$short"
	expect 200
	# A date is what is waited for here, not a moment that may be too short.
	until [[ $status == 401 ]]; do with_refresh validateRefreshToken "$short"; done
	expect 401 'Refresh token provided is expired or revoked.' 401000
}

@test "a RefreshToken of a chosen text, such as one that begins with '-'" {
	[[ $(sandbox_refresh_token 102 n token=-x) == -x ]]
	mint -x
	expect 201
	run ! sandbox_refresh_token 103
}

@test "fault: any status with any body, type and header, before it acted or after" {
	mint
	sandbox_fault endpoint=createAPIAccessToken status=503 'body=<h1>a&b+c</h1>' type=text/html \
		'header=Retry-After: 7' header=X-More:1
	with_refresh createAPIAccessToken
	expect 503
	[[ $body == '<h1>a&b+c</h1>' && $headers == *$'\nContent-Type: text/html'* ]]
	[[ $headers == *$'\nRetry-After: 7'* && $headers == *$'\nX-More: 1'* ]]
	get userinfo/ "$token"
	expect 200
	sandbox_fault endpoint=createAPIAccessToken status=500 act=yes
	with_refresh createAPIAccessToken
	expect 500
	get userinfo/ "$token"
	expect 403
	sandbox_fault endpoint=userinfo status=302 header=Location:https://idp.example/login body=
	get userinfo/ x
	expect 302
	[[ -z $body && $headers == *$'\nLocation: https://idp.example/login'* ]]
	mint
	expect 201
}

@test "fault: dropped before it acted, dropped after, cut off in the middle" {
	mint
	sandbox_fault endpoint=createAPIAccessToken drop=before
	with_refresh createAPIAccessToken || :
	[[ $curl_status == 52 ]]
	get userinfo/ "$token"
	expect 200
	sandbox_fault endpoint=createAPIAccessToken drop=after
	with_refresh createAPIAccessToken || :
	[[ $curl_status == 52 ]]
	get userinfo/ "$token"
	expect 403
	sandbox_fault endpoint=validateRefreshToken cut=12
	with_refresh validateRefreshToken || :
	[[ $curl_status == 18 && $body == '{"user_id":1' ]]
	[[ $(sandbox_log | grep -c ' 000 ') == 2 ]]
}

@test "fault: single members of a normal answer" {
	sandbox_fault endpoint=createAPIAccessToken 'set=token_expires_at:"not a date"' set=user_id:1e5 unset=token_status \
		'set=status:"failed"'
	mint
	expect 201
	[[ $(keys) == 'user_id created_at token_expires_at api_access_token status' ]]
	[[ $body == '{"user_id":1e5,'*',"token_expires_at":"not a date",'*',"status":"failed"}' ]]
	get userinfo/ "$token"
	expect 200
	sandbox_fault endpoint=createAPIAccessToken unset=api_access_token status=200
	with_refresh createAPIAccessToken
	expect 200
	[[ $(keys) == 'user_id created_at token_expires_at token_status' ]]
}

@test "faults queue in order, last for so many calls, stay until cleared, hit their endpoint alone" {
	sandbox_fault endpoint=createAPIAccessToken status=500 times=2
	sandbox_fault endpoint=createAPIAccessToken status=503
	sandbox_fault 'endpoint=*' status=429 times=0
	with_refresh createAPIAccessToken
	expect 500
	with_refresh validateRefreshToken
	expect 429
	with_refresh createAPIAccessToken
	expect 500
	with_refresh createAPIAccessToken
	expect 503
	with_refresh createAPIAccessToken
	expect 429
	call userinfo/
	expect 429
	sandbox_clear
	mint
	expect 201
}

@test "fault: raw bytes instead of an answer, before one, after it acted; closed or reset" {
	local raw=$'HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{"a":1'
	mint
	sandbox_fault endpoint=createAPIAccessToken "raw=$raw"
	with_refresh createAPIAccessToken || :
	[[ $curl_status == 18 && $status == 201 && $body == '{"a":1' ]]
	get userinfo/ "$token"
	expect 200
	sandbox_fault endpoint=createAPIAccessToken "raw=$raw" end=reset act=yes
	with_refresh createAPIAccessToken || :
	[[ $curl_status == 56 ]] # a reset, not an end
	get userinfo/ "$token"
	expect 403
	sandbox_fault endpoint=userinfo 'raw={"a":1}'
	get userinfo/ x || :
	[[ $curl_status == 1 && -z $body ]] # HTTP/0.9
	sandbox_fault endpoint=createAPIAccessToken raw=$'HTTP/1.1 103 Early Hints\r\nX-Hint: 1\r\n\r\n' end=answer
	mint
	expect 201
	[[ $headers == 'HTTP/1.1 103 Early Hints'*$'\nX-Hint: 1\n'*$'\nHTTP/1.1 201 '* ]]
	printf 'HTTP/1.1 200 OK\r\n\r\na\0b' >"$BATS_TEST_TMPDIR/raw"
	sandbox_fault endpoint=userinfo "raw@$BATS_TEST_TMPDIR/raw"
	call userinfo/
	cmp "$BATS_TEST_TMPDIR/body" <(printf 'a\0b')
	[[ $(sandbox_log) == *' 000 '*' fault=raw,end '* ]]
}

@test "fault: bytes without end, byte by byte, and silence, each until the client goes" {
	local raw=$'HTTP/1.1 200 OK\r\n\r\n('
	sandbox_fault endpoint=userinfo "raw=$raw" fill='ab'
	sandbox_curl /integration/v1/userinfo/ | head -c 300001 >"$BATS_TEST_TMPDIR/much" || :
	[[ $(head -c 5 "$BATS_TEST_TMPDIR/much") == '(abab' && $(wc -c <"$BATS_TEST_TMPDIR/much") == 300001 ]]
	sandbox_fault endpoint=userinfo "raw=$raw" fill='ab' drip_ms=50
	call userinfo/ --max-time 1 || :
	[[ $curl_status == 28 && $body == '(a'* && ${#body} -lt 25 ]]
	sandbox_fault endpoint=userinfo "raw=$raw" end=stall
	call userinfo/ --max-time 0.3 || :
	[[ $curl_status == 28 && $body == '(' ]]
	# Nor do they outlive the server.
	sandbox_fault endpoint=userinfo "raw=$raw" end=stall
	sandbox_fault endpoint=userinfo "raw=$raw" fill=x drip_ms=60000
	for i in 1 2; do
		exec {slow}< <(sandbox_curl /integration/v1/userinfo/ --no-buffer 2>&1 3>&-)
		read -r -n 1 -u "$slow" # it is under way
	done
	sandbox_stop
}

@test "connections that end before a request: closed, reset; exactly as many as were asked for" {
	sandbox_break close
	get userinfo/ x || :
	[[ $curl_status == 52 ]]
	sandbox_break reset 2
	for i in 1 2; do
		get userinfo/ x || :
		[[ $curl_status == 56 || $curl_status == 7 ]] # the second where it came before the connection was up
	done
	get userinfo/ x
	expect 403
	run -1 sandbox_break expired # without TLS
	run -1 sandbox_break nonsense
	run -1 sandbox_break close 0
	[[ $(sandbox_log | wc -l) == 1 ]]
}

@test "TLS that must not be accepted: each is what it is called, and what a client that does not mind would see" {
	local what wanted
	sandbox_stop
	sandbox_start --tls
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=client -days 2 \
		-keyout "$BATS_TEST_TMPDIR/key" -out "$BATS_TEST_TMPDIR/certificate" 2>/dev/null
	while read -r what wanted words; do
		sandbox_break "$what"
		run call userinfo/ --max-time 0.5
		[[ " $wanted " == *" $status "* ]] || { echo "$what: curl says $status: $output"; return 1; }
		[[ $output == *"$words"* ]] || { echo "$what: $output"; return 1; }
	done <<-'END'
		expired 60 certificate has expired
		wrong-host 60 no alternative certificate subject name
		self-signed 60 self-signed certificate
		tls1.1 35
		client-certificate 56 certificate required
		cut 35
		stall 28
		close 35
	END
	[[ $(sandbox_log) != *userinfo* ]]
	for what in expired wrong-host self-signed '' ; do
		[[ ! $what ]] || sandbox_break "$what"
		call userinfo/ -k
		expect 403
	done
	sandbox_break tls1.1
	call userinfo/ --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0
	expect 403
	sandbox_break client-certificate
	call userinfo/ --cert "$BATS_TEST_TMPDIR/certificate" --key "$BATS_TEST_TMPDIR/key"
	expect 403
	sandbox_fault endpoint=userinfo raw=$'HTTP/1.1 200 OK\r\n\r\nraw' end=reset
	call userinfo/ || :
	[[ $body == raw* ]] # past libmicrohttpd, but not past TLS
}

@test "decoys: one takes, one answers, one relays; each counts, keeps what it got, and ends" {
	local port
	decoy_start idle sink
	decoy_start takes sink
	run -28 curl -q -sS --noproxy '*' --max-time 0.3 -d secret "http://127.0.0.1:$DECOY_PORT/x"
	[[ $(decoy_met takes) == 1 && $(decoy_got takes) == 'POST /x HTTP/1.1'*$'\r\n\r\nsecret' ]]
	printf 'HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nhm' >"$BATS_TEST_TMPDIR/text"
	decoy_start answers answer "$BATS_TEST_TMPDIR/text"
	[[ $(curl -q -sS --noproxy '*' -w '%{http_code}' "http://127.0.0.1:$DECOY_PORT/") == hm407 ]]
	decoy_start relays proxy
	port=$DECOY_PORT
	[[ $(curl -q -sS --noproxy '' -p -x "http://127.0.0.1:$port" "$SANDBOX_URL/integration/v1/userinfo/") == *403000* ]]
	[[ $(decoy_got relays) == "CONNECT ${SANDBOX_URL#http://} "* && $(decoy_met idle) == 0 && -z $(decoy_got idle) ]]
	decoy_stop
	run -7 curl -q -sS --noproxy '*' "http://127.0.0.1:$port/"
}

@test "a fault that cannot be is refused, so that no test tests nothing" {
	local bad
	for bad in endpoint=createToken 'endpoint=userinfo stauts=500' 'endpoint=userinfo status=99' \
		'endpoint=userinfo drop=maybe' 'endpoint=userinfo set=x' status=500 'endpoint=userinfo fill=x' \
		'endpoint=userinfo end=reset' 'endpoint=userinfo raw=x drip_ms=5' 'endpoint=userinfo raw=x fill=x drip_ms=0' \
		'endpoint=userinfo raw=x end=never'; do
		run -1 sandbox_fault $bad
	done
	mint
	expect 201
}

@test "fault: a slow call is held up before it acts, and holds nobody else up" {
	local slow
	mint
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	sandbox_curl /integration/v1/createAPIAccessToken/ -d user_id=102 -d "refresh_token=$REFRESH" \
		-o "$BATS_TEST_TMPDIR/slow" 3>&- &
	slow=$!
	sandbox_held
	get userinfo/ "$token"
	expect 200
	sandbox_release
	wait "$slow"
	[[ $(jq -r .token_status "$BATS_TEST_TMPDIR/slow") == ACTIVE ]]
	get userinfo/ "$token"
	expect 403
}

@test "it ends while a call is held up, with status 0" {
	local slow
	sandbox_fault endpoint=userinfo delay_ms=600000
	sandbox_curl /integration/v1/userinfo/ -o /dev/null 2>/dev/null 3>&- &
	slow=$!
	sandbox_held
	sandbox_stop
	run wait "$slow"
}

@test "200 clients at once: each gets an answer, one access token lives" {
	local i live
	for ((i = 0; i < 200; i++)); do
		echo "url = $SANDBOX_URL/integration/v1/createAPIAccessToken/"
	done >"$BATS_TEST_TMPDIR/config"
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000 times=0
	curl -q -sS --noproxy '*' --max-time 20 -Z --parallel-immediate --parallel-max 200 -K "$BATS_TEST_TMPDIR/config" \
		-d "user_id=102&refresh_token=$REFRESH" -w '\n' >"$BATS_TEST_TMPDIR/answers" 2>/dev/null 3>&- &
	sandbox_held 200
	sandbox_clear
	sandbox_release
	wait $!
	[[ $(grep -o '"api_access_token":"[^"]*"' "$BATS_TEST_TMPDIR/answers" | sort -u | wc -l) == 200 ]]
	[[ $(sandbox_calls createAPIAccessToken) == 200 ]]
	live=$(sandbox_log | sed -n '$s/.* made=//p')
	get userinfo/ "$live"
	expect 200
	[[ $(sandbox_log | cut -d' ' -f1) == "$(seq 201)" ]]
}

@test "the log: one line a call, written before the answer; control calls and passwords are not in it" {
	form createRefreshToken username=demo password=demo-password name=n
	REFRESH=$(member refresh_token)
	mint
	with_refresh regenRefreshToken
	get "nothing%0aelse" "a b"
	local new=$(sandbox_log | sed -n '3s/.* made=//p')
	with_refresh validateRefreshToken "$new"
	expect 200
	diff -u <(sandbox_log | sed -E 's/^([0-9]+) [0-9]{13} /\1 MS /') - <<-END
		1 MS POST /integration/v1/createRefreshToken/ 201 user_id=- refresh=$REFRESH access=- fault=- made=$REFRESH
		2 MS POST /integration/v1/createAPIAccessToken/ 201 user_id=102 refresh=$REFRESH access=$token fault=- made=$token
		3 MS POST /integration/v1/regenRefreshToken/ 201 user_id=102 refresh=$REFRESH access=- fault=- made=$new
		4 MS GET /integration/v1/nothing%0Aelse 404 user_id=- refresh=- access=a%20b fault=- made=-
		5 MS POST /integration/v1/validateRefreshToken/ 200 user_id=102 refresh=$new access=- fault=- made=-
	END
	[[ $(sandbox_curl /sandbox/log) == "$(sandbox_log)" ]]
	[[ $(sandbox_calls createAPIAccessToken) == 1 && $(sandbox_calls userinfo) == 0 ]]
	sandbox_fault endpoint=userinfo drop=after delay_ms=1
	get userinfo/ x || :
	[[ $(sandbox_log) == *' 000 user_id=- refresh=- access=x fault=delay_ms,drop-after made=-' ]]
}

@test "TLS: with its CA by name and by address, refused without; no key is written" {
	sandbox_stop
	sandbox_start --tls
	[[ $SANDBOX_URL =~ ^https://localhost:[0-9]+$ ]]
	REFRESH=$(sandbox_refresh_token 102)
	mint
	expect 201
	get userinfo/ "$token"
	expect 200
	sandbox_fault endpoint=userinfo drop=before
	get userinfo/ "$token" || :
	[[ $curl_status != 0 ]]
	SANDBOX_URL=https://127.0.0.1:${SANDBOX_URL##*:} sandbox_curl /sandbox/log >/dev/null
	run -60 curl -q -sS --noproxy '*' "$SANDBOX_URL/sandbox/log"
	[[ -s $SANDBOX_DIR/tls/server.pem ]]
	run ! grep -rq PRIVATE "$SANDBOX_DIR"
}

@test "IPv6, with and without TLS" {
	sandbox_stop
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || skip "this machine has no ::1"
	sandbox_start --address ::1
	[[ $SANDBOX_URL == 'http://[::1]:'* ]]
	sandbox_curl /sandbox/log >/dev/null
	sandbox_stop
	sandbox_start --address ::1 --tls
	[[ $SANDBOX_URL == 'https://[::1]:'* ]]
	sandbox_curl /sandbox/log >/dev/null
}

@test "options: --help names each; wrong ones are 2 and start nothing" {
	local program=${B:-$SANDBOX_TOP/.build}/tests/alation-sandbox option
	run -0 --separate-stderr "$program" --help
	[[ $output == *'alation-cred login'* && -z $stderr ]]
	for option in port address tls log user sso access-lifetime refresh-lifetime dates die-with-parent help; do
		[[ $output == *"  --$option"* ]]
	done
	for option in raw fill drip_ms end /sandbox/connection expired wrong-host self-signed tls1.1 client-certificate cut stall; do
		[[ $output == *"$option"* ]]
	done
	for option in --what --port=x --port=70000 --user=a --user=a:b --user=:b:1 --user=a:b:0 --sso=a:b:1 --sso=a --dates=x \
		--access-lifetime=0 more; do
		status=0
		output=$("$program" "$option" 2>"$BATS_TEST_TMPDIR/stderr") || status=$?
		[[ $status == 2 && -z $output && $(<"$BATS_TEST_TMPDIR/stderr") == *--help* ]]
	done
	run -2 --separate-stderr "$program" --user a:b:1 --user a:c:2
	run -1 --separate-stderr "$program" --address nowhere
	[[ -z $output ]]
	run -1 --separate-stderr "$program" --log "$BATS_TEST_TMPDIR/no/such"
	run -1 --separate-stderr "$program" --port "${SANDBOX_URL##*:}"
	run ! sandbox_start --port=x
}

@test "--die-with-parent: it ends with the process that started it" {
	local program=${B:-$SANDBOX_TOP/.build}/tests/alation-sandbox dir=$BATS_TEST_TMPDIR parent url
	mkfifo "$dir/out" "$dir/go"
	bash -c '"$1" --die-with-parent & read -r _ <"$2"' - "$program" "$dir/go" >"$dir/out" 3>&- &
	parent=$!
	exec 5<"$dir/out"
	read -r url <&5
	[[ $(curl -q -sS --noproxy '*' -o /dev/null -w '%{http_code}' "$url/sandbox/log") == 200 ]]
	echo >"$dir/go"
	wait "$parent"
	# The end of its stdout is the end of the server.
	run -1 read -r -t 10 <&5
	exec 5<&-
}
