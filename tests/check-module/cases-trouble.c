/* SPDX-License-Identifier: MIT */
/*
 * Cases in which something is not as usual: the host refuses, nobody is there, time is over, a service hangs, a place
 * cannot be written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check-module/check.h"

#define BYTES 250
#define FROZEN_MS 1500
#define IN_TIME (STATUS(ACRED_OK) | STATUS(ACRED_TIMEOUT) | STATUS(ACRED_UNAVAILABLE) | STATUS(ACRED_LOCKED))
#define WITHOUT_PERSON (STATUS(ACRED_OK) | STATUS(ACRED_LOCKED))
#define NO_DEADLINE "deadline_ms: \"0: none\", and no time that has passed"
#define NO_LIE "ACRED_ABSENT: \"Never for a failure: it means 'log in'\""
/* Who reads without the service, or its lock, need not wait for it. */
#define FROZEN "ACRED_TIMEOUT: \"the deadline passed first\"; or what is there, if it needs no service for that"
#define SAME_AS_EVER "what was there is there afterwards"

/* Something that is there: what it is said to hold, or what is stored now. */
struct subject {
	struct acred_key key;
	const char *bytes;
	size_t n;
	char *mine;
};

static void subject_free(struct subject *subject)
{
	free(subject->mine);
}
#define SUBJECT __attribute__((cleanup(subject_free))) struct subject

static bool subject_make(struct check *check, struct subject *ret)
{
	const struct held *held = &check->options.held[0];

	*ret = (struct subject){ held->key, held->bytes, held->n, NULL };
	if (check->options.n_held > 0)
		return true;
	ret->key = key_for(check, 102);
	ret->bytes = ret->mine = record(BYTES);
	ret->n = BYTES;
	return stores(check, ret->key, ret->bytes, ret->n);
}

static struct op look(const struct subject *subject)
{
	return (struct op){ .what = OP_LOOKUP, .key = subject->key, .bytes = subject->bytes, .n = subject->n };
}

/* A look-up made so; found or one of ELSE. */
static void look_so(struct check *check, const struct subject *subject, const struct op *op, unsigned wanted, const char *law)
{
	const struct result *result = run_ops(check, op, 1);

	if (result != NULL && want(check, op, result, wanted, law) && result->status == ACRED_OK)
		want_bytes(check, op, result, subject->bytes, subject->n, law);
}

static void put_refused(struct check *check)
{
	SUBJECT subject;
	struct op op;
	const struct result *result;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.refuse_put = true;
	result = run_ops(check, &op, 1);
	if (result == NULL)
		return;
	want(check, &op, result, STATUS(ACRED_FAILED), "put(): \"Not 0: refused\", and ACRED_FAILED");
	if (result->puts != 1)
		fail(check, "put() once", "put() was called %u times", result->puts);
	if (!check->failed)
		finds(check, subject.key, subject.bytes, subject.n, SAME_AS_EVER);
}

static void newer_host(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.newer = true;
	look_so(check, &subject, &op, STATUS(ACRED_OK), "struct acred_call: \"Grows at the end only\": what is behind is not looked at");
}

static void nobody_there(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.nobody = true;
	look_so(check, &subject, &op, WITHOUT_PERSON, "without a person a look-up finds, or says that it is locked");
}

static void mute(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.mute = true;
	look_so(check, &subject, &op, WITHOUT_PERSON, "ask may be NULL although ACRED_MAY_PROMPT is there");
}

static void no_answer(struct check *check)
{
	SUBJECT subject;
	struct op op;
	const struct result *result;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.silent = true;
	result = run_ops(check, &op, 1);
	if (result == NULL)
		return;
	want(check, &op, result, result->asked ? STATUS(ACRED_LOCKED) : WITHOUT_PERSON, "asked in vain, it is locked");
}

static void no_deadline(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.no_deadline = true;
	look_so(check, &subject, &op, STATUS(ACRED_OK), NO_DEADLINE);
}

static void no_deadline_store(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(BYTES);
	const struct op ops[] = {
		{ .what = OP_STORE, .key = key, .bytes = bytes, .n = BYTES, .no_deadline = true },
		{ .what = OP_LOOKUP, .key = key, .bytes = bytes, .n = BYTES, .no_deadline = true },
		{ .what = OP_ERASE, .key = key, .no_deadline = true },
	};
	size_t n = check->facts->facts.erase != NULL ? 3 : 2;
	const struct result *results = run_ops(check, ops, n);

	if (results != NULL && want(check, &ops[0], &results[0], STATUS(ACRED_OK), NO_DEADLINE) &&
	    want_bytes(check, &ops[1], &results[1], bytes, BYTES, NO_DEADLINE) && n > 2)
		want(check, &ops[2], &results[2], STATUS(ACRED_OK), NO_DEADLINE);
	free(bytes);
}

