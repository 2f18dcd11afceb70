/* SPDX-License-Identifier: MIT */
/*
 * What module.h promises to those who have compiled against it: the layout of its structs, its numbers, and that its
 * bounds are those that the helper keeps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helper/base/form.h"
#include "keyring/module.h"
#include "protocol/protocol.h"
#include "protocol/url.h"

/* A member that moves breaks every module there is. New ones stand behind these, and get a line here. */
#define AT(type, member, words) _Static_assert(offsetof(struct type, member) == (words) * sizeof(void *), #type "." #member " has moved")
AT(acred_module, abi, 0);
AT(acred_module, size, 1);
AT(acred_module, name, 2);
AT(acred_module, about, 3);
AT(acred_module, open, 4);
AT(acred_module, lookup, 5);
AT(acred_module, store, 6);
AT(acred_module, erase, 7);
AT(acred_module, list, 8);
AT(acred_module, close, 9);
AT(acred_module, lock, 10);
_Static_assert(sizeof(struct acred_module) == 11 * sizeof(void *), "a new member of acred_module has a line above");
AT(acred_key, facility, 0);
AT(acred_key, base_url, 1);
AT(acred_key, user_id, 2);
_Static_assert(sizeof(struct acred_key) == 2 * sizeof(void *) + sizeof(int64_t), "acred_key never grows");
_Static_assert(offsetof(struct acred_call, size) == 0, "how much of it there is is known first");
#ifdef __LP64__ /* elsewhere a 64-bit number stands where that machine wants it */
AT(acred_call, flags, 1);
AT(acred_call, deadline_ms, 2);
AT(acred_call, host, 3);
AT(acred_call, put, 4);
AT(acred_call, note, 5);
AT(acred_call, ask, 6);
_Static_assert(sizeof(struct acred_call) == 7 * sizeof(void *), "a new member of acred_call has a line above");
#endif
_Static_assert(ACRED_OK == 0 && ACRED_ABSENT == 1 && ACRED_LOCKED == 2 && ACRED_UNAVAILABLE == 3 && ACRED_DENIED == 4 &&
	ACRED_READONLY == 5 && ACRED_TIMEOUT == 6 && ACRED_FAILED == 7, "a number never changes its meaning");
_Static_assert(ACRED_MAY_PROMPT == 1 && ACRED_NO_DIALOG == 2, "nor does a bit");

_Static_assert(ACRED_BASE_URL_MAX_BYTES == URL_BASE_MAX_BYTES, "one bound of an address");
_Static_assert(ACRED_USER_ID_MAX == USER_ID_MAX, "one bound of a user id");
/* Each byte of a token may need three; what else a record has is far less than the rest. */
_Static_assert(ACRED_SECRET_MAX_BYTES >= 3 * TOKEN_MAX_BYTES + 8192, "a record of the longest token fits");

static void test_characters(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text[1] = { (char)byte };
		bool ours = byte == '&' || form_encoded((struct bytes){ text, 1 });

		assert_int_equal(strchr(ACRED_SECRET_CHARACTERS, byte) != NULL, ours);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters),
	};

	return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
