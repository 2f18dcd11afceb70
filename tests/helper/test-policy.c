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

static void decisions(void **state)
{
	static const struct {
		const char *what;
		struct cached have;
		enum decision want;
	} rows[] = {
		{ "nothing cached", { .present = false }, MINT },
		{ "nothing cached, whatever else is said", { .present = false, .left_s = 3600, .lifetime_s = 3600 }, MINT },
		{ "fresh", { true, 86400, 86400 }, SERVE },
		{ "a second above the margin", { true, 61, 86400 }, SERVE },
		{ "exactly the margin", { true, 60, 86400 }, MINT },
		{ "below the margin", { true, 59, 86400 }, MINT },
		{ "the last second", { true, 1, 86400 }, MINT },
		{ "over", { true, 0, 86400 }, MINT },
		{ "long over", { true, -100000, 86400 }, MINT },
		{ "a short one, above its 2 %", { true, 3, 100 }, SERVE },
		{ "a short one, at its 2 %", { true, 2, 100 }, MINT },
		{ "a very short one has no margin", { true, 1, 10 }, SERVE },
		{ "a very short one, over", { true, 0, 10 }, MINT },
		{ "more left than it ever had (a clock went back)", { true, 90000, 86400 }, SERVE },
		{ "what a damaged record could say", { true, INT64_MAX, INT64_MAX }, SERVE },
		{ "and at the other end", { true, INT64_MIN, INT64_MAX }, MINT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (policy_decide(&rows[i].have) != rows[i].want)
			fail_msg("%s", rows[i].what);
	}
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
		cmocka_unit_test(lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
