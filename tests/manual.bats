#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The manual pages: clean mdoc, and what they say of verbs, options, exit codes, codes, environment variables, answers,
# the configuration and the keyring modules
# is what the program has, in both directions; README's verbs and exit codes too. The program tells by --help and by tests/tools/contract; the pages are
# read as they are written, by their macros.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	B=${B:-$top/.build}
	cd "$top" || return 1
	page=docs/alation-cred.1
	protocol=docs/alation-cred-protocol.7
	conf=docs/alation-cred.conf.5
	keyring=docs/alation-cred-keyring.7
	export LC_ALL=C
}

# Compares two lists on descriptors, whatever their order: same WHAT FROM_PAGE FROM_PROGRAM
same() {
	[ -s "$2" ] && [ -s "$3" ] || { echo "$1: an empty list"; return 1; }
	diff <(sort -u "$2") <(sort -u "$3") >"$BATS_TEST_TMPDIR/diff" && return 0
	echo "$1 ('<' is in the page alone, '>' in the program alone):"
	grep '^[<>]' "$BATS_TEST_TMPDIR/diff"
	return 1
}

list() { cat >"$BATS_TEST_TMPDIR/$1"; }
with() { echo "$BATS_TEST_TMPDIR/$1"; }

# The lines of a section (Sh) with all in it, or of a subsection (Ss).
section() { awk -v head=".Sh $2" '/^\.Sh / { on = $0 == head; next } on' "$1"; }
subsection() { awk -v head=".Ss $2" '/^\.S[sh] / { on = $0 == head; next } on' "$1"; }

contract() { "$B/tests/tools/contract" >"$(with contract)" && sed -n "s/^$1 //p" "$(with contract)"; }
help() { "$B/alation-cred" "$@" --help; }
help_options() { help "$@" | sed -nE 's/^  (-[-a-z]+)( [A-Z_]+)?  .*/\1\2/p'; }
verbs() { help | sed -nE 's/^  ([a-z]+) .*/\1/p'; }

