#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A container as Docker makes it: no kernel keyring, no D-Bus, nothing that can be written but /dev/shm, a user that is a
# number. Real namespaces by bubblewrap, and the seccomp filter's answer for keys.

bats_require_minimum_version 1.5.0
load ../lib/place

CALLERS=20

setup() {
	command -v bwrap >/dev/null || skip 'bubblewrap is not installed'
	place_setup
	place install -m 0755 "${B:-$SANDBOX_TOP/.build}/tests/tools/many" "${B:-$SANDBOX_TOP/.build}/tests/tools/no-keyctl" /usr/local/bin
	uid=$(place_uid carol) # whom the container does not know
	container=() in_container=() home=/
	container_sh true
	[[ $code == 0 ]] || skip "bubblewrap makes no container here: $err"
	place install -d -m 0755 /run/secrets
	shm=/dev/shm/alation-cred-$uid
	where=(ALATION_BASE_URL="$SANDBOX_URL" ALATION_USER_ID=102)
	account=${SANDBOX_URL/:\/\//:\/\/102@}
}

teardown() {
	place_teardown
}

# ${container[@]}: more of bwrap's arguments; ${in_container[@]}: NAME=VALUE...
container_sh() { # SCRIPT
	place_run place bwrap --ro-bind / / --proc /proc --dev /dev --perms 1777 --tmpfs /dev/shm --perms 1777 --tmpfs /tmp --tmpfs /run \
		--ro-bind /etc/group /etc/passwd --unshare-pid --unshare-ipc --unshare-uts --die-with-parent --cap-drop ALL \
		--cap-add CAP_SETUID --cap-add CAP_SETGID --chdir / "${container[@]}" --clearenv -- \
		setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" \
		"${in_container[@]}" no-keyctl sh -c "$1"
}

with_secret() { # NAME [MODE [OWNER]]: stdin is it, in a directory that is mounted read-only
	place_write "/run/secrets/$1" "${2:-0444}"
	place chown "${3:-0}" "/run/secrets/$1"
	container=(--ro-bind /run/secrets /run/secrets)
	in_container=(CREDENTIALS_DIRECTORY=/run/secrets "${where[@]}")
}
config() { # stdin is the image's /etc/alation-cred/config
	place_write /etc/alation-cred/config
}

one_mint() { # a crowd, then one more: MINTS until now
	container_sh "many $CALLERS alation-cred token && alation-cred token && stat -c %a $shm/alation-cred:access*"
	[[ $code == 0 && -z $err && $out == "exit 0 $CALLERS"$'\n'"output $CALLERS $(place_live)\\n"$'\n'"$(place_live)"$'\n'600 ]] || fails "not one token" || return 1
	[[ $(place_mints) == "$1" ]] || fails "$(place_mints) mints"
	works "$(place_live)"
}
read_only() {
	container_sh 'alation-cred rotate'
	expect 5 'can only be read' 'sealed-file key-file='
	[[ $(sandbox_calls regenRefreshToken) == 0 ]]
}

@test "a variable, with the page's arguments: one mint for $CALLERS at once; rotate refuses" {
	local token option words
	token=$(sandbox_refresh_token 102)
	# What docker would set: NAME=VALUE as it stands, NAME from its caller.
	words=$(recipe container-environment | grep -oE -- '--env [^ ]+')
	while read -r _ option; do
		[[ $option == *=* ]] || option+==$token
		in_container+=("$option")
	done <<<"$words"
	[[ ${#in_container[@]} == 3 ]]
	one_mint 1
	read_only
	container_sh 'alation-cred status'
	expect 0
	[[ $out == *'RefreshToken  in environment'* && $out$err != *"$token"* ]]
}

@test "a secret that is mounted: bare, a record; by root, by a number from outside; as Kubernetes links it; by another name" {
	local mints=0
	with_secret alation-refresh-token <<<"$(sandbox_refresh_token 102)"
	one_mint $((++mints))
	read_only
	with_secret alation-refresh-token 0440 "$uid" <<<"$(sandbox_refresh_token 102)"
	one_mint $((++mints))
	with_secret alation-refresh-token 0444 1000 <<<"v=1&kind=refresh-token&base_url=$(jq -rn --arg u "$SANDBOX_URL" '$u|@uri')&user_id=102&refresh_token=$(sandbox_refresh_token 102)"
	in_container=(CREDENTIALS_DIRECTORY=/run/secrets)
	one_mint $((++mints))
	place sh -c 'cd /run/secrets && mkdir ..2026 && mv alation-refresh-token ..2026 && ln -s ..2026 ..data && ln -s ..data/alation-refresh-token .'
	one_mint $((++mints))
	place sh -c 'cd /run/secrets && mv ..2026/alation-refresh-token catalog-token && rm -r alation-refresh-token ..2026 ..data'
	container_sh 'alation-cred token'
	expect 3
	recipe container-name | config
	one_mint $((++mints))
	# The page's manifests say the same names.
	recipe container-compose | grep -qF 'CREDENTIALS_DIRECTORY: /run/secrets'
	recipe container-kubernetes | grep -qF 'CREDENTIALS_DIRECTORY, value: /run/secrets/alation '
	place python3 -c 'import yaml' 2>/dev/null || return 0
	for name in container-compose container-kubernetes; do recipe "$name" | python3 -c 'import sys, yaml; yaml.safe_load(sys.stdin)'; done
}

@test "nothing there: what the message says, and the exit code" {
	container_sh 'alation-cred token'
	expect 3 'nobody is logged in'
	in_container=("${where[@]}")
	container_sh 'alation-cred token'
	expect 5 "$account" 'sealed-file'
	with_secret alation-refresh-token <<<'two words'
	container_sh 'alation-cred token'
	expect 5 /run/secrets/alation-refresh-token
	with_secret alation-refresh-token <<<never-made
	container_sh 'alation-cred token'
	expect 3 'the server refused the RefreshToken'
	[[ $err != *never-made* ]]
}

@test "no /dev/shm: /tmp serves if it is a tmpfs; on a disk each call mints and says so; neither is 9" {
	with_secret alation-refresh-token <<<"$(sandbox_refresh_token 102)"
	container+=(--remount-ro /dev/shm)
	container_sh 'alation-cred token && alation-cred token'
	expect 0
	[[ -z $err && $(place_mints) == 1 ]]
	container+=(--remount-ro /tmp)
	container_sh 'alation-cred token'
	expect 9 "$shm" 'set HOME'
	[[ $(place_mints) == 1 ]]
	[[ $(place stat -f -c %T /var/lib) != tmpfs ]] || skip 'no disk here'
	place install -d -m 1777 /var/lib/tmp
	container=("${container[@]:0:5}" --bind /var/lib/tmp /tmp)
	container_sh 'alation-cred token && alation-cred token'
	expect 0 'could not be cached'
	[[ $(place_mints) == 3 && $(place_live) == "${out##*$'\n'}" && -z $(place find /var/lib/tmp -name '*access*') ]]
}

@test "an encrypted file on a volume, with its passphrase as a secret: kept, found after a restart, renewed" {
	local mints=0 first
	place install -d -m 0700 -o "$uid" -g "$uid" /run/volume
	recipe container-sealed | config
	with_secret alation-passphrase <<<'correct horse'
	container+=(--bind /run/volume /run/data) in_container=(CREDENTIALS_DIRECTORY=/run/secrets) home=/run/data
	sandbox_refresh_token 102 | place_write /run/secrets/token
	container_sh "cd /run/secrets && $(recipe container-login | sed 's/token-file/token/')"
	expect 0
	first=$(place_live)
	one_mint 2
	container_sh 'alation-cred rotate && alation-cred token'
	expect 0
	[[ $out == "$(place_live)" && $(sandbox_calls regenRefreshToken) == 1 ]]
	one_mint 4
	with_secret alation-passphrase <<<'another one'
	container+=(--bind /run/volume /run/data) in_container=(CREDENTIALS_DIRECTORY=/run/secrets)
	before=$(place sha256sum /run/volume/.local/state/alation-cred/sealed)
	container_sh 'alation-cred token'
	expect 4 'the passphrase is wrong'
	[[ $(place sha256sum /run/volume/.local/state/alation-cred/sealed) == "$before" ]]
}
