#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The server at its worst: it is not reached, by a name that does not resolve or a proxy that does not let through.
# Tests are named after the rows of the fault matrix (N13, N14). A name server of our own needs a namespace of our own.

bats_require_minimum_version 1.5.0
load ../lib/faults

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { program_setup --tls; }
teardown() { faults_teardown; }

# The next decoy, and every call of the program from then on, in a namespace whose only name server is on its loopback.
ENTER=()
with_own_names() {
	local etc=$BATS_TEST_TMPDIR/etc space=(unshare -mn)
	ENTER=(nsenter -m -n)
	[[ $(id -u) == 0 ]] || { space=(unshare --map-current-user --keep-caps -mn) ENTER=(nsenter -U --preserve-credentials -m -n); }
	"${space[@]}" mount --bind /etc/hosts /etc/resolv.conf 2>/dev/null || skip "no namespace with mounts of one's own"
	mkdir "$etc"
	echo 'nameserver 127.0.0.1' >"$etc/resolv.conf"
	echo 'hosts: files dns' >"$etc/nsswitch.conf"
	cat >"$etc/run" <<-END
		#!/bin/sh
		mount --bind "$etc/resolv.conf" /etc/resolv.conf &&
		{ [ ! -e /etc/nsswitch.conf ] || mount --bind "$etc/nsswitch.conf" /etc/nsswitch.conf; } && exec "\$@"
	END
	chmod +x "$etc/run"
	DECOY_WITHIN="${space[*]} $etc/run"
}

cred() {
	[[ ! ${ENTER[*]} ]] || set -- "${ENTER[@]:0:1}" -t "${decoy_pids[0]}" "${ENTER[@]:1}" setsid -w "$CRED" "$@"
	[[ ${ENTER[*]} ]] || set -- setsid -w "$CRED" "$@"
	"$@" 3>&-
}

# An account of a host that only this name server could know, put into the keyring by hand.
account_by_hand() {
	LIMIT_S=20 struck='' REPLY_HAS='' REFRESH=by-hand SANDBOX_URL=https://faults.example.com
	ACCOUNT=https://102@faults.example.com
	echo "$SANDBOX_PASSWORD" >"$BATS_TEST_TMPDIR/password"
	secret-tool store --label=by-hand application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 \
		<<<"v=1&kind=refresh-token&base_url=https%3A%2F%2Ffaults.example.com&user_id=102&refresh_token=$REFRESH&name=n"
	[[ $(kept) == "$REFRESH" ]]
}

# Everything but check, which needs a token from a server.
NAMED='create mint validate regen revoke'

@test "N13: no such host, and a name server in trouble: 6, at once" {
	local what op
	with_own_names
	for what in nxdomain servfail; do
		decoy_start $what dns $what
		account_by_hand
		for op in $NAMED; do
			strike '6 network' $op
		done
		[[ $(kept) == "$REFRESH" && $(decoy_got $what) == *faults* ]]
		decoy_stop
	done
}

@test "N13: a name server that never answers: 6, within the deadline" {
	local op
	with_own_names
	decoy_start silent dns silent
	account_by_hand
	LIMIT_S=3
	strike '6 timeout' mint
	struck=' create timeout  validate timeout  regen timeout  revoke timeout '
	for op in create validate revoke; do
		strike '6 timeout' $op
	done
	LIMIT_S=10 # a regeneration has a time of its own; that to connect in is the same for all
	strike '6 timeout' regen
	[[ $(kept) == "$REFRESH" && $(decoy_got silent) == *faults* ]]
}

@test "N13: of a name server that never answers doctor says so, within the deadline" {
	with_own_names
	decoy_start silent dns silent
	account_by_hand
	run_cred doctor "$ACCOUNT" --timeout 3
	[[ $code == 6 && $out == *$'\nFAIL  dns  '* && $out == *'it needs '"'dns', which failed"* ]] || fails 'not the step dns'
	[[ $err == 'alation-cred: dns: '*'did not answer in time'* && $(decoy_got silent) == *faults* ]]
}

