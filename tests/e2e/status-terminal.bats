#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# status where somebody reads it: colour, the width of the terminal, names of strangers, and what is no terminal.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	unset NO_COLOR COLUMNS
	export TERM=xterm TZ=UTC0
}

teardown() {
	program_teardown
	session_stop # a test's own
}

ESC=$'\e'

# Days left change once a day, and not while a test looks.
log_in() {
	login_demo
	sed -i -E "s/token_expires_at=[0-9]*/token_expires_at=$((EPOCHSECONDS + 50 * 86400 - 3600))/" "$STATE/accounts"
}

# on COLUMNS ARG...: status on a terminal that wide; $COLUMNS says something else.
on() {
	local columns=$1
	shift
	COLUMNS=60 dialog sh -c 'stty cols "$1"; shift; exec "$0" status "$@"' "$CRED" "$columns" "$@" </dev/null
	[[ $code == 0 ]] || { echo "$screen"; return 1; }
}

is_plain() { [[ $1 != *"$ESC"* ]] || { cat -A <<<"$1"; return 1; }; }

@test "colour: on a terminal alone, not with NO_COLOR, not on one that is dumb; the words are the same" {
	local coloured
	log_in
	on 500
	coloured=$screen
	[[ $coloured == *"${ESC}[32m"*"${ESC}[0m"* ]] || { cat -A <<<"$coloured"; false; }
	run_cred status
	expect 0
	is_plain "$out"
	[[ $(sed "s/$ESC\[[0-9]*m//g" <<<"$coloured") == "$out" ]] || fails "other words"
	for setting in NO_COLOR=1 NO_COLOR=0 TERM=dumb TERM=; do
		export "${setting?}"
		on 500
		is_plain "$screen"
		[[ $screen == "$out" ]] || fails "$setting: other words"
		unset NO_COLOR
		export TERM=xterm
	done
	NO_COLOR= on 500
	[[ $screen == "$coloured" ]]
	# JSON is for machines wherever it goes, and so is what a file gets.
	on 500 --format json
	is_plain "$screen"
	jq -e .success <<<"$screen"
	dialog sh -c '"$0" status >"$1"' "$CRED" "$OUT" </dev/null
	[[ $(<"$OUT") == "$out" ]]
}

@test "40 columns: a line for each column, nothing wider; wide enough: the table" {
	local line width
	login_demo
	on 500
	[[ $screen == *ACCOUNT*STATE* ]]
	width=$(sed -n 1p <<<"$screen" | sed "s/$ESC\[[0-9]*m//g" | wc -L)
	on "$width"
	[[ $screen == *ACCOUNT*STATE* ]]
	for columns in $((width - 1)) 80 40; do
		NO_COLOR=1 on "$columns"
		[[ $screen != *ACCOUNT* && $screen == *"$ACCOUNT"*'  refresh ends  20'*' +00:00'*'  left          '*'  keyring       secret-service'*'  state         open'* ]] || { echo "$screen"; return 1; }
		while IFS= read -r line; do
			((${#line} <= columns)) || { echo "$columns: $line"; return 1; }
		done <<<"$screen"
	done
	# A width that nobody knows is no reason to fold.
	on 0
	[[ $screen == *ACCOUNT*STATE* ]]
}

@test "a locked keyring: it is said, the end is still known, and no dialog opens" {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
	login_demo
	session_restart_keyring
	NO_COLOR=1 on 500 --interactive always
	[[ $screen =~ "$ACCOUNT"'  20'[^$'\n']*' days  '[^$'\n']*'  secret-service  locked'$'\n' && $screen == *'cannot be told: '*'secret-service (locked'* ]] || { echo "$screen"; false; }
}

@test "names of strangers: no control character, and ASCII alone where the locale is not UTF-8" {
	sandbox_fault endpoint=createRefreshToken "set=name:\"Zo\\u00eb \\u001b[2J\\u202e\""
	log_in
	for place in LC_ALL=C.UTF-8 LC_ALL=C LC_ALL=nonsense; do
		export "${place?}"
		NO_COLOR=1 on 500
		is_plain "$screen"
		run_cred status
		is_plain "$out"
		case $place in
		*UTF-8) [[ $screen == *"'Zoë \\x1b[2J\\xe2\\x80\\xae'"* && $out == "$screen" ]] || { echo "$screen"; false; } ;;
		*) [[ $screen == *"'Zo\\xc3\\xab \\x1b[2J\\xe2\\x80\\xae'"* && $out == "$screen" && -z $(LC_ALL=C tr -d '\n -~' <<<"$screen") ]] || { echo "$screen"; false; } ;;
		esac
	done
}

@test "from the keyring's own library no colour is decided: stdout has another number then, and is still the terminal" {
	login_demo
	dialog sh -c 'stty cols 500; exec "$0" status -v 2>/dev/null' "$CRED" </dev/null
	[[ $code == 0 && $screen == *"${ESC}[32m"* && $screen == *'  refresh sufficient secret-service  (built in)'* ]]
}
