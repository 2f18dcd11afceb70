/* SPDX-License-Identifier: MIT */
/*
 * Cases of lists, of several processes at once, and of what a lock forgets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check-module/check.h"

#define BYTES 200
#define AT_ONCE "\"many processes of one user may be in the same module at the same time\", and none hinders or undoes another"
#define EACH_KEY "\"Calls each(call->host, key) once with every key it holds\""
#define NONE_IS_OK "\"ACRED_OK also where there is none\""
#define WORKERS 6
#define ROUNDS 8 /* from open to close */
#define TURNS 6 /* of a store and a look-up each, in each process */

static void list_answers(struct check *check)
{
	const struct op list = { .what = OP_LIST };
	const struct result *result;

	if (want_first(check, OP_LIST, STATUS(ACRED_OK), NONE_IS_OK) && (result = run_ops(check, &list, 1)) != NULL)
		want_list(check, &list, result, STATUS(ACRED_OK), NONE_IS_OK);
}

/* Besides the four that were stored here. */
static void list_others(struct check *check, const struct result *result)
{
	unsigned here = 0, earlier = 0;

	for (unsigned i = 0; i < result->n_kept; i++)
		if (is_of_this_case(check, result->listed[i].base_url))
			here++;
		else if (strcmp(result->listed[i].base_url, check->early_url) != 0)
			earlier += strstr(result->listed[i].base_url, check->token) != NULL;
	if (here > 4)
		fail(check, "it lists what it holds", "it lists %u accounts, and 4 were stored", here);
	if (earlier > 0 && check->facts->facts.erase != NULL)
		fail(check, "it lists what it holds", "it lists %u that were erased", earlier);
	else if (earlier > 0)
		say(check, "it lists %u that are left of the cases before: it has no erase", earlier);
}

static void list_stored(struct check *check)
{
	const struct op list = { .what = OP_LIST };
	struct acred_key keys[4] = { key_for(check, 102), key_for(check, 1021), key_for(check, 103), key_for(check, 103) };
	char *bytes = record(BYTES);
	struct op ops[5];
	struct result *results;

	keys[3].base_url = address(check, "list");
	for (size_t i = 0; i < 4; i++)
		ops[i] = (struct op){ .what = OP_STORE, .key = keys[i], .bytes = bytes, .n = BYTES };
	ops[4] = ops[0]; /* stored twice, it is one */
	results = run_ops(check, ops, 5);
	for (size_t i = 0; results != NULL && i < 5; i++)
		want(check, &ops[i], &results[i], STATUS(ACRED_OK), NULL);
	free(bytes);
	if (check->failed || (results = run_ops(check, &list, 1)) == NULL || !want_list(check, &list, results, STATUS(ACRED_OK), NULL))
		return;
	for (size_t i = 0; i < 4; i++)
		if (times_listed(results, &keys[i]) != 1)
			fail(check, EACH_KEY, "user %lld at %s is listed %u times", (long long)keys[i].user_id,
			     keys[i].base_url, times_listed(results, &keys[i]));
	list_others(check, results);
}

static bool lists_once(struct check *check, struct acred_key key)
{
	const struct op list = { .what = OP_LIST };
	const struct result *result = run_ops(check, &list, 1);

	if (result == NULL || !want_list(check, &list, result, STATUS(ACRED_OK), NULL))
		return false;
	if (times_listed(result, &key) == 1)
		return true;
	fail(check, EACH_KEY, "user %" PRId64 " at %s is listed %u times, before anything is erased", key.user_id, key.base_url, times_listed(result, &key));
	return false;
}

static void list_erased(struct check *check)
{
	const struct op list = { .what = OP_LIST };
	struct acred_key gone = key_for(check, 102), there = key_for(check, 103);
	char *bytes = record(BYTES);
	const struct result *result;

	/* What it lists before is looked at, so that an erase is not blamed for it. */
	if (stores(check, gone, bytes, BYTES) && stores(check, there, bytes, BYTES) && lists_once(check, gone) && lists_once(check, there) &&
	    erases(check, gone) && (result = run_ops(check, &list, 1)) != NULL && want_list(check, &list, result, STATUS(ACRED_OK), NULL)) {
		if (times_listed(result, &gone) != 0)
			fail(check, "it lists what it holds", "it lists what was erased");
		if (times_listed(result, &there) != 1)
			fail(check, EACH_KEY, "an erase has taken another entry off the list");
	}
	free(bytes);
}

/* What one process stores and looks up, in turns; without VALUES it only looks up. */
struct worker {
	struct op ops[2 * TURNS];
	struct errand errand;
	struct run *run;
};

