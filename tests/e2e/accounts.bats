#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Several accounts side by side: the forms of ACCOUNT, the environment, the default, and what is ambiguous. Never a
# guess: the wrong account's token goes nowhere.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
teardown() {
	SANDBOX_PID=$second_pid sandbox_stop
	program_teardown
}

# Two instances; ada (7) and bob (8) are known on the first, ada (7) on the second. The first login is the default.
setup() {
	program_setup --user ada:pw:7 --user bob:pw:8
	FIRST=$SANDBOX_URL first_pid=$SANDBOX_PID first_log=$SANDBOX_LOG
	SANDBOX_DIR=$BATS_TEST_TMPDIR/second sandbox_start --user ada:pw:7
	SECOND=$SANDBOX_URL second_pid=$SANDBOX_PID
	program_urls+=("$SECOND")
	SANDBOX_URL=$FIRST SANDBOX_PID=$first_pid SANDBOX_LOG=$first_log
}

log_in() { # URL NAME [ARG...]
	run_cred login "$1" --user "$2" --password-stdin "${@:3}" <<<pw
	expect 0
}

at() { echo "http://$2@${1#http://}"; } # URL ID

# Whose token ARG... gives: by the instance's own word.
whose() {
	local url
	run_cred token "$@"
	expect 0 || return 1
	for url in "$FIRST" "$SECOND"; do
		[[ $(SANDBOX_URL=$url sandbox_curl /integration/v1/userinfo/ -H @- <<<"TOKEN: $out") =~ '"id":'([0-9]+) ]] || continue
		at "$url" "${BASH_REMATCH[1]}"
	done
}

is_of() { # URL ID ARG...: the token is that account's, and no other's
	local got
	got=$(whose "${@:3}")
	[[ $got == "$(at "$1" "$2")" ]] || { run_cred token "${@:3}" && fails "it is the token of ${got:-nobody}, not of $(at "$1" "$2")"; }
}

the_default() { # URL ID
	run_cred status --format json
	[[ $(jq -r '.accounts[] | select(.default) | .base_url + " " + (.user_id|tostring)' <<<"$out") == "$1 $2" ]] || fails "the default is not $1 $2"
}

three() {
	log_in "$FIRST" ada
	log_in "$FIRST" bob
	log_in "$SECOND" ada
}

@test "ACCOUNT: https://USER_ID@host, a URL, a host, nothing" {
	three
	is_of "$FIRST" 7
	is_of "$FIRST" 7 "$(at "$FIRST" 7)"
	is_of "$FIRST" 8 "$(at "$FIRST" 8)"
	is_of "$SECOND" 7 "$(at "$SECOND" 7)"
	is_of "$SECOND" 7 "$SECOND"
	is_of "$SECOND" 7 "${SECOND#http://}"
	is_of "$FIRST" 8 "8@${FIRST#http://}"
	# More than one on that host: the default is among them.
	is_of "$FIRST" 7 "$FIRST"
	is_of "$FIRST" 7 "${FIRST#http://}"
	# Three mints in all: each account has its own cache.
	[[ $(sandbox_calls createAPIAccessToken) == 2 && $(kernel_keys | wc -l) == 2 ]]
}

