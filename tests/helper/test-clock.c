/* SPDX-License-Identifier: MIT */
/*
 * clock.c: the three clocks are the ones they say; times, local ones too, and durations as text, good, bad and at their limits;
 * and the calendar against the C library's over ten thousand years.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "helper/base/clock.h"

#define UNTOUCHED INT64_C(-77)

static const struct time_row {
	const char *text;
	bool ok;
	int64_t want;
} times[] = {
	/* as the vendor's page, its SDK's tests and recorded servers have them */
	{ "2020-07-15T16:08:09.673391-07:00", true, 1594854489 },
	{ "2022-11-15T21:52:48.116496Z", true, 1668549168 },
	{ "2023-05-19T15:06:35Z", true, 1684508795 },
	{ "2023-05-19T15:06:35+0000", true, 1684508795 },
	{ "2023-05-19 15:06:35+00:00", true, 1684508795 },
	{ "2023-05-19T20:36:35.1+05:30", true, 1684508795 },
	{ "2023-05-19T20:36:35.123456789+0530", true, 1684508795 },
	{ "2023-05-19T15:06:35-00:00", true, 1684508795 },
	{ "1970-01-01T00:00:00Z", true, 0 },
	{ "1969-12-31T23:59:58Z", true, -2 },
	{ "2038-01-19T03:14:08Z", true, INT64_C(2147483648) },
	{ "2000-02-29T00:00:00Z", true, 951782400 },
	{ "2024-02-29T12:00:00Z", true, 1709208000 },
	{ "9999-12-31T23:59:59Z", true, CLOCK_MAX_S },
	{ "0000-01-01T00:00:00Z", true, INT64_C(-62167219200) },
	{ "2016-12-31T23:59:60Z", true, 1483228799 },
	{ "2016-12-31T15:59:60.5-08:00", true, 1483228799 },
	/* dates and times that do not exist */
	{ "2023-02-29T00:00:00Z", false, 0 },
	{ "1900-02-29T00:00:00Z", false, 0 },
	{ "2023-04-31T00:00:00Z", false, 0 },
	{ "2023-00-10T00:00:00Z", false, 0 },
	{ "2023-13-10T00:00:00Z", false, 0 },
	{ "2023-01-00T00:00:00Z", false, 0 },
	{ "2023-01-32T00:00:00Z", false, 0 },
	{ "2023-01-01T24:00:00Z", false, 0 },
	{ "2023-01-01T23:60:00Z", false, 0 },
	{ "2023-01-01T23:59:61Z", false, 0 },
	{ "2023-05-19T15:06:60Z", false, 0 },
	{ "9999-12-31T23:59:59-00:01", false, 0 },
	/* other shapes */
	{ "", false, 0 },
	{ "2023-05-19", false, 0 },
	{ "2023-05-19T15:06:35", false, 0 },
	{ "2023-05-19T15:06Z", false, 0 },
	{ "2023-05-19t15:06:35z", false, 0 },
	{ "2023-05-19_15:06:35Z", false, 0 },
	{ "2023-05-19  15:06:35Z", false, 0 },
	{ "2023-05-19T15:06:35.Z", false, 0 },
	{ "2023-05-19T15:06:35.1234567890Z", false, 0 },
	{ "2023-05-19T15:06:35,5Z", false, 0 },
	{ "2023-05-19T15:06:35 Z", false, 0 },
	{ "2023-05-19T15:06:35Z ", false, 0 },
	{ " 2023-05-19T15:06:35Z", false, 0 },
	{ "2023-05-19T15:06:35ZZ", false, 0 },
	{ "2023-05-19T15:06:35+1", false, 0 },
	{ "2023-05-19T15:06:35+01", false, 0 },
	{ "2023-05-19T15:06:35+01:", false, 0 },
	{ "2023-05-19T15:06:35+01:0", false, 0 },
	{ "2023-05-19T15:06:35+01:000", false, 0 },
	{ "2023-05-19T15:06:35+24:00", false, 0 },
	{ "2023-05-19T15:06:35+01:60", false, 0 },
	{ "2023-05-19T15:06:35+-1:00", false, 0 },
	{ "2023-05-19T15:06:35UTC", false, 0 },
	{ "20230519T150635Z", false, 0 },
	{ "+023-05-19T15:06:35Z", false, 0 },
	{ "12023-05-19T15:06:35Z", false, 0 },
	{ "1684508795", false, 0 },
	{ "null", false, 0 },
};

