#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The server at its worst: answers that come too slowly, or not at all, on every operation that asks the server. N9 is
# the row of the fault matrix; silence in the TLS handshake is tls.bats'.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { faults_setup --user demo:demo-password:102 --user second:second-password:103; }
teardown() { faults_teardown; }

HEAD=$'HTTP/1.1 201 Created\r\n'

# A stall costs its time: mint meets each kind, the others one.
@test "N9: accepted and silent, a byte a second in headers or body: the deadline holds; a regeneration has 60 s of its own" {
	local regen began=$EPOCHSECONDS took_s regen_code=0 first=$ACCOUNT first_refresh=$REFRESH
	sandbox_fault endpoint=regenRefreshToken delay_ms=600000 status=500
	cred rotate "$ACCOUNT" --timeout 1 --format json >"$BATS_TEST_TMPDIR/regen" 2>/dev/null &
	regen=$!
	sandbox_held
	run_cred token "$ACCOUNT" --timeout 1 --format json
	expect_json 8 busy

	SANDBOX_USER=second SANDBOX_PASSWORD=second-password SANDBOX_USER_ID=103 LIMIT_S=2
	login_demo
	ACCOUNT=${SANDBOX_URL/:\/\//://103@} REFRESH=$(kept)
	echo "$SANDBOX_PASSWORD" >"$BATS_TEST_TMPDIR/password"
	row '6 timeout' mint raw= end=stall
	struck=' create timeout  mint timeout  check timeout  validate timeout  revoke timeout '
	row '6 timeout' mint "raw=$HEAD" fill=$'X-More: b\r\n' drip_ms=1000
	row '6 timeout' 'create mint check validate revoke' "raw=$HEAD"$'\r\n{"x":"' fill=x drip_ms=1000
	LIMIT_S=20
	recovers

	wait $regen || regen_code=$?
	took_s=$((EPOCHSECONDS - began))
	out=$(<"$BATS_TEST_TMPDIR/regen") code=$regen_code ran=rotate raw=$out$'\n' err=
	expect_json 6 timeout
	answers_record 6 json "$ran" "$raw"
	((took_s >= 59 && took_s <= 60 + SPARE_S)) || fails "it took $took_s s"
	SANDBOX_USER_ID=102 ACCOUNT=$first REFRESH=$first_refresh
	sandbox_release
	recovers
}

@test "N9: once a regeneration is under way, neither --timeout nor a signal ends it" {
	local regen
	# It acts, but late: whoever does not wait has lost the RefreshToken.
	sandbox_fault endpoint=regenRefreshToken delay_ms=600000
	cred rotate "$ACCOUNT" --timeout 1 >"$OUT" 2>&1 &
	regen=$!
	sandbox_held
	kill -TERM "$(pgrep -P $regen)"
	kill -INT "$(pgrep -P $regen)"
	run_cred token "$ACCOUNT" --timeout 2 --format json # its deadline is later than that of the regeneration
	expect_json 8 busy
	sandbox_release
	wait $regen || :
	[[ $(kept) && $(kept) != "$REFRESH" ]] || fails "the new RefreshToken is lost: $(<"$OUT")"
	REFRESH=$(kept)
	recovers
}
