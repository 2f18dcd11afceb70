#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Many callers at once: one mint, everyone served; and what a killed, a stopped or a slow one means for the others.

bats_require_minimum_version 1.5.0
load ../lib/program

MANY=${B:-$SANDBOX_TOP/.build}/tests/tools/many

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	helpers=()
	callers=200
	[[ $(ldd "$CRED") != *san* ]] || callers=50 # whose start costs ten times as much: a keyring's 5 s would go by
	login_demo
	expect 0
	drop_cached
}

teardown() {
	program_end_helpers
	program_teardown
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL")" @u >/dev/null
}

# many N ARG...: so many programs at once; $counts is what came back. Nothing here may fail because a machine is slow.
many() {
	counts=$(setsid -w "$MANY" "$1" "$CRED" --timeout 100 "${@:2}" 3>&- 2>"$BATS_TEST_TMPDIR/err")
}

# As git asks, by its protocol.
ask_git=(sh -c 'printf "protocol=http\nhost=%s\n" "$1" | exec "$0" --timeout 100 --protocol git get')
git_equal() { # N: they all got the one token that lives
	live=$(sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1)
	[[ $counts =~ ^"exit 0 $1"$'\n'"output $1 username=102\\npassword=$live\\npassword_expiry_utc="[0-9]+'\n'$ ]] || { echo "$counts" >&2; return 1; }
	works "$live"
}

# start ARG...: the program in the background; $started is its own pid, its stdout goes to $OUT.PID.
start() {
	"$CRED" "$@" >"$OUT.started" 2>/dev/null 3>&- &
	started=$!
	helpers+=("$started")
}

all_equal() { # N: so many ended with 0, and wrote the token that the server made last
	local live
	live=$(sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1)
	[[ $counts == "exit 0 $1"$'\n'"output $1 $live\\n" ]] || { echo "$counts" >&2; return 1; }
	works "$live"
}

mints() { sandbox_calls createAPIAccessToken; }

until_mints() { # the server has acted so often; log lines are written when it has
	local end=$((SECONDS + 10))
	until [[ $(mints) == "$1" ]]; do ((SECONDS < end)) || return 1; done
}

lock_holder() { # of the account's lock
	local inode
	inode=$(stat -c %i "$STATE/locks/${1:-102}@"*)
	awk -v inode="$inode" '$2 == "FLOCK" && $6 ~ ":" inode "$" { print $5 }' /proc/locks
}

@test "C1: 200 at once on an empty cache: one mint, 200 equal answers" {
	many $callers get
	[[ $(mints) == 2 ]] # the login's, and one
	all_equal $callers
}

@test "200 at once, and the mint takes two seconds; the cache goes, and there is one more" {
	sandbox_fault endpoint=createAPIAccessToken delay_ms=2000
	many $callers token
	[[ $(mints) == 2 ]]
	all_equal $callers
	many 100 token
	[[ $(mints) == 2 ]]
	all_equal 100
	drop_cached
	many 100 token
	[[ $(mints) == 3 ]]
	all_equal 100
}

@test "200 at once by git's protocol: one mint, 200 equal answers" {
	counts=$(setsid -w "$MANY" "$callers" "${ask_git[@]}" "$CRED" "${SANDBOX_URL#http://}" 3>&- 2>"$BATS_TEST_TMPDIR/err")
	[[ $(mints) == 2 ]]
	git_equal "$callers"
	[[ ! -s $BATS_TEST_TMPDIR/err ]]
}

@test "the keyring is looked into by one of them, not by 200" {
	local lookups
	many 50 get -v
	[[ $(mints) == 2 ]]
	lookups=$(grep -c 'look up refresh' "$BATS_TEST_TMPDIR/err")
	[[ $lookups == 1 ]]
}

@test "the one who mints is killed, twice: the next takes over, the survivors agree" {
	local pid held
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000 drop=before times=2
	setsid -w "$MANY" 60 "$CRED" --timeout 100 get >"$OUT" 2>/dev/null 3>&- &
	for held in 1 2; do
		sandbox_held "$held"
		pid=$(lock_holder)
		[[ $pid ]]
		kill -KILL "$pid"
	done
	wait $!
	[[ $(sed -n '1,2p' "$OUT" | sort) == $'exit 0 58\nsignal 9 2' ]]
	counts=$(sed '/^signal/d; /^output 2 $/d' "$OUT")
	all_equal 58
	sandbox_release
	[[ $(mints) -le 4 ]] # the login's, one, and one a kill
	run_cred get
	expect 0
	works "$out"
}

@test "killed between the server's act and the cache: one more mint, the survivors agree on it" {
	local pid
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	setsid -w "$MANY" 40 "$CRED" --timeout 100 get >"$OUT" 2>/dev/null 3>&- &
	sandbox_held
	pid=$(lock_holder)
	kill -STOP "$pid"
	sandbox_release
	until_mints 2
	kill -KILL "$pid"
	wait $!
	[[ $(mints) == 3 ]]
	counts=$(sed '/^signal 9 1$/d; /^output 1 $/d' "$OUT")
	all_equal 39
}

@test "a stopped lock holder: the others end with 8 at their --timeout, and never mint; then all goes on" {
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	start get
	sandbox_held
	kill -STOP "$started"
	many 20 get --timeout 1
	[[ $counts == $'exit 8 20\noutput 20 ' ]]
	refuses 8 busy 'http://102@|try again' get --timeout 1
	run_cred logout --timeout 1
	expect 8
	[[ $(mints) == 1 && $(sandbox_calls revokeAPIAccessTokens) == 0 ]]
	kill -CONT "$started"
	sandbox_release
	wait "$started"
	run_cred get
	expect 0
	[[ $out == "$(<"$OUT.started")" && $(mints) == 2 ]]
}