@test "mandoc -T lint has nothing to say" {
	pages=(docs/*.[1-9])
	[ "${#pages[@]}" -ge 2 ]
	for each in "${pages[@]}"; do
		run mandoc -T lint "$each"
		[ "$status" -eq 0 ] && [ -z "$output" ] || { echo "$output"; false; }
	done
	sed 's/^\.El$/.Al/' "$page" >"$BATS_TEST_TMPDIR/broken.1"
	run ! mandoc -T lint "$BATS_TEST_TMPDIR/broken.1"
	[ -n "$output" ]
}

@test "the pages have every verb with its arguments" {
	subsection "$page" Verbs | sed -nE 's/^\.It Cm //p' |
		sed -E 's/ Oc Fl - Ar (.*) Op Ar (.*) \.\.\.$/ -- \1 [\2...]/; s/ O[op] Ar ([A-Z]+)/ [\1]/; s/ Oc Ar / /' | list page
	for verb in $(verbs); do
		help "$verb" | sed -nE 's/^usage: alation-cred (.*) \[OPTIONS\]( -- .*)?$/\1\2/p'
	done | list program
	same verbs "$(with page)" "$(with program)"
}

@test "the synopsis has every option of every verb, and its value" {
	section "$page" SYNOPSIS | awk '
		/^\.Nm/ { n = 0 }
		/^\.Cm/ && !n { for (i = 2; i <= NF; i++) if ($i != "|") verb[++n] = $i; next }
		/^\.Op/ {
			for (i = 2; i <= NF; i++) {
				if ($i !~ /^-/) continue
				value = $(i + 1) == "Ar" ? " " $(i + 2) : ""
				for (v = 1; v <= n; v++) print verb[v], "-" $i value
			}
		}' | list page
	help_options | list for-all
	for verb in $(verbs); do
		help_options "$verb" | grep -vxF -f "$(with for-all)" | sed "s/^/$verb /"
	done | list program
	same options "$(with page)" "$(with program)"
}

@test "every option is explained, and every one that is explained is there" {
	options() { sed -nE 's/^\.It Fl //p' | sed -E 's/ , Fl /\n/; s/(^|\n)/&-/g; s/ Ar / /'; }
	subsection "$page" 'Options of every verb' | options | list page
	{ help_options; echo -h; } | list program
	same 'options of every verb' "$(with page)" "$(with program)"
	[ "$("$B/alation-cred" -h)" = "$(help)" ]
	section "$page" DESCRIPTION | options | list page
	{ for verb in $(verbs); do help_options "$verb"; done; echo -h; } | list program
	same options "$(with page)" "$(with program)"
}

@test "the examples' options are there" {
	for verb in $(verbs); do help_options "$verb"; done | sed 's/ .*//' | list program
	sed 's/.*git config.*//' "$page" "$protocol" | grep -oE '\\-\\-[a-z\\-]+' | tr -d '\\' | sort -u | list page
	[ "$(wc -l <"$(with page)")" -ge 5 ]
	run comm -23 "$(with page)" <(sort -u "$(with program)")
	[ -z "$output" ] || { echo "no such option: $output"; false; }
}

@test "formats and protocols are the program's" {
	subsection "$page" 'Options of every verb' | sed -nE 's/^\.It Ql //p' | list page
	contract format | list program
	same formats "$(with page)" "$(with program)"
	subsection "$page" 'Options of get, store, erase and capability' | sed -nE 's/^\.Ql ([a-z]+).*/\1/p' | list page
	contract protocol | list program
	same protocols "$(with page)" "$(with program)"
}

@test "exit codes and the codes of failures are the program's, and which of them may be tried again" {
	section "$page" 'EXIT STATUS' | awk '
		/^\.It [0-9]/ { exit_code = $2; print "exit", exit_code }
		/^\.It Er/ { print "code", $3, exit_code, $4 == "Pq" ? $5 : "-" }' | list page
	contract exit >/dev/null
	grep -E '^(exit|code) ' "$(with contract)" | list program
	[ "$(grep -c '^code ' "$(with program)")" -ge 25 ]
	same 'exit codes' "$(with page)" "$(with program)"
	# No row stands there twice.
	[ -z "$(sort "$(with page)" | uniq -d)" ]
}

@test "README: exit codes and verbs are the program's" {
	sed -n '/^| Exit /,/^$/s/^| \([0-9]*\) |.*/\1/p' README.md | list page
	contract exit | list program
	same 'exit codes' "$(with page)" "$(with program)"
	sed -n '/^## The verbs/,/^## /s/^    alation-cred \([a-z]*\) .*/\1/p' README.md | list page
	verbs | grep -vxE 'store|erase|capability' | list program # git calls these
	same verbs "$(with page)" "$(with program)"
}

@test "every environment variable that is read is in the page, and every one in the page is read" {
	section "$page" ENVIRONMENT | sed -nE 's/^\.It Ev //p' | sed 's/ , /\n/g' | list page
	# A name that is not written at the call cannot be found by this test.
	run grep -rnE 'getenv\([^"]' --include='*.c' --include='*.h' protocol keyring helper
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	{
		grep -rhoE 'getenv\("[A-Za-z_]+"' --include='*.c' --include='*.h' --exclude=failpoint.c protocol keyring helper | cut -d'"' -f2
		# By libcurl. It reads http_proxy too, but plain http goes through no proxy here.
		printf '%s\n' https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
		echo TZ # by the C library
	} | list program
	same 'environment variables' "$(with page)" "$(with program)"
}

@test "the variables that are removed are those in the page" {
	subsection "$page" 'Variables that are removed' | sed -nE 's/^\.Ev ([A-Z_]+) .*/\1/p' | list page
	sed -n '/^void foreign_code_comes/,/^}/p' helper/base/foreign.c | grep -oE '"[A-Z_]+"' | tr -d '"' | list program
	same 'removed variables' "$(with page)" "$(with program)"
}

@test "the answers in the page are the program's, byte for byte" {
	# Of a display the lines are one, but for a line feed and one blank of each where it was broken; git's answers have lines.
	section "$protocol" JSON | awk '/^\.Bd/ { on = 1; text = ""; next } /^\.Ed/ { print text; on = 0 } on { sub(/^ /, ""); text = text $0 }' | list page
	contract json | list program
	same 'answers in JSON' "$(with page)" "$(with program)"
	for each in get capability; do subsection "$protocol" "$each"; done |
		awk '/^\.Bd/ { on = 1; text = ""; next } /^\.Ed/ { print substr(text, 2); on = 0 } on { text = text "|" $0 }' | list page
	contract git | list program
	same "answers in git's protocol" "$(with page)" "$(with program)"
}

@test "the codes of warnings are the program's" {
	subsection "$protocol" Warnings | sed -nE 's/^\.It Er //p' | list page
	# Those that a call has which then fails, or which has no JSON for them, are told on stderr alone.
	local only_said='account_added forgotten kept no_answer orphan rotation_open state_fallback stdin_silent'
	grep -rhoE 'context_warn\(context, "[a-z_]+"' --include='*.c' helper | cut -d'"' -f2 | list program
	{ cat "$(with page)"; printf '%s\n' $only_said; } | list all
	same 'codes of warnings' "$(with all)" "$(with program)"
}

# The displays of a section, each into $BATS_TEST_TMPDIR/display.N, as a reader would type them; prints how many.
displays() {
	awk -v to="$BATS_TEST_TMPDIR/display." '/^\.Bd/ { on = ++n; next } /^\.Ed/ { on = 0 } on { gsub(/\\-/, "-"); print >(to n) } END { print n + 0 }'
}

@test "the configuration's words are the program's, and each has a default" {
	section "$conf" WORDS | sed -nE 's/^\.It Cm ([a-z-]+).*/\1/p' | list page
	contract word | list program
	same words "$(with page)" "$(with program)"
	# "Without this line ...", of all of them but default-account, which says it of both.
	[ "$(section "$conf" WORDS | grep -ci 'without this line')" -eq "$(wc -l <"$(with page)")" ]
}

@test "facilities and controls of the stack are the program's, and the table of the controls is" {
	grep -F 'facilities[] = {' keyring/conf.c | grep -oE '"[a-z]+"' | tr -d '"' | list program
	section "$conf" 'THE STACK' | sed -nE 's/^\.It Cm (refresh|access)$/\1/p; /^\.Bl -column/q' | list page
	same facilities "$(with page)" "$(with program)"
	section "$conf" 'THE STACK' | sed -nE 's/^\.It Cm ([a-z]+) Ta (.*)/\1 \2/p' | list page
	sed -n '/^} actions\[\] = {/,/^};/p' keyring/stack.c | awk '
		BEGIN {
			absent["GO_ON"] = "next line"; absent["END"] = "ends: absent"
			failed["END"] = "ends: that failure"; failed["REMEMBER"] = "remembered, next line"
			store["MUST_TAKE"] = "must take it"; store["FIRST_TAKES"] = "the first one available takes it"; store["MAY_TAKE"] = "may take it"
		}
		match($0, /\[KEYRING_[A-Z]+\]/) {
			name = tolower(substr($0, RSTART + 9, RLENGTH - 10))
			sub(/.*\{ */, ""); sub(/ *\}.*/, ""); split($0, is, /, */)
			print name, absent[is[1]], "Ta", failed[is[2]], "Ta", store[is[3]]
		}' | list program
	[ "$(wc -l <"$(with program)")" -eq 4 ]
	same 'table of controls' "$(with page)" "$(with program)"
	sed -nE 's/.*\[KEYRING_[A-Z]+\] = "([a-z]+)".*/\1/p' keyring/conf.c | list controls
	cut -d' ' -f1 "$(with page)" | list names
	same controls "$(with names)" "$(with controls)"
}

modules() { sed -nE 's/^(builtins|shared_modules) := //p' Makefile | tr ' ' '\n'; }

@test "the keyring modules are the program's, in each place where they are listed" {
	modules | list program
	section "$keyring" MODULES | sed -n 's/^\.Ss //p' | list page
	same modules "$(with page)" "$(with program)"
	[ -z "$(sort "$(with page)" | uniq -d)" ]
	section "$keyring" PROTECTION | sed -nE 's/^\.It Cm ([a-z-]+) Ta .*/\1/p' | list page
	same 'table of what protects them' "$(with page)" "$(with program)"
	subsection "$conf" Modules | sed -nE 's/^\.Cm ([a-z-]+).*/\1/p' | grep -vxE 'refresh|access' | list page
	same 'modules of alation-cred.conf' "$(with page)" "$(with program)"
	# The built-in ones by name, the others as files.
	subsection "$keyring" 'Where modules are' | sed -nE '/^They lie in/q; s/^\.Cm ([a-z-]+).*/\1/p; s/^\.Pa ([a-z-]+)\.so$/\1.so/p' | list page
	{
		sed -nE 's/^builtins := //p' Makefile | tr ' ' '\n'
		sed -nE 's/^shared_modules := //p' Makefile | tr ' ' '\n' | sed 's/$/.so/'
	} | list program
	same 'modules by where they are' "$(with page)" "$(with program)"
}

# What MODULE says to the arguments of its line.
told() { "$B/tests/tools/keyring-tool" --notes lookup refresh https://catalog.example.com 102 --line "refresh sufficient $*" 2>&1 >/dev/null; }

@test "each keyring module knows the arguments that its page has, and no other" {
		# But for what programs say, which a module reads.
	grep -rhoE '"[a-z-]{2,}="' --include='*.c' --exclude='*-words.c' keyring | tr -d '"' | list program
	section "$keyring" MODULES | sed -nE 's/^\.It Cm ([a-z-]+=).*/\1/p' | list page
	same arguments "$(with page)" "$(with program)"
	for module in $(modules); do
		subsection "$keyring" "$module" | sed -nE 's/^\.It Cm ([a-z-]+=).*/\1/p' | list page
		told "$module" no-such-argument | grep '^note ' | grep -oE '[a-z-]+=|takes no arguments' | list program
		if grep -qx 'takes no arguments' "$(with program)"; then
			[ ! -s "$(with page)" ] && subsection "$keyring" "$module" | grep -q '^It takes no arguments\.$'
			continue
		fi
		same "arguments of $module" "$(with page)" "$(with program)"
		while read -r argument; do
			case $argument in
			base-url=) value=https://catalog.example.com ;;
			file= | key-file=) value=/nonexistent ;;
			user-id=) value=102 ;;
			unlock-time=) value=8h ;;
			*) value=some-name ;;
			esac
			run told "$module" "$argument$value"
			[[ $output != *argument* && $output != *'takes '* ]] || { echo "$module $argument: $output"; false; }
		done <"$(with page)"
	done
}

