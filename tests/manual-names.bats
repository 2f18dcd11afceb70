#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What docs/alation-cred-keyring.7 says of the names that secrets have in each module is what stands there, in a real
# gnome-keyring, in the kernel and in files. Keys and files have a prefix of this test's own and go with it.

bats_require_minimum_version 1.5.0
load lib/session

URL=https://catalog.example.com:8443
RECORD='v=1&kind=refresh-token&base_url=https%3A%2F%2Fcatalog.example.com%3A8443&user_id=102&refresh_token=abc'

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	B=${B:-$top/.build}
	tool=$B/tests/tools/keyring-tool
	prefix=alation-cred-manual-$$
	private=/dev/shm/alation-cred-$EUID
	[ -e "$private" ] || made=$private
}

teardown() {
	session_stop
	keyctl list @u | sed -n "s,^ *\([0-9]*\):.* $prefix:.*,\1,p" | while read -r id; do keyctl unlink "$id" @u; done
	rm -f "$private/$prefix:"*
	[ -z "${made:-}" ] || rmdir "$made" 2>/dev/null || true # unless another has found it useful meanwhile
}

# The displayed names of a module's subsection, filled in for this test's prefix and account.
names() { # MODULE
	awk -v head=".Ss $1" '/^\.S[sh] / { on = $0 == head; next } on' "$top/docs/alation-cred-keyring.7" |
		sed -nE 's/^\.Dl //p' | sed "s,^alation-cred:,$prefix:,; s,USER_ID,102,; s,BASE_URL,$URL,; s,HOST,${URL#https://},"
}

store() { # FACILITY MODULE [ARGUMENT...]
	printf %s "$RECORD" | "$tool" --ttl 60 store "$1" "$URL" 102 --line "$1 sufficient ${*:2}"
}

keys() { keyctl list @u | sed -n "s,.* user: \($prefix:.*\),\1,p"; }

@test "kernel: the description of a key" {
	store access kernel "prefix=$prefix"
	[ "$(names kernel)" = "$prefix:access:102@$URL" ]
	[ "$(keys)" = "$(names kernel)" ]
}

@test "private-file: directory, name and modes" {
	store access private-file "prefix=$prefix"
	grep -qF "/dev/shm/alation-cred- Ns Ar UID" "$top/docs/alation-cred-keyring.7"
	[ "$(cd "$private" && ls -d "$prefix:"*)" = "$(names private-file | sed 's,/,%2F,g')" ]
	[ "$(stat -c %a "$private")" = 700 ]
	[ "$(stat -c %a "$private/$prefix:"*)" = 600 ]
}

@test "sealed-file: the file, what lies beside it, and the key that rests" {
	local state=$BATS_TEST_TMPDIR/state salt
	(umask 077 && echo 'a passphrase' >"$BATS_TEST_TMPDIR/key")
	XDG_STATE_HOME=$state store refresh sealed-file "key-file=$BATS_TEST_TMPDIR/key" unlock-time=60 "prefix=$prefix"
	[ "$(cd "$state/alation-cred" && ls -A | paste -sd ' ')" = 'sealed sealed.lock' ]
	[ "$(stat -c %a "$state/alation-cred/sealed")" = 600 ]
	[ "$(head -c 12 "$state/alation-cred/sealed")" = acred-sealed ]
	run ! grep -qa catalog.example.com "$state/alation-cred/sealed"
	salt=$(od -An -tx1 -j24 -N16 "$state/alation-cred/sealed" | tr -d ' \n')
	[ "${#salt}" -eq 32 ]
	[ "$(keys)" = "$(names sealed-file | sed "s,SALT,$salt,")" ]
}

@test "docker-helper: address and user name" {
	[ -e "$B/modules/docker-helper.so" ] || skip 'no docker-helper here'
	printf '#!/bin/sh\n[ "$1" = store ] && cat >%s/entry\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/program"
	chmod 0755 "$BATS_TEST_TMPDIR/program"
	store refresh docker-helper "program=$BATS_TEST_TMPDIR/program"
	[ "$(jq -r .ServerURL "$BATS_TEST_TMPDIR/entry")" = "$(names docker-helper)" ]
	[ "$(jq -r .Username "$BATS_TEST_TMPDIR/entry")" = 102 ]
}

@test "secret-service: label and attributes" {
	session_start unlocked
	store refresh secret-service
	awk '/^\.Ss / { on = $0 == ".Ss secret-service" } on && /^\.Bd/ { shown = 1; next } /^\.Ed/ { shown = 0 } on && shown' "$top/docs/alation-cred-keyring.7" |
		sed "s/\\\\-/-/g; s/ \+/=/; s,=BASE_URL,=$URL,; s,=USER_ID,=102," | sort >"$BATS_TEST_TMPDIR/page"
	secret-tool search --all application alation-cred 2>&1 | tee "$BATS_TEST_TMPDIR/found" | sed -n 's/^attribute\.\(.*\) = /\1=/p' | sort | diff "$BATS_TEST_TMPDIR/page" -
	grep -qxF "label = $(names secret-service)" "$BATS_TEST_TMPDIR/found"
}
