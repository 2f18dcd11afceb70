#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rows of the fault matrix, keyring, as no real Secret Service shows them: R9 (it ends at the n-th call that is made of it, for each n, before
# that has done anything or with its answer lost), R10 (it acknowledges what it did not do), R12 (what it has a prompt for, which
# sessions it offers). tests/tools/mock-secrets.c; R12's sessions on a real gnome-keyring too.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/died
load ../lib/mock

setup() {
	program_environment
	watcher=''
	KEPT=$BATS_TEST_TMPDIR/kept
}

teardown() {
	[[ -z $watcher ]] || kill "$watcher"
	session_stop
	program_teardown
}

begin() { # MOCK'S ARG...
	session_start nodaemon
	program_setup
	died_setup
	mock_start file="$KEPT" "$@"
}

# Each call of VERB in turn is the service's last: until_through dies|loses VERB MAKES CHECK.
until_through() {
	local n=0 last
	verb_words "$2"
	login_demo
	expect 0 || return 1
	while :; do
		n=$((n + 1))
		before=$(sandbox_calls "$3") made=
		mock_restart file="$KEPT" "$1=$n"
		run_cred "${VERB[@]}" <"$STDIN"
		ran="${VERB[*]} where the service $1 at call $n"
		last=$(calls_of_mock)
		mock_restart file="$KEPT"
		[[ $(sandbox_calls "$3") == "$before" ]] || made=$(last_made "$3")
		if ((last < n)); then
			expect 0 || return 1
			break
		fi
		[[ $code == [05] ]] || fails "neither success nor the keyring's failure" || return 1
		"$4" || fails "$2: the service $1 at call $n" || return 1
	done
	"$4" || return 1
	echo "# $2: $((n - 1)) calls, $1 at each" >&3
	((n > 5))
}

@test "R9: the service ends at each call of a login, before it has done anything" {
	begin
	until_through dies login createRefreshToken after_login
}
@test "R9: the service ends at each call of a login, once it has done what was asked" {
	begin
	until_through loses login createRefreshToken after_login
}

@test "R9: the service ends at each call of a mint" {
	begin
	until_through dies mint createAPIAccessToken after_mint
	until_through loses mint createAPIAccessToken after_mint
}

@test "R9: the service ends at each call of a rotation, before it has done anything" {
	begin
	until_through dies rotate regenRefreshToken after_rotation
}
@test "R9: the service ends at each call of a rotation, once it has done what was asked" {
	begin
	until_through loses rotate regenRefreshToken after_rotation
}

@test "R9: the service ends at each call of a logout" {
	begin
	session_store_neighbour
	until_through dies logout regenRefreshToken after_logout
	until_through loses logout regenRefreshToken after_logout
}

# The service lies no more, and the token that the server made last serves.
in_the_end() {
	mock_restart file="$KEPT"
	serves || return 1
	[[ $(refresh_token) == "$made" ]] || fails "the new token is not in the keyring"
}

@test "R10: a store is acknowledged and not made: a rotation's mark: 5, and the server hears of nothing" {
	begin
	login_demo
	expect 0
	made=$(refresh_token)
	: >"$SANDBOX_LOG"
	mock_restart file="$KEPT" lies=0
	refuses 5 keyring_failed 'does not give back what it took' rotate "$ACCOUNT"
	no_calls
	in_the_end
}

@test "R10: a store is acknowledged and not made: a rotation's new token: 5, recovery, and the next call takes it over" {
	begin
	login_demo
	expect 0
	mock_restart file="$KEPT" lies=1 # the mark is kept
	run_cred rotate --format json
	expect_json 5 recovery "$ACCOUNT" "takes the token over from $COPY"
	made=$(last_made regenRefreshToken)
	[[ $made && $(<"$COPY") == *"&refresh_token=$made&"* && $(copied) == "$(<"$COPY")" ]] || fails "the copies"
	in_the_end
}

@test "R10: a store is acknowledged and not made: a first login's try: 5, and the server hears of nothing; the token itself: 5, and where to delete it" {
	begin lies=0
	input=$SANDBOX_PASSWORD refuses 5 keyring_failed 'does not find what it took' login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
	mock_restart file="$KEPT" lies=1 # what is tried is kept
	login_demo
	expect 5 'does not find what it took' "could not be kept here; delete it at $SANDBOX_URL/account/auth"
	[[ $(listed) == 0 ]]
}

