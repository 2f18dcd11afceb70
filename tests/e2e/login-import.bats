#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login --import: a RefreshToken that lies in a .env file, comes by a pipe, or stands in the environment; what is refused, and what
# is said of the plain text. How such a file is read is test-dotenv's.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	TOKEN=$(sandbox_refresh_token 102 'from a file')
	cd "$BATS_TEST_TMPDIR"
	umask 077
}

teardown() { program_teardown; }

# dotenv LINE...: the file .env.
dotenv() { printf '%s\n' "$@" >.env; }

kept() { # it is this token that is kept, and it works
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
	secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 | grep -qF "&refresh_token=$TOKEN&"
}

nothing_happened() {
	no_calls
	[[ ! -e $STATE/accounts && $out$err != *"$TOKEN"* ]] || fails "something is kept, or shown"
}

@test "a file with address, user id and token: shared unless said; it is said what to delete, and what else the token does" {
	dotenv "# of the nightly job" "export ALATION_BASE_URL=\"$SANDBOX_URL/\"" OTHER=1 "ALATION_USER_ID='102' # me" '' "ALATION_REFRESH_TOKEN=$TOKEN"
	run_cred login --import .env
	expect 0 "logged in as $ACCOUNT; the RefreshToken 'from a file'" 'counts as shared' "'.env' still has this RefreshToken as plain text; delete line 6; whatever still mints with it revokes"
	[[ $out$err != *"$TOKEN"* && $err != *'others can read'* ]]
	kept
	[[ $(grep -c . .env) == 5 ]] # it is left alone
}

@test "by options and URL what the file lacks; exclusive; the answer in JSON has the advice" {
	dotenv "ALATION_REFRESH_TOKEN=$TOKEN"
	run_cred login "$SANDBOX_URL" --import=.env --user-id 102 --exclusive --format json
	expect 0
	[[ $(jq -c '[.user_id, (.warnings[] | .code)]' <<<"$out") == '[102,"plain_text"]' ]] || fails "not the answer"
	run_cred status --format json
	[[ $(jq .accounts[0].exclusive <<<"$out") == true ]]
	kept
	TOKEN=$(sandbox_refresh_token 102 again)
	dotenv "ALATION_REFRESH_TOKEN=$TOKEN"
	ALATION_BASE_URL=$ACCOUNT run_cred login --import .env --shared
	expect 0 "'again'"
}

@test "Windows' lines and byte order mark, the last of several, quotes, blanks, a link" {
	printf '\xef\xbb\xbfALATION_BASE_URL = %s\r\nALATION_REFRESH_TOKEN=old\r\nALATION_USER_ID = 102\r\n\tALATION_REFRESH_TOKEN = "%s"\r\n' "$SANDBOX_URL" "$TOKEN" >real
	ln -s real .env
	run_cred login --import .env
	expect 0 "delete line 4"
	kept
}

@test "from stdin and from a pipe; the caller's terminal is not asked then, of stdin" {
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" ALATION_USER_ID=102 "ALATION_REFRESH_TOKEN=$TOKEN"
	run_cred login --import - <.env
	expect 0 'delete this RefreshToken where it still stands as plain text'
	kept
	run_cred login --import <(cat .env) --exclusive
	expect 0 'delete this RefreshToken where it still stands'
	mkfifo fifo
	timeout 15 bash -c 'cat .env >fifo' &
	helpers=($!)
	run_cred login --import fifo
	wait "${helpers[0]}"
	expect 0
	dialog sh -c 'exec "$0" login --import - <.env' "$CRED" </dev/null
	[[ $code == 0 ]]
	hides 'y or n' "$TOKEN"
	shows 'counts as shared'
}

@test "from the environment: the variables, and it is said that they go first" {
	ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=$TOKEN run_cred login --import-environment --exclusive
	expect 0 "logged in as $ACCOUNT" 'ALATION_REFRESH_TOKEN still has this RefreshToken as plain text; unset it' 'it goes before the one that is kept now'
	[[ $out$err != *"$TOKEN"* ]]
	kept
}

@test "on a terminal it asks whether the token is used elsewhere, and for the user id that is not there; never for the token" {
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" "ALATION_REFRESH_TOKEN=$TOKEN"
	dialog "$CRED" login --import .env <<-END
		expect Logging in to $SANDBOX_URL
		expect Numeric user id:
		send 102
		expect y or n [y]:
		send n
		expect logged in as
		expect delete line 2
	END
	[[ $code == 0 ]]
	hides "$TOKEN" '1 or 2' shared
	kept
}

@test "whose file it is: one that others can write is refused, one that they can read is said" {
	local mode
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" ALATION_USER_ID=102 "ALATION_REFRESH_TOKEN=$TOKEN"
	chmod 0646 .env
	refuses 2 usage ".env' is writable by everybody (mode 0646)|chmod 600" login --import .env
	nothing_happened
	if [[ $EUID == 0 ]]; then
		chmod 0600 .env
		chown 12345 .env
		refuses 2 usage "belongs neither to root nor to you" login --import .env
		nothing_happened
		chown 0 .env
	fi
	for mode in 0644 0640 0604; do
		chmod "$mode" .env
		run_cred login --import .env --exclusive
		expect 0 "others can read '.env' (mode $mode), and what they have read works until it ends; 'alation-cred rotate $ACCOUNT' ends it"
	done
	run_cred login --import .env --shared
	expect 0 'works until it ends'
	[[ $err != *rotate* ]]
}

