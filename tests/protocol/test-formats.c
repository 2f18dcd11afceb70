/* SPDX-License-Identifier: MIT */
/*
 * The formats: the table, what a token is, and every answer byte for byte as the documentation shows it. git's
 * protocol has a file of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/protocol.h"

#define BASE { "https://catalog.example.com", 27 }
#define EXPIRY { 1795590724, "2026-11-25T07:12:04Z" }
#define REFRESH_EXPIRY { 1798182724, "2026-12-25T07:12:04Z" }

static const struct notice two_warnings[] = {
	{ "shared_token_ends", "ends on 2026-12-25" },
	{ "skew", "the clock is \"late\"" },
};
static const struct reply
	plain = { .base_url = BASE, .user_id = 102, .token = { "tok.en_-~+/=", 12 },
	          .expires_at = EXPIRY, .refresh_token_expires_at = REFRESH_EXPIRY },
	unknown_dates = { .base_url = BASE, .user_id = 2147483647, .token = { "t", 1 },
	                  .expires_at = { 1795590724, NULL }, .warnings = two_warnings, .n_warnings = 1 },
	warned = { .base_url = BASE, .user_id = 1, .token = { "t", 1 }, .expires_at = { 0, "1970-01-01T00:00:00Z" },
	           .warnings = two_warnings, .n_warnings = 2 },
	broken_token = { .base_url = BASE, .user_id = 102, .token = { "a\nTOKEN: b", 10 } },
	quoted_token = { .base_url = BASE, .user_id = 102, .token = { "a\"'b", 4 } },
	quoted_address = { .base_url = { "https://a';id;'", 15 }, .user_id = 102, .token = { "t", 1 } };

#define SUCCESS(user) "{\"version\":1,\"success\":true,\"base_url\":\"https://catalog.example.com\",\"user_id\":" user

static const struct {
	const struct format *format;
	const struct reply *reply;
	const char *want, *done; /* NULL: refused; the format has none */
} replies[] = {
	{ &format_token, &plain, "tok.en_-~+/=\n", NULL },
	{ &format_token, &broken_token, NULL, NULL },
	{ &format_header, &plain, "TOKEN: tok.en_-~+/=\n", NULL },
	{ &format_header, &broken_token, NULL, NULL },
	{ &format_curl, &plain, "header = \"TOKEN: tok.en_-~+/=\"\n", NULL },
	{ &format_curl, &broken_token, NULL, NULL },
	{ &format_curl, &quoted_token, NULL, NULL },
	{ &format_headers_json, &plain, "{\"TOKEN\":\"tok.en_-~+/=\"}\n", NULL },
	{ &format_headers_json, &broken_token, NULL, NULL },
	{ &format_env, &plain,
	  "export ALATION_BASE_URL='https://catalog.example.com';\nexport ALATION_USER_ID='102';\n"
	  "export ALATION_ACCESS_TOKEN='tok.en_-~+/=';\nexport ALATION_API_TOKEN='tok.en_-~+/=';\nexport ALATION_TOKEN='tok.en_-~+/=';\n"
	  "export ALATION_TOKEN_EXPIRES_AT='2026-11-25T07:12:04Z';\n", NULL },
	{ &format_env, &unknown_dates,
	  "export ALATION_BASE_URL='https://catalog.example.com';\nexport ALATION_USER_ID='2147483647';\n"
	  "export ALATION_ACCESS_TOKEN='t';\nexport ALATION_API_TOKEN='t';\nexport ALATION_TOKEN='t';\n"
	  "export ALATION_TOKEN_EXPIRES_AT='';\n", NULL },
	{ &format_env, &broken_token, NULL, NULL },
	{ &format_env, &quoted_token, NULL, NULL },
	{ &format_env, &quoted_address, NULL, NULL },
	{ &format_json, &plain,
	  SUCCESS("102") ",\"token\":\"tok.en_-~+/=\",\"header\":\"TOKEN\","
	  "\"expires_at\":\"2026-11-25T07:12:04Z\",\"expires_at_epoch\":1795590724,"
	  "\"refresh_token_expires_at\":\"2026-12-25T07:12:04Z\",\"warnings\":[]}\n",
	  SUCCESS("102") ",\"refresh_token_expires_at\":\"2026-12-25T07:12:04Z\",\"warnings\":[]}\n" },
	{ &format_json, &unknown_dates,
	  SUCCESS("2147483647") ",\"token\":\"t\",\"header\":\"TOKEN\",\"expires_at\":null,\"expires_at_epoch\":null,"
	  "\"refresh_token_expires_at\":null,"
	  "\"warnings\":[{\"code\":\"shared_token_ends\",\"message\":\"ends on 2026-12-25\"}]}\n",
	  SUCCESS("2147483647") ",\"refresh_token_expires_at\":null,"
	  "\"warnings\":[{\"code\":\"shared_token_ends\",\"message\":\"ends on 2026-12-25\"}]}\n" },
	{ &format_json, &warned,
	  SUCCESS("1") ",\"token\":\"t\",\"header\":\"TOKEN\","
	  "\"expires_at\":\"1970-01-01T00:00:00Z\",\"expires_at_epoch\":0,"
	  "\"refresh_token_expires_at\":null,"
	  "\"warnings\":[{\"code\":\"shared_token_ends\",\"message\":\"ends on 2026-12-25\"},"
	  "{\"code\":\"skew\",\"message\":\"the clock is \\\"late\\\"\"}]}\n",
	  SUCCESS("1") ",\"refresh_token_expires_at\":null,\"warnings\":[{\"code\":\"shared_token_ends\","
	  "\"message\":\"ends on 2026-12-25\"},{\"code\":\"skew\",\"message\":\"the clock is \\\"late\\\"\"}]}\n" },
	{ &format_json, &broken_token, /* JSON can say it */
	  SUCCESS("102") ",\"token\":\"a\\nTOKEN: b\",\"header\":\"TOKEN\",\"expires_at\":null,\"expires_at_epoch\":null,"
	  "\"refresh_token_expires_at\":null,\"warnings\":[]}\n",
	  SUCCESS("102") ",\"refresh_token_expires_at\":null,\"warnings\":[]}\n" },
};

