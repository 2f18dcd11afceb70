/* SPDX-License-Identifier: MIT */
/*
 * http.c and endpoints.c, through the exported call, against a server of a few lines on loopback: the bytes
 * that go out, and what becomes of every way an answer can fail to come. The server does one act a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>

#include "helper/alation/alation.h"
#include "helper/base/clock.h"
#include "tests/helper/http-rows.h"
#include "tests/helper/little-server.h"

#define CALL_MS 20000
#define SPARE_MS 5000 /* for a machine that is busy */

static char token[64];

static int put(void *host, const char *bytes, size_t len)
{
	assert_ptr_equal(host, &server);
	assert_true(len < sizeof token);
	memcpy(token, bytes, len);
	token[len] = '\0';
	return 0;
}

static struct alation_reply call(enum alation_endpoint endpoint, const char *base_url, int64_t ms)
{
	struct alation_call call = {
		.endpoint = endpoint, .base_url = base_url, .user_id = endpoint == ALATION_CREATE_REFRESH_TOKEN ? 0 : 1151,
		.username = bytes_of("j\xc3\xb6hn@example.com"), .password = bytes_of("&+%:\" \xe2\x82\xac=~s3cret"),
		.name = bytes_of("alation-cred@host"), .refresh_token = bytes_of(endpoint == ALATION_CREATE_REFRESH_TOKEN ? "" : "-re+fresh/="),
		.access_token = bytes_of("acc.ess"), .deadline_ms = clock_mono_ms() + ms, .host = &server, .put = put,
	};
	struct alation_reply reply;
	enum alation_result result;
	int64_t began_ms = clock_mono_ms();

	token[0] = '\0';
	memset(&reply, 0x5a, sizeof reply);
	result = acred_alation.call(&call, &reply);
	assert_int_equal(result, reply.result);
	assert_true(clock_mono_ms() - began_ms < ms + SPARE_MS);
	assert_null(strstr(reply.detail, "s3cret"));
	assert_null(strstr(reply.detail, "Canary"));
	return reply;
}

static struct alation_reply call_server(enum alation_endpoint endpoint, const struct step *steps, int64_t ms, int connections)
{
	struct alation_reply reply;

	server_start(steps);
	reply = call(endpoint, server.base_url, ms);
	assert_int_equal(server_stop(), connections);
	return reply;
}

/* The same, over https to a server that knows no TLS. */
static struct alation_reply call_no_tls(const struct step *steps, int64_t ms)
{
	struct alation_reply reply;

	server_start(steps);
	snprintf(server.base_url, sizeof server.base_url, "https://127.0.0.1:%u", server.port);
	reply = call(ALATION_CREATE_ACCESS_TOKEN, server.base_url, ms);
	server_stop(); /* where a certificate file is bad, it need not have noticed anybody */
	assert_null(memmem(server.request, sizeof server.request, "integration", strlen("integration")));
	assert_false(reply.maybe_acted);
	return reply;
}

/* The whole request, for each endpoint: this is endpoints.c's table, seen from outside. */
static void test_request_bytes(void **state)
{
	char answer[256], request[1024];

	(void)state;
	for (enum alation_endpoint e = 0; e < sizeof request_rows / sizeof request_rows[0]; e++) {
		const struct request_row *row = &request_rows[e];
		struct step steps[] = { { REPLY, answer }, { END, NULL } };
		struct alation_reply reply;

		snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(row->reply), row->reply);
		reply = call_server(e, steps, CALL_MS, 1);
		assert_int_equal(reply.result, ALATION_DONE);
		assert_int_equal(reply.http_status, 200);
		assert_string_equal(token, row->token);
		snprintf(request, sizeof request,
		         "POST /integration/v1/%s/ HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: alation-cred/" ALATION_CRED_VERSION
		         "\r\nAccept: application/json\r\nContent-Length: %zu\r\n"
		         "Content-Type: application/x-www-form-urlencoded\r\n\r\n%s",
		         row->path, server.port, strlen(row->body), row->body);
		assert_string_equal(server.request, request);
		/* printf %s '-re+fresh/=' | sha256sum | cut -c1-16 */
		assert_string_equal(reply.fingerprint, row->fingerprint ? "831d2ff750ffaf2e" : "");
	}
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const struct answer_row *row = &answers[i];
		struct alation_reply reply = call_server(ALATION_CREATE_ACCESS_TOKEN, row->steps, CALL_MS, 1);

		if (reply.result != row->want || reply.http_status != row->status || reply.maybe_acted != row->maybe_acted)
			fail_msg("%s: result %d, HTTP %d, maybe_acted %d, '%s'", row->what, (int)reply.result, reply.http_status,
			         reply.maybe_acted, reply.detail);
		assert_string_equal(token, row->want == ALATION_DONE ? "tok" : "");
		assert_int_equal(reply.retry_after_s, 0);
		assert_string_equal(reply.redirect, "");
	}
}

