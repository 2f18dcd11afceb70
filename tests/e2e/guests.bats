#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Modules of strangers that are wrong, each a real one, named by a line of the configuration: an error that names file and reason, never
# a hang, nothing on stdout that is no token, and no other line in its place unsaid. The guests are tests/modules/*.c.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/lifecycle
load ../lib/terminal

MODULES=${B:-$SANDBOX_TOP/.build}/tests/modules
SANITIZED=
ldd "$CRED" | grep -q 'lib[a-z]*san' && SANITIZED=1

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	program_setup
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	private=$(mktemp -d)
	KEPT=$private/kept
	mkdir -p "$HOME/.config/alation-cred"
	export XDG_CONFIG_HOME=$HOME/.config
}

teardown() {
	program_teardown
	rm -rf "$private"
}

configure() { cat >"$XDG_CONFIG_HOME/alation-cred/config"; }

guest() { # NAME
	install -m 0644 "$MODULES/$1.so" "$private/$1.so"
	guest=$private/$1.so
}

# misbehaves OPERATION WRONG: the guest holds a sound RefreshToken, and goes wrong there from now on.
misbehaves() {
	configure <<<"refresh sufficient $guest $KEPT $*"
	drop_cached
}
drop_cached() {
	local key
	key=$(keyctl search @u user "alation-cred-tree:access:102@$SANDBOX_URL" 2>/dev/null) || return 0
	keyctl unlink "$key" @u >/dev/null
}
at() { echo "${SANDBOX_URL/:\/\//:\/\/$1@}"; }
login_guest() {
	guest misbehaves
	misbehaves
	login_demo
	expect 0
	[[ -s $KEPT ]]
}

@test "what the loader refuses: 5 naming file and reason, 9 where its line is required; 'status' tells it too" {
	local name reason
	login_demo
	forget_calls
	while IFS='|' read -r name reason; do
		guest "$name"
		configure <<<"refresh sufficient $guest"
		drop_cached
		run_cred get "$(at 109)"
		expect 5 "$guest: $reason" || return 1
		[[ $err != *$'\n'* ]] || fails "more than one line" || return 1
		run_cred status "$ACCOUNT"
		[[ $err$out == *"$guest: $reason"* ]] || fails "status does not tell" || return 1
		configure <<<"refresh required $guest"
		run_cred get "$(at 109)" --format json
		expect_json 9 configuration "$guest: $reason" || return 1
	done <<-'END'
		old-abi|speaks version 0 of the module interface, not 1
		small-struct|its descriptor says size 40, which is too small; set it to sizeof alation_cred_module
		no-symbol|has no symbol 'alation_cred_module'
		no-lookup|has no look-up
		no-function|undefined symbol: acred_is_nowhere
	END
	no_calls
}

@test "a descriptor that is larger or smaller than ours, but whole as far as it goes, is a module" {
	local token
	token=$(sandbox_refresh_token 102 theirs)
	guest answers
	configure <<<"refresh sufficient $guest $token"
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	guest first-struct
	configure <<<"refresh sufficient $guest"
	drop_cached
	run_cred get "$ACCOUNT"
	expect 3
	run_cred rotate "$ACCOUNT"
	expect 3
}

@test "a file that others can write, or own, in such a directory, no file, a directory, a fifo, no object: 5, and why" {
	local other=65534
	wrong() { # REASON: of the file, or of its directory
		run_cred get "$ACCOUNT"
		expect 5 "$1"
	}
	guest misloads
	configure <<<"refresh sufficient $guest"
	chmod 0666 "$guest"
	wrong "$guest: is writable by everybody"
	chmod 0664 "$guest"
	chgrp 1 "$guest" 2>/dev/null && wrong "$guest: is writable by a group"
	chmod 0644 "$guest"
	chmod 0777 "$private"
	wrong "$private: is writable by everybody"
	chmod 0700 "$private"
	if [[ $EUID == 0 ]]; then
		chown "$other" "$guest"
		wrong "$guest: belongs neither to root nor to you"
		chown 0 "$guest"
		chown "$other" "$private"
		wrong "$private: belongs neither to root nor to you"
		chown 0 "$private"
	fi
	rm "$guest"
	wrong "$guest: No such file or directory"
	mkdir "$guest"
	wrong "$guest: is not a regular file"
	rmdir "$guest"
	mkfifo "$guest"
	wrong "$guest: is not a regular file"
	rm "$guest"
	echo 'no object' >"$guest"
	wrong "$guest: "
	: >"$guest"
	wrong "$guest: "
	[[ $SANITIZED ]] || { head -c 2000 "$MODULES/misloads.so" >"$guest" && wrong "$guest"; } # the linker itself crashes
	no_calls
}

