/* SPDX-License-Identifier: MIT */
/*
 * reply.c: raw bytes in, a result out. A row a habit or a fault of a server; every row also proves that no
 * byte of the body gets into `detail` and that a token is handed on only with ALATION_DONE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/protocol.h"
#include "tests/helper/reply-rows.h"

/* What put() was given. */
struct host {
	char token[TOKEN_MAX_BYTES + 1];
	size_t len;
	int calls, answer;
};

static int put(void *user, const char *bytes, size_t len)
{
	struct host *host = user;

	host->calls++;
	assert_true(len < sizeof host->token);
	memcpy(host->token, bytes, len);
	host->len = len;
	return host->answer;
}

/* Judges a copy of exactly that size, so that a sanitizer sees a step over its end. */
static void judge(const struct reply_rule *rule, int64_t user_id, int status, struct bytes body, struct host *host,
                  struct alation_reply *reply)
{
	struct alation_call call = { .user_id = user_id, .refresh_token = bytes_of(SENT), .host = host, .put = put };
	struct http_answer answer = { .status = status, .body = malloc(body.n + 1), .len = body.n };

	assert_non_null(answer.body);
	answer.body = realloc(answer.body, body.n ? body.n : 1);
	assert_non_null(answer.body);
	memcpy(answer.body, body.p, body.n);
	*reply = (struct alation_reply){ .result = ALATION_DONE, .http_status = status };
	reply_judge(rule, &call, &answer, reply);
	http_answer_wipe(&answer);
}

static void check_row(const struct row *row)
{
	int64_t user_id = row->rule == &create ? 0 : ID;
	static struct host host;
	struct alation_reply reply;
	bool brings = row->rule->token != NULL && row->want == ALATION_DONE;

	host = (struct host){ 0 };
	judge(row->rule, user_id, row->status, row->body, &host, &reply);
	if (reply.result != row->want || reply.maybe_acted != row->maybe_acted || host.calls != brings ||
	    (row->detail && strcmp(reply.detail, row->detail) != 0))
		fail_msg("%s: result %d, maybe_acted %d, put %d times, '%s'", row->what, (int)reply.result, reply.maybe_acted,
		         host.calls, reply.detail);
	if (brings && strcmp(row->what, "one byte") != 0)
		assert_string_equal(host.token, TOKEN);
	assert_null(strcasestr(reply.detail, "anary"));
	assert_true((reply.result == ALATION_DONE) == (reply.detail[0] == '\0'));
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

/* A reply as recorded, in both date styles. */
static void test_fields(void **state)
{
	static const struct {
		const char *body;
		int64_t created_at, expires_at;
	} both[] = {
		{ "{\"user_id\":1151,\"created_at\":\"2020-07-15T16:08:09.673391-07:00\","
		  "\"token_expires_at\":\"2020-09-13T16:08:09.672850-07:00\",\"token_status\":\"ACTIVE\",\"last_used_at\":null,"
		  "\"name\":\"My Precious \\u00e9 Token\",\"refresh_token\":\"" TOKEN "\"}",
		  1594854489, 1600038489 },
		{ "{\"user_id\":\"1151\",\"created_at\":\"2022-11-15T21:52:48.116496Z\","
		  "\"token_expires_at\":\"2022-11-16T21:52:48Z\",\"token_status\":\"active\","
		  "\"name\":\"My Precious \xc3\xa9 Token\",\"refresh_token\":\"" TOKEN "\"}",
		  1668549168, 1668635568 },
	};
	static struct host host;
	struct alation_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof both / sizeof both[0]; i++) {
		judge(&create, 0, 201, bytes_of(both[i].body), &host, &reply);
		assert_int_equal(reply.result, ALATION_DONE);
		assert_int_equal(reply.user_id, ID);
		assert_int_equal(reply.created_at, both[i].created_at);
		assert_int_equal(reply.expires_at, both[i].expires_at);
		assert_int_equal(reply.token_status, ALATION_ACTIVE);
		assert_string_equal(reply.name, "My Precious \xc3\xa9 Token");
	}
}

