/* SPDX-License-Identifier: MIT */
/*
 * look.c and sight.c, through the exported call, against a server of a few lines on loopback: the bytes that go out, what an
 * answer means, and what is told of the way there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "helper/alation/alation.h"
#include "helper/base/clock.h"
#include "tests/helper/little-server.h"

#define CALL_MS 20000
#define USER "HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 11:00:00 GMT\r\nConnection: close\r\n\r\n"

static struct alation_sight look_at(enum alation_page page, const char *token, struct alation_way way)
{
	const struct alation_look look = {
		.page = page, .base_url = server.base_url, .user_id = 102, .access_token = bytes_of(token), .deadline_ms = clock_mono_ms() + CALL_MS, .way = way,
	};
	struct alation_sight sight;
	enum alation_result result;

	memset(&sight, 0x5a, sizeof sight);
	result = acred_alation.look(&look, &sight);
	assert_int_equal(result, sight.result);
	assert_null(strstr(sight.detail, "Canary"));
	return sight;
}

static struct alation_sight look_at_server(enum alation_page page, const char *token, const char *answer)
{
	const struct step steps[] = { { REPLY, answer }, { END, NULL } };
	struct alation_sight sight;

	server_start(steps);
	sight = look_at(page, token, (struct alation_way){ 0 });
	assert_int_equal(server_stop(), 1);
	return sight;
}

static void test_request_bytes(void **state)
{
	char request[512];

	(void)state;
	look_at_server(ALATION_PAGE_USERINFO, "acc.ess", USER "{\"id\":102}");
	snprintf(request, sizeof request,
	         "GET /integration/v1/userinfo/ HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: alation-cred/" ALATION_CRED_VERSION
	         "\r\nAccept: application/json\r\nTOKEN: acc.ess\r\n\r\n", server.port);
	assert_string_equal(server.request, request);
	look_at_server(ALATION_PAGE_API, "", USER "<html>");
	assert_non_null(strstr(server.request, "GET /openapi/api_authentication/ HTTP/1.1\r\n"));
	assert_null(strstr(server.request, "TOKEN"));
}

static void test_answers(void **state)
{
	static const struct {
		enum alation_page page;
		const char *answer;
		enum alation_result want;
	} rows[] = {
		{ ALATION_PAGE_USERINFO, USER "{\"id\":102,\"username\":\"Canary\"}", ALATION_DONE },
		{ ALATION_PAGE_USERINFO, USER "{\"id\":103}", ALATION_BAD_REPLY },
		{ ALATION_PAGE_USERINFO, USER "{\"id\":\"102\"}", ALATION_BAD_REPLY },
		{ ALATION_PAGE_USERINFO, USER "{\"username\":\"Canary\"}", ALATION_BAD_REPLY },
		{ ALATION_PAGE_USERINFO, USER "<html>Canary", ALATION_BAD_REPLY },
		{ ALATION_PAGE_USERINFO, USER, ALATION_BAD_REPLY },
		{ ALATION_PAGE_USERINFO, "HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\nCanary", ALATION_FORBIDDEN },
		{ ALATION_PAGE_USERINFO, "HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nCanary", ALATION_REFUSED },
		{ ALATION_PAGE_API, USER "<html>Canary", ALATION_DONE },
		{ ALATION_PAGE_API, "HTTP/1.1 404 No\r\nContent-Length: 6\r\n\r\nCanary", ALATION_NOT_ALATION },
		{ ALATION_PAGE_API, "HTTP/1.1 302 No\r\nLocation: https://u:Canary@sso/?Canary\r\nContent-Length: 0\r\n\r\n", ALATION_NOT_ALATION },
		{ ALATION_PAGE_API, "HTTP/1.1 503 No\r\nContent-Length: 6\r\n\r\nCanary", ALATION_SERVER_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct alation_sight sight = look_at_server(rows[i].page, "acc.ess", rows[i].answer);

		if (sight.result != rows[i].want)
			fail_msg("row %zu: result %d, HTTP %d, '%s'", i, (int)sight.result, sight.http_status, sight.detail);
		assert_null(strstr(sight.redirect, "Canary"));
	}
}

static void test_way(void **state)
{
	struct alation_sight sight = look_at_server(ALATION_PAGE_API, "", USER "<html>");
	char address[64];

	(void)state;
	snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
	assert_string_equal(sight.addresses, address);
	assert_true(sight.resolved && sight.connected);
	assert_false(sight.secured || sight.via_proxy);
	assert_int_equal(sight.date, 1795863600);
	assert_int_equal(sight.certificate_ends, ALATION_TIME_UNKNOWN);
	assert_string_equal(sight.proxy, "");
	assert_non_null(strstr(sight.trust, "the system's"));
}

/* Nobody listens on that port; what a proxy is called is known all the same, and its password is not. */
static void test_proxy_words(void **state)
{
	static const struct {
		const char *named, *shown;
	} rows[] = {
		{ "http://127.0.0.1:1", "http://127.0.0.1:1" },
		{ "http://joe:Canary@127.0.0.1:1/", "http://127.0.0.1:1" },
		{ "joe:Canary@127.0.0.1:1", "127.0.0.1:1" },
		{ "http://joe:Can@ary@127.0.0.1:1", "http://127.0.0.1:1" },
		{ "http://joe:://Canary@127.0.0.1:1", "http://127.0.0.1:1" },
		{ "joe:://Canary@127.0.0.1:1", "127.0.0.1:1" },
		/* Where the host is not known, nor is the password. */
		{ "http://joe:Canary%40127.0.0.1:1", "http://..." },
		{ "http://joe:Canary", "http://..." },
		{ "joe:Canary", "..." },
		{ "foo://joe:Canary%40127.0.0.1:1", "foo://..." },
		{ "http://127.0.0.1:1/?key=Canary", "http://127.0.0.1:1" },
		{ "http://[::1]:1/", "http://[::1]:1" },
	};

	(void)state;
	for (int by_variable = 0; by_variable < 2; by_variable++)
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
			struct alation_way way = { .proxy = by_variable ? NULL : rows[i].named };
			struct alation_sight sight;

			snprintf(server.base_url, sizeof server.base_url, "https://127.0.0.2:1");
			if (by_variable)
				setenv("https_proxy", rows[i].named, 1);
			sight = look_at(ALATION_PAGE_API, "", way);
			unsetenv("https_proxy");
			if (strstr(sight.proxy, "Canary") || strstr(sight.proxy, "joe"))
				fail_msg("row %zu: '%s'", i, sight.proxy);
			assert_null(memmem(&sight, sizeof sight, "Canary", 6));
			if (i < 4 || i > 5)
				assert_string_equal(sight.proxy, rows[i].shown);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_bytes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_proxy_words),
	};

	return cmocka_run_group_tests(tests, server_surroundings, NULL);
}
