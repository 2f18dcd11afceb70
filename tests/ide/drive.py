# SPDX-License-Identifier: MIT
# A program that uses docs/ide/alation_token.py, for tests/e2e/ide.bats; as drive.js.
import json
import os
import pathlib
import sys
import time
import traceback
import urllib.error
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "docs/ide"))
sys.dont_write_bytecode = True
from alation_token import AlationTokenError, AlationTokens  # noqa: E402

tokens = AlationTokens(
    helper=os.environ["HELPER"].split(" "), account=os.environ.get("ACCOUNT"), timeout_s=int(os.environ.get("TIMEOUT_S", 30))
)
held = None  # a request that `hold` has begun
last = None
pool = ThreadPoolExecutor(1)


def told(ask):
    global last
    try:
        last = ask()
        if hasattr(last, "status"):
            return f"status {last.status} {str(len(last.read()) > 0).lower()}"
        return f"token {last.value}"
    except AlationTokenError as error:
        last = error
        return f"error {error.code} {json.dumps(error.exit)} {json.dumps(error.retryable)} {error}"
    except urllib.error.HTTPError as error:
        last = error
        return f"status {error.status} {str(len(error.read()) > 0).lower()}"
    except ValueError as error:
        last = error
        return f"error {type(error).__name__} null null {error}"


def let_go(n):
    """The child ends once n wait for it: a thread that comes only then would rightly start another."""
    end = time.monotonic() + 20
    while True:
        flight = tokens._flights.get(False)
        if (flight and len(flight._condition._waiters) >= n) or time.monotonic() > end:
            break
        time.sleep(0.001)
    with open(os.environ["GATE"], "w") as gate:
        print(file=gate)


def crowd(n, ask):
    n = int(n)
    with ThreadPoolExecutor(n) as pool:
        each = [pool.submit(told, ask) for _ in range(n)]
        if "GATE" in os.environ:
            let_go(n - 1)
        answers = Counter(one.result() for one in each)
    return " | ".join(f"{times} {answer}" for answer, times in answers.items())


def hold(to):
    global held
    held = pool.submit(lambda: told(lambda: tokens.open(to)))
    return "held"


def show():
    text = "".join(traceback.format_exception(last)) if isinstance(last, Exception) else ""
    return " ".join([repr(last), str(last), text, repr(getattr(last, "__dict__", {})) if text else ""]).replace("\n", " ")


verbs = {
    "get": lambda: told(tokens.get),
    "crowd": lambda n: crowd(n, tokens.get),
    "request": lambda to: told(lambda: tokens.open(to)),
    "requests": lambda n, to: crowd(n, lambda: tokens.open(to)),
    "hold": hold,
    "held": lambda: held.result(),
    "show": show,
}
for line in sys.stdin:
    verb, *words = line.split()
    if verb == "end":
        break
    print(verbs[verb](*words), flush=True)
