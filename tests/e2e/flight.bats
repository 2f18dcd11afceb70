#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Single flight at its worst, a row of the fault matrix each: C2, C5, C6, C8, and --fresh. C1 is concurrency.bats', C3 verbs.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

BUILD=${B:-$SANDBOX_TOP/.build}
MANY=$BUILD/tests/tools/many
NO_KEYCTL=$BUILD/tests/tools/no-keyctl

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	LOCK=$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}
	helpers=() more_pids=()
	callers=200
	[[ $(ldd "$CRED") != *san* ]] || callers=50 # whose start costs ten times as much: a keyring's 5 s would go by
}

teardown() {
	local pid
	program_end_helpers
	[[ ! ${shm:-} ]] || rm -rf "$shm"
	for pid in "${more_pids[@]}"; do kill "$pid" && wait "$pid" || :; done
	program_teardown
}

stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
refresh_token() { stored | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }
drop_cached() { keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null; }
mints() { sandbox_calls createAPIAccessToken; }
live() { sandbox_log | sed -n 's/.*createAPIAccessToken.* made=//p' | tail -n 1; }
mint_elsewhere() { sandbox_curl /integration/v1/createAPIAccessToken/ --fail -d "user_id=102&refresh_token=$(refresh_token)" | jq -r .api_access_token; }
lock_holder() { awk -v inode="$(stat -c %i "$LOCK")" '$2 == "FLOCK" && $6 ~ ":" inode "$" { print $5 }' /proc/locks; }

until_true() { # COMMAND: it comes true
	local end=$((SECONDS + 30))
	until eval "$1"; do ((SECONDS < end)) || { echo "never: $1" >&2; return 1; }; done
}

many() { counts=$(setsid -w "$MANY" "$1" "$CRED" --timeout 300 "${@:2}" 3>&- 2>"$BATS_TEST_TMPDIR/err"); }
all_equal() { # N: so many ended with 0, and wrote the token that the server made last
	[[ $counts == "exit 0 $1"$'\n'"output $1 $(live)\\n" ]] || { echo "$counts" >&2; return 1; }
	works "$(live)"
}
start_many() { # N ARG...: in the background, traced
	setsid -w "$MANY" "$1" "$CRED" -v --timeout 300 "${@:2}" >"$OUT.many" 2>"$OUT.trace" 3>&- &
	many_pid=$!
}
# N callers have looked, found the lock taken, and looked again: each of them, however slow this machine makes one of them.
all_wait() { until_true "[[ \$(sed -n 's/^alation-cred: \[\([0-9]*\)\].*look up access.*/\1/p' '$OUT.trace' | sort | uniq -d | wc -l) -ge $1 ]]"; }

@test "C2: 200 callers, the server takes 2 s, five holders of the lock are killed: a mint more a kill at most, survivors agree on the last" {
	local pid n=0 last='' rounds=5
	login_demo
	drop_cached
	sandbox_fault endpoint=createAPIAccessToken delay_ms=2000 times=0
	setsid -w "$MANY" "$callers" "$CRED" --timeout 300 get >"$OUT" 2>/dev/null 3>&- &
	while ((n < rounds)); do
		((n % 2)) || sandbox_held # the first has asked when it dies; some of the others have
		until_true "pid=\$(lock_holder); [[ \$pid && \$pid != '$last' ]]"
		kill -KILL "$pid"
		last=$pid n=$((n + 1))
	done
	wait $!
	counts=$(sed "/^signal 9 $rounds\$/d; /^output $rounds \$/d" "$OUT")
	all_equal $((callers - rounds))
	# What was killed after it had asked is acted on later: by now the server has let all of it go.
	[[ $(mints) -le $((2 + rounds)) ]]
	sandbox_clear
	run_cred get --validate
	expect 0
	works "$out"
}

@test "C5: two users on each of three instances: each its own token and lock, and one that is held holds up no other" {
	local i id urls=("$SANDBOX_URL") stopped accounts=() tokens=()
	for i in 1 2; do # beside the first: the library knows one
		mkfifo "$BATS_TEST_TMPDIR/url.$i"
		"$BUILD/tests/alation-sandbox" --die-with-parent --log "$BATS_TEST_TMPDIR/log.$i" --user demo:demo-password:102 --user other:other-password:103 \
			>"$BATS_TEST_TMPDIR/url.$i" 2>/dev/null 3>&- &
		more_pids+=($!)
		read -r urls[i] <"$BATS_TEST_TMPDIR/url.$i"
	done
	program_urls+=("${urls[@]:1}")
	urls[2]=${urls[2]/127.0.0.1/localhost} # another host, too
	for i in 0 1 2; do
		for id in demo:102 other:103; do
			run_cred login "${urls[i]}" --user "${id%:*}" --password-stdin <<<"${id%:*}-password"
			expect 0
			accounts+=("${urls[i]/:\/\//:\/\/${id#*:}@}")
		done
	done
	[[ $(find "$STATE/locks" -name '10[23]@*' | wc -l) == 6 ]]
	for i in "${accounts[@]}"; do
		run_cred get "$i"
		expect 0
		tokens+=("$out")
	done
	[[ $(printf '%s\n' "${tokens[@]}" | sort -u | wc -l) == 6 ]]
	ALATION_CRED_FAILPOINT=mint.read:stop "$BUILD/alation-cred-failpoints" get --fresh "${accounts[0]}" >/dev/null 2>&1 3>&- &
	stopped=$!
	helpers+=("$stopped")
	until_true "[[ \$(</proc/$stopped/stat) == *') T '* ]]"
	run_cred get --fresh --timeout 1 "${accounts[0]}"
	expect 8 "${accounts[0]}"
	for i in 1 2 3 4 5; do
		run_cred get --fresh "${accounts[i]}"
		expect 0
		[[ ${tokens[*]} != *"$out"* ]] || fails "not a new one"
	done
	kill -KILL "$stopped"
	wait "$stopped" || :
	# Nobody's new token was the end of the first's.
	run_cred get "${accounts[0]}" --validate
	[[ $code == 0 && $out == "${tokens[0]}" ]] || fails "another account's mint has ended it"
	for i in "${!urls[@]}"; do keyctl list @u | sed -n "s/^ *\([0-9]*\):.*@${urls[i]//\//\\/}\$/\1/p" | xargs -r -I{} keyctl unlink {} @u >/dev/null; done
}

