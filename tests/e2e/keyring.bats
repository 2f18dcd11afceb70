#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The desktop's keyring in every state it can be in: a real gnome-keyring on a private bus, one for each test.

bats_require_minimum_version 1.5.0
load ../lib/program

# Longer than the 5 s that a keyring gets, and than the 2 s in which the watchdog would end us: what takes so long hangs.
ENDS_S=15

setup() {
	program_environment
}

teardown() {
	[[ -z ${watcher:-} ]] || kill "$watcher"
	session_stop
	program_teardown
}

# begin STATE [SANDBOX OPTION...]: the session, and the sandbox.
begin() {
	session_start "$1"
	program_setup "${@:2}"
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
}

cred() {
	timeout "$ENDS_S" setsid -w "$CRED" "$@" 3>&-
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
}

ours() { # secret-tool's words for the one item there should be
	secret-tool "$@" application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102
}
by_hand() { # a secret that somebody else put there
	printf %s "$1" | ours store --label=x
}

# All that a call could change: files, kernel keys, what the server was asked.
everything() {
	(cd "$HOME" && find . -type f -printf '%p %T@ ' -exec sha256sum {} +)
	(cd "$XDG_DATA_HOME" && find . -type f -printf '%p %T@ ' -exec sha256sum {} +)
	kernel_keys
	sandbox_log
}

# The last run's status, as JSON: STATUS of secret-service where it was passed over.
passed_over() {
	jq -r '.accounts[0].refresh.passed_over[] | select(.module == "secret-service").status' <<<"$out"
}

# From here on the bus is listened to; no_dialog then says that no dialog was opened, dismissed that one was taken back.
watch_dialogs() {
	dbus-monitor --session "interface='org.freedesktop.Secret.Prompt'" >"$BATS_TEST_TMPDIR/dialogs" 3>&- &
	watcher=$!
	until_heard NameAcquired
}
no_dialog() {
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Prompt.EndOfTest
	until_heard EndOfTest
	run ! grep 'member=Prompt$' "$BATS_TEST_TMPDIR/dialogs"
}
dismissed() {
	grep -q 'member=Dismiss$' "$BATS_TEST_TMPDIR/dialogs"
}
until_heard() {
	local end=$((SECONDS + 10))
	until grep -q "$1" "$BATS_TEST_TMPDIR/dialogs"; do ((SECONDS < end)); done
}

@test "found: what login stored mints again after the cache is gone, and after the daemon was started anew" {
	begin unlocked
	login_demo
	expect 0
	drop_cached
	run_cred get
	expect 0
	works "$out"
	session_unlock
	drop_cached
	run_cred get
	expect 0
	works "$out"
	[[ $(sandbox_calls createRefreshToken) == 1 && $(sandbox_calls createAPIAccessToken) == 3 ]]
}

@test "nothing stored is 3, whether the account is named or the default is meant" {
	begin unlocked
	refuses 3 no_account 'nobody is logged in|alation-cred login' get
	refuses 3 no_account "$ACCOUNT|alation-cred login" get "$ACCOUNT"
	login_demo
	ours clear
	drop_cached
	refuses 3 no_account "$ACCOUNT|alation-cred login" get
	[[ $(sandbox_calls createAPIAccessToken) == 1 ]]
}

