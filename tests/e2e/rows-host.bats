#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rows of the fault matrix, host: H4, H5, H8 to H10, H12, H13. Directories, limits, privileges, environment, arguments, cores
# and terminals that are not as they should be.

bats_require_minimum_version 1.5.0
load ../lib/program

PTY=${B:-$SANDBOX_TOP/.build}/tests/tools/pty

setup() {
	program_environment
	session_start unlocked
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	LOCK=$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}
	as=() helpers=() mounted='' outside=''
	login_demo
	expect 0
}

teardown() {
	program_end_helpers
	[[ -z $mounted ]] || umount "$mounted"
	[[ -z $outside ]] || rm -rf "$outside"
	session_stop
	program_teardown
}

cred() {
	timeout -k 5 40 setsid -w "${as[@]}" "$CRED" "$@" 3>&-
}

drop_cached() {
	local key
	key=$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL" 2>/dev/null) || return 0
	keyctl unlink "$key" @u >/dev/null
}
live() { sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1; }
stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
mints() { sandbox_calls createAPIAccessToken; }

serves() { # warm, and cold
	run_cred get "$ACCOUNT"
	expect 0 && [[ $out == "$(live)" ]] || fails "not what is cached" || return 1
	drop_cached
	run_cred get "$ACCOUNT"
	expect 0 && works "$out"
}

# What another user may enter; below it nothing is secret.
open_directory() {
	outside=$(mktemp -d "${TMPDIR:-/tmp}/acred-open.XXXXXXXX")
	chmod 0755 "$outside"
}

@test "H4: XDG_RUNTIME_DIR missing, relative, another's, 0777, a link, a fifo, a file: nothing depends on it, nothing is put there" {
	local run=$BATS_TEST_TMPDIR/run kind before
	for kind in missing relative others open link fifo file; do
		rm -rf "$run" "$run.target"
		case $kind in
		others) [[ $EUID == 0 ]] || continue; mkdir -m 0700 "$run" && chown 65534 "$run" ;;
		open) mkdir -m 0777 "$run" && chmod 0777 "$run" ;;
		link) mkdir -m 0700 "$run.target" && ln -s "$run.target" "$run" ;;
		fifo) mkfifo "$run" ;;
		file) touch "$run" ;;
		esac
		before=$(mints)
		export XDG_RUNTIME_DIR=$run
		[[ $kind != relative ]] || XDG_RUNTIME_DIR=run
		serves || fails "$kind"
		[[ $(mints) == $((before + 1)) && -z $(find "$run" "$run.target" -mindepth 1 2>/dev/null) ]] || fails "$kind"
		# Where it is the only way to the bus, there is none; the cache serves all the same.
		(
			unset DBUS_SESSION_BUS_ADDRESS
			run_cred get "$ACCOUNT"
			expect 0 || exit 1
			refuses 5 keyring_unavailable 'there is no D-Bus session' token "$ACCOUNT" --fresh --timeout 1
		) || fails "$kind"
	done
}

# disk SIZE: the state directory with what is in it, on a disk of its own.
disk() {
	[[ $EUID == 0 ]] || skip 'only root can mount a small disk'
	cp -a "$STATE" "$BATS_TEST_TMPDIR/copy"
	mount -t tmpfs -o "size=$1,mode=0700" none "$STATE" 2>/dev/null || skip 'nothing can be mounted here'
	mounted=$STATE
	cp -a "$BATS_TEST_TMPDIR/copy/." "$STATE"
}

@test "H4: the disk of state and locks is full: what is there serves, and what cannot be changed is said; then all is well" {
	local before
	disk 64k
	dd if=/dev/zero of="$STATE/filler" bs=1k 2>/dev/null || [[ -s $STATE/filler ]]
	serves
	before=$(stored)
	refuses 9 configuration "$STATE|room" set "$ACCOUNT" shared
	run_cred rotate "$ACCOUNT"
	[[ $code == 0 || $code == 9 ]] || fails "no outcome of this"
	rm "$STATE/filler"
	serves
	run_cred rotate "$ACCOUNT"
	expect 0
	serves
	[[ $(stored) != "$before" ]]
}

