#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the history of mix.py against the sandbox's log, which tells what each token's life really was.

    mix-check.py HISTORY LOG [--mints-per-store]

Prints figures, then a line `wrong: ...` for each thing that must not be; exits with 1 if there was any. A moment counts as
before another only if it was for certain: the log has milliseconds.
"""
import argparse
import collections
import json
import re
import sys

LATE_US = 3_000_000  # how long after a killed call its request may still act here (what mix.py lets it be held up, and a slow machine)
SECRET = re.compile(r'[A-Za-z0-9_-]{40,}')
TOKENS = ('get', 'validate', 'fresh', 'last')
LOST_ON_THE_WAY = 'its answer with the new one was lost on the way'

# The exit codes that are explained, by verb; 0 and a kill of ours always are.
#   3  nothing is stored, or the server refuses what is: explained() looks for what ended the login
#   8  others held the account for the whole of --timeout: is_busy() looks at the time
# A login, a store and an erase need no login, so 3 is none of theirs. 4 and 5: the keyring is open and well all the time.
# 6 and 7: the server answers every call in the end. 1 is not an answer of any of these.
EXPLAINED = {verb: (3, 8) for verb in TOKENS + ('rotate', 'revoke', 'logout')}
EXPLAINED.update({verb: (8,) for verb in ('erase', 'store', 'login-password', 'login-token')})
REFUSED = 'is expired or revoked'

LOGINS = ('login-password', 'login-token', 'store')


def ends_login(call):
    return call.verb == 'logout' and call.code in (0, -9) or call.verb == 'rotate' and call.killed


def is_killed_logout(call):
    return call.verb == 'logout' and call.killed


class Call:
    def __init__(self, record):
        self.__dict__.update({'hung': False}, **record)
        self.token = self.stdout[:-1]
        self.until_us = self.ended_us + (LATE_US if self.killed else 0)  # when it may have acted at the latest

    def __str__(self):
        return f'{self.verb} of {self.account} from {self.began_us / 1e6:.6f} to {self.ended_us / 1e6:.6f}, exit {self.code}'

    def spans(self, at_ms):
        return self.began_us // 1000 <= at_ms and at_ms * 1000 <= self.until_us


class Token:
    def __init__(self, account, made_ms, by):
        self.account, self.made_ms, self.by = account, made_ms, by
        self.ended_ms = self.ended_by = None
        self.is_used = False
        self.access = None  # of a RefreshToken: the access token that lives

    def end(self, at_ms, by):
        if self.ended_ms is None:
            self.ended_ms, self.ended_by = at_ms, by


class Server:
    """The log, played again: the rules of tests/sandbox/state.h."""

    def __init__(self, path):
        self.access, self.refresh, self.mints, self.acts = {}, {}, 0, 0
        for line in open(path, encoding='ascii'):
            _, at_ms, _, where, status, *members = line.split()
            if 200 <= int(status) <= 299:
                self.act(int(at_ms), where.split('/')[3], dict(member.split('=', 1) for member in members))

    def act(self, at_ms, endpoint, said):
        self.acts += 1
        if endpoint == 'createRefreshToken':
            self.refresh[said['made']] = Token(None, at_ms, endpoint)  # a name and a password were sent, no id
            return
        refresh = None
        if said['refresh'] != '-':
            # One that the log never saw made comes from the web UI.
            refresh = self.refresh.setdefault(said['refresh'], Token(said['user_id'], at_ms, 'web UI'))
            refresh.is_used = True
        if endpoint in ('createAPIAccessToken', 'revokeAPIAccessTokens', 'regenRefreshToken') and refresh.access:
            refresh.access.end(at_ms, endpoint)
            refresh.access = None
        if endpoint == 'createAPIAccessToken':
            self.mints += 1
            refresh.access = self.access[said['made']] = Token(said['user_id'], at_ms, endpoint)
        if endpoint == 'regenRefreshToken':
            refresh.end(at_ms, endpoint)
            self.refresh[said['made']] = Token(said['user_id'], at_ms, endpoint)


class Check:
    def __init__(self, history, log):
        records = [json.loads(line) for line in open(history, encoding='ascii')]
        self.calls = [Call(record) for record in records if 'verb' in record]
        self.kept = {record['account']: record['kept'] for record in records if 'kept' in record}
        self.server = Server(log)
        self.wrongs = []

    def wrong(self, what, call=None):
        self.wrongs.append(what if call is None else f'{what}: {call}; stderr {call.stderr!r}')

    # What was served.

    def served(self, call):
        token = self.server.access.get(call.token)
        if not token or token.account != call.account:
            self.wrong('a token that the server did not make for this account', call)
            return
        if token.ended_ms is not None and (token.ended_ms + 1) * 1000 <= call.began_us:
            self.wrong(f'a token that ended {call.began_us / 1000 - token.ended_ms:.0f} ms before, by {token.ended_by}', call)
        if call.verb == 'fresh' and (token.made_ms + 1) * 1000 <= call.began_us:
            self.wrong('not a fresh token', call)

    def stdout(self, call):
        if call.stdout and (call.verb not in TOKENS or not re.fullmatch(r'[A-Za-z0-9_-]+\n', call.stdout)):
            self.wrong(f'stdout is neither empty nor one whole token: {call.stdout!r}', call)
        elif call.stdout and call.code not in (0, -9):
            self.wrong('a failure wrote to stdout', call)
        elif call.stdout:
            self.served(call)
        elif call.code == 0 and call.verb in TOKENS:
            self.wrong('no token', call)

    def stderr(self, call):
        for word in SECRET.findall(call.stderr):
            if word in self.server.access or word in self.server.refresh:
                self.wrong('a secret on stderr', call)

    # How it ended.

    def explained(self, call, ends):
        """Whether one of ENDS has ended the account's login, and no login came between that and this call."""
        logins = [l for l in self.calls if l.account == call.account and l.verb in LOGINS and l.code == 0 and l.ended_us < call.began_us]
        since_us = max((l.began_us for l in logins), default=0)
        return any(x.account == call.account and x.until_us >= since_us and x.began_us <= call.ended_us and ends(x) for x in self.calls)

    def exit(self, call):
        if call.hung:
            self.wrong('it did not end', call)
        if call.code == 0 or call.killed:
            return
        if call.code not in EXPLAINED[call.verb]:
            self.wrong('an exit code that nothing explains', call)
        elif call.code == 3 and not self.explained(call, ends_login):
            self.wrong('exit 3, and nothing had ended the login', call)
        elif call.code == 3 and REFUSED in call.stderr and not self.explained(call, is_killed_logout):
            self.wrong('the RefreshToken is dead, and it is not said why', call)
        elif call.code == 8 and call.ended_us - call.began_us < self.timeout_us:
            self.wrong('busy before its time was over', call)

    # What is left.

    def end(self, account):
        """After all of them the RefreshToken lives, or it is said why not (which exit() looks at)."""
        last = next(c for c in self.calls if c.verb == 'last' and c.account == account)
        if last.code == 0:
            return
        refresh = self.server.refresh.get(self.kept[account])
        if refresh and refresh.ended_ms is None:
            self.wrong('the RefreshToken in the keyring lives, and no token came', last)
        if refresh and REFUSED not in last.stderr and LOST_ON_THE_WAY not in last.stderr:
            self.wrong('the RefreshToken in the keyring is dead, and that is not what is said', last)

    def reasons(self, token):
        """The calls that may have lost this RefreshToken, those who did so most likely first."""
        mine = [c for c in self.calls if token.account in (None, c.account)]
        if token.by == 'createRefreshToken':
            for c in mine:
                if c.verb == 'login-password' and c.spans(token.made_ms) and (c.killed or c.code == 8):
                    yield c, 'login killed or busy after the server had made it'
        else:
            for c in mine:
                if c.verb == 'rotate' and c.killed and c.spans(token.made_ms):
                    yield c, 'rotation killed between the server\'s act and its answer'
            for c in mine:
                if c.verb == 'logout' and c.code in (0, -9) and c.spans(token.made_ms):
                    yield c, 'thrown away by a logout'
        for c in mine:
            if c.verb == 'login-password' and c.killed and c.until_us >= token.made_ms * 1000:
                yield c, 'replaced by a login that was killed before it ended the tokens'

    def match(self, token, owner, seen):
        """Each call can have lost one: a path that makes room (Kuhn)."""
        for call, reason in self.reasons(token):
            if id(call) in seen:
                continue
            seen.add(id(call))
            if id(call) not in owner or self.match(owner[id(call)][0], owner, seen):
                owner[id(call)] = token, reason
                return True
        return False

    def lost(self):
        """The RefreshTokens that nothing ever used and no keyring holds, by what became of them."""
        owner = {}
        for text, token in self.server.refresh.items():
            if not token.is_used and text not in self.kept.values() and not self.match(token, owner, set()):
                self.wrong(f'a RefreshToken made at {token.made_ms / 1e3:.3f} by {token.by} was lost without a reason')
        return collections.Counter(reason for _, reason in owner.values())

    def mints_per_store(self):
        stores = sum(c.verb == 'store' and c.code == 0 for c in self.calls)
        if self.server.mints != len(self.kept) + stores:
            self.wrong(f'{self.server.mints} mints for {len(self.kept)} logins and {stores} stores')

    def run(self, timeout_s):
        self.timeout_us = timeout_s * 1_000_000
        for call in self.calls:
            self.stdout(call)
            self.stderr(call)
            self.exit(call)
        for account in self.kept:
            self.end(account)
        self.figures(self.lost())

    def figures(self, lost):
        verbs = collections.defaultdict(collections.Counter)
        for call in self.calls:
            verbs[call.verb]['killed' if call.killed else call.code] += 1
        killed = sum(c.killed for c in self.calls)
        tokens = sum(c.code == 0 and c.verb in TOKENS for c in self.calls)
        print(f'calls {len(self.calls)}, killed {killed}; the server acted {self.server.acts} times')
        for verb, ends in sorted(verbs.items()):
            print(f'  {verb}: ' + ', '.join(f'{n} {"killed" if end == "killed" else f"exit {end}"}' for end, n in sorted(ends.items(), key=str)))
        print(f'tokens served {tokens}, mints {self.server.mints}: {self.server.mints / max(tokens, 1):.2f} a token served')
        print(f'RefreshTokens made {sum(t.by != "web UI" for t in self.server.refresh.values())}, never used again {sum(lost.values())}')
        for reason, n in sorted(lost.items()):
            print(f'  {n} {reason}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('history')
    parser.add_argument('log')
    parser.add_argument('--timeout', type=int, default=30)
    parser.add_argument('--mints-per-store', action='store_true', help='each login and each store minted once, and nothing else did')
    options = parser.parse_args()
    check = Check(options.history, options.log)
    check.run(options.timeout)
    if options.mints_per_store:
        check.mints_per_store()
    for wrong in check.wrongs:
        print(f'wrong: {wrong}')
    return bool(check.wrongs)


if __name__ == '__main__':
    sys.exit(main())
