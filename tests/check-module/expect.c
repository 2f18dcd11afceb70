/* SPDX-License-Identifier: MIT */
/*
 * What cases say and want. Answers are shown by their status, length and note, never by their bytes: with --holds they are
 * somebody's.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "keyring/keyring.h"
#include "tests/check-module/check.h"

const char *const facilities[3] = { "refresh", "access", "recovery" };
const char *const operation_words[] = { "lookup", "store", "erase", "list", "lock" };
const char *const offence_words[OFFENCES] = {
	[OFFENCE_STATUS] = "every call: what it answers and lists is what the interface has",
	[OFFENCE_PUT] = "every call: put() once for each secret that is found, and never else",
	[OFFENCE_NOTE] = "every call: notes are one line and hold no secret",
	[OFFENCE_ASK] = "every call: lists and locks ask nobody",
	[OFFENCE_THREAD] = "every call: call-backs come from its thread, before it returns, with its host",
	[OFFENCE_STDOUT] = "every call: nothing is written to stdout",
	[OFFENCE_STDERR] = "every call: nothing is written to stderr",
	[OFFENCE_STDIN] = "every call: stdin is left alone",
	[OFFENCE_PROCESS] = "every call: umask, directory, signals, environment and locale stay as they are",
	[OFFENCE_CHILD] = "every call: no child process is left",
	[OFFENCE_DESCRIPTOR] = "every call: descriptors are closed on exec",
	[OFFENCE_LEAK] = "every call: open and close leave no descriptor behind",
	[OFFENCE_HANG] = "every call: it comes back",
	[OFFENCE_DEATH] = "every call: it does not end the process",
};

static void __attribute__((format(printf, 2, 0))) append(struct check *check, const char *format, va_list args)
{
	size_t room = sizeof check->log - check->log_n;
	int n;

	if (room < 4)
		return;
	n = vsnprintf(check->log + check->log_n, room - 2, format, args);
	if (n < 0)
		return;
	n = (size_t)n < room - 2 ? n : (int)room - 3;
	/* A stranger's words must not end TAP's comment. */
	for (char *p = check->log + check->log_n; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	check->log_n += (size_t)n;
	check->log[check->log_n++] = '\n';
	check->log[check->log_n] = '\0';
}

void say(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(check, format, args);
	va_end(args);
}

void fail(struct check *check, const char *law, const char *format, ...)
{
	va_list args;

	check->failed = true;
	va_start(args, format);
	append(check, format, args);
	va_end(args);
	if (law != NULL)
		say(check, "expected: %s", law);
}

void skip(struct check *check, const char *why)
{
	check->skipped = why;
}

const char *status_word(int status)
{
	return status < ACRED_OK || status > ACRED_FAILED ? "no status" : keyring_status_word(status);
}

static void words_of(unsigned set, char *words, size_t room)
{
	size_t at = 0;

	words[0] = '\0';
	for (int s = ACRED_OK; s <= ACRED_FAILED && at < room; s++)
		if (set & STATUS(s))
			at += (size_t)snprintf(words + at, room - at, "%s%s", at ? ", " : "", keyring_status_word(s));
}

static void tell(struct check *check, const struct op *op, const struct result *result, const char *expected)
{
	char subject[URL_BYTES + 64] = "";

	if (op->what != OP_LIST && op->what != OP_LOCK)
		snprintf(subject, sizeof subject, " %s of user %" PRId64 " at %s", op->key.facility, op->key.user_id, op->key.base_url);
	fail(check, NULL, "%s%s: %s (%d)%s%s%s%s", operation_words[op->what], subject, status_word(result->status), result->status,
	     result->note[0] ? ", noting: " : "", result->note, expected,
	     result->puts > 1 ? "; it has called put() twice, and the second one is refused" : result->puts == 0 && op->what == OP_LOOKUP && result->status == ACRED_OK ? "; it has not called put()" : "");
}

