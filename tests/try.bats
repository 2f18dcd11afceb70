#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make try`: a person plays in its shell and leaves, and nothing of it is left.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	export B=${B:-$top/.build}
	CRED=$B/alation-cred
	load lib/terminal
	# A home and a temporary directory of its own show what is left; the keys are the user's.
	export HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp TERM=dumb
	unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_RUNTIME_DIR ZDOTDIR
	mkdir "$HOME" "$TMPDIR"
	echo 'echo this is the file of the user' | tee "$HOME/.bashrc" >"$HOME/.zshrc"
}

remains() { # URL
	(cd "$HOME" && find . -type f -exec cat {} + -print | sort)
	(cd "$TMPDIR" && find . | sort)
	local environ
	for environ in /proc/[0-9]*/environ; do
		[ "$environ" = "/proc/$$/environ" ] || [ "$environ" = "/proc/$BASHPID/environ" ] ||
			! grep -qzx "XDG_RUNTIME_DIR=$TMPDIR/.*" "$environ" 2>/dev/null || echo "$environ"
	done
	[ -z "${1:-}" ] || { keyctl list @u; ls "/dev/shm/alation-cred-$UID" "/tmp/alation-cred-$UID" 2>/dev/null; } | grep "${1/:/.*}" || :
}

# Somebody who plays in SHELL, with Tab as well, and then ENDs it.
plays() { # SHELL END
	before=$(remains)
	SHELL=$1 dialog make -s -C "$top" B="$B" try <<-END
		expect logged in as https://102@localhost:
		expect You are logged in; try:
		expect (try)
		send alation-cred get --format json
		expect "success":true
		expect (try)
		type alation-cred sta
		press I
		type --expiring
		press I
		send 1d && echo the \$HOME
		expect the $TMPDIR/
		expect (try)
		$2
	END
	[ "$code" -eq 0 ] || { echo "$screen"; false; }
	hides 'file of the user'
	[[ $screen =~ https://102@(localhost:[0-9]+) ]]
	[ "$(remains "${BASH_REMATCH[1]}")" = "$before" ] || { remains "${BASH_REMATCH[1]}"; false; }
}

@test "try: one plays in bash, and nothing is left" {
	# Whatever runs on in the background, too.
	plays /bin/bash $'send sleep 1000 &\nexpect (try)\nsend exit 3'
}

@test "try: in zsh, which ends with Ctrl-D" {
	[ -x /usr/bin/zsh ] || skip 'no zsh here'
	plays /usr/bin/zsh 'press D'
}

@test "try: in fish" {
	[ -x /usr/bin/fish ] || skip 'no fish here'
	plays /usr/bin/fish 'send exit'
}

@test "try: a shell that is none is bash; a command that is fed to it is run" {
	before=$(remains)
	SHELL=/nonexistent run "$top/tests/try" <<<'alation-cred get >/dev/null && echo "a token of $URL"'
	[ "$status" -eq 0 ]
	[[ $output =~ 'a token of https://'(localhost:[0-9]+) ]] || { echo "$output"; false; }
	[ "$(remains "${BASH_REMATCH[1]}")" = "$before" ]
}
