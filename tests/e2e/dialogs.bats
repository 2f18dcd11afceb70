#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every question of login and unlock, and at each all that a person, a shell or a session does to it: Ctrl-C, Ctrl-D, Ctrl-Z,
# a signal, another size of the window, a paste. What is asked and what answers are taken is terminal.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	[[ -e ${B:-$SANDBOX_TOP/.build}/modules/sealed-file.so ]] || skip 'built without libsodium'
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	REFRESH=$(sandbox_refresh_token 102 pasted)
	SEALED=$BATS_TEST_TMPDIR/sealed
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config CRED SANDBOX_URL
	(umask 077 && echo "refresh sufficient sealed-file file=$SEALED prefix=alation-cred-test-$$" >"$ALATION_CRED_CONFIG")
}

teardown() {
	local id key
	while IFS=: read -r id key; do
		[[ $key != *"alation-cred-test-$$:"* ]] || keyctl unlink "$id" @u >/dev/null
	done < <(keyctl list @u)
	[[ -z ${own_session:-} ]] || session_stop
	program_teardown
}

## The questions, each with its right answer, in the order in which they come.

BY_TOKEN='way1 id token shared new again'
BY_PASSWORD='way2 user password new again'
declare -gA TEXT=([way1]='1 or 2 [1]:' [way2]='1 or 2 [1]:' [id]='Numeric user id:' [token]='RefreshToken (not shown):' [shared]='y or n [y]:' [user]='User name:'
	[password]='Password:' [new]='new passphrase for the sealed file' [again]='again:' [sealed]='passphrase of the sealed file' [gnome]='password')
declare -gA HIDDEN=([token]=1 [password]=1 [new]=1 [again]=1 [sealed]=1 [gnome]=1)

answer() {
	case $1 in
	way1) echo 1 ;;
	way2) echo 2 ;;
	id) echo 102 ;;
	token) echo "$REFRESH" ;;
	shared) echo n ;;
	user) echo demo ;;
	password) echo demo-password ;;
	gnome) echo "$SESSION_PASSWORD" ;;
	*) echo sesame ;;
	esac
}

asked() { # QUESTION: until it is asked
	echo "expect ${TEXT[$1]}"
	echo "echo ${HIDDEN[$1]:+off}" | sed 's/ $/ on/'
}
answered() { # QUESTION...: those are asked and answered
	local each
	for each; do
		asked "$each"
		echo "send $(answer "$each")"
	done
}

# at_each COMMAND: with each question of both ways in $question, and in $before what leads to it.
at_each() {
	local way question before
	for way in "$BY_TOKEN" "$BY_PASSWORD"; do
		before=()
		for question in $way; do
			# Once is enough of those that both ways end with.
			[[ $way == "$BY_PASSWORD" && $question == @(new|again) ]] || "$1" || { echo "at the question '$question': exit $code" "$screen" >&2; return 1; }
			before+=("$question")
		done
	done
}

nothing_made() {
	no_calls
	[[ ! -e $SEALED && ! -e $STATE/accounts ]] || { echo "something is kept" >&2; return 1; }
	hides "$REFRESH" demo-password sesame
}
still_locked() {
	run_cred unlock --interactive never
	expect 4
}

# ends VERB STEP...: at $question; the program's end is in $ended, and the shell that outlives it leaves the terminal as it finds it.
ends() {
	local verb=$1
	shift
	dialog bash -c 'trap "" TTOU; trap : INT TERM; "$CRED" $0; echo "ended $?"; stty -a' "$verb" < <(
		answered "${before[@]}"
		asked "$question"
		printf '%s\n' "$@" 'expect ended ' 'echo on'
	)
	[[ $screen =~ ended\ ([0-9]+) ]]
	ended=${BASH_REMATCH[1]}
	[[ $screen =~ [[:space:]]echo[[:space:]] ]] || { echo "no echo" >&2; return 1; }
}
login_ends() { ends "login $SANDBOX_URL" "$@" && nothing_made; }

