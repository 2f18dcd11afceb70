# SPDX-License-Identifier: MIT
# The stage of `make demo` and `make try`: what they need is installed and built, and then there are a server and a keyring of
# their own, which are gone when the script ends, whatever ends it. The script sets `here`, tests/, and B, the build
# directory, first, and MAKE.
#
#   stage_prepare PACKAGE...   says what it will install and, on a terminal, asks; builds
#   stage_open                 the server and the keyring; exports URL, and has the program in PATH
#   forget_token               what the kernel's keyring has cached for the demo's account
#   say WORDS..., wrong WORDS...   to the person; the second one ends it

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
else
	bold='' dim='' plain=''
fi

missing_packages() {
	local package
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf ' %s' "$package"
	done
}

stage_prepare() {
	local missing answer jobs=
	missing=$(missing_packages "$@")
	if [ -n "$missing" ]; then
		printf 'This needs Debian packages that are not installed:\n%s\n' "$missing" | fold -s -w 78
		if [ -t 0 ] && [ -t 1 ]; then
			read -r -p 'Install them now? [y/N] ' answer || answer=
			case $answer in y | Y | yes) ;; *) echo 'Nothing was installed.'; exit 1 ;; esac
		fi
		"$here/deps" "$@" || exit 1
	fi
	echo 'Building ...'
	# A make that called us with -j has its own rule for how many run at once.
	[[ ${MAKEFLAGS:-} == *jobserver* ]] || jobs=-j$(nproc)
	"${MAKE:-make}" -s ${jobs:-} -C "$here/.." B="$B" all "$B/tests/alation-sandbox" || exit 1
}

say() { printf '\n%s%s%s\n' "$bold" "$(fold -s -w 79 <<<"$*")" "$plain"; }
wrong() {
	printf '%s\n' "${0##*/}: $*" >&2
	exit 1
}

# shellcheck source=tests/lib/session.bash
. "$here/lib/session.bash"
# shellcheck source=tests/lib/sandbox.bash
. "$here/lib/sandbox.bash"
work='' SANDBOX_URL='' SANDBOX_FD=''
forget_token() {
	local key
	key=$(keyctl search @u user "alation-cred-tree:access:$SANDBOX_USER_ID@$SANDBOX_URL" 2>/dev/null) &&
		keyctl unlink "$key" @u >/dev/null 2>&1
}
forget_all() { # whoever else logged in
	local id key
	while IFS=: read -r id key; do
		[[ $key != *"@$SANDBOX_URL" ]] || keyctl unlink "$id" @u >/dev/null 2>&1
	done < <(keyctl list @u 2>/dev/null)
}
# Whatever ends it, in whatever state: the processes first, then what the kernel keeps, then the one directory that
# holds everything else.
finish() {
	trap '' EXIT INT TERM HUP QUIT PIPE
	local pid
	sandbox_stop
	session_stop
	for pid in $(jobs -p); do session_end_process "$pid" KILL; done # one whose number was not noted yet
	[ -z "$SANDBOX_URL" ] || forget_all
	[ -z "$work" ] || rm -rf -- "$work"
	exit "$1"
} 2>/dev/null

stage_open() {
	trap 'finish 1' INT TERM HUP QUIT PIPE
	trap 'finish $?' EXIT
	# The caller's own session is out of reach from here on.
	unset ALATION_BASE_URL ALATION_USER_ID ALATION_REFRESH_TOKEN ALATION_CRED_TRACE ALATION_CRED_CONFIG ALATION_CRED_ASKPASS CREDENTIALS_DIRECTORY \
		CI SSH_CONNECTION GIT_TERMINAL_PROMPT http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	work=$(mktemp -d) || exit 1
	export TMPDIR=$work
	SANDBOX_DIR=$work/sandbox
	session_start unlocked || wrong 'the private session did not start'
	sandbox_start --tls || wrong 'the sandbox did not start'
	export CURL_CA_BUNDLE=$SANDBOX_CA PATH=$B:$PATH URL=$SANDBOX_URL
}
