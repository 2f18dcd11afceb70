#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rows of the fault matrix, keyring: R1 to R3, R5, R7, R11, R13, R15, as far as the whole program shows them. Where it can, a
# real gnome-keyring; for dialogs, which that shows on no display, a Secret Service of our own (tests/tools/mock-secrets.c).

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/mock

TOOLS=${B:-$SANDBOX_TOP/.build}/tests/tools

setup() {
	program_environment
	as=() theirs='' sleeper='' watcher=''
}

teardown() {
	[[ -z $watcher ]] || kill "$watcher"
	session_end_process "$theirs"
	[[ -z $sleeper ]] || kill "$(<"$sleeper")" 2>/dev/null || :
	session_stop
	program_teardown
}

# begin STATE: the session, and the sandbox.
begin() {
	session_start "$1"
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
}

# A bus whose Secret Service is the mock.
begin_mock() { # ARG...
	begin nodaemon
	mock_start "$@"
}

cred() {
	timeout 20 setsid -w "${as[@]}" "$CRED" "$@" 3>&-
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
}

# secret-tool's words for the one item there should be: VERB OPTIONS, and further attributes behind '--'.
ours() {
	local words=("$1") more=()
	shift
	while [[ $# -gt 0 && $1 == -?* && $1 != -- ]]; do words+=("$1") && shift; done
	[[ ${1:-} != -- ]] || more=("${@:2}")
	secret-tool "${words[@]}" application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 "${more[@]}"
}
items() { # how many have that attribute
	secret-tool search --all "$@" 2>/dev/null | grep -c '^secret = ' || :
}

until_heard() {
	local end=$((SECONDS + 10))
	until grep -q "$1" "$BATS_TEST_TMPDIR/heard"; do ((SECONDS < end)); done
}

passed_over() {
	run_cred status "$ACCOUNT" --format json
	expect 0
	jq -r '.accounts[0].refresh.passed_over[] | select(.module == "secret-service").status' <<<"$out"
}

# Each verb that needs the keyring: EXIT CODE WORDS; and the server hears of none.
each_verb() {
	local input=$SANDBOX_PASSWORD
	: >"$SANDBOX_LOG"
	refused_plainly=
	refuses "$1" "$2" "$3" get "$ACCOUNT" "${@:4}" || return 1
	refuses "$1" "$2" "$3" rotate "$ACCOUNT" "${@:4}" || return 1
	refuses "$1" "$2" "$3" logout "$ACCOUNT" "${@:4}" || return 1
	refuses "$1" "$2" "$3" login "$SANDBOX_URL" --user demo --password-stdin "${@:4}" || return 1
	no_calls
}

# Nothing but the program itself is executed, and no process is made (threads are).
starts_nothing() {
	local trace=$BATS_TEST_TMPDIR/trace
	strace -f -qq -o "$trace" -e trace=execve,execveat,fork,vfork,clone,clone3 "$CRED" "$@" >/dev/null 2>&1 3>&- </dev/null || :
	[[ $(grep -cE ' (execve|execveat)\(' "$trace") == 1 ]] || { cat "$trace" >&2; return 1; }
	run ! grep -E ' (fork|vfork|clone|clone3)\(' <(grep -v CLONE_THREAD "$trace")
}

# Another user's bus, which nothing in the file system belongs to: the peer must be asked.
their_bus() {
	[[ $EUID == 0 ]] || skip 'needs root to be another user'
	local address
	chmod 0755 "$session_dir"
	cat >"$session_dir/theirs.conf" <<-END
		<busconfig>
		  <listen>unix:abstract=acred-$BASHPID-$RANDOM</listen>
		  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy>
		</busconfig>
	END
	chmod 0644 "$session_dir/theirs.conf"
	mkfifo "$BATS_TEST_TMPDIR/address"
	setpriv --reuid 65534 --regid 65534 --clear-groups dbus-daemon --config-file="$session_dir/theirs.conf" --nofork \
		--nopidfile --print-address=1 >"$BATS_TEST_TMPDIR/address" </dev/null 3>&- &
	theirs=$!
	read -r -t 10 address <"$BATS_TEST_TMPDIR/address"
	echo "$address" >"$BATS_TEST_TMPDIR/theirs"
}

@test "R1: no bus, a dead socket, 'disabled:', what is no socket: 5 within a second of patience, nothing is started" {
	[[ $(ldd "$CRED") != *san* ]] || skip 'a sanitizer does not run under strace'
	local address bin=$BATS_TEST_TMPDIR/bin
	begin nobus
	mkdir "$bin"
	printf '#!/bin/sh\necho "$0" >>"%s/started"\n' "$bin" >"$bin/dbus-launch"
	chmod +x "$bin/dbus-launch"
	export PATH=$bin:$PATH DISPLAY=:99 # with these GLib would start one
	mkdir "$XDG_RUNTIME_DIR/directory"
	touch "$XDG_RUNTIME_DIR/file"
	mkfifo "$XDG_RUNTIME_DIR/fifo"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$XDG_RUNTIME_DIR/dead"
	for address in '' disabled: autolaunch: "unixexec:path=$bin/dbus-launch" tcp:host=127.0.0.1,port=9 unix:path=/nonexistent \
		unix:abstract=acred-nobody "unix:path=$XDG_RUNTIME_DIR/"{dead,file,fifo,directory}; do
		export DBUS_SESSION_BUS_ADDRESS=$address
		each_verb 5 keyring_unavailable 'no keyring can be reached|Secret Service' --timeout 1 || fails "by $address"
		starts_nothing get "$ACCOUNT"
	done
	unset DBUS_SESSION_BUS_ADDRESS
	each_verb 5 keyring_unavailable 'no keyring can be reached|there is no D-Bus session' --timeout 1
	starts_nothing login "$SANDBOX_URL" --user demo --password-stdin
	[[ ! -e $bin/started && ! -e $STATE/accounts && -z $(kernel_keys) ]]
}

@test "R1: another user's bus, abstract and with a path: 5, and he learns nothing" {
	[[ $(ldd "$CRED") != *san* ]] || skip 'a sanitizer does not run under strace'
	begin nobus
	their_bus
	export DBUS_SESSION_BUS_ADDRESS
	DBUS_SESSION_BUS_ADDRESS=$(<"$BATS_TEST_TMPDIR/theirs")
	each_verb 5 keyring_unavailable 'belongs to another user' --timeout 1
	starts_nothing get "$ACCOUNT"
	# A socket that is his, whoever serves it.
	python3 -c 'import os, socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1]); os.chown(sys.argv[1], 65534, 65534)' "$XDG_RUNTIME_DIR/bus"
	unset DBUS_SESSION_BUS_ADDRESS
	each_verb 5 keyring_unavailable 'belongs to another user' --timeout 1
}

service_file() { # EXEC
	export SESSION_SERVICES=$BATS_TEST_TMPDIR/services
	mkdir -p "$SESSION_SERVICES"
	printf '[D-BUS Service]\nName=org.freedesktop.secrets\nExec=%s\n' "$1" >"$SESSION_SERVICES/secrets.service"
}

@test "R2: no provider, one that fails to start, one that dies: 5, and nobody waits" {
	local exec
	begin nodaemon
	each_verb 5 keyring_unavailable 'no Secret Service' --timeout 1
	session_stop
	for exec in /bin/false /nonexistent/daemon "/bin/sh -c 'kill -KILL \$\$'"; do
		service_file "$exec"
		session_start nodaemon
		export HOME=$BATS_TEST_TMPDIR/home XDG_STATE_HOME=
		each_verb 5 keyring_unavailable 'no keyring can be reached' --timeout 1 || fails "$exec"
		session_stop
	done
}

@test "R2: a provider that takes 120 s to start: 5, keyring_timeout, in the time there is" {
	service_file "/bin/sh -c 'echo \$\$ >$BATS_TEST_TMPDIR/sleeper; exec sleep 120'"
	begin nodaemon
	sleeper=$BATS_TEST_TMPDIR/sleeper
	each_verb 5 keyring_timeout 'did not answer in time' --timeout 1
	run_cred login "$SANDBOX_URL" --user demo --password-stdin --format json <<<"$SANDBOX_PASSWORD" # by the keyring's own 5 s
	expect_json 5 keyring_timeout 'secret-service'
	no_calls
}

@test "R3: no default keyring: 5, and none is created, whether somebody is there to be asked or not" {
	local who
	begin_mock no-default
	for who in never always; do
		each_verb 5 keyring_unavailable 'has no default keyring' --interactive $who
	done
	[[ $(called CreateCollection) == 0 && $(called CreateItem) == 0 && $(called Prompt) == 0 && $(called ReadAlias) -ge 8 ]]
	session_end_process "$session_keyring_pid"
	session_keyring </dev/null # a real one that has none yet
	dbus-monitor --session "interface='org.freedesktop.Secret.Service'" "interface='org.freedesktop.Secret.Collection'" \
		"interface='org.freedesktop.Secret.Prompt'" >"$BATS_TEST_TMPDIR/heard" 3>&- &
	watcher=$!
	until_heard NameAcquired
	for who in never always; do
		each_verb 5 keyring_unavailable 'has no default keyring' --interactive $who
	done
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Prompt.EndOfTest
	until_heard EndOfTest
	grep -q 'member=ReadAlias' "$BATS_TEST_TMPDIR/heard"
	run ! grep -E 'member=(CreateCollection|CreateItem|Prompt)$' "$BATS_TEST_TMPDIR/heard"
	[[ -z $(find "$XDG_DATA_HOME" -name '*.keyring') ]]
}

@test "R5: an item with a schema, which a locked keyring does not show to a search for it: 4, not 3; found once it is open" {
	begin unlocked
	sandbox_refresh_token 102 | tr -d '\n' | ours store --label=x -- xdg:schema org.example.Token
	session_restart_keyring
	refuses 4 keyring_locked "$ACCOUNT|unlock" get "$ACCOUNT"
	session_unlock
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

# On the mock, which is locked from here on: an account that is signed in, and nothing cached.
signed_in_and_locked() {
	login_demo
	expect 0 || return 1
	drop_cached
	forget
	session_lock
}
forget() { : >"$CALLED"; : >"$SANDBOX_LOG"; }

@test "R7: nobody is there: locked whatever the dialog would do; it is dismissed, never shown, and its answer not waited for" {
	local manner
	begin nodaemon
	for manner in opens dismissed unanswered acknowledged undismissable mute vanishes dies refused; do
		mock_start $manner
		signed_in_and_locked
		each_verb 4 keyring_locked 'unlock it' --interactive never --timeout 1 || fails "$manner"
		[[ $(called Prompt) == 0 && $(called Dismiss) -ge 4 ]] || fails "$manner: $(sort "$CALLED" | uniq -c)"
		[[ $(passed_over) == locked ]]
		session_end_process "$session_keyring_pid"
	done
}

@test "R7: a service that opens a dialog for a mere search where all is locked is not searched then" {
	begin_mock search-asks dismissed
	signed_in_and_locked
	each_verb 4 keyring_locked 'unlock it' --interactive never
	[[ $(passed_over) == locked && $(called SearchItems) == 0 && $(called Prompt) == 0 ]]
	mock_restart search-asks opens
	signed_in_and_locked
	run_cred get --interactive always
	expect 0
	[[ $(called Prompt) == 1 ]]
}

@test "R7: somebody is there: the dialog opens the keyring; dismissed or not to be shown it is locked, and is not shown again" {
	local manner
	begin_mock opens
	signed_in_and_locked
	run_cred get --interactive always
	expect 0
	works "$out"
	[[ $(called Prompt) == 1 ]]
	for manner in dismissed refused; do
		mock_restart $manner
		signed_in_and_locked
		refused_plainly=
		refuses 4 keyring_locked "was not unlocked for $ACCOUNT" get --interactive always
		[[ $(called Prompt) == 2 ]] || fails "$manner: shown $(called Prompt) times in two calls"
		no_calls
		forget
		run_cred login "$SANDBOX_URL" --user demo --password-stdin --interactive always <<<"$SANDBOX_PASSWORD"
		expect 4 'was not unlocked'
		[[ $(called Prompt) == 1 ]]
		no_calls
	done
}

@test "R7: the service ends while its dialog is open: 5, at once" {
	begin_mock dies
	signed_in_and_locked
	run_cred get --interactive always --format json
	expect_json 5 keyring_unavailable "$ACCOUNT" 'ended while its dialog was open'
}

@test "over ssh nobody is asked for the password of a service that opens by its dialog alone" {
	local asked=$BATS_TEST_TMPDIR/asked
	begin_mock opens
	signed_in_and_locked
	printf '#!/bin/sh\n: >"%s"\necho a password\n' "$asked" >"$BATS_TEST_TMPDIR/askpass"
	chmod 0700 "$BATS_TEST_TMPDIR/askpass"
	SSH_CONNECTION=x ALATION_CRED_ASKPASS=$BATS_TEST_TMPDIR/askpass run_cred unlock "$ACCOUNT"
	expect 4 'its service opens it by a dialog alone' "$ACCOUNT"
	[[ ! -e $asked && $(called Prompt) == 0 ]]
}

@test "R7: a dialog that is never answered, and whatever becomes of it when it is told to go: a timeout, in time" {
	local manner line
	begin nodaemon
	export ASAN_OPTIONS=detect_leaks=0 # what is given up at the deadline is left to the end of the process
	for manner in unanswered acknowledged undismissable mute vanishes; do
		mock_start locked $manner
		run --separate-stderr timeout 20 "$TOOLS/keyring-tool" --notes --prompt --deadline 300 lookup refresh "$SANDBOX_URL" 102
		[[ $status == 6 && $stderr == *'timeout module=secret-service '* && $stderr == *'not answered in time'* ]] || {
			echo "$manner: exit $status, $stderr" >&2
			return 1
		}
		[[ $(called Prompt) == 1 ]]
		[[ $manner == vanishes || $(called Dismiss) == 1 ]]
		session_end_process "$session_keyring_pid"
	done
}

tool() { # VERB STATUS [OPTION]...: the module's answer
	run --separate-stderr timeout 20 "$TOOLS/keyring-tool" --notes "${@:3}" "$1" refresh "$SANDBOX_URL" 102
	[[ $output == "${found:-}" && $stderr == *"$2 module="* ]] || { echo "$1: exit $status, $stderr" >&2; return 1; }
}

@test "R5: what was emptied in a keyring that is open says nothing of the one that is locked" {
	local verb
	begin_mock locked emptied prompts unanswered
	for verb in lookup erase; do tool $verb locked; done
	[[ $(called Prompt) == 0 && $(called SetSecret) == 0 ]]
	mock_restart emptied prompts unanswered
	tool lookup absent
	tool erase ok # of nothing
	[[ $stderr == *'ok module=- '* && $(called Prompt) == 0 && $(called SetSecret) == 0 ]]
	mock_restart locked emptied prompts opens
	tool lookup absent --prompt
	[[ $(called Prompt) == 1 ]]
	mock_restart file="$BATS_TEST_TMPDIR/kept"
	tool store ok < <(printf SECRET)
	mock_restart locked emptied file="$BATS_TEST_TMPDIR/kept"
	tool lookup locked
	mock_restart locked emptied file="$BATS_TEST_TMPDIR/kept" opens
	found=SECRET tool lookup ok --prompt
}

bare_token() { # NAME: one that serves
	sandbox_refresh_token 102 "$1" | tr -d '\n'
}
next_second() { # in which gnome-keyring says that an item was changed
	local now=$EPOCHSECONDS
	until ((EPOCHSECONDS > now)); do :; done
}
used() { # which RefreshToken the last mint was made from
	sandbox_log | sed -n 's/.*createAPIAccessToken.* refresh=\([^ ]*\) .*/\1/p' | tail -n 1
}

@test "R11: two items with the same attributes: the one changed last serves; a login leaves one, a logout none" {
	local first second
	begin unlocked
	first=$(bare_token first) second=$(bare_token second)
	printf %s "$second" | ours store --label=x --collection=session
	next_second
	printf %s "$first" | ours store --label=x
	[[ $(items application alation-cred) == 2 ]]
	run_cred get "$ACCOUNT"
	expect 0
	[[ $(used) == "$first" ]]
	ours clear
	printf %s "$first" | ours store --label=x
	next_second
	printf %s "$second" | ours store --label=x --collection=session
	run_cred token "$ACCOUNT" --fresh
	expect 0
	[[ $(used) == "$second" && $(items application alation-cred) == 2 ]]
	# What cannot be read is an error even beside one that can: nobody knows which of them was meant.
	next_second
	printf %s 'v=2&whatever' | ours store --label=x
	refuses 5 keyring_failed 'newer' token "$ACCOUNT" --fresh
	[[ $(items application alation-cred) == 2 ]]
	printf %s "$first" | ours store --label=x
	login_demo
	expect 0
	[[ $(items application alation-cred) == 1 ]]
	printf %s "$first" | ours store --label=x --collection=session
	run_cred logout "$ACCOUNT"
	expect 0
	[[ $(items application alation-cred) == 0 ]]
}

@test "R11: an item with fewer attributes, and others' with the same host: neither read nor changed nor removed" {
	local before verb
	begin unlocked
	bare_token half | secret-tool store --label=half application alation-cred base_url "$SANDBOX_URL"
	bare_token half | secret-tool store --label=half application alation-cred facility refresh base_url "$SANDBOX_URL"
	bare_token theirs | secret-tool store --label=theirs application neighbour facility refresh base_url "$SANDBOX_URL" user_id 102
	bare_token git | secret-tool store --label=git xdg:schema org.git.Password server "${SANDBOX_URL#http://}" protocol http user 102
	bare_token another | secret-tool store --label=another application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 1020
	not_ours() { # the times of others' items say that nobody touched them
		secret-tool search --all base_url "$SANDBOX_URL" 2>&1 | grep -vE '^(schema|\[)' | sed -n '/label = Alation/,$!p' | sort
		secret-tool search --all server "${SANDBOX_URL#http://}" 2>&1 | sort
	}
	before=$(not_ours)
	[[ $before == *'label = half'*'label = theirs'*'label = git'* ]]
	refuses 3 no_account "$ACCOUNT" get "$ACCOUNT"
	no_calls
	login_demo
	expect 0
	for verb in 'get --fresh' rotate validate logout; do
		run_cred $verb "$ACCOUNT"
		expect 0
	done
	[[ $(not_ours) == "$before" ]] || fails "others' items: $(diff <(echo "$before") <(not_ours))"
	refuses 3 no_account "$ACCOUNT" get "$ACCOUNT"
}

@test "R13: on a keyring without a password: login, get, rotate, a paste and logout, a restart after each; no secret of anybody's is harmed" {
	local verb
	begin blank
	session_store_neighbour "a neighbour's = [secret]"
	login_demo --name $'caf\u00e9 \\ = [x] %0A "'
	expect 0
	for verb in 'get --fresh' rotate 'get --fresh' 'revoke' "login $SANDBOX_URL --user-id 102 --token-stdin" 'get --fresh' logout; do
		session_restart_keyring
		run_cred $verb < <(sandbox_refresh_token 102 pasted)
		expect 0 || return 1
		[[ $verb != get* ]] || works "$out"
		session_restart_keyring
		[[ $(session_neighbour) == "a neighbour's = [secret]" ]] || fails "after $verb a neighbour's secret is gone"
		[[ $verb == logout || $(items application alation-cred) == 1 ]] || fails "after $verb ours is gone"
	done
	[[ $(items application alation-cred) == 0 ]]
}

# A root directory with what flatpak puts into its own.
flatpak() {
	unshare -m sh -c 'mount -t tmpfs none "$1" && cd / || exit 1
		for each in *; do
			if [ -L "$each" ]; then cp -a "$each" "$1"
			elif [ -d "$each" ]; then mkdir "$1/$each" && mount --rbind "$each" "$1/$each" || exit 1; fi
		done
		printf "[Application]\nname=org.example.App\n" >"$1/.flatpak-info"
		root=$1 && shift && exec chroot "$root" "$@"' - "$BATS_TEST_TMPDIR/root" "$@"
}

# With what stands in as=(): a login, a mint, a rotation use the Secret Service, and nothing else is asked or written.
same_store() {
	local before
	before=$(find "$HOME" "$XDG_DATA_HOME" -name '*.keyring')
	login_demo
	expect 0 || return 1
	drop_cached
	run_cred get
	expect 0 && works "$out" || return 1
	run_cred rotate
	expect 0 || return 1
	[[ $(ours lookup) == *"refresh_token=$(sandbox_log | sed -n 's/.*regenRefreshToken.* made=//p' | tail -n 1)&"* ]] || fails "it is not in the Secret Service" || return 1
	run_cred status --format json
	[[ $(jq -r .accounts[0].refresh.module <<<"$out") == secret-service ]] || fails "another module" || return 1
	[[ $(find "$HOME" "$XDG_DATA_HOME" -name '*.keyring') == "$before" ]] || fails "a file was made" || return 1
	run_cred logout
	expect 0
}

# What libsecret does by itself, or the test would test nothing: it looks for another store's password at the portal.
asks_portal() {
	"${as[@]}" secret-tool lookup application neighbour >/dev/null || :
	until_heard org.freedesktop.portal
	: >"$BATS_TEST_TMPDIR/heard"
}
asks_no_portal() {
	dbus-send --session --dest=org.freedesktop.secrets / org.freedesktop.Secret.Prompt.EndOfTest
	until_heard EndOfTest
	run ! grep org.freedesktop.portal "$BATS_TEST_TMPDIR/heard"
}

@test "R15: SNAP_NAME, SECRET_BACKEND=file, /.flatpak-info: the same store as ever" {
	begin unlocked
	session_store_neighbour
	dbus-monitor --session >"$BATS_TEST_TMPDIR/heard" 3>&- &
	watcher=$!
	until_heard NameAcquired
	as=(env SECRET_BACKEND=file SECRET_FILE_TEST_PASSWORD=x SECRET_FILE_TEST_PATH="$BATS_TEST_TMPDIR/file")
	[[ -z $("${as[@]}" secret-tool lookup application neighbour) ]] || fails "SECRET_BACKEND does nothing"
	same_store
	[[ ! -e $BATS_TEST_TMPDIR/file ]]
	as=(env SNAP_NAME=x)
	asks_portal
	same_store
	asks_no_portal
	mkdir "$BATS_TEST_TMPDIR/root"
	flatpak true 2>/dev/null || skip 'no mount namespace can be made here'
	declare -f flatpak >"$BATS_TEST_TMPDIR/flatpak"
	as=(bash -c 'source "$BATS_TEST_TMPDIR/flatpak"; flatpak "$@"' -)
	export BATS_TEST_TMPDIR
	asks_portal
	same_store
	asks_no_portal
}
