# SPDX-License-Identifier: MIT
# The conformance test of modules, for the files that try it (`load` it after session, which it needs).
#
#   check_module_setup, check_module_teardown    $check is the program, $dir a directory of the test's own
#   passes OPTION... MODULE [ARG...]   no case fails; the reasons of those that were skipped are in $skips. The count is in
#                                      bats' output, for docs/reliability.md
#   skipped_because REASON...          all reasons, whatever their order
#   NO_HOOKS                           those that stand where no hook is given

NO_HOOKS=('no --freeze stops its service' 'no --unwritable closes its place' 'no --corrupt damages what it keeps')
MAY_REFUSE= # the longest accounts

check_module_setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	B=${B:-$top/.build}
	check=$B/alation-cred-check-module
	URL=https://check-module.test:8443
	# A test's own directory may be too long for a module's paths.
	dir=$(mktemp -d "${TMPDIR:-/tmp}/acred.XXXXXXXX")
	unset ALATION_REFRESH_TOKEN CREDENTIALS_DIRECTORY
}

check_module_teardown() {
	session_stop
	rm -rf -- "$dir"
	rmdir {/dev/shm,/tmp}/"alation-cred-$EUID" 2>/dev/null || : # where it is empty
}

passes() {
	run -0 --separate-stderr "$check" "$@" || { printf '%s\n' "$output" "$stderr"; return 1; }
	[[ -z $stderr ]] || { echo "stderr: $stderr"; return 1; }
	[[ ${lines[0]} == 'TAP version 13' && ${lines[1]} =~ ^1\.\.([0-9]+)$ ]] || return 1
	[[ $(grep -c '^ok ' <<<"$output") == "${BASH_REMATCH[1]}" ]] || return 1
	skips=$(sed -n 's/^ok [0-9]* - .* # SKIP //p' <<<"$output" | sort -u)
	[[ ${lines[-1]} == '# '*' passed, 0 failed, '*' skipped' ]] || return 1
	[[ $output != *'could not be erased'* ]] || { echo "$output"; return 1; }
	[[ $output != *'does not take an account'* ]] || [[ $MAY_REFUSE ]] || { echo "$output"; return 1; }
	[[ $* == *--only* ]] || echo "# $(label_of "$@"): ${lines[-1]#\# }" >&3
}

label_of() { # the module, and which program it asks
	local word
	while [[ $1 == --* ]]; do shift 2; done
	basename -z "$1" .so | tr -d '\0'
	for word in "${@:2}"; do
		[[ $word != program=* ]] || printf ' %s' "$word"
	done
}

skipped_because() {
	diff <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$skips")
}
