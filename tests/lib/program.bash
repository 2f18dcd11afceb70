# SPDX-License-Identifier: MIT
# The program on real parts, for end-to-end files (`load ../lib/program`): one private session with an open
# gnome-keyring a file; a sandbox, a home and state of its own a test. The sandbox's port is new each time, so no
# key of one test is another's. Ends by pid what it started, and takes its kernel keys and private files away again.
#
#   program_setup_file, program_teardown_file   a file's setup_file and teardown_file call these
#   program_setup [SANDBOX OPTION...]           a test's setup; program_teardown its teardown
#
#   program_end_helpers     kills what a test has put into helpers=(), stopped or not
#
#   cred ARG...             the program, without a terminal; stdin as it stands
#   run_cred ARG...         the same: $out $err $code apart ($raw: $out with its last line feeds)
#   expect CODE [WORDS...]  of the last run_cred: its exit code, each WORDS in stderr; stdout empty unless 0
#   expect_json CODE NAME [WORDS...]            likewise, and stdout is a failure in JSON, whole and exact
#   refuses CODE NAME WORDS ARG...              run with --format json, and the first of a test with that NAME
#                                               plainly too, with $input on stdin; WORDS ('|' between them) stand
#                                               in the last line of stderr
#   login_demo [ARG...]     signs in with the sandbox's user and password; login_token TOKEN [ARG...] by a paste
#   fails TEXT              shows the last run and fails
#   calls                   what the server was asked until now, an endpoint a line; no_calls: nothing
#   works TOKEN, is_dead TOKEN                  by curl, at a data endpoint
#   listed                  how many accounts are in the list
#   forget_refusal [ID]     what the cache remembers of a server that refused to mint
#   kernel_keys             the descriptions of this sandbox's keys in the kernel keyring

# shellcheck source=session.bash
source "${BASH_SOURCE[0]%/*}/session.bash"
# shellcheck source=sandbox.bash
source "${BASH_SOURCE[0]%/*}/sandbox.bash"
# shellcheck source=answers.bash
source "${BASH_SOURCE[0]%/*}/answers.bash"

CRED=${B:-$SANDBOX_TOP/.build}/alation-cred
RETRYABLE=' network timeout throttled server_error busy keyring_timeout '

program_environment() { # of the caller's nothing that changes what the program does
	unset ALATION_BASE_URL ALATION_USER_ID ALATION_REFRESH_TOKEN ALATION_CRED_TRACE ALATION_CRED_CONFIG CREDENTIALS_DIRECTORY CI SSH_CONNECTION \
		GIT_TERMINAL_PROMPT ALATION_CRED_ASKPASS SSH_ASKPASS SSH_ASKPASS_REQUIRE http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY \
		CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
	export LC_ALL=C.UTF-8
	unset SUDO_UID
}

program_setup_file() {
	program_environment
	session_start unlocked
}

program_teardown_file() {
	session_stop
	answers_check
}

# Of a file that has none of its own.
teardown_file() {
	answers_check
}

program_setup() {
	exec </dev/null
	export HOME=$BATS_TEST_TMPDIR/home XDG_STATE_HOME=
	mkdir -m 0700 "$HOME"
	STATE=$HOME/.local/state/alation-cred
	OUT=$BATS_TEST_TMPDIR/out
	input= refused_plainly=
	sandbox_start "$@"
	program_urls=("$SANDBOX_URL")
}

# Another sandbox in the place of the first.
program_sandbox() {
	sandbox_stop
	sandbox_start "$@"
	program_urls+=("$SANDBOX_URL")
}

program_teardown() {
	local id key url
	sandbox_stop
	for url in "${program_urls[@]}"; do
		while IFS=: read -r id key; do
			[[ $key != *"@http"*"//"*":${url##*:}" ]] || keyctl unlink "$id" @u >/dev/null
		done < <(keyctl list @u)
		program_clear_private "${url##*:}"
	done
	secret-tool clear application alation-cred || :
}