@test "what is no .env file: not there, a directory, a device, too long, a NUL, a pipe that does not end" {
	local silent
	refuses 2 usage "'gone' cannot be opened: No such file" login --import gone
	refuses 2 usage "'.' is neither a file nor a pipe" login --import .
	refuses 2 usage "'/dev/null' is neither" login --import /dev/null
	refuses 2 usage "'--import' has a value that cannot be" login --import ''
	dotenv "ALATION_REFRESH_TOKEN=$TOKEN"
	head -c 65536 /dev/zero | tr '\0' '\n' >>.env
	refuses 2 usage "'.env' is too long|65536" login --import .env
	run_cred login --import - <.env
	expect 2 'more than 65536'
	printf 'ALATION_REFRESH_TOKEN=%s\n\0' "$TOKEN" >.env
	refuses 2 usage 'has a NUL in it' login --import .env
	iconv -t UTF-16 <<<"ALATION_REFRESH_TOKEN=$TOKEN" >.env
	refuses 2 usage 'has a NUL in it|UTF-8' login --import .env
	mkfifo silent
	refuses 2 usage "'silent' is a pipe that does not end" login --import silent --timeout 1
	exec {silent}<>silent
	refuses 2 usage 'a pipe that does not end' login --import silent --timeout 1
	exec {silent}>&-
	nothing_happened
}

@test "values that are missing or cannot be: said with the line, never shown" {
	local line words
	while IFS='|' read -r line words; do
		printf '%b\n' "A=1\n$line" >.env
		run_cred login "$SANDBOX_URL" --import .env
		expect 2 "$words" || return 1
		[[ $err != *canary* ]] || fails "it is shown"
	done <<-'END'
		|no line with ALATION_REFRESH_TOKEN=
		#ALATION_REFRESH_TOKEN=canary|no line with ALATION_REFRESH_TOKEN=
		ALATION_REFRESH_TOKENS=canary|no line with
		ALATION_REFRESH_TOKEN=|ALATION_REFRESH_TOKEN is empty in line 2 of '.env'
		ALATION_REFRESH_TOKEN=canary\nALATION_REFRESH_TOKEN=""|is empty in line 3 of '.env'
		ALATION_REFRESH_TOKEN=${canary}|is no RefreshToken in line 2 of '.env'
		ALATION_REFRESH_TOKEN=$(pass canary)|nothing is expanded
		ALATION_REFRESH_TOKEN="canary|is no RefreshToken in line 2
		ALATION_REFRESH_TOKEN="can\nary"|is no RefreshToken in line 2
		ALATION_REFRESH_TOKEN=can ary|is no RefreshToken in line 2
		ALATION_REFRESH_TOKEN=canary|user id is missing
		ALATION_REFRESH_TOKEN=canary\nALATION_USER_ID=x|ALATION_USER_ID is no user id in line 3 of '.env'
		ALATION_REFRESH_TOKEN=canary\nALATION_USER_ID=|ALATION_USER_ID is no user id in line 3
		ALATION_REFRESH_TOKEN=canary\nALATION_USER_ID=102\nALATION_BASE_URL=http://canary.example.com|not the address of an instance
		ALATION_REFRESH_TOKEN=canary\nALATION_USER_ID=102\nALATION_BASE_URL=https://other.example.com|not the ALATION_BASE_URL of this RefreshToken
	END
	run_cred login --import-environment
	expect 2 'ALATION_REFRESH_TOKEN is not set in the environment'
	ALATION_REFRESH_TOKEN='can ary' run_cred login --import-environment
	expect 2 'no RefreshToken in the environment'
	[[ $err != *ary* ]]
	no_calls
	[[ ! -e $STATE/accounts ]]
}

@test "one address and one user id, wherever they are said; a token goes to no other server" {
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" ALATION_USER_ID=102 "ALATION_REFRESH_TOKEN=$TOKEN"
	refuses 2 usage 'the address that was given is not the ALATION_BASE_URL' login https://other.example.com --import .env
	refuses 2 usage 'not the ALATION_USER_ID' login "${SANDBOX_URL/:\/\//:\/\/103@}" --import .env
	refuses 2 usage 'not the ALATION_USER_ID' login --user-id 103 --import .env
	export ALATION_BASE_URL=https://other.example.com
	ALATION_REFRESH_TOKEN=$TOKEN refuses 2 usage 'not the ALATION_BASE_URL' login "$SANDBOX_URL" --import-environment --user-id 102
	nothing_happened
	# The environment's is another place's default; the file's belongs to the token.
	run_cred login --import .env --user-id 102
	expect 0 "logged in as $ACCOUNT"
}

@test "with what it cannot stand beside" {
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" ALATION_USER_ID=102 "ALATION_REFRESH_TOKEN=$TOKEN"
	refuses 2 usage 'an import brings its RefreshToken' login --import .env --token-stdin
	refuses 2 usage 'an import brings its RefreshToken' login --import .env --user demo
	refuses 2 usage 'exclude each other' login --import .env --import-environment
	refuses 2 usage 'not for one that is taken over' login --import .env --name X
	refuses 2 usage "'get' has no option '--import'" get --import .env
	nothing_happened
}

@test "one that the server refuses is 3, nothing is kept and no advice given" {
	dotenv "ALATION_BASE_URL=$SANDBOX_URL" ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=nobody-knows-this-one
	refuses 3 refresh_token_refused 'refused' login --import .env
	[[ $err != *'plain text'* && ! -e $STATE/accounts ]]
}
