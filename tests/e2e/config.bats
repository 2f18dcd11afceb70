#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The configuration: what a file says is what is done, a file that is wrong is exit 9 with its place and changes nothing,
# and the stack is the one that it lays out. What needs TLS or a proxy is config-network.bats', each line by itself the
# unit tests'. H11 is a row of the fault matrix.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle
load ../lib/installed

DAY=86400
MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	umask 022
	program_setup --user demo:demo-password:102 --user other:other-password:103
	export XDG_CONFIG_HOME=
	CONFIG=$HOME/.config/alation-cred/config
	ACCOUNT=$(at 102) OTHER=$(at 103)
	mkdir -p "${CONFIG%/*}"
}

teardown() {
	[[ ! ${private:-} ]] || rm -rf "$private"
	program_teardown
}

at() { echo "${SANDBOX_URL/:\/\//:\/\/$1@}"; }
configure() { cat >"$CONFIG"; }

login_both() {
	login_demo
	expect 0
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0
	forget_calls
}

# What nobody may have changed: the file, the list, the keyring, the cache.
everything() {
	{ [[ ! -f $CONFIG ]] || cat "$CONFIG"; } | sha256sum
	cat "$STATE/accounts"
	stored
	record
}

# broken PLACE WORDS: the file is refused so, by a verb of each kind, and nothing else happens.
broken() {
	local before verb
	before=$(everything)
	for verb in get token status validate rotate logout revoke 'set default' 'login x.example.com --user demo --password-stdin' 'rotate --all --auto'; do
		run_cred $verb </dev/null
		expect 9 "alation-cred: $1" "$2" || return 1
		[[ $err != *$'\n'* && $err != *hunter2* ]] || fails 'more than it should say' || return 1
	done
	run_cred get --format json
	expect_json 9 configuration "$2" || return 1
	[[ $(everything) == "$before" ]] || fails 'something has changed' || return 1
	no_calls
}

@test "no file, an empty one, one with comments alone, /dev/null: as if there were no such thing" {
	login_demo
	for what in none empty comments null; do
		case $what in
		none) rm -f "$CONFIG" ;;
		empty) : >"$CONFIG" ;;
		comments) configure <<<$'# nothing\n\n  \t# here\n' ;;
		null) configure <<<nonsense && export ALATION_CRED_CONFIG=/dev/null ;;
		esac
		run_cred get --fresh
		expect 0
		[[ -z $err ]]
		works "$out"
	done
}

@test "a line that is wrong: 9 from every verb, with file, line and column; help and version go on" {
	login_demo
	forget_calls
	configure <<<$'timeout 30\n\n\tproxi http://u:hunter2@p.example.com'
	broken "$CONFIG:3:2: the word 'proxi' is not known; see alation-cred.conf(5)" "'proxi'"
	configure <<<$'refresh sufficient secret-service\nrefresh sometimes hunter2'
	broken "$CONFIG:2:9: the second word is none of required, requisite, sufficient, optional" ':2:9:'
	for each in --help --version 'get --help'; do
		run_cred $each
		expect 0
		[[ $out && -z $err ]]
	done
	rm "$CONFIG"
	run_cred get
	expect 0
}

@test "bad bytes: a NUL, a carriage return, a control character, a line of 1 MiB, no end of a line: named, and nothing is written" {
	login_demo
	forget_calls
	printf 'timeout 3\0hunter2\n' >"$CONFIG"
	broken "$CONFIG:1:10: a NUL" 'NUL'
	printf 'timeout 30\r\nproxy http://hunter2\r\n' >"$CONFIG"
	broken "$CONFIG:1:11: a carriage return: lines end with a line feed alone" 'carriage return'
	printf '# \033]0;hunter2\007\n' >"$CONFIG"
	broken "$CONFIG:1:3: a control character" 'control character'
	head -c 1048576 /dev/zero | tr '\0' a >"$CONFIG"
	broken "$CONFIG:1:8193: the line is longer than 8192 bytes" '8192'
	head -c 1048577 /dev/zero | tr '\0' '\n' >"$CONFIG"
	broken "the configuration $CONFIG is longer than 1 MiB" '1 MiB'
	printf 'timeout 30' >"$CONFIG"
	run_cred get
	expect 0
}