bool want(struct check *check, const struct op *op, const struct result *result, unsigned wanted, const char *law)
{
	char words[128], expected[160];

	if (result->status >= ACRED_OK && result->status <= ACRED_FAILED && (wanted & STATUS(result->status)))
		return true;
	words_of(wanted, words, sizeof words);
	snprintf(expected, sizeof expected, "; not %s", words);
	tell(check, op, result, expected);
	if (law != NULL)
		say(check, "expected: %s", law);
	return false;
}

bool want_first(struct check *check, enum operation what, unsigned wanted, const char *law)
{
	int status = check->first[what];
	char words[128];

	/* One that did not come back then does not now: the case says it. */
	if (status < 0 || (status <= ACRED_FAILED && (wanted & STATUS(status))))
		return true;
	words_of(wanted, words, sizeof words);
	fail(check, law, "%s, before anything was stored: %s (%d)%s%s; not %s", operation_words[what], status_word(status), status,
	     check->first_note[what][0] ? ", noting: " : "", check->first_note[what], words);
	return false;
}

static size_t first_difference(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	while (i < n && a[i] == b[i])
		i++;
	return i;
}

bool want_bytes(struct check *check, const struct op *op, const struct result *result, const char *bytes, size_t n, const char *law)
{
	const char *found = secret_of(run_of(check, result), result);
	char expected[160];

	if (!want(check, op, result, STATUS(ACRED_OK), law))
		return false;
	if (result->n == n && memcmp(found, bytes, n) == 0)
		return true;
	if (result->n == n)
		snprintf(expected, sizeof expected, "; it differs at byte %zu of %zu", first_difference(found, bytes, n) + 1, n);
	else
		snprintf(expected, sizeof expected, "; %zu bytes, not the %zu that are %s", result->n, n, is_held(check, &op->key) ? "held" : "stored");
	tell(check, op, result, expected);
	if (law != NULL)
		say(check, "expected: %s", law);
	return false;
}

bool want_list(struct check *check, const struct op *op, const struct result *result, unsigned wanted, const char *law)
{
	if (result->n_malformed > 0)
		fail(check, "keys as struct acred_key has them, each text with its NUL", "list: %u of %u keys are not well formed: each() %s",
		     result->n_malformed, result->n_listed, result->malformed);
	return want(check, op, result, wanted, law) && result->n_malformed == 0;
}

unsigned times_listed(const struct result *result, const struct acred_key *key)
{
	unsigned n = 0;

	for (unsigned i = 0; i < result->n_kept; i++)
		n += result->listed[i].user_id == key->user_id && strcmp(result->listed[i].facility, key->facility) == 0 &&
		     strcmp(result->listed[i].base_url, key->base_url) == 0;
	return n;
}

bool stores(struct check *check, struct acred_key key, const char *bytes, size_t n)
{
	const struct op op = { .what = OP_STORE, .key = key, .bytes = bytes, .n = n };
	const struct result *result = run_ops(check, &op, 1);

	return result != NULL && want(check, &op, result, STATUS(ACRED_OK), NULL);
}

bool finds(struct check *check, struct acred_key key, const char *bytes, size_t n, const char *law)
{
	const struct op op = { .what = OP_LOOKUP, .key = key, .bytes = bytes, .n = n };
	const struct result *result = run_ops(check, &op, 1);

	return result != NULL && want_bytes(check, &op, result, bytes, n, law);
}

bool finds_nothing(struct check *check, struct acred_key key, const char *law)
{
	const struct op op = { .what = OP_LOOKUP, .key = key };
	const struct result *result = run_ops(check, &op, 1);

	return result != NULL && want(check, &op, result, STATUS(ACRED_ABSENT), law);
}

bool erases(struct check *check, struct acred_key key)
{
	const struct op op = { .what = OP_ERASE, .key = key };
	const struct result *result = run_ops(check, &op, 1);

	return result != NULL && want(check, &op, result, STATUS(ACRED_OK), "erase: \"ACRED_OK: it was there and is gone\"");
}

const char *address(struct check *check, const char *name)
{
	static char ring[32][URL_BYTES];
	static unsigned next;
	char *text = ring[next++ % 32];

	snprintf(text, URL_BYTES, "https://%s%sc%u.%s.check-module.invalid", name, *name ? "." : "", check->number, check->token);
	return text;
}

