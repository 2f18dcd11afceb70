#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bad input: what lies in keyring, cache, recovery copies and the list of accounts, and is damaged, another's, of a newer
# program, or a file that is not as it must be. The error names the thing; nothing is written over, no server is asked,
# and what belongs to the account beside it is the same before and after.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle

NO_KEYCTL=${B:-$SANDBOX_TOP/.build}/tests/tools/no-keyctl
BEGUN=1700000000

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@} OTHER=${SANDBOX_URL/:\/\//:\/\/103@} helpers=()
	COPY=$STATE/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}.recovery
	PRIVATE=/dev/shm/alation-cred-$EUID/alation-cred-tree:recovery:102@${SANDBOX_URL//\//%2F}
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
	login_demo
	expect 0
	TOKEN=$(refresh_token) RECORD=$(stored) CACHED=$(record) NEIGHBOUR=$(neighbour)
	NEW=$(sandbox_refresh_token 102 new)
	GOOD=${RECORD/$TOKEN/$NEW}"&regen_begun=$BEGUN"
	forget_calls
}

teardown() {
	program_teardown
}

neighbour() { # all of the account beside it
	stored 103
	keyctl pipe "$(key 103)"
	sed -n 's/&default=[01]//; /user_id=103&/p' "$STATE/accounts"
}
neighbour_is_the_same() { [[ $(neighbour) == "$NEIGHBOUR" ]] || fails "the other account was touched"; }

put() { printf %s "$1" | secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102; }
lose() { secret-tool clear application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102 || :; }
entry() { # FACILITY TEXT: a key of the kernel's as the program makes it
	keyctl setperm "$(printf %s "$2" | keyctl padd user "alation-cred-tree:$1:102@$SANDBOX_URL" @u)" 0x3f1f0000
}
entry_of() { keyctl pipe "$(keyctl search @u user "alation-cred-tree:$1:102@$SANDBOX_URL" 2>/dev/null)" 2>/dev/null || :; }

everything() {
	stored || :
	entry_of access
	entry_of recovery
	cat "$STATE/accounts"
	stat -c '%n %F %a %u %s %i %Y' "$COPY" "$PRIVATE" 2>/dev/null || :
	[[ ! -f $COPY ]] || cat "$COPY"
}

# What needs the RefreshToken is refused, WORDS in its last line; nothing changes, nobody is asked.
refused() { # CODE-NAME WORDS [VERB...]
	local name=$1 words=$2 before verb
	before=$(everything)
	shift 2
	[[ $# -gt 0 ]] || set -- get 'token --fresh' validate revoke rotate 'rotate --if-expiring 365d'
	for verb; do
		refuses 5 "$name" "$words" $verb "$ACCOUNT" || return 1
	done
	no_calls || return 1
	[[ $(everything) == "$before" ]] || fails "something changed: $(diff <(echo "$before") <(everything))" || return 1
	neighbour_is_the_same
}

# A copy is needed where a rotation was begun, and where the keyring has lost the record.
need_copy() { # open|lost
	case $1 in
	open) put "$RECORD&regen_begun=$BEGUN" ;;
	lost) lose ;;
	esac
	[[ ! $(key 2>/dev/null) ]] || drop_cached
	forget_calls
}

lay() { # KIND [TEXT]: the file of the recovery copy
	rm -rf "$COPY"
	case $1 in
	link) (umask 077 && printf %s "$GOOD" >"$HOME/elsewhere") && ln -s "$HOME/elsewhere" "$COPY" ;;
	dangling) ln -s nowhere "$COPY" ;;
	fifo) mkfifo -m 0600 "$COPY" ;;
	directory) mkdir -m 0700 "$COPY" ;;
	uid) (umask 077 && printf %s "$GOOD" >"$COPY") && chown 1 "$COPY" ;;
	long) (umask 077 && head -c 1048577 /dev/zero >"$COPY") ;;
	[0-7]*) printf %s "$GOOD" >"$COPY" && chmod "$1" "$COPY" ;;
	text) (umask 077 && printf %s "$2" >"$COPY") ;;
	esac
}

took_over() { # the copy has come to its place, and serves
	run_cred get "$ACCOUNT"
	expect 0 || return 1
	works "$out" || return 1
	[[ $(refresh_token) == "$NEW" && $(stored) != *regen_begun* && ! -e $COPY && -z $(entry_of recovery) ]] || fails "not taken over"
	neighbour_is_the_same
}

