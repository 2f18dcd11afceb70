#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A RefreshToken that is brought, not kept: $ALATION_REFRESH_TOKEN, and a file in $CREDENTIALS_DIRECTORY, bare or as a record.
# An account without a login; a token that goes to nobody else and is written nowhere; what cannot be done with it and says so.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

WAYS=(environment file record alone)

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} TOKEN=$(sandbox_refresh_token 102 brought)
	CREDENTIALS=$BATS_TEST_TMPDIR/credentials FILE=$CREDENTIALS/alation-refresh-token TRACE=$BATS_TEST_TMPDIR/trace
	mkdir "$CREDENTIALS"
	helpers=() said=
}

teardown() {
	program_end_helpers
	decoy_stop
	program_teardown
}

form() { sed 's/:/%3A/g; s,/,%2F,g' <<<"$1"; }
a_record() { echo "v=1&kind=refresh-token&base_url=$(form "${2:-$SANDBOX_URL}")&user_id=${3:-102}&refresh_token=$1"; }

# bring WAY [TOKEN]: "alone" is a record with no variable beside it.
bring() {
	local token=${2:-$TOKEN}
	unset ALATION_REFRESH_TOKEN CREDENTIALS_DIRECTORY
	export ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 SOURCE=credentials-directory
	case $1 in
	environment) export ALATION_REFRESH_TOKEN=$token SOURCE=environment ;;
	file) echo "$token" >"$FILE" ;;
	record | alone) a_record "$token" >"$FILE" ;;
	esac
	[[ $1 == environment ]] || export CREDENTIALS_DIRECTORY=$CREDENTIALS
	[[ $1 != alone ]] || unset ALATION_BASE_URL ALATION_USER_ID
}

# The program, traced; what it says is kept for no_secret.
ask() {
	ALATION_CRED_TRACE=$TRACE run_cred "$@"
	said+=$raw$err$'\n'
}

in_keyring() { secret-tool search --all application alation-cred 2>&1; }

# The RefreshToken that is brought is in nothing that was said, traced, filed or cached.
no_secret() {
	local id key
	[[ $said != *"$TOKEN"* ]] || fails "it is said"
	run ! grep -qF "$TOKEN" "$TRACE"
	run ! grep -rqF "$TOKEN" "$HOME"
	run ! grep -rqF "$TOKEN" "/dev/shm/alation-cred-$EUID"
	while IFS=: read -r id key; do
		[[ $key != *"@$SANDBOX_URL" ]] || [[ $(keyctl pipe "$id") != *"$TOKEN"* ]] || fails "it is in $key"
	done < <(keyctl list @u)
}

# Nothing is kept here because of it but the access token.
nothing_kept() {
	[[ $(listed) == 0 && -z $(in_keyring) ]] || fails "something is listed, or in the keyring"
	[[ $(find "$STATE" -type f ! -path '*/locks/*') == '' ]] || fails "a file in the state directory"
	[[ $(kernel_keys) == "alation-cred-tree:access:102@$SANDBOX_URL" || -z $(kernel_keys) ]] || fails "other keys: $(kernel_keys)"
	no_secret
}

# Of what the server was asked, with which RefreshToken.
asked_with() { sed -n 's/.* \/integration\/v1\/.* refresh=\([^ ]*\) .*/\1/p' "$SANDBOX_LOG" | sort -u; }

@test "an account without a login: by whatever name, from the cache after one mint, and nothing is kept" {
	local way first
	for way in "${WAYS[@]}"; do
		bring "$way"
		forget_calls
		ask get
		expect 0 || fails "$way"
		first=$out
		[[ -z $err ]] || fails "$way: not silent"
		works "$first"
		for name in "$ACCOUNT" "${ACCOUNT#http://}" ''; do
			ask token ${name:+"$name"}
			expect 0
			[[ $out == "$first" && -z $err ]] || fails "$way: another token for '$name'"
		done
		[[ $(mints) == 1 ]] || fails "$way: $(mints) mints"
		[[ $(asked_with) == "$TOKEN" ]]
		ask token --format json
		[[ $(jq -c '[.user_id,.token,.refresh_token_expires_at]' <<<"$out") == "[102,\"$first\",null]" ]] || fails "$way: JSON"
		ask get --fresh
		expect 0
		is_dead "$first"
		nothing_kept
		[[ -s $TRACE ]]
		drop_cached
	done
}

