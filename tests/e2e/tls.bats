#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The network under the token: a CA of one's own, and every way not to reach the right server. Nothing is sent to
# a server that was not proved to be the one that was meant. N12 is a row of the fault matrix.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() {
	program_setup_file
}

teardown_file() {
	program_teardown_file
}

setup() {
	second=
	program_setup --tls
}

teardown() {
	[[ -z $second ]] || kill "$second"
	faults_teardown
}

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null
}

# login, get, and the token used, with the environment as it is.
whole_path() {
	login_demo
	expect 0
	drop_cached
	run_cred get
	expect 0
	works "$out"
	[[ $(sandbox_calls createAPIAccessToken) == 2 ]]
}

at() { # URL on the sandbox's port
	echo "$1:${SANDBOX_URL##*:}"
}

@test "a CA of one's own, by CURL_CA_BUNDLE" {
	export CURL_CA_BUNDLE=$SANDBOX_CA
	whole_path
}

@test "a CA of one's own, by SSL_CERT_FILE; an empty CURL_CA_BUNDLE is none" {
	export SSL_CERT_FILE=$SANDBOX_CA CURL_CA_BUNDLE=
	whole_path
}

@test "a CA of one's own, by SSL_CERT_DIR" {
	mkdir "$BATS_TEST_TMPDIR/certs"
	cp "$SANDBOX_CA" "$BATS_TEST_TMPDIR/certs/ca.pem"
	openssl rehash "$BATS_TEST_TMPDIR/certs"
	export SSL_CERT_DIR=$BATS_TEST_TMPDIR/certs
	whole_path
}

@test "CURL_CA_BUNDLE stands before SSL_CERT_FILE" {
	export CURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=$SANDBOX_CA
	[[ -s $CURL_CA_BUNDLE ]] || skip "no bundle of this system's"
	input=$SANDBOX_PASSWORD refuses 6 tls CURL_CA_BUNDLE login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
}

@test "a certificate that nobody vouches for: 6, the message names the way, the server was asked nothing" {
	input=$SANDBOX_PASSWORD
	refuses 6 tls "$SANDBOX_URL|CURL_CA_BUNDLE" login "$SANDBOX_URL" --user demo --password-stdin
	input=some-refresh-token
	refuses 6 tls "${SANDBOX_URL#*://}" login "$SANDBOX_URL" --user-id 102 --token-stdin
	no_calls
	input=
	CURL_CA_BUNDLE=$SANDBOX_CA login_demo
	drop_cached
	: >"$SANDBOX_LOG"
	refuses 6 tls "${SANDBOX_URL/:\/\//://102@}" get
	no_calls
}

@test "a CA file that is not there, or holds none: 6" {
	input=$SANDBOX_PASSWORD
	CURL_CA_BUNDLE=/nonexistent refuses 6 tls "$SANDBOX_URL" login "$SANDBOX_URL" --user demo --password-stdin
	CURL_CA_BUNDLE=/dev/null refuses 6 tls "$SANDBOX_URL" login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
}

