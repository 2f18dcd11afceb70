/* SPDX-License-Identifier: MIT */
/*
 * git.c: which requests are well-formed, and what each asks. How URLs are cut was compared with git itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/git.h"

#define BYTES(text) { text, sizeof text - 1 }
#define HOST "catalog.example.com"
#define GOOD "protocol=https\nhost=" HOST "\n"

struct want { /* NULL: not sent */
	const char *protocol, *host, *username, *password, *refresh;
	bool ephemeral, authtype;
};

static const struct {
	struct bytes text;
	struct want want;
} good[] = {
	{ BYTES(""), { 0 } },
	{ BYTES("\n"), { 0 } },
	{ BYTES("\n" GOOD), { 0 } },
	{ BYTES(GOOD), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES(GOOD "\n"), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES("protocol=https\nhost=" HOST), { "https", HOST, NULL, NULL, NULL, false, false } }, /* git ends so too */
	{ BYTES("host=" HOST), { NULL, HOST, NULL, NULL, NULL, false, false } },
	/* what follows the empty line is another's */
	{ BYTES(GOOD "\nhost=other\n"), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES(GOOD "\nno such line\r\n\0=\n"), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES("username=102\npassword=to=k=\n"), { NULL, NULL, "102", "to=k=", NULL, false, false } },
	{ BYTES("oauth_refresh_token=rt\n"), { NULL, NULL, NULL, NULL, "rt", false, false } },
	/* sent, but empty */
	{ BYTES("protocol=\nhost=\nusername=\npassword=\noauth_refresh_token=\n"), { "", "", "", "", "", false, false } },
	{ BYTES("host="), { NULL, "", NULL, NULL, NULL, false, false } },
	/* the last counts */
	{ BYTES("host=a\nhost=b\n"), { NULL, "b", NULL, NULL, NULL, false, false } },
	{ BYTES("host=a\nhost=\n"), { NULL, "", NULL, NULL, NULL, false, false } },
	/* nothing is trimmed, folded or decoded on a line of its own */
	{ BYTES("host= A%41 \t\x7f\xff\n"), { NULL, " A%41 \t\x7f\xff", NULL, NULL, NULL, false, false } },
	/* unknown, and nearly known */
	{ BYTES("Host=a\nhost =b\n host=c\nhosts=d\nhos=e\nwwwauth[]=Basic realm=\"=\"\nfuture[]=\n-=\n\x01=\x02\n"), { 0 } },
	{ BYTES("path=a\nauthtype=Bearer\ncredential=c\nstate[]=s\ncontinue=1\nquit=1\npassword_expiry_utc=1\n"), { 0 } },
	/* capabilities */
	{ BYTES("capability[]=authtype\ncapability[]=state\n" GOOD), { "https", HOST, NULL, NULL, NULL, false, true } },
	{ BYTES(GOOD "capability[]=authtype\n"), { "https", HOST, NULL, NULL, NULL, false, true } },
	{ BYTES("capability[]=state\n"), { 0 } },
	{ BYTES("capability=authtype\ncapability[]=Authtype\ncapability[]=authtype2\n"), { 0 } },
	{ BYTES("capability[]=authtype\ncapability[]=\n"), { 0 } },
	{ BYTES("capability[]=\ncapability[]=authtype\n"), { .authtype = true } },
	/* git's booleans */
	{ BYTES("ephemeral=1\n"), { .ephemeral = true } },
	{ BYTES("ephemeral=true\n"), { .ephemeral = true } },
	{ BYTES("ephemeral=YES\n"), { .ephemeral = true } },
	{ BYTES("ephemeral=On\n"), { .ephemeral = true } },
	{ BYTES("ephemeral=0\n"), { 0 } },
	{ BYTES("ephemeral=false\n"), { 0 } },
	{ BYTES("ephemeral=\n"), { 0 } },
	{ BYTES("ephemeral=tru\n"), { 0 } },
	{ BYTES("ephemeral=truer\n"), { 0 } },
	{ BYTES("ephemeral=1\nephemeral=no\n"), { 0 } },
	/* a URL clears what came before it, and what comes behind it counts */
	{ BYTES("url=https://" HOST "\n"), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES("protocol=http\nhost=a\nusername=1\npassword=p\noauth_refresh_token=r\nephemeral=1\nurl=https://" HOST "\n"),
	  { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES("capability[]=authtype\nurl=https://" HOST "\n"), { "https", HOST, NULL, NULL, NULL, false, false } },
	{ BYTES("url=https://" HOST "\ncapability[]=authtype\n"), { "https", HOST, NULL, NULL, NULL, false, true } },
	{ BYTES("url=https://a\nhost=b\nusername=2\n"), { "https", "b", "2", NULL, NULL, false, false } },
	{ BYTES("url=https://1:p@a\nurl=http://b\n"), { "http", "b", NULL, NULL, NULL, false, false } },
};

/* What stands behind `url=`. */
static const struct {
	const char *url;
	struct want want;
} urls[] = {
	{ "https://h", { "https", "h", NULL, NULL, NULL, false, false } },
	{ "https://h/", { "https", "h", NULL, NULL, NULL, false, false } },
	{ "https://h//a/b?c#d", { "https", "h", NULL, NULL, NULL, false, false } },
	{ "https://h?u@x/", { "https", "h", NULL, NULL, NULL, false, false } },
	{ "https://h#u:p@x", { "https", "h", NULL, NULL, NULL, false, false } },
	{ "https://h:80/p@q:r", { "https", "h:80", NULL, NULL, NULL, false, false } },
	{ "https://102@h", { "https", "h", "102", NULL, NULL, false, false } },
	{ "https://102:tok@h:8443/a", { "https", "h:8443", "102", "tok", NULL, false, false } },
	{ "https://102:@h", { "https", "h", "102", "", NULL, false, false } },
	{ "https://@h", { "https", "h", "", NULL, NULL, false, false } },
	{ "https://:@h", { "https", "h", "", "", NULL, false, false } },
	{ "https://u:p:q@h", { "https", "h", "u", "p:q", NULL, false, false } },
	{ "https://good@1@evil/", { "https", "1@evil", "good", NULL, NULL, false, false } },
	{ "https://u@h:80@x", { "https", "h:80@x", "u", NULL, NULL, false, false } },
	{ "https://[::1]:8080/", { "https", "[::1]:8080", NULL, NULL, NULL, false, false } },
	{ "https://102@[2001:db8::1]", { "https", "[2001:db8::1]", "102", NULL, NULL, false, false } },
	{ "https://102:t@[::1]:1/", { "https", "[::1]:1", "102", "t", NULL, false, false } },
	{ "https://", { "https", "", NULL, NULL, NULL, false, false } },
	{ "https:///p", { "https", "", NULL, NULL, NULL, false, false } },
	{ "https://u@", { "https", "", "u", NULL, NULL, false, false } },
	{ "HTTPS://H", { "HTTPS", "H", NULL, NULL, NULL, false, false } },
	{ "https://a://b", { "https", "a:", NULL, NULL, NULL, false, false } },
	{ "a/b://h", { "a/b", "h", NULL, NULL, NULL, false, false } },
	/* escapes; what is none stays */
	{ "https://1%301:%74ok%2F%3d@%68%4f%4Fst", { "https", "hOOst", "101", "tok/=", NULL, false, false } },
	{ "https://u%40x:p%3aq@h%2fi", { "https", "h/i", "u@x", "p:q", NULL, false, false } },
	{ "https://u%3ap@h", { "https", "h", "u:p", NULL, NULL, false, false } },
	{ "https://a%%41%4%zz%4g%g4%", { "https", "a%A%4%zz%4g%g4%", NULL, NULL, NULL, false, false } },
	{ "https://a%4@h%4", { "https", "h%4", "a%4", NULL, NULL, false, false } },
	{ "https://%2541%252541", { "https", "%41%2541", NULL, NULL, NULL, false, false } },
	{ "https://%ff+%25", { "https", "\xff+%", NULL, NULL, NULL, false, false } },
	{ "ht%41ps://h", { "ht%41ps", "h", NULL, NULL, NULL, false, false } },
	/* git's habit before a colon */
	{ "https://h%6Fst:80%38", { "https", "h%6Fst:808", NULL, NULL, NULL, false, false } },
	{ "https://u:%70:%70@h", { "https", "h", "u", "%70:p", NULL, false, false } },
};

static const struct {
	struct bytes text;
	enum git_fault fault;
} bad[] = {
	{ BYTES(GOOD "username=1\r\n"), GIT_CR },
	{ BYTES("protocol=https\r\nhost=" HOST "\r\n\r\n"), GIT_CR },
	{ BYTES(GOOD "\r\n"), GIT_CR },
	{ BYTES(GOOD "\r"), GIT_CR },
	{ BYTES("host=good\rhost=evil\n"), GIT_CR },
	{ BYTES("ho\rst=a\n"), GIT_CR },
	{ BYTES("\rhost=a\n"), GIT_CR },
	{ BYTES(GOOD "unknown=a\rb\n"), GIT_CR },
	{ BYTES("host=good\0.evil\n"), GIT_NUL },
	{ BYTES("host\0=a\n"), GIT_NUL },
	{ BYTES("\0"), GIT_NUL },
	{ BYTES("host=\0\n"), GIT_NUL },
	{ BYTES(GOOD "unknown=\0"), GIT_NUL },
	{ BYTES(GOOD "username\n"), GIT_NO_EQUALS },
	{ BYTES("username\n" GOOD), GIT_NO_EQUALS },
	{ BYTES(GOOD "u"), GIT_NO_EQUALS },
	{ BYTES(GOOD " \n"), GIT_NO_EQUALS },
	{ BYTES("{\"protocol\":\"https\"}\n"), GIT_NO_EQUALS },
	{ BYTES("=\n"), GIT_EMPTY_KEY },
	{ BYTES(GOOD "=value\n"), GIT_EMPTY_KEY },
	{ BYTES(GOOD "="), GIT_EMPTY_KEY },
	/* the first fault is the one that is told */
	{ BYTES("=\nx\n"), GIT_EMPTY_KEY },
	{ BYTES("x\n=\n"), GIT_NO_EQUALS },
	{ BYTES("url=\n"), GIT_BAD_URL },
	{ BYTES("url=" HOST "\n"), GIT_BAD_URL },
	{ BYTES("url=://" HOST "\n"), GIT_BAD_URL },
	{ BYTES("url=https:/" HOST "\n"), GIT_BAD_URL },
	{ BYTES("url=https:" HOST "\n"), GIT_BAD_URL },
	{ BYTES("url=https://h%0ahost=evil\n"), GIT_BAD_URL },
	{ BYTES("url=https://h%0A/\n"), GIT_BAD_URL },
	{ BYTES("url=https://h%0d\n"), GIT_BAD_URL },
	{ BYTES("url=https://h%00.evil\n"), GIT_BAD_URL },
	{ BYTES("url=https://u%0a@h\n"), GIT_BAD_URL },
	{ BYTES("url=https://u:p%0d@h\n"), GIT_BAD_URL },
	{ BYTES("url=https://h/%0a\n"), GIT_BAD_URL },
	{ BYTES("url=https://h%0a:80\n"), GIT_BAD_URL },
	{ BYTES("url=ht%0atps://h\n"), GIT_BAD_URL },
	{ BYTES("url=https://h\r\n"), GIT_CR },
	{ BYTES(GOOD "url=nothing\n"), GIT_BAD_URL },
};

static bool view_is(struct bytes view, const char *want)
{
	return want ? view.p && bytes_are(view, want) : !view.p && view.n == 0;
}

static void assert_request(const struct request *got, const struct want *want, const char *row)
{
	if (!view_is(got->protocol, want->protocol))
		fail_msg("%s: protocol", row);
	if (!view_is(got->host, want->host))
		fail_msg("%s: host", row);
	if (!view_is(got->username, want->username))
		fail_msg("%s: username", row);
	if (!view_is(got->password, want->password))
		fail_msg("%s: password", row);
	if (!view_is(got->oauth_refresh_token, want->refresh))
		fail_msg("%s: oauth_refresh_token", row);
	if (got->ephemeral != want->ephemeral || got->authtype != want->authtype)
		fail_msg("%s: ephemeral or authtype", row);
}

/* A copy that ends where its bytes end, so that a sanitizer sees who reads on. */
static char *exact(struct bytes text)
{
	char *copy = malloc(text.n ? text.n : 1);

	assert_non_null(copy);
	memcpy(copy, text.p, text.n);
	return copy;
}

/* What *ret_request holds beforehand is no part of the answer. */
static const struct request rubbish = { .host = BYTES("rubbish"), .ephemeral = true, .authtype = true };

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct request request = rubbish;
		char *text = exact(good[i].text);

		if (git_parse(text, good[i].text.n, &request) != GIT_OK)
			fail_msg("%s", good[i].text.p);
		assert_request(&request, &good[i].want, good[i].text.p);
		free(text);
	}
}

