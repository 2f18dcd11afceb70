#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A real KeePassXC as the Secret Service, without a display (row R12 of the fault matrix). It differs from GNOME Keyring where it
# hurts: a prompt for each change, a dialog for a mere search where all is locked, leave for each access.

bats_require_minimum_version 1.5.0
load ../lib/program

DB_PASSWORD=sesame

setup() {
	local tool
	for tool in keepassxc keepassxc-cli; do
		command -v $tool >/dev/null || skip "no $tool here"
	done
	program_environment
	session_start nodaemon
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	watcher=
}

teardown() {
	[[ -z ${watcher:-} ]] || kill "$watcher"
	session_stop
	program_teardown
}

cred() {
	timeout 20 setsid -w "$CRED" "$@" 3>&-
}

# database [GROUP]: a new one, whose root group GROUP names as what other programs see; '': none of it.
database() {
	local group=${1-"{00112233-4455-6677-8899-aabbccddeeff}"}
	cat >"$session_dir/database.xml" <<-END
		<?xml version="1.0" encoding="UTF-8"?>
		<KeePassFile>
		<Meta><Generator>KeePassXC</Generator><DatabaseName>passwords</DatabaseName><RecycleBinEnabled>False</RecycleBinEnabled>
		<CustomData><Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>$group</Value></Item></CustomData></Meta>
		<Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root>
		</KeePassFile>
	END
	printf '%s\n' "$DB_PASSWORD" "$DB_PASSWORD" |
		keepassxc-cli import --quiet --set-password --decryption-time 100 "$session_dir/database.xml" "$session_dir/passwords.kdbx" 2>/dev/null
}

# keepassxc_start open|locked|not-exposed [SETTING=VALUE...]: with its own defaults, but for these settings. Its home is the
# session's, and so is the file by which it knows that it runs already.
keepassxc_start() {
	local state=$1
	mkdir -p "$XDG_CONFIG_HOME/keepassxc"
	printf '%s\n' '[General]' ConfigVersion=2 UpdateCheckMessageShown=true '[GUI]' CheckForUpdates=false \
		'[FdoSecrets]' Enabled=true ShowNotification=false "${@:2}" >"$XDG_CONFIG_HOME/keepassxc/keepassxc.ini"
	set -- "$session_dir/passwords.kdbx"
	[[ $state == locked ]] || set -- --pw-stdin "$@"
	HOME=$session_dir/home TMPDIR=$session_dir QT_QPA_PLATFORM=offscreen keepassxc "$@" >"$session_dir/keepassxc.log" 2>&1 < <(echo "$DB_PASSWORD") 3>&- &
	session_keyring_pid=$!
	gdbus wait --session --timeout "$SESSION_WAIT_S" org.freedesktop.secrets
	local end=$((SECONDS + SESSION_WAIT_S))
	until is_there "$state"; do ((SECONDS < end)); done
}
is_there() {
	case $1 in
	open) [[ $(property /collection/passwords Collection Locked) == '(<false>,)' ]] ;;
	locked) [[ $(property /collection/passwords Collection Locked) == '(<true>,)' ]] ;;
	not-exposed) [[ $(property '' Service Collections) == '(<@ao []>,)' ]] ;;
	esac
}
property() { # PATH INTERFACE NAME
	gdbus call --session --dest org.freedesktop.secrets --object-path "/org/freedesktop/secrets$1" \
		--method org.freedesktop.DBus.Properties.Get "org.freedesktop.Secret.$2" "$3" 2>/dev/null
}

until_saved() { # what the server made last is on the disk
	local token end=$((SECONDS + 60))
	token=$(last_made '\(create\|regen\)RefreshToken')
	until [[ $(keepassxc-cli export --quiet "$session_dir/passwords.kdbx" <<<"$DB_PASSWORD" 2>/dev/null) == *"refresh_token=$token&"* ]]; do ((SECONDS < end)); done
}
keepassxc_stop() { # told to end, it does not always
	session_end_process "$session_keyring_pid" KILL
	session_keyring_pid=
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
}
ours() { # secret-tool's words for the one item there should be
	secret-tool "$@" application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102
}
items() { # how many have that attribute
	secret-tool search --all "$@" 2>/dev/null | grep -c '^secret = ' || :
}

# From here on the bus is listened to, and no_dialog says that nothing was called that opens one.
watch_calls() {
	dbus-monitor --session "interface='org.freedesktop.Secret.Service'" "interface='org.freedesktop.Secret.Collection'" \
		"interface='org.freedesktop.Secret.Prompt'" >"$BATS_TEST_TMPDIR/calls" 3>&- &
	watcher=$!
	until_called NameAcquired
}
until_called() {
	local end=$((SECONDS + 10))
	until grep -q "$1" "$BATS_TEST_TMPDIR/calls"; do ((SECONDS < end)); done
}
not_called() { # METHOD...: since watch_calls
	local each
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Prompt.EndOfTest
	until_called EndOfTest
	for each; do
		! grep -q "member=$each\$" "$BATS_TEST_TMPDIR/calls" || { echo "$each was called" >&2; return 1; }
	done
}

