#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The conformance test of keyring modules: each case fails for a module that is wrong in just that (tests/modules/one-fault.c),
# and for no sound one. What our own modules make of it stands in check-module-ours.bats.

bats_require_minimum_version 1.5.0
load lib/session
load lib/check-module

setup() {
	check_module_setup
	guest=$B/tests/modules/one-fault.so
}
teardown() { check_module_teardown; }

# fault FAULT CASE [OPTION...]: the case fails, and says something; of the sound module it passes. Several are tried side by
# side, for most of their time is waiting: each in a directory of its own, where the module's is `kept`. What is wrong lies in
# $dir/wrong when all_faults has come back.
fault() {
	tried+=("$2")
	while [[ $(jobs -rp | wc -l) -ge $AT_ONCE ]]; do wait -n || :; done
	try_fault "${#tried[@]}" "$@" >>"$dir/wrong" 2>&1 3>&- &
}
AT_ONCE=4
try_fault() {
	local name=$2 case=$3 out
	mkdir -p "$dir/$1/kept"
	cd "$dir/$1" || return 1
	shift 3
	out=$(ONE_FAULT=$name ASAN_OPTIONS=detect_leaks=0 "$check" --margin 0 --deadline 1 "$@" --only "$case" --only 'lookup: what was never stored is absent' \
		--only 'store: another process' "$guest" "dir=$PWD/kept" "${given[@]}" 2>&1) || :
	grep -q "^not ok [0-9]* - $case" <<<"$out" || { printf '%s\n' "no failure of '$case' for fault=$name:" "$out"; return; }
	grep -qE "^# [0-9]+ passed, [1-9][0-9]* failed, [0-9]+ skipped$" <<<"$out" || echo "$name: $out"
	grep -A1 "^not ok [0-9]* - $case" <<<"$out" | grep -q '^# [^0-9]' || echo "$name: nothing is said: $out"
}
all_faults() {
	wait
	cat "$dir/wrong"
	[[ ! -s $dir/wrong ]]
}

# Commands that empty the files in which it keeps something, and give them back.
DAMAGE='cp -r kept whole && truncate -s 0 kept/*'
MEND='cp whole/* kept && rm -r whole'

@test "a sound module passes all of it" {
	mkdir "$dir/kept"
	printf yes >"$dir/answer"
	cd "$dir" || return 1
	passes --answer "$dir/answer" --freeze "touch $dir/kept/frozen" --thaw "rm $dir/kept/frozen" \
		--unwritable "touch $dir/kept/unwritable" --writable "rm $dir/kept/unwritable" \
		--corrupt "$DAMAGE" --mend "$MEND" "$guest" "dir=$dir/kept"
	skipped_because 'it stores'
	[[ -z $(ls -A "$dir/kept") ]]
}

@test "frozen: a look-up and a list that need no service may answer" {
	mkdir "$dir/kept"
	ONE_FAULT=reads-without-lock passes --only frozen --freeze "touch $dir/kept/frozen" --thaw "rm $dir/kept/frozen" "$guest" "dir=$dir/kept"
	[[ -z $skips ]]
}

@test "held: with a line feed at its end or without, and told apart from what differs" {
	printf 'yes\n' >"$dir/yes"
	printf 'yet' >"$dir/yet"
	holds=(--only 'lookup: what it holds comes whole' --only host)
	for each in held-anybody held-line; do
		ONE_FAULT=$each passes "${holds[@]}" --holds "refresh,102,$URL=$dir/yes" --holds "access,3,$URL=$dir/yes" "$guest" held=yes
	done
	ONE_FAULT=held-anybody run -1 "$check" "${holds[@]}" --holds "refresh,102,$URL=$dir/yet" "$guest" held=yes
	[[ $output == *": ok (0); it differs at byte 3 of 3"* ]] || { echo "$output"; false; }
	ONE_FAULT=held-line run -1 "$check" "${holds[@]}" --holds "refresh,102,$URL=$dir/yet" "$guest" held=yes
	[[ $output == *": ok (0); 4 bytes, not the 3 that are held"* ]] || { echo "$output"; false; }
	for each in 'https://Check-Module.test' 'https://check-module.test:443' 'https://check-module.test/'; do
		run -2 --separate-stderr "$check" --holds "refresh,102,$each=$dir/yes" environment
		[[ -z $output && $stderr == *"'$each' is not normalised, as keys are; write 'https://check-module.test'" ]] || { echo "$stderr"; false; }
	done
	run -2 --separate-stderr "$check" --holds "refresh,102,ftp://x=$dir/yes" environment
	[[ -z $output && $stderr == *": --holds: 'ftp://x': "* ]]
}