static void late_lookup(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject))
		return;
	op = look(&subject);
	op.late = true;
	look_so(check, &subject, &op, IN_TIME, "\"the deadline passed first\", or found; absent would be a lie");
	if (!check->failed)
		finds(check, subject.key, subject.bytes, subject.n, SAME_AS_EVER);
}

/* A or B, whole. */
static void finds_either(struct check *check, struct acred_key key, const char *a, const char *b, size_t n, const char *law)
{
	const struct op op = { .what = OP_LOOKUP, .key = key };
	const struct result *result = run_ops(check, &op, 1);
	const char *found;

	if (result == NULL || !want(check, &op, result, STATUS(ACRED_OK), law))
		return;
	found = secret_of(run_of(check, result), result);
	if (result->n != n || (memcmp(found, a, n) != 0 && memcmp(found, b, n) != 0))
		fail(check, law, "found are %zu bytes that are neither the old secret nor the new one", result->n);
}

/* Whatever it answers, what is found afterwards is the old or the new secret, and the new one if it said so. */
static void store_so(struct check *check, const struct op *how, unsigned wanted, bool (*before)(struct check *), void (*after)(struct check *))
{
	struct acred_key key = key_for(check, 102);
	char *a = record(BYTES), *b = record(BYTES);
	struct op op = *how;
	const struct result *result;

	op.what = OP_STORE;
	op.key = key;
	op.bytes = b;
	op.n = BYTES;
	if (stores(check, key, a, BYTES) && before(check)) {
		result = run_ops(check, &op, 1);
		after(check);
		if (result != NULL && want(check, &op, result, wanted, "\"the deadline passed first\"")) {
			if (result->status == ACRED_OK)
				finds(check, key, b, BYTES, "what it said that it stored");
			else
				finds_either(check, key, a, b, BYTES, "the old secret or the new one, whole");
		}
	}
	free(a);
	free(b);
}

static void erase_so(struct check *check, const struct op *how, unsigned wanted, bool (*before)(struct check *), void (*after)(struct check *))
{
	struct acred_key key = key_for(check, 102);
	char *a = record(BYTES);
	struct op op = *how, again = { .what = OP_LOOKUP, .key = key };
	const struct result *result;

	op.what = OP_ERASE;
	op.key = key;
	if (stores(check, key, a, BYTES) && before(check)) {
		result = run_ops(check, &op, 1);
		after(check);
		if (result != NULL && want(check, &op, result, wanted, "\"the deadline passed first\"; absent would be a lie")) {
			unsigned then = result->status == ACRED_OK ? STATUS(ACRED_ABSENT) : STATUS(ACRED_OK) | STATUS(ACRED_ABSENT);

			result = run_ops(check, &again, 1);
			if (result != NULL && want(check, &again, result, then, "it is gone, or whole") && result->status == ACRED_OK)
				want_bytes(check, &again, result, a, BYTES, NULL);
		}
	}
	free(a);
}

static bool nothing_before(struct check *check)
{
	(void)check;
	return true;
}

static void nothing_after(struct check *check)
{
	(void)check;
}

static void late_store(struct check *check)
{
	const struct op how = { .late = true };

	store_so(check, &how, IN_TIME, nothing_before, nothing_after);
}

static void late_erase(struct check *check)
{
	const struct op how = { .late = true };

	erase_so(check, &how, IN_TIME, nothing_before, nothing_after);
}

static bool freeze(struct check *check)
{
	check->frozen = hook(check, check->options.freeze);
	return check->frozen;
}

static void thaw(struct check *check)
{
	if (check->frozen)
		hook(check, check->options.thaw);
	check->frozen = false;
}

static void frozen_lookup(struct check *check)
{
	SUBJECT subject;
	struct op op;

	if (!subject_make(check, &subject) || !freeze(check))
		return;
	op = look(&subject);
	op.time_ms = FROZEN_MS;
	look_so(check, &subject, &op, STATUS(ACRED_TIMEOUT) | STATUS(ACRED_OK), FROZEN);
	thaw(check);
	if (!check->failed)
		finds(check, subject.key, subject.bytes, subject.n, SAME_AS_EVER);
}

