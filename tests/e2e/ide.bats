#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/ide/: the examples for editors' plugins and notebooks, in Node and in Python, at the sandbox. Each test goes
# through both languages; tests/ide/drive.* are the programs that use them. Each child is counted, with its arguments,
# and begins only once its stdin has ended.

bats_require_minimum_version 1.5.0
load ../lib/place # its recipe

ANSWER_S=60
CROWD=20
DATA=/integration/v2/datasource/

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() {
	command -v node >/dev/null && command -v python3 >/dev/null || skip 'Node or Python is not installed'
	program_setup
	ide=$SANDBOX_TOP/tests/ide
	children=$BATS_TEST_TMPDIR/children helper=$BATS_TEST_TMPDIR/helper driver=
	printf '#!/bin/sh\necho "$*" >>%q\ncat >/dev/null\n[ -z "$GATE" ] || read -r _ <"$GATE"\nexec %q "$@"\n' "$children" "$CRED" >"$helper"
	chmod +x "$helper"
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
}
teardown() {
	[[ ! $driver ]] || { kill "$driver" 2>/dev/null && wait "$driver" || :; }
	program_teardown
	session_stop # a test's own
}

begin() { # LANGUAGE [NAME=VALUE...]
	local run=(node "$ide/drive.js")
	[[ $1 == node ]] || run=(python3 "$ide/drive.py")
	echo "in $1"
	: >"$children"
	rm -f "$BATS_TEST_TMPDIR"/drive.{in,out}
	mkfifo "$BATS_TEST_TMPDIR"/drive.{in,out}
	env HELPER="$helper" "${@:2}" setsid -w "${run[@]}" <"$BATS_TEST_TMPDIR/drive.in" >"$BATS_TEST_TMPDIR/drive.out" 2>"$BATS_TEST_TMPDIR/drive.stderr" 3>&- &
	driver=$!
	exec {to}>"$BATS_TEST_TMPDIR/drive.in" {from}<"$BATS_TEST_TMPDIR/drive.out"
}
ends() { # and has had nothing else to say
	echo end >&"$to" # what was started meanwhile has that descriptor too
	read -r -t $ANSWER_S answer <&"$from" || [[ $? == 1 ]]
	wait "$driver"
	driver=
	exec {to}>&- {from}<&-
	[[ ! -s $BATS_TEST_TMPDIR/drive.stderr ]] || { cat "$BATS_TEST_TMPDIR/drive.stderr"; false; }
}
ask() { # WORDS PATTERN: what it is told to do, and what it answers
	echo "$1" >&"$to"
	read -r -t $ANSWER_S answer <&"$from" || { cat "$BATS_TEST_TMPDIR/drive.stderr"; false; }
	[[ $answer == $2 ]] || { echo "$1: ${answer@Q}, not $2"; cat "$children"; false; }
}
ran() { # ARGUMENTS...: of each child, in their order
	diff <(printf '%s\n' "${@//%/get --format json --timeout 30s}") "$children"
}
live() { sed -n 's/.*createAPIAccessToken.* made=//p' "$SANDBOX_LOG" | tail -n 1; }
mints() { sandbox_calls createAPIAccessToken; }
drop_cached() { keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u >/dev/null; }
signed_in() {
	login_demo "$@"
	expect 0
	: >"$SANDBOX_LOG"
}