@test "what a module without an erase keeps is left, and said; the cases after it do not mistake it" {
	mkdir "$dir/kept"
	run -0 "$check" "$B/tests/modules/no-erase.so" "dir=$dir/kept"
	[[ $output == *$'\n# it lists '*' that are left of the cases before: it has no erase'$'\n'* ]]
	[[ ${lines[-2]} == '# '*' entries below k'*'.check-module.invalid are left: it has no erase' ]]
}

@test "each case fails for a module that is wrong in just that" {
	given=() tried=()
	fault open-status 'open: without an argument it answers'
	fault open-crash 'open: without an argument it answers'
	fault open-refuses 'open: with its arguments it opens'
	fault any-argument 'open: an argument that nobody knows is refused'
	fault mute-refusal 'open: an argument that nobody knows is refused'
	fault close-crash 'open: and close, again and again'
	fault close-hangs 'open: and close, again and again'
	fault absent-fails 'lookup: what was never stored is absent'
	fault new-fails 'lookup: what was never stored is absent'
	fault ok-without-put 'lookup: what was never stored is absent'
	fault invents 'lookup: what was never stored is absent'
	fault not-kept-fails 'lookup: what was never stored is absent in every facility'
	fault takes-nothing 'store: a facility at least is taken'
	fault not-kept-denied 'store: a facility at least is taken'
	fault mute-refusal 'store: a facility at least is taken'
	fault forgets 'store: another process finds the same'
	fault denies 'store: a facility at least is taken'
	fault takes-away 'store: another process finds the same'
	fault line-feed 'store: another process finds the same'
	fault nul 'store: another process finds the same'
	fault pointer 'store: the same process finds the same'
	fault first-stays 'store: a second secret takes the place of the first'
	fault overlays 'store: a second secret takes the place of the first'
	fault appends 'store: a second secret takes the place of the first'
	fault decodes 'store: every byte that a record may have, and one byte alone'
	fault cuts 'store: up to 8 KiB come back whole'
	fault forgets-long 'store: up to 8 KiB come back whole'
	fault small 'store: up to 8 KiB come back whole'
	fault limit-loses 'store: up to 64 KiB come back whole'
	fault no-user 'store: users are told apart'
	fault short-user 'store: users are told apart'
	fault erases-all 'store: users are told apart'
	fault no-url 'store: addresses are told apart'
	fault no-scheme 'store: addresses are told apart'
	fault no-port 'store: addresses are told apart'
	fault no-facility 'store: facilities are told apart'
	fault short-url 'store: the longest accounts are told apart, or refused'
	fault erases-nothing 'erase: what was stored is gone, and can come again'
	fault erase-nothing-ok 'erase: of nothing is absent'
	fault new-erases 'erase: of nothing is absent'
	fault ttl-milliseconds 'ttl: what is kept for long is there'
	fault ttl-minutes 'ttl: what is kept for long is there'
	fault expires-half 'ttl: after its second it is absent, or the same'
	fault list-expired 'ttl: after its second it is absent, or the same'
	fault ttl-stays 'ttl: a secret without an end does not inherit one'
	fault list-absent 'list: it answers'
	fault new-absent 'list: it answers'
	fault list-short 'list: what was stored is listed once'
	fault list-twice 'list: what was stored is listed once'
	fault erases-nothing 'list: what was erased is not listed'
	fault in-place 'at once: one process stores, others look it up'
	fault shared-temporary 'at once: several processes store into one account'
	fault shared-temporary 'at once: each process has an account of its own'
	fault global-state 'at once: opened twice in one process, and one of them closed'
	fault leak-lookup 'again: what was opened for its calls is closed in the end'
	fault lock-always 'lock: a second one has nothing to forget'
	fault lock-erases 'lock: takes no secret away'
	fault refused-ok 'host: a secret that is refused is a failure, and stays'
	fault exact-size 'host: a newer one, whose calls have more members'
	fault exact-flags 'host: a newer one, whose calls have more members'
	fault asks-blindly 'person: somebody may be there, and cannot be asked'
	fault absent-unanswered 'person: somebody is asked and does not answer'
	fault wants-deadline 'deadline: none'
	fault store-wants-deadline 'deadline: none for a store and an erase'
	fault erase-wants-deadline 'deadline: none for a store and an erase'
	fault late-absent 'deadline: a look-up after it'
	fault late-half 'deadline: a store after it'
	fault late-erase-absent 'deadline: an erase after it'
	fault lookup-status 'every call: what it answers and lists is what the interface has'
	fault list-zero 'every call: what it answers and lists is what the interface has' --only 'list: what was stored'
	fault puts-twice 'every call: put() once for each secret that is found, and never else'
	fault ok-without-put 'every call: put() once for each secret that is found, and never else'
	fault put-and-absent 'every call: put() once for each secret that is found, and never else'
	fault store-puts 'every call: put() once for each secret that is found, and never else'
	fault two-lines 'every call: notes are one line and hold no secret'
	fault secret-in-note 'every call: notes are one line and hold no secret'
	fault thread 'every call: call-backs come from its thread, before it returns, with its host'
	fault list-host 'every call: call-backs come from its thread, before it returns, with its host' --only 'list: what was stored'
	fault stdout 'every call: nothing is written to stdout'
	fault stderr 'every call: nothing is written to stderr'
	fault stdin 'every call: stdin is left alone'
	fault umask 'every call: umask, directory, signals, environment and locale stay as they are'
	fault directory 'every call: umask, directory, signals, environment and locale stay as they are'
	fault signals 'every call: umask, directory, signals, environment and locale stay as they are'
	fault mask 'every call: umask, directory, signals, environment and locale stay as they are'
	fault environment 'every call: umask, directory, signals, environment and locale stay as they are'
	fault locale 'every call: umask, directory, signals, environment and locale stay as they are'
	fault dumpable 'every call: umask, directory, signals, environment and locale stay as they are'
	fault child 'every call: no child process is left'
	fault zombie 'every call: no child process is left'
	fault inherited 'every call: descriptors are closed on exec'
	fault leak-open 'every call: open and close leave no descriptor behind' --only 'open: and close'
	fault hangs 'every call: it comes back'
	fault crash 'every call: it does not end the process'
	fault exits 'every call: it does not end the process'

	printf yes >"$dir/answer"
	fault needs-person 'person: nobody is there' --answer "$dir/answer"
	fault list-asks 'every call: lists and locks ask nobody' --answer "$dir/answer" --only 'list: what was stored'

	hooks=(--freeze 'touch kept/frozen' --thaw 'rm kept/frozen')
	fault waits-for-ever 'frozen: a look-up comes back' "${hooks[@]}"
	fault frozen-absent 'frozen: a look-up comes back' "${hooks[@]}"
	fault frozen-list-ok 'frozen: a list comes back' "${hooks[@]}"
	fault waits-for-ever 'frozen: a store comes back, and leaves the old secret or the new one' "${hooks[@]}"
	fault waits-for-ever 'frozen: an erase comes back, and leaves the secret or nothing' "${hooks[@]}"
	fault unwritable-ok 'unwritable: a store fails, and what was there stays' --unwritable 'touch kept/unwritable' --writable 'rm kept/unwritable'
	fault corrupt-absent 'corrupt: what cannot be read is not absent' --corrupt "$DAMAGE" --mend "$MEND"

	# One that can only be read: it holds one entry for everybody, and says so in no list.
	given=(held=yes)
	printf 'of another' >"$dir/other"
	fault held-anybody 'lookup: what it holds is no other account' --holds "refresh,102,$URL=$dir/answer"
	fault held-anybody 'lookup: what it holds comes whole' --holds "refresh,102,$URL=$dir/other"
	fault held-anybody 'list: what it holds is listed once' --holds "refresh,102,$URL=$dir/answer"
	fault held-erases 'store: what can only be read says so'

	given=()
	cp "$guest" "$dir/another-name.so"
	guest=$dir/another-name.so
	fault none 'descriptor: what it says of itself is sound'

	all_faults
	# No case without a module that it fails for.
	diff <("$check" --list | sort -u) <(printf '%s\n' "${tried[@]}" "lookup: what it holds is no other account's" \
		'store: up to 64 KiB come back whole, or what was there stays' | grep -vx 'lookup: what it holds is no other account' |
		grep -vx 'store: up to 64 KiB come back whole' | sort -u)
}