/* N18: dates that are no use never lose a token. */
static void test_dates_of_no_use(void **state)
{
	static const char *const dates[] = {
		"null", "1684508795", "\"\"", "\"soon\"", "\"2023-02-30T00:00:00Z\"", "\"2023-05-19\"", "[]", "\"1969-12-31T23:59:58Z\"",
		"\"2023-05-19T15:06:35Z\\u0000\"",
	};
	static struct host host;
	struct alation_reply reply;
	char body[256];

	(void)state;
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		snprintf(body, sizeof body, "{\"created_at\":%s,\"token_expires_at\":%s,\"api_access_token\":\"" TOKEN "\"}", dates[i],
		         dates[i]);
		judge(&mint, ID, 201, bytes_of(body), &host, &reply);
		assert_int_equal(reply.result, ALATION_DONE);
		assert_int_equal(reply.created_at, ALATION_TIME_UNKNOWN);
		assert_int_equal(reply.expires_at, ALATION_TIME_UNKNOWN);
	}
	judge(&mint, ID, 201, bytes_of("{\"api_access_token\":\"" TOKEN "\"}"), &host, &reply);
	assert_int_equal(reply.created_at, ALATION_TIME_UNKNOWN);
}

static void test_status_words(void **state)
{
	static const struct {
		const char *word;
		enum alation_status want;
	} words[] = {
		{ "ACTIVE", ALATION_ACTIVE },   { "active", ALATION_ACTIVE },   { "Active", ALATION_ACTIVE },
		{ "EXPIRED", ALATION_EXPIRED }, { "expired", ALATION_EXPIRED }, { "REVOKED", ALATION_REVOKED },
		{ "revoked", ALATION_REVOKED }, { "activ", ALATION_STATUS_OTHER }, { "ACTIVE ", ALATION_STATUS_OTHER },
		{ "active\\u0000", ALATION_STATUS_OTHER }, { "inactive", ALATION_STATUS_OTHER },
	};
	struct alation_reply reply;
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		snprintf(body, sizeof body, "{\"token_status\":\"%s\"}", words[i].word);
		judge(&validate, ID, 200, bytes_of(body), NULL, &reply);
		assert_int_equal(reply.result, ALATION_DONE);
		assert_int_equal(reply.token_status, words[i].want);
	}
}

static void test_sentences_of_a_401(void **state)
{
	static const struct {
		const char *body;
		bool says_expired;
	} bodies[] = {
		{ "{\"detail\":\"Refresh token provided is expired or revoked.\",\"code\":\"401000\"}", true },
		{ "{\"detail\":\"TOKEN REVOKED\"}", true },
		{ "{\"detail\":\"expired\"}", true },
		{ "{\"detail\":\"Refresh token provided is invalid.\",\"code\":\"401000\"}", false },
		{ "{\"detail\":\"expire\"}", false },
		{ "{\"detail\":\"\"}", false },
		{ "{\"detail\":[\"expired\"]}", false },
		{ "{\"title\":\"expired\"}", false },
		{ "expired", false },
		{ "<p>expired</p>", false },
		{ "{\"detail\":\"expired\"", false },
		{ "", false },
	};
	struct alation_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		judge(&mint, ID, 401, bytes_of(bodies[i].body), NULL, &reply);
		assert_int_equal(reply.result, ALATION_REFUSED);
		assert_int_equal(reply.says_expired, bodies[i].says_expired);
	}
	judge(&mint, ID, 200, bytes_of("{\"token_status\":\"EXPIRED\"}"), NULL, &reply);
	assert_true(reply.says_expired);
}

/* A token as long as it may be, and one byte more. */
static void test_long_tokens(void **state)
{
	static char body[TOKEN_MAX_BYTES + 64];
	static struct host host;
	struct alation_reply reply;

	(void)state;
	for (size_t n = TOKEN_MAX_BYTES; n <= TOKEN_MAX_BYTES + 1; n++) {
		int head = snprintf(body, sizeof body, "{\"api_access_token\":\"");

		memset(body + head, 'a', n);
		memcpy(body + head + n, "\"}", sizeof "\"}");
		host = (struct host){ 0 };
		judge(&mint, ID, 201, bytes_of(body), &host, &reply);
		assert_int_equal(reply.result, n == TOKEN_MAX_BYTES ? ALATION_DONE : ALATION_BAD_REPLY);
		assert_int_equal(host.len, n == TOKEN_MAX_BYTES ? n : 0);
	}
}