@test "a relative path is no module's name: 9 with the line, and nothing is looked for" {
	local path
	guest misloads
	for path in ./misloads.so misloads.so ../modules/misloads modules/misloads '~/misloads.so' ''; do
		configure <<<"refresh sufficient $path"
		(cd "$private" && MISLOADS=abort cred get "$ACCOUNT" >"$OUT" 2>"$BATS_TEST_TMPDIR/err") && return 1
		err=$(<"$BATS_TEST_TMPDIR/err")
		[[ $err == *"$XDG_CONFIG_HOME/alation-cred/config:1:"* && ! -s $OUT ]] || { echo "$path: $err" >&2; return 1; }
	done
}

@test "a module that crashes, aborts, ends the program or runs out of stack, in each of its calls: 5, naming module, file and signal" {
	local operation wrong verb
	[[ ! $SANITIZED ]] || skip 'a sanitizer tells of these itself'
	login_guest
	while read -r operation wrong verb; do
		misbehaves "$operation" "$wrong"
		run_cred "$verb" "$ACCOUNT"
		case $wrong in segv | overflow) sign=SIGSEGV ;; abort) sign=SIGABRT ;; trap) sign=SIGTRAP ;; fpe) sign=SIGFPE ;; exit | quick-exit) sign=exit ;; esac
		expect 5 "the keyring module '$guest' crashed for $ACCOUNT; " "($sign)" || return 1
		[[ $err != *$'\n'* ]] || fails "more than one line" || return 1
	done <<-'END'
		open segv get
		open abort rotate
		open exit get
		lookup segv get
		lookup overflow get
		lookup abort get
		lookup trap get
		lookup fpe get
		lookup exit get
		lookup quick-exit get
		lookup segv rotate
		store segv rotate
		store exit rotate
		list abort status
		lock segv lock
	END
	for wrong in block default ignore; do
		misbehaves lookup $wrong store segv
		run_cred rotate "$ACCOUNT"
		expect 5 "the keyring module '$guest' crashed for $ACCOUNT; " '(SIGSEGV)' || return 1
	done
	misbehaves lookup segv
	run_cred get "$ACCOUNT" --format json
	expect_json 5 keyring_failed "$guest"
	# In git's protocol there is no answer, and no other helper's turn is taken away.
	run_cred --protocol git get <<<"url=$ACCOUNT"
	[[ $code == 5 && -z $raw ]]
	misbehaves
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	misbehaves erase segv
	run_cred logout "$ACCOUNT"
	expect 5 "the keyring module '$guest' crashed for $ACCOUNT; " '(SIGSEGV)'
}

@test "a crash between a rotation's server call and its store: the new token is not lost" {
	local before
	[[ ! $SANITIZED ]] || skip 'a sanitizer tells of these itself'
	login_guest
	before=$(<"$KEPT")
	misbehaves store-again segv
	forget_calls
	run_cred rotate "$ACCOUNT"
	expect 5 "the keyring module '$guest' crashed" "; its new RefreshToken is not lost: " "'alation-cred get $ACCOUNT' within a day"
	[[ $(calls) == regenRefreshToken ]]
	misbehaves
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	[[ $(<"$KEPT") != "$before" ]]
	run_cred rotate "$ACCOUNT"
	expect 0
}

@test "a crash or a hang as a login's RefreshToken is stored: what the server has made is named, with where to delete it" {
	local wrong words
	guest misbehaves
	for wrong in segv pause; do
		[[ ! $SANITIZED || $wrong == pause ]] || continue
		misbehaves store $wrong
		login_demo --name "of-$wrong" --format json --timeout 1
		words="the server has made a RefreshToken 'of-$wrong' that could not be kept here; delete it at $SANDBOX_URL/account/auth"
		[[ $code == 5 && $err == *"the keyring module '$guest' "*"; $words"* && $out == *"\"remedy\":\"$words\""* ]] || fails "not said" || return 1
		misbehaves try $wrong
		forget_calls
		login_demo --timeout 1
		expect 5 "the keyring module '$guest' " || return 1
		no_calls || return 1
	done
}

