#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# git's credential protocol, byte for byte: what git writes, what comes back on stdout and stderr, the exit code, and
# what the server was asked meanwhile, which is nothing unless a test says so. git-store.bats has store and erase.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/git

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }
setup() { git_setup; }
teardown() {
	[[ -z ${other_key:-} ]] || keyctl unlink "$other_key" @u >/dev/null
	git_teardown
}

REMEDY="see alation-cred-protocol(7)"
PUBLIC=catalog.example.com

# An account on https://catalog.example.com whose token is in the cache: nobody there needs to be asked.
public_account() {
	local key=alation-cred-tree:access:102@https://$PUBLIC
	sed -n "s/$(sed 's/[:.]/./g' <<<"http%3A%2F%2F${HOST/:/%3A}")/https%3A%2F%2F$PUBLIC/; s/default=1/default=0/; p" "$STATE/accounts" >"$STATE/more"
	grep -q "https%3A%2F%2F$PUBLIC" "$STATE/more"
	sed 1d "$STATE/more" >>"$STATE/accounts"
	sed -i "1s/accounts=.*/accounts=$(listed)/" "$STATE/accounts"
	rm "$STATE/more"
	other_key=$(keyctl pipe "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" | keyctl padd user "$key" @u)
	keyctl timeout "$other_key" 600
}

malformed() { # WORDS: what is on stdin is refused by all that read it, quietly as to its bytes
	local verb
	cat >"$BATS_TEST_TMPDIR/request"
	for verb in get store erase; do
		feed helper "$verb" <"$BATS_TEST_TMPDIR/request"
		[[ $code == 2 && ! $raw && $err == "alation-cred: the request on stdin is malformed: $1; $REMEDY"$'\n' ]] || fails "it is not '$1'" || return 1
	done
	no_calls
}

## get

@test "get: username, password, password_expiry_utc; with the capability authtype its line first, ephemeral=1 last" {
	check 0 helper get <<-END
		protocol=http
		host=$HOST
		--
		username=102
		password=$TOKEN
		password_expiry_utc=@EXPIRY@
	END
	check 0 helper get <<-END
		capability[]=authtype
		protocol=http
		host=$HOST
		username=102
		--
		capability[]=authtype
		username=102
		password=$TOKEN
		password_expiry_utc=@EXPIRY@
		ephemeral=1
	END
	works "$TOKEN"
	[[ $(cached expires_at) -gt $(date +%s) ]]
}

@test "get: the capability counts wherever it stands, another one does not, an empty one takes it back" {
	local with="capability[]=authtype
username=102
password=$TOKEN
password_expiry_utc=$(cached expires_at)
ephemeral=1" without
	without=$(sed '1d; $d' <<<"$with")
	check 0 helper get <<<"$(request 'capability[]=state' 'capability[]=authtype')"$'\n--\n'"$with"
	check 0 helper get <<<"$(request 'capability[]=authtype' 'capability[]=state')"$'\n--\n'"$with"
	check 0 helper get <<<"$(request 'capability[]=' 'capability[]=authtype')"$'\n--\n'"$with"
	check 0 helper get <<<"$(request 'capability[]=state')"$'\n--\n'"$without"
	check 0 helper get <<<"$(request 'capability[]=authtype2')"$'\n--\n'"$without"
	check 0 helper get <<<"$(request 'capability[]=Authtype')"$'\n--\n'"$without"
	check 0 helper get <<<"$(request 'capability=authtype')"$'\n--\n'"$without"
	check 0 helper get <<<"$(request 'capability[]=authtype' 'capability[]=')"$'\n--\n'"$without"
}

