# SPDX-License-Identifier: MIT
# A desktop session for one test: a private D-Bus and a real gnome-keyring, with home and run-time directories of
# their own below the test's temporary directory. Never the caller's: before session_start nothing of it is left
# in the environment. Processes are ended by their number.
#
#   session_start unlocked|locked|blank|nokeyring|nodaemon|nobus
#   session_restart_keyring   kill the daemon, start it again: what has a password is locked then
#   session_lock              what has a password is locked
#   session_unlock            with the session's password
#   session_freeze, session_thaw        the daemon, by SIGSTOP
#   session_store_neighbour, session_neighbour    another application's secret
#   session_stop              ends all of it; also right after a session_start that failed

SESSION_PASSWORD=sesame
SESSION_WAIT_S=10
session_dir= session_bus_pid= session_keyring_pid=

session_environment() { # the caller's session must not be reachable
	unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE \
		GNOME_KEYRING_CONTROL GNOME_KEYRING_PID SSH_AUTH_SOCK SECRET_BACKEND XDG_CURRENT_DESKTOP
	# A socket's path has 107 bytes at most, and a test's own directory may have used them up.
	session_dir=$(mktemp -d "${TMPDIR:-/tmp}/acred.XXXXXXXX") || return 1
	export HOME=$session_dir/home XDG_RUNTIME_DIR=$session_dir/run
	export XDG_DATA_HOME=$HOME/.local/share XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache \
		XDG_STATE_HOME=$HOME/.local/state
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME" "$XDG_STATE_HOME" &&
		chmod 0700 "$HOME" "$XDG_RUNTIME_DIR"
}

session_bus() { # nothing can be activated, unless a test names a directory of services in SESSION_SERVICES
	cat >"$session_dir/bus.conf" <<-END
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig>
		  <type>session</type>
		  <listen>unix:path=$XDG_RUNTIME_DIR/bus</listen>
		  <auth>EXTERNAL</auth>
		  ${SESSION_SERVICES:+<servicedir>$SESSION_SERVICES</servicedir>}
		  <policy context="default">
		    <allow send_destination="*" eavesdrop="true"/>
		    <allow eavesdrop="true"/>
		    <allow own="*"/>
		  </policy>
		</busconfig>
	END
	mkfifo "$session_dir/address" || return 1
	dbus-daemon --config-file="$session_dir/bus.conf" --nofork --nopidfile --print-address=1 \
		>"$session_dir/address" 2>"$session_dir/bus.log" </dev/null 3>&- &
	session_bus_pid=$!
	read -r -t "$SESSION_WAIT_S" DBUS_SESSION_BUS_ADDRESS <"$session_dir/address" || return 1
	export DBUS_SESSION_BUS_ADDRESS
}

session_keyring() { # [--unlock]: the password comes on stdin
	gnome-keyring-daemon --foreground --components=secrets "$@" <&0 >"$session_dir/keyring.log" 2>&1 3>&- &
	session_keyring_pid=$!
	gdbus wait --session --timeout "$SESSION_WAIT_S" org.freedesktop.secrets
}

session_blank_keyring() { # what is on disk after its owner chose an empty password: a readable file
	local dir=$XDG_DATA_HOME/keyrings

	mkdir -m 0700 "$dir" && printf %s Default_keyring >"$dir/default" &&
		printf '%s\n' '[keyring]' display-name=Default ctime=0 mtime=0 lock-on-idle=false lock-after=false \
			>"$dir/Default_keyring.keyring"
}

session_end_process() { # PID [SIGNAL]
	[ -n "$1" ] || return 0
	kill "-${2:-TERM}" "$1" 2>/dev/null || true
	kill -CONT "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

session_start() {
	session_environment || return 1
	[ "$1" != nobus ] || return 0
	session_bus || return 1
	case $1 in
	unlocked) session_keyring --unlock < <(printf %s "$SESSION_PASSWORD") ;;
	blank) session_blank_keyring && session_keyring </dev/null ;;
	locked) session_keyring --unlock < <(printf %s "$SESSION_PASSWORD") && session_restart_keyring ;;
	nokeyring) session_keyring </dev/null ;;
	nodaemon) ;;
	*) echo "session_start: '$1'?" >&2 && return 1 ;;
	esac
}

# By SIGKILL: the name falls at once, and what was stored must have been durable.
session_restart_keyring() {
	session_end_process "$session_keyring_pid" KILL
	session_keyring </dev/null
}

session_lock() { # by its own service, as when a desktop session is locked: the daemon stays the same
	gdbus call --session --dest org.freedesktop.secrets --object-path /org/freedesktop/secrets \
		--method org.freedesktop.Secret.Service.Lock "['/org/freedesktop/secrets/aliases/default']" >/dev/null
}

session_unlock() {
	session_end_process "$session_keyring_pid" KILL
	session_keyring --unlock < <(printf %s "$SESSION_PASSWORD")
}

session_freeze() {
	kill -STOP "$session_keyring_pid"
}

session_thaw() {
	kill -CONT "$session_keyring_pid"
}

session_store_neighbour() {
	printf %s "${1:-a neighbour}" | secret-tool store --label=Neighbour application neighbour
}

session_neighbour() {
	secret-tool lookup application neighbour
}

session_stop() {
	session_end_process "$session_keyring_pid" KILL
	session_end_process "$session_bus_pid"
	[ -z "$session_dir" ] || rm -rf -- "$session_dir"
	session_dir= session_bus_pid= session_keyring_pid=
}