@test "H11: a directory, a fifo, a link, or nothing in its place where it is named: 9, and nobody waits" {
	login_demo
	forget_calls
	mkdir "$CONFIG"
	broken "the configuration $CONFIG is no regular file" 'put a file of your own'
	rmdir "$CONFIG"
	mkfifo "$CONFIG"
	broken "the configuration $CONFIG is no regular file" 'regular'
	rm "$CONFIG"
	echo 'timeout 30' >"$HOME/elsewhere"
	ln -s "$HOME/elsewhere" "$CONFIG"
	broken "the configuration $CONFIG is a link" 'a link'
	[[ -L $CONFIG && $(<"$HOME/elsewhere") == 'timeout 30' ]]
	rm "$CONFIG"
	export ALATION_CRED_CONFIG=$HOME/none
	broken "the configuration $HOME/none cannot be read: No such file or directory" 'No such file'
	ALATION_CRED_CONFIG=none
	broken '$ALATION_CRED_CONFIG is no absolute path' 'give an absolute path, or unset it'
	ALATION_CRED_CONFIG=$HOME/elsewhere
	run_cred get
	expect 0
}

@test "H11: a file or a directory that others can write: 9, with path and mode; what is the user's own group's is not" {
	local dir=${CONFIG%/*}
	login_demo
	forget_calls
	configure <<<'timeout 30'
	chmod 0646 "$CONFIG"
	broken "the configuration $CONFIG is writable by everybody (mode 0646); make it your own or root's, and writable by nobody else (chmod go-w)" 0646
	chmod 0644 "$CONFIG"
	chmod 0757 "$dir"
	broken "the configuration $dir is writable by everybody (mode 0757)" 0757
	chmod 1777 "$dir" # another could be first with a file that is not there yet
	rm "$CONFIG"
	broken "the configuration $dir is writable by everybody (mode 1777)" 1777
	configure <<<'timeout 30'
	chmod 0775 "$dir"
	chmod 0664 "$CONFIG"
	if [[ $(stat -c %g "$CONFIG") == "$EUID" ]]; then
		run_cred get
		expect 0
	fi
	[[ $EUID == 0 ]] || skip 'needs root to give files away'
	chgrp 987654321 "$CONFIG"
	chmod 0755 "$dir"
	broken "the configuration $CONFIG is writable by a group (mode 0664)" 0664
	chmod 0644 "$CONFIG"
	chown 987654321 "$CONFIG"
	broken "the configuration $CONFIG belongs neither to root nor to you (mode 0644)" 0644
	chown 0 "$CONFIG"
	chown 987654321 "$dir"
	broken "the configuration $dir belongs neither to root nor to you (mode 0755)" 0755
}

@test "H11: the same for an ordinary user: root's file counts, another's does not, one that cannot be read is 9" {
	local uid home user
	[[ $EUID == 0 ]] || skip 'needs root to become another user'
	uid=$((1988000000 + BASHPID % 1000000))
	private=$(mktemp -d) home=$private
	user=(setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$home" "$CRED")
	mkdir -p "$home/.config/alation-cred"
	CONFIG=$home/.config/alation-cred/config
	chown -R "$uid:$uid" "$home"
	(cd / && "${user[@]}" --version) >/dev/null 2>&1 || skip "no other user may read $CRED"
	ask() { # EXIT WORDS: of `status -v`, which needs no keyring to answer
		code=0
		(cd / && "${user[@]}" status -v) >"$OUT" 2>"$BATS_TEST_TMPDIR/err" </dev/null 3>&- || code=$?
		out=$(<"$OUT") err=$(<"$BATS_TEST_TMPDIR/err") ran='status as another user'
		[[ $code == "$1" && "$out$err" == *"$2"* ]] || fails "not $1, $2"
	}
	echo 'timeout 45' >"$CONFIG" # root's
	ask 0 "timeout 45  ($CONFIG:1)"
	chmod 0600 "$CONFIG"
	ask 9 "the configuration $CONFIG cannot be read: Permission denied"
	chown "$uid:$uid" "$CONFIG"
	chmod 0660 "$CONFIG" # in the group that has his number
	chmod 0770 "${CONFIG%/*}"
	ask 0 'timeout 45'
	chown "$uid:$((uid + 1))" "$CONFIG"
	ask 9 "$CONFIG is writable by a group (mode 0660)"
	chown "$((uid + 1)):$uid" "$CONFIG"
	chmod 0644 "$CONFIG"
	ask 9 "$CONFIG belongs neither to root nor to you (mode 0644)"
	chown "$uid:$uid" "$CONFIG"
	chown "$((uid + 1)):$uid" "${CONFIG%/*}"
	chmod 0755 "${CONFIG%/*}"
	ask 9 "${CONFIG%/*} belongs neither to root nor to you (mode 0755)"
	chown 0:0 "${CONFIG%/*}"
	ask 0 'timeout 45'
	chown 0:0 "$home/.config"
	chmod 0700 "$home/.config" # what he cannot look into says nothing to him
	ask 0 "$CONFIG (not there)"
}

@test "git's protocol with a broken configuration: 9, the request is taken, stdout is empty" {
	local verb
	login_demo
	forget_calls
	configure <<<'nonsense'
	for verb in get store erase capability; do
		# More than a pipe holds: who writes it dies if nobody reads.
		run_cred --protocol git "$verb" < <({ git_request; head -c 262144 /dev/zero | tr '\0' a && echo whole >"$BATS_TEST_TMPDIR/written-$verb"; } 2>/dev/null)
		expect 9 "$CONFIG:1:1: the word 'nonsense' is not known"
		[[ $verb == capability ]] || for ((end = SECONDS + 10; SECONDS < end;)); do [[ ! -s $BATS_TEST_TMPDIR/written-$verb ]] || break; done
		[[ $verb == capability || -s $BATS_TEST_TMPDIR/written-$verb ]] || fails "$verb did not take it"
	done
	no_calls
	run_cred --protocol git no-such-verb </dev/null # a later git's
	expect 0
	ln -s "$CRED" "$BATS_TEST_TMPDIR/git-credential-alation"
	run -128 env PATH="$BATS_TEST_TMPDIR:$PATH" GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 \
		git -c credential.helper=alation credential fill < <(git_request) 3>&-
	[[ $output == *"the word 'nonsense' is not known"* ]]
	stored >/dev/null
}
git_request() { printf '%s\n' "protocol=http" "host=${SANDBOX_URL#*://}"; }

@test "the system's file, then the user's: later values win, a section's goes before one for all, a facility's lines go as a whole" {
	installed_setup_here
	mkdir -p "$prefix/etc/alation-cred"
	cat >"$prefix/etc/alation-cred/config" <<-END
		timeout 11
		no-proxy system.example.com
		refresh required secret-service
		access sufficient kernel prefix=from-the-system
		access optional private-file
		[$SANDBOX_URL]
		timeout 12
		auto-rotate never
	END
	configure <<-END
		timeout 13
		refresh sufficient secret-service
		[$SANDBOX_URL]
		auto-rotate 5d
	END
	CRED=$prefix/bin/alation-cred
	settings | sed "s,$prefix/etc,ETC,; s,$CONFIG,USER," >"$BATS_TEST_TMPDIR/rows"
	LC_ALL=C sort >"$BATS_TEST_TMPDIR/wanted" <<-END
		$SANDBOX_URL auto-rotate 5d USER:4
		$SANDBOX_URL timeout 12 ETC/alation-cred/config:7
		 access optional private-file ETC/alation-cred/config:5
		 access sufficient kernel prefix=from-the-system ETC/alation-cred/config:4
		 no-proxy system.example.com ETC/alation-cred/config:2
		 refresh sufficient secret-service USER:2
		 timeout 13 USER:1
	END
	diff "$BATS_TEST_TMPDIR/rows" "$BATS_TEST_TMPDIR/wanted"
	# It does what it says.
	login_demo
	expect 0
	keyctl search @u user "from-the-system:access:102@$SANDBOX_URL" >/dev/null
	echo nonsense >"$prefix/etc/alation-cred/config"
	run_cred get
	expect 9 "$prefix/etc/alation-cred/config:1:1:"
	chmod 0666 "$prefix/etc/alation-cred/config"
	run_cred get
	expect 9 "$prefix/etc/alation-cred/config is writable by everybody (mode 0666)"
	# The tree is not the system's.
	CRED=${B:-$SANDBOX_TOP/.build}/alation-cred
	run_cred status -v
	expect 0
	[[ $out != *"$prefix"* ]]
}

# installed_setup after setup, with a place for the system's configuration.
installed_setup_here() {
	sandbox_stop
	rm -rf "$SANDBOX_DIR" "$HOME"
	installed_setup --user demo:demo-password:102
	make_it SYSCONFDIR="$prefix/etc" install
	mkdir -p "${CONFIG%/*}"
}

# Every value that counts, from the JSON of status -v: SECTION WORD VALUE FILE:LINE
settings() {
	cred status -v --format json 2>/dev/null |
		jq -r '.configuration[] | "\(.section // "") \(.word) \(.value) \(if .file then "\(.file):\(.line)" else "built in" end)"' | grep -v '^ recovery ' | LC_ALL=C sort
}

@test "status -v: each value that counts with its file and line, the stack with what is built in, and no password of a proxy" {
	login_demo
	configure <<-END
		proxy http://user:hunter2@proxy.example.com:3128
		timeout 10
		timeout 20   # this one
		access sufficient private-file
		[$SANDBOX_URL]
		proxy user:hunter2@x@other.example.com
		no-proxy *
	END
	run_cred status -v
	expect 0
	for line in "  proxy http://***@proxy.example.com:3128  ($CONFIG:1)" "  timeout 20  ($CONFIG:3)" \
		"  access sufficient private-file  ($CONFIG:4)" "  [$SANDBOX_URL] proxy ***@other.example.com  ($CONFIG:6)" \
		"  [$SANDBOX_URL] no-proxy *  ($CONFIG:7)" '  refresh sufficient secret-service  (built in)'; do
		[[ $'\n'"$out"$'\n' == *$'\n'"$line"$'\n'* ]] || fails "no line: $line"
	done
	[[ $out$err != *hunter2* && $out != *'timeout 10'* ]]
	run_cred status -v --format json
	expect 0
	[[ $out$err != *hunter2* && $(jq -r '.configuration[] | select(.word == "timeout") | .value' <<<"$out") == 20 ]]
	run_cred status
	[[ $out != *configuration* ]]
	# Nor in the trace of a call that needs it.
	run_cred get -v --fresh
	expect 0
	[[ $err != *hunter2* ]]
}

@test "default-account: for all and for an instance; it goes before the list, and behind what a caller says" {
	local both=$SANDBOX_URL
	login_both
	run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 102 ]]
	configure <<<"default-account $OTHER"
	run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 103 ]]
	run_cred status
	[[ $out == *"$OTHER  (default, exclusive)"* && $out == *"$ACCOUNT  (exclusive)"* ]]
	run_cred get --format json "$ACCOUNT"
	[[ $(jq .user_id <<<"$out") == 102 ]]
	ALATION_USER_ID=102 run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 102 ]]
	# Of an instance that is named without a user.
	for line in 103 "$OTHER"; do
		configure <<<"[$both]"$'\n'"default-account $line"
		run_cred get --format json "$both"
		[[ $(jq .user_id <<<"$out") == 103 ]]
		ALATION_BASE_URL=$both run_cred get --format json
		[[ $(jq .user_id <<<"$out") == 103 ]]
		run_cred --protocol git get < <(git_request)
		[[ $out == *username=103* ]]
		run_cred get --format json # nothing was named
		[[ $(jq .user_id <<<"$out") == 102 ]]
	done
	# One that is not there is not another.
	configure <<<"default-account $(at 104)"
	run_cred get
	expect 3 "$(at 104)"
}

@test "set default: where the configuration says another, that is said; it is set all the same" {
	login_both
	configure <<<"default-account $ACCOUNT"
	run_cred set "$OTHER" default --format json
	expect 0 "$OTHER is the default account" "the configuration names another one, which goes before it: default-account in $CONFIG:1"
	[[ $(jq -r '.warnings[0].code' <<<"$out") == default_account ]]
	run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 102 ]]
	run_cred set "$ACCOUNT" default
	[[ $code == 0 && $err != *configuration* ]]
	run_cred set "$OTHER" exclusive
	[[ $code == 0 && $err != *configuration* ]]
	configure <<<"[$SANDBOX_URL]"$'\n'"default-account 102"
	run_cred set "$OTHER" default
	expect 0 "default-account in $CONFIG:2"
	configure <<<'base-url https://elsewhere.example.com'
	run_cred set "$OTHER" default
	expect 0 "base-url in $CONFIG:1"
	rm "$CONFIG"
	run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 103 ]]
}

@test "base-url: the instance that is meant where nobody says, for login too; an argument and a variable go before it" {
	configure <<<"base-url $SANDBOX_URL"
	run_cred login --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 0 "$ACCOUNT"
	run_cred get
	expect 0
	works "$out"
	ALATION_BASE_URL=https://elsewhere.example.com run_cred get
	expect 3 elsewhere.example.com
	run_cred get https://elsewhere.example.com
	expect 3 elsewhere.example.com
	configure <<<'base-url https://elsewhere.example.com'
	run_cred get
	expect 3 elsewhere.example.com
	run_cred get "$SANDBOX_URL"
	expect 0
	rm "$CONFIG"
	run_cred login --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 2 'which instance'
}

@test "base-url of a section: a short name, wherever an address may stand, with what else is in that section" {
	configure <<-END
		[wiki]
		base-url $SANDBOX_URL
		default-account 103
	END
	run_cred login wiki --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 0 "logged in as $ACCOUNT"
	run_cred login wiki --user other --password-stdin <<<other-password
	expect 0 "logged in as $OTHER"
	run_cred get wiki --format json
	[[ $(jq -r '"\(.base_url) \(.user_id)"' <<<"$out") == "$SANDBOX_URL 103" ]]
	run_cred get 102@wiki --format json
	[[ $(jq .user_id <<<"$out") == 102 ]]
	ALATION_BASE_URL=wiki run_cred get --format json
	[[ $(jq .user_id <<<"$out") == 103 ]]
	run_cred status 102@wiki
	expect 0
	for line in 'default-account 103@wiki' 'base-url wiki'; do # the name before the first section, too
		configure <<<"$line"$'\n[wiki]\n'"base-url $SANDBOX_URL"$'\n''default-account 103'
		run_cred get --format json
		[[ $(jq -r '"\(.base_url) \(.user_id)"' <<<"$out") == "$SANDBOX_URL 103" ]]
	done
	run_cred logout wiki
	expect 0
	[[ $(listed) == 1 ]]
	run_cred get wikis
	expect 3 wikis
}

@test "timeout: the option, then the instance's, then the one for all, then 30 s" {
	local began
	login_demo
	slow() { # DELAY_MS [ARG...]: the server takes so long for a mint
		sandbox_fault endpoint=createAPIAccessToken "delay_ms=$1"
		began=$SECONDS
		run_cred get --fresh "${@:2}"
	}
	late() { expect 6 'in time' && ((SECONDS - began < 1 + 5 + 5)) || fails 'too late'; }
	configure <<<'timeout 1'
	slow 60000 && late
	slow 2000 --timeout 1m && expect 0
	configure <<<$'timeout 1\n['"$SANDBOX_URL"$']\ntimeout 60'
	slow 2000 && expect 0
	slow 60000 --timeout 1 && late
	configure <<<$'timeout 60\n['"$SANDBOX_URL"$']\ntimeout 1s'
	slow 60000 && late
	slow 60000 "$SANDBOX_URL" && late
	# Of git's, where the request names the instance; and of each account of --all.
	sandbox_fault endpoint=createAPIAccessToken delay_ms=60000
	keyctl unlink "$(key)" @u
	began=$SECONDS
	run_cred --protocol git get < <(git_request)
	late
	sandbox_fault endpoint=validateRefreshToken delay_ms=60000 times=2
	began=$SECONDS
	run_cred validate --all
	late
	sandbox_clear
}

login_ending() { # SECONDS: by a RefreshToken that ends then, with nothing cached; $old is that token
	old=$(sandbox_refresh_token 102 ending "expires_in=$1")
	login_token "$old" --exclusive
	expect 0
	drop_cached
	forget_calls
}

@test "auto-rotate never: neither get nor rotate --auto renews, whatever the timer says; a person who asks does" {
	configure <<<'auto-rotate never'
	login_ending $((9 * DAY))
	run_cred get
	expect 0
	[[ -z $err ]]
	asked createAPIAccessToken
	run_cred rotate --auto
	[[ $code == 0 && -z $err ]]
	run_cred rotate --all --auto --if-expiring 10d
	[[ $code == 0 && -z $err ]]
	asked createAPIAccessToken
	[[ $(refresh_token) == "$old" ]]
	run_cred rotate --if-expiring 10d
	expect 0 'has a new RefreshToken'
	[[ $(refresh_token) != "$old" ]]
}

@test "auto-rotate DUR: so long before its end; an instance's goes before the one for all" {
	configure <<<'auto-rotate 20d'
	login_ending $((15 * DAY))
	run_cred get
	expect 0
	asked regenRefreshToken createAPIAccessToken
	[[ $(refresh_token) != "$old" ]]
	configure <<<'auto-rotate 5d'
	login_ending $((9 * DAY))
	run_cred get
	expect 0
	run_cred rotate --auto
	expect 0
	asked createAPIAccessToken
	configure <<<$'auto-rotate 5d\n['"$SANDBOX_URL"$']\nauto-rotate 10d'
	run_cred rotate --auto
	expect 0 'has a new RefreshToken'
	configure <<<$'auto-rotate 20d\n['"$SANDBOX_URL"$']\nauto-rotate never'
	login_ending $((9 * DAY))
	run_cred get
	expect 0
	asked createAPIAccessToken
}

@test "access lines: a prefix of one's own, another order; the RefreshToken stays where it is" {
	configure <<<$'access sufficient kernel prefix=mine\naccess sufficient private-file prefix=mine'
	login_demo
	expect 0 'is kept in secret-service'
	keyctl search @u user "mine:access:102@$SANDBOX_URL" >/dev/null
	run -1 keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL"
	run_cred get
	expect 0
	[[ $(mints) == 1 ]]
	configure <<<$'access sufficient private-file\naccess sufficient kernel'
	run_cred get
	expect 0
	[[ $(mints) == 2 && $(stat -c %a "/dev/shm/alation-cred-$EUID/alation-cred:access:102@${SANDBOX_URL//\//%2F}") == 600 ]]
	[[ $(cred status --format json | jq -r '.accounts[0].access.module') == private-file ]]
	run_cred get
	[[ $(mints) == 2 ]]
}

# A module of strangers', where only the user can have put it.
guest() { # NAME
	private=$(mktemp -d)
	install -m 0644 "$MODULES/$1.so" "$private/guest.so"
	guest=$private/guest.so
}

@test "a refresh line with an absolute path: that module is asked; others could have written it: a failure of its line" {
	local token
	guest answers
	token=$(sandbox_refresh_token 102 theirs)
	configure <<<"refresh sufficient $guest $token"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	[[ $(cred status -v --format json 2>/dev/null | jq -r '.configuration[] | select(.word == "refresh") | .value') == "sufficient $guest $token" ]]
	run_cred rotate "$ACCOUNT"
	expect 5
	keyctl unlink "$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL")" @u
	chmod 0666 "$guest"
	run_cred get "$ACCOUNT"
	expect 5 "$guest: is writable by everybody"
	configure <<<"refresh required $guest $token"
	run_cred get "$ACCOUNT"
	expect 9 "the keyring module '$guest', which the configuration requires, cannot be used: $guest: is writable by everybody"
	[[ $(mints) == 1 ]]
}

@test "a module that is not there: 9 where its line is required or requisite, else a failure of its line" {
	local control
	login_demo
	forget_calls
	drop_cached
	for control in required requisite; do
		configure <<<"refresh $control nowhere"$'\n''refresh sufficient secret-service'
		for verb in get rotate validate; do
			run_cred $verb "$(at 109)" # an account that no list names walks the whole stack
			expect 9 "the keyring module 'nowhere', which the configuration requires, cannot be used: " '/nowhere.so: No such file or directory; install that module, or take its line out of the configuration'
		done
		run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
		expect 9 "'nowhere'" 'nothing was made at the server'
	done
	asked ''
	for control in sufficient optional; do
		configure <<<"refresh $control nowhere"$'\n''refresh sufficient secret-service'
		run_cred get "$(at 109)"
		expect 5 'nowhere'
		run_cred get
		expect 0
		run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
		expect 0 'is kept in secret-service'
		run_cred logout "$OTHER"
		expect 0
	done
	configure <<<'refresh sufficient nowhere'
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 5 nowhere
	# Whoever is known to hold it is asked, whatever the lines have become since.
	drop_cached
	run_cred get "$ACCOUNT"
	expect 0
}

@test "an access line that must be there and is not: 9; else the cache does without it" {
	local control
	login_demo
	forget_calls
	for control in required requisite; do
		configure <<<"access $control nowhere"$'\n''access sufficient kernel prefix=alation-cred-tree'
		run_cred get
		expect 9 "the keyring module 'nowhere', which the configuration requires"
		configure <<<"access $control nowhere"
		run_cred get
		expect 9 "the keyring module 'nowhere', which the configuration requires"
		asked ''
		# Whoever needs no cache goes on, and answers once.
		for verb in validate revoke status 'set exclusive'; do
			run_cred $verb --format json
			expect 0
			[[ $(jq -s 'length' <<<"$out") == 1 && $(jq .success <<<"$out") == true ]] || fails 'not one answer'
		done
		forget_calls
	done
	for control in sufficient optional; do
		configure <<<"access $control nowhere"$'\n''access sufficient kernel prefix=alation-cred-tree'
		run_cred get
		[[ $code == 0 && -z $err ]]
	done
	asked ''
}

@test "one stack for machines with a desktop and without: the first that is there keeps the login, and goes on keeping it" {
	local fd
	[[ -e ${CRED%/*}/modules/sealed-file.so ]] || skip 'built without sealed-file'
	(umask 077 && echo sesame >"$HOME/passphrase")
	configure <<<$'refresh sufficient secret-service\nrefresh sufficient sealed-file prefix=alation-cred-tree key-file='"$HOME/passphrase"
	no_desktop() { DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent "$@"; }
	no_desktop login_demo
	expect 0 'is kept in sealed-file'
	[[ -z $(stored) ]]
	drop_cached
	no_desktop run_cred get
	expect 0
	works "$out"
	no_desktop login_token "$(sandbox_refresh_token 102 pasted)"
	expect 0 'is kept in sealed-file'
	drop_cached
	run_cred get # in the desktop, too
	expect 0
	[[ $(cred status --format json | jq -r '.accounts[0].refresh.module') == sealed-file ]]
	run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0 'is kept in secret-service'
	# Where that desktop is away, a login over it goes to the next line, and says what it could not take away.
	no_desktop run_cred login "$SANDBOX_URL" --user other --password-stdin <<<other-password
	expect 0 'is kept in sealed-file'
	[[ $(sandbox_calls createRefreshToken) == 3 ]]
	run_cred get "$OTHER" --fresh
	expect 0
	works "$out"
}

@test "a login with two lines that must take it: both do, and a lookup finds the first" {
	configure <<<$'refresh required secret-service\nrefresh optional environment'
	login_demo
	expect 0 'is kept in secret-service'
	run_cred get
	expect 0
	run_cred logout
	expect 0
	[[ -z $(stored) ]]
}

@test "store: a RefreshToken for an instance that is configured is taken, for another one nobody is asked" {
	local token
	token=$(sandbox_refresh_token 102 gits)
	forget_calls
	offer() { run_cred --protocol git store < <(git_request && printf 'username=102\npassword=%s\n' "$token"); }
	configure <<<'base-url https://elsewhere.example.com'
	offer
	expect 0
	no_calls
	for text in "[$SANDBOX_URL]" "base-url $SANDBOX_URL" "default-account $ACCOUNT" "[wiki]"$'\n'"base-url $SANDBOX_URL"; do
		configure <<<"$text"
		offer
		expect 0 "the account $ACCOUNT was added"
		[[ $(refresh_token) == "$token" ]]
		run_cred logout "$ACCOUNT" --keep
		expect 0
	done
}

@test "a warm call with everything spelled out: no library, no socket, no process, and the file is only read" {
	local trace=$BATS_TEST_TMPDIR/trace token
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	[[ $(ldd "$CRED") != *san* ]] || skip "a sanitizer brings libraries of its own"
	login_demo
	configure <<-END
		default-account $ACCOUNT
		ca-file /etc/ssl/none.pem
		proxy http://user:hunter2@proxy.example.com:3128
		timeout 20
		refresh required    secret-service
		refresh sufficient  sealed-file
		access  required    kernel prefix=alation-cred-tree
		access  optional    private-file
		[$SANDBOX_URL]
		auto-rotate 20d
	END
	token=$(strace -f -o "$trace" "$CRED" get </dev/null 3>&-)
	works "$token"
	grep -q "\"${CONFIG##*/}\", O_RDONLY" "$trace"
	run ! grep -E '^[0-9]+ +(socket|connect|clone|clone3|fork|vfork|fsync|rename|renameat2?|unlink|unlinkat|mkdir|flock|add_key|sendto|sendmsg)\(' "$trace"
	run ! grep -E 'open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT|O_TRUNC)' "$trace"
	[[ $(sed -n 's/.*open\(at\)\?(.*"\([^"]*\.so[^"]*\)".*/\2/p' "$trace" | grep -vcE '/(ld\.so\.cache|libc\.so\.6|ld-linux[^/]*)$') == 0 ]]
}
