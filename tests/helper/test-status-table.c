/* SPDX-License-Identifier: MIT */
/*
 * status-words.c and status-table.c: what was found out of accounts, and what a person then reads, to the byte: as a table,
 * on 40 columns, without UTF-8, in colour; of accounts in every state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "helper/status-words.h"

#define NOW_S INT64_C(1764054724) /* 2025-11-25T07:12:04Z */
#define DAY_S 86400
#define ROWS_MAX 100

static const struct terminal piped = { .utf8 = true }, narrow = { .there = true, .utf8 = true, .columns = 40 };
static struct context context; /* no configuration: auto-rotate is 10 d */
static struct status_row rows[ROWS_MAX];
static char texts_buffer[ROWS_MAX * 1024], drawn[ROWS_MAX * 1024];

/* What one account has; `end_s` and `access_s` from now on, 0: not known, nothing cached. */
struct given {
	struct account account;
	int64_t end_s, access_s;
	int status;
	bool is_default, readonly;
	const char *module; /* in place of the account's */
	const char *why;
	int64_t skew_s;
};

#define LAPTOP .base_url = "https://catalog.example.com", .user_id = 102, .name = "laptop", .module = "secret-service"

static void row_of(const struct given *given, const struct terminal *terminal, struct out *texts, struct status_row *ret_row)
{
	const struct account *account = &given->account;
	struct status_facts facts = {
		.status = { .base_url = bytes_of(account->base_url), .name = bytes_of(given->readonly ? "" : account->name), .user_id = account->user_id,
		            .is_default = given->is_default, .exclusive = account->exclusive },
		.refresh_status = given->status,
		.access_status = given->access_s ? ACRED_OK : ACRED_ABSENT,
		.readonly = given->readonly,
		.skew_s = given->skew_s,
	};
	const char *module = given->module ? given->module : account->module;

	if (given->end_s)
		facts.status.refresh.expires_at = (struct moment){ NOW_S + given->end_s, "known" };
	if (given->status == ACRED_OK)
		facts.status.refresh.module = module;
	else
		facts.status.refresh.passed_over[facts.status.refresh.n_passed_over++] =
			(struct passed_over){ module, keyring_status_word(given->status), given->why };
	if (given->access_s) {
		facts.status.access.module = "kernel";
		facts.status.access.expires_at = (struct moment){ NOW_S + given->access_s, "known" };
	}
	status_words(&context, account, &facts, NOW_S, terminal, texts, ret_row);
}

static const char *draw(const struct given *given, size_t n, const struct terminal *terminal)
{
	struct out texts = { .p = texts_buffer, .room = sizeof texts_buffer }, out = { .p = drawn, .room = sizeof drawn - 1 };

	for (size_t i = 0; i < n; i++)
		row_of(&given[i], terminal, &texts, &rows[i]);
	assert_false(texts.overflow);
	status_table(&out, terminal, rows, n);
	assert_false(out.overflow);
	drawn[out.n] = '\0';
	return drawn;
}

static void test_table(void **state)
{
	static const struct given two[] = {
		{ { LAPTOP, .exclusive = true }, 60 * DAY_S, DAY_S, .status = ACRED_OK, .is_default = true },
		{ { .base_url = "https://a.example", .user_id = 7, .name = "of bob", .module = "sealed-file" }, 6 * DAY_S, 0, .status = ACRED_OK, .skew_s = -61 },
	};

	(void)state;
	assert_string_equal(draw(two, 2, &piped),
		"ACCOUNT                          REFRESHTOKEN ENDS        LEFT     ACCESS TOKEN ENDS        KEYRING         STATE\n"
		"https://102@catalog.example.com  2026-01-24 07:12 +00:00  60 days  2025-11-26 07:12 +00:00  secret-service  open\n"
		"https://7@a.example              2025-12-01 07:12 +00:00  6 days   -                        sealed-file     open\n"
		"\n"
		"https://102@catalog.example.com  (default, exclusive)\n"
		"  RefreshToken  'laptop' in secret-service\n"
		"  renewal       from 2026-01-14 07:12 +00:00 on, by the next get that mints\n"
		"  access token  in kernel\n"
		"https://7@a.example  (shared)\n"
		"  RefreshToken  'of bob' in sealed-file\n"
		"  renewal       never, because it is shared; log in anew before it ends\n"
		"  access token  none cached; the next get mints one\n"
		"  clock         the server's differs from this machine's by -61 s\n");
	assert_string_equal(draw(two, 0, &piped), "");
}

