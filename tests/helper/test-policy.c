/* SPDX-License-Identifier: MIT */
/*
 * policy.c: when a token is served, and how long one lives, at every edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/lifecycle/policy.h"

static void margins(void **state)
{
	static const struct {
		int64_t lifetime_s, want;
	} rows[] = {
		{ 86400, 60 }, { 3600, 60 }, { 3000, 60 }, { 2999, 59 }, { 1000, 20 }, { 100, 2 },
		{ 50, 1 },     { 49, 0 },    { 1, 0 },     { 0, 0 },     { INT64_MAX, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(policy_margin_s(rows[i].lifetime_s), rows[i].want);
}

/* Cached, not suspect, never validated, minted before the caller began. */
#define HAVE(left, lifetime) .have = { .present = true, .left_s = left, .lifetime_s = lifetime, .validated_ago_ms = -1 }
#define DAY 86400

static const struct row {
	const char *what;
	struct cached have;
	struct wish wish;
	enum decision want;
} plain[] = { /* nothing is asked for */
	{ "nothing cached", .have = { .present = false }, .want = MINT },
	{ "nothing cached, whatever else is said", .have = { .left_s = 3600, .lifetime_s = 3600, .minted_since = true }, .want = MINT },
	{ "fresh", HAVE(DAY, DAY), .want = SERVE },
	{ "a second above the margin", HAVE(61, DAY), .want = SERVE },
	{ "exactly the margin", HAVE(60, DAY), .want = MINT },
	{ "below the margin", HAVE(59, DAY), .want = MINT },
	{ "the last second", HAVE(1, DAY), .want = MINT },
	{ "over", HAVE(0, DAY), .want = MINT },
	{ "long over", HAVE(-100000, DAY), .want = MINT },
	{ "a short one, above its 2 %", HAVE(3, 100), .want = SERVE },
	{ "a short one, at its 2 %", HAVE(2, 100), .want = MINT },
	{ "a very short one has no margin", HAVE(1, 10), .want = SERVE },
	{ "a very short one, over", HAVE(0, 10), .want = MINT },
	{ "more left than it ever had (a clock went back)", HAVE(90000, DAY), .want = SERVE },
	{ "what a damaged record could say", HAVE(INT64_MAX, INT64_MAX), .want = SERVE },
	{ "and at the other end", HAVE(INT64_MIN, INT64_MAX), .want = MINT },
}, min_ttls[] = {
	{ "more left than asked for", HAVE(3601, DAY), { .min_ttl_s = 3600 }, SERVE },
	{ "as much as asked for is not enough", HAVE(3600, DAY), { .min_ttl_s = 3600 }, MINT },
	{ "less than asked for", HAVE(3599, DAY), { .min_ttl_s = 3600 }, MINT },
	{ "0 takes the last second", HAVE(1, DAY), { .min_ttl_s = 0 }, SERVE },
	{ "0 takes nothing that is over", HAVE(0, DAY), { .min_ttl_s = 0 }, MINT },
	{ "less than the margin, if that is asked for", HAVE(20, DAY), { .min_ttl_s = 10 }, SERVE },
	{ "more than the server gives, and new", HAVE(DAY, DAY), { .min_ttl_s = 2 * DAY }, SERVE_YOUNG },
	{ "just younger than a tenth", HAVE(DAY - 8639, DAY), { .min_ttl_s = 2 * DAY }, SERVE_YOUNG },
	{ "a tenth old", HAVE(DAY - 8640, DAY), { .min_ttl_s = 2 * DAY }, MINT },
	{ "what it has is enough: its youth does not matter", HAVE(DAY, DAY), { .min_ttl_s = 3600 }, SERVE },
	{ "a token of one second is young in its only second", HAVE(1, 1), { .min_ttl_s = DAY }, SERVE_YOUNG },
	{ "young, but over", HAVE(0, 0), { .min_ttl_s = DAY }, MINT },
	{ "a clock that went back makes it young", HAVE(2 * DAY, DAY), { .min_ttl_s = 3 * DAY }, SERVE_YOUNG },
	{ "the largest wish", HAVE(DAY, DAY), { .min_ttl_s = INT64_MAX }, SERVE_YOUNG },
	{ "the largest wish, and an old one", HAVE(3600, DAY), { .min_ttl_s = INT64_MAX }, MINT },
}, lasting[] = { /* for a program that runs on */
	{ "more than an hour left of a day", HAVE(3601, DAY), { .min_ttl_s = -1, .lasting = true }, SERVE },
	{ "an hour left of a day", HAVE(3600, DAY), { .min_ttl_s = -1, .lasting = true }, MINT },
	{ "more than a quarter of an hour's", HAVE(901, 3600), { .min_ttl_s = -1, .lasting = true }, SERVE },
	{ "a quarter of an hour's", HAVE(900, 3600), { .min_ttl_s = -1, .lasting = true }, MINT },
	{ "new, whatever little it lives", HAVE(1, 1), { .min_ttl_s = -1, .lasting = true }, SERVE },
	{ "what is asked for counts: less", HAVE(11, DAY), { .min_ttl_s = 10, .lasting = true }, SERVE },
	{ "what is asked for counts: more", HAVE(2 * 3600, DAY), { .min_ttl_s = 3 * 3600, .lasting = true }, MINT },
	{ "more is asked for than the server gives, and it is new", HAVE(DAY, DAY), { .min_ttl_s = 2 * DAY, .lasting = true }, SERVE_YOUNG },
	{ "over", HAVE(0, DAY), { .min_ttl_s = -1, .lasting = true }, MINT },
	{ "at the far end", HAVE(INT64_MAX, INT64_MAX), { .min_ttl_s = -1, .lasting = true }, SERVE },
};

