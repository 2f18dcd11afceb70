#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is refused before anybody is asked: exit 2, `usage`, nothing on stdout but JSON where it is wanted, nothing of
# the rejected bytes anywhere, no call to the server, no file, no key. And what means the same account.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup && refused_everywhere=; }
teardown() { program_teardown; }

CANARY=Xcanary-0815

nothing_happened() {
	no_calls || return 1
	[[ -z $(find "$HOME" -type f ! -name '*.lock' -size +0) ]] || fails "a file was written: $(find "$HOME" -type f)" || return 1
	[[ -z $(kernel_keys) ]] || fails "a key was made: $(kernel_keys)"
}

# rows: WORDS;ARGUMENTS, split at blanks; '' is an empty one.
refuses_rows() {
	local words line arguments
	while IFS=';' read -r words line; do
		[[ $words && $words != '#'* ]] || continue
		eval "arguments=($line)"
		refuses 2 usage "$words" "${arguments[@]}" || return 1
		[[ $out$err != *"$CANARY"* ]] || fails "it shows what was rejected" || return 1
	done
	nothing_happened
}

@test "verbs: none, unknown ones, one in capitals" {
	refuses_rows <<-'END'
		which verb?|alation-cred --help;
		which verb?;--
		which verb?;-v
		no such verb|alation-cred --help;''
		no such verb;GET
		no such verb;ge
		no such verb;-
		no such verb;https://102@catalog.example.com
		no such verb;Xcanary-0815
		no such verb;-- --help
	END
}

@test "options: unknown ones, without their value, with one they do not take; their order does not matter" {
	refuses_rows <<-'END'
		--what|not known;get --what
		--what|not known;--what get
		--fromat|not known;get --fromat=json
		not known;get -x
		not known;get --passwort=Xcanary-0815
		not known;get --Format json
		--format|needs a value;get --format
		--timeout|needs a value;get --timeout
		--user|needs a value;login https://catalog.example.com --user
		-v|not known;get -vv
		--token-stdin|takes no value;login https://catalog.example.com --user-id 102 --token-stdin=Xcanary-0815
		--help|takes no value;get --help=Xcanary-0815
		--format|cannot be;get --format xml
		--format|cannot be;get --format=
		--format|cannot be;get --format ''
		--format|cannot be;get --format JSON
		--format|cannot be;get --format Xcanary-0815
		--interactive|cannot be;get --interactive sometimes
		--interactive|cannot be;get --interactive=
		--protocol|cannot be;get --protocol svn
		--protocol|cannot be;get --protocol=
		--protocol|cannot be;get --protocol json
		--format|cannot be;get --format git
		--min-ttl|needs a value;get --min-ttl
		--if-expiring|needs a value;rotate --if-expiring
		--fresh|takes no value;get --fresh=Xcanary-0815
		--all|takes no value;logout --all=Xcanary-0815
	END
}

@test "options: what looks like a secret in one's place is not shown" {
	refuses_rows <<-'END'
		not known;login https://catalog.example.com --user-id 102 -Xcanary-0815
		not known;login https://catalog.example.com --user-id 102 --Xcanary-0815
		not known;login https://catalog.example.com --user demo -pXcanary-0815
		not known;login https://catalog.example.com --user demo --password:Xcanary-0815
		not known;login https://catalog.example.com --user demo --password=Xcanary-0815
		not known;login https://catalog.example.com --user demo --password Xcanary-0815
		too many arguments;login https://catalog.example.com Xcanary-0815
	END
}

@test "surplus arguments" {
	refuses_rows <<-'END'
		too many arguments;get a b
		too many arguments;token a b c d e f g h
		too many arguments;login https://catalog.example.com demo
		too many arguments;status a b
		too many arguments;logout a b
		too many arguments;validate a b
		too many arguments;revoke a b
		too many arguments;rotate a b
		too many arguments;set a default shared
		too many arguments;store a
		too many arguments;erase a
		too many arguments;capability a
		too many arguments;get -- a --format
	END
}

