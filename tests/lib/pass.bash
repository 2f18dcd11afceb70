# SPDX-License-Identifier: MIT
# A real pass with a gpg key of its own, in the session's directory (`load` it after session or program):
#
#   pass_start [PASSPHRASE]   makes a key, with that passphrase or with none, and a store for it
#   pass_agent_forgets        the agent no longer remembers a passphrase; pass_agent_remembers PASSPHRASE: it does
#   pass_pinentry             from now on the agent asks by the script on stdin (a body for sh)
#   pass_entries              the entries of Docker's helpers, as BASE64URL/USER; pass_show USER_ID BASE_URL: one's secret
#   pass_stop                 ends the agent; its files go with the session

pass_start() {
	export GNUPGHOME=$session_dir/gpg PASSWORD_STORE_DIR=$session_dir/store
	unset GPG_TTY PASSWORD_STORE_GPG_OPTS PASSWORD_STORE_KEY
	mkdir -m 0700 "$GNUPGHOME" || return 1
	# Whoever is asked leaves a mark, and gives no answer.
	pass_pinentry <<<"exit 1"
	gpg --batch --quiet --pinentry-mode loopback --passphrase "${1:-}" --quick-gen-key 'Test <test@example.com>' rsa2048 encr never 2>/dev/null 3>&- &&
		pass init test@example.com >/dev/null 3>&- || return 1
	pass_agent_forgets
}

pass_pinentry() {
	{
		printf '%s\n' '#!/bin/sh' ": >'$session_dir/asked'"
		cat
	} >"$session_dir/pinentry"
	chmod 0700 "$session_dir/pinentry"
	# The count is the least there is: an agent would measure this machine for it, each time it starts.
	printf '%s\n' "pinentry-program $session_dir/pinentry" 's2k-count 65536' >"$GNUPGHOME/gpg-agent.conf"
	gpgconf --kill gpg-agent
}

pass_agent_forgets() { gpgconf --kill gpg-agent; }

pass_agent_remembers() {
	echo | gpg --batch --quiet --trust-model always -r test@example.com -e 3>&- |
		gpg --batch --quiet --pinentry-mode loopback --passphrase "$1" -d >/dev/null 3>&-
}

pass_entries() { (cd "$PASSWORD_STORE_DIR/docker-credential-helpers" 2>/dev/null && find . -name '*.gpg' | sed 's,^\./,,; s,\.gpg$,,' | sort); }

pass_show() { # USER_ID BASE_URL
	pass show "docker-credential-helpers/$(printf %s "$2/alation-cred/refresh/$1" | base64 -w0 | tr +/ -_)/$1" 3>&-
}

pass_stop() {
	[[ -z ${GNUPGHOME:-} || $GNUPGHOME != "$session_dir"/* ]] || gpgconf --kill all 2>/dev/null || :
}
