# SPDX-License-Identifier: MIT
# A real sshd in the place of a test (`load ../lib/sshd` after place): on loopback, with a configuration and keys of its own,
# its users alice, bob and carol.
#
#   sshd_start                starts it; $sshd_port
#   sshd_key USER FILE        makes a key for USER, ~/.ssh/FILE; prints its public half
#   sshd_host USER            reads lines of ~/.ssh/config on stdin, for hosts that all lead to this sshd

sshd_start() {
	local try line
	place ssh-keygen -q -t ed25519 -N '' -f /run/sshd-key
	for try in 1 2 3 4 5; do # the port is free when it is looked for
		sshd_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		printf '%s\n' "Port $sshd_port" 'ListenAddress 127.0.0.1' 'HostKey /run/sshd-key' 'PidFile none' 'UsePAM no' 'MaxStartups 100' \
			'PasswordAuthentication no' 'KbdInteractiveAuthentication no' | place_write /run/sshd-config
		rm -f "$BATS_TEST_TMPDIR/sshd"
		mkfifo "$BATS_TEST_TMPDIR/sshd"
		exec {sshd_log}<>"$BATS_TEST_TMPDIR/sshd"
		place /usr/sbin/sshd -D -e -f /run/sshd-config 2>"$BATS_TEST_TMPDIR/sshd" &
		place_pids+=($!)
		read -r -t "$PLACE_WAIT_S" -u "$sshd_log" line && [[ $line == 'Server listening'* ]] && return 0
	done
	echo "sshd: $line" >&2
	return 1
}

sshd_key() {
	place_as "$1" sh -c 'umask 077 && mkdir -p ~/.ssh && ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/"$1" && cat ~/.ssh/"$1".pub' - "$2"
}

sshd_host() {
	{
		cat
		printf '%s\n' 'Host *' "Port $sshd_port" 'HostName 127.0.0.1' 'StrictHostKeyChecking accept-new' 'LogLevel ERROR'
	} | place_write "/run/home/$1/.ssh/config" 0600 "$1"
}