@test "get: what is not cached is minted once, and never is it the RefreshToken" {
	drop_cached
	asked=createAPIAccessToken check 0 helper get <<-END
		protocol=http
		host=$HOST
		--
		username=102
		password=@PASSWORD@
		password_expiry_utc=@EXPIRY@
	END
	[[ $(cached token) != "$TOKEN" && $raw != *"$REFRESH"* && $(cached token) != "$REFRESH" ]]
	works "$(cached token)"
	is_dead "$TOKEN"
	TOKEN=$(cached token)
	# Nor if it is what the caller holds.
	check 0 helper get <<-END
		protocol=http
		host=$HOST
		username=102
		password=$REFRESH
		oauth_refresh_token=$REFRESH
		--
		username=102
		password=$TOKEN
		password_expiry_utc=@EXPIRY@
	END
}

@test "get: --fresh mints, --validate asks, --min-ttl says what the server gives, a server without dates gets an hour" {
	asked=createAPIAccessToken check 0 helper get --fresh <<<"$(request)"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	[[ $(cached token) != "$TOKEN" ]]
	asked=validateAPIAccessToken check 0 helper --validate get <<<"$(request)"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	feed helper get --min-ttl 2d < <(request)
	[[ $code == 0 && $err == "alation-cred: the access token of $ACCOUNT lives "*" s: the server gives no more than 86400 s"$'\n' ]] || fails 'no warning'
	sandbox_fault endpoint=createAPIAccessToken unset=token_expires_at
	asked=createAPIAccessToken check 0 helper get --fresh <<-END
		$(request)
		--
		username=102
		password=@PASSWORD@
		password_expiry_utc=@EXPIRY@
		--
		alation-cred: the server's dates cannot be used; the access token is taken to live one hour
	END
	[[ $(($(cached expires_at) - $(date +%s))) -le 3600 ]]
}

@test "get: the same by link, with --protocol git before and behind the verb, after other options, and bare" {
	local reply=$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	cd "$BATS_TEST_TMPDIR"
	ln -s "$CRED" git-credential-alation
	check 0 setsid -w ./git-credential-alation get <<<"$(request)$reply"
	check 0 env "PATH=$BATS_TEST_TMPDIR:$PATH" git-credential-alation --timeout 5 get <<<"$(request)$reply"
	check 0 cred --protocol git get <<<"$(request)$reply"
	check 0 cred --protocol=git --timeout 5s --interactive never get <<<"$(request)$reply"
	check 0 cred get --timeout=5 --protocol git <<<"$(request)$reply"
	check 0 helper --protocol git get <<<"$(request)$reply"
	check 0 cred get <<<"$(request)$reply"
	check 0 cred --timeout 5 get <<<"$(request)$reply"
}

@test "get: a protocol has no other format, no ACCOUNT, and but one name: 2 before anything is read" {
	local remedy="see 'alation-cred --help'"
	check 2 helper --format json get <<-END
		--
		{"version":1,"success":false,"code":"usage","exit":2,"message":"a protocol has its own format: --format cannot be beside it","remedy":"$remedy","retryable":false,"retry_after":null}
		--
		alation-cred: a protocol has its own format: --format cannot be beside it; $remedy
	END
	check 2 helper --format token get <<<$'--\n--\n'"alation-cred: a protocol has its own format: --format cannot be beside it; $remedy"
	check 2 helper get "$ACCOUNT" <<<$'--\n--\n'"alation-cred: in git's protocol the request names the account, no argument does; $remedy"
	for verb in store erase capability; do
		check 2 helper "$verb" "$ACCOUNT" <<<$'--\n--\n'"alation-cred: too many arguments; $remedy"
	done
	feed cred --protocol svn get < <(request)
	[[ $code == 2 && ! $raw && $err == "alation-cred: option '--protocol' has a value that cannot be"* ]] || fails 'a protocol that nobody speaks'
}

