/* SPDX-License-Identifier: MIT */
/*
 * record.c: what is kept comes back whatever a stranger named it, in few characters; what is not ours, newer or
 * damaged is told apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "helper/lifecycle/record.h"
#include "protocol/protocol.h"

#define CHARSET "%=&._~+-"
#define HEAD "v=1&kind=refresh-token&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&"

static void assert_charset(const struct secret *line)
{
	for (size_t i = 0; i < line->len; i++)
		assert_true(byte_is_plain(line->bytes[i], CHARSET));
}

static const struct refresh_row {
	const char *line;
	enum record_fault want;
} refreshes[] = {
	{ HEAD "refresh_token=abc", RECORD_OK },
	{ HEAD "refresh_token=abc&name=&created_at=1&token_expires_at=2", RECORD_OK },
	{ HEAD "refresh_token=ab%2Fc%3D%3D&later=%20x", RECORD_OK },
	{ "v=1&base_url=https://catalog.example.com&user_id=102&refresh_token=ab/c", RECORD_OK }, /* by hand */
	/* bare tokens */
	{ "abc", RECORD_OK },
	{ "-starts.with~a/dash+==", RECORD_OK },
	{ "v=", RECORD_OK },
	{ "", RECORD_DAMAGED },
	{ "two words", RECORD_DAMAGED },
	{ "abc\n", RECORD_OK }, /* echo's */
	{ "abc\n\n", RECORD_DAMAGED },
	{ "\n", RECORD_DAMAGED },
	{ "caf\xc3\xa9", RECORD_DAMAGED },
	{ "a&b", RECORD_DAMAGED },
	{ "{\"refresh_token\":\"abc\"}", RECORD_DAMAGED },
	/* versions */
	{ "v=2&kind=refresh-token&base_url=x&user_id=1&refresh_token=abc", RECORD_NEWER },
	{ "v=2&what a later version does need not parse", RECORD_NEWER },
	{ "v=9223372036854775807&", RECORD_NEWER },
	{ "v=0&kind=refresh-token", RECORD_DAMAGED },
	{ "v=-1&kind=refresh-token", RECORD_DAMAGED },
	{ "v=&kind=refresh-token", RECORD_DAMAGED },
	{ "v=x&kind=refresh-token", RECORD_DAMAGED },
	{ "v=99999999999999999999&kind=refresh-token", RECORD_DAMAGED },
	/* kinds */
	{ "v=1&kind=oauth-client&client_id=a", RECORD_FOREIGN },
	{ "v=1&kind=&base_url=x", RECORD_FOREIGN },
	{ "v=1&kind=Refresh-Token&x=1", RECORD_FOREIGN },
	/* missing members */
	{ HEAD, RECORD_DAMAGED },
	{ HEAD "refresh_token=", RECORD_DAMAGED },
	{ HEAD "name=x", RECORD_DAMAGED },
	{ "v=1&kind=refresh-token&user_id=102&refresh_token=abc", RECORD_DAMAGED },
	{ "v=1&kind=refresh-token&base_url=&user_id=102&refresh_token=abc", RECORD_DAMAGED },
	{ "v=1&kind=refresh-token&base_url=https%3A%2F%2Fa&refresh_token=abc", RECORD_DAMAGED },
	/* mistyped members */
	{ "v=1&base_url=https%3A%2F%2Fa&user_id=0&refresh_token=abc", RECORD_DAMAGED },
	{ "v=1&base_url=https%3A%2F%2Fa&user_id=0102&refresh_token=abc", RECORD_DAMAGED },
	{ "v=1&base_url=https%3A%2F%2Fa&user_id=2147483648&refresh_token=abc", RECORD_DAMAGED },
	{ HEAD "refresh_token=a%20b", RECORD_DAMAGED },
	{ HEAD "refresh_token=a%0Ab", RECORD_DAMAGED },
	{ HEAD "refresh_token=a%00b", RECORD_DAMAGED },
	{ HEAD "refresh_token=a%", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&refresh_token=def", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&created_at=now", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&token_expires_at=", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&regen_begun=1700000000", RECORD_OK },
	{ HEAD "refresh_token=abc&regen_begun=", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&regen_begun=yes", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&regen_begun=99999999999999999999", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&&name=x", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&name", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc\n", RECORD_DAMAGED },
	/* what a rewrite would carry into a keyring */
	{ HEAD "refresh_token=abc&later=a\nb", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&later=a\\b", RECORD_DAMAGED },
	{ HEAD "refresh_token=abc&la\x1bter=b", RECORD_DAMAGED },
};

static void refresh_records_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refreshes / sizeof *refreshes; i++) {
		REFRESH_RECORD record;
		enum record_fault got = refresh_record_parse(bytes_of(refreshes[i].line), &record);

		if (got != refreshes[i].want)
			print_message("row %zu: %s\n", i, refreshes[i].line);
		assert_int_equal(got, refreshes[i].want);
	}
}

