#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every verb that prints, in every format, onto each stdout that does not work: exit 10, a line that says so, and where it
# can be known before, nothing done for nobody. And stderr may be as bad without harm to the answer. What happens in
# between is stdout.bats'.

bats_require_minimum_version 1.5.0
load ../lib/program

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
teardown() { program_teardown; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	FORMATS=$("${B:-$SANDBOX_TOP/.build}/tests/tools/contract" | sed -n 's/^format //p')
	login_demo
	expect 0
	: >"$SANDBOX_LOG"
}

verbs() { "$CRED" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'; }

# What prints, a line each. A verb that is new here prints JSON at least.
rows() {
	local verb format
	for verb in $(verbs); do
		case $verb in
		get | token)
			echo "$verb"
			for format in $FORMATS; do echo "$verb --format $format"; done
			;;
		store | erase | exec) ;; # nothing but a failure
		capability) echo capability ;;
		login) echo "login $SANDBOX_URL --user demo --password-stdin --format json" ;;
		status) printf 'status%s\n' '' ' -v' ' --format json' " $ACCOUNT --format json" ;;
		set) printf 'set%s --format json\n' ' default' " $ACCOUNT shared" ' exclusive' ;;
		logout | validate | revoke | rotate) printf '%s --format json\n' "$verb" "$verb $ACCOUNT" "$verb --all" ;;
		lock) printf 'lock%s --format json\n' '' " $ACCOUNT" ;;
		*) echo "$verb --format json" ;;
		esac
		echo "$verb --help"
	done
	printf '%s\n' 'get --protocol git' --help --version '--help --format json'
}

# its_input ROW: what stands on stdin.
its_input() {
	case $1 in
	login*' --user '*) echo "$SANDBOX_PASSWORD" ;;
	*' git') printf 'url=%s\n\n' "$ACCOUNT" ;;
	esac
}

# onto KIND ROW: sets code and err.
onto() {
	local gone
	code=0 ran="$2, stdout $1" out='' raw=''
	its_input "$2" >"$BATS_TEST_TMPDIR/in"
	case $1 in
	closed) timeout 20 "$CRED" $2 >&- ;;
	read-only) timeout 20 "$CRED" $2 1</dev/null ;;
	full) timeout 20 "$CRED" $2 >/dev/full ;;
	gone) # a pipe without a reader
		reader_goes gone
		timeout 20 "$CRED" $2 >&"$gone" {gone}>&- || code=$?
		exec {gone}>&-
		;;
	socket) # Node's children have one: its other end is closed
		/usr/bin/python3 -c 'import os, socket, sys
ours, theirs = socket.socketpair()
ours.close()
os.dup2(theirs.fileno(), 1)
os.execv(sys.argv[1], sys.argv[1:])' "$CRED" $2
		;;
	esac <"$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
	err=$(<"$BATS_TEST_TMPDIR/err")
}

reader_goes() { # VARIABLE: the descriptor
	local both
	rm -f "$BATS_TEST_TMPDIR/pipe"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {both}<>"$BATS_TEST_TMPDIR/pipe"
	eval "exec {$1}>\"\$BATS_TEST_TMPDIR/pipe\""
	exec {both}<&-
}

