# SPDX-License-Identifier: MIT
# git's protocol byte for byte, in the way of lib-credential.sh in git's own tests (`load ../lib/program` first).
#
#   git_setup, git_teardown         those of program, and one account that is logged in: $ACCOUNT, user 102 on $HOST, by
#                           the RefreshToken $REFRESH; its first access token is $TOKEN
#   log_in_ada [ARG...]     a second account there, user 7
#   second_sandbox          another host: $SECOND, whose log is $SECOND_LOG
#   added ACCOUNT           the line on stderr of a store that makes an account
#   request [LINE...]       a whole one of that account, and more lines; repeated N: so many 'a'
#   helper ARG...           git-credential-alation
#   check CODE COMMAND...   runs COMMAND. Its stdin, stdout and stderr stand on this function's stdin, parted by lines
#                           '--'; each byte counts. In what is expected, @PASSWORD@ and @EXPIRY@ are those of the cache
#                           (@PASSWORD:7@ of user 7). The server was asked what $asked says, in that order; without it
#                           nothing
#   feed COMMAND...         runs COMMAND with this function's stdin: $code $raw $err
#   quietly COMMAND...      feed, and nothing at all came of it: 0, no output, no call
#   remember, nothing_changed       all that a call could change is the same at both
#   cached NAME [ID]        that member of the access record; empty where there is none
#   drop_cached [ID]        the cache forgets it
#   stored [ID]             the RefreshToken that the keyring holds

HELPER=${B:-$SANDBOX_TOP/.build}/git-credential-alation

git_setup() {
	program_setup --user "$SANDBOX_USER:$SANDBOX_PASSWORD:$SANDBOX_USER_ID" --user ada:pw:7
	HOST=${SANDBOX_URL#http://} ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} asked=
	REFRESH=$(sandbox_refresh_token 102)
	login_token "$REFRESH" --shared
	expect 0
	TOKEN=$(cached token)
	: >"$SANDBOX_LOG"
}
git_teardown() {
	[[ -z ${second_pid:-} ]] || SANDBOX_PID=$second_pid SANDBOX_FD=$second_fd sandbox_stop
	program_teardown
}

log_in_ada() {
	run_cred login "$SANDBOX_URL" --user ada --password-stdin "$@" <<<pw
	expect 0
	: >"$SANDBOX_LOG"
}

second_sandbox() { # another host: SECOND
	local url=$SANDBOX_URL pid=$SANDBOX_PID fd=$SANDBOX_FD log=$SANDBOX_LOG
	SANDBOX_DIR=$BATS_TEST_TMPDIR/second sandbox_start --user demo:demo-password:102
	SECOND=${SANDBOX_URL#http://} second_pid=$SANDBOX_PID second_fd=$SANDBOX_FD SECOND_LOG=$SANDBOX_LOG
	program_urls+=("$SANDBOX_URL")
	SANDBOX_URL=$url SANDBOX_PID=$pid SANDBOX_FD=$fd SANDBOX_LOG=$log
}

added() { # ACCOUNT: the line that a store of a new one writes
	echo "alation-cred: the account $1 was added by a request in git's protocol; 'alation-cred logout $1' removes it"
}

request() { # [LINE...]: a whole one, and more lines
	printf '%s\n' protocol=http "host=$HOST" username=102 "$@"
}

repeated() { # N: so many 'a'
	head -c "$1" /dev/zero | tr '\0' a
}

helper() {
	"$HELPER" "$@" 3>&-
}

cached() {
	local record
	record=$(keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:${2:-102}@$SANDBOX_URL" 2>/dev/null)" 2>/dev/null) || return 0
	[[ "&$record&" =~ "&$1="([^&]*)"&" ]] && printf %s "${BASH_REMATCH[1]}"
}

drop_cached() {
	local key
	key=$(keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL" 2>/dev/null) || return 0
	keyctl unlink "$key" @u >/dev/null
}

stored() {
	local record
	record=$(secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id "${1:-102}") || return 0
	[[ "&$record&" =~ "&refresh_token="([^&]*)"&" ]] && printf %s "${BASH_REMATCH[1]}"
}

everything() {
	local key
	(cd "$HOME" && find . -type f ! -name '*.lock' -size +0 -exec grep -H '' {} +)
	secret-tool search --all application alation-cred 2>&1
	while IFS= read -r key; do
		echo "$key $(keyctl pipe "$(keyctl search @u user "$key")")"
	done < <(kernel_keys)
}
remember() {
	remembered=$(everything)
}
nothing_changed() {
	local now
	now=$(everything)
	[[ $now == "$remembered" ]] || fails "something changed: $(diff <(echo "$remembered") <(echo "$now"))"
}

feed() {
	ran="${*@Q}" code=0
	"$@" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" || code=$?
	IFS= read -r -d '' raw <"$OUT" || :
	IFS= read -r -d '' err <"$BATS_TEST_TMPDIR/err" || :
	out=${raw%"${raw##*[!$'\n']}"}
}

git_fill_in() { # TEXT: with what the cache holds
	local text=$1 id
	while [[ $text =~ @(PASSWORD|EXPIRY)(:([0-9]+))?@ ]]; do
		id=${BASH_REMATCH[3]:-102}
		case ${BASH_REMATCH[1]} in
		PASSWORD) text=${text/"${BASH_REMATCH[0]}"/"$(cached token "$id")"} ;;
		EXPIRY) text=${text/"${BASH_REMATCH[0]}"/"$(cached expires_at "$id")"} ;;
		esac
	done
	filled=$text
}

git_calls() { # what is in the log from line N on, as $calls
	local line log
	calls=
	mapfile -t -s "$1" log <"$SANDBOX_LOG"
	for line in "${log[@]}"; do
		[[ $line =~ ' /integration/v'[12]/([^/ ]*)/ ]] && calls+=${calls:+ }${BASH_REMATCH[1]}
	done
}

check() {
	local wanted=$1 line part=0 parts=('' '' '') log calls filled
	shift
	while IFS= read -r line; do
		if [[ $line == -- ]]; then
			part=$((part + 1))
		else
			parts[part]+=$line$'\n'
		fi
	done
	mapfile -t log <"$SANDBOX_LOG"
	feed "$@" < <(printf %s "${parts[0]}")
	git_calls "${#log[@]}"
	for part in 1 2; do
		git_fill_in "${parts[part]}"
		parts[part]=$filled
	done
	[[ $code == "$wanted" ]] || fails "exit $code, not $wanted" || return 1
	[[ $raw == "${parts[1]}" ]] || fails "stdout is not ${parts[1]@Q}" || return 1
	[[ $err == "${parts[2]}" ]] || fails "stderr is not ${parts[2]@Q}" || return 1
	[[ $calls == "$asked" ]] || fails "the server was asked '$calls', not '$asked'"
}

quietly() {
	local log calls
	mapfile -t log <"$SANDBOX_LOG"
	feed "$@"
	git_calls "${#log[@]}"
	[[ $code$raw$err == 0 ]] || fails "it did not keep silent" || return 1
	[[ ! $calls ]] || fails "the server was asked $calls"
}
