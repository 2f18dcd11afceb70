/* SPDX-License-Identifier: MIT */
/*
 * What a walk reaches beside the lines' order: a module that no line names, one module alone, all but one, those that cannot
 * store, what is kept open between calls; and what an answer tells of who answered and who did not.
 */
#include "tests/keyring/actors.h"

/* A module that is known to hold the secret is asked whether or not a line names it. */
static void test_add(void **state)
{
	static const char *const texts[] = { "sufficient a lookup=ok", "access:sufficient b lookup=ok", NULL };
	char too_long[KEYRING_MODULE_MAX_BYTES + 2];

	(void)state;
	set_up(texts, "refresh");
	keyring.n = 1; /* `b` is there to be loaded, and no line has it */
	assert_true(keyring_add(&keyring, "refresh", "b"));
	assert_true(keyring_add(&keyring, "refresh", "b"));
	assert_true(keyring_add(&keyring, "refresh", "a"));
	assert_int_equal(keyring.n, 2);
	keyring_lookup(&keyring, &ears, &key, "b", &answer);
	check("the holder", "ok b", "a.load b.load b.open b.lookup");
	assert_int_equal(keyring.slots[1].line.control, KEYRING_SUFFICIENT);

	/* In another facility it is another line. */
	assert_true(keyring_add(&keyring, "access", "a"));
	assert_int_equal(keyring.n, 3);

	memset(too_long, 'a', sizeof too_long - 1);
	too_long[sizeof too_long - 1] = '\0';
	for (size_t i = 0; i < 5; i++)
		assert_false(keyring_add(&keyring, "refresh", (const char *const[]){ "", "/usr/lib/x.so", "../x", "Upper", too_long }[i]));
	too_long[KEYRING_MODULE_MAX_BYTES] = '\0';
	assert_true(keyring_add(&keyring, "refresh", too_long));
	assert_int_equal(keyring.n, 4);
	for (int n = 4; n < KEYRING_LINES_MAX; n++) {
		char name[] = { 'c', (char)('0' + n / 10), (char)('0' + n % 10), '\0' };

		assert_true(keyring_add(&keyring, "refresh", name));
	}
	assert_int_equal(keyring.n, KEYRING_LINES_MAX);
	assert_false(keyring_add(&keyring, "refresh", "c"));
	assert_int_equal(keyring.n, KEYRING_LINES_MAX);
	assert_true(keyring_add(&keyring, "refresh", "b")); /* it is there */
}

/* What one account needs is not the stack of the next: a walk without a holder passes it by, and an erase does not. */
static void test_added_counts_for_its_holder(void **state)
{
	static const char *const texts[] = { "sufficient a", "access:sufficient b lookup=ok", NULL };

	(void)state;
	set_up(texts, "refresh");
	keyring.n = 1;
	assert_true(keyring_add(&keyring, "refresh", "b"));
	assert_int_equal(keyring_lookup(&keyring, &ears, &key, NULL, &answer), ACRED_ABSENT);
	assert_string_equal(logged, "a.load a.open a.lookup");
	logged[0] = '\0';
	assert_int_equal(keyring_store(&keyring, &ears, &key, NULL, "secret", 6, 60, &answer), ACRED_OK);
	assert_string_equal(logged, "a.store");
	logged[0] = '\0';
	assert_int_equal(keyring_erase(&keyring, &ears, &key, NULL, &answer), ACRED_OK);
	assert_string_equal(logged, "a.erase b.load b.open b.erase");
}

/* A name that was added lives as long as its line, not as long as the caller's. */
static void test_added_name_is_kept(void **state)
{
	static const char *const texts[] = { "sufficient a", "access:sufficient b lookup=ok", NULL };
	char name[] = "b";

	(void)state;
	set_up(texts, "refresh");
	keyring.n = 1;
	assert_true(keyring_add(&keyring, "refresh", name));
	name[0] = 'x';
	keyring_lookup(&keyring, &ears, &key, "b", &answer);
	check("the added line", "ok b", NULL);
}

