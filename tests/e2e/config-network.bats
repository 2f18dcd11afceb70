#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The configuration of the network: a company's CA, client certificates, proxies. On a real TLS server and real connections;
# what is wrong is exit 6, names the file, and asks nobody. Without configuration tls.bats and faults-network.bats say what holds.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

PTY=${B:-$SANDBOX_TOP/.build}/tests/tools/pty
BUNDLE=/etc/ssl/certs/ca-certificates.crt

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	umask 022
	program_setup --tls
	export XDG_CONFIG_HOME=
	CONFIG=$HOME/.config/alation-cred/config
	mkdir -p "${CONFIG%/*}"
	keys=$BATS_TEST_TMPDIR/keys
	mkdir "$keys"
	as=()
}

teardown() {
	decoy_stop
	program_teardown
}

cred() { setsid -w "${as[@]}" "$CRED" "$@" 3>&-; }
configure() { cat >"$CONFIG"; }
port() { echo "${SANDBOX_URL##*:}"; }

make_certificate() { # NAME: signed by itself, with a key of its own; NAME.pem, NAME.key
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
		-keyout "$keys/$1.key" -out "$keys/$1.pem" 2>/dev/null
}

whole_path() {
	login_demo
	expect 0 || return 1
	drop_cached
	run_cred get
	expect 0 && works "$out"
}

@test "ca-file: a company's CA, for all or for an instance alone; it goes before CURL_CA_BUNDLE" {
	configure <<<"ca-file $SANDBOX_CA"
	whole_path
	make_certificate other
	CURL_CA_BUNDLE=$keys/other.pem SSL_CERT_FILE=$keys/other.pem run_cred get --fresh
	expect 0
	configure <<<"[$SANDBOX_URL]"$'\n'"ca-file $SANDBOX_CA"
	run_cred get --fresh
	expect 0
	configure <<<"[https://other.example.com]"$'\n'"ca-file $SANDBOX_CA"
	forget_calls
	run_cred get --fresh
	expect 6 'no trusted TLS connection' 'ca-file' 'alation-cred.conf(5)'
	CURL_CA_BUNDLE=$SANDBOX_CA run_cred get --fresh
	expect 0
	# A whole chain in the file, and a blank in its name.
	cat "$keys/other.pem" "$SANDBOX_CA" >"$keys/our CAs.pem"
	configure <<<"ca-file $keys/our CAs.pem   # ours"
	run_cred get --fresh
	expect 0
}