static void test_narrow(void **state)
{
	static const struct given one = { { LAPTOP, .exclusive = true }, 60 * DAY_S, DAY_S, .status = ACRED_OK, .is_default = true };
	const char *got = draw(&one, 1, &narrow);

	(void)state;
	assert_string_equal(got,
		"https://102@catalog.example.com\n"
		"  (default, exclusive)\n"
		"  refresh ends  2026-01-24 07:12 +00:00\n"
		"  left          60 days\n"
		"  access ends   2025-11-26 07:12 +00:00\n"
		"  keyring       secret-service\n"
		"  state         open\n"
		"  RefreshToken  'laptop' in\n"
		"                secret-service\n"
		"  renewal       from 2026-01-14 07:12\n"
		"                +00:00 on, by the next\n"
		"                get that mints\n"
		"  access token  in kernel\n");
	for (const char *line = got; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 1, 40);
}

/* It fits to the column, or is stacked. */
static void test_fits(void **state)
{
	static const struct given one = { { LAPTOP, .exclusive = true }, 60 * DAY_S, DAY_S, .status = ACRED_OK };
	struct terminal terminal = narrow;
	size_t width;

	(void)state;
	width = strcspn(draw(&one, 1, &piped), "\n");
	terminal.columns = width;
	assert_memory_equal(draw(&one, 1, &terminal), "ACCOUNT", 7);
	terminal.columns = width - 1;
	assert_memory_equal(draw(&one, 1, &terminal), "https://", 8);
	/* On the narrowest nothing is lost. */
	terminal.columns = 1;
	assert_non_null(strstr(draw(&one, 1, &terminal), "  refresh ends  2026-01-24 07:12\n"));
}

