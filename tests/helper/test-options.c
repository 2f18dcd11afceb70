/* SPDX-License-Identifier: MIT */
/*
 * options.c: where options may stand, what their values may be, and that what cannot be is refused without a word
 * of it being shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "helper/options.h"

#define ARGS_MAX 8

static struct options options;
static struct trouble trouble;

static enum outcome parse(const char *const args[])
{
	int n = 0;

	while (n < ARGS_MAX && args[n])
		n++;
	trouble = (struct trouble){ 0 };
	memset(&options, 0x5a, sizeof options);
	return options_parse(n, args, &options, &trouble);
}

static void without_any(void **state)
{
	(void)state;
	assert_int_equal(parse((const char *const[]){ NULL }), DONE);
	assert_ptr_equal(options.format, &format_token);
	assert_int_equal(options.interactive, INTERACTIVE_AUTO);
	assert_int_equal(options.timeout_s, 30);
	assert_int_equal(options.n_args, 0);
	assert_int_equal(options.user_id, 0);
	assert_null(options.user);
	assert_null(options.name);
	assert_false(options.verbose || options.help || options.version || options.password_stdin || options.token_stdin ||
	             options.exclusive || options.shared || options.make_default);
}

static const struct place_row {
	const char *args[ARGS_MAX];
	const char *format, *verb, *argument;
} places[] = {
	{ { "get" }, "token", "get", NULL },
	{ { "get", "--format", "json" }, "json", "get", NULL },
	{ { "--format", "json", "get" }, "json", "get", NULL },
	{ { "get", "--format=json", "host" }, "json", "get", "host" },
	{ { "get", "host", "--format=header" }, "header", "get", "host" },
	{ { "--format=json", "--format=token", "get" }, "token", "get", NULL },
	{ { "get", "-" }, "token", "get", "-" },
	{ { "get", "" }, "token", "get", "" },
	{ { "get", "--", "--format=json" }, "token", "get", "--format=json" },
	{ { "--", "get", "-v" }, "token", "get", "-v" },
	{ { "--format=json", "--", "get", "--" }, "json", "get", "--" },
	{ { "--" }, "token", NULL, NULL },
};

static void before_and_after_the_verb(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const struct place_row *row = &places[i];

		assert_int_equal(parse(row->args), DONE);
		assert_string_equal(options.format->name, row->format);
		assert_int_equal(options.n_args, !!row->verb + !!row->argument);
		if (row->verb)
			assert_string_equal(options.args[0], row->verb);
		if (row->argument)
			assert_string_equal(options.args[1], row->argument);
		assert_false(options.verbose);
	}
}

static void each_option_sets_its_own(void **state)
{
	(void)state;
	assert_int_equal(parse((const char *const[]){ "-v", "--help", "--version", "--password-stdin", "--exclusive", NULL }), DONE);
	assert_true(options.verbose && options.help && options.version && options.password_stdin && options.exclusive);
	assert_false(options.token_stdin || options.shared || options.make_default);
	assert_int_equal(parse((const char *const[]){ "--token-stdin", "--shared", "--default", "-h", NULL }), DONE);
	assert_true(options.token_stdin && options.shared && options.make_default && options.help);
	assert_false(options.verbose || options.version || options.password_stdin || options.exclusive);
	assert_int_equal(parse((const char *const[]){ "--user", "-odd name", "--name=a=b", NULL }), DONE);
	assert_string_equal(options.user, "-odd name");
	assert_string_equal(options.name, "a=b");
}

static const struct value_row {
	const char *option, *value;
	enum outcome want;
	int64_t number; /* the timeout, the user id or the interactive word's */
} values[] = {
	{ "--timeout", "1", DONE, 1 },
	{ "--timeout", "1s", DONE, 1 },
	{ "--timeout", "2m", DONE, 120 },
	{ "--timeout", "1d", DONE, 86400 },
	{ "--timeout", "86400", DONE, 86400 },
	{ "--timeout", "0", USAGE, 0 },
	{ "--timeout", "0s", USAGE, 0 },
	{ "--timeout", "-1", USAGE, 0 },
	{ "--timeout", "1x", USAGE, 0 },
	{ "--timeout", "", USAGE, 0 },
	{ "--timeout", "s", USAGE, 0 },
	{ "--timeout", " 1", USAGE, 0 },
	{ "--timeout", "1.5", USAGE, 0 },
	{ "--timeout", "86401", USAGE, 0 },
	{ "--timeout", "2d", USAGE, 0 },
	{ "--timeout", "99999999999999999999", USAGE, 0 },
	{ "--timeout", "9223372036854775807d", USAGE, 0 },
	{ "--user-id", "1", DONE, 1 },
	{ "--user-id", "2147483647", DONE, 2147483647 },
	{ "--user-id", "0", USAGE, 0 },
	{ "--user-id", "01", USAGE, 0 },
	{ "--user-id", "-1", USAGE, 0 },
	{ "--user-id", "+1", USAGE, 0 },
	{ "--user-id", "2147483648", USAGE, 0 },
	{ "--user-id", "99999999999999999999", USAGE, 0 },
	{ "--user-id", "x", USAGE, 0 },
	{ "--user-id", "", USAGE, 0 },
	{ "--interactive", "auto", DONE, INTERACTIVE_AUTO },
	{ "--interactive", "always", DONE, INTERACTIVE_ALWAYS },
	{ "--interactive", "never", DONE, INTERACTIVE_NEVER },
	{ "--interactive", "Never", USAGE, 0 },
	{ "--interactive", "", USAGE, 0 },
	{ "--format", "token", DONE, 0 },
	{ "--format", "yaml", USAGE, 0 },
	{ "--format", "JSON", USAGE, 0 },
	{ "--format", "", USAGE, 0 },
	{ "--user", "", USAGE, 0 },
	{ "--name", "", USAGE, 0 },
};

