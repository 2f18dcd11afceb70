#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# unlock and lock: the desktop's keyring in its states, a keyring with a passphrase that is asked for on a terminal or by an
# askpass program, what is open for the calls that follow, and what lock forgets. login by askpass stands here too.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

BUILD=${B:-$SANDBOX_TOP/.build}
SPARE_S=15

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	program_setup --user "demo:demo-password:102" --user "ada:demo-password:103"
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	LOCK=$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}
}

teardown() {
	local id key
	while IFS=: read -r id key; do # what a sealed file's key left
		[[ $key != *"alation-cred-test-$$:"* ]] || keyctl unlink "$id" @u >/dev/null
	done < <(keyctl list @u)
	[[ -z ${own_session:-} ]] || session_stop
	program_teardown
}

# A session of the test's own, whose keyring it may lock.
own_session() {
	own_session=1
	session_start "$1"
}

login_ada() {
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<demo-password
	expect 0
}
key() { keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL" 2>/dev/null; }
record() { keyctl pipe "$(key)" 2>/dev/null || echo nothing; }

# A keyring with a passphrase in the desktop's place, in a tree of its own; its directory is $KEEPS. $1: its name there.
keyring_that_keeps() {
	local name=${1:-keeps} tree=$BATS_TEST_TMPDIR/tree
	export KEEPS=$BATS_TEST_TMPDIR/keeps ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	mkdir -m 0755 "$KEEPS" "$tree" "$tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$tree"
	cp "$BUILD/tests/modules/keeps.so" "$tree/modules/$name.so"
	CRED=$tree/alation-cred
	(umask 077 && echo "refresh sufficient $name" >"$ALATION_CRED_CONFIG")
	printf sesame >"$KEEPS/passphrase"
	sandbox_refresh_token 102 | tr -d '\n' >"$KEEPS/token"
}
is_open() { [[ -e $KEEPS/key ]]; }
asked() { [[ -e $KEEPS/asked ]] && wc -c <"$KEEPS/asked" || echo 0; } # how often

# askpass BODY: a program that asks. What it was asked is added to $ASKED.
askpass() {
	ASKED=$BATS_TEST_TMPDIR/questions
	printf '%s\n' '#!/bin/sh' "printf '%s\\n' \"\$*\" >>'$ASKED'" "$1" >"$BATS_TEST_TMPDIR/askpass"
	chmod 0755 "$BATS_TEST_TMPDIR/askpass"
	ASKPASS=$BATS_TEST_TMPDIR/askpass
}

## The desktop's keyring.

@test "the Secret Service is open: unlock says so, with 0, and asks no server" {
	login_demo
	: >"$SANDBOX_LOG"
	run_cred unlock
	expect 0 "secret-service" "$ACCOUNT is open already"
	[[ -z $raw ]] || fails "it wrote to stdout"
	run_cred unlock "$ACCOUNT" --format json
	[[ $code == 0 && $(jq -c '[.success, .user_id, has("token")]' <<<"$out") == '[true,102,false]' ]] || fails "not the answer"
	no_calls
}

@test "nothing stored, nobody logged in: 3; no argument of the kind: 2" {
	refuses 3 no_account "nobody is logged in" unlock
	refuses 3 no_account "no RefreshToken is stored for $ACCOUNT|alation-cred login" unlock "$ACCOUNT"
	run_cred unlock a b
	expect 2 'too many arguments'
	run_cred unlock --all
	expect 2 "'unlock' has no option '--all'"
	run_cred lock --all
	expect 2 "'lock' has no option '--all'"
	no_calls
}

@test "a locked Secret Service: without a person 4; a dialog that is dismissed 4" {
	own_session unlocked
	login_demo
	session_lock
	refuses 4 keyring_locked "secret-service|its dialog may not open here|$ACCOUNT|on a terminal|in the desktop session|--interactive always" unlock
	# On this bus there is nobody who could show the dialog: it ends at once, as one that was dismissed.
	dialog timeout "$SPARE_S" env SSH_CONNECTION=x "$CRED" unlock -v --interactive always </dev/null
	[[ $code == 4 ]]
	shows 'dialog was dismissed' 'was not unlocked' 'unlock it in the desktop session, then try again'
	dialog timeout "$SPARE_S" "$CRED" unlock </dev/null
	[[ $code == 4 ]]
	shows 'was not unlocked' 'unlock it in the desktop session, then try again'
	run_cred unlock --interactive never
	expect 4 'nobody may be asked'
	session_unlock
	run_cred unlock
	expect 0 'open already'
}

@test "over ssh GNOME Keyring's password is asked for on the terminal, or by askpass, and no dialog opens" {
	own_session unlocked
	login_demo
	session_lock
	dialog timeout "$SPARE_S" env SSH_CONNECTION=x "$CRED" unlock <<-END
		expect password
		echo off
		send $SESSION_PASSWORD
		expect secret-service) of $ACCOUNT is open
	END
	[[ $code == 0 ]]
	hides "$SESSION_PASSWORD" dismissed
	run_cred get --fresh
	expect 0
	session_lock
	askpass "echo $SESSION_PASSWORD"
	SSH_CONNECTION=x ALATION_CRED_ASKPASS=$ASKPASS run_cred unlock
	expect 0 'is open'
	[[ $(wc -l <"$ASKED") == 1 ]]
	session_lock
	askpass 'echo not-the-password'
	SSH_CONNECTION=x ALATION_CRED_ASKPASS=$ASKPASS run_cred unlock
	expect 4 'secret-service' 'try again'
	[[ $err != *not-the-password* ]]
}

