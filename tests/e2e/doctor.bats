#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# doctor: each step on real parts, going well and going wrong one at a time; that nothing is minted, kept or told that should not
# be; that nothing holds it up.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal
load ../lib/mock

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --tls
	export CURL_CA_BUNDLE=$SANDBOX_CA
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} helpers=() private=''
}

teardown() {
	program_end_helpers
	decoy_stop
	no_canary
	program_teardown
	session_stop # a test's own
	[[ -z $private ]] || rm -r "$private"
}

own_keyring() { # STATE
	local home=$HOME
	session_start "$1"
	export HOME=$home XDG_STATE_HOME=
}

# Of nobody's account nothing is left, anywhere.
no_canary() {
	run ! grep -rqs write-test "$HOME" /dev/shm/"alation-cred-$EUID"/
	[[ $(keyctl list @u) != *write-test.invalid* ]]
	[[ -z $(timeout 5 secret-tool search --all base_url https://write-test.invalid 2>/dev/null) ]]
}

# What was asked since a login changes nothing at the server, and no secret that it knows is in what was said.
said_nothing_secret() {
	local secret
	[[ $(calls) != *@(create|regen|revoke)* ]] || fails "the server was asked: $(calls)"
	for secret in "${SECRETS[@]}"; do
		[[ -n $secret && $raw$err != *"$secret"* ]] || fails "a secret is shown"
	done
}

kernel_ids() { keyctl list @u | grep -F "@$SANDBOX_URL" | sort; } # a key that was replaced has another number

logged_in() {
	login_demo "$@"
	expect 0
	mapfile -t SECRETS < <(sed -n 's/.* made=\([^ ]*\)$/\1/p' "$SANDBOX_LOG" | grep -vx -- -)
	[[ ${#SECRETS[@]} == 2 ]]
	: >"$SANDBOX_LOG"
}

# doctor ARG...; the report is on stdout whatever the exit code.
doctor() {
	run_cred doctor "$@"
	[[ $code == 0 || $err == *'alation-cred: '* ]] || fails 'no line on stderr'
}

# step NAME RESULT [WORDS...]: that step's one line; of a FAIL, a remedy stands under it.
step() {
	local line words name=$1 result=$2
	shift 2
	line=$(grep -E "^(ok|FAIL|skip) +$name( |$)" <<<"$out") || fails "no step '$name'" || return 1
	[[ $line == "$result "* ]] || fails "'$name' is not $result" || return 1
	for words; do
		[[ $line == *"$words"* ]] || fails "not in the line of '$name': $words" || return 1
	done
	[[ $result != FAIL ]] || grep -A 1 -E "^FAIL +$name( |$)" <<<"$out" | tail -n 1 | grep -qE '^      [^ ]' || fails "no remedy under '$name'"
}

# exits CODE STEP: that step is the first that failed.
exits() {
	[[ $code == "$1" ]] || fails "exit $code, not $1" || return 1
	[[ $(sed -nE 's/^FAIL +([^ ]+) .*/\1/p' <<<"$out" | head -n 1) == "$2" ]] || fails "the first failure is not '$2'" || return 1
	[[ ${err##*$'\n'} == "alation-cred: $2: "* ]] || fails "the last line on stderr is not of '$2'"
}

@test "all is well: every step ok, the same by -v, and nothing is minted, kept or shown" {
	local before
	logged_in
	before=$(kernel_ids)
	doctor
	expect 0
	[[ -z $err ]]
	run ! grep -vE '^ok ' <<<"$out"
	[[ $(wc -l <<<"$out") == 22 ]]
	step configuration ok "$XDG_CONFIG_HOME/alation-cred/config (not there)"
	step state-directory ok "$STATE" 'can be written'
	step account ok "$ACCOUNT, the default, exclusive"
	step refresh/environment ok 'can only be read'
	step refresh/secret-service ok 'stored, read back, erased'
	step access/kernel ok 'stored, read back, erased'
	step d-bus ok DBUS_SESSION_BUS_ADDRESS "the user's own"
	step dns ok 'localhost is at ' ":${SANDBOX_URL##*:}"
	step connection ok 'by no proxy'
	step tls ok "CURL_CA_BUNDLE ($SANDBOX_CA)" 'days left' 'alation-sandbox throw-away CA'
	step answer ok 'HTTP 200'
	step refresh-token ok "in 'secret-service', ends " ' days left)'
	step access-token ok "in 'kernel', ends "
	step data-call ok '102'
	step api-page ok "$SANDBOX_URL/openapi/api_authentication/"
	[[ $(sed -E 's,.* (GET|POST) (/[^ ]*) .*,\2,' "$SANDBOX_LOG" | paste -sd ' ') == '/openapi/api_authentication/ /integration/v1/validateRefreshToken/ /integration/v1/validateAPIAccessToken/ /integration/v1/userinfo/' ]]
	said_nothing_secret
	doctor -v "$ACCOUNT"
	expect 0
	said_nothing_secret
	[[ $(kernel_ids) == "$before" ]]
}

@test "json: one object with each step; a failure has its code and remedy, and no second object" {
	logged_in
	doctor --format json
	expect 0
	[[ $(wc -l <<<"$out") == 1 && $(jq -c '[.version,.success,.code,.exit,(.steps|length),(.steps|map(.result)|unique)]' <<<"$out") == '[1,true,null,0,22,["ok"]]' ]]
	[[ $(jq -c '.steps|map(keys_unsorted)|unique' <<<"$out") == '[["step","result","text","code","remedy"]]' ]]
	said_nothing_secret
	sandbox_stop
	doctor --format json
	[[ $code == 6 && $(wc -l <<<"$out") == 1 ]]
	[[ $(jq -c '[.success,.code,.exit,(.steps[]|select(.result=="FAIL")|[.step,.code,(.remedy|length>0)])]' <<<"$out") == '[false,"network",6,["connection","network",true]]' ]]
	[[ $(jq -r '.steps[]|select(.step=="tls").text' <<<"$out") == "it needs 'connection', which failed" ]]
	said_nothing_secret
}

@test "--offline: no server is asked, and what is here is proved all the same" {
	logged_in
	doctor --offline
	expect 0
	no_calls
	for each in dns connection tls answer clock refresh-token-server access-token-server data-call api-page; do
		step "$each" skip --offline
	done
	step refresh-token ok
	step access-token ok
	step access/private-file ok
}

@test "no account: 3, what needs one is skipped, and the way to an instance that is named is proved" {
	doctor
	exits 3 account
	step account FAIL 'nobody is logged in'
	step refresh-token skip "it needs 'account', which failed"
	step dns skip 'no instance is known'
	step api-page skip
	no_calls
	doctor "$SANDBOX_URL"
	exits 3 account
	step tls ok
	step api-page ok
	step access-token skip
	ALATION_BASE_URL=$SANDBOX_URL doctor
	exits 3 account
	step api-page ok
}

@test "a configuration that cannot be read: 9 with file and line, and what does not need it goes on" {
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf 'no-such-word\n' >"$ALATION_CRED_CONFIG"
	doctor
	exits 9 configuration
	step configuration FAIL "$ALATION_CRED_CONFIG:1"
	step state-directory ok
	step refresh skip "it needs 'configuration', which failed"
	step account skip
	step user-namespace ok
	: >"$ALATION_CRED_CONFIG"
	doctor
	step configuration ok "$ALATION_CRED_CONFIG"
	[[ $(grep '^ok  *configuration' <<<"$out") != *'not there'* ]]
}

@test "a state directory that others can write: 9, and what does not need it goes on" {
	mkdir -p "$STATE" && chmod 700 "$HOME/.local" "$HOME/.local/state" && chmod 777 "$STATE"
	doctor --offline
	exits 9 state-directory
	step state-directory FAIL "$STATE"
	step refresh skip "it needs 'state-directory', which failed"
	step user-namespace ok
}

@test "a list of accounts that is damaged: 9" {
	mkdir -p "$STATE" && chmod 700 "$HOME/.local" "$HOME/.local/state" "$STATE"
	(umask 077 && echo nonsense >"$STATE/accounts")
	doctor
	exits 9 accounts
	step account skip "it needs 'accounts', which failed"
}

@test "no HOME: the state directory is on a tmpfs, and that is said" {
	local home=$HOME
	unset HOME
	doctor --offline
	export HOME=$home
	step state-directory ok "/dev/shm/alation-cred-$EUID" 'HOME is not set' 'restart'
}

@test "a locked keyring: 4, no dialog, unlock is the remedy" {
	own_keyring unlocked
	logged_in
	session_lock
	doctor --interactive always
	exits 4 refresh/secret-service
	step refresh/secret-service FAIL locked
	grep -qF "unlock it with 'alation-cred unlock $ACCOUNT', or in the desktop session" <<<"$out"
	step refresh-token FAIL locked
	step refresh-token-server skip
	step data-call ok
	said_nothing_secret
}

@test "a locked keyring and no account yet: the remedy is no unlock, which needs one" {
	own_keyring locked
	doctor --offline
	exits 3 account
	step refresh/secret-service FAIL locked
	grep -qF 'unlock it in the desktop session, or on a terminal with the login' <<<"$out"
	[[ $out != *'alation-cred unlock'* ]]
}

@test "a RefreshToken that can only be read and is refused: another one there is the remedy, a login is none" {
	logged_in
	export ALATION_REFRESH_TOKEN=refused ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102
	doctor
	exits 3 refresh-token-server
	[[ $err == *"it comes from 'environment', which can only be read: make another one at $SANDBOX_URL/account/auth and put it there" ]]
	[[ $out != *'log in again'* ]]
}

@test "no D-Bus: 5 where it holds the RefreshToken; where nothing needs it both are skipped" {
	logged_in
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus doctor --offline
	exits 5 refresh/secret-service
	step d-bus FAIL /nonexistent/bus DBUS_SESSION_BUS_ADDRESS
	export ALATION_REFRESH_TOKEN=${SECRETS[0]} ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=103
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus doctor --offline
	expect 0
	step refresh/secret-service skip 'nothing needs it'
	step d-bus skip 'nothing needs it'
	step refresh-token ok "in 'environment', which can only be read"
	said_nothing_secret
}

@test "no keyring on the bus: 5, and the bus is there" {
	own_keyring nodaemon
	doctor --offline "$ACCOUNT"
	step refresh/secret-service skip
	step refresh-token FAIL
	[[ $code == 5 ]]
	doctor --offline
	step refresh/secret-service FAIL unavailable
	step d-bus ok
}

@test "a keyring that is frozen: 5 by name, within the deadline, and the other steps follow" {
	own_keyring unlocked
	logged_in
	session_freeze
	run_timed doctor
	[[ $SECONDS_TAKEN -lt 35 ]] || fails "it took $SECONDS_TAKEN s"
	exits 5 refresh/secret-service
	[[ $err != *waiting* && $err != *$'\n'* ]] || fails "said to nobody"
	step refresh/secret-service FAIL timeout
	step refresh-token FAIL
	step access/kernel ok
	step data-call ok
	session_thaw
}

@test "a keyring that loses what it takes, or keeps what it erases: 5, with what it does not do" {
	own_keyring nodaemon
	mock_start lies=0
	doctor --offline
	step refresh/secret-service FAIL 'it does not store: failed'
	step d-bus ok
	mock_restart keeps
	doctor --offline
	step refresh/secret-service FAIL 'it does not erase: failed'
	mock_restart
	doctor --offline
	step refresh/secret-service ok
}

@test "modules of one's own: what can only be read or erases nothing is given nothing; other bytes than it took, or a refusal, are 5" {
	local modules=${B:-$SANDBOX_TOP/.build}/tests/modules guest
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config READ_ONLY_TOKEN=''
	private=$(mktemp -d) # whose path nobody else can write
	for guest in no-erase read-only misbehaves; do install -m 0644 "$modules/$guest.so" "$private/"; done
	printf "refresh sufficient $private/%s\n" no-erase.so read-only.so "misbehaves.so $private/kept" >"$ALATION_CRED_CONFIG"
	doctor --offline
	step "refresh/$private/no-erase.so" ok 'erases nothing, so nothing was stored'
	step "refresh/$private/read-only.so" ok 'can only be read'
	step "refresh/$private/misbehaves.so" ok 'stored, read back, erased'
	echo "refresh sufficient $private/misbehaves.so $private/kept lookup garbage" >"$ALATION_CRED_CONFIG"
	doctor --offline
	step "refresh/$private/misbehaves.so" FAIL 'it does not give back what it took'
	echo "refresh sufficient $private/misbehaves.so $private/kept try odd" >"$ALATION_CRED_CONFIG"
	doctor --offline
	step "refresh/$private/misbehaves.so" FAIL 'it does not store: failed'
	[[ -z $(find "$private" -name 'kept*') ]] || fails "left there"
}

run_timed() { # CMD...
	local began=$SECONDS
	"$@"
	SECONDS_TAKEN=$((SECONDS - began))
}

@test "on a terminal: after a second it says what is waited for, and a failure is not said twice" {
	own_keyring unlocked
	logged_in
	session_freeze
	TERM=dumb dialog "$CRED" doctor --offline </dev/null
	session_thaw
	[[ $code == 5 ]]
	shows "alation-cred: waiting for the keyring module 'secret-service'" 'FAIL  refresh/secret-service'
	hides 'alation-cred: refresh/secret-service'
	TERM=xterm NO_COLOR='' dialog "$CRED" doctor </dev/null
	[[ $code == 0 ]]
	shows $'\e['
	NO_COLOR=1 dialog "$CRED" doctor </dev/null
	[[ $code == 0 ]]
	hides $'\e['
	hides "${SECRETS[@]}"
}

@test "the server is down: 6, the step is connection" {
	logged_in
	sandbox_stop
	doctor
	exits 6 connection
	step connection FAIL "$ACCOUNT" 'by no proxy'
	step tls skip
	step refresh-token ok
	step refresh-token-server skip
	said_nothing_secret
}

@test "a server that says nothing: 6, each step and the call are bounded" {
	logged_in
	sandbox_fault endpoint='*' times=0 delay_ms=600000
	run_timed doctor --timeout 3
	sandbox_release
	[[ $SECONDS_TAKEN -lt 10 ]] || fails "it took $SECONDS_TAKEN s"
	exits 6 answer
	step tls ok
	step answer FAIL 'in time'
	step clock skip "it needs 'answer', which failed"
}

@test "a CA that is not trusted: 6, and which one counts is said" {
	logged_in
	unset CURL_CA_BUNDLE
	doctor
	exits 6 tls
	step connection ok
	step tls FAIL 'certificate' "what counts is the system's"
	step refresh-token-server skip "it needs 'answer', which was skipped"
	SSL_CERT_FILE=$SANDBOX_CA doctor
	expect 0
	step tls ok "SSL_CERT_FILE ($SANDBOX_CA)"
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	echo "ca-file $SANDBOX_CA" >"$ALATION_CRED_CONFIG"
	doctor
	expect 0
	step tls ok "ca-file ($SANDBOX_CA), beside the system's"
	echo "ca-file /nonexistent/ca.pem" >"$ALATION_CRED_CONFIG"
	doctor
	exits 6 tls
	step tls FAIL /nonexistent/ca.pem
	said_nothing_secret
}

@test "proxies: which one, who names it, and never its password; one that refuses is 6" {
	logged_in
	https_proxy=http://joe:hunter2@127.0.0.1:9 doctor
	exits 6 connection
	step connection FAIL 'by the proxy http://127.0.0.1:9 (https_proxy)'
	step dns skip 'the proxy looks the name up'
	[[ $raw$err != *hunter2* && $raw$err != *joe* ]] || fails "the proxy's password"
	https_proxy=http://127.0.0.1:9 no_proxy=localhost doctor
	expect 0
	step connection ok 'by no proxy: https_proxy names one, and no_proxy excepts this host'
	decoy_start proxy proxy
	all_proxy=http://127.0.0.1:$DECOY_PORT doctor
	expect 0
	step connection ok "by the proxy http://127.0.0.1:$DECOY_PORT (all_proxy)"
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	echo "proxy http://joe:hunter2@127.0.0.1:$DECOY_PORT" >"$ALATION_CRED_CONFIG"
	doctor -v
	expect 0
	step connection ok "by the proxy http://127.0.0.1:$DECOY_PORT (the configuration)"
	[[ $raw$err != *hunter2* && $raw$err != *joe* ]] || fails "the proxy's password"
	said_nothing_secret
}

@test "a name that nobody knows: 6, the step is dns" {
	doctor https://7@no-such-host.invalid --timeout 10
	exits 6 dns
	step dns FAIL no-such-host.invalid
	step connection skip "it needs 'dns', which failed"
}

@test "the clocks differ by more than a minute: 9, whoever is ahead; by less it is ok" {
	logged_in
	sandbox_control date-header skew_s=300
	doctor
	exits 9 clock
	step clock FAIL 'behind the server'
	step data-call ok
	sandbox_control date-header skew_s=-300
	doctor
	step clock FAIL 'ahead of the server'
	sandbox_control date-header skew_s=20
	doctor
	expect 0
	step clock ok
}

@test "a RefreshToken that is revoked: 3; an access token that is dead: 1, and neither is touched" {
	local before
	logged_in
	sandbox_revoke "${SECRETS[1]}"
	before=$(kernel_ids)
	doctor
	exits 1 access-token-server
	step access-token ok
	step data-call skip "it needs 'access-token-server', which failed"
	[[ $(kernel_ids) == "$before" ]]
	sandbox_revoke "${SECRETS[0]}"
	doctor
	exits 3 refresh-token-server
	step refresh-token-server FAIL 'expired or revoked'
	step refresh-token ok
	said_nothing_secret
}

@test "none is cached: skipped, and none is minted; a data call that is forbidden: 7" {
	logged_in
	sandbox_fault endpoint=userinfo status=403
	doctor
	exits 7 data-call
	step data-call FAIL 'HTTP 403'
	run_cred lock
	doctor
	expect 0
	step access-token skip 'none is cached'
	step data-call skip
	said_nothing_secret
}

@test "the API page: not enabled is no failure, nor is one behind a sign-in; a server in trouble is" {
	logged_in
	sandbox_fault endpoint=apiPage status=404
	doctor
	expect 0
	step api-page skip 'not enabled here'
	step data-call ok
	sandbox_fault endpoint=apiPage status=302 'header=Location: https://sso.example.com/?secret=1'
	doctor
	expect 0
	step api-page skip 'without signing in'
	sandbox_fault endpoint=apiPage status=503
	doctor
	exits 7 answer
	step api-page skip
}

@test "what a terminal would act on is escaped: a module's path, a bus, a configuration's name" {
	local -x ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/$'c\e[31monfig' DBUS_SESSION_BUS_ADDRESS=$'unix:path=/b\e[31mus%1b'
	printf 'refresh sufficient /m\xc2\x9b31m/x.so\nrefresh sufficient secret-service\n' >"$ALATION_CRED_CONFIG"
	doctor --offline
	step configuration ok 'c\x1b[31monfig'
	step d-bus FAIL '/b\x1b[31mus\x1b'
	grep -qF '  refresh//m\xc2\x9b31m/x.so ' <<<"$out"
	[[ $raw$err != *$'\e'* && $raw$err != *$'\xc2\x9b'* ]] || fails "it is there as it stands"
	doctor --offline --format json
	[[ $(jq -r '.steps[3:5][].step' <<<"$out") == *'/m\xc2\x9b31m/x.so'* ]]
}

@test "a stdout that is full or closed: 10" {
	logged_in
	run -10 bash -c 'setsid -w "$1" doctor --offline >/dev/full 3>&-' - "$CRED"
	[[ $output == *'No space left'* ]]
	run -10 bash -c 'setsid -w "$1" doctor --offline >&- 3>&-' - "$CRED"
}

@test "sealed-file: locked without its passphrase, and its round trip with one leaves the entries as they are" {
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	(umask 077 && echo 'a passphrase' >"$BATS_TEST_TMPDIR/key")
	echo "refresh sufficient sealed-file key-file=$BATS_TEST_TMPDIR/key" >"$ALATION_CRED_CONFIG"
	logged_in
	doctor
	expect 0
	step refresh/sealed-file ok 'stored, read back, erased'
	step d-bus skip 'no line of the stack needs it'
	step refresh-token ok "in 'sealed-file'"
	run_cred lock
	(umask 077 && echo 'another' >"$BATS_TEST_TMPDIR/key")
	doctor --offline
	exits 4 refresh/sealed-file
	said_nothing_secret
}

@test "whatever a module does, and whoever ends the call meanwhile: what was stored goes again" {
	local private
	private=$(mktemp -d)
	install -m 0644 "${B:-$SANDBOX_TOP/.build}/tests/modules/misbehaves.so" "$private/misbehaves.so"
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf 'refresh required %s\n' "$private/misbehaves.so $BATS_TEST_TMPDIR/kept try unsure" >"$ALATION_CRED_CONFIG"
	run_cred doctor --offline
	[[ $out == *'it does not store: failed'* && ! -e $BATS_TEST_TMPDIR/kept.tried ]] || fails "a store that failed"
	printf 'refresh required %s\n' "$private/misbehaves.so $BATS_TEST_TMPDIR/kept erase term" >"$ALATION_CRED_CONFIG"
	run_cred doctor --offline
	rm -rf "$private"
	[[ $code == 143 && ! -e $BATS_TEST_TMPDIR/kept.tried ]] || fails "a call that was ended"
}

@test "a locked keyring that another account's RefreshToken lies in, or none yet: skipped, and all is well" {
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf 'refresh sufficient secret-service\nrefresh sufficient sealed-file\n' >"$ALATION_CRED_CONFIG"
	logged_in
	doctor
	expect 0
	step refresh/secret-service ok
	step refresh/sealed-file skip 'locked, and nothing needs it'
	printf 'refresh required secret-service\nrefresh required sealed-file\n' >"$ALATION_CRED_CONFIG"
	doctor --offline
	exits 4 refresh/sealed-file
}

@test "another user namespace has another kernel keyring, and that is said" {
	unshare --user --map-root-user true 2>/dev/null || skip 'no user namespaces here'
	cred() { setsid -w unshare --user --map-root-user "$CRED" "$@" 3>&-; }
	doctor --offline
	step user-namespace ok 'another than the machine' 'a RefreshToken of its own'
}