static void values_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * (sizeof values / sizeof *values); i++) {
		const struct value_row *row = &values[i / 2];
		char joined[64];

		snprintf(joined, sizeof joined, "%s=%s", row->option, row->value);
		assert_int_equal(parse(i % 2 ? (const char *const[]){ "get", joined, NULL } :
		                               (const char *const[]){ "get", row->option, row->value, NULL }),
		                 row->want);
		assert_int_equal(trouble.code, row->want == DONE ? TROUBLE_NONE : TROUBLE_USAGE);
		if (row->want == DONE) {
			assert_int_equal(options.timeout_s, strcmp(row->option, "--timeout") == 0 ? row->number : 30);
			assert_int_equal(options.user_id, strcmp(row->option, "--user-id") == 0 ? row->number : 0);
			assert_int_equal(options.interactive, strcmp(row->option, "--interactive") == 0 ? row->number : 0);
		} else {
			assert_non_null(strstr(trouble.message, row->option));
		}
		assert_int_equal(options.n_args, 1);
		assert_non_null(options.format);
	}
}

static void a_name_has_a_limit(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof name);
	name[255] = '\0';
	assert_int_equal(parse((const char *const[]){ "--name", name, NULL }), DONE);
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(parse((const char *const[]){ "--name", name, NULL }), USAGE);
	assert_null(strstr(trouble.message, "nnnn"));
}