@test "H4: the disk of state and locks can only be read: the lock is in the private directory, and it serves" {
	[[ $(stat -f -c %T /dev/shm) == tmpfs && -w /dev/shm ]] || skip 'no tmpfs on /dev/shm'
	disk 64k
	mount -o remount,ro "$STATE"
	serves
	mount -o remount,rw "$STATE"
	serves
}

@test "H4: what stands in the lock's place, or its directory's, is not followed and not waited for: 9, and it is named" {
	local trap elsewhere=$BATS_TEST_TMPDIR/elsewhere
	drop_cached
	for trap in 'rm "$LOCK"; ln -s "$elsewhere" "$LOCK"' 'rm -rf "$LOCK"; mkfifo "$LOCK"' 'rm -rf "$LOCK"; mkdir "$LOCK"' \
		'rm -rf "$LOCK"; touch "$LOCK"; chown 65534 "$LOCK"' \
		'rm -rf "$STATE/locks"; mkdir -m 0700 "$elsewhere"; ln -s "$elsewhere" "$STATE/locks"' \
		'rm -rf "$STATE/locks"; touch "$STATE/locks"' 'rm -rf "$STATE/locks"; mkfifo "$STATE/locks"'; do
		[[ $trap != *chown* || $EUID == 0 ]] || continue
		eval "$trap"
		refused_plainly=
		refuses 9 configuration "alation-cred" get "$ACCOUNT" || fails "$trap"
		[[ ! -e $elsewhere || -z $(find "$elsewhere" -mindepth 1) ]] || fails "it was followed"
	done
	[[ $(mints) == 1 ]]
	rm "$STATE/locks"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

# limited LIMIT CODES: each verb ends by itself, with one of the codes; its answer is whole or empty; then nothing is lost.
limited() {
	local limit=$1 codes=" $2 " verb
	for verb in "token $ACCOUNT" 'status --format json' "token $ACCOUNT --fresh" "rotate $ACCOUNT" "login $SANDBOX_URL --user demo --password-stdin"; do
		as=(prlimit "$limit")
		run_cred $verb <<<"$SANDBOX_PASSWORD"
		as=()
		[[ $codes == *" $code "* ]] || fails "$limit: no outcome of this" || return 1
		case $verb in
		token*) [[ -z $raw || $code == 0 && $raw == "$(live)"$'\n' ]] ;;
		status*) [[ -z $raw || $raw == *'}'$'\n' ]] && { [[ -z $raw ]] || jq -e .version <<<"$raw" >/dev/null; } ;;
		*) [[ -z $raw ]] ;;
		esac || fails "$limit: half an answer" || return 1
		run_cred token "$ACCOUNT" --validate
		expect 0 && works "$out" || fails "$limit: $verb has lost something" || return 1
	done
}

@test "H5: few descriptors: each verb ends, with an exit code that is documented; nothing is lost" {
	local n
	for n in 4 5 6 7 8 9 10 12 14 16 20 24 32; do
		limited --nofile=$n "0 5 6 9"
	done
	as=(prlimit --nofile=8) # a warm call needs no more
	run_cred token "$ACCOUNT"
	expect 0
}

@test "H5: no memory to lock, no file to write, no signal to queue: it does without, or says so" {
	limited --memlock=0 0
	limited --fsize=0 '0 9 10' # its stdout is a file, too
	limited --sigpending=0 0
}

@test "H5: a small address space: each verb ends; nothing is lost" {
	local mib
	nm "$CRED" | grep -q __asan_init && skip 'a sanitizer needs much of it'
	for mib in 4 8 16 32 48 64 96 128 256; do
		prlimit --as=$((mib << 20)) "$CRED" --version >/dev/null 2>&1 || continue # it cannot even be loaded
		limited --as=$((mib << 20)) "0 5 6 9"
	done
}

