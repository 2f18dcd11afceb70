#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/alation-cred.schema.json: it takes each answer that there is and no other, its lists are the program's, and a test
# file that has seen another answer fails.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	B=${B:-$top/.build}
	schema=$top/docs/alation-cred.schema.json
	cd "$BATS_TEST_TMPDIR" || return 1
}

answers() { /usr/bin/python3 "$top/tests/tools/answers.py" "$schema" "$@"; }
contract() { "$B/tests/tools/contract" >contract && sed -nE "s/^($1) //p" contract; }
same() { diff <(sort "$1") <(sort "$2") && [ -s "$1" ]; }

@test "each answer of the program fits, and none with any one member less, one more, or one of another kind" {
	contract 'json|headers-json' >examples
	[ "$(wc -l <examples)" -ge 8 ]
	answers --strict <examples
	# A schema that takes more is noticed.
	jq 'del(.["$defs"].done.additionalProperties)' "$schema" >loose && schema=$PWD/loose
	run -1 answers --strict <examples
	[[ $output == *'taken: '* ]]
}

@test "the codes of failures are the program's, with the exit code of each and whether it may be tried again" {
	contract code >program
	jq -r '.["$defs"].code_and_exit.oneOf[].properties | .exit.const as $exit | .retryable.const as $again | .code.enum[] |
		"\(.) \($exit) \(if $again then "retryable" else "-" end)"' "$schema" >schema
	same schema program
}

@test "the codes of warnings are those of the manual page, whose list is the program's" {
	sed -nE '/^\.Ss Warnings/,/^\.Sh /s/^\.It Er //p' "$top/docs/alation-cred-protocol.7" >page
	jq -r '.["$defs"].warnings.items.properties.code.enum[]' "$schema" >schema
	same schema page
}

FAILS='{"version":1,"success":false,"code":"busy","exit":8,"message":"m","remedy":"","retryable":true,"retry_after":null}'
DONE='{"version":1,"success":true,"base_url":"https://a.example","user_id":1,"refresh_token_expires_at":null,"warnings":[]}'
TOKEN='{"version":1,"success":true,"base_url":"https://a.example","user_id":1,"token":"t","header":"TOKEN","expires_at":"2026-11-25T17:30:00Z","expires_at_epoch":1795627800,"refresh_token_expires_at":null,"warnings":[]}'
LF=$'\n'

is() { # CODE FORMAT COMMAND STDOUT: as it was recorded
	printf '%s\0' "$@" >records
	answers records >why || { echo "$*: $(<why)"; return 1; }
}
is_not() { run ! is "$@"; }

@test "what a command wrote is judged by its format, its exit code and the verb" {
	is 0 json 'alation-cred get --format json' "$TOKEN$LF"
	is 0 json "alation-cred 'logout'" "$DONE$LF"
	is 8 json 'alation-cred get' "$FAILS$LF"
	is 137 json 'alation-cred get' "$TOKEN$LF" # killed when it had written
	is 137 json 'alation-cred get' ''
	is 10 json 'alation-cred get' ''
	is 0 json "alation-cred 'store' '--format' 'json'" ''
	is 0 json 'alation-cred --help --format json' "usage: ${LF}more$LF"
	is 0 headers-json 'alation-cred get' "{\"TOKEN\":\"t\"}$LF"
	is 3 headers-json 'alation-cred get' ''
	is 0 headers-json 'alation-cred login' ''
	is_not 3 json 'alation-cred get' "$FAILS$LF"
	is_not 0 json 'alation-cred get' "$FAILS$LF"
	is_not 8 json 'alation-cred get' "$TOKEN$LF"
	is_not 0 json 'alation-cred get' ''
	is_not 3 json 'alation-cred get' ''
	is_not 0 json 'alation-cred get' "$TOKEN"
	is_not 0 json 'alation-cred get' "$TOKEN$LF$LF"
	is_not 0 json 'alation-cred get' "$TOKEN$LF$TOKEN$LF"
	is_not 0 json 'alation-cred get' "note: $TOKEN$LF"
	is_not 0 json 'alation-cred get' "${TOKEN/\"version\":1,/\"version\":1,\"version\":1,}$LF"
	is_not 0 json 'alation-cred get' "${TOKEN/1795627800/1795627801}$LF"
	is_not 0 json 'alation-cred get' "${TOKEN/2026-11-25T17:30:00Z/2026-11-25 17:30:00Z}$LF"
	is_not 0 headers-json 'alation-cred get' ''
	is_not 0 headers-json 'alation-cred get' "{\"TOKEN\":\"t\",\"X\":\"y\"}$LF"
	is_not 8 json 'alation-cred get' "${FAILS/busy/full}$LF"
	is_not 8 json 'alation-cred get' "${FAILS/true,/false,}$LF"
	is_not 8 json 'alation-cred get' "${FAILS/null/3}$LF"
	# Nothing recorded is nothing checked.
	: >records
	run -2 answers records
}

# A test file that looks at nothing but has the program's answer recorded by HOW.
inner() { # ANSWER HOW
	printf '#!/bin/sh\nprintf "%%s\\n" '"'%s'"'\n' "$1" >program
	chmod +x program
	# Not at the beginning of a line here, where bats would take it for one of this file's.
	printf '%s\n' "load $top/tests/lib/program" "setup() { OUT=\$BATS_TEST_TMPDIR/out CRED=$PWD/program; }" "$3" \
		'@''test "it looks at nothing" { '"$2; }" >inner.bats
	outside bats --tap inner.bats 3>&-
}

# bats has its own parts in PATH, and variables, which another bats would take for its own.
outside() { env -i PATH="$(tr : '\n' <<<"$PATH" | grep -v bats-core | paste -sd :)" HOME="$PWD" B="$PWD/build" LC_ALL=C.UTF-8 "$@"; }

@test "a file that has seen an answer that is not as the schema says fails, though no test of it does" {
	local how own='teardown_file() { program_teardown_file; }'
	for how in 'run_cred get --format json' 'run_cred --format=json get' 'cred get --format json | cat' 'answer=$(cred get --format json)'; do
		run inner "$TOKEN" "$how"
		[ "$status" -eq 0 ] || { echo "$output"; false; }
		run ! inner "${TOKEN/header/head}" "$how"
		[[ $output == *'ok 1 it looks at nothing'* && $output == *"alation-cred "*get*exit\ 0* ]] || { echo "$output"; false; }
		run ! inner "${TOKEN/header/head}" "$how" "$own"
	done
	# Whoever has a teardown_file of their own lets it happen.
	run grep -rL --include='*.bats' -e 'program_teardown_file' -e '^answers_check' $(grep -rl --include='*.bats' '^teardown_file' "$top/tests")
	[ -z "$output" ] || { echo "answers unchecked: $output"; false; }
	# And the run of all counts it.
	run inner "${TOKEN/header/head}" 'run_cred get --format json'
	run -1 outside "$top/tests/run" "$PWD/inner.bats"
	[[ $output == *', 1 failed,'* ]] || { echo "$output"; false; }
}
