#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The account's lock: every change of state takes it, waits for it no longer than it may, and leaves everything as it was
# when it could not have it. The same lock from everywhere; none while a person is asked; C8, a locks' directory that goes.

bats_require_minimum_version 1.5.0
load ../lib/program

BUILD=${B:-$SANDBOX_TOP/.build}
MANY=$BUILD/tests/tools/many
SPARE_S=5

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	REQUEST=protocol=http$'\n'host=${SANDBOX_URL#http://}$'\n'username=102
	LOCK=$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}
	helpers=()
}

teardown() {
	program_end_helpers
	program_teardown
}

stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
key() { keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL" 2>&1; }
record() { keyctl pipe "$(key)" 2>/dev/null || echo nothing; }
drop_cached() { keyctl unlink "$(key)" @u >/dev/null; }
mints() { sandbox_calls createAPIAccessToken; }
live() { sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1; }
# Every item of ours; its schema is gnome-keyring's to name, and it does so once anything was stored beside it.
items() { secret-tool search --all application alation-cred 2>&1 | grep -v '^schema' | sort; }
everything() { stored; record; cat "$STATE/accounts"; sandbox_log; items; }

until_true() { # COMMAND: it comes true
	local end=$((SECONDS + 20))
	until eval "$1"; do ((SECONDS < end)) || { echo "never: $1" >&2; return 1; }; done
}

# stopped POINT STDIN ARG...: a program that has stopped at that failpoint; $stopped is its pid.
stopped() {
	ALATION_CRED_FAILPOINT=$1:stop "$BUILD/alation-cred-failpoints" "${@:3}" <<<"$2" >"$OUT.stopped" 2>"$OUT.stopped.err" 3>&- &
	stopped=$!
	helpers+=("$stopped")
	until_true "[[ \$(</proc/$stopped/stat) == *') T '* ]]" || { cat "$OUT.stopped.err" >&2; return 1; }
}

# start ARG...: in the background, traced; its outcome lies in $OUT.N and $OUT.N.trace.
start() {
	"$CRED" -v "$@" >"$OUT.${#helpers[@]}" 2>"$OUT.${#helpers[@]}.trace" 3>&- &
	helpers+=($!)
}
waits() { until_true "[[ \$(grep -c 'look up access' '$OUT.$1.trace') -ge 2 ]]"; } # N: it looked, found the lock taken, looked again

busy() { # SECONDS STDIN ARG...: 8 in that time, and not a thing is changed
	local before after began=$SECONDS
	before=$(everything)
	run_cred "${@:3}" <<<"$2"
	expect 8 "another alation-cred holds" "102@" "try again" || return 1
	((SECONDS - began <= $1 + SPARE_S)) || fails "after $((SECONDS - began)) s" || return 1
	after=$(everything)
	[[ $after == "$before" ]] || fails "it changed something: $(diff <(echo "$before") <(echo "$after"))"
}

verbs() { # a verb that changes state a line, in an order in which all can go through; what is its stdin behind '<'
	cat <<-END
		get
		get --protocol git <$REQUEST
		token --fresh
		token --validate
		validate
		revoke
		rotate
		rotate --auto --if-expiring 99d $ACCOUNT
		set shared
		set exclusive
		set default
		store <$REQUEST&oauth_refresh_token=$PASTED
		login $SANDBOX_URL --user-id 102 --token-stdin <$PASTED
		erase <$REQUEST&password=$PASTED
		logout
	END
}

each_verb() { # CALLBACK: with STDIN ARG...
	local line words
	while IFS= read -r line <&3; do
		read -ra words <<<"${line%%<*}"
		line=${line#"${line%%<*}"} line=${line#<}
		"$1" "${line//&/$'\n'}" "${words[@]}" || { echo "the row: ${words[*]}" >&2; return 1; }
	done 3< <(verbs | sed -z 's/\n\(host\|username\)=/\&\1=/g')
}

is_busy() {
	busy 1 "$@" --timeout 1 || return 1
	[[ $2 == store || $2 == erase || $3 == --protocol ]] && return
	run_cred "${@:2}" --timeout 1 --format json <<<"$1"
	expect_json 8 busy "102@"
}

goes_through() {
	run_cred "${@:2}" <<<"$1"
	expect 0
	if [[ $2 == erase ]]; then run_cred login "$SANDBOX_URL" --user-id 102 --token-stdin <<<"$PASTED"; fi
}

@test "while a stopped process holds the account every verb that changes state ends with 8, in its time, and changes nothing" {
	login_demo
	drop_cached
	PASTED=$(sandbox_refresh_token 102)
	stopped mint.read '' get
	each_verb is_busy
	kill -KILL "$stopped"
	wait "$stopped" || :
	each_verb goes_through
	run_cred status
	[[ $out == 'nobody is logged in'* ]] || fails "the last verb was a logout"
}

@test "each change of state holds the account while it is under way, and goes on when it may" {
	local row point words
	login_demo
	PASTED=$(sandbox_refresh_token 102)
	for row in 'mint.read|get --fresh' 'revoke.marked|revoke' 'rotate.written-ahead|rotate' 'rotate.emptied|rotate' \
		"login.read|login $SANDBOX_URL --user-id 102 --token-stdin <$PASTED" "login.stored|login $SANDBOX_URL --user demo --password-stdin <demo-password" \
		"login.cached|login $SANDBOX_URL --user demo --password-stdin <demo-password" \
		"login.read|store <$REQUEST&oauth_refresh_token=$PASTED" "erase.locked|erase <$REQUEST&password=another" 'logout.marked|logout'; do
		point=${row%%|*} row=${row#*|}
		read -ra words <<<"${row%%<*}"
		row=${row#"${row%%<*}"} row=${row#<}
		stopped "$point" "${row//&/$'\n'}" "${words[@]}"
		busy 1 '' set "$ACCOUNT" default --timeout 1 || fails "$point of ${words[*]}"
		kill -CONT "$stopped"
		wait "$stopped" || fails "$point of ${words[*]}: $(<"$OUT.stopped.err")"
	done
	# Those that have no such point wait at the server.
	login_demo
	sandbox_fault endpoint=validateRefreshToken delay_ms=600000
	cred validate 2>/dev/null &
	helpers+=($!)
	sandbox_held
	busy 1 '' set default --timeout 1
	sandbox_release
	wait "${helpers[-1]}"
}

# Whose account it is, the server tells only as it makes the RefreshToken: from then on a login has 20 s of its own.
@test "a login by password while another process holds the account: 8, what was there stays, and what was made is said" {
	local before after began=$SECONDS
	login_demo
	stopped mint.read '' get --fresh
	before=$(stored)$(<"$STATE/accounts")$(record)
	run_cred login "$SANDBOX_URL" --user demo --password-stdin --name second --timeout 1 --format json <<<demo-password
	expect_json 8 busy "102@" "a RefreshToken 'second' that could not be kept here" "$SANDBOX_URL/account/auth"
	((SECONDS - began <= 21 + SPARE_S)) || fails "it took $((SECONDS - began)) s"
	after=$(stored)$(<"$STATE/accounts")$(record)
	[[ $after == "$before" ]] || fails "it changed something"
	kill -KILL "$stopped"
	wait "$stopped" || :
	run_cred get
	expect 0
	works "$out"
}

@test "whoever waits goes on when the holder is killed, be it one of us or another program with the file's lock" {
	local holder
	login_demo
	drop_cached
	stopped mint.read '' get
	busy 1 '' get --timeout 1
	start get --timeout 60
	waits 1
	kill -KILL "$stopped"
	wait "${helpers[1]}"
	[[ $(<"$OUT.1") == "$(live)" && $(mints) == 2 ]]
	drop_cached
	flock "$LOCK" sleep 600 3>&- &
	helpers+=($!)
	until_true "run ! flock -n '$LOCK' true 2>/dev/null"
	holder=$(pgrep -P "${helpers[2]}")
	busy 1 '' get --timeout 1
	start get --timeout 60
	waits 3
	kill -KILL "${helpers[2]}" "$holder"
	wait "${helpers[3]}"
	[[ $(<"$OUT.3") == "$(live)" && $(mints) == 3 ]]
}

# Where a login shell of that user finds its bus without being told: only a mount namespace can put ours there.
at_run_user() {
	unshare -m sh -c 'mkdir -p /run/user/"$(id -u)" && mount --bind "$1" /run/user/"$(id -u)" && shift && exec "$@"' - "$XDG_RUNTIME_DIR" "$@"
}

@test "the same lock from desktop, cron, ssh, another session keyring, another state home, directory and umask: one mint" {
	local i environments outs=()
	at_run_user true 2>/dev/null || skip 'no mount namespace can be made here'
	login_demo
	drop_cached
	export ACCOUNT CRED MANY HOME
	mkdir "$BATS_TEST_TMPDIR/elsewhere"
	environments=(
		'env' # the desktop
		"env -i HOME=$HOME" # cron
		"env -i HOME=$HOME PATH=/usr/bin XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"
		"env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS SSH_CONNECTION=127.0.0.1"
		"env XDG_STATE_HOME=$BATS_TEST_TMPDIR/elsewhere"
		"keyctl session -"
		"env -C / sh -c umask\${IFS}0002;exec\${IFS}\"\$@\" -"
	)
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	for i in "${!environments[@]}"; do
		at_run_user ${environments[i]} "$MANY" 20 "$CRED" --timeout 100 get "$ACCOUNT" >"$OUT.$i" 2>"$OUT.err.$i" 3>&- &
		outs+=($!)
	done
	sandbox_held
	sandbox_release
	wait "${outs[@]}"
	for i in "${!environments[@]}"; do
		[[ $(<"$OUT.$i") == $'exit 0 20\noutput 20 '"$(live)"'\n' ]] || { cat "$OUT.$i" "$OUT.err.$i" >&2; echo "from: ${environments[i]}" >&2; return 1; }
	done
	[[ $(mints) == 2 ]]
	works "$(live)"
	[[ ! -e $BATS_TEST_TMPDIR/elsewhere/alation-cred/locks ]]
}

# The program with a keyring whose dialog stays open until it is answered.
keyring_that_asks() {
	export ASKS=$BATS_TEST_TMPDIR/asks
	mkdir -m 0755 "$ASKS" "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/tree/modules"
	cp "$CRED" "${CRED%/*}/alation.so" "$BATS_TEST_TMPDIR/tree"
	cp "$BUILD/tests/modules/asks.so" "$BATS_TEST_TMPDIR/tree/modules/secret-service.so"
	CRED=$BATS_TEST_TMPDIR/tree/alation-cred
	sandbox_refresh_token 102 | tr -d '\n' >"$ASKS/token"
	mkfifo "$ASKS/answer"
}

@test "nobody is asked under the lock: while the keyring's dialog is open others get the lock at once; its answer goes on" {
	local verb began
	keyring_that_asks
	for verb in get 'token --fresh' validate revoke; do
		rm -f "$ASKS/asked" "$ASKS/unlocked"
		start $verb "$ACCOUNT" --interactive always
		until_true "[[ -e '$ASKS/asked' ]]"
		[[ ! -e $LOCK ]] || flock -n "$LOCK" true || fails "$verb asks under the lock"
		began=$SECONDS
		run_cred get "$ACCOUNT" --fresh --interactive never --timeout 60 # its own answer is that the keyring is locked
		expect 4
		((SECONDS - began <= SPARE_S)) || fails "it waited for a person"
		timeout 20 sh -c 'echo >"$1"' - "$ASKS/answer"
		wait "${helpers[-1]}" || fails "$verb: $(<"$OUT.$((${#helpers[@]} - 1)).trace")"
		[[ $verb != get ]] || works "$(<"$OUT.0")"
	done
}
