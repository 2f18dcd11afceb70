#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# sudo: a real one, with sudoers of its own. Whose accounts count, and what is refused.

bats_require_minimum_version 1.5.0
load ../lib/place

setup() {
	command -v sudo >/dev/null || skip 'sudo is not installed'
	place_setup
	printf '%s\n' 'alice ALL=(ALL) NOPASSWD:SETENV: ALL' | place_write /etc/sudoers.d/test 0440
	place_as alice sudo -n true 2>/dev/null || skip 'sudo cannot become root here'
	place_desktop alice unlocked
	place_sign_in alice
	state=/run/home/alice/.local/state/alation-cred
}

teardown() {
	place_teardown
}

# All there is below alice's home, with owner, mode and content.
home() { place sh -c 'cd /run/home/alice && find . -not -path "./acred.*" -printf "%p %U %m\n" -type f -exec sha256sum {} + | sort'; }

@test "the page's pipe: the token reaches root's command, and without a token it is not started" {
	place_sh alice "$(recipe sudo-pipe)"
	expect 0
	[[ $(place cat /root/catalog.json) == '['* && $(place_mints) == 1 ]]
	place rm /root/catalog.json
	place_desktop_does alice lock
	place_forget alice
	place_sh alice "$(recipe sudo-pipe)"
	expect 4 'is locked'
	run ! place test -e /root/catalog.json
	# What the page says of other ways.
	place_sh alice 'sudo cat /dev/fd/3 3< <(echo header)'
	[[ $code != 0 && -z $out ]]
}

@test "root's own accounts count, and there are none: 3; a login has no keyring: 5, and nothing is made" {
	local before
	before=$(home)
	place_sh alice 'sudo alation-cred token'
	expect 3 'nobody is logged in as uid 0, whom sudo has made of you' 'without sudo'
	place_run place_as alice sudo alation-cred login "$SANDBOX_URL" --user demo --password-stdin <<<demo-password
	expect 5 'nothing was made at the server'
	[[ $(home) == "$before" && $(sandbox_calls createRefreshToken) == 1 && $(place_mints) == 1 ]]
}

@test "root with the user's home is refused: 9, naming the directory; every verb, and nothing in it changes" {
	local before verb
	before=$(home)
	for keep in -E --preserve-env=HOME; do
		for verb in token status rotate logout validate revoke 'set default' 'rotate --all --auto' 'get --format json'; do
			place_sh alice "sudo $keep alation-cred $verb"
			[[ $keep == -E && $err != *"$state"* ]] && continue # where sudo sets HOME all the same
			[[ $verb == *json ]] || expect 9 "the directory $state does not belong to uid 0 alone" 'not with sudo'
			[[ $code == 9 ]]
		done
	done
	place_run place_as alice DBUS_SESSION_BUS_ADDRESS="$place_bus" sudo -E --preserve-env=HOME alation-cred login "$SANDBOX_URL" --user demo \
		--password-stdin <<<demo-password
	expect 9 "$state" 'not with sudo'
	[[ $(home) == "$before" && $(sandbox_calls createRefreshToken) == 1 && $(place_mints) == 1 ]]
	place_cred alice token
	expect 0
}

@test "another user's accounts are that user's; without any: 3" {
	local line
	line=$(recipe sudo-other)
	place_sh alice "${line/catalog-export/bob}"
	expect 3 'whom sudo has made of you' 'without sudo'
	place_desktop bob unlocked
	place_sign_in bob
	place_forget bob
	place_sh alice "${line/catalog-export/bob}"
	expect 0
	[[ -z $err && $out == "$(place_live)" && $(place_mints) == 3 ]]
}

@test "a setuid copy refuses to run" {
	place chmod u+s /usr/local/bin/alation-cred
	place_cred alice token
	expect 2 'started setuid'
}