unwritten() { # KIND ROW WORDS
	local wanted=10
	[[ $2 != exec* ]] || wanted=125 # what goes wrong before its command starts
	onto "$1" "$2"
	[[ $code == "$wanted" ]] || fails "exit $code, not $wanted" || return 1
	[[ ${err##*$'\n'} == 'alation-cred: the answer could not be written to stdout: '*"$3; look where it goes, then try again" ]] || fails "not on stderr: $3"
}

# What a verb could have changed.
everything() {
	cat "$STATE/accounts" "$SANDBOX_LOG"
	secret-tool search --all application alation-cred 2>/dev/null | grep -v '^\[\|modified\|created'
	keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")"
}

@test "closed, open for reading alone, without a reader: 10, and nothing is asked, minted or changed" {
	local row before n=0
	before=$(everything)
	while read -r row; do
		unwritten closed "$row" 'it is not open for writing'
		unwritten read-only "$row" 'it is not open for writing'
		case $row in
		*help* | --version | status* | doctor* | capability) unwritten gone "$row" '' ;; # nothing is done before, so it is written and fails
		*) unwritten gone "$row" 'nobody reads it any more' ;;
		esac
		n=$((n + 1))
	done < <(rows)
	((n > 40)) || fails "$n rows"
	[[ $(everything) == "$before" ]] || fails "something changed: $(diff <(echo "$before") <(everything))"
	for row in get 'get --format json' 'rotate --format json'; do
		unwritten socket "$row" 'nobody reads it any more'
	done
	no_calls
}

@test "full: 10, in every format; what was done is done" {
	local row
	while read -r row; do
		[[ $(listed) == 1 ]] || login_demo
		unwritten full "$row" 'No space left on device'
	done < <(rows)
	run_cred get
	expect 0
}

@test "stdout is no matter to a verb that has nothing to print" {
	local verb kind
	for kind in closed read-only full gone; do
		for verb in validate 'validate --all' 'set exclusive' unlock lock revoke rotate logout "login $SANDBOX_URL --user demo --password-stdin" store erase; do
			onto $kind "$verb"
			# Without a request on stdin the last two refuse.
			[[ $code == 0 || $verb == store || $verb == erase && $code == 2 ]] || fails "exit $code"
		done
	done
}

# beside KIND ROW: stderr is that; sets code and raw.
beside() {
	local gone
	code=0 ran="$2, stderr $1" err=''
	its_input "$2" >"$BATS_TEST_TMPDIR/in"
	case $1 in
	closed) timeout 20 "$CRED" $2 2>&- ;;
	read-only) timeout 20 "$CRED" $2 2</dev/null ;;
	full) timeout 20 "$CRED" $2 2>/dev/full ;;
	gone)
		reader_goes gone
		timeout 20 "$CRED" $2 2>&"$gone" {gone}>&- || code=$?
		exec {gone}>&-
		;;
	esac <"$BATS_TEST_TMPDIR/in" >"$OUT" 3>&- || code=$?
	IFS= read -r -d '' raw <"$OUT" || :
	out=${raw%$'\n'}
}

@test "stderr closed, full or without a reader: the answer is whole, and a failure has its code" {
	local row kind format
	for kind in closed read-only full gone; do
		while read -r row; do
			[[ $(listed) == 1 ]] || login_demo
			beside $kind "$row"
			[[ $code == 0 && $raw == *$'\n' ]] || fails "exit $code"
			[[ $row != *json ]] || answers_record 0 "${row##* }" "alation-cred $row" "$raw"
		done < <(rows)
		[[ $(listed) == 1 ]] || login_demo
		# With lines to say, and with none: -v, a warning, a failure.
		beside $kind "get $SANDBOX_URL/path -v --format json"
		[[ $code == 0 && $(jq -r '.warnings[].code' <<<"$out") == url_cut ]] || fails "a warning"
		for format in $FORMATS; do
			beside $kind "get https://1@nobody.invalid --format $format"
			[[ $code == 3 && ($format == json || -z $raw) ]] || fails "exit $code"
		done
		beside $kind 'get --format json https://1@nobody.invalid'
		[[ $code == 3 && $(jq -r .code <<<"$out") == no_account ]] || fails "exit $code"
	done
}

@test "a stderr that nobody drains holds up neither the answer nor the exit code" {
	local both
	mkfifo "$BATS_TEST_TMPDIR/stuck"
	exec {both}<>"$BATS_TEST_TMPDIR/stuck"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/stuck" bs=64k count=1 oflag=nonblock 2>/dev/null
	code=0
	timeout 20 "$CRED" get "$SANDBOX_URL/path" 2>&"$both" >"$OUT" 3>&- || code=$?
	[[ $code == 0 ]]
	works "$(<"$OUT")"
	code=0
	timeout 20 "$CRED" get https://1@nobody.invalid --format json 2>&"$both" >"$OUT" 3>&- || code=$?
	[[ $code == 3 && $(jq -r .code "$OUT") == no_account ]]
	exec {both}<&-
}

@test "neither stdout nor stderr: the code alone tells" {
	local row
	for row in get 'get --format json' 'status --format json' 'rotate --format json' --help; do
		code=0
		"$CRED" $row >&- 2>&- || code=$?
		[[ $code == 10 ]]
		code=0
		"$CRED" $row >/dev/full 2>/dev/full || code=$?
		[[ $code == 10 ]]
	done
}
