#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --help: a screen for each verb, with an example that is right, and with the options that the verb takes and no other.

bats_require_minimum_version 1.5.0
load lib/program

setup() {
	program_environment
	exec </dev/null
	# What is asked rightly gets as far as the configuration, and no further.
	export HOME=$BATS_TEST_TMPDIR ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/none
	mapfile -t verbs < <("$CRED" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
	[[ ${#verbs[@]} -ge 14 ]]
}

# The option lines of a help text on stdin: "--timeout DUR"
options() { sed -nE 's/^  (-[-a-z]+( [A-Z_]+)?)  .*/\1/p'; }

@test "help: 80 columns, and on a screen" {
	for verb in '' "${verbs[@]}"; do
		run "$CRED" $verb --help
		[[ $status == 0 && $output == "usage: alation-cred ${verb:-VERB}"* ]]
		[[ ${#lines[@]} -le $([[ $verb ]] && echo 24 || echo 40) ]] || { echo "$verb: ${#lines[@]} lines"; false; }
		for line in "${lines[@]}"; do
			[[ ${#line} -le 80 && $line != *' ' && $line != *$'\t'* ]] || { echo "$verb: $line"; false; }
		done
	done
}

@test "help: 'help VERB' is 'VERB --help'" {
	[[ $("$CRED" help) == "$("$CRED" --help)" ]]
	for verb in "${verbs[@]}"; do
		[[ $("$CRED" help "$verb") == "$("$CRED" "$verb" --help)" ]]
	done
	run "$CRED" help nobody
	[[ $status == 2 && $output == *'there is no such verb'* && $output != *nobody* ]]
	# git's helper has no such verb, and takes what comes with one.
	ln -s "$CRED" "$BATS_TEST_TMPDIR/git-credential-alation"
	run "$BATS_TEST_TMPDIR/git-credential-alation" help
	[[ $status == 0 && -z $output ]]
}

@test "help: the options of a verb are those that it takes" {
	# Of every option that there is, with a value that can be.
	declare -A value=([FORMAT]=json [WHEN]=never [DUR]=5s [PROTOCOL]=git [NAME]=x [N]=102 [TOKEN_NAME]=x [MODULE]=sealed-file [FILE]=x)
	for verb in "${verbs[@]}"; do "$CRED" "$verb" --help; done | options | sort -u >"$BATS_TEST_TMPDIR/all"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/all") -ge 24 ]]
	for verb in "${verbs[@]}"; do
		"$CRED" "$verb" --help | options >"$BATS_TEST_TMPDIR/own"
		while read -r option name; do
			[[ ! $name || ${value[$name]:-} ]] || { echo "a value for $name?"; false; }
			run "$CRED" "$verb" "$option" ${name:+"${value[$name]}"} $([[ $verb != exec ]] || echo -- true)
			if grep -qxF -e "$option${name:+ $name}" "$BATS_TEST_TMPDIR/own"; then
				[[ $output != *'has no option'* && $output != *'is not known'* ]] || { echo "$verb --help has $option"; false; }
			elif [[ $option == --protocol && $verb != exec ]]; then
				[[ $status == 0 && -z $output ]] # a verb of a later git
			else
				[[ $status == $([[ $verb == exec ]] && echo 125 || echo 2) && $output == *"'$verb' has no option '$option'"* ]] || { echo "$verb --help has no $option: $output"; false; }
			fi
		done <"$BATS_TEST_TMPDIR/all"
	done
}

@test "help: the examples are right" {
	alation-cred() {
		local code=0
		"$CRED" "$@" || code=$?
		echo "$code" >>"$BATS_TEST_TMPDIR/codes"
	}
	curl() { cat "${2#@}"; }
	TOKEN=abc
	for verb in '' "${verbs[@]}"; do
		rm -f "$BATS_TEST_TMPDIR/codes"
		example=$("$CRED" $verb --help | awk 'sub(/^example: /, "") { on = 1 } on')
		[[ $example == *"alation-cred ${verb:-get}"* ]]
		eval "$example" >/dev/null 2>"$BATS_TEST_TMPDIR/err" </dev/null
		# The one call was understood: it came to the configuration that is not there, or needs none.
		[[ $(<"$BATS_TEST_TMPDIR/codes") =~ ^(0|9|125)$ && $(<"$BATS_TEST_TMPDIR/err") != *--help* ]] || { echo "$example"; cat "$BATS_TEST_TMPDIR/err"; false; }
	done
}