@test "the built-in stack is the program's" {
	[ "$(section "$keyring" DESCRIPTION | displays)" -eq 1 ]
	tr -s ' ' <"$BATS_TEST_TMPDIR/display.1" | list page
	env -i HOME="$BATS_TEST_TMPDIR" "$B/alation-cred" status -v --format json 2>/dev/null |
		jq -r '.configuration[] | "\(.word) \(.value)"' | cut -d' ' -f1-3 | list program
	diff "$(with page)" "$(with program)"
	section "$keyring" DESCRIPTION | sed -nE 's/^\.It Cm ([a-z]+)$/\1/p' | list page
	cut -d' ' -f1 "$(with program)" | list facilities
	same facilities "$(with page)" "$(with facilities)"
}

@test "the statuses of keyring modules are the program's, and so are the exits and codes behind them" {
	section "$keyring" STATUSES | sed -nE 's/^\.It Cm ([a-z]+) .*/\1/p' | list page
	sed -nE 's/.*\[ACRED_[A-Z]+\] = "([a-z]+)".*/\1/p' keyring/status.c | grep -vx ok | list program
	same statuses "$(with page)" "$(with program)"
	section "$keyring" MODULES | sed -nE 's/^\.It Cm ([a-z]+)$/\1/p' | list each
	run comm -23 <(sort -u "$(with each)") <(sort -u "$(with program)")
	[ -z "$output" ] || { echo "no such status: $output"; false; }
	section "$keyring" STATUSES | sed -nE 's/^\.It Cm [a-z]+ Pq exit ([0-9]+), Er ([a-z_]+)$/\2 \1/p' | list page
	[ "$(wc -l <"$(with page)")" -eq "$(wc -l <"$(with program)")" ]
	contract code | cut -d' ' -f1,2 | list program
	run comm -23 <(sort -u "$(with page)") <(sort -u "$(with program)")
	[ -z "$output" ] || { echo "no such code: $output"; false; }
}

@test "the examples of a configuration are taken" {
	n=$(section "$conf" EXAMPLES | displays)
	[ "$n" -ge 5 ]
	for ((i = 1; i <= n; i++)); do
		ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/display.$i HOME=$BATS_TEST_TMPDIR "$B/alation-cred" status -v >"$BATS_TEST_TMPDIR/out"
		grep -q "display.$i:[0-9]" "$BATS_TEST_TMPDIR/out"
	done
	section "$conf" WORDS | awk '/^Example:/ { getline; print }' | sed 's/^\.Ql //; s/ \.$//' >"$BATS_TEST_TMPDIR/each"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/each")" -ge 4 ]
	ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/each HOME=$BATS_TEST_TMPDIR "$B/alation-cred" status -v
}

@test "the variables of the configuration stand in both pages" {
	section "$conf" ENVIRONMENT | sed -nE 's/^\.It Ev //p' | sed 's/ , /\n/g' | list page
	grep -hoE 'getenv\("[A-Z_]+"' helper/config.c | cut -d'"' -f2 | list program
	same 'variables of the configuration' "$(with page)" "$(with program)"
}
