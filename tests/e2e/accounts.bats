#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Several accounts side by side: which one is meant, and when it is not guessed.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() {
	program_setup --user demo:demo-password:102 --user eve:eve-password:7
	URL=$SANDBOX_URL
	DEMO=${URL/:\/\//://102@} EVE=${URL/:\/\//://7@}
}
teardown() { program_teardown; }

login_eve() { run_cred login "$URL" --user eve --password-stdin "$@" <<<eve-password; }
both() {
	login_demo
	expect 0
	login_eve "$@"
	expect 0
}
# ARGUMENT... is served with the token of USER_ID.
serves() {
	local user_id=$1
	shift
	run_cred get --format json "$@"
	expect 0 || return 1
	[[ $(jq .user_id <<<"$out") == "$user_id" ]] || fails "not of $user_id" || return 1
	works "$(jq -r .token <<<"$out")"
}

@test "the first login is the default; a second one says which stays, and each is served by its name" {
	both
	[[ $err == *"the default account is $DEMO"* ]]
	serves 102
	serves 7 "$EVE"
	serves 102 "$DEMO"
	serves 102 "$URL"
	serves 102 "${URL#http://}"
	serves 7 "7@${URL#http://}"
	# Neither revoked the other's token: they are of two RefreshTokens.
	[[ $(sandbox_calls createAPIAccessToken) == 2 ]]
}

@test "--default makes another one the default" {
	both --default
	[[ $err == *"the default account is $EVE"* ]]
	serves 7
	serves 7 "$URL"
	run_cred status
	expect 0
	[[ $(grep -c '(default, ' <<<"$out") == 1 && $out == *"$EVE  (default, exclusive)"* ]]
}

@test "ALATION_BASE_URL and ALATION_USER_ID narrow the match; an argument comes before them" {
	both
	ALATION_USER_ID=7 serves 7
	ALATION_BASE_URL=$URL serves 102
	ALATION_BASE_URL=$URL/ ALATION_USER_ID=7 serves 7
	ALATION_BASE_URL=$EVE serves 7
	ALATION_USER_ID=7 serves 102 "$DEMO"
	ALATION_USER_ID='' ALATION_BASE_URL='' serves 102
	ALATION_USER_ID=8 refuses 3 no_account 'ALATION_USER_ID|alation-cred status' get
	ALATION_BASE_URL=https://catalog.example.com refuses 3 no_account 'ALATION_BASE_URL|alation-cred login' get
}

@test "more than one match without a default among them: 2, with the choices; never a guess" {
	both
	program_sandbox
	login_demo --default
	expect 0
	refuses 2 ambiguous_account "$DEMO|$EVE|login --default" get "$URL"
	refuses 2 ambiguous_account "$DEMO|$EVE" status "$URL"
	refuses 2 ambiguous_account "$DEMO|$EVE" logout "$URL"
	[[ $(jq -r .code <<<"$out") == ambiguous_account ]]
}

@test "no match: 3, and what to do; look-alikes of a host are no match" {
	refuses 3 no_account 'nobody is logged in|alation-cred login' get
	login_demo
	expect 0
	host=${URL#http://}
	for other in catalog.example.com "${host%:*}" "https://$host" "${host%:*}:1" "localhost:${host#*:}" "127.0.0.1.example.com:${host#*:}"; do
		refuses 3 no_account 'no account matches|alation-cred status' get "$other"
	done
	refuses 3 no_account 'no account matches' status catalog.example.com
	refuses 3 no_account "https://102@catalog.example.com" get https://102@catalog.example.com
}

@test "logging out of one leaves the other; the last one left is the default" {
	both
	run_cred logout "$DEMO"
	expect 0
	serves 7
	refuses 3 no_account "$DEMO" get "$DEMO"
	run_cred status --format json
	[[ $(jq -c '[.accounts[] | [.user_id, .default]]' <<<"$out") == '[[7,true]]' ]]
	refuses 3 no_account 'nothing is stored|alation-cred status' logout "$DEMO"
}

@test "status of nothing is 0 and an empty list; of an account that is not there, 3" {
	run_cred status
	expect 0
	[[ $out == 'nobody is logged in'* ]]
	run_cred status --format json
	expect 0
	[[ $out == '{"version":1,"success":true,"accounts":[]}' ]]
	refuses 3 no_account 'alation-cred' status https://102@catalog.example.com
}