@test "ALATION_BASE_URL and ALATION_USER_ID: together, either alone; an ACCOUNT stands before them" {
	three
	ALATION_BASE_URL=$FIRST ALATION_USER_ID=8 is_of "$FIRST" 8
	ALATION_BASE_URL=$SECOND ALATION_USER_ID=7 is_of "$SECOND" 7
	ALATION_BASE_URL=$SECOND is_of "$SECOND" 7
	ALATION_BASE_URL=$(at "$FIRST" 8) is_of "$FIRST" 8
	ALATION_BASE_URL=${FIRST#http://} ALATION_USER_ID=8 is_of "$FIRST" 8
	ALATION_USER_ID=8 is_of "$FIRST" 8
	# The default is among those that match.
	ALATION_USER_ID=7 is_of "$FIRST" 7
	ALATION_BASE_URL=$FIRST is_of "$FIRST" 7
	ALATION_BASE_URL= ALATION_USER_ID= is_of "$FIRST" 7
	ALATION_BASE_URL=$FIRST ALATION_USER_ID=7 is_of "$FIRST" 8 "$(at "$FIRST" 8)"
	ALATION_BASE_URL=$FIRST ALATION_USER_ID=8 is_of "$SECOND" 7 "$SECOND"
	ALATION_BASE_URL=https://catalog.example.com ALATION_USER_ID=9 is_of "$SECOND" 7 "$SECOND"
}

@test "nobody matches: 3, with the way on, and no other account's token instead" {
	three
	refuses 3 no_account "no account matches 'catalog.example.com'|'alation-cred status' lists|'alation-cred login'" token catalog.example.com
	refuses 3 no_account 'no account matches' token https://catalog.example.com
	refuses 3 no_account "$(at "$SECOND" 8)|alation-cred login" token "$(at "$SECOND" 8)"
	ALATION_USER_ID=9 refuses 3 no_account 'no account matches|$ALATION_USER_ID' token
	ALATION_BASE_URL=https://catalog.example.com refuses 3 no_account 'no account matches|$ALATION_BASE_URL' token
	ALATION_BASE_URL=$SECOND ALATION_USER_ID=8 refuses 3 no_account "$(at "$SECOND" 8)" token
	# The scheme is part of it.
	refuses 3 no_account 'no account matches' token "${SECOND/http/https}"
	refuses 3 no_account 'no account matches' logout catalog.example.com
	[[ $(listed) == 3 ]]
}

@test "more than one matches and none is the default: 2, and the choices are listed" {
	local choices
	three
	run_cred logout "$(at "$FIRST" 7)"
	expect 0
	choices="$(at "$FIRST" 8)|$(at "$SECOND" 7)"
	refuses 2 ambiguous_account "more than one account matches|$choices|set ACCOUNT default" token
	refuses 2 ambiguous_account "$choices" get
	refuses 2 ambiguous_account "$choices" logout
	[[ $(listed) == 2 ]]
	is_of "$FIRST" 8 "$FIRST"
	ALATION_USER_ID=7 is_of "$SECOND" 7
	# Two on one host, and the default elsewhere.
	log_in "$FIRST" ada
	log_in "$SECOND" ada --default
	refuses 2 ambiguous_account "$(at "$FIRST" 7)|$(at "$FIRST" 8)" token "$FIRST"
	[[ $err != *"$(at "$SECOND" 7)"* ]] || fails "a choice that does not match"
	refuses 2 ambiguous_account "$(at "$FIRST" 7)|$(at "$FIRST" 8)" status "$FIRST"
	ALATION_BASE_URL=$FIRST refuses 2 ambiguous_account "$(at "$FIRST" 7)|$(at "$FIRST" 8)" token
	# The way to the instance that was named is proved all the same.
	run_cred doctor "$FIRST"
	[[ $code == 2 && $out =~ $'\nFAIL  account '.*"$(at "$FIRST" 8)".*$'\nok    connection ' ]] || fails doctor
	is_of "$SECOND" 7
}

@test "each verb that takes an ACCOUNT: none that matches, and more than one" {
	local verb rest none many n=0
	three
	run_cred logout "$(at "$FIRST" 7)"
	expect 0
	log_in "$FIRST" ada
	log_in "$SECOND" ada --default
	for verb in $("$CRED" --help | sed -nE 's/^  ([a-z]+) \[ACCOUNT\].*/\1/p'); do
		rest='' none=3 many=2
		case $verb in
		set) rest=shared ;;
		exec) rest='-- echo started' none=125 many=125 ;;
		esac
		run_cred "$verb" "$FIRST" $rest
		[[ $code == $many && $out != *started* && ${err##*$'\n'} == *"$(at "$FIRST" 8)"*'set ACCOUNT default'* && ${err##*$'\n'} == *"$(at "$FIRST" 7)"* &&
			${err##*$'\n'} != *"$(at "$SECOND" 7)"* ]] || fails "several"
		run_cred "$verb" catalog.invalid $rest
		[[ $code == $none && $out != *started* && ${err##*$'\n'} == *"no account matches 'catalog.invalid'"*"'alation-cred status' lists"* ]] || fails "none"
		n=$((n + 1))
	done
	((n >= 12)) || fails "$n verbs"
	[[ $(listed) == 3 ]]
}

# listed_as URL ID...: what the list would say after a login of each, without a default.
listed_as() {
	local line id url
	line=$(sed -n 's/&default=1/\&default=0/; 2p' "$BATS_TEST_TMPDIR/one") url=$1
	url=${url//:/%3A} url=${url//\//%2F} url=${url//[/%5B} url=${url//]/%5D}
	for id in "${@:2}"; do
		sed "s,&base_url=[^&]*,\&base_url=$url,; s,&user_id=[0-9]*,\&user_id=$id," <<<"$line"
	done
}

list_of() { { echo "v=2&accounts=$(grep -c '' "$1")" && cat "$1"; } >"$STATE/accounts"; }

# Each of the choices that a message lists can be given as ACCOUNT, and means that account. Prints how many there are.
choices() {
	local list choice n=0
	list=${err##*matches: } list=${list%%; name one*} list=${list% and [0-9]* more}
	while IFS= read -r choice; do
		run_cred status "$choice" --format json
		[[ $code == 0 && $(jq -r '.accounts[] | .user_id as $id | .base_url | sub("://"; "://\($id)@")' <<<"$out") == "$choice" ]] || fails "not that account: $choice" || return 1
		n=$((n + 1))
	done < <(sed 's/, /\n/g' <<<"$list")
	echo "$n"
}

@test "a hundred choices: a line that is not endless lists some, counts the others and says where all are" {
	local before format n
	log_in "$FIRST" ada
	cp "$STATE/accounts" "$BATS_TEST_TMPDIR/one"
	listed_as https://catalog.example.com {1..100} >"$BATS_TEST_TMPDIR/hundred"
	list_of "$BATS_TEST_TMPDIR/hundred"
	before=$(wc -l <"$SANDBOX_LOG")
	for format in token header curl env headers-json; do
		run_cred get catalog.example.com --format $format
		expect 2 'more than one account matches: https://1@catalog.example.com, https://2@' "'alation-cred status' lists them all"
		[[ $(grep -c '' <<<"$err") == 1 && ${#err} -lt 700 && $err =~ ' and '([0-9]+)' more; name one of them' ]] || fails "its line"
	done
	n=${BASH_REMATCH[1]}
	((n > 50 && $(choices) + n == 100)) || fails "$n more"
	refuses 2 ambiguous_account "https://1@catalog.example.com|and $n more|set ACCOUNT default" logout
	[[ $(jq -r '.message + "; " + .remedy' <<<"$out") == "${err#alation-cred: }" ]] || fails "other words in JSON"
	run_cred status --format json
	[[ $(jq '.accounts | length' <<<"$out") == 100 ]] || fails "not all of them"
	# No wish that is whole is held up by the others.
	refuses 3 no_account "nobody is logged in as https://101@catalog.example.com" status https://101@catalog.example.com
	[[ $(wc -l <"$SANDBOX_LOG") == "$before" ]] || fails "a server was asked"
}

@test "choices with odd addresses can be given back as they are listed" {
	local host
	log_in "$FIRST" ada
	cp "$STATE/accounts" "$BATS_TEST_TMPDIR/one"
	{
		listed_as 'https://[2001:db8::1]:8443' 7 2147483647
		listed_as 'http://[::1]' 7
		listed_as https://xn--bcher-kva.example 7
		listed_as https://under_score.example:1 7
		listed_as https://127.1.2.3:65535 2147483646
	} >"$BATS_TEST_TMPDIR/odd"
	list_of "$BATS_TEST_TMPDIR/odd"
	run_cred get
	expect 2 'https://7@[2001:db8::1]:8443, https://2147483647@[2001:db8::1]:8443, http://7@[::1], ' 'https://2147483646@127.1.2.3:65535; name'
	[[ $(choices) == 6 ]]
	run_cred get '[2001:db8::1]:8443'
	expect 2 'https://7@[2001:db8::1]:8443, https://2147483647@[2001:db8::1]:8443; name'
	# As long as a host can be: at least one is listed whole.
	host=$(printf 'a%.0s' {1..60}).$(printf 'b%.0s' {1..60}).$(printf 'c%.0s' {1..60}).example.com
	listed_as "https://$host:65535" 2147483646 2147483647 >"$BATS_TEST_TMPDIR/long"
	list_of "$BATS_TEST_TMPDIR/long"
	run_cred get
	expect 2 "https://2147483646@$host:65535 and 1 more; name"
	[[ $(choices) == 1 ]]
}

@test "the first login makes the default; later ones say which stays; --default makes another" {
	log_in "$FIRST" ada
	[[ $err != *'the default account is'* ]] || fails "there is but one"
	the_default "$FIRST" 7
	log_in "$FIRST" bob
	[[ $err == *"the default account is $(at "$FIRST" 7)"* ]] || fails "which stays is not said"
	the_default "$FIRST" 7
	log_in "$SECOND" ada --default
	[[ $err == *"the default account is $(at "$SECOND" 7)"* ]] || fails "which it is now is not said"
	the_default "$SECOND" 7
	is_of "$SECOND" 7
	# A second login of one that is no default leaves the default; of the default, too.
	log_in "$FIRST" bob
	the_default "$SECOND" 7
	log_in "$SECOND" ada
	the_default "$SECOND" 7
	run_cred login "$FIRST" --user-id 8 --token-stdin --default <<<"$(sandbox_refresh_token 8)"
	expect 0 "the default account is $(at "$FIRST" 8)"
	the_default "$FIRST" 8
	# A login that fails makes none.
	run_cred login "$FIRST" --user-id 7 --token-stdin --default <<<nobody-knows
	expect 3
	the_default "$FIRST" 8
	[[ $(listed) == 3 ]]
}

@test "of two, the one that stays behind a logout is the default" {
	log_in "$FIRST" ada
	log_in "$SECOND" ada
	run_cred logout
	expect 0 "logged out of $(at "$FIRST" 7)"
	the_default "$SECOND" 7
	is_of "$SECOND" 7
	run_cred logout
	expect 0 "logged out of $(at "$SECOND" 7)"
	[[ $(listed) == 0 ]]
}

@test "a logout or a login of one account leaves the others' tokens, records and caches alone" {
	local bob ada
	three
	run_cred token "$(at "$FIRST" 8)"
	bob=$out
	run_cred token "$SECOND"
	ada=$out
	run_cred logout "$(at "$FIRST" 7)"
	log_in "$FIRST" ada
	run_cred logout "$(at "$FIRST" 7)"
	run_cred token "$(at "$FIRST" 8)"
	[[ $out == "$bob" ]]
	works "$bob"
	run_cred token "$SECOND"
	[[ $out == "$ada" ]]
	SANDBOX_URL=$SECOND works "$ada"
	# Each server saw its own alone.
	[[ $(sandbox_calls createAPIAccessToken) == 3 ]]
	refuses 3 no_account "$(at "$FIRST" 7)" token "$(at "$FIRST" 7)"
}

@test "login without URL takes ALATION_BASE_URL; a bare host means https" {
	ALATION_BASE_URL=$SECOND run_cred login --user ada --password-stdin <<<pw
	expect 0 "logged in as $(at "$SECOND" 7)"
	ALATION_BASE_URL=$SECOND run_cred login "$FIRST" --user ada --password-stdin <<<pw
	expect 0 "logged in as $(at "$FIRST" 7)"
	input=pw refuses 6 tls "https://${SECOND#http://}" login "${SECOND#http://}" --user ada --password-stdin
	[[ $(SANDBOX_LOG=$BATS_TEST_TMPDIR/second/log sandbox_calls createRefreshToken) == 1 ]]
}

@test "the list: one line an account, plain characters, no secret; a later program's members survive" {
	three
	[[ $(listed) == 3 && $(sed 1d "$STATE/accounts" | LC_ALL=C grep -cvE '^v=1&base_url=http%3A%2F%2F127\.0\.0\.1%3A[0-9]+&user_id=[78]&[A-Za-z0-9%=&._~-]*$') == 0 && $(head -n 1 "$STATE/accounts") == 'v=2&accounts=3' ]] \
		|| fails "its lines: $(<"$STATE/accounts")"
	sed -i '/user_id=8&/s/$/\&colour=gr%C3%BCn/' "$STATE/accounts"
	log_in "$FIRST" bob --name other
	grep -q 'user_id=8&.*name=other.*&colour=gr%C3%BCn$' "$STATE/accounts" || fails "$(<"$STATE/accounts")"
}

@test "a list that cannot be read: 9 from every verb, its file and line named, left as it is, nobody asked" {
	local damage before verb third
	three
	before=$(wc -l <"$SANDBOX_LOG")
	cp "$STATE/accounts" "$BATS_TEST_TMPDIR/good"
	third=$(cred status --format json | jq -r '.accounts[1] | "\(.base_url)|\(.user_id)" | sub("://"; "://@") | split("|") | .[1] as $id | .[0] | sub("@"; $id + "@")')
	for damage in '3s/^v=1/v=2/' '3s/user_id=8/user_id=0/' '3s/.*/rubbish/' '3s/^v=1&//' '3p' '1s/3/2/' '1s/3/4/' '3s/default=0/default=2/' '3s/base_url=[^&]*&//'; do
		sed "$damage" "$BATS_TEST_TMPDIR/good" >"$STATE/accounts"
		cp "$STATE/accounts" "$BATS_TEST_TMPDIR/bad"
		# A warm call reads its own account's line alone; that they are all there it looks at, too.
		for verb in validate status logout "token $third"; do
			refuses 9 configuration "$STATE/accounts|line " $verb || fails "$damage"
		done
		input=pw refuses 9 configuration "$STATE/accounts" login "$FIRST" --user ada --password-stdin || fails "$damage"
		cmp "$STATE/accounts" "$BATS_TEST_TMPDIR/bad"
		run_cred token
		[[ $code == 0 || $damage == 3p || $damage == 1s* ]] || fails "the default's own line is sound: $damage"
	done
	# Cut off: within a line, before one, and to nothing; no verb takes it for a shorter list, nor writes over it.
	for damage in 'head -c -1' 'head -n -1' 'head -n 1' 'head -c 0'; do
		$damage "$BATS_TEST_TMPDIR/good" >"$STATE/accounts"
		cp "$STATE/accounts" "$BATS_TEST_TMPDIR/bad"
		for verb in token status 'set default' logout 'rotate --all'; do
			refuses 9 configuration "$STATE/accounts|line " $verb || fails "$damage"
		done
		input=pw refuses 9 configuration "$STATE/accounts" login "$FIRST" --user ada --password-stdin || fails "$damage"
		cmp "$STATE/accounts" "$BATS_TEST_TMPDIR/bad"
	done
	cp "$BATS_TEST_TMPDIR/good" "$STATE/accounts"
	chmod 0666 "$STATE/accounts"
	refuses 9 configuration "$STATE/accounts" token
	[[ $(wc -l <"$SANDBOX_LOG") == "$before" ]]
}

@test "XDG_STATE_HOME moves the list, not the locks; a relative one is ignored" {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/elsewhere
	log_in "$FIRST" ada
	[[ -s $XDG_STATE_HOME/alation-cred/accounts && ! -e $STATE/accounts && -d $STATE/locks && ! -e $XDG_STATE_HOME/alation-cred/locks ]]
	run_cred token
	expect 0
	cd "$BATS_TEST_TMPDIR"
	XDG_STATE_HOME=elsewhere refuses 3 no_account 'nobody is logged in' token
}
