#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A real KWallet as the Secret Service, without a display (row R12 of the fault matrix). A wallet that is open counts as locked there until
# something has asked for it.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/died

setup() {
	command -v kwalletd5 >/dev/null || skip 'no kwalletd5 here'
	compgen -G '/usr/lib/*/qca-qt5/crypto/libqca-ossl.so' >/dev/null || skip 'no QCA plugin here, without which KWallet has no sessions'
	program_environment
	session_start nodaemon
	program_setup
	died_setup
	mkdir -p "$XDG_CONFIG_HOME"
	printf '%s\n' '[Wallet]' 'First Use=false' 'Default Wallet=kdewallet' Enabled=true 'Prompt on Open=false' 'Leave Open=true' \
		'[org.freedesktop.secrets]' apiEnabled=true >"$XDG_CONFIG_HOME/kwalletrc"
}

teardown() {
	session_stop
	program_teardown
}

cred() {
	timeout 20 setsid -w "$CRED" "$@" 3>&-
}

kwallet_start() {
	session_end_process "$session_keyring_pid" KILL
	HOME=$session_dir/home TMPDIR=$session_dir QT_QPA_PLATFORM=offscreen kwalletd5 >"$session_dir/kwallet.log" 2>&1 </dev/null 3>&- &
	session_keyring_pid=$!
	gdbus wait --session --timeout "$SESSION_WAIT_S" org.freedesktop.secrets
}
kwallet_open() { # as when its user logs in to the desktop; makes the wallet if need be
	local hash='[byte 1' i
	for ((i = 2; i <= 56; i++)); do hash+=", $i"; done
	gdbus call --session --dest org.kde.kwalletd5 --object-path /modules/kwalletd5 --method org.kde.KWallet.pamOpen kdewallet "$hash]" 0 >/dev/null
}
kwallet_close() { # as when its user logs out: it is saved then at the latest
	gdbus call --session --dest org.kde.kwalletd5 --object-path /modules/kwalletd5 --method org.kde.KWallet.close kdewallet true >/dev/null
}
kwallet_made() { # a wallet, which the daemon finds when it starts
	kwallet_start
	kwallet_open
	kwallet_start
}

@test "R12: KWallet, open: login, get, rotate, another login, logout, twice over; a neighbour's secret stays" {
	kwallet_made
	kwallet_open
	# The first login of a session, with somebody there.
	login_demo --interactive always
	expect 0
	serves
	session_store_neighbour
	whole_life
	whole_life
	[[ $(session_neighbour) == 'a neighbour' && $(secret-tool search --all application alation-cred 2>/dev/null | grep -c '^secret = ') == 0 ]]
}

@test "R12: KWallet, opened when its user logged in: locked until somebody has asked for it, and unlock does without a dialog" {
	kwallet_made
	kwallet_open
	login_demo --interactive always
	expect 0
	kwallet_close
	kwallet_start
	refuses 4 keyring_locked "$ACCOUNT|alation-cred unlock" token --fresh
	kwallet_open
	refuses 4 keyring_locked "$ACCOUNT|alation-cred unlock" token --fresh
	run_cred unlock "$ACCOUNT" --interactive always
	expect 0
	run_cred token --fresh
	expect 0
	works "$out"
}

@test "R12, R3: a KWallet without a wallet: 5, and none is made" {
	kwallet_start
	input=$SANDBOX_PASSWORD refuses 5 keyring_unavailable 'has no default keyring' login "$SANDBOX_URL" --user demo --password-stdin
	refuses 5 keyring_unavailable 'has no default keyring' get "$ACCOUNT"
	no_calls
	[[ -z $(find "$XDG_DATA_HOME" -name '*.kwl') ]]
}