@test "a module that crashes when it is loaded, hangs there, ends the program or prints: 5, naming its file" {
	local wrong sign
	guest misloads
	configure <<<"refresh sufficient $guest"
	MISLOADS=print run_cred get "$ACCOUNT"
	expect 5 "$guest: printed 7 bytes on stdout"
	MISLOADS=pause run_cred get --timeout 1 "$ACCOUNT"
	expect 5 "the keyring module '$guest' did not come back for $ACCOUNT"
	[[ ! $SANITIZED ]] || skip 'a sanitizer tells of the rest itself'
	for wrong in segv/SIGSEGV abort/SIGABRT exit/exit; do
		MISLOADS=${wrong%/*} run_cred get "$ACCOUNT"
		expect 5 "the keyring module '$guest' crashed for $ACCOUNT" "(${wrong#*/})" || return 1
	done
	no_calls
}

@test "a crash as it is closed: said, and the answer and its exit code stay" {
	local token
	[[ ! $SANITIZED ]] || skip 'a sanitizer tells of these itself'
	login_guest
	for wrong in segv pause exit; do
		misbehaves close $wrong
		run_cred get "$ACCOUNT"
		expect 0 "the keyring module '$guest' "
		works "$out"
	done
	run_cred get "$(at 103)"
	expect 5 "the keyring module '$guest' crashed when it was closed (exit)"
}

@test "a crash in a module's thread while somebody is asked: the terminal has its echo again, and an askpass program ends" {
	[[ ! $SANITIZED ]] || skip 'a sanitizer tells of these itself'
	login_guest
	misbehaves lookup ask-segv
	dialog "$CRED" unlock "$ACCOUNT" <<-END
		expect Passphrase:
		expect crashed for $ACCOUNT
		echo on
	END
	[[ $code == 5 ]]
	misbehaves lookup ask-abort
	# It lets the module crash once it is waited for (state S): until then the program does not know its number.
	printf '%s\n' '#!/bin/sh' "echo \$\$ >'$private/asks'" 'until read -r _ _ state _ </proc/$PPID/stat && [ "$state" = S ]; do :; done' \
		"echo >'$private/kept.asking'" 'exec sleep 100' >"$private/askpass"
	chmod 0700 "$private/askpass"
	ALATION_CRED_ASKPASS=$private/askpass run_cred unlock "$ACCOUNT"
	expect 5 "the keyring module '$guest' crashed for $ACCOUNT" '(SIGABRT)'
	SECONDS=0
	while [[ $(ps -o stat= -p "$(<"$private/asks")") == [!Z]* ]]; do ((SECONDS < 10)) || return 1; done
}

@test "a crash or a hang as 'unlock' closes the module to look anew: 5, a failure in JSON too" {
	local wrong
	login_guest
	printf '%s\n' '#!/bin/sh' 'echo sesame' >"$private/askpass"
	chmod 0700 "$private/askpass"
	for wrong in exit pause; do
		misbehaves lookup ask close $wrong
		ALATION_CRED_ASKPASS=$private/askpass run_cred unlock "$ACCOUNT" --format json
		[[ $wrong == exit ]] && expect_json 5 keyring_failed "the keyring module '$guest' crashed when it was closed (exit)"
		[[ $wrong == exit ]] || expect_json 5 keyring_timeout "the keyring module '$guest' did not come back when it was closed"
	done
}

@test "a module that hangs: the watchdog's line and exit, in each of its calls, two seconds after its deadline" {
	local operation wrong verb
	login_guest
	while read -r operation wrong verb; do
		misbehaves "$operation" "$wrong"
		SECONDS=0
		run_cred "$verb" --timeout 1 "$ACCOUNT"
		expect 5 "the keyring module '$guest' did not come back for $ACCOUNT; look whether that keyring's service hangs, then try again" || return 1
		((SECONDS < 13)) || fails "it took $SECONDS s" || return 1
	done <<-'END'
		open pause get
		lookup loop get
		store pause rotate
		erase loop logout
		lookup block-pause get
	END
	misbehaves lookup block store pause
	run_cred rotate --timeout 1 "$ACCOUNT"
	expect 5 "the keyring module '$guest' did not come back for $ACCOUNT"
	misbehaves lookup pause
	run_cred get --timeout 1 --format json "$ACCOUNT"
	expect_json 5 keyring_timeout "$guest"
}

