/* SPDX-License-Identifier: MIT */
/*
 * conf.c: what is a stack line, where the words are cut, and what is said, and where, of a line that is none. An argument
 * is never shown, nor any word that was refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keyring/conf.h"

static char text[1024];

static const char *parse(const char *line, struct conf_line *ret_line, size_t *ret_column)
{
	assert_true(strlen(line) < sizeof text);
	strcpy(text, line);
	return conf_parse(text, ret_line, ret_column);
}

/* As `facility control module argument|argument`. */
static const char *spelt(const struct keyring_line *line)
{
	static const char *const controls[] = { "required", "requisite", "sufficient", "optional" };
	static char all[1024];
	int n = snprintf(all, sizeof all, "%s %s %s", line->facility, controls[line->control], line->module);

	for (int i = 0; i < line->argc; i++)
		n += snprintf(all + n, sizeof all - (size_t)n, "%s%s", i ? "|" : " ", line->argv[i]);
	return all;
}

static void test_lines(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "refresh required secret-service", "refresh required secret-service" },
		{ "refresh requisite secret-service", "refresh requisite secret-service" },
		{ "access sufficient kernel", "access sufficient kernel" },
		{ "access optional private-file", "access optional private-file" },
		{ "  \t access\t \tsufficient  kernel\t ", "access sufficient kernel" },
		{ "access sufficient kernel prefix=mine", "access sufficient kernel prefix=mine" },
		{ "refresh sufficient sealed-file file=/a key-file=/b unlock-time=1h", "refresh sufficient sealed-file file=/a|key-file=/b|unlock-time=1h" },
		/* a comment begins where a word does */
		{ "access sufficient kernel # the default", "access sufficient kernel" },
		{ "access sufficient kernel\t#prefix=x", "access sufficient kernel" },
		{ "access sufficient kernel prefix=a#b c#", "access sufficient kernel prefix=a#b|c#" },
		/* nothing is quoted */
		{ "access sufficient kernel \"a b\" 'c' \\ d", "access sufficient kernel \"a|b\"|'c'|\\|d" },
		{ "refresh sufficient /opt/lib/vault.so", "refresh sufficient /opt/lib/vault.so" },
		{ "refresh sufficient a-9", "refresh sufficient a-9" },
		{ "access sufficient kernel 1 2 3 4 5 6 7 8 9 10 11 12", "access sufficient kernel 1|2|3|4|5|6|7|8|9|10|11|12" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct conf_line line;
		size_t column;
		const char *why = parse(rows[i].line, &line, &column);

		if (why != NULL)
			fail_msg("'%s': %s", rows[i].line, why);
		assert_ptr_equal(line.line.argv, line.argv);
		assert_string_equal(spelt(&line.line), rows[i].want);
	}
}

#define LONG_NAME \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_what_is_wrong(void **state)
{
	static const struct {
		const char *line;
		size_t column;
		const char *why;
	} rows[] = {
		{ "", 1, "begins with refresh or access" },
		{ "recovery sufficient kernel", 1, "begins with refresh or access" },
		{ "  Refresh sufficient kernel", 3, "begins with refresh or access" },
		{ "refresh", 8, "none of required, requisite, sufficient, optional" },
		{ "refresh  hunter2 kernel", 10, "none of required, requisite, sufficient, optional" },
		{ "refresh [success=1] kernel", 9, "none of required, requisite, sufficient, optional" },
		{ "refresh # sufficient kernel", 9, "none of required, requisite, sufficient, optional" },
		{ "refresh Sufficient kernel", 9, "none of required, requisite, sufficient, optional" },
		{ "refresh sufficient", 19, "the module is missing" },
		{ "refresh sufficient   # kernel", 22, "the module is missing" },
		{ "refresh sufficient hunter2/x", 20, "a name, or an absolute path" },
		{ "refresh sufficient ./hunter2.so", 20, "a name, or an absolute path" },
		{ "refresh sufficient hunter2.so", 20, "made of a-z, 0-9 and '-'" },
		{ "refresh sufficient Kernel", 20, "made of a-z, 0-9 and '-'" },
		{ "refresh sufficient key=hunter2", 20, "made of a-z, 0-9 and '-'" },
		{ "refresh sufficient " LONG_NAME, 20, "too long" },
		{ "refresh sufficient /" LONG_NAME, 20, "too long" },
		{ "refresh sufficient kernel 1 2 3 4 5 6 7 8 9 10 11 12 hunter2", 54, "too many arguments" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct conf_line line;
		size_t column = 0;
		const char *why = parse(rows[i].line, &line, &column);

		if (why == NULL || strstr(why, rows[i].why) == NULL || column != rows[i].column)
			fail_msg("'%s': column %zu, '%s'", rows[i].line, column, why != NULL ? why : "nothing");
		assert_null(strstr(why, "hunter2"));
	}
}

/* Each word is ended in place, and the next call goes on behind it. */
static void test_words(void **state)
{
	static const struct {
		const char *word;
		size_t column;
	} wanted[] = { { "one", 3 }, { "two#", 8 }, { NULL, 13 }, { NULL, 13 } };
	size_t at = 0, column;

	(void)state;
	strcpy(text, "  one\t two# #three");
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const char *word = conf_word(text, &at, &column);

		assert_int_equal(column, wanted[i].column);
		if (wanted[i].word == NULL)
			assert_null(word);
		else
			assert_string_equal(word, wanted[i].word);
	}
}

static void test_facilities(void **state)
{
	(void)state;
	assert_true(conf_is_facility("refresh", 7));
	assert_true(conf_is_facility("access", 6));
	assert_false(conf_is_facility("recovery", 8)); /* the program's own */
	assert_false(conf_is_facility("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_facilities),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
