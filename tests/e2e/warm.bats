#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The cache: what a call costs that finds its token there, what lies there, and when it is not served any more.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() {
	program_setup_file
	session_pids=$session_keyring_pid
	export session_pids
}

teardown_file() {
	program_teardown_file
}

setup() {
	program_setup
	login_demo
	expect 0
}

teardown() {
	program_teardown
}

mints() { sandbox_calls createAPIAccessToken; }
key() { keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL"; }

@test "a warm call: no library but loader and libc, no socket, no process, nothing written but the token" {
	local trace=$BATS_TEST_TMPDIR/trace token
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	[[ $(ldd "$CRED") != *san* ]] || skip "a sanitizer brings libraries of its own"
	for verb in get token; do
		token=$(strace -f -s 100 -o "$trace" "$CRED" "$verb" </dev/null 3>&-)
		works "$token"
		grep -q 'keyctl(KEYCTL_READ' "$trace"
		run ! grep -E '^[0-9]+ +(socket|connect|socketpair|clone|clone3|fork|vfork|fsync|fdatasync|sync|rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|chmod|fchmod|ftruncate|flock|add_key|pwrite64|writev|sendto|sendmsg|bind)\(' "$trace"
		run ! grep -E 'KEYCTL_(UPDATE|LINK|UNLINK|SETPERM|SET_TIMEOUT|GET_PERSISTENT|JOIN)' "$trace"
		run ! grep -E 'open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)' "$trace"
		[[ $(grep -c 'execve(' "$trace") == 1 ]]
		[[ $(grep -E ' write\(' "$trace" | grep -cvE 'write\(1, ("'"$token"'\\n"|0x[0-9a-f]+), 44\)') == 0 ]] # not dumpable: only root's strace reads what it writes
		[[ $(sed -n 's/.*open\(at\)\?(.*"\([^"]*\.so[^"]*\)".*/\2/p' "$trace" | grep -vE '/(ld\.so\.cache|libc\.so\.6|ld-linux[^/]*)$' | wc -l) == 0 ]]
	done
}

@test "a warm call: the loader initialises nothing but itself and libc" {
	[[ $(ldd "$CRED") != *san* ]] || skip "a sanitizer brings libraries of its own"
	LD_DEBUG=files "$CRED" token >"$OUT" 2>"$BATS_TEST_TMPDIR/loader" 3>&-
	[[ $(grep -c 'calling init' "$BATS_TEST_TMPDIR/loader") -ge 1 ]]
	run ! grep -vE '/(libc\.so\.6|ld-linux[^/ ]*)$' <(grep 'calling init' "$BATS_TEST_TMPDIR/loader")
}

@test "a warm call needs neither server nor keyring nor session: from cron, ssh, su, another session keyring" {
	local token
	token=$(cred get)
	sandbox_stop
	kill -STOP "$session_pids"
	[[ $(env -i HOME="$HOME" setsid -w "$CRED" get) == "$token" ]]
	[[ $(env -i HOME="$HOME" XDG_STATE_HOME=/nonexistent setsid -w "$CRED" get "${SANDBOX_URL/:\/\//:\/\/102@}") == "$token" ]]
	[[ $(env -i setsid -w "$CRED" get "${SANDBOX_URL/:\/\//:\/\/102@}") == "$token" ]]
	[[ $(env -i HOME="$HOME" keyctl session - "$CRED" get 2>/dev/null) == "$token" ]]
	kill -CONT "$session_pids"
}

@test "what lies in the kernel: one key, its end, permissions for the user; its prefix is this build's own" {
	local described
	described=$(keyctl rdescribe "$(key)")
	[[ $described == "user;$UID;"*";3f1f0000;alation-cred-tree:access:102@$SANDBOX_URL" ]]
	# /proc/keys: what is left of its life, in a unit; 'perm' would be for ever.
	[[ $(awk -v key="alation-cred-tree:access:102@$SANDBOX_URL:" '$9 == key { print $4 }' /proc/keys) =~ ^(23h|1d)$ ]]
	[[ $(kernel_keys) == "alation-cred-tree:access:102@$SANDBOX_URL" ]]
	[[ $(keyctl list @u) != *" alation-cred:"*"$SANDBOX_URL"* ]]
	[[ $(keyctl pipe "$(key)") =~ ^v=1\&token=[A-Za-z0-9_-]{43}\&boot_id=[0-9a-f-]{36}\&parent=[0-9a-f]{16}\&minted_at=[0-9]+\&lifetime_s=(86400|86399)\&expires_at=[0-9]+\&mints=1(\&skew_s=-?[0-9]+)?$ ]]
}

@test "served until its end, minted anew after it; status says when" {
	local first end
	program_sandbox --access-lifetime 2
	login_demo
	first=$(cred get "$SANDBOX_URL")
	[[ $(mints) == 1 ]]
	end=$((SECONDS + 10))
	while cred status "$SANDBOX_URL" --format json | jq -e '.accounts[0].access.module == "kernel"' >/dev/null; do
		((SECONDS < end))
	done
	run_cred get "$SANDBOX_URL"
	expect 0
	[[ $out != "$first" && $(mints) == 2 ]]
	[[ $(cred status "$SANDBOX_URL" --format json | jq '.accounts[0].access.expires_at_epoch') -le $((EPOCHSECONDS + 2)) ]]
}

@test "a token that is said to live a second is printed all the same" {
	# Said only: at the server it lives on, however slow this machine is.
	sandbox_fault endpoint=createAPIAccessToken times=0 'set=created_at:"2026-01-01T00:00:00Z"' 'set=token_expires_at:"2026-01-01T00:00:01Z"'
	login_demo
	expect 0
	run_cred get "$SANDBOX_URL"
	expect 0
	works "$out"
}

@test "an entry that is no record of ours is no entry: the next call mints, and writes it anew" {
	local bad id n=1
	for bad in garbage "v=1&token=two words&lifetime_s=9" 'v=1&token=abc&lifetime_s=-1' \
		"v=1&token=abc&minted_at=0&lifetime_s=9&expires_at=1&boot_id=x&parent=0&mints=1&skew_s=0" "$(printf 'x%.0s' {1..9000})"; do
		id=$(printf %s "$bad" | keyctl padd user "alation-cred-tree:access:102@$SANDBOX_URL" @u)
		keyctl setperm "$id" 0x3f1f0000
		run_cred get
		expect 0
		# One that is over is only that.
		[[ $bad == *expires_at=1* || $err == *"what was cached for http://102@${SANDBOX_URL#*://} was damaged, and is replaced" ]]
		works "$out"
		n=$((n + 1))
		[[ $(mints) == "$n" ]]
		run_cred get
		[[ $(mints) == "$n" ]]
	done
}

@test "a key of another kind, or one that may not be read, is in nobody's way for long" {
	local id
	keyctl unlink "$(key)" @u
	id=$(printf secret | keyctl padd user "alation-cred-tree:access:102@$SANDBOX_URL" @u)
	keyctl setperm "$id" 0x00010000
	run_cred get
	[[ $code == 0 ]]
	works "$out"
	run_cred get
	expect 0
	[[ $(mints) == 2 ]]
}

@test "the longest token is minted, cached and printed whole" {
	local long
	long=$(printf 'a%.0s' {1..16384})
	program_sandbox
	login_demo
	keyctl unlink "$(key)" @u
	sandbox_fault endpoint=createAPIAccessToken "set=api_access_token:\"$long\""
	run_cred get "$SANDBOX_URL"
	expect 0
	[[ $out == "$long" ]]
	run_cred get "$SANDBOX_URL" --format header
	[[ $out == "TOKEN: $long" || $err == *cached* ]]
}

@test "the installed build keeps its keys apart from the tree's" {
	local installed=${CRED%/*}/installed/alation-cred
	[[ -x $installed ]] || skip "not built: make installed"
	grep -q alation-cred-tree "$CRED"
	run ! grep -q alation-cred-tree "$installed"
}
