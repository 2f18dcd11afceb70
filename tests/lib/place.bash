# SPDX-License-Identifier: MIT
# A machine within the machine, for the places where people run the program (`load ../lib/place`): mounts and processes of
# its own, users of its own (alice, bob and carol), nothing in /run, /dev/shm, /var/lib, /usr/local and /root, and the
# program as it is installed in /usr/local. The network is shared, so a sandbox serves it. All of it is gone with its first process;
# only what those users had in the kernel keyring is outside, and place_teardown empties that. Needs root.
#
#   recipe NAME [PAGE]        prints the block of docs/recipes.md (or that page there) that follows the line <!-- NAME -->, as this place has
#                             it: the page's instance is the sandbox. No such block is a failure
#
#   place_setup [SANDBOX OPTION...]   a test's setup: the environment, a sandbox, the place; skips where it cannot be
#   place_teardown
#   place CMD...              as root in the place, in this shell's environment
#   place_as USER CMD...      as that user, with HOME, LOGNAME, USER, SHELL, PATH and what $place_env adds
#   place_cred USER ARG...    alation-cred so, without a terminal; $out $err $code as run_cred has them
#   place_sh USER SCRIPT      the script so, by bash; likewise
#   place_write PATH [MODE [USER]]    stdin into a file of the place
#   place_sign_in USER [ARG...]       login by password, as that user
#   place_forget USER         empties the user's kernel keyring: no token is cached then
#   place_uid USER, place_mints, place_live     the number; how often was minted; what was minted last
#
# A user's desktop, with a bus at /run/user/UID/bus and a real gnome-keyring (tests/lib/session.bash):
#
#   place_desktop USER STATE  starts it, as session_start does; $place_bus is its address
#   place_desktop_does USER WHAT              session_WHAT there: lock, unlock, restart_keyring, stop

# shellcheck source=program.bash
source "${BASH_SOURCE[0]%/*}/program.bash"

PLACE_WAIT_S=20

# In the place, before its first process is started; UID: alice's, the others' are the next ones.
place_make() { # UID BUILD SESSION VAR_LIB
	local name uid=$1
	mount --make-rprivate / && mount -t proc proc /proc || return 1
	mount -t tmpfs -o mode=0755 place /run && mkdir /run/home /run/lock /run/user /run/sshd && cp -a /etc /run/etc &&
		mount --bind /run/etc /etc || return 1
	for name in alice bob carol; do
		echo "$name:x:$uid:$uid::/run/home/$name:/bin/bash" >>/etc/passwd
		echo "$name:x:$uid:" >>/etc/group
		echo "$name:*:19000::::::" >>/etc/shadow
		install -d -m 0700 -o "$uid" -g "$uid" "/run/home/$name" || return 1
		uid=$((uid + 1))
	done
	mount -t tmpfs -o mode=1777 place /dev/shm && mount -t tmpfs -o mode=0755 place /usr/local &&
		mkdir -p /usr/local/bin /usr/local/lib/alation-cred && cp -R "$2/installed/alation-cred" /usr/local/bin &&
		cp -R "$2/alation.so" "$2/modules" /usr/local/lib/alation-cred && install -m 0644 "$3" /run/session.bash &&
		mount --bind "$4" /var/lib &&
		mount -t tmpfs -o mode=0700 place /root
}

place_can() {
	[[ $EUID == 0 ]] || skip 'needs root: a user of another name, and mounts'
	unshare --mount --pid --fork --kill-child --uts --ipc true 2>/dev/null || skip 'no namespaces can be made here'
}

# What `make install` would lay down in /usr/local; a build for another place is linked anew for this one.
place_build() {
	build=${B:-$SANDBOX_TOP/.build}
	[[ $(<"$build/installed/places") != '/usr/local/lib /etc' ]] || return 0
	mkdir -p "$BATS_TEST_TMPDIR/build/tests" && cp -R "$build/tests/check-module" "$BATS_TEST_TMPDIR/build/tests" && cp -R "$build/core" "$build/core.a" "$build/shared" "$build/alation.so" "$build/modules" "$BATS_TEST_TMPDIR/build" &&
		build=$BATS_TEST_TMPDIR/build && make -s -C "$SANDBOX_TOP" B="$build" PREFIX=/usr/local SYSCONFDIR=/etc installed
}

place_setup() {
	local build
	place_can
	place_build || return 1
	program_environment
	unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY
	exec </dev/null
	cd / || return 1
	sandbox_start "$@"
	OUT=$BATS_TEST_TMPDIR/out place_env=() place_pids=() place_root=''
	place_uid=$((1900000000 + BASHPID % 1000000 * 4))
	mkdir "$BATS_TEST_TMPDIR/lib" && mkfifo "$BATS_TEST_TMPDIR/ready"
	exec {place_ready}<>"$BATS_TEST_TMPDIR/ready"
	# Its number out here, before it has a /proc of its own; its first process then waits, and takes up those that are left.
	setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --uts --ipc bash -c "$(declare -f place_make)
		read -r pid _ </proc/self/stat && place_make $place_uid ${build@Q} ${SANDBOX_TOP@Q}/tests/lib/session.bash ${BATS_TEST_TMPDIR@Q}/lib && mkfifo /run/hold && echo \$pid || echo
		read -r _ <>/run/hold" >"$BATS_TEST_TMPDIR/ready" 2>"$BATS_TEST_TMPDIR/place-log" 3>&- &
	place_pids+=($!)
	read -r -t $PLACE_WAIT_S -u "$place_ready" place_root && [[ $place_root ]] || { cat "$BATS_TEST_TMPDIR/place-log" >&2 && return 1; }
}