@test "a keyring without a password is open always; one that is away is 5" {
	own_session blank
	login_demo
	expect 0
	session_restart_keyring
	run_cred unlock
	expect 0 'open already'
	DBUS_SESSION_BUS_ADDRESS=unix:path=$HOME/nobody XDG_RUNTIME_DIR=$HOME run_cred unlock
	expect 5 'no keyring can be reached'
}

## A passphrase: on the terminal, by askpass.

@test "on a terminal the passphrase is asked without echo, over ssh too; then the calls that follow need nobody" {
	local variable
	keyring_that_keeps
	run_cred get "$ACCOUNT"
	expect 4 "keeps" "alation-cred unlock $ACCOUNT"
	for variable in X=1 SSH_CONNECTION=x; do
		rm -f "$KEEPS/key" "$KEEPS/asked"
		dialog env "$variable" "$CRED" unlock "$ACCOUNT" <<-END
			expect Passphrase of the keyring:
			echo off
			send sesame
			expect keeps) of $ACCOUNT is open
			echo on
		END
		[[ $code == 0 && $(asked) == 1 ]]
		hides sesame already
		run_cred get "$ACCOUNT" --fresh
		expect 0
		works "$out"
		[[ $(asked) == 1 ]]
	done
	dialog "$CRED" unlock "$ACCOUNT" --format json </dev/null
	[[ $code == 0 ]]
	shows 'open already' '"success":true'
	[[ $(asked) == 1 ]]
}

@test "a wrong passphrase and a dialog that is ended: 4, nothing is kept, and it can be tried again" {
	keyring_that_keeps
	dialog "$CRED" unlock "$ACCOUNT" <<-END
		expect Passphrase
		echo off
		send simsim
		expect not its passphrase; try again
		echo on
	END
	[[ $code == 4 ]]
	run ! is_open
	hides simsim
	dialog "$CRED" unlock "$ACCOUNT" <<-END
		expect Passphrase
		echo off
		press D
		expect was not unlocked
	END
	[[ $code == 4 ]]
	shows 'the dialog was ended'
	run ! is_open
	dialog "$CRED" unlock "$ACCOUNT" <<-END
		expect Passphrase
		press C
	END
	[[ $code == 130 ]]
	run ! is_open
}

@test "a question is shown with a stranger's control characters escaped" {
	keyring_that_keeps
	printf 'keyring \033[2J of a stranger: ' >"$KEEPS/question"
	dialog "$CRED" unlock "$ACCOUNT" <<-END
		expect of a stranger:
		echo off
		send sesame
		expect is open
	END
	[[ $code == 0 ]]
	hides $'\033'
}

