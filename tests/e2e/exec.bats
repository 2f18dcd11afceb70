#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# exec: what the command gets, that it finds all else as our caller had it, and the exit codes. What is handed on by an exec is
# told by tests/tools/inherits.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/lifecycle

TOOLS=${B:-$SANDBOX_TOP/.build}/tests/tools
MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules

setup() {
	program_environment
	session_start unlocked
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	login_demo
	expect 0
	TOKEN=$(cached)
	: >"$SANDBOX_LOG"
}

teardown() {
	program_teardown
	session_stop
	[[ -z ${private:-} ]] || rm -rf "$private"
}

# As `env -0` has it, NAME=VALUE a line, sorted.
variables() { tr '\0' '\n' <"$OUT" | grep '^ALATION_' | sort; }
given() { # TOKEN: what a command gets
	local ends
	ends=$(date -u -d "@$(remembered expires_at)" +%Y-%m-%dT%H:%M:%SZ)
	printf '%s\n' "ALATION_ACCESS_TOKEN=$1" "ALATION_API_TOKEN=$1" "ALATION_BASE_URL=$SANDBOX_URL" "ALATION_TOKEN=$1" "ALATION_TOKEN_EXPIRES_AT=$ends" ALATION_USER_ID=102
}

@test "the command has the token, whose it is and when it ends; what was stale is gone, all else stays" {
	export ALATION_REFRESH_TOKEN=outdated ALATION_FOO=outdated ALATION_TOKEN=outdated ALATION_API_TOKEN_OLD=outdated ALATION_CRED=outdated ALATION_CRED_SOMETHING='stays as it is' ODD=$'two\nlines '
	run_cred exec "$ACCOUNT" -- env -0
	[[ $code == 0 && -z $err ]] || fails "not run"
	diff <(variables) <({ given "$TOKEN"; echo 'ALATION_CRED_SOMETHING=stays as it is'; } | sort)
	run ! grep -q outdated "$OUT"
	# In the caller's order, with ours behind.
	diff <(env -0 | tr '\0' '\n' | grep -v '^ALATION_[^C]\|^ALATION_CRED=\|^_=') <(tr '\0' '\n' <"$OUT" | grep -v '^ALATION_[^C]\|^_=')
	no_calls
}

@test "the variables are those of the format env" {
	diff <(cred token --format env | sed -E "s/^export (.*)='(.*)';$/\1=\2/" | sort) <(cred exec -- env | grep '^ALATION_' | sort)
}

@test "real programs use it: python3, sh, a pipeline, git with the token as a header" {
	run_cred exec -- python3 -c 'import os, urllib.request as r
print(r.urlopen(r.Request(os.environ["ALATION_BASE_URL"] + "/integration/v1/userinfo/", headers={"TOKEN": os.environ["ALATION_TOKEN"]})).status)'
	[[ $code == 0 && $out == 200 ]] || fails python3
	run_cred exec -- sh -c 'printf "TOKEN: %s\n" "$ALATION_ACCESS_TOKEN" | curl -sS -o /dev/null -w "%{http_code}" -H @- "$ALATION_BASE_URL/integration/v2/datasource/" | cat'
	[[ $code == 0 && $out == 200 ]] || fails sh
	run_cred exec -- node -e 'fetch(process.env.ALATION_BASE_URL + "/integration/v1/userinfo/", { headers: { TOKEN: process.env.ALATION_TOKEN } }).then(r => console.log(r.status))'
	[[ $code == 0 && $out == 200 || $err == *'fetch is not defined'* ]] || fails node
	# In itself: the inner one's account and token count.
	run_cred exec -- "$CRED" exec --fresh -- sh -c 'echo "$ALATION_TOKEN"; alation-cred 2>/dev/null; echo "$ALATION_USER_ID"'
	[[ $code == 0 && $out != "$TOKEN"* && $out == *$'\n102' ]] || fails "exec in exec"
}

@test "sudo is not kept from being another user" {
	sudo -n true 2>/dev/null || skip 'sudo cannot become root here'
	run_cred exec -- sudo -n --preserve-env=ALATION_TOKEN sh -c 'echo "$(id -u) $ALATION_TOKEN"'
	[[ $code == 0 && $out == "0 $TOKEN" ]] || fails sudo
}

