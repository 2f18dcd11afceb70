#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The user units: systemd takes them as they are installed; the timer's command, as the unit has it and with what a user's
# systemd gives it, renews what is due and nothing else; and none of the unit's limits is in its way.

bats_require_minimum_version 1.5.0
load lib/program
load lib/installed

DAY=86400

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	installed_setup --user due:due-password:102 --user shared:shared-password:103 --user far:far-password:104
	make_it install
	units=$prefix/lib/systemd/user
	service=$units/alation-cred-rotate.service
	CRED=$prefix/bin/alation-cred
}
teardown() { installed_teardown; }

# setting NAME [FILE]: its one value.
setting() {
	[[ $(grep -c "^$1=" "${2:-$service}") == 1 ]] || return 1
	sed -n "s/^$1=//p" "${2:-$service}"
}
seconds() { systemd-analyze timespan "$1" | sed -n 's/^ *μs: \([0-9]*\)000000$/\1/p'; }

# With what systemd gives a user's unit, and no more; $through stands before the command.
run_service() {
	local -a words
	read -ra words <<<"$(setting ExecStart)"
	code=0
	env -i HOME="$HOME" XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" DBUS_SESSION_BUS_ADDRESS="$DBUS_SESSION_BUS_ADDRESS" PATH="$PATH" \
		setsid -w "${through[@]}" "${words[@]}" </dev/null >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
	ran=${words[*]} raw=$(<"$OUT") out=$raw err=$(<"$BATS_TEST_TMPDIR/err")
}

login_paste() { # USER_ID DAYS [ARG...]: a RefreshToken that lives so long
	run_cred login "$SANDBOX_URL" --user-id "$1" --token-stdin "${@:3}" <<<"$(sandbox_refresh_token "$1" pasted expires_in=$(($2 * DAY)))"
	expect 0
}
stored() { secret-tool lookup application alation-cred base_url "$SANDBOX_URL" user_id "$1"; }
forget_calls() { : >"$SANDBOX_LOG"; }

@test "systemd takes both units without a word" {
	run systemd-analyze --user verify --man=no "$units"/*
	[[ $status == 0 && -z $output ]] || { echo "$output"; false; }
	# What it does not know it passes over with a line; what cannot run is a failure.
	sed -i 's/^KeyringMode=.*/KeyringMode=own/' "$service"
	run systemd-analyze --user verify --man=no "$service"
	[[ $output == *'keyring mode'* ]]
	rm "$CRED"
	run ! systemd-analyze --user verify --man=no "$service"
}

@test "the timer: daily, at another minute on each machine, and a missed day is made up for" {
	local timer=$units/alation-cred-rotate.timer
	[[ $(setting OnCalendar "$timer") == daily && $(setting Persistent "$timer") == true && $(setting WantedBy "$timer") == timers.target ]]
	(($(seconds "$(setting RandomizedDelaySec "$timer")") >= 600))
}

@test "a rotation has the time it may take, and is never killed in it" {
	[[ $(setting Type) == oneshot && $(setting SendSIGKILL) == no ]]
	(($(seconds "$(setting TimeoutStartSec)") >= 120 && $(seconds "$(setting TimeoutStopSec)") >= 120))
}

@test "the kernel keyring is the user's, and nothing wants a namespace" {
	local allowed='Type ExecStart TimeoutStartSec TimeoutStopSec SendSIGKILL KeyringMode NoNewPrivileges LockPersonality RestrictNamespaces
		RestrictRealtime RestrictSUIDSGID RestrictAddressFamilies SystemCallArchitectures SystemCallFilter SystemCallErrorNumber UMask'
	[[ $(setting KeyringMode) == shared && $(setting SystemCallFilter) != *'~'* ]]
	# Whoever adds one looks into systemd.exec(5) first: with PrivateUsers= it is not for us.
	sed -n '/^\[Service\]/,$s/^\([A-Za-z]*\)=.*/\1/p' "$service" | while read -r name; do
		[[ " ${allowed//[$'\t\n']/ } " == *" $name "* ]] || { echo "$name"; exit 1; }
	done
}

@test "the command: what is due is rotated; shared, far from its end, nobody: 0 and silence" {
	local due shared far
	run_service
	expect 0
	[[ -z $raw$err && ! -e $STATE/accounts ]] || fails "nobody is logged in"
	login_paste 103 5
	login_paste 104 40 --exclusive
	forget_calls
	run_service
	expect 0
	[[ -z $raw$err ]] || fails "nothing is due"
	no_calls
	login_paste 102 9 --exclusive
	due=$(stored 102) shared=$(stored 103) far=$(stored 104)
	forget_calls
	run_service
	expect 0 "${SANDBOX_URL/:\/\//:\/\/102@} has a new RefreshToken"
	[[ $(calls) == regenRefreshToken && -z $raw && $err != *$'\n'* ]] || fails "$(calls)"
	[[ $(stored 102) != "$due" && $(stored 103) == "$shared" && $(stored 104) == "$far" ]]
	run_cred get "${SANDBOX_URL/:\/\//:\/\/102@}"
	expect 0
	works "$out"
	forget_calls
	run_service
	expect 0
	[[ -z $raw$err ]] || fails "it is no longer due"
	no_calls
}

@test "no system call and no socket of a rotation is outside of the unit's limits" {
	local trace=$BATS_TEST_TMPDIR/trace family
	login_paste 102 5 --exclusive
	through=(strace -f -qq -o "$trace")
	run_service
	expect 0 'has a new RefreshToken'
	# A set may have sets in it.
	closure() {
		systemd-analyze syscall-filter "$1" | sed -n 's/^    \([@a-z].*\)/\1/p' | while read -r name; do
			case $name in @*) closure "$name" ;; *) echo "$name" ;; esac
		done
	}
	closure "$(setting SystemCallFilter)" | sort -u >"$BATS_TEST_TMPDIR/allowed"
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$trace" | sort -u >"$BATS_TEST_TMPDIR/used"
	[[ $(wc -l <"$BATS_TEST_TMPDIR/used") -ge 30 ]]
	grep -qx keyctl "$BATS_TEST_TMPDIR/used"
	run comm -13 "$BATS_TEST_TMPDIR/allowed" "$BATS_TEST_TMPDIR/used"
	[[ -z $output ]] || { echo "not allowed: $output"; false; }
	sed -nE 's/^[0-9]+ +socket\((AF_[A-Z0-9]+),.*/\1/p' "$trace" | sort -u >"$BATS_TEST_TMPDIR/families"
	grep -qx AF_INET "$BATS_TEST_TMPDIR/families"
	while read -r family; do
		[[ " $(setting RestrictAddressFamilies) " == *" $family "* ]] || { echo "not allowed: $family"; return 1; }
	done <"$BATS_TEST_TMPDIR/families"
}