@test "R10: a deletion is acknowledged and not made: a logout is 5, and its account stays in the list until it is" {
	begin
	login_demo
	expect 0
	mock_restart file="$KEPT" keeps
	refuses 5 keyring_failed 'still has what it said it deleted' logout "$ACCOUNT"
	[[ $(listed) == 1 && $(stored) ]]
	mock_restart file="$KEPT"
	run_cred logout "$ACCOUNT"
	expect 0
	[[ $(listed) == 0 && ! $(stored) ]]
}

@test "R10: what cannot be deleted is acknowledged to be emptied, and is not: a logout is 5" {
	begin prompts unanswered
	login_demo
	expect 0
	mock_restart file="$KEPT" prompts unanswered lies=0
	refuses 5 keyring_failed 'still has what it said it emptied' logout "$ACCOUNT"
	[[ $(listed) == 1 && $(stored) ]]
	mock_restart file="$KEPT" prompts unanswered
	run_cred logout "$ACCOUNT"
	expect 0
	[[ $(listed) == 0 && ! $(stored) ]]
}

@test "R12: a service with a prompt for each store and each deletion: no dialog is shown, and what is deleted is emptied" {
	begin prompts unanswered
	whole_life
	whole_life
	[[ $(called CreateItem) -ge 4 && $(called SetSecret) -ge 4 ]]
	# One for each item that was new, the account's and what a login tries; that of each other store and deletion is told to go.
	[[ $(called Prompt) == 2 ]]
}

# From here on the bus is listened to; heard has said all there was.
listen() {
	dbus-monitor --session "interface='org.freedesktop.Secret.Service'" "interface='org.freedesktop.Secret.Collection'" \
		"interface='org.freedesktop.Secret.Item'" "type='method_return'" >"$BATS_TEST_TMPDIR/heard" 3>&- &
	watcher=$!
	until_heard NameAcquired
}
until_heard() {
	local end=$((SECONDS + 10))
	until grep -q "$1" "$BATS_TEST_TMPDIR/heard"; do ((SECONDS < end)); done
}
heard() { # METHOD: how often
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Service.EndOfTest
	until_heard EndOfTest
	grep -c "member=$1\$" "$BATS_TEST_TMPDIR/heard" || :
}

@test "R12: a service that has sessions in the clear alone" {
	begin
	listen
	whole_life
	[[ $(heard OpenSession) -ge 10 ]]
	grep -q 'refresh_token=' "$BATS_TEST_TMPDIR/heard" # as the next test would find it
}

@test "R12: a service that offers encrypted sessions is asked for nothing else, and no secret passes in the clear" {
	session_start unlocked
	program_setup
	died_setup
	listen
	login_demo
	expect 0
	serves
	run_cred rotate "$ACCOUNT"
	expect 0
	[[ $(heard CreateItem) -ge 3 && $(heard OpenSession) -ge 2 ]]
	[[ $(grep -A 1 'member=OpenSession$' "$BATS_TEST_TMPDIR/heard" | grep -c 'string "dh-') == $(heard OpenSession) ]]
	run ! grep 'refresh_token=' "$BATS_TEST_TMPDIR/heard"
}

@test "R12: a session in which neither side can read the other, as KWallet has: another is opened; not for ever" {
	begin
	login_demo
	expect 0
	mock_restart file="$KEPT" bad=1
	run_cred token "$ACCOUNT" --fresh
	expect 0
	works "$out"
	[[ $(grep -c OpenSession "$CALLED") == 4 ]] # each asks for an encrypted one first
	mock_restart file="$KEPT" bad=1
	run_cred rotate "$ACCOUNT"
	expect 0
	made=$(last_made regenRefreshToken)
	in_the_end
	mock_restart file="$KEPT" bad=2
	login_demo # whose first call is a store
	expect 0
	serves
	mock_restart file="$KEPT" bad=99
	refuses 5 keyring_failed 'gave no secret' token "$ACCOUNT" --fresh
	[[ $(grep -c OpenSession "$CALLED") -le 12 ]]
}