@test "arguments as they stand, options of ours and empty ones too; no token is among them; stdin is the command's" {
	run_cred exec -- printf '<%s>' --fresh -v -- '' --format json 'a b'
	[[ $code == 0 && $out == '<--fresh><-v><--><><--format><json><a b>' ]] || fails arguments
	run_cred exec -- "$TOOLS/inherits" "$BATS_TEST_TMPDIR/found" "--token=x"
	run ! grep "^argument.*$TOKEN" "$BATS_TEST_TMPDIR/found"
	run_cred exec -- cat <<<$'protocol=http\nhost=localhost\n\nthe rest'
	[[ $raw == $'protocol=http\nhost=localhost\n\nthe rest\n' ]] || fails "stdin"
	head -c 300000 /dev/zero | tr '\0' x | "$CRED" exec -- wc -c >"$OUT" 3>&-
	[[ $(<"$OUT") == 300000 ]]
	while read -r _; do "$CRED" exec -- true 3>&-; echo row; done <<<$'1\n2\n3' >"$OUT"
	[[ $(grep -c row "$OUT") == 3 ]]
}

@test "the exit code is the command's, and so is a signal's death" {
	local n
	for n in 0 1 2 3 10 125 126 127 255; do
		run_cred exec -- sh -c "exit $n"
		[[ $code == "$n" && -z $err ]] || fails "not $n"
	done
	code=0
	"$CRED" exec -- sh -c 'kill -TERM $$' 3>&- || code=$?
	[[ $code == 143 ]]
	# It is the process that was started: no other one waits for it.
	"$CRED" exec -- sh -c 'echo $$' >"$OUT" 3>&- &
	wait $!
	[[ $(<"$OUT") == "$!" ]]
}

@test "what is not found is 127, what is not executable 126; who writes NAME=VALUE is told of env" {
	run_cred exec -- /nonexistent/program x
	expect 127 "'/nonexistent/program' cannot be run: No such file"
	run_cred exec -- no-such-program-anywhere
	expect 127 "'no-such-program-anywhere'" PATH
	run_cred exec -- ''
	expect 127
	run_cred exec -- /etc/passwd
	expect 126 "'/etc/passwd' cannot be run: Permission denied"
	run_cred exec -- /
	expect 126
	printf '#!/nonexistent/interpreter\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/script"
	run_cred exec -- "$BATS_TEST_TMPDIR/script"
	expect 127 'its first line'
	run_cred exec -- PASSWORD=hunter2 true
	expect 127 "'PASSWORD=...'" env
	[[ $err != *hunter2* && $err != *"$TOKEN"* ]]
	# The same codes as env's.
	for program in /nonexistent /etc/passwd /; do
		code=0
		env "$program" 2>/dev/null || code=$?
		wanted=$code
		run_cred exec -- "$program"
		expect "$wanted"
	done
}

@test "a closed stderr, or a stdout whose reader is gone: 127 all the same, no signal's death" {
	code=0
	"$CRED" exec -- /nonexistent 2>&- 3>&- || code=$?
	[[ $code == 127 ]] || fails "it was $code"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {both}<>"$BATS_TEST_TMPDIR/pipe" {gone}>"$BATS_TEST_TMPDIR/pipe" {both}<&-
	code=0
	"$CRED" exec -- /nonexistent 2>&"$gone" 3>&- || code=$?
	[[ $code == 127 ]] || fails "it was $code"
	# The command's own end is SIGPIPE's.
	code=0
	"$CRED" exec -- sh -c 'while :; do echo; done' 1>&"$gone" 3>&- || code=$?
	exec {gone}>&-
	[[ $code == 141 ]]
}

@test "-v into a pipe that is full and that nobody reads: the command starts all the same" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {full}<>"$BATS_TEST_TMPDIR/pipe"
	dd if=/dev/zero of="$BATS_TEST_TMPDIR/pipe" oflag=nonblock bs=4096 count=1024 2>/dev/null || :
	timeout 20 "$CRED" exec -v -- echo hello 2>&"$full" >"$OUT" 3>&-
	[[ $(<"$OUT") == hello ]]
	exec {full}>&-
}

