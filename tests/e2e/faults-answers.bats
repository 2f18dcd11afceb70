#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The server at its worst: answers that came whole and are no good, on every operation that asks the server. Tests are
# named after the rows of the fault matrix (N1 to N6, N15, N16). What create and mint make of still more bodies is
# server.bats'.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { faults_setup; }
teardown() { faults_teardown; }

# An answer that every endpoint could give, but for its last brace; TOKENS in it as they are said to be.
TIMES='"created_at":"2026-01-01T00:00:00Z","token_expires_at":"2026-01-02T00:00:00Z"'
tokens() { printf '"refresh_token":%s,"api_access_token":%s' "$1" "$1"; }
GOOD="{\"user_id\":102,$TIMES,\"token_status\":\"ACTIVE\",\"name\":\"n\",\"detail\":\"x\",$(tokens '"Xcanary"')"
TOKEN_OPERATIONS='create mint regen'

@test "N1: 400, 403, 404, 405, 409, 418" {
	local status
	for status in 400 405 409 418; do
		row '7 bad_reply' "$ALL" status=$status
	done
	row '7 forbidden' "$ALL" status=403
	row '7 not_an_alation_server' "$ALL" status=404
	recovers
}

@test "N1: one 401 deletes nothing: create, mint, regen, revoke 3, validate 1; a dead access token is replaced" {
	local body='body={"detail":"Refresh token provided is expired or revoked.","code":"401000"}'
	row '3 login_refused' create status=401
	row '3 refresh_token_refused' 'mint regen revoke' status=401
	row '3 refresh_token_expired' 'mint regen revoke' status=401 "$body"
	row '1 not_active' validate status=401
	row '1 not_active' validate status=401 "$body"
	row 0 check status=401
	[[ $(sandbox_log | sed -n '$s/.*createAPIAccessToken.* made=//p') == "$out" ]] || fails "not one mint for a dead token"
	works "$out"
	recovers
}

@test "N2: 500, 502, 503, 504 with a page; a maintenance page with 200: only validations are asked again" {
	local status
	for status in 500 502 503 504; do
		row '7 server_error' "$ALL" status=$status type=text/html 'body=<html><h1>Xcanary</h1></html>'
	done
	row '7 server_error' "$ALL" status=503 type=application/json 'body={"detail":"Xcanary"}'
	row '7 not_an_alation_server' "$ALL" status=200 type=text/html 'body=<html><h1>back soon</h1></html>'
	recovers
}

@test "N3: 200 and 201 with \"status\":\"failed\", whatever else stands there" {
	row '7 bad_reply' "$ALL" status=200 "body=$GOOD,\"status\":\"failed\"}"
	row '7 bad_reply' "$ALL" status=201 'body={"status":"FAILED"}'
	recovers
}

@test "N3: the token, or what a validation says, is missing, null, empty, a number, of another case" {
	local value
	row '7 bad_reply' "$TOKEN_OPERATIONS check validate" status=200 'body={"user_id":102}'
	for value in null '""' 7; do
		row '7 bad_reply' "$TOKEN_OPERATIONS check validate" status=200 "body={\"user_id\":102,\"token_status\":$value,$(tokens $value)}"
	done
	row '7 bad_reply' "$TOKEN_OPERATIONS check validate" status=201 \
		'body={"user_id":102,"Token_Status":"ACTIVE","Refresh_Token":"Xcanary","API_ACCESS_TOKEN":"Xcanary"}'
	# A status may be written in any case.
	row 0 'check validate' status=200 'body={"user_id":102,"token_status":"active"}'
	row 0 'check validate' status=201 'body={"token_status":"Active"}'
	recovers
}

