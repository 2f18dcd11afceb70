#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The secret-service module against a real gnome-keyring on a private bus.

bats_require_minimum_version 1.5.0

URL=https://catalog.example.com:8443
RECORD='v=1&kind=refresh-token&base_url=https%3A%2F%2Fcatalog.example.com%3A8443&refresh_token=abc~._-+/'

setup() {
	load ../lib/session
	B=${B:-$BATS_TEST_DIRNAME/../../.build}
	tool=$B/tests/tools/keyring-tool
}

teardown() {
	session_stop
}

ask() { # VERB [OPTION]...: the status word and what follows it are in $stderr
	local verb=$1
	shift
	run --separate-stderr "$tool" --notes "$@" "$verb" refresh "$URL" 102
}

store() { # [RECORD]
	printf %s "${1:-$RECORD}" | "$tool" store refresh "$URL" 102
}

answered() { # STATUS [NOTE]
	case $stderr in
	"$1 module=secret-service "* | *$'\n'"$1 module=secret-service "*) ;;
	*) echo "not '$1': $stderr" && return 1 ;;
	esac
	[ -z "$2" ] || [[ $stderr == *"$2"* ]] || { echo "no '$2': $stderr" && return 1; }
	if [ "$1" != ok ]; then [ -z "$output" ]; fi
}

within() { # SECONDS COMMAND...: at most that long by the clock
	local before=$SECONDS
	"${@:2}"
	[ $((SECONDS - before)) -le "$1" ]
}

items() { # how many have our application
	secret-tool search --all application alation-cred 2>/dev/null | grep -c '^secret = ' || true
}

item_attributes() { # of the only item with our application: one "name=value" a line
	secret-tool search --all application alation-cred 2>&1 | sed -n 's/^attribute\.\(.*\) = /\1=/p' | sort
}

@test "secret-service: absent, stored, found, listed, overwritten, erased" {
	session_start unlocked
	ask lookup
	answered absent
	ask locate
	answered absent
	ask erase
	[[ $stderr == *"ok module=- "* ]]
	store
	ask lookup
	answered ok
	[ "$output" = "$RECORD" ]
	ask locate
	answered ok
	[ -z "$output" ]
	store v=1\&second
	ask lookup
	[ "$output" = "v=1&second" ]
	[ "$(items)" = 1 ]
	ask erase
	answered ok
	ask lookup
	answered absent
}

@test "secret-service: attributes and label are these, and nothing secret is in them" {
	session_start unlocked
	store
	run -0 item_attributes
	[ "$output" = "$(printf '%s\n' application=alation-cred "base_url=$URL" facility=refresh user_id=102)" ]
	run -0 secret-tool search application alation-cred
	[[ $output == *"label = Alation RefreshToken (102@catalog.example.com:8443)"* ]]
}

@test "secret-service: accounts are told apart" {
	session_start unlocked
	store
	run --separate-stderr "$tool" lookup refresh "$URL" 10
	[ "$status" = 1 ]
	run --separate-stderr "$tool" lookup refresh https://catalog.example.com 102
	[ "$status" = 1 ]
	run --separate-stderr "$tool" locate refresh "$URL" 103
	[ "$status" = 1 ]
}

@test "secret-service: items put there by hand are found, and a store leaves one" {
	session_start unlocked
	by_hand() { # COLOR: another attribute makes another item
		printf %s by-hand | secret-tool store --label=mine application alation-cred facility refresh \
			base_url "$URL" user_id 102 color "$1"
	}
	by_hand blue
	ask lookup
	[ "$output" = by-hand ]
	by_hand red
	[ "$(items)" = 2 ]
	ask lookup
	[ "$output" = by-hand ]
	ask locate
	answered ok
	store
	[ "$(items)" = 1 ]
	ask lookup
	[ "$output" = "$RECORD" ]
	by_hand blue
	by_hand red
	ask erase
	answered ok
	[ "$(items)" = 0 ]
}

@test "secret-service: what would destroy a keyring is not stored" {
	session_start blank
	for bad in $'a\nb' 'a\b' 'a b' '"' 'a{' $'a\r' 'ä' ''; do
		run --separate-stderr "$tool" --notes store refresh "$URL" 102 < <(printf %s "$bad")
		[ "$status" = 7 ]
		[[ $stderr != *"$bad"* ]] || [ -z "$bad" ] || [ "$bad" = 'a b' ] || [ "$bad" = '"' ]
	done
	run --separate-stderr "$tool" store refresh "$URL" 102 < <(printf 'a\0b')
	[ "$status" = 7 ]
	ask lookup
	answered absent
}

@test "secret-service: locked is told apart from absent, for each operation, and opens no dialog" {
	session_start locked
	for verb in lookup locate erase; do
		ask $verb
		answered locked
	done
	run --separate-stderr store
	answered locked
	session_unlock
	ask lookup
	answered absent
}

@test "secret-service: locked with the secret in it; after unlocking it is there" {
	session_start unlocked
	store
	session_restart_keyring
	ask lookup
	answered locked
	ask locate
	answered locked
	ask erase
	answered locked
	run --separate-stderr store v=1\&other
	answered locked
	session_unlock
	ask lookup
	[ "$output" = "$RECORD" ]
}

@test "secret-service: where no dialog can be shown, a call that may prompt is locked too" {
	session_start locked
	within 20 ask lookup --prompt --deadline 4000
	answered locked
}

