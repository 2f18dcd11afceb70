#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where the kernel keyring is closed, as in many containers: the cache is a file on a tmpfs, and serves as the other
# does. With every home there can be, and with what others may have put in its place.

bats_require_minimum_version 1.5.0
load ../lib/program

MANY=${B:-$SANDBOX_TOP/.build}/tests/tools/many
NO_KEYCTL=${B:-$SANDBOX_TOP/.build}/tests/tools/no-keyctl

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	[[ $(stat -f -c %T /dev/shm) == tmpfs && -w /dev/shm ]] || skip 'no tmpfs on /dev/shm'
	program_setup
	SHM=/dev/shm/alation-cred-$EUID
	ENTRY=$SHM/alation-cred-tree:access:102@${SANDBOX_URL//\//%2F}
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	as=("$NO_KEYCTL") # what the program is started by
	callers=200
	[[ $(ldd "$CRED") != *san* ]] || callers=50 # whose start costs ten times as much: a keyring's 5 s would go by
	stranger=
}

teardown() {
	[[ $EUID == 0 || ! -d ${STATE:-} ]] || chmod 0700 "$STATE" "$STATE/locks"
	stranger_stop
	program_teardown
}

cred() {
	setsid -w "${as[@]}" "$CRED" "$@" 3>&-
}

many() { # N ARG...: so many at once; $counts is what came back
	counts=$(setsid -w "${as[@]}" "$MANY" "$1" "$CRED" --timeout 100 "${@:2}" 3>&- 2>"$BATS_TEST_TMPDIR/err")
}

mints() { sandbox_calls createAPIAccessToken; }
live() { sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1; }

all_equal() { # N: so many ended with 0, and wrote the token that the server made last
	[[ $counts == "exit 0 $1"$'\n'"output $1 $(live)\\n" ]] || { echo "$counts" >&2; return 1; }
	works "$(live)"
}

cached() { # the next two gets serve what the server made last, silently
	local before
	before=$(mints)
	for _ in 1 2; do
		run_cred get "$ACCOUNT"
		expect 0
		[[ -z $err && $out == "$(live)" ]] || fails "not what was cached"
	done
	[[ $(mints) == "$before" ]] || fails "it was minted again"
	works "$out"
}

uncached() { # WORDS: a get mints, prints, and says why it could not be cached, in one line
	local before
	before=$(mints)
	run_cred get "$ACCOUNT"
	expect 0 "could not be cached" " is not used: $1"
	[[ $err != *$'\n'* && $out == "$(live)" ]] || fails "not one line, or another token" || return 1
	[[ $(mints) == $((before + 1)) ]]
	works "$out"
}

holder() { # what status says of the access token: who has it, who was passed over
	run_cred status "$ACCOUNT" --format json
	expect 0
	jq -r '.accounts[0].access | [.module, (.passed_over[] | .module + ":" + .status)] | join(" ")' <<<"$out"
}