@test "a certificate of another host: 6" {
	local url
	program_sandbox --tls --address 0.0.0.0
	export CURL_CA_BUNDLE=$SANDBOX_CA
	input=$SANDBOX_PASSWORD
	url=$(at https://127.0.0.2)
	refuses 6 tls "$url" login "$url" --user demo --password-stdin
	no_calls
	login_demo # 0.0.0.0 stands in it
	expect 0
}

@test "plain http: off loopback 2 before anything is sent; to a TLS server no token comes of it" {
	local url=http://catalog.example.com
	input=$SANDBOX_PASSWORD
	refuses 2 usage https login "$url" --user demo --password-stdin
	refuses 2 usage https get "$url"
	url=$(at http://localhost)
	run_cred login "$url" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	[[ $code == 6 || $code == 7 ]]
	expect "$code" "$url"
	no_calls
}

@test "https to a server that speaks none: 6, and no byte of the password goes out plainly" {
	program_sandbox
	input=$SANDBOX_PASSWORD
	refuses 6 tls 'https://127.0.0.1' login "$(at https://127.0.0.1)" --user demo --password-stdin
	no_calls
}

@test "the server is down: 6, and what is cached is still served" {
	local url=$SANDBOX_URL
	export CURL_CA_BUNDLE=$SANDBOX_CA
	login_demo
	sandbox_stop
	run_cred get
	expect 0
	drop_cached
	refuses 6 network "${url#*://}|check the network" get
	input=$SANDBOX_PASSWORD
	refuses 6 network "$url" login "$url" --user demo --password-stdin
}

@test "a host that nobody knows: 6, within the deadline" {
	run_cred login https://no-such-host.invalid --user demo --password-stdin --timeout 10 --format json <<<"$SANDBOX_PASSWORD"
	# Where no name server answers, the time is over instead.
	[[ $out == *'"code":"timeout"'* ]] || expect_json 6 network https://no-such-host.invalid
	[[ $code == 6 ]]
}

@test "a proxy that is not there: 6, and it is named as the cause; loopback can be excepted" {
	export CURL_CA_BUNDLE=$SANDBOX_CA https_proxy=http://127.0.0.1:9
	input=$SANDBOX_PASSWORD
	refuses 6 proxy https_proxy login "$SANDBOX_URL" --user demo --password-stdin
	export no_proxy=localhost
	login_demo
	expect 0
}

@test "SSLKEYLOGFILE in the environment writes no file, and OPENSSL_CONF loads nothing" {
	export CURL_CA_BUNDLE=$SANDBOX_CA SSLKEYLOGFILE=$BATS_TEST_TMPDIR/keys OPENSSL_CONF=$BATS_TEST_TMPDIR/openssl.cnf
	printf 'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = nonsense\n' >"$OPENSSL_CONF"
	login_demo
	expect 0
	drop_cached
	run_cred get # and no curl here: that program would write it
	expect 0
	[[ ! -e $SSLKEYLOGFILE ]]
}

@test "a redirect is not followed: its target gets no connection, and the answer names it" {
	local target trace=$BATS_TEST_TMPDIR/trace tracer=()
	export CURL_CA_BUNDLE=$SANDBOX_CA
	login_demo
	drop_cached
	mkfifo "$BATS_TEST_TMPDIR/url"
	"${CRED%/*}/tests/alation-sandbox" --die-with-parent --log "$BATS_TEST_TMPDIR/target" >"$BATS_TEST_TMPDIR/url" 3>&- &
	second=$!
	read -r target <"$BATS_TEST_TMPDIR/url"
	# The program is not dumpable: only root's strace reads whom it connects to.
	[[ $(id -u) == 0 ]] && strace -o /dev/null true 2>/dev/null && tracer=(strace -f -o "$trace" -e trace=connect,sendto)
	for status in 301 302 303 307 308; do
		sandbox_fault endpoint=createAPIAccessToken "status=$status" "header=Location: $target/integration/v1/createAPIAccessToken/?x=secret" body=
		code=0
		ASAN_OPTIONS=detect_leaks=0 "${tracer[@]}" "$CRED" get >"$OUT" 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- || code=$?
		[[ $code == 7 && ! -s $OUT && $(<"$BATS_TEST_TMPDIR/err") == *"$target"* && $(<"$BATS_TEST_TMPDIR/err") != *secret* ]]
		if [[ ${tracer[*]} ]]; then
			grep -q "htons(${SANDBOX_URL##*:})" "$trace"
			run ! grep "htons(${target##*:})" "$trace"
		fi
	done
	sandbox_fault endpoint=createRefreshToken times=0 status=302 "header=Location: $target/login"
	input=$SANDBOX_PASSWORD refuses 7 not_an_alation_server "$target|single sign-on" login "$SANDBOX_URL" --user demo --password-stdin
	[[ ! -s $BATS_TEST_TMPDIR/target ]]
}

@test "no .netrc, no .curlrc, no cookies: what lies in the home directory does not change the request" {
	export CURL_CA_BUNDLE=$SANDBOX_CA
	printf 'machine localhost login demo password wrong\n' >"$HOME/.netrc"
	printf 'user = "a:b"\nproxy = "http://127.0.0.1:9"\ninsecure\n' >"$HOME/.curlrc"
	chmod 600 "$HOME/.netrc" "$HOME/.curlrc"
	whole_path
}

# What the server was asked since the last look.
no_new_calls() {
	local line
	! IFS= read -r -u "$FAULTS_LOG" line || fails "the server was asked: $line"
}

# tls_row EXPECT BROKEN [OPERATIONS]: each operation, once and in JSON, on one connection that is broken like that;
# never is there a second try.
tls_row() {
	local op
	for op in ${3:-$ALL}; do
		sandbox_break "$2"
		struck=" $op ${1#* } "
		strike "$1" $op || { echo "broken: $2" >&2 && return 1; }
		sandbox_curl /sandbox/log >/dev/null # by now the connections are good again
	done
	no_new_calls || return 1
	[[ $(kept) == "$REFRESH" ]] || fails "another RefreshToken in the keyring, or none"
}

@test "N12: expired, for another host, signed by itself, TLS 1.1 alone, ended in the handshake: 6, and no request was seen" {
	local what
	faults_login
	count_asked mint
	run_cred token "$ACCOUNT" --fresh # whose validity is not remembered
	count_asked mint
	for what in expired wrong-host self-signed tls1.1 cut close; do
		tls_row '6 tls' $what
	done
	recovers
}

@test "N12: a CA that is not known, for every operation: 6, and no request was seen" {
	local op
	faults_login
	count_asked mint
	unset CURL_CA_BUNDLE
	for op in $ALL; do
		strike '6 tls' $op
		[[ $err == *CURL_CA_BUNDLE* ]]
	done
	no_new_calls
	export CURL_CA_BUNDLE=$SANDBOX_CA
	recovers
}

@test "N12: what is wrong is said: expired, another host, signed by itself, a client certificate" {
	local what words
	faults_login
	while IFS='|' read -r what words; do
		sandbox_break "$what"
		run_operation mint
		expect 6 "${SANDBOX_URL#*://}" "$words"
	done <<-'END'
		expired|expired
		wrong-host|no alternative certificate subject name
		self-signed|self-signed
		client-certificate|certificate required
	END
	recovers
}

@test "a server that wants a client certificate: 6, and no request was seen; it may not be told from one that acted" {
	faults_login
	count_asked mint
	run_cred token "$ACCOUNT" --fresh
	count_asked mint
	tls_row '6 tls' client-certificate
	recovers
}

@test "N9: silent in the TLS handshake: 6, within the deadline" {
	faults_login
	LIMIT_S=2
	sandbox_break stall
	struck=' mint timeout '
	strike '6 timeout' mint
	LIMIT_S=20
	recovers
}