# MACHINE ARG...: two with the same RefreshToken and nothing else in common: a home each; one caches in the kernel keyring,
# the other, where that is closed, in a file of a tmpfs of its own. The token that it has until now is seen to be refused, as a client's call is.
on_machine() {
	local home=$HOME as=()
	[[ $1 != b ]] || as=(unshare -m sh -c 'mount --bind "$1" /dev/shm && shift && exec "$@"' - "$shm" "$NO_KEYCTL")
	code=0
	HOME=$BATS_TEST_TMPDIR/$1 setsid -w "${as[@]}" "$CRED" "${@:2}" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
	out=$(<"$OUT") err=$(<"$BATS_TEST_TMPDIR/err") raw=$out ran="on $1: ${*:2}" HOME=$home
}

@test "C6: one RefreshToken on two machines that take turns: a mint a real 401 and no more; the third in ten minutes is said" {
	local turn machine before refused said=''
	[[ $(stat -f -c %T /dev/shm) == tmpfs && -w /dev/shm ]] || skip 'no tmpfs on /dev/shm'
	unshare -m true 2>/dev/null || skip 'no mount namespace can be made here'
	shm=$(mktemp -d /dev/shm/acred.XXXXXXXX)
	mkdir -m 0700 "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	REFRESH=$(sandbox_refresh_token 102)
	for machine in a b; do on_machine $machine login "$SANDBOX_URL" --user-id 102 --token-stdin <<<"$REFRESH"; expect 0; done
	for turn in 1 2 3; do
		for machine in a b; do
			# b's login has ended a's token, then each turn the other's.
			on_machine $machine get
			[[ $code == 0 ]]
			refused=0
			[[ $(data_status "$out") == 200 ]] || refused=1
			before=$(mints)
			on_machine $machine get --validate --format json
			expect 0
			[[ $(mints) == $((before + refused)) ]] || fails "$turn $machine: $(mints) mints, not $((before + refused))"
			[[ $out != *used_elsewhere* ]] || said+=" $turn$machine"
			[[ $out == *used_elsewhere* ]] || [[ $err != *'something else uses'* ]]
			on_machine $machine get
			works "$out"
			[[ $(mints) == $((before + refused)) ]]
		done
	done
	[[ $said == ' 3a 3b' ]]
}

@test "C8: the locks' directory or a lock is removed, moved or replaced while 20 wait: one mint, 20 equal answers, and one lock" {
	local how lock before
	login_demo
	# Removed in one step, by mv: within rm -r one that waits makes the directory anew, and rm fails or takes a lock from under a holder.
	for how in 'mv "$STATE/locks" "$STATE/gone"; rm -r "$STATE/gone"' 'mv "$STATE/locks" "$STATE/aside.$before"' 'mv "$STATE/locks" "$STATE/aside.$before"; mkdir -p -m 0700 "$STATE/locks"' \
		'mv "$STATE/locks" "$STATE/gone"; mkdir -p -m 0700 "$STATE/locks"; rm -r "$STATE/gone"' 'rm "$LOCK"' 'rm "$LOCK"; : >"$LOCK"' 'mv "$STATE" "$STATE.$before"; mkdir -p "$STATE"; cp "$STATE.$before/accounts" "$STATE"'; do
		drop_cached
		before=$(mints)
		exec {lock}<>"$LOCK"
		flock "$lock"
		start_many 20 get {lock}>&-
		all_wait 20
		eval "$how"
		exec {lock}>&-
		wait "$many_pid"
		counts=$(<"$OUT.many")
		all_equal 20 || { echo "after: $how" >&2; cat "$OUT.trace" | grep -v look >&2; return 1; }
		[[ $(mints) == $((before + 1)) && -f $LOCK ]] || { echo "after: $how" >&2; return 1; }
	done
}

@test "--fresh: 200 that wait for a holder, and are let go, cost one mint" {
	local lock before
	login_demo
	exec {lock}<>"$LOCK"
	flock "$lock"
	before=$(mints)
	start_many "$callers" get --fresh {lock}>&-
	all_wait "$callers"
	exec {lock}>&-
	wait "$many_pid"
	counts=$(<"$OUT.many")
	all_equal "$callers"
	[[ $(mints) == $((before + 1)) ]]
}

@test "--fresh: 200 at the same moment with nobody there before: everyone gets a token, the last one lives, and few were minted" {
	local before
	login_demo
	before=$(mints)
	many "$callers" get --fresh
	[[ ${counts%%$'\n'*} == "exit 0 $callers" ]] || { echo "$counts" >&2; return 1; }
	[[ $(mints) -lt $((before + callers / 4)) ]]
	run_cred get
	[[ $code == 0 && $out == "$(live)" ]]
	works "$out"
}

@test "--min-ttl 48h where a token lives 24 h: 200 callers, twice, and none of them mints" {
	login_demo
	many "$callers" get --min-ttl 48h
	all_equal "$callers"
	many "$callers" get --min-ttl 48h
	all_equal "$callers"
	[[ $(mints) == 1 ]]
}
