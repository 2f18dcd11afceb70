#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The git that is in PATH, with us as its helper: fill, approve, reject. Then the cases that git's own conformance suite
# (t/t0303-credential-external.sh and lib-credential.sh in its source) puts to a helper that stores passwords, under
# their names, with what a helper answers that hands out minted tokens of its own hosts.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/git

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	unset "${!GIT_@}"
	git_setup
	cd "$BATS_TEST_TMPDIR"
	export PATH=${HELPER%/*}:$PATH GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$PWD/config GIT_CEILING_DIRECTORIES=$PWD GIT_ASKPASS=$PWD/askpass
	: >config
	cat >askpass <<-'END'
		#!/bin/sh
		echo "askpass: $*" >&2
		case $1 in Username*) echo askpass-username ;; *) echo askpass-password ;; esac
	END
	chmod +x askpass
	# What this git passes on of the answer.
	expiry=$'\npassword_expiry_utc=@EXPIRY@'
	git_is 2.40 || expiry=
	git config -f config credential.helper alation
}

teardown() {
	[[ ! -S $XDG_RUNTIME_DIR/cache ]] || git credential-cache --socket "$XDG_RUNTIME_DIR/cache" exit
	git_teardown
}

git_is() { # VERSION or later
	local have wanted=${1//./ }
	[[ $(git version) =~ ([0-9]+)\.([0-9]+) ]]
	have=$((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2]))
	[[ $have -ge $((${wanted% *} * 1000 + ${wanted#* })) ]]
}

credential() { # COMMAND [HELPER...]: with those helpers alone
	local command=$1 options=(-c credential.helper=) each
	shift
	for each; do options+=(-c "credential.helper=$each"); done
	[[ $# -gt 0 ]] || options=()
	git "${options[@]}" credential "$command" 3>&-
}

ours() { # [ID]: what fill answers for our host
	local id=${1:-102}
	printf 'protocol=http\nhost=%s\nusername=%s\npassword=%s%s' "$HOST" "$id" "@PASSWORD:$id@" "${expiry:+$'\n'password_expiry_utc=@EXPIRY:$id@}"
}

# What git answers and asks for where no helper has anything.
asks() { # PROTOCOL HOST [USER]
	local user=${3-askpass-username} at=${3+$3@}
	printf 'protocol=%s\nhost=%s\nusername=%s\npassword=askpass-password\n--\n' "$1" "$2" "$user"
	[[ ${3+is} ]] || printf "askpass: Username for '%s://%s': \n" "$1" "$2"
	printf "askpass: Password for '%s://%s@%s': \n" "$1" "${3-askpass-username}" "$2"
}

on_host() { # [LINE...]
	printf '%s\n' protocol=http "host=$HOST" "$@"
}

@test "configured as alation, alation with options, by !alation-cred --protocol git, by a path, and bare" {
	local way
	for way in alation 'alation --timeout 5' 'alation --interactive never -v' '!alation-cred --protocol git' '!alation-cred --timeout 5s --protocol=git' \
		"!f() { alation-cred --protocol git \"\$@\"; }; f" "${HELPER%/*}/git-credential-alation" "${HELPER%/*}/alation-cred --protocol git" '!alation-cred'; do
		if [[ $way == *-v* ]]; then
			feed credential fill "$way" < <(on_host)
			[[ $code == 0 && $raw == *"password=$TOKEN"$'\n'* && $err != *"$TOKEN"* ]] || fails "$way"
			continue
		fi
		check 0 credential fill "$way" <<<"$(on_host)"$'\n--\n'"$(ours)" || fails "$way"
		check 0 credential approve "$way" <<<"$(on_host username=102 "password=$TOKEN")" || fails "$way"
	done
	for way in alation '!alation-cred'; do
		check 0 credential fill "$way" <<<"url=http://102@$HOST"$'\n--\n'"$(ours)" || fails "$way"
		check 0 credential fill "$way" <<<$'protocol=https\nhost=example.com\n--\n'"$(asks https example.com)" || fails "$way"
	done
}

@test "configured for one host in a file" {
	git config -f config --unset-all credential.helper
	git config -f config "credential.$SANDBOX_URL.helper" 'alation --timeout 10'
	git config -f config "credential.$SANDBOX_URL.username" 102
	check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
	check 0 credential fill <<<$'protocol=https\nhost=example.com\n--\n'"$(asks https example.com)"
	git config -f config "credential.$SANDBOX_URL.useHttpPath" true
	check 0 credential fill <<<"url=http://$HOST/org/repo.git"$'\n--\n'"$(ours | sed '2a path=org/repo.git')"
}

@test "fill mints what is not cached; approve of our token does nothing and costs no call" {
	drop_cached
	asked=createAPIAccessToken check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
	TOKEN=$(cached token)
	works "$TOKEN"
	remember
	check 0 credential approve <<<"$raw"
	check 0 credential approve <<<"$(on_host username=102 "password=$TOKEN")"
	nothing_changed
	check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
}

@test "reject of our token empties the cache alone, and the next fill mints" {
	check 0 credential reject <<<"$(on_host username=102 "password=$TOKEN")"
	[[ ! $(cached token) && $(stored) == "$REFRESH" ]]
	asked=createAPIAccessToken check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
	remember
	# The one that is dead by now.
	check 0 credential reject <<<"$(on_host username=102 "password=$TOKEN")"
	nothing_changed
	[[ $(cached token) != "$TOKEN" ]]
}

@test "a dead RefreshToken: quit=1 stops git's prompt and every other helper" {
	printf 'http://askpass-username:from-a-file@%s\n' "${HOST/:/%3a}" >file
	drop_cached
	sandbox_revoke "$REFRESH"
	asked=createAPIAccessToken check 128 credential fill alation "store --file=$PWD/file" <<-END
		$(on_host)
		--
		--
		alation-cred: the RefreshToken 'made in the web UI' of $ACCOUNT is expired or revoked; log in again: 'alation-cred login $SANDBOX_URL'; with single sign-on make a RefreshToken at $SANDBOX_URL/account/auth first
		fatal: credential helper 'alation' told us to quit
	END
}

@test "another failure of ours is said, and git goes on to ask" {
	drop_cached
	sandbox_fault endpoint=createAPIAccessToken status=500
	feed credential fill < <(on_host)
	[[ $code == 0 && $raw == *password=askpass-password$'\n' && $err == "alation-cred: "*$'\n'"askpass: Username for '$SANDBOX_URL': "$'\n'* ]] || fails 'the server'
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<pw
	run_cred set "$ACCOUNT" default
	secret-tool clear application alation-cred user_id 102
	: >"$SANDBOX_LOG"
	feed credential fill < <(on_host username=7)
	[[ $code == 0 && $raw == *"password=$(cached token 7)"$'\n'* ]] || fails 'user 7'
}

@test "two accounts on the host and none the default: said, and git goes on to ask" {
	run_cred login "$SANDBOX_URL" --user ada --password-stdin <<<pw
	sed -i 's/&default=1/\&default=0/' "$STATE/accounts"
	feed credential fill < <(on_host)
	[[ $code == 0 && $raw == *password=askpass-password$'\n' && $err == "alation-cred: more than one account matches: "*"askpass: Username for '$SANDBOX_URL': "$'\n'* ]] || fails ambiguous
}

@test "chained with cache: it does not keep our token" {
	local cache="cache --socket $XDG_RUNTIME_DIR/cache" helpers
	git_is 2.46 || skip "$(git version) is older than 2.46, whose cache heeds ephemeral=1"
	# It keeps what others give it.
	check 0 credential approve alation "$cache" <<<$'protocol=https\nhost=example.com\nusername=102\npassword=secret'
	check 0 credential fill "$cache" <<<$'protocol=https\nhost=example.com\n--\nprotocol=https\nhost=example.com\nusername=102\npassword=secret'
	for helpers in "alation $cache" "$cache alation"; do
		if [[ $helpers == alation* ]]; then set -- alation "$cache"; else set -- "$cache" alation; fi
		# As git's http transport asks and approves.
		check 0 credential fill "$@" <<<$'capability[]=authtype\n'"$(on_host)"$'\n--\ncapability[]=authtype\nephemeral=1\n'"$(ours)"
		check 0 credential approve "$@" <<<"$raw"
		check 0 git credential-cache --socket "$XDG_RUNTIME_DIR/cache" get <<<"$(on_host)"
		check 0 git credential-cache --socket "$XDG_RUNTIME_DIR/cache" get <<<"$(on_host username=102)"
	done
	# A token that was revoked is not served from there then.
	check 0 credential reject alation "$cache" <<<"$(on_host username=102 "password=$TOKEN")"
	asked=createAPIAccessToken check 0 credential fill "$cache" alation <<<"$(on_host)"$'\n--\n'"$(ours)"
}

@test "chained with store, before and behind it: other hosts' passwords are its own, and go nowhere else" {
	local order
	for order in before behind; do
		rm -f file
		if [[ $order == before ]]; then set -- alation "store --file=$PWD/file"; else set -- "store --file=$PWD/file" alation; fi
		remember
		check 0 credential approve "$@" <<<$'protocol=https\nhost=example.com\nusername=102\npassword=secret'
		nothing_changed
		[[ $(<file) == https://102:secret@example.com ]]
		check 0 credential fill "$@" <<<$'protocol=https\nhost=example.com\n--\nprotocol=https\nhost=example.com\nusername=102\npassword=secret'
		check 0 credential fill "$@" <<<"$(on_host)"$'\n--\n'"$(ours)"
		check 0 credential reject "$@" <<<$'protocol=https\nhost=example.com\nusername=102\npassword=secret'
		[[ ! -s file ]]
		check 0 credential fill "$@" <<<$'protocol=https\nhost=example.com\n--\n'"$(asks https example.com)"
	done
	check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
}

@test "traces: git's own and ours hold no token" {
	drop_cached
	export GIT_TRACE=$PWD/trace GIT_TRACE_CURL=$PWD/trace.curl GIT_TRACE2=$PWD/trace2 GIT_TRACE2_EVENT=$PWD/trace2.event GIT_TRACE_PACKET=$PWD/trace.packet \
		GIT_TRACE_SETUP=$PWD/trace.setup ALATION_CRED_TRACE=$PWD/trace.ours
	asked=createAPIAccessToken check 0 credential fill <<<"$(on_host)"$'\n--\n'"$(ours)"
	check 0 credential approve <<<"$raw"
	TOKEN=$(cached token)
	check 0 credential reject <<<"$(on_host username=102 "password=$TOKEN")"
	feed credential fill < <(on_host)
	unset GIT_TRACE GIT_TRACE2
	[[ -s trace && -s trace2 && -s trace2.event && -s trace.ours ]]
	grep -q 'git-credential-alation get' trace
	[[ $REFRESH && $TOKEN && $(cached token) && $(cached token) != "$TOKEN" ]]
	run ! grep -F -e "$REFRESH" -e "$(cached token)" -e "$TOKEN" trace*
	[[ $raw == *"password=$(cached token)"* ]]
}

## git's own cases

@test "t0303: has no existing data" {
	check 0 credential fill alation <<<$'protocol=https\nhost=example.com\n--\n'"$(asks https example.com)"
}

@test "t0303: stores password: not those of others" {
	remember
	check 0 credential approve alation <<<$'protocol=https\nhost=example.com\nusername=store-user\npassword=store-pass'
	check 0 credential approve alation <<<"$(on_host username=store-user password=store-pass)"
	nothing_changed
	check 0 credential fill alation <<<$'protocol=https\nhost=example.com\nusername=store-user\n--\n'"$(asks https example.com store-user)"
}

@test "t0303: can retrieve password" {
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(ours)"
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours)"
}

@test "t0303: requires matching protocol, host and username" {
	check 0 credential fill alation <<<$'protocol=https\n'"host=$HOST"$'\n--\n'"$(asks https "$HOST")"
	check 0 credential fill alation <<<$'protocol=http\nhost=127.0.0.1\n--\n'"$(asks http 127.0.0.1)"
	check 0 credential fill alation <<<$'protocol=http\n'"host=$HOST.evil.example"$'\n--\n'"$(asks http "$HOST.evil.example")"
	check 0 credential fill alation <<<"$(on_host username=other)"$'\n--\n'"$(asks http "$HOST" other)"
	check 0 credential fill alation <<<"$(on_host username=7)"$'\n--\n'"$(asks http "$HOST" 7)"
}

@test "t0303: requires matching path: an account is a whole instance, whatever the path" {
	git config -f config credential.useHttpPath true
	check 0 credential fill alation <<<"$(on_host path=bar.git)"$'\n--\n'"$(ours | sed '2a path=bar.git')"
	remember
	check 0 credential approve alation <<<"$(on_host path=foo.git username=102 "password=$TOKEN")"
	check 0 credential reject alation <<<"$(on_host path=foo.git username=102 password=other)"
	nothing_changed
}

@test "t0303: overwrites on store: with another RefreshToken, once a mint has proved it" {
	local fresh
	fresh=$(sandbox_refresh_token 102 fresh)
	asked='createAPIAccessToken validateRefreshToken revokeAPIAccessTokens' check 0 credential approve alation <<-END
		$(on_host username=102 "password=$fresh")
		--
		--
		alation-cred: the earlier RefreshToken 'made in the web UI' of $ACCOUNT still lives; delete it at $SANDBOX_URL/account/auth
	END
	[[ $(stored) == "$fresh" ]]
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours)"
	[[ $(cached token) != "$TOKEN" ]]
	# What is rejected is that RefreshToken now, and the account goes with it.
	check 0 credential reject alation <<<"$(on_host username=102 "password=$REFRESH")"
	[[ $(stored) == "$fresh" ]]
	check 0 credential reject alation <<<"$(on_host username=102 "password=$fresh")"
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(asks http "$HOST" 102)"
}

@test "t0303: can forget host" {
	check 0 credential reject alation <<<"$(on_host)"
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(asks http "$HOST")"
	[[ ! $(stored)$(cached token) && $(listed) == 0 ]]
}

@test "t0303: can store multiple users; can forget user; remembers other user" {
	asked='createAPIAccessToken validateRefreshToken' check 0 credential approve alation <<<"$(on_host username=7 "password=$(sandbox_refresh_token 7)")"$'\n--\n--\n'"$(added "${ACCOUNT/102/7}")"
	check 0 credential fill alation <<<"$(on_host username=7)"$'\n--\n'"$(ours 7)"
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours 102)"
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(ours 102)"
	check 0 credential reject alation <<<"$(on_host username=102)"
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(asks http "$HOST" 102)"
	check 0 credential fill alation <<<"$(on_host username=7)"$'\n--\n'"$(ours 7)"
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(ours 7)"
}

@test "t0303: does not erase a password distinct from input" {
	remember
	check 0 credential reject alation <<<"$(on_host username=102 password=pass2)"
	nothing_changed
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours)"
}

@test "t0303: can store empty username: not with us" {
	remember
	check 0 credential approve alation <<<"$(on_host username= password=)"
	check 0 credential reject alation <<<"$(on_host username= password=)"
	nothing_changed
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(ours)"
}

@test "t0303: erases all matching credentials" {
	asked='createAPIAccessToken validateRefreshToken' check 0 credential approve alation <<<"$(on_host username=7 "password=$(sandbox_refresh_token 7)")"$'\n--\n--\n'"$(added "${ACCOUNT/102/7}")"
	check 0 credential reject alation <<<"$(on_host)"
	[[ ! $(stored)$(stored 7)$(cached token)$(cached token 7) && $(listed) == 0 ]]
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(asks http "$HOST")"
}

@test "t0303: not confused by long header" {
	local long header
	long=$(head -c 1001 /dev/zero | tr '\0' a)
	header="wwwauth[]=basic realm=${long}host=$HOST"
	check 0 credential fill alation <<-END
		protocol=http
		host=badguy.example.com
		$header
		--
		$(asks http badguy.example.com | { git_is 2.41 && sed "/^password=/a $header" || cat; })
	END
}

@test "t0303: password_expiry_utc: that of a RefreshToken is not that of what is handed out" {
	local fresh soon
	fresh=$(sandbox_refresh_token 102 fresh) soon=$(($(date +%s) + 100))
	asked='createAPIAccessToken validateRefreshToken revokeAPIAccessTokens'
	feed credential approve alation < <(on_host username=102 "password=$fresh" "password_expiry_utc=$soon")
	[[ $code == 0 && $(stored) == "$fresh" ]]
	asked= check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours)"
	[[ $(cached expires_at) -gt $soon ]]
}

@test "t0303: oauth_refresh_token: stored once proved, never handed out" {
	local fresh
	git_is 2.41 || skip "$(git version) is older than 2.41 and does not pass oauth_refresh_token on"
	fresh=$(sandbox_refresh_token 102 fresh)
	feed credential approve alation < <(on_host username=102 password=anything "oauth_refresh_token=$fresh")
	[[ $code == 0 && ! $raw && $(stored) == "$fresh" ]] || fails 'not stored'
	: >"$SANDBOX_LOG"
	check 0 credential fill alation <<<"$(on_host username=102)"$'\n--\n'"$(ours)"
	[[ $raw != *"$fresh"* && $raw != *oauth_refresh_token* ]]
}

@test "t0303: times out: a token that has ended is not filled in again" {
	local first end
	program_sandbox --access-lifetime 2
	HOST=${SANDBOX_URL#http://}
	login_demo
	expect 0
	feed credential fill alation < <(on_host)
	first=$raw end=$((SECONDS + 20))
	while feed credential fill alation < <(on_host) && [[ $raw == "$first" ]]; do
		((SECONDS < end)) || fails 'the same for 20 s'
		sleep 0.2
	done
	[[ $code == 0 && $raw == *$'\npassword='* && $raw != *askpass* ]]
}

@test "t0303: cleanup removes everything" {
	check 0 credential reject alation <<<"$(on_host username=102)"
	[[ -z $(find "$HOME" -type f -size +0 ! -name accounts) && $(listed) == 0 && -z $(kernel_keys) ]]
	run ! secret-tool lookup application alation-cred
}

@test "lib-credential: authtype: ephemeral=1 where the caller announced it, nowhere else; no authtype, no credential" {
	git_is 2.46 || skip "$(git version) is older than 2.46 and has no capabilities"
	check 0 credential fill alation <<<$'capability[]=authtype\n'"$(on_host)"$'\n--\ncapability[]=authtype\nephemeral=1\n'"$(ours)"
	check 0 credential fill alation <<<$'capability[]=authtype\ncapability[]=state\n'"$(on_host username=102)"$'\n--\ncapability[]=authtype\nephemeral=1\n'"$(ours)"
	check 0 credential fill alation <<<$'capability[]=state\n'"$(on_host)"$'\n--\n'"$(ours)"
	check 0 credential fill alation <<<"$(on_host)"$'\n--\n'"$(ours)"
}

@test "lib-credential: never stores ephemeral=1" {
	local fresh
	git_is 2.46 || skip "$(git version) is older than 2.46 and does not know ephemeral"
	fresh=$(sandbox_refresh_token 102)
	remember
	check 0 credential approve alation <<<$'capability[]=authtype\nephemeral=1\n'"$(on_host username=102 "password=$fresh")"
	check 0 credential approve alation <<<$'capability[]=authtype\nauthtype=bearer\nephemeral=1\n'"credential=$fresh"$'\n'"$(on_host username=102)"
	check 0 credential approve alation <<<$'capability[]=authtype\nauthtype=bearer\n'"credential=$fresh"$'\n'"$(on_host username=102)"
	nothing_changed
}