@test "without a terminal an askpass program asks, and no other verb starts it" {
	keyring_that_keeps
	askpass 'echo sesame'
	refuses 4 keyring_locked "keeps|nobody is there to unlock it|$ACCOUNT|on a terminal|ALATION_CRED_ASKPASS" unlock "$ACCOUNT"
	export ALATION_CRED_ASKPASS=$ASKPASS
	for verb in get validate revoke rotate status lock; do
		run_cred $verb "$ACCOUNT"
		[[ ! -e $ASKED ]] || fails "$verb asked: $(<"$ASKED")"
	done
	run_cred unlock "$ACCOUNT" --interactive never
	expect 4 'nobody may be asked' '--interactive never'
	[[ ! -e $ASKED ]]
	run_cred unlock "$ACCOUNT" --format json
	[[ $code == 0 && $(<"$ASKED") == 'Passphrase of the keyring: ' ]] || fails "not so"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "which of askpass and terminal asks: as in ssh" {
	local row environment wanted
	keyring_that_keeps
	askpass 'echo sesame'
	while IFS='|' read -r environment wanted; do
		rm -f "$KEEPS/key" "$ASKED"
		# shellcheck disable=SC2086
		if [[ $wanted == terminal ]]; then
			dialog env $environment "$CRED" unlock "$ACCOUNT" <<<$'expect Passphrase\necho off\nsend sesame\nexpect is open'
		else
			dialog env $environment "$CRED" unlock "$ACCOUNT" </dev/null
			hides Passphrase
		fi
		[[ $code == 0 ]] || { echo "$environment: exit $code" "$screen"; return 1; }
		[[ $wanted == terminal || -s $ASKED ]]
		[[ $wanted == program || ! -e $ASKED ]]
	done <<-END
		ALATION_CRED_ASKPASS=$ASKPASS|terminal
		ALATION_CRED_ASKPASS=$ASKPASS SSH_ASKPASS_REQUIRE=prefer|program
		SSH_ASKPASS=$ASKPASS DISPLAY=:9|terminal
		SSH_ASKPASS=$ASKPASS DISPLAY=:9 SSH_ASKPASS_REQUIRE=prefer|program
		SSH_ASKPASS=$ASKPASS SSH_ASKPASS_REQUIRE=prefer|terminal
		SSH_ASKPASS=$ASKPASS SSH_ASKPASS_REQUIRE=force|program
		SSH_ASKPASS=$ASKPASS DISPLAY=:9 SSH_ASKPASS_REQUIRE=never|terminal
	END
	rm "$KEEPS/key"
	SSH_ASKPASS=$ASKPASS run_cred unlock "$ACCOUNT"
	expect 4
	SSH_ASKPASS=$ASKPASS DISPLAY=:9 run_cred unlock "$ACCOUNT"
	expect 0
}

@test "an askpass program that gives nothing, or is none: 4, and it is said why" {
	keyring_that_keeps
	export ALATION_CRED_ASKPASS
	for row in "exit 1|gave no answer" "exit 0|gave no answer" "echo simsim|not its passphrase"; do
		askpass "${row%|*}"
		ALATION_CRED_ASKPASS=$ASKPASS
		run_cred unlock "$ACCOUNT"
		expect 4 "${row#*|}" "try again"
		[[ $err != *simsim* ]]
	done
	ALATION_CRED_ASKPASS=/no/such/program
	run_cred unlock "$ACCOUNT"
	expect 4 "'/no/such/program', which ALATION_CRED_ASKPASS names, cannot be started" 'was not unlocked'
	run ! is_open
}

@test "a person's time is not the program's, and no lock is held while one is asked" {
	keyring_that_keeps
	export ALATION_CRED_ASKPASS
	mkdir -p "${LOCK%/*}"
	: >"$LOCK"
	askpass "flock -n '$LOCK' true && sleep 1.2 && echo sesame"
	ALATION_CRED_ASKPASS=$ASKPASS
	run_cred unlock "$ACCOUNT" --timeout 1
	expect 0 'is open'
	run_cred get "$ACCOUNT"
	expect 0
}

@test "a keyring that does not stay open is 4, and says what would need nobody" {
	keyring_that_keeps
	askpass 'echo sesame'
	touch "$KEEPS/forgetful"
	export ALATION_CRED_ASKPASS=$ASKPASS
	refuses 4 keyring_locked "keeps|was unlocked for $ACCOUNT|does not stay open|key-file=" unlock "$ACCOUNT"
	: >"$ASKED"
	run_cred unlock "$ACCOUNT"
	[[ $(wc -l <"$ASKED") == 1 ]] || fails "asked more than once"
}

@test "stdout that does not work is learned of before anybody is asked, or anything forgotten" {
	keyring_that_keeps
	askpass 'echo sesame'
	export ALATION_CRED_ASKPASS=$ASKPASS
	for verb in unlock lock; do
		touch "$KEEPS/key"
		[[ $verb == lock ]] || rm "$KEEPS/key"
		code=0
		"$CRED" $verb "$ACCOUNT" --format json >&- 3>&- 2>"$OUT" || code=$?
		[[ $code == 10 && ! -e $ASKED ]] || fails "$verb: exit $code, $(<"$OUT")"
		[[ $verb == unlock ]] || is_open
	done
}

## The sealed file, whose key rests in the kernel keyring.

# sealed_file [ARGUMENT...]: keeps the RefreshTokens from here on; a login has made it, with the passphrase sesame.
sealed_file() {
	[[ -e $BUILD/modules/sealed-file.so ]] || skip 'built without libsodium'
	askpass 'echo sesame'
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	(umask 077 && echo "refresh sufficient sealed-file prefix=alation-cred-test-$$ $*" >"$ALATION_CRED_CONFIG")
	ALATION_CRED_ASKPASS=$ASKPASS login_demo
	expect 0 sealed-file
	rm "$ASKED"
}
resting() { keyctl list @u | grep -q "alation-cred-test-$$:sealed-file:"; }
drop_cached() { keyctl unlink "$(key)" @u >/dev/null; }

@test "sealed-file: lock forgets its key, unlock asks for the passphrase once, over ssh too" {
	sealed_file
	resting
	drop_cached
	run_cred get # the key rests since the login
	expect 0
	run_cred lock
	expect 0 'forgot the key that the keyring (sealed-file) kept open' "forgot the cached access token of $ACCOUNT"
	run ! resting
	refuses 4 keyring_locked "sealed-file|alation-cred unlock $ACCOUNT" get
	refuses 4 keyring_locked "sealed-file|nobody is there to unlock it|ALATION_CRED_ASKPASS" unlock
	dialog env SSH_CONNECTION=x "$CRED" unlock <<-END
		expect passphrase of the sealed file
		echo off
		send simsim
		expect that was wrong
		echo off
		send sesame
		expect sealed-file) of $ACCOUNT is open
	END
	[[ $code == 0 ]]
	hides sesame simsim
	run_cred get
	expect 0
	works "$out"
	run_cred lock
	ALATION_CRED_ASKPASS=$ASKPASS run_cred unlock
	expect 0 'is open'
	[[ $(wc -l <"$ASKED") == 1 ]]
	run_cred unlock
	expect 0 'open already'
	run_cred lock # the test's key goes too
	run ! resting
}

