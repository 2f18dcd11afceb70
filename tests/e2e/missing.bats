#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An installed program whose keyring module is not there, or whose library is not: the account stays visible, what is cached is served,
# and who wants more is told what to install.

bats_require_minimum_version 1.5.0
load ../lib/program
load ../lib/installed

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	installed_setup
	as=()
	make_it install
	CRED=$prefix/bin/alation-cred
	MODULES=$prefix/lib/alation-cred/modules
	ACCOUNT=${SANDBOX_URL/:\/\//:\/\/102@}
	login_demo
	expect 0
	run_cred get
	expect 0
	cached=$out
}
teardown() { installed_teardown; }

cred() { setsid -w "${as[@]}" "$CRED" "$@" 3>&-; }

drop_cached() {
	keyctl unlink "$(keyctl search @u user "alation-cred:access:102@$SANDBOX_URL")" @u >/dev/null
}

# What the loader says, and the words that help: for each verb.
says() { # REASON WORDS
	local asked
	asked=$(calls)
	run_cred get
	expect 0
	[[ $out == "$cached" ]] || fails 'another token' || return 1
	run_cred status
	expect 0
	[[ $out == *$'\n'"$ACCOUNT  (default, "*"RefreshToken  '"*"' cannot be told: "*"secret-service (unavailable: $1; $2)"*'access token  in kernel' ]] || fails 'not in words' || return 1
	run_cred status --format json
	expect 0
	[[ $(jq -r '.accounts[0].access.module' <<<"$out") == kernel ]] || fails 'no access token' || return 1
	[[ $(jq -r '.accounts[0].refresh | .module, (.passed_over[] | select(.module == "secret-service") | .status, .why)' <<<"$out") == "null
unavailable
$1; $2" ]] || fails 'not in JSON' || return 1
	run_cred status --expiring-within 7d # its date counts
	expect 0
	[[ $(calls) == "$asked" ]] || fails 'the server was asked' || return 1
	drop_cached
	: >"$SANDBOX_LOG"
	refused_plainly=
	refuses 5 keyring_unavailable "the keyring module 'secret-service' cannot be used for $ACCOUNT: $1; $2, or keep it in an encrypted file" get || return 1
	refuses 5 keyring_unavailable "$1; $2" rotate || return 1
	refuses 5 keyring_unavailable "$1; $2" validate || return 1
	input=$SANDBOX_PASSWORD refuses 5 keyring_unavailable "$1|$2" login "$SANDBOX_URL" --user demo --password-stdin || return 1
	input=$SANDBOX_PASSWORD refuses 5 keyring_unavailable "$1|$2" login "$SANDBOX_URL" --user demo --password-stdin --keyring secret-service || return 1
	no_calls
	printf 'refresh required secret-service\n' >"$BATS_TEST_TMPDIR/config"
	ALATION_CRED_CONFIG=$BATS_TEST_TMPDIR/config refuses 9 configuration "which the configuration requires, cannot be used: $1; $2, or take its line out" get
}

serves_again() {
	run_cred get
	expect 0
	works "$out"
}

@test "the module's file is not there: status shows the account, a warm get serves, all else is 5 and names file and package" {
	mv "$MODULES/secret-service.so" "$BATS_TEST_TMPDIR"
	says "$MODULES/secret-service.so: No such file or directory" "install that module, which is built where Debian's package libsecret-1-dev is"
	mv "$BATS_TEST_TMPDIR/secret-service.so" "$MODULES"
	serves_again
}

@test "no module is there at all: the same" {
	mv "$MODULES" "$BATS_TEST_TMPDIR"
	says "$MODULES/secret-service.so: No such file or directory" "install that module, which is built where Debian's package libsecret-1-dev is"
	mv "$BATS_TEST_TMPDIR/modules" "${MODULES%/*}"
	serves_again
}

@test "a library that the module wants is not there: the same, and names the library too" {
	cp "$MODULES/secret-service.so" "$BATS_TEST_TMPDIR"
	LC_ALL=C sed -i 's/libsecret-1\.so\.0/libsecret-9.so.0/' "$MODULES/secret-service.so" # as long as the name was
	says "$MODULES/secret-service.so: libsecret-9.so.0: cannot open shared object file: No such file or directory" "install Debian's package libsecret-1-0, which that module needs"
	cp "$BATS_TEST_TMPDIR/secret-service.so" "$MODULES"
	serves_again
}

# Where COMMAND looks there is no libsecret: a directory of links to all else lies over that of the libraries.
without_libsecret() {
	unshare --mount bash -c '
		dir=$(dirname "$(readlink -f "$(ldconfig -p | sed -n "s/.*libsecret-1\.so\.0 .*=> //p" | head -n 1)")")
		mkdir -p "$1/libraries" "$1/links"
		mount --bind "$dir" "$1/libraries" || exit 99
		[ -e "$1/links/libc.so.6" ] || find "$1/libraries" -mindepth 1 -maxdepth 1 ! -name "libsecret*" -exec ln -st "$1/links" {} +
		mount --bind "$1/links" "$dir" || exit 99
		shift
		exec "$@"' - "$BATS_TEST_TMPDIR" "$@"
}

@test "libsecret is not there: 5, naming libsecret-1.so.0 and its package" {
	[[ $EUID == 0 ]] || skip 'only root can hide a library'
	without_libsecret true || skip 'nothing can be mounted here'
	as=(bash -c 'source "$BATS_TEST_TMPDIR/without"; without_libsecret "$@"' -)
	declare -f without_libsecret >"$BATS_TEST_TMPDIR/without"
	export BATS_TEST_TMPDIR
	says "$MODULES/secret-service.so: libsecret-1.so.0: cannot open shared object file: No such file or directory" "install Debian's package libsecret-1-0, which that module needs"
	as=()
	serves_again
}
