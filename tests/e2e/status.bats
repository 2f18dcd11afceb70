#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# status: who answered and why those before did not; and --expiring-within, for monitoring: whose RefreshToken needs somebody,
# from what is known here; what is said, and that neither a server nor a secret is asked.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/mock

DAY=86400

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103 --user third:third-password:104
	ACCOUNT=$(at 102) OTHER=$(at 103) THIRD=$(at 104)
	ROTATE="renew it with 'alation-cred rotate $ACCOUNT'" LOGIN="log in again: 'alation-cred login $SANDBOX_URL'"
}

teardown() {
	program_teardown
	session_stop # a test's own
}

at() { echo "${SANDBOX_URL/:\/\//:\/\/$1@}"; }

own_keyring() {
	local home=$HOME
	session_start unlocked
	export HOME=$home XDG_STATE_HOME=
}

# In the list, which is all that status reads: when a RefreshToken ends (EPOCH or "", unknown).
ends() { sed -i -E "/user_id=$1&/s/&token_expires_at=[0-9]*//; /user_id=$1&/s/\$/${2:+\\&token_expires_at=$2}/" "$STATE/accounts"; }
in_days() { echo $((EPOCHSECONDS + $1 * DAY - 3600)); } # not at the border of a day, which is shown
date_of() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }

login_shared() { # USER_ID
	run_cred login "$SANDBOX_URL" --user-id "$1" --token-stdin <<<"$(sandbox_refresh_token "$1")"
}
forget_calls() { : >"$SANDBOX_LOG"; }