# Each verb that needs the keyring, with nobody there: EXIT CODE WORDS; and the server hears of none.
each_verb() {
	local input=$SANDBOX_PASSWORD
	: >"$SANDBOX_LOG"
	refused_plainly=
	refuses "$1" "$2" "$3" token "$ACCOUNT" --fresh || return 1
	refuses "$1" "$2" "$3" rotate "$ACCOUNT" || return 1
	refuses "$1" "$2" "$3" logout "$ACCOUNT" || return 1
	no_calls
}

last_made() { sed -n "s/.*$1.* made=//p" "$SANDBOX_LOG" | tail -n 1; }

# The whole life of an account, with nobody there to be asked.
whole_life() {
	local round
	session_store_neighbour
	for round in first second; do
		login_demo
		expect 0 || return 1
		[[ $(ours lookup) == *"refresh_token=$(last_made createRefreshToken)"* ]] || fails "$round: not in KeePassXC" || return 1
		drop_cached
		run_cred get
		expect 0 && works "$out" || return 1
		run_cred rotate
		expect 0 || return 1
		[[ $(ours lookup) == *"refresh_token=$(last_made regenRefreshToken)"* ]] || fails "$round: not rotated in KeePassXC" || return 1
		run_cred get
		expect 0 && works "$out" || return 1
		run_cred status --format json
		expect 0 || return 1
		[[ $(jq -r '.accounts[0].refresh | .module, (.passed_over | map(select(.module == "secret-service")) | length)' <<<"$out" | paste -sd' ') == 'secret-service 0' ]] || return 1
		login_token "$(sandbox_refresh_token 102 pasted)"
		expect 0 || return 1
		[[ $(items application alation-cred facility refresh user_id 102) == 1 ]] || fails "$round: several items" || return 1
		run_cred logout
		expect 0 || return 1
		# An entry stays, which nobody can be asked about; there is nothing in it.
		[[ -z $(ours lookup) && -z $(secret-tool lookup application alation-cred base_url https://write-test.invalid) ]] || fails "$round: something is left" || return 1
		run_cred get "$ACCOUNT"
		expect 3 || return 1
		run_cred logout "$ACCOUNT"
		expect 3 || return 1
	done
	[[ $(items application alation-cred) == 2 && $(session_neighbour) == 'a neighbour' ]]
}

@test "R12: KeePassXC, open: login, get, rotate, status, another login, logout, twice over; nobody is there and no dialog opens" {
	database
	keepassxc_start open ConfirmAccessItem=false
	whole_life
}

@test "R12: KeePassXC, which asks before it deletes: the same, since nothing is deleted there without somebody" {
	database
	keepassxc_start open ConfirmAccessItem=false ConfirmDeleteItem=true
	whole_life
}

@test "R12: KeePassXC is closed and opened again: what was stored is there" {
	database
	keepassxc_start open ConfirmAccessItem=false
	login_demo
	expect 0
	until_saved
	keepassxc_stop
	drop_cached
	refuses 5 keyring_unavailable 'no Secret Service' get
	keepassxc_start open ConfirmAccessItem=false
	run_cred get
	expect 0
	works "$out"
}

@test "R12: KeePassXC, locked: 4 from each verb, naming unlock, and nothing is asked that opens its dialog" {
	database
	keepassxc_start open ConfirmAccessItem=false
	login_demo
	expect 0
	until_saved
	keepassxc_stop
	keepassxc_start locked ConfirmAccessItem=false
	watch_calls
	run_cred get # from the cache
	expect 0
	works "$out"
	each_verb 4 keyring_locked "$ACCOUNT|alation-cred unlock"
	input=$SANDBOX_PASSWORD refuses 4 keyring_locked 'alation-cred unlock' login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
	run_cred status
	expect 0
	[[ $out == *'cannot be told: '*'secret-service (locked'* ]]
	not_called SearchItems Prompt CreateItem
	keepassxc_stop
	keepassxc_start open ConfirmAccessItem=false
	drop_cached
	run_cred get
	expect 0
	works "$out"
}

@test "R12: KeePassXC asks for leave at each access: 4 without somebody, said; a login works, and a warm get" {
	database
	keepassxc_start open
	login_demo # what this very call made it may read
	expect 0
	until_saved
	run_cred get
	expect 0
	works "$out"
	watch_calls
	each_verb 4 keyring_locked "$ACCOUNT|asks a person before each access"
	run_cred status
	expect 0
	[[ $out == *'cannot be told: '*'secret-service (locked: '*'asks a person before each access'* ]]
	not_called Prompt
	keepassxc_stop
	keepassxc_start open ConfirmAccessItem=false
	run_cred token --fresh
	expect 0
	works "$out"
}

@test "R12, R3: a KeePassXC that shows other programs nothing: 5, and no database is made or asked for" {
	database ''
	keepassxc_start not-exposed
	watch_calls
	each_verb 5 keyring_unavailable 'has no default keyring'
	input=$SANDBOX_PASSWORD refuses 5 keyring_unavailable 'has no default keyring' login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
	not_called CreateCollection SearchItems Prompt
}
