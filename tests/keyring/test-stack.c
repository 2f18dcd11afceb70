/* SPDX-License-Identifier: MIT */
/*
 * The walk of a look-up, and how a module is taken: loaded and opened once, listened to, never believed blindly.
 */
#include "tests/keyring/actors.h"

static const struct row lookups[] = {
	{ "no line", { NULL }, "absent -", "", NULL },
	{ "only lines of the other facility", { "access:sufficient a lookup=ok" }, "absent -", "", NULL },
	{ "the first has it, the rest is not even loaded", { "sufficient a lookup=ok", "sufficient b lookup=ok" },
	  "ok a", "a.load a.open a.lookup", NULL },
	{ "the second has it", { "sufficient a", "sufficient b lookup=ok" }, "ok b a:absent",
	  "a.load a.open a.lookup b.load b.open b.lookup", NULL },
	{ "required: found", { "required a lookup=ok", "required b lookup=ok" }, "ok a", NULL, NULL },
	{ "required: absent goes on", { "required a", "sufficient b lookup=ok" }, "ok b a:absent", NULL, NULL },
	{ "required: failed ends", { "required a lookup=denied", "sufficient b lookup=ok" }, "denied a",
	  "a.load a.open a.lookup", NULL },
	{ "requisite: found", { "requisite a lookup=ok", "requisite b lookup=ok" }, "ok a", NULL, NULL },
	{ "requisite: absent ends", { "requisite a", "sufficient b lookup=ok" }, "absent a", "a.load a.open a.lookup", NULL },
	{ "requisite: failed ends", { "requisite a lookup=timeout", "sufficient b lookup=ok" }, "timeout a", NULL, NULL },
	{ "sufficient: failed goes on", { "sufficient a lookup=failed", "sufficient b lookup=ok" }, "ok b a:failed", NULL, NULL },
	{ "sufficient: failed is remembered", { "sufficient a lookup=failed", "sufficient b" }, "failed a b:absent", NULL, NULL },
	{ "optional: found", { "optional a lookup=ok", "required b lookup=ok" }, "ok a", NULL, NULL },
	{ "optional: failed is remembered", { "optional a lookup=unavailable", "sufficient b" }, "unavailable a b:absent", NULL, NULL },
	{ "the first failure is the answer", { "sufficient a", "sufficient b lookup=timeout", "sufficient c lookup=failed" },
	  "timeout b a:absent c:failed", NULL, NULL },
	{ "locked comes before an earlier failure", { "sufficient a lookup=unavailable", "sufficient b lookup=locked",
	  "sufficient c lookup=locked" }, "locked b a:unavailable c:locked", NULL, NULL },
	{ "required ends with its own failure", { "sufficient a lookup=locked", "required b lookup=denied" },
	  "denied b a:locked", NULL, NULL },
	{ "a failure is not made absent by a requisite", { "sufficient a lookup=failed", "requisite b" }, "failed a b:absent", NULL, NULL },
	{ "refused by the loader", { "sufficient a load=failed", "sufficient b lookup=ok" }, "ok b a:failed",
	  "a.load b.load b.open b.lookup", NULL },
	{ "refused, and required", { "required a load=unavailable", "sufficient b lookup=ok" }, "unavailable a", NULL, NULL },
	{ "what open says stands", { "sufficient a open=unavailable", "sufficient b" }, "unavailable a b:absent",
	  "a.load a.open b.load b.open b.lookup", NULL },
	{ "open: absent is absent", { "sufficient a open=absent" }, "absent a", NULL, NULL },
	{ "a number that is no status", { "sufficient a lookup=odd" }, "failed a", NULL, NULL },
	{ "open answers a number that is no status", { "sufficient a open=odd" }, "failed a", "a.load a.open", NULL },
	{ "found, without a secret", { "sufficient a lookup=silent" }, "failed a", NULL, NULL },
	{ "two secrets", { "sufficient a lookup=twice" }, "failed a", NULL, NULL },
	{ "a secret, and then a failure", { "sufficient a lookup=unsaid", "sufficient b" }, "failed a b:absent", NULL, NULL },
	{ "prints on stdout", { "sufficient a lookup=prints" }, "failed a", NULL, NULL },
	{ "prints when it is loaded", { "sufficient a load=prints lookup=ok", "sufficient b" }, "failed a b:absent", NULL, NULL },
	{ "prints when it is loaded, as a source", { "sufficient a load=prints lookup=ok store=none", "sufficient b lookup=ok" },
	  "ok b a:failed", "a.load b.load b.open b.lookup", "b" },
	{ "the holder alone is asked", { "sufficient a lookup=ok", "sufficient b lookup=ok" }, "ok b",
	  "a.load b.load b.open b.lookup", "b" },
	{ "sources come before the holder, wherever they stand", { "sufficient a", "sufficient b lookup=ok store=none" },
	  "ok b", "b.load b.open b.lookup", "a" },
	{ "a source without it", { "sufficient a lookup=ok", "sufficient b store=none" }, "ok a b:absent",
	  "b.load b.open b.lookup a.load a.open a.lookup", "a" },
	{ "the holder has lost it, nobody else is asked", { "sufficient a", "sufficient b lookup=ok" }, "absent a",
	  "b.load a.load a.open a.lookup", "a" },
	{ "a source that is refused is remembered", { "sufficient a load=failed", "sufficient b" }, "failed a b:absent", NULL, "b" },
	{ "the holder has no line", { "sufficient a lookup=ok", "sufficient b store=none" }, "unavailable - b:absent", NULL, "z" },
};