@test "own failures are 125 with the cause on stderr and nothing on stdout: usage, configuration, no account, server" {
	local arguments
	for arguments in 'exec' 'exec --' 'exec true' 'exec host true' 'exec one two -- true' 'exec --nonsense -- true' 'exec --min-ttl x -- true' '-- exec -- true' \
		'exec --format json -- true' '--format env exec -- true' 'exec --all -- true' 'exec --protocol git -- true' 'exec --user-id 7 -- true' 'exec --refresh-token=x -- true' \
		'exec --timeout -- true'; do
		run_cred $arguments
		expect 125 'alation-cred: '
	done
	run_cred exec -- 
	expect 125 "behind '--'" 'exec --help'
	run_cred exec https://1@no-such-account.invalid -- echo hello
	expect 125 'no-such-account.invalid'
	run_cred exec "$(printf 'no\e[31mhost')" -- echo hello
	expect 125
	mkdir -p "$BATS_TEST_TMPDIR/config"
	echo nonsense >"$BATS_TEST_TMPDIR/config/config"
	ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config/config run_cred exec -- echo hello
	expect 125 'config:1'
	drop_cached
	sandbox_fault endpoint=createAPIAccessToken status=503
	run_cred exec -- echo hello
	expect 125 503
	sandbox_clear
	sandbox_fault endpoint=createAPIAccessToken delay_ms=600000
	run_cred exec --timeout 1 -- echo hello
	expect 125 'in time'
	sandbox_clear
	run_cred exec -- echo hello
	[[ $code == 0 && $out == hello ]] || fails "afterwards"
	run_cred exec --help
	expect 0
	[[ $out == *'exec [ACCOUNT] [OPTIONS] -- CMD [ARG...]'* && $out != *--format* ]]
}

@test "a keyring that is locked or frozen: 125, and nothing is started" {
	drop_cached
	session_lock
	run_cred exec -- echo hello
	expect 125 'locked'
	session_unlock
	run_cred exec -- echo hello
	[[ $code == 0 ]]
	drop_cached
	session_freeze
	run_cred exec --timeout 1 -- echo hello
	session_thaw
	expect 125 'in time'
}

@test "PATH is the caller's; a script without a first line of its own is sh's" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	echo 'echo "script $1 $ALATION_USER_ID"' >"$BATS_TEST_TMPDIR/bin/a-script"
	chmod +x "$BATS_TEST_TMPDIR/bin/a-script"
	PATH=$PATH:$BATS_TEST_TMPDIR/bin run_cred exec -- a-script one
	[[ $code == 0 && $out == 'script one 102' ]] || fails "a script"
	cd "$BATS_TEST_TMPDIR/bin"
	(PATH=/nonexistent:; "$CRED" exec -- a-script two) >"$OUT" 3>&-
	[[ $(<"$OUT") == 'script two 102' ]]
	env -u PATH "$CRED" exec -- true 3>&-
	drop_cached
	PATH=$PATH:$BATS_TEST_TMPDIR/bin run_cred exec -- a-script cold
	[[ $code == 0 && $out == 'script cold 102' ]] || fails "cold"
}

@test "what no library may see, the command has again" {
	export SECRET_BACKEND=file G_DEBUG=fatal-criticals SSLKEYLOGFILE=$BATS_TEST_TMPDIR/keys OPENSSL_CONF=/nonexistent RES_OPTIONS=debug
	drop_cached
	run_cred exec -- env
	[[ $code == 0 ]] || fails "cold"
	for name in SECRET_BACKEND G_DEBUG SSLKEYLOGFILE OPENSSL_CONF RES_OPTIONS; do
		grep -qxF "$name=${!name}" "$OUT"
	done
	[[ $(sandbox_calls createAPIAccessToken) == 1 && ! -e $SSLKEYLOGFILE ]]
	grep -qxF "DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS" "$OUT"
}