control_c() { login_ends 'press C' && [[ $ended == 130 ]]; }
terminated() { login_ends 'signal 15' && [[ $ended == 143 ]]; }
control_d() { login_ends 'press D' && shows 'the dialog was ended' && [[ $ended == [24] ]]; }
too_long() { login_ends 'fill 6000' && shows 'more than the 4094 bytes that a terminal takes' && [[ $ended == [24] ]]; }

@test "Ctrl-C at each question of login: it ends by the signal, the echo is back, nothing is made or kept" { at_each control_c; }
@test "SIGTERM at each question of login: the same" { at_each terminated; }
@test "Ctrl-D at each question of login: the dialog was ended" { at_each control_d; }
@test "a very long paste at each question of login: it is refused, not cut" { at_each too_long; }

logged_in() {
	[[ $code == 0 ]] || { echo "exit $code" "$screen" >&2; return 1; }
	shows 'logged in as'
	hides "$REFRESH" demo-password sesame
	run_cred get
	expect 0
	works "$out"
	run_cred logout
	expect 0
	rm "$SEALED"
	REFRESH=$(sandbox_refresh_token 102 pasted)
}

# in_shell VERB STOP QUESTION...: in an interactive shell each question is stopped and gone on with, then answered.
in_shell() {
	local verb=$1 stop=$2 question
	shift 2
	echo 'expect ready>'
	echo "send \"\$CRED\" $verb"
	for question; do
		asked "$question"
		# What is typed before a stop that no terminal makes is the shell's then.
		[[ $stop != press* ]] || echo 'paste half'
		printf '%s\n' "$stop" 'expect Stopped' 'expect ready>' 'echo on' 'send fg'
		asked "$question"
		echo "send $(answer "$question")"
	done
}

@test "Ctrl-Z at each question of login, in bash and dash, and a stop that nobody catches: fg asks again, hidden again" {
	local row way
	export PS1='ready> '
	# After that stop bash sets the terminal for itself; dash does not, and nobody else can.
	for row in "bash --norc --noprofile --noediting -i|press Z" "dash -i|press Z" "bash --norc --noprofile --noediting -i|signal $(kill -l STOP)"; do
		for way in "$BY_TOKEN" "$BY_PASSWORD"; do
			# shellcheck disable=SC2086
			dialog ${row%|*} < <(
				in_shell "login $SANDBOX_URL" "${row#*|}" $way
				printf '%s\n' 'expect logged in as' 'expect ready>' 'send exit'
			)
			logged_in || { echo "$row" >&2; return 1; }
		done
	done
}

@test "Ctrl-Z, then Ctrl-C: it ends by the signal once it goes on, and nothing is kept" {
	export PS1='ready> '
	dialog bash --norc --noprofile --noediting -i < <(
		in_shell "login $SANDBOX_URL" 'press Z' way2 user
		asked password
		printf '%s\n' 'press Z' 'expect Stopped' 'expect ready>' 'send fg'
		asked password
		printf '%s\n' 'press C' 'expect ready>' 'send echo "ended $?"' 'expect ended 130' 'expect ready>' 'send exit'
	)
	nothing_made
}

@test "another size of the window at each question: nothing is asked anew, and the answer counts" {
	local way question
	for way in "$BY_TOKEN" "$BY_PASSWORD"; do
		dialog "$CRED" login "$SANDBOX_URL" < <(
			for question in $way; do
				asked "$question"
				printf '%s\n' 'size 10 40' 'size 50 200'
				echo "send $(answer "$question")"
			done
		)
		for question in $way; do
			[[ $(grep -oF "${TEXT[$question]}" <<<"$screen" | wc -l) == 1 ]] || { echo "$question: $screen" >&2; return 1; }
		done
		logged_in
	done
}

