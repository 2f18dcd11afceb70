#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the server answers, or does not: each answer's exit code, its `code`, what it says, and that nothing but a
# whole good answer ever reaches stdout. Rows for the two calls that bring a token: create (a login by password) and
# mint (a token that is not cached). TLS, proxies and unknown hosts are tls.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup; }
teardown() { program_teardown; }

GOOD='"user_id":102,"created_at":"2026-01-01T00:00:00Z","token_expires_at":"2026-01-02T00:00:00Z","token_status":"ACTIVE"'
CREATED="$GOOD"',"last_used_at":null,"name":"n","refresh_token":"Xcanary"'
MINTED="$GOOD"',"api_access_token":"Xcanary"'

# create_row CODE NAME WORDS FAULT…; mint_row the same.
row_fault() { # for as many calls as `refuses` will make
	local times=1
	[[ $refused_plainly == *" $2 "* ]] || times=2
	sandbox_fault "endpoint=$1" times=$times "${@:3}"
}

create_row() {
	row_fault createRefreshToken "$2" "${@:4}"
	input=$SANDBOX_PASSWORD refuses "$1" "$2" "$SANDBOX_URL|$3" login "$SANDBOX_URL" --user demo --password-stdin \
		|| fails "create: ${*@Q}" || return 1
	[[ $(listed) == 0 && $out$err != *canary* ]] || fails "create: ${*@Q}: an account, or a secret that shows"
}

# If an answer had been cached, the next row would be served.
mint_row() {
	forget_refusal
	row_fault createAPIAccessToken "$2" "${@:4}"
	refuses "$1" "$2" "$3" token || fails "mint: ${*@Q}" || return 1
	sandbox_clear # what it remembered of the first it did not ask again
	forget_refusal
	[[ $out$err != *canary* ]] || fails "mint: ${*@Q}: a secret that shows"
}

# An account whose access token is not cached.
login_uncached() {
	login_demo
	expect 0
	forget_cached
}

nothing_cached() {
	local key
	for key in $(kernel_keys); do
		[[ $(keyctl pipe "$(keyctl search @u user "$key")") != *'&token='* ]] || fails "it is cached" || return 1
	done
}

forget_cached() {
	local key
	for key in $(kernel_keys); do keyctl unlink "$(keyctl search @u user "$key")" @u; done
}

# Both; after it the account is as good as before.
both_rows() {
	create_row "$@"
	login_uncached
	mint_row "$@"
	nothing_cached
	run_cred token
	expect 0
	works "$out"
	run_cred logout
}

@test "create: a wrong password, an unknown user, a user of SSO: 3, and where to go" {
	program_sandbox --user demo:demo-password:102 --sso sam:103
	local where="SSO|$SANDBOX_URL/account/auth"
	input=wrong refuses 3 login_refused "the user name or the password|$where" login "$SANDBOX_URL" --user demo --password-stdin
	input=demo-password refuses 3 login_refused "the user name or the password|$where" login "$SANDBOX_URL" --user nobody --password-stdin
	input=demo-password refuses 3 login_refused "the user name or the password|$where" login "$SANDBOX_URL" --user sam --password-stdin
	[[ ! -e $STATE/accounts && $(sandbox_calls createAPIAccessToken) == 0 ]]
}

@test "create: a redirect, HTML or 403: 7, and the message names SSO" {
	local sso="SSO|$SANDBOX_URL/account/auth"
	create_row 7 not_an_alation_server "redirected to https://idp.example|$sso" status=302 'header=Location:https://idp.example/login?state=Xcanary' body=
	create_row 7 not_an_alation_server "redirected to https://idp.example:8443|$sso" status=307 'header=Location:https://u:Xcanary@idp.example:8443/'
	create_row 7 not_an_alation_server "$sso" status=301 header=Location:/account/login body=
	create_row 7 not_an_alation_server "web page|$sso" status=200 type=text/html 'body=<html>Xcanary</html>'
	create_row 7 not_an_alation_server "web page|$sso" status=403 type=text/html 'body=<html>Xcanary</html>'
	create_row 7 not_an_alation_server "web page|$sso" status=200 type=text/json $'body=\n <!DOCTYPE html>'
	create_row 7 forbidden "HTTP 403|$sso" status=403
	create_row 7 forbidden "HTTP 403|$sso" status=403 body=
	create_row 7 not_an_alation_server "404|$sso" status=404
}

