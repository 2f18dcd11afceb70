# SPDX-License-Identifier: MIT
# Rows of a fault matrix for end-to-end files (`load ../lib/faults`, which loads lib/program): every operation that
# asks the server, and what must hold whatever it answers.
#
#   OPERATION  how                            the endpoint
#   create     login by password              createRefreshToken (over the account that is there)
#   mint       token --fresh                  createAPIAccessToken
#   check      token --validate               validateAPIAccessToken
#   validate   validate                       validateRefreshToken
#   regen      rotate                         regenRefreshToken
#   revoke     revoke                         revokeAPIAccessTokens
#
#   faults_setup [SANDBOX OPTION...]   an account that is signed in, $REFRESH its RefreshToken; faults_teardown.
#                                      faults_login: the same after program_setup
#   row EXPECT OPERATIONS FAULT...     EXPECT: "7 bad_reply" or 0; FAULT: as sandbox_fault takes them. Each operation
#                                      meets it at every call; with --format json and, the first of a test with that
#                                      outcome, plainly too. $REPLY_HAS: a pattern in each JSON failure
#   strike EXPECT OPERATION [ARG...]   the same without a fault of the sandbox's: the test has broken something
#   recovers                           the end of a test: the RefreshToken lives, and a token comes that works
#
# After each operation: the code; stdout empty, or one failure in JSON; how often the server was asked (once; a
# validation that met a broken network or a fault of the server twice); the time ($LIMIT_S and 5 s to spare); no
# secret in any output. After each row: the same RefreshToken in the keyring.

# shellcheck source=program.bash
source "${BASH_SOURCE[0]%/*}/program.bash"

SPARE_S=5
ALL='create mint check validate regen revoke'

declare -gA ENDPOINT=( # -g: `load` is a function
	[create]=createRefreshToken [mint]=createAPIAccessToken [check]=validateAPIAccessToken
	[validate]=validateRefreshToken [regen]=regenRefreshToken [revoke]=revokeAPIAccessTokens
)

faults_setup() {
	program_setup "$@"
	faults_login
}

# What is left of a setup where the sandbox is there already.
faults_login() {
	LIMIT_S=20 struck='' REPLY_HAS='' unremembered=1
	ACCOUNT=${SANDBOX_URL/:\/\//://$SANDBOX_USER_ID@}
	echo "$SANDBOX_PASSWORD" >"$BATS_TEST_TMPDIR/password"
	[[ -z $SANDBOX_CA ]] || export CURL_CA_BUNDLE=$SANDBOX_CA
	login_demo
	expect 0 && REFRESH=$(kept) && [[ $REFRESH ]] || return 1
	exec {FAULTS_LOG}<"$SANDBOX_LOG"
}

faults_teardown() {
	decoy_stop
	program_teardown
}

# The RefreshToken in the keyring, if any.
kept() {
	local record
	record=$(secret-tool lookup application alation-cred base_url "$SANDBOX_URL" user_id "$SANDBOX_USER_ID") || :
	[[ ! $record =~ (^|&)refresh_token=([^&]*) ]] || echo "${BASH_REMATCH[2]}"
}

# Into $asked: how often that endpoint was asked since the last time.
count_asked() {
	local line
	asked=0
	while IFS= read -r -u "$FAULTS_LOG" line; do
		[[ $line != *"/${ENDPOINT[$1]}/ "* ]] || asked=$((asked + 1))
	done
}

run_operation() { # OPERATION [ARG...]
	forget_refusal # the server is to be asked each time
	local began=$EPOCHREALTIME took_s stdin=/dev/null verb
	case $1 in
	create) verb=(login "$SANDBOX_URL" --user "$SANDBOX_USER" --password-stdin) stdin=$BATS_TEST_TMPDIR/password ;;
	mint) verb=(token "$ACCOUNT" --fresh) ;;
	check) verb=(token "$ACCOUNT" --validate) ;;
	validate) verb=(validate "$ACCOUNT") ;;
	regen) verb=(rotate "$ACCOUNT") ;;
	revoke) verb=(revoke "$ACCOUNT") ;;
	*) echo "no operation: $1" >&2 && return 1 ;;
	esac
	run_cred "${verb[@]}" --timeout "$LIMIT_S" "${@:2}" <"$stdin"
	took_s=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000000))
	((took_s <= LIMIT_S + SPARE_S)) || fails "it took $took_s s" || return 1
	[[ $out$err != *canary* && $out$err != *"$REFRESH"* && $out$err != *"$SANDBOX_PASSWORD"* ]] || fails "a secret that shows"
}

strike() {
	local wanted=${1%% *} name=${1#* } op=$2
	shift 2
	if [[ $wanted == 0 ]]; then
		run_operation "$op" "$@" && expect 0
		return
	fi
	if [[ $struck != *" $op $name "* ]]; then
		struck+=" $op $name "
		run_operation "$op" "$@" && expect "$wanted" || return 1
		[[ $err == *"${SANDBOX_URL#*://}"* ]] || fails "stderr names neither account nor server" || return 1
	fi
	run_operation "$op" --format json "$@" && expect_json "$wanted" "$name" || return 1
	[[ $out =~ $REPLY_HAS ]] || fails "not in the failure: $REPLY_HAS"
}

# The same, and how often it asked.
strike_counted() { # EXPECT OPERATION
	local times=1
	[[ $1 == 0 || $struck == *" $2 ${1#* } "* ]] || times=2
	[[ $2 != check && $2 != validate || ${1#* } != network && ${1#* } != server_error ]] || times=$((2 * times))
	count_asked "$2"
	strike "$1" "$2" || return 1
	count_asked "$2"
	[[ $asked == "$times" ]] || fails "asked $asked times, not $times"
}

# A token that was just minted: the server's word about it is not remembered.
unremember() {
	[[ $unremembered ]] && return
	forget_refusal
	run_cred token "$ACCOUNT" --fresh
	expect 0 && unremembered=1
}

row() {
	local expected=$1 operations=$2 op
	shift 2
	[[ $operations != *check* ]] || unremember || return 1
	[[ $expected == 0 ]] || sandbox_fault 'endpoint=*' times=0 "$@" || return 1
	for op in $operations; do
		[[ $expected != 0 ]] || sandbox_fault "endpoint=${ENDPOINT[$op]}" times=0 "$@" || return 1 # what else it asks goes well
		strike_counted "$expected" "$op" || { echo "the row: $op: ${*@Q}" >&2 && return 1; }
		[[ $expected != 0 ]] || sandbox_clear || return 1
		[[ $op != validate && $expected != 0 ]] || unremembered='' # the access token was asked about, too
	done
	[[ $expected == 0 ]] || sandbox_clear || return 1
	[[ $(kept) == "$REFRESH" ]] || fails "another RefreshToken in the keyring, or none: ${*@Q}"
}

recovers() {
	sandbox_clear
	forget_refusal
	run_cred token "$ACCOUNT" --fresh
	expect 0 && works "$out" || return 1
	[[ $(kept) == "$REFRESH" ]] || fails "another RefreshToken in the keyring, or none" || return 1
	[[ $(sandbox_curl /integration/v1/validateRefreshToken/ -d "user_id=$SANDBOX_USER_ID&refresh_token=$REFRESH") == \
		*'"token_status":"ACTIVE"'* ]] || fails "the server does not take the RefreshToken any more"
}
