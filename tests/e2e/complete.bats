#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Completion: what the program offers for a command line that is not finished, and that bash, zsh and fish put it there.
# No server and no keyring is there to be asked.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/terminal

setup() {
	program_environment
	export HOME=$BATS_TEST_TMPDIR/home XDG_STATE_HOME= XDG_CONFIG_HOME= XDG_DATA_HOME= ZDOTDIR=
	unset DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY
	mkdir -m 0700 -p "$HOME/.local/state/alation-cred"
	OUT=$BATS_TEST_TMPDIR/out
	completion=$SANDBOX_TOP/docs/completion
	accounts 'base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&name=x&module=secret-service&default=1&exclusive=1' \
		'base_url=https%3A%2F%2Fcatalog.example.com&user_id=7&name=x&module=sealed-file&default=0&exclusive=0' \
		'base_url=https%3A%2F%2Ftest.example.com%3A8443&user_id=102&name=x&module=sealed-file&default=0&exclusive=1'
}

accounts() { # LINE...
	(umask 077 && { echo "v=2&accounts=$#" && printf 'v=1&%s\n' "$@"; } >"$HOME/.local/state/alation-cred/accounts")
}

# Of --format in it no answer's format is meant, as it is with run_cred.
candidates() { # WORD...
	code=0 ran="alation-cred complete ${*@Q}"
	out=$(setsid -w "$CRED" complete "$@" </dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&-) || code=$?
	err=$(<"$BATS_TEST_TMPDIR/err")
}

# offers 'CANDIDATE...' WORD...: the candidates alone, in any order; it is never a failure, and nothing is said of one.
offers() {
	local wanted=$1
	shift
	candidates "$@"
	[[ $code == 0 && -z $err ]] || fails 'not silent' || return 1
	[[ $(cut -f1 <<<"$out" | sort | xargs) == "$(tr ' ' '\n' <<<"$wanted" | sort | xargs)" ]] || fails "not offered: $wanted"
}

verbs() { cred --help | sed -nE 's/^  ([a-z]+) .*/\1/p'; }
options() { cred "$@" --help | sed -nE 's/^  (-[-a-z]+).*/\1/p'; }

@test "verbs, and of each its options and no other's" {
	offers "$(verbs | xargs) help" ''
	offers 'get' g
	offers "$(verbs | grep ^s | xargs)" help s
	offers '' zzz
	for verb in $(verbs); do
		offers "$(options "$verb" | xargs)$([[ $verb != exec ]] || echo ' --')" "$verb" -
	done
	offers '' exec --form
	offers '--fresh' get --fr
	offers "$(options status | grep -v timeout | xargs)" status --timeout 5 -
	offers '' get -- --f
	offers '' get --fre=
	candidates get --fre
	[[ $out == *$'\t'"$(cred get --help | sed -nE 's/^  --fresh +//p')" ]]
}

@test "values: formats, protocols, words, and none where one is a person's own" {
	offers 'token header curl env json headers-json' get --format ''
	offers '--format=json' get --format=j
	offers '--format=json' --format=j
	offers 'token json' status --format ''
	offers git store --protocol ''
	offers 'auto always never' --interactive ''
	offers never --interactive n
	for option in --timeout --min-ttl; do offers '' get "$option" ''; done
	for option in --user --user-id --name; do offers '' login "$option" ''; done
	offers "$(verbs | grep ^l | xargs)" --timeout 5 l
}

@test "accounts: from the list alone, as one begins to write them" {
	all='https://102@catalog.example.com https://7@catalog.example.com https://102@test.example.com:8443'
	for verb in get token logout status validate revoke rotate unlock lock; do
		offers "$all" "$verb" ''
	done
	offers "$all" get https://
	offers 'https://7@catalog.example.com' get https://7
	offers 'https://7@catalog.example.com' get --format json -v https://7
	offers 'https://102@test.example.com:8443' get https://102@t
	offers '7@catalog.example.com' get 7
	offers 'catalog.example.com' get cat
	offers 'https://test.example.com:8443' get https://test
	offers '' get nobody
	offers '' get https://7@catalog.example.com https
	offers 'https://catalog.example.com https://test.example.com:8443' login ''
	# Each of them is one that the program takes.
	for word in $all 7@catalog.example.com https://test.example.com:8443; do
		run_cred status "$word"
		expect 0
	done
	candidates get 7
	[[ $out == *$'\t''shared, in sealed-file' ]]
}

