/* SPDX-License-Identifier: MIT */
/*
 * Cases that store nothing: what it says of itself, how it opens, what a look-up that finds nothing answers, and what
 * holds for a module that can only be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check-module/check.h"

#define ROUNDS 8
#define ABSENT "ACRED_ABSENT: \"asked and answered: there is no such secret\""

static void descriptor_sound(struct check *check)
{
	static const struct op none;
	const struct errand errand = { check->options.argc, check->options.argv, &none, 0, .rounds = 1 };
	const struct board *facts = check->facts;
	size_t n = strspn(facts->name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	const char *file = strrchr(check->options.module, '/');

	if (facts->facts.lookup == NULL) { /* it did not come so far: once more, for the reason */
		run_wait(check, run_start(check, &errand));
		return;
	}
	if (n == 0 || n > 64 || facts->name[n] != '\0')
		fail(check, "its name is 1 to 64 of a-z, 0-9 and '-'", "it says that its name is '%.100s'", facts->name);
	if (facts->about[0] == '\0' || strpbrk(facts->about, "\n\r\t\033") != NULL)
		fail(check, "about is one line for people", "it says nothing, or more than a line, about itself");
	if (file != NULL && n > 0 && (strncmp(file + 1, facts->name, n) != 0 || strcmp(file + 1 + n, ".so") != 0))
		fail(check, "its name is its file's without \".so\"", "its file is %s, and it calls itself %s", file + 1, facts->name);
	if (facts->facts.store != NULL && facts->facts.erase == NULL)
		say(check, "it has a store and no erase: a logout cannot take away what it keeps");
}

/* Opens with these arguments, and gives what that answered; -1: it did not come back. */
static int opens(struct check *check, int argc, const char *const *argv, unsigned rounds, const char **ret_note)
{
	static const struct op none;
	const struct errand errand = { argc, argv, &none, 0, .rounds = rounds };
	struct run *run = run_start(check, &errand);

	if (!run_wait(check, run))
		return -1;
	*ret_note = run->board->open_note;
	return run->board->open_status;
}

static bool is_status(int status)
{
	return status >= ACRED_OK && status <= ACRED_FAILED;
}

static void open_bare(struct check *check)
{
	const char *note;
	int status = opens(check, 0, NULL, 1, &note);

	if (status != -1 && !is_status(status))
		fail(check, "open answers with a status", "open answered %d", status);
}

static void open_given(struct check *check)
{
	const char *note;
	int status = opens(check, check->options.argc, check->options.argv, 1, &note);

	if (status != -1 && status != ACRED_OK)
		fail(check, "ACRED_OK with the arguments that it was given", "open answered %s (%d), noting: %s", status_word(status), status,
		     note[0] ? note : "nothing");
}

static void open_unknown(struct check *check)
{
	const char **argv = calloc((size_t)check->options.argc + 1, sizeof *argv);
	const char *note;
	int status;

	if (argv == NULL)
		abort();
	for (int i = 0; i < check->options.argc; i++)
		argv[i] = check->options.argv[i];
	argv[check->options.argc] = "no-such-argument=check-module";
	status = opens(check, check->options.argc + 1, argv, 1, &note);
	free(argv);
	if (status == -1)
		return;
	if (status != ACRED_FAILED)
		fail(check, "\"An argument it does not know is ACRED_FAILED and a note\": whoever mistypes one must notice", "open answered %s (%d)",
		     status_word(status), status);
	else if (note[0] == '\0')
		fail(check, "\"An argument it does not know is ACRED_FAILED and a note\"", "open noted nothing");
}

static void open_again(struct check *check)
{
	const char *note;

	opens(check, check->options.argc, check->options.argv, ROUNDS, &note);
}

static void lookup_nothing(struct check *check)
{
	const struct acred_key key = { facility_of(check), address(check, "never"), 102 };

	if (want_first(check, OP_LOOKUP, STATUS(ACRED_ABSENT), ABSENT))
		finds_nothing(check, key, ABSENT);
}

static void lookup_facilities(struct check *check)
{
	for (int i = 0; i < 3; i++) {
		const struct op op = { .what = OP_LOOKUP, .key = { facilities[i], address(check, "never"), 102 } };
		const struct result *result = run_ops(check, &op, 1);

		if (result == NULL || !want(check, &op, result, STATUS(ACRED_ABSENT), "what it does not keep is ACRED_ABSENT in a look-up"))
			return;
	}
}

