/* SPDX-License-Identifier: MIT */
/*
 * Cases of the time for which a secret is kept. What must still be there much later is stored before the other cases and
 * looked up after them: so they are the time that is waited.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/check-module/check.h"

#define USUAL_BYTES 300
#define EXPIRES_MS 3000 /* within which a module that heeds a ttl of 1 s, even in whole seconds, has heeded it */
#define LASTS_MS 4500   /* after which an hour is over for whoever takes seconds for milliseconds */
#define POLL_MS 100
#define STAYS_ABSENT 3  /* look-ups */

static const struct {
	int64_t first_s, ttl_s; /* of what is stored, and of what is stored over it; first_s 0: nothing is */
} early[] = { { 0, 3600 }, { 0, 60 * 86400 }, { 0, 10 * 365 * 86400 }, { 1, 0 } };
#define EARLY (sizeof early / sizeof *early)
#define EARLY_LONG 3 /* of them; then the one that must not inherit an end */

static bool stores_for(struct check *check, struct acred_key key, const char *bytes, int64_t ttl_s)
{
	const struct op op = { .what = OP_STORE, .key = key, .bytes = bytes, .n = USUAL_BYTES, .ttl_s = ttl_s };
	const struct result *result = run_ops(check, &op, 1);

	return result != NULL && want(check, &op, result, STATUS(ACRED_OK), NULL);
}

static struct acred_key early_key(const struct check *check, size_t i)
{
	return (struct acred_key){ check->facility, check->early_url, 102 + (int64_t)i };
}

void early_begin(struct check *check)
{
	if (check->facility == NULL)
		return;
	check->log_n = 0;
	check->log[0] = '\0';
	snprintf(check->early_url, sizeof check->early_url, "%s", address(check, "early"));
	for (size_t i = 0; i < EARLY; i++) {
		const struct acred_key key = early_key(check, i);
		char *first = record(USUAL_BYTES);

		check->early[i] = record(USUAL_BYTES);
		check->failed = false;
		if (early[i].first_s == 0 || stores_for(check, key, first, early[i].first_s))
			stores_for(check, key, check->early[i], early[i].ttl_s);
		check->early_failed[i] = check->failed;
		free(first);
	}
	snprintf(check->early_log, sizeof check->early_log, "%.*s", (int)sizeof check->early_log - 1, check->log);
	check->early_ms = now_ms();
	runs_end(check);
}

void early_end(struct check *check)
{
	for (size_t i = 0; i < EARLY; i++)
		free(check->early[i]);
	check->early_url[0] = '\0'; /* clean_up() takes them now */
	clean_up(check);
	runs_end(check);
}

static void pause_ms(int64_t ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

/* What was stored before the other cases is there, LASTS_MS later. */
static void early_found(struct check *check, size_t i, const char *law)
{
	int64_t left_ms = check->early_ms + LASTS_MS - now_ms();

	if (check->early_failed[i]) {
		fail(check, NULL, "it could not be stored: %s", check->early_log);
		return;
	}
	if (left_ms > 0)
		pause_ms(left_ms);
	finds(check, early_key(check, i), check->early[i], USUAL_BYTES, law);
}

static void ttl_long(struct check *check)
{
	for (size_t i = 0; i < EARLY_LONG && !check->failed; i++) {
		early_found(check, i, "ttl_s: \"seconds after which it should be gone\", and not before");
		if (check->failed)
			say(check, "it was stored %lld s ago, for %lld s", (long long)(now_ms() - check->early_ms) / 1000, (long long)early[i].ttl_s);
	}
}

/* A store without an end over one that has: the end must go with what it was of. */
static void ttl_replaced(struct check *check)
{
	early_found(check, EARLY_LONG, "ttl_s: \"0: keep\": the end of what was there before is no end of this");
}

/* One look-up of what has an end: *ABSENT counts those that found nothing. False: the case is over. */
static bool still_there(struct check *check, struct acred_key key, const char *bytes, unsigned *absent)
{
	const struct op op = { .what = OP_LOOKUP, .key = key, .bytes = bytes, .n = USUAL_BYTES };
	const struct result *result = run_ops(check, &op, 1);

	if (result == NULL || !want(check, &op, result, *absent ? STATUS(ACRED_ABSENT) : STATUS(ACRED_OK) | STATUS(ACRED_ABSENT),
	                            "once its seconds are over it is absent, for good; who cannot end it keeps it"))
		return false;
	*absent += result->status == ACRED_ABSENT;
	return result->status == ACRED_ABSENT || want_bytes(check, &op, result, bytes, USUAL_BYTES, "never a part of it");
}

static void not_listed(struct check *check, struct acred_key key)
{
	const struct op op = { .what = OP_LIST };
	const struct result *result = run_ops(check, &op, 1);

	if (result != NULL && want(check, &op, result, STATUS(ACRED_OK), NULL) && times_listed(result, &key) != 0)
		fail(check, "\"What has expired is none for lookup and list\"", "it lists what a look-up no longer finds");
}

/* Until it is absent, or its time is over by far: then it is one that keeps. */
static void ttl_short(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(USUAL_BYTES);
	int64_t end = now_ms() + EXPIRES_MS;
	unsigned absent = 0;

	if (stores_for(check, key, bytes, 1))
		while (still_there(check, key, bytes, &absent) && absent < STAYS_ABSENT && (absent > 0 || now_ms() < end)) {
			runs_end(check);
			pause_ms(POLL_MS);
		}
	if (!check->failed && absent > 0 && check->facts->facts.list != NULL)
		not_listed(check, key);
	/* And what comes after it is no heir of it; nor would an erase always find the one that is over, to take it away. */
	if (!check->failed && absent > 0 && stores_for(check, key, bytes, 0))
		finds(check, key, bytes, USUAL_BYTES, "ttl_s: \"0: keep\", after one that is over, too");
	if (!check->failed && absent == 0)
		say(check, "it keeps a secret longer than it is told, which it may");
	free(bytes);
}

const struct test_case cases_ttl[] = {
	{ "ttl: after its second it is absent, or the same", ttl_short, NEEDS_STORE },
	{ "ttl: what is kept for long is there", ttl_long, NEEDS_STORE },
	{ "ttl: a secret without an end does not inherit one", ttl_replaced, NEEDS_STORE },
	{ NULL, NULL, 0 },
};