@test "the record: one line of plain characters; exactly our attributes, nothing secret among them" {
	local record attributes
	begin unlocked
	login_demo --name $'caf\u00e9 "own" \\ & = %0A'
	expect 0
	[[ $(ours lookup | wc -l) == 0 ]] # no line feed at all
	record=$(ours lookup)
	[[ $record =~ ^[A-Za-z0-9%\&=._~+-]+$ ]]
	[[ $record == "v=1&kind=refresh-token&base_url=http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}&user_id=102&refresh_token="* ]]
	attributes=$(secret-tool search --all application alation-cred 2>&1 | grep -E '^(label|attribute)' | sort)
	[[ $attributes == "attribute.application = alation-cred
attribute.base_url = $SANDBOX_URL
attribute.facility = refresh
attribute.user_id = 102
label = Alation RefreshToken (102@${SANDBOX_URL#http://})" ]]
}

@test "a bare token that somebody put there by hand serves" {
	local token
	begin unlocked
	token=$(sandbox_refresh_token 102)
	by_hand "$token"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "a record of a newer version, of another account, or damaged: 5, untouched, and no login goes over it" {
	local token record words
	begin unlocked
	token=$(sandbox_refresh_token 102)
	for words in 'newer|v=2&whatever' "another account|v=1&kind=refresh-token&base_url=$SANDBOX_URL&user_id=103&refresh_token=$token" \
		"another kind|v=1&kind=oauth-client&base_url=$SANDBOX_URL&user_id=102&refresh_token=$token" \
		"damaged|v=1&kind=refresh-token&base_url=$SANDBOX_URL&user_id=102" 'damaged|two words' 'damaged|v=1&refresh_token=%zz'; do
		record=${words#*|} words=${words%%|*}
		by_hand "$record"
		refuses 5 keyring_failed "$words|$ACCOUNT" get "$ACCOUNT"
		[[ $(ours lookup) == "$record" ]]
		login_token "$token"
		expect 5 "$words"
		[[ $(ours lookup) == "$record" ]]
	done
	no_calls
	# By name and password the account is known only when the server has made a RefreshToken: that is said.
	login_demo
	expect 5 damaged 'could not be kept' "$SANDBOX_URL/account/auth"
	[[ $(ours lookup) == "$record" ]]
	# The way out that the message names.
	run_cred logout "$ACCOUNT"
	expect 0
	[[ -z $(ours lookup) ]]
	login_demo
	expect 0
}

@test "a RefreshToken that was revoked at the server is 3, and names the way back" {
	begin unlocked
	login_demo
	sandbox_revoke "$(sandbox_log | sed -n 's/.*createRefreshToken.*made=//p')"
	drop_cached
	refuses 3 refresh_token_expired "$ACCOUNT|alation-cred login" get
	login_demo
	expect 0
	run_cred get
	expect 0
	works "$out"
}

@test "another application's secret outlives login, get and logout, and logout leaves none of ours" {
	begin unlocked
	session_store_neighbour
	login_demo
	drop_cached
	run_cred get
	expect 0
	run_cred logout
	expect 0
	[[ $(session_neighbour) == 'a neighbour' ]]
	[[ -z $(secret-tool search --all application alation-cred 2>&1) ]]
	[[ -z $(kernel_keys) && $(listed) == 0 ]]
}

@test "locked: 4 from get, login and logout, nothing changes anywhere; what is cached is still served" {
	local before token
	begin unlocked
	login_demo
	token=$(sandbox_log | sed -n 's/.*createAPIAccessToken.*made=//p')
	session_restart_keyring
	watch_dialogs
	before=$(everything)
	run_cred get
	expect 0
	[[ $out == "$token" ]]
	refuses 4 keyring_locked "$ACCOUNT|unlock" logout
	input=$token refuses 4 keyring_locked "$ACCOUNT|unlock" login "$SANDBOX_URL" --user-id 102 --token-stdin
	input=$SANDBOX_PASSWORD refuses 4 keyring_locked "$SANDBOX_URL|unlock" login "$SANDBOX_URL" --user demo --password-stdin
	[[ $(everything) == "$before" ]]
	drop_cached
	before=$(everything)
	refuses 4 keyring_locked "$ACCOUNT|unlock" get
	[[ $(everything) == "$before" ]]
	no_dialog
	dismissed
	session_unlock
	run_cred get
	expect 0
}

@test "locked, but without a password: opened without asking; a restart harms nobody's secret" {
	begin blank
	session_store_neighbour
	login_demo
	expect 0
	for _ in 1 2; do
		session_restart_keyring
		drop_cached
		[[ $(gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets/collection/Default_5fkeyring \
			--method org.freedesktop.DBus.Properties.Get org.freedesktop.Secret.Collection Locked) == '(<true>,)' ]]
		run_cred get
		expect 0
		works "$out"
		[[ $(session_neighbour) == 'a neighbour' ]]
	done
	session_restart_keyring
	run_cred logout
	expect 0
	session_restart_keyring
	[[ $(session_neighbour) == 'a neighbour' ]]
	run_cred get "$ACCOUNT"
	expect 3
}

# What each verb says where there is no keyring; and that the server hears of none.
unavailable() {
	input=$SANDBOX_PASSWORD
	refuses 5 keyring_unavailable "$ACCOUNT|Secret Service" get "$ACCOUNT"
	refuses 5 keyring_unavailable "$ACCOUNT|Secret Service" logout "$ACCOUNT"
	refuses 5 keyring_unavailable "$SANDBOX_URL|Secret Service" login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
	[[ ! -e $STATE/accounts && -z $(kernel_keys) ]]
}

@test "no bus: 5, at once, and no server hears of it" {
	ENDS_S=4 # a keyring's deadline is 5 s: it was not waited for
	begin nobus
	unavailable
	XDG_RUNTIME_DIR=
	unavailable
	DBUS_SESSION_BUS_ADDRESS=autolaunch: DISPLAY=:99 unavailable
	DBUS_SESSION_BUS_ADDRESS=tcp:host=127.0.0.1,port=9 unavailable
}

@test "a bus without a keyring: 5, at once, and nothing is started" {
	ENDS_S=4
	begin nodaemon
	unavailable
	run ! pgrep -P "$session_bus_pid"
}

@test "a Secret Service that has no keyring yet: 5, at once, and none is made" {
	ENDS_S=4
	begin nokeyring
	watch_dialogs
	unavailable
	no_dialog
	[[ -z $(find "$XDG_DATA_HOME" -name '*.keyring') ]]
}

@test "frozen: 5 within the deadline from get, login and logout, nothing changes; thawed, all is well" {
	local before pids=() verb code
	begin unlocked
	login_demo
	drop_cached
	before=$(everything)
	session_freeze
	# At once, or this would take three deadlines.
	cred get --format json >"$OUT.get" 2>"$OUT.get.err" &
	pids+=($!)
	cred logout --format json >"$OUT.logout" 2>"$OUT.logout.err" &
	pids+=($!)
	cred login "$SANDBOX_URL" --user demo --password-stdin --format json >"$OUT.login" 2>"$OUT.login.err" <<<"$SANDBOX_PASSWORD" &
	pids+=($!)
	for verb in get logout login; do
		code=0
		wait "${pids[0]}" || code=$?
		pids=("${pids[@]:1}")
		[[ $code == 5 ]]
		answers_record 5 json "alation-cred $verb" "$(<"$OUT.$verb")"$'\n'
		[[ $(jq -r '.code, .exit, .retryable' "$OUT.$verb" | paste -sd' ') == 'keyring_timeout 5 true' ]]
		[[ $(<"$OUT.$verb.err") == 'alation-cred: '*secret-service*"${SANDBOX_URL#http://}"*'; '* ]]
	done
	[[ $(everything) == "$before" ]]
	session_thaw
	run_cred get
	expect 0
	works "$out"
}

@test "the caller's --timeout is shorter than a frozen keyring's; a frozen bus is no other" {
	begin unlocked
	login_demo
	drop_cached
	session_freeze
	ENDS_S=4
	run_cred get --timeout 1 --format json
	expect_json 5 keyring_timeout "$ACCOUNT"
	session_thaw
	kill -STOP "$session_bus_pid"
	run_cred get --timeout 1 --format json
	kill -CONT "$session_bus_pid"
	expect_json 5 keyring_timeout "$ACCOUNT"
}

@test "status tells what each module said, exits 0, opens no dialog, asks no server" {
	local asked
	begin unlocked
	login_demo
	asked=$(sandbox_log)
	run_cred status --format json
	expect 0
	[[ $(jq -r '.accounts[0] | .refresh.module, .access.module' <<<"$out" | paste -sd' ') == 'secret-service kernel' && -z $(passed_over) ]]

	session_restart_keyring
	watch_dialogs
	run_cred status
	expect 0
	[[ $out == *'cannot be told: '*'secret-service (locked'* ]]
	run_cred status --format json
	expect 0
	[[ $(passed_over) == locked && $(jq .accounts[0].refresh.module <<<"$out") == null ]]
	no_dialog
	dismissed

	session_freeze
	ENDS_S=8 # 2 s a module
	run_cred status
	expect 0
	[[ $out == *'cannot be told: '*'secret-service (timeout'* ]]
	run_cred status --format json
	expect 0
	[[ $(passed_over) == timeout && $(jq -r .accounts[0].access.module <<<"$out") == kernel ]]

	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent run_cred status --format json
	expect 0
	[[ $(passed_over) == unavailable ]]
	[[ $(sandbox_log) == "$asked" ]]
}

@test "no environment variable leads libsecret or GLib astray, and none of their words reach stderr" {
	begin unlocked
	export SECRET_BACKEND=file SECRET_FILE_TEST_PATH=$BATS_TEST_TMPDIR/file SECRET_FILE_TEST_PASSWORD=x G_DEBUG=fatal-warnings \
		G_MESSAGES_DEBUG=all G_DBUS_DEBUG=all GIO_EXTRA_MODULES=$BATS_TEST_TMPDIR SNAP_NAME=x
	login_demo
	expect 0
	[[ ! -e $BATS_TEST_TMPDIR/file ]]
	drop_cached
	run_cred get
	expect 0
	[[ -z $err ]]
	unset SECRET_BACKEND
	[[ -n $(ours lookup) ]]
}

@test "over ssh a locked keyring is opened with its password at the terminal, and no dialog opens" {
	begin locked
	watch_dialogs
	export SSH_CONNECTION='192.0.2.1 50000 192.0.2.2 22'
	# Without a terminal nobody is asked.
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER" --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 4 "alation-cred unlock"
	no_calls
	# Three that are wrong.
	code=0
	"${CRED%/*}/tests/tools/pty" "$CRED" login "$SANDBOX_URL" --user "$SANDBOX_USER" >"$OUT" 3>&- <<-END || code=$?
		expect Password:
		send $SANDBOX_PASSWORD
		expect password of the keyring 'Login':
		echo off
		send wrong
		expect password of the keyring
		send wrong-too
		expect password of the keyring
		send wrong-as-well
	END
	[[ $code == 4 && $(<"$OUT") == *'the password is wrong'* && $(<"$OUT") != *wrong-* ]] || { cat "$OUT"; false; }
	no_calls
	"${CRED%/*}/tests/tools/pty" "$CRED" login "$SANDBOX_URL" --user "$SANDBOX_USER" >"$OUT" 3>&- <<-END
		expect Password:
		send $SANDBOX_PASSWORD
		expect password of the keyring 'Login':
		send wrong
		expect password of the keyring 'Login':
		send $SESSION_PASSWORD
	END
	run_cred get --fresh "$ACCOUNT"
	expect 0
	works "$out"
	no_dialog
	dismissed
}
