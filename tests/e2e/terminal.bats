#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Somebody at a terminal: login's dialog, what it shows and what it never shows, and how it ends.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup_file() {
	program_setup_file
	session_pids=$session_keyring_pid
	export session_pids
}

teardown_file() {
	kill -CONT "$session_pids"
	program_teardown_file
}

setup() {
	program_setup
	REFRESH=$(sandbox_refresh_token 102 'from the UI')
}

teardown() {
	program_teardown
}

@test "way 1: the page's address, the id, a hidden token, and whether it is used elsewhere" {
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2
		echo on
		send 1
		expect $SANDBOX_URL/account/auth
		expect user id
		expect Numeric user id:
		echo on
		send 102
		expect RefreshToken (not shown):
		echo off
		send  $REFRESH 
		expect Used elsewhere, y or n [y]:
		echo on
		send n
		expect logged in as
	END
	[[ $code == 0 ]]
	hides "$REFRESH"
	shows 'single sign-on' "'from the UI'"
	run_cred status --format json
	[[ $(jq -c '.accounts[0] | [.user_id, .exclusive, .name]' <<<"$out") == '[102,true,"from the UI"]' ]]
	[[ $(calls) == $'createAPIAccessToken\nvalidateRefreshToken' ]]
	run_cred get
	works "$out"
}

@test "way 1 with a shared token and the id in the address: it is said until when it serves" {
	dialog "$CRED" login "${SANDBOX_URL/:\/\//:\/\/102@}" <<-END
		expect 1 or 2
		send 1
		expect not shown
		echo off
		send $REFRESH
		expect y or n
		send y
		expect shared
	END
	[[ $code == 0 ]]
	hides "$REFRESH" 'Numeric user id'
	shows "ends $(date -u +%Y)" || shows "ends $(date -u -d '60 days' +%Y)"
	run_cred status --format json
	[[ $(jq .accounts[0].exclusive <<<"$out") == false ]]
}

@test "way 2: user name and a hidden password; the dialog is not on stdout" {
	dialog sh -c 'exec "$0" login "$1" --format json >"$2"' "$CRED" "$SANDBOX_URL" "$OUT" <<-END
		expect 1 or 2
		send 2
		expect User name:
		echo on
		send demo
		expect Password:
		echo off
		send demo-password
		expect logged in as
	END
	[[ $code == 0 ]]
	hides demo-password
	[[ $(jq -c '[.success, .user_id]' "$OUT") == '[true,102]' && $(wc -l <"$OUT") == 1 ]]
	[[ $(calls) == $'createRefreshToken\ncreateAPIAccessToken' ]]
}

@test "a person's time is not the program's: --timeout does not run while it waits for one" {
	dialog "$CRED" login "$SANDBOX_URL" --timeout 1 <<-END
		expect 1 or 2
		wait 700
		send 2
		expect User name:
		send demo
		expect Password:
		echo off
		wait 700
		send demo-password
		expect logged in as
	END
	[[ $code == 0 ]]
}

@test "a wrong password, twice: 3, never shown, and the terminal echoes again" {
	for _ in 1 2; do
		dialog sh -c '"$0" login "$1"; code=$?; stty -a; exit $code' "$CRED" "$SANDBOX_URL" <<-END
			expect 1 or 2
			send 2
			expect User name:
			send demo
			expect Password:
			echo off
			send not-the-password
			expect account/auth
			echo on
		END
		[[ $code == 3 ]]
		hides not-the-password
		[[ $screen =~ [[:space:]]echo[[:space:]] ]]
	done
}

@test "an answer that cannot be is asked for again, three times in all: then 2, and no server was asked" {
	local answers line steps answer
	while read -r answers; do
		steps=
		IFS='|' read -r -a line <<<"$answers"
		for answer in "${line[@]}"; do steps+="$answer"$'\n'; done
		dialog "$CRED" login "$SANDBOX_URL" <<<"$steps"
		[[ $code == 2 ]] || { echo "$answers: exit $code" "$screen"; return 1; }
		hides two-words
	done <<-'END'
		expect [1]:|send 3|expect neither 1 nor 2|expect [1]:|send 1 2|expect neither|expect [1]:|send one|expect neither
		expect [1]:|send|expect id:|send|expect that is no user id|expect id:|send 0|expect no user|expect id:|send abc
		expect [1]:|send 1|expect id:|send 102|expect not shown|echo off|send two-words here|expect no RefreshToken|expect not shown|echo off|send|expect is empty|expect not shown|echo off|send two-words here
		expect [1]:|send 2|expect name:|send|expect is empty|expect name:|send  |expect name:|send
		expect [1]:|send 2|expect name:|send demo|expect Password|echo off|send|expect is empty|expect Password|echo off|send|expect Password|echo off|send
		press D
		expect [1]:|send 2|expect name:|send demo|expect Password|echo off|press D
	END
	no_calls
}

