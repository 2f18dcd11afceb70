# SPDX-License-Identifier: MIT
# What `make install` lays down, tried in a place of the test's own (`load` it after program). Its kernel keys have no
# `-tree` in their names: they lie among the user's own, and are told from them by the sandbox's port.
#
#   installed_setup [SANDBOX OPTION...]   program_setup, $prefix to install to, $own to build in; skips the sanitized build
#   installed_teardown                    program_teardown, and the keys
#   make_it ARG...                        make with both

installed_setup() {
	program_setup "$@"
	top=$SANDBOX_TOP
	build=${B:-$top/.build}
	prefix=$BATS_TEST_TMPDIR/prefix
	nm "$build/alation-cred" | grep -q __asan_init && skip 'the installed build is the one without sanitizers'
	# Linking anew for another place must not disturb the tree's tests.
	own=$BATS_TEST_TMPDIR/build
	mkdir -p "$own/tests"
	cp -r "$build/tests/check-module" "$own/tests"
	cp -r "$build/core" "$build/core.a" "$build/shared" "$build/alation.so" "$build/modules" "$own"
}

installed_teardown() {
	program_teardown
	keyctl list @u | sed -n "s,^ *\([0-9]*\):.*alation-cred:\(access\|recovery\):.*:${SANDBOX_URL##*:}\$,\1,p" |
		while read -r id; do keyctl unlink "$id" @u; done
}

make_it() { make -s -C "$top" B="$own" PREFIX="$prefix" "$@"; }