@test "H5: no process and no thread may be made: each verb ends; what is cached is served" {
	[[ $EUID != 0 ]] || skip 'root has no such limit'
	limited --nproc=0 "0 5 6"
	as=(prlimit --nproc=0)
	run_cred token "$ACCOUNT"
	expect 0
}

@test "H8: setuid, setgid or with capabilities: refused before anything is done, and it says why" {
	local mark other=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	[[ $EUID == 0 ]] || skip 'needs root'
	open_directory
	cp "$(command -v id)" "$outside/id"
	chown 65534 "$outside/id" && chmod 4755 "$outside/id"
	[[ $("$outside/id" -u) == 65534 ]] || skip 'nothing is setuid on this file system'
	for mark in 'chown 65534 $outside/cred; chmod 4755 $outside/cred' 'chgrp 65534 $outside/cred; chmod 2755 $outside/cred' \
		'setcap cap_net_raw+ep $outside/cred'; do
		cp "$CRED" "$outside/cred"
		eval "$mark"
		as=()
		[[ $mark != setcap* ]] || as=("${other[@]}")
		for verb in get 'get --format json' status --version; do
			code=0
			out=$("${as[@]}" "$outside/cred" $verb 2>"$OUT.err" </dev/null) || code=$?
			err=$(<"$OUT.err") raw=$out ran="$mark"
			expect 2 'started setuid' 'refused' || return 1
			[[ -z $out ]]
		done
		rm "$outside/cred"
	done
}

@test "H8: by root with a user's home and session, as sudo leaves them: refused, and sudo is named" {
	[[ $EUID == 0 ]] || skip 'needs root'
	chown -R 65534:65534 "$HOME"
	refuses 9 configuration "$STATE|does not belong to uid 0 alone|not with sudo" get "$ACCOUNT"
	refuses 9 configuration "not with sudo" status
	input=$SANDBOX_PASSWORD refuses 9 configuration "not with sudo" login "$SANDBOX_URL" --user demo --password-stdin
	[[ $(sandbox_calls createRefreshToken) == 1 ]]
	chown -R 0:0 "$HOME"
	serves
}

# Under the environment in as=(): the same answers as without it, not a word on stderr, no file in $trap.
the_same() {
	drop_cached
	run_cred get "$ACCOUNT"
	expect 0 && works "$out" || return 1
	[[ -z $err ]] || fails "words on stderr" || return 1
	run_cred token "$ACCOUNT"
	expect 0 && [[ $out == "$(live)" && -z $err ]] || fails "warm: another answer" || return 1
	run_cred status --format json
	expect 0 && [[ $(jq -c '.accounts[0] | [.user_id, .refresh.module, .access.module]' <<<"$out") == '[102,"secret-service","kernel"]' && -z $err ]] ||
		fails "another status" || return 1
	[[ -z $(find "$trap" -newer "$BATS_TEST_TMPDIR/laid" -type f) ]] || fails "a file was made: $(find "$trap" -type f)"
}