# as_usual ARG...: 0, and stdout is plain status's. Right after a login it may be 60 days in one and 59 in the other.
as_usual() {
	local usual
	run_cred status "${@:3}"
	usual=$out
	run_cred status "$@"
	expect 0 && [[ ${out//60 days/59 days} == "${usual//60 days/59 days}" ]] || fails "not the usual status"
}

# says LINE: the only one.
says() { [[ $err == "alation-cred: $1" ]] || fails "it does not say: $1"; }

# expiring SENTENCE; REMEDY, plainly and in JSON.
expiring() {
	local said="$1; $2"
	shift 2
	run_cred status "$@"
	expect 1 && says "$said" || return 1
	run_cred status "$@" --format json
	expect_json 1 expiring && says "$said" || return 1
	[[ $(jq -r '.message + "; " + .remedy' <<<"$out") == "$said" ]] || fails "other words in JSON"
}

@test "the border: a token that ends in exactly DUR is expiring, one that lives a second longer is not" {
	local began end
	login_demo
	forget_calls
	for within in 100 99; do
		# All of it in one second of the clock.
		while began=$EPOCHSECONDS end=$((EPOCHSECONDS + 100)); do
			ends 102 "$end"
			run_cred status --expiring-within "$within"
			[[ $EPOCHSECONDS != "$began" ]] || break
		done
		if [[ $within == 100 ]]; then
			expect 1
			says "the RefreshToken of $ACCOUNT ends $(date_of "$end"); $ROTATE"
		else
			expect 0
			[[ $out == *"$ACCOUNT  (default, exclusive)"* && -z $err ]] || fails "not the usual status"
		fi
	done
	no_calls
}

@test "within DUR: 1, nothing on stdout but JSON's failure; further away: status as usual" {
	local end
	login_demo
	ends 102 "$(in_days 60)"
	as_usual --expiring-within 59d
	[[ -z $err ]]
	as_usual --expiring-within 59d --format json
	[[ $(jq -c '[.success,.accounts[0].user_id]' <<<"$out") == '[true,102]' && -z $err ]]
	end=$(in_days 10)
	ends 102 "$end"
	expiring "the RefreshToken of $ACCOUNT ends $(date_of "$end")" "$ROTATE" --expiring-within 14d
	as_usual --expiring-within 9d
	as_usual --expiring-within 0
}

@test "a shared one: the same, and the remedy is a login" {
	local end
	login_shared 102
	end=$(in_days 3)
	ends 102 "$end"
	expiring "the RefreshToken of $ACCOUNT ends $(date_of "$end")" "$LOGIN" --expiring-within 7d
}

@test "one that has ended: 1 whatever DUR is, and no rotation can help" {
	local end
	login_demo
	for end in $((EPOCHSECONDS - 1)) $((EPOCHSECONDS - 3 * DAY)) 1; do
		ends 102 "$end"
		expiring "the RefreshToken of $ACCOUNT ended $(date_of "$end")" "$LOGIN" --expiring-within 0
	done
}

@test "what a read-only source has goes before the one that is listed: its end is not known, whatever the list says of the other" {
	local list token
	login_shared 102
	list=$(<"$STATE/accounts") token=$(sandbox_refresh_token 102)
	for end in "$(in_days 50)" $((EPOCHSECONDS - 1)) "$(in_days 50)&rotation_lost_at=$((EPOCHSECONDS - 500))"; do
		ends 102 "${end//&/\\&}"
		export ALATION_REFRESH_TOKEN=$token ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102
		as_usual --expiring-within 60d
		says "when the RefreshToken of $ACCOUNT ends is not known; 'alation-cred validate $ACCOUNT' asks the server"
		[[ $out == *' not known '*' environment '* && $out != *lost* ]] || fails "it tells of the one that is not used"
		unset ALATION_REFRESH_TOKEN ALATION_BASE_URL ALATION_USER_ID
		run_cred status --expiring-within 60d
		expect 1 "$([[ $end != *lost* ]] || echo 'was lost in the rotation')"
		echo "$list" >"$STATE/accounts"
	done
}

@test "an end that nobody knows: a warning, and status as usual" {
	login_demo
	ends 102 ''
	for format in token json; do
		as_usual --expiring-within 36500d --format $format
		says "when the RefreshToken of $ACCOUNT ends is not known; 'alation-cred validate $ACCOUNT' asks the server"
	done
	# Which then is known.
	run_cred validate
	expiring "the RefreshToken of $ACCOUNT ends $(run_cred status --format json && jq -r '.accounts[0].refresh.expires_at' <<<"$out")" "$ROTATE" --expiring-within 61d
}

@test "one that a rotation has lost: 1, with the time, whatever its end" {
	login_demo
	sandbox_fault endpoint=regenRefreshToken drop=after
	run_cred rotate
	run_cred get
	expect 3
	lost=$(sed -n 's/.*rotation_lost_at=\([0-9]*\).*/\1/p' "$STATE/accounts")
	forget_calls
	for end in "$(in_days 50)" ''; do
		ends 102 "$end"
		expiring "the RefreshToken of $ACCOUNT was lost in the rotation of $(date_of "$lost")" "$LOGIN" --expiring-within 0
	done
	no_calls
}

@test "one that is gone from its keyring: 1, whatever its end" {
	login_demo
	secret-tool clear application alation-cred facility refresh user_id 102
	for end in "$(in_days 50)" ''; do
		ends 102 "$end"
		expiring "the RefreshToken of $ACCOUNT is gone from its keyring" "$LOGIN" --expiring-within 0
	done
}

@test "a keyring that is locked, away or hangs: the list's date decides, and no dialog opens" {
	local end state
	own_keyring
	login_demo
	forget_calls
	end=$(in_days 5)
	for state in session_restart_keyring 'session_end_process KEYRING KILL'; do
		${state/KEYRING/$session_keyring_pid}
		ends 102 "$end"
		expiring "the RefreshToken of $ACCOUNT ends $(date_of "$end")" "$ROTATE" --expiring-within 7d --interactive always
		ends 102 "$(in_days 50)"
		as_usual --expiring-within 7d
		[[ $out == *'cannot be told: '*'secret-service ('* && -z $err ]] || fails "$state"
	done
	session_keyring </dev/null
	session_freeze
	run_cred status --expiring-within 51d
	session_thaw
	expect 1
	says "the RefreshToken of $ACCOUNT ends $(date_of "$(sed -n 's/.*token_expires_at=\([0-9]*\).*/\1/p' "$STATE/accounts")"); $ROTATE"
	no_calls
}

# More accounts in the list, without a login: user ids from 1001 on.
listed_too() { # N
	local line id
	line=$(sed -n '/&user_id=102&/s/&default=1//p' "$STATE/accounts")
	for ((id = 1001; id <= 1000 + $1; id++)); do sed "s/user_id=102/user_id=$id/" <<<"$line"; done >>"$STATE/accounts"
	sed -i "1s/.*/v=2\&accounts=$((1 + $1))/" "$STATE/accounts"
}
modules() { jq -c '[.accounts[].refresh.module] | group_by(.) | map([.[0], length])' <<<"$out"; }

@test "a keyring that hangs is waited for once, however many accounts it holds; what it holds is not called gone" {
	local began=$EPOCHREALTIME took_ms
	own_keyring
	login_demo
	listed_too 7
	session_freeze
	began=$EPOCHREALTIME
	run_cred status --format json
	took_ms=$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))
	session_thaw
	expect 0
	[[ $(modules) == '[[null,8]]' ]] || fails "another answer"
	[[ $(jq -c '[.accounts[].refresh.passed_over[]|select(.module=="secret-service").status]|unique' <<<"$out") == '["timeout"]' ]] || fails "not late"
	# 2 s, and 5 to spare: a wait for each of them is 11 s.
	((took_ms < 7000)) || fails "$took_ms ms"
}

@test "no secret is read: the keyring tells what it holds, and hands nothing out; nothing is opened" {
	local home=$HOME arguments
	session_start nodaemon
	export HOME=$home XDG_STATE_HOME=
	mock_start file="$BATS_TEST_TMPDIR/kept"
	login_demo
	expect 0
	mock_restart file="$BATS_TEST_TMPDIR/kept"
	run_cred get --fresh
	expect 0
	(($(called GetSecret) + $(called GetSecrets) > 0)) || fails "this is not how one is read"
	mock_restart file="$BATS_TEST_TMPDIR/kept"
	for arguments in '' -v '--format json' "$ACCOUNT" '--expiring-within 1d' '--interactive always'; do
		run_cred status $arguments
		expect 0
		[[ $out == *'secret-service  open'* || $out == *'"module":"secret-service"'* ]] || fails "it was not found"
	done
	(($(calls_of_mock) > 0)) || fails "nobody was asked"
	[[ $(called GetSecret) == 0 && $(called GetSecrets) == 0 && $(called Unlock) == 0 && $(called Prompt) == 0 ]] || fails "called: $(sort "$CALLED" | uniq -c)"
}

@test "many accounts in one keyring: each is found, and none that is not there" {
	local id
	login_demo
	listed_too 100
	for ((id = 1001; id <= 1099; id++)); do
		secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id "$id" <<<x
	done
	run_cred status --format json
	expect 0
	[[ $(modules) == '[[null,1],["secret-service",100]]' ]] || fails "not these"
	[[ $(jq -c '[.accounts[]|select(.refresh.module|not)|.user_id,.refresh.passed_over[-1].status]' <<<"$out") == '[1100,"absent"]' ]] || fails "another"
}

@test "several accounts: a line each with its own remedy, the first of them last; a named one alone" {
	local ends_102 ends_103
	login_demo
	login_shared 103
	run_cred login "$SANDBOX_URL" --user third --password-stdin <<<third-password
	as_usual --expiring-within 14d
	ends_102=$(in_days 2) ends_103=$(in_days 3)
	ends 103 "$ends_103"
	expiring "the RefreshToken of $OTHER ends $(date_of "$ends_103")" "$LOGIN" --expiring-within 14d
	ends 102 "$ends_102"
	ends 104 ''
	for format in token json; do
		run_cred status --expiring-within 14d --format $format
		[[ $code == 1 && $err == "alation-cred: the RefreshToken of $OTHER ends $(date_of "$ends_103"); $LOGIN
alation-cred: when the RefreshToken of $THIRD ends is not known; 'alation-cred validate $THIRD' asks the server
alation-cred: the RefreshToken of $ACCOUNT ends $(date_of "$ends_102"), and 1 more as said above; $ROTATE" ]] || fails "$format"
	done
	expect_json 1 expiring
	[[ $(jq -r .message <<<"$out") == *"$ACCOUNT ends "*", and 1 more as said above" ]]
	secret-tool clear application alation-cred facility refresh user_id 104
	run_cred status --expiring-within 14d
	expect 1 "the RefreshToken of $THIRD is gone from its keyring; $LOGIN" ', and 2 more as said above; '
	as_usual --expiring-within 1d "$OTHER"
	expiring "the RefreshToken of $OTHER ends $(date_of "$ends_103")" "$LOGIN" --expiring-within 14d "$OTHER"
	expiring "the RefreshToken of $THIRD is gone from its keyring" "$LOGIN" --expiring-within 14d "$THIRD"
}

@test "nobody is logged in: 0; an account that is not there: 3; a DUR that is none: 2" {
	as_usual --expiring-within 14d
	[[ $out == 'nobody is logged in'* && -z $err ]]
	refuses 3 no_account "$ACCOUNT|alation-cred status" status "$ACCOUNT" --expiring-within 14d
	for within in '' soon -1 14w 1.5d; do
		refuses 2 usage --expiring-within status --expiring-within "$within"
	done
	no_calls
}

# In words and as JSON, of the first account: passed over for FACILITY are, in this order, MODULE STATUS WHY...
passes_over() {
	local facility=$1 words= json=
	shift
	while (($#)); do
		words+="${words:+, }$1 ($2${3:+: $3})"
		json+="${json:+,}[\"$1\",\"$2\",$(jq -R . <<<"$3" | sed 's/^""$/null/')]"
		shift 3
	done
	run_cred status
	expect 0
	[[ $out == *": $words"$'\n'* || $out == *": $words" ]] || fails "not in words: $words" || return 1
	run_cred status --format json
	[[ $(jq -c "[.accounts[0].$facility.passed_over[]|[.module,.status,.why]]" <<<"$out") == "[$json]" ]] || fails "not as JSON: $json"
}
SOURCES=(credentials-directory absent '$CREDENTIALS_DIRECTORY is not set' environment absent '$ALATION_REFRESH_TOKEN is not set')

@test "why others were passed over: each in its words, whether one answered or none" {
	own_keyring
	login_demo
	passes_over refresh "${SOURCES[@]}"
	[[ $(jq -r '.accounts[0].refresh.module' <<<"$out") == secret-service ]]
	session_end_process "$session_keyring_pid" KILL
	run_cred status --format json
	[[ $(jq -r '.accounts[0].refresh|.module,.passed_over[2].module,.passed_over[2].status' <<<"$out" | paste -sd' ') == 'null secret-service unavailable' ]]
	passes_over refresh "${SOURCES[@]}" secret-service unavailable "$(jq -r '.accounts[0].refresh.passed_over[2].why' <<<"$out")"
	[[ $(jq -r '.accounts[0].refresh.passed_over[2].why' <<<"$out") == *Secret* ]] || fails "no reason"
}

@test "an arranged stack: the same lines, by their modules; one that cannot be loaded says so" {
	login_demo
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf '%s\n' 'refresh optional nosuch' 'refresh sufficient environment' 'access optional nosuch' 'access sufficient kernel prefix=alation-cred-tree' >"$ALATION_CRED_CONFIG"
	run_cred status --format json
	[[ $(jq -c '[.accounts[0]|.refresh,.access|[.module,(.passed_over[]|.module,.status)]]' <<<"$out") == \
		'[["secret-service","nosuch","unavailable","environment","absent"],["kernel","nosuch","unavailable"]]' ]] || fails "not those"
	[[ $(jq -r '.accounts[0].access.passed_over[0].why' <<<"$out") == *'/nosuch.so: No such file or directory; install that module' ]] || fails "no reason"
	run_cred status
	[[ $out == *"in kernel; passed over: nosuch (unavailable: "*'/nosuch.so: No such file or directory; install that module)'* ]] || fails "not in words"
}

@test "the default is the configuration's, where it names one" {
	login_demo
	login_shared 103
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	defaults() { run_cred status --format json && jq -c '[.accounts[]|select(.default).user_id]' <<<"$out"; }
	: >"$ALATION_CRED_CONFIG"
	[[ $(defaults) == '[102]' ]]
	echo "default-account $OTHER" >"$ALATION_CRED_CONFIG"
	[[ $(defaults) == '[103]' ]]
	run_cred status
	[[ $out == *"$ACCOUNT  (exclusive)"* && $out == *"$OTHER  (default, shared)"* ]] || fails "in words"
	# An account that nobody has is nobody's default.
	echo "default-account $THIRD" >"$ALATION_CRED_CONFIG"
	[[ $(defaults) == '[]' ]]
}

@test "-v: what counts of the configuration, after the accounts; nothing of it without -v" {
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	printf '%s\n' '# here' 'timeout 20s' "[$SANDBOX_URL]" 'timeout 10s' >"$ALATION_CRED_CONFIG"
	run_cred status -v --format json
	expect 0
	[[ $(jq -c '[.configuration[]|select(.file)|[.section,.word,.value,.file,.line]]' <<<"$out") == \
		"[[null,\"timeout\",\"20s\",\"$ALATION_CRED_CONFIG\",2],[\"$SANDBOX_URL\",\"timeout\",\"10s\",\"$ALATION_CRED_CONFIG\",4]]" ]] || fails "not those rows"
	[[ $(jq -c '[.configuration[]|select(.word=="refresh" and .file==null)|.value]' <<<"$out") == \
		'["sufficient credentials-directory","sufficient environment","sufficient secret-service"]' ]] || fails "not what is built in"
	run_cred status -v
	[[ $out == *"configuration"$'\n'"  $ALATION_CRED_CONFIG"$'\n'"  timeout 20s  ($ALATION_CRED_CONFIG:2)"$'\n'* && $out == *"  refresh sufficient environment  (built in)"* ]] || fails "in words"
	run_cred status --format json
	[[ $(jq -c keys <<<"$out") == '["accounts","success","version"]' ]]
}
