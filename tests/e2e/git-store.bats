#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# git's credential protocol, byte for byte: store and erase, and a keyring that is locked. What git offers and rejects
# of others goes nowhere; each check also says what the server was asked, which is nothing unless it says so.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/git

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() {
	# A session of its own for the one that locks it.
	[[ $BATS_TEST_DESCRIPTION != locked:* ]] || session_start unlocked
	git_setup
}
teardown() {
	[[ -z ${listener:-} ]] || kill "$listener"
	git_teardown
	session_stop
}

listen() { # on $LISTENER; nobody_called: no connection came there
	exec {listening}< <(exec "${B:-$SANDBOX_TOP/.build}/tests/tools/listener" 3>&-)
	listener=$!
	read -r -t 10 LISTENER <&"$listening"
	LISTENER=127.0.0.1:$LISTENER
}
nobody_called() {
	local callers
	exec {caller}<>"/dev/tcp/${LISTENER/://}"
	read -r -t 10 callers <&"$caller"
	exec {caller}<&-
	[[ $callers == 1 ]] || fails "the listener was called $((callers - 1)) times"
}

## store

@test "store: another host's password goes nowhere: no call, no connection, no keyring" {
	local protocol
	remember
	listen
	for protocol in http https; do
		# The list says whose it is; nothing else is looked at.
		DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent quietly helper store < <(printf '%s\n' "protocol=$protocol" "host=$LISTENER" username=102 password=secret)
		ALATION_BASE_URL=http://localhost:${LISTENER#*:} quietly helper store < <(printf '%s\n' "protocol=$protocol" "host=$LISTENER" username=102 password=secret)
	done
	quietly helper store < <(printf '%s\n' "url=http://102:secret@$LISTENER/a")
	quietly helper erase < <(printf '%s\n' protocol=http "host=$LISTENER" username=102 password=secret)
	quietly helper get < <(printf '%s\n' protocol=http "host=$LISTENER" username=102)
	nobody_called
	nothing_changed
}

@test "store: a listener that is named with oauth_refresh_token= is called: the proof that the one before was watching" {
	listen
	feed helper store < <(printf '%s\n' protocol=http "host=$LISTENER" username=102 oauth_refresh_token=secret)
	[[ $code == 6 || $code == 7 ]]
	run ! nobody_called
}

@test "store: a user name that is no number, or none: nothing, on our host too" {
	local user fresh
	fresh=$(sandbox_refresh_token 102)
	remember
	for user in demo '' 0 0102 102a ' 102' 2147483648; do
		quietly helper store < <(printf '%s\n' protocol=http "host=$HOST" "username=$user" "password=$fresh") || fails "$user"
		quietly helper store < <(printf '%s\n' protocol=http "host=$HOST" "username=$user" "oauth_refresh_token=$REFRESH") || fails "$user"
	done
	quietly helper store < <(printf '%s\n' protocol=http "host=$HOST" password=secret)
	quietly helper store < <(request)
	quietly helper store < <(request password=)
	quietly helper store < <(request 'password=with blank')
	quietly helper store < <(request "password=$(repeated 16385)")
	nothing_changed
}

@test "store: our own access token, which is git's approve, and the RefreshToken that is kept: nothing" {
	remember
	quietly helper store < <(request "password=$TOKEN" password_expiry_utc=1893456000)
	quietly helper store < <(request "password=$TOKEN" 'capability[]=authtype')
	quietly helper store < <(request "password=$REFRESH")
	quietly helper store < <(request "oauth_refresh_token=$REFRESH")
	quietly helper store < <(request "password=$TOKEN" "oauth_refresh_token=$REFRESH")
	# Looking at the cache is enough for it.
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent feed helper store < <(request "password=$TOKEN")
	[[ $code$raw$err == 0 ]]
	nothing_changed
	works "$TOKEN"
}

@test "store: ephemeral=1: nothing, whoever it is for" {
	local value fresh
	fresh=$(sandbox_refresh_token 102)
	remember
	for value in 1 true yes on TRUE; do
		quietly helper store < <(request "password=$fresh" "ephemeral=$value") || fails "$value"
		quietly helper store < <(request "oauth_refresh_token=$fresh" "ephemeral=$value") || fails "$value"
	done
	nothing_changed
}

@test "store: a mint proves a RefreshToken: kept, what it minted cached; the one before lives on, and it is said" {
	local fresh
	fresh=$(sandbox_refresh_token 102 second)
	asked='createAPIAccessToken validateRefreshToken revokeAPIAccessTokens' check 0 helper store <<-END
		$(request "password=$fresh" ephemeral=0)
		--
		--
		alation-cred: the earlier RefreshToken 'made in the web UI' of $ACCOUNT still lives; delete it at $SANDBOX_URL/account/auth
	END
	[[ $(stored) == "$fresh" && $(cached token) != "$TOKEN" ]]
	works "$(cached token)"
	is_dead "$TOKEN"
	check 0 helper get <<<"$(request)"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	run_cred status --format json
	[[ $(jq -r '.accounts[] | "\(.user_id) \(.name) \(.exclusive) \(.default)"' <<<"$out") == '102 second false true' ]] || fails 'the list'
	[[ $(secret-tool search --all application alation-cred 2>&1 | grep -c '^attribute.user_id') == 1 ]]
}