@test "the variables alone say whose a bare token is; with one of them or none there is no account" {
	local missing way
	for way in environment file; do
		for missing in ALATION_BASE_URL ALATION_USER_ID; do
			bring $way
			unset $missing
			ask get
			expect 3 'of no account that is known' 'set $ALATION_BASE_URL and $ALATION_USER_ID'
			ask get "$ACCOUNT"
			expect 3 'log in with'
			ask status --format json
			[[ $(jq -c .accounts <<<"$out") == '[]' ]] || fails "$way without $missing: listed"
		done
	done
	no_calls
	# One variable may say both.
	bring environment
	unset ALATION_USER_ID
	ALATION_BASE_URL=$ACCOUNT ask get
	expect 0
	# An instance as people write it.
	ALATION_BASE_URL=${SANDBOX_URL/http/HTTP}/account/auth ALATION_USER_ID=102 ask get
	expect 0
	nothing_kept
}

@test "another account or instance is absent, and no other host sees a token" {
	local way elsewhere
	decoy_start elsewhere sink
	elsewhere=http://127.0.0.1:$DECOY_PORT
	for way in "${WAYS[@]}"; do
		bring "$way"
		for name in "${ACCOUNT/102@/103@}" "${elsewhere/:\/\//:\/\/102@}"; do
			ask token "$name"
			expect 3 'no RefreshToken is stored for' "$name" || fails "$way"
		done
		ask token "$elsewhere"
		expect 3
	done
	# A record that names the one, beside variables that name the other.
	for way in environment record; do
		bring "$way"
		[[ $way == record ]] || export ALATION_REFRESH_TOKEN=$(a_record "$TOKEN")
		ALATION_BASE_URL=$elsewhere ask get
		expect 3 'no RefreshToken is stored for' || fails "$way"
		ALATION_USER_ID=103 ask get
		expect 3 || fails "$way"
		ALATION_BASE_URL=$elsewhere ask validate
		expect 3 || fails "$way"
	done
	no_calls
	[[ $(decoy_met elsewhere) == 0 && -z $(decoy_got elsewhere) ]]
	nothing_kept
}

@test "20 at once: one mint" {
	local i way
	for way in environment alone; do
		bring $way
		ask get # and there are locks
		drop_cached
		forget_calls
		helpers=()
		crowd 20 get
		for i in {0..19}; do [[ -s $OUT.$i && $(<"$OUT.$i") == "$(<"$OUT.0")" ]] || fails "$way: $i has another"; done
		[[ $(mints) == 1 ]] || fails "$way: $(mints) mints"
		run ! grep -qF "$TOKEN" "$OUT".*
		drop_cached
	done
	helpers=()
}

