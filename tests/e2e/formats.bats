#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What stands on stdout, byte for byte, in each format; that real curl uses it; that `login` and `status` print no
# token in any; and that get and token leave stdin alone. A stdout that does not work is stdout.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup; }
teardown() { program_teardown; }

last_made() { sed -n '/ \/integration\/v1\/'"$1"'\/ /s/.* made=//p' "$SANDBOX_LOG" | tail -n 1; }

# JSON's members in their order, at the top or behind a jq path.
members() { jq -r "${1:-.} | keys_unsorted | join(\" \")" <<<"$out"; }

@test "token, the default: the token and a line feed, nothing on stderr; get and token say the same" {
	local minted arguments
	login_demo
	minted=$(last_made createAPIAccessToken)
	for arguments in token get 'token --format token' '--format token token' 'get --format=token' '--timeout 5 get' \
		"token $SANDBOX_URL" "--format token token ${SANDBOX_URL/:\/\//://102@} --timeout 9s --interactive never"; do
		run_cred $arguments
		expect 0
		[[ $raw == "$minted"$'\n' && -z $err ]] || fails "not the token and a line feed"
	done
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
}

@test "header: one line that curl takes from stdin; a token minted before does not work" {
	local first status
	login_demo
	run_cred token --format header
	expect 0
	[[ $raw == "TOKEN: $(last_made createAPIAccessToken)"$'\n' && -z $err ]] || fails "not the header"
	first=${out#TOKEN: }
	status=$(set -o pipefail; cred token --format header | sandbox_curl /integration/v2/datasource/ -H @- -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')
	[[ $status == 200 && $(jq -r '.[0].title' "$BATS_TEST_TMPDIR/body") == 'Sandbox sales' ]]
	status=$(cred get --format header | sandbox_curl /integration/v1/userinfo/ -H @- -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}')
	[[ $status == 200 && $(jq -r .id "$BATS_TEST_TMPDIR/body") == 102 ]]
	# Another mint, and the one before is refused.
	keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
	status=$(cred token --format header | sandbox_curl /integration/v2/datasource/ -H @- -o /dev/null -w '%{http_code}')
	[[ $status == 200 ]]
	is_dead "$first"
}

@test "json: every member, in this order, on one line; dates in both forms agree" {
	local expires refresh
	login_demo
	run_cred get --format json
	expect 0
	[[ -z $err && $raw == "$out"$'\n' && $out != *$'\n'* ]] || fails "not one line"
	[[ $(members) == 'version success base_url user_id token header expires_at expires_at_epoch refresh_token_expires_at warnings' ]]
	expires=$(jq .expires_at_epoch <<<"$out") refresh=$(jq -r .refresh_token_expires_at <<<"$out")
	[[ $out == '{"version":1,"success":true,"base_url":"'"$SANDBOX_URL"'","user_id":102,"token":"'"$(last_made createAPIAccessToken)"'","header":"TOKEN","expires_at":"'"$(date -u -d "@$expires" +%Y-%m-%dT%H:%M:%SZ)"'","expires_at_epoch":'"$expires"',"refresh_token_expires_at":"'"$refresh"'","warnings":[]}' ]] || fails "not the documented object"
	((expires - EPOCHSECONDS > 86380 && expires - EPOCHSECONDS <= 86400)) || fails "when it ends"
	[[ $refresh =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$ ]]
	refresh=$(($(date -d "$refresh" +%s) - EPOCHSECONDS))
	((refresh > 5183980 && refresh <= 5184000)) || fails "when the RefreshToken ends"
	works "$(jq -r .token <<<"$out")"
}

@test "json: warnings with code and message stand in the object and on stderr" {
	login_demo
	run_cred get --format json "$SANDBOX_URL/catalog"
	expect 0 "only $SANDBOX_URL was used"
	[[ $(members '.warnings[0]') == 'code message' && $(jq -r '.warnings[0].code' <<<"$out") == url_cut ]]
	[[ $err == "alation-cred: $(jq -r '.warnings[0].message' <<<"$out")" ]] || fails "not the same"
	[[ $(jq '.warnings | length' <<<"$out") == 1 ]]
}

@test "json: login and logout answer without a token" {
	login_demo --format json
	expect 0
	[[ $raw == "$out"$'\n' && $(members) == 'version success base_url user_id refresh_token_expires_at warnings' ]] || fails "login"
	[[ $(jq -c '[.version,.success,.base_url,.user_id,.warnings]' <<<"$out") == "[1,true,\"$SANDBOX_URL\",102,[]]" ]]
	run_cred logout --format json
	expect 0
	[[ $(members) == 'version success base_url user_id refresh_token_expires_at warnings' ]] || fails "logout"
	[[ $(jq -c .warnings <<<"$out") == '[]' ]] || fails "nothing of an exclusive account lives on"
	login_token "$(sandbox_refresh_token 102)" --format json
	[[ $(jq -c '[.warnings[].code]' <<<"$out") == '["shared"]' ]]
	run_cred logout --format json
	[[ $(jq -c '[.warnings[].code]' <<<"$out") == '["refresh_token_lives"]' ]]
}

@test "json: a failure, whole and exact; without --format json nothing is on stdout" {
	run_cred token --format json
	[[ $raw == '{"version":1,"success":false,"code":"no_account","exit":3,"message":"nobody is logged in","remedy":"log in with '\''alation-cred login https://YOUR-INSTANCE'\''","retryable":false,"retry_after":null}'$'\n' ]] || fails "no_account"
	[[ $code == 3 && $err == "alation-cred: nobody is logged in; log in with 'alation-cred login https://YOUR-INSTANCE'" ]]
	[[ $(members) == 'version success code exit message remedy retryable retry_after' ]]
	run_cred token
	expect 3 'nobody is logged in'
	run_cred token --format header
	expect 3 'nobody is logged in'
	run_cred what --format json
	[[ $raw == '{"version":1,"success":false,"code":"usage","exit":2,"message":"there is no such verb; these are: get, token, exec, store, erase, capability, login, logout, status, validate, revoke, rotate, set, unlock, lock, doctor","remedy":"see '\''alation-cred --help'\''","retryable":false,"retry_after":null}'$'\n' ]] || fails "usage"
	login_demo
	sandbox_stop
	run_cred logout --format json
	expect_json 6 network
	[[ $out == *'"retryable":true,"retry_after":null}' ]]
}

@test "a failure's last line on stderr names the account and a remedy; warnings come before it" {
	login_demo
	keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
	sandbox_fault endpoint=createAPIAccessToken status=401
	run_cred token "$SANDBOX_URL/catalog"
	expect 3
	[[ $err == 'alation-cred: only '*$'\n''alation-cred: '*"${SANDBOX_URL/:\/\//://102@}"*"; log in again: 'alation-cred login $SANDBOX_URL'"* ]] || fails "the lines"
	[[ $(grep -c '' "$BATS_TEST_TMPDIR/err") == 2 ]]
}

@test "status --format json: every member, in this order; what is not there is null" {
	local access refresh sources='{"module":"credentials-directory","status":"absent","why":"$CREDENTIALS_DIRECTORY is not set"},{"module":"environment","status":"absent","why":"$ALATION_REFRESH_TOKEN is not set"}'
	run_cred status --format json
	[[ $code == 0 && $raw == '{"version":1,"success":true,"accounts":[]}'$'\n' && -z $err ]] || fails "of nothing"
	login_demo --name mine
	run_cred status --format json
	expect 0
	access=$(jq .accounts[0].access.expires_at_epoch <<<"$out") refresh=$(jq .accounts[0].refresh.expires_at_epoch <<<"$out")
	at() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
	[[ $raw == '{"version":1,"success":true,"accounts":[{"base_url":"'"$SANDBOX_URL"'","user_id":102,"name":"mine","default":true,"exclusive":true,"refresh":{"module":"secret-service","expires_at":"'"$(at $refresh)"'","expires_at_epoch":'$refresh',"passed_over":['"$sources"']},"access":{"module":"kernel","expires_at":"'"$(at $access)"'","expires_at_epoch":'$access',"passed_over":[]}}]}'$'\n' && -z $err ]] || fails "not the documented object"
	((access - EPOCHSECONDS > 86380 && refresh - EPOCHSECONDS > 5183980))
	keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
	run_cred status --format json
	[[ $out == *'"access":{"module":null,"expires_at":null,"expires_at_epoch":null,"passed_over":[{"module":"kernel","status":"absent","why":null},{"module":"private-file","status":"absent","why":null}]}}]}' ]] || fails "nothing cached"
	secret-tool clear application alation-cred
	run_cred status --format json
	expect 0
	[[ $out == *'"refresh":{"module":null,'*'"passed_over":['"$sources"',{"module":"secret-service","status":"absent","why":null}]},"access":'* ]] || fails "no RefreshToken"
	# It asks no server.
	[[ $(calls | paste -sd ' ') == 'createRefreshToken createAPIAccessToken' ]]
}

@test "status for people: each account, the default, shared or exclusive, where each secret lies, when it ends" {
	program_sandbox --user ada:pw:7 --user bob:pw:8
	run_cred login "$SANDBOX_URL" --user ada --password-stdin --name 'of ada' <<<pw
	run_cred login "$SANDBOX_URL" --user-id 8 --token-stdin <<<"$(sandbox_refresh_token 8 'of bob')"
	keyctl unlink "$(keyctl search @u user "$(kernel_keys | grep :8@)")" @u
	run_cred status
	expect 0
	[[ -z $err && $out =~ ^'ACCOUNT  '[^$'\n']*'
'"${SANDBOX_URL/:\/\//://7@}"'  20'..-..-..' '..:..' +00:00  '(59|60)' days  20'..-..-..' '..:..' +00:00  secret-service  open
'"${SANDBOX_URL/:\/\//://8@}"'  20'..-..-..' '..:..' +00:00  '(59|60)' days  -                        secret-service  open

'"${SANDBOX_URL/:\/\//://7@}"'  (default, exclusive)
  RefreshToken  '"'of ada'"' in secret-service; passed over: '[^$'\n']*'
  renewal       from 20'..-..-..' '..:..' +00:00 on, by the next get that mints
  access token  in kernel
'"${SANDBOX_URL/:\/\//://8@}"'  (shared)
  RefreshToken  '"'of bob'"' in secret-service; passed over: '[^$'\n']*'
  renewal       never, because it is shared; log in anew before it ends
  access token  none cached; the next get mints one'$ ]] || fails "not these lines"
	run_cred status "8@${SANDBOX_URL#http://}"
	[[ $code == 0 && $out == *'of bob'* && $out != *'of ada'* ]] || fails "of one account"
	refuses 3 no_account 'no account matches' status https://catalog.example.com
	refuses 3 no_account 'nobody is logged in as http://9@' status "${SANDBOX_URL/:\/\//://9@}"
}

@test "login, logout and status print no token in any format" {
	local format token
	for format in token header curl env headers-json json; do
		login_demo --format $format
		expect 0
		token=$(last_made createAPIAccessToken)
		[[ $format == json || -z $raw ]] || fails "login prints something"
		[[ $out$err != *"$token"* && $out$err != *"$(last_made createRefreshToken)"* ]] || fails "a token"
		run_cred status --format $format
		[[ $code == 0 && $out$err != *"$token"* && $out$err != *"$(last_made createRefreshToken)"* ]] || fails "a token"
		run_cred logout --format $format
		[[ $code == 0 && $out$err != *"$token"* && $out$err != *"$(last_made createRefreshToken)"* ]] || fails "a token"
	done
}

@test "get and token leave stdin as it is: rows, an open and silent pipe; a request of git is get's alone" {
	local verb rest rows=0
	login_demo
	for verb in get token; do
		while read -r _; do
			rows=$((rows + 1))
			cred "$verb" >/dev/null
		done <<<$'one\ntwo\nthree'
		{ run_cred "$verb"; read -r rest; } <<<'colour=green'
		[[ $code == 0 && ${#out} == 43 && $rest == colour=green ]] || fails "stdin was read"
		mkfifo "$BATS_TEST_TMPDIR/$verb"
		exec {silent}<>"$BATS_TEST_TMPDIR/$verb"
		run_cred "$verb" --timeout 5 <&"$silent"
		[[ $code == 0 && ${#out} == 43 ]] || fails "a silent stdin"
		[[ $verb == get && $err == *"'alation-cred token' never looks there" || $verb == token && -z $err ]] || fails "what it says"
		exec {silent}>&-
		run_cred "$verb" <&-
		expect 0
	done
	[[ $rows == 6 ]]
	{ run_cred token; read -r rest; } <<<'protocol=https'
	[[ $code == 0 && ${#out} == 43 && $rest == protocol=https ]] || fails "stdin was read"
	run_cred get <<<'protocol=https'
	expect 2 'names no host'
}

@test "a token with every character of the charset comes out of each format whole" {
	local token='AZaz09._~+/=-'
	login_demo
	keyctl unlink "$(keyctl search @u user "$(kernel_keys)")" @u
	sandbox_fault endpoint=createAPIAccessToken "set=api_access_token:\"$token\""
	run_cred token
	[[ $raw == "$token"$'\n' ]]
	run_cred token --format header
	[[ $raw == "TOKEN: $token"$'\n' ]]
	run_cred token --format json
	[[ $out == *',"token":"'"$token"'","header":"TOKEN",'* ]]
	run_cred token --format curl
	[[ $raw == "header = \"TOKEN: $token\""$'\n' ]]
	run_cred token --format headers-json
	[[ $raw == "{\"TOKEN\":\"$token\"}"$'\n' ]]
	run_cred token --format env
	[[ $out == *"export ALATION_TOKEN='$token';"* ]]
}

@test "curl: a configuration that curl takes from stdin, or from a file while a body is on stdin" {
	local status
	login_demo
	status=$(set -o pipefail; cred token --format curl | sandbox_curl /integration/v2/datasource/ -K - -o /dev/null -w '%{http_code}')
	[[ $status == 200 ]]
	status=$(sandbox_curl /integration/v2/datasource/ -K <(cred token --format curl) --data-binary @- -o /dev/null -w '%{http_code}' <<<'{}')
	[[ $status != 40[13] ]] || fails "the header did not come"
	works "$(cred token --format curl | sed 's/.*: //; s/"$//')"
}

@test "env: the same six variables in sh, dash, bash, zsh and fish; nothing where it fails" {
	local shell want names='ALATION_BASE_URL ALATION_USER_ID ALATION_ACCESS_TOKEN ALATION_API_TOKEN ALATION_TOKEN ALATION_TOKEN_EXPIRES_AT' missing=''
	login_demo
	run_cred get --format env
	expect 0
	[[ -z $err && $(sed "s/^export \([A-Z_]*\)='.*';\$/\1/" <<<"$out" | paste -sd ' ') == "$names" ]] || fails "not these lines"
	want=$(sed "s/^export [A-Z_]*='\(.*\)';\$/\1/" <<<"$out")
	[[ $(head -n 2 <<<"$want") == "$SANDBOX_URL"$'\n'102 && $(tail -n 1 <<<"$want") == 20*Z ]] || fails "not these values"
	works "$(sed -n 5p <<<"$want")"
	for shell in sh dash bash zsh; do
		command -v $shell >/dev/null || { missing+=" $shell"; continue; }
		[[ $($shell -c "eval \"\$(\"$CRED\" get --format env </dev/null)\" && printenv $names" 3>&-) == "$want" ]] || fails "$shell"
	done
	if command -v fish >/dev/null; then
		[[ $(fish --no-config -c "\"$CRED\" get --format env </dev/null | source; and printenv $names" 3>&-) == "$want" ]] || fails fish
	else
		missing+=' fish'
	fi
	run_cred logout
	run_cred get --format env
	expect 3
	[[ -z $missing ]] || skip "not installed:$missing"
}

@test "headers-json: what jq and a program's HTTP library take" {
	login_demo
	run_cred get --format headers-json
	expect 0
	[[ $raw == "$(jq -c . <<<"$out")"$'\n' && $(jq -r 'keys | join(" ")' <<<"$out") == TOKEN ]] || fails "not that object"
	works "$(jq -r .TOKEN <<<"$out")"
	[[ $(python3 -c 'import json, sys, urllib.request as u
print(u.urlopen(u.Request(sys.argv[1] + "/integration/v1/userinfo/", headers=json.loads(sys.argv[2]))).status)' "$SANDBOX_URL" "$out") == 200 ]]
}
