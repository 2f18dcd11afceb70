#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every keyring module of ours passes the conformance test, with its real service; and so does the example for authors.

bats_require_minimum_version 1.5.0
load lib/session
load lib/check-module

setup() {
	check_module_setup
	prefix=check-${dir##*.} # of this run: another may go on beside it; short, for the longest account's file name
}
teardown() { check_module_teardown; }

no_key_stays() { # the kernel collects a moment later what was taken away
	timeout 10 bash -c 'while grep -q "$1:" /proc/keys; do sleep 0.1; done' - "$prefix"
}

@test "kernel passes" {
	passes kernel "prefix=$prefix"
	skipped_because "${NO_HOOKS[@]}" 'it stores' 'it has no lock'
	no_key_stays
}

@test "private-file passes" {
	passes private-file "prefix=$prefix"
	skipped_because "${NO_HOOKS[@]}" 'it stores' 'it has no lock'
	run compgen -G "/dev/shm/alation-cred-$EUID/$prefix*"
	[[ -z $output ]]
}

@test "environment passes, with a token, with a record and without any" {
	printf token >"$dir/token"
	printf 'v=1&kind=refresh-token&base_url=https%%3A%%2F%%2Fcheck-module.test%%3A8443&user_id=102&refresh_token=abc' >"$dir/record"
	for each in token record; do
		ALATION_REFRESH_TOKEN=$(<"$dir/$each") passes --holds "refresh,102,$URL=$dir/$each" environment "base-url=$URL" user-id=102
		skipped_because 'it has no store' 'it has no lock' 'no --freeze stops its service' 'no --corrupt damages what it keeps'
		[[ $output == *'ok 8 - lookup: what it holds comes whole'$'\n'* ]]
	done
	passes environment
	[[ $output == *'lookup: what it holds comes whole # SKIP no --holds'* ]]
}

@test "credentials-directory passes, with a token, with a record and without any" {
	mkdir -m 0700 "$dir/credentials"
	printf token >"$dir/token"
	printf 'v=1&kind=refresh-token&base_url=https%%3A%%2F%%2Fcheck-module.test%%3A8443&user_id=102&refresh_token=abc' >"$dir/record"
	for each in token record; do
		install -m 0600 "$dir/$each" "$dir/credentials/alation-refresh-token"
		CREDENTIALS_DIRECTORY=$dir/credentials passes --holds "refresh,102,$URL=$dir/$each" credentials-directory "base-url=$URL" user-id=102
		[[ $output == *'ok 8 - lookup: what it holds comes whole'$'\n'* ]]
	done
	passes credentials-directory
}

@test "secret-service passes with a real gnome-keyring, frozen and locked" {
	[[ -e $B/modules/secret-service.so ]] || skip 'it is not built: libsecret is missing'
	session_start unlocked
	session_store_neighbour
	echo "$session_keyring_pid" >"$dir/pid"
	cat >"$dir/unlock" <<-END
		kill -KILL "\$(cat $dir/pid)"
		while gdbus call --session --dest org.freedesktop.DBus --object-path / --method org.freedesktop.DBus.NameHasOwner \
			org.freedesktop.secrets | grep -q true; do :; done
		printf %s "$SESSION_PASSWORD" | gnome-keyring-daemon --foreground --components=secrets --unlock >/dev/null 2>&1 3>&- &
		echo \$! >$dir/pid
		gdbus wait --session --timeout $SESSION_WAIT_S org.freedesktop.secrets
	END
	status=0
	ASAN_OPTIONS=detect_leaks=0 passes --freeze "kill -STOP \$(cat $dir/pid)" --thaw "kill -CONT \$(cat $dir/pid)" \
		--unwritable "gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets \
			--method org.freedesktop.Secret.Service.Lock \"['/org/freedesktop/secrets/aliases/default']\" >/dev/null" \
		--writable "sh $dir/unlock" secret-service || status=$?
	session_end_process "$(<"$dir/pid")" KILL
	[[ $status == 0 ]]
	skipped_because 'it stores' 'it has no lock' 'no --corrupt damages what it keeps'
}

@test "sealed-file passes, with a passphrase in a file and one that is asked for, and on a medium that is only read" {
	[[ -e $B/modules/sealed-file.so ]] || skip 'it is not built: libsodium is missing'
	printf 'correct horse' >"$dir/passphrase"
	chmod 0600 "$dir/passphrase"
	mkdir -m 0700 "$dir/place"
	passes --corrupt "cp $dir/place/sealed $dir/whole && truncate -s 0 $dir/place/sealed" --mend "cp $dir/whole $dir/place/sealed" \
		sealed-file "file=$dir/place/sealed" "key-file=$dir/passphrase"
	skipped_because 'no --freeze stops its service' 'no --unwritable closes its place' 'it stores'
	# Root writes where no mode lets it: on a file system of its own that can be mounted again.
	if [[ $EUID == 0 ]] && unshare --mount true 2>/dev/null; then
		unshare --mount bash -c 'mount -t tmpfs -o mode=0700 check "$1/place" && shift && exec "$@"' - "$dir" \
			"$check" --only unwritable --unwritable "mount -o remount,ro $dir/place" --writable "mount -o remount,rw $dir/place" \
			sealed-file "file=$dir/place/sealed" "key-file=$dir/passphrase" >"$dir/out"
		grep -qx 'ok 1 - unwritable: a store fails, and what was there stays' "$dir/out"
	fi
	passes --answer "$dir/passphrase" --only open --only lock --only person --only list --only every sealed-file "file=$dir/asked" "prefix=$prefix"
	skipped_because 'it stores'
	no_key_stays
}

@test "docker-helper passes with docker-credential-pass and docker-credential-secretservice" {
	[[ -e $B/modules/docker-helper.so ]] || skip 'it is not built: json-c is missing'
	load lib/pass
	session_start unlocked
	# Its services are other programs' children: what they are frozen by is the keyring behind them.
	passes --freeze "kill -STOP $session_keyring_pid" --thaw "kill -CONT $session_keyring_pid" docker-helper program=secretservice
	pass_start
	MAY_REFUSE=1 # a directory's name has 255 bytes, and pass makes one of each account
	# It writes its files in place, where a look-up may find half of one: the program's lock keeps them apart.
	passes --only descriptor --only open --only lookup --only store --only erase --only ttl --only list --only 'at once: each' --only 'at once: opened' \
		--only host --only person --only deadline --only every docker-helper program=pass || { pass_stop; false; }
	pass_stop
}

@test "the example that the page for authors goes through passes, and one that is built as C++" {
	mkdir -p -m 0700 "$dir/vault" "$dir/include/alation-cred"
	cp "$top/keyring/module.h" "$dir/include/alation-cred"
	only=()
	for compiler in 'cc -std=c99' 'c++ -std=c++11 -xc++'; do
		(umask 022 && $compiler -pedantic -I"$dir/include" -fPIC -shared -o "$dir/directory.so" "$top/docs/example-module.c")
		passes "${only[@]}" "$dir/directory.so" "path=$dir/vault"
		[[ ${only[*]} ]] || skipped_because "${NO_HOOKS[@]}" 'it stores' 'it has no lock'
		only=(--only lookup --only 'store: a' --only every)
		[[ -z $(ls -A "$dir/vault") ]]
	done
}