@test "git's protocol: the account that is brought is one of ours, and what was refused is forgotten" {
	local host=${SANDBOX_URL#http://} way token
	for way in "${WAYS[@]}"; do
		bring "$way"
		ask get --protocol git <<<"protocol=http"$'\n'"host=$host"
		expect 0
		token=$(sed -n 's/^password=//p' <<<"$out")
		[[ $out == "username=102"$'\n'* && -z $err ]] || fails "$way: no answer"
		works "$token"
		# Not another user's, not another host's.
		for request in "protocol=http"$'\n'"host=$host"$'\n'username=103 "protocol=https"$'\n'"host=$host" $'protocol=https\nhost=example.org'; do
			ask get --protocol git <<<"$request"
			expect 0
			[[ -z $raw && -z $err ]] || fails "$way: an answer to ${request@Q}"
		done
		forget_calls
		# git's approve brings it back.
		ask store <<<"protocol=http"$'\n'"host=$host"$'\n'"username=102"$'\n'"password=$token"
		expect 0
		no_calls
		[[ -z $err && $(cached) == "$token" ]]
		# git's reject.
		ask erase <<<"protocol=http"$'\n'"host=$host"$'\n'"username=102"$'\n'"password=no-token-of-ours"
		expect 0
		[[ $(cached) == "$token" ]] || fails "$way: another's refusal"
		ask erase <<<"protocol=http"$'\n'"host=$host"$'\n'"username=102"$'\n'"password=$token"
		expect 0
		nothing_cached
		no_calls
		ask erase <<<"protocol=http"$'\n'"host=$host"
		expect 0 "'$SOURCE' still gives a RefreshToken of $ACCOUNT; it can only be read here" || fails "$way"
		nothing_kept
	done
}

@test "validate and revoke" {
	local way token
	for way in "${WAYS[@]}"; do
		bring "$way"
		ask get
		token=$out
		ask validate
		expect 0 "$ACCOUNT: the RefreshToken is active until" 'the cached access token is active' || fails "$way"
		ask revoke
		expect 0 "revoked the access tokens of $ACCOUNT" || fails "$way"
		is_dead "$token"
		ask get
		expect 0
		works "$out"
		drop_cached
	done
	nothing_kept
	sandbox_revoke "$TOKEN"
	ask validate
	expect 1
	ask get
	expect 3
	nothing_kept
}

@test "rotate refuses before the server is asked, and names the way to one that can renew itself" {
	local way
	for way in "${WAYS[@]}"; do
		bring "$way"
		for args in '' "$ACCOUNT" '--if-expiring 10d' '--if-expiring 365d'; do
			refused_plainly=
			refuses 5 keyring_readonly "$ACCOUNT|'$SOURCE', which can only be read|sealed-file key-file=|login --keyring sealed-file $SANDBOX_URL" rotate $args || fails "$way"
			said+=$raw$err
		done
		for args in --auto '--auto --if-expiring 365d' '--all --auto' '--all --auto --if-expiring 365d'; do
			ask rotate $args
			expect 0 || fails "$way: $args"
			[[ -z $raw && -z $err ]] || fails "$way: $args is not silent"
		done
		no_calls
	done
	nothing_kept
}

# In the list: when the RefreshToken that was logged in with ends.
in_two_days() { sed -i -E "s/&token_expires_at=[0-9]*/\\&token_expires_at=$((EPOCHSECONDS + 2 * 86400))/" "$STATE/accounts"; }

@test "an exclusive account in its last days, and another token for it in the environment: nothing is renewed, nothing said" {
	local kept list way
	login_demo
	expect 0
	kept=$(stored)
	in_two_days
	list=$(<"$STATE/accounts")
	for way in "${WAYS[@]}"; do
		bring "$way"
		forget_calls
		ask token "$ACCOUNT" --fresh
		expect 0
		[[ -z $err ]] || fails "$way: not silent"
		for args in --auto '--all --auto' '--all --auto --if-expiring 365d'; do
			ask rotate $args
			expect 0
		done
		[[ -z $err && $(asked_with) == "$TOKEN" && $(calls) == createAPIAccessToken ]] || fails "$way: $(calls)"
		[[ $(stored) == "$kept" && $(<"$STATE/accounts") == "$list" ]] || fails "$way: something was written"
		no_secret
	done
	ask rotate
	expect 5 'sealed-file key-file='
	# And without it the one that is kept is renewed as ever.
	unset ALATION_REFRESH_TOKEN CREDENTIALS_DIRECTORY
	forget_calls
	ask rotate --auto --if-expiring 365d
	expect 0
	[[ $(sandbox_calls regenRefreshToken) == 1 && $(stored) != "$kept" ]]
	no_secret
}

@test "a copy that a rotation left is what it was: a mint with another's token says nothing of it" {
	local copy=$STATE/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}.recovery way
	login_demo
	a_record "$(sandbox_refresh_token 102 copied)" >"$copy"
	chmod 0600 "$copy"
	for way in environment alone; do
		bring $way
		ask token "$ACCOUNT" --fresh
		expect 0
		works "$out"
		[[ -s $copy ]] || fails "$way: the copy is gone"
	done
	no_secret
}

