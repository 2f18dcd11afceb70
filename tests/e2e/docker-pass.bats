#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The module docker-helper with Debian's docker-credential-pass: a real pass, a real gpg key.

bats_require_minimum_version 1.5.0
load ../lib/lifecycle
load ../lib/pass

setup() {
	[[ -e ${CRED%/*}/modules/docker-helper.so ]] || skip 'built without docker-helper'
	program_environment
	session_start nobus
	program_setup --user demo:demo-password:102 --user other:other-password:103
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	export ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config
	configure 'refresh sufficient docker-helper program=pass'
	helpers=()
}

teardown() {
	pass_stop
	program_end_helpers
	program_teardown
	session_stop
}

configure() { printf '%s\n' "$@" >"$ALATION_CRED_CONFIG"; }
in_pass() { pass_show 102 "$SANDBOX_URL" 2>/dev/null | sed 's/.*&refresh_token=\([^&]*\).*/\1/'; }
module() { sed -n 's/.*&module=\([^&]*\).*/\1/p' "$STATE/accounts"; }
nobody_was_asked() { [[ ! -e $session_dir/asked ]] || fails 'pinentry was started'; }
is_active() { [[ $(sandbox_curl /integration/v1/validateRefreshToken/ -d "user_id=102&refresh_token=$1" | jq -r .token_status) == ACTIVE ]]; }

@test "docker-credential-pass: login, get, status, rotate, a second login, logout" {
	local first
	pass_start
	printf '%s' '{"ServerURL":"https://index.docker.io/v1/","Username":"somebody","Secret":"docker'\''s own"}' | docker-credential-pass store
	login_demo
	expect 0 'is kept in docker-helper'
	[[ $(module) == docker-helper && $(pass_entries | wc -l) == 2 ]]
	first=$(in_pass)
	is_active "$first"
	# What is in pass, and by which name, is no secret's.
	[[ $(pass_entries) != *"$first"* ]]
	run_cred get --fresh
	expect 0
	works "$out"
	run_cred status --format json
	expect 0
	[[ $(jq -r '.accounts[0].refresh | .module + " " + (.passed_over | length | tostring)' <<<"$out") == 'docker-helper 0' ]]
	run_cred rotate
	expect 0
	[[ $(in_pass) != "$first" ]] && is_active "$(in_pass)"
	run ! is_active "$first"
	login_token "$(sandbox_refresh_token 102 pasted)" --exclusive
	expect 0 'is kept in docker-helper'
	run_cred get --fresh
	expect 0
	works "$out"
	run_cred logout
	expect 0
	[[ $(listed) == 0 && $(pass_entries | wc -l) == 1 ]]
	run -0 docker-credential-pass get <<<https://index.docker.io/v1/
	[[ $output == *"docker's own"* ]]
	run_cred get
	expect 3
	nobody_was_asked
}

@test "docker-credential-pass: two accounts are two entries, and each serves itself" {
	pass_start
	login_token "$(sandbox_refresh_token 102 one)" --exclusive
	expect 0
	SANDBOX_USER_ID=103 login_token "$(sandbox_refresh_token 103 other)" --exclusive
	expect 0
	[[ $(pass_entries | sed 's,.*/,,' | paste -sd ' ') == '102 103' ]]
	for id in 102 103; do
		run_cred get "${SANDBOX_URL/:\/\//:\/\/$id@}" --fresh
		expect 0
		works "$out"
	done
	run_cred logout "$ACCOUNT"
	expect 0
	[[ $(pass_entries | sed 's,.*/,,') == 103 ]]
}

@test "the key wants its passphrase: locked and not gone; status asks for none; once the agent has it, it is served" {
	pass_start 'open sesame'
	login_demo
	# A login reads back what it has stored.
	expect 4 'passphrase'
	nobody_was_asked
	[[ -z $(pass_entries) ]]
	pass_agent_remembers 'open sesame'
	login_demo
	expect 0
	pass_agent_forgets
	refuses 4 keyring_locked docker-helper get "$ACCOUNT" --fresh
	run_cred status --format json
	expect 0
	[[ $(jq -r '.accounts[0].refresh.module' <<<"$out") == docker-helper ]]
	run_cred token --fresh
	expect 4
	run_cred rotate
	expect 4
	nobody_was_asked
	pass_agent_remembers 'open sesame'
	run_cred get --fresh
	expect 0
	works "$out"
}

# What gpg-agent speaks with a pinentry, as far as it must be answered.
answering() {
	cat <<-END
		echo OK
		while read -r word rest; do
			case \$word in
			GETPIN) printf 'D %s\nOK\n' '$1' ;;
			BYE) echo OK && exit ;;
			*) echo OK ;;
			esac
		done
	END
}

@test "unlock lets gpg ask; a wrong passphrase is locked still" {
	pass_start 'open sesame'
	pass_agent_remembers 'open sesame'
	login_demo
	expect 0
	answering wrong | pass_pinentry
	run_cred unlock --interactive always
	expect 4
	[[ -e $session_dir/asked ]]
	answering 'open sesame' | pass_pinentry
	run_cred unlock --interactive always
	expect 0
	run_cred get --fresh
	expect 0
	works "$out"
}

@test "a pinentry that nobody answers: the deadline ends the helper" {
	local tool=${B:-$SANDBOX_TOP/.build}/tests/tools/keyring-tool line='refresh sufficient docker-helper program=pass'
	pass_start 'open sesame'
	printf 'v=1&refresh_token=abc' | "$tool" store refresh "$SANDBOX_URL" 102 --line "$line"
	pass_pinentry <<-'END'
		echo OK
		while read -r word rest; do
			[ "$word" != GETPIN ] || exec cat
			echo OK
		done
	END
	run "$tool" --prompt --deadline 3000 --notes lookup refresh "$SANDBOX_URL" 102 --line "$line"
	[[ $status == 6 && $output == *'did not end in time'* ]]
}

@test "the gpg key is gone: failed, with gpg's words, and nothing is taken for absent; back again it serves" {
	pass_start
	login_demo
	expect 0
	pass_agent_forgets
	mv "$GNUPGHOME/private-keys-v1.d" "$GNUPGHOME/gone"
	refuses 5 keyring_failed 'docker-helper|No secret key' get "$ACCOUNT" --fresh
	run_cred rotate
	expect 5
	pass_agent_forgets
	rm -rf "$GNUPGHOME/private-keys-v1.d"
	mv "$GNUPGHOME/gone" "$GNUPGHOME/private-keys-v1.d"
	run_cred get --fresh
	expect 0
	works "$out"
}

@test "pass without a store, no such helper, no program said: nothing was made at the server" {
	export PASSWORD_STORE_DIR=$session_dir/none
	input=$SANDBOX_PASSWORD
	refuses 5 keyring_unavailable 'pass init' login "$SANDBOX_URL" --user demo --password-stdin
	configure 'refresh sufficient docker-helper program=none-of-this-name'
	run_cred login "$SANDBOX_URL" --user demo --password-stdin <<<"$SANDBOX_PASSWORD"
	expect 5 'there is no docker-credential-none-of-this-name in /usr/local/bin, /usr/bin or /bin; put that right, or keep it in an encrypted file'
	configure ''
	run_cred login "$SANDBOX_URL" --user demo --password-stdin --keyring docker-helper <<<"$SANDBOX_PASSWORD"
	expect 5 'program=pass'
	no_calls
}

@test "a store that takes nothing: a rotation is not begun, and the token stays" {
	pass_start
	login_demo
	expect 0
	cp "$PASSWORD_STORE_DIR/.gpg-id" "$session_dir/gpg-id"
	echo 0123456789ABCDEF0123456789ABCDEF01234567 >"$PASSWORD_STORE_DIR/.gpg-id"
	forget_calls
	refuses 5 keyring_failed 'docker-helper|No public key' rotate "$ACCOUNT"
	no_calls
	run_cred get --fresh
	expect 0
	works "$out"
	cp "$session_dir/gpg-id" "$PASSWORD_STORE_DIR/.gpg-id"
	run_cred rotate
	expect 0
}