@test "store: for another user of a host that is ours, without a login; it is said that it came that way" {
	local ada
	ada=$(sandbox_refresh_token 7)
	asked='createAPIAccessToken validateRefreshToken' check 0 helper store <<-END
		protocol=http
		host=$HOST
		username=7
		password=$ada
		--
		--
		$(added "${ACCOUNT/102/7}")
	END
	[[ $(stored 7) == "$ada" && $(stored) == "$REFRESH" && $(cached token) == "$TOKEN" ]]
	works "$(cached token 7)"
	works "$TOKEN"
	check 0 helper get <<<"url=http://7@$HOST"$'\n--\nusername=7\npassword=@PASSWORD:7@\npassword_expiry_utc=@EXPIRY:7@'
}

@test "store: a password that is refused changes nothing and is nobody's trouble: 0, silence" {
	remember
	asked=createAPIAccessToken check 0 helper store <<<"$(request password=hunter2)"
	asked=createAPIAccessToken check 0 helper store <<<"$(request "password=$(sandbox_refresh_token 7)")"
	nothing_changed
	works "$TOKEN"
}

@test "store: an oauth_refresh_token that is refused changes nothing: 3 and a line" {
	remember
	asked=createAPIAccessToken check 3 helper store <<-END
		$(request oauth_refresh_token=hunter2)
		--
		--
		alation-cred: the server refused the RefreshToken of $ACCOUNT: it is not valid, or 102 is not its user id; log in again: 'alation-cred login $SANDBOX_URL'; with single sign-on make a RefreshToken at $SANDBOX_URL/account/auth first
	END
	nothing_changed
	works "$TOKEN"
}