/* One alone, whatever its control and whatever stands before it. */
static const struct row lookups_in[] = {
	{ "the second", { "requisite a lookup=failed", "optional b lookup=ok" }, "ok b", "b.load b.open b.lookup", "b" },
	{ "has nothing", { "sufficient a lookup=ok", "sufficient b" }, "absent b", "b.load b.open b.lookup", "b" },
	{ "is locked", { "sufficient a lookup=ok", "optional b lookup=locked" }, "locked b", NULL, "b" },
	{ "is of the other facility alone", { "sufficient a lookup=ok", "access:sufficient b lookup=ok" }, "unavailable -", "", "b" },
	{ "has no line", { "sufficient a lookup=ok" }, "unavailable -", "", "z" },
};

static void test_lookup_in(void **state)
{
	(void)state;
	for EACH(lookups_in) {
		int status;

		set_up(row->lines, "refresh");
		status = keyring_lookup_in(&keyring, &ears, &key, row->holder, &answer);
		assert_int_equal(status, answer.status);
		check(row->what, row->expected, row->log);
		assert_string_equal(held, status == ACRED_OK ? row->holder : "");
	}
	assert_non_null(strstr(answer.why, "'z'"));
}

static const struct row erases_but[] = {
	{ "the one is left", { "sufficient a", "sufficient b", "sufficient c" }, "ok a", "a.load a.open a.erase c.load c.open c.erase", "b" },
	{ "there is no other", { "sufficient a" }, "ok -", "", "a" },
	{ "what it would answer does not count", { "sufficient a erase=failed", "sufficient b erase=absent" }, "ok -", NULL, "a" },
	{ "another fails", { "sufficient a", "required b erase=locked" }, "locked b b:locked", NULL, "a" },
};

static void test_erase_but(void **state)
{
	(void)state;
	for EACH(erases_but) {
		set_up(row->lines, "refresh");
		keyring_erase(&keyring, &ears, &key, row->holder, &answer);
		check(row->what, row->expected, row->log);
	}
}

/* One alone, whatever stands beside it. */
static const struct row erases_in[] = {
	{ "the second", { "required a erase=failed", "optional b" }, "ok b", "b.load b.open b.erase", "b" },
	{ "has nothing", { "sufficient a", "sufficient b erase=absent" }, "absent b", NULL, "b" },
	{ "is locked", { "sufficient a", "sufficient b erase=locked" }, "locked b", NULL, "b" },
	{ "has no line", { "sufficient a" }, "unavailable -", "", "z" },
};

static void test_erase_in(void **state)
{
	(void)state;
	for EACH(erases_in) {
		set_up(row->lines, "refresh");
		keyring_erase_in(&keyring, &ears, &key, row->holder, &answer);
		check(row->what, row->expected, row->log);
	}
}

/* Who keeps nothing open, and who is away, has nothing to forget; a failure stops nobody. */
static const struct row locks[] = {
	{ "no line", { NULL }, "absent -", "", NULL },
	{ "no such operation: unopened", { "sufficient a", "sufficient b lock=ok" }, "ok b", "a.load b.load b.open b.lock", NULL },
	{ "nothing was kept", { "sufficient a lock=absent" }, "absent -", NULL, NULL },
	{ "all are reached", { "requisite a lock=absent", "sufficient b lock=ok", "optional c lock=absent" }, "ok b",
	  "a.load a.open a.lock b.load b.open b.lock c.load c.open c.lock", NULL },
	{ "one is away", { "sufficient a lock=unavailable", "sufficient b lock=ok" }, "ok b", NULL, NULL },
	{ "one is away, and no other", { "sufficient a open=unavailable lock=ok" }, "absent -", NULL, NULL },
	{ "one fails, the next forgets all the same", { "required a lock=failed", "sufficient b lock=ok" }, "failed a",
	  "a.load a.open a.lock b.load b.open b.lock", NULL },
	{ "cannot be loaded", { "sufficient a load=failed", "sufficient b lock=ok" }, "failed a", NULL, NULL },
	{ "another facility's is left alone", { "access:sufficient a lock=ok", "sufficient b" }, "absent -", "b.load", NULL },
};