@test "get: without username the only account on the host; else the default if it is there; else 2" {
	local reply_7=$'\n--\nusername=7\npassword=@PASSWORD:7@\npassword_expiry_utc=@EXPIRY:7@' reply_102=$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	local nameless="protocol=http
host=$HOST"
	check 0 helper get <<<"$nameless$reply_102"
	log_in_ada
	check 0 helper get <<<"$nameless$reply_102"
	check 0 helper get <<<"$nameless"$'\nusername=7'"$reply_7"
	log_in_ada --default
	check 0 helper get <<<"$nameless$reply_7"
	check 0 helper get <<<"$nameless"$'\nusername=102'"$reply_102"
	# The default elsewhere: none of the two is it.
	second_sandbox
	run_cred login "http://$SECOND" --user demo --password-stdin --default <<<demo-password
	expect 0
	check 2 helper get <<-END
		$nameless
		--
		--
		alation-cred: more than one account matches: $ACCOUNT, ${ACCOUNT/102/7}; name one of them, or make one the default with 'alation-cred set ACCOUNT default'
	END
	check 0 helper get <<<"$nameless"$'\nusername=7'"$reply_7"
	# What the environment says is for people; git names the host.
	ALATION_USER_ID=7 ALATION_BASE_URL=http://$SECOND check 0 helper get <<<"$nameless"$'\nusername=102'"$reply_102"
}

@test "get: nothing for a foreign host, a user who is not ours or whose name is no number: 0 and silence" {
	local user host
	remember
	for user in 7 demo '' 0 0102 +102 -102 ' 102' '102 ' 102a 0x66 1e2 102.0 2147483648 4294967398 ١٠٢ 102@evil demo@102 102:102; do
		quietly helper get < <(printf '%s\n' protocol=http "host=$HOST" "username=$user") || fails "username=$user"
	done
	quietly helper get < <(printf '%s\n' protocol=https host=git.example.com username=102)
	quietly helper get < <(printf '%s\n' protocol=https "host=$HOST" username=102)
	for user in HTTP2 ftp ssh file cert imap 'http:' '' 'http://x' ' http' git "http://$HOST" "http://$HOST/" "http://102@$HOST/?" "http://$HOST#"; do
		quietly helper get < <(printf '%s\n' "protocol=$user" "host=$HOST" username=102) || fails "protocol=$user"
		quietly helper get < <(printf '%s\n' "protocol=$user" host=evil.example) || fails "protocol=$user"
	done
	# A keyring that hangs, a list that is damaged, a network that is gone: all the same to a host that is not ours.
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent quietly helper get < <(printf '%s\n' protocol=https host=git.example.com)
	nothing_changed
}

@test "get: nobody is logged in: 0 and silence for every host" {
	run_cred logout "$ACCOUNT" --keep
	expect 0
	: >"$SANDBOX_LOG"
	quietly helper get < <(request)
	rm -r "$STATE"
	quietly helper get < <(request)
}

@test "get: a RefreshToken that is refused, expired or gone: quit=1, 0, one line" {
	drop_cached
	sandbox_revoke "$REFRESH"
	asked=createAPIAccessToken check 0 helper get <<-END
		protocol=http
		host=$HOST
		--
		quit=1
		--
		alation-cred: the RefreshToken 'made in the web UI' of $ACCOUNT is expired or revoked; log in again: 'alation-cred login $SANDBOX_URL'; with single sign-on make a RefreshToken at $SANDBOX_URL/account/auth first
	END
	REFRESH=$(sandbox_refresh_token 102)
	login_token "$REFRESH" --shared
	drop_cached
	sandbox_expire "$REFRESH"
	: >"$SANDBOX_LOG"
	feed helper get < <(request 'capability[]=authtype')
	[[ $code == 0 && $raw == $'quit=1\n' && $err == 'alation-cred: '*"$ACCOUNT"*"alation-cred login $SANDBOX_URL"*$'\n' && $err != *$'\n'*$'\n' ]] || fails 'expired'
	secret-tool clear application alation-cred
	check 0 helper get <<-END
		$(request)
		--
		quit=1
		--
		alation-cred: no RefreshToken is stored for $ACCOUNT; log in with 'alation-cred login $SANDBOX_URL'
	END
}