@test "login over it says who goes first; both are told apart by status; without it the login serves" {
	local way
	for way in environment alone; do
		bring $way
		login_demo
		expect 0 "'$SOURCE' gives a RefreshToken of $ACCOUNT too, and here it goes before the one that is kept now" || fails "$way"
		forget_calls
		ask token "$ACCOUNT" --fresh
		expect 0
		[[ $(asked_with) == "$TOKEN" ]] || fails "$way: the other one"
		ask status --format json
		[[ $(jq -c '[.accounts[]|[.user_id,.refresh.module,.exclusive]]' <<<"$out") == "[[102,\"$SOURCE\",true]]" ]] || fails "$way: status"
		unset ALATION_REFRESH_TOKEN CREDENTIALS_DIRECTORY
		forget_calls
		ask token "$ACCOUNT" --fresh
		expect 0
		[[ $(asked_with) == "$(refresh_token)" ]] || fails "$way: not the one that is kept"
		no_secret
		ask logout
		expect 0
	done
}

@test "logout: names the source that it could not empty, ends its access tokens, and regenerates nothing" {
	local way token
	for way in "${WAYS[@]}"; do
		bring "$way"
		ask get
		token=$out
		forget_calls
		ask logout "$ACCOUNT"
		expect 0 "'$SOURCE' still gives a RefreshToken of $ACCOUNT; it can only be read here" 'lives at the server until its end' || fails "$way"
		asked revokeAPIAccessTokens || fails "$way"
		is_dead "$token"
		nothing_cached 2>/dev/null
		ask get
		expect 0
		nothing_kept
		# One that was logged in with, too: its own copy goes.
		login_demo
		forget_calls
		ask logout "$ACCOUNT"
		expect 0 "'$SOURCE' still gives a RefreshToken of $ACCOUNT" || fails "$way"
		asked revokeAPIAccessTokens || fails "$way"
		[[ -z $(in_keyring) && $(listed) == 0 ]] || fails "$way: the login is still there"
		no_secret
		rm "$STATE/accounts"
	done
	[[ $(sandbox_calls regenRefreshToken) == 0 ]]
}

@test "status: who brings it, in words and as JSON, with its account and no secret" {
	local way token
	for way in "${WAYS[@]}"; do
		bring "$way"
		ask status
		expect 0
		[[ $out == *"  $SOURCE  read-only"$'\n\n'"$ACCOUNT  (shared)"$'\n'"  RefreshToken  in $SOURCE"* && $out == *'none cached; the next get mints one' ]] || fails "$way"
		ask get
		token=$out said=
		for args in '' -v "$ACCOUNT" "--expiring-within 7d" '-v --format json'; do
			ask status $args
			expect 0
			[[ $raw$err != *"$token"* ]] || fails "$way: the access token"
		done
		[[ $(jq -c '[.accounts[0]|.base_url,.user_id,.default,.exclusive,.refresh.module,.refresh.expires_at,.access.module]' <<<"$out") == \
			"[\"$SANDBOX_URL\",102,false,false,\"$SOURCE\",null,\"kernel\"]" ]] || fails "$way: JSON"
		[[ $(jq -r '.accounts|length' <<<"$out") == 1 ]]
		no_secret
		drop_cached
	done
	# Two of them, of two accounts.
	bring alone
	export ALATION_REFRESH_TOKEN=another-token ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=103
	ask status --format json
	[[ $(jq -c '[.accounts[]|[.user_id,.refresh.module]]' <<<"$out") == '[[102,"credentials-directory"],[103,"environment"]]' ]] || fails "two"
}