@test "mint: a redirect, HTML, 403, 404: 7" {
	login_uncached
	mint_row 7 not_an_alation_server "${SANDBOX_URL/:\/\//://102@}|redirected to https://idp.example" status=302 'header=Location:https://idp.example/?t=Xcanary'
	mint_row 7 not_an_alation_server 'redirect' status=308 header=Location:/x
	mint_row 7 not_an_alation_server 'web page' status=200 type=text/html 'body=<html>Xcanary</html>'
	mint_row 7 not_an_alation_server 'web page' status=201 type=text/html body=
	mint_row 7 not_an_alation_server 'web page' status=400 type=text/html 'body=<html>'
	mint_row 7 not_an_alation_server 'HTTP 404' status=404
	mint_row 7 forbidden "${SANDBOX_URL/:\/\//://102@}|HTTP 403|administrator" status=403
	run_cred token
	expect 0
	works "$out"
}

@test "a fault of the server, maintenance, too many requests, statuses that are not documented: 7" {
	local status
	for status in 500 502 504 599; do
		create_row 7 server_error "HTTP $status|later" status=$status
	done
	create_row 7 server_error 'HTTP 503' status=503 type=text/html 'body=<html>maintenance</html>'
	create_row 7 throttled 'too many requests' status=429
	for status in 400 405 422 499; do
		create_row 7 bad_reply "HTTP $status" status=$status
	done
	login_uncached
	mint_row 7 server_error 'HTTP 503' status=503 type=text/html 'body=<html>maintenance</html>'
	mint_row 7 throttled "${SANDBOX_URL/:\/\//://102@}" status=429
	mint_row 7 bad_reply 'HTTP 422' status=422
	mint_row 7 bad_reply 'HTTP 400' status=400
}

@test "429 with Retry-After: how long, in words and in JSON" {
	login_uncached
	forget_refusal
	sandbox_fault endpoint=createAPIAccessToken status=429 'header=Retry-After: 17'
	run_cred --format json token
	expect_json 7 throttled 'wait 17 s'
	[[ $out == *'"retryable":true,"retry_after":17}' ]] || fails "retry_after"
	forget_refusal
	sandbox_fault endpoint=createAPIAccessToken status=429 "header=Retry-After: $(LC_ALL=C date -u -d '+90 seconds' '+%a, %d %b %Y %T GMT')"
	run_cred --format json token
	expect_json 7 throttled
	[[ $out =~ '"retry_after":'(8[5-9]|90)'}' ]] || fails "retry_after, a date"
	for wait in nonsense -5 '' 'Sat, 01 Jan 2000 00:00:00 GMT'; do
		forget_refusal
		sandbox_fault endpoint=createAPIAccessToken status=429 "header=Retry-After: $wait"
		run_cred --format json token
		expect_json 7 throttled
		[[ $out == *'"retry_after":null}' ]] || fails "retry_after: $wait"
	done
}

@test "mint: what the RefreshToken is refused for: 3" {
	login_uncached
	mint_row 3 refresh_token_refused "not valid, or 102 is not its user id|$SANDBOX_URL/account/auth" status=401
	mint_row 3 refresh_token_refused 'not valid' status=401 body=
	mint_row 3 refresh_token_refused 'not valid' status=401 type=text/html 'body=<html>expired</html>'
	mint_row 3 refresh_token_expired "'alation-cred@|expired or revoked|$SANDBOX_URL/account/auth" status=401 \
		'body={"detail":"Refresh token provided is expired or revoked.","code":401000}'
	mint_row 3 refresh_token_expired 'expired or revoked' 'set=token_status:"EXPIRED"'
	mint_row 3 refresh_token_expired 'expired or revoked' 'set=token_status:"revoked"' status=200
	sandbox_expire "$(sed -n '1s/.* made=//p' "$SANDBOX_LOG")"
	refuses 3 refresh_token_expired 'expired or revoked' token
}