static void test_oversized_headers(void **state)
{
	static char many[64 * 1024], one[512 * 1024];
	const struct step many_steps[] = { { REPLY, many }, { END, NULL } };
	const struct step one_steps[] = { { FLOOD, one }, { END, NULL } };
	struct alation_reply reply;
	size_t n = (size_t)snprintf(many, sizeof many, "HTTP/1.1 201 Created\r\n");

	(void)state;
	while (n < 33 * 1024)
		n += (size_t)snprintf(many + n, sizeof many - n, "X-Canary: %zu\r\n", n);
	snprintf(many + n, sizeof many - n, "Content-Length: 26\r\n\r\n" MINTED);
	reply = call_server(ALATION_CREATE_ACCESS_TOKEN, many_steps, CALL_MS, 1);
	assert_int_equal(reply.result, ALATION_BAD_REPLY);
	assert_true(reply.maybe_acted);
	assert_non_null(strstr(reply.detail, "32 KiB"));

	/* One line without an end: libcurl gives up before we see it. */
	snprintf(one, sizeof one, "HTTP/1.1 201 Created\r\nX-Canary: ");
	reply = call_server(ALATION_CREATE_ACCESS_TOKEN, one_steps, CALL_MS, 1);
	assert_int_equal(reply.result, ALATION_BAD_REPLY);
	assert_true(reply.maybe_acted);
}

static void test_headers(void **state)
{
	char answer[512];

	(void)state;
	for (size_t i = 0; i < sizeof header_rows / sizeof header_rows[0]; i++) {
		const struct header_row *row = &header_rows[i];
		const struct step steps[] = { { REPLY, answer }, { END, NULL } };
		struct alation_reply reply;

		snprintf(answer, sizeof answer, "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n%s\r\n", row->headers);
		reply = call_server(ALATION_CREATE_ACCESS_TOKEN, steps, CALL_MS, 1);
		assert_int_equal(reply.result, ALATION_THROTTLED);
		if (reply.retry_after_s != row->retry_after_s || reply.date != row->date || strcmp(reply.redirect, row->redirect) != 0)
			fail_msg("%s: %lld, %lld, '%s'", row->headers, (long long)reply.retry_after_s, (long long)reply.date,
			         reply.redirect);
	}
}

/* N10: whatever a redirect says, nobody but the server that was asked hears of it. */
static void test_redirects(void **state)
{
	static const int statuses[] = { 301, 302, 303, 307, 308 };
	char answer[256], want[64];
	unsigned port;
	int target = listen_on_loopback(&port);

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		const struct step steps[] = { { REPLY, answer }, { REPLY, OK_REPLY }, { END, NULL } };
		struct alation_reply reply;

		snprintf(want, sizeof want, "http://127.0.0.1:%u", port);
		snprintf(answer, sizeof answer, "HTTP/1.1 %d Go\r\nLocation: %s/integration/\r\nContent-Length: 0\r\n\r\n", statuses[i],
		         want);
		reply = call_server(ALATION_CREATE_ACCESS_TOKEN, steps, CALL_MS, 1);
		assert_int_equal(reply.result, ALATION_NOT_ALATION);
		assert_int_equal(reply.http_status, statuses[i]);
		assert_string_equal(reply.redirect, want);
	}
	assert_int_equal(poll(&(struct pollfd){ .fd = target, .events = POLLIN }, 1, 0), 0);
	close(target);
}