# bad WHY: the source says so to status, in words and JSON, to get (5) and its trace; nothing is overwritten or sent.
bad() {
	local words=$1 at
	for at in get "token $ACCOUNT" "rotate $ACCOUNT" "validate $ACCOUNT"; do
		refused_plainly=
		ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 refuses 5 keyring_failed "($SOURCE)|$ACCOUNT|$words" $at || fails "$words"
	done
	[[ -z $(in_keyring) ]]
	no_calls
}

@test "a credentials directory that is none: 5, and what is wrong by its name" {
	local rest
	export SOURCE=credentials-directory
	cd "$BATS_TEST_TMPDIR"
	echo "$TOKEN" >"$FILE"
	CREDENTIALS_DIRECTORY=credentials bad 'CREDENTIALS_DIRECTORY is not used: it must be an absolute path'
	CREDENTIALS_DIRECTORY=$CREDENTIALS/missing bad "$CREDENTIALS/missing, which cannot be opened: No such file or directory"
	CREDENTIALS_DIRECTORY=$FILE bad "$FILE, which cannot be opened: Not a directory"
	export CREDENTIALS_DIRECTORY=$CREDENTIALS
	rm "$FILE"
	mkdir "$FILE"
	bad "$FILE is not used: it is a directory, not a file"
	rmdir "$FILE"
	mkfifo "$FILE"
	bad "$FILE is not used: it is no regular file"
	rm "$FILE"
	ln -s /etc/hostname "$FILE"
	bad "$FILE is not used: it is a link, and none is followed out of the directory"
	rm "$FILE"
	: >"$FILE"
	bad "$FILE is not used: it is empty"
	printf '%s\n' "$TOKEN" another >"$FILE"
	bad "$FILE is not used: it holds bytes that no RefreshToken has"
	a_record "$TOKEN" | sed 's/&user_id=102//' >"$FILE"
	bad "$FILE is not used: it holds a damaged record"
	echo "$TOKEN" >"$FILE"
	chmod 0622 "$FILE"
	bad "$FILE is not used: it"
	[[ $(<"$FILE") == "$TOKEN" ]]
	# No file is nobody's fault: then nobody is logged in.
	rm "$FILE"
	ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 run_cred get
	expect 3 'no RefreshToken is stored for'
	# Nor whose it is.
	echo "$TOKEN" >"$FILE"
	run_cred get
	expect 3 'of no account that is known' 'set $ALATION_BASE_URL and $ALATION_USER_ID'
}

@test "a variable that holds no token: empty is not set, anything else is 5 and not shown" {
	export SOURCE=environment
	ALATION_REFRESH_TOKEN='' ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102 run_cred get
	expect 3 'no RefreshToken is stored for'
	for value in 'swordfish secret' ' ' 'swordfish'$'\n' 'v=1&kind=refresh-token&refresh_token=swordfish'; do
		ALATION_REFRESH_TOKEN=$value bad 'ALATION_REFRESH_TOKEN is not used: it holds'
		[[ $err != *swordfish* && $out != *swordfish* ]] || fails "it is shown"
	done
}

@test "a source that is bad keeps nobody from the account that is kept, and status says why" {
	login_demo
	export ALATION_REFRESH_TOKEN='swordfish secret' ALATION_BASE_URL=$SANDBOX_URL ALATION_USER_ID=102
	run_cred get --fresh
	expect 0
	[[ -z $err ]] && works "$out"
	run_cred status
	[[ $out == *"in secret-service; passed over: credentials-directory (absent: \$CREDENTIALS_DIRECTORY is not set), environment (failed: \$ALATION_REFRESH_TOKEN is not used: it holds bytes that no RefreshToken has)"* ]] || fails "in words"
	run_cred status --format json
	[[ $(jq -c '.accounts[0].refresh.passed_over[]|select(.module=="environment")' <<<"$out") == \
		'{"module":"environment","status":"failed","why":"$ALATION_REFRESH_TOKEN is not used: it holds bytes that no RefreshToken has"}' ]] || fails "as JSON"
	[[ $out != *swordfish* ]]
}
