#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login --web: what xdg-open is called with and what it has of us, and what is said where the page cannot be opened from here. The
# xdg-open is this file's own.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	REFRESH=$(sandbox_refresh_token 102 'from the web')
	PAGE=$SANDBOX_URL/account/auth
	export CALLED=$BATS_TEST_TMPDIR/called DISPLAY=:99
	helpers=()
}

teardown() {
	[[ ! -e $CALLED.pid ]] || helpers+=("$(<"$CALLED.pid")")
	program_end_helpers
	program_teardown
}

# browser COMMAND: the xdg-open in PATH, which notes how it was called.
browser() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/xdg-open" <<-END
		#!/bin/bash
		printf '%s\n' "\$#" "\$@" >"\$CALLED.args"
		env >"\$CALLED.env"
		readlink /proc/\$\$/fd/{0,1,2} >"\$CALLED.fds"
		ls /proc/self/fd >>"\$CALLED.fds" # which has one more open
		ps -o sid= -p \$\$ | tr -d ' ' >"\$CALLED.sid"
		umask >"\$CALLED.umask"
		echo "on stdout"; echo "on stderr" >&2
		echo \$\$ >"\$CALLED.pid"
		touch "\$CALLED"
		$1
	END
	chmod 0755 "$BATS_TEST_TMPDIR/bin/xdg-open"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

called() {
	[[ -e $CALLED ]] || { echo "xdg-open was not called" >&2; return 1; }
	[[ $(<"$CALLED.args") == 1$'\n'"$PAGE" ]] || { cat "$CALLED.args" >&2; return 1; }
}

answers() {
	cat <<-END
		expect Numeric user id:
		send 102
		expect not shown
		echo off
		send $REFRESH
		expect y or n
		send n
		expect logged in as
	END
}

@test "it has the address and nothing of us: no token, no descriptor, no terminal, and its words go nowhere" {
	browser 'exit 0'
	ALATION_REFRESH_TOKEN=canary-token dialog sh -c 'umask 025; exec "$0" login --web "$1"' "$CRED" "$SANDBOX_URL" < <(
		echo "expect $PAGE opens in the browser: create a RefreshToken there."
		answers
	)
	[[ $code == 0 ]]
	hides "$REFRESH" 'on stdout' 'on stderr' '1 or 2'
	called
	run ! grep -F canary-token "$CALLED.env"
	grep -qx 'DISPLAY=:99' "$CALLED.env"
	[[ $(paste -sd ' ' "$CALLED.fds") == '/dev/null /dev/null /dev/null 0 1 2 3' ]] || { cat "$CALLED.fds"; false; }
	[[ $(<"$CALLED.sid") == "$(<"$CALLED.pid")" && $(<"$CALLED.umask") == 0025 ]]
	[[ $(stat -c %a "$STATE/accounts") == 600 ]]
}

@test "one that stays is not waited for, and Ctrl-C here does not end it" {
	browser 'exec sleep 600'
	DISPLAY='' WAYLAND_DISPLAY=wayland-9 dialog "$CRED" login --web "$SANDBOX_URL" <<-END
		expect opens in the browser
		expect Numeric user id:
		press C
	END
	[[ $code == 130 ]]
	called
	kill -0 "$(<"$CALLED.pid")"
	no_calls
}

@test "no display, no xdg-open, one that fails: the address is shown, it is said why, and the dialog goes on" {
	local command path why
	mkdir "$BATS_TEST_TMPDIR/empty" "$BATS_TEST_TMPDIR/denied"
	: >"$BATS_TEST_TMPDIR/denied/xdg-open"
	DISPLAY='' dialog "$CRED" login --web "$SANDBOX_URL" < <(
		echo "expect Open $PAGE and create a RefreshToken (not opened from here: there is no display)."
		answers
	)
	[[ $code == 0 ]]
	while IFS='|' read -r path why; do
		dialog env PATH="$path" "$CRED" login --web "$SANDBOX_URL" <<-END
			expect Open $PAGE and create a RefreshToken (not opened from here: $why).
			expect Numeric user id
			press C
		END
		[[ $code == 130 ]]
	done <<-END
		$BATS_TEST_TMPDIR/empty|there is no xdg-open in PATH
		$BATS_TEST_TMPDIR/denied|xdg-open cannot be started
	END
	for command in 'exit 4' 'kill -KILL $$'; do
		browser "$command"
		dialog "$CRED" login --web "$SANDBOX_URL" <<-END
			expect (not opened from here: xdg-open could not open it).
			expect Numeric user id
			press C
		END
		[[ $code == 130 ]]
	done
}

@test "without a terminal nothing is opened that nobody could go on with; with askpass it is" {
	browser 'exit 0'
	run_cred login --web "$SANDBOX_URL"
	expect 2 "open $PAGE and create a RefreshToken (not opened from here: there is no terminal to go on with it)" 'user id is missing'
	run_cred login --web "$SANDBOX_URL" --user-id 102
	expect 2 "open $PAGE" 'no terminal to ask on'
	printf '#!/bin/sh\necho %s\n' "$REFRESH" >"$BATS_TEST_TMPDIR/askpass"
	chmod 0755 "$BATS_TEST_TMPDIR/askpass"
	export ALATION_CRED_ASKPASS=$BATS_TEST_TMPDIR/askpass
	run_cred login --web "$SANDBOX_URL"
	expect 2 'user id is missing'
	[[ ! -e $CALLED ]]
	run_cred login --web "$SANDBOX_URL" --user-id 102
	expect 0 "$PAGE opens in the browser" 'logged in as'
	called
}

@test "with what it cannot stand beside, nothing is opened" {
	browser 'exit 0'
	refuses 2 usage '--web is for a RefreshToken that is pasted' login --web "$SANDBOX_URL" --token-stdin --user-id 102
	refuses 2 usage '--web is for a RefreshToken that is pasted' login --web "$SANDBOX_URL" --user demo
	refuses 2 usage '--web is for a RefreshToken that is pasted' login --web "$SANDBOX_URL" --import .env
	refuses 2 usage '--name is for' login --web "$SANDBOX_URL" --name x
	dialog "$CRED" login "$SANDBOX_URL" <<-END
		expect 1 or 2
		send 1
		expect Open $PAGE and create a RefreshToken.
		press C
	END
	[[ ! -e $CALLED ]]
}