@test "store: oauth_refresh_token for a host that is not ours yet: proved there, and kept" {
	local there
	second_sandbox
	there=$(SANDBOX_URL=http://$SECOND sandbox_refresh_token 102)
	# As a password it is none of ours, and goes nowhere.
	quietly helper store < <(printf '%s\n' protocol=http "host=$SECOND" username=102 "password=$there")
	[[ ! -s $SECOND_LOG ]]
	check 0 helper store <<<$'protocol=http\n'"host=$SECOND"$'\nusername=102\npassword=something\n'"oauth_refresh_token=$there"$'\n--\n--\n'"$(added "http://102@$SECOND")"
	[[ $(SANDBOX_LOG=$SECOND_LOG calls) == $'createAPIAccessToken\nvalidateRefreshToken' ]]
	[[ $(SANDBOX_URL=http://$SECOND stored) == "$there" && $(stored) == "$REFRESH" && $(cached token) == "$TOKEN" ]]
	SANDBOX_URL=http://$SECOND check 0 helper get <<<"url=http://$SECOND"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	check 0 helper get <<<"url=http://$HOST"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
}

@test "store: the host of ALATION_BASE_URL is ours before a login; other variables are not asked" {
	local there
	second_sandbox
	there=$(SANDBOX_URL=http://$SECOND sandbox_refresh_token 102)
	for url in "https://$SECOND" "http://localhost:${SECOND#*:}" "http://$SECOND.evil.example" not-a-url: ''; do
		ALATION_BASE_URL=$url quietly helper store < <(printf '%s\n' protocol=http "host=$SECOND" username=102 "password=$there") || fails "$url"
	done
	ALATION_USER_ID=102 quietly helper store < <(printf '%s\n' protocol=http "host=$SECOND" username=102 "password=$there")
	[[ ! -s $SECOND_LOG ]]
	ALATION_BASE_URL=http://102@$SECOND/ check 0 helper store <<<$'protocol=http\n'"host=$SECOND"$'\nusername=102\n'"password=$there"$'\n--\n--\n'"$(added "http://102@$SECOND")"
	[[ $(SANDBOX_LOG=$SECOND_LOG calls) == $'createAPIAccessToken\nvalidateRefreshToken' && $(SANDBOX_URL=http://$SECOND stored) == "$there" ]]
}

@test "store: a server or a keyring that fails: its exit code and a line, nothing changed" {
	local fresh fault wanted
	fresh=$(sandbox_refresh_token 102)
	remember
	while read -r wanted fault; do
		eval "sandbox_fault endpoint=createAPIAccessToken $fault"
		feed helper store < <(request "password=$fresh")
		[[ $code == "$wanted" && ! $raw && $err == 'alation-cred: '* && $err != *$'\n'*$'\n' && $err != *"$fresh"* ]] || fails "$fault"
	done <<-'END'
		7 status=403 'body={}'
		7 status=500
		7 status=429
		6 drop=before
	END
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent feed helper store < <(request "password=$fresh")
	[[ $code == 5 && ! $raw && $err == "alation-cred: "*"$ACCOUNT"* ]] || fails 'no keyring'
	nothing_changed
	works "$TOKEN"
}

## erase

@test "erase: our cached access token leaves the cache, nothing else does; the next get mints" {
	check 0 helper erase <<<"$(request "password=$TOKEN")"
	[[ ! $(cached token) && $(stored) == "$REFRESH" && $(listed) == 1 ]]
	asked=createAPIAccessToken check 0 helper get <<<"$(request)"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	# Without a user name, too.
	check 0 helper erase <<<"url=http://$HOST"$'\n'"password=$(cached token)"
	[[ ! $(cached token) && $(stored) == "$REFRESH" ]]
}

@test "erase: an older access token, a password of somebody else, an empty one: nothing" {
	local older=$TOKEN
	drop_cached
	run_cred get "$ACCOUNT"
	expect 0
	: >"$SANDBOX_LOG"
	remember
	quietly helper erase < <(request "password=$older")
	quietly helper erase < <(request password=hunter2)
	quietly helper erase < <(request password=)
	quietly helper erase < <(request "password=$(cached token)x")
	quietly helper erase < <(request oauth_refresh_token=hunter2)
	quietly helper erase < <(request password=hunter2 oauth_refresh_token=hunter2)
	quietly helper erase < <(request username=7 "password=$REFRESH")
	quietly helper erase < <(request username=7)
	quietly helper erase < <(request username=demo)
	quietly helper erase < <(request username=)
	quietly helper erase < <(request protocol=https)
	nothing_changed
}

@test "erase: the RefreshToken itself, as password or as oauth_refresh_token: the account goes, nobody is asked" {
	check 0 helper erase <<<"$(request "password=$REFRESH")"
	[[ ! $(cached token) && ! $(stored) && $(listed) == 0 ]]
	quietly helper get < <(request)
	works "$TOKEN"
	login_token "$REFRESH" --shared
	expect 0
	: >"$SANDBOX_LOG"
	check 0 helper erase <<<"$(request password=hunter2 "oauth_refresh_token=$REFRESH")"
	[[ ! $(cached token) && ! $(stored) && $(listed) == 0 ]]
}

@test "erase: no password: the account of that user goes, or without a user name all on that host; no other's" {
	second_sandbox
	run_cred login "http://$SECOND" --user demo --password-stdin <<<demo-password
	expect 0
	log_in_ada
	check 0 helper erase <<<"url=http://7@$HOST"
	[[ ! $(cached token 7) && ! $(stored 7) && $(cached token) == "$TOKEN" && $(stored) == "$REFRESH" && $(listed) == 2 ]]
	log_in_ada
	check 0 helper erase <<<"protocol=http"$'\n'"host=$HOST"
	[[ ! $(cached token 7)$(stored 7)$(cached token)$(stored) && $(listed) == 1 ]]
	[[ $(SANDBOX_URL=http://$SECOND stored) && $(SANDBOX_URL=http://$SECOND cached token) ]]
	check 0 helper erase <<<"protocol=http"$'\n'"host=$HOST"
}

@test "erase: an account whose RefreshToken is gone or damaged goes all the same" {
	secret-tool clear application alation-cred
	check 0 helper erase <<<"$(request)"
	[[ ! $(cached token) && $(listed) == 0 ]]
	login_token "$REFRESH" --shared
	expect 0
	: >"$SANDBOX_LOG"
	printf 'v=1&rubbish' | secret-tool store --label=x application alation-cred facility refresh base_url "$SANDBOX_URL" user_id 102
	check 0 helper erase <<<"$(request)"
	[[ ! $(cached token) && $(listed) == 0 && ! $(secret-tool lookup application alation-cred) ]]
}

## a locked keyring

@test "locked: get writes nothing and ends with 4, store and erase change nothing and end with 4" {
	local locked
	locked="alation-cred: the keyring (secret-service) is locked, and nobody is there to unlock it for $ACCOUNT; unlock it with 'alation-cred unlock $ACCOUNT', or in the desktop session"
	session_restart_keyring
	check 0 helper get <<<"$(request)"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	check 4 helper erase <<<"$(request)"$'\n--\n--\n'"$locked"
	check 4 helper erase <<<"$(request password=hunter2)"$'\n--\n--\n'"$locked"
	check 4 helper store <<<"$(request password=hunter2)"$'\n--\n--\n'"$locked"
	check 0 helper store <<<"$(request "password=$TOKEN")"
	[[ $(cached token) == "$TOKEN" && $(listed) == 1 ]]
	check 0 helper erase <<<"$(request "password=$TOKEN")"
	[[ ! $(cached token) && $(listed) == 1 ]]
	check 4 helper get <<<"$(request 'capability[]=authtype')"$'\n--\n--\n'"$locked"
	# Not ours: nothing is looked at.
	quietly helper get <<<"url=https://git.example.com"
}