@test "sealed-file: unlock-time=0 does not stay open; a key-file needs no unlock, and a wrong one is 4" {
	sealed_file unlock-time=0
	export ALATION_CRED_ASKPASS=$ASKPASS
	refuses 4 keyring_locked "sealed-file|was unlocked for $ACCOUNT|does not stay open|key-file=" unlock
	(umask 077 && echo sesame >"$BATS_TEST_TMPDIR/passphrase" && echo simsim >"$BATS_TEST_TMPDIR/wrong")
	rm "$ASKED"
	echo "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/passphrase" >"$ALATION_CRED_CONFIG"
	run_cred unlock
	expect 0 'open already'
	echo "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/wrong" >"$ALATION_CRED_CONFIG"
	run_cred unlock
	expect 4 'the passphrase is wrong' 'correct that, then try again'
	[[ ! -e $ASKED ]]
}

## login.

@test "login: password and RefreshToken come by askpass where there is no terminal" {
	askpass "echo $SANDBOX_PASSWORD"
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER"
	expect 2 'no terminal to ask on' '--password-stdin'
	export ALATION_CRED_ASKPASS=$ASKPASS
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER"
	expect 0 "logged in as $ACCOUNT"
	[[ $(<"$ASKED") == Password*"$SANDBOX_URL"* ]]
	run_cred get
	works "$out"
	rm "$ASKED"
	askpass "echo $(sandbox_refresh_token 102)"
	run_cred login "$SANDBOX_URL" --user-id 102 --exclusive
	expect 0 "logged in as $ACCOUNT"
	[[ $(<"$ASKED") == RefreshToken*"$SANDBOX_URL"* ]]
	# What is no secret is not asked for so.
	rm "$ASKED"
	run_cred login "$SANDBOX_URL"
	expect 2 'no terminal to ask how'
	[[ ! -e $ASKED ]]
}

@test "login: an askpass program that gives nothing is 2, and no server was asked" {
	askpass 'exit 1'
	export ALATION_CRED_ASKPASS=$ASKPASS
	refuses 2 usage "gave no answer" login "$SANDBOX_URL" --user "$SANDBOX_USER"
	ALATION_CRED_ASKPASS=$BATS_TEST_TMPDIR
	refuses 2 usage "cannot be started|ALATION_CRED_ASKPASS" login "$SANDBOX_URL" --user "$SANDBOX_USER"
	no_calls
}

