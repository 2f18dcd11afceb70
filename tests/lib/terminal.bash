# SPDX-License-Identifier: MIT
# Somebody at a terminal (`load` it after program): a command on one of its own, and what it showed (tests/tools/pty.c).
#
#   shows WORDS..., hides WORDS...    of what the last dialog showed

PTY=${CRED%/*}/tests/tools/pty

# dialog COMMAND...: on a terminal; the dialog comes on stdin. $screen is what it showed, $code how it ended.
dialog() {
	code=0
	screen=$("$PTY" "$@" 3>&- | tr -d '\r'; exit "${PIPESTATUS[0]}") || code=$?
	[[ $code != 99 ]] || { echo "$screen" >&2; return 1; }
}

shows() {
	local words
	for words; do
		[[ $screen == *"$words"* ]] || { echo "not shown: $words" "$screen" >&2; return 1; }
	done
}
hides() {
	local words
	for words; do
		[[ $screen != *"$words"* ]] || { echo "shown: $words" "$screen" >&2; return 1; }
	done
}