/* Each is wrong; the secret in it is hunter2. SAYS stands in the message, so that the word is found. */
static const struct {
	const char *args[ARGS_MAX];
	const char *says;
} secrets[] = {
	{ { "--password=hunter2" }, "'--password'" },
	{ { "--password", "hunter2" }, "'--password'" },
	{ { "-phunter2" }, "'-p'" },
	{ { "-p=hunter2" }, "'-p'" },
	{ { "-hunter2" }, "'-h'" },
	{ { "-v=hunter2" }, "'-v'" },
	{ { "-=hunter2" }, "not known" },
	{ { "login", "--hunter2" }, "not known" },
	{ { "login", "--Abc-hunter2" }, "not known" },
	{ { "login", "---hunter2" }, "not known" },
	{ { "--help=hunter2" }, "'--help' takes no value" },
	{ { "--password-stdin=hunter2" }, "'--password-stdin' takes no value" },
	{ { "--token-stdin=hunter2" }, "'--token-stdin' takes no value" },
	{ { "--user-id", "hunter2" }, "'--user-id'" },
	{ { "--timeout=hunter2" }, "'--timeout'" },
	{ { "--format=hunter2" }, "'--format'" },
	{ { "--interactive", "hunter2" }, "'--interactive'" },
	{ { "--unknown", "--format=hunter2" }, "'--unknown'" },
};

static void what_may_be_a_secret_is_not_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		assert_int_equal(parse(secrets[i].args), USAGE);
		if (!strstr(trouble.message, secrets[i].says) || strstr(trouble.message, "hunter2"))
			fail_msg("row %zu: %s", i, trouble.message);
		assert_null(strstr(trouble.remedy, "hunter2"));
	}
}

static void the_format_counts_even_where_something_is_wrong(void **state)
{
	static const char *const rows[][ARGS_MAX] = {
		{ "get", "--nonsense", "--format", "json" }, { "get", "--format=json", "--nonsense" },
		{ "--timeout=x", "get", "--format=json" },   { "get", "--user-id", "x", "--format", "json" },
		{ "get", "--help=1", "--format=json" },      { "get", "--format=json", "--format=yaml" },
		{ "get", "--format=json", "--timeout" },     { "--nonsense", "1", "2", "3", "4", "5", "--format=json" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(parse(rows[i]), USAGE);
		assert_ptr_equal(options.format, &format_json);
	}
	/* the first thing that is wrong is what is said */
	assert_int_equal(parse((const char *const[]){ "--first", "--second", "--timeout=x", NULL }), USAGE);
	assert_non_null(strstr(trouble.message, "'--first'"));
}

static void ends_that_miss_a_value(void **state)
{
	static const char *const names[] = { "--format", "--interactive", "--timeout", "--user", "--user-id", "--name" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(parse((const char *const[]){ "get", names[i], NULL }), USAGE);
		assert_non_null(strstr(trouble.message, "needs a value"));
		assert_non_null(strstr(trouble.message, names[i]));
	}
}

static void surplus_arguments_are_counted(void **state)
{
	(void)state;
	assert_int_equal(parse((const char *const[]){ "get", "a", "b", "c", "d", "e", "f", NULL }), DONE);
	assert_int_equal(options.n_args, OPTIONS_ARGS_MAX);
	assert_string_equal(options.args[1], "a");
}

static void the_help_names_each_once(void **state)
{
	char text[4096], small[16];
	struct out out = { .p = text, .room = sizeof text - 1 }, none = { .p = small, .room = sizeof small };

	(void)state;
	options_help(&out, FOR_ALL);
	options_help(&out, FOR_LOGIN);
	text[out.n] = '\0';
	assert_false(out.overflow);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_non_null(strstr(text, values[i].option));
	assert_non_null(strstr(text, "--password-stdin"));
	assert_null(strstr(text, "--password "));
	options_help(&none, FOR_ALL);
	assert_true(none.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any),            cmocka_unit_test(before_and_after_the_verb),
		cmocka_unit_test(each_option_sets_its_own), cmocka_unit_test(values_are_checked),
		cmocka_unit_test(a_name_has_a_limit),     cmocka_unit_test(what_may_be_a_secret_is_not_shown),
		cmocka_unit_test(the_format_counts_even_where_something_is_wrong),
		cmocka_unit_test(ends_that_miss_a_value), cmocka_unit_test(surplus_arguments_are_counted),
		cmocka_unit_test(the_help_names_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