@test "get: the server or the keyring fails: its own exit code, nothing on stdout" {
	local row
	while read -r wanted row; do
		drop_cached
		sandbox_clear
		eval "sandbox_fault endpoint=createAPIAccessToken $row"
		feed helper get < <(request 'capability[]=authtype')
		[[ $code == "$wanted" && ! $raw && $err == 'alation-cred: '* && $err != *$'\n'*$'\n' ]] || fails "$row"
	done <<-'END'
		7 status=403 'body={}'
		7 status=404 'body=<h1>no</h1>'
		7 status=429 header='Retry-After: 7'
		7 status=500
		6 drop=before
	END
	sandbox_clear
	DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent feed helper get < <(request)
	[[ $code == [05] ]]
	sandbox_stop
	drop_cached
	feed helper get < <(request)
	[[ $code == 6 && ! $raw ]] || fails 'no server'
}

@test "get: a token that would break a line is never written" {
	local token
	for token in '"a\nhost=evil.example"' '"a\rb"' '"a\u0000b"' '"a\u2028b"' '"a b"' '""' '"a\u001b[2J"' 7 null '["a"]'; do
		drop_cached
		sandbox_fault endpoint=createAPIAccessToken "set=api_access_token:$token"
		feed helper get < <(request 'capability[]=authtype')
		[[ $code == 7 && ! $raw && $err != *evil* && $err != *[$'\r\e']* ]] || fails "$token"
	done
}

@test "get, erase: no host or no protocol: 2; store has nothing to do then" {
	local verb
	remember
	for verb in get erase; do
		check 2 helper $verb <<<$'protocol=http\nusername=102\n--\n--\nalation-cred: the request on stdin names no host; say both: protocol=https and host=HOST, or url=https://HOST'
		check 2 helper $verb <<<"host=$HOST"$'\nusername=102\n--\n--\nalation-cred: the request on stdin names no protocol; say both: protocol=https and host=HOST, or url=https://HOST'
		check 2 helper $verb <<<$'--\n--\nalation-cred: the request on stdin names no host; say both: protocol=https and host=HOST, or url=https://HOST'
		# An empty line ends the request: what is behind it is none of it.
		check 2 helper $verb <<<$'\n'"$(request)"$'\n--\n--\nalation-cred: the request on stdin names no host; say both: protocol=https and host=HOST, or url=https://HOST'
		feed helper $verb </dev/null
		[[ $code == 2 && ! $raw ]]
		# What git says of a client certificate: a host that is there and empty. Nobody's.
		quietly helper $verb <<<$'protocol=cert\nhost=\nusername=\npath=/x.pem'
		quietly helper $verb <<<$'protocol=http\nhost=\nusername=102'
	done
	quietly helper store <<<$'protocol=http\nusername=102\npassword=x'
	quietly helper store <<<"host=$HOST"$'\nusername=102\npassword=x'
	quietly helper store </dev/null
	nothing_changed
}

## hosts