static void test_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct request request = rubbish;
		char line[128];
		int n = snprintf(line, sizeof line, "url=%s\npath=x\n", urls[i].url);
		char *text = exact((struct bytes){ line, (size_t)n });

		if (git_parse(text, (size_t)n, &request) != GIT_OK)
			fail_msg("%s", urls[i].url);
		assert_request(&request, &urls[i].want, urls[i].url);
		free(text);
	}
}

static void test_bad(void **state)
{
	static const struct want nothing = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct request request = rubbish;
		char *text = exact(bad[i].text);
		enum git_fault fault = git_parse(text, bad[i].text.n, &request);

		if (fault != bad[i].fault)
			fail_msg("%s: fault %d", bad[i].text.p, (int)fault);
		assert_request(&request, &nothing, bad[i].text.p);
		free(text);
	}
}

static void test_no_bytes(void **state)
{
	struct request request = rubbish;

	(void)state;
	assert_int_equal(git_parse(NULL, 0, &request), GIT_OK);
	assert_null(request.host.p);
	assert_false(request.authtype);
}

/* A line of KEY and N bytes in all, first, last or alone. */
static void long_line(const char *key, size_t n, enum git_fault want)
{
	size_t room = n + 2 * sizeof GOOD + 1, start = strlen(GOOD);
	char *text = malloc(room);
	struct request request;

	assert_non_null(text);
	for (int behind = 0; behind <= 1; behind++)
		for (int line_feed = 0; line_feed <= 1; line_feed++) {
			size_t at = behind ? start : 0;

			memcpy(text, GOOD, at);
			memset(text + at, 'x', n);
			memcpy(text + at, key, strlen(key));
			memcpy(text + at + n, "\n" GOOD, line_feed ? start + 1 : 0);
			assert_int_equal(git_parse(text, at + n + (line_feed ? start + 1 : 0), &request), want);
			if (want == GIT_OK && strcmp(key, "username=") == 0)
				assert_int_equal(request.username.n, n - strlen(key));
		}
	free(text);
}

