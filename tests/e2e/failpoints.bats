#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Killed, or made to fail, at each step: token, rotate, revoke, set, logout and erase. What the tables say, and what is
# checked each time, stands in lib/failpoints. login and store are in failpoints-login.

bats_require_minimum_version 1.5.0
load ../lib/failpoints

setup_file() {
	program_setup_file
	: >"$BATS_FILE_TMPDIR/figures"
}

teardown_file() {
	failpoints_figures
	program_teardown_file
}

setup() { failpoints_setup; }
teardown() { failpoints_teardown; }

git_erase() { run_cred --protocol git erase < <(git_request "$@"); }

# Nothing is cached, so the call after a kill mints; what the server made before the kill is lost with its answer.
@test "token, with nothing cached" {
	sweep cold '0 old 1' run_cred token "$ACCOUNT" <<-END
		lock.taken       old 1
		mint.read        old 1
		mint.marked      old 1
		mint.asking      old 1
		mint.answered    old 2  6 old 2
		mint.cached      old 1
		answer.printing  old 1
		answer.printed   old 1
	END
}

# What is cached serves on until the server has acted; after that the mark has it validated, and one mint follows.
@test "token --fresh, over a cached one" {
	sweep cached '0 old 1' run_cred token "$ACCOUNT" --fresh <<-END
		lock.taken       old 0
		mint.read        old 0
		mint.marked      old 0
		mint.asking      old 0
		mint.answered    old 2  6 old 2
		mint.cached      old 1
		answer.printing  old 1
		answer.printed   old 1
	END
}

@test "token --validate" {
	sweep cached '0 old 0' run_cred token "$ACCOUNT" --validate <<-END
		lock.taken       old 0
		check.asking     old 0
		check.answered   old 0  6 old 0
		answer.printing  old 0
		answer.printed   old 0
	END
}

@test "rotate" {
	sweep cached '0 new 1' run_cred rotate "$ACCOUNT" <<-END
		lock.taken            old  0
		rotate.marked         old  0
		rotate.written-ahead  old  0  5 old  0
		regen.asking          old  0
		regen.answered        lost 1  6 lost 1
		rotate.copied         copy 1
		rotate.stored         new  1  5 new  1
		rotate.emptied        new  1
		rotate.copies-gone    new  1
		lock.taken:2          new  1
		file.written          new  1
		rotate.listed         new  1
	END
}

@test "revoke" {
	sweep cached '0 old 1' run_cred revoke "$ACCOUNT" <<-END
		lock.taken       old 0
		revoke.marked    old 0
		revoke.asking    old 0
		revoke.answered  old 1  6 old 1
		revoke.emptied   old 1  5 old 1
	END
}

@test "set" {
	is_shared_or_as_it_was() { [[ $(grep -F '&user_id=102&' "$STATE/accounts") == *"&exclusive="[01] ]]; }
	finally=is_shared_or_as_it_was
	sweep cached '0 old 0' run_cred set "$ACCOUNT" shared <<-END
		lock.taken    old 0
		lock.taken:2  old 0
		file.written  old 0  9 old 0
	END
}

@test "logout of an exclusive account" {
	sweep cached '0 none 0' run_cred logout "$ACCOUNT" <<-END
		lock.taken       old  0
		logout.marked    old  0
		revoke.asking    old  0
		revoke.answered  old  1  6 none 0
		regen.asking     old  1
		regen.answered   dead 1  6 none 0
		forget.cache     dead 1  5 dead 1
		forget.copies    dead 1
		forget.refresh   none 0  5 none 0
		lock.taken:2     none 0
		file.written     none 0  9 none 0
		forget.listed    none 0  5 none 0
	END
}

@test "logout --keep" {
	sweep cached '0 none 0' run_cred logout --keep "$ACCOUNT" <<-END
		lock.taken       old  0
		logout.marked    old  0
		revoke.asking    old  0
		revoke.answered  old  1  6 none 0
		forget.cache     old  1  5 old  1
		forget.copies    old  1
		forget.refresh   none 0  5 none 0
		lock.taken:2     none 0
		file.written     none 0  9 none 0
		forget.listed    none 0  5 none 0
	END
}

@test "erase of the account" {
	sweep cached '0 none 0' git_erase <<-END
		lock.taken      old  0
		erase.locked    old  0
		erase.read      old  0  5 old  0
		forget.cache    old  1  5 old  1
		forget.copies   old  1
		forget.refresh  none 0  5 none 0
		lock.taken:2    none 0
		file.written    none 0  9 none 0
		forget.listed   none 0  5 none 0
	END
}

@test "erase of the cached access token" {
	erase_cached() { git_erase "password=$CACHED"; }
	sweep cached '0 old 1' erase_cached <<-END
		lock.taken    old 0
		erase.locked  old 0
		erase.cache   old 1  5 old 1
	END
}

# Who waits finds the token that the slow one has minted.
@test "delayed in the middle of a mint: the others wait, and take its token" {
	local i pids=()
	fresh cold
	ALATION_CRED_FAILPOINT=mint.marked:delay=1500 "$FAILPOINTS" get "$ACCOUNT" >"$OUT.0" 3>&- &
	pids=($!)
	until [[ $(lock_holder) == "${pids[0]}" ]]; do :; done
	for i in {1..10}; do
		cred get "$ACCOUNT" --timeout 60 >"$OUT.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in {1..10}; do cmp "$OUT.0" "$OUT.$i"; done
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
	serves "$(<"$OUT.0")"
}