/* N9: call() itself asserts that it is over in time. */
static void test_deadlines(void **state)
{
	static const struct step stall[] = { { STALL, NULL }, { END, NULL } };
	static const struct step drip[] = { { DRIP, "HTTP/1.1 201 Created\r\nContent-Length: 2000\r\n\r\n{\"api_access_token\":\"tok\",\"name\":\"" },
		                            { END, NULL } };
	static const struct step none[] = { { END, NULL } };
	struct alation_reply reply;

	(void)state;
	reply = call_server(ALATION_CREATE_ACCESS_TOKEN, stall, 300, 1);
	assert_int_equal(reply.result, ALATION_TIMEOUT);
	assert_true(reply.maybe_acted);
	reply = call_server(ALATION_CREATE_ACCESS_TOKEN, drip, 300, 1);
	assert_int_equal(reply.result, ALATION_TIMEOUT);
	assert_true(reply.maybe_acted);
	assert_int_equal(call_no_tls(stall, 300).result, ALATION_TIMEOUT);
	/* A question is not asked again when its time is up. */
	reply = call_server(ALATION_VALIDATE_ACCESS_TOKEN, stall, 300, 1);
	assert_int_equal(reply.result, ALATION_TIMEOUT);
	reply = call_server(ALATION_CREATE_ACCESS_TOKEN, none, 0, 0);
	assert_int_equal(reply.result, ALATION_TIMEOUT);
	assert_false(reply.maybe_acted);
}

/* Questions are asked once more where that may help; nothing that changes a server ever is. */
static void test_retries(void **state)
{
	struct alation_reply reply;

	(void)state;
	for (enum alation_endpoint e = 0; e <= ALATION_VALIDATE_REFRESH_TOKEN; e++) {
		bool asks = e == ALATION_VALIDATE_ACCESS_TOKEN || e == ALATION_VALIDATE_REFRESH_TOKEN;

		reply = call_server(e, lost, CALL_MS, asks ? 2 : 1);
		assert_int_equal(reply.result, asks ? ALATION_DONE : ALATION_NETWORK);
		assert_int_equal(reply.maybe_acted, !asks);
		reply = call_server(e, fault, CALL_MS, asks ? 2 : 1);
		assert_int_equal(reply.result, asks ? ALATION_DONE : ALATION_SERVER_ERROR);
		reply = call_server(e, faults, CALL_MS, asks ? 2 : 1);
		assert_int_equal(reply.result, asks ? ALATION_NETWORK : ALATION_SERVER_ERROR);
		assert_int_equal(reply.maybe_acted, !asks);
		reply = call_server(e, refused, CALL_MS, 1);
		assert_int_equal(reply.result, ALATION_REFUSED);
	}
}

static void test_nobody_there(void **state)
{
	char base_url[64];
	unsigned port;
	struct alation_reply reply;

	(void)state;
	close(listen_on_loopback(&port));
	snprintf(base_url, sizeof base_url, "http://127.0.0.1:%u", port);
	reply = call(ALATION_CREATE_ACCESS_TOKEN, base_url, CALL_MS);
	assert_int_equal(reply.result, ALATION_NETWORK);
	assert_false(reply.maybe_acted);
	assert_true(reply.detail[0] != '\0');
	assert_int_equal(reply.http_status, 0);
}

/* A server without TLS gets a client's hello, and nothing of the request. */
static void test_no_tls(void **state)
{
	static const struct step steps[] = { { HASTE, FAULT }, { END, NULL } };

	(void)state;
	assert_int_equal(call_no_tls(steps, CALL_MS).result, ALATION_TLS);
}