# A program's surroundings, a way each: in this shell, which then becomes $@. env's own variable '_' is the same for both.
surrounded() { # WAY COMMAND...
	local way=$1
	shift
	case $way in
	plainly) exec env "$@" ;;
	loose) umask 000; ulimit -S -c unlimited 2>/dev/null || ulimit -S -c "$(ulimit -H -c)"; exec env --default-signal "$@" ;;
	tight) umask 777; ulimit -c 0; ulimit -S -n 200; exec env "$@" ;;
	other-core) ulimit -S -c 8; exec env "$@" ;;
	ignored) exec env --ignore-signal "$@" ;; # all that can be
	some-ignored) exec env --default-signal --ignore-signal=CHLD,INT,QUIT,SEGV,ABRT,RTMIN+7 "$@" ;;
	blocked) exec env --block-signal "$@" ;;
	some-blocked) exec env --block-signal=INT,PIPE,SEGV,CHLD,ALRM,RTMIN+7 --ignore-signal=PIPE,XFSZ "$@" ;;
	no-stdin) exec env "$@" <&- ;;
	no-stdout) exec env "$@" >&- ;;
	no-stderr) exec env "$@" 2>&- ;;
	nothing-open) exec env "$@" <&- >&- 2>&- ;;
	only-read) exec env "$@" 1</dev/null 2</dev/null ;;
	many-open) exec 5</dev/null 7>/dev/null 9<>/dev/zero 100</etc/passwd; exec env "$@" ;;
	no-environment) exec env -i HOME="$HOME" DBUS_SESSION_BUS_ADDRESS="$DBUS_SESSION_BUS_ADDRESS" "$@" ;;
	elsewhere) cd /; exec nice -n 3 env "$@" ;;
	timed) exec python3 -c 'import ctypes, os, signal, sys
signal.setitimer(signal.ITIMER_REAL, 1000); signal.setitimer(signal.ITIMER_VIRTUAL, 1000)
ctypes.CDLL(None).prctl(1, signal.SIGUSR1, 0, 0, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM}); os.kill(os.getpid(), signal.SIGUSR2)
os.execvp(sys.argv[1], sys.argv[1:])' "$@" ;;
	with-a-child) sleep 1000 & helper=$!; echo "$helper" >"$BATS_TEST_TMPDIR/child"; exec env "$@" ;;
	session-keyring) exec keyctl session - "$@" 2>/dev/null ;;
	esac
}
WAYS='plainly loose tight other-core ignored some-ignored blocked some-blocked no-stdin no-stdout no-stderr nothing-open only-read many-open no-environment elsewhere timed with-a-child session-keyring'

# found WAY FILE COMMAND...: what inherits tells, behind COMMAND or alone.
found() {
	local way=$1 file=$BATS_TEST_TMPDIR/found status=0 to
	to=$2
	shift 2
	rm -f "$BATS_TEST_TMPDIR/child"
	(surrounded "$way" "$@" "$TOOLS/inherits" "$file") 3>&- 4>&- <"$BATS_TEST_TMPDIR/in" >>"$BATS_TEST_TMPDIR/out" 2>>"$BATS_TEST_TMPDIR/err" || status=$?
	[[ ! -e $BATS_TEST_TMPDIR/child ]] || kill "$(<"$BATS_TEST_TMPDIR/child")"
	[[ $status == 0 ]] || { echo "$way: exit $status: $(<"$BATS_TEST_TMPDIR/err")"; return 1; }
	sed -i -E '/^environment ALATION_(BASE_URL|USER_ID|ACCESS_TOKEN|API_TOKEN|TOKEN|TOKEN_EXPIRES_AT)=/d; s/session keyring -?[0-9]+//' "$file"
	mv "$file" "$to"
}

# same_as_without [BEFORE]: in each of the WAYS, which may be set.
same_as_without() {
	local way
	echo input >"$BATS_TEST_TMPDIR/in"
	for way in $WAYS; do
		${1:-:}
		found "$way" "$BATS_TEST_TMPDIR/with" "$CRED" exec "$ACCOUNT" -- || return 1
		found "$way" "$BATS_TEST_TMPDIR/without" || return 1
		diff "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/with" || { echo "differs: $way"; return 1; }
		[[ $(wc -l <"$BATS_TEST_TMPDIR/with") -ge 30 ]] || return 1
	done
}

@test "warm: the command finds everything as it is without us, in whatever surroundings" {
	same_as_without
	no_calls
}

@test "cold, with keyring and network: the command finds everything as it is without us, in whatever surroundings" {
	same_as_without drop_cached
	[[ $(sandbox_calls createAPIAccessToken) == $(wc -w <<<"$WAYS") ]]
}

# guest NAME [ARGUMENT...]: it is asked before the Secret Service.
guest() {
	local module=$1
	shift
	[[ ${private:-} ]] || private=$(mktemp -d)
	install -m 0644 "$MODULES/$module.so" "$private/$module.so"
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf 'refresh sufficient %s\nrefresh sufficient secret-service\n' "$private/$module.so $*" >"$ALATION_CRED_CONFIG"
	# What the list names as the holder is asked before any other.
	sed -i 's/&module=[^&]*//' "$STATE/accounts"
	drop_cached || :
}