static const struct {
	const char *what;
	int64_t left_s;
	bool minted_since, suspect;
	int64_t validated_ago_ms;
	struct wish wish;
	enum decision want;
} doubts[] = { /* of a token of a day */
	{ "fresh: minted before", DAY, false, false, -1, { -1, true, false, false }, MINT },
	{ "fresh: minted since", DAY, true, false, -1, { -1, true, false, false }, SERVE },
	{ "fresh: a validation does not make it so", DAY, false, false, 0, { -1, true, false, false }, MINT },
	{ "fresh: minted since, but over", 0, true, false, -1, { -1, true, false, false }, MINT },
	{ "fresh: minted since, but a later call may have revoked it", DAY, true, true, -1, { -1, true, false, false }, VALIDATE },
	{ "fresh, with more life than there is", DAY, true, false, -1, { 2 * DAY, true, false, false }, SERVE_YOUNG },
	{ "validate: never asked", DAY, false, false, -1, { -1, false, true, false }, VALIDATE },
	{ "validate: asked just now", DAY, false, false, 0, { -1, false, true, false }, SERVE },
	{ "validate: asked 9.999 s ago", DAY, false, false, POLICY_VALIDATION_MEMO_MS - 1, { -1, false, true, false }, SERVE },
	{ "validate: asked 10 s ago", DAY, false, false, POLICY_VALIDATION_MEMO_MS, { -1, false, true, false }, VALIDATE },
	{ "validate: minted since", DAY, true, false, -1, { -1, false, true, false }, SERVE },
	{ "validate: below the margin it is not worth asking", 59, false, false, -1, { -1, false, true, false }, MINT },
	{ "validate, with more life than there is", DAY, false, false, -1, { 2 * DAY, false, true, false }, VALIDATE },
	{ "validate, with more life than there is, asked just now", DAY, false, false, 5, { 2 * DAY, false, true, false }, SERVE_YOUNG },
	{ "fresh and validate: minted before", DAY, false, false, 0, { -1, true, true, false }, MINT },
	{ "fresh and validate: minted since", DAY, true, false, -1, { -1, true, true, false }, SERVE },
	{ "suspect", DAY, false, true, -1, { -1, false, false, false }, VALIDATE },
	{ "suspect: the server's word from before does not count", DAY, false, true, 0, { -1, false, true, false }, VALIDATE },
	{ "suspect, with more life than there is", DAY, false, true, -1, { 2 * DAY, false, false, false }, VALIDATE },
	{ "suspect, and below the margin", 60, false, true, -1, { -1, false, false, false }, MINT },
	{ "suspect, and over", -1, true, true, 0, { -1, false, false, false }, MINT },
};

static void check(const struct row *rows, size_t n, int64_t min_ttl_s)
{
	for (size_t i = 0; i < n; i++) {
		struct wish wish = rows[i].wish;

		if (min_ttl_s)
			wish.min_ttl_s = min_ttl_s;
		if (policy_decide(&rows[i].have, &wish) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
}

static void decisions(void **state)
{
	(void)state;
	check(plain, sizeof plain / sizeof *plain, -1);
	check(min_ttls, sizeof min_ttls / sizeof *min_ttls, 0);
	check(lasting, sizeof lasting / sizeof *lasting, 0);
}

static void doubtful_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
		const struct cached have = {
			.present = true,
			.left_s = doubts[i].left_s,
			.lifetime_s = DAY,
			.minted_since = doubts[i].minted_since,
			.suspect = doubts[i].suspect,
			.validated_ago_ms = doubts[i].validated_ago_ms,
		};

		if (policy_decide(&have, &doubts[i].wish) != doubts[i].want)
			fail_msg("%s", doubts[i].what);
	}
}

