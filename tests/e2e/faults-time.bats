#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The server at its worst: tokens that ended meanwhile, and clocks and dates that are wrong. Tests are named after the
# rows of the fault matrix (N17, N18). That a mint takes one hour for a date that cannot be used is server.bats'.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { faults_setup; }
teardown() { faults_teardown; }

from_now() { # the JSON answer's expiry, in seconds from now, into $left
	[[ $out =~ \"expires_at_epoch\":([0-9]+) ]] || fails "no expiry" || return 1
	left=$((BASH_REMATCH[1] - EPOCHSECONDS))
}

forget_log() { : >"$SANDBOX_LOG"; }

@test "N17: an expired RefreshToken: 3 and 1, it stays in the keyring, what is cached is served, a login is the remedy" {
	local cached
	run_cred token
	cached=$out
	sandbox_expire "$REFRESH"
	row '3 refresh_token_expired' 'mint regen revoke' delay_ms=0
	row '1 not_active' validate delay_ms=0
	# Its access token has a life of its own.
	strike 0 check
	[[ $out == "$cached" ]]
	works "$out"
	run_operation mint
	expect 3 "$ACCOUNT" 'expired or revoked' "$SANDBOX_URL/account/auth"
	run_operation create
	expect 0
	REFRESH=$(kept)
	recovers
}

@test "N17: a RefreshToken that was revoked: 3 and 1, also behind --validate; it stays in the keyring" {
	local op
	sandbox_revoke "$REFRESH"
	row '1 not_active' validate delay_ms=0
	row '3 refresh_token_expired' 'mint regen revoke' delay_ms=0
	run_operation check
	expect 3 'expired or revoked'
	run_cred token
	expect 3
	[[ $(kept) == "$REFRESH" ]]
	run_operation create
	expect 0
	REFRESH=$(kept)
	recovers
}

@test "N17: an access token that was revoked elsewhere: a caller's second try gets one that works, by one mint" {
	local dead
	run_cred token
	dead=$out
	# Somebody else mints from the same RefreshToken.
	sandbox_curl /integration/v1/createAPIAccessToken/ -d "user_id=102&refresh_token=$REFRESH" -o /dev/null
	is_dead "$dead"
	forget_log
	run_cred token
	[[ $code == 0 && $out == "$dead" ]] # nobody told us
	no_calls
	# The documented way: on 401 or 403 once more, with --validate.
	run_cred token --validate
	expect 0
	[[ $out != "$dead" && $(calls) == validateAPIAccessToken$'\n'createAPIAccessToken ]]
	works "$out"
	# The same token back means that a permission is missing.
	dead=$out
	run_cred token --validate
	[[ $code == 0 && $out == "$dead" ]]
	# validate says so, and takes a dead one out of the cache.
	sandbox_revoke "$dead"
	run_operation validate
	expect 1
	[[ $(keyctl pipe "$(keyctl search @u user "$(kernel_keys)")" 2>/dev/null) != *'&token='* ]]
	forget_log
	run_cred token
	[[ $code == 0 && $(calls) == createAPIAccessToken ]]
	recovers
}

@test "N17: a token that ends between get and use: erase takes it out of the cache, and one mint makes up for it" {
	local dead url=${SANDBOX_URL#*://} older
	run_cred token
	older=$out
	run_cred token --fresh
	dead=$out
	sandbox_expire "$dead"
	is_dead "$dead"
	forget_log
	erase() { run_cred --protocol git erase <<<"protocol=http"$'\n'"host=$url"$'\n'"username=102"$'\n'"password=$1"; }
	erase "$older"
	expect 0
	run_cred token
	[[ $code == 0 && $out == "$dead" ]]
	erase "$dead"
	expect 0
	no_calls
	run_cred token
	[[ $code == 0 && $(calls) == createAPIAccessToken ]]
	works "$out"
	recovers
}

@test "N18: a server whose clock is a day ahead or behind, in each of its styles: everything works, by our clock" {
	local skew style op
	for skew in 86400 -86400; do
		for style in offset z plain; do
			sandbox_control date-header "skew_s=$skew"
			sandbox_control dates "style=$style"
			run_operation mint --format json
			expect 0
			from_now
			((left > 86380 && left <= 86400)) || fails "$skew $style: $left s"
			[[ $err$out != *lifetime_unknown* ]]
		done
		for op in check validate revoke regen create; do
			strike 0 $op
			[[ $(kept) == "$REFRESH" ]] || REFRESH=$(kept)
		done
		recovers
	done
}

@test "N18: lifetimes over DST, leap days and seconds, 2038, odd offsets and fractions" {
	local created expires wanted
	while IFS='|' read -r created expires wanted; do
		sandbox_fault endpoint=createAPIAccessToken "set=created_at:\"$created\"" "set=token_expires_at:\"$expires\""
		run_operation mint --format json
		expect 0
		from_now
		((left > wanted - 20 && left <= wanted)) || fails "$created to $expires: $left s, not $wanted"
		[[ $out == *'"warnings":[]'* ]] || fails "$created to $expires: a warning"
	done <<-'END'
		2026-03-08T01:30:00-08:00|2026-03-08T03:30:00-07:00|3600
		2026-11-01T01:30:00-07:00|2026-11-01T01:30:00-08:00|3600
		2028-02-28T12:00:00Z|2028-02-29T12:00:00Z|86400
		2028-02-29T00:00:00Z|2028-03-01T00:00:00Z|86400
		2016-12-31T23:59:60Z|2017-01-01T01:00:00Z|3601
		2038-01-19T03:14:07Z|2038-01-20T03:14:07Z|86400
		2106-02-07T06:28:15Z|2106-02-07T08:28:15Z|7200
		2026-01-01T00:00:00+14:00|2026-01-01T00:00:00-12:00|93600
		2026-01-01T00:00:00.123456789Z|2026-01-01T02:00:00.1Z|7200
		2026-01-01T05:45:00+05:45|2026-01-01T02:00:00Z|7200
	END
	recovers
}

@test "N18: dates that are missing or no dates: one hour for an access token, and an end that is not known for a RefreshToken" {
	local row
	for row in unset=token_expires_at set=token_expires_at:null 'set=token_expires_at:"2026-02-30T00:00:00Z"' \
		'set=token_expires_at:"1969-12-31T00:00:00Z"' 'set=token_expires_at:"2026-06-30 12:00:00"'; do
		row 0 'check validate' "$row"
		sandbox_fault endpoint=createAPIAccessToken "$row"
		run_operation mint --format json
		expect 0 'taken to live one hour'
		from_now
		((left > 3580 && left <= 3600)) || fails "$row: $left s"
		sandbox_fault endpoint=regenRefreshToken "$row"
		strike 0 regen
		REFRESH=$(kept)
		run_cred status --format json
		[[ $out == *'"refresh":{"module":"secret-service","expires_at":null,"expires_at_epoch":null'* ]] || fails "$row"
	done
	recovers
}