@test "ca-file: the system's authorities count beside it" {
	[[ -s $BUNDLE ]] || skip "no bundle of this system's"
	as=(unshare -m sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' - "$SANDBOX_CA" "$BUNDLE")
	"${as[@]}" true 2>/dev/null || skip 'no mount namespace can be made here'
	make_certificate other
	configure <<<"ca-file $keys/other.pem"
	whole_path
	as=()
	forget_calls
	run_cred get --fresh # where the system does not know it
	expect 6 'no trusted TLS connection'
	no_calls
}

@test "ca-file: not there, empty, a key, DER, a directory, a fifo: 6, and the file is named; nothing was asked" {
	local name words
	configure <<<"ca-file $SANDBOX_CA"
	login_demo
	drop_cached
	forget_calls
	make_certificate one
	: >"$keys/empty"
	openssl x509 -in "$keys/one.pem" -outform DER -out "$keys/der"
	mkdir "$keys/directory"
	mkfifo "$keys/fifo"
	while IFS='|' read -r name words; do
		configure <<<"ca-file $keys/$name"
		refuses 6 tls "the ca-file $keys/$name cannot be used: $words" get
	done <<-'END'
		none|No such file or directory
		empty|there is no certificate in it (PEM)
		one.key|there is no certificate in it (PEM)
		der|there is no certificate in it (PEM)
		directory|it is no regular file
		fifo|it is no regular file
	END
	no_calls
	# What looks like one and is none, behind all of the system's.
	printf -- '-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n' >"$keys/bad"
	configure <<<"ca-file $keys/bad"
	refuses 6 tls 'no trusted TLS connection' get
	no_calls
}

# The next call is to a server that insists on a client's certificate.
get_with_certificate() {
	sandbox_break client-certificate 1
	run_cred get --fresh "$@"
}

@test "client-cert: certificate and key in one file or in two; of another instance it is not shown" {
	make_certificate mine
	cat "$keys/mine.pem" "$keys/mine.key" >"$keys/both.pem"
	configure <<<"ca-file $SANDBOX_CA"
	login_demo
	get_with_certificate
	expect 6 'certificate required'
	for value in "$keys/both.pem" "$keys/mine.pem $keys/mine.key"; do
		configure <<<"ca-file $SANDBOX_CA"$'\n'"client-cert $value"
		get_with_certificate
		expect 0
		works "$out"
		configure <<<"ca-file $SANDBOX_CA"$'\n'"[$SANDBOX_URL]"$'\n'"client-cert $value # mine"
		get_with_certificate
		expect 0
	done
	configure <<<"ca-file $SANDBOX_CA"$'\n'"[https://other.example.com]"$'\n'"client-cert $keys/both.pem"
	get_with_certificate
	expect 6 'certificate required'
}

@test "client-cert: not there, without its key, of another key, no certificate: 6 before the server is asked" {
	local value
	configure <<<"ca-file $SANDBOX_CA"
	login_demo
	drop_cached
	forget_calls
	make_certificate mine
	make_certificate other
	echo nonsense >"$keys/nonsense"
	for value in "$keys/none.pem" "$keys/mine.pem" "$keys/mine.pem $keys/none.key" "$keys/mine.pem $keys/other.key" "$keys/nonsense" "$keys"; do
		configure <<<"ca-file $SANDBOX_CA"$'\n'"client-cert $value"
		refuses 6 tls 'no trusted TLS connection|client-cert' get || fails "client-cert $value"
	done
	no_calls
}

@test "client-cert: a key that wants a passphrase fails at once, and nobody is asked on the terminal" {
	configure <<<"ca-file $SANDBOX_CA"
	login_demo
	make_certificate mine
	openssl pkcs8 -topk8 -in "$keys/mine.key" -out "$keys/locked.key" -passout pass:hunter2
	openssl ec -in "$keys/mine.key" -aes128 -passout pass:hunter2 -out "$keys/old.key" 2>/dev/null
	grep -q ENCRYPTED "$keys/locked.key" "$keys/old.key"
	drop_cached
	forget_calls
	for key in locked old; do
		configure <<<"ca-file $SANDBOX_CA"$'\n'"client-cert $keys/mine.pem $keys/$key.key"
		run -6 "$PTY" "$CRED" get </dev/null 3>&-
		[[ $output == *'no trusted TLS connection'* && ${output,,} != *'pass phrase'* && ${output,,} != *passphrase* ]]
	done
	no_calls
}

# The decoy is a proxy at $proxy, which the program has met $met times.
proxy_start() {
	decoy_start proxy proxy
	proxy=127.0.0.1:$DECOY_PORT
}
met() { decoy_met proxy; }

@test "proxy: the way to the server, for all or for an instance; with its password; no-proxy takes hosts out" {
	local n
	proxy_start
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://user:hunter2@$proxy"
	login_demo
	expect 0
	n=$(met)
	[[ $n -ge 2 && $(decoy_got proxy) == *"CONNECT localhost:$(port) HTTP/1.1"*"Proxy-Authorization: Basic $(printf user:hunter2 | base64)"* ]]
	# The server's part of it is TLS.
	[[ $(decoy_got proxy | tr -d '\0') != *"$SANDBOX_PASSWORD"* ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://$proxy"$'\n''no-proxy other.example.com, localhost'
	run_cred get --fresh
	expect 0
	[[ $(met) == "$n" ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://$proxy"$'\n''no-proxy other.example.com'
	run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 1)) ]]
	# An instance's goes before the one for all; * is every host.
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://$proxy"$'\n'"[$SANDBOX_URL]"$'\n''no-proxy *'
	run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 1)) ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n''proxy http://127.0.0.1:9'$'\n'"[$SANDBOX_URL]"$'\n'"proxy $proxy"
	run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 2)) ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n'"[https://other.example.com]"$'\n'"proxy http://$proxy"
	run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 2)) ]]
}

@test "proxy: the configuration goes before https_proxy, and no-proxy before no_proxy, which counts without it" {
	local n
	proxy_start
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://$proxy"
	export https_proxy=http://127.0.0.1:9
	login_demo
	expect 0
	n=$(met)
	no_proxy=localhost run_cred get --fresh
	expect 0
	[[ $(met) == "$n" ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy http://$proxy"$'\n''no-proxy other.example.com'
	no_proxy=localhost run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 1)) ]]
	configure <<<"ca-file $SANDBOX_CA"$'\n'"no-proxy localhost" # of the environment's proxy
	run_cred get --fresh
	expect 0
	[[ $(met) == $((n + 1)) ]]
}

@test "proxy: one that is dead, says no, or is none: 6 proxy; its password is nowhere" {
	local value
	configure <<<"ca-file $SANDBOX_CA"
	login_demo
	drop_cached
	forget_calls
	printf 'HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n' >"$BATS_TEST_TMPDIR/407"
	decoy_start no answer "$BATS_TEST_TMPDIR/407"
	for value in http://user:hunter2@127.0.0.1:9 "http://user:hunter2@127.0.0.1:$DECOY_PORT" gopher://user:hunter2@127.0.0.1:9 http://user:hunter2@127.0.0.1:99999999; do
		configure <<<"ca-file $SANDBOX_CA"$'\n'"proxy $value"
		refuses 6 proxy 'check proxy and no-proxy in the configuration' get || fails "proxy $value"
		[[ $out$err != *hunter2* ]]
		run_cred get -v
		[[ $code == 6 && $out$err != *hunter2* ]]
	done
	no_calls
}

@test "plain http to this machine goes through no proxy, whoever names one" {
	proxy_start
	program_sandbox
	configure <<<"proxy http://$proxy"$'\n'"[$SANDBOX_URL]"$'\n'"proxy http://$proxy"
	login_demo
	expect 0
	[[ $(met) == 0 ]]
}
