#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds answers of alation-cred against docs/alation-cred.schema.json.

    answers.py SCHEMA RECORDS     what tests/lib/answers.bash has recorded: EXIT CODE, FORMAT, COMMAND, STDOUT, each ended
                                  by a NUL. Prints what is wrong with which command.
    answers.py SCHEMA --strict    on stdin an answer a line: each must be right, and wrong with any one member less, one more
                                  or one of another kind. Prints how many changes were tried.

Exits with 1 if anything was wrong, and with 2 if nothing could be checked.
"""
import copy
import datetime
import json
import re
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(print('answers.py: python3-jsonschema is missing: make deps installs it') or 2)

# What --strict puts in a member's place, and what of that the member may be.
OTHER_KINDS = (None, -1, 'x\n', True, False, [1], {})
WORDS = {'message', 'remedy', 'name', 'value', 'module', 'why', 'file', 'step', 'text'}
SWITCHES = {'default', 'exclusive'}
MAY_BE_NULL = {'refresh_token_expires_at', 'why', 'section', 'module'}
MAY_BE_LEFT_OUT = {'configuration'}


def unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError('a member stands there twice')
    return members


def dates_agree(value):
    """expires_at is expires_at_epoch, wherever they stand."""
    if isinstance(value, list):
        return all(map(dates_agree, value))
    if not isinstance(value, dict):
        return True
    if isinstance(value.get('expires_at'), str):
        then = datetime.datetime.strptime(value['expires_at'], '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=datetime.timezone.utc)
        if then.timestamp() != value['expires_at_epoch']:
            return False
    return all(map(dates_agree, value.values()))


def pattern(validator, pattern, instance, schema):
    """As ECMA has it, and so JSON Schema: Python's $ stands before a line feed at the end too."""
    if isinstance(instance, str) and not re.search(pattern.replace('$', r'\Z'), instance):
        yield jsonschema.exceptions.ValidationError(f'{instance!r} does not match {pattern!r}')


class Schema:
    def __init__(self, path):
        with open(path, encoding='ascii') as file:
            schema = json.load(file, object_pairs_hook=unique)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {'pattern': pattern})
        self.answers = validator(schema)
        self.headers = validator({'$ref': '#/$defs/headers', '$defs': schema['$defs']})

    def wrong(self, answer, validator=None):
        """Why ANSWER, which is JSON, is not as the schema has it, or None."""
        error = jsonschema.exceptions.best_match((validator or self.answers).iter_errors(answer))
        if error:
            return f'{"/".join(map(str, error.absolute_path)) or "the object"}: {error.message[:300]}'
        return None if dates_agree(answer) else 'a date is not the one in seconds'

    def wrong_stdout(self, code, form, command, stdout):
        """The same of what a command wrote to stdout, or left out."""
        words = command.replace("'", '').split()
        if form == 'headers-json':
            if not stdout.startswith('{'):
                return None if code or not {'get', 'token'} & set(words) else 'no object'
        elif not stdout:
            # Killed; nowhere to write; exec, whose stdout is its command's; verbs that have no JSON but for a failure.
            return None if code in (10, 125) or code > 128 or not code and has_no_answer(words) else 'no answer'
        elif {'help', '--help', '-h', '--version', 'capability'} & set(words) and not code:
            return None
        if stdout[-1:] != '\n' or '\n' in stdout[:-1]:
            return 'not one line'
        try:
            answer = json.loads(stdout, object_pairs_hook=unique)
        except ValueError as error:
            return f'no JSON: {error}'
        if form == 'headers-json':
            return self.wrong(answer, self.headers)
        why = self.wrong(answer)
        if why or code > 128: # killed once it was written
            return why
        if code != answer.get('exit', 0):
            return 'not the exit code of the program'
        return None


def has_no_answer(words):
    return any(word in words for word in ('store', 'erase', '--protocol')) or any('git-credential' in word for word in words)


def check_records(schema, path):
    with open(path, encoding='utf-8', newline='', errors='surrogateescape') as file:
        fields = file.read().split('\0')
    records = list(zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4]))
    if not records:
        return 2
    bad = 0
    for code, form, command, stdout in dict.fromkeys(records):
        why = schema.wrong_stdout(int(code), form, command, stdout)
        if why:
            # An answer of a test has no secret that is worth anything.
            print(f'{command}: exit {code}: {why}\n  {stdout!r}')
            bad = 1
    return bad


def changes(value, path=()):
    """Paths to members, with what stands there."""
    for key, member in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield path + (key,), member
        yield from changes(member, path + (key,))


def may_be(name, member, kind):
    # file and line are null together, and so are both dates.
    if isinstance(kind, str) and name in WORDS:
        return member is not None or name in MAY_BE_NULL
    return kind is None and name in MAY_BE_NULL or isinstance(kind, bool) and name in SWITCHES or type(kind) is type(member) and kind == member


def changed(answer, path, do):
    other = copy.deepcopy(answer)
    at = other
    for key in path[:-1]:
        at = at[key]
    do(at, path[-1])
    return other


def check_strictness(schema, lines):
    tried = bad = 0
    for line in lines:
        answer = json.loads(line)
        validator = schema.headers if 'TOKEN' in answer else schema.answers
        variants = [dict(answer, colour='green')]
        if schema.wrong(answer, validator):
            print(f'refused: {line}: {schema.wrong(answer, validator)}')
            bad = 1
        for path, member in changes(answer):
            if isinstance(member, dict):
                variants.append(changed(answer, path, lambda at, key: at[key].update(colour='green')))
            if isinstance(path[-1], str) and path[-1] not in MAY_BE_LEFT_OUT:
                variants.append(changed(answer, path, lambda at, key: at.pop(key)))
            for kind in OTHER_KINDS:
                if not may_be(path[-1], member, kind):
                    variants.append(changed(answer, path, lambda at, key: at.__setitem__(key, kind)))
        for variant in variants:
            tried += 1
            if not schema.wrong(variant, validator):
                print(f'taken: {json.dumps(variant)}')
                bad = 1
    print(f'{tried} changes')
    return bad or (0 if tried else 2)


def main():
    schema = Schema(sys.argv[1])
    if sys.argv[2] == '--strict':
        return check_strictness(schema, sys.stdin.read().splitlines())
    return check_records(schema, sys.argv[2])


if __name__ == '__main__':
    sys.exit(main())
