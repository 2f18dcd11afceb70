# SPDX-License-Identifier: MIT
# What must be so after the desktop's keyring has died under a verb, and is there again (`load` it after program).
#
#   died_setup            after program_setup: $ACCOUNT, and $COPY, where a rotation's last resort lies
#   verb_words NAME       login, mint, rotate or logout as $VERB, with $STDIN
#   after_login, after_mint, after_rotation, after_logout     of a $VERB that ended with $code $out $err; $made is what the
#                         server made meanwhile, if anything. In the end the account is signed in
#   whole_life            the account's, from its login to its logout, with nobody there to be asked

died_setup() {
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	COPY=$STATE/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}.recovery
}

stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
refresh_token() { stored | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }
last_made() { sed -n "s/.*$1.* made=//p" "$SANDBOX_LOG" | tail -n 1; }
copied() { keyctl pipe "$(keyctl search @u user "alation-cred-tree:recovery:102@$SANDBOX_URL" 2>/dev/null)" 2>/dev/null; }
cached() { keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL" >/dev/null 2>&1; }

# What there is to say after a call that failed on the way: the keyring holds the token that lives, and it serves.
serves() {
	run_cred get "$ACCOUNT"
	expect 0 || return 1
	works "$out"
}

verb_words() {
	NAME=$1 STDIN=/dev/null
	case $1 in
	login)
		VERB=(login "$SANDBOX_URL" --user demo --password-stdin) STDIN=$BATS_TEST_TMPDIR/password
		echo "$SANDBOX_PASSWORD" >"$STDIN"
		;;
	mint) VERB=(token "$ACCOUNT" --fresh) ;;
	*) VERB=("$1" "$ACCOUNT") ;;
	esac
}

# A login over an account that is there.
after_login() {
	if [[ $code == 0 ]]; then
		[[ $(refresh_token) == "$made" ]] || fails "it says that it is logged in, and the keyring has another token" || return 1
	elif [[ $made && $(refresh_token) != "$made" ]]; then
		[[ $err == *"could not be kept here; delete it at $SANDBOX_URL/account/auth"* ]] || fails "nobody learns of the token that was made" || return 1
	fi
	serves
}

after_mint() {
	[[ $code != 0 ]] || works "$out" || return 1
	serves
}

after_rotation() {
	local kept
	kept=$(refresh_token)
	if [[ $code == 0 ]]; then
		[[ $kept == "$made" ]] || fails "it says that it is rotated, and the keyring has another token" || return 1
	elif [[ $made && $kept != "$made" ]]; then
		[[ $(copied) == *"&refresh_token=$made&"* || $(cat "$COPY") == *"&refresh_token=$made&"* ]] || fails "the new token is nowhere" || return 1
		[[ $err == *'is regenerated, but could not be kept where it belongs'* ]] || fails "not told" || return 1
	fi
	serves || return 1
	[[ ! $made || $(refresh_token) == "$made" ]] || fails "the new token is not in the keyring"
}

after_logout() {
	if [[ $code != 0 ]]; then
		run_cred logout "$ACCOUNT" # it goes on where the other ended
		expect 0 || return 1
	fi
	[[ -z $(stored) && ! -e $COPY ]] && ! cached || fails "something is left" || return 1
	run_cred get "$ACCOUNT"
	expect 3 || return 1
	[[ $(session_neighbour) == 'a neighbour' ]] || fails "another application's secret is gone" || return 1
	login_demo
	expect 0
}

whole_life() {
	login_demo
	expect 0 || return 1
	[[ $(refresh_token) == "$(last_made createRefreshToken)" ]] || fails 'not kept' || return 1
	run_cred token "$ACCOUNT" --fresh
	expect 0 && works "$out" || return 1
	run_cred rotate "$ACCOUNT"
	expect 0 || return 1
	[[ $(refresh_token) == "$(last_made regenRefreshToken)" ]] || fails 'not rotated' || return 1
	serves || return 1
	login_demo
	expect 0 && serves || return 1
	run_cred logout "$ACCOUNT"
	expect 0 || return 1
	[[ ! $(stored) ]] || fails "something is left" || return 1
	run_cred get "$ACCOUNT"
	expect 3
}
