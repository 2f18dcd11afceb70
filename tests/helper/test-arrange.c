/* SPDX-License-Identifier: MIT */
/*
 * arrange.c: the configuration's lines, the built-in ones of a facility that has none, and whose RefreshToken the sources
 * are told that they may give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/arrange.h"
#include "helper/site.h"
#include "tests/helper/scratch.h"

static struct config config;
static struct arrangement arrangement;

static int setup(void **state)
{
	return scratch_setup(state) || unsetenv("XDG_CONFIG_HOME") || unsetenv("ALATION_BASE_URL") || unsetenv("ALATION_USER_ID");
}

static int teardown(void **state)
{
	config_free(&config);
	unsetenv("ALATION_CRED_CONFIG");
	return scratch_teardown(state);
}

static void arrange_text(const char *text)
{
	struct trouble trouble = { 0 };

	scratch_write(scratch_path("config"), text, strlen(text));
	setenv("ALATION_CRED_CONFIG", scratch_path("config"), 1);
	config_free(&config);
	config = (struct config){ 0 };
	if (config_read("", &config, &trouble) != DONE)
		fail_msg("%s", trouble.message);
	memset(&arrangement, 0x5a, sizeof arrangement);
	arrange(&config, &arrangement);
}

/* A line as "facility control module argument ... line;", line 0: built in. Of FACILITY, or NULL: of both. */
static const char *stack(const char *facility)
{
	static char text[4096];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < arrangement.n; i++) {
		const struct keyring_line *line = &arrangement.lines[i];

		if (strcmp(line->facility, facility) != 0)
			continue;
		n += (size_t)snprintf(text + n, sizeof text - n, "%d %s", (int)line->control, line->module);
		for (int j = 0; j < line->argc; j++)
			n += (size_t)snprintf(text + n, sizeof text - n, " %s", line->argv[j]);
		n += (size_t)snprintf(text + n, sizeof text - n, " %u;", arrangement.places[i].file ? arrangement.places[i].line : 0);
	}
	return text;
}

#define BUILT_IN_REFRESH "2 credentials-directory 0;2 environment 0;2 secret-service 0;"
#define BUILT_IN_ACCESS "2 kernel prefix=alation-cred-tree 0;2 private-file prefix=alation-cred-tree 0;"

static void test_a_facility_without_lines_is_built_in(void **state)
{
	(void)state;
	arrange_text("timeout 30\n");
	assert_string_equal(stack("refresh"), BUILT_IN_REFRESH);
	assert_string_equal(stack("access"), BUILT_IN_ACCESS);
	assert_string_equal(stack("recovery"), BUILT_IN_ACCESS);
	arrange_text("access optional private-file prefix=x\n");
	assert_string_equal(stack("refresh"), BUILT_IN_REFRESH);
	assert_string_equal(stack("access"), "3 private-file prefix=x 1;");
	assert_string_equal(stack("recovery"), BUILT_IN_ACCESS);
	arrange_text("refresh required secret-service\n\naccess requisite kernel\nrefresh sufficient /a/b.so c d\n");
	assert_string_equal(stack("refresh"), "0 secret-service 1;2 /a/b.so c d 4;");
	assert_string_equal(stack("access"), "1 kernel 3;");
	assert_string_equal(stack("recovery"), BUILT_IN_ACCESS);
}

/* In the one spelling that keys use. What a line says itself goes before the environment, but not for the token in it. */
static void test_sources_are_told_whose(void **state)
{
	static const struct {
		const char *base_url, *user_id, *lines, *want;
	} rows[] = {
		{ "HTTPS://Catalog.Example.com:443/", "102", "", "2 credentials-directory base-url=https://catalog.example.com user-id=102 0;"
		  "2 environment base-url=https://catalog.example.com user-id=102 0;2 secret-service 0;" },
		{ "https://103@a.example.com", NULL, "refresh sufficient environment\n", "2 environment base-url=https://a.example.com user-id=103 1;" },
		{ "https://103@a.example.com", "104", "refresh sufficient environment\n", "2 environment base-url=https://a.example.com user-id=104 1;" },
		{ "a.example.com", NULL, "refresh sufficient environment\n", "2 environment base-url=https://a.example.com 1;" },
		{ NULL, "9", "refresh sufficient environment\n", "2 environment user-id=9 1;" },
		{ "no address at all", "nobody", "refresh sufficient environment\n", "2 environment 1;" },
		{ "", "", "refresh sufficient environment\n", "2 environment 1;" },
		{ "a.example.com", "9", "refresh sufficient credentials-directory name=x user-id=7\n",
		  "2 credentials-directory name=x user-id=7 base-url=https://a.example.com 1;" },
		{ "a.example.com", "9", "refresh sufficient environment base-url=https://b.example.com user-id=7\n",
		  "2 environment base-url=https://b.example.com user-id=7 base-url=https://a.example.com user-id=9 1;" },
		{ "a.example.com", "9", "refresh sufficient environment 1 2 3 4 5 6 7 8 9 10 11 12\n",
		  "2 environment 1 2 3 4 5 6 7 8 9 10 11 12 base-url=https://a.example.com user-id=9 1;" },
		{ "7@wiki", NULL, "refresh sufficient environment\n[wiki]\nbase-url a.example.com\n", "2 environment base-url=https://a.example.com user-id=7 1;" },
		{ "a.example.com", "9", "refresh sufficient secret-service\n", "2 secret-service 1;" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		setup(NULL);
		if (rows[i].base_url)
			setenv("ALATION_BASE_URL", rows[i].base_url, 1);
		if (rows[i].user_id)
			setenv("ALATION_USER_ID", rows[i].user_id, 1);
		arrange_text(rows[i].lines);
		if (strcmp(stack("refresh"), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, stack("refresh"));
		scratch_remove(scratch);
	}
	setup(NULL);
}

/* Both facilities may have such a line: four are told, and there is room for all lines that a file may have. */
static void test_room(void **state)
{
	char text[4096];
	size_t n = 0;

	(void)state;
	setenv("ALATION_USER_ID", "9", 1);
	arrange_text("refresh sufficient environment\nrefresh sufficient credentials-directory\n"
	             "access sufficient environment\naccess sufficient credentials-directory\n");
	assert_string_equal(stack("refresh"), "2 environment user-id=9 1;2 credentials-directory user-id=9 2;");
	assert_string_equal(stack("access"), "2 environment user-id=9 3;2 credentials-directory user-id=9 4;");
	for (int i = 1; i <= KEYRING_LINES_MAX / 2; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "access optional m%d\n", i);
	arrange_text(text);
	assert_string_equal(stack("refresh"), "2 credentials-directory user-id=9 0;2 environment user-id=9 0;2 secret-service 0;");
	assert_string_equal(stack("recovery"), BUILT_IN_ACCESS);
	assert_int_equal(arrangement.n, KEYRING_LINES_MAX / 2 + 3 + 2);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_facility_without_lines_is_built_in),
		TEST(test_sources_are_told_whose),
		TEST(test_room),
	};

	umask(022);
	return cmocka_run_group_tests_name("arrange", tests, NULL, NULL);
}
