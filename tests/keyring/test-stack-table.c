/* SPDX-License-Identifier: MIT */
/*
 * What each control word does, as the table that the design and the manual have: control by operation by status. The line
 * in question is `a`; a second line `b`, sufficient, stands behind it and shows where the walk goes. Then what holds of every
 * stack of three lines, whatever its controls and whatever its modules answer.
 */
#include "tests/keyring/actors.h"

#define TEXT_BYTES 256
#define N(array) (sizeof array / sizeof array[0])

static const char *const controls[] = { "required", "requisite", "sufficient", "optional" };
static const char *const failures[] = { "locked", "unavailable", "denied", "readonly", "timeout", "failed" };

struct control_row {
	const char *control;
	const char *found, *absent, *failed; /* a look-up */
	const char *taken, *fails;           /* a store: ok, any failure but */
	const char *away, *readonly;         /* 'unavailable' and 'readonly' */
};

/* The facility "refresh". */
static const struct control_row refresh_rows[] = {
	{ "required", "ends: found", "next line", "ends: that failure",
	  "must take it, and the next", "the whole fails", "the whole fails", "passed over" },
	{ "requisite", "ends: found", "ends: absent", "ends: that failure",
	  "must take it, and the next", "the whole fails", "the whole fails", "passed over" },
	{ "sufficient", "ends: found", "next line", "remembered, next line",
	  "the first takes it", "the whole fails", "passed over", "passed over" },
	{ "optional", "ends: found", "next line", "remembered, next line",
	  "may take it, last", "only traced", "only traced", "only traced" },
};

/* A cache: its failures count as absent, a failed store moves on, and one alone holds the entry in the end. */
static const struct control_row access_rows[] = {
	{ "required", "ends: found", "next line", "as absent, next line",
	  "must take it, and the next", "moves on, emptied", "moves on, emptied", "moves on, emptied" },
	{ "requisite", "ends: found", "ends: absent", "as absent, ends",
	  "must take it, and the next", "moves on, emptied", "moves on, emptied", "moves on, emptied" },
	{ "sufficient", "ends: found", "next line", "as absent, next line",
	  "takes it, the next is emptied", "moves on, emptied", "moves on, emptied", "moves on, emptied" },
	{ "optional", "ends: found", "next line", "as absent, next line",
	  "may take it, last", "only traced, emptied", "only traced, emptied", "only traced, emptied" },
};

/* What those words mean. '$' stands for the status of `a`. */
static const struct meaning {
	const char *words;
	const char *behind_found, *behind_absent; /* a look-up's answer where `b` has it, and where it does not */
	const char *log;
} lookups[] = {
	{ "ends: found", "ok a", "ok a", "a.load a.open a.lookup" },
	{ "ends: absent", "absent a", "absent a", "a.load a.open a.lookup" },
	{ "ends: that failure", "$ a", "$ a", "a.load a.open a.lookup" },
	{ "next line", "ok b a:absent", "absent b a:absent", "a.load a.open a.lookup b.load b.open b.lookup" },
	{ "remembered, next line", "ok b a:$", "$ a b:absent", "a.load a.open a.lookup b.load b.open b.lookup" },
	{ "as absent, next line", "ok b a:$", "absent b a:$", "a.load a.open a.lookup b.load b.open b.lookup" },
	{ "as absent, ends", "$ a", "$ a", "a.load a.open a.lookup" }, /* here no cache has worked */
}, stores[] = {
	{ "must take it, and the next", "ok a", NULL, "a.load a.open a.store b.load b.open b.store" },
	{ "the first takes it", "ok a", NULL, "a.load a.open a.store" },
	{ "takes it, the next is emptied", "ok a", NULL, "a.load a.open a.store b.load b.open b.erase" },
	{ "may take it, last", "ok a", NULL, "b.load b.open b.store a.load a.open a.store" },
	{ "the whole fails", "$ a", NULL, "a.load a.open a.store" },
	{ "passed over", "ok b a:$", NULL, "a.load a.open a.store b.load b.open b.store" },
	{ "only traced", "ok b a:$", NULL, "b.load b.open b.store a.load a.open a.store" },
	{ "moves on, emptied", "ok b a:$", NULL, "a.load a.open a.store b.load b.open b.store a.erase" },
	{ "only traced, emptied", "ok b a:$", NULL, "b.load b.open b.store a.load a.open a.store a.erase" },
};

static const struct meaning *meaning(const struct meaning *meanings, size_t n, const char *words)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(meanings[i].words, words) == 0)
			return &meanings[i];
	fail_msg("'%s' means nothing", words);
	return NULL;
}

