#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# cron: a real one, with a spool and users of its own, runs what docs/recipes.md says, in the environment that cron gives.

bats_require_minimum_version 1.5.0
load ../lib/place

CRON_WAIT_S=90 # it begins a job as a minute begins

setup() {
	command -v cron >/dev/null || skip 'cron is not installed'
	place_setup
	place mount -t tmpfs -o mode=1730,gid="$(getent group crontab | cut -d: -f3)" place /var/spool/cron/crontabs
	place mkfifo -m 0666 /run/ended
	exec {ended}<>"/proc/$place_root/root/run/ended"
}

teardown() {
	place_teardown
}

job() { # USER: the page's, each minute; its end is told
	recipe cron-script | place_write "/run/home/$1/bin/catalog-export" 0755 "$1"
	place chown "$1" "/run/home/$1/bin"
	recipe cron-line | sed "s,^30 6 ,* * ,; s,\$,; code=\$?; env >\"\$HOME/env\"; echo $1 \$code >/run/ended," | place_as "$1" crontab -
}

read_file() { place cat "/run/home/$1/$2"; }

@test "with the desktop's keyring open, with a token that is cached alone, and with neither" {
	local user line
	declare -A code_of
	for user in alice bob carol; do
		place_desktop "$user" unlocked
		place_sign_in "$user"
		[[ $user == bob ]] || place_forget "$user"
		[[ $user == alice ]] || place_desktop_does "$user" stop
		job "$user"
	done
	[[ $(place_mints) == 3 ]]
	place cron -f -L 0 2>"$BATS_TEST_TMPDIR/cron" &
	place_pids+=($!)
	while [[ ${#code_of[@]} != 3 ]]; do
		read -r -t $CRON_WAIT_S -u "$ended" user line || { cat "$BATS_TEST_TMPDIR/cron" && false; }
		code_of[$user]=$line
	done
	# What cron gives, and no more: neither a bus nor a run-time directory is named in it.
	run place cat /run/home/alice/env
	[[ $output == *PATH=/usr/bin:/bin* && $output == *HOME=/run/home/alice* && $output != *XDG_RUNTIME_DIR* && $output != *DBUS* ]]
	# alice's job asked her keyring, and minted once; bob's served what was cached, without any keyring.
	for user in alice bob; do
		[[ ${code_of[$user]} == 0 && $(read_file "$user" catalog.json) == '['* ]]
		[[ -z $(read_file "$user" catalog-export.log) ]]
	done
	[[ $(place_mints) == 4 ]]
	# carol's has no keyring: a failure of its own, curl was not started, and the log says what to do.
	[[ ${code_of[carol]} == 5 && -z $(read_file carol catalog.json) ]]
	line=$(read_file carol catalog-export.log)
	echo "$line"
	[[ $line == 'alation-cred: '*"${SANDBOX_URL#http://}"*'; '* && $line != *$'\n'* ]]
}

@test "in cron's environment: a keyring that is locked is 4, nobody logged in is 3; both say what to do" {
	place_desktop alice unlocked
	place_sign_in alice
	place_forget alice
	place_desktop_does alice lock
	recipe cron-script | place_write /run/home/alice/bin/catalog-export 0755 alice
	recipe cron-script | place_write /run/home/bob/bin/catalog-export 0755 bob
	place_run place_as alice env -i HOME=/run/home/alice LOGNAME=alice SHELL=/bin/sh PATH=/usr/bin:/bin sh -c '"$HOME/bin/catalog-export"'
	expect 4 'the keyring (secret-service) is locked' "alation-cred unlock http://102@"
	place_run place_as bob env -i HOME=/run/home/bob LOGNAME=bob SHELL=/bin/sh PATH=/usr/bin:/bin sh -c '"$HOME/bin/catalog-export"'
	expect 3 "alation-cred login"
}
