# SPDX-License-Identifier: MIT
# A Secret Service that misbehaves on request (tests/tools/mock-secrets.c), on the session's bus (`load` it after program).
#
#   mock_start ARG...     what it is called lies in $CALLED from then on
#   mock_restart ARG...   another in its place; session_stop ends it
#   called METHOD         how often
#   calls_of_mock         how many in all

mock_start() {
	CALLED=$BATS_TEST_TMPDIR/called
	"${B:-$SANDBOX_TOP/.build}/tests/tools/mock-secrets" "$@" >"$CALLED" 3>&- &
	session_keyring_pid=$!
	gdbus wait --session --timeout "$SESSION_WAIT_S" org.freedesktop.secrets
}
mock_restart() {
	session_end_process "$session_keyring_pid"
	mock_start "$@"
}
called() { grep -cx "$1" "$CALLED" || :; }
calls_of_mock() { grep -vcx ready "$CALLED" || :; }