static const char *with_status(const char *text, const char *status, char filled[TEXT_BYTES])
{
	size_t n = strcspn(text, "$");

	snprintf(filled, TEXT_BYTES, "%.*s%s%s", (int)n, text, text[n] ? status : "", text[n] ? text + n + 1 : "");
	return filled;
}

/* `a` under CONTROL, whose OPERATION answers STATUS; `b` behind it, which finds BEHIND. */
static void two_lines(const char *facility, const char *control, const char *operation, const char *status, const char *behind,
                      char what[TEXT_BYTES])
{
	char a[64], b[64];
	const char *const texts[LINES_MAX] = { a, b };

	snprintf(a, sizeof a, "%s a %s=%s", control, operation, status);
	snprintf(b, sizeof b, "sufficient b lookup=%s", behind);
	set_up(texts, facility);
	snprintf(what, TEXT_BYTES, "%s, %s %s", facility, a, behind);
}

static const struct acred_key *key_of(const char *facility)
{
	return strcmp(facility, "access") == 0 ? &cache_key : &key;
}

static void look_up(const char *facility, const char *control, const char *status, const char *words)
{
	const struct meaning *means = meaning(lookups, N(lookups), words);
	char what[TEXT_BYTES], expected[TEXT_BYTES];

	for (int found = 0; found < 2; found++) {
		two_lines(facility, control, "lookup", status, found ? "ok" : "absent", what);
		keyring_lookup(&keyring, &ears, key_of(facility), NULL, &answer);
		check(what, with_status(found ? means->behind_found : means->behind_absent, status, expected), means->log);
	}
}

static void store(const char *facility, const char *control, const char *status, const char *words)
{
	const struct meaning *means = meaning(stores, N(stores), words);
	char what[TEXT_BYTES], expected[TEXT_BYTES];

	two_lines(facility, control, "store", status, "absent", what);
	keyring_store(&keyring, &ears, key_of(facility), NULL, "secret", 6, 60, &answer);
	check(what, with_status(means->behind_found, status, expected), means->log);
}

/* Every module is reached, whatever the control; what is read-only or away is named and passed over. */
static void erase(const char *facility, const char *control, const char *status)
{
	bool passed_over = strcmp(status, "unavailable") == 0 || strcmp(status, "readonly") == 0;
	const char *expects = strcmp(status, "ok") == 0 ? "ok a" : strcmp(status, "absent") == 0 ? "ok b" : passed_over ? "ok b a:$" : "$ a a:";
	char what[TEXT_BYTES], expected[TEXT_BYTES];

	two_lines(facility, control, "erase", status, "absent", what);
	keyring_erase(&keyring, &ears, key_of(facility), NULL, &answer);
	with_status(expects, status, expected);
	if (strcmp(expects, "$ a a:") == 0)
		strncat(expected, status, sizeof expected - strlen(expected) - 1);
	check(what, expected, "a.load a.open a.erase b.load b.open b.erase");
}

static void facility(const char *name, const struct control_row *rows)
{
	for (size_t c = 0; c < N(controls); c++) {
		const struct control_row *row = &rows[c];

		assert_string_equal(row->control, controls[c]);
		look_up(name, row->control, "ok", row->found);
		look_up(name, row->control, "absent", row->absent);
		store(name, row->control, "ok", row->taken);
		erase(name, row->control, "ok");
		erase(name, row->control, "absent");
		for (size_t f = 0; f < N(failures); f++) {
			const char *status = failures[f];

			look_up(name, row->control, status, row->failed);
			store(name, row->control, status, strcmp(status, "unavailable") == 0 ? row->away : strcmp(status, "readonly") == 0 ? row->readonly : row->fails);
			erase(name, row->control, status);
		}
	}
}

static void test_refresh(void **state)
{
	(void)state;
	facility("refresh", refresh_rows);
}

static void test_access(void **state)
{
	(void)state;
	facility("access", access_rows);
}

/* A module that cannot be loaded or opened is a failure of its line as one that answers so is. */
static void test_a_module_that_does_not_come_to_be(void **state)
{
	static const char *const stages[] = { "load", "open" };

	(void)state;
	for (size_t s = 0; s < N(stages); s++)
		for (size_t c = 0; c < N(controls); c++)
			for (size_t f = 0; f < N(failures); f++) {
				const struct meaning *means = meaning(lookups, N(lookups), refresh_rows[c].failed);
				char what[TEXT_BYTES], expected[TEXT_BYTES];

				two_lines("refresh", controls[c], stages[s], failures[f], "ok", what);
				keyring_lookup(&keyring, &ears, &key, NULL, &answer);
				check(what, with_status(means->behind_found, failures[f], expected), NULL);
				if (answer.status != ACRED_OK) /* the line ended the walk: required or requisite */
					assert_int_equal(answer.refused, s == 0);
			}
}

