#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# install and uninstall: modes whatever the umask, the places that were compiled in, and what the loader refuses there.

bats_require_minimum_version 1.5.0
load lib/program
load lib/installed

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() { installed_setup; }
teardown() { installed_teardown; }

mode() { stat -c %a "$1"; }

# git's own question, answered by whatever git-credential-alation is found in DIRECTORY first.
run_git() { # DIRECTORY
	out=$(printf 'protocol=http\nhost=%s\n' "${SANDBOX_URL#http://}" |
		PATH=$1:$PATH GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 git -c credential.helper=alation credential fill 3>&-)
}

@test "install: modules and their directory are 0755, whatever the umask; DESTDIR and the places are heeded" {
	for mask in 0002 0000 0077; do
		(umask "$mask" && make_it DESTDIR="$BATS_TEST_TMPDIR/$mask" LIBDIR=/opt/lib SYSCONFDIR=/opt/etc install)
		root=$BATS_TEST_TMPDIR/$mask
		for path in "$root/opt/lib/alation-cred" "$root/opt/lib/alation-cred/modules" "$root/opt/lib/alation-cred/modules/secret-service.so" \
			"$root/opt/lib/alation-cred/alation.so" "$root$prefix/bin/alation-cred" "$root$prefix/bin/alation-cred-check-module"; do
			[ "$(mode "$path")" = 755 ] || { echo "$mask: $path is $(mode "$path")"; false; }
		done
		[ "$(mode "$root/opt/lib/pkgconfig/alation-cred.pc")" = 644 ]
		for path in include/alation-cred/module.h share/man/man1/alation-cred.1 share/man/man5/alation-cred.conf.5 share/man/man7/alation-cred-protocol.7 share/man/man7/alation-cred-module.7 \
			share/doc/alation-cred/example-module.c share/doc/alation-cred/alation-cred.schema.json \
			share/doc/alation-cred/ide.md share/doc/alation-cred/ide/alation-token.js share/doc/alation-cred/ide/alation_token.py \
			share/man/man7/alation-cred-keyring.7 \
			share/man/man1/alation-cred-check-module.1 \
			share/bash-completion/completions/alation-cred share/zsh/site-functions/_alation-cred share/fish/vendor_completions.d/alation-cred.fish \
			lib/systemd/user/alation-cred-rotate.service lib/systemd/user/alation-cred-rotate.timer; do
			[ "$(mode "$root$prefix/$path")" = 644 ] || { echo "$mask: $path is $(mode "$root$prefix/$path")"; false; }
		done
		[ "$(mode "$root$prefix/share/man/man7")" = 755 ]
		[ "$(mode "$root$prefix/share/zsh/site-functions")" = 755 ]
		# Without DESTDIR, which is no place on the machine that it will run on.
		grep -q "^ExecStart=$prefix/bin/alation-cred " "$root$prefix/lib/systemd/user/alation-cred-rotate.service"
		# Relative: with DESTDIR the absolute place is another machine's.
		[ "$(readlink "$root$prefix/bin/git-credential-alation")" = alation-cred ]
		grep -q /opt/lib/alation-cred "$root$prefix/bin/alation-cred"
		run ! grep -q "$prefix/lib/alation-cred" "$root$prefix/bin/alation-cred"
	done
}

@test "install: the units go where SYSTEMD_USER_DIR says, with the program's place in them" {
	make_it BINDIR="$prefix/libexec" SYSTEMD_USER_DIR="$prefix/units" install
	[ "$(cd "$prefix/units" && ls -A | paste -sd ' ')" = 'alation-cred-rotate.service alation-cred-rotate.timer' ]
	grep -q "^ExecStart=$prefix/libexec/alation-cred " "$prefix/units/alation-cred-rotate.service"
	run ! grep -r '@[A-Z]*@' "$prefix/units"
	[ ! -e "$prefix/lib/systemd" ]
	make_it BINDIR="$prefix/libexec" SYSTEMD_USER_DIR="$prefix/units" uninstall
	[ -z "$(find "$prefix" ! -type d)" ]
}