static void test_lookup(void **state)
{
	(void)state;
	for EACH(lookups) {
		int status;

		set_up(row->lines, "refresh");
		status = keyring_lookup(&keyring, &ears, &key, row->holder, &answer);
		assert_int_equal(status, answer.status);
		check(row->what, row->expected, row->log);
		if (answer.status == ACRED_OK)
			assert_string_equal(held, answer.module); /* an actor's secret is its name */
	}
}

/* A cache's failures count as absent, unless none works. */
static const struct row cache_lookups[] = {
	{ "failed, and the next has it", { "sufficient a lookup=denied", "sufficient b lookup=ok" }, "ok b a:denied", NULL, NULL },
	{ "failed, and the next is empty", { "sufficient a lookup=denied", "sufficient b" }, "absent b a:denied", NULL, NULL },
	{ "empty, and the next failed", { "sufficient a", "sufficient b lookup=locked" }, "absent a b:locked", NULL, NULL },
	{ "none works", { "sufficient a lookup=unavailable", "sufficient b lookup=denied" }, "denied b a:unavailable", NULL, NULL },
	{ "none works, one is locked", { "sufficient a lookup=unavailable", "sufficient b lookup=locked" },
	  "locked b a:unavailable", NULL, NULL },
	{ "required: failed goes on", { "required a lookup=failed", "sufficient b lookup=ok" }, "ok b a:failed", NULL, NULL },
	{ "requisite: failed ends", { "sufficient a", "requisite b lookup=failed", "sufficient c lookup=ok" }, "absent a b:failed", NULL, NULL },
};

static void test_cache_lookup(void **state)
{
	(void)state;
	for EACH(cache_lookups) {
		set_up(row->lines, "access");
		keyring_lookup(&keyring, &ears, &cache_key, row->holder, &answer);
		check(row->what, row->expected, row->log);
	}
}

static const struct row locates[] = {
	{ "listed, though more is locked", { "sufficient a list=listed lookup=failed" }, "ok a", "a.load a.open a.list", NULL },
	{ "others are listed", { "sufficient a list=other", "sufficient b list=listed" }, "ok b a:absent", NULL, NULL },
	{ "the list fails", { "sufficient a list=locked" }, "locked a", NULL, NULL },
	{ "no list: looked up", { "sufficient a lookup=ok" }, "ok a", "a.load a.open a.lookup", NULL },
	{ "no list, and absent", { "sufficient a" }, "absent a", NULL, NULL },
};

static void test_locate(void **state)
{
	(void)state;
	for EACH(locates) {
		set_up(row->lines, "refresh");
		keyring_locate(&keyring, &ears, &key, row->holder, &answer);
		check(row->what, row->expected, row->log);
		assert_string_equal(held, ""); /* no secret is kept */
	}
}

static void test_recovery_is_no_facility_of_the_stack(void **state)
{
	static const char *const texts[] = { "required a lookup=ok", "access:required b lookup=ok", NULL };
	struct acred_key recovery = key;

	(void)state;
	recovery.facility = "recovery";
	set_up(texts, "refresh");
	assert_int_equal(keyring_lookup(&keyring, &ears, &recovery, NULL, &answer), ACRED_ABSENT);
	assert_string_equal(logged, "");
}

static void test_loaded_and_opened_once(void **state)
{
	static const char *const texts[] = { "sufficient a lookup=ok", NULL };

	(void)state;
	set_up(texts, "refresh");
	for (int i = 0; i < 2; i++)
		assert_int_equal(keyring_lookup(&keyring, &ears, &key, NULL, &answer), ACRED_OK);
	keyring_close(&keyring, &ears);
	keyring_close(&keyring, &ears);
	assert_string_equal(logged, "a.load a.open a.lookup a.lookup a.close");
}

static void test_closes_only_what_is_open(void **state)
{
	static const char *const texts[] = { "sufficient a open=failed", "sufficient b lookup=ok", "sufficient c", NULL };

	(void)state;
	set_up(texts, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	logged[0] = '\0';
	keyring_close(&keyring, &ears);
	assert_string_equal(logged, "b.close");
}

/* What the module noted is told again each time, as one line. */
static void test_why(void **state)
{
	static const char *const texts[] = { "sufficient a open=locked", NULL };

	(void)state;
	set_up(texts, "refresh");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(keyring_lookup(&keyring, &ears, &key, NULL, &answer), ACRED_LOCKED);
		assert_string_equal(answer.why, "no open");
	}
	assert_string_equal(noted, "a: no open");
	set_up((const char *const[]){ "sufficient a load=failed", NULL }, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_string_equal(answer.why, "refused");
	set_up((const char *const[]){ "sufficient a lookup=odd", NULL }, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_non_null(strstr(answer.why, "99"));
}

static void test_the_host_refuses_the_secret(void **state)
{
	static const char *const texts[] = { "sufficient a lookup=ok", NULL };

	(void)state;
	set_up(texts, "refresh");
	refuse_put = true;
	assert_int_equal(keyring_lookup(&keyring, &ears, &key, NULL, &answer), ACRED_FAILED);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(keyring_status_word(ACRED_READONLY), "readonly");
	assert_string_equal(keyring_status_word(-1), "failed");
	assert_string_equal(keyring_status_word(8), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_cache_lookup),
		cmocka_unit_test(test_locate),
		cmocka_unit_test(test_recovery_is_no_facility_of_the_stack),
		cmocka_unit_test(test_loaded_and_opened_once),
		cmocka_unit_test(test_closes_only_what_is_open),
		cmocka_unit_test(test_why),
		cmocka_unit_test(test_the_host_refuses_the_secret),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