/* Where another cache works, one that fails is none. */
static void test_one_cache_works(void **state)
{
	char b[64], expected[TEXT_BYTES];

	(void)state;
	for (size_t c = 0; c < N(controls); c++)
		for (size_t f = 0; f < N(failures); f++) {
			const char *const texts[LINES_MAX] = { "sufficient a", b };

			snprintf(b, sizeof b, "%s b lookup=%s", controls[c], failures[f]);
			set_up(texts, "access");
			keyring_lookup(&keyring, &ears, &cache_key, NULL, &answer);
			check(b, with_status("absent a b:$", failures[f], expected), NULL);
		}
}

/* Every stack of three lines. */

static const char *const answers[] = { "ok", "absent", "locked", "unavailable", "readonly", "failed" };
#define THREES (4 * 4 * 4 * 6 * 6 * 6)

struct three {
	const char *control[3], *says[3];
	char text[3][64], what[TEXT_BYTES];
};

/* Number N of them; each module says the same in every operation, but that a store is never absent, and an erase is done. */
static void three_lines(int n, const char *facility, const char *operation, struct three *ret_three)
{
	const char *const texts[LINES_MAX] = { ret_three->text[0], ret_three->text[1], ret_three->text[2] };

	for (int i = 0; i < 3; i++, n /= 24) {
		ret_three->control[i] = controls[n % 4];
		ret_three->says[i] = answers[n / 4 % 6];
		if (strcmp(operation, "store") == 0 && strcmp(ret_three->says[i], "absent") == 0)
			ret_three->says[i] = "timeout";
		snprintf(ret_three->text[i], sizeof ret_three->text[i], "%s %c %s=%s", ret_three->control[i], 'a' + i, operation, ret_three->says[i]);
	}
	snprintf(ret_three->what, sizeof ret_three->what, "%s: %s, %s, %s", facility, ret_three->text[0], ret_three->text[1], ret_three->text[2]);
	set_up(texts, facility);
}

static bool was_called(int i, const char *operation)
{
	char call[16];

	snprintf(call, sizeof call, "%c.%s", 'a' + i, operation);
	return strstr(logged, call) != NULL;
}

static bool must_take(const char *control)
{
	return strcmp(control, "required") == 0 || strcmp(control, "requisite") == 0;
}

/* The first of the lines that were asked that says STATUS; -1: none does. */
static int first_to_say(const struct three *three, const char *operation, const char *status)
{
	for (int i = 0; i < 3; i++)
		if (was_called(i, operation) && strcmp(three->says[i], status) == 0)
			return i;
	return -1;
}

static bool one_failed(const struct three *three, const char *operation)
{
	for (int i = 0; i < 3; i++)
		if (was_called(i, operation) && strcmp(three->says[i], "ok") != 0 && strcmp(three->says[i], "absent") != 0)
			return true;
	return false;
}

static void holds(const struct three *three, bool condition, const char *what)
{
	if (!condition)
		fail_msg("%s: %s; called '%s', answer %s by %s", three->what, what, logged, keyring_status_word(answer.status),
		         answer.module ? answer.module : "-");
}

static void test_a_failure_is_never_absent(void **state)
{
	(void)state;
	for (int n = 0; n < THREES; n++) {
		struct three three;
		int locked, found;

		three_lines(n, "refresh", "lookup", &three);
		keyring_lookup(&keyring, &ears, &key, NULL, &answer);
		found = first_to_say(&three, "lookup", "ok");
		holds(&three, (answer.status == ACRED_OK) == (found >= 0), "what is found is the answer");
		holds(&three, (answer.status == ACRED_ABSENT) == (found < 0 && !one_failed(&three, "lookup")), "a failure is no absence");
		/* Of what is remembered; a line that ends the walk does so with its own failure. */
		locked = first_to_say(&three, "lookup", "locked");
		if (found < 0 && locked >= 0 && !must_take(three.control[0]) && !must_take(three.control[1]) && !must_take(three.control[2]))
			holds(&three, answer.status == ACRED_LOCKED && answer.module[0] == 'a' + locked, "the first 'locked' wins");
	}
}