# What belongs to a sandbox's port in the user's private directory: entries, and locks where the home was no use.
program_clear_private() {
	local dir file
	for dir in {/dev/shm,/tmp}/"alation-cred-$EUID"; do
		[[ -d $dir && -O $dir && ! -L $dir ]] || continue
		for file in "$dir"/*":$1" "$dir"/locks/*"%3A$1"; do
			[[ ! -e $file && ! -L $file ]] || rm "$file"
		done
		rmdir "$dir/locks" "$dir" 2>/dev/null || : # where they are empty
	done
}

program_end_helpers() { # what a test has started, by its numbers in helpers=()
	local pid
	for pid in "${helpers[@]}"; do
		kill -CONT "$pid" 2>/dev/null && kill -KILL "$pid"
	done
}

cred() {
	if [[ $* == *--format[=\ ]*json* && -p /dev/stdout ]]; then
		answers_piped "$@"
	else
		setsid -w "$CRED" "$@" 3>&-
	fi
}

run_cred() {
	local format
	code=0
	cred "$@" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	# Without a process each: these files run the program many hundred times.
	IFS= read -r -d '' raw <"$OUT" || :
	IFS= read -r -d '' err <"$BATS_TEST_TMPDIR/err" || :
	out=${raw%"${raw##*[!$'\n']}"} err=${err%"${err##*[!$'\n']}"}
	ran="alation-cred ${*@Q}"
	[[ $ran != *json* ]] || { answers_format "$@" && answers_record "$code" "$format" "$ran" "$raw"; }
}

fails() {
	printf '%s\n' "$1" "  $ran: exit $code" "  stdout: ${out@Q}" "  stderr: ${err@Q}" >&2
	return 1
}

expect() {
	local wanted=$1 words
	shift
	[[ $code == "$wanted" ]] || fails "exit $code, not $wanted" || return 1
	[[ $code == 0 || -z $raw ]] || fails "a failure wrote to stdout" || return 1
	for words; do
		[[ $err == *"$words"* ]] || fails "not on stderr: $words" || return 1
	done
}

expect_json() {
	local wanted=$1 name=$2 retryable=false text='"([^"\]|\\.)*"' pattern words
	shift 2
	[[ $RETRYABLE != *" $name "* ]] || retryable=true
	pattern='^\{"version":1,"success":false,"code":"'$name'","exit":'$wanted',"message":'$text',"remedy":'$text
	pattern+=',"retryable":'$retryable',"retry_after":(null|[0-9]+)\}$'
	[[ $code == "$wanted" ]] || fails "exit $code, not $wanted" || return 1
	[[ $out =~ $pattern && $raw == "$out"$'\n' && $out != *$'\n'* ]] || fails "not the failure '$name'" || return 1
	for words; do
		[[ $err == *"$words"* ]] || fails "not on stderr: $words" || return 1
	done
}

refuses() {
	local wanted=$1 name=$2 words=$3 last each
	shift 3
	if [[ $refused_plainly != *" $name "* ]]; then
		refused_plainly+=" $name "
		run_cred "$@" <<<"$input"
		expect "$wanted" || return 1
	fi
	run_cred --format json "$@" <<<"$input"
	expect_json "$wanted" "$name" || return 1
	last=${err##*$'\n'}
	[[ $last == 'alation-cred: '* ]] || fails "no last line on stderr" || return 1
	while [[ $words ]]; do
		each=${words%%|*} words=${words#"${words%%|*}"} words=${words#|}
		[[ $last == *"$each"* ]] || fails "not in the last line of stderr: $each" || return 1
	done
}

login_demo() {
	run_cred login "$SANDBOX_URL" --user "$SANDBOX_USER" --password-stdin "$@" <<<"$SANDBOX_PASSWORD"
}

login_token() {
	local token=$1
	shift
	run_cred login "$SANDBOX_URL" --user-id "$SANDBOX_USER_ID" --token-stdin "$@" <<<"$token"
}

calls() {
	sed -E 's,.* /integration/v[12]/([^/]*)/ .*,\1,' "$SANDBOX_LOG"
}

no_calls() {
	[[ ! -s $SANDBOX_LOG ]] || fails "the server was asked: $(calls)"
}

data_status() {
	sandbox_curl /integration/v2/datasource/ -H @- -o /dev/null -w '%{http_code}' <<<"TOKEN: $1"
}
works() { [[ $(data_status "$1") == 200 ]] || fails "the token does not work"; }
is_dead() { [[ $(data_status "$1") == 403 ]] || fails "the token still works"; }

listed() {
	local n
	n=$(grep -c '&base_url=' "$STATE/accounts" 2>/dev/null) || :
	echo "${n:-0}"
}

forget_refusal() {
	local key record
	key=$(keyctl search @u user "alation-cred-tree:access:${1:-$SANDBOX_USER_ID}@$SANDBOX_URL" 2>/dev/null) || return 0
	record=$(keyctl pipe "$key")
	[[ $record != *'&refused='* ]] || sed 's/&refused[a-z_]*=[^&]*//g' <<<"$record" | tr -d '\n' | keyctl pupdate "$key"
}

kernel_keys() {
	keyctl list @u | sed -n "s,^.*: \(alation-cred-tree:.*@.*:${SANDBOX_URL##*:}\)\$,\1,p"
}
