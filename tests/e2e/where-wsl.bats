#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Machines without a desktop, and WSL 2, whose environment is reproduced: a bus that is disabled or not there, a run-time
# directory that is missing, a DISPLAY that shows no dialog of a keyring. A sealed file does, with a person and without.

bats_require_minimum_version 1.5.0
load ../lib/place

setup() {
	place_setup
	[[ -e ${B:-$SANDBOX_TOP/.build}/modules/sealed-file.so ]] || skip 'the module sealed-file is not built'
	place install -m 0755 "${B:-$SANDBOX_TOP/.build}/tests/tools/pty" /usr/local/bin
	place_env=(WSL_DISTRO_NAME=Debian WSL_INTEROP=/run/WSL/8_interop WSLENV= NAME=LAPTOP DISPLAY=:0 WAYLAND_DISPLAY=wayland-0
		PULSE_SERVER=unix:/mnt/wslg/PulseServer XDG_RUNTIME_DIR=/mnt/wslg/runtime-dir DBUS_SESSION_BUS_ADDRESS=disabled:
		PATH=/usr/local/bin:/usr/bin:/bin:/mnt/c/Windows/system32 TERM=xterm-256color LANG=C.UTF-8)
	account=${SANDBOX_URL/:\/\//:\/\/102@}
}

teardown() {
	place_teardown
}

at_terminal() { # ARG...: the program, with the dialog on stdin
	place_run place_as alice pty alation-cred "$@"
}
stopped() { place_forget alice; } # the virtual machine, and with it what its kernel held

@test "login says at once that there is no keyring, whatever the bus is, names sealed-file, and makes nothing at the server" {
	local bus
	for bus in disabled: unix:path=/run/user/1000/bus unix:abstract=gone '' autolaunch:; do
		place_env+=(DBUS_SESSION_BUS_ADDRESS="$bus")
		place_cred alice login "$SANDBOX_URL" --user demo --password-stdin --timeout 5 <<<demo-password
		expect 5 "alation-cred login --keyring sealed-file $SANDBOX_URL" 'nothing was made at the server'
	done
	[[ ! -s $SANDBOX_LOG ]]
	[[ -z $(place pgrep -u "$(place_uid alice)") ]] # nothing was started that stays
}

@test "a sealed file at a terminal: login, a token, the machine stops, unlock; lock" {
	at_terminal $(recipe headless-login | sed 's/alation-cred //') --user demo <<-'END'
		expect assword
		send demo-password
		expect assphrase
		send correct horse
		expect again
		send correct horse
	END
	[[ $code == 0 ]] || fails "no login"
	[[ $out != *'correct horse'* ]]
	place_cred alice token
	expect 0
	[[ $out == "$(place_live)" && -z $err && $(place_mints) == 1 ]]
	# The key rests: another mint needs no passphrase.
	place_cred alice token --fresh
	expect 0
	stopped
	place_cred alice token
	expect 4 "$account" 'alation-cred unlock'
	at_terminal token <<<''
	[[ $code == 4 ]] || fails "get must not ask"
	at_terminal $(recipe headless-unlock | sed 's/alation-cred //') <<-'END'
		expect assphrase
		send another one
		expect assphrase
		send correct horse
	END
	[[ $code == 0 ]] || fails "no unlock"
	place_cred alice token
	expect 0
	[[ $out == "$(place_live)" && $(place_mints) == 3 ]]
	place_cred alice lock
	expect 0
	place_cred alice token
	expect 4 'alation-cred unlock'
}

@test "a passphrase in a file: login, tokens and rotate without anybody, also after the machine has stopped" {
	place_sh alice "$(recipe headless-passphrase)"
	expect 0
	place_sign_in alice --keyring sealed-file
	stopped
	place_cred alice token
	expect 0
	[[ -z $err && $out == "$(place_live)" && $(place_mints) == 2 ]]
	place_cred alice rotate
	expect 0
	stopped
	place_sh alice "$(recipe headless-passphrase)" # a second time: what opens the file is kept
	[[ $code != 0 ]]
	place_cred alice token --fresh
	expect 0
	[[ $(place stat -c %a /run/home/alice/.local/state/alation-cred/sealed /run/home/alice/.config/alation-cred/passphrase) == 600$'\n'600 ]]
	run ! place grep -qF "$(sandbox_log | sed -n 's/.*regenRefreshToken.* made=//p')" /run/home/alice/.local/state/alation-cred/sealed
	# Another passphrase does not open it, and it stays as it is.
	before=$(place sha256sum /run/home/alice/.local/state/alation-cred/sealed)
	stopped
	place_write /run/home/alice/.config/alation-cred/passphrase 0600 alice <<<'another one'
	place_cred alice token
	expect 4 'the passphrase is wrong'
	[[ $(place sha256sum /run/home/alice/.local/state/alation-cred/sealed) == "$before" ]]
}