# says FAULT CASE PATTERN: what is said where the case fails, which matches all of it.
says() {
	rm -rf "$dir/kept"
	mkdir "$dir/kept"
	ONE_FAULT=$1 ASAN_OPTIONS=detect_leaks=0 run -1 "$check" --margin 0 --deadline 1 --only "$2" "$guest" "dir=$dir/kept"
	said=$(sed -n "/^not ok [0-9]* - $2/,/^ok /p" <<<"$output")
	[[ $said == $3 ]] || { printf '%s\n' "$1: $output"; false; }
}

@test "what is said names the cause" {
	says open-refuses 'open: with its arguments' $'*\n# open answered unavailable (3), noting: no\n*'
	[[ ${lines[-2]} == 'Bail out! open failed: unavailable (3), noting: no' ]]
	says open-crash 'open: with its arguments' $'*\n# in open the module died of signal 6 (Aborted)\n*'
	[[ ${lines[-2]} == 'Bail out! in open the module died of signal 6 (Aborted)' ]]
	says store-crash 'store: a facility' $'*\n# a store into refresh: in store the module died of signal 6 (Aborted)\n*'
	says store-absent 'store: a facility' $'*\n# a store into refresh: absent\n# expected: store: "Never ACRED_ABSENT"\n*'
	says puts-twice 'store: another process' '*; not ok; it has called put() twice, and the second one is refused*'
	says ok-without-put 'lookup: what was never stored is absent' '*; it has not called put()*'
	says shared-temporary 'at once: each process' $'*\n# turn * of process * of 6, which alone stores for user *: its store * one of another process*'
	for each in stored erased; do
		says list-runs-on "list: what was $each" $'*\n# list: * of * keys are not well formed: each() with a base_url whose byte * none can have: does it have its NUL?\n*'
		[[ $output != *secret* ]]
	done
	says list-twice 'list: what was erased' '*is listed 2 times, before anything is erased*'
}

