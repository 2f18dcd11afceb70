/* SPDX-License-Identifier: MIT */
/*
 * out.c: what each writer makes of which bytes, and that no writer ever steps over the end of its buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/out.h"

#define GUARD 0x5a
#define LIT(s) { s, sizeof s - 1 } /* with the NULs in it */

typedef void writer(struct out *out, struct bytes b);

static const struct row {
	const char *what;
	writer *write;
	struct bytes in, want;
} rows[] = {
	{ "bytes as they are", out_bytes, LIT("a\0\xff\n"), LIT("a\0\xff\n") },
	{ "no bytes", out_bytes, { NULL, 0 }, LIT("") },

	{ "visible: plain", out_visible, LIT("Alation 1 & \\ \"x\""), LIT("Alation 1 & \\ \"x\"") },
	{ "visible: nothing", out_visible, { NULL, 0 }, LIT("") },
	{ "visible: C0 and DEL", out_visible, LIT("\0\t\n\x1b[2J\x1f \x7f~"),
	  LIT("\\x00\\x09\\x0a\\x1b[2J\\x1f \\x7f~") },
	{ "visible: UTF-8 stays", out_visible, LIT("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91"),
	  LIT("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91") },
	{ "visible: C1 as UTF-8", out_visible, LIT("\xc2\x80\xc2\x9b\xc2\x9f"),
	  LIT("\\xc2\\x80\\xc2\\x9b\\xc2\\x9f") },
	{ "visible: behind C1", out_visible, LIT("\xc2\xa0"), LIT("\xc2\xa0") },
	{ "visible: C1 as a lone byte", out_visible, LIT("\x9b" "31m"), LIT("\\x9b31m") },
	{ "visible: U+200D stays", out_visible, LIT("\xe2\x80\x8d"), LIT("\xe2\x80\x8d") },
	{ "visible: U+200E U+200F", out_visible, LIT("\xe2\x80\x8e\xe2\x80\x8f"),
	  LIT("\\xe2\\x80\\x8e\\xe2\\x80\\x8f") },
	{ "visible: U+2010 stays", out_visible, LIT("\xe2\x80\x90"), LIT("\xe2\x80\x90") },
	{ "visible: line separators", out_visible, LIT("\xe2\x80\xa8\xe2\x80\xa9"),
	  LIT("\\xe2\\x80\\xa8\\xe2\\x80\\xa9") },
	{ "visible: U+202A, U+202E", out_visible, LIT("\xe2\x80\xaa\xe2\x80\xae"),
	  LIT("\\xe2\\x80\\xaa\\xe2\\x80\\xae") },
	{ "visible: U+202F stays", out_visible, LIT("\xe2\x80\xaf"), LIT("\xe2\x80\xaf") },
	{ "visible: U+2066, U+2069", out_visible, LIT("\xe2\x81\xa6\xe2\x81\xa9"),
	  LIT("\\xe2\\x81\\xa6\\xe2\\x81\\xa9") },
	{ "visible: U+2065, U+206A stay", out_visible, LIT("\xe2\x81\xa5\xe2\x81\xaa"),
	  LIT("\xe2\x81\xa5\xe2\x81\xaa") },
	{ "visible: U+061C", out_visible, LIT("\xd8\x9c"), LIT("\\xd8\\x9c") },
	{ "visible: cut short", out_visible, LIT("a\xe2\x82"), LIT("a\\xe2\\x82") },
	{ "visible: the view ends in a character", out_visible, { "\xe2\x82\xac", 2 }, LIT("\\xe2\\x82") },
	{ "visible: stray byte", out_visible, LIT("\x80z"), LIT("\\x80z") },
	{ "visible: overlong ESC", out_visible, LIT("\xc1\x9b"), LIT("\\xc1\\x9b") },
	{ "visible: overlong, three bytes", out_visible, LIT("\xe0\x80\x9b"), LIT("\\xe0\\x80\\x9b") },
	{ "visible: overlong, four bytes", out_visible, LIT("\xf0\x82\x82\xac"), LIT("\\xf0\\x82\\x82\\xac") },
	{ "visible: surrogate", out_visible, LIT("\xed\xa0\x80"), LIT("\\xed\\xa0\\x80") },
	{ "visible, ASCII: plain", out_visible_ascii, LIT(" Alation 1 & \\ \"x\"~"), LIT(" Alation 1 & \\ \"x\"~") },
	{ "visible, ASCII: all else", out_visible_ascii, LIT("\0\n\x1b\x7fZo\xc3\xab\xff"), LIT("\\x00\\x0a\\x1b\\x7fZo\\xc3\\xab\\xff") },
	{ "visible: U+10FFFF", out_visible, LIT("\xf4\x8f\xbf\xbf"), LIT("\xf4\x8f\xbf\xbf") },
	{ "visible: above U+10FFFF", out_visible, LIT("\xf4\x90\x80\x80"), LIT("\\xf4\\x90\\x80\\x80") },
	{ "visible: no first byte", out_visible, LIT("\xf8\xff"), LIT("\\xf8\\xff") },

	{ "json: plain", out_json, LIT("a/b"), LIT("\"a/b\"") },
	{ "json: nothing", out_json, { NULL, 0 }, LIT("\"\"") },
	{ "json: quote and backslash", out_json, LIT("\"\\"), LIT("\"\\\"\\\\\"") },
	{ "json: short escapes", out_json, LIT("\b\f\n\r\t"), LIT("\"\\b\\f\\n\\r\\t\"") },
	{ "json: other C0", out_json, LIT("\0\x01\x0b\x1b\x1f"),
	  LIT("\"\\u0000\\u0001\\u000b\\u001b\\u001f\"") },
	{ "json: UTF-8 stays", out_json, LIT("\xc3\xab\xe2\x82\xac\xf0\x9f\x94\x91"),
		LIT("\"\xc3\xab\xe2\x82\xac\xf0\x9f\x94\x91\"") },
	{ "json: what a terminal acts on", out_json, LIT("\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xae"),
		LIT("\"\\u007f\\u009b\\u2028\\u202e\"") },
	{ "json: not UTF-8", out_json, LIT("a\xff\xc3"), LIT("\"a\xef\xbf\xbd\xef\xbf\xbd\"") },
	{ "json: the view ends in a character", out_json, { "\xc3\xab", 1 }, LIT("\"\xef\xbf\xbd\"") },
	{ "json: overlong quote", out_json, LIT("\xc0\xa2"), LIT("\"\xef\xbf\xbd\xef\xbf\xbd\"") },

	{ "form: stand for themselves", out_form, LIT("AZaz09._~-"), LIT("AZaz09._~-") },
	{ "form: the rest", out_form, LIT("&+%:\" =/@[`{^\0\n"),
	  LIT("%26%2B%25%3A%22%20%3D%2F%40%5B%60%7B%5E%00%0A") },
	{ "form: bytes, not characters", out_form, LIT("\xc3\xab\xff"), LIT("%C3%AB%FF") },
	{ "form: nothing", out_form, { NULL, 0 }, LIT("") },
};