@test "N4: not one strict JSON object: nothing is stored" {
	local deep body
	printf -v deep '[%.0s' {1..30000}
	for body in "$GOOD,\"detail\":\"again\"}" "{\"x\":$deep" "$GOOD,\"x\":\"a"$'\n'"b\"}" "$GOOD,\"x\":\""$'\xff\xfe'"\"}" \
		$'\xef\xbb\xbf'"$GOOD}" "$GOOD,\"x\":NaN}" "${GOOD/102/99999999999999999999999999}}" "$GOOD} x" "$GOOD}$GOOD}" "$GOOD/* x */}"; do
		row '7 bad_reply' "$ALL" status=200 "body=$body"
	done
	# A NUL in the member that is wanted.
	row '7 bad_reply' "$TOKEN_OPERATIONS" status=200 "body=${GOOD//canary/\\u0000canary}}"
	# 100,000 deep: more than is read at all.
	printf -v deep '[%.0s' {1..100000}
	row '7 bad_reply' "$ALL" status=200 "body={\"x\":$deep"
	# It was each of these that was refused, not what they have in common.
	row 0 'check validate revoke' status=200 "body=$GOOD}"
	recovers
}

@test "N5: a token with LF, CR, a blank, a backslash, of 20,000 and of a million bytes: refused; of one byte: taken" {
	local value
	printf -v value 'x%.0s' {1..20000}
	for value in '"Xcan\nary"' '"Xcan\rary"' '"Xcan ary"' '"Xcan\\ary"' "\"$value\""; do
		row '7 bad_reply' "$TOKEN_OPERATIONS" status=201 "body={\"user_id\":102,$(tokens "$value")}"
	done
	head -c 1000000 /dev/zero | tr '\0' x | sed 's/.*/{"user_id":102,"refresh_token":"&","api_access_token":"&"}/' >"$BATS_TEST_TMPDIR/body"
	row '7 bad_reply' "$TOKEN_OPERATIONS" status=201 "body@$BATS_TEST_TMPDIR/body"
	sandbox_fault endpoint=createAPIAccessToken status=201 "body={$TIMES,\"api_access_token\":\"x\"}"
	run_cred token --fresh
	[[ $code == 0 && $out == x ]]
	recovers
}

@test "N6: another user's id; a regeneration that brings the same RefreshToken is pending, and the next call settles it" {
	row '7 bad_reply' 'mint check validate regen revoke' status=200 "body=${GOOD/102/103}}"
	row '7 bad_reply' regen status=201 "body={\"user_id\":102,\"refresh_token\":\"$REFRESH\"}"
	[[ $(secret-tool lookup application alation-cred base_url "$SANDBOX_URL") == *'&regen_begun='* ]]
	recovers
	[[ $(secret-tool lookup application alation-cred base_url "$SANDBOX_URL") != *regen_begun* ]]
}

@test "N15: 429 with seconds, a date, garbage, 10^9: at once, with how long to wait; the lock is free" {
	local wait wanted
	while IFS='|' read -r wait wanted; do
		[[ $wait != DATE ]] || wait=$(LC_ALL=C date -u -d '+1 hour' '+%a, %d %b %Y %T GMT')
		REPLY_HAS="\"retry_after\":$wanted\}\$"
		row '7 throttled' "$ALL" status=429 ${wait:+"header=Retry-After: $wait"}
	done <<-'END'
		17|17
		DATE|3(5[0-9][0-9]|600)
		soon|null
		|null
		1000000000|86400
	END
	recovers
}

@test "N16: a captive portal, and content types that lie" {
	row '7 not_an_alation_server' "$ALL" status=200 type=text/html 'body=<!DOCTYPE html><title>Wi-Fi</title>'
	row '7 not_an_alation_server' "$ALL" status=200 type=application/json $'body=\n<html><body>Xcanary</body></html>'
	row '7 server_error' "$ALL" status=511 type=text/html 'body=<html>sign in to the network</html>'
	row '7 bad_reply' "$ALL" status=200 type=application/json 'body=OK'
	row 0 'mint check validate revoke' type=text/html
	row 0 'mint check validate revoke' type=image/png
	recovers
}