# What each program sees; for root, whom no mode stops, it is mounted so.
read_only_home() {
	if [[ $EUID != 0 ]]; then
		chmod 0500 "$STATE" "$STATE/locks"
		return
	fi
	as=(unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"' - "$HOME" "$NO_KEYCTL")
	"${as[@]}" true 2>/dev/null || skip 'no mount namespace can be made here'
}

@test "closed by EPERM or by ENOSYS: login, get from the cache, status, logout; the file is ours alone" {
	local option
	for option in '' --enosys; do
		as=("$NO_KEYCTL" $option)
		login_demo
		expect 0
		[[ $(stat -c '%a %h %u %F' "$ENTRY") == "600 1 $EUID regular file" && $(stat -c '%a %u' "$SHM") == "700 $EUID" ]]
		cached
		[[ $(holder) == 'private-file kernel:unavailable' ]]
		run_cred status "$ACCOUNT"
		[[ $out == *'access token  in private-file; passed over: kernel (unavailable'* ]] || fails "not said"
		rm "$ENTRY"
		[[ $(holder) == ' kernel:unavailable private-file:absent' ]]
		run_cred get "$ACCOUNT"
		expect 0
		[[ -z $err ]]
		cached
		[[ -z $(kernel_keys) ]]
		run_cred logout
		expect 0
		[[ ! -e $ENTRY && $(listed) == 0 && -z $(find "$SHM" -name '.new-*') ]]
	done
}

@test "200 at once on an empty cache: one mint, 200 equal answers; and so when the mint takes two seconds" {
	login_demo
	rm "$ENTRY"
	many "$callers" get
	[[ $(mints) == 2 ]] # the login's, and one
	all_equal "$callers"
	rm "$ENTRY"
	sandbox_fault endpoint=createAPIAccessToken delay_ms=2000
	many "$callers" token
	[[ $(mints) == 3 ]]
	all_equal "$callers"
	[[ $(stat -c %h "$ENTRY") == 1 && -z $(find "$SHM" -name '.new-*') ]]
}

@test "open again: what the file holds is served, and the next token that the kernel takes ends it" {
	login_demo
	[[ -s $ENTRY ]]
	as=()
	cached
	[[ $(holder) == 'private-file kernel:absent' && -z $(kernel_keys) ]]
	run_cred get --fresh
	expect 0
	[[ ! -e $ENTRY && -n $(kernel_keys) && $(mints) == 2 ]]
	cached
	[[ $(holder) == kernel ]]
}

@test "a warm call: where the kernel has it, no file is looked for; where a file has it, that is opened to read, and that is all" {
	local trace=$BATS_TEST_TMPDIR/trace
	strace -o /dev/null true 2>/dev/null || skip 'strace may not trace here'
	((callers == 200)) || skip 'a sanitizer does more'
	[[ $EUID == 0 ]] || skip "only root's strace can read what the program hands to the kernel"
	login_demo
	"${as[@]}" strace -f -o "$trace" "$CRED" get >"$OUT" 3>&-
	[[ $(<"$OUT") == "$(live)" && $(grep -c "\"$SHM\"" "$trace") == 1 && $(grep -c "\"${ENTRY##*/}\"" "$trace") == 1 ]]
	run ! grep -E '^[0-9]+ +(socket|connect|clone3?|fork|vfork|fsync|fdatasync|renameat2?|unlinkat|mkdirat|flock|utimensat|getdents(64)?)\(' "$trace"
	run ! grep -E 'open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)' "$trace"
	as=()
	login_demo
	strace -f -o "$trace" "$CRED" get >"$OUT" 3>&-
	[[ $(<"$OUT") == "$(live)" ]]
	run ! grep -E "alation-cred-$EUID|fstatfs" "$trace"
}

@test "a logout with the kernel open empties the file that a closed one made" {
	login_demo
	[[ -s $ENTRY ]]
	as=()
	run_cred logout
	expect 0
	[[ ! -e $ENTRY ]]
}

@test "what stands in the file's place is not used and nothing is followed: it goes, and a new file is made" {
	local trap words before elsewhere=$BATS_TEST_TMPDIR/elsewhere shared
	shared=$SHM/elsewhere:${SANDBOX_URL##*:}
	login_demo
	for trap in 'it is a link|mv "$ENTRY" "$elsewhere"; ln -s "$elsewhere" "$ENTRY"' \
		'it is a link|ln -sf /nonexistent "$ENTRY"' \
		'it is no regular file|rm "$ENTRY"; mkfifo -m 0600 "$ENTRY"' \
		'others may open it|chmod 0640 "$ENTRY"' \
		'it has a second name|ln "$ENTRY" "$shared"' \
		'it is empty or too long|: >"$ENTRY"' \
		'it is another user|chown 1988000000 "$ENTRY"'; do
		words=${trap%%|*}
		[[ $words != *another* || $EUID == 0 ]] || continue
		eval "${trap#*|}"
		[[ ! -e $elsewhere ]] || sum=$(sha256sum "$elsewhere")
		before=$(mints)
		run_cred get "$ACCOUNT" -v
		expect 0 "$words"
		[[ $out == "$(live)" && $(mints) == $((before + 1)) ]]
		[[ ! -e $elsewhere || $(sha256sum "$elsewhere") == "$sum" ]]
		rm -f "$shared"
		cached
		[[ $(stat -c '%a %h %u %F' "$ENTRY") == "600 1 $EUID regular file" ]]
	done
	rm "$ENTRY"
	mkdir "$ENTRY"
	uncached 'it is no regular file'
	uncached 'it is no regular file'
	rmdir "$ENTRY"
}

@test "a record that is not ours, or cut short, is no token: one mint, and it is written anew" {
	local bytes
	login_demo
	for bytes in 'v=1&token=' 'two words' '%00' 'v=1&token=abc'; do
		printf %s "$bytes" >"$ENTRY"
		touch -d @0 "$ENTRY" # without an end
		run_cred get "$ACCOUNT"
		expect 0 "what was cached for $ACCOUNT was damaged, and is replaced"
		cached
	done
	[[ $(mints) == 5 ]]
}

@test "no room on the tmpfs: the token is printed, and one line says why it is not cached" {
	login_demo
	as=(unshare -m sh -c 'mount -t tmpfs -o size=4k,nr_inodes=2,mode=1777 none /dev/shm && exec "$@"' - "$NO_KEYCTL")
	"${as[@]}" true 2>/dev/null || skip 'no mount namespace can be made here'
	run_cred get "$ACCOUNT"
	expect 0 'could not be cached' 'No space left'
	[[ $err != *$'\n'* ]]
	works "$out"
}

@test "a home that cannot be written: the same cache, one mint for 200, the list of accounts still read" {
	login_demo
	read_only_home
	cached
	[[ $(holder) == 'private-file kernel:unavailable' ]]
	rm "$ENTRY"
	many "$callers" get "$ACCOUNT"
	[[ $(mints) == 2 ]]
	all_equal "$callers"
	cached
}

# Another user, whom the system does not know: no name, no home, no place but the tmpfs. A D-Bus lets nobody in whom it
# cannot find, so its daemon has a user file of its own.
stranger_start() {
	local uid passwd=$BATS_TEST_TMPDIR/passwd shell
	shell=(unshare -m sh -c 'mount --bind "$1" /etc/passwd && shift && exec "$@"' - "$passwd")
	[[ $EUID == 0 ]] || skip 'needs root to become another user'
	uid=$((1988000000 + BASHPID % 1000000))
	{ cat /etc/passwd && echo "stranger:x:$uid:$uid::/nonexistent:/bin/sh"; } >"$passwd"
	chmod 0644 "$passwd"
	"${shell[@]}" true 2>/dev/null || skip 'no mount namespace can be made here'
	drop=(setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all env -i PATH="$PATH" LC_ALL=C.UTF-8)
	"${drop[@]}" test -x "$CRED" || skip "no other user may read $CRED"
	stranger=$uid SHM=/dev/shm/alation-cred-$uid TMP=/tmp/alation-cred-$uid
	ENTRY=$SHM/${ENTRY##*/}
	cd / || return 1
	coproc SESSION {
		"${shell[@]}" "${drop[@]}" TMPDIR=/tmp bash -c 'source "$1"; trap session_stop EXIT
			session_start unlocked && echo "$DBUS_SESSION_BUS_ADDRESS $HOME" && read -r _' - "$SANDBOX_TOP/tests/lib/session.bash" \
			3>&- 2>"$BATS_TEST_TMPDIR/session"
	}
	read -r -t 20 stranger_bus stranger_home <&"${SESSION[0]}" || { cat "$BATS_TEST_TMPDIR/session" >&2; return 1; }
	as_stranger
}

as_stranger() { # [NAME=VALUE...]: the environment he has besides
	as=("${drop[@]}" DBUS_SESSION_BUS_ADDRESS="$stranger_bus" "$@" "$NO_KEYCTL")
}

stranger_stop() {
	local pid=${SESSION_PID:-}
	[[ $stranger ]] || return 0
	if [[ $pid ]]; then
		exec {SESSION[1]}>&-
		wait "$pid" || :
	fi
	rm -rf "$SHM" "$TMP" "$SHM.target"
}

@test "no name and no home: all of it lies in the tmpfs, one mint for 200, and status says so" {
	stranger_start
	run -2 getent passwd "$stranger"
	login_demo
	expect 0
	cached
	[[ $(holder) == 'private-file kernel:unavailable' ]]
	run_cred status
	expect 0 "the accounts are listed in $SHM"
	rm "$ENTRY"
	many "$callers" get
	[[ $(mints) == 2 ]]
	all_equal "$callers"
	[[ $(find "$SHM" -maxdepth 1 -printf '%m %f\n' | sort) == "600 accounts
600 ${ENTRY##*/}
700 alation-cred-$stranger
700 locks" ]]
	run_cred logout
	expect 0
	[[ ! -e $ENTRY && ! -e $TMP ]]
}

@test "a home that is another's or not there: the same" {
	stranger_start
	mkdir -m 0755 "$BATS_TEST_TMPDIR/root" # below a directory that he may not even enter
	as_stranger HOME="$BATS_TEST_TMPDIR/root" XDG_STATE_HOME=
	login_demo
	expect 0
	cached
	as_stranger HOME=/nonexistent
	cached
	as_stranger HOME=
	cached
	[[ $(mints) == 1 && -s $ENTRY ]]
}

# WHERE: of these each is tried in a directory's place; none may be touched.
traps='it is no directory|mkdir -p -m 0700 $SHM.target; chown $stranger $SHM.target; ln -s $SHM.target $1
it is no directory|ln -s /nonexistent $1
it is no directory|mkfifo -m 0600 $1; chown $stranger $1
it is no directory|touch $1; chown $stranger $1
it is no directory|mkdir -m 0700 $1
it is no directory|mkdir -m 0777 $1
it is no directory|mkdir -m 0755 $1; chown $stranger $1'
lay() { eval "${trap#*|}"; }
trapped() { find "$SHM" "$TMP" "$SHM.target" -printf '%p %y %m %U %T@ %l\n' 2>/dev/null || :; }

@test "what stands in the directory's place is not used: said, served uncached, untouched; and logout still works" {
	local trap before
	stranger_start
	as_stranger HOME="$stranger_home"
	login_demo
	expect 0
	while read -r trap; do
		rm -rf "$SHM" "$TMP" "$SHM.target"
		lay "$SHM"
		lay "$TMP" 2>/dev/null
		before=$(trapped)
		uncached "${trap%%|*}"
		[[ $err == *"(denied: $SHM is not used"* ]] || fails "another place is named"
		[[ $(trapped) == "$before" ]] || fails "it was touched: $(trapped)"
	done <<<"$traps"
	[[ $(holder) == ' kernel:unavailable private-file:denied' ]]
	run_cred logout
	expect 0
	[[ $(trapped) == "$before" ]]
}

@test "/dev/shm is taken: the same name in /tmp serves if that is a tmpfs, and no token is written to a disk" {
	stranger_start
	as_stranger HOME="$stranger_home"
	ln -s /nonexistent "$SHM"
	login_demo
	expect 0
	if [[ $(stat -f -c %T /tmp) == tmpfs ]]; then
		[[ -s $TMP/${ENTRY##*/} ]]
		cached
	else
		[[ $err == *"$TMP is not used: it is on no tmpfs"* ]] || fails "not said"
		uncached 'it is on no tmpfs'
		[[ -z $(find "$TMP" -type f) ]]
	fi
	[[ $(readlink "$SHM") == /nonexistent ]]
}
