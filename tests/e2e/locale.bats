#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bad input, the part of locales and time zones: Turkish letters, no UTF-8, zones that are odd or none. What machines read,
# and how a caller's words are read, is the same everywhere.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() {
	program_setup_file
	# A locale that is not installed counts as C, and would prove nothing.
	export LOCALES=$BATS_FILE_TMPDIR/locales
	mkdir "$LOCALES"
	localedef -i tr_TR -f UTF-8 "$LOCALES/tr_TR.UTF-8" 2>/dev/null || rm -rf "$LOCALES"
}
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
}
teardown() { program_teardown; }

needs_turkish() { [[ -d $LOCALES ]] || skip 'no localedef, or no source of tr_TR (package locales)'; }

# Environments, a line each.
# What the C library makes of LOCPATH, once a library of a module asks for a locale, it never gives back: no leak of ours.
TURKISH='LC_ALL=tr_TR.UTF-8 LOCPATH=LOCALES ASAN_OPTIONS=detect_leaks=0'
PLACES="LC_ALL=C
LC_ALL=nonsense
LC_ALL= LC_CTYPE= LANG=
LC_ALL=tr_TR.UTF-8
TZ=:nonsense
TZ=
TZ=Asia/Kathmandu
TZ=XXX25
TZ=../../../../etc/passwd
TZ=/dev/null
TZ=CET-1CEST,M3.5.0,M10.5.0/3"

# in_place "NAME=VALUE..." ARG...: run_cred there.
in_place() {
	local -
	local assignments=${1//LOCALES/$LOCALES}
	shift
	set -f
	before=(env $assignments)
	run_there "$@"
}
run_there() {
	local format=token raw
	code=0
	"${before[@]}" setsid -w "$CRED" "$@" >"$OUT" 2>"$OUT.err" 3>&- || code=$?
	out=$(<"$OUT") err=$(<"$OUT.err")
	IFS= read -r -d '' raw <"$OUT" || :
	answers_format "$@"
	answers_record "$code" "$format" "alation-cred ${*@Q}" "$raw"
}

# What a program can read, of calls that change nothing, with their exit codes.
machine_words() { # PLACE
	local format request
	for format in token header curl env json headers-json; do
		in_place "$1" get "$ACCOUNT" --format "$format" --min-ttl 10m
		echo "$format $code: $out$err"
	done
	in_place "$1" status --format json
	echo "status $code: $out$err"
	in_place "$1" get "${ACCOUNT/http/HTTP}" --format json
	echo "a scheme in capitals $code: $out$err"
	for request in "protocol=http\nhost=${SANDBOX_URL#http://}\nusername=102\n" "capability[]=authtype\nprotocol=HTTP\nhost=${SANDBOX_URL#http://}\n" \
		'protocol=https\nhost=INSTANCE.INVALID\n'; do
		in_place "$1" get --protocol git < <(printf "$request")
		echo "git $code: $out$err"
	done
	# A host's capital I becomes i, and nothing else: the account that has it is found.
	for argument in HTTPS://103@INSTANCE.INVALID 103@Instance.INVALID https://instance.invalid https://İnstance.invalid https://ınstance.invalid; do
		in_place "$1" set "$argument" exclusive --format json
		echo "$argument $code: $out$err"
	done
	for argument in 10M 1D 1.5h 1,5h 10m; do
		in_place "$1" status --expiring-within "$argument" "$ACCOUNT" --format json
		echo "DUR $argument $code: $out$err"
	done
}

list_instance() {
	local line
	line=$(sed -n 's/&default=1//; s/base_url=[^&]*/base_url=https%3A%2F%2Finstance.invalid/; s/user_id=102/user_id=103/p' "$STATE/accounts")
	echo "$line" >>"$STATE/accounts"
	sed -i '1s/.*/v=2\&accounts=2/' "$STATE/accounts"
}

@test "what machines read is the same in every locale and zone, and so is what is read of them" {
	local usual
	login_demo
	list_instance
	machine_words 'LC_ALL=C.UTF-8 TZ=UTC0' >"$BATS_TEST_TMPDIR/usual"
	usual=$(<"$BATS_TEST_TMPDIR/usual")
	# It is what it should be.
	[[ $usual == *'token 0: '* && $usual == *'"expires_at":"20'*'Z"'* && $usual == *'git 0: username=102'* ]] || { echo "$usual"; false; }
	[[ $(grep -c '^http.*103@.* 0: \|^103@.* 0: \|^HTTPS://103@.* 0: \|^https://instance.invalid 0: ' <<<"$usual") == 3 ]] || { echo "$usual"; false; }
	while read -r place; do
		diff "$BATS_TEST_TMPDIR/usual" <(machine_words "$place") || { echo "in $place"; return 1; }
	done <<<"$PLACES"
}

@test "the same with Turkish letters, of which I has another small one" {
	needs_turkish
	login_demo
	list_instance
	[[ $(env LC_ALL=tr_TR.UTF-8 LOCPATH="$LOCALES" awk 'BEGIN { print tolower("I") }') != i ]] || skip 'this locale has no ı'
	machine_words 'LC_ALL=C.UTF-8' >"$BATS_TEST_TMPDIR/usual"
	diff "$BATS_TEST_TMPDIR/usual" <(machine_words "$TURKISH")
}

@test "a login, a mint and a renewal in an odd place are those of any other" {
	local place ends
	for place in TZ=Asia/Kathmandu TZ=XXX25 "TZ=Asia/Kathmandu ${LOCALES:+$TURKISH}"; do
		in_place "$place" login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
		expect 0
		in_place "$place" rotate
		expect 0
		in_place "$place" get --fresh --format json
		expect 0
		works "$(jq -r .token <<<"$out")"
		ends=$(jq .expires_at_epoch <<<"$out")
		((ends > EPOCHSECONDS + 86000 && ends <= EPOCHSECONDS + 86400)) || fails "$place: ends $ends"
		[[ $(jq -r .expires_at <<<"$out") == "$(date -u -d "@$ends" +%Y-%m-%dT%H:%M:%SZ)" ]] || fails "$place: in words"
		in_place "$place" logout
		expect 0
	done
}

@test "status: times are local, with their offset, and name the same moment" {
	local place times ends offset
	login_demo
	run_cred status --format json
	ends=$(jq '.accounts[0].refresh.expires_at_epoch' <<<"$out")
	while read -r place offset; do
		in_place "$place" status
		expect 0
		times=$(grep -oE '20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} [-+][0-9]{2}:[0-9]{2}' <<<"$out" | sed -n 1p)
		[[ $times == *" $offset" ]] || fails "$place: $times"
		[[ $offset == -24:00 || $(date -u -d "$times" +%s) == $((ends / 60 * 60)) ]] || fails "$place: another moment"
	done <<-'END'
		TZ=UTC0 +00:00
		TZ=:nonsense +00:00
		TZ=../../../../etc/passwd +00:00
		TZ=/dev/null +00:00
		TZ=<+0545>-5:45 +05:45
		TZ=<-0330>3:30 -03:30
		TZ=XXX25 -24:00
	END
	[[ ! -e /usr/share/zoneinfo/Asia/Kathmandu ]] || {
		in_place TZ=Asia/Kathmandu status
		[[ $out == *' +05:45  '* ]] || fails 'not by the zone file'
	}
}
