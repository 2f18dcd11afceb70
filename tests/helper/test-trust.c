/* SPDX-License-Identifier: MIT */
/*
 * trust.c: a company's certificates behind the system's, as one text; and a file that cannot be that is said, with its path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/alation/trust.h"
#include "tests/helper/scratch.h"

#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt" /* Debian's */
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIBcompany\n-----END CERTIFICATE-----"

static void write_file(const char *text)
{
	scratch_write(scratch_path("ca.pem"), text, strlen(text));
}

static void test_behind_the_systems(void **state)
{
	static char system[4 * 1024 * 1024];
	long n = scratch_read(SYSTEM_FILE, system, sizeof system);
	struct trust trust;

	(void)state;
	write_file(CERTIFICATE);
	assert_true(trust_read(scratch_path("ca.pem"), &trust));
	assert_string_equal(trust.detail, "");
	assert_int_equal(trust.len, strlen(trust.pem));
	if (n >= 0) {
		assert_memory_equal(trust.pem, system, (size_t)n);
		assert_int_equal(trust.pem[n], '\n');
	}
	n = n < 0 ? 0 : n + 1;
	assert_string_equal(trust.pem + n, CERTIFICATE "\n");
	free(trust.pem);
}

static void test_no_certificates(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "none.pem", "No such file or directory" },
		{ "empty.pem", "there is no certificate in it (PEM)" },
		{ "key.pem", "there is no certificate in it (PEM)" },
		{ "directory", "it is no regular file" },
		{ "fifo", "it is no regular file" },
		{ "large.pem", "File too large" },
	};

	(void)state;
	scratch_write(scratch_path("empty.pem"), "", 0);
	scratch_write(scratch_path("key.pem"), "-----BEGIN PRIVATE KEY-----\n", 28);
	scratch_write(scratch_path("large.pem"), CERTIFICATE, strlen(CERTIFICATE));
	assert_int_equal(truncate(scratch_path("large.pem"), 8 * 1024 * 1024 + 1), 0);
	assert_int_equal(mkdir(scratch_path("directory"), 0755) | mkfifo(scratch_path("fifo"), 0644), 0);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct trust trust;

		if (trust_read(scratch_path(rows[i].name), &trust) || !strstr(trust.detail, rows[i].why) || !strstr(trust.detail, rows[i].name))
			fail_msg("%s: '%s'", rows[i].name, trust.detail);
		free(trust.pem);
	}
}

/* A path of any length leaves room for what is wrong. */
static void test_long_path(void **state)
{
	char path[512];
	struct trust trust;

	(void)state;
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	assert_false(trust_read(path, &trust));
	assert_non_null(strstr(trust.detail, "File name too long"));
	free(trust.pem);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_behind_the_systems),
		TEST(test_no_certificates),
		TEST(test_long_path),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