@test "an option at a verb that has none such: the two are named, whatever its class" {
	local verb option options=(--user --user-id --password-stdin --token-stdin --name --exclusive --shared --default
		--min-ttl --fresh --validate --protocol --all --keep --if-expiring --auto --expiring-within --refresh-token)
	local -A has=([get]=' --min-ttl --fresh --validate --protocol ' [token]=' --min-ttl --fresh --validate ' [store]=' --protocol '
		[erase]=' --protocol ' [capability]=' --protocol ' [login]=' --user --user-id --password-stdin --token-stdin --name --exclusive --shared --default '
		[logout]=' --all --keep ' [status]=' --expiring-within ' [validate]=' --all ' [revoke]=' --all ' [rotate]=' --all --if-expiring --auto ' [set]='' [unlock]='' [lock]='')
	for verb in "${!has[@]}"; do
		for option in "${options[@]}"; do
			# All of them at one verb, one of each class at the others.
			[[ $verb == status || $option =~ ^--(user|fresh|all|keep|if-expiring|auto|expiring-within|refresh-token)$ ]] || continue
			# The protocol's option says what a verb is: one that git does not have is passed over.
			[[ ${has[$verb]} != *" $option "* && $option != --protocol ]] || continue
			case $option in
			--user | --name) refuses 2 usage "'$verb' has no option '$option'|after a verb the verb's" "$verb" "$option" "$CANARY" ;;
			--user-id | --min-ttl | --if-expiring | --expiring-within) refuses 2 usage "'$verb' has no option '$option'" "$verb" "$option" 7 ;;
			*) refuses 2 usage "'$verb' has no option '$option'" "$verb" "$option" ;;
			esac || return 1
			[[ $out$err != *"$CANARY"* ]] || fails "it shows what was rejected"
		done
	done
	refuses_rows <<-'END'
		'get' has no option '--all';--all get --fresh
		'set' has no option '--default';set https://102@catalog.example.com --default
		'status' has no option '--user';--fresh --user x status
		too many arguments;get a b --all
	END
}

@test "a protocol excludes --format and ACCOUNT; a verb that git does not have is passed over" {
	local verb
	for verb in get store erase capability; do
		for format in token header curl env headers-json json; do
			run_cred "$verb" --protocol git --format $format <<<host=x
			[[ $code == 2 && $err == *'--format cannot be beside it'* ]] || fails "both"
			[[ $format == json ]] || [[ -z $raw ]] || fails "on stdout"
		done
		run_cred --protocol git "$verb" https://102@catalog.example.com <<<host=x
		expect 2
		[[ $verb != get || $err == *'the request names the account'* ]] || fails "not why"
	done
	for verb in token status logout validate revoke rotate set login what ''; do
		run_cred "$verb" --protocol git --all <<<host=x
		expect 0
		[[ -z $raw$err ]] || fails "it says something"
	done
	nothing_happened
}

@test "--all and an ACCOUNT; set's words" {
	refuses_rows <<-'END'
		--all and an ACCOUNT|one of them;validate --all catalog.example.com
		--all and an ACCOUNT;revoke https://102@catalog.example.com --all
		--all and an ACCOUNT;--all rotate catalog.example.com
		--all and an ACCOUNT;logout --all Xcanary-0815
		--all and an ACCOUNT;logout --all ''
		set what|default|exclusive|shared;set
		set what;set catalog.example.com
		set what;set Xcanary-0815
		set what;set catalog.example.com Xcanary-0815
		set what;set default catalog.example.com
		set what;set catalog.example.com Default
		set what;set catalog.example.com ''
		set what;set catalog.example.com 'default '
		set what;set catalog.example.com --  --default
		not the address;set '' default
		not the address;set https://bob:Xcanary-0815@catalog.example.com default
	END
	refuses 3 no_account 'nobody is logged in' set default
	refuses 3 no_account 'nobody is logged in' set catalog.example.com shared
	refuses 3 no_account 'https://102@catalog.example.com|alation-cred status' set 102@catalog.example.com exclusive
	nothing_happened
	# Of nobody, all have been done.
	for verb in validate revoke rotate logout; do
		run_cred "$verb" --all
		expect 0
		[[ -z $raw$err ]] || fails "it says something"
		run_cred "$verb" --all --format json
		[[ $code == 0 && $out == '{"version":1,"success":true,"accounts":[],"warnings":[]}' && $raw == "$out"$'\n' ]] || fails "not the empty list"
		refuses 3 no_account 'nobody is logged in' "$verb"
	done
	nothing_happened
}

