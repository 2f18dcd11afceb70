# SPDX-License-Identifier: MIT
# An operation broken off at each of its failpoints, for end-to-end files (`load ../lib/failpoints`, which loads
# lib/program).
#
#   failpoints_setup, failpoints_teardown     a sandbox, the account $ACCOUNT that is worked on, another one that is
#                     signed in, and another application's item in the same keyring
#   sweep START END COMMAND...     the table on stdin has a row a failpoint, in the order in which COMMAND reaches them;
#                     a point without a row, or a row without a point, fails. START: none, cold or cached (an
#                     exclusive account with the RefreshToken $OLD). $PASTE is another RefreshToken of its user.
#                     A function in $finally looks at what only this command does
#   lock_holder                    the pid that holds the account's lock
#   failpoints_figures             prints what all sweeps of a file came to
#
# A row:  POINT[:N]  HOLDS MINTS  [EXIT HOLDS MINTS]; N: the N-th time it is reached. First what a kill there leaves,
# then what COMMAND exits with and leaves where the step is made to fail; without these its end is END, as if nothing
# had been. HOLDS is what the keyring has for the account:
#
#   none              nothing                                                 the next get: 3
#   old, new          $OLD; $PASTE or what the server has made last; it lives              0
#   copy              $OLD, which is dead, and the new one in a recovery copy              0, and takes it over
#   lost              $OLD, which is dead: the server acted, and its answer was lost       3, and says so
#   dead              $OLD, which is dead because that was the aim                         3
#
# MINTS: of the call and the next get together. Checked each time: stdout is empty or one whole answer; no secret on
# stderr; one item at most; no lock is held; the next get; the other account's item, cache and line in the list and the
# other application's item are what they were, to the byte. After a kill COMMAND once more comes to END's state.

# shellcheck source=program.bash
source "${BASH_SOURCE[0]%/*}/program.bash"

FAILPOINTS=${B:-$SANDBOX_TOP/.build}/alation-cred-failpoints
LOST='the server did so, and its answer with the new one was lost on the way'

failpoints_setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} HOST=${SANDBOX_URL#http://} OLD='' PASTE='' CACHED='' finally=:
	REACHED=$BATS_TEST_TMPDIR/reached
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
	session_store_neighbour
	neighbours_before=$(neighbours)
	[[ $neighbours_before == *neighbour*refresh_token=*'v=1&token='*user_id=103* ]] || fails "no neighbours: $neighbours_before"
}

failpoints_teardown() {
	program_teardown
}

# gnome-keyring gives an item without a schema one, sooner or later.
neighbours() {
	{
		secret-tool search --all application neighbour
		secret-tool search --all application alation-cred base_url "$SANDBOX_URL" user_id 103
	} 2>/dev/null | grep -v '^schema = '
	keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:103@$SANDBOX_URL")"
	grep -F '&user_id=103&' "$STATE/accounts"
}

key() { keyctl search @u user "alation-cred-tree:${1:-access}:102@$SANDBOX_URL" 2>/dev/null; }
record() { keyctl pipe "$(key "$@")" 2>/dev/null; }
cached() { record | sed 's/.*token=\([^&]*\).*/\1/'; }
drop_cached() { keyctl unlink "$(key)" @u >/dev/null; }
forget_calls() { : >"$SANDBOX_LOG"; }
git_request() { printf '%s\n' protocol=http "host=$HOST" username=102 "$@"; }
is_listed() { grep -qF '&user_id=102&' "$STATE/accounts"; }

# $answer, whole. Without a process: these files ask more than a thousand times.
http() { # METHOD PATH [FORM [HEADER]]
	local socket
	exec {socket}<>"/dev/tcp/127.0.0.1/${SANDBOX_URL##*:}" || return 1
	printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%sContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s' \
		"$1" "$2" "$HOST" "${4:+$4$'\r\n'}" "${#3}" "${3:-}" >&"$socket"
	IFS= read -r -d '' answer <&"$socket" || :
	exec {socket}>&-
}