@test "a waiter that gets its token from the cache is served while the account's lock is still held" {
	local token lock end=$((SECONDS + 10))
	token=$(sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p')
	exec {lock}<>"$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}"
	flock "$lock"
	cred get -v --timeout 20 >"$OUT.waiter" 2>"$OUT.trace" {lock}>&- &
	# Its second look is one after it tried the lock: it waits.
	until [[ $(grep -c 'look up access' "$OUT.trace") -ge 2 ]]; do ((SECONDS < end)); done
	printf %s "v=1&token=$token&minted_at=0&lifetime_s=86400&expires_at=$((EPOCHSECONDS + 86400))&boot_id=other&parent=0&mints=1&skew_s=0" |
		keyctl padd user "alation-cred-tree:access:102@$SANDBOX_URL" @u >"$OUT.key"
	keyctl setperm "$(<"$OUT.key")" 0x3f1f0000
	wait $!
	exec {lock}>&-
	[[ $(<"$OUT.waiter") == "$token" && $(mints) == 1 ]]
}

@test "two accounts side by side do not wait for one another" {
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
	drop_cached 103
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	start get "${SANDBOX_URL/:\/\//:\/\/102@}"
	sandbox_held
	run_cred get --timeout 10 "${SANDBOX_URL/:\/\//:\/\/103@}"
	expect 0
	works "$out"
	[[ ! -s $OUT.started ]]
	sandbox_release
	wait "$started"
	[[ $(<"$OUT.started") != "$out" ]]
	works "$(<"$OUT.started")"
	works "$out"
}

@test "logins at once: the list loses none of them, and one of them is the default" {
	local id pids=() pid options=()
	for id in 1 2 3 4 5 6 7 8; do options+=(--user "u$id:p$id:$id"); done
	program_sandbox "${options[@]}"
	for id in 1 2 3 4 5 6 7 8; do
		cred login "$SANDBOX_URL" --user "u$id" --password-stdin <<<"p$id" 2>/dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	run_cred status --format json
	expect 0
	[[ $(jq --arg url "$SANDBOX_URL" '[.accounts[] | select(.base_url == $url).user_id] | sort | map(tostring) | join(" ")' <<<"$out") == '"1 2 3 4 5 6 7 8"' ]]
	[[ $(jq '[.accounts[] | select(.default)] | length' <<<"$out") == 1 ]]
	[[ -z $(find "$STATE" -name '*.new') ]]
}

# What an ordinary user has: 200 keys, 20,000 bytes. Root's limits would hide what the cache costs.
ordinary_user() {
	export TMPDIR=/tmp
	trap 'keyctl list @u | sed -n "s/^ *\([0-9]*\):.*alation-cred-tree:.*/\1/p" | xargs -r -n 1 -I{} keyctl unlink {} @u; session_stop' EXIT
	session_start unlocked
	export HOME=$session_dir/home XDG_STATE_HOME=
	"$CRED" login "$SANDBOX_URL" --user demo --password-stdin <<<demo-password
	for _ in 1 2; do
		keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u
		"$MANY" "$callers" "$CRED" --timeout 100 get
	done
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u
	"$MANY" "$callers" "${ask_git[@]}" "$CRED" "${SANDBOX_URL#http://}"
}

@test "an ordinary user, with his quota of kernel keys: 200 at once, twice, and by git's protocol" {
	local uid before second # one that the system knows: a D-Bus lets no other in
	uid=$(id -u nobody)
	[[ $UID == 0 ]] || skip "needs root to become another user (as an ordinary user, the tests above are this one)"
	setpriv --reuid="$uid" --regid="$uid" --clear-groups test -x "$CRED" || skip "no other user may read $CRED"
	before=$(pgrep -u "$uid" || :)
	# The caller's session is not the other user's; nothing of it may be found.
	counts=$(cd / && setsid -w setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all \
		env -i PATH="$PATH" LC_ALL=C.UTF-8 B="${B:-}" CRED="$CRED" MANY="$MANY" callers="$callers" SANDBOX_URL="$SANDBOX_URL" \
		bash -c "$(declare -f ordinary_user; declare -p ask_git)"'; source "$1"; ordinary_user' - "$SANDBOX_TOP/tests/lib/session.bash" \
		3>&- 2>"$BATS_TEST_TMPDIR/err") || { cat "$BATS_TEST_TMPDIR/err" >&2; return 1; }
	[[ $(mints) == 5 ]] # two logins, three mints
	tail -n 2 <<<"$counts" >"$BATS_TEST_TMPDIR/by-git"
	[[ $(sed -n '1p; 3p' <<<"$counts") == "exit 0 $callers"$'\n'"exit 0 $callers" ]] || { echo "$counts"; tail -n 5 "$BATS_TEST_TMPDIR/err"; return 1; } >&2
	# The second time they all got what was minted then: by git's protocol it was revoked.
	second=$(sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | sed -n 4p)
	[[ $(sed -n 3,4p <<<"$counts") == "exit 0 $callers"$'\n'"output $callers $second\n" ]] || { echo "$counts" >&2; return 1; }
	counts=$(<"$BATS_TEST_TMPDIR/by-git")
	git_equal "$callers"
	[[ $(pgrep -u "$uid" || :) == "$before" ]]
}
