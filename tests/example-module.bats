#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/example-module.c and the page that goes through it, as a reader has them: what was installed, pkg-config and a
# compiler, in a directory of its own. The page's C is read from the page as it is written.

bats_require_minimum_version 1.5.0
load lib/program
load lib/installed

setup_file() { program_setup_file; }
teardown_file() { program_teardown_file; }

setup() {
	installed_setup
	page=$top/docs/alation-cred-module.7
	work=$BATS_TEST_TMPDIR/work
	mkdir -m 0700 "$work" "$HOME/vault"
	make_it install
	CRED=$prefix/bin/alation-cred
	export ALATION_CRED_CONFIG=$HOME/config PKG_CONFIG_PATH=$prefix/lib/pkgconfig
	moduledir=$(pkg-config --variable=moduledir alation-cred)
	file=$HOME/vault/refresh,102,${SANDBOX_URL//\//,}
	cd "$work" || return 1
}
teardown() { installed_teardown; }

# The displays between two headings, as a reader would type them, an empty line between each two: displays FROM TO. C and
# the synopsis stand at the margin; commands and configurations are indented.
displays() {
	awk -v from="$1" -v to="$2" -v begin=".Bd -literal${3:-}" '
		$0 == from { on = 1; next } $0 == to { on = 0 } $0 == begin { text = on; if (on && n++) print ""; next } /^\.Ed/ { text = 0 } text' "$page" |
		sed "s/^\\\\&//; s/\\\\-/-/g; s/\\\\(aq/'/g; s/\\\\(ga/\`/g; s/\\\\(ha/^/g; s/\\\\(ti/~/g; s/\\\\e/\\\\/g"
}
commands() { displays "$1" "$2" ' -offset indent'; }
the_steps() { displays '.Sh A MODULE, STEP BY STEP' '.Sh ASKING A PERSON'; }

# What stands at the end of step N: its functions, and the descriptor with those that are there.
step() {
	displays '.Sh A MODULE, STEP BY STEP' "$(grep "^\.Ss Step $(($1 + 1))" "$page" || echo '.Ss The descriptor')" >functions
	cat functions
	echo
	displays '.Ss The descriptor' '.Sh ASKING A PERSON' | while IFS= read -r line; do
		[[ $line =~ (directory_[a-z]+) ]] && ! grep -q "^static [a-z]* ${BASH_REMATCH[1]}(" functions || printf '%s\n' "$line"
	done
}

compile() { # SOURCE NAME.so [FLAG...]
	(umask 022 && cc -std=c99 -pedantic -Wall -Wextra -Werror -O2 "${@:3}" $(pkg-config --cflags alation-cred) -fPIC -shared -o "$2" "$1" $(pkg-config --libs alation-cred))
}
configure() { printf '%s\n' "$@" >"$ALATION_CRED_CONFIG"; }
drop_cached() { keyctl unlink "$(keyctl search @u user "alation-cred:access:102@$SANDBOX_URL")" @u >/dev/null; }

# Everything that an account lives through. What is kept is seen in the directory.
lives() {
	login_demo
	expect 0 "is kept in ${1:-directory}"
	[[ $(stat -c '%a %U' "$file") == "600 $(id -un)" && $(ls -A "$HOME/vault") == "${file##*/}" ]] || fails 'not one file, 0600'
	drop_cached
	run_cred get
	expect 0
	works "$out"
	before=$(<"$file")
	run_cred rotate
	expect 0
	[[ $(<"$file") != "$before" && $(ls -A "$HOME/vault") == "${file##*/}" ]] || fails 'the file is as it was, or not alone'
	run_cred get
	expect 0
	works "$out"
	run_cred status --format json
	[[ $(jq -r '.accounts[0].refresh.module' <<<"$out") == "${1:-directory}" ]] || fails 'status says otherwise'
	run_cred logout
	expect 0
	[[ -z $(ls -A "$HOME/vault") ]] || fails 'something is left'
}

@test "the parts in the page, one after the other, are the example, line for line" {
	the_steps >steps.c
	[ "$(grep -c '^static' steps.c)" -ge 10 ]
	diff "$top/docs/example-module.c" steps.c
	cmp "$top/docs/example-module.c" "$prefix/share/doc/alation-cred/example-module.c"
}

@test "the example: C99, one symbol, nothing needed but libc" {
	compile "$prefix/share/doc/alation-cred/example-module.c" directory.so -fvisibility=hidden -Wconversion -Wshadow
	[ "$(nm -D --defined-only directory.so | awk '{print $3}')" = alation_cred_module ]
	[ "$(readelf -d directory.so | grep -c NEEDED)" -eq 1 ]
	clang --version >/dev/null 2>&1 || skip 'clang is not installed; gcc builds it without a warning'
	(cc() { clang "$@"; } && compile "$top/docs/example-module.c" clang.so -Wconversion -Wshadow)
}

@test "installed: login, get, rotate, status and logout" {
	compile "$top/docs/example-module.c" directory.so
	install -m 0755 directory.so "$moduledir"
	configure "refresh sufficient directory path=$HOME/vault"
	lives
}

@test "by its absolute path, and in C++ with the page's descriptor" {
	{ sed '/^const struct acred_module /,$d' "$top/docs/example-module.c"; displays '.Sh OTHER LANGUAGES' '.Sh FILES'; } >directory.cc
	grep -q '// lock' directory.cc
	(umask 022 && c++ -std=c++11 -pedantic -Wall -Wextra -Werror -O2 $(pkg-config --cflags alation-cred) -fPIC -shared -o directory.so directory.cc)
	configure "refresh required $work/directory.so path=$HOME/vault"
	lives "$work/directory.so"
	# Moved, and with it what an account knows it by.
	login_demo
	expect 0
	drop_cached
	install -m 0755 directory.so "$moduledir"
	configure "refresh required directory path=$HOME/vault"
	run_cred get
	expect 5 "no line of the stack has the module '$work/directory.so'"
	login_demo
	expect 0 'is kept in directory'
}

@test "each step of the page is a module: it finds, it keeps, it erases, it lists" {
	for n in 1 2 3 4; do
		step "$n" >"$n.c"
		compile "$n.c" "$n.so"
	done
	cmp 4.c "$top/docs/example-module.c"
	configure "refresh sufficient directory path=$HOME/vault"
	# 1: a source. The account is named, since nothing lists it.
	install -m 0755 1.so "$moduledir/directory.so"
	sandbox_refresh_token 102 >"$file"
	run_cred get "${SANDBOX_URL/:\/\//:\/\/102@}"
	expect 0
	works "$out"
	drop_cached
	run_cred rotate "${SANDBOX_URL/:\/\//:\/\/102@}"
	expect 5 'directory'
	rm "$file"
	# 2: a login is kept, but nothing takes it away.
	install -m 0755 2.so "$moduledir/directory.so"
	login_demo
	expect 0 'is kept in directory'
	[[ -s $file ]]
	run_cred logout
	expect 5 'the keyring (directory)' 'can only be read'
	[[ -s $file ]]
	# Nor does another keyring, which has nothing of it, make that a success.
	mkdir -m 0700 lib "$HOME/other"
	install -m 0755 4.so lib/directory.so
	configure "refresh sufficient directory path=$HOME/vault" "refresh sufficient $work/lib/directory.so path=$HOME/other"
	run_cred logout
	expect 5 'the keyring (directory)' 'can only be read'
	[[ -s $file ]]
	configure "refresh sufficient directory path=$HOME/vault"
	# 3: a logout does.
	install -m 0755 3.so "$moduledir/directory.so"
	run_cred logout
	expect 0
	[[ ! -e $file ]]
	# 4: it is found by what it lists.
	install -m 0755 4.so "$moduledir/directory.so"
	login_demo
	run_cred status -v
	expect 0 'locate refresh of 102@'
	[[ $err == *"ok by directory"* ]] || fails 'not located'
}

# The operations in the page's list for a verb, in their order; what stands in for a missing one is left out.
asked() {
	section=$(awk -v head=".It Cm $1" '/^\.Sh THE ORDER/ { there = 1 } there && $0 == head { on = 1; next } /^\.(It|El)/ { on = 0 } on' "$page")
	sed -n '/^or a$/q; s/^\.Fa \([a-z]*\).*/\1/p' <<<"$section" | paste -sd ' '
}

@test "each verb asks what the page says, in that order" {
	awk '{ print } /^static int directory_(lookup|store|erase|list)\(/ { name = $3; sub(/.*directory_/, "", name); sub(/\(.*/, "", name) }
		/^{/ && name { print "\tcall->note(call->host, \"asked: " name "\");"; name = "" }' "$top/docs/example-module.c" >noisy.c
	compile noisy.c "$moduledir/directory.so"
	configure "refresh sufficient directory path=$HOME/vault"
	for verb in login get rotate status logout; do
		case $verb in
		login) login_demo -v ;;
		get) drop_cached && run_cred -v get ;;
		*) run_cred -v "$verb" ;;
		esac
		expect 0
		was=$(sed -n 's/.* ms directory: asked: //p' <<<"$err" | paste -sd ' ')
		[[ $was && $was == "$(asked "$verb")" ]] || fails "asked: $was; the page has: $(asked "$verb")"
	done
}

