#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real curl as the consumer of `header` and `curl` while a body is on stdin: which forms bring both, whole, and what each does
# when there is no token. What else consumes a format is in formats.bats.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	login_demo
	expect 0
	run_cred get
	TOKEN=$out
	body=$BATS_TEST_TMPDIR/body taken=$BATS_TEST_TMPDIR/taken
	mkdir "$taken"
	mkfifo "$BATS_TEST_TMPDIR/port"
	/usr/bin/python3 "$SANDBOX_TOP/tests/tools/taker.py" "$taken" >"$BATS_TEST_TMPDIR/port" 3>&- &
	taker=$!
	read -r port <"$BATS_TEST_TMPDIR/port"
	# What a line, a shell or a header would choke on, and more than pipes hold.
	{ printf '\0\r\n\n"@\x27$(x)\xff\xfeTOKEN: no\n' && head -c 1000000 /dev/urandom && printf '\n\n'; } >"$body"
	# As a person's: the examples say alation-cred and curl.
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$CRED" >"$BATS_TEST_TMPDIR/bin/alation-cred"
	chmod +x "$BATS_TEST_TMPDIR/bin/alation-cred"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH url=http://127.0.0.1:$port/ body
	unset "${!CURL_@}"
	printf 'silent\nshow-error\nmax-time = 20\nnoproxy = "*"\n' >"$HOME/.curlrc"
}

teardown() {
	kill "$taker"
	wait "$taker" || :
	program_teardown
}

requests() { find "$taken" -name '*.body' | wc -l; }

# brings SHELL SCRIPT: run with the body on stdin, both arrive, and nothing of the body is left or lost.
brings() {
	local n
	rm -f "$taken"/*
	code=0 ran="$1 -c '$2'" raw=''
	"$1" -c "$2" <"$body" >"$OUT" 2>&1 3>&- || code=$?
	out=$(<"$OUT") err=''
	[[ $code == 0 && $(requests) == 1 ]] || fails "$(requests) requests" || return 1
	n=$(cd "$taken" && echo *.body) n=${n%.body}
	[[ $(<"$taken/$n.token") == "$TOKEN" ]] || fails "not the token" || return 1
	cmp "$body" "$taken/$n.body" || fails "not the body"
}

# unfed SHELL SCRIPT: there is no token now. Sets code, and sent: how many requests went out, without one.
unfed() {
	rm -f "$taken"/*
	code=0 ran="$1 -c '$2'" raw=''
	"$1" -c "$2" <"$body" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
	out=$(<"$OUT") err=$(<"$BATS_TEST_TMPDIR/err") sent=$(requests)
	[[ -z $(cat "$taken"/*.token 2>/dev/null) ]] || fails "a token"
}

AS_HEADER='curl -f -H @<(alation-cred token --format header) --data-binary @- "$url"'
AS_CONFIG='curl -f -K <(alation-cred token --format curl) --data-binary @- "$url"'
CHECKED='header=$(alation-cred token --format header) && curl -f -H @<(printf "%s\n" "$header") --data-binary @- "$url"'
PIPED='alation-cred token --format header | curl -f -H @- --data-binary "@$body" "$url"'
PIPED_CONFIG='alation-cred token --format curl | curl -f -K - --data-binary "@$body" "$url"'
PORTABLE='header=$(alation-cred token --format header) || exit
printf "%s\n" "$header" | curl -f -H @- --data-binary "@$body" "$url"'

@test "the body on stdin and the token beside it: both arrive, byte for byte" {
	local shell script missing=''
	for shell in bash zsh; do
		command -v $shell >/dev/null || { missing+=" $shell"; continue; }
		# The substitution has curl's stdin, which is the body: that token leaves it alone is seen here, and get with a format does.
		for script in "$AS_HEADER" "$AS_CONFIG" "$CHECKED" "${AS_HEADER/token --format/get --format}" "${CHECKED/token --format/get --format}" \
			'curl -f -K <(alation-cred token --format curl) -T - "$url"' "cat | $AS_HEADER" "cat | $AS_CONFIG"; do
			brings $shell "$script"
		done
	done
	[[ -z $missing ]] || skip "not installed:$missing"
}

@test "the token on stdin and the body in a file: both arrive, in any shell" {
	local shell script missing=''
	for shell in sh dash bash zsh; do
		command -v $shell >/dev/null || { missing+=" $shell"; continue; }
		for script in "$PIPED" "$PIPED_CONFIG" "$PORTABLE" "${PIPED_CONFIG/--data-binary \"@\$body\"/-T \"\$body\"}"; do
			brings $shell "$script"
		done
	done
	[[ -z $missing ]] || skip "not installed:$missing"
}

@test "both on stdin cannot be: curl takes the body for headers, and sends none" {
	run ! brings bash '{ alation-cred token --format header; printf "body\n"; } | curl -f -H @- --data-binary @- "$url"'
	[[ $(requests) == 1 && ! -s $taken/1.body ]]
	run ! brings bash '{ alation-cred token --format curl; printf "body\n"; } | curl -f -K - --data-binary @- "$url"'
	[[ ! -s $taken/1.body ]]
}

@test "without a token: a pipe and a substitution send the request all the same; a variable that is looked at does not" {
	local script shell
	run_cred logout
	expect 0
	# curl's exit code, if -f asks for one; ours is lost.
	for script in "$AS_HEADER" "$AS_CONFIG" "$PIPED" "$PIPED_CONFIG"; do
		unfed bash "$script"
		[[ $code == 22 && $sent == 1 && $err == *'nobody is logged in'* ]] || fails "$sent sent"
		unfed bash "${script/curl -f/curl}"
		[[ $code == 0 && $sent == 1 ]] || fails "$sent sent"
	done
	# pipefail tells, but curl was started.
	for script in "$PIPED" "$PIPED_CONFIG"; do
		unfed bash "set -o pipefail; ${script/curl -f/curl}"
		[[ $code == 3 && $sent == 1 ]] || fails "$sent sent"
	done
	# A substitution tells nobody.
	unfed bash "set -eo pipefail; ${AS_HEADER/curl -f/curl}"
	[[ $code == 0 && $sent == 1 ]] || fails "$sent sent"
	for shell in bash zsh; do
		command -v $shell >/dev/null || continue
		unfed $shell "$CHECKED"
		[[ $code == 3 && $sent == 0 ]] || fails "$sent sent"
		# And whoever goes on has the body still.
		unfed $shell "$CHECKED; cmp - \"\$body\" && echo whole"
		[[ $code == 0 && $out == whole ]] || fails "stdin was read"
	done
	for shell in sh dash bash; do
		unfed $shell "$PORTABLE"
		[[ $code == 3 && $sent == 0 ]] || fails "$sent sent"
	done
}

@test "no form has the token in curl's arguments or environment" {
	local script
	cat >"$BATS_TEST_TMPDIR/bin/curl" <<-END
		#!/bin/sh
		{ tr '\\0' '\\n' </proc/\$\$/cmdline; env; } >>"$BATS_TEST_TMPDIR/seen"
		exec $(command -v curl) "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/curl"
	for script in "$AS_HEADER" "$AS_CONFIG" "$CHECKED" "$PIPED" "$PIPED_CONFIG" "$PORTABLE"; do
		brings bash "$script"
	done
	[[ $(grep -c '^PATH=' "$BATS_TEST_TMPDIR/seen") == 6 ]]
	run ! grep -qF -- "$TOKEN" "$BATS_TEST_TMPDIR/seen"
}