static void test_lock(void **state)
{
	(void)state;
	for EACH(locks) {
		int status;

		set_up(row->lines, "refresh");
		status = keyring_lock(&keyring, &ears, "refresh", &answer);
		assert_int_equal(status, answer.status);
		check(row->what, row->expected, row->log);
		assert_string_equal(held, "");
	}
}

static char listed[LOG_BYTES];

static void on_listed(void *host, const struct acred_key *each, const char *module)
{
	size_t n = strlen(listed);

	assert_ptr_equal(host, held);
	snprintf(listed + n, sizeof listed - n, "%s%s:%s/%d", n ? " " : "", module, each->facility, (int)each->user_id);
}

#define LISTED(module) module ":refresh/8 " module ":refresh/7 " module ":access/7 " module ":refresh/7"

/* Those that cannot store; others are loaded, for nobody knows it before, and not opened. */
static const struct {
	const char *what, *lines[LINES_MAX], *first, *all, *log;
} sources[] = {
	{ "none", { "sufficient a list=listed" }, "", "", "a.load" },
	{ "one, between others", { "sufficient a list=listed", "sufficient b store=none list=listed", "sufficient c list=listed" },
	  LISTED("b"), LISTED("b"), "a.load b.load b.open b.list c.load" },
	{ "two", { "sufficient a store=none list=listed", "optional b store=none list=listed" },
	  LISTED("a"), LISTED("a") " " LISTED("b"), "a.load a.open a.list b.load b.open b.list" },
	{ "the first has none", { "sufficient a store=none list=absent", "sufficient b store=none list=listed" },
	  LISTED("b"), LISTED("b"), NULL },
	{ "the first fails, and ends nothing", { "required a store=none list=failed", "sufficient b store=none list=listed" },
	  LISTED("b"), LISTED("b"), NULL },
	{ "the first cannot be loaded", { "requisite a load=failed store=none", "sufficient b store=none list=listed" },
	  LISTED("b"), LISTED("b"), NULL },
	{ "has no list", { "sufficient a store=none lookup=ok" }, "", "", "a.load" },
	{ "another facility's", { "access:sufficient a store=none list=listed" }, "", "", "" },
};

static void test_sources(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		for (int all = 0; all < 2; all++) {
			listed[0] = '\0';
			set_up(sources[i].lines, "refresh");
			keyring_sources(&keyring, &ears, "refresh", all, on_listed);
			if (strcmp(listed, all ? sources[i].all : sources[i].first) != 0)
				fail_msg("%s, %s: '%s'", sources[i].what, all ? "all" : "the first", listed);
			if (all && sources[i].log && strcmp(logged, sources[i].log) != 0)
				fail_msg("%s: called '%s'", sources[i].what, logged);
			assert_string_equal(held, "");
		}
}