static void test_parse_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		int64_t got = UNTOUCHED;
		bool ok = clock_parse_time(bytes_of(times[i].text), &got);

		if (ok != times[i].ok || got != (times[i].ok ? times[i].want : UNTOUCHED))
			fail_msg("'%s': %d, %lld", times[i].text, ok, (long long)got);
	}
}

/* A view that ends early is not read past its end. */
static void test_parse_time_is_bounded(void **state)
{
	static const char text[] = "2020-07-15T16:08:09.673391-07:00";
	int64_t got = UNTOUCHED;

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *exact = malloc(n + 1);
		bool ok;

		assert_non_null(exact);
		memcpy(exact, text, n);
		ok = clock_parse_time((struct bytes){ n ? exact : NULL, n }, &got);
		free(exact);
		assert_false(ok);
	}
	assert_int_equal(got, UNTOUCHED);
	assert_false(clock_parse_time((struct bytes){ "2023-05-19T15:06:35Z\0", 21 }, &got));
}

static void test_format_time(void **state)
{
	static const struct {
		int64_t epoch_s;
		const char *want;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 1764054724, "2025-11-25T07:12:04Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },
		{ CLOCK_MAX_S, "9999-12-31T23:59:59Z" },
		{ CLOCK_MAX_S + 1, "" },
		{ INT64_C(-62167219200), "0000-01-01T00:00:00Z" },
		{ INT64_C(-62167219201), "" },
		{ INT64_MAX, "" },
		{ INT64_MIN, "" },
	};
	char got[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(got, 'x', sizeof got);
		clock_format_time(rows[i].epoch_s, got);
		assert_string_equal(got, rows[i].want);
	}
}

/* Steps of a prime number of seconds meet every month, hour and leap rule. */
static void test_calendar_like_libc(void **state)
{
	const int64_t step_s = 1000003 * 3;
	char ours[CLOCK_TEXT_BYTES], theirs[CLOCK_TEXT_BYTES];

	(void)state;
	for (int64_t t = INT64_C(-62167219200); t <= CLOCK_MAX_S; t += step_s) {
		time_t libc_t = (time_t)t;
		struct tm tm;
		int64_t back = UNTOUCHED;

		if (libc_t != t)
			skip(); /* a 32-bit time_t is no judge */
		assert_non_null(gmtime_r(&libc_t, &tm));
		snprintf(theirs, sizeof theirs, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)(tm.tm_year + 1900) & 0x3fff,
		         (unsigned)(tm.tm_mon + 1) & 15, (unsigned)tm.tm_mday & 31, (unsigned)tm.tm_hour & 31,
		         (unsigned)tm.tm_min & 63, (unsigned)tm.tm_sec & 63);
		clock_format_time(t, ours);
		assert_string_equal(ours, theirs);
		assert_true(clock_parse_time(bytes_of(ours), &back));
		assert_int_equal(back, t);
	}
}

static void test_parse_duration(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "30", true, 30 },
		{ "30s", true, 30 },
		{ "5m", true, 300 },
		{ "24h", true, 86400 },
		{ "10d", true, 864000 },
		{ "007", true, 7 },
		{ "36525d", true, INT64_C(3155760000) },
		{ "3155760000", true, INT64_C(3155760000) },
		{ "3155760001", false, 0 },
		{ "36526d", false, 0 },
		{ "876601h", false, 0 },
		{ "18446744073709551617", false, 0 },
		{ "99999999999999999999999999999999999999999d", false, 0 },
		{ "", false, 0 },
		{ "s", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1 s", false, 0 },
		{ "1S", false, 0 },
		{ "1w", false, 0 },
		{ "1ms", false, 0 },
		{ "1h30m", false, 0 },
		{ "1.5h", false, 0 },
		{ "0x10", false, 0 },
		{ "ten", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t got = UNTOUCHED;
		bool ok = clock_parse_duration(bytes_of(rows[i].text), &got);

		if (ok != rows[i].ok || got != (rows[i].ok ? rows[i].want : UNTOUCHED))
			fail_msg("'%s': %d, %lld", rows[i].text, ok, (long long)got);
	}
}