@test "a token comes, is kept until it ends, works, and shows nowhere" {
	local token
	for language in node python; do
		signed_in
		drop_cached
		begin $language
		ask get 'token ?*'
		token=${answer#token }
		[[ $token == "$(live)" ]]
		ask show "*$SANDBOX_URL*"
		[[ $answer != *"$token"* ]]
		ask get "token $token"
		ask "request $DATA" 'status 200 true'
		ask "crowd $CROWD" "$CROWD token $token"
		[[ $(mints) == 1 ]]
		ran %
		ends
	done
}

@test "an account is named; nobody is logged in: no_account, 3, and what to do" {
	for language in node python; do
		begin $language ACCOUNT="$ACCOUNT"
		ask get "error no_account 3 false *'alation-cred login *"
		ran "% $ACCOUNT"
		ends
		signed_in
		drop_cached
		begin $language ACCOUNT="${SANDBOX_URL#http://}"
		ask get "token $(live)*"
		ran "% ${SANDBOX_URL#http://}"
		ends
		run_cred logout
		expect 0
	done
}

@test "the keyring is locked: keyring_locked, 4; nothing opens, and once it is open the same object serves" {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
	for language in node python; do
		signed_in
		drop_cached
		session_lock
		begin $language
		ask get 'error keyring_locked 4 false *unlock*'
		ask "crowd $CROWD" "$CROWD error keyring_locked 4 *"
		ran % %
		session_unlock
		ask get "token ?*"
		[[ ${answer#token } == "$(live)" ]]
		ends
	done
}

@test "the server is down: network, 6, and may be tried again; a request then has no answer either" {
	for language in node python; do
		program_sandbox
		signed_in --default
		drop_cached
		sandbox_stop
		begin $language
		ask get 'error network 6 true *'
		ask show '*network*'
		ask "request $DATA" 'error network 6 true *'
		ends
	done
}

@test "the server asks to wait: throttled, 7, and the seconds under the name that the page has for each language" {
	local name page
	page=$(tr '\n' ' ' <"$SANDBOX_TOP/docs/ide.md")
	for language in node python; do
		[[ $page =~ '`retry_after` as `'([A-Za-z]+)'` (Node) or `'([a-z_]+)'` (Python)' ]]
		name=${BASH_REMATCH[1]}
		[[ $language == node ]] || name=${BASH_REMATCH[2]}
		program_sandbox
		signed_in --default
		drop_cached
		sandbox_fault endpoint=createAPIAccessToken status=429 'header=Retry-After: 17'
		begin $language
		ask get 'error throttled 7 true *'
		ask show "*[\\' {]$name[:\\'][\\': ]*17[^0-9]*"
		ends
	done
}

@test "the helper is not in PATH, or not where the setting says: helper_missing, naming it and PATH" {
	for language in node python; do
		for helper in no-such-helper "$BATS_TEST_TMPDIR/no-such-helper" "$BATS_TEST_TMPDIR"; do
			begin $language
			ask get "error helper_missing null false *'$helper' cannot be run *PATH is *whole path*"
			ends
		done
	done
}

@test "no answer of ours: helper_failed, with the last line of stderr, and without what was printed" {
	local text
	for language in node python; do
		for text in '' 'GUAFtoken' '{"version":1,"success":true,"token":"GUAF' '{"version":2,"success":true,"token":"GUAFtoken"}' '[1]'; do
			printf '#!/bin/sh\necho %q\necho first >&2; echo last >&2\nexit 7\n' "$text" >"$helper"
			begin $language
			ask get "error helper_failed 7 false *gave no answer (exit 7); last"
			ask show '*helper_failed*'
			[[ $answer != *GUAF* ]]
			ends
		done
		# Whole, but the exit code says otherwise.
		printf '#!/bin/sh\necho %q\nexit 10\n' '{"version":1,"success":true,"token":"GUAFtoken","header":"TOKEN","base_url":"https://a","user_id":1,"expires_at_epoch":null,"warnings":[]}' >"$helper"
		begin $language
		ask get 'error helper_failed 10 false *'
		ends
	done
}

@test "$CROWD at once: one child, for a token and for a failure" {
	local gate=$BATS_TEST_TMPDIR/gate # Node's callers are all there before any child can end, Python's are threads
	mkfifo "$gate"
	for language in node python; do
		begin $language $([[ $language == node ]] || echo "GATE=$gate")
		ask "crowd $CROWD" "$CROWD error no_account 3 *"
		ran %
		signed_in
		drop_cached
		ask "crowd $CROWD" "$CROWD token ?*"
		[[ $answer == *"token $(live)" && $(mints) == 1 ]]
		ran % %
		ends
		run_cred logout
		expect 0
	done
}

@test "a token that was revoked elsewhere: one question to the server, one mint, one more try; $CROWD at once likewise" {
	local first n
	for language in node python; do
		signed_in
		begin $language
		ask "request $DATA" 'status 200 true'
		first=$(cached_token)
		sandbox_revoke "$first"
		ask "request $DATA" 'status 200 true'
		ran % '% --validate'
		[[ $(mints) == 1 && $(sandbox_calls datasource) == 3 && $(cached_token) != "$first" ]]
		sandbox_revoke "$(cached_token)"
		ask "requests $CROWD $DATA" "$CROWD status 200 true"
		ran % '% --validate' '% --validate'
		n=$(sandbox_calls datasource)
		[[ $(mints) == 2 && $n -le $((3 + 2 * CROWD)) ]]
		ends
	done
}

@test "a refusal that comes late, when the token was replaced already: nobody asks again" {
	for language in node python; do
		signed_in
		begin $language
		ask get 'token ?*'
		sandbox_revoke "$(cached_token)"
		sandbox_fault endpoint=datasource delay_ms=60000
		ask "hold $DATA" held
		sandbox_held
		ask "request $DATA" 'status 200 true'
		sandbox_release
		ask held 'status 200 true'
		ran % '% --validate'
		[[ $(mints) == 1 ]]
		ends
	done
}
cached_token() { keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" | sed 's/.*token=\([^&]*\).*/\1/'; }

@test "a permission is missing: the same token back, the refusal is the answer; nothing is minted, nothing is sent again" {
	for language in node python; do
		for status in 403 401; do
			signed_in
			begin $language
			sandbox_fault endpoint=datasource status=$status 'body={}'
			ask "request $DATA" "status $status true"
			ran % '% --validate'
			[[ $(mints) == 0 && $(sandbox_calls datasource) == 1 ]]
			ask "request $DATA" 'status 200 true'
			[[ $(wc -l <"$children") == 2 ]]
			ends
		done
		# Refused, and then nobody can ask: the failure is told.
		begin $language
		sandbox_fault endpoint=datasource status=403
		sandbox_fault endpoint=validateAPIAccessToken status=503 times=2
		forget_validation
		ask "request $DATA" 'error server_error 7 true *'
		ends
	done
}
forget_validation() { # within 10 s the server's word is remembered
	local key
	key=$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")
	keyctl pipe "$key" | sed 's/&validated_at=[^&]*//; s/&minted_at=[^&]*/\&minted_at=1/' | tr -d '\n' | keyctl pupdate "$key"
}

@test "a token that is about to end is asked for anew each time; one without an end is not kept" {
	program_sandbox --access-lifetime 50
	for language in node python; do
		signed_in --default
		begin $language
		ask get "token $(cached_token)"
		ask get "token $(cached_token)"
		ran % %
		[[ $(mints) == 0 ]]
		ends
		printf '#!/bin/sh\necho >>%q\necho %q\n' "$children" '{"version":1,"success":true,"token":"t","header":"TOKEN","base_url":"https://a","user_id":1,"expires_at_epoch":null,"warnings":[]}' >"$helper.null"
		chmod +x "$helper.null"
		begin $language HELPER="$helper.null"
		ask get 'token t'
		ask get 'token t'
		[[ $(wc -l <"$children") == 2 ]]
		ends
	done
}

@test "the token goes to its own instance alone: another address is refused, a redirect does not take it along" {
	for language in node python; do
		signed_in
		begin $language
		decoy_start elsewhere-$language answer <(printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]')
		ask "request http://127.0.0.1:$DECOY_PORT/" "error *Error null null *$SANDBOX_URL*"
		ask "request //127.0.0.1:$DECOY_PORT/" "error *Error null null *$SANDBOX_URL*"
		[[ $(decoy_met elsewhere-$language) == 0 ]]
		sandbox_fault endpoint=datasource status=302 "header=Location: http://127.0.0.1:$DECOY_PORT/login"
		ask "request $DATA" 'status *'
		[[ $language == python || $answer == 'status 302 '* ]]
		[[ $(decoy_got elsewhere-$language) != *"$(cached_token)"* ]]
		[[ $language == node || $(decoy_met elsewhere-$language) == 1 ]]
		ends
	done
	decoy_stop
}

@test "a helper that hangs is ended after its time: helper_failed, may be tried again" {
	for language in node python; do
		printf '#!/bin/sh\necho $$ >%q\nexec sleep 600\n' "$BATS_TEST_TMPDIR/pid" >"$helper"
		begin $language TIMEOUT_S=1
		ask "crowd 2" '2 error helper_failed null true *it took too long*'
		[[ ! -e /proc/$(<"$BATS_TEST_TMPDIR/pid") ]]
		ends
	done
}

@test "Node: who gives up leaves the others their answer; the child ends with the last one" {
	signed_in
	mkfifo "$BATS_TEST_TMPDIR"/{began,go}
	printf '#!/bin/sh\necho $$ >%q\necho >>%q\necho >%q\nread -r _ <%q\nexec %q "$@"\n' "$BATS_TEST_TMPDIR/pid" "$children" \
		"$BATS_TEST_TMPDIR/began" "$BATS_TEST_TMPDIR/go" "$CRED" >"$helper"
	begin node
	ask aborted 'error AbortError *'
	[[ ! -s $children ]]
	ask "abort 1 $BATS_TEST_TMPDIR/began" 'error AbortError *'
	echo >"$BATS_TEST_TMPDIR/go"
	ask get "token $(cached_token)"
	[[ $(wc -l <"$children") == 1 ]]
	ends
	begin node
	ask "abort 2 $BATS_TEST_TMPDIR/began" 'error AbortError * | error AbortError *'
	timeout 10 tail --pid="$(<"$BATS_TEST_TMPDIR/pid")" -s 0.05 -f /dev/null
	ends
}

@test "words before the helper's name, as for a program outside of the editor's sandbox" {
	for language in node python; do
		signed_in
		begin $language HELPER="env -u HELPER $helper"
		ask get "token $(cached_token)"
		ran %
		ends
	done
}

@test "the page's programs: what they print" {
	local listed='["Sandbox sales","Sandbox people"]'
	signed_in
	cp "$SANDBOX_TOP"/docs/ide/* "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	export PATH=${CRED%/*}:$PATH PYTHONDONTWRITEBYTECODE=1
	{ recipe node ide.md && echo 'sources().then(list => console.log(JSON.stringify(list.map(one => one.title))));'; } >node.js
	[[ $(setsid -w node node.js 3>&-) == "$listed" ]]
	{ recipe python ide.md && echo 'print(json.dumps([one["title"] for one in sources()], separators=(",", ":")))'; } >python.py
	[[ $(setsid -w python3 python.py 3>&-) == "$listed" ]]
	sandbox_fault endpoint=datasource status=404 times=2
	run ! setsid -w node node.js
	[[ $output == *'the catalog answers 404'* ]]
	run ! setsid -w python3 python.py
	[[ $output == *'HTTP Error 404'* ]]
}

# VS Code itself is not here: what stands in for it has the six calls that the page makes, and the defaults of package.json.
@test "the page's extension, in a stand-in for VS Code: an answer, a failure that is shown, a wait that is cancelled" {
	signed_in
	cp "$SANDBOX_TOP"/docs/ide/alation-token.js "$BATS_TEST_TMPDIR"
	cd "$BATS_TEST_TMPDIR"
	recipe vscode ide.md >extension.js
	recipe vscode-package ide.md >package.json
	cp "$ide/vscode.js" "$ide/extension-host.js" .
	export PATH=${CRED%/*}:$PATH
	run -0 setsid -w node extension-host.js '{}'
	[[ $output == '["Sandbox sales","Sandbox people"]' ]] || { echo "$output"; false; }
	run -0 setsid -w node extension-host.js "$(recipe flatpak ide.md | sed 's/"flatpak-spawn", "--host", "--watch-bus"/"env"/')"
	[[ $output == '["Sandbox sales","Sandbox people"]' ]] || { echo "$output"; false; }
	run -0 setsid -w node extension-host.js '{"alation.credHelper":"/nonexistent"}'
	[[ $output == "shown: '/nonexistent' cannot be run "* ]] || { echo "$output"; false; }
	run -0 setsid -w node extension-host.js '{"cancel":true}'
	[[ $output == undefined ]] || { echo "$output"; false; }
}

@test "the page: each block has a name and a test; its links lead to a heading or a file" {
	local page=$SANDBOX_TOP/docs/ide.md link file
	cd "$BATS_TEST_TMPDIR"
	sed -n 's/^<!-- \(.*\) -->$/\1/p' "$page" | sort >named
	grep -oE 'recipe [a-z-]+ ide\.md' "$BATS_TEST_FILENAME" | cut -d' ' -f2 | sort -u | diff named -
	[[ $(grep -c '^```[a-z]' "$page") == $(wc -l <named) ]]
	grep -oE '\]\([^)]*\)' "$page" | sed 's/^](//; s/)$//' | sort -u >links
	[[ $(wc -l <links) -ge 7 ]]
	while read -r link; do
		file=${link%%#*}
		[[ -e $SANDBOX_TOP/docs/$file ]]
		[[ $link != *'#'* ]] || sed -nE 's/^#+ (.*)/\1/p' "$SANDBOX_TOP/docs/$file" | tr 'A-Z' 'a-z' | sed 's/[^a-z0-9 -]//g; s/ /-/g' |
			grep -qxF -- "${link#*\#}" || { echo "no such place: $link" && false; }
	done <links
}
