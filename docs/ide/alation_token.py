# SPDX-License-Identifier: MIT
"""Alation's access tokens for a Python program, a notebook or an editor's tool, from alation-cred.

The standard library alone; Python 3.9 or later. It runs the helper and keeps the token in this process's memory. It never
logs a token, and never puts one into an argument, a file or an exception. docs/ide.md tells how to use it.
"""
from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

MARGIN_S = 60  # with less than this to live a token is asked for anew; the helper decides what to give
GRACE_S = 5  # the helper ends by itself at its own --timeout; so much later it is killed


@dataclass(frozen=True)
class AlationToken:
    value: str = field(repr=False)  # a notebook shows the repr of whatever stands last in a cell
    header: str
    base_url: str
    user_id: int
    expires_at: float | None  # seconds since 1970
    warnings: list

    def belongs_to(self, url: str) -> bool:
        """Whether the token may be sent there."""
        return urlsplit(url)[:2] == urlsplit(self.base_url)[:2]

    def url(self, path: str) -> str:
        """The address of a path of this instance; a token goes nowhere else."""
        url = urljoin(self.base_url, path)
        if not self.belongs_to(url):
            raise ValueError(f"{url} is not of {self.base_url}, whose token this is")
        return url


class AlationTokenError(Exception):
    """`code` is one of alation-cred(1), 'helper_missing' or 'helper_failed'; `remedy` is for the person."""

    def __init__(self, code, message, remedy="", exit=None, retryable=False, retry_after=None):
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.code, self.exit, self.remedy = code, exit, remedy
        self.retryable, self.retry_after_s = retryable, retry_after


class AlationTokens:
    """helper: the program, or the words that run it (["flatpak-spawn", "--host", "alation-cred"]). account: as on the
    command line; without it the user's default. timeout_s: of the helper, in whole seconds. For many threads at once."""

    def __init__(self, helper="alation-cred", account=None, timeout_s=30):
        if account and account.startswith("-"):
            raise ValueError("an account does not begin with a dash")
        self._command = [helper] if isinstance(helper, (str, os.PathLike)) else list(helper)
        self._account = account
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._kept = None
        self._flights = {}  # one child at a time for each of the two questions, however many wait for its answer

    def get(self) -> AlationToken:
        """A token that lives."""
        kept = self._kept
        if kept and kept.expires_at and kept.expires_at - time.time() > MARGIN_S:
            return kept
        return self._wait(validate=False)

    def replace(self, refused: AlationToken) -> AlationToken:
        """After a 401 or 403: another token. The same one back means that a permission is missing."""
        kept = self._kept
        if kept and kept.value != refused.value:
            return self.get()  # somebody here was refused before, and has asked already
        return self._wait(validate=True)

    def request(self, send):
        """send(token) makes the request and returns something with a `status`; it is called once more if the token was
        dead."""
        token = self.get()
        response = send(token)
        if response.status not in (401, 403):
            return response
        other = self.replace(token)
        if other.value == token.value:
            return response
        response.close()
        return send(other)

    def open(self, path: str, **request):
        """urllib's urlopen() with the token; `request` is what urllib.request.Request takes."""

        def send(token):
            question = urllib.request.Request(token.url(path), **request)
            # Of all headers these alone stay behind where a redirect leads to another host.
            question.add_unredirected_header(token.header, token.value)
            try:
                return urllib.request.urlopen(question, timeout=self._timeout_s)
            except urllib.error.HTTPError as answer:
                return answer

        response = self.request(send)
        if isinstance(response, urllib.error.HTTPError):
            raise response
        return response

    def _wait(self, validate):
        with self._lock:
            flight = self._flights.get(validate)
            is_mine = flight is None
            if is_mine:
                flight = self._flights[validate] = Future()
        if not is_mine:
            return flight.result()
        token, error = None, AlationTokenError("helper_failed", "the wait for it was broken off", retryable=True)
        try:
            token = self._ask(validate)
            return token
        except AlationTokenError as failure:
            error = failure
            raise
        finally:  # by a KeyboardInterrupt too: others wait for this
            with self._lock:
                self._kept = token
                del self._flights[validate]
            if token:
                flight.set_result(token)
            else:
                flight.set_exception(error)

    def _ask(self, validate):
        words = self._command + ["get", "--format", "json", "--timeout", f"{self._timeout_s}s"]
        if validate:
            words.append("--validate")
        if self._account:
            words.append(self._account)
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=self._timeout_s + GRACE_S
            )
        except (FileNotFoundError, PermissionError) as error:
            raise AlationTokenError(
                "helper_missing",
                f"'{words[0]}' cannot be run ({error.strerror}; PATH is {os.environ.get('PATH')})",
                "install alation-cred, or set its whole path",
            ) from None
        except subprocess.TimeoutExpired:  # which has in it what was printed until then
            raise AlationTokenError("helper_failed", f"'{words[0]}' gave no answer (it took too long)", retryable=True) from None
        return _read_answer(words[0], done)


def _read_answer(name, done):
    try:
        reply = json.loads(done.stdout)
    except ValueError:  # which has the whole text in it
        reply = None
    if isinstance(reply, dict) and reply.get("version") == 1:
        if done.returncode == 0 and reply.get("success") is True and isinstance(reply.get("token"), str):
            return AlationToken(
                reply["token"], reply["header"], reply["base_url"], reply["user_id"], reply["expires_at_epoch"], reply["warnings"]
            )
        if reply.get("success") is False:
            raise AlationTokenError(
                reply["code"], reply["message"], reply["remedy"], reply["exit"], reply["retryable"], reply["retry_after"]
            )
    last = done.stderr.decode(errors="replace").strip().split("\n")[-1]
    raise AlationTokenError("helper_failed", f"'{name}' gave no answer (exit {done.returncode})", last, done.returncode)
