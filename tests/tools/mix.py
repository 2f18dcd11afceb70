#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the program as many callers at once would, kills some of them, and writes down each call: its history.

    mix.py run    50 workers for a while, each choosing at random what to call; some of the calls are killed after a time,
                  and, while the server holds an answer back, some of those who wait for it
    mix.py burst  gets, stores and logouts, all started at the same moment

The history is a JSON object a line, in the order of the calls' ends: account, verb, began_us and ended_us (CLOCK_REALTIME, as
the sandbox's log), code (negative: a signal), killed (hung: after HANGS_S), stdout, stderr. Judges nothing: that is mix-check.py's. The seed
is printed; the same one makes the same choices, not the same interleaving.
"""
import argparse
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

HANGS_S = 150      # no call lives that long: the watchdogs of the program end it
PAUSE_LEAST_S = 0.1
KILLED_SHARE = 0.15
KILL_WITHIN_S = (0.03, 0.1, 0.3, 1.0)  # a warm call is over in the first, a rotation that waits its turn in the last
HELD_EVERY_S = 0.5
HELD_MOST_MS = 1000
HELD_KILLED_SHARE = 0.6
NICE = 5           # below the keyring and the server: their time limits are not what is tried here

WEIGHTS = {
    'get': 42, 'validate': 8, 'fresh': 4, 'erase': 12, 'rotate': 9, 'revoke': 6, 'logout': 6,
    'login-password': 7, 'login-token': 7,
}
HELD = ('createAPIAccessToken', 'revokeAPIAccessTokens', 'regenRefreshToken', 'createRefreshToken', 'validateAPIAccessToken')


class Account:
    def __init__(self, text, url):
        self.name, self.password, self.id = text.split(':')
        self.url = url
        self.text = url.replace('://', f'://{self.id}@')

    def request(self, *members):
        scheme, host = self.url.split('://')
        return '\n'.join((f'protocol={scheme}', f'host={host}', f'username={self.id}') + members) + '\n\n'


class Server:
    """The sandbox's control calls."""

    def __init__(self, url):
        self.host = url.split('://')[1]

    def control(self, call, **members):
        status, body = self.ask(call, members)
        if status != 200:
            raise RuntimeError(f'sandbox {call}: {body}')
        return body

    def is_held(self):
        """Waits for a call that is held up, ten seconds at most."""
        return self.ask('held', {})[0] == 200

    def ask(self, call, members):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request('POST', f'/sandbox/{call}', urllib.parse.urlencode(members),
                           {'Content-Type': 'application/x-www-form-urlencoded'})
        answer = connection.getresponse()
        body = answer.read().decode().strip()
        connection.close()
        return answer.status, body

    def refresh_token(self, account):
        return self.control('refresh-token', user_id=account.id)


class History:
    def __init__(self, path):
        self.file = open(path, 'w', encoding='ascii')
        self.lock = threading.Lock()

    def add(self, record):
        line = json.dumps(record)
        with self.lock:
            print(line, file=self.file)


def now_us():
    return time.time_ns() // 1000