static const struct {
	struct failure failure;
	const char *want;
} failures[] = {
	{ { .code = "keyring_locked", .exit = 4, .message = "the keyring is locked", .remedy = "run 'alation-cred unlock'" },
	  "{\"version\":1,\"success\":false,\"code\":\"keyring_locked\",\"exit\":4,\"message\":\"the keyring is locked\","
	  "\"remedy\":\"run 'alation-cred unlock'\",\"retryable\":false,\"retry_after\":null}\n" },
	{ { .code = "throttled", .exit = 7, .message = "says \"later\"\n\x1b", .retryable = true, .retry_after_s = 30 },
	  "{\"version\":1,\"success\":false,\"code\":\"throttled\",\"exit\":7,\"message\":\"says \\\"later\\\"\\n\\u001b\","
	  "\"remedy\":null,\"retryable\":true,\"retry_after\":30}\n" },
};

static const struct account_status accounts[] = {
	{ .base_url = BASE, .name = { "alation-cred@box \"1\"", 20 }, .user_id = 102, .is_default = true, .exclusive = true,
	  .refresh = { .module = "secret-service", .expires_at = REFRESH_EXPIRY },
	  .access = { .module = "kernel", .expires_at = EXPIRY } },
	{ .base_url = { "http://[::1]:8080", 17 }, .user_id = 7, .exclusive = true,
	  .refresh = { .passed_over = { { "environment", "absent" }, { "secret-service", "locked" } }, .n_passed_over = 2 },
	  .access = { .passed_over = { { "kernel", "unavailable" } }, .n_passed_over = 1 } },
};

#define ACCOUNTS "{\"version\":1,\"success\":true,\"accounts\":["
#define FIRST_ACCOUNT "{\"base_url\":\"https://catalog.example.com\",\"user_id\":102," \
	"\"name\":\"alation-cred@box \\\"1\\\"\",\"default\":true,\"exclusive\":true," \
	"\"refresh\":{\"module\":\"secret-service\",\"expires_at\":\"2026-12-25T07:12:04Z\"," \
	"\"expires_at_epoch\":1798182724,\"passed_over\":[]}," \
	"\"access\":{\"module\":\"kernel\",\"expires_at\":\"2026-11-25T07:12:04Z\"," \
	"\"expires_at_epoch\":1795590724,\"passed_over\":[]}}"
#define SECOND_ACCOUNT "{\"base_url\":\"http://[::1]:8080\",\"user_id\":7," \
	"\"name\":\"\",\"default\":false,\"exclusive\":true," \
	"\"refresh\":{\"module\":null,\"expires_at\":null,\"expires_at_epoch\":null,\"passed_over\":[" \
	"{\"module\":\"environment\",\"status\":\"absent\",\"why\":null},{\"module\":\"secret-service\",\"status\":\"locked\",\"why\":null}]}," \
	"\"access\":{\"module\":null,\"expires_at\":null,\"expires_at_epoch\":null,\"passed_over\":[" \
	"{\"module\":\"kernel\",\"status\":\"unavailable\",\"why\":null}]}}"