@test "'\"status\":\"failed\"', a missing or mistyped token, in a 2xx: 7" {
	local row
	login_uncached
	for row in 'set=status:"failed"' 'set=status:"FAILED"' set=user_id:103 'set=user_id:"x"' set=user_id:0 set=user_id:1.5 \
		'set=token_status:"PENDING"'; do
		mint_row 7 bad_reply "${SANDBOX_URL/:\/\//://102@}" "$row"
	done
	for row in unset= set=:7 set=:null 'set=:""' 'set=:["Xcanary"]' 'set=:{"a":"Xcanary"}' 'set=:"Xcanary\n"' \
		'set=:"Xcan\nary"' 'set=:"Xcan\r\nTOKEN: x"' 'set=:"Xcan\u0000ary"' 'set=:"Xcan ary"' 'set=:"Xcanäry"' 'set=:"\u001b[31mXcanary"' \
		'set=:"Xcan\"ary"' "set=:\"$(printf 'x%.0s' {1..16385})\""; do
		mint_row 7 bad_reply api_access_token "${row%%=*}=api_access_token${row#*=}"
	done
	nothing_cached
	run_cred logout
	for row in unset= set=:7 set=:null 'set=:""' 'set=:["Xcanary"]' 'set=:"Xcan\nary"' 'set=:"Xcan\\ary"' 'set=:"Xcan\u0000ary"' \
		"set=:\"$(printf 'x%.0s' {1..16385})\""; do
		create_row 7 bad_reply refresh_token "${row%%=*}=refresh_token${row#*=}"
	done
	for row in unset=user_id set=user_id:null 'set=user_id:"demo"' set=user_id:-1 set=user_id:2147483648 'set=status:"failed"'; do
		create_row 7 bad_reply '' "$row"
	done
}

@test "a 2xx that is not one strict JSON object, or names a member twice: 7" {
	local body
	login_uncached
	for body in '' '{' '{}' null '"Xcanary"' "[{$MINTED}]" "{$MINTED" "{$MINTED} {$MINTED}" "{$MINTED,}" \
		"{$MINTED,\"api_access_token\":\"other\"}" "{$MINTED,\"x\":1,\"x\":2}" \
		"{$MINTED,\"api_\\u0061ccess_token\":\"other\"}" "{'a':1,$MINTED}" "{$MINTED,\"x\":NaN}" \
		"{$MINTED,\"x\":$(printf '[%.0s' {1..40})$(printf ']%.0s' {1..40})}" "{$MINTED/**/}" $'{'"$MINTED"$',"x":"\x01"}' \
		$'{'"$MINTED"$',"x":"\xff"}' "callback({$MINTED})" "{$MINTED,\"x\":\"$(printf 'x%.0s' {1..70000})\"}"; do
		mint_row 7 bad_reply "${SANDBOX_URL/:\/\//://102@}" status=201 "body=$body" || return 1
	done
	nothing_cached
	run_cred logout
	for body in '' '{}' "{$CREATED" "{$CREATED,\"refresh_token\":\"other\"}" "{$CREATED,\"user_id\":103}" "{$CREATED} "$'\x01'; do
		create_row 7 bad_reply '' status=201 "body=$body" || return 1
	done
}

