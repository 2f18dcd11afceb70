#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each format as its readers take it: byte for byte, by real curl, by jq.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() {
	program_setup
	login_demo
	expect 0
	TOKEN=$(sandbox_log | sed -n 's/.*createAPIAccessToken.*made=//p')
}
teardown() { program_teardown; }

@test "token: the token and a line feed, by get and by token, named or not" {
	for arguments in get token 'get --format token' 'get --format=token' '--format token token' "get ${SANDBOX_URL/:\/\//://102@}"; do
		run_cred $arguments
		expect 0
		[[ $raw == "$TOKEN"$'\n' && -z $err ]] || fails "not the token alone"
	done
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
}

@test "header: what curl takes from a file, and the server takes from curl" {
	run_cred token --format header
	expect 0
	[[ $raw == "TOKEN: $TOKEN"$'\n' ]]
	[[ $(sandbox_curl /integration/v2/datasource/ -H @<(cred token --format header) -o /dev/null -w '%{http_code}') == 200 ]]
	set -o pipefail
	[[ $(cred token --format header | sandbox_curl /integration/v2/datasource/ -H @- -o /dev/null -w '%{http_code}') == 200 ]]
}

@test "json: success, member for member" {
	run_cred get --format json
	expect 0
	expires=$(jq .expires_at_epoch <<<"$out")
	ends=$(jq -r .refresh_token_expires_at <<<"$out")
	[[ $ends =~ ^20[0-9-]+T[0-9:]+Z$ ]]
	[[ $raw == '{"version":1,"success":true,"base_url":"'$SANDBOX_URL'","user_id":102,"token":"'$TOKEN'","header":"TOKEN","expires_at":"'$(date -u -d "@$expires" +%FT%TZ)'","expires_at_epoch":'$expires',"refresh_token_expires_at":"'$ends'","warnings":[]}'$'\n' ]] ||
		fails "not that"
	((expires > $(date +%s) + 86000 && expires <= $(date +%s) + 86400))
}

@test "json: a warning stands in it as on stderr, and dates that are not known are null" {
	sandbox_fault endpoint=createAPIAccessToken 'set=token_expires_at:"soon"'
	sandbox_fault endpoint=validateRefreshToken 'unset=token_expires_at'
	login_token "$(sandbox_refresh_token 102)" --exclusive --format json
	expect 0
	jq -e '.success and .refresh_token_expires_at == null and (has("token") | not) and (.warnings | map(.code) | index("lifetime_unknown") != null)' <<<"$out"
	[[ $err == *'one hour'* ]]
	run_cred get --format json
	expect 0
	jq -e '.refresh_token_expires_at == null and .expires_at_epoch - now < 3601 and .warnings == []' <<<"$out"
}

@test "json: login, status and logout print no token" {
	for arguments in status 'status --format json' "logout --format json"; do
		run_cred $arguments
		expect 0
		[[ $out$err != *"$TOKEN"* ]] || fails "it printed the token"
	done
	jq -e '.success and .user_id == 102 and (has("token") | not)' <<<"$out"
}

@test "status in json: whole, with null where nothing is cached" {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
	run_cred status --format json
	expect 0
	name=alation-cred@$(uname -n)
	jq -e --arg url "$SANDBOX_URL" --arg name "$name" '. == {version: 1, success: true, accounts: [{base_url: $url, user_id: 102, name: $name,
		default: true, exclusive: true, refresh: {module: "secret-service", expires_at: .accounts[0].refresh.expires_at,
		expires_at_epoch: .accounts[0].refresh.expires_at_epoch, passed_over: []}, access: {module: null, expires_at: null,
		expires_at_epoch: null, passed_over: [{module: "kernel", status: "absent"}]}}]}' <<<"$out" || fails 'not that'
	jq -e '.accounts[0].refresh | (.expires_at | fromdate) == .expires_at_epoch' <<<"$out"
}

@test "a format that is not there is 2; what has no form for an answer leaves stdout empty" {
	run_cred get --format xml
	expect 2 --format
	run_cred logout --format header
	expect 0
	[[ -z $raw ]]
}