place_teardown() {
	local i
	sandbox_stop
	[[ ${place_pids[0]:-} ]] || return 0
	for i in 0 1 2; do
		setpriv --reuid=$((place_uid + i)) --regid=$((place_uid + i)) --clear-groups --inh-caps=-all keyctl clear @u 2>/dev/null || :
	done
	[[ ! $place_root ]] || kill -KILL "$place_root" # all others in there end with it
	wait "${place_pids[@]}" 2>/dev/null || :
}

place() { nsenter --target "$place_root" --mount --pid --uts --ipc --wd=/ -- "$@" 3>&-; }
place_uid() { local names=(alice bob carol) i; for i in 0 1 2; do [[ ${names[i]} != "$1" ]] || echo $((place_uid + i)); done; }
place_mints() { sandbox_calls createAPIAccessToken; }
place_live() { sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1; }

place_as() {
	local user=$1 uid
	shift
	uid=$(place_uid "$user")
	place setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all env -i HOME="/run/home/$user" LOGNAME="$user" USER="$user" \
		SHELL=/bin/bash PATH=/usr/local/bin:/usr/bin:/bin "${place_env[@]}" "$@"
}

place_run() { # CMD...: $out $err $code; what was run is in $ran
	code=0
	"$@" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	IFS= read -r -d '' raw <"$OUT" || :
	IFS= read -r -d '' err <"$BATS_TEST_TMPDIR/err" || :
	out=${raw%"${raw##*[!$'\n']}"} err=${err%"${err##*[!$'\n']}"} ran="${*@Q}"
}

place_cred() { place_run place_as "$1" setsid -w alation-cred "${@:2}"; }
place_sh() { place_run place_as "$1" setsid -w bash -c "$2"; }

place_write() {
	place install -D -m "${2:-0644}" -o "$(place_uid "${3:-}" | grep . || echo 0)" -g "$(place_uid "${3:-}" | grep . || echo 0)" /dev/stdin "$1"
}

place_sign_in() {
	place_cred "$1" login "$SANDBOX_URL" --user "$SANDBOX_USER" --password-stdin "${@:2}" <<<"$SANDBOX_PASSWORD"
	expect 0
}

place_forget() { place_as "$1" keyctl clear @u; }

place_desktop() {
	local user=$1 dir=$BATS_TEST_TMPDIR/desktop-$1 home
	mkdir "$dir" && mkfifo "$dir/in" "$dir/out"
	exec {place_desktop_in}<>"$dir/in" {place_desktop_out}<>"$dir/out"
	declare -g "desktop_in_$user=$place_desktop_in" "desktop_out_$user=$place_desktop_out"
	place_as "$user" TMPDIR="/run/home/$user" LC_ALL=C.UTF-8 bash -c 'source /run/session.bash; trap session_stop EXIT
		session_start "$1" && echo "$XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS" || echo
		while read -r what; do "session_$what" >&2; echo "$?"; done' - "$2" \
		<"$dir/in" >"$dir/out" 2>"$dir/log" &
	read -r -t $PLACE_WAIT_S -u "$place_desktop_out" home place_bus && [[ $place_bus ]] || { cat "$dir/log" >&2 && return 1; }
	place install -d -m 0700 -o "$(place_uid "$user")" -g "$(place_uid "$user")" "/run/user/$(place_uid "$user")"
	place mount --bind "$home" "/run/user/$(place_uid "$user")"
	place_bus=unix:path=/run/user/$(place_uid "$user")/bus
}

place_desktop_does() {
	local in=desktop_in_$1 out=desktop_out_$1 answer
	echo "$2" >&"${!in}"
	read -r -t $PLACE_WAIT_S -u "${!out}" answer && [[ $answer == 0 ]]
}

recipe() {
	local block
	block=$(awk -v mark="<!-- $1 -->" '$0 == mark { on = 1; next } on && /^```/ { if (on++ == 2) exit; next } on == 2' "$SANDBOX_TOP/docs/${2:-recipes.md}")
	[[ $block ]] || { echo "docs/${2:-recipes.md} has no block '$1'" >&2 && return 1; }
	block=${block//https:\/\/102@catalog.example.com/"${SANDBOX_URL/:\/\//:\/\/102@}"}
	printf '%s\n' "${block//https:\/\/catalog.example.com/"$SANDBOX_URL"}"
}
