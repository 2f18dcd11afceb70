#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rows of the fault matrix, keyring: R9, R10, R14. A real gnome-keyring is killed at every step of every verb that uses
# it, as far as the steps have names (failpoints); one that lies; one whose disk takes nothing more.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/died

MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules

setup() {
	program_environment
	session_start unlocked
	program_setup
	died_setup
	helpers=() mounted='' watcher=''
}

teardown() {
	program_end_helpers
	[[ -z $watcher ]] || kill "$watcher"
	[[ -z $mounted ]] || umount "$mounted"
	session_stop
	program_teardown
}

# verb NAME: what is called, its stdin, and the steps that it passes (written down by a call that nothing happens to).
verb() {
	verb_words "$1"
	login_demo
	expect 0
	STEPS=$BATS_TEST_TMPDIR/steps
	CRED=$CRED-failpoints ALATION_CRED_FAILPOINT_LOG=$STEPS run_cred "${VERB[@]}" <"$STDIN"
	expect 0
	mapfile -t steps < <(awk '!seen[$0]++' "$STEPS")
	[[ ${#steps[@]} -ge 5 ]] || fails "few steps: ${steps[*]}"
}

# Whether it stands still, or is gone.
is_over() { [[ $(sed 's/.*) \(.\) .*/\1/' "/proc/$1/stat" 2>/dev/null) != [RSD] ]]; }
has_been_heard() { [[ $(stat -c %s "$heard") != "$said" ]]; }
until_either() { # COMMAND or COMMAND
	local end=$((SECONDS + 30))
	until $1 || $2; do ((SECONDS < end)) || return 1; done
}

# killed STEP MODE: the daemon is killed while VERB stands at STEP ("at"), or in its next talk with it ("during"), and started
# anew. STEP "start": nothing has been said yet. $code $out $err are VERB's; $made: what the server made by $MAKES, if anything.
killed() {
	local before pid said=0 heard=$BATS_TEST_TMPDIR/heard
	before=$(sandbox_calls "$MAKES")
	if [[ $2 == during ]]; then
		: >"$heard"
		dbus-monitor --session "interface='org.freedesktop.Secret.Service'" "interface='org.freedesktop.Secret.Collection'" \
			"interface='org.freedesktop.Secret.Item'" "interface='org.freedesktop.DBus.Properties'" >"$heard" 3>&- &
		watcher=$!
		until_either has_been_heard false
	fi
	[[ $1 != start ]] || session_freeze
	ALATION_CRED_FAILPOINT=$1:stop:1 setsid "$CRED-failpoints" "${VERB[@]}" <"$STDIN" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
	pid=$! helpers=($!)
	[[ $1 == start ]] || until_either "is_over $pid" false
	if [[ $2 == during ]]; then
		session_freeze
		said=$(stat -c %s "$heard")
	fi
	[[ $2 == during ]] || session_end_process "$session_keyring_pid" KILL
	kill -CONT "$pid"
	if [[ $2 == during ]]; then
		until_either has_been_heard "is_over $pid"
		session_end_process "$session_keyring_pid" KILL
		kill "$watcher"
		wait "$watcher" || :
		watcher=
	fi
	code=0
	wait "$pid" || code=$?
	out=$(<"$OUT") err=$(<"$BATS_TEST_TMPDIR/err") raw=$out ran="${VERB[*]} killed $2 $1"
	helpers=()
	session_unlock
	made=
	[[ $(sandbox_calls "$MAKES") == "$before" ]] || made=$(last_made "$MAKES")
	[[ $code == [05] ]] || fails "neither success nor the keyring's failure"
}

# every MODE CHECK: that, for each step.
every() {
	local step
	for step in start "${steps[@]}"; do
		[[ $step != start || $1 == during ]] || continue
		killed "$step" "$1" || return 1
		"$2" || fails "$NAME: the keyring died $1 $step" || return 1
	done
}

@test "R9: the daemon is killed at each step of a login" {
	MAKES=createRefreshToken
	verb login
	every at after_login
}
@test "R9: the daemon is killed in each talk of a login" {
	MAKES=createRefreshToken
	verb login
	every during after_login
}

@test "R9: the daemon is killed at each step of a mint, and in its talk" {
	MAKES=createAPIAccessToken
	verb mint
	every at after_mint
	killed start during
	[[ $code == 5 && -z $made ]]
	after_mint
}

@test "R9: the daemon is killed at each step of a rotation" {
	MAKES=regenRefreshToken
	verb rotate
	every at after_rotation
}
@test "R9: the daemon is killed in each talk of a rotation" {
	MAKES=regenRefreshToken
	verb rotate
	every during after_rotation
}

@test "R9: the daemon is killed at each step of a logout" {
	MAKES=regenRefreshToken
	session_store_neighbour
	verb logout
	login_demo
	every at after_logout
}
@test "R9: the daemon is killed in each talk of a logout" {
	MAKES=regenRefreshToken
	session_store_neighbour
	verb logout
	login_demo
	every during after_logout
}

# The program on a keyring that may lie (tests/modules/liar.c); it is honest until LIAR says how it is not.
with_liar() {
	mkdir -m 0755 "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "$MODULES/liar.so" "$BATS_TEST_TMPDIR/tree/modules/secret-service.so"
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
	export LIAR_FILE=$BATS_TEST_TMPDIR/kept
	login_demo
	expect 0
}
kept() { sed 's/.*refresh_token=\([^&]*\).*/\1/' "$LIAR_FILE"; }

# Nobody lies any more, and the token that the server made last serves.
is_kept_in_the_end() {
	unset LIAR
	serves || return 1
	[[ $(kept) == "$made" ]] || fails "the new token is not in the keyring"
}

@test "R10: a rotation's new token is stored, says the keyring, and is not: 5, recovery, and copies that outlive the lie" {
	local how
	with_liar
	for how in stale differs absent; do
		: >"$SANDBOX_LOG"
		LIAR=$how LIAR_HONEST_STORES=1 run_cred rotate --format json # the mark is kept, the new token is not
		made=$(last_made regenRefreshToken)
		expect_json 5 recovery "$ACCOUNT" "takes the token over from $COPY" || fails "$how"
		[[ $made && $(<"$COPY") == *"&refresh_token=$made&"* && $(copied) == "$(<"$COPY")" ]] || fails "$how: the copies"
		# Whoever asks meanwhile fails, or is served; neither costs the copies.
		LIAR=$how run_cred get
		[[ $code == [05] && $(<"$COPY") == *"&refresh_token=$made&"* && $(copied) == "$(<"$COPY")" ]] || fails "$how: the copies are gone"
		is_kept_in_the_end
	done
}

@test "R10: a rotation's mark is stored, says the keyring, and is not: 5, and the server hears of nothing" {
	local how old
	with_liar
	old=$(kept)
	for how in stale differs absent; do
		: >"$SANDBOX_LOG"
		LIAR=$how refuses 5 keyring_failed 'does not give back what it took' rotate "$ACCOUNT"
		no_calls
		made=$old is_kept_in_the_end
	done
}

@test "R10: a login's token is stored, says the keyring, and is not: 5, and where to delete it" {
	local how
	with_liar
	for how in stale differs absent; do
		LIAR=$how login_demo
		expect 5 'does not give back what it took' "could not be kept here; delete it at $SANDBOX_URL/account/auth" || fails "$how"
		LIAR=$how login_token "$(sandbox_refresh_token 102 pasted)"
		expect 5 'does not give back what it took' || fails "$how"
		unset LIAR
		login_demo
		expect 0
		serves
	done
}

@test "R14: the keyring's disk is full or read-only: rotate refuses before it asks, and nothing has changed" {
	local before
	[[ $EUID == 0 ]] || skip 'only root can mount a small disk'
	session_end_process "$session_keyring_pid" KILL
	mkdir -p "$XDG_DATA_HOME/keyrings"
	mount -t tmpfs -o size=64k,mode=0700 none "$XDG_DATA_HOME/keyrings" 2>/dev/null || skip 'nothing can be mounted here'
	mounted=$XDG_DATA_HOME/keyrings
	session_unlock
	login_demo
	expect 0
	before=$(stored)
	for way in full read-only; do
		: >"$SANDBOX_LOG"
		case $way in
		full) dd if=/dev/zero of="$mounted/filler" bs=1k 2>/dev/null || [[ -s $mounted/filler ]] ;;
		read-only) mount -o remount,ro "$mounted" ;;
		esac
		refuses 5 keyring_failed "$ACCOUNT" rotate "$ACCOUNT"
		no_calls
		mount -o remount,rw "$mounted"
		rm -f "$mounted/filler"
		session_unlock # what is on the disk counts, not what the daemon remembers
		[[ $(stored) == "$before" && -z $(copied) && ! -e $COPY ]] || fails "$way: something changed"
		serves
	done
	run_cred rotate "$ACCOUNT"
	expect 0
	serves
}