/* Writes with ROOM bytes in a block of exactly that size and a guard behind it. */
static struct out written(const struct row *row, size_t room)
{
	struct out out = { .p = malloc(room + 1), .room = room };

	assert_non_null(out.p);
	out.p[room] = GUARD;
	row->write(&out, row->in);
	assert_int_equal(out.p[room], GUARD);
	assert_true(out.n <= room);
	return out;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct out out = written(row, row->want.n);

		if (out.overflow || out.n != row->want.n || memcmp(out.p, row->want.p, out.n) != 0)
			fail_msg("%s: wrote '%.*s'", row->what, (int)out.n, out.p);
		free(out.p);
	}
}

static void test_every_smaller_room_overflows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t room = 0; room < rows[i].want.n; room++) {
			struct out out = written(&rows[i], room);

			if (!out.overflow)
				fail_msg("%s: no overflow with room for %zu", rows[i].what, room);
			assert_memory_equal(out.p, rows[i].want.p, out.n);
			free(out.p);
		}
	}
}

static void test_nothing_follows_an_overflow(void **state)
{
	char buffer[4] = "";
	struct out out = { .p = buffer, .room = sizeof buffer };

	(void)state;
	out_text(&out, "ab");
	out_text(&out, "cdefg");
	out_text(&out, "h");
	out_int(&out, 1);
	assert_true(out.overflow);
	assert_int_equal(out.n, 2);
	assert_memory_equal(buffer, "ab\0\0", 4);
}

static void test_int(void **state)
{
	static const struct {
		int64_t value;
		const char *want;
	} ints[] = {
		{ 0, "0" }, { 7, "7" }, { 10, "10" }, { -1, "-1" }, { 1796022724, "1796022724" }, { -120, "-120" },
		{ INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ints / sizeof ints[0]; i++) {
		char buffer[32] = "";
		struct out out = { .p = buffer, .room = strlen(ints[i].want) };

		out_int(&out, ints[i].value);
		assert_false(out.overflow);
		assert_string_equal(buffer, ints[i].want);
	}
}

static void test_text_of_null_is_nothing(void **state)
{
	char buffer[1] = { GUARD };
	struct out out = { .p = buffer, .room = 1 };

	(void)state;
	out_text(&out, NULL);
	assert_int_equal(out.n, 0);
	assert_false(out.overflow);
	assert_int_equal(buffer[0], GUARD);
}

static void test_columns(void **state)
{
	static const struct {
		struct bytes in;
		size_t want;
	} columns[] = {
		{ { NULL, 0 }, 0 },
		{ LIT("https://102@localhost"), 21 },
		{ LIT("Zo\xc3\xab"), 3 },
		{ LIT("Zoe\xcc\x88"), 3 },                                  /* a diaeresis of its own */
		{ LIT("\xe9\x8d\xb5 \xed\x82\xa4"), 5 },                    /* U+9375, U+D0A4 */
		{ LIT("\xf0\x9f\x94\x91"), 2 },                             /* U+1F511 */
		{ LIT("\xf4\x8f\xbf\xbf"), 1 },
		{ LIT("\xff\x80"), 2 },
		{ { "\xe2\x82\xac", 2 }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		if (out_columns(columns[i].in) != columns[i].want)
			fail_msg("row %zu: %zu columns", i, out_columns(columns[i].in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_smaller_room_overflows),
		cmocka_unit_test(test_nothing_follows_an_overflow),
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_text_of_null_is_nothing),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