@test "a module that leaves signals, a mask, descriptors and variables behind: the command finds none of it" {
	guest leaves-traces
	run_cred -v exec -- true
	[[ $code == 0 && $err == *leaves-traces* ]] || fails "the module is not asked"
	WAYS='plainly loose some-ignored some-blocked no-stdout many-open' same_as_without drop_cached
	run ! grep -q "a module's" "$BATS_TEST_TMPDIR/out"
}

@test "a module that crashes, or hangs as it is closed: 125, and nothing is started; what one prints is not the command's" {
	guest misbehaves "$BATS_TEST_TMPDIR/kept" lookup printf
	run_cred exec -- echo hello
	[[ $code == 0 && $raw == $'hello\n' ]] || fails "printed"
	guest misbehaves "$BATS_TEST_TMPDIR/kept" lookup exit
	run_cred exec -- echo hello
	expect 125 misbehaves
	guest misbehaves "$BATS_TEST_TMPDIR/kept" close pause
	run_cred exec -- echo hello
	expect 125 'did not come back when it was closed'
	guest misbehaves "$BATS_TEST_TMPDIR/kept" close exit
	run_cred exec -- echo hello
	expect 125 'crashed when it was closed'
	guest misbehaves "$BATS_TEST_TMPDIR/kept" lookup closefrom
	run_cred exec -- echo hello
	[[ $code == 125 && -z $raw && $err == *stdout* ]] || fails "its stdout is gone"
}

@test "in git's name it is a verb of a later git; beside --protocol it is refused" {
	"${CRED%/*}/git-credential-alation" exec -- echo hello >"$OUT" 2>&1 </dev/null 3>&-
	[[ ! -s $OUT ]]
	run_cred --protocol git exec -- echo hello
	expect 125 "'exec' has no option '--protocol'"
}

@test "nothing of ours runs on or is held: no lock, no timer; the process is dumpable again" {
	drop_cached
	run_cred exec -- "$TOOLS/inherits" "$BATS_TEST_TMPDIR/found"
	[[ $code == 0 ]]
	run ! grep -E '^(ID:|lock )' "$BATS_TEST_TMPDIR/found"
	grep -q '^children none' "$BATS_TEST_TMPDIR/found"
	grep -q 'dumpable 1' "$BATS_TEST_TMPDIR/found"
	grep -q '^NoNewPrivs:.0' "$BATS_TEST_TMPDIR/found"
	run_cred exec -- "$CRED" rotate --timeout 5
	expect 0
}

@test "where no longer-lived token can be had, the one that get serves is better than none, and that is said" {
	earlier minted_at $((23 * 3600 + 1900))
	session_lock
	run_cred exec -- printenv ALATION_TOKEN
	[[ $code == 0 && $out == "$TOKEN" && $err == *'could be had: '*locked* ]] || fails "the keyring is locked"
	session_unlock
	sandbox_fault endpoint=createAPIAccessToken times=0 status=503
	run_cred exec -- printenv ALATION_TOKEN
	[[ $code == 0 && $out == "$TOKEN" && $err == *'ends in 2'?' min, and no other could be had: '*503* ]] || fails "the server is in trouble"
	works "$out"
	# Who says what he wants gets that or nothing.
	run_cred exec --min-ttl 1h -- true
	expect 125 503
	run_cred exec --fresh -- true
	expect 125 503
	run_cred exec --validate -- true
	expect 125 503
	sandbox_clear
	# A call that was lost has ended it: that is asked about, and then there is another.
	sandbox_fault endpoint=createAPIAccessToken drop=after
	run_cred exec -- printenv ALATION_TOKEN
	[[ $code == 0 && $out != "$TOKEN" && -z $err ]] || fails "a lost call"
	works "$out"
	# What get would not serve is nothing for a program either.
	earlier minted_at $((24 * 3600 - 30))
	sandbox_fault endpoint=createAPIAccessToken times=0 status=503
	run_cred exec -- true
	expect 125 503
}