bool is_of_this_case(const struct check *check, const char *base_url)
{
	char end[64];

	snprintf(end, sizeof end, "c%u.%s.check-module.invalid", check->number, check->token);
	return strstr(base_url, end) != NULL;
}

bool is_held(const struct check *check, const struct acred_key *key)
{
	for (size_t i = 0; i < check->options.n_held; i++) {
		const struct acred_key *held = &check->options.held[i].key;

		if (held->user_id == key->user_id && strcmp(held->facility, key->facility) == 0 && strcmp(held->base_url, key->base_url) == 0)
			return true;
	}
	return false;
}

struct acred_key key_for(struct check *check, int64_t user_id)
{
	return (struct acred_key){ check->facility, address(check, ""), user_id };
}

const char *facility_of(const struct check *check)
{
	return check->facility != NULL ? check->facility : check->options.facility != NULL ? check->options.facility : facilities[0];
}

char *record(size_t n)
{
	static const char charset[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char head[] = "v=1&kind=refresh-token&refresh_token=";
	unsigned char *random = malloc(n + 1);
	char *text = malloc(n + 1);
	size_t at = n > sizeof head + 16 ? sizeof head - 1 : 0;

	if (random == NULL || text == NULL)
		abort();
	for (size_t got = 0; got < n;) {
		ssize_t r = getrandom(random + got, n - got, 0);

		got += r > 0 ? (size_t)r : 0;
	}
	memcpy(text, head, at);
	for (size_t i = at; i < n; i++)
		text[i] = charset[random[i] % 64];
	text[n] = '\0';
	free(random);
	return text;
}

static bool is_used(const struct listed *used, const struct acred_key *key)
{
	return used->user_id == key->user_id && strcmp(used->facility, key->facility) == 0 && strcmp(used->base_url, key->base_url) == 0;
}

void will_use(struct check *check, const struct acred_key *key)
{
	struct listed *used;

	for (size_t i = 0; i < check->n_used; i++)
		if (is_used(&check->used[i], key))
			return;
	if (check->n_used == USED_MAX)
		return;
	used = &check->used[check->n_used++];
	snprintf(used->facility, sizeof used->facility, "%s", key->facility);
	snprintf(used->base_url, sizeof used->base_url, "%s", key->base_url);
	used->user_id = key->user_id;
}

static bool is_kept(const struct check *check, const char *facility)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(facilities[i], facility) == 0)
			return check->keeps[i];
	return false;
}

/* Takes what must be erased now off the list, into OPS; their keys point into WHOSE. */
static size_t take_used(struct check *check, struct listed whose[USED_MAX], struct op ops[USED_MAX])
{
	size_t n = 0, stay = 0;

	for (size_t i = 0; i < check->n_used; i++)
		if (strcmp(check->used[i].base_url, check->early_url) == 0)
			check->used[stay++] = check->used[i];
		else
			whose[n++] = check->used[i];
	check->n_used = stay;
	for (size_t i = 0; i < n; i++)
		ops[i] = (struct op){ .what = OP_ERASE, .key = { whose[i].facility, whose[i].base_url, whose[i].user_id } };
	return n;
}

static bool is_erased(const struct result *result)
{
	return result->done && (result->status == ACRED_OK || result->status == ACRED_ABSENT);
}

void clean_up(struct check *check)
{
	struct listed whose[USED_MAX];
	struct op ops[USED_MAX];
	size_t n = take_used(check, whose, ops);
	const struct errand errand = { check->options.argc, check->options.argv, ops, n, .rounds = 1 };
	bool had_failed = check->failed, erases = check->facts->facts.erase != NULL;
	struct run *run = NULL;

	if (n == 0)
		return;
	if (erases) {
		run = run_start(check, &errand);
		run_wait(check, run);
	}
	for (size_t i = 0; i < n; i++)
		check->left_behind += is_kept(check, whose[i].facility) && (!erases || !is_erased(&run->board->results[i]));
	check->failed |= had_failed;
}