/* A certificate file that is not there is an error, not the system's store; this is the order of the curl program. */
static void test_certificate_settings(void **state)
{
	static const struct {
		const char *bundle, *file, *want;
	} rows[] = {
		{ NULL, NULL, "SSL" }, { "/nonexistent/a", NULL, "/nonexistent/a" }, { NULL, "/nonexistent/b", "/nonexistent/b" },
		{ "/nonexistent/a", "/nonexistent/b", "/nonexistent/a" }, { "", "/nonexistent/b", "/nonexistent/b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		static const struct step steps[] = { { HASTE, FAULT }, { END, NULL } };
		struct alation_reply reply;

		if (rows[i].bundle)
			setenv("CURL_CA_BUNDLE", rows[i].bundle, 1);
		if (rows[i].file)
			setenv("SSL_CERT_FILE", rows[i].file, 1);
		reply = call_no_tls(steps, CALL_MS);
		unsetenv("CURL_CA_BUNDLE");
		unsetenv("SSL_CERT_FILE");
		assert_int_equal(reply.result, ALATION_TLS);
		if (!strstr(reply.detail, rows[i].want))
			fail_msg("row %zu: '%s'", i, reply.detail);
	}
}

/* Whether the main thread's heap holds that text. The server's copy lies elsewhere. */
static bool heap_holds(const char *text)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t from, to;
	char line[512];
	bool held = false;

	assert_non_null(maps);
	while (!held && fgets(line, sizeof line, maps))
		if (strstr(line, "[heap]") && sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &from, &to) == 2)
			held = memmem((const void *)from, to - from, text, strlen(text)) != NULL;
	fclose(maps);
	return held;
}

/* Neither our form nor libcurl's buffers keep the password once the call is over. */
static void test_wiping(void **state)
{
	static const struct step steps[] = { { REPLY, FAULT }, { END, NULL } };
	static const char needle[] = "example.com&password=%26%2B";
	char *control = strdup("control-of-the-search");

	(void)state;
	assert_non_null(control);
	if (!heap_holds(control)) {
		free(control);
		skip(); /* a sanitizer has its heap elsewhere */
	}
	free(control);
	call_server(ALATION_CREATE_REFRESH_TOKEN, steps, CALL_MS, 1);
	assert_non_null(strstr(server.request, needle));
	assert_false(heap_holds(needle));
}

/* N14: a proxy that is dead, unusable, or says no; its password is in no message (call() looks). */
static void test_proxies(void **state)
{
	char proxy[128];

	(void)state;
	for (size_t i = 0; i < sizeof proxy_rows / sizeof proxy_rows[0]; i++) {
		const struct proxy_row *row = &proxy_rows[i];
		struct alation_reply reply;

		server_start(row->steps);
		snprintf(proxy, sizeof proxy, "%s", row->proxy);
		if (row->connections > 0)
			snprintf(proxy + strlen(proxy), sizeof proxy - strlen(proxy), "%u", server.port);
		setenv("http_proxy", proxy, 1);
		setenv("https_proxy", proxy, 1);
		reply = call(ALATION_CREATE_ACCESS_TOKEN, row->base_url, CALL_MS);
		unsetenv("http_proxy");
		unsetenv("https_proxy");
		assert_int_equal(server_stop(), row->connections);
		if (reply.result != ALATION_PROXY || reply.maybe_acted)
			fail_msg("%s: result %d, maybe_acted %d, '%s'", row->what, (int)reply.result, reply.maybe_acted, reply.detail);
	}
}

static void test_value_too_long(void **state)
{
	static char password[64 * 1024 + 1];
	struct alation_call call = {
		.endpoint = ALATION_CREATE_REFRESH_TOKEN, .base_url = "http://127.0.0.1:1", .password = { password, sizeof password },
		.deadline_ms = clock_mono_ms() + CALL_MS,
	};
	struct alation_reply reply;

	(void)state;
	acred_alation.call(&call, &reply);
	assert_int_equal(reply.result, ALATION_FAILED);
	assert_false(reply.maybe_acted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_bytes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_oversized_headers),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_certificate_settings),
		cmocka_unit_test(test_wiping),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_value_too_long),
	};

	return cmocka_run_group_tests(tests, server_surroundings, NULL);
}
