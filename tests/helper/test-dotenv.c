/* SPDX-License-Identifier: MIT */
/*
 * dotenv.c: what is an assignment and what its value, row by row; texts at random, which must end and stay within themselves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "helper/base/dotenv.h"

static void assignments_are_taken_one_by_one(void **state)
{
	/* WANT: line, key and value of each in brackets. */
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "\n\n \t\n", "" },
		{ "A=1", "[1 A|1]" },
		{ "A=1\nB=2\n", "[1 A|1][2 B|2]" },
		{ "A=1\r\n\r\nB=2\r\n", "[1 A|1][3 B|2]" },
		{ "\xef\xbb\xbf" "A=1", "[1 A|1]" },
		{ "A=", "[1 A|]" },
		{ "A= \n", "[1 A|]" },
		{ "A=1\nA=2", "[1 A|1][2 A|2]" },
		{ "  A = 1 \t", "[1 A|1]" },
		{ "A=b c", "[1 A|b c]" },
		{ "A=b=c==", "[1 A|b=c==]" },
		{ "a.b-c_9=x", "[1 a.b-c_9|x]" },
		/* export */
		{ "export A=1", "[1 A|1]" },
		{ "export\tA=1", "[1 A|1]" },
		{ "\texport   A='1'", "[1 A|1]" },
		{ "export A='1';", "[1 A|1]" },
		{ "export A", "" },
		{ "export", "" },
		{ "export=1", "[1 export|1]" },
		{ "exportA=1", "[1 exportA|1]" },
		/* comments */
		{ "# A=1\n #B=2\nC=3", "[3 C|3]" },
		{ "A=1 # one", "[1 A|1]" },
		{ "A=1\t#one", "[1 A|1]" },
		{ "A=1#one", "[1 A|1#one]" },
		{ "A=#one", "[1 A|]" },
		{ "A= # one", "[1 A|]" },
		{ "A='1' # one", "[1 A|1]" },
		{ "A='1'#one", "[1 A|1]" },
		{ "A='1'; # one\n", "[1 A|1]" },
		{ "A='#1' # 'one'", "[1 A|#1]" },
		/* quotes */
		{ "A=''", "[1 A|]" },
		{ "A=\"\"", "[1 A|]" },
		{ "A=\"b c\"", "[1 A|b c]" },
		{ "A=' b '", "[1 A| b ]" },
		{ "A='b\"c'", "[1 A|b\"c]" },
		{ "A=\"b'c\"", "[1 A|b'c]" },
		{ "A=\"b\\\"c\"", "[1 A|b\\\"c]" },
		{ "A='b\\'", "[1 A|b\\]" },
		{ "A='1'\r\nB=2", "[1 A|1][2 B|2]" },
		{ "A='b\nc'\nB=2", "[1 A|b\nc][3 B|2]" },
		{ "A=\"b\n\nB=no\n\"\nC=3", "[1 A|b\n\nB=no\n][5 C|3]" },
		/* quotes that do not come out */
		{ "A='b", "[1 A|'b]" },
		{ "A='", "[1 A|']" },
		{ "A=\"b\\\"", "[1 A|\"b\\\"]" },
		{ "A='b'c", "[1 A|'b'c]" },
		{ "A='b''c'", "[1 A|'b''c']" },
		{ "A='b';;", "[1 A|'b';;]" },
		{ "A=b'c'", "[1 A|b'c']" },
		{ "A='it\nB='2'", "[1 A|'it][2 B|2]" },
		{ "A=\"it # one\nB=2", "[1 A|\"it][2 B|2]" },
		/* nothing is expanded */
		{ "A=$B", "[1 A|$B]" },
		{ "A=\"${B}\\n\"", "[1 A|${B}\\n]" },
		/* no assignments */
		{ "A\n=1\n==\nA:1\n[A]\nA B=1\nB=2", "[7 B|2]" },
		{ "'A'=1\n\"A\"=1\n\xc3\xa4=1", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dotenv reader = { .rest = bytes_of(rows[i].text) };
		struct dotenv_pair pair;
		char got[256] = "";
		size_t n = 0;

		while (dotenv_next(&reader, &pair))
			n += (size_t)snprintf(got + n, sizeof got - n, "[%zu %.*s|%.*s]", pair.line, (int)pair.key.n, pair.key.p, (int)pair.value.n,
			                      pair.value.p);
		assert_string_equal(got, rows[i].want);
	}
}

static uint32_t seed = 1;

static unsigned below(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % n;
}

/* Each text has a block of its own size: a sanitizer sees what reads beyond it. */
static void any_text_ends_and_gives_views_of_itself(void **state)
{
	static const char alphabet[] = "AB=='\"\\# \t\r\n\n;$export";

	(void)state;
	for (int round = 0; round < 200000; round++) {
		size_t n = below(40), pairs = 0, line = 0, lines = 1;
		char *text = malloc(n + !n);
		struct dotenv reader = { .rest = { text, n } };
		struct dotenv_pair pair;

		assert_non_null(text);
		for (size_t i = 0; i < n; i++) {
			text[i] = below(50) ? alphabet[below(sizeof alphabet - 1)] : (char)below(256);
			lines += text[i] == '\n';
		}
		while (dotenv_next(&reader, &pair)) {
			assert_true(++pairs <= n && pair.line > line && pair.line <= lines);
			line = pair.line;
			assert_true(pair.key.n && pair.key.p >= text && pair.key.p + pair.key.n < pair.value.p);
			assert_true(pair.value.p + pair.value.n <= text + n);
			assert_null(memchr(pair.key.p, '\n', pair.key.n));
		}
		assert_int_equal(reader.rest.n, 0);
		free(text);
	}
}

/* What is written so that it must be understood is, however it is written. */
static void any_value_comes_back(void **state)
{
	static const char *const forms[][2] = { { "K=", "" }, { "export K=", "" }, { " K = ", " " }, { "K='", "'" }, { "K=\"", "\"" },
		{ "export K='", "'; # it" }, { "K=", " # it" }, { "K='", "'\r" } };
	static const char *const around[] = { "", "\n", "# K=no\n", "A='x\ny'\n", "A=\"it\n", "junk\r\n", "A=\"\\\"\"\n" };
	static const char token[] = "ABCxyz019._~+/=-";

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char value[24] = "", text[256];
		struct dotenv_pair pair, last = { 0 };
		struct dotenv reader;
		size_t n = below(sizeof value - 1), form = below(sizeof forms / sizeof *forms), at;

		for (size_t i = 0; i < n; i++)
			value[i] = token[below(sizeof token - 1)];
		at = (size_t)snprintf(text, sizeof text, "%s", around[below(sizeof around / sizeof *around)]);
		snprintf(text + at, sizeof text - at, "%s%s%s\n%s", forms[form][0], value, forms[form][1], around[below(3)]);
		reader = (struct dotenv){ .rest = bytes_of(text) };
		while (dotenv_next(&reader, &pair))
			if (bytes_are(pair.key, "K"))
				last = pair;
		assert_int_equal(last.value.n, n);
		assert_memory_equal(last.value.p, value, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assignments_are_taken_one_by_one),
		cmocka_unit_test(any_text_ends_and_gives_views_of_itself),
		cmocka_unit_test(any_value_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