@test "secret-service: a blank password opens without asking, and the neighbour's secret survives a restart" {
	session_start blank
	session_store_neighbour "it's a secret"
	store
	session_restart_keyring
	ask lookup
	answered ok
	[ "$output" = "$RECORD" ]
	session_restart_keyring
	ask locate
	answered ok
	session_restart_keyring
	store v=1\&second
	session_restart_keyring
	ask lookup
	[ "$output" = "v=1&second" ]
	session_restart_keyring
	ask erase
	answered ok
	session_restart_keyring
	ask lookup
	answered absent
	[ "$(session_neighbour)" = "it's a secret" ]
}

@test "secret-service: no default keyring is unavailable, and none is created" {
	session_start nokeyring
	for verb in lookup locate erase; do
		ask $verb
		answered unavailable "no default keyring"
	done
	run --separate-stderr store
	answered unavailable
	[ -z "$(find "$HOME" "$XDG_RUNTIME_DIR" -name '*.keyring')" ]
}

@test "secret-service: no service on the bus" {
	session_start nodaemon
	within 5 ask lookup
	answered unavailable "no Secret Service"
	ask locate
	answered unavailable
}

# With a display GLib would run dbus-launch; every kind of address that starts or asks something is passed by.
@test "secret-service: no bus, and nothing is started to get one" {
	session_start nobus
	mkdir "$session_dir/bin"
	printf '#!/bin/sh\necho "$0 $*" >>%s/started\n' "$session_dir" >"$session_dir/bin/dbus-launch"
	chmod +x "$session_dir/bin/dbus-launch"
	cp "$session_dir/bin/dbus-launch" "$session_dir/bin/dbus-daemon"
	PATH=$session_dir/bin:$PATH
	export DISPLAY=:99
	for address in '' disabled: autolaunch: tcp:host=127.0.0.1,port=9 "unixexec:path=$session_dir/bin/dbus-launch" \
		"unix:path=$session_dir/none;unixexec:path=$session_dir/bin/dbus-launch" nonsense; do
		DBUS_SESSION_BUS_ADDRESS=$address ask lookup
		answered unavailable "no D-Bus session"
	done
	unset DBUS_SESSION_BUS_ADDRESS
	ask lookup
	answered unavailable "no D-Bus session"
	DBUS_SESSION_BUS_ADDRESS=unix:path=$session_dir/none ask lookup
	answered unavailable "cannot reach"
	[ ! -e "$session_dir/started" ]
}

@test "secret-service: the bus is found by XDG_RUNTIME_DIR, and a socket that nobody serves is unavailable" {
	session_start unlocked
	store
	unset DBUS_SESSION_BUS_ADDRESS
	ask lookup
	[ "$output" = "$RECORD" ]
	DBUS_SESSION_BUS_ADDRESS=disabled: ask lookup
	[ "$output" = "$RECORD" ]
	session_end_process "$session_bus_pid" KILL # its socket stays
	session_bus_pid=
	[ -S "$XDG_RUNTIME_DIR/bus" ]
	within 5 ask lookup
	answered unavailable
}

@test "secret-service: another user's bus is not used" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	session_start nobus
	chmod 0755 "$session_dir"
	mkdir -m 0777 "$session_dir/theirs"
	sed "s,<listen>.*,<listen>unix:path=$session_dir/theirs/bus</listen>," >"$session_dir/theirs.conf" <<-END
		<busconfig>
		  <listen>here</listen>
		  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/></policy>
		</busconfig>
	END
	chmod 0644 "$session_dir/theirs.conf"
	mkfifo "$session_dir/address"
	setpriv --reuid 65534 --regid 65534 --clear-groups dbus-daemon --config-file="$session_dir/theirs.conf" --nofork \
		--nopidfile --print-address=1 >"$session_dir/address" </dev/null 3>&- &
	session_bus_pid=$!
	read -r -t 10 DBUS_SESSION_BUS_ADDRESS <"$session_dir/address"
	export DBUS_SESSION_BUS_ADDRESS
	ask lookup
	answered unavailable "another user"
}

@test "secret-service: a frozen keyring is a timeout, in time" {
	session_start unlocked
	store
	session_freeze
	for verb in lookup locate erase; do
		within 10 ask $verb --deadline 500
		answered timeout
	done
	session_thaw
	ask lookup
	answered ok
}

@test "secret-service: a frozen bus is a timeout, in time" {
	session_start unlocked
	kill -STOP "$session_bus_pid"
	within 10 ask lookup --deadline 500
	answered timeout
	kill -CONT "$session_bus_pid"
	ask lookup
	answered absent
}

@test "secret-service: a deadline that has passed already" {
	session_start unlocked
	ask lookup --deadline -1
	answered timeout
}

@test "secret-service: an activation that fails, and one that never answers" {
	SESSION_SERVICES=$BATS_TEST_TMPDIR/services
	mkdir "$SESSION_SERVICES"
	printf '#!/bin/sh\necho $$ >%s/pid\nexec sleep 300\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/sleeper"
	chmod +x "$BATS_TEST_TMPDIR/sleeper"
	printf '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/false\n' >"$SESSION_SERVICES/secrets.service"
	session_start nodaemon
	within 10 ask lookup
	answered unavailable
	session_stop
	printf '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=%s/sleeper\n' "$BATS_TEST_TMPDIR" \
		>"$SESSION_SERVICES/secrets.service"
	session_start nodaemon
	within 10 ask lookup --deadline 500
	answered timeout
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "secret-service: takes no arguments" {
	session_start nobus
	ask lookup --line 'refresh sufficient secret-service blue'
	answered failed "takes no arguments"
}
