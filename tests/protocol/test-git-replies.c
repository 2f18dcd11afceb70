/* SPDX-License-Identifier: MIT */
/*
 * git.c: every reply byte for byte, the words for what is wrong, and the keys it knows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "protocol/git.h"

#define BYTES(text) { text, sizeof text - 1 }

static void test_fault_texts(void **state)
{
	(void)state;
	for (int fault = GIT_OK; fault <= GIT_BAD_URL; fault++) {
		const char *text = git_fault_text((enum git_fault)fault);

		assert_true(strlen(text) > 8);
		assert_true(text[strlen(text) - 1] != '.');
		assert_string_not_equal(text, git_fault_text((enum git_fault)99));
		for (int other = GIT_OK; other < fault; other++)
			assert_string_not_equal(text, git_fault_text((enum git_fault)other));
	}
}

#define TOKEN BYTES("tok.en_-~+/=")
#define EXPIRY { 1795590724, "2026-11-25T07:12:04Z" }

static const struct {
	struct reply reply;
	const char *want; /* NULL: refused */
} replies[] = {
	{ { .user_id = 102, .token = TOKEN, .expires_at = EXPIRY },
	  "username=102\npassword=tok.en_-~+/=\npassword_expiry_utc=1795590724\n" },
	{ { .user_id = 2147483647, .token = TOKEN, .expires_at = { 1795590724, NULL } },
	  "username=2147483647\npassword=tok.en_-~+/=\n" },
	{ { .user_id = 102, .token = TOKEN, .expires_at = EXPIRY, .authtype = true },
	  "capability[]=authtype\nusername=102\npassword=tok.en_-~+/=\npassword_expiry_utc=1795590724\nephemeral=1\n" },
	{ { .user_id = 1, .token = TOKEN, .authtype = true },
	  "capability[]=authtype\nusername=1\npassword=tok.en_-~+/=\nephemeral=1\n" },
	{ { .user_id = 102, .token = BYTES("a\nquit=1"), .expires_at = EXPIRY }, NULL },
	{ { .user_id = 102, .token = BYTES("a\r"), .authtype = true }, NULL },
	{ { .user_id = 102, .token = BYTES("a\0b") }, NULL },
	{ { .user_id = 102, .token = BYTES("") }, NULL },
};

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		char text[256] = "";
		struct out out = { .p = text, .room = sizeof text - 1 };

		format_git.reply(&out, &replies[i].reply);
		assert_int_equal(out.overflow, replies[i].want == NULL);
		assert_string_equal(text, replies[i].want ? replies[i].want : "");
	}
	assert_null(format_git.failure);
	assert_null(format_git.status);
	assert_null(format_git.done);
}

static void test_fixed_replies(void **state)
{
	char text[64] = "";
	struct out quit = { .p = text, .room = sizeof text - 1 }, capabilities = quit, full = { .p = text, .room = 6 };

	(void)state;
	git_quit(&quit);
	assert_false(quit.overflow);
	assert_string_equal(text, "quit=1\n");
	git_capabilities(&capabilities);
	assert_false(capabilities.overflow);
	assert_string_equal(text, "version 0\ncapability authtype\n");
	git_quit(&full);
	assert_true(full.overflow);
}

static void test_known_keys(void **state)
{
	static const struct {
		struct bytes key;
		bool whole, beginning;
	} rows[] = {
		{ BYTES("protocol"), true, true },       { BYTES("host"), true, true },
		{ BYTES("path"), true, true },           { BYTES("username"), true, true },
		{ BYTES("password"), true, true },       { BYTES("password_expiry_utc"), true, true },
		{ BYTES("url"), true, true },            { BYTES("oauth_refresh_token"), true, true },
		{ BYTES("authtype"), true, true },       { BYTES("credential"), true, true },
		{ BYTES("ephemeral"), true, true },      { BYTES("continue"), true, true },
		{ BYTES("quit"), true, true },           { BYTES("capability[]"), true, true },
		{ BYTES("state[]"), true, true },        { BYTES("wwwauth[]"), true, true },
		{ BYTES("capability"), false, true },    { BYTES("capability["), false, true },
		{ BYTES("password_"), false, true },     { BYTES(""), false, true },
		{ BYTES("u"), false, true },             { BYTES("x"), false, false },
		{ BYTES("hosts"), false, false },        { BYTES("Host"), false, false },
		{ BYTES("host[]"), false, false },       { BYTES("host\0"), false, false },
		{ BYTES("capability[]x"), false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (git_knows(rows[i].key) != rows[i].whole || git_knows_beginning(rows[i].key) != rows[i].beginning)
			fail_msg("'%s'", rows[i].key.p);
	}
	assert_false(git_knows((struct bytes){ NULL, 0 }));
	assert_true(git_knows_beginning((struct bytes){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fault_texts),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_fixed_replies),
		cmocka_unit_test(test_known_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