static void a_bare_token_names_no_account(void **state)
{
	REFRESH_RECORD record;

	(void)state;
	assert_int_equal(refresh_record_parse(bytes_of("abc=="), &record), RECORD_OK);
	assert_true(bytes_are(secret_view(&record.token), "abc=="));
	assert_string_equal(record.base_url, "");
	assert_int_equal(record.user_id, 0);
	assert_int_equal(record.created_at, RECORD_TIME_UNKNOWN);
	assert_int_equal(record.token_expires_at, RECORD_TIME_UNKNOWN);
}

static void any_name_comes_back(void **state)
{
	static const char *const names[] = {
		"", "alation-cred@box", "with blank", "\"quoted\" & 'quoted'", "a=b&c=d", "100%25 %", "two\nlines\r\n", "back\\slash",
		"\x1b[31mred\x07\x7f", "caf\xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x94\x91", "\xe2\x80\xaegnp.exe", "not UTF-8: \xff\xfe\xc3", "+ +",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		REFRESH_RECORD record = { .base_url = "https://[2001:db8::1]:8443", .user_id = 2147483647, .created_at = 0,
			                  .token_expires_at = 253402300799 };
		REFRESH_RECORD back;
		SECRET line = { 0 };

		snprintf(record.name, sizeof record.name, "%s", names[i]);
		assert_true(secret_set(&record.token, bytes_of("-Az09._~+/==")));
		assert_true(refresh_record_format(&record, &line));
		assert_charset(&line);
		assert_int_equal(refresh_record_parse(secret_view(&line), &back), RECORD_OK);
		assert_string_equal(back.name, names[i]);
		assert_string_equal(back.base_url, record.base_url);
		assert_int_equal(back.user_id, record.user_id);
		assert_int_equal(back.created_at, 0);
		assert_int_equal(back.token_expires_at, 253402300799);
		assert_true(secret_equal(secret_view(&back.token), secret_view(&record.token)));
		assert_int_equal(back.unknown.len, 0);
	}
}

static void the_longest_fit_and_longer_ones_do_not(void **state)
{
	REFRESH_RECORD record = { .user_id = 1, .base_url = "https://a", .created_at = RECORD_TIME_UNKNOWN,
		                  .token_expires_at = RECORD_TIME_UNKNOWN };
	SECRET line = { 0 };

	(void)state;
	memset(record.name, '\n', sizeof record.name - 1);
	for (size_t n = TOKEN_MAX_BYTES; n <= TOKEN_MAX_BYTES + 1; n++) {
		REFRESH_RECORD back;

		secret_wipe(&record.token);
		assert_true(secret_reserve(&record.token, n));
		memset(record.token.bytes, '/', n);
		record.token.len = n;
		assert_true(refresh_record_format(&record, &line));
		assert_charset(&line);
		assert_int_equal(refresh_record_parse(secret_view(&line), &back), n > TOKEN_MAX_BYTES ? RECORD_DAMAGED : RECORD_OK);
	}
	/* one more byte of name than there is room for */
	line.len = 0;
	assert_true(secret_append(&line, bytes_of(HEAD "refresh_token=abc&name=")));
	for (size_t i = 0; i < RECORD_NAME_MAX_BYTES; i++)
		assert_true(secret_append(&line, bytes_of("x")));
	REFRESH_RECORD back;
	assert_int_equal(refresh_record_parse(secret_view(&line), &back), RECORD_DAMAGED);
}

static void unknown_members_survive_a_rewrite(void **state)
{
	REFRESH_RECORD record, again;
	SECRET line = { 0 }, second = { 0 };

	(void)state;
	assert_int_equal(refresh_record_parse(bytes_of(HEAD "regen_begun=12&refresh_token=abc&later=a%0ab+c&empty="), &record), RECORD_OK);
	assert_true(secret_set(&record.token, bytes_of("def")));
	assert_true(refresh_record_format(&record, &line));
	assert_charset(&line);
	assert_non_null(memmem(line.bytes, line.len, "&regen_begun=12&later=a%0ab+c&empty=", 36));
	assert_int_equal(refresh_record_parse(secret_view(&line), &again), RECORD_OK);
	assert_true(refresh_record_format(&again, &second));
	assert_true(secret_equal(secret_view(&line), secret_view(&second)));
}