/* Row: what is given, and lines that must stand in the table (cells behind the account) and below it. */
static void test_states(void **state)
{
	static const struct {
		struct given given;
		const char *cells, *below;
	} states[] = {
		{ { { LAPTOP, .exclusive = true }, 0, DAY_S, .status = ACRED_OK },
		  "  not known          -     2025-11-26 07:12 +00:00  secret-service  open\n",
		  "  renewal       never while its end is not known; 'alation-cred validate' asks the server\n" },
		{ { { LAPTOP, .exclusive = true }, -1, 0, .status = ACRED_OK },
		  "  2025-11-25 07:12 +00:00  ended  -                  secret-service  open\n", "  renewal       too late; log in again\n" },
		{ { { LAPTOP, .exclusive = true }, 10 * DAY_S, 0, .status = ACRED_OK },
		  "  2025-12-05 07:12 +00:00  10 days  -                  secret-service  open\n", "  renewal       due; the next get that mints does it\n" },
		{ { { LAPTOP, .exclusive = true }, 10 * DAY_S + 1, 0, .status = ACRED_OK }, "  10 days  ",
		  "  renewal       from 2025-11-25 07:12 +00:00 on, by the next get that mints\n" },
		{ { { LAPTOP }, 5 * 3600, 0, .status = ACRED_OK }, "  5 h   ", "  renewal       never, because it is shared; log in anew before it ends\n" },
		{ { { LAPTOP, .exclusive = true }, 60 * DAY_S, DAY_S, .status = ACRED_LOCKED, .why = "the keyring is locked" },
		  "  60 days  2025-11-26 07:12 +00:00  secret-service  locked\n",
		  "  RefreshToken  'laptop' cannot be told: secret-service (locked: the keyring is locked)\n" },
		{ { { LAPTOP }, 60 * DAY_S, 0, .status = ACRED_TIMEOUT }, "  secret-service  timeout\n",
		  "  RefreshToken  'laptop' cannot be told: secret-service (timeout)\n" },
		{ { { LAPTOP, .exclusive = true }, 60 * DAY_S, 0, .status = ACRED_ABSENT }, "  gone               -     -                  secret-service  absent\n",
		  "  RefreshToken  'laptop' is gone; log in again\n  renewal       too late; log in again\n" },
		{ { { LAPTOP, .exclusive = true, .rotation_lost_at = NOW_S - DAY_S }, 60 * DAY_S, 0, .status = ACRED_OK },
		  "  lost               -     -                  secret-service  open\n",
		  "                was regenerated at 2025-11-24 07:12 +00:00, and the new one was lost; log in again\n" },
		{ { { LAPTOP }, 0, 0, .status = ACRED_OK, .readonly = true, .module = "environment" }, "  environment  read-only\n",
		  "  RefreshToken  in environment\n  renewal       never here: its source can only be read\n" },
		{ { { LAPTOP, .exclusive = true }, INT64_C(300000000000), 0, .status = ACRED_OK }, "  -                  3472222 days  -  ", "in secret-service\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		const char *got = draw(&states[i].given, 1, &piped);

		if (!strstr(got, states[i].cells) || !strstr(got, states[i].below))
			fail_msg("row %zu:\n%s", i, got);
	}
}

static void test_auto_rotate(void **state)
{
	static struct config_value values[] = { { .word = CONFIG_AUTO_ROTATE, .section = "", .value = "never" } };
	static const struct given one = { { LAPTOP, .exclusive = true }, 60 * DAY_S, 0, .status = ACRED_OK };

	(void)state;
	context.config.values = values;
	context.config.n_values = 1;
	assert_non_null(strstr(draw(&one, 1, &piped), "  renewal       never, says auto-rotate; 'alation-cred rotate' does it\n"));
	values[0].value = "20d";
	assert_non_null(strstr(draw(&one, 1, &piped), "  renewal       from 2026-01-04 07:12 +00:00 on, by"));
	context.config.n_values = 0;
}

/* The longest address there is stays whole, and every line of the table has its columns at the same place. */
static void test_long_address(void **state)
{
	struct given two[] = { { { LAPTOP }, DAY_S, DAY_S, .status = ACRED_OK }, { { LAPTOP }, DAY_S, DAY_S, .status = ACRED_OK } };
	const char *got, *line;

	(void)state;
	memset(two[1].account.base_url, 'a', URL_BASE_MAX_BYTES);
	memcpy(two[1].account.base_url, "https://", 8);
	got = draw(two, 2, &piped);
	line = got;
	for (int i = 0; i < 3; i++, line += strcspn(line, "\n") + 1)
		assert_memory_equal(line + URL_BASE_MAX_BYTES + strlen("102@") + 2, i ? "2025-11-26" : "REFRESHTOK", 10);
	assert_memory_equal(strstr(draw(&two[1], 1, &narrow), "aaaa\n"), "aaaa\n  (shared)\n  refresh ends", 28);
}

static void test_hundred(void **state)
{
	static struct given many[ROWS_MAX];
	size_t lines = 0;
	const char *got;

	(void)state;
	for (size_t i = 0; i < ROWS_MAX; i++)
		many[i] = (struct given){ { LAPTOP, .exclusive = i % 2 }, (int64_t)i * DAY_S + 1, DAY_S, .status = ACRED_OK };
	for (size_t i = 0; i < ROWS_MAX; i++)
		many[i].account.user_id = (int64_t)(i + 1);
	got = draw(many, ROWS_MAX, &piped);
	for (const char *line = got; *line; line += strcspn(line, "\n") + 1)
		lines++;
	assert_int_equal(lines, 1 + ROWS_MAX + 1 + 4 * ROWS_MAX);
	assert_non_null(strstr(got, "\nhttps://100@catalog.example.com  2026-03-04 07:12 +00:00  99 days  "));
}

/* What a stranger named moves no cursor; where nobody reads UTF-8 it is ASCII, and each form has its width. */
static void test_strangers(void **state)
{
	static const struct given one = { { .base_url = "https://a.example", .user_id = 7, .name = "\x1b[2J\xe2\x80\xaeZo\xc3\xab\n", .module = "/opt/\xc3\xa9\x1b.so" },
		                          60 * DAY_S, DAY_S, .status = ACRED_LOCKED, .why = "\x1b]0;x\x07" };
	const struct terminal ascii = { .utf8 = false };
	const char *got = draw(&one, 1, &piped);

	(void)state;
	assert_null(strpbrk(got, "\x1b\x07"));
	assert_non_null(strstr(got, "'\\x1b[2J\\xe2\\x80\\xaeZo\xc3\xab\\x0a' cannot be told: /opt/\xc3\xa9\\x1b.so (locked: \\x1b]0;x\\x07)\n"));
	assert_non_null(strstr(got, "KEYRING        STATE\n"));
	assert_non_null(strstr(got, "/opt/\xc3\xa9\\x1b.so  locked\n"));
	got = draw(&one, 1, &ascii);
	assert_non_null(strstr(got, "'\\x1b[2J\\xe2\\x80\\xaeZo\\xc3\\xab\\x0a' cannot"));
	assert_non_null(strstr(got, "KEYRING               STATE\n"));
	assert_non_null(strstr(got, "/opt/\\xc3\\xa9\\x1b.so  locked\n"));
}

/* Without its colours it is the same text. */
static void test_colour(void **state)
{
	static const struct given two[] = {
		{ { LAPTOP, .exclusive = true }, 60 * DAY_S, DAY_S, .status = ACRED_OK },
		{ { LAPTOP }, 3 * DAY_S, 0, .status = ACRED_LOCKED },
	};
	static const struct terminal coloured = { .there = true, .colour = true, .utf8 = true, .columns = 200 }, plain = { .there = true, .utf8 = true, .columns = 200 };
	static char stripped[8192];
	const char *got = draw(two, 2, &coloured);
	size_t n = 0;

	(void)state;
	assert_non_null(strstr(got, "\x1b[32m60 days\x1b[0m  "));
	assert_non_null(strstr(got, "\x1b[33m3 days\x1b[0m   "));
	assert_non_null(strstr(got, "\x1b[33mlocked\x1b[0m\n"));
	for (const char *p = got; *p && n < sizeof stripped - 1; p++) {
		if (*p == '\x1b')
			p += strcspn(p, "m");
		else
			stripped[n++] = *p;
	}
	assert_string_equal(draw(two, 2, &plain), stripped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_auto_rotate),
		cmocka_unit_test(test_long_address),
		cmocka_unit_test(test_hundred),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_colour),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