static void held_found(struct check *check)
{
	for (size_t i = 0; i < check->options.n_held; i++) {
		const struct held *held = &check->options.held[i];

		finds(check, held->key, held->bytes, held->n, "what --holds says, all of it and nothing else");
	}
}

/* Accounts that differ in one thing alone, or of which one begins as the other. */
static void held_by_others(struct check *check)
{
	const struct acred_key *held = &check->options.held[0].key;
	char longer[URL_BYTES + 8], shorter[URL_BYTES];
	struct op ops[8];
	size_t n = 0;
	struct result *results;

	snprintf(longer, sizeof longer, "%s.x", held->base_url);
	snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(held->base_url) - 1, held->base_url);
	for (int i = 0; i < 3; i++)
		ops[n++] = (struct op){ .what = OP_LOOKUP, .key = { facilities[i], held->base_url, held->user_id } };
	ops[n++] = (struct op){ .what = OP_LOOKUP, .key = { held->facility, held->base_url, held->user_id * 10 > INT32_MAX ? 1 : held->user_id * 10 } };
	ops[n++] = (struct op){ .what = OP_LOOKUP, .key = { held->facility, held->base_url, held->user_id > 9 ? held->user_id / 10 : 9 } };
	ops[n++] = (struct op){ .what = OP_LOOKUP, .key = { held->facility, longer, held->user_id } };
	ops[n++] = (struct op){ .what = OP_LOOKUP, .key = { held->facility, shorter, held->user_id } };
	results = run_ops(check, ops, n);
	for (size_t i = 0; results != NULL && i < n; i++)
		if (!is_held(check, &ops[i].key))
			want(check, &ops[i], &results[i], ANY_STATUS & ~STATUS(ACRED_OK), "an account's secret is no other account's");
}

static void held_listed(struct check *check)
{
	const struct op op = { .what = OP_LIST };
	const struct result *result = run_ops(check, &op, 1);

	if (result == NULL || !want_list(check, &op, result, STATUS(ACRED_OK), "a list of what it holds"))
		return;
	for (size_t i = 0; i < check->options.n_held; i++)
		if (times_listed(result, &check->options.held[i].key) != 1)
			fail(check, "\"Calls each(call->host, key) once with every key it holds\"", "what --holds says for user %lld is listed %u times",
			     (long long)check->options.held[i].key.user_id, times_listed(result, &check->options.held[i].key));
}

/* A module that cannot store has none, or one that says so; and then its erase says so, too. */
static void store_readonly(struct check *check)
{
	char *bytes = record(100);
	const struct acred_key key = { facility_of(check), address(check, ""), 102 };
	const struct op ops[] = {
		{ .what = OP_STORE, .key = key, .bytes = bytes, .n = 100 },
		{ .what = OP_ERASE, .key = key },
		{ .what = OP_LOOKUP, .key = key },
	};
	struct result *results = run_ops(check, ops, 3);

	free(bytes);
	if (results == NULL)
		return;
	want(check, &ops[0], &results[0], STATUS(ACRED_READONLY), "ACRED_READONLY: \"lookup works, store and erase never will\"");
	want(check, &ops[1], &results[1], STATUS(ACRED_READONLY) | STATUS(ACRED_ABSENT), "what cannot be written is not erased");
	want(check, &ops[2], &results[2], STATUS(ACRED_ABSENT), "nothing was stored");
}

const struct test_case cases_read[] = {
	{ "descriptor: what it says of itself is sound", descriptor_sound, 0 },
	{ "open: without an argument it answers", open_bare, 0 },
	{ "open: with its arguments it opens", open_given, 0 },
	{ "open: an argument that nobody knows is refused", open_unknown, NEEDS_OPEN },
	{ "open: and close, again and again", open_again, 0 },
	{ "lookup: what was never stored is absent", lookup_nothing, 0 },
	{ "lookup: what was never stored is absent in every facility", lookup_facilities, 0 },
	{ "lookup: what it holds comes whole", held_found, NEEDS_HELD },
	{ "lookup: what it holds is no other account's", held_by_others, NEEDS_HELD },
	{ "list: what it holds is listed once", held_listed, NEEDS_HELD | NEEDS_LIST },
	{ "store: what can only be read says so", store_readonly, NEEDS_NO_STORE },
	{ NULL, NULL, 0 },
};