/* Cut at 255 bytes, never inside a character. */
static void test_long_names(void **state)
{
	struct alation_reply reply;
	char body[1024];

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		int n = snprintf(body, sizeof body, "{\"token_status\":\"ACTIVE\",\"name\":\"%.*s", (int)lead, "aaaa");

		for (size_t i = 0; i < 100; i++)
			n += snprintf(body + n, sizeof body - (size_t)n, "\xe2\x82\xac");
		snprintf(body + n, sizeof body - (size_t)n, "\"}");
		judge(&validate, ID, 200, bytes_of(body), NULL, &reply);
		assert_int_equal(reply.result, ALATION_DONE);
		assert_int_equal(strlen(reply.name), lead + (ALATION_NAME_MAX_BYTES - 1 - lead) / 3 * 3);
	}
}

/* N8: a body that was cut is judged by its status, and by how it begins. */
static void test_cut_bodies(void **state)
{
	static const struct {
		int status;
		char *begins;
		bool html;
		enum alation_result want;
	} cases[] = {
		{ 201, "{\"api_access_token\":\"" TOKEN "\"}", false, ALATION_BAD_REPLY },
		{ 200, "<!DOCTYPE html>", false, ALATION_NOT_ALATION },
		{ 200, "", true, ALATION_NOT_ALATION },
		{ 200, "{", true, ALATION_BAD_REPLY },
		{ 401, "{\"detail\":\"expired\"}", false, ALATION_REFUSED },
		{ 500, "<html>", true, ALATION_SERVER_ERROR },
	};
	struct alation_call call = { .user_id = ID };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_answer answer = { .status = cases[i].status, .body = cases[i].begins, .len = strlen(cases[i].begins),
			                      .html = cases[i].html, .cut = true };
		struct alation_reply reply = { .result = ALATION_DONE };

		reply_judge(&mint, &call, &answer, &reply);
		assert_int_equal(reply.result, cases[i].want);
		assert_false(reply.says_expired);
	}
}

/* JSON under any Content-Type is JSON: servers call it text/json and worse. */
static void test_content_type_lies(void **state)
{
	static struct host host;
	char body[] = "{\"api_access_token\":\"" TOKEN "\"}";
	struct alation_call call = { .user_id = ID, .host = &host, .put = put };
	struct http_answer answer = { .status = 201, .body = body, .len = sizeof body - 1, .html = true };
	struct alation_reply reply = { .result = ALATION_DONE };

	(void)state;
	reply_judge(&mint, &call, &answer, &reply);
	assert_int_equal(reply.result, ALATION_DONE);
	assert_string_equal(host.token, TOKEN);
}

static void test_no_memory_for_the_token(void **state)
{
	static struct host host;
	struct alation_reply reply;

	(void)state;
	host.answer = -1;
	judge(&mint, ID, 201, bytes_of("{\"api_access_token\":\"" TOKEN "\"}"), &host, &reply);
	assert_int_equal(host.calls, 1);
	assert_int_equal(reply.result, ALATION_FAILED);
	assert_true(reply.maybe_acted);
}

/* N4: the stack is not a stranger's to use up. */
static void test_hundred_thousand_levels(void **state)
{
	enum { LEVELS = 100000 };
	char *body = malloc(LEVELS);
	struct alation_reply reply;

	(void)state;
	assert_non_null(body);
	memset(body, '[', LEVELS);
	judge(&revoke, ID, 200, (struct bytes){ body, LEVELS }, NULL, &reply);
	free(body);
	assert_int_equal(reply.result, ALATION_BAD_REPLY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_dates_of_no_use),
		cmocka_unit_test(test_status_words),
		cmocka_unit_test(test_sentences_of_a_401),
		cmocka_unit_test(test_long_tokens),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_cut_bodies),
		cmocka_unit_test(test_content_type_lies),
		cmocka_unit_test(test_no_memory_for_the_token),
		cmocka_unit_test(test_hundred_thousand_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
