/* SPDX-License-Identifier: MIT */
/*
 * The words for a module that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/lifecycle/missing.h"

#define FILE_IS_GONE "/usr/lib/alation-cred/modules/x.so: No such file or directory"
#define LIBRARY_IS_GONE "/usr/lib/alation-cred/modules/x.so: libx.so.1: cannot open shared object file: No such file or directory"

static void test_words(void **state)
{
	static const struct {
		const char *module, *why, *words;
	} rows[] = {
		{ "secret-service", FILE_IS_GONE, "install that module, which is built where Debian's package libsecret-1-dev is" },
		{ "secret-service", LIBRARY_IS_GONE, "install Debian's package libsecret-1-0, which that module needs" },
		{ "sealed-file", FILE_IS_GONE, "install that module, which is built where Debian's package libsodium-dev is" },
		{ "sealed-file", LIBRARY_IS_GONE, "install Debian's package libsodium23, which that module needs" },
		{ "docker-helper", LIBRARY_IS_GONE, "install Debian's package libjson-c5, which that module needs" },
		{ "a-stranger", FILE_IS_GONE, "install that module" },
		{ "a-stranger", LIBRARY_IS_GONE, "install what that module needs" },
		{ "/opt/secret-service.so", LIBRARY_IS_GONE, "install what that module needs" },
		{ "secret-service", "", "install Debian's package libsecret-1-0, which that module needs" },
	};
	char words[MISSING_WORDS_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(missing_words(rows[i].module, rows[i].why, words), rows[i].words);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };

	return cmocka_run_group_tests_name("missing", tests, NULL, NULL);
}
