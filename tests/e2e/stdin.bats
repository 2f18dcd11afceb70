#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The rule for stdin: a bare `get` answers a git request that lies there, and in every other case prints a plain token
# and leaves each byte as it was. By those who call it: shells, their loops, scripts and here-documents, Node, Python.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/git

setup_file() {
	program_setup_file
	# The interpreter itself: a wrapper in PATH may want the caller's home.
	PYTHON=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null) || PYTHON=
	NODE=$(node -p process.execPath 2>/dev/null) || NODE=
	export PYTHON NODE
}
teardown_file() { program_teardown_file; }

setup() {
	git_setup
	PATH=${HELPER%/*}:$PATH
	export TOKEN HOST
	REPLY_TO_GIT="username=102
password=$TOKEN
password_expiry_utc=$(cached expires_at)
"
	SILENT="alation-cred: waited for a request on stdin, which is open and silent; 'alation-cred token' never looks there
"
	printf '%s\n' protocol=http "host=$HOST" >"$BATS_TEST_TMPDIR/request"
	cd "$BATS_TEST_TMPDIR"
	declare -gA runs=()
}

teardown() {
	local pid
	for pid in "${writers[@]}"; do
		kill "$pid" 2>/dev/null || :
	done
	git_teardown
}

# writer COMMAND...: its stdout is $written from here on. It may be at work as long as it likes.
writer() {
	exec {written}< <(exec 3>&- && exec "$@")
	writers+=($!)
}

gives() { # STDOUT [STDERR]: of the last run, which ended well
	[[ $code == 0 ]] || fails "exit $code" || return 1
	[[ $raw == "$1" ]] || fails "stdout is not ${1@Q}" || return 1
	[[ $err == "${2-}" ]] || fails "stderr is not '${2-}'"
}

plain() { gives "$TOKEN"$'\n'; }
answered() { gives "$REPLY_TO_GIT"; }

# Whoever reads on after `get` finds all of FILE: through a pipe, and as a file.
left_whole() { # FILE [GET'S ARGUMENTS...]
	local file=$1
	shift
	{
		{ alation-cred get "$@" && cat; } < <(cat "$file")
		{ alation-cred get "$@" && cat; } <"$file"
	} >"$OUT" 2>"$BATS_TEST_TMPDIR/err"
	{ echo "$TOKEN" && cat "$file" && echo "$TOKEN" && cat "$file"; } | cmp - "$OUT"
	[[ ! -s $BATS_TEST_TMPDIR/err ]]
}

in_time() { # SECONDS COMMAND...: and no more than 5 s over
	local start=$SECONDS limit=$1
	shift
	feed "$@"
	[[ $((SECONDS - start)) -le $((limit + 5)) ]] || fails "$((SECONDS - start)) s"
}

# meanwhile NAME COMMAND...: beside what follows. came_back NAME SECONDS: that one is what the last run was, in_time
meanwhile() {
	local name=$1 code=0 start=$SECONDS
	shift
	{
		"$@" >"$name.out" 2>"$name.err" || code=$?
		echo "$code $((SECONDS - start))" >"$name.end"
	} <&0 3>&- &
	runs[$name]=$!
}
came_back() {
	local took
	wait "${runs[$1]}"
	read -r code took <"$1.end"
	IFS= read -r -d '' raw <"$1.out" || :
	IFS= read -r -d '' err <"$1.err" || :
	ran=$1 out=$raw
	[[ $took -le $(($2 + 5)) ]] || fails "$took s"
}

## what it is connected to

@test "closed, /dev/null, /dev/zero, a directory, not for reading, an empty file: a plain token, and not a word" {
	feed alation-cred get <&-
	plain
	feed alation-cred get </dev/null
	plain
	feed alation-cred get </dev/zero
	plain
	feed alation-cred get </dev/full
	plain
	feed alation-cred get </
	plain
	feed alation-cred get 0>write-only
	plain
	feed alation-cred get 0>/dev/null
	plain
	feed alation-cred get </proc/self/cmdline
	plain
	: >empty
	left_whole empty
	feed alation-cred get < <(:)
	plain
	# All of 0, 1 and 2 that matter.
	feed bash -c 'alation-cred get <&- 2>&-'
	plain
}

@test "a terminal is never read, whatever is typed there; in git's protocol it is" {
	local pty=${B:-$SANDBOX_TOP/.build}/tests/tools/pty
	feed "$pty" sh -c 'alation-cred get && read -r line && echo "line: $line"' <<<"send url=http://$HOST"
	[[ $code == 0 && $raw == *"$TOKEN"$'\r\n'* && $raw == *"line: url=http://$HOST"* && $raw != *username=102* ]] || fails 'typed ahead'
	feed "$pty" alation-cred get </dev/null
	[[ $code == 0 && $raw == "$TOKEN"$'\r\n' ]] || fails 'nothing typed'
	feed "$pty" alation-cred --protocol git get <<-END
		send protocol=http
		send host=$HOST
		send
		expect password=$TOKEN
	END
	[[ $code == 0 ]] || fails 'a request by hand'
}

@test "a request in a pipe, a file, a here-string; with an empty line or without; by any of git's verbs" {
	feed alation-cred get < <(cat request)
	answered
	feed alation-cred get <request
	answered
	feed alation-cred get <<<"$(<request)"
	answered
	feed alation-cred get < <(cat request && echo)
	answered
	feed alation-cred get < <(printf %s "$(<request)")
	answered
	feed alation-cred get <<<"url=http://$HOST"
	answered
	feed alation-cred get <<<$'wwwauth[]=Basic\nfuture-key_1=x\n'"host=$HOST"$'\nprotocol=http'
	answered
	feed alation-cred get --timeout 5 -v <request
	[[ $code$raw == "0$REPLY_TO_GIT" && $err == *'a request'* ]]
	# Not ours: silence, not a token for git to print.
	feed alation-cred get <<<$'protocol=https\nhost=example.com'
	gives ''
	# What other programs make of a file that was half read: its rest alone counts.
	{ read -r first && feed alation-cred get; } < <(echo 'something else' && cat request)
	answered
	{ read -r first && feed alation-cred get; } < <(cat request && echo username=7)
	[[ $first == protocol=http && $code == 2 && ! $raw ]]
}

@test "a request that is malformed or names nobody: 2, and never a token that git would print" {
	local text
	for text in "protocol=http\r\nhost=$HOST\r\n" "protocol=http\nhost=$HOST\r\n" "protocol=http\nhost=$HOST\r\n\r\n" "host=$HOST\n" 'protocol=http\n' 'url=\n' "url=$HOST\n" \
		"url=http://$HOST/%0a\n" "protocol=http\nhost=a\0b\n"; do
		feed alation-cred get < <(printf %b "$text")
		[[ $code == 2 && ! $raw && $err == 'alation-cred: the request on stdin '* ]] || fails "$text"
	done
	no_calls
}

@test "what is no request: a plain token, and every byte is left to whoever reads on" {
	local text
	while IFS= read -r text; do
		{ alation-cred get && cat; } < <(printf "$text") >"$OUT" 2>"$BATS_TEST_TMPDIR/err"
		printf "%s\n$text" "$TOKEN" | cmp - "$OUT"
		[[ ! -s $BATS_TEST_TMPDIR/err ]] || fails "$text"
	done <<-'END'
		{"protocol":"https","host":"example.com"}
		{\n  "url": "https://example.com"\n}\n
		one\ntwo\nthree\n
		one\r\ntwo\r\n
		\n
		\nprotocol=https\nhost=example.com\n
		protocol=https\nhost=example.com\n\nmore\n
		protocol=https\nhost=example.com\n\n\n
		protocol=https\nhost=example.com\nrow\n
		protocol=https\nhost=example.com\nrow
		protocol=https\nhost=example.com\n=x\n
		protocol=https\nhost=example.com\nA=x\n
		protocol=https\nhost=example.com\na b=x\n
		protocol=https\nhost=example.com\na[]]=x\n
		protocol=https\nhost=example.com\na[=x\n
		Protocol=https\nHost=example.com\n
		host: example.com\n
		name=x\nhost=example.com\n
		hosts=x\nhost=example.com\n
		username=102\npassword=x\n
		capability[]=authtype\n
		url=https://example.com\ncurl "$url"\n
		url=https://example.com\nexport url\n
		#!/bin/sh\nurl=https://example.com\n
		 host=example.com\n
		a,b,c\n1,2,3\n
		\0\0\0
		\xff\xfehost=x\n
		host
		h
	END
}

@test "200,000 bytes pass a get and reach the next reader intact" {
	head -c 150000 /dev/urandom | base64 -w 75 | head -c 200000 >rows
	[[ $(wc -c <rows) == 200000 ]]
	left_whole rows
	tr -d '\n' <rows >one-line
	left_whole one-line
	head -c 200000 /dev/urandom >binary
	left_whole binary
	# Requests until the first that is none.
	{ yes host=x | head -c 65000 && echo 'and a row' && cat rows; } >nearly
	left_whole nearly
}

@test "more than 64 KiB of a request is one, and its end is judged by git's rules" {
	local i line
	line=wwwauth[]=$(head -c 10000 /dev/zero | tr '\0' a)
	{ echo protocol=https && for ((i = 0; i < 20; i++)); do echo "$line"; done && cat request; } >large
	feed alation-cred get <large
	answered
	feed alation-cred get < <(cat large)
	answered
	# A pipe is full by its pages, with less than 64 KiB in it.
	feed alation-cred get < <(echo protocol=https && tail -n +2 large)
	answered
	feed alation-cred get < <(echo protocol=http && for ((i = 0; i < 40; i++)); do echo "${line:0:2049}"; done && echo "host=$HOST")
	answered
	feed alation-cred get < <(yes host=x)
	[[ $code == 2 && ! $raw && $err == 'alation-cred: more than 1048576 bytes on stdin'* ]] || fails 'no end in sight'
	feed alation-cred get < <(yes)
	plain
}

@test "with ACCOUNT or --format, and token: stdin is never read, not even a request" {
	local account
	for account in "$ACCOUNT" "$SANDBOX_URL" "${HOST}"; do
		left_whole request "$account" || fails "$account"
	done
	left_whole request --format token
	writer sleep 600
	feed alation-cred get "$ACCOUNT" <&"$written"
	plain
	feed alation-cred --format=token get <&"$written"
	plain
	feed alation-cred get --format header <&"$written"
	gives "TOKEN: $TOKEN"$'\n'
	feed alation-cred token <&"$written"
	plain
	{ feed alation-cred token && rest=$(cat); } < <(cat request)
	plain
	[[ $rest == "$(<request)" ]]
	{ feed alation-cred get --format json && rest=$(cat); } < <(cat request)
	[[ $code == 0 && $raw == '{"version":1,"success":true,'* && $rest == "$(<request)" ]]
	answers_record 0 json 'alation-cred get' "$raw"
}

@test "in git's protocol it is always read: what is no request is malformed there" {
	feed alation-cred --protocol git get <<<'{}'
	[[ $code == 2 && ! $raw ]]
	feed alation-cred --protocol git get </dev/null
	[[ $code == 2 && ! $raw ]]
	feed alation-cred --protocol git get <request
	answered
}

## slow and silent writers

@test "open and silent: a plain token after a second, and the line that recommends 'token'" {
	writer sleep 600
	meanwhile pipe alation-cred get <&"$written"
	# A FIFO that its reader opened for writing too: no end will ever come.
	mkfifo fifo
	in_time 1 alation-cred get <>fifo
	gives "$TOKEN"$'\n' "$SILENT"
	came_back pipe 1
	gives "$TOKEN"$'\n' "$SILENT"
}

@test "a whole request without an end, with git's protocol: 2 by --timeout; bare: answered after a second" {
	writer sh -c 'cat request; exec sleep 600'
	meanwhile protocol alation-cred --protocol git --timeout 2 get <&"$written"
	writer sh -c 'cat request; exec sleep 600'
	in_time 1 alation-cred get <&"$written"
	answered
	# The empty line is an end.
	writer sh -c 'cat request; echo; exec sleep 600'
	in_time 1 alation-cred --protocol git get <&"$written"
	answered
	writer sh -c 'cat request; echo; exec sleep 600'
	in_time 1 alation-cred get <&"$written"
	answered
	came_back protocol 2
	[[ $code == 2 && ! $raw && $err == 'alation-cred: nothing more came on stdin, and it did not end; end the request with an empty line, or close stdin'$'\n' ]] || fails 'no end'
}

@test "half a request that stops: bare, what is there is judged after a second; in git's protocol 2 by --timeout" {
	local line
	writer sh -c 'printf "protocol=http\nho"; exec sleep 600'
	meanwhile protocol alation-cred --protocol git --timeout 1 get <&"$written"
	# A line that stops is not its end: this may become another host.
	writer sh -c 'printf "protocol=http\nhost=%s" "$HOST"; exec sleep 600'
	meanwhile host alation-cred get <&"$written"
	writer sh -c 'printf "protocol=http\nho"; exec sleep 600'
	in_time 1 alation-cred get <&"$written"
	plain
	IFS= read -r -t 10 line <&"$written"
	[[ $line == protocol=http ]]
	IFS= read -r -n 2 -t 10 line <&"$written"
	[[ $line == ho ]]
	came_back protocol 1
	[[ $code == 2 && ! $raw && $err == 'alation-cred: nothing more came on stdin'* ]] || fails 'half'
	came_back host 1
	[[ $code == 2 && ! $raw && $err == 'alation-cred: the request on stdin stops within a line; end the request with an empty line, or close stdin'$'\n' ]] || fails 'half a host'
}

@test "a request in pieces is waited for, bare too, while each comes within a second" {
	local pieces='for piece in pro "tocol=http" "
host=" "$HOST" "
"; do printf %s "$piece"; sleep 0.1; done'
	writer sh -c "$pieces"
	meanwhile bare alation-cred get <&"$written"
	writer sh -c "$pieces"
	in_time 5 alation-cred --protocol git get <&"$written"
	answered
	came_back bare 5
	answered
}

@test "a byte now and then without an end: bare 5 s in all, a plain token, the bytes left; in git's protocol 2 by --timeout" {
	local dripped line
	writer bash -c 'text="capability[]=authtype"; while :; do printf %s "${text:i++%24:1}"; sleep 0.4; done'
	dripped=$written
	meanwhile bare alation-cred get <&"$dripped"
	writer sh -c 'while :; do printf a; sleep 1; done'
	meanwhile bytes alation-cred --protocol git --timeout 3 get <&"$written"
	writer sh -c 'while :; do echo x=y; sleep 0.1; done'
	meanwhile lines alation-cred --protocol git --timeout 2 store <&"$written"
	writer sh -c 'while :; do echo x=y; sleep 0.1; done'
	in_time 1 alation-cred --protocol git --timeout 1 no-such-verb <&"$written"
	gives ''
	came_back lines 2
	[[ $code == 2 && ! $raw && $err == 'alation-cred: nothing more came on stdin'* ]] || fails 'lines'
	came_back bytes 3
	[[ $code == 2 && ! $raw && $err == 'alation-cred: nothing more came on stdin'* ]] || fails 'a byte a second'
	came_back bare 5
	[[ $code == 0 && $raw == "$TOKEN"$'\n' ]] || fails 'bare'
	IFS= read -r -n 10 -t 10 line <&"$dripped"
	[[ $line == capability ]]
	no_calls
}

## shells

@test "while read: every row of the loop arrives, in bash and dash, from a pipe, a file and a here-document" {
	local shell loop='while read -r row; do token=$(alation-cred get) || exit; [ "$token" = "$TOKEN" ] || exit 9; echo "$row"; done'
	printf '%s\n' one two three host 'url https://example.com' user,host 'x=1' >rows
	for shell in bash dash; do
		type -P "$shell" >/dev/null || skip "no $shell here"
		feed "$shell" -c "$loop" < <(cat rows)
		gives "$(<rows)"$'\n' || fails "$shell: a pipe"
		feed "$shell" -c "$loop" <rows
		gives "$(<rows)"$'\n' || fails "$shell: a file"
		feed "$shell" -c "cat rows | $loop"
		gives "$(<rows)"$'\n' || fails "$shell: cat |"
		feed "$shell" -c "$loop <<END"$'\n'"$(<rows)"$'\nEND'
		gives "$(<rows)"$'\n' || fails "$shell: a here-document"
	done
}

@test "while read from a slow producer: each row arrives, and the second of silence is said" {
	# The second row comes when the first was dealt with.
	mkfifo done
	feed bash -c '{ echo one; read -r _ <done; echo two; } | while read -r row; do alation-cred get || exit; echo "$row"; [ "$row" != one ] || echo >done; done'
	gives "$TOKEN"$'\none\n'"$TOKEN"$'\ntwo\n' "$SILENT"
}

@test "a script on stdin: bash and dash run all of it, whatever the next lines look like" {
	local shell
	cat >script <<-'END'
		token=$(alation-cred get)
		url=https://example.com/a
		host=example.com
		protocol=https
		echo "$token $url $host $protocol"
		alation-cred get
		host=another

		protocol=http
		echo "$host $protocol"
		alation-cred get
		url=https://example.com/b
		echo "$url"
	END
	for shell in bash dash 'bash -s' 'dash -s' 'bash -e'; do
		type -P "${shell% *}" >/dev/null || skip "no $shell here"
		feed $shell <script
		gives "$TOKEN https://example.com/a example.com https"$'\n'"$TOKEN"$'\nanother http\n'"$TOKEN"$'\nhttps://example.com/b\n' || fails "$shell: a file"
		feed $shell < <(cat script)
		gives "$TOKEN https://example.com/a example.com https"$'\n'"$TOKEN"$'\nanother http\n'"$TOKEN"$'\nhttps://example.com/b\n' || fails "$shell: a pipe"
	done
}

@test "here-documents of bash and dash, small and of 70 KB: requests are answered, others stay" {
	local shell name
	printf 'protocol=http\nwwwauth[]=%s\n' "$(head -c 60000 /dev/zero | tr '\0' a)" >large-request
	{ printf 'wwwauth[]=%s\n' "$(head -c 10000 /dev/zero | tr '\0' b)" && echo "host=$HOST"; } >>large-request
	yes 'a row' | head -c 70000 >large-rows
	printf 'a row\nanother\n' >rows
	[[ $(wc -c <large-request) -gt 70000 ]]
	for shell in bash dash; do
		type -P "$shell" >/dev/null || skip "no $shell here"
		for name in request large-request; do
			{ echo 'alation-cred get <<END' && cat $name && echo END; } >script
			feed "$shell" script
			answered || fails "$shell: $name"
		done
		for name in rows large-rows; do
			{ echo '{ alation-cred get; cat; } <<END' && cat $name && echo && echo END; } >script
			feed "$shell" script
			gives "$TOKEN"$'\n'"$(<$name)"$'\n\n' || gives "$TOKEN"$'\n'"$(<$name)"$'\n' || fails "$shell: $name"
		done
	done
}

@test "xargs, env, nohup, a background job, a pipeline that ends: a plain token each" {
	feed xargs -n 1 sh -c 'alation-cred get' < <(printf '%s\n' one two)
	gives "$TOKEN"$'\n'"$TOKEN"$'\n'
	feed sh -c 'alation-cred get & wait' < <(cat request)
	plain
	feed sh -c ': | alation-cred get'
	plain
	feed env -i HOME="$HOME" "$CRED" get </dev/null
	plain
}

## Node and Python

@test "Node: exec and execFile (a socket, open and silent), spawnSync (ended), input and answers" {
	[[ $NODE ]] || skip 'no node here'
	cat >callers.js <<-'END'
		const { exec, execFile, execFileSync, spawnSync } = require('node:child_process');
		const { promisify } = require('node:util');
		const request = `protocol=http\nhost=${process.env.HOST}\n`;
		const show = (name, r) => console.log(name, JSON.stringify([r.stdout, r.stderr]));
		const piped = (pieces) => new Promise((done) => {
			const child = execFile('alation-cred', ['get'], (error, stdout, stderr) => done({ stdout, stderr }));
			const next = () => { const piece = pieces.shift(); if (piece === undefined) child.stdin.end(); else child.stdin.write(piece, () => setTimeout(next, 100)); };
			next();
		});
		(async () => {
			show('execFile', await promisify(execFile)('alation-cred', ['get']));
			show('exec', await promisify(exec)('alation-cred get'));
			show('token', await promisify(execFile)('alation-cred', ['token']));
			show('spawnSync', spawnSync('alation-cred', ['get'], { encoding: 'utf8' }));
			show('execFileSync', { stdout: execFileSync('alation-cred', ['get'], { encoding: 'utf8', stdio: 'pipe' }), stderr: '' });
			show('ignore', spawnSync('alation-cred', ['get'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
			show('input', spawnSync('alation-cred', ['get'], { encoding: 'utf8', input: request }));
			show('json', spawnSync('alation-cred', ['get'], { encoding: 'utf8', input: '{"host":"x"}' }));
			show('written', await piped([request]));
			show('pieces', await piped(['protocol=', 'http\nhost', '=' + process.env.HOST + '\n']));
			show('ended', await piped([]));
			show('protocol', spawnSync('alation-cred', ['--protocol', 'git', 'get'], { encoding: 'utf8', input: request }));
		})();
	END
	local token silent reply
	token=$(jq -Rs <<<"$TOKEN") silent=$(printf %s "$SILENT" | jq -Rs) reply=$(printf %s "$REPLY_TO_GIT" | jq -Rs)
	feed "$NODE" callers.js
	gives "execFile [$token,$silent]
exec [$token,$silent]
token [$token,\"\"]
spawnSync [$token,\"\"]
execFileSync [$token,\"\"]
ignore [$token,\"\"]
input [$reply,\"\"]
json [$token,\"\"]
written [$reply,\"\"]
pieces [$reply,\"\"]
ended [$token,\"\"]
protocol [$reply,\"\"]
"
}

@test "Python: run, Popen with a pipe that stays open, a socket; what is no request is still there, flags unchanged" {
	[[ $PYTHON ]] || skip 'no python3 here'
	cat >callers.py <<-'END'
		import fcntl, json, os, socket, subprocess as s
		from subprocess import DEVNULL, PIPE
		get = ["alation-cred", "get"]
		request = "protocol=http\nhost=%s\n" % os.environ["HOST"]
		def show(name, out, err=""):
		    print(name, json.dumps([out, err], separators=(",", ":")), flush=True)
		def run(name, **how):
		    r = s.run(get, stdout=PIPE, stderr=PIPE, text=True, **how)
		    show(name, r.stdout, r.stderr)
		run("inherit")
		run("devnull", stdin=DEVNULL)
		run("input", input=request)
		run("nothing", input="")
		run("json", input='{"host": "x"}')
		with s.Popen(get, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as p:
		    show("silent", p.stdout.read(), p.stderr.read())
		with s.Popen(get, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as p:
		    p.stdin.write(request); p.stdin.flush()
		    show("open", p.stdout.read(), p.stderr.read())
		def sockets(name, text, end, kind=socket.SOCK_STREAM):
		    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
		    if text: ours.sendall(text.encode())
		    if end: ours.shutdown(socket.SHUT_WR)
		    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
		    run(name, stdin=theirs)
		    assert fcntl.fcntl(theirs, fcntl.F_GETFL) == flags
		    theirs.setblocking(False)
		    try: left = theirs.recv(100000).decode()
		    except BlockingIOError: left = "(nothing)"
		    show(name + " left", left)
		    try: ours.sendall(b"x"); show(name + " writer", "not cut off")
		    except OSError as e: show(name + " writer", e.__class__.__name__)
		sockets("socket silent", "", False)
		sockets("socket ended", "", True)
		sockets("socket request", request, True)
		sockets("socket request open", request, False)
		sockets("socket request line", request + "\n", False)
		sockets("socket rows", "one\ntwo\n", False)
		server = socket.create_server(("127.0.0.1", 0))
		ours = socket.create_connection(server.getsockname())
		theirs, _ = server.accept()
		ours.sendall(request.encode()); ours.shutdown(socket.SHUT_WR)
		run("tcp request", stdin=theirs)
		r, w = os.pipe()
		os.write(w, b"one\ntwo\n")
		run("pipe rows", stdin=r)
		assert not fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK
		show("pipe rows left", os.read(r, 100).decode())
	END
	local token silent reply
	token=$(jq -Rs <<<"$TOKEN") silent=$(printf %s "$SILENT" | jq -Rs) reply=$(printf %s "$REPLY_TO_GIT" | jq -Rs)
	feed "$PYTHON" callers.py </dev/null
	gives "inherit [$token,\"\"]
devnull [$token,\"\"]
input [$reply,\"\"]
nothing [$token,\"\"]
json [$token,\"\"]
silent [$token,$silent]
open [$reply,\"\"]
socket silent [$token,$silent]
socket silent left [\"(nothing)\",\"\"]
socket silent writer [\"not cut off\",\"\"]
socket ended [$token,\"\"]
socket ended left [\"\",\"\"]
socket ended writer [\"BrokenPipeError\",\"\"]
socket request [$reply,\"\"]
socket request left [\"\",\"\"]
socket request writer [\"BrokenPipeError\",\"\"]
socket request open [$reply,\"\"]
socket request open left [\"(nothing)\",\"\"]
socket request open writer [\"not cut off\",\"\"]
socket request line [$reply,\"\"]
socket request line left [\"(nothing)\",\"\"]
socket request line writer [\"not cut off\",\"\"]
socket rows [$token,\"\"]
socket rows left [\"one\\ntwo\\n\",\"\"]
socket rows writer [\"not cut off\",\"\"]
tcp request [$reply,\"\"]
pipe rows [$token,\"\"]
pipe rows left [\"one\\ntwo\\n\",\"\"]
"
}