@test "what is quoted stands in the public header" {
	# Its comments as one text, without their stars and line ends.
	header=$(sed -E 's,^[[:space:]]*(/?\*+/?)?[[:space:]]?,,; s,\*/, ,g' "$top/keyring/module.h" | tr -s '[:space:]' ' ')
	mapfile -t quotes < <(cat "$top"/tests/check-module/*.c | grep -oE '\\"([^"\\]|\\[^"])*\\"' | sed 's/^\\"//; s/\\"$//' | sort -u)
	[[ ${#quotes[@]} -ge 15 ]]
	for each in "${quotes[@]}"; do
		[[ $header == *"$each"* ]] || { echo "the header does not say: $each"; false; }
	done
}

@test "usage and what cannot be loaded: exit 2, on stderr alone" {
	for arguments in '' '--no-such x m' '--facility nothing kernel' '--freeze true kernel' '--holds x kernel' '--only nothing kernel' '--deadline x kernel' \
		'--answer /nowhere kernel' /nowhere/module.so no-such-module; do
		run -2 --separate-stderr "$check" $arguments
		[[ -z $output && $stderr == 'alation-cred-check-module: '* ]] || { echo "$arguments: $output $stderr"; false; }
	done
	for each in no-symbol old-abi no-lookup small-struct; do
		run -2 --separate-stderr "$check" "$B/tests/modules/$each.so"
		[[ -z $output && $stderr == *"$each.so: "* ]] || { echo "$each: $output $stderr"; false; }
	done
	# The page explains the options that --help has.
	diff <("$check" --help | sed -nE 's/^  (--.*)/\1/p' | grep -oE -- '--[a-z]+' | sort -u) \
		<(sed -nE 's/^\.It (Fl -.*)/\1/p' "$top/docs/alation-cred-check-module.1" | grep -oE -- 'Fl -[a-z]+' | sed 's/Fl -/--/' | sort -u)
	[[ $("$check" --help) == 'usage: alation-cred-check-module '* ]]
	[[ $("$check" --version) == "alation-cred-check-module $("$B/alation-cred" --version | cut -d' ' -f2)" ]]
}

@test "one that crashes when it is loaded fails, and the rest is still counted" {
	install -m 0644 "$B/tests/modules/misloads.so" "$dir/misloads.so"
	for wrong in segv abort exit pause; do
		MISLOADS=$wrong ASAN_OPTIONS=handle_segv=0 run -1 --separate-stderr "$check" --margin 0 --deadline 1 "$dir/misloads.so"
		[[ -z $stderr && ${lines[2]} == 'not ok 1 - descriptor: '* && ${lines[3]} == '# '*load* ]] || { echo "$wrong: $output $stderr"; false; }
		[[ ${lines[-1]} =~ ^'# '[0-9]+' passed, '[0-9]+' failed, '[0-9]+' skipped'$ ]]
	done
	run -0 "$check" "$dir/misloads.so"
	MISLOADS=print run -1 "$check" --only every "$dir/misloads.so"
	[[ $output == *$'\n# in load: 7 bytes were written there\n'* ]] || { echo "$output"; false; }
}

@test "make check-module, with a relative path and arguments" {
	mkdir "$dir/kept"
	cp "$guest" "$dir"
	cd "$dir" || return 1
	run -0 "$check" --only 'store: another' ./one-fault.so "dir=$dir/kept"
	run -2 "$check" one-fault.so "dir=$dir/kept"
	[[ $output == 'alation-cred-check-module: one-fault.so: a file is given with a slash: ./one-fault.so' ]]
	run -0 make -s -C "$top" B="$B" check-module MODULE="$dir/one-fault.so" ARGS="dir=$dir/kept" CHECK="--only store:"
	[[ $output == *'ok 2 - store: a facility at least is taken'* && $output == *' 0 failed, 1 skipped' ]] || { echo "$output"; false; }
}

@test "interrupted, it ends its process and takes away what it stored" {
	mkdir "$dir/kept"
	touch "$dir/kept/frozen"
	ONE_FAULT=waits-for-ever "$check" --deadline 600 --only 'store: another' "$guest" "dir=$dir/kept" >"$dir/out" 3>&- &
	pid=$!
	until guest_pid=$(pgrep -P "$pid"); do kill -0 "$pid"; done
	kill -TERM "$pid"
	rm "$dir/kept/frozen"
	status=0
	wait "$pid" || status=$?
	[[ $status == 1 ]]
	run ! kill -0 "$guest_pid"
	[[ -z $(ls -A "$dir/kept") ]]
}