@test "hosts: look-alikes are not ours: nothing to get, to store, to erase" {
	local host
	public_account
	check 0 helper get <<<"protocol=https
host=$PUBLIC"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	remember
	for host in $PUBLIC.evil.example evil-$PUBLIC evil.$PUBLIC $PUBLIC:444 $PUBLIC:80 $PUBLIC@evil.example evil.example@$PUBLIC 102@$PUBLIC \
		evil.example/$PUBLIC $PUBLIC/.evil.example "$PUBLIC?.evil.example" "$PUBLIC#.evil.example" "$PUBLIC\\.evil.example" \
		"$PUBLIC%2eevil.example" "%63atalog.example.com" "catalog%2eexample%2ecom" "$PUBLIC%00.evil.example" "$PUBLIC%0a" "$PUBLIC%3A443" \
		" $PUBLIC" "$PUBLIC " $'\t'"$PUBLIC" "$PUBLIC,evil.example" "$PUBLIC;" "https://$PUBLIC" "//$PUBLIC" "$PUBLIC:" "$PUBLIC:0443" "$PUBLIC:443:443" \
		$PUBLIC.. .$PUBLIC catalog..example.com example.com catalog catalog-example.com \
		"*" "*.example.com" "[$PUBLIC]" "${PUBLIC/a/а}" "${PUBLIC/o/0}" "${PUBLIC/./。}" "${PUBLIC/./．}" "$PUBLIC"$'\u200b' xn--$PUBLIC $'\xff'$PUBLIC \
		"$PUBLIC"$'\x7f' $'\e'"$PUBLIC" "${PUBLIC}$(repeated 300)"; do
		quietly helper get < <(printf '%s\n' protocol=https "host=$host") || fails "get ${host@Q}"
	done
	# The same for the verbs that change something: git offers every password of theirs.
	for host in $PUBLIC.evil.example evil-$PUBLIC evil.$PUBLIC $PUBLIC:444 $PUBLIC@evil.example evil.example/$PUBLIC "$PUBLIC%2eevil.example" "$PUBLIC\\.evil.example" "${PUBLIC/./。}"; do
		quietly helper store < <(printf '%s\n' protocol=https "host=$host" username=102 password=secret) || fails "store ${host@Q}"
		quietly helper erase < <(printf '%s\n' protocol=https "host=$host") || fails "erase ${host@Q}"
	done
	quietly helper get < <(printf '%s\n' protocol=http "host=$PUBLIC")
	quietly helper erase < <(printf '%s\n' protocol=http "host=$PUBLIC")
	nothing_changed
	[[ $(keyctl pipe "$other_key") == "v=1&token=$TOKEN&"* ]]
}