@test "what a module forks: it may end or crash as it likes, and one that comes back answers nothing" {
	local wrong
	login_guest
	for wrong in fork-exit fork-return fork-segv; do
		[[ ! $SANITIZED || $wrong != fork-segv ]] || continue
		misbehaves lookup $wrong
		run_cred get --format json "$ACCOUNT"
		expect 0 || return 1
		[[ -z $err && $raw == "$out"$'\n' && $out != *$'\n'* ]] || fails "more than one answer" || return 1
		works "$(jq -r .token <<<"$out")" || return 1
	done
}

@test "nonsense: a status that is none, no secret, two, one out of turn, none at all, too much: 5, naming file and reason" {
	local operation wrong verb reason
	login_guest
	while IFS='|' read -r operation wrong verb reason; do
		misbehaves "$operation" "$wrong"
		run_cred "$verb" "$ACCOUNT"
		expect 5 "$guest: $reason" || return 1
	done <<-'END'
		open|odd|get|answered 42, which is no status
		open|negative|rotate|answered -1, which is no status
		lookup|odd|get|answered 42, which is no status
		lookup|silent|get|said that it found a secret, and handed over none
		lookup|twice|get|handed over more than one secret
		store|odd|rotate|answered 42, which is no status
		store|put|rotate|handed over a secret out of turn
		lock|odd|lock|answered 42, which is no status
	END
	while IFS='|' read -r wrong; do
		misbehaves lookup "$wrong"
		run_cred get "$ACCOUNT"
		expect 5 "$guest" || return 1
		[[ $err != *$'\n'* ]] || fails "more than one line" || return 1
	done <<-'END'
		null
		huge
		garbage
		empty
	END
	misbehaves list nameless
	run_cred status "$ACCOUNT"
	expect 0
	misbehaves
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "what a module prints never reaches stdout: 5, naming its file; and no byte of it is shown" {
	local operation wrong verb
	login_guest
	while read -r operation wrong verb; do
		misbehaves "$operation" "$wrong"
		run_cred "$verb" "$ACCOUNT"
		expect 5 "$guest: printed " ' bytes on stdout' || return 1
		[[ $err != *hello* ]] || fails "shown" || return 1
	done <<-'END'
		open print get
		lookup print get
		lookup printf get
		lookup flood get
		store print rotate
		lock print lock
	END
	# As a terminal has it, too, where stdio writes line by line.
	misbehaves close print
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
	misbehaves erase print
	run_cred logout "$ACCOUNT"
	expect 5 "$guest: printed "
}

@test "a module that closes what is not its own: 5, naming its file; no token goes to where stdout was" {
	login_guest
	misbehaves lookup closefrom
	run_cred get "$ACCOUNT"
	expect 5 "$guest: closed descriptors that are not its own"
	[[ -e $KEPT.spilled && ! -s $KEPT.spilled ]]
	misbehaves lookup close-stdout
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "a thread that is left behind and prints: no other keyring is blamed, and nobody waits for its end" {
	login_guest
	misbehaves lookup print-for-ever
	run_cred get "$ACCOUNT"
	[[ $code == 0 || $code == 5 && $err == *"$guest: printed "* ]] # it may have begun before the call was over
	[[ $err != *kernel* && $err != *cached* ]] || fails "another is blamed"
	misbehaves close print-for-ever
	run_cred get "$ACCOUNT"
	expect 0
	works "$out"
}

@test "one that is refused is said even where another line has the token" {
	login_demo
	expect 0
	drop_cached
	guest old-abi
	configure <<-END
		refresh sufficient $guest
		refresh sufficient secret-service
	END
	run_cred get "$ACCOUNT"
	expect 0 "$guest: speaks version 0"
	works "$out"
	# Not at each call: a warm one asks no such module.
	run_cred get "$ACCOUNT"
	expect 0
	[[ -z $err ]]
}