/* In the end a store into "refresh" is kept by those that took it, all of them, or by none. */
static void test_a_store_that_fails_leaves_nothing(void **state)
{
	(void)state;
	for (int n = 0; n < THREES; n++) {
		struct three three;
		bool taken = false;

		three_lines(n, "refresh", "store", &three);
		keyring_store(&keyring, &ears, &key, NULL, "secret", 6, 60, &answer);
		for (int i = 0; i < 3; i++) {
			bool took = was_called(i, "store") && strcmp(three.says[i], "ok") == 0;

			taken |= took;
			holds(&three, was_called(i, "erase") == (took && answer.status != ACRED_OK), "taken back where it was written, and nowhere else");
			if (must_take(three.control[i]) && was_called(i, "store"))
				holds(&three, answer.status != ACRED_OK || took || strcmp(three.says[i], "readonly") == 0, "who must take it has");
		}
		holds(&three, answer.status != ACRED_OK || taken, "somebody has it");
		holds(&three, answer.status != ACRED_ABSENT, "a store is never absent");
	}
}

/* "these lines first": before any other is offered it. */
static void test_those_that_must_take_it_come_first(void **state)
{
	(void)state;
	for (int n = 0; n < THREES; n++) {
		struct three three;
		size_t last = 0, first_other = sizeof logged;

		three_lines(n, "refresh", "store", &three);
		keyring_store(&keyring, &ears, &key, NULL, "secret", 6, 60, &answer);
		for (int i = 0; i < 3; i++) {
			char call[16];
			const char *at;

			snprintf(call, sizeof call, "%c.store", 'a' + i);
			at = strstr(logged, call);
			if (!at)
				continue;
			if (must_take(three.control[i]) && (size_t)(at - logged) > last)
				last = (size_t)(at - logged);
			if (!must_take(three.control[i]) && (size_t)(at - logged) < first_other)
				first_other = (size_t)(at - logged);
		}
		holds(&three, last < first_other, "those first");
	}
}

/* Two caches never disagree: who did not take the entry is emptied, and so is every one where nobody took it. */
static void test_caches_never_disagree(void **state)
{
	(void)state;
	for (int n = 0; n < THREES; n++) {
		struct three three;
		bool taken = false;

		three_lines(n, "access", "store", &three);
		keyring_store(&keyring, &ears, &cache_key, NULL, "secret", 6, 60, &answer);
		for (int i = 0; i < 3; i++) {
			bool took = was_called(i, "store") && strcmp(three.says[i], "ok") == 0;

			taken |= took;
			holds(&three, was_called(i, "erase") == !took, "emptied, or it took the new one");
		}
		holds(&three, taken == (answer.status == ACRED_OK), "one that took it is enough");
	}
}

/* Nobody can take it: the first remembered 'locked', else the first failure, else it can only be read. */
static const struct row nobody_rows[] = {
	{ "sources alone", { "sufficient a store=none", "required b store=none" }, "readonly b a:readonly", NULL, NULL },
	{ "a failure comes before a source", { "sufficient a store=none", "optional b store=failed" }, "failed b a:readonly", NULL, NULL },
	{ "the first failure", { "optional a store=denied", "optional b store=failed" }, "denied a b:failed", NULL, NULL },
	{ "'locked' comes before an earlier failure", { "optional a store=denied", "optional b store=locked", "optional c store=locked" },
	  "locked b a:denied c:locked", NULL, NULL },
	{ "what is away is a failure", { "sufficient a store=unavailable", "optional b store=timeout" }, "unavailable a b:timeout", NULL, NULL },
	{ "no line at all", { NULL }, "readonly -", "", NULL },
};

static void test_nobody_can_take_it(void **state)
{
	(void)state;
	for EACH(nobody_rows) {
		set_up(row->lines, "refresh");
		keyring_store(&keyring, &ears, &key, row->holder, "secret", 6, 60, &answer);
		check(row->what, row->expected, row->log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_a_module_that_does_not_come_to_be),
		cmocka_unit_test(test_one_cache_works),
		cmocka_unit_test(test_a_failure_is_never_absent),
		cmocka_unit_test(test_a_store_that_fails_leaves_nothing),
		cmocka_unit_test(test_those_that_must_take_it_come_first),
		cmocka_unit_test(test_caches_never_disagree),
		cmocka_unit_test(test_nobody_can_take_it),
	};

	return cmocka_run_group_tests_name("stack-table", tests, NULL, NULL);
}