class Caller:
    def __init__(self, program, timeout_s, history):
        self.program, self.timeout_s, self.history = program, timeout_s, history
        self.running = {}

    def call(self, account, verb, arguments, stdin='', kill_after_s=None):
        """Returns what it wrote to stdout. kill_after_s: it is killed then, if it still runs."""
        record = {'account': account.id, 'verb': verb, 'began_us': now_us()}
        process = subprocess.Popen([self.program, '--timeout', str(self.timeout_s), *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.running[process.pid] = process
        try:
            out, err = process.communicate(stdin.encode(), timeout=kill_after_s or HANGS_S)
        except subprocess.TimeoutExpired:
            record['hung'] = kill_after_s is None
            process.kill()
            out, err = process.communicate()
        del self.running[process.pid]
        record.update(ended_us=now_us(), code=process.returncode, killed=process.returncode == -signal.SIGKILL,
                      stdout=out.decode('latin-1'), stderr=err.decode('latin-1'))
        self.history.add(record)
        return record['stdout']

    def kill_a_holder(self, dice):
        """One of those who hold an account: they alone ask the server, but for a login by password."""
        with open('/proc/locks', encoding='ascii') as locks:
            holders = [self.running.get(int(line.split()[4])) for line in locks if ' FLOCK ' in line and '->' not in line]
        holders = [process for process in holders if process]
        if holders:
            dice.choice(holders).kill()


def words(account, verb, dice, last, server):
    """The arguments and the stdin of such a call."""
    if verb == 'get':
        return ['get', account.text], ''
    if verb == 'validate':
        return ['get', '--validate', account.text], ''
    if verb == 'fresh':
        return ['token', '--fresh', account.text], ''
    if verb == 'erase':
        return ['--protocol', 'git', 'erase'], account.request(f'password={last}')
    if verb == 'store':
        return ['--protocol', 'git', 'store'], account.request(f'oauth_refresh_token={server.refresh_token(account)}')
    if verb == 'login-password':
        return ['login', account.url, '--user', account.name, '--password-stdin'], account.password
    if verb == 'login-token':
        return ['login', account.url, '--user-id', account.id, '--token-stdin', dice.choice(('--shared', '--exclusive'))], \
            server.refresh_token(account)
    return [verb, account.text], ''


def work(number, options, accounts, caller, server, end_s):
    dice = random.Random(f'{options.seed}/{number}')
    last = {}
    while time.monotonic() < end_s:
        account = dice.choice(accounts)
        verb = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        kill_after_s = dice.uniform(0, dice.choice(KILL_WITHIN_S)) if dice.random() < KILLED_SHARE else None
        arguments, stdin = words(account, verb, dice, last.get(account.id, 'none-yet'), server)
        began_s = time.monotonic()
        out = caller.call(account, verb, arguments, stdin, kill_after_s)
        if out:
            last[account.id] = out.strip()
        # A machine that is slow gets fewer calls, not a longer queue.
        time.sleep(dice.uniform(0, 2) * max(PAUSE_LEAST_S, time.monotonic() - began_s))


def hold_up(options, caller, server, end_s):
    """One call at a time takes long. Who is killed meanwhile leaves a request that acts later."""
    dice = random.Random(f'{options.seed}/held')
    while time.monotonic() < end_s:
        server.control('clear')
        server.control('fault', endpoint=dice.choice(HELD), delay_ms=dice.randrange(HELD_MOST_MS))
        if dice.random() < HELD_KILLED_SHARE and server.is_held():
            caller.kill_a_holder(dice)
        time.sleep(dice.uniform(0, 2 * HELD_EVERY_S))
    server.control('clear')


def in_threads(jobs):
    failures = []

    def guarded(function, *arguments):
        try:
            function(*arguments)
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def kept(account):
    """The RefreshToken that the keyring holds, or nothing."""
    record = subprocess.run(['secret-tool', 'lookup', 'application', 'alation-cred', 'facility', 'refresh', 'base_url', account.url,
                             'user_id', account.id], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False).stdout.decode()
    return urllib.parse.parse_qs(record).get('refresh_token', [''])[0]


def run(options, accounts, caller, server):
    end_s = time.monotonic() + options.seconds
    jobs = [(work, number, options, accounts, caller, server, end_s) for number in range(options.workers)]
    in_threads(jobs + [(hold_up, options, caller, server, end_s)])
    server.control('release')


def burst(options, accounts, caller, server):
    dice = random.Random(options.seed)
    barrier = threading.Barrier(options.workers)

    def start(account, verb):
        arguments, stdin = words(account, verb, dice, '', server)
        barrier.wait()
        caller.call(account, verb, arguments, stdin)

    verbs = [('store', 'logout', 'get', 'get', 'get')[i % 5] for i in range(options.workers)]
    dice.shuffle(verbs)
    in_threads([(start, dice.choice(accounts), verb) for verb in verbs])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('how', choices=('run', 'burst'))
    parser.add_argument('--program', required=True)
    parser.add_argument('--url', required=True)
    parser.add_argument('--user', action='append', required=True, help='NAME:PASSWORD:ID')
    parser.add_argument('--history', required=True)
    parser.add_argument('--seconds', type=float, default=60)
    parser.add_argument('--workers', type=int, default=50)
    parser.add_argument('--timeout', type=int, default=30)
    parser.add_argument('--seed', default='')
    options = parser.parse_args()
    options.seed = options.seed or str(random.SystemRandom().randrange(1000000))
    print(f'seed {options.seed}', flush=True)
    os.nice(NICE)
    accounts = [Account(text, options.url) for text in options.user]
    history = History(options.history)
    caller = Caller(options.program, options.timeout, history)
    server = Server(options.url)
    (run if options.how == 'run' else burst)(options, accounts, caller, server)
    for account in accounts:
        history.add({'account': account.id, 'kept': kept(account)})
    for account in accounts:
        caller.call(account, 'last', ['get', '--validate', account.text])
    history.file.close()


if __name__ == '__main__':
    sys.exit(main())