@test "a token for a program that runs on: a quarter of its lifetime, 1 h at most; --min-ttl, --fresh and --validate as for get" {
	earlier minted_at $((23 * 3600 - 60))
	run_cred exec -- printenv ALATION_TOKEN
	[[ $code == 0 && $out == "$TOKEN" ]] || fails "61 minutes are enough"
	earlier minted_at 120
	run_cred token
	[[ $out == "$TOKEN" ]] || fails "for get it is good"
	run_cred exec --min-ttl 10m -- printenv ALATION_TOKEN
	[[ $out == "$TOKEN" ]] || fails "--min-ttl 10m"
	no_calls
	run_cred exec -- printenv ALATION_TOKEN
	[[ $code == 0 && $out != "$TOKEN" && -z $err ]] || fails "59 minutes are not"
	works "$out"
	TOKEN=$out
	[[ $(mints) == 1 ]]
	# No new one would live so long.
	run_cred exec --min-ttl 2d -- printenv ALATION_TOKEN
	[[ $code == 0 && $out == "$TOKEN" && $err == *'the server gives no more'* ]] || fails "--min-ttl 2d"
	run_cred exec --fresh -- printenv ALATION_TOKEN
	[[ $code == 0 && $out != "$TOKEN" && $(mints) == 2 ]] || fails --fresh
	sandbox_revoke "$out"
	TOKEN=$out
	run_cred exec --validate -- printenv ALATION_TOKEN
	[[ $code == 0 && $out != "$TOKEN" && $(mints) == 3 ]] || fails --validate
	works "$out"
}

@test "--refresh-token: then alone the command can mint; the trace shows none of the tokens" {
	local refresh
	refresh=$(refresh_token)
	run_cred exec -v --refresh-token -- printenv ALATION_REFRESH_TOKEN
	[[ $code == 0 && $out == "$refresh" && $err != *"$refresh"* && $err != *"$TOKEN"* ]] || fails "the RefreshToken"
	run_cred exec --refresh-token -- env -0
	diff <(variables) <({ given "$TOKEN"; echo "ALATION_REFRESH_TOKEN=$refresh"; } | sort)
	run_cred exec -- env
	[[ $code == 0 && $out != *"$refresh"* && $out != *ALATION_REFRESH* ]] || fails "without it"
	session_lock
	run_cred exec --refresh-token -- echo hello
	expect 125 locked
	session_unlock
	no_calls
}

@test "--refresh-token of an account that the environment brings; without it that goes from the command" {
	local refresh
	refresh=$(sandbox_refresh_token 102)
	export ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 ALATION_REFRESH_TOKEN=$refresh
	drop_cached
	run_cred exec -- env
	[[ $code == 0 && $out != *"$refresh"* ]] || fails "it is still there"
	works "$(sed -n 's/^ALATION_TOKEN=//p' "$OUT")"
	run_cred exec --refresh-token -- printenv ALATION_REFRESH_TOKEN
	[[ $code == 0 && $out == "$refresh" ]] || fails "it is not there"
}

@test "40 at once on an empty cache: one mint, one token" {
	local i pids=()
	drop_cached
	for ((i = 0; i < 40; i++)); do
		"$CRED" exec -- printenv ALATION_TOKEN >"$OUT.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[[ $(cat "$OUT".* | wc -l) == 40 && $(sort -u "$OUT".* | wc -l) == 1 && $(mints) == 1 ]]
	works "$(<"$OUT.0")"
}

@test "a warm exec loads no library, and starts no process but the command" {
	local trace=$BATS_TEST_TMPDIR/trace
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	[[ $(ldd "$CRED") != *san* ]] || skip "a sanitizer brings libraries of its own"
	strace -f -o "$trace" "$CRED" exec -- "$TOOLS/inherits" "$BATS_TEST_TMPDIR/found" 3>&-
	sed -i '/execve(.*inherits/,$d' "$trace"
	grep -q 'keyctl(KEYCTL_READ' "$trace"
	run ! grep -E '^[0-9]+ +(socket|connect|clone|clone3|fork|vfork|poll|write)\(' "$trace"
	[[ $(sed -n 's/.*open\(at\)\?(.*"\([^"]*\.so[^"]*\)".*/\2/p' "$trace" | grep -vE '/(ld\.so\.cache|libc\.so\.6|ld-linux[^/]*)$' | wc -l) == 0 ]]
}