/* What a rotation has begun must not be forgotten by a rewrite, nor be made up by one. */
static void a_begun_rotation_is_kept_and_taken_away(void **state)
{
	REFRESH_RECORD record, again, last;
	SECRET line = { 0 };

	(void)state;
	assert_int_equal(refresh_record_parse(bytes_of(HEAD "refresh_token=abc&later=x"), &record), RECORD_OK);
	assert_int_equal(record.regen_begun, 0);
	assert_true(refresh_record_format(&record, &line));
	assert_null(memmem(line.bytes, line.len, "regen_begun", 11));

	record.regen_begun = 1700000000;
	secret_wipe(&line);
	assert_true(refresh_record_format(&record, &line));
	assert_charset(&line);
	assert_int_equal(refresh_record_parse(secret_view(&line), &again), RECORD_OK);
	assert_int_equal(again.regen_begun, 1700000000);
	assert_true(bytes_are(secret_view(&again.unknown), "later=x"));
	assert_true(bytes_are(secret_view(&again.token), "abc"));

	again.regen_begun = 0;
	secret_wipe(&line);
	assert_true(refresh_record_format(&again, &line));
	assert_int_equal(refresh_record_parse(secret_view(&line), &last), RECORD_OK);
	assert_int_equal(last.regen_begun, 0);
	assert_true(bytes_are(secret_view(&last.unknown), "later=x"));
}

/* From the first '&' on, a record that was cut cannot pass for a bare token. */
static void a_cut_record_is_no_shorter_token(void **state)
{
	static const char whole[] = HEAD "refresh_token=abc";

	(void)state;
	for (size_t n = sizeof "v=1"; n < sizeof whole - 3; n++) {
		REFRESH_RECORD record;

		/* foreign, where the kind itself is cut */
		assert_int_not_equal(refresh_record_parse((struct bytes){ whole, n }, &record), RECORD_OK);
	}
}

/* What a cut leaves of a cached token is refused, or is the whole token; it may be taken to end sooner, never later. */
static void a_cut_access_record_is_no_shorter_token(void **state)
{
	static const char whole[] = "v=1&token=abcdef&boot_id=0a0a0a0a-1b1b-2c2c-3d3d-4e4e4e4e4e4e&parent=0123456789abcdef&minted_at=123456&lifetime_s=86400"
				    "&expires_at=1800000000&mints=12&suspect=123457";

	(void)state;
	for (size_t n = 0; n < sizeof whole; n++) {
		ACCESS_RECORD record;

		if (access_record_parse((struct bytes){ whole, n }, &record) != RECORD_OK)
			continue;
		assert_true(bytes_are(secret_view(&record.token), "abcdef"));
		assert_int_equal(record.minted_at_ms, 123456);
		assert_in_range(record.lifetime_s, 1, 86400);
	}
}