@test "install: pkg-config knows the header, where modules go, and the interface's version" {
	asks() { PKG_CONFIG_PATH=$1/pkgconfig pkg-config "${@:2}" alation-cred; }
	make_it install
	asks "$prefix/lib" --validate
	[ "$(asks "$prefix/lib" --cflags | xargs)" = "-I$prefix/include" ]
	[ -z "$(asks "$prefix/lib" --libs | xargs)" ]
	[ "$(asks "$prefix/lib" --variable=prefix)" = "$prefix" ]
	[ "$(asks "$prefix/lib" --variable=includedir)" = "$prefix/include" ]
	[ "$(asks "$prefix/lib" --variable=moduledir)" = "$prefix/lib/alation-cred/modules" ]
	[ -d "$(asks "$prefix/lib" --variable=moduledir)" ]
	[ "alation-cred $(asks "$prefix/lib" --modversion)" = "$("$prefix/bin/alation-cred" --version)" ]
	echo '#include <alation-cred/module.h>' | cc $(asks "$prefix/lib" --cflags) -E -dM -xc - | grep -q "^#define ACRED_MODULE_ABI $(asks "$prefix/lib" --variable=abi)\$"
	# Elsewhere than below the prefix, and with DESTDIR, which is no place on the machine that it is for.
	make_it DESTDIR="$BATS_TEST_TMPDIR/root" LIBDIR=/opt/lib INCLUDEDIR=/opt/include install
	[ "$(asks "$BATS_TEST_TMPDIR/root/opt/lib" --variable=moduledir)" = /opt/lib/alation-cred/modules ]
	[ "$(asks "$BATS_TEST_TMPDIR/root/opt/lib" --cflags | xargs)" = -I/opt/include ]
	# Moved as a whole.
	mv "$prefix" "$prefix-moved"
	[ "$(asks "$prefix-moved/lib" --define-prefix --variable=moduledir)" = "$prefix-moved/lib/alation-cred/modules" ]
	[ "$(asks "$prefix-moved/lib" --define-prefix --cflags | xargs)" = "-I$prefix-moved/include" ]
}

# pkg-config as on a machine without those libraries.
without() {
	printf '#!/bin/sh\nfor word; do\n\tcase $word in %s) exit 1 ;; esac\ndone\nexec pkg-config "$@"\n' "$(IFS='|' && echo "$*")" >"$BATS_TEST_TMPDIR/pkg-config"
	chmod +x "$BATS_TEST_TMPDIR/pkg-config"
}

@test "install: a module whose library is missing is left out, and said; without all that keep a RefreshToken nothing is installed" {
	without libsodium
	run make_it PKG_CONFIG="$BATS_TEST_TMPDIR/pkg-config" install
	[[ $status == 0 && $output == *'installed without sealed-file; '* && $output != *secret-service* ]] || { echo "$output"; false; }
	[ "$(ls "$prefix/lib/alation-cred/modules" | paste -sd ' ')" = 'docker-helper.so secret-service.so' ]
	without libsecret-1
	run make_it PREFIX="$prefix-2" PKG_CONFIG="$BATS_TEST_TMPDIR/pkg-config" install
	[[ $status == 0 && $output == *'installed without secret-service; '* ]] || { echo "$output"; false; }
	[ "$(ls "$prefix-2/lib/alation-cred/modules" | paste -sd ' ')" = 'docker-helper.so sealed-file.so' ]
	without libsodium libsecret-1 json-c
	run make_it PREFIX="$prefix-3" PKG_CONFIG="$BATS_TEST_TMPDIR/pkg-config" install
	[[ $status != 0 && $output == *'not installed: '* ]] || { echo "$output"; false; }
	[ ! -e "$prefix-3" ]
}

@test "install: other places are compiled in anew, the same ones are not" {
	make_it install
	first=$(stat -c %y "$own/installed/alation-cred")
	make_it install
	[ "$(stat -c %y "$own/installed/alation-cred")" = "$first" ]
	make_it PREFIX="$prefix-2" install
	grep -q "$prefix-2/lib/alation-cred" "$prefix-2/bin/alation-cred"
	run ! grep -q "$prefix-2" "$prefix/bin/alation-cred"
}

