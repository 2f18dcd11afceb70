#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ssh: to the machine where the desktop runs, with its keyring open, locked and away; and to a holder, with a command
# that the key is bound to. A real sshd and real clients on loopback.

bats_require_minimum_version 1.5.0
load ../lib/place
load ../lib/sshd

setup() {
	[[ -x /usr/sbin/sshd ]] || skip 'openssh-server is not installed'
	place_setup
	sshd_start
}

teardown() {
	place_teardown
}

ssh_to() { place_sh bob "$1"; } # bob is the one who comes by ssh

let_in() { # bob, as alice
	printf '%s\n' 'Host workstation' 'User alice' 'IdentityFile ~/.ssh/workstation' >"$BATS_TEST_TMPDIR/config"
	sshd_key bob workstation | place_write /run/home/alice/.ssh/authorized_keys 0600 alice
	place chown alice /run/home/alice/.ssh
	sshd_host bob <"$BATS_TEST_TMPDIR/config"
}

@test "to a desktop: the keyring open, locked with a token cached, locked, and away" {
	let_in
	place_desktop alice unlocked
	place_sign_in alice
	place_forget alice
	ssh_to "$(recipe ssh-get)"
	expect 0
	[[ -z $err && $out == "$(place_live)" && $(place_mints) == 2 ]]
	place_desktop_does alice lock
	ssh_to "$(recipe ssh-get)"
	expect 0
	[[ -z $err && $out == "$(place_live)" ]]
	place_forget alice
	ssh_to "$(recipe ssh-get)"
	expect 4 'the keyring (secret-service) is locked' "alation-cred unlock http://102@${SANDBOX_URL#http://}"
	place_desktop_does alice stop
	ssh_to "$(recipe ssh-get)"
	expect 5 'no keyring can be reached'
	[[ $(place_mints) == 2 ]]
}

@test "locked: no dialog opens on the desktop's screen, with a terminal and DISPLAY too" {
	let_in
	place_desktop alice unlocked
	place_sign_in alice
	place_forget alice
	place_desktop_does alice lock
	watch_bus
	for terminal in -T -tt; do
		ssh_to "ssh $terminal workstation 'DISPLAY=:0 WAYLAND_DISPLAY=wayland-0 alation-cred token 2>&1; echo \$?'"
		[[ $out == *'is locked'*unlock*4* ]] || fails "not refused"
	done
	was_on_bus
	[[ $seen != *'member=Prompt'* ]]
}

@test "locked: unlock asks for the keyring's password on the terminal of ssh, and no dialog opens; a wrong one does not open it" {
	local words
	let_in
	place install -m 0755 "${B:-$SANDBOX_TOP/.build}/tests/tools/pty" /usr/local/bin
	read -ra words <<<"$(recipe ssh-unlock)"
	place_desktop alice unlocked
	place_sign_in alice
	place_forget alice
	# Started anew, as after a login to the desktop that gave it no password.
	place_desktop_does alice restart_keyring
	watch_bus
	place_run place_as bob pty "${words[@]}" <<-'END'
		expect password
		send open
		expect password
		press C
	END
	[[ $code != 0 ]] || fails "it was opened"
	ssh_to "$(recipe ssh-get)"
	expect 4 "alation-cred unlock"
	place_run place_as bob pty "${words[@]}" <<-'END'
		expect password
		echo off
		send sesame
	END
	[[ $code == 0 && $out != *sesame* ]] || fails "not opened"
	was_on_bus
	[[ $seen != *'member=Prompt'* ]]
	ssh_to "$(recipe ssh-get)"
	expect 0
	[[ -z $err && $out == "$(place_live)" && $(place_mints) == 2 ]]
}

# $seen: what was said on alice's bus since the last time, as far as prompts go.
watch_bus() {
	mkfifo "$BATS_TEST_TMPDIR/bus"
	exec {bus}<>"$BATS_TEST_TMPDIR/bus"
	place_as alice dbus-monitor --address "$place_bus" "interface='org.freedesktop.Secret.Prompt'" "interface='org.freedesktop.Secret.Service'" \
		"interface='test.Seen'" >"$BATS_TEST_TMPDIR/bus" &
	place_pids+=($!)
	until_seen member=NameLost # it watches
}
until_seen() {
	local line
	seen=
	until [[ $seen == *"$1"* ]]; do
		read -r -t "$PLACE_WAIT_S" -u "$bus" line || return 1
		seen+=$line$'\n'
	done
}
was_on_bus() {
	place_as alice gdbus emit --address "$place_bus" --object-path / --signal test.Seen.Marker
	until_seen interface=test.Seen
}
