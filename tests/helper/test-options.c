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
	assert_false(options.fresh || options.validate || options.all || options.keep || options.unattended || options.format_given);
	assert_null(options.protocol);
	assert_int_equal(options.min_ttl_s, -1);
	assert_int_equal(options.if_expiring_s, -1);
	assert_int_equal(options.expiring_within_s, -1);
	for (int class = 0; class < OPTION_CLASSES; class++)
		assert_null(options.first_of[class]);
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

/* What stands behind the first '--' is a command as it stands, for a verb that has one. */
static void a_command_behind_the_dashes(void **state)
{
	static const struct {
		const char *args[ARGS_MAX];
		int n_args, n_behind; /* -1: none */
	} rows[] = {
		{ { "exec", "--", "cmd" }, 1, 1 },
		{ { "exec", "host", "--fresh", "--", "cmd", "-v", "--", "--fresh" }, 2, 4 },
		{ { "--timeout", "--", "exec", "cmd" }, 2, -1 }, /* a value, if a wrong one */
		{ { "exec", "--" }, 1, 0 },
		{ { "exec", "cmd" }, 2, -1 },
		{ { "exec", "1", "2", "3", "4", "--", "cmd" }, 4, 1 },
		{ { "--", "exec", "--", "cmd" }, 3, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		parse(rows[i].args);
		options_take_command(&options);
		assert_int_equal(options.n_args, rows[i].n_args);
		for (int n = options.n_args; n < OPTIONS_ARGS_MAX; n++)
			assert_null(options.args[n]);
		assert_int_equal(options.behind == NULL, rows[i].n_behind < 0);
		for (int n = 0; n < rows[i].n_behind; n++)
			assert_ptr_equal(options.behind[n], rows[i].args[i == 0 ? 2 + n : i == 5 ? 6 + n : 4 + n]);
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

/* Of tokens and rotations: each flag sets one member, and nothing else. */
static void the_flags_of_the_verbs(void **state)
{
	static const char *const names[] = { "--fresh", "--validate", "--all", "--keep", "--auto", "--refresh-token" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(parse((const char *const[]){ "get", names[i], NULL }), DONE);
		assert_int_equal(options.fresh, i == 0);
		assert_int_equal(options.validate, i == 1);
		assert_int_equal(options.all, i == 2);
		assert_int_equal(options.keep, i == 3);
		assert_int_equal(options.unattended, i == 4);
		assert_int_equal(options.refresh_token, i == 5);
		assert_int_equal(options.min_ttl_s, -1);
	}
	assert_int_equal(parse((const char *const[]){ "--protocol", "git", "get", NULL }), DONE);
	assert_ptr_equal(options.protocol, &format_git);
	assert_ptr_equal(options.format, &format_token);
	assert_false(options.format_given);
	assert_int_equal(parse((const char *const[]){ "--format", "token", NULL }), DONE);
	assert_true(options.format_given);
	assert_null(options.protocol);
	/* a wrong one was not given */
	assert_int_equal(parse((const char *const[]){ "--format", "git", "--protocol", "json", NULL }), USAGE);
	assert_false(options.format_given);
	assert_null(options.protocol);
}

static const struct {
	enum option_class class;
	const char *option, *value; /* as it is written */
	const char *first;          /* as it is named, or NULL */
} classes[] = {
	{ FOR_ANSWER, "--format", "json", "--format" },
	{ FOR_EXEC, "--refresh-token", NULL, "--refresh-token" },
	{ FOR_ALL, "-v", NULL, "-v" },
	{ FOR_ALL, "--timeout=5", NULL, "--timeout" },
	{ FOR_LOGIN, "--user", "--all", "--user" }, /* a value, not an option */
	{ FOR_LOGIN, "--user-id=7", NULL, "--user-id" },
	{ FOR_LOGIN, "--name", "--fresh", "--name" },
	{ FOR_LOGIN, "--password-stdin", NULL, "--password-stdin" },
	{ FOR_LOGIN, "--token-stdin", NULL, "--token-stdin" },
	{ FOR_LOGIN, "--exclusive", NULL, "--exclusive" },
	{ FOR_LOGIN, "--shared", NULL, "--shared" },
	{ FOR_LOGIN, "--default", NULL, "--default" },
	{ FOR_TOKENS, "--min-ttl", "1h", "--min-ttl" },
	{ FOR_TOKENS, "--fresh", NULL, "--fresh" },
	{ FOR_TOKENS, "--validate", NULL, "--validate" },
	{ FOR_GIT, "--protocol=git", NULL, "--protocol" },
	{ FOR_EACH, "--all", NULL, "--all" },
	{ FOR_LOGOUT, "--keep", NULL, "--keep" },
	{ FOR_ROTATE, "--if-expiring=10d", NULL, "--if-expiring" },
	{ FOR_ROTATE, "--auto", NULL, "--auto" },
	{ FOR_STATUS, "--expiring-within", "14d", "--expiring-within" },
	/* given, though wrongly */
	{ FOR_ROTATE, "--if-expiring", NULL, "--if-expiring" },
	{ FOR_LOGIN, "--user-id", "x", "--user-id" },
	{ FOR_EACH, "--all=yes", NULL, "--all" },
};

static void the_first_of_each_class_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		parse((const char *const[]){ "verb", classes[i].option, classes[i].value, NULL });
		for (int class = 0; class < OPTION_CLASSES; class++) {
			if (class != (int)classes[i].class)
				assert_null(options.first_of[class]);
			else
				assert_string_equal(options.first_of[class], classes[i].first);
		}
	}
	assert_int_equal(parse((const char *const[]){ "--fresh", "get", "--keep", "--validate", "--all", "--min-ttl=1", NULL }), DONE);
	assert_string_equal(options.first_of[FOR_TOKENS], "--fresh");
	assert_string_equal(options.first_of[FOR_LOGOUT], "--keep");
	assert_string_equal(options.first_of[FOR_EACH], "--all");
	assert_null(options.first_of[FOR_ALL]);
	/* behind '--' it is none, and what nobody knows has no class */
	parse((const char *const[]){ "get", "--nonsense", "--", "--all", "--fresh", NULL });
	for (int class = 0; class < OPTION_CLASSES; class++)
		assert_null(options.first_of[class]);
}

static const struct value_row {
	const char *option, *value;
	enum outcome want;
	int64_t number; /* the timeout, the user id, the duration or the interactive word's */
} values[] = {
	{ "--min-ttl", "0", DONE, 0 },
	{ "--min-ttl", "90", DONE, 90 },
	{ "--min-ttl", "4h", DONE, 14400 },
	{ "--min-ttl", "400d", DONE, 34560000 },
	{ "--min-ttl", "", USAGE, 0 },
	{ "--min-ttl", "-1", USAGE, 0 },
	{ "--min-ttl", "4w", USAGE, 0 },
	{ "--min-ttl", "9223372036854775807d", USAGE, 0 },
	{ "--if-expiring", "10d", DONE, 864000 },
	{ "--if-expiring", "0s", DONE, 0 },
	{ "--if-expiring", "", USAGE, 0 },
	{ "--if-expiring", "soon", USAGE, 0 },
	{ "--if-expiring", "-10d", USAGE, 0 },
	{ "--if-expiring", "99999999999999999999", USAGE, 0 },
	{ "--expiring-within", "14d", DONE, 1209600 },
	{ "--expiring-within", "0", DONE, 0 },
	{ "--expiring-within", "", USAGE, 0 },
	{ "--expiring-within", "soon", USAGE, 0 },
	{ "--expiring-within", "-1", USAGE, 0 },
	{ "--protocol", "git", DONE, 0 },
	{ "--protocol", "GIT", USAGE, 0 },
	{ "--protocol", "json", USAGE, 0 },
	{ "--protocol", "", USAGE, 0 },
	{ "--format", "git", USAGE, 0 }, /* a protocol is no format */
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
			assert_int_equal(options.min_ttl_s, strcmp(row->option, "--min-ttl") == 0 ? row->number : -1);
			assert_int_equal(options.if_expiring_s, strcmp(row->option, "--if-expiring") == 0 ? row->number : -1);
			assert_int_equal(options.expiring_within_s, strcmp(row->option, "--expiring-within") == 0 ? row->number : -1);
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
	static const char *const names[] = { "--format", "--interactive", "--timeout", "--user", "--user-id", "--name",
		                             "--min-ttl", "--if-expiring", "--expiring-within", "--protocol" };

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
	char text[8192], small[16];
	struct out out = { .p = text, .room = sizeof text - 1 }, none = { .p = small, .room = sizeof small };

	(void)state;
	for (int class = 0; class < OPTION_CLASSES; class++)
		options_help(&out, (enum option_class)class);
	text[out.n] = '\0';
	assert_false(out.overflow);
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		char line[32];
		const char *at;

		snprintf(line, sizeof line, "\n  %s ", classes[i].first);
		at = strncmp(text, line + 1, strlen(line + 1)) == 0 ? text : strstr(text, line);
		assert_non_null(at);
		assert_null(strstr(at + 1, line));
	}
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
		cmocka_unit_test(the_help_names_each_once), cmocka_unit_test(the_flags_of_the_verbs),
		cmocka_unit_test(the_first_of_each_class_is_named),
		cmocka_unit_test(a_command_behind_the_dashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