@test "what is in the way: no directory, another's directory, no argument, a link" {
	compile "$top/docs/example-module.c" "$moduledir/directory.so"
	configure "refresh sufficient directory path=$HOME/vault"
	login_demo
	expect 0
	drop_cached
	mv "$HOME/vault" "$HOME/away"
	run_cred -v get
	expect 5 "cannot look in $HOME/vault: No such file or directory" 'unavailable by directory'
	# The trace is as the page has it.
	while IFS= read -r line; do
		line=${line//\/mnt\/vault/$HOME\/vault}
		[[ $err == *"ms ${line//https:\/\/catalog.example.com/$SANDBOX_URL}"* ]] || fails "no such line: $line"
	done < <(displays '.Sh DEBUGGING' '.Sh OTHER LANGUAGES')
	mv "$HOME/away" "$HOME/vault"
	chmod 0750 "$HOME/vault"
	run_cred get
	expect 5 '0700'
	chmod 0700 "$HOME/vault"
	mv "$file" "$HOME/elsewhere"
	ln -s "$HOME/elsewhere" "$file"
	run_cred get
	expect 5 'Too many levels of symbolic links'
	: >"$HOME/empty" && mv "$HOME/empty" "$file"
	run_cred get
	expect 5 'empty, or too long'
	head -c 65537 /dev/zero | tr '\0' x >"$file"
	run_cred get
	expect 5 'empty, or too long'
	configure 'refresh sufficient directory'
	run_cred get
	expect 5 'wants one argument'
}

@test "a directory that can only be read: what is there serves, and stays" {
	command -v bwrap >/dev/null || skip 'bubblewrap is not installed'
	bwrap --dev-bind / / true 2>/dev/null || skip 'no mount namespaces here'
	compile "$top/docs/example-module.c" "$moduledir/directory.so"
	configure "refresh sufficient directory path=$HOME/vault"
	login_demo
	expect 0
	before=$(<"$file")
	drop_cached
	readonly_place() { bwrap --dev-bind / / --ro-bind "$HOME/vault" "$HOME/vault" "$prefix/bin/alation-cred" "$@"; }
	cred() { readonly_place "$@" 3>&-; }
	run_cred get
	expect 0
	works "$out"
	run_cred rotate --format json
	expect_json 5 keyring_readonly directory
	[[ $(<"$file") == "$before" ]] || fails 'the file is another'
}

@test "two who write take turns, and none waits longer than it may" {
	compile "$top/docs/example-module.c" "$moduledir/directory.so"
	configure "refresh sufficient directory path=$HOME/vault"
	login_demo
	expect 0
	before=$(<"$file")
	mkfifo held go
	flock "$HOME/vault" sh -c 'echo >held; read -r _ <go' 3>&- &
	holder=$!
	read -r _ <held
	drop_cached
	run_cred get
	expect 0
	run_cred rotate
	echo >go
	wait "$holder"
	expect 5 'directory) did not answer in time'
	[[ $(<"$file") == "$before" && $(ls -A "$HOME/vault") == "${file##*/}" ]] || fails 'the old one is not as it was'
	run_cred rotate
	expect 0
}

@test "the conformance test, as the page runs it" {
	PATH=$prefix/bin:$PATH
	compile "$top/docs/example-module.c" directory.so
	eval "$(commands '.Sh TESTING' '.Sh DEBUGGING')"
	[ -z "$(ls -A vault)" ]
}

@test "the smallest module: it has nothing, and nothing is kept in it" {
	displays '.Ss The smallest module' '.Ss What it is asked for' >null.c
	compile null.c "$moduledir/null.so"
	configure "refresh sufficient secret-service" "refresh sufficient $moduledir/null.so"
	login_demo
	expect 0 'is kept in secret-service'
	configure "refresh sufficient $moduledir/null.so"
	run_cred logout
	login_demo
	expect 5 'null.so'
	[ "$(listed)" = 0 ]
}

@test "the page's commands: the synopsis builds, and the installation puts it where it is found" {
	cp "$top/docs/example-module.c" directory.c
	command=$(displays '.Sh SYNOPSIS' '.Sh DESCRIPTION')
	eval "${command//NAME/directory}"
	eval "$(commands '.Sh INSTALLING' '.Sh TESTING' | sed '/^refresh/d')"
	[ "$(stat -c %a "$moduledir/directory.so")" = 755 ]
	configure "refresh sufficient directory path=$HOME/vault"
	login_demo
	expect 0 'is kept in directory'
}
