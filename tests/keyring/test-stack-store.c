/* SPDX-License-Identifier: MIT */
/*
 * The walk of a store and of an erase: who must take it, who may, and what is taken back.
 */
#include "tests/keyring/actors.h"

static const struct row stores[] = {
	{ "no line", { NULL }, "readonly -", "", NULL },
	{ "the first sufficient one takes it", { "sufficient a", "sufficient b" }, "ok a", "a.load a.open a.store", NULL },
	{ "one that is away is passed over", { "sufficient a store=unavailable", "sufficient b" }, "ok b a:unavailable", NULL, NULL },
	{ "one that cannot be opened is passed over", { "sufficient a open=absent", "sufficient b" }, "ok b a:unavailable", NULL, NULL },
	{ "a source is passed over, unopened", { "sufficient a store=none", "sufficient b" }, "ok b a:readonly",
	  "a.load b.load b.open b.store", NULL },
	{ "one that is read-only today", { "sufficient a store=readonly", "sufficient b" }, "ok b a:readonly", NULL, NULL },
	{ "nothing moves on from a failure", { "sufficient a store=locked", "sufficient b" }, "locked a",
	  "a.load a.open a.store", NULL },
	{ "nothing moves on from a loader's refusal", { "sufficient a load=failed", "sufficient b" }, "failed a", NULL, NULL },
	{ "required first, wherever it stands", { "sufficient a", "required b" }, "ok a", "b.load b.open b.store a.load a.open a.store", NULL },
	{ "required and requisite both", { "required a", "requisite b" }, "ok a", "a.load a.open a.store b.load b.open b.store", NULL },
	{ "required fails: nothing is written", { "sufficient a", "required b store=denied" }, "denied b", "b.load b.open b.store", NULL },
	{ "required is away", { "required a store=unavailable", "sufficient b" }, "unavailable a", "a.load a.open a.store", NULL },
	{ "required is a source", { "required a store=none", "sufficient b" }, "ok b a:readonly", NULL, NULL },
	{ "the sufficient one fails: what was written goes", { "required a", "sufficient b store=failed" }, "failed b",
	  "a.load a.open a.store b.load b.open b.store a.erase", NULL },
	{ "the second required one fails", { "required a", "requisite b store=timeout", "sufficient c" }, "timeout b",
	  "a.load a.open a.store b.load b.open b.store a.erase", NULL },
	{ "optional takes it too", { "optional a", "sufficient b" }, "ok a", "b.load b.open b.store a.load a.open a.store", NULL },
	{ "optional fails", { "sufficient a", "optional b store=failed" }, "ok a b:failed", NULL, NULL },
	{ "optional alone", { "sufficient a store=unavailable", "optional b" }, "ok b a:unavailable", NULL, NULL },
	{ "nobody can: the failure", { "sufficient a store=none", "sufficient b store=unavailable" }, "unavailable b a:readonly", NULL, NULL },
	{ "nobody can: locked first", { "optional a store=failed", "optional b store=locked" }, "locked b a:failed", NULL, NULL },
	{ "nobody can: sources alone", { "sufficient a store=none" }, "readonly a", NULL, NULL },
	{ "answers 'absent'", { "sufficient a store=absent" }, "failed a", NULL, NULL },
	{ "hands over a secret in a store", { "sufficient a store=twice" }, "failed a", NULL, NULL },
	{ "prints on stdout in a store", { "sufficient a store=prints" }, "failed a", NULL, NULL },
	{ "the holder takes it", { "sufficient a", "sufficient b" }, "ok b", "b.load b.open b.store", "b" },
	{ "the holder does not", { "sufficient a", "sufficient b store=unavailable" }, "unavailable b", "b.load b.open b.store", "b" },
	{ "the holder has no line", { "sufficient a" }, "unavailable -", "", "z" },
};

static void test_store(void **state)
{
	(void)state;
	for EACH(stores) {
		set_up(row->lines, "refresh");
		keyring_store(&keyring, &ears, &key, row->holder, "secret", 6, 60, &answer);
		check(row->what, row->expected, row->log);
		assert_string_equal(held, "");
	}
}