@test "H11: a recovery file that others may open: 5, recovery; chmod 600, and it is taken over" {
	local need mode
	for need in open lost; do
		for mode in 0640 0604 0620 0602 0601; do
			[[ $need == open || $mode == 0640 ]] || continue
			need_copy $need
			lay $mode
			refused recovery "$ACCOUNT can be read or written by others: $COPY|'chmod 600 $COPY'|alation-cred login $SANDBOX_URL" get rotate
		done
		need_copy $need
		refused recovery "$COPY"
		chmod 600 "$COPY"
		took_over
	done
}

@test "H11: a recovery file that is none of ours: 5, recovery; moved away, the call says what is left" {
	local row kind words need
	for row in 'link|is a link' 'dangling|is a link' 'fifo|is no regular file' 'directory|is no regular file' 'long|is too long' \
		'uid|belongs to another user'; do
		kind=${row%%|*} words=${row#*|}
		[[ $kind != uid || $EUID == 0 ]] || continue
		for need in open lost; do
			need_copy $need
			lay "$kind"
			refused recovery "$words: $COPY|move it away|alation-cred login $SANDBOX_URL" get rotate
		done
		rm -r "$COPY"
		refuses 3 no_account "$ACCOUNT" get "$ACCOUNT"
	done
	[[ $(<"$HOME/elsewhere") == "$GOOD" ]]
	need_copy open
	run_cred get "$ACCOUNT" # the server decides, as nothing else is left to look at
	expect 0
	works "$out"
	[[ $(stored) == "$RECORD" ]]
}

@test "H11: a recovery file that is damaged, another account's or newer: 5, recovery" {
	local row text words need needs seen=
	for row in "is damaged|v=1&rubbish" "is damaged|${GOOD%&regen_begun*}" "is damaged|$NEW" "is damaged|two words" "is damaged|${GOOD/refresh_token=/refresh_token=%zz}" \
		"is of another kind or another account|${GOOD/user_id=102/user_id=103}" "is of another kind or another account|${GOOD/127.0.0.1/127.0.0.2}" \
		"is of another kind or another account|${GOOD/kind=refresh-token/kind=oauth-client}" "was written by a newer alation-cred|${GOOD/v=1/v=2}" \
		"was written by a newer alation-cred|v=2&what"; do
		words=${row%%|*} text=${row#*|} needs='open lost'
		[[ $seen != *"$words"* ]] || needs=open # of each kind the first is tried in both
		seen+=$words
		for need in $needs; do
			need_copy $need
			lay text "$text"
			refused recovery "$words: $COPY|alation-cred login" get
		done
	done
	refused recovery "update this alation-cred, or log in"
	[[ $out$err != *"$NEW"* ]]
	lay text "$GOOD"
	took_over
}

@test "H11: a recovery file cut anywhere: 5, recovery, and never half a token in the keyring" {
	local n
	need_copy lost
	for ((n = 0; n < ${#GOOD}; n += 7)); do
		lay text "${GOOD:0:n}"
		run_cred get "$ACCOUNT"
		expect 5 ": $COPY" || fails "at $n"
	done
	need_copy open
	for ((n = ${#GOOD} - 12; n < ${#GOOD}; n++)); do
		lay text "${GOOD:0:n}"
		run_cred get "$ACCOUNT"
		expect 5 "is damaged: $COPY" || fails "at $n"
	done
	no_calls
	[[ $(stored) == "$RECORD&regen_begun=$BEGUN" ]]
	neighbour_is_the_same
	lay text "$GOOD"
	took_over
}

@test "R11: a copy in the kernel keyring that cannot be used: the file's, if that can; else it is named" {
	local row words text need needs seen=
	for row in "is damaged|v=1&rubbish" "is damaged|${GOOD:0:150}" "is damaged|$NEW" "was written by a newer alation-cred|${GOOD/v=1/v=2}" \
		"is of another kind or another account|${GOOD/user_id=102/user_id=103}"; do
		words=${row%%|*} text=${row#*|} needs='open lost'
		[[ $seen != *"$words"* ]] || needs=open
		seen+=$words
		for need in $needs; do
			need_copy $need
			entry recovery "$text"
			refused recovery "$ACCOUNT $words: the one in the module 'kernel'|alation-cred login" get
			lay text "$GOOD"
			took_over || fails "$row"
		done
	done
	# An earlier rotation's there says nothing against this one's here; and this one's there makes the file needless.
	for text in "${GOOD/=$BEGUN/=1600000000}" "$GOOD"; do
		need_copy open
		entry recovery "$text"
		lay text "$GOOD"
		[[ $text != "$GOOD" ]] || lay 0644
		took_over
	done
	# Both bad: the first is said.
	need_copy open
	entry recovery 'v=1&rubbish'
	lay 0644
	refused recovery "'kernel'" get
}

@test "R11: a copy on the tmpfs that cannot be used: the file's, if that can; else it is named" {
	local row words text
	CRED_ALONE=$CRED
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$NO_KEYCTL" "$CRED_ALONE" >"$BATS_TEST_TMPDIR/bin/closed"
	chmod +x "$BATS_TEST_TMPDIR/bin/closed"
	for row in "is damaged|v=1&rubbish" "is damaged|${GOOD:0:150}" "was written by a newer alation-cred|${GOOD/v=1/v=2}" "cannot be read|"; do
		words=${row%%|*} text=${row#*|}
		need_copy open
		(umask 077 && mkdir -p "${PRIVATE%/*}" && printf %s "$text" >"$PRIVATE")
		touch -d @0 "$PRIVATE" # it does not end
		CRED=$BATS_TEST_TMPDIR/bin/closed
		refused recovery "$ACCOUNT $words: the one in the module 'private-file'" get
		lay text "$GOOD"
		run_cred get "$ACCOUNT"
		expect 0
		[[ $(refresh_token) == "$NEW" && ! -e $PRIVATE && ! -e $COPY ]] || fails "not taken over"
		run_cred revoke "$ACCOUNT"
		CRED=$CRED_ALONE
	done
}

@test "H11: login, a paste, logout and an erase are the way out of a copy that cannot be used" {
	local kind way need
	for need in open lost; do
		for kind in 0644 fifo 'text v=2&what'; do
			for way in login_demo "login_token $NEW" 'run_cred logout ACCOUNT' erase; do
				need_copy $need
				lay $kind
				entry recovery 'v=2&what'
				case $way in
				erase) run_cred erase <<<"url=$ACCOUNT" ;;
				*) ${way/ACCOUNT/$ACCOUNT} ;;
				esac
				expect 0
				[[ ! -e $COPY && -z $(entry_of recovery) && $(stored) != *regen_begun* ]] || fails "$need $kind $way: something is left"
				neighbour_is_the_same
				login_token "$NEW" --exclusive
				expect 0
				RECORD=$(stored)
				NEW=$(sandbox_refresh_token 102 new)
			done
		done
	done
}

@test "H11: a logout whose copy could not be used ends what it can, and says what may live" {
	need_copy open
	lay 0644
	run_cred logout "$ACCOUNT"
	expect 0 "logged out of $ACCOUNT"
	[[ $err != *lives* ]] || fails "the old one is ended"
	asked revokeAPIAccessTokens regenRefreshToken
	login_demo
	RECORD=$(stored)
	need_copy open
	sandbox_revoke "$(refresh_token)"
	lay 0644
	run_cred logout "$ACCOUNT"
	expect 0 "of $ACCOUNT lives at the server until" "$SANDBOX_URL/account/auth"
	asked revokeAPIAccessTokens
	[[ ! -e $COPY && -z $(stored) ]]
	neighbour_is_the_same
}

bad_records() { # WORDS|RECORD a line: what the keyring may hold in the place of a record
	local user="base_url=$SANDBOX_URL&user_id=102&"
	printf '%s\n' "is damaged|v=1&kind=refresh-token&${user%&}" 'is damaged|two words' 'is damaged|v=1&refresh_token=%zz' "is damaged|${RECORD/v=1/v=0}" \
		"is of another kind or another account|${RECORD/user_id=102/user_id=103}" \
		"is of another kind or another account|v=1&kind=oauth-client&${user}refresh_token=$TOKEN" \
		"was written by a newer alation-cred|${RECORD/v=1/v=2}" 'was written by a newer alation-cred|v=2&whatever'
}

@test "R11: a record in the keyring that cannot be read: 5 from each verb that needs it, and untouched" {
	local row words request="protocol=http
host=${SANDBOX_URL#http://}
username=102"
	drop_cached
	while IFS= read -r row; do
		words=${row%%|*}
		put "${row#*|}"
		refused keyring_failed "$ACCOUNT $words"
		input=$NEW refused keyring_failed "$ACCOUNT $words" "login --user-id 102 --token-stdin"
		# git's words: a token to keep, and one that was refused and is not ours.
		for verb in store erase; do
			run_cred $verb <<<"$request"$'\n'"password=$NEW"
			[[ $verb == erase && $code == 0 && ! $raw$err ]] || expect 5 "$words"
		done
		# What needs no record goes its way.
		for verb in status 'status --expiring-within 1d' 'set ACCOUNT shared' 'set ACCOUNT exclusive' 'rotate ACCOUNT --auto'; do
			run_cred ${verb/ACCOUNT/$ACCOUNT}
			expect 0 || fails "$verb"
		done
		no_calls
		[[ $(stored) == "${row#*|}" ]] || fails "$row: not what it was"
	done < <(bad_records)
	neighbour_is_the_same
}

@test "R11: logout and an erase of the account remove a record that cannot be read, and say what lives" {
	local row way
	while IFS= read -r row; do
		for way in logout erase; do
			put "${row#*|}"
			forget_calls
			if [[ $way == logout ]]; then
				run_cred logout "$ACCOUNT"
				expect 0 "of $ACCOUNT lives on with its access tokens at the server" "$SANDBOX_URL/account/auth"
			else
				run_cred erase <<<"url=$ACCOUNT"
				expect 0
			fi
			no_calls
			[[ -z $(stored) && $(listed) == 1 && -z $(entry_of access) ]] || fails "$row: something is left"
			neighbour_is_the_same
			login_demo
			expect 0
		done
	done < <(bad_records)
}

@test "R11: a cached record of a newer program: 5, and it stays; logout removes it" {
	local text
	for text in "${CACHED/v=1/v=2}" 'v=2&what' v=2; do
		entry access "$text"
		refused keyring_failed "cached for $ACCOUNT was written by a newer alation-cred|update this alation-cred" get token 'token --fresh' 'get --validate'
		run_cred status "$ACCOUNT"
		expect 0
		[[ $(entry_of access) == "$text" ]]
	done
	neighbour_is_the_same
	run_cred logout "$ACCOUNT"
	expect 0
	[[ -z $(entry_of access) ]]
	neighbour_is_the_same
}

@test "R11: a cached record that is damaged: said in a line, and replaced by one mint" {
	local text
	for text in rubbish 'v=1' 'v=1&' "${CACHED/v=1/v=0}" "${CACHED/lifetime_s=/lifetime_s=x}" "${CACHED/&token=/&token=%zz}" $'\xff' "${CACHED/boot_id/boot_id=&boot}"; do
		entry access "$text"
		forget_calls
		run_cred get "$ACCOUNT"
		expect 0 "what was cached for $ACCOUNT was damaged, and is replaced" || fails "${text@Q}"
		[[ $err != *$'\n'* ]] || fails "more than a line"
		asked createAPIAccessToken
		works "$out"
		run_cred get "$ACCOUNT"
		expect 0
		[[ -z $err && $out == "$(cached)" ]]
	done
	neighbour_is_the_same
}

@test "R11: a cached record cut anywhere: a token that works, each time" {
	local n
	for ((n = 1; n < ${#CACHED}; n += 11)); do
		entry access "${CACHED:0:n}"
		run_cred get "$ACCOUNT"
		expect 0 || fails "at $n"
		[[ $out == "$(cached)" ]] || fails "at $n: another token than is cached"
		[[ ! $err || $err == *'was damaged, and is replaced' ]] || fails "at $n: other words"
		works "$out" || fails "at $n"
		[[ ! $err ]] || CACHED=$(record)
	done
	neighbour_is_the_same
}

@test "H11: the list of accounts cut: 9 from every verb, and nothing is written over it" {
	local verb n whole request="protocol=http
host=${SANDBOX_URL#http://}"
	cp "$STATE/accounts" "$BATS_TEST_TMPDIR/whole"
	whole=$(wc -c <"$BATS_TEST_TMPDIR/whole")
	for n in 0 1 13 15 16 40 $((whole / 2)) $((whole - 1)); do
		head -c "$n" "$BATS_TEST_TMPDIR/whole" >"$STATE/accounts"
		cp "$STATE/accounts" "$BATS_TEST_TMPDIR/cut"
		for verb in get token validate revoke 'rotate --auto' logout status 'set ACCOUNT default' 'logout --all' "login $SANDBOX_URL --user-id 102 --token-stdin"; do
			input=$NEW refuses 9 configuration "$STATE/accounts cannot be read: line " ${verb/ACCOUNT/$ACCOUNT} || fails "at $n"
		done
		for verb in 'get --protocol git' erase store; do
			run_cred $verb <<<"$request"$'\nusername=102\npassword='"$NEW"
			expect 9 "$STATE/accounts" || fails "at $n"
		done
		no_calls
		cmp "$STATE/accounts" "$BATS_TEST_TMPDIR/cut"
		[[ $(stored) == "$RECORD" && $(record) == "$CACHED" ]] || fails "at $n: something changed"
	done
	cp "$BATS_TEST_TMPDIR/whole" "$STATE/accounts"
	neighbour_is_the_same
}