static void worker_start(struct check *check, struct worker *worker, struct acred_key key, char *const *values)
{
	for (size_t i = 0; i < TURNS; i++) {
		worker->ops[2 * i] = worker->ops[2 * i + 1] = (struct op){ .what = OP_LOOKUP, .key = key };
		if (values != NULL)
			worker->ops[2 * i] = (struct op){ .what = OP_STORE, .key = key, .bytes = values[i], .n = BYTES };
	}
	will_use(check, &key);
	worker->errand = (struct errand){ check->options.argc, check->options.argv, worker->ops, 2 * TURNS, .rounds = 1 };
	worker->run = run_start(check, &worker->errand);
}

/* Whether what was found is one of the values that anybody stored, whole. */
static bool is_one_of(const struct run *run, const struct result *result, char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (result->n == BYTES && memcmp(secret_of(run, result), values[i], BYTES) == 0)
			return true;
	return false;
}

/* Nobody else stores into this account: each look-up finds what was stored right before it. */
static void judge_own(struct check *check, const struct worker *worker, size_t which)
{
	for (size_t i = 1; i < 2 * TURNS && !check->failed; i += 2) {
		const struct result *result = &worker->run->board->results[i];
		const struct op *look = &worker->ops[i], *store = &worker->ops[i - 1];

		if (want(check, store, result - 1, STATUS(ACRED_OK), AT_ONCE))
			want_bytes(check, look, result, store->bytes, BYTES, AT_ONCE);
		if (check->failed)
			say(check, "turn %zu of %d of process %zu of %d, which alone stores for user %" PRId64 ": its store %s one of another process, for another account",
			    i / 2 + 1, TURNS, which + 1, WORKERS, look->key.user_id, result[-1].status == ACRED_OK ? "is lost to" : "was hindered by");
	}
}

/* Each look-up finds one of N VALUES, and each store is answered by one of STORED. */
static void judge(struct check *check, const struct worker *worker, char *const *values, size_t n, unsigned stored)
{
	for (size_t i = 0; i < 2 * TURNS && !check->failed; i++) {
		const struct result *result = &worker->run->board->results[i];
		const struct op *op = &worker->ops[i];

		if (!want(check, op, result, op->what == OP_STORE ? stored : STATUS(ACRED_OK), AT_ONCE))
			return;
		if (op->what == OP_LOOKUP && !is_one_of(worker->run, result, values, n))
			fail(check, "one whole secret, of whoever stored it", "a look-up found %zu bytes that nobody stored so", result->n);
	}
}

enum crowd { ONE_WRITES, ALL_WRITE, EACH_HIS_OWN };

static void at_once(struct check *check, enum crowd crowd)
{
	struct worker workers[WORKERS];
	char *values[WORKERS * TURNS];
	bool own = crowd == EACH_HIS_OWN;

	for (size_t i = 0; i < WORKERS * TURNS; i++)
		values[i] = record(BYTES);
	/* What is there before they begin is the first worker's, so that none may find nothing. */
	if (own || stores(check, key_for(check, 102), values[0], BYTES)) {
		for (size_t w = 0; w < WORKERS; w++)
			worker_start(check, &workers[w], key_for(check, own ? 102 + (int64_t)w : 102),
			             crowd == ONE_WRITES && w > 0 ? NULL : values + w * TURNS);
		for (size_t w = 0; w < WORKERS; w++)
			run_wait(check, workers[w].run);
	}
	for (size_t w = 0; w < WORKERS && !check->failed; w++)
		if (own)
			judge_own(check, &workers[w], w);
		else
			judge(check, &workers[w], values, WORKERS * TURNS, crowd == ALL_WRITE ? ANY_STATUS & ~STATUS(ACRED_ABSENT) : STATUS(ACRED_OK));
	/* Of what was its own each finds the last, from outside too. */
	for (size_t w = 0; w < WORKERS && !check->failed && own; w++)
		finds(check, key_for(check, 102 + (int64_t)w), values[w * TURNS + TURNS - 1], BYTES, "no store is lost to a store of another account");
	for (size_t i = 0; i < WORKERS * TURNS; i++)
		free(values[i]);
}

static void one_writes(struct check *check)
{
	at_once(check, ONE_WRITES);
}

/* The program itself never does it: who stores holds the account's lock. So a store may fail; nothing may be half. */
static void all_write(struct check *check)
{
	at_once(check, ALL_WRITE);
}

static void each_his_own(struct check *check)
{
	at_once(check, EACH_HIS_OWN);
}

