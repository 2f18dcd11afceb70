#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# login refuses before the server acts where what it would make could not be kept: by password and by token, whatever
# it is that cannot be written. What the server was asked is looked at after each refusal: nothing. The same of rotate
# is in keyring-faults.bats (R14).

bats_require_minimum_version 1.5.0
load ../lib/program

MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules
NOBODY=https://write-test.invalid
MADE_NOTHING='nothing was made at the server'

setup() {
	program_environment
	session_start unlocked
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	TOKEN=$(sandbox_refresh_token 102) helpers=()
	mounted=
}

teardown() {
	program_end_helpers
	[[ -z $mounted ]] || umount "$mounted"
	session_stop
	program_teardown
	clear_fallback
}

# disk DIR SIZE: DIR with what is in it, on a disk of its own.
disk() {
	[[ $EUID == 0 ]] || skip 'only root can mount a small disk'
	mkdir -p "$1"
	cp -a "$1" "$BATS_TEST_TMPDIR/copy"
	mount -t tmpfs -o "size=$2,mode=0700" none "$1" 2>/dev/null || skip 'nothing can be mounted here'
	mounted=$1
	cp -a "$BATS_TEST_TMPDIR/copy/." "$1"
}
fill() { dd if=/dev/zero of="$mounted/filler" bs=1k 2>/dev/null || [[ -s $mounted/filler ]]; }
read_only() { mount -o remount,ro "$mounted"; }
mend() { # and the disk is as it was
	mount -o remount,rw "$mounted"
	rm -f "$mounted/filler"
}

# refuses_logins EXIT CODE WORDS: both ways, and the server hears of neither.
refuses_logins() {
	: >"$SANDBOX_LOG"
	input=$SANDBOX_PASSWORD refuses "$1" "$2" "$3|$MADE_NOTHING" login "$SANDBOX_URL" --user demo --password-stdin
	refused_plainly=
	input=$TOKEN refuses "$1" "$2" "$3|$MADE_NOTHING" login "$SANDBOX_URL" --user-id 102 --token-stdin
	no_calls
}

# Both ways work, and nothing of the tries is left.
logs_in() {
	login_token "$TOKEN"
	expect 0
	login_demo
	expect 0
	no_try_is_left
	run_cred get
	expect 0
	works "$out"
}

tries() { secret-tool lookup application alation-cred base_url "$NOBODY" user_id 1; }
no_try_is_left() { [[ -z $(tries) && -z $(find "$STATE" -name '.*.new') ]] || fails "what was tried is still there"; }

# Whoever has no home that can be written has list and locks in the private tmpfs directory. It is the user's, and another
# file's tests may be using it: what is ours there is taken away, nothing else.
clear_fallback() {
	local dir=/dev/shm/alation-cred-$EUID
	[[ ${fallback:-} ]] || return 0
	rm -f "$dir/accounts" "$dir/locks/accounts" "$dir/locks/1@https%3A%2F%2Fwrite-test.invalid"
	rmdir "$dir/locks" "$dir" 2>/dev/null || :
}

@test "the keyring's disk is full, or read-only: 5 before the server is asked; then it works" {
	session_end_process "$session_keyring_pid" KILL
	disk "$XDG_DATA_HOME/keyrings" 64k
	session_unlock
	for way in fill read_only; do
		$way
		refuses_logins 5 keyring_failed '(secret-service) cannot be written|disk is full or can only be read'
		[[ ! -e $STATE/accounts && -z $(kernel_keys) ]]
		mend
		[[ -z $(tries) ]]
	done
	logs_in
	# Over an account that is there: what it has stays.
	fill
	refuses_logins 5 keyring_failed '(secret-service) cannot be written'
	mend
	run_cred get --fresh
	expect 0
	works "$out"
}