/* Whatever is asked for: what is over is never served, and what is suspect never unasked. */
static void no_wish_serves_what_must_not_be(void **state)
{
	static const int64_t lives_s[] = { INT64_MIN, -1, 0, 1, 60, 61, DAY, INT64_MAX }, min_ttls_s[] = { -1, 0, 1, DAY, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof lives_s / sizeof *lives_s; i++) {
		for (size_t j = 0; j < sizeof min_ttls_s / sizeof *min_ttls_s; j++) {
			for (unsigned bits = 0; bits < 256; bits++) {
				const struct cached have = {
					.present = true,
					.left_s = lives_s[i],
					.lifetime_s = DAY,
					.minted_since = bits & 1,
					.suspect = bits & 2,
					.validated_ago_ms = (bits & 4) != 0 ? 0 : -1,
					.late = bits & 32,
					.validated_since = bits & 64,
				};
				const struct wish wish = { min_ttls_s[j], bits & 8, bits & 16, bits & 128 };
				enum decision got = policy_decide(&have, &wish);

				if (have.left_s <= 0)
					assert_int_equal(got, MINT);
				if (have.suspect || (have.late && !have.validated_since))
					assert_true(got == MINT || got == VALIDATE);
				if (wish.fresh && !have.minted_since)
					assert_int_equal(got, MINT);
			}
		}
	}
}

/* The server is asked before each serving: its word counts for those who were there when it was asked. */
static void a_late_call_may_still_end_it(void **state)
{
	static const struct wish nothing = { .min_ttl_s = -1 }, validate = { .min_ttl_s = -1, .validate = true }, fresh = { .min_ttl_s = -1, .fresh = true };
	struct cached have = { .present = true, .left_s = DAY, .lifetime_s = DAY, .validated_ago_ms = 5, .late = true };

	(void)state;
	assert_int_equal(policy_decide(&have, &nothing), VALIDATE);
	assert_int_equal(policy_decide(&have, &validate), VALIDATE);
	have.minted_since = true;
	assert_int_equal(policy_decide(&have, &nothing), VALIDATE);
	assert_int_equal(policy_decide(&have, &fresh), VALIDATE);
	have.validated_since = true;
	assert_int_equal(policy_decide(&have, &nothing), SERVE);
	assert_int_equal(policy_decide(&have, &validate), SERVE);
	assert_int_equal(policy_decide(&have, &fresh), SERVE);
	have.suspect = true;
	assert_int_equal(policy_decide(&have, &nothing), VALIDATE);
	have.suspect = false;
	have.left_s = 1;
	assert_int_equal(policy_decide(&have, &nothing), MINT);
}

static void lifetimes(void **state)
{
	const int64_t ten_years_s = INT64_C(10) * 366 * 86400, now = 1700000000;
	const struct {
		const char *what;
		int64_t created_at, expires_at, date, want;
		bool guessed;
	} rows[] = {
		{ "both dates", now, now + 86400, now, 86400, false },
		{ "the server's own dates, whatever its clock says now", now, now + 86400, now + 500000, 86400, false },
		{ "no Date", now, now + 86400, -1, 86400, false },
		{ "no creation: the Date serves", -1, now + 86400, now, 86400, false },
		{ "created at the epoch is a date", 0, 100, -1, 100, false },
		{ "one second", now, now + 1, now, 1, false },
		{ "ten years", now, now + ten_years_s, now, ten_years_s, false },
		{ "more than ten years", now, now + ten_years_s + 1, now, 3600, true },
		{ "neither creation nor Date", -1, now + 86400, -1, 3600, true },
		{ "no expiry", now, -1, now, 3600, true },
		{ "nothing at all", -1, -1, -1, 3600, true },
		{ "ended when it began", now, now, now, 3600, true },
		{ "ended before it began", now, now - 5, now, 3600, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool guessed = !rows[i].guessed;
		int64_t got = policy_lifetime_s(rows[i].created_at, rows[i].expires_at, rows[i].date, &guessed);

		if (got != rows[i].want || guessed != rows[i].guessed)
			fail_msg("%s: %lld", rows[i].what, (long long)got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(margins),
		cmocka_unit_test(decisions),
		cmocka_unit_test(doubtful_ones),
		cmocka_unit_test(no_wish_serves_what_must_not_be),
		cmocka_unit_test(a_late_call_may_still_end_it), cmocka_unit_test(lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