@test "N13: nobody listens at the first of a host's addresses (IPv6): the next one serves" {
	! (exec 4<>"/dev/tcp/::1/${SANDBOX_URL##*:}") 2>/dev/null || skip "somebody has that port on ::1"
	[[ $SANDBOX_URL == https://localhost:* ]]
	faults_login
	for op in mint check validate revoke; do
		strike 0 $op
	done
	recovers
}

proxies() { # URL, for https and for http
	export https_proxy=$1 HTTPS_PROXY=$1 all_proxy=$1
}
no_proxies() {
	unset https_proxy HTTPS_PROXY all_proxy no_proxy NO_PROXY
}

# Of each, with a password that nothing may print, traces included.
@test "N14: 407, an HTML page, a refusal or nothing to CONNECT, a dead proxy, a SOCKS proxy that is none: 6" {
	local name wanted op rows=(
		"asks|proxy|http|HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"
		"page|proxy|http|HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 24\r\n\r\n<html>Xcanary</html>    "
		"gateway|proxy|http|HTTP/1.0 502 Bad Gateway\r\n\r\n<html>Xcanary</html>"
		"redirect|proxy|http|HTTP/1.1 302 Found\r\nLocation: https://idp.example/\r\nContent-Length: 0\r\n\r\n"
		"portal|tls|http|HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Xcanary</html>"
		"socks|proxy|socks5h|\x05\xff"
		"socks-no|proxy|socks5h|HTTP/1.1 400 Bad Request\r\n\r\n"
	)
	faults_login
	for row in "${rows[@]}"; do
		IFS='|' read -r name wanted scheme text <<<"$row"
		printf '%b' "$text" >"$BATS_TEST_TMPDIR/text"
		decoy_start "$name" answer "$BATS_TEST_TMPDIR/text"
		proxies "$scheme://proxyuser:proxycanary@127.0.0.1:$DECOY_PORT"
		for op in $ALL; do
			strike "6 $wanted" $op -v || { echo "the proxy: $name" >&2 && false; }
		done
		[[ $(decoy_met "$name") -gt 0 && $(decoy_got "$name") != *"$REFRESH"* ]]
	done
	for url in http://proxyuser:proxycanary@127.0.0.1:9 socks5h://proxyuser:proxycanary@127.0.0.1:9 http://proxyuser:proxycanary@127.0.0.1:99999999; do
		proxies "$url"
		for op in $ALL; do
			strike '6 proxy' $op -v || { echo "the proxy: $url" >&2 && false; }
		done
	done
	count_asked mint
	[[ $asked == 1 ]] # the login's
	no_proxies
	recovers
}

@test "N14: a proxy that never answers: 6, within the deadline" {
	faults_login
	decoy_start silent sink
	proxies "http://proxyuser:proxycanary@127.0.0.1:$DECOY_PORT"
	LIMIT_S=2
	strike '6 timeout' mint -v
	no_proxies
	LIMIT_S=20
	recovers
}

@test "N14: a proxy that works: it gets its password and no token; no_proxy goes past it" {
	local word
	faults_login
	decoy_start works proxy
	proxies "http://proxyuser:proxycanary@127.0.0.1:$DECOY_PORT"
	for op in mint check validate revoke regen create; do
		strike 0 $op -v
		[[ $(kept) == "$REFRESH" ]] || REFRESH=$(kept)
	done
	[[ $(decoy_met works) -ge 6 ]]
	[[ $(decoy_got works) == *"CONNECT ${SANDBOX_URL#https://} "*"Proxy-Authorization: Basic $(printf proxyuser:proxycanary | base64)"* ]]
	run ! grep -aq 'refresh_token\|integration' "$BATS_TEST_TMPDIR/decoy-works/received"
	for word in localhost .localhost '*' 'example.com, localhost'; do
		proxies "http://proxyuser:proxycanary@127.0.0.1:9"
		export no_proxy=$word
		strike 0 mint -v
		unset no_proxy
		export NO_PROXY=$word
		strike 0 mint -v
		unset NO_PROXY
	done
	no_proxies
	recovers
}
