/* SPDX-License-Identifier: MIT */
/*
 * The environment module: whose token $ALATION_REFRESH_TOKEN is, and what in it is not used.
 */
#define SOURCE acred_builtin_environment
#include "tests/keyring/source-host.h"

#define VARIABLE "ALATION_REFRESH_TOKEN"

static void put(const char *content, size_t n)
{
	(void)n;
	assert_int_equal(setenv(VARIABLE, content, 1), 0);
}

static void test_contents(void **unused)
{
	(void)unused;
	check_contents(put, "$" VARIABLE);
	check_lengths(put, "$" VARIABLE);
}

static void test_a_bare_token(void **unused)
{
	(void)unused;
	put("SECRET", 0);
	check_bare();
}

/* A record that names its account itself, too, is only for the account that the arguments name. */
static void test_a_record(void **unused)
{
	static const struct acred_key other = { "refresh", URL, 103 };
	static const char *const of_other[3] = { BASE_URL, "user-id=103" }, *const without[3] = { USER_ID };

	(void)unused;
	put(RECORD, 0);
	assert_answer("the key of neither", ask(both, &other), ACRED_ABSENT, "$" VARIABLE " is for another account");
	assert_answer("the arguments' key", ask(of_other, &other), ACRED_ABSENT, "the record in $" VARIABLE " is for another account");
	assert_answer("the record's key", ask(of_other, &key), ACRED_ABSENT, "$" VARIABLE " is for another account, user 103");
	assert_answer("listed", ask(of_other, NULL), ACRED_ABSENT, "the record in $" VARIABLE " is for another account");
	assert_string_equal(listed, "");
	assert_answer("without an argument", ask(without, &key), ACRED_ABSENT, "$ALATION_BASE_URL is not set");
	for (size_t i = 0; i < OTHERS; i++) {
		put(others[i].content, 0);
		assert_answer(others[i].content, ask(both, NULL), ACRED_ABSENT, others[i].words);
		assert_string_equal(listed, "");
	}
}

static void test_not_set(void **unused)
{
	(void)unused;
	put("", 0);
	assert_answer("empty", ask(both, &key), ACRED_ABSENT, "$" VARIABLE " is not set");
	assert_int_equal(unsetenv(VARIABLE), 0);
	assert_answer("not set", ask(both, &key), ACRED_ABSENT, "$" VARIABLE " is not set");
	assert_answer("not set", ask(both, NULL), ACRED_ABSENT, "$" VARIABLE " is not set");
	assert_string_equal(listed, "");
}

static void test_arguments(void **unused)
{
	static const char *const bad[] = { "url=" URL, "name=x", "base-url", "user-id=0102", "user-id=-1", "user-id=2147483648",
		"user-id=12SECRET", "user-id=18446744073709551718", "SECRET", "SECRET=1", "=SECRET" };
	static const char *const named[] = { "'url'", "'name'", "'base-url'", "user-id=", "user-id=", "user-id=",
		"user-id=", "user-id=", "there are base-url=URL and user-id=N", "an argument", "an argument" };
	static const char *const biggest[3] = { BASE_URL, "user-id=2147483647" };
	static const struct acred_key of_biggest = { "refresh", URL, 2147483647 };

	(void)unused;
	check_arguments(bad, sizeof bad / sizeof bad[0], named);
	put("SECRET", 0);
	assert_answer("the biggest", ask(biggest, &of_biggest), ACRED_OK, "");
}

/* It can only be read: what is in the environment is nobody's here to change. */
static void test_read_only(void **unused)
{
	(void)unused;
	assert_null(module->store);
	assert_null(module->erase);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_a_bare_token),
		cmocka_unit_test(test_a_record),
		cmocka_unit_test(test_not_set),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_read_only),
	};

	return cmocka_run_group_tests_name("environment", tests, NULL, NULL);
}