static void access_records(void **state)
{
	static const struct refresh_row rows[] = {
		{ "v=1&token=abc&lifetime_s=86400", RECORD_OK },
		{ "v=1&token=abc&lifetime_s=86400&later=\x1b", RECORD_OK },
		{ "v=2&anything", RECORD_NEWER },
		{ "abc", RECORD_DAMAGED },
		{ "", RECORD_DAMAGED },
		{ "v=1", RECORD_DAMAGED },
		{ "v=1&token=abc", RECORD_DAMAGED },
		{ "v=1&token=&lifetime_s=1", RECORD_DAMAGED },
		{ "v=1&token=a%0Ab&lifetime_s=1", RECORD_DAMAGED },
		{ "v=1&token=abc&token=def&lifetime_s=1", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=0", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=-5", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&minted_at=soon", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&boot_id=0123456789012345678901234567890123456", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&parent=0123456789abcdef0", RECORD_DAMAGED },
		{ "token=abc&v=1&lifetime_s=1", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&suspect=5&validated_at=6", RECORD_OK },
		{ "v=1&token=abc&lifetime_s=1&suspect=", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&suspect=yes", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&validated_at=now", RECORD_DAMAGED },
		{ "v=1&boot_id=b", RECORD_OK },
		{ "v=1&suspect=5", RECORD_OK },
		{ "v=1&mints=5", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1125899906842624", RECORD_OK },
		{ "v=1&token=abc&lifetime_s=1125899906842625", RECORD_DAMAGED },
		{ "v=1&token=abc&lifetime_s=1&expires_at=-9223372036854775808", RECORD_DAMAGED },
		{ "v=1&boot_id=b&refused=expired&refused_at=1&refused_for_s=60&refused_parent=0123456789abcdef", RECORD_OK },
		{ "v=1&boot_id=b&refused=", RECORD_DAMAGED },
		{ "v=1&boot_id=b&refused=perhaps", RECORD_DAMAGED },
		{ "v=1&boot_id=b&refused=expired&refused_parent=0123456789abcdef0", RECORD_DAMAGED },
		{ "v=1&boot_id=b&late=x", RECORD_DAMAGED },
	};
	ACCESS_RECORD record = { .minted_at_ms = 1234567, .lifetime_s = 86400, .expires_at = 1700000000, .mints = 3, .skew_s = -61,
		                 .boot_id = "01234567-89ab-cdef-0123-456789abcdef", .parent = "0123456789abcdef" };
	ACCESS_RECORD back;
	SECRET line = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ACCESS_RECORD judged;

		assert_int_equal(access_record_parse(bytes_of(rows[i].line), &judged), rows[i].want);
	}
	assert_true(secret_set(&record.token, bytes_of("tok/en+=")));
	assert_true(access_record_format(&record, &line));
	assert_charset(&line);
	assert_int_equal(access_record_parse(secret_view(&line), &back), RECORD_OK);
	assert_true(bytes_are(secret_view(&back.token), "tok/en+="));
	assert_int_equal(back.minted_at_ms, record.minted_at_ms);
	assert_int_equal(back.lifetime_s, record.lifetime_s);
	assert_int_equal(back.expires_at, record.expires_at);
	assert_int_equal(back.mints, record.mints);
	assert_int_equal(back.skew_s, record.skew_s);
	assert_string_equal(back.boot_id, record.boot_id);
	assert_string_equal(back.parent, record.parent);
	/* nobody suspects it and nobody asked: nothing of that is written */
	assert_int_equal(back.suspect_ms, 0);
	assert_int_equal(back.validated_ms, 0);
	assert_null(memmem(line.bytes, line.len, "suspect", 7));
	assert_null(memmem(line.bytes, line.len, "validated_at", 12));
}

/* A mark that a rewrite lost would let a dead token be served. */
static void a_suspicion_and_a_validation_come_back(void **state)
{
	static const struct {
		int64_t suspect_ms, validated_ms;
	} rows[] = { { 1234567, 0 }, { 0, 7654321 }, { 1234567, 7654321 }, { 1, 1 }, { INT64_C(1) << 50, INT64_C(1) << 50 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ACCESS_RECORD record = { .minted_at_ms = 1, .lifetime_s = 86400, .expires_at = 1700000000, .mints = 1,
			                 .suspect_ms = rows[i].suspect_ms, .validated_ms = rows[i].validated_ms };
		ACCESS_RECORD back;
		SECRET line = { 0 };

		assert_true(secret_set(&record.token, bytes_of("abc")));
		assert_true(access_record_format(&record, &line));
		assert_charset(&line);
		assert_int_equal(access_record_parse(secret_view(&line), &back), RECORD_OK);
		assert_int_equal(back.suspect_ms, rows[i].suspect_ms);
		assert_int_equal(back.validated_ms, rows[i].validated_ms);
		assert_int_equal(back.mints, 1);
	}
}

/* Without a token, and each member that is remembered. */
static void what_is_remembered_comes_back(void **state)
{
	static const enum refusal refusals[] = { REFUSAL_NONE, REFUSAL_INVALID, REFUSAL_EXPIRED, REFUSAL_THROTTLED };

	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		ACCESS_RECORD record = { .boot_id = "b", .mints = 7, .suspect_ms = 1, .late_ms = 2, .unexplained_ms = { 3, 4 }, .warned_ms = 5, .renewal_ms = 8,
			                 .refusal = refusals[i], .refused_ms = 6, .refused_for_s = 60, .refused_parent = "0123456789abcdef" };
		ACCESS_RECORD back;
		SECRET line = { 0 };

		assert_true(access_record_format(&record, &line));
		assert_charset(&line);
		assert_int_equal(access_record_parse(secret_view(&line), &back), RECORD_OK);
		assert_int_equal(back.token.len, 0);
		assert_int_equal(back.suspect_ms, 1);
		assert_int_equal(back.late_ms, 2);
		assert_int_equal(back.unexplained_ms[0], 3);
		assert_int_equal(back.unexplained_ms[1], 4);
		assert_int_equal(back.warned_ms, 5);
		assert_int_equal(back.renewal_ms, 8);
		assert_int_equal(back.refused_ms, 6);
		assert_int_equal(back.refused_for_s, 60);
		assert_int_equal(back.mints, 7);
		assert_int_equal(back.refusal, refusals[i]);
		assert_string_equal(back.refused_parent, refusals[i] == REFUSAL_NONE ? "" : "0123456789abcdef");
		assert_null(memmem(line.bytes, line.len, "token", 5));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refresh_records_are_judged),        cmocka_unit_test(a_bare_token_names_no_account),
		cmocka_unit_test(any_name_comes_back),               cmocka_unit_test(the_longest_fit_and_longer_ones_do_not),
		cmocka_unit_test(unknown_members_survive_a_rewrite), cmocka_unit_test(a_cut_record_is_no_shorter_token),
		cmocka_unit_test(access_records),                    cmocka_unit_test(a_suspicion_and_a_validation_come_back),
		cmocka_unit_test(what_is_remembered_comes_back),     cmocka_unit_test(a_cut_access_record_is_no_shorter_token),
		cmocka_unit_test(a_begun_rotation_is_kept_and_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