@test "replies that are good: other statuses of success, types, cases, members, blanks" {
	local row
	login_uncached
	for row in type=text/html type= 'set=token_status:"active"' 'set=user_id:"102"' unset=user_id \
		unset=token_status 'set=more:{"status":"failed"}' 'set=status:"success"' set=last_used_at:null unset=created_at \
		'set=api_access_token:"a.b_c~d+e/f=-"' "set=api_access_token:\"$(printf 'x%.0s' {1..9000})\"" 'set=name:"\u001b]0;x\u0007"'; do
		sandbox_fault endpoint=createAPIAccessToken "$row"
		run_cred token
		expect 0 || fails "$row"
		[[ -z $err ]] || fails "$row: a warning"
		forget_cached
	done
	for row in 200 202 226 299; do
		sandbox_fault endpoint=createAPIAccessToken "status=$row" set=more:1
		run_cred token
		expect 0 || fails "status $row"
		forget_cached
	done
	sandbox_fault endpoint=createAPIAccessToken status=201 $'body=\r\n{ '"$MINTED"$' }\n\n'
	run_cred token
	[[ $code == 0 && $out == Xcanary ]]
}

@test "dates that cannot be used: 1 h, a warning, 0" {
	local row left
	login_uncached
	for row in 'set=token_expires_at:"not a date"' unset=token_expires_at set=token_expires_at:null set=token_expires_at:1767312000 \
		'set=token_expires_at:""' 'set=token_expires_at:"2026-13-45T99:99:99Z"' 'set=token_expires_at:"2026-01-01"' \
		'set=token_expires_at:"2000-01-01T00:00:00Z"' 'set=token_expires_at:"9999-01-01T00:00:00Z"' \
		'set=token_expires_at:"2026-02-30T00:00:00Z"'; do
		sandbox_fault endpoint=createAPIAccessToken "$row"
		run_cred token --format json
		expect 0 'taken to live one hour' || fails "$row"
		[[ $out == *'"warnings":[{"code":"lifetime_unknown","message":"'* && $out =~ '"expires_at_epoch":'([0-9]+) ]] || fails "$row"
		left=$((BASH_REMATCH[1] - EPOCHSECONDS))
		((left > 3580 && left <= 3600)) || fails "$row: $left s"
		# It is cached, so the warning came once.
		run_cred token
		expect 0
		[[ -z $err ]]
		forget_cached
	done
	[[ $(sandbox_calls createAPIAccessToken) == 11 ]]
	# Without a usable created_at the reply's Date serves.
	for row in unset=created_at 'set=created_at:"x"'; do
		sandbox_fault endpoint=createAPIAccessToken "$row"
		run_cred token --format json
		expect 0
		[[ $out =~ '"expires_at_epoch":'([0-9]+)','.*'"warnings":[]' ]] || fails "$row"
		left=$((BASH_REMATCH[1] - EPOCHSECONDS))
		((left > 86380 && left <= 86410)) || fails "$row: $left s"
		forget_cached
	done
	# A RefreshToken's dates inform: none is known then.
	sandbox_fault endpoint=createRefreshToken 'set=token_expires_at:"x"'
	login_demo
	expect 0 'ends at a time the server did not tell'
}

@test "dates of both styles and without fraction, with a clock that is wrong: the same expiry on ours" {
	local style skew left
	login_uncached
	for style in offset z plain; do
		for skew in 0 864000 -864000; do
			sandbox_control dates style=$style
			sandbox_control date-header skew_s=$skew
			run_cred token --format json
			expect 0
			[[ -z $err && $out =~ '"expires_at_epoch":'([0-9]+) ]] || fails "$style $skew"
			left=$((BASH_REMATCH[1] - EPOCHSECONDS))
			((left > 86380 && left <= 86400)) || fails "$style $skew: $left s"
			run_cred status
			[[ $skew == 0 || $out == *"the server's differs from this machine's by "* ]] || fails "status does not tell"
			forget_cached
		done
	done
}