@test "numbers: malformed, zero, negative, too large" {
	local number rows=
	for number in 0 00 0s 0m -1 +1 1.5 1e3 abc '""' '" "' '" 5"' '"5 "' 5x 5ss s 5S 5w 0x10 ٣ 86401 1441m 25h 2d \
		2147483648 9223372036854775807 9223372036854775808 99999999999999999999999999 9223372036854775807d; do
		rows+="--timeout|cannot be;get --timeout $number"$'\n'
	done
	for number in -1 +1 1.5 1e3 abc '""' '" "' '" 5"' 5x 5ss s 5S 5w 0x10 ٣ 99999999999999999999999999 9223372036854775807d; do
		rows+="--min-ttl|cannot be;get --min-ttl $number"$'\n'"--if-expiring|cannot be;rotate --if-expiring $number"$'\n'
	done
	for number in 0 00 -1 +1 0102 1.0 1e2 abc '""' '" 102"' '"102 "' 102a ١٠٢ 0x66 2147483648 4294967398 \
		18446744073709551718 99999999999999999999999999; do
		rows+="--user-id|cannot be;login https://catalog.example.com --token-stdin --user-id $number"$'\n'
	done
	refuses_rows <<<"$rows"
}

@test "numbers that can be: durations in every unit, the largest user id" {
	for number in 1 1s 30 45s 2m 1h 24h 1d 86400 00030; do
		run_cred status --timeout "$number"
		expect 0
	done
	input=
	refuses 2 usage 'RefreshToken is empty' login https://catalog.example.com --user-id 2147483647 --token-stdin
	nothing_happened
}

# address ADDRESS WORDS: refused as ACCOUNT, and the first with those WORDS as login's URL and in the environment.
address() {
	refuses 2 usage "not the address of an instance|$2|write it as https://" get "$1" || return 1
	[[ $out$err != *"$CANARY"* ]] || fails "it shows what was rejected" || return 1
	[[ $1 && $refused_everywhere != *"$2"* ]] || return 0
	refused_everywhere+=$2
	run_cred login "$1" --user demo --password-stdin <<<secret
	expect 2 "${2%%|*}" || return 1
	ALATION_BASE_URL=$1 run_cred token
	expect 2 "${2%%|*}" || return 1
	[[ $err != *"$CANARY"* ]] || fails "it shows what was rejected"
}

@test "addresses: odd schemes, http off loopback, no host, bad ports" {
	local row
	for row in ftp://catalog.example.com ldap://102@catalog.example.com file:///etc/passwd://x httpss://catalog.example.com \
		https:catalog.example.com https:/catalog.example.com javascript://catalog.example.com //catalog.example.com; do
		case $row in //*) address "$row" 'names no host' ;; *) address "$row" "must begin with 'https://'" ;; esac
	done
	for row in http://catalog.example.com http://102@catalog.example.com http://localhost.example.com \
		http://127.0.0.1.example.com http://128.0.0.1 http://10.0.0.1:8080 http://[::2] http://[::ffff:127.0.0.1]; do
		address "$row" 'plain http|use https'
	done
	for row in '' https:// http:// https://102@ https:///path https://:443 https://. '?' /; do
		address "$row" 'names no host'
	done
	for row in 0 00 -1 65536 99999 4294967739 99999999999999999999 +443 abc 44a '' ' 443' '4 43' 0443; do
		address "https://catalog.example.com:$row" 'port must be a number from 1 to 65535'
	done
	nothing_happened
}