@test "set: its words, and after one of them nothing more" {
	offers 'default exclusive shared https://102@catalog.example.com https://7@catalog.example.com https://102@test.example.com:8443' set ''
	offers 'default exclusive shared' set https://7@catalog.example.com ''
	offers '' set default d
	for word in default exclusive shared; do
		run_cred set https://7@catalog.example.com "$word"
		expect 0
	done
}

@test "exec: an account, or the command; behind it the words are the command's" {
	offers '-- https://102@catalog.example.com https://7@catalog.example.com https://102@test.example.com:8443' exec --timeout 5 ''
	candidates exec -- ''
	[[ $out == ':command 2' ]]
	candidates exec https://7@catalog.example.com --min-ttl 5m -- git -
	[[ $out == ':command 5' ]]
	offers '' exec --min-ttl ''
	offers '' exec https://7@catalog.example.com https
}

@test "modules: those that lie there as files, and those that the configuration names by their path" {
	[[ ! -e ${CRED%/*}/modules/sealed-file.so ]] || modules=$(cd "${CRED%/*}/modules" && ls | sed 's/\.so$//' | xargs)
	[[ $modules == *sealed-file* ]]
	offers "$modules" login --keyring ''
	offers sealed-file login --keyring sea
	mkdir -p "$HOME/.config/alation-cred"
	printf '%s\n' 'refresh sufficient /opt/modules/own.so' 'refresh sufficient sealed-file' '[https://other.example.com]' 'timeout 5' >"$HOME/.config/alation-cred/config"
	chmod -R go-w "$HOME/.config"
	offers "$modules /opt/modules/own.so" login --keyring ''
	offers 'https://other.example.com' login https://o
}

@test "what cannot be read offers nothing of it, and says nothing; what is in it cannot break out" {
	mkdir -p "$HOME/.config/alation-cred"
	echo 'no such word' >"$HOME/.config/alation-cred/config"
	offers 'https://7@catalog.example.com' get https://7
	echo garbage >"$HOME/.local/state/alation-cred/accounts"
	offers 'get' ge
	offers '' get https
	accounts 'base_url=https%3A%2F%2Fa.example.com%0Aevil&user_id=1&name=x&module=secret-service&default=1&exclusive=1' \
		'base_url=https%3A%2F%2Fb.example.com&user_id=2&name=x&module=%1B%5B2Jx&default=0&exclusive=1'
	offers 'https://2@b.example.com' get https
	[[ $out == *$'\t''exclusive, in its keyring' ]]
	# bash puts a candidate on the line as it stands: no command may hide in one.
	for evil in '%24%28id%29' '%60id%60' 'a%3Bid' 'a%26id' 'a%7Cid' 'a%3Eb' 'a%27b' 'a%22b' 'a%5Cb' 'a%2A' 'a%21id' 'a%7Bb' '%7Ea' 'a%23b'; do
		accounts "base_url=https%3A%2F%2F$evil.example.com&user_id=1&name=x&module=secret-service&default=1&exclusive=1" \
			'base_url=https%3A%2F%2F%5B%3A%3A1%5D%3A8443&user_id=2&name=x&module=sealed-file&default=0&exclusive=1'
		offers 'https://2@[::1]:8443' get https
		offers 'https://[::1]:8443' login https
	done
	rm -r "$HOME/.local"
	offers "$(options get | xargs)" get ''
	code=0
	"$CRED" complete '' >/dev/full 2>"$BATS_TEST_TMPDIR/err" 3>&- || code=$?
	[[ $code == 0 && ! -s $BATS_TEST_TMPDIR/err ]]
	# git's helper has no such verb.
	ln -s "$CRED" "$BATS_TEST_TMPDIR/git-credential-alation"
	[[ -z $("$BATS_TEST_TMPDIR/git-credential-alation" complete '' </dev/null 3>&-) ]]
}

@test "it asks nobody: no library is loaded, no process begun, no socket opened" {
	strace -o /dev/null true 2>/dev/null || skip 'strace may not trace here'
	[[ $(ldd "$CRED") != *san* ]] || skip 'a sanitizer brings libraries of its own'
	for line in 'get ' 'login --keyring ' 'set ' ''; do
		strace -f -o "$BATS_TEST_TMPDIR/trace" "$CRED" complete ${line% } '' >/dev/null 2>&1 3>&-
		run ! grep -E '^[0-9]+ +(socket|connect|clone|clone3|fork|vfork|keyctl|add_key|unlink|rename|mkdir)\(' "$BATS_TEST_TMPDIR/trace"
		run ! grep -E 'open(at)?\(.*(O_WRONLY|O_RDWR|O_CREAT)' "$BATS_TEST_TMPDIR/trace"
		run ! grep -E 'open(at)?\(.*\.so' <(grep -vE '/(ld\.so\.cache|libc\.so\.6|ld-linux[^/]*)"' "$BATS_TEST_TMPDIR/trace")
	done
}

# In PATH there is one that says what it was called with, and completes as the program does.
recorder() {
	mkdir "$BATS_TEST_TMPDIR/bin"
	cat >"$BATS_TEST_TMPDIR/bin/alation-cred" <<-END
		#!/bin/sh
		[ "\$1" != complete ] || exec "$CRED" "\$@"
		printf 'ran:'
		printf ' [%s]' "\$@"
		echo ' .'
	END
	chmod +x "$BATS_TEST_TMPDIR/bin/alation-cred"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH TERM=dumb
}

# A person at SHELL..., who types and presses Tab; of the words below each shell makes the same.
types_in() {
	dialog "$@" <<-'END'
		expect go>
		type alation-cred sta
		press I
		type --expiring
		press I
		send 5d
		expect ran: [status] [--expiring-within] [5d] .
		expect go>
		type alation-cred get --format=js
		press I
		press M
		expect ran: [get] [--format=json] .
		expect go>
		type alation-cred token --format hea
		press I
		press M
		expect go>
		type alation-cred get https://7
		press I
		press M
		expect ran: [get] [https://7@catalog.example.com] .
		expect go>
		type alation-cred get "https://102@t
		press I
		press M
		expect ran: [get] [https://102@test.example.com:8443] .
		expect go>
		type alation-cred get https:
		press I
		type 7
		press I
		press M
		expect ran: [get] [https://7@catalog.example.com] .
		expect go>
		type alation-cred set https://102@t
		press I
		type d
		press I
		press M
		expect ran: [set] [https://102@test.example.com:8443] [default] .
		expect go>
		type alation-cred login --keyring sea
		press I
		press M
		expect ran: [login] [--keyring] [sealed-file] .
		expect go>
		type alation-cred exec -- sha224s
		press I
		type /etc/passw
		press I
		press M
		expect ran: [exec] [--] [sha224sum] [/etc/passwd
		expect go>
		type alation-cred login --import /etc/ld.so.conf
		press I
		press M
		expect ran: [login] [--import] [/etc/ld.so.conf
		send exit
	END
	[[ $code == 0 ]]
}

bash_with() { # LINE...
	printf '%s\n' "PS1='go> '" "bind 'set bell-style none' 'set enable-bracketed-paste off'" "$@" "source '$completion/alation-cred.bash'" >"$BATS_TEST_TMPDIR/bashrc"
	run_bash=(bash --noprofile --rcfile "$BATS_TEST_TMPDIR/bashrc" -i)
}

@test "bash completes them, colons and quotes and all" {
	recorder
	bash_with
	types_in "${run_bash[@]}"
	# However it cuts words.
	bash_with 'COMP_WORDBREAKS=" "'
	types_in "${run_bash[@]}"
	bash_with 'shopt -u hostcomplete'
	types_in "${run_bash[@]}"
}

@test "bash completes them beside bash-completion" {
	[[ -e /usr/share/bash-completion/bash_completion ]] || skip 'no bash-completion here'
	recorder
	bash_with 'source /usr/share/bash-completion/bash_completion'
	types_in "${run_bash[@]}"
}

@test "zsh completes them" {
	[[ -x $(command -v zsh) ]] || skip 'no zsh here'
	recorder
	printf '%s\n' "PS1='go> '" 'unsetopt beep' "fpath=('$completion' \$fpath)" "autoload -Uz compinit && compinit -u -d '$BATS_TEST_TMPDIR/dump'" >"$HOME/.zshrc"
	export ZDOTDIR=$HOME
	types_in zsh -d -i
}

@test "fish completes them, with what is said of each" {
	[[ -x $(command -v fish) ]] || skip 'no fish here'
	recorder
	mkdir -p "$HOME/.config/fish/completions"
	ln -s "$completion/alation-cred.fish" "$HOME/.config/fish/completions/"
	printf '%s\n' 'function fish_prompt; echo "go> "; end' 'function fish_greeting; end' >"$HOME/.config/fish/config.fish"
	types_in fish -i
	[[ $(fish -c "complete -C 'alation-cred stat'") == status$'\t'"$(cred --help | sed -nE 's/^  status \[ACCOUNT\] +//p')" ]]
	[[ $(fish -c "complete -C 'alation-cred get https://7'") == https://7@catalog.example.com$'\t''shared, in sealed-file' ]]
}