/* Whether who answered can store: a rotation wants to know before it asks the server. */
static void test_readonly(void **state)
{
	static const char *const source[] = { "sufficient a store=none lookup=ok", NULL };
	static const char *const keeper[] = { "sufficient a store=readonly lookup=ok", NULL };
	static const char *const empty[] = { "sufficient a store=none", NULL };

	(void)state;
	set_up(source, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_true(answer.readonly);
	keyring_locate(&keyring, &ears, &key, NULL, &answer);
	assert_true(answer.readonly);
	set_up(keeper, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_false(answer.readonly);
	set_up(empty, "refresh");
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_false(answer.readonly);
}

/* The loader's refusal of a line that must be there is the configuration's fault; a module's own answer, or that of another
 * line, is not. */
static const struct {
	const char *lines[LINES_MAX];
	bool lookup, store, erase;
} refusals[] = {
	{ { "required a load=failed" }, true, true, true },
	{ { "requisite a load=unavailable" }, true, true, true },
	{ { "sufficient a load=failed" }, false, false, false },
	{ { "optional a load=failed" }, false, false, false },
	{ { "required a open=failed" }, false, false, false },
	{ { "required a lookup=failed store=failed erase=failed" }, false, false, false },
	{ { "sufficient b lookup=locked", "required a load=failed" }, true, true, true },
	{ { "optional b load=failed", "required a open=failed" }, false, false, false },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		set_up(refusals[i].lines, "refresh");
		keyring_lookup(&keyring, &ears, &key, NULL, &answer);
		assert_int_not_equal(answer.status, ACRED_OK);
		assert_int_equal(answer.refused, refusals[i].lookup);
		/* It is not loaded again, and refused all the same. */
		keyring_lookup(&keyring, &ears, &key, NULL, &answer);
		assert_int_equal(answer.refused, refusals[i].lookup);
		keyring_store(&keyring, &ears, &key, NULL, "secret", 6, 60, &answer);
		assert_int_equal(answer.refused, refusals[i].store);
		set_up(refusals[i].lines, "refresh");
		keyring_erase(&keyring, &ears, &key, NULL, &answer);
		assert_int_equal(answer.refused, refusals[i].erase);
	}
}

/* Known once a walk has come by. */
static void test_is_refused(void **state)
{
	static const char *const texts[] = { "sufficient a load=unavailable", "sufficient b open=failed", "access:sufficient c load=failed", NULL };

	const char *why;

	(void)state;
	set_up(texts, "refresh");
	assert_false(keyring_is_refused(&keyring, "refresh", "a"));
	keyring_lookup(&keyring, &ears, &key, NULL, &answer);
	assert_true(keyring_is_refused(&keyring, "refresh", "a"));
	assert_false(keyring_is_refused(&keyring, "refresh", "b"));
	assert_false(keyring_is_refused(&keyring, "access", "a"));
	assert_false(keyring_is_refused(&keyring, "access", "c"));
	assert_false(keyring_is_refused(&keyring, "refresh", "z"));
	assert_int_equal(keyring_refusal(&keyring, "refresh", "a", &why), ACRED_UNAVAILABLE);
	assert_string_equal(why, "refused");
	assert_int_equal(keyring_refusal(&keyring, "refresh", "b", &why), ACRED_OK);
}

/* Each line that was asked says why it did not have it, in its own words. */
static void test_why(void **state)
{
	static const char *const texts[] = {
		"sufficient a load=unavailable", "sufficient b open=unavailable", "sufficient c lookup=locked", "sufficient d", "sufficient e lookup=ok", NULL,
	};
	static const char *const whys[] = { "refused", "no open", "no lookup", "no lookup" };

	(void)state;
	set_up(texts, "refresh");
	for (int again = 0; again < 2; again++) {
		keyring_lookup(&keyring, &ears, &key, NULL, &answer);
		check("all but the last", "ok e a:unavailable b:unavailable c:locked d:absent", NULL);
		for (size_t i = 0; i < 4; i++)
			assert_string_equal(answer.passed_over[i].why, whys[i]);
		assert_string_equal(answer.why, "");
	}
	keyring_erase(&keyring, &ears, &key, "d", &answer);
	check("an erase", "ok c a:unavailable b:unavailable", NULL);
	assert_string_equal(answer.passed_over[0].why, "refused");
	assert_string_equal(answer.passed_over[1].why, "no open");
}

static struct known {
	const char *module;
	int64_t user_id;
} knowledge[8];
static size_t n_known;

static void on_know(void *host, const char *module, const struct acred_key *each)
{
	assert_ptr_equal(host, held);
	assert_string_equal(module, running);
	assert_string_equal(each->facility, "refresh");
	if (strcmp(each->base_url, key.base_url) == 0)
		knowledge[n_known++] = (struct known){ module, each->user_id };
}

static bool on_known(void *host, const char *module, const struct acred_key *each)
{
	bool known = false;

	assert_ptr_equal(host, held);
	assert_non_null(module);
	for (size_t i = 0; i < n_known; i++)
		known |= strcmp(knowledge[i].module, module) == 0 && knowledge[i].user_id == each->user_id;
	return known;
}

static struct keyring_ears survey_ears(void)
{
	struct keyring_ears many = ears;

	many.know = on_know;
	many.known = on_known;
	n_known = 0;
	return many;
}

/* Many keys are asked about: each module lists once, and who was late is not waited for again. Rows: the keys 7, 8 and 9 in turn. */
static void test_survey(void **state)
{
	static const struct {
		const char *what, *lines[LINES_MAX], *expected[3], *log;
	} surveys[] = {
		{ "one list", { "sufficient a list=listed" }, { "ok a", "ok a", "locked a" }, "a.load a.open a.list" },
		{ "another's keys", { "sufficient a list=other" }, { "absent a", "ok a", "absent a" }, "a.load a.open a.list" },
		{ "a list that fails", { "sufficient a list=denied" }, { "denied a", "denied a", "denied a" }, "a.load a.open a.list" },
		{ "a list that is late", { "sufficient a list=timeout", "sufficient b list=other" },
		  { "timeout a b:absent", "ok b a:timeout", "timeout a b:absent" }, "a.load a.open a.list b.load b.open b.list" },
		{ "printed with its list", { "sufficient a list=prints" }, { "failed a", "failed a", "failed a" }, "a.load a.open a.list a.list a.list" },
		{ "no list, and late", { "sufficient a lookup=timeout" }, { "timeout a", "timeout a", "timeout a" }, "a.load a.open a.lookup" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof surveys / sizeof surveys[0]; i++) {
		const struct keyring_ears many = survey_ears();
		struct acred_key each = key;

		set_up(surveys[i].lines, "refresh");
		for (size_t k = 0; k < 3; k++, each.user_id++) {
			keyring_locate(&keyring, &many, &each, NULL, &answer);
			check(surveys[i].what, surveys[i].expected[k], k == 2 ? surveys[i].log : NULL);
		}
		if (strstr(surveys[i].what, "late"))
			assert_string_equal(surveys[i].lines[1] ? keyring.slots[0].why : answer.why, surveys[i].lines[1] ? "no list" : "no lookup");
	}
}

/* The same of look-ups, which the cache gets; a host that asks about one key asks each time. */
static void test_survey_looks_up(void **state)
{
	static const char *const texts[] = { "sufficient a lookup=timeout list=timeout", NULL };
	const struct keyring_ears many = survey_ears();

	(void)state;
	for (int i = 0; i < 2; i++) {
		set_up(texts, "access");
		keyring_lookup(&keyring, i ? &ears : &many, &cache_key, NULL, &answer);
		keyring_lookup(&keyring, i ? &ears : &many, &cache_key, NULL, &answer);
		check("twice", "timeout a", i ? "a.load a.open a.lookup a.lookup" : "a.load a.open a.lookup");
	}
	set_up(texts, "refresh");
	keyring_locate(&keyring, &ears, &key, NULL, &answer);
	keyring_locate(&keyring, &ears, &key, NULL, &answer);
	check("located twice", "timeout a", "a.load a.open a.list a.list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_added_counts_for_its_holder),
		cmocka_unit_test(test_added_name_is_kept),
		cmocka_unit_test(test_lookup_in),
		cmocka_unit_test(test_survey),
		cmocka_unit_test(test_survey_looks_up),
		cmocka_unit_test(test_erase_but),
		cmocka_unit_test(test_erase_in),
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_readonly),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_is_refused),
		cmocka_unit_test(test_why),
	};

	return cmocka_run_group_tests_name("stack-reach", tests, NULL, NULL);
}