@test "H9: every variable that leads libraries elsewhere, alone and all together: the same answers, no words, no files" {
	local trap=$BATS_TEST_TMPDIR/trap all=() each
	mkdir "$trap"
	printf '127.0.0.1 elsewhere\n' >"$trap/hosts"
	printf 'openssl_conf = x\n[x]\nengines = y\n[y]\nz = nothing\n' >"$trap/openssl.cnf"
	printf 'machine 127.0.0.1 login x password y\n' >"$trap/netrc"
	cp "${CRED%/*}/tests/preload/shift-clock.so" "$trap/libgioevil.so"
	touch -d '-1 minute' "$trap"/*
	touch "$BATS_TEST_TMPDIR/laid"
	all=(
		G_DEBUG=fatal-warnings G_MESSAGES_DEBUG=all G_DBUS_DEBUG=all G_SLICE=debug-blocks G_ENABLE_DIAGNOSTIC=1
		"GIO_EXTRA_MODULES=$trap" "GIO_MODULE_DIR=$trap" GIO_USE_VFS=evil GIO_USE_TLS=evil GSETTINGS_BACKEND=evil GTK_USE_PORTAL=1 GIO_USE_PORTALS=1
		SECRET_BACKEND=file "SECRET_FILE_TEST_PATH=$trap/secrets" SECRET_FILE_TEST_PASSWORD=x SECRET_SERVICE_BUS_NAME=org.example.Evil SNAP_NAME=x
		"SSLKEYLOGFILE=$trap/keys" "SSL_CERT_FILE=$trap/none.pem" "SSL_CERT_DIR=$trap" "CURL_CA_BUNDLE=$trap/none.pem" "OPENSSL_CONF=$trap/openssl.cnf"
		"OPENSSL_ENGINES=$trap" "OPENSSL_MODULES=$trap" CURL_SSL_BACKEND=gnutls "NETRC=$trap/netrc" "CURL_HOME=$trap"
		"HOSTALIASES=$trap/hosts" RES_OPTIONS=timeout:1 LOCALDOMAIN=evil.example TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 LANG=xx LANGUAGE=xx
		MALLOC_PERTURB_=165 MALLOC_ARENA_MAX=1 MALLOC_CHECK_=3 MALLOC_TRIM_THRESHOLD_=0 GLIBC_TUNABLES=glibc.malloc.perturb=90
		http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 all_proxy=http://127.0.0.1:9 ALL_PROXY=socks5://127.0.0.1:9
		no_proxy=example.com POSIXLY_CORRECT=1 IFS=x ENV="$trap/env" BASH_ENV="$trap/env" PATH="$trap" PYTHONPATH="$trap" CDPATH="$trap" COLUMNS=1
		DBUS_STARTER_ADDRESS=unix:path=/nonexistent DBUS_STARTER_BUS_TYPE=session DISPLAY=:99 WAYLAND_DISPLAY=evil GNOME_KEYRING_CONTROL="$trap"
	)
	for each in "${all[@]}"; do
		as=("$(command -v env)" "$each")
		the_same || { echo "with $each" >&2; return 1; }
	done
	as=("$(command -v env)" "${all[@]}")
	the_same
}

@test "H10: no secret in the arguments or the environment of the program, nor of what it starts: login, get, rotate, the renewal on the way" {
	local trace=$BATS_TEST_TMPDIR/trace pid secrets
	[[ $EUID == 0 ]] || skip "only root's strace can read what the program hands to the kernel"
	strace -o /dev/null true 2>/dev/null || skip 'strace may not trace here'
	as=(strace -f -qq -v -s 100000 -A -o "$trace" -e trace=execve,execveat)
	login_demo
	expect 0
	login_token "$(sandbox_refresh_token 102 ending expires_in=777600)" --exclusive # 9 days: the next mint renews it
	expect 0
	drop_cached
	run_cred get
	expect 0
	[[ $(sandbox_calls regenRefreshToken) == 1 && $(<"$trace") == *'"rotate", "--auto"'* ]] || fails "no renewal on the way"
	run_cred rotate
	expect 0
	run_cred get --fresh
	expect 0
	# What the process shows while the server is being asked, too.
	as=()
	sandbox_fault 'endpoint=*' delay_ms=60000
	"$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD" >/dev/null 2>&1 3>&- &
	pid=$!
	helpers=($pid)
	sandbox_held
	tr '\0' '\n' <"/proc/$pid/environ" >>"$trace"
	tr '\0' '\n' <"/proc/$pid/cmdline" >>"$trace"
	cat "/proc/$pid/comm" >>"$trace"
	sandbox_clear
	sandbox_release
	wait "$pid" || :
	mapfile -t secrets < <(sed -nE 's/.* refresh=([^ ]*) access=([^ ]*) .* made=([^ ]*)$/\1\n\2\n\3/p' "$SANDBOX_LOG" | sort -u | grep -v '^-$')
	((${#secrets[@]} > 6))
	[[ $(<"$trace") == *--password-stdin* ]]
	printf '%s\n' "${secrets[@]}" "$SANDBOX_PASSWORD" >"$BATS_TEST_TMPDIR/secrets"
	run ! grep -nFf "$BATS_TEST_TMPDIR/secrets" "$trace"
}

# A program that waits for its password, as a user without privileges; $pid, and how to be that user in user=().
waiting() {
	user=()
	[[ $EUID != 0 ]] || user=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all env -i PATH="$PATH")
	open_directory
	chmod 0777 "$outside"
	"${user[@]}" test -x "$CRED" || skip "no other user may read $CRED"
	mkfifo "$BATS_TEST_TMPDIR/password"
	(ulimit -c unlimited 2>/dev/null; cd "$outside" && exec "${user[@]}" "$@" login "$SANDBOX_URL" --user demo --password-stdin) \
		<>"$BATS_TEST_TMPDIR/password" >/dev/null 2>"$OUT.err" 3>&- &
	pid=$!
	helpers=("$pid")
	local end=$((SECONDS + 10))
	until [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == "$CRED "* && $(cat "/proc/$pid/stat") == *') S '* ]]; do ((SECONDS < end)) || return 1; done
}

@test "H12: no core after SIGABRT; the same user may neither trace it nor read its memory" {
	local user pid control end code=0
	[[ $(</proc/sys/kernel/core_pattern) != /* && $(</proc/sys/kernel/core_pattern) != '|'* ]] || skip 'cores go elsewhere here'
	waiting "$CRED"
	# What would be seen of another program.
	"${user[@]}" sleep 600 3>&- &
	control=$!
	helpers+=("$control")
	end=$((SECONDS + 10))
	until [[ $(tr '\0' ' ' <"/proc/$control/cmdline") == 'sleep 600 ' ]]; do ((SECONDS < end)); done
	"${user[@]}" head -c 0 "/proc/$control/environ" || skip 'no user may look at his own processes here'
	run ! "${user[@]}" head -c 1 "/proc/$pid/environ"
	run ! "${user[@]}" head -c 0 "/proc/$pid/mem"
	run ! "${user[@]}" head -c 0 "/proc/$pid/maps"
	run "${user[@]}" timeout 10 strace -f -o /dev/null -p "$pid"
	[[ $status != 0 && $output == *'Operation not permitted'* ]] || { echo "$output" >&2; return 1; }
	grep -q '^Max core file size *0 ' "/proc/$pid/limits"
	kill -ABRT "$pid"
	wait "$pid" || code=$?
	[[ $code == 134 && -z $(find "$outside" -type f) ]] || { find "$outside" >&2; return 1; }
}

# What is pasted comes in one piece; the pty's Enter is a carriage return, and so is this.
CR=$'\r'

@test "H13: a paste of several lines at a hidden prompt: no line of it is the answer, and none is shown or run" {
	local token
	screen=$("$PTY" sh -c '"$0" login "$1"; echo "ended $?"; read -r line; echo "read: $line"' "$CRED" "$SANDBOX_URL" 3>&- <<-END
		expect 1 or 2
		send 2
		expect User name:
		send demo
		expect Password:
		echo off
		send demo-password${CR}echo pasted-rest
		expect more than one line
		expect Password:
		echo off
		send demo-password
		expect ended 0
		echo on
		send typed
		expect read: typed
	END
	)
	[[ $screen != *demo-password* && $screen != *pasted-rest* && $screen == *'read: typed'* ]] || { echo "$screen" >&2; return 1; }
	token=$(sandbox_refresh_token 102)
	screen=$("$PTY" "$CRED" login "${SANDBOX_URL/:\/\//:\/\/102@}" 3>&- <<-END
		expect 1 or 2
		send 1
		expect not shown
		echo off
		send $token${CR}pasted-rest
		expect no RefreshToken
		expect not shown
		echo off
		send $token$CR
		expect y or n
		send n
		expect logged in as
	END
	)
	[[ $screen != *"$token"* && $screen != *pasted-rest* ]] || { echo "$screen" >&2; return 1; }
	serves
}