static void frozen_list(struct check *check)
{
	const struct op op = { .what = OP_LIST, .time_ms = FROZEN_MS };
	const struct result *result;
	SUBJECT subject;

	if (!subject_make(check, &subject) || !freeze(check))
		return;
	result = run_ops(check, &op, 1);
	if (result != NULL && want(check, &op, result, STATUS(ACRED_TIMEOUT) | STATUS(ACRED_OK), FROZEN) && result->status == ACRED_OK &&
	    times_listed(result, &subject.key) != 1)
		fail(check, FROZEN, "it answered ok, and did not list what is there");
	thaw(check);
}

static void frozen_store(struct check *check)
{
	const struct op how = { .time_ms = FROZEN_MS };

	store_so(check, &how, STATUS(ACRED_TIMEOUT), freeze, thaw);
}

static void frozen_erase(struct check *check)
{
	const struct op how = { .time_ms = FROZEN_MS };

	erase_so(check, &how, STATUS(ACRED_TIMEOUT), freeze, thaw);
}

static void unwritable(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *a = record(BYTES), *b = record(BYTES);
	const struct op store = { .what = OP_STORE, .key = key, .bytes = b, .n = BYTES }, erase = { .what = OP_ERASE, .key = key },
			look_up = { .what = OP_LOOKUP, .key = key, .bytes = a, .n = BYTES };
	const struct result *result;

	if (stores(check, key, a, BYTES) && hook(check, check->options.unwritable)) {
		check->closed = true;
		result = run_ops(check, &store, 1);
		if (result != NULL)
			want(check, &store, result, REFUSALS, "what cannot be written is no store that worked");
		result = run_ops(check, &look_up, 1);
		if (result != NULL && want(check, &look_up, result, REFUSALS | STATUS(ACRED_OK), "absent would be a lie") && result->status == ACRED_OK)
			want_bytes(check, &look_up, result, a, BYTES, "a store that failed changes nothing");
		result = check->facts->facts.erase != NULL ? run_ops(check, &erase, 1) : NULL;
		if (result != NULL)
			want(check, &erase, result, REFUSALS, "what cannot be written is not erased");
		check->closed = !hook(check, check->options.writable);
		if (!check->closed)
			finds(check, key, a, BYTES, SAME_AS_EVER);
	}
	free(a);
	free(b);
}

/* Something is there that cannot be read: absent would be a lie, after which a login stores over it. */
static void corrupt(struct check *check)
{
	SUBJECT subject;
	struct op op;
	const struct result *result;

	if (!subject_make(check, &subject) || !hook(check, check->options.corrupt))
		return;
	check->damaged = true;
	op = look(&subject);
	result = run_ops(check, &op, 1);
	if (result != NULL && want(check, &op, result, REFUSALS | STATUS(ACRED_OK), NO_LIE) && result->status == ACRED_OK)
		say(check, "it hands over what is there, and leaves it to the host to judge it");
	check->damaged = !hook(check, check->options.mend);
	if (!check->damaged && !check->failed)
		finds(check, subject.key, subject.bytes, subject.n, SAME_AS_EVER);
}

const struct test_case cases_trouble[] = {
	{ "host: a secret that is refused is a failure, and stays", put_refused, NEEDS_SECRET },
	{ "host: a newer one, whose calls have more members", newer_host, NEEDS_SECRET },
	{ "person: nobody is there", nobody_there, NEEDS_SECRET },
	{ "person: somebody may be there, and cannot be asked", mute, NEEDS_SECRET },
	{ "person: somebody is asked and does not answer", no_answer, NEEDS_SECRET },
	{ "deadline: none", no_deadline, NEEDS_SECRET },
	{ "deadline: none for a store and an erase", no_deadline_store, NEEDS_STORE },
	{ "deadline: a look-up after it", late_lookup, NEEDS_SECRET },
	{ "deadline: a store after it", late_store, NEEDS_STORE },
	{ "deadline: an erase after it", late_erase, NEEDS_STORE | NEEDS_ERASE },
	{ "frozen: a look-up comes back", frozen_lookup, NEEDS_FREEZE | NEEDS_SECRET },
	{ "frozen: a list comes back", frozen_list, NEEDS_FREEZE | NEEDS_LIST | NEEDS_SECRET },
	{ "frozen: a store comes back, and leaves the old secret or the new one", frozen_store, NEEDS_FREEZE | NEEDS_STORE },
	{ "frozen: an erase comes back, and leaves the secret or nothing", frozen_erase, NEEDS_FREEZE | NEEDS_STORE | NEEDS_ERASE },
	{ "unwritable: a store fails, and what was there stays", unwritable, NEEDS_UNWRITABLE | NEEDS_STORE },
	{ "corrupt: what cannot be read is not absent", corrupt, NEEDS_CORRUPT | NEEDS_SECRET },
	{ NULL, NULL, 0 },
};