static char buffer[4096];

/* The whole answer, or NULL where it was refused. */
static const char *answer(struct out *out)
{
	assert_true(out->n < sizeof buffer);
	buffer[out->n] = '\0';
	return out->overflow ? NULL : buffer;
}

#define OUT { .p = buffer, .room = sizeof buffer - 1 }

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		struct out out = OUT, done = OUT;

		replies[i].format->reply(&out, replies[i].reply);
		if (replies[i].want)
			assert_string_equal(answer(&out), replies[i].want);
		else
			assert_null(answer(&out));
		assert_int_equal(replies[i].format->done != NULL, replies[i].done != NULL);
		if (!replies[i].done)
			continue;
		replies[i].format->done(&done, replies[i].reply);
		assert_string_equal(answer(&done), replies[i].done);
	}
}

#define BLOCK "ALATION_BASE_URL=https://catalog.example.com\0ALATION_USER_ID=102\0ALATION_ACCESS_TOKEN=tok.en_-~+/=\0" \
	"ALATION_API_TOKEN=tok.en_-~+/=\0ALATION_TOKEN=tok.en_-~+/=\0ALATION_TOKEN_EXPIRES_AT=2026-11-25T07:12:04Z\0"

static void test_environment(void **state)
{
	static const char without[] = BLOCK, with[] = BLOCK "ALATION_REFRESH_TOKEN=re-fresh\0";
	static const struct {
		const struct reply *reply;
		const char *refresh_token;
	} refused[] = {
		{ &broken_token, "" }, { &quoted_token, "" }, { &quoted_address, "" }, { &plain, "two words" }, { &plain, "a\nb" }, { &plain, "a'b" },
	};
	struct out out = OUT, more = OUT, little = { .p = buffer, .room = sizeof without - 2 };

	(void)state;
	env_block(&out, &plain, (struct bytes){ NULL, 0 });
	assert_false(out.overflow);
	assert_int_equal(out.n, sizeof without - 1);
	assert_memory_equal(buffer, without, out.n);
	env_block(&more, &plain, bytes_of("re-fresh"));
	assert_false(more.overflow);
	assert_int_equal(more.n, sizeof with - 1);
	assert_memory_equal(buffer, with, more.n);
	env_block(&little, &plain, (struct bytes){ NULL, 0 });
	assert_true(little.overflow);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct out none = OUT;

		env_block(&none, refused[i].reply, bytes_of(refused[i].refresh_token));
		assert_true(none.overflow);
	}
}

static void test_variables_that_go(void **state)
{
	static const char *const go[] = { "ALATION_TOKEN=x", "ALATION_REFRESH_TOKEN=x", "ALATION_FOO=", "ALATION_=", "ALATION_CRED=x", "ALATION_CREDO=x", "ALATION_X" };
	static const char *const stay[] = { "ALATION_CRED_TRACE=1", "ALATION_CRED_=", "ALATION=x", "alation_token=x", "XALATION_TOKEN=x", "PATH=ALATION_TOKEN", "", "=" };

	(void)state;
	for (size_t i = 0; i < sizeof go / sizeof *go; i++)
		assert_true(env_is_stale(go[i]));
	for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
		assert_false(env_is_stale(stay[i]));
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
		struct out out = OUT;

		format_json.failure(&out, &failures[i].failure);
		assert_string_equal(answer(&out), failures[i].want);
	}
}

static void test_status(void **state)
{
	static const char *const want[] = {
		ACCOUNTS "]}\n",
		ACCOUNTS FIRST_ACCOUNT "]}\n",
		ACCOUNTS FIRST_ACCOUNT "," SECOND_ACCOUNT "]}\n",
	};

	(void)state;
	for (size_t n = 0; n < sizeof want / sizeof want[0]; n++) {
		struct out out = OUT;

		format_json.status(&out, n ? accounts : NULL, n, NULL, 0);
		assert_string_equal(answer(&out), want[n]);
	}
}

/* The bytes of an answer that did not fit are never taken for one. */
static void test_too_little_room(void **state)
{
	(void)state;
	for (size_t i = 0; formats[i]; i++) {
		struct out whole = OUT;

		formats[i]->reply(&whole, &plain);
		assert_false(whole.overflow);
		for (size_t room = 0; room < whole.n; room++) {
			struct out out = { .p = buffer, .room = room };

			formats[i]->reply(&out, &plain);
			assert_true(out.overflow);
		}
	}
}