@test "hosts: other spellings of a loopback address, and other ports, are other hosts" {
	local port=${HOST#*:} host
	remember
	for host in 127.0.0.1 127.0.0.1:1 127.0.0.1:0$port 127.0.0.1:${port}0 127.0.0.1:$port@evil.example evil@127.0.0.1:$port 127.0.0.1:$port/evil \
		127.1:$port 0x7f000001:$port 2130706433:$port 127.0.0.01:$port 0177.0.0.1:$port 127.0.0.2:$port 127.0.0.1.evil.example:$port evil-127.0.0.1:$port \
		localhost:$port "[::1]:$port" "[::ffff:127.0.0.1]:$port" "[127.0.0.1]:$port" "127.0.0.1:$port:$port" "127.0.0.1:+$port" "127.0.0.1%3A$port"; do
		quietly helper get < <(printf '%s\n' protocol=http "host=$host") || fails "${host@Q}"
		quietly helper erase < <(printf '%s\n' protocol=http "host=$host") || fails "${host@Q}"
	done
	nothing_changed
}

@test "hosts: upper case, one trailing dot and the default port mean the same one" {
	local host
	public_account
	for host in CATALOG.Example.COM $PUBLIC. $PUBLIC:443 CATALOG.EXAMPLE.COM.:443; do
		check 0 helper get <<<$'capability[]=authtype\nprotocol=https\n'"host=$host"$'\n--\ncapability[]=authtype\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@\nephemeral=1'
	done
	check 0 helper get <<<$'protocol=HTTPS\n'"host=$PUBLIC"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	check 0 helper get <<<$'protocol=HTTP\n'"host=${HOST/:/.:}"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	# A path is nothing to us: an account is a whole instance.
	check 0 helper get <<<$'protocol=https\npath=org/repo.git\n'"host=$PUBLIC"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
}

@test "hosts: IPv6 in every spelling of the same address" {
	local port host
	(exec "${B:-$SANDBOX_TOP/.build}/tests/alation-sandbox" --help >/dev/null)
	[[ -e /proc/net/if_inet6 ]] && grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 || skip 'no IPv6 loopback here'
	program_sandbox --address ::1
	login_demo
	expect 0
	: >"$SANDBOX_LOG"
	port=${SANDBOX_URL##*:}
	for host in "[::1]" "[0:0:0:0:0:0:0:1]" "[0000::0001]" "[::0.0.0.1]"; do
		check 0 helper get <<<$'protocol=http\n'"host=$host:$port"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@' || fails "$host"
	done
	check 0 helper get <<<"url=http://102@[::1]:$port/a"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	for host in "::1:$port" "[::1]" "[::1]$port" "[::2]:$port" "[::1%lo]:$port" "[::1%25lo]:$port" "[::1:$port" "::1]:$port" "[]:$port" "[::1]]:$port" "[[::1]]:$port" \
		"[::ffff:127.0.0.1]:$port" "localhost:$port" "127.0.0.1:$port" "[::1]:$port.evil.example" "[::1].evil.example:$port" "[::1]@evil.example:$port"; do
		quietly helper get < <(printf '%s\n' protocol=http "host=$host") || fails "$host"
	done
}

## what a request is made of

@test "url= stands for its parts, and clears what came before" {
	local reply=$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	check 0 helper get <<<"url=http://$HOST$reply"
	check 0 helper get <<<"url=http://102@$HOST/a/b?c#d$reply"
	check 0 helper get <<<"url=http://102:secret@$HOST$reply"
	check 0 helper get <<<"url=http://1%302@$HOST/%0$reply"
	# git decodes nothing before a colon: to git this is no spelling of our host, nor to us.
	quietly helper get <<<"url=http://%31%32%37.0.0.1:${HOST#*:}"
	check 0 helper get <<<$'protocol=https\nhost=evil.example\nusername=7\ncapability[]=authtype\n'"url=http://$HOST$reply"
	check 0 helper get <<<"url=https://7@evil.example"$'\n'"$(request)$reply"
	quietly helper get <<<"$(request)"$'\nurl=http://evil.example'
	quietly helper get <<<"$(request)"$'\nurl=http:///'
	quietly helper get <<<"url=http://demo@$HOST"
	quietly helper get <<<"url=http://$HOST@evil.example"
	quietly helper get <<<"url=http://evil.example/@$HOST"
	quietly helper get <<<"url=http://102@evil.example@$HOST"
	quietly helper get <<<"url=http://$HOST%2F.evil.example"
	quietly helper get <<<"url=http://$HOST%40evil.example"
	quietly helper get <<<"url=http://$HOST%23.evil.example"
	quietly helper get <<<"url=https://$HOST"
}

@test "url= without a scheme, or with a line end or NUL once it is decoded: 2" {
	local url
	remember
	for url in "$HOST" "//$HOST" "://$HOST" '' 'http' "http:/$HOST" "http://$HOST%0ahost=evil.example" "http://$HOST/%0Ahost%3Devil" "http://a%0db@$HOST" \
		"http://$HOST/%00" "http://evil.example/?%0a" "http%3A%2F%2F$HOST"; do
		malformed 'its url has no scheme, or an escaped line end or NUL' <<<"url=$url" || fails "$url"
	done
	nothing_changed
}

@test "of a key that comes twice the last one counts" {
	local reply=$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
	check 0 helper get <<<$'host=evil.example\nprotocol=https\nusername=7\n'"$(request)$reply"
	quietly helper get < <(request host=evil.example)
	quietly helper get < <(request protocol=https)
	quietly helper get < <(request username=7)
	quietly helper get < <(request username=)
	# Of a password, too: the first was ours.
	remember
	quietly helper erase < <(request "password=$TOKEN" password=another)
	quietly helper store < <(request "password=another" "password=$TOKEN")
	quietly helper store < <(request password=another ephemeral=0 ephemeral=1)
	nothing_changed
}

@test "attributes that nobody knows are ignored, whatever is in them" {
	check 0 helper get <<-END
		capability[]=state
		future=1
		Host=evil.example
		host =evil.example
		 host=evil.example
		hosts[]=evil.example
		PROTOCOL=https
		x=y=z==
		ümläut=→
		key with blanks=value with blanks
		[]=
		state[]=alation:1
		wwwauth[]=Basic realm="host=evil.example"
		wwwauth[]=
		authtype=Bearer
		credential=secret
		password_expiry_utc=1
		continue=1
		quit=1
		$(request)
		--
		username=102
		password=@PASSWORD@
		password_expiry_utc=@EXPIRY@
	END
}

@test "verbs that nobody knows are ignored: 0, nothing written, the request taken in" {
	local verb i
	remember
	for verb in reject approve fill list '' GET status login logout token validate revoke rotate set no-such-verb; do
		quietly helper "$verb" < <(request) || fails "$verb"
		quietly cred --protocol git "$verb" < <(request) || fails "$verb"
	done
	quietly helper no-such-verb https://102@evil.example surplus < <(request)
	# More than a pipe holds: who writes it is not cut off.
	(set -o pipefail && { request && for ((i = 0; i < 4; i++)); do printf 'x=%s\n' "$(repeated 60000)"; done; } | helper no-such-verb)
	quietly helper no-such-verb </dev/null
	nothing_changed
	helper no-such-verb <&-
	# By its own name the program knows its verbs.
	refuses 2 usage 'no such verb' no-such-verb
}

@test "a carriage return, a NUL, a line without '=' or with nothing before it: 2, nothing of it shown, nobody asked" {
	remember
	request | sed 's/$/\r/' | malformed 'it holds a carriage return; lines end with a line feed alone'
	request $'x=a\rhost=evil.example' | malformed 'it holds a carriage return; lines end with a line feed alone'
	request $'password=canary\r' | malformed 'it holds a carriage return; lines end with a line feed alone'
	request $'\r' | malformed 'it holds a carriage return; lines end with a line feed alone'
	request | tr 7 '\0' | malformed 'it holds a NUL'
	{ request && printf 'host=good\0.evil.example\n'; } | malformed 'it holds a NUL'
	{ request && printf 'x=\0'; } | malformed 'it holds a NUL'
	request canary | malformed "it has a line without '='"
	request 'password: canary' | malformed "it has a line without '='"
	{ request && printf canary; } | malformed "it has a line without '='"
	printf 'canary' | malformed "it has a line without '='"
	printf ' \n' | malformed "it has a line without '='"
	request =canary | malformed "it has a line with nothing before '='"
	request = | malformed "it has a line with nothing before '='"
	# Also where the rest would have been somebody else's, or nobody's.
	printf 'protocol=https\nhost=evil.example\ncanary\n' | malformed "it has a line without '='"
	printf '{"protocol":"http","host":"%s"}\n' "$HOST" | malformed "it has a line without '='"
	nothing_changed
}

@test "binary stdin: 2" {
	malformed 'it holds a NUL' < <(head -c 5000 "$CRED")
	malformed 'it holds a NUL' < <(request && head -c 100000 "$CRED" | tail -c 90000)
	malformed "it has a line without '='" < <(printf '\xff\xfe\x80\x81')
	malformed 'it holds a NUL' < <(head -c 1000 /dev/zero)
	# In a value the bytes are nobody's business but the line's.
	check 0 helper get <<<"$(request $'x=\xff\xfe\x01\x1b[2J')"$'\n--\nusername=102\npassword=@PASSWORD@\npassword_expiry_utc=@EXPIRY@'
}

@test "lines of 65,535 bytes work, of 65,536 not; also the last one, without a line feed" {
	local reply="username=102
password=$TOKEN
password_expiry_utc=$(cached expires_at)
" n
	feed helper get < <(printf 'x=%s\n' "$(repeated 65533)" && request)
	[[ $code$raw$err == "0$reply" ]] || fails '65,535 first'
	feed helper get < <(request && printf 'x=%s' "$(repeated 65533)")
	[[ $code$raw$err == "0$reply" ]] || fails '65,535 last'
	feed helper get < <(printf '%s=\n' "$(repeated 65534)" && request)
	[[ $code$raw$err == "0$reply" ]] || fails 'a key'
	malformed 'it has a line of more than 65535 bytes' < <(printf 'x=%s\n' "$(repeated 65534)" && request)
	malformed 'it has a line of more than 65535 bytes' < <(request && printf 'x=%s' "$(repeated 65534)")
	malformed 'it has a line of more than 65535 bytes' < <(request && repeated 65536)
	malformed 'it has a line of more than 65535 bytes' < <(printf '%s=\n' "$(repeated 65535)" && request)
	# Not cut: what stands where a reader's buffer ends is no line of its own.
	for n in 1022 1023 1024 4094 4095 8191 65500; do
		quietly helper get < <(printf 'protocol=http\nhost=evil.example\nwwwauth[]=%shost=%s\n' "$(repeated "$n")" "$HOST") || fails "$n"
	done
}

@test "a request of 1 MiB works, of one byte more not" {
	local n=$((1024 * 1024)) verb
	remember
	{ request && yes "x=$(repeated 1000)" | head -c $((n - $(request | wc -c) - 2000)) && printf '\nz=' && repeated 1997; } >"$BATS_TEST_TMPDIR/full"
	[[ $(wc -c <"$BATS_TEST_TMPDIR/full") == "$n" ]]
	feed helper get <"$BATS_TEST_TMPDIR/full"
	[[ $code == 0 && $raw == "username=102"$'\n'"password=$TOKEN"$'\n'* && ! $err ]] || fails '1 MiB'
	printf a >>"$BATS_TEST_TMPDIR/full"
	for verb in get store erase; do
		feed helper "$verb" <"$BATS_TEST_TMPDIR/full"
		[[ $code == 2 && ! $raw && $err == "alation-cred: more than 1048576 bytes on stdin"* ]] || fails "$verb"
		# No end in sight.
		feed helper "$verb" < <(yes x=y)
		[[ $code == 2 && ! $raw && $err == "alation-cred: more than 1048576 bytes on stdin"* ]] || fails "$verb, no end"
	done
	no_calls
	nothing_changed
}

## capability

@test "capability: two lines; stdin is not read, whatever it is" {
	local reply=$'version 0\ncapability authtype\n'
	check 0 helper capability <<<$'--\nversion 0\ncapability authtype'
	check 0 cred --protocol git capability <<<$'--\nversion 0\ncapability authtype'
	check 0 cred capability <<<$'--\nversion 0\ncapability authtype'
	[[ $({ helper capability; cat; } < <(printf 'rubbish\r\n')) == "$reply"$'rubbish\r' ]]
	[[ $(helper capability <&- 2>&1) == "${reply%$'\n'}" ]]
	# Open and silent: nobody waits.
	exec {silent}<> <(:)
	[[ $(timeout 10 "$HELPER" capability <&"$silent") == "${reply%$'\n'}" ]]
	exec {silent}<&-
	# Nobody needs to be logged in.
	rm -r "$STATE"
	check 0 helper capability <<<$'--\nversion 0\ncapability authtype'
}

## what a caller may do to us

@test "stdout that is closed or full is noticed before anything is minted" {
	drop_cached
	feed bash -c '"$0" get >&-' "$HELPER" < <(request)
	[[ $code == 10 && $err == 'alation-cred: '* ]] || fails 'closed'
	no_calls
	feed bash -c '"$0" get >/dev/full' "$HELPER" < <(request)
	[[ $code == 10 && $err == 'alation-cred: '* ]] || fails 'full'
}

@test "stdin that is closed, a directory or not for reading: 2 from get and erase, nothing asked" {
	local verb
	for verb in get store erase; do
		run_helper() { code=0 && "$@" >"$OUT" 2>"$BATS_TEST_TMPDIR/err" || code=$?; ran=$verb out=$(<"$OUT") err=$(<"$BATS_TEST_TMPDIR/err"); }
		run_helper helper "$verb" <&-
		[[ $verb == store && $code == 0 || $code == 2 ]] && [[ ! $out ]] || fails closed
		run_helper helper "$verb" </
		[[ $code == 2 && ! $out && $err == 'alation-cred: stdin cannot be read: Is a directory'* ]] || fails 'a directory'
		run_helper helper "$verb" 0>"$BATS_TEST_TMPDIR/x"
		[[ $code == 2 && ! $out && $err == 'alation-cred: stdin cannot be read: '* ]] || fails 'write-only'
	done
	no_calls
}
