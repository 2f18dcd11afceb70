#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The server at its worst: answers that do not come whole, or point elsewhere, on every operation that asks the server.
# Tests are named after the rows of the fault matrix (N7, N8, N10, N11). What comes too slowly is faults-slow.bats', what
# goes wrong on the way to the server faults-network.bats' and tls.bats'.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { faults_setup; }
teardown() { faults_teardown; }

HEAD=$'HTTP/1.1 201 Created\r\n'
PART='{"user_id":102,"token_status":"ACTIVE","refresh_token":"Xcanary","api_access_token":"Xcanary"'
CHUNKED=$HEAD$'Transfer-Encoding: chunked\r\n\r\n'
printf -v PART_CHUNK '%x\r\n%s}\r\n' $((${#PART} + 1)) "$PART"

@test "N7: shorter than Content-Length, chunks cut, closed, reset: 6, and only validations are asked again" {
	row '6 network' "$ALL" "raw=${HEAD}Content-Length: 999"$'\r\n\r\n'"$PART"
	row '6 network' "$ALL" "raw=${HEAD}Content-Length: 999"$'\r\n\r\n'"$PART}" end=reset
	row '6 network' "$ALL" "raw=${CHUNKED}100"$'\r\n'"$PART"
	row '6 network' "$ALL" "raw=$CHUNKED$PART_CHUNK" # only the last chunk is missing
	row '6 network' "$ALL" raw=
	row '6 network' "$ALL" raw= end=reset
	row '6 network' "$ALL" drop=before
	recovers
}

@test "N7: the connection ends before a request is sent: 6, and the server saw none" {
	local op what line times
	count_asked mint
	for what in close reset; do
		for op in $ALL; do
			struck=" $op network " # once, in JSON: what is broken is counted in connections
			times=1
			[[ $op != check && $op != validate ]] || times=2
			sandbox_break $what $times
			strike '6 network' $op
			# Not one connection more than those was made.
			sandbox_curl /sandbox/log >/dev/null
		done
	done
	! IFS= read -r -u "$FAULTS_LOG" line || fails "the server was asked: $line"
	recovers
}

@test "N7: HTTP/0.9, another protocol, no HTTP at all, a status line of nonsense: 7" {
	local raw
	row '7 bad_reply' "$ALL" "raw=$PART}"
	for raw in $'SSH-2.0-OpenSSH_9.2\r\n' $'HTTP/3 201\r\n\r\n'"$PART}" $'HTTP/1.1 abc\r\n\r\n'"$PART}" $'\x15\x03\x03\x02\x02\x28'; do
		row '7 bad_reply' 'mint regen' "raw=$raw"
	done
	recovers
}

@test "N7: 100 Continue and early hints come before an answer, and change nothing; without end they are too much" {
	local raw hints=$'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nLocation: https://idp.example/\r\nContent-Type: text/html\r\nRetry-After: 7\r\n\r\n'
	for raw in $'HTTP/1.1 100 Continue\r\n\r\n' "$hints" "$hints$hints"; do
		row 0 'mint check validate revoke' "raw=$raw" end=answer
	done
	row '7 bad_reply' "$ALL" raw= fill=$'HTTP/1.1 100 Continue\r\n\r\n'
	for op in regen create; do
		sandbox_fault "endpoint=${ENDPOINT[$op]}" "raw=$hints" end=answer
		strike 0 $op
		[[ $(kept) != "$REFRESH" ]]
		REFRESH=$(kept)
	done
	recovers
}

@test "N7: nothing is unpacked: a body that is only called gzip is read, a packed one and a bomb are not" {
	row 0 'mint check validate revoke' 'header=Content-Encoding: gzip'
	row 0 'mint check validate revoke' 'header=Content-Encoding: br'
	printf '%s}' "$PART" | gzip -c >"$BATS_TEST_TMPDIR/packed"
	head -c 20000000 /dev/zero | gzip -9c >"$BATS_TEST_TMPDIR/bomb"
	row '7 bad_reply' "$ALL" status=201 'header=Content-Encoding: gzip' "body@$BATS_TEST_TMPDIR/packed"
	row '7 bad_reply' "$ALL" status=201 'header=Content-Encoding: gzip' "body@$BATS_TEST_TMPDIR/bomb"
	recovers
}

# The server acts, and its answer is lost: what may have been revoked is asked about before it is served.
@test "N7: the server acted and its answer was lost: mint, revoke: the dead token is not served, one mint makes up for it" {
	local op dead
	for op in mint revoke; do
		for fault in drop=after cut=20 'raw= end=reset act=yes' "status=500 act=yes"; do
			run_cred token "$ACCOUNT" --fresh
			dead=$out
			sandbox_fault "endpoint=${ENDPOINT[$op]}" $fault
			run_operation $op
			[[ $fault == status* && $code == 7 ]] || expect 6 "${SANDBOX_URL#*://}"
			is_dead "$dead"
			: >"$SANDBOX_LOG"
			run_cred token "$ACCOUNT"
			expect 0
			[[ $out != "$dead" && $(calls) == validateAPIAccessToken$'\n'createAPIAccessToken ]] || fails "$op: $fault: $(calls)"
			works "$out"
		done
	done
	recovers
}

@test "N7: a login whose answer was lost: what was there stays, and the message names the RefreshToken that may live" {
	for fault in drop=after cut=20 'raw= end=reset act=yes'; do
		sandbox_fault endpoint=createRefreshToken $fault
		run_operation create --name "lost one"
		expect 6 "'lost one'" "$SANDBOX_URL/account/auth"
		[[ $(kept) == "$REFRESH" ]]
	done
	recovers
}

@test "N7: a regeneration whose answer was lost: told at every call, until a login" {
	local fault first=1 lost="$SANDBOX_URL|lost on the way|login"
	for fault in drop=after cut=20 'raw= end=reset act=yes' 'set=refresh_token:7' 'status=502 act=yes'; do
		[[ $first ]] || { login_demo && REFRESH=$(kept); }
		first=
		sandbox_fault endpoint=regenRefreshToken $fault
		run_operation regen
		[[ $code == 6 || $code == 7 ]] || fails "neither 6 nor 7"
		expect "$code" "${SANDBOX_URL#*://}" 'may have regenerated'
		[[ $(kept) == "$REFRESH" ]]
		for op in 'token --fresh' token rotate revoke; do
			refuses 3 refresh_token_refused "$lost" $op
		done
		run_cred validate
		expect 1 "not active"
		refuses 3 refresh_token_refused "$lost" token
	done
	login_demo
	expect 0
	run_cred token
	expect 0
	works "$out"
}

@test "N8: a body of 10 MB, one without end, chunks without end, a page without end: 7" {
	row '7 bad_reply' "$ALL" "raw=${HEAD}Content-Length: 10000000"$'\r\n\r\n{"x":"' fill=x
	row '7 bad_reply' "$ALL" "raw=$HEAD"$'\r\n{"x":"' fill=x
	row '7 bad_reply' "$ALL" "raw=$CHUNKED$PART_CHUNK" fill=$'5\r\n     \r\n'
	row '7 not_an_alation_server' "$ALL" "raw=$HEAD"$'\r\n<html>' fill='<p>'
	recovers
}

@test "N8: headers without end, one header without end, trailers without end: 7" {
	row '7 bad_reply' "$ALL" "raw=$HEAD" fill=$'X-More: b\r\n'
	row '7 bad_reply' "$ALL" "raw=${HEAD}X-More: " fill=x
	row '7 bad_reply' "$ALL" "raw=$CHUNKED$PART_CHUNK"$'0\r\n' fill=$'X-More: b\r\n'
	recovers
}

@test "N10: 301, 302, 303, 307, 308 to the same host, others, http, file: 7, and the target gets no connection" {
	local status where
	decoy_start target sink
	for status in 301 302 303 307 308; do
		REPLY_HAS="redirected to http://127.0.0.1:$DECOY_PORT"
		row '7 not_an_alation_server' "$ALL" status=$status "header=Location: http://127.0.0.1:$DECOY_PORT/integration/v1/createAPIAccessToken/?x=Xcanary"
	done
	REPLY_HAS=
	for where in "$SANDBOX_URL/elsewhere/" /elsewhere/ "//127.0.0.1:$DECOY_PORT/" "https://127.0.0.1:$DECOY_PORT/" \
		"http://Xcanary:Xcanary@127.0.0.1:$DECOY_PORT/" file:///etc/passwd "gopher://127.0.0.1:$DECOY_PORT/"; do
		row '7 not_an_alation_server' 'create mint regen' status=307 "header=Location: $where"
	done
	# What else could send a client elsewhere.
	for where in "Alt-Svc: http/1.1=\"127.0.0.1:$DECOY_PORT\"; ma=600" "Refresh: 0; url=http://127.0.0.1:$DECOY_PORT/" \
		"Content-Location: http://127.0.0.1:$DECOY_PORT/" "Location: http://127.0.0.1:$DECOY_PORT/"; do
		row 0 'mint check' "header=$where"
	done
	recovers
	[[ $(decoy_met target) == 0 && -z $(decoy_got target) && $(sandbox_log) != *elsewhere* ]]
}

@test "N11: http: anywhere but on loopback, and what is no address of a server: 2, before anything is sent" {
	local url verb
	decoy_start proxy sink
	export http_proxy=http://127.0.0.1:$DECOY_PORT all_proxy=http://127.0.0.1:$DECOY_PORT
	: >"$SANDBOX_LOG"
	input=$SANDBOX_PASSWORD
	for url in http://catalog.example.com http://192.0.2.1 'http://[2001:db8::1]' http://localhost.example.com http://127.0.0.1.example.com \
		http://127.0.0.1@catalog.example.com http://0.0.0.0 //catalog.example.com file:///etc/passwd ftp://catalog.example.com; do
		refuses 2 usage '' login "$url" --user demo --password-stdin
	done
	for verb in token validate rotate revoke; do
		refuses 2 usage https $verb http://102@catalog.example.com
	done
	no_calls
	[[ $(decoy_met proxy) == 0 ]]
	# Loopback's plain http goes past every proxy.
	recovers
	[[ $(decoy_met proxy) == 0 ]]
}
