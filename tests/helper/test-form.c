/* SPDX-License-Identifier: MIT */
/*
 * form.c: what is written can be read back, byte for byte, in its few characters; what is malformed is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "helper/base/form.h"

#define VIEW(text) ((struct bytes){ text, sizeof text - 1 })

static void pairs_are_taken_one_by_one(void **state)
{
	/* WANT: the pairs in brackets, and '!' where the line turned out to be malformed. */
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "", "" },
		{ "a=1", "[a|1]" },
		{ "a=1&b=", "[a|1][b|]" },
		{ "a=1&b=2&", "[a|1][b|2]" },
		{ "a=b=c&d==", "[a|b=c][d|=]" },
		{ "a=1&a=2", "[a|1][a|2]" },
		{ "a%3D=%26", "[a%3D|%26]" },
		{ "a", "!" },
		{ "=1", "!" },
		{ "=", "!" },
		{ "&", "!" },
		{ "&a=1", "!" },
		{ "a=1&&b=2", "[a|1]!" },
		{ "a=1&b", "[a|1]!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bytes rest = bytes_of(rows[i].line), key, value;
		char got[128] = "";
		size_t n = 0;
		bool bad;

		while (form_next(&rest, &key, &value, &bad))
			n += (size_t)snprintf(got + n, sizeof got - n, "[%.*s|%.*s]", (int)key.n, key.p, (int)value.n, value.p);
		snprintf(got + n, sizeof got - n, "%s", bad ? "!" : "");
		assert_string_equal(got, rows[i].want);
	}
}

static const struct decode_row {
	struct bytes value;
	const char *want; /* NULL: refused */
} decodes[] = {
	{ { "", 0 }, "" },
	{ { "plain", 5 }, "plain" },
	{ { "a+b", 3 }, "a b" },
	{ { "%41%5a%5A", 9 }, "AZZ" },
	{ { "%2B%25", 6 }, "+%" },
	{ { "%c3%A9", 6 }, "\xc3\xa9" },
	{ { "%0a%1B", 6 }, "\n\x1b" },
	{ { "%", 1 }, NULL },
	{ { "%4", 2 }, NULL },
	{ { "ab%", 3 }, NULL },
	{ { "%4g", 3 }, NULL },
	{ { "%g4", 3 }, NULL },
	{ { "%-1", 3 }, NULL },
	{ { "%%41", 4 }, NULL },
	{ { "%1\x01", 3 }, NULL },
	{ { "%1\x11", 3 }, NULL },
	{ { "%00", 3 }, NULL },
	{ { "a\0b", 3 }, NULL },
	{ { "\0", 1 }, NULL },
};

static void values_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof decodes / sizeof *decodes; i++) {
		SECRET text = { 0 };
		char small[16];

		assert_int_equal(form_decode(decodes[i].value, &text), decodes[i].want != NULL);
		assert_int_equal(form_decode_into(decodes[i].value, small, sizeof small), decodes[i].want != NULL);
		if (!decodes[i].want)
			continue;
		assert_true(bytes_are(secret_view(&text), decodes[i].want));
		assert_string_equal(small, decodes[i].want);
	}
}

static void a_text_fits_or_is_refused(void **state)
{
	char text[5];

	(void)state;
	assert_true(form_decode_into(VIEW("1234"), text, sizeof text));
	assert_true(form_decode_into(VIEW("%31%32%33%34"), text, sizeof text));
	assert_false(form_decode_into(VIEW("12345"), text, sizeof text));
	assert_true(form_decode_into(VIEW(""), text, 1));
	assert_false(form_decode_into(VIEW("1"), text, 1));
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "42", true, 42 },
		{ "-1", true, -1 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775807", true, -INT64_MAX },
		{ "9223372036854775808", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "--1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.0", false, 0 },
		{ "0x1", false, 0 },
		{ "%31", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t number = -77;

		assert_int_equal(form_int(bytes_of(rows[i].text), &number), rows[i].ok);
		assert_int_equal(number, rows[i].ok ? rows[i].want : -77);
	}
}

static void every_byte_but_nul_comes_back(void **state)
{
	char all[255];
	SECRET line = { 0 };
	struct bytes rest, key, value;
	bool bad;

	(void)state;
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i + 1);
	assert_true(form_add(&line, "all", (struct bytes){ all, sizeof all }));
	assert_true(form_add_int(&line, "low", INT64_MIN));
	assert_true(form_add(&line, "none", bytes_of("")));
	for (size_t i = 0; i < line.len; i++)
		assert_true(byte_is_plain(line.bytes[i], "%=&._~-"));

	rest = secret_view(&line);
	assert_true(form_next(&rest, &key, &value, &bad));
	{
		SECRET text = { 0 };

		assert_true(form_decode(value, &text));
		assert_true(secret_equal(secret_view(&text), (struct bytes){ all, sizeof all }));
	}
	assert_true(form_next(&rest, &key, &value, &bad));
	assert_true(bytes_are(key, "low") && bytes_are(value, "-9223372036854775808"));
	assert_true(form_next(&rest, &key, &value, &bad));
	assert_true(bytes_are(key, "none") && value.n == 0);
	assert_false(form_next(&rest, &key, &value, &bad));
	assert_false(bad);
}

static void what_does_not_fit_is_refused(void **state)
{
	SECRET line = { 0 }, big = { 0 };

	(void)state;
	assert_true(secret_reserve(&big, SECRET_MAX_BYTES / 2));
	memset(big.bytes, '%', SECRET_MAX_BYTES / 2);
	big.len = SECRET_MAX_BYTES / 2;
	assert_false(form_add(&line, "big", secret_view(&big)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_taken_one_by_one),    cmocka_unit_test(values_are_decoded),
		cmocka_unit_test(a_text_fits_or_is_refused),     cmocka_unit_test(numbers),
		cmocka_unit_test(every_byte_but_nul_comes_back), cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