@test "a keyring that can only be read: 5, keyring_readonly, before the server is asked" {
	mkdir -m 0755 "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "$MODULES/read-only.so" "$BATS_TEST_TMPDIR/tree/modules/secret-service.so"
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
	refuses_logins 5 keyring_readonly 'can only be read|log in where there is a keyring that can be written'
	[[ ! -e $STATE/accounts ]]
}

@test "the list's disk is full, or read-only without another place: 9 before the server is asked" {
	disk "$STATE" 16k
	logs_in
	run_cred status
	fill
	refuses_logins 9 configuration "$STATE|make room there"
	mend
	logs_in
	[[ $(find "$STATE" -type f ! -path '*/locks/*' -printf '%f ') == 'accounts ' ]]
}

@test "a list that cannot be replaced: 9 before the server is asked" {
	mkdir -p -m 0700 "$STATE/.accounts.new/in the way"
	refuses_logins 9 configuration "$STATE/accounts cannot be written|make room there, or make it writable"
	rm -r "$STATE/.accounts.new"
	logs_in
}

@test "a home that can only be read: the list goes where it always goes then" {
	[[ ! -e /dev/shm/alation-cred-$EUID ]] || skip 'somebody is using /dev/shm'
	fallback=1
	disk "$HOME" 64k
	read_only
	login_demo
	expect 0
	[[ $(</dev/shm/alation-cred-$EUID/accounts) == *'user_id=102&'* ]]
	run_cred get
	expect 0
	run_cred logout
	expect 0
}

@test "killed in the middle of its try: nobody sees it, and the next login takes it away" {
	local each
	for each in login_demo "login_token $TOKEN"; do
		CRED=$CRED-failpoints ALATION_CRED_FAILPOINT=login.tried:kill $each
		[[ $code == 137 && $(tries) ]] || fails "it was not killed there"
		no_calls
		run_cred status --format json
		[[ $code == 0 && $(jq -c .accounts <<<"$out") == '[]' ]] || fails "status shows it"
		run_cred get
		expect 3
		run_cred get "$NOBODY"
		expect 3
	done
	logs_in
	run_cred status
	[[ $out != *write-test* ]]
}

@test "ten logins at once do not take each other's try for a keyring that lies" {
	local i
	for i in {1..10}; do
		cred login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD" 2>"$OUT.$i" &
		helpers+=("$!")
	done
	for i in {1..10}; do wait "${helpers[i - 1]}" || fails "$(<"$OUT.$i")"; done
	no_try_is_left
	run_cred get
	expect 0
}

@test "git's store tries nothing: it is called after each success" {
	login_token "$TOKEN"
	CRED=$CRED-failpoints ALATION_CRED_FAILPOINT_LOG=$BATS_TEST_TMPDIR/points run_cred store \
		<<<"url=$ACCOUNT"$'\n'"password=$(sandbox_refresh_token 102 another)"
	expect 0
	grep -q login.stored "$BATS_TEST_TMPDIR/points"
	run ! grep login.tried "$BATS_TEST_TMPDIR/points"
}

@test "SIGTERM, SIGINT and SIGHUP while the server makes a RefreshToken end login once it is kept" {
	local signal made
	for signal in TERM INT HUP; do
		sandbox_fault endpoint=createRefreshToken delay_ms=60000
		env --default-signal=INT "$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD" >"$OUT" 2>&1 3>&- &
		helpers=($!)
		sandbox_held
		kill -"$signal" "${helpers[0]}"
		sandbox_release
		code=0
		wait "${helpers[0]}" || code=$?
		[[ $code == $((128 + $(kill -l "$signal"))) ]] || fails "exit $code: $(<"$OUT")"
		made=$(sed -n 's/.*createRefreshToken.* made=//p' "$SANDBOX_LOG" | tail -n 1)
		[[ $(secret-tool lookup application alation-cred base_url "$SANDBOX_URL" user_id 102) == *"&refresh_token=$made&"* ]] ||
			fails "it is not kept"
		run_cred get
		expect 0
		works "$out"
	done
}
