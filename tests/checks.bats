#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the build proves: the rules of who may include, link and export what, and that each rule can fail.

bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	B=${B:-$top/.build}
	cd "$top" || return 1
}

check() { make -s B="$B" "$1"; }

# The checkout may be another user's, as in many containers; and a copy without its history has no list of files.
git_here() { git -c safe.directory='*' "$@"; }
listed() { git_here ls-files >"$BATS_TEST_TMPDIR/files" && [ -s "$BATS_TEST_TMPDIR/files" ] || skip 'not a git checkout'; }

# A tree to break: the sources, and what was built of them.
tree() {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir "$tree"
	cp -r Makefile protocol keyring helper tests "$tree"
	cp -r "$B" "$tree/.build"
	cd "$tree" || return 1
}
breaks() { # RULE WORDS: the rule fails now, and says where
	run make -s B=.build "$1"
	[ "$status" -ne 0 ] || { echo "$1 did not notice"; false; }
	[[ $output == *"${2:-}"* ]] || { echo "$output"; false; }
}

@test "layers: who may include whom" {
	check check-layers
	tree
	sed -i '1a #include "helper/context.h"' protocol/token.c
	breaks check-layers protocol/token.c
	cp "$top/protocol/token.c" protocol/token.c
	sed -i '1a #include "protocol/bytes.h"' keyring/stack.c
	breaks check-layers keyring/stack.c
	cp "$top/keyring/stack.c" keyring/stack.c
	sed -i '1a #include <curl/curl.h>' helper/verbs/get.c
	breaks check-layers helper/verbs/get.c
}

@test "links: the executable needs libc alone" {
	[ -z "${SANITIZE:-}" ] || skip 'a sanitizer is a library'
	! nm "$B/alation-cred" | grep -q __asan_init || skip 'a sanitizer is a library'
	check check-links
	tree
	make -s B=.build LDFLAGS='-Wl,--no-as-needed -lm' .build/alation-cred -W helper/main.c
	breaks check-links
}

@test "headers: every header stands on its own" {
	check check-headers
	tree
	printf 'struct x { uint32_t n; };\n' >protocol/broken.h
	breaks check-headers broken.h
}

@test "exports: one symbol a shared object" {
	! nm "$B/alation-cred" | grep -q __asan_init || skip 'a sanitizer exports what it needs'
	check check-exports
	tree
	sed -i 's/local: \*;/local: keep_*;/' keyring/modules/module.map
	sed -i 's/^static int list(/__attribute__((visibility("default"))) int second(void);\nint second(void) { return 1; }\n&/' \
		keyring/modules/secret-service.c
	make -s B=.build all
	breaks check-exports
	cd "$top" && rm -r "$BATS_TEST_TMPDIR/tree" && tree
	cp .build/modules/secret-service.so .build/alation.so
	breaks check-exports
}

@test "hardening: position independent, full RELRO, no executable stack, no RPATH; nodlopen for the executable only" {
	! nm "$B/alation-cred" | grep -q __asan_init || skip 'the hardened build is the one without sanitizers'
	check check-hardening
	# The linker keeps no trace of nodlopen in an executable; in a shared object it would refuse the load.
	[ "$(make -n B="$BATS_TEST_TMPDIR/b" all | grep nodlopen | grep -o -- '-o [^ ]*' | sed 's,.*/b/,,' | sort | tr '\n' ' ')" = 'alation-cred alation-cred-check-module installed/alation-cred installed/alation-cred-check-module ' ]
	readelf -sW "$B/alation-cred" | grep -q '__stack_chk_fail'
	readelf -sW "$B/alation.so" | grep -q '__[a-z]*_chk'
	tree
	make -s B=.build LDFLAGS=-Wl,-rpath,/tmp .build/alation-cred -W helper/main.c
	breaks check-hardening
}

@test "gcc and clang build it without a warning" {
	for compiler in gcc clang; do
		command -v "$compiler" >/dev/null || { missing=$compiler; continue; }
		make -s -j2 B="$BATS_TEST_TMPDIR/$compiler" CC="$compiler" CFLAGS=-Werror all "$BATS_TEST_TMPDIR/$compiler/tests/alation-sandbox"
	done
	[ -z "${missing:-}" ] || skip "$missing is not installed; the other one builds it without a warning"
}

@test "the packager's CPPFLAGS, CFLAGS and LDFLAGS stand after ours" {
	run make -n B="$BATS_TEST_TMPDIR/b" CPPFLAGS=-DTHEIRS CFLAGS=-O1 LDFLAGS=-Wl,--theirs all
	[ "$status" -eq 0 ]
	[[ $output =~ -O2\ .*-DTHEIRS\ -O1\ -c ]]
	[[ $output =~ -z,nodlopen\ -Wl,--theirs ]]
	[[ $output =~ version-script.*-Wl,--theirs ]]
}

@test "the version stands in one place" {
	version=$(sed -n 's/^VERSION := //p' Makefile)
	[ -n "$version" ]
	[ "$("$B/alation-cred" --version)" = "alation-cred $version" ]
	listed
	run git_here grep -lF "$version" -- protocol keyring helper docs README.md
	[ "$output" = docs/CHANGELOG.md ]
}

@test "every source says its licence, and the top level is what was agreed" {
	listed
	run git_here grep -L 'SPDX-License-Identifier: MIT' -- '*.c' '*.h' '*.map' '*.bats' '*.bash' '.packaging/systemd/*' '.packaging/*.in' 'docs/completion/*' Makefile tests/run tests/demo tests/try tests/deps tests/bench/run .ci/run
	[ -z "$output" ]
	grep -q 'MIT License' docs/LICENSE
	run bash -c "cut -d/ -f1 '$BATS_TEST_TMPDIR/files' | sort -u | grep -v '^\.' | grep -vxE 'Makefile|helper|keyring|protocol|tests|docs|README\.md'"
	[ -z "$output" ]
}

@test "--help names every verb and option, on a screen" {
	verbs=$(sed -n 's/^\t{ "\([a-z]*\)", [a-z]*_main, .*/\1/p' helper/verbs/table.c)
	[ "$(wc -l <<<"$verbs")" -ge 12 ]
	all=$("$B/alation-cred" --help)
	for verb in $verbs; do
		run "$B/alation-cred" "$verb" --help
		[ "$status" -eq 0 ]
		[[ $output == "usage: alation-cred $verb "* && $output == *example:* ]]
		[ "${#lines[@]}" -le 24 ]
		[[ $all == *"  $verb "* ]]
		helps+=$output
	done
	options=$(sed -n 's/^\t{ "\(--*[a-z][a-z-]*\)", .*, "[^"]*" },$/\1/p' helper/options.c)
	[ "$(wc -l <<<"$options")" -ge 21 ]
	while read -r option; do
		[[ $helps == *"  $option "* ]] || { echo "no help for $option"; false; }
	done <<<"$options"
}

@test "failpoints are in the build for tests alone" {
	grep -q ALATION_CRED_FAILPOINT "$B/alation-cred-failpoints"
	run ! grep -q ALATION_CRED_FAILPOINT "$B/alation-cred"
	run ! grep -q ALATION_CRED_FAILPOINT "$B/installed/alation-cred"
	grep -q 'rotate\.stored' "$B/alation-cred-failpoints"
	run ! grep -q 'rotate\.stored' "$B/alation-cred"
}