/* Zones by their POSIX form: no zone file need be installed. */
static void test_format_local(void **state)
{
	static const struct {
		const char *zone;
		int64_t epoch_s;
		const char *want;
	} rows[] = {
		{ "UTC0", 1764054724, "2025-11-25 07:12 +00:00" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1764054724, "2025-11-25 08:12 +01:00" },
		{ "CET-1CEST,M3.5.0,M10.5.0/3", 1751000000, "2025-06-27 06:53 +02:00" },
		{ "<+0545>-5:45", 1764054724, "2025-11-25 12:57 +05:45" },
		{ "EST5", 1764054724, "2025-11-25 02:12 -05:00" },
		{ "<-0330>3:30", 1764054724, "2025-11-25 03:42 -03:30" },
		/* an offset with seconds: whole minutes, and the same moment */
		{ "LMT-0:53:28", 1764054724, "2025-11-25 08:05 +00:53" },
		{ "LMT0:53:28", 1764054724, "2025-11-25 06:19 -00:53" },
		/* nonsense, and more than a day */
		{ ":nonsense", 1764054724, "2025-11-25 07:12 +00:00" },
		{ "../../../../etc/passwd", 1764054724, "2025-11-25 07:12 +00:00" },
		{ "", 1764054724, "2025-11-25 07:12 +00:00" },
		{ "XXX25", 1764054724, "2025-11-24 07:12 -24:00" },
		/* the ends of what can be written, on either side of Greenwich */
		{ "UTC0", INT64_C(-62167219200), "0000-01-01 00:00 +00:00" },
		{ "EST5", INT64_C(-62167219200), "" },
		{ "UTC0", CLOCK_MAX_S, "9999-12-31 23:59 +00:00" },
		{ "<+01>-1", CLOCK_MAX_S, "" },
		{ "EST5", CLOCK_MAX_S + 1, "" },
		{ "UTC0", INT64_MAX, "" },
		{ "UTC0", INT64_MIN, "" },
	};
	char got[CLOCK_TEXT_BYTES], utc[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setenv("TZ", rows[i].zone, 1);
		memset(got, 'x', sizeof got);
		clock_format_local(rows[i].epoch_s, got);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: '%s', not '%s'", rows[i].zone, got, rows[i].want);
		/* Nor has a zone a say in the others. */
		clock_format_time(1764054724, utc);
		assert_string_equal(utc, "2025-11-25T07:12:04Z");
	}
	unsetenv("TZ");
}

static void test_format_span(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} rows[] = {
		{ INT64_MIN, "0 s" },      { -1, "0 s" },          { 0, "0 s" },          { 1, "1 s" },
		{ 119, "119 s" },          { 120, "2 min" },       { 7199, "119 min" },   { 7200, "2 h" },
		{ 2 * 86400 - 1, "47 h" }, { 2 * 86400, "2 days" }, { 58 * 86400 - 1, "57 days" },
		{ INT64_MAX, "106751991167300 days" },
	};
	char got[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		clock_format_span(rows[i].seconds, got);
		assert_string_equal(got, rows[i].want);
	}
}

static int64_t libc_ms(clockid_t clock)
{
	struct timespec t;

	assert_int_equal(clock_gettime(clock, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_clocks(void **state)
{
	int64_t mono = libc_ms(CLOCK_MONOTONIC), boot = libc_ms(CLOCK_BOOTTIME), wall = libc_ms(CLOCK_REALTIME);
	int64_t our_mono = clock_mono_ms(), our_boot = clock_boot_ms(), our_wall = clock_wall_s();

	(void)state;
	assert_true(mono <= our_mono && our_mono <= libc_ms(CLOCK_MONOTONIC));
	assert_true(boot <= our_boot && our_boot <= libc_ms(CLOCK_BOOTTIME));
	assert_true(wall / 1000 <= our_wall && our_wall <= libc_ms(CLOCK_REALTIME) / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_time),
		cmocka_unit_test(test_parse_time_is_bounded),
		cmocka_unit_test(test_format_time),
		cmocka_unit_test(test_calendar_like_libc),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_format_local),
		cmocka_unit_test(test_format_span),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