@test "a paste: blanks and line ends around an answer are no part of it; with a line end within it is none" {
	dialog "$CRED" login "$SANDBOX_URL" < <(
		asked way1; echo 'paste \s1\s\t\r'
		asked id; echo 'paste \t102\s\r\n\n'
		asked token; echo "paste ${REFRESH:0:20}\\n${REFRESH:20}"
		echo 'expect no RefreshToken'
		asked token; echo "paste ${REFRESH:0:20}\\r\\n${REFRESH:20}\\r\\n"
		echo 'expect no RefreshToken'
		asked token; echo "paste \\s$REFRESH\\s\\r\\n"
		asked shared; echo 'paste \sn\s\r'
		asked new; echo 'paste sesame\r\n'
		asked again; echo 'paste sesame\r'
	)
	logged_in
	dialog "$CRED" login "$SANDBOX_URL" < <(
		asked way2; echo 'paste 2\r'
		asked user; echo 'paste \sdemo\s\r\n'
		asked password; echo 'paste demo-\npassword\n'
		echo 'expect more than one line'
		asked password; echo 'paste demo-password\r\n'
		answered new again
	)
	logged_in
}

@test "a new passphrase: an empty one and two that differ are asked for again, once" {
	dialog "$CRED" login "$SANDBOX_URL" < <(
		answered way2 user password
		asked new; echo 'send'
		echo 'expect the passphrase is empty'
		answered new again
	)
	logged_in
	dialog "$CRED" login "$SANDBOX_URL" < <(
		answered way2 user password new
		asked again; echo 'send simsim'
		echo 'expect the two differ'
		answered new again
	)
	logged_in
	before=(way2 user password new)
	question=again
	: >"$SANDBOX_LOG"
	rm -f "$STATE/accounts"
	login_ends 'send simsim' 'expect the two differ' 'echo off' 'send sesame' 'expect again:' 'echo off' 'send simsim'
	[[ $ended == 4 ]]
	shows 'no sealed file was made' 'nothing was made at the server'
}

## unlock.

# each_end: what ends a question of unlock leaves the keyring locked.
each_end() {
	local step
	for step in 'press C' 'signal 15' 'press D' 'fill 6000'; do
		ends "${verb[*]}" "$step" || return 1
		case $step in
		*C) [[ $ended == 130 ]] ;;
		*15) [[ $ended == 143 ]] ;;
		*) [[ $ended == 4 ]] ;;
		esac || { echo "$step: $ended" "$screen" >&2; return 1; }
		hides "$(answer "$question")"
		still_locked
	done
}

# each_stop: it is stopped, the window changes, and it is opened all the same.
each_stop() {
	export PS1='ready> '
	dialog bash --norc --noprofile --noediting -i < <(
		in_shell "${verb[*]}" 'press Z' "$question" | sed '$d'
		printf '%s\n' "signal $(kill -l STOP)" 'expect Stopped' 'expect ready>' 'send fg'
		asked "$question"
		printf '%s\n' 'size 10 40' "send $(answer "$question")" 'expect is open' 'expect ready>' 'send exit'
	)
	[[ $code == 0 ]]
	hides "$(answer "$question")"
}

@test "unlock asks for a sealed file's passphrase: each way out leaves it locked, each stop goes on" {
	local verb=(unlock) question=sealed before=()
	dialog "$CRED" login "$SANDBOX_URL" < <(answered $BY_PASSWORD)
	[[ $code == 0 ]]
	run_cred lock
	each_end
	each_stop
	run_cred lock
	dialog "$CRED" unlock < <(
		asked sealed; echo 'send'
		echo 'expect that was wrong'
		asked sealed; echo 'send sesame'
		echo 'expect is open'
	)
	[[ $code == 0 ]]
}

@test "unlock asks for GNOME Keyring's password over ssh: the same" {
	local verb=(unlock) question=gnome before=()
	own_session=1
	session_start unlocked
	unset ALATION_CRED_CONFIG
	login_demo
	expect 0
	session_lock
	export SSH_CONNECTION=x
	each_end
	each_stop
}