@test "nobody listens, a connection that breaks, an answer that is cut: 6" {
	both_rows 6 network 'check the network' drop=before
	both_rows 6 network 'check the network' drop=after
	both_rows 6 network 'check the network' cut=20
	login_uncached
	sandbox_stop
	refuses 6 network "${SANDBOX_URL/:\/\//://102@}|no connection" token
	input=$SANDBOX_PASSWORD refuses 6 network 'no connection' login "$SANDBOX_URL" --user demo --password-stdin
	input=pasted refuses 6 network 'no connection' login "$SANDBOX_URL" --user-id 102 --token-stdin
	run_cred status
	[[ $code == 0 && $out == *"${SANDBOX_URL/:\/\//://102@}"* ]]
}

@test "a server that does not answer: 6, by the timeout" {
	local began
	login_uncached
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	began=$EPOCHSECONDS
	run_cred token --timeout 1 --format json
	expect_json 6 timeout --timeout
	((EPOCHSECONDS - began < 10)) || fails "it waited longer"
	sandbox_release
	sandbox_fault endpoint=createRefreshToken delay_ms=60000
	run_cred login "$SANDBOX_URL" --timeout 1 --user demo --password-stdin --name late <<<"$SANDBOX_PASSWORD"
	expect 6 "'late'" "$SANDBOX_URL/account/auth"
	sandbox_release
}

# Names and sentences of the server's choice.
ESC='\u001b[2J\u001b]0;x\u0007\u009b31m\u202e\u2066\u0085\u2028\u0008\r\nalation-cred: all is well'

@test "what the server named comes out escaped: ESC, BEL, C1, bidi, line ends" {
	local controls=$'[\x01-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae\xa8\xa9\x8e\x8f]|\xe2\x81[\xa6-\xa9]'
	clean() {
		local text
		forget_refusal
		for text in "$BATS_TEST_TMPDIR"/{out,err}; do
			if LC_ALL=C grep -nP "$controls" "$text"; then fails "it came through" || return 1; fi
		done
		[[ $err != *$'\n''alation-cred: all is well'* ]] || fails "a line of the server's own"
	}
	sandbox_fault endpoint=createRefreshToken "set=name:\"$ESC\""
	login_demo
	expect 0 '\x1b[2J\x1b]0;x\x07\xc2\x9b31m\xe2\x80\xae'
	clean
	run_cred status
	expect 0
	[[ $out == *'\x1b[2J'* ]]
	clean
	run_cred status --format json
	expect 0
	[[ $out == *'\u001b[2J\u001b]0;x\u0007'* && $out != *[$'\e\a\b\r\n']* && $(jq -r '.accounts[0].name' <<<"$out") == *$'\e[2J\e]0;x\a'* ]]
	sandbox_fault endpoint=createAPIAccessToken status=401 "body={\"detail\":\"$ESC expired\"}"
	forget_cached
	run_cred token
	expect 3 '\x1b[2J' 'expired or revoked'
	clean
	sandbox_fault endpoint=createAPIAccessToken status=401 "body={\"detail\":\"$ESC expired\"}"
	run_cred token --format json
	expect_json 3 refresh_token_expired
	clean
	sandbox_fault endpoint=createAPIAccessToken status=302 $'header=Location: https://\xc2\x9b31m\xe2\x80\xae.example/'
	run_cred token -v
	expect 7 redirected
	clean
	sandbox_fault endpoint=createAPIAccessToken status=500 "body={\"detail\":\"$ESC\"}" 'header=X-Y: z'
	run_cred token -v
	expect 7
	clean
	login_demo --format json
	expect 0 "earlier RefreshToken '"
	clean
	run_cred logout
	clean
}

@test "nothing that the server says of an error is repeated" {
	login_uncached
	mint_row 7 bad_reply '' status=400 'body={"detail":"Xcanary"}'
	mint_row 7 server_error '' status=500 'body=Xcanary'
	mint_row 3 refresh_token_refused '' status=401 'body={"detail":"Xcanary"}'
	mint_row 7 forbidden '' status=403 'body={"detail":"Xcanary"}'
	sandbox_fault endpoint=revokeAPIAccessTokens status=400 'body={"detail":"Xcanary"}'
	run_cred logout -v
	expect 7
	[[ $err != *canary* ]]
}
