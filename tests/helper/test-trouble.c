/* SPDX-License-Identifier: MIT */
/*
 * trouble.c: the table against the manual's, nothing that a terminal would act on, and lines that stay whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/trouble.h"
#include "tests/helper/scratch.h"

/* alation-cred(1), EXIT STATUS, as far as this program has it. */
static const struct {
	enum outcome outcome;
	const char *names;
} manual[] = {
	{ ANSWER_IS_NO, "not_active expiring" },
	{ USAGE, "usage ambiguous_account" },
	{ LOGIN_NEEDED, "no_account refresh_token_refused refresh_token_expired login_refused" },
	{ LOCKED, "keyring_locked" },
	{ KEYRING, "keyring_unavailable keyring_timeout keyring_failed keyring_readonly recovery" },
	{ NETWORK, "network tls proxy timeout" },
	{ SERVER, "forbidden not_an_alation_server throttled server_error bad_reply" },
	{ BUSY, "busy" },
	{ UNUSABLE, "configuration" },
	{ UNWRITTEN, "write_failed" },
};
static const char retryable[] = " network timeout throttled server_error busy keyring_timeout ";

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static void the_table_is_the_manuals(void **state)
{
	size_t documented = 0;

	(void)state;
	assert_string_equal(trouble_name(TROUBLE_NONE), "");
	assert_int_equal(trouble_outcome(TROUBLE_NONE), DONE);
	for (int code = TROUBLE_NONE + 1; code < TROUBLE_CODES; code++) {
		const char *name = trouble_name((enum trouble_code)code);
		bool found = false;

		assert_non_null(name);
		assert_true(*name);
		for (size_t i = 0; i < sizeof manual / sizeof *manual; i++)
			if (has_word(manual[i].names, name)) {
				assert_int_equal(trouble_outcome((enum trouble_code)code), manual[i].outcome);
				found = true;
			}
		assert_true(found);
		assert_int_equal(trouble_retryable((enum trouble_code)code), has_word(retryable, name));
		for (int other = TROUBLE_NONE + 1; other < code; other++)
			assert_string_not_equal(name, trouble_name((enum trouble_code)other));
	}
	for (size_t i = 0; i < sizeof manual / sizeof *manual; i++)
		for (const char *p = manual[i].names; p; p = strchr(p + 1, ' '))
			documented++;
	assert_int_equal(documented, TROUBLE_CODES - 1);
}

static void numbers_are_the_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(DONE, 0);
	assert_int_equal(ANSWER_IS_NO, 1);
	assert_int_equal(USAGE, 2);
	assert_int_equal(LOGIN_NEEDED, 3);
	assert_int_equal(LOCKED, 4);
	assert_int_equal(KEYRING, 5);
	assert_int_equal(NETWORK, 6);
	assert_int_equal(SERVER, 7);
	assert_int_equal(BUSY, 8);
	assert_int_equal(UNUSABLE, 9);
	assert_int_equal(UNWRITTEN, 10);
}

static const struct {
	const char *raw, *want;
} escapes[] = {
	{ "", "" },
	{ "plain 'text' \"quoted\" \\ & %s", "plain 'text' \"quoted\" \\ & %s" },
	{ "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x94\x91", "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x94\x91" },
	{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d" },
	{ "\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07" },
	{ "\x7f", "\\x7f" },
	{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },
	{ "\xe2\x80\xae" "exe.txt", "\\xe2\\x80\\xaeexe.txt" },
	{ "\xe2\x81\xa6" "a\xe2\x80\xa8" "b", "\\xe2\\x81\\xa6a\\xe2\\x80\\xa8b" },
	{ "\xff\xc3(\xed\xa0\x80", "\\xff\\xc3(\\xed\\xa0\\x80" },
	{ "\xe2\x80", "\\xe2\\x80" },
};

static void what_a_terminal_acts_on_is_escaped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
		struct trouble trouble = { .retry_after_s = 5 };
		char text[256];

		trouble_escape(text, sizeof text, escapes[i].raw);
		assert_string_equal(text, escapes[i].want);
		assert_int_equal(trouble_say(&trouble, TROUBLE_BUSY, escapes[i].raw, "<%s>", escapes[i].raw), BUSY);
		snprintf(text, sizeof text, "<%s>", escapes[i].want);
		assert_string_equal(trouble.message, text);
		assert_string_equal(trouble.remedy, escapes[i].want);
		assert_int_equal(trouble.code, TROUBLE_BUSY);
		assert_int_equal(trouble.retry_after_s, 0);
	}
}

/* No byte that acts, and a NUL within the room, wherever the cut falls. */
static void what_is_too_long_is_cut(void **state)
{
	static const char *const pieces[] = { "x", "\x1b", "\xc3\xa9", "\xe2\x80\xae", "\xf0\x9f\x94\x91", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
		char raw[2048] = "";
		struct trouble trouble;

		while (strlen(raw) + 8 < sizeof raw)
			strcat(raw, pieces[i]);
		for (size_t room = 1; room < 40; room++) {
			char text[64];

			memset(text, '#', sizeof text);
			trouble_escape(text, room, raw);
			assert_non_null(memchr(text, '\0', room));
			assert_null(strchr(text, '#'));
			assert_int_equal(text[room], '#');
			assert_null(strpbrk(text, "\x1b\xff"));
		}
		trouble_say(&trouble, TROUBLE_USAGE, raw, "%s", raw);
		assert_in_range(strlen(trouble.message), 100, sizeof trouble.message - 1);
		assert_in_range(strlen(trouble.remedy), 100, sizeof trouble.remedy - 1);
		assert_null(strstr(trouble.message, "\x1b"));
		assert_null(strstr(trouble.remedy, "\xe2\x80\xae"));
	}
}

static void a_message_may_quote_the_one_before(void **state)
{
	struct trouble trouble;

	(void)state;
	trouble_say(&trouble, TROUBLE_NETWORK, "", "first");
	trouble_say(&trouble, TROUBLE_NETWORK, "", "second, after %s", trouble.message);
	assert_string_equal(trouble.message, "second, after first");
}

/* What PRINT writes to stderr. */
static void printed(const struct trouble *trouble, const char *line, char *text, size_t room)
{
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		if (trouble)
			trouble_print(trouble);
		else
			trouble_line(line);
		_exit(0);
	}
	close(ends[1]);
	scratch_drain(ends[0], text, room);
	close(ends[0]);
	assert_int_equal(scratch_exit_code(child), 0);
}

static void one_line_is_printed(void **state)
{
	struct trouble trouble;
	char text[4096], long_one[2000];

	(void)state;
	trouble_say(&trouble, TROUBLE_USAGE, "do that", "it is so");
	printed(&trouble, NULL, text, sizeof text);
	assert_string_equal(text, "alation-cred: it is so; do that\n");
	trouble_say(&trouble, TROUBLE_USAGE, "", "it is so");
	printed(&trouble, NULL, text, sizeof text);
	assert_string_equal(text, "alation-cred: it is so\n");
	printed(NULL, "a\nb", text, sizeof text);
	assert_string_equal(text, "alation-cred: a\\x0ab\n");

	memset(long_one, 'x', sizeof long_one - 1);
	long_one[sizeof long_one - 1] = '\0';
	trouble_say(&trouble, TROUBLE_USAGE, long_one, "%s", long_one);
	printed(&trouble, NULL, text, sizeof text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	printed(NULL, long_one, text, sizeof text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_manuals),           cmocka_unit_test(numbers_are_the_exit_codes),
		cmocka_unit_test(what_a_terminal_acts_on_is_escaped), cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(a_message_may_quote_the_one_before), cmocka_unit_test(one_line_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