is_active() {
	http POST /integration/v1/validateRefreshToken/ "user_id=102&refresh_token=$1"
	[[ $answer == *'"token_status":"ACTIVE"'* ]]
}

serves() { # TOKEN
	http GET /integration/v2/datasource/ '' "TOKEN: $1"
	[[ $answer == 'HTTP/1.1 200 '* ]] || fails "the token does not work"
}

make_refresh_token() { # NAME VARIABLE
	http POST /sandbox/refresh-token "user_id=102&name=$1"
	answer=${answer%$'\n'}
	printf -v "$2" %s "${answer##*$'\n'}"
}

# Of the log: $mints; what was made last, as $made_access and $made_refresh; all of it in $made.
read_log() {
	local line
	mints=0 made_access='' made_refresh='' made=()
	while read -r line; do
		[[ $line != */createAPIAccessToken/* ]] || mints=$((mints + 1))
		[[ $line == *' made='* && $line != *' made=-' ]] || continue
		made+=("${line##* made=}")
		[[ $line == */createAPIAccessToken/* ]] && made_access=${made[-1]} || made_refresh=${made[-1]}
	done <"$SANDBOX_LOG"
}

# Into $token: the RefreshToken in the keyring. More than one item is a failure.
look_into_keyring() {
	local found
	found=$(secret-tool search --all application alation-cred base_url "$SANDBOX_URL" user_id 102 2>/dev/null)
	token=''
	[[ $found == *'secret = '* ]] || return 0
	[[ $found =~ 'refresh_token='([^&]*) ]] && token=${BASH_REMATCH[1]} || fails "no record: $found" || return 1
	[[ ${found#*'secret = '} != *'secret = '* ]] || fails "more than one item: $found"
}

holds() {
	local token newest
	newest=${made_refresh:-$PASTE}
	look_into_keyring || return 1
	case $1 in
	none) [[ -z $token ]] ;;
	old) [[ $token == "$OLD" ]] && is_active "$token" ;;
	new) [[ $token == "$newest" ]] && is_active "$token" ;;
	copy) [[ $token == "$OLD" && $(record recovery) == *"&refresh_token=$newest&"* ]] && ! is_active "$OLD" && is_active "$newest" ;;
	lost | dead) [[ $token == "$OLD" ]] && ! is_active "$OLD" ;;
	*) false ;;
	esac || fails "the keyring does not hold: $1"
}

fresh() { # START
	run_cred logout --keep "$ACCOUNT" # not listed, it may be in the keyring all the same
	[[ $code == [03] ]] || fails "no fresh start" || return 1
	OLD='' CACHED=''
	make_refresh_token pasted PASTE
	if [[ $1 != none ]]; then
		make_refresh_token old OLD
		login_token "$OLD" --exclusive
		expect 0 || return 1
		CACHED=$(cached)
		[[ $1 == cached ]] || drop_cached
	fi
	forget_calls
}

whole_answer() {
	[[ -z $raw || ${command[*]} == *token* && $code != [1-9] && $raw == "${made_access:-$CACHED}"$'\n' ]] ||
		fails "half an answer, or one out of place"
}

no_secret() {
	local secret
	for secret in "${made[@]}" "${OLD:-.none.}" "$PASTE" "$SANDBOX_PASSWORD"; do
		[[ $err != *"$secret"* ]] || fails "a secret on stderr" || return 1
	done
}

no_lock() {
	local lock
	for lock in "$STATE"/locks/*; do
		flock -n "$lock" true || fails "a lock is held: $lock" || return 1
	done
}

lock_holder() { # of the account's lock
	local inode
	inode=$(stat -c %i "$STATE/locks/102@"*) || return
	awk -v inode="$inode" '$2 == "FLOCK" && $6 ~ ":" inode "$" { print $5 }' /proc/locks
}

untouched() {
	local now
	now=$(neighbours)
	[[ $now == "$neighbours_before" ]] || fails "a neighbour: $(diff <(echo "$neighbours_before") <(echo "$now"))"
}

next_get() { # HOLDS MINTS
	run_cred get "$ACCOUNT"
	case $1 in
	old | new | copy) expect 0 && serves "$out" ;;
	lost) expect 3 "$LOST" ;;
	*) expect 3 ;;
	esac || return 1
	read_log
	[[ $mints == "$2" ]] || fails "$mints mints, not $2: $(calls | paste -sd ' ')" || return 1
	[[ $1 != copy ]] || holds new
}

# Only what the server has taken needs a login.
again() { # HOLDS
	"${command[@]}"
	if [[ $1 == lost ]]; then
		expect 3 "$LOST" || return 1
		login_demo
	fi
	[[ $code == 3 && ${end[1]} == none && $1 == none ]] || expect 0 || return 1
	read_log
	holds "${end[1]}" || return 1
	if [[ ${end[1]} == none ]]; then
		[[ -z $(key) && -z $(key recovery) ]] && ! is_listed || fails "something is left"
	else
		is_listed || fails "the list does not know it"
	fi
}

broken_off() { # ACTION EXIT HOLDS MINTS
	local point=${row[0]%:*} nth=1
	[[ ${row[0]} != *:* ]] || nth=${row[0]##*:}
	fresh "$start" || return 1
	ALATION_CRED_FAILPOINT=$point:$1:$nth CRED=$FAILPOINTS "${command[@]}"
	[[ $code == "$2" ]] || fails "exit $code, not $2" || return 1
	read_log
	whole_answer && no_secret && no_lock && holds "$3" && next_get "$3" "$4" || return 1
	[[ $1 != kill ]] || again "$3" && $finally || return 1
	untouched || return 1
	echo "$1 $3" >>"$BATS_FILE_TMPDIR/figures"
}

reached() {
	local -A times=()
	local point
	while read -r point; do
		times[$point]=$((${times[$point]:-0} + 1))
		[[ ${times[$point]} == 1 ]] && echo "$point" || echo "$point:${times[$point]}"
	done <"$REACHED"
}

sweep() {
	local start=$1 end command row rows=() line mints made made_access made_refresh answer
	read -r -a end <<<"$2"
	command=("${@:3}")
	mapfile -t rows
	fresh "$start" || return 1
	: >"$REACHED"
	ALATION_CRED_FAILPOINT_LOG=$REACHED CRED=$FAILPOINTS "${command[@]}"
	read_log
	expect "${end[0]}" && whole_answer && holds "${end[1]}" && next_get "${end[1]}" "${end[2]}" && $finally || return 1
	diff <(reached) <(printf '%s\n' "${rows[@]%%[[:blank:]]*}") >&2 || fails "the points reached (<) are not the table's (>)" || return 1
	for line in "${rows[@]}"; do
		read -r -a row <<<"$line"
		broken_off kill 137 "${row[@]:1:2}" || { echo "killed at ${row[0]}" >&2 && return 1; }
		[[ ${#row[@]} == 6 ]] || row=("${row[@]:0:3}" "${end[@]}")
		broken_off error "${row[@]:3:3}" || { echo "made to fail at ${row[0]}" >&2 && return 1; }
	done
}

failpoints_figures() {
	awk '{ runs[$1]++; held[$1, $2]++ } END {
		printf "# %d kills: old %d, new %d, copy %d, dead by logout %d, none %d, lost %d; %d failures, lost %d\n", runs["kill"],
			held["kill", "old"], held["kill", "new"], held["kill", "copy"], held["kill", "dead"], held["kill", "none"], held["kill", "lost"],
			runs["error"], held["error", "lost"] }' "$BATS_FILE_TMPDIR/figures" >&3
}
