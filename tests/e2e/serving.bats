#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a call learns and the next ones know: a server that refused to mint, a call that was lost and may still arrive, a
# token that dies though nobody here ended it, a RefreshToken that comes to its end.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	lock=3
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	helpers=()
}

teardown() {
	program_end_helpers
	program_teardown
}

login_pasted() { # [ARG...]: a shared account, unless an ARG says otherwise; $pasted is its RefreshToken
	pasted=$(sandbox_refresh_token 102 pasted "${lives:+expires_in=$lives}")
	login_token "$pasted" "$@"
	expect 0
	forget_calls
}

@test "a refusal counts for a minute: the server is asked once, whoever calls; what is cached is served meanwhile" {
	local fault name words token
	login_demo
	token=$(cached)
	while IFS='|' read -r name fault words; do
		forget_refusal
		forget_calls
		sandbox_fault endpoint=createAPIAccessToken times=0 "${fault%%;*}" ${fault#*;}
		for _ in 1 2 3; do
			refuses 3 "$name" "$words|$ACCOUNT" get --fresh
		done
		[[ $(mints) == 1 ]] || fails "asked $(mints) times"
		run_cred get
		[[ $code == 0 && $out == "$token" ]]
		sandbox_clear
	done <<-'END'
		refresh_token_refused|status=401;|the server refused the RefreshToken|alation-cred login
		refresh_token_expired|body={"detail":"Refresh token provided is expired or revoked."};status=401|is expired or revoked|alation-cred login
	END
	earlier refused_at 40
	run_cred get --fresh
	expect 3
	[[ $(mints) == 1 ]]
	earlier refused_at 20
	run_cred get --fresh
	expect 0
	[[ $(mints) == 2 && -z $(remembered refused) ]]
	works "$out"
}

@test "a refusal is of one RefreshToken: a login ends it, and so does another token put into the keyring by hand" {
	login_pasted
	sandbox_revoke "$pasted"
	drop_cached
	run_cred get
	expect 3
	run_cred get
	expect 3
	[[ $(mints) == 1 ]]
	printf %s "$(sandbox_refresh_token 102 by-hand)" |
		secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102
	run_cred get
	expect 0
	works "$out"
	sandbox_revoke "$(stored)"
	drop_cached
	run_cred get
	expect 3
	login_pasted
	run_cred get
	expect 0
	works "$out"
}

@test "a 429 counts as long as it asks, a minute at most; where it names no time it is asked again" {
	login_demo
	sandbox_fault endpoint=createAPIAccessToken times=0 status=429 'header=Retry-After: 20'
	forget_calls
	run_cred get --fresh --format json
	expect_json 7 throttled
	[[ $out == *'"retry_after":20}'* ]]
	earlier refused_at 5
	run_cred get --fresh --format json
	expect_json 7 throttled 'asks to wait 15 s'
	[[ $out =~ '"retry_after":1'[45]'}' && $(mints) == 1 ]]
	earlier refused_at 15
	run_cred get --fresh
	[[ $code == 7 && $(mints) == 2 ]]
	sandbox_clear
	sandbox_fault endpoint=createAPIAccessToken status=429 'header=Retry-After: 3600'
	forget_refusal
	run_cred get --fresh
	expect 7 'asks to wait 3600 s'
	run_cred get --fresh
	expect 7 'asks to wait 60 s'
	earlier refused_at 60
	run_cred get --fresh
	expect 0
	sandbox_fault endpoint=createAPIAccessToken times=2 status=429
	forget_calls
	run_cred get --fresh
	expect 7
	run_cred get --fresh
	[[ $code == 7 && $(mints) == 2 ]]
}

@test "a mint that was lost reaches the server later: the token that came after it is asked about before each serving, for a minute" {
	local first second
	login_demo
	drop_cached
	killed_in createAPIAccessToken get
	run_cred get
	expect 0
	first=$out
	forget_calls
	run_cred get
	[[ $code == 0 && $out == "$first" ]]
	asked validateAPIAccessToken
	# Now it arrives.
	sandbox_release
	until is_dead "$first" 2>/dev/null; do :; done
	forget_calls
	run_cred get
	expect 0
	second=$out
	[[ $second != "$first" && -z $err ]] || fails "a token that the lost call has revoked"
	asked validateAPIAccessToken createAPIAccessToken
	works "$second"
	run_cred token --format json
	expect 0
	# A minute after the call nothing of it is left.
	forget_calls
	earlier late 61
	run_cred get
	[[ $code == 0 && $out == "$second" ]]
	asked ''
}

@test "a mint that was lost in the last seconds of the token before: its mark outlives that token" {
	local token left
	login_demo
	# As if it had 5 s left.
	record | sed 's/lifetime_s=[0-9]*/lifetime_s=5/' | tr -d '\n' | keyctl pupdate "$(key)"
	killed_in createAPIAccessToken get --fresh
	# /proc/keys: what is left of its life, in a unit.
	left=$(awk -v key="alation-cred-tree:access:102@$SANDBOX_URL:" '$9 == key { print $4 }' /proc/keys)
	[[ $left =~ ^(23h|1d)$ ]] || fails "it ends in $left"
	earlier minted_at 10
	run_cred get
	expect 0
	token=$out
	sandbox_release
	until is_dead "$token" 2>/dev/null; do :; done
	run_cred get
	[[ $code == 0 && $out != "$token" ]] || fails "a dead token"
	works "$out"
}

@test "a rotation whose answer is given up late: what may still arrive counts from when that is noticed" {
	local token
	login_demo
	drop_cached
	run_cred get
	token=$out
	killed_in regenRefreshToken rotate
	earlier suspect 100
	run_cred get
	[[ $code == 0 && $out == "$token" ]]
	forget_calls
	run_cred get
	[[ $code == 0 && $out == "$token" ]]
	asked validateAPIAccessToken
	sandbox_release
}

@test "a server that forbids the question: what is in doubt is minted anew; --validate says what it says" {
	local fault
	login_demo
	for fault in status=403 status=404; do
		sandbox_fault endpoint=createAPIAccessToken drop=before
		run_cred get --fresh
		expect 6
		sandbox_fault endpoint=validateAPIAccessToken times=0 "$fault"
		run_cred get
		expect 0
		works "$out"
		run_cred get --validate
		expect 7
		sandbox_clear
		drop_cached
	done
}

@test "status: what is remembered without a token is no cached token" {
	login_demo
	mint_elsewhere >/dev/null
	run_cred validate
	expect 1
	[[ -n $(kernel_keys) ]]
	run_cred status
	expect 0
	[[ $out == *'none cached; the next get mints one'* ]] || fails "a token is shown"
	run_cred status --format json
	[[ $(jq -c '.accounts[0].access.module' <<<"$out") == null ]]
}

@test "20 callers at once while a lost mint may still arrive: two questions at most" {
	local i token
	login_demo
	sandbox_fault endpoint=createAPIAccessToken drop=before
	run_cred get --fresh
	expect 6
	run_cred get
	expect 0
	token=$out
	forget_calls
	crowd 20 get
	for i in {0..19}; do [[ $(<"$OUT.$i") == "$token" ]]; done
	[[ $(calls) == validateAPIAccessToken ]] || fails "asked: $(calls)"
}

@test "a revocation that was lost, and arrives after the next mint: that token is not served dead" {
	local token
	login_demo
	killed_in revokeAPIAccessTokens revoke
	run_cred get --fresh
	expect 0
	token=$out
	sandbox_release
	until is_dead "$token" 2>/dev/null; do :; done
	run_cred get
	[[ $code == 0 && $out != "$token" ]] || fails "a dead token"
	works "$out"
}

@test "a token that dies though nobody here ended it: the third time in ten minutes it is said; later ones count anew" {
	local i
	login_pasted
	for i in 1 2; do
		mint_elsewhere >/dev/null
		run_cred get --validate
		[[ $code == 0 && -z $err ]] || fails "the $i. time"
	done
	mint_elsewhere >/dev/null
	run_cred get --validate --format json
	expect 0 "something else uses the RefreshToken of $ACCOUNT" "make one for each at $SANDBOX_URL/account/auth"
	[[ $out == *'"warnings":[{"code":"used_elsewhere",'* ]]
	# Ten minutes later it is a first time.
	earlier unexplained_1 601
	earlier unexplained_2 601
	mint_elsewhere >/dev/null
	run_cred validate
	expect 1
	[[ $err != *elsewhere* && $err != *'something else'* ]]
	run_cred get
	mint_elsewhere >/dev/null
	run_cred get --validate
	[[ $code == 0 && -z $err ]]
	mint_elsewhere >/dev/null
	run_cred validate
	expect 1 'something else uses the RefreshToken'
}

@test "what our own lost calls and --fresh have ended is not laid on somebody else" {
	login_demo
	for _ in 1 2 3 4; do
		sandbox_fault endpoint=createAPIAccessToken drop=after
		run_cred get --fresh
		expect 6
		run_cred get
		[[ $code == 0 && -z $err ]] || fails "it is said"
		run_cred get --fresh
		[[ $code == 0 && -z $err ]]
	done
}

@test "a shared RefreshToken in its last week: said once a day, on stderr and in JSON, from the cache and after a mint" {
	local words
	words="the RefreshToken of $ACCOUNT ends"
	lives=$((8 * 86400)) login_pasted
	run_cred get
	[[ $code == 0 && -z $err ]]
	lives=$((6 * 86400)) login_pasted
	run_cred get --format json
	expect 0 "$words" "make another at $SANDBOX_URL/account/auth"
	[[ $out == *'"warnings":[{"code":"refresh_token_ends",'* ]]
	run_cred get
	[[ $code == 0 && -z $err ]]
	run_cred get --fresh
	[[ $code == 0 && -z $err ]]
	earlier warned_at 86000
	run_cred get
	[[ $code == 0 && -z $err ]]
	earlier warned_at 400
	run_cred get
	expect 0 "$words"
	asked createAPIAccessToken
	printf 'protocol=http\nhost=%s\n\n' "${SANDBOX_URL#*://}" >"$OUT.request"
	earlier warned_at 86400
	run_cred get --protocol git <"$OUT.request"
	expect 0 "$words"
	[[ $out == username=102$'\n'password=* ]]
	# While somebody else works on the account nobody waits to say it.
	earlier warned_at 86400
	account_lock
	run_cred get --timeout 5
	account_unlock
	[[ $code == 0 && -z $err ]]
	run_cred get
	expect 0 "$words"
	# One that nothing else uses is renewed, not complained about.
	run_cred set exclusive
	earlier warned_at 86400
	run_cred get
	[[ $code == 0 && -z $err ]]
}

@test "a cache entry of a newer program: 5, said, and left as it is, with its token; a logout takes it" {
	local newer id
	newer="v=2&token=$(printf 'x%.0s' {1..43})"
	login_demo
	id=$(printf %s "$newer" | keyctl padd user "alation-cred-tree:access:102@$SANDBOX_URL" @u)
	keyctl setperm "$id" 0x3f1f0000
	forget_calls
	refuses 5 keyring_failed "the access token that is cached for $ACCOUNT was written by a newer alation-cred|update this alation-cred" get
	refuses 5 keyring_failed newer get --fresh
	login_token "$(refresh_token)" --exclusive
	expect 5 newer
	asked ''
	[[ $(record) == "$newer" ]]
	run_cred revoke
	expect 0
	run_cred logout
	expect 0
	[[ -z $(kernel_keys) ]]
}