## lock.

@test "lock forgets the cached token and the derived key; unlock opens it again" {
	local token
	keyring_that_keeps
	askpass 'echo sesame'
	ALATION_CRED_ASKPASS=$ASKPASS run_cred unlock "$ACCOUNT"
	run_cred get "$ACCOUNT"
	token=$out
	: >"$SANDBOX_LOG"
	run_cred lock "$ACCOUNT"
	expect 0 "forgot the key that the keyring (keeps) kept open" "forgot the cached access token of $ACCOUNT"
	[[ -z $raw && $err != *secret-service* ]]
	run ! is_open
	[[ $(record) == nothing ]]
	no_calls
	works "$token" # at the server it lives on
	refuses 4 keyring_locked "keeps|alation-cred unlock $ACCOUNT" get "$ACCOUNT"
	run_cred lock "$ACCOUNT" --format json
	expect 0 "no access token is cached of $ACCOUNT"
	[[ $(jq -c '[.success, .user_id]' <<<"$out") == '[true,102]' && $err != *'kept open'* ]] || fails "not the answer"
	ALATION_CRED_ASKPASS=$ASKPASS run_cred unlock "$ACCOUNT"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "lock leaves the Secret Service open, for us and for others, and says so" {
	own_session unlocked
	session_store_neighbour
	login_demo
	run_cred lock
	expect 0 "forgot the cached access token of $ACCOUNT" "secret-service" "is left as it is"
	[[ $(record) == nothing ]]
	[[ $(session_neighbour) == 'a neighbour' ]]
	run_cred unlock
	expect 0 'open already'
	run_cred get
	expect 0
	works "$out"
	# A locked one stays locked, and asks nobody.
	session_lock
	run_cred lock --interactive always
	expect 0 "forgot the cached access token"
	run_cred get --interactive never
	expect 4
}

@test "lock without ACCOUNT is of all accounts, whatever the environment names; with ACCOUNT of one" {
	login_demo
	login_ada
	expect 0
	key 102 && key 103
	run_cred lock "${SANDBOX_URL/:\/\//:\/\/103@}"
	expect 0
	key 102
	run ! key 103
	run_cred get "${SANDBOX_URL/:\/\//:\/\/103@}"
	ALATION_USER_ID=103 run_cred lock --format json
	expect 0
	[[ $(jq '.accounts | length' <<<"$out") == 2 ]] || fails "not both"
	run ! key 102
	run ! key 103
}

@test "lock finds accounts that need no login, and a key that nobody's account holds" {
	ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=$(sandbox_refresh_token 102)
	export ALATION_BASE_URL ALATION_USER_ID ALATION_REFRESH_TOKEN
	run_cred get
	expect 0
	key
	run_cred unlock
	expect 0 'environment' 'open already'
	run_cred lock
	expect 0 "forgot the cached access token of $ACCOUNT"
	run ! key
	unset ALATION_BASE_URL ALATION_USER_ID ALATION_REFRESH_TOKEN
	run_cred lock
	expect 0 'nothing to forget'
	keyring_that_keeps
	touch "$KEEPS/key"
	run_cred lock
	expect 0 'forgot the key'
	[[ $err != *'nothing to forget'* ]]
	run ! is_open
}

@test "lock: one account that is held by another call is 8; the others' tokens go all the same" {
	login_demo
	login_ada
	exec 8<>"$LOCK"
	flock 8
	run_cred lock --timeout 1 8>&-
	exec 8>&-
	expect 8 'another alation-cred holds' "$ACCOUNT"
	key 102
	run ! key 103
}

@test "lock: a keyring that cannot forget its key is 5, and the token goes all the same" {
	keyring_that_keeps
	touch "$KEEPS/key" "$KEEPS/stuck"
	run_cred get "$ACCOUNT"
	key
	refuses 5 keyring_failed 'keeps|its key is stuck' lock "$ACCOUNT"
	run ! key
}

@test "lock keeps what is remembered beside the token, which the next mint must know" {
	local before
	login_demo
	before=$(record)
	printf '%s&late=%s' "$before" "$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)" | keyctl padd user "alation-cred-tree:access:102@$SANDBOX_URL" @u
	run_cred lock
	expect 0 'forgot the cached access token'
	[[ $(record) == *'&late='* && $(record) != *token=* ]] || fails "$(record)"
	run_cred lock
	expect 0 'no access token is cached'
	[[ $(record) == *'&late='* ]]
}