static void test_table(void **state)
{
	(void)state;
	assert_ptr_equal(formats[0], &format_token);
	for (size_t i = 0; formats[i]; i++) {
		assert_non_null(formats[i]->about);
		assert_non_null(formats[i]->reply);
		/* either one or the other, so that --format never names a protocol */
		assert_ptr_equal(format_named(bytes_of(formats[i]->name)), formats[i]->program ? NULL : formats[i]);
		assert_ptr_equal(protocol_named(bytes_of(formats[i]->name)), formats[i]->program ? formats[i] : NULL);
	}
	assert_ptr_equal(format_named(bytes_of("json")), &format_json);
	assert_ptr_equal(format_named(bytes_of("header")), &format_header);
	assert_ptr_equal(protocol_named(bytes_of("git")), &format_git);
	assert_null(format_token.failure);
	assert_null(format_token.status);
	assert_null(format_header.failure);
	assert_null(format_header.status);
	for (size_t i = 0; formats[i]; i++) /* where such a caller would take it for an answer, a failure writes nothing */
		assert_int_equal(formats[i]->failure != NULL, formats[i] == &format_json);
}

static void test_no_such_format(void **state)
{
	static const char *const names[] = { "", "JSON", "jso", "jsonx", "json ", " token", "yaml", "token\n" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_null(format_named(bytes_of(names[i])));
	assert_null(format_named((struct bytes){ "json\0", 5 }));
	assert_null(format_named((struct bytes){ NULL, 0 }));
}

static void test_no_such_protocol(void **state)
{
	static const char *const names[] = { "", "Git", "gi", "gitx", "git ", "json", "token", "git-credential-alation" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_null(protocol_named(bytes_of(names[i])));
	assert_null(protocol_named((struct bytes){ "git\0", 4 }));
	assert_null(protocol_named((struct bytes){ NULL, 0 }));
}

static void test_program_names(void **state)
{
	static const char *const git[] = {
		"git-credential-alation", "/usr/local/bin/git-credential-alation", "./git-credential-alation",
		"/git-credential-alation", "alation-cred/git-credential-alation", "//git-credential-alation",
	};
	static const char *const others[] = {
		"", "/", "alation-cred", "git", "git-credential-alation/", "git-credential-alation/alation-cred",
		"git-credential-alation2", "xgit-credential-alation", "git-credential-alation ", "Git-credential-alation", "-git-credential-alation",
	};

	(void)state;
	for (size_t i = 0; i < sizeof git / sizeof *git; i++)
		assert_ptr_equal(protocol_of_program(bytes_of(git[i])), &format_git);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_null(protocol_of_program(bytes_of(others[i])));
	/* execve(2) may leave argv empty */
	assert_null(protocol_of_program(bytes_of(NULL)));
	assert_null(protocol_of_program((struct bytes){ NULL, 0 }));
}

static void test_token_charset(void **state)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-";

	(void)state;
	assert_true(token_ok(bytes_of(allowed)));
	for (int c = 0; c < 256; c++) {
		char text[3] = { 'a', (char)c, 'z' };
		bool want = c != 0 && strchr(allowed, c) != NULL;

		if (token_ok((struct bytes){ text, 3 }) != want || token_ok((struct bytes){ text + 1, 1 }) != want)
			fail_msg("byte 0x%02x", (unsigned)c);
	}
}

static void test_token_length(void **state)
{
	char *text = malloc(TOKEN_MAX_BYTES + 1);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', TOKEN_MAX_BYTES + 1);
	assert_false(token_ok((struct bytes){ NULL, 0 }));
	assert_true(token_ok((struct bytes){ text, 1 }));
	assert_true(token_ok((struct bytes){ text, TOKEN_MAX_BYTES }));
	assert_false(token_ok((struct bytes){ text, TOKEN_MAX_BYTES + 1 }));
	text[TOKEN_MAX_BYTES - 1] = '\n';
	assert_false(token_ok((struct bytes){ text, TOKEN_MAX_BYTES }));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_variables_that_go),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_too_little_room),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_no_such_format),
		cmocka_unit_test(test_no_such_protocol),
		cmocka_unit_test(test_program_names),
		cmocka_unit_test(test_token_charset),
		cmocka_unit_test(test_token_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