static void test_long_lines(void **state)
{
	static const char *const keys[] = { "username=", "unknown=", "url=https://" };

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		long_line(keys[i], 65535, GIT_OK);
		long_line(keys[i], 65536, GIT_LONG_LINE);
	}
	long_line("x", 65536, GIT_LONG_LINE);
	long_line("x", 65535, GIT_NO_EQUALS);
}

/* The views lie within the bytes that were given, whatever those are. */
static void test_random_bytes(void **state)
{
	static const char *const atoms[] = {
		"protocol=", "host=", "username=", "password=", "url=", "https://", "@", ":", "/", "?", "%41", "%", "%4", "%0a",
		"\n", "\n", "\n", "=", "[::1]", "capability[]=authtype", "\r", "x", "102", "ephemeral=1",
	};
	uint32_t seed = 20;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char raw[512];
		size_t n = 0;
		struct request request;
		char *text;

		for (int i = 0; i < 12; i++) {
			const char *atom = atoms[(seed = seed * 1664525 + 1013904223) / 65536 % (sizeof atoms / sizeof *atoms)];

			memcpy(raw + n, atom, strlen(atom));
			n += strlen(atom);
		}
		text = exact((struct bytes){ raw, n });
		(void)git_parse(text, n, &request);
		const struct bytes views[] = { request.protocol, request.host, request.username, request.password };

		for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
			if (!views[i].p)
				continue;
			assert_true(views[i].p >= text && views[i].p + views[i].n <= text + n);
			assert_null(memchr(views[i].p, '\n', views[i].n));
			assert_null(memchr(views[i].p, '\r', views[i].n));
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_urls),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_long_lines), cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
