/* SPDX-License-Identifier: MIT */
/*
 * An entry's file name and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "keyring/entry-name.h"

static void test_there_and_back(void **state)
{
	static const struct {
		struct acred_key key;
		const char *name;
	} rows[] = {
		{ { "access", "https://a.example", 102 }, "p:access:102@https:%2F%2Fa.example" },
		{ { "access", "http://127.0.0.1:8080", 1 }, "p:access:1@http:%2F%2F127.0.0.1:8080" },
		{ { "recovery", "https://[2001:db8::1]:8443", 2147483647 }, "p:recovery:2147483647@https:%2F%2F[2001:db8::1]:8443" },
		/* none that the helper makes, and no way out of the directory */
		{ { "access", "../../etc/passwd", 7 }, "p:access:7@..%2F..%2Fetc%2Fpasswd" },
		{ { "access", "a%2Fb\n\x7f\xff *", 7 }, "p:access:7@a%252Fb%0A%7F%FF%20%2A" },
		{ { "a b", "x@y:z", INT64_MAX }, "p:a%20b:9223372036854775807@x@y:z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[ENTRY_NAME_BYTES];
		struct acred_key key;

		assert_true(entry_name("p", &rows[i].key, name));
		assert_string_equal(name, rows[i].name);
		assert_null(strchr(name, '/'));
		assert_false(entry_parse("q", name, &key));
		assert_false(entry_parse("p:", name, &key));
		assert_true(entry_parse("p", name, &key));
		assert_string_equal(key.facility, rows[i].key.facility);
		assert_string_equal(key.base_url, rows[i].key.base_url);
		assert_int_equal(key.user_id, rows[i].key.user_id);
	}
}

static void test_lengths(void **state)
{
	char url[400] = "https://", name[ENTRY_NAME_BYTES];
	struct acred_key key = { "access", url, 2147483647 };
	const struct acred_key many = { "access", "//////////////////////////////////////////////////////////////////////////////////", 1 };

	(void)state;
	/* The longest address there is, with its port, under the prefix of a build in the tree. */
	memset(url + strlen(url), 'h', 200);
	strcat(url, ":65535");
	assert_true(entry_name("alation-cred-tree", &key, name));
	strcat(url, "x");
	assert_true(entry_name("alation-cred-tree", &key, name));
	assert_int_equal(strlen(name), ENTRY_NAME_BYTES - 1);
	strcat(url, "x");
	assert_false(entry_name("alation-cred-tree", &key, name));
	memset(url + strlen(url), 'x', 120);
	assert_false(entry_name("alation-cred-tree", &key, name));
	assert_false(entry_name("p", &many, name));
}

static void test_what_is_no_entry(void **state)
{
	static const char *const names[] = { "", ".", "..", "p", "p:", "accounts", "locks", "p:access", "p:access:102", "p:access:@u",
		"p:access:0@u", "p:access:-1@u", "p:access:+1@u", "p:access: 1@u", "p:access:1x@u", "p:access:1@", "p::1@u", "pp:access:1@u",
		"p:access:99999999999999999999@u", ".new-0123456789abcdef-1-1",
		/* spelt otherwise than we do */
		"p:access:1@%2f", "p:access:1@%61", "p:access:1@%", "p:access:1@%2", "p:access:1@%2G", "p:access:1@%00", "p:access:1@a b" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char name[ENTRY_NAME_BYTES];
		struct acred_key key;

		snprintf(name, sizeof name, "%s", names[i]);
		if (entry_parse("p", name, &key))
			fail_msg("'%s' was taken for an entry", names[i]);
	}
}

static void test_prefixes(void **state)
{
	static const char *const good[] = { "a", "alation-cred", "A.b_c-9", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg" };
	static const char *const bad[] = { "", "a:b", "a b", "a/b", "a%", "\xc3\xa4",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(entry_prefix_ok(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(entry_prefix_ok(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_what_is_no_entry),
		cmocka_unit_test(test_prefixes),
	};

	return cmocka_run_group_tests_name("entry-name", tests, NULL, NULL);
}