@test "addresses: a host of more than 200 characters, not ASCII, or with what no host has" {
	local long row
	long=$(printf 'a%.0s' {1..50}).
	long=$long$long$long$long
	[[ ${#long} == 204 ]]
	address "https://${long:0:201}" 'too long|200'
	address "https://102@${long:0:200}b.example.com:8443/x" 'too long|200'
	address "https://$(printf 'x%.0s' {1..9000})" 'too long'
	address "https://catalog.example.com/$(printf 'x%.0s' {1..9000})" 'too long'
	for row in kätalog.example.com catalog。example.com $'\xff.example.com' 'cat alog.example.com' 'catalog%2eexample.com' \
		catalog..example.com .example.com 'cat"alog' 'a,b' 'a;b' 'catalog\.example.com' '*.example.com' 'a=b&c' \
		fe80::1 [fe80::1%25eth0] [::1 ::1] '[::g]' '[1.2.3.4]' 127.1 0x7f.0.0.1 1.2.3 1.2.3.256 010.0.0.1 2130706433; do
		address "https://$row" 'the host must be'
	done
	for row in $'https://catalog.example.com\n' $'https://cata\tlog' $'https://\e[31mcatalog' $'https://x/\x7f' $'https://x/\r\nHost: y'; do
		address "$row" 'the host must be'
		[[ $out$err != *[$'\e\t\r\x7f']* ]] || fails "a control character came through"
	done
	for row in status logout; do
		refuses 2 usage 'only a numeric user id' "$row" "https://102:$CANARY@catalog.example.com"
		[[ $out$err != *"$CANARY"* ]]
	done
	# The longest that is allowed is an account like any other: it is not there.
	refuses 3 no_account "https://102@${long:0:200}" get "https://102@${long:0:200}"
	nothing_happened
}

@test "user ids in an address: not a positive number, or anything else before the '@'" {
	local user
	for user in 0 -1 +1 0102 1.0 2147483648 99999999999999999999 '' ' ' demo ١٠٢ 102:$CANARY :$CANARY demo:$CANARY \
		102: a@102 102@good.example 102%20 $'1\t02'; do
		case $user in
		*[[:cntrl:]]*) address "https://$user@catalog.example.com" 'the host must be' ;;
		*) address "https://$user@catalog.example.com" 'only a numeric user id|without a password' ;;
		esac
	done
	input=token refuses 2 usage 'not the user id in the address' login https://103@catalog.example.com --user-id 102 --token-stdin
	nothing_happened
}

@test "ALATION_USER_ID that is none, or not the one of ALATION_BASE_URL" {
	local id
	for id in 0 -1 0102 abc ' 102' '102 ' 2147483648 "$CANARY" 102,103; do
		ALATION_USER_ID=$id refuses 2 usage '$ALATION_USER_ID' get
		[[ $out$err != *"$CANARY"* ]]
	done
	ALATION_BASE_URL=https://102@catalog.example.com ALATION_USER_ID=103 refuses 2 usage '$ALATION_USER_ID' get
	nothing_happened
	# Set but empty is not set.
	ALATION_BASE_URL= ALATION_USER_ID= refuses 3 no_account 'nobody is logged in' get
}

@test "login: what does not go together, what is missing, no terminal to ask on" {
	refuses_rows <<-'END'
		not both;login https://catalog.example.com --user demo --token-stdin
		not both;login https://catalog.example.com --user demo --user-id 102
		not both;login https://catalog.example.com --password-stdin --user-id 102
		not both;login https://catalog.example.com --password-stdin --token-stdin
		exclude each other;login https://catalog.example.com --user-id 102 --token-stdin --exclusive --shared
		--shared cannot be;login https://catalog.example.com --user demo --password-stdin --shared
		needs --user|say who;login https://catalog.example.com --password-stdin
		--user|cannot be;login https://catalog.example.com --user '' --password-stdin
		--name|cannot be;login https://catalog.example.com --user demo --password-stdin --name ''
		which instance;login
		which instance;login --user demo --password-stdin
		no terminal|--password-stdin;login https://catalog.example.com
		no terminal|--password-stdin;login https://catalog.example.com --user demo
		no terminal|--token-stdin;login https://catalog.example.com --user-id 102
		user id is missing|--user-id;login https://catalog.example.com --token-stdin
	END
	refuses 2 usage '--name|cannot be' login "$SANDBOX_URL" --user demo --password-stdin --name "$(printf 'n%.0s' {1..256})"
	nothing_happened
}

@test "--format json says a usage error in JSON wherever it stands; without it stdout stays empty" {
	local arguments
	for arguments in '--format json' '--what --format json' '--format=json --what' 'get --format json a b' \
		'--format json --format xml get' 'nothing --format json' '--timeout 0 --format json get'; do
		run_cred $arguments
		expect_json 2 usage
	done
	for arguments in '' --what 'get --format' '--format header nothing'; do
		run_cred $arguments
		expect 2
	done
	# Behind '--' it is an argument.
	run_cred get -- --format json
	expect 2
	nothing_happened
}

@test "--help and --version: on stdout, 0, without a home, without a keyring" {
	local verb
	for verb in get token store erase capability login logout status validate revoke rotate set unlock lock; do
		HOME= run_cred "$verb" --help
		expect 0
		[[ $out == "usage: alation-cred $verb "* && $out == *--timeout* && -z $err ]] || fails "its help"
		[[ $verb == login || $out != *--user-id* ]] || fails "login's options stand there"
		[[ $verb == rotate || $out != *--if-expiring* ]] || fails "rotate's option stands there"
		[[ $verb == status || $out != *--expiring-within* ]] || fails "status's option stands there"
		[[ $out == *'
example: '*"$verb"* ]] || fails "no example"
		run_cred --help
		[[ $out == *"  $verb "* ]] || fails "not in the help: $verb"
	done
	run_cred -h
	expect 0
	[[ $out == *'usage: alation-cred VERB'* && -z $err ]]
	run_cred --version
	expect 0
	[[ $out =~ ^'alation-cred '[0-9]+\.[0-9]+\.[0-9]+$ && -z $err ]]
	nothing_happened
}

@test "path, query and fragment are dropped, and it is said" {
	local address
	login_demo
	for address in "$SANDBOX_URL/catalog/table/17" "$SANDBOX_URL?next=/home" "$SANDBOX_URL/#$CANARY" \
		"${SANDBOX_URL/:\/\//://102@}/data/?q=$CANARY"; do
		run_cred token "$address"
		expect 0 "only $SANDBOX_URL was used of the address"
		[[ ${#out} == 43 && $out$err != *"$CANARY"* ]] || fails "not the token alone"
		run_cred token --format json "$address"
		expect 0
		[[ $out == *'"warnings":[{"code":"url_cut","message":"only '"$SANDBOX_URL"' was used of '* ]] || fails "not among the warnings"
	done
	ALATION_BASE_URL=$SANDBOX_URL/x run_cred token
	expect 0 "only $SANDBOX_URL was used"
	for address in "$SANDBOX_URL" "$SANDBOX_URL/" "$SANDBOX_URL///"; do
		run_cred token "$address"
		expect 0
		[[ -z $err ]] || fails "nothing was cut"
	done
	run_cred login "$SANDBOX_URL/account/auth?x=1#y" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 0 "only $SANDBOX_URL was used"
	[[ $(listed) == 1 ]]
}

@test "upper case, a trailing dot, no scheme, slashes, the user id in front: the same account" {
	local port=${SANDBOX_URL##*:} address first
	run_cred login "http://localhost:$port" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 0
	run_cred token
	first=$out
	for address in "http://localhost:$port" "HTTP://LOCALHOST:$port" "http://LocalHost.:$port/" "localhost:$port" \
		"LOCALHOST.:$port" "102@localhost:$port" "http://102@localhost:$port" "hTTp://102@LOCALHOST.:$port//"; do
		run_cred token "$address"
		expect 0
		[[ $out == "$first" && -z $err ]] || fails "$address is another account"
		ALATION_BASE_URL=$address run_cred token
		[[ $code == 0 && $out == "$first" ]] || fails "$address in the environment is another account"
	done
	for address in "http://127.0.0.1:$port" "https://localhost:$port" "http://103@localhost:$port" "http://localhost:1"; do
		refuses 3 no_account '' token "$address"
	done
	run_cred login "HTTP://102@LOCALHOST.:$port/" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 0
	[[ $(listed) == 1 && $(kernel_keys | wc -l) == 1 ]]
}

@test "default ports and other spellings of an address come out as one" {
	local spelling # of a user id that no other test file caches a token for
	for spelling in https://1102@catalog.example.com:443 HTTPS://1102@CATALOG.Example.COM 1102@catalog.example.com. \
		1102@catalog.example.com.:443/; do
		refuses 3 no_account 'stored for https://1102@catalog.example.com;' get "$spelling"
	done
	for spelling in http://1102@localhost:80 HTTP://1102@LOCALHOST.:80/; do
		refuses 3 no_account 'stored for http://1102@localhost;' get "$spelling"
	done
	for spelling in 'https://1102@[2001:DB8::1]:443' 'https://1102@[2001:db8:0:0:0:0:0:1]' '1102@[2001:0db8::0001]'; do
		refuses 3 no_account 'stored for https://1102@[2001:db8::1];' get "$spelling"
	done
	refuses 3 no_account 'stored for https://1102@catalog.example.com:8443;' get 1102@catalog.example.com:8443
	refuses 3 no_account 'stored for http://1102@[::1]:8080;' get 'http://1102@[0:0:0:0:0:0:0:1]:8080'
	nothing_happened
}

@test "https://1151@host is that account; IPv6 in every spelling is one" {
	local port first
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || skip "this machine has no ::1"
	program_sandbox --address ::1 --user ada:pw:1151 --user bob:pw:1152
	port=${SANDBOX_URL##*:}
	run_cred login "http://[0::1]:$port" --user ada --password-stdin <<<pw
	expect 0 "logged in as http://1151@[::1]:$port"
	run_cred login "http://[0:0:0:0:0:0:0:1]:$port" --user bob --password-stdin <<<pw
	expect 0
	run_cred token "http://1151@[::1]:$port"
	first=$out
	works "$first"
	run_cred token "1151@[0:0::0:1]:$port"
	expect 0
	[[ $out == "$first" ]]
	run_cred token "http://1152@[::0:1]:$port/"
	expect 0
	[[ $out != "$first" ]]
	works "$out"
	[[ $(listed) == 2 ]]
}
