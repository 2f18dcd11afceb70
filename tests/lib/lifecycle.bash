# SPDX-License-Identifier: MIT
# What the lifecycle leaves behind, for end-to-end files (`load ../lib/lifecycle`, which loads lib/program): the keyring's
# record, the cache's, and what the server was asked.
#
#   stored [ID], refresh_token [ID]             the record in the keyring; the RefreshToken in it
#   key [ID], record, cached                    the cache's key, the record in it, the token in that
#   nothing_cached [ID], drop_cached [ID]       no token is there; the entry goes
#   is_marked, not_marked                       a call that may have revoked the token has not come back
#   earlier MEMBER SECONDS                      as if that moment in the cached record had been so long ago
#   remembered MEMBER                           what the cached record says of it; nothing where it is not there
#   mint_elsewhere                              another program with the same RefreshToken: ours is dead then
#   mints, asked CALL..., forget_calls          how often the server minted; all that it was asked, in order
#   account_lock, account_unlock                holds the account's lock, on $lock
#   crowd N ARG...                              N calls that wait behind it and are let go together; $OUT.0 to N-1
#   killed_in ENDPOINT ARG...                   a call that is killed while the server holds what it asks for
#   start ARG...                                a call in the background: $started is its pid, its output goes to $OUT.N
#   waits N                                     that one looked, found the lock taken, and looked again

# shellcheck source=program.bash
source "${BASH_SOURCE[0]%/*}/program.bash"

stored() { secret-tool lookup application alation-cred facility refresh base_url "$SANDBOX_URL" user_id "${1:-102}"; }
refresh_token() { stored "$@" | sed 's/.*refresh_token=\([^&]*\).*/\1/'; }

key() { keyctl search @u user "alation-cred-tree:access:${1:-102}@$SANDBOX_URL"; }
record() { keyctl pipe "$(key)"; }
cached() { record 2>/dev/null | sed -n 's/.*&token=\([^&]*\).*/\1/p'; }
nothing_cached() { [[ $(keyctl pipe "$(key "$@")" 2>/dev/null) != *'&token='* ]] || fails "it is cached"; }
drop_cached() { keyctl unlink "$(key "$@")" @u >/dev/null; }
is_marked() { [[ $(record) == *'&suspect='* ]] || fails "no mark: $(record)"; }
not_marked() { [[ $(record) != *suspect* ]] || fails "the mark is still there"; }

earlier() {
	[[ $(record) =~ ^(.*"&$1=")(-?[0-9]+)(.*)$ ]] || return 1
	printf %s "${BASH_REMATCH[1]}$((BASH_REMATCH[2] - $2 * 1000))${BASH_REMATCH[3]}" | keyctl pupdate "$(key)"
}

mint_elsewhere() { # another program with the same RefreshToken: ours is dead then
	sandbox_curl /integration/v1/createAPIAccessToken/ --fail -d "user_id=102&refresh_token=$(refresh_token)" | jq -r .api_access_token
}

mints() { sandbox_calls createAPIAccessToken; }
asked() { [[ $(calls | paste -sd ' ') == "$*" ]] || fails "asked: $(calls | paste -sd ' ')"; }
forget_calls() { : >"$SANDBOX_LOG"; }

remembered() {
	local text
	text=$(record 2>/dev/null)
	[[ ! "&$text&" =~ "&$1="([^&]*)"&" ]] || echo "${BASH_REMATCH[1]}"
}

start() { # ARG...: in the background; $started is its own pid, its stdout goes to $OUT.N, its trace to $OUT.N.trace
	"$CRED" -v "$@" >"$OUT.${#helpers[@]}" 2>"$OUT.${#helpers[@]}.trace" 3>&- {lock}>&- &
	started=$!
	helpers+=("$started")
}

waits() { # N: that one looked, found the lock taken, and looked again
	local end=$((SECONDS + 20))
	until [[ $(grep -c 'look up access' "$OUT.$1.trace") -ge 2 ]]; do ((SECONDS < end)) || return 1; done
}

account_lock() {
	exec {lock}<>"$STATE/locks/102@http%3A%2F%2F127.0.0.1%3A${SANDBOX_URL##*:}"
	flock "$lock"
}
account_unlock() { exec {lock}>&-; }

crowd() {
	local i
	account_lock
	for ((i = 0; i < $1; i++)); do start "${@:2}" --timeout 100; done
	for ((i = 0; i < $1; i++)); do waits "$i"; done
	account_unlock
	wait "${helpers[@]}"
}

killed_in() {
	sandbox_fault "endpoint=$1" delay_ms=60000
	start "${@:2}"
	sandbox_held
	kill -KILL "$started"
	wait "$started" || :
}
