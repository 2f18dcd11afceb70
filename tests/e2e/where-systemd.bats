#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# systemd: a real one, as the first process of namespaces of its own, runs the unit of docs/recipes.md with a real
# credentials directory. The unit's exit code ends it and is its own.

bats_require_minimum_version 1.5.0
load ../lib/place

setup() {
	[[ -x /lib/systemd/systemd ]] || skip 'systemd is not installed'
	place_setup
	place_sh_root "$(recipe systemd-user | sed "s/useradd /&--uid $(place_uid carol) --non-unique /")"
	recipe systemd-script | place_write /usr/local/bin/catalog-export 0755
	recipe systemd-unit | place_write /run/units/catalog-export.service
	# What stands beside it on a machine, as far as the unit speaks of it; and how it ends is how all of it ends.
	for each in sysinit basic shutdown network-online; do
		printf '[Unit]\nDefaultDependencies=no\n' | place_write "/run/units/$each.target"
	done
	for each in catalog-export catalog-export-login; do
		printf '%s\n' '[Unit]' SuccessAction=exit-force FailureAction=exit-force '[Service]' StandardOutput=append:/run/log StandardError=append:/run/log |
			place_write "/run/units/$each.service.d/end.conf"
	done
	starts=catalog-export
}

teardown() {
	place_teardown
}

place_sh_root() { place bash -c "$1"; }
unit() { place tee -a /run/units/catalog-export.service.d/end.conf >/dev/null; } # lines on stdin, of [Service]

boot() { # $code and $log
	code=0
	place rm -f /run/log
	printf '%s\n' '[Unit]' "Requires=$starts.service" | place_write /run/units/default.target
	place timeout 60 unshare --mount --pid --fork --kill-child --cgroup sh -c 'mount --make-rprivate / && mount -t proc proc /proc &&
		mount -t tmpfs none /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && mount --make-rshared / &&
		exec env -i container=other PATH="$PATH" SYSTEMD_UNIT_PATH=/run/units /lib/systemd/systemd --system --log-target=null' || code=$?
	log=$(place cat /run/log 2>/dev/null) || { [[ $code == 0 || $code == 1 ]] || skip 'systemd does not start here'; }
}

ends() { # CODE [WORDS...]
	local words
	boot
	[[ $code == "$1" ]] || { echo "exit $code, not $1: $log" >&2 && return 1; }
	for words in "${@:2}"; do
		[[ $log == *"$words"* ]] || { echo "not in the log: $words: $log" >&2 && return 1; }
	done
}
exported() { [[ $(place cat /var/lib/catalog-export/catalog.json) == '['* ]] && place rm /var/lib/catalog-export/catalog.json; }
credential() { place bash -c "$(recipe systemd-credential)"; }
drop_cached() { setpriv --reuid="$(place_uid carol)" --clear-groups --regid="$(place_uid carol)" --inh-caps=-all keyctl clear @u; }

@test "a RefreshToken as credential: a token comes, the next run is served what is cached, and rotate refuses" {
	credential <<<"$(sandbox_refresh_token 102)"
	[[ $(place stat -c '%a %u' /etc/credstore /etc/credstore/alation-refresh-token | paste -sd ' ') == '700 0 600 0' ]]
	ends 0
	[[ -z $log ]]
	exported
	ends 0
	exported
	[[ $(place_mints) == 1 ]]
	unit <<<'ExecStart=
ExecStart=/usr/local/bin/alation-cred rotate'
	ends 5 "can only be read" 'sealed-file'
	[[ $(sandbox_calls regenRefreshToken) == 0 ]]
}

@test "the same for a record, which names its account itself; and for a user that systemd makes up" {
	recipe systemd-record | sed "s,https%3A%2F%2Fcatalog.example.com,$(jq -rn --arg u "$SANDBOX_URL" '$u|@uri'),; s/THE-TOKEN/$(sandbox_refresh_token 102)/" | credential
	unit <<<'Environment='
	ends 0
	exported
	unit <<<'ExecStart=/usr/local/bin/alation-cred status'
	ends 0 "http://102@${SANDBOX_URL#http://}" 'credentials-directory'
	exported
	[[ $(place_mints) == 1 ]]
	unit <<<'User=made-up
DynamicUser=yes
ExecStopPost=/usr/bin/keyctl clear @u'
	ends 0 credentials-directory
	exported
	[[ $(place_mints) == 2 && -z $(place find /dev/shm -mindepth 1) ]]
}

@test "an encrypted credential" {
	credential <<<"$(sandbox_refresh_token 102)"
	place_sh_root "$(recipe systemd-encrypt)"
	place sed -i "s,^LoadCredential=.*,$(recipe systemd-encrypted)," /run/units/catalog-export.service
	ends 0
	exported
}

@test "no credential, nonsense, one that the server refuses, one without its account: the log says what it is, and the exit code" {
	ends 243 # systemd's own: it does not start the service
	[[ -z $log ]]
	credential <<<'two words'
	ends 5 "${SANDBOX_URL#http://}" '/run/credentials/catalog-export.service/alation-refresh-token is not used: it '
	[[ $log != *'two words'* ]]
	credential <<<never-made
	ends 3 'the server refused the RefreshToken of ' "it comes from 'credentials-directory', which can only be read: make another one at $SANDBOX_URL/account/auth"
	[[ $log != *'log in'* ]]
	[[ $log != *never-made* ]]
	unit <<<'Environment='
	ends 3 'of no account that is known' 'set $ALATION_BASE_URL and $ALATION_USER_ID'
	place bash -c '[[ ! -e /var/lib/catalog-export/catalog.json ]]'
}

@test "a passphrase as credential: logged in once, it mints and renews itself; another passphrase does not open the file, which stays" {
	local sealed=/var/lib/catalog-export/sealed old before line
	[[ $(place ls /usr/local/lib/alation-cred/modules) == *sealed-file.so* ]] || skip 'the module sealed-file is not built'
	place_sh_root "$(recipe systemd-passphrase)"
	recipe systemd-sealed-config | place_write /etc/alation-cred/catalog-export.config
	place sed -i '/^LoadCredential=/d; /^Environment=/d' /run/units/catalog-export.service
	recipe systemd-sealed | unit
	recipe systemd-login | place_write /run/units/catalog-export-login.service
	old=$(sandbox_refresh_token 102)
	credential <<<"$old"
	starts=catalog-export-login
	ends 0 'kept in sealed-file'
	place rm /etc/credstore/alation-refresh-token
	[[ $(place stat -c '%a %u' "$sealed") == "600 $(place_uid carol)" ]]
	starts=catalog-export
	ends 0
	exported
	[[ $(place_mints) == 1 ]] # the login's
	line='ExecStart=
ExecStart=/usr/local/bin/alation-cred rotate --all --auto --if-expiring 90d'
	unit <<<"$line"
	ends 0
	[[ $(sandbox_calls regenRefreshToken) == 1 ]]
	unit <<<'ExecStart=
ExecStart=/usr/local/bin/catalog-export'
	drop_cached
	ends 0
	exported
	[[ $(place_mints) -ge 2 ]]
	before=$(place sha256sum "$sealed")
	run ! place_sh_root "$(recipe systemd-passphrase)" # what opens the file is kept
	drop_cached
	ends 0
	place rm /etc/credstore/alation-passphrase
	place_sh_root "$(recipe systemd-passphrase)"
	drop_cached
	ends 4 'the passphrase is wrong'
	[[ $(place sha256sum "$sealed") == "$before" ]]
}
