#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Several hosts that share one RefreshToken through one that holds it: a real sshd, keys that are bound to a command, and
# clients that know nothing but the holder's name.

bats_require_minimum_version 1.5.0
load ../lib/place
load ../lib/sshd

CLIENTS=10

setup() {
	local lines file
	[[ -x /usr/sbin/sshd ]] || skip 'openssh-server is not installed'
	place_setup
	sshd_start
	place_desktop alice unlocked
	place_sign_in alice
	lines=$(recipe holder-authorized-keys)
	lines=${lines/ssh-ed25519 AAAA-KEY-TO-ASK client-1/"$(sshd_key bob holder)"}
	lines=${lines/ssh-ed25519 AAAA-KEY-FOR-401 client-1/"$(sshd_key bob holder-401)"}
	place_write /run/home/alice/.ssh/authorized_keys 0600 alice <<<"$lines"
	place chown alice /run/home/alice/.ssh
	recipe holder-config | sed 's/^ *HostName .*//; s/User alation/User alice/' | sshd_host bob
	ask=$(recipe holder-ask)
	recipe holder-401 | place_write /run/home/bob/catalog 0755 bob
	place install -m 0755 "${B:-$SANDBOX_TOP/.build}/tests/tools/many" /usr/local/bin/many
}

teardown() {
	place_teardown
}

@test "the token comes, whatever the client asks for; nothing else can be had with the key, and stdin is left alone" {
	place_sh bob "$ask"
	expect 0
	[[ -z $err && $out == "$(place_live)" ]]
	place_sh bob "ssh -n holder cat /etc/passwd; ssh -n holder; ssh -n holder alation-cred get --protocol git"
	expect 0
	[[ $out == "$(place_live)"$'\n'"$(place_live)"$'\n'"$(place_live)" ]] || fails "not the token three times"
	# -W and -t: neither a connection from there nor a terminal.
	place_sh bob "ssh -W 127.0.0.1:${SANDBOX_URL##*:} holder"
	[[ $code != 0 && -z $out ]]
	place_sh bob "ssh -tt holder"
	[[ $out != *"$(place_live)"* && $err == *'PTY allocation request failed'* ]] || fails "a terminal was given"
	# A request of git's on stdin is not what the holder's command looks at, and an open, silent stdin is not waited for.
	place_sh bob "printf 'protocol=https\nhost=other.example\n\n' | ssh holder alation-cred get; mkfifo ~/silent; ssh holder <>~/silent"
	[[ $out == "$(place_live)"$'\n'"$(place_live)" && -z $err ]] || fails "stdin was read"
	[[ $(place_mints) == 1 ]]
}

@test "$CLIENTS clients at once on an empty cache: one mint, equal answers" {
	place_forget alice
	place_run place_as bob many $CLIENTS sh -c "$ask"
	[[ $out == "exit 0 $CLIENTS"$'\n'"output $CLIENTS $(place_live)\\n" ]] || fails "not equal"
	[[ $(place_mints) == 2 ]]
}

@test "a token that is dead: the second key mints another, once; a permission that is missing mints nothing" {
	local first
	place_sh bob "~/catalog /integration/v2/datasource/"
	expect 0
	[[ $out == '['* && $(place_mints) == 1 ]]
	first=$(place_live)
	sandbox_revoke "$first"
	place_sh bob "~/catalog /integration/v2/datasource/"
	expect 0
	[[ $out == '['* && $(place_mints) == 2 && $(place_live) != "$first" ]]
	place_sh bob "$ask"
	[[ $out == "$(place_live)" ]]
	sandbox_fault endpoint=datasource status=403 times=2
	place_sh bob "~/catalog /integration/v2/datasource/"
	[[ $code == 1 && $(place_mints) == 2 ]] || fails "it was minted"
}

@test "exit codes come through: locked 4, refused 3, away 5; stderr tells the client" {
	place_forget alice
	place_desktop_does alice lock
	place_sh bob "$ask"
	expect 4 "alation-cred unlock"
	place_sh bob "~/catalog /integration/v2/datasource/"
	expect 4
	place_desktop_does alice stop
	place_sh bob "$ask"
	expect 5 'no keyring can be reached'
}