@test "the wrong answer, then the right one, at each question; what is offered is taken by Enter" {
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect Logging in to $SANDBOX_URL
		expect Ctrl-C ends this
		expect 1 or 2 [1]:
		send x
		expect neither 1 nor 2
		expect 1 or 2 [1]:
		send
		expect Numeric user id:
		send O2
		expect no user id; it is a positive number
		expect Numeric user id:
		send  102 
		expect RefreshToken (not shown):
		echo off
		send no token
		expect another character that a token never has; copy it again
		expect RefreshToken (not shown):
		echo off
		send $REFRESH
		expect y or n [y]:
		send perhaps
		expect neither y nor n
		expect y or n [y]:
		send NO
		expect logged in as
	END
	[[ $code == 0 ]]
	hides "$REFRESH"
	run_cred status --format json
	[[ $(jq .accounts[0].exclusive <<<"$out") == true ]]
	REFRESH=$(sandbox_refresh_token 102 again)
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2 [1]:
		send
		expect Numeric user id [102]:
		send
		expect not shown
		echo off
		send $REFRESH
		expect y or n [y]:
		send
		expect counts as shared
	END
	[[ $code == 0 ]]
	run_cred logout
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2 [1]:
		send zwei
		expect 1 or 2 [1]:
		send 2
		expect User name:
		send
		expect the user name is empty
		expect User name:
		send  demo
		expect Password:
		echo off
		send
		expect the password is empty
		expect Password:
		echo off
		send demo-password
		expect logged in as
	END
	[[ $code == 0 ]]
	hides demo-password
}

@test "Ctrl-C at the hidden prompt: the echo comes back, and the signal ends it" {
	# The shell that is asked first survives, so that the terminal can be looked at.
	dialog bash -c 'trap "" TTOU; trap : INT; "$0" login "$1"; echo "ended $?"; stty -a' "$CRED" "$SANDBOX_URL" <<-END
		expect 1 or 2
		send 2
		expect User name:
		send demo
		expect Password:
		echo off
		press C
		expect ended 130
		echo on
	END
	[[ $screen =~ [[:space:]]echo[[:space:]] ]]
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2
		send 1
		expect user id:
		press C
	END
	[[ $code == 130 ]]
	no_calls
}

@test "Ctrl-Z where nobody could go on with it: it asks again, hidden" {
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2
		send 2
		expect User name:
		send demo
		expect Password:
		echo off
		press Z
		expect Password:
		echo off
		send demo-password
		expect logged in as
	END
	[[ $code == 0 ]]
	hides demo-password
}

@test "secrets from stdin ask nothing, even on a terminal" {
	printf '%s\n' "$REFRESH" >"$BATS_TEST_TMPDIR/token"
	dialog sh -c 'exec "$0" login "$1" --user-id 102 --token-stdin <"$2"' "$CRED" "$SANDBOX_URL" "$BATS_TEST_TMPDIR/token" </dev/null
	[[ $code == 0 ]]
	hides 'y or n' '1 or 2' "$REFRESH"
	shows 'counts as shared'
}

@test "get on a terminal never reads it: what was typed ahead is there for the next program" {
	login_demo
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u
	dialog sh -c '"$0" get; "$0" get --format header; read -r line; echo "read: $line"' "$CRED" <<-END
		send typed ahead
		expect read: typed ahead
	END
	[[ $code == 0 ]]
	[[ $(sandbox_calls createAPIAccessToken) == 2 ]]
	dialog sh -c '"$0" logout >/dev/null; "$0" get; echo "ended $?"; read -r line; echo "read: $line"' "$CRED" <<-END
		send typed ahead
		expect ended 3
		expect read: typed ahead
	END
}

@test "a keyring's dialog opens for a person, waits for no ghost, and not at all over ssh or in CI" {
	local variable screens=()
	session_start locked
	for variable in SSH_CONNECTION=x CI=1 GIT_TERMINAL_PROMPT=0 X=1; do
		# On this bus there is nobody who could show the keyring's dialog: it ends at once, as one that was dismissed.
		dialog timeout 20 env "$variable" "$CRED" get -v "${SANDBOX_URL/:\/\//:\/\/102@}" </dev/null
		[[ $code == 4 ]] || break
		screens+=("$screen")
	done
	session_stop
	[[ $code == 4 ]] || { echo "$variable: exit $code" "$screen"; return 1; }
	for screen in "${screens[@]::3}"; do
		hides dismissed dialog
	done
	screen=${screens[3]}
	shows "the keyring's dialog was dismissed" # nobody can show it
}
