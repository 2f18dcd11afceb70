# SPDX-License-Identifier: MIT
# Every answer in JSON that the tests of a file see is held against docs/alation-cred.schema.json, at the end of the file:
# one python for all of them. Sourced by program.bash, whose run_cred and cred record. A file whose answers are not as the
# schema says fails, by its teardown_file.
#
#   answers_format ARG...             sets `format` to what the last --format names
#   answers_record CODE FORMAT RAN STDOUT
#   answers_piped ARG...              cred, for those who read a pipe: what goes through it is recorded
#   answers_check                     at the end of a file

ANSWERS_TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)

answers_format() {
	local words=" $* "
	format=token
	words=${words%% -- *} # what stands behind is no option of ours
	[[ $words != ' complete '* ]] || return 0
	[[ "$words " =~ .*[[:space:]]--format[=[:space:]]([a-z-]+) ]] || return 0
	format=${BASH_REMATCH[1]}
}

answers_record() {
	[[ $2 == *json && ${BATS_FILE_TMPDIR:-} ]] || return 0
	printf '%s\0' "$@" >>"$BATS_FILE_TMPDIR/answers"
}

answers_piped() {
	local code copy raw format=token
	copy=$BATS_TEST_TMPDIR/answer.$BASHPID.$RANDOM
	setsid -w "$CRED" "$@" 3>&- | tee "$copy"
	code=${PIPESTATUS[0]}
	IFS= read -r -d '' raw <"$copy" || :
	rm "$copy"
	answers_format "$@"
	answers_record "$code" "$format" "alation-cred ${*@Q}" "$raw"
	return "$code"
}

answers_check() {
	[[ ! -s $BATS_FILE_TMPDIR/answers ]] || /usr/bin/python3 "$ANSWERS_TOP/tests/tools/answers.py" "$ANSWERS_TOP/docs/alation-cred.schema.json" "$BATS_FILE_TMPDIR/answers" >&2
}