/* All that it can do, and all of it again, in one process: what was opened for it is closed in the end. */
static void leaves_nothing_open(struct check *check)
{
	struct acred_key key = key_for(check, 102), never = { facility_of(check), address(check, "never"), 102 };
	bool stores = check->facility != NULL;
	char *bytes = record(BYTES);
	struct op ops[6 + HELD_MAX];
	size_t n = 0;
	struct errand errand = { check->options.argc, check->options.argv, ops, 0, .rounds = ROUNDS };
	struct run *run;

	ops[n++] = (struct op){ .what = OP_LOOKUP, .key = never };
	for (size_t i = 0; i < check->options.n_held; i++)
		ops[n++] = (struct op){ .what = OP_LOOKUP, .key = check->options.held[i].key };
	if (stores) {
		will_use(check, &key);
		ops[n++] = (struct op){ .what = OP_STORE, .key = key, .bytes = bytes, .n = BYTES };
		ops[n++] = (struct op){ .what = OP_LOOKUP, .key = key };
	}
	if (check->facts->facts.list != NULL)
		ops[n++] = (struct op){ .what = OP_LIST };
	if (stores && check->facts->facts.erase != NULL) {
		ops[n++] = (struct op){ .what = OP_ERASE, .key = key };
		ops[n++] = (struct op){ .what = OP_ERASE, .key = key };
	}
	errand.n = n;
	run = run_start(check, &errand);
	if (run_wait(check, run) && run->board->offences[OFFENCE_LEAK][0] != '\0')
		fail(check, "close gives back what the calls before it took", "%s", run->board->offences[OFFENCE_LEAK]);
	free(bytes);
}

/* As a module has it that two lines name: what one closes is not the other's. */
static void two_lines(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(BYTES);
	const struct op ops[] = {
		{ .what = OP_STORE, .key = key, .bytes = bytes, .n = BYTES },
		{ .what = OP_LOOKUP, .key = key, .bytes = bytes, .n = BYTES },
	};
	const struct errand errand = { check->options.argc, check->options.argv, ops, 2, .twice = true };
	struct run *run;

	will_use(check, &key);
	run = run_start(check, &errand);
	if (run_wait(check, run) && want(check, &ops[0], &run->board->results[0], STATUS(ACRED_OK), "\"A module that two lines name is opened twice\""))
		want_bytes(check, &ops[1], &run->board->results[1], bytes, BYTES, "what it remembers belongs into its state");
	free(bytes);
}

static void lock_forgets(struct check *check)
{
	const struct op lock = { .what = OP_LOCK };
	const struct result *result = run_ops(check, &lock, 1);

	if (result == NULL || !want(check, &lock, result, STATUS(ACRED_OK) | STATUS(ACRED_ABSENT) | STATUS(ACRED_UNAVAILABLE), "\"ACRED_ABSENT where it kept nothing\""))
		return;
	result = run_ops(check, &lock, 1);
	if (result != NULL)
		want(check, &lock, result, STATUS(ACRED_ABSENT) | STATUS(ACRED_UNAVAILABLE), "locked a second time, it keeps nothing any more");
}

/* What is there stays there: locked, or found as before. */
static void lock_keeps(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(BYTES);
	const struct op lock = { .what = OP_LOCK }, look = { .what = OP_LOOKUP, .key = key, .bytes = bytes, .n = BYTES };
	const struct result *result;

	if (stores(check, key, bytes, BYTES) && (result = run_ops(check, &lock, 1)) != NULL &&
	    want(check, &lock, result, STATUS(ACRED_OK) | STATUS(ACRED_ABSENT) | STATUS(ACRED_UNAVAILABLE), NULL) &&
	    (result = run_ops(check, &look, 1)) != NULL &&
	    want(check, &look, result, STATUS(ACRED_OK) | STATUS(ACRED_LOCKED), "a lock forgets keys, and no secret that it keeps") &&
	    result->status == ACRED_OK)
		want_bytes(check, &look, result, bytes, BYTES, NULL);
	free(bytes);
}

const struct test_case cases_many[] = {
	{ "list: it answers", list_answers, NEEDS_LIST },
	{ "list: what was stored is listed once", list_stored, NEEDS_STORE | NEEDS_LIST },
	{ "list: what was erased is not listed", list_erased, NEEDS_STORE | NEEDS_LIST | NEEDS_ERASE },
	{ "at once: one process stores, others look it up", one_writes, NEEDS_STORE },
	{ "at once: several processes store into one account", all_write, NEEDS_STORE },
	{ "at once: each process has an account of its own", each_his_own, NEEDS_STORE },
	{ "again: what was opened for its calls is closed in the end", leaves_nothing_open, 0 },
	{ "at once: opened twice in one process, and one of them closed", two_lines, NEEDS_STORE },
	{ "lock: a second one has nothing to forget", lock_forgets, NEEDS_LOCK },
	{ "lock: takes no secret away", lock_keeps, NEEDS_LOCK | NEEDS_STORE },
	{ NULL, NULL, 0 },
};