@test "install: the program finds what was installed, not what lies beside it, and its kernel keys are its own" {
	make_it install
	CRED=$prefix/bin/alation-cred
	rm -rf "$own/alation.so" "$own/modules"
	mkdir "$prefix/bin/modules"
	echo 'not what was installed' | tee "$prefix/bin/alation.so" >"$prefix/bin/modules/secret-service.so"
	login_demo
	expect 0
	run_cred get
	expect 0
	works "$out"
	keyctl search @u user "alation-cred:access:102@$SANDBOX_URL" >/dev/null
	[ -z "$(kernel_keys)" ]
	run_cred logout
	expect 0
}

@test "install: the conformance test takes built-in and installed modules by their names" {
	make_it install
	rm -rf "$own/modules"
	"$prefix/bin/alation-cred-check-module" --only descriptor secret-service >"$OUT"
	grep -qx 'ok 1 - descriptor: what it says of itself is sound' "$OUT"
	"$prefix/bin/alation-cred-check-module" --only 'store: another' kernel prefix=acred-check-module
	run -2 "$prefix/bin/alation-cred-check-module" no-such-module
	[[ $output == *"$prefix/lib/alation-cred/modules/no-such-module.so"* ]]
}

@test "git finds its helper by PATH: the installed link, and the tree's" {
	make_it install
	make_it "$own/git-credential-alation"
	[ "$(readlink "$own/git-credential-alation")" = alation-cred ]
	login_demo
	expect 0
	for place in "$own" "$prefix/bin"; do
		run_git "$place"
		[[ $out == *$'\n'username=102$'\n'password=* ]] || fails "git was given no token by $place"
		token=${out#*password=}
		works "${token%%$'\n'*}"
	done
}

@test "install: a second time over the first, and over a git-credential-alation that is something else" {
	make_it install
	rm "$prefix/bin/git-credential-alation"
	echo 'an older one' >"$prefix/bin/git-credential-alation"
	make_it install
	make_it install
	[ "$(readlink "$prefix/bin/git-credential-alation")" = alation-cred ]
	[ "$(find "$prefix/bin" ! -type d | wc -l)" = 3 ]
}

@test "uninstall: removes what install laid down, and leaves a stranger's module" {
	make_it install
	echo stranger >"$prefix/lib/alation-cred/modules/stranger.so"
	make_it uninstall
	[ "$(cd "$prefix" && find . ! -type d)" = ./lib/alation-cred/modules/stranger.so ]
	rm "$prefix/lib/alation-cred/modules/stranger.so"
	make_it install
	make_it uninstall
	[ -z "$(find "$prefix" ! -type d)" ]
	[ ! -e "$prefix/lib/alation-cred" ]
}

@test "a module that others can write is not loaded: 5, naming file and reason" {
	make_it install
	CRED=$prefix/bin/alation-cred
	module=$prefix/lib/alation-cred/modules/secret-service.so
	chmod o+w "$module"
	input=$SANDBOX_PASSWORD refuses 5 keyring_failed "$module|writable by everybody" login "$SANDBOX_URL" --user demo --password-stdin
	chmod 0755 "$module"
	chmod o+w "${module%/*}"
	input=$SANDBOX_PASSWORD refuses 5 keyring_failed "${module%/*}|writable by everybody" login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
	chmod 0755 "${module%/*}"
	rm "$module"
	input=$SANDBOX_PASSWORD refuses 5 keyring_unavailable "$module|No such file" login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
}

@test "a client of another version, or one that others can write, is refused: 9" {
	make_it install
	CRED=$prefix/bin/alation-cred
	client=$prefix/lib/alation-cred/alation.so
	chmod o+w "$client"
	input=$SANDBOX_PASSWORD refuses 9 configuration "$client|writable by everybody" login "$SANDBOX_URL" --user demo --password-stdin
	version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
	other=${version%?}x
	cp "$client" "$client.new"
	LC_ALL=C sed -i "s/${version//./\\.}/$other/g" "$client.new"
	mv "$client.new" "$client"
	chmod 0755 "$client"
	input=$SANDBOX_PASSWORD refuses 9 configuration "$client|another version" login "$SANDBOX_URL" --user demo --password-stdin
	no_calls
}