static const struct row cache_stores[] = {
	{ "the others are emptied", { "sufficient a", "sufficient b" }, "ok a", "a.load a.open a.store b.load b.open b.erase", NULL },
	{ "a failure moves on, and its old entry goes", { "sufficient a store=failed", "sufficient b" }, "ok b a:failed",
	  "a.load a.open a.store b.load b.open b.store a.erase", NULL },
	{ "required fails and moves on", { "required a store=locked", "sufficient b" }, "ok b a:locked", NULL, NULL },
	{ "two that took it keep it", { "required a", "sufficient b", "sufficient c" }, "ok a",
	  "a.load a.open a.store b.load b.open b.store c.load c.open c.erase", NULL },
	{ "nobody takes it, and nobody keeps the old one", { "sufficient a store=failed", "sufficient b store=denied" },
	  "failed a b:denied", "a.load a.open a.store b.load b.open b.store a.erase b.erase", NULL },
	{ "nobody takes it: what is wrong tells more than what is away", { "sufficient a store=unavailable", "sufficient b store=denied" },
	  "denied b a:unavailable", NULL, NULL },
	{ "both are away: the last", { "sufficient a store=unavailable", "sufficient b store=unavailable" }, "unavailable b a:unavailable", NULL, NULL },
	{ "one is away, one a source", { "sufficient a store=unavailable", "sufficient b store=none" }, "unavailable a b:readonly", NULL, NULL },
	{ "the emptying fails", { "sufficient a", "sufficient b erase=failed" }, "ok a", NULL, NULL },
};

static void test_cache_store(void **state)
{
	(void)state;
	for EACH(cache_stores) {
		set_up(row->lines, "access");
		keyring_store(&keyring, &ears, &cache_key, row->holder, "secret", 6, 60, &answer);
		check(row->what, row->expected, row->log);
	}
}

/* No module is handed more than module.h says; what a cache has instead of it goes. */
static void test_too_long(void **state)
{
	static const struct row too_long[] = { { "too long", { "sufficient a", "sufficient b" }, "failed -", "", NULL } };
	static const struct row for_a_cache[] = { { "too long for a cache", { "sufficient a", "sufficient b" }, "failed -",
	                                            "a.load a.open a.erase b.load b.open b.erase", NULL } };
	static char bytes[ACRED_SECRET_MAX_BYTES + 1];

	(void)state;
	for EACH(too_long) {
		set_up(row->lines, "refresh");
		keyring_store(&keyring, &ears, &key, NULL, bytes, sizeof bytes, 60, &answer);
		check(row->what, row->expected, row->log);
		assert_string_equal(answer.why, "a secret has at most 65536 bytes");
	}
	for EACH(for_a_cache) {
		set_up(row->lines, "access");
		keyring_store(&keyring, &ears, &cache_key, NULL, bytes, sizeof bytes, 60, &answer);
		check(row->what, row->expected, row->log);
	}
}

static const struct row erases[] = {
	{ "no line", { NULL }, "ok -", "", NULL },
	{ "reaches every module", { "sufficient a", "requisite b", "optional c" }, "ok a",
	  "a.load a.open a.erase b.load b.open b.erase c.load c.open c.erase", NULL },
	{ "was nowhere", { "sufficient a erase=absent" }, "ok -", NULL, NULL },
	{ "was in the second", { "sufficient a erase=absent", "sufficient b" }, "ok b", NULL, NULL },
	{ "a source is named", { "sufficient a store=none erase=none", "sufficient b" }, "ok b a:readonly", NULL, NULL },
	{ "one that is away is named", { "sufficient a erase=unavailable", "sufficient b" }, "ok b a:unavailable", NULL, NULL },
	{ "all are away", { "sufficient a erase=unavailable", "sufficient b load=unavailable" }, "unavailable a a:unavailable b:unavailable", NULL, NULL },
	{ "a failure stops nothing", { "required a erase=failed", "sufficient b" }, "failed a a:failed",
	  "a.load a.open a.erase b.load b.open b.erase", NULL },
	{ "locked first", { "sufficient a erase=denied", "sufficient b erase=locked", "sufficient c erase=unavailable" },
	  "locked b a:denied b:locked c:unavailable", NULL, NULL },
	{ "a failure behind one that is away", { "sufficient a erase=unavailable", "sufficient b erase=timeout" },
	  "timeout b a:unavailable b:timeout", NULL, NULL },
};

static void test_erase(void **state)
{
	(void)state;
	for EACH(erases) {
		set_up(row->lines, "refresh");
		keyring_erase(&keyring, &ears, &key, NULL, &answer);
		check(row->what, row->expected, row->log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_cache_store),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_erase),
	};

	return cmocka_run_group_tests_name("stack-store", tests, NULL, NULL);
}
