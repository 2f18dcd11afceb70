#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make demo`: the story is told, and nothing of it is left, whatever ends it.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	export B=${B:-$top/.build}
	# A home and a temporary directory of its own show what is left; /dev/shm and the keys are the user's.
	export HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$HOME" "$TMPDIR"
	echo 'a file of the user' >"$HOME/file"
}

# What is there, without what other tests make at the same time: their keys and directories are of other servers.
remains() {
	(cd "$HOME" && find . | sort)
	(cd "$TMPDIR" && find . | sort)
	# Processes of the demo know its temporary directory, by their arguments or their environment.
	local environ
	for environ in /proc/[0-9]*/environ; do
		[ "$environ" = "/proc/$$/environ" ] || [ "$environ" = "/proc/$BASHPID/environ" ] ||
			! tr '\0' '\n' <"$environ" 2>/dev/null | grep -qx "XDG_RUNTIME_DIR=$TMPDIR/.*" || echo "$environ"
	done
	[ -z "${1:-}" ] || { keyctl list @u; ls "/dev/shm/alation-cred-$UID" "/tmp/alation-cred-$UID" 2>/dev/null; } | grep "${1/:/.*}" || :
}

@test "demo: the story is told in full, and nothing is left behind" {
	before=$(remains)
	run --separate-stderr make -s -C "$top" B="$B" demo </dev/null
	[ "$status" -eq 0 ] || { echo "$output" "$stderr"; false; }
	for words in 'logged in as https://102@localhost:' '"success":true' '"username":"demo"' '(default, exclusive)' \
		'REFRESHTOKEN ENDS' 'access token  in kernel' '     10 ' 'The server counts 1 mint' 'logged out of' 'nobody is logged in' '(exit code 3)'; do
		[[ $output == *"$words"* ]] || { echo "not shown: $words"; echo "$output"; false; }
	done
	[[ $output =~ https://102@localhost:([0-9]+) ]]
	[ "$(remains "localhost:${BASH_REMATCH[1]}")" = "$before" ]
}

@test "demo: ended by a signal in the middle it leaves nothing either" {
	before=$(remains)
	for signal in INT TERM HUP; do
		mkfifo "$BATS_TEST_TMPDIR/$signal"
		# A background child of a shell ignores SIGINT, and what is ignored cannot be trapped: env resets it.
		env --default-signal=INT "$top/tests/demo" >"$BATS_TEST_TMPDIR/$signal" 2>&1 </dev/null 3>&- &
		pid=$!
		exec 5<"$BATS_TEST_TMPDIR/$signal"
		while read -r -u 5 line; do
			[[ $line != *'logged in as https://102@localhost:'* ]] || break
		done
		[[ $line =~ localhost:([0-9]+) ]]
		kill "-$signal" "$pid"
		cat <&5 >/dev/null
		exec 5<&-
		code=0
		wait "$pid" || code=$?
		[ "$code" -eq 1 ]
		[ "$(remains "localhost:${BASH_REMATCH[1]}")" = "$before" ] || { remains "localhost:${BASH_REMATCH[1]}"; false; }
	done
}

@test "demo: what is not as told makes it fail" {
	broken=$BATS_TEST_TMPDIR/b
	cp -r "$B" "$broken"
	mv "$broken/alation-cred" "$broken/real"
	printf '#!/bin/sh\n[ "$1" != status ] || exit 7\nexec "%s/real" "$@"\n' "$broken" >"$broken/alation-cred"
	chmod +x "$broken/alation-cred"
	touch "$broken/alation-cred"
	B=$broken MAKE=true run "$top/tests/demo" </dev/null
	[ "$status" -eq 1 ] || { echo "$output"; false; }
	[[ $output == *'that ended with 7 instead of 0'* && $output != *'That was all'* ]]
}
