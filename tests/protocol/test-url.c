/* SPDX-License-Identifier: MIT */
/*
 * url.c: which texts mean which account, which are refused and why, and, with bytes from a seeded generator,
 * that nothing but a normal form ever comes out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/url.h"

#define HOST "https://catalog.example.com"
#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A200 A50 A50 A50 A50

static const struct {
	const char *text, *base;
	int64_t user_id;
	bool cut;
} good[] = {
	{ "https://catalog.example.com", HOST, 0, false },
	{ "catalog.example.com", HOST, 0, false },
	{ "HTTPS://Catalog.EXAMPLE.com", HOST, 0, false },
	{ "catalog.example.com.", HOST, 0, false },
	{ "catalog.example.com:443", HOST, 0, false },
	{ "catalog.example.com.:443/", HOST, 0, false },
	{ "https://catalog.example.com/", HOST, 0, false },
	{ "https://catalog.example.com///", HOST, 0, false },
	{ "https://1151@catalog.example.com", HOST, 1151, false },
	{ "1151@catalog.example.com", HOST, 1151, false },
	{ "1@catalog.example.com", HOST, 1, false },
	{ "2147483647@catalog.example.com", HOST, 2147483647, false },
	{ "1151@CATALOG.example.com.:443/account/auth", HOST, 1151, true },
	{ "https://catalog.example.com/account/auth", HOST, 0, true },
	{ "https://catalog.example.com//a", HOST, 0, true },
	{ "https://catalog.example.com?q=1", HOST, 0, true },
	{ "https://catalog.example.com/?", HOST, 0, true },
	{ "https://catalog.example.com#top", HOST, 0, true },
	{ "https://catalog.example.com/t\xc3\xa4st/ x%20y", HOST, 0, true },
	{ "catalog.example.com/path?u=https://evil.example", HOST, 0, true },
	{ "https://catalog.example.com:8443", HOST ":8443", 0, false },
	{ "catalog.example.com:8443", HOST ":8443", 0, false },
	{ "catalog.example.com:1", HOST ":1", 0, false },
	{ "catalog.example.com:65535", HOST ":65535", 0, false },
	{ "https://catalog.example.com:80", HOST ":80", 0, false },
	{ "1151@catalog.example.com:8443/x", HOST ":8443", 1151, true },
	{ "localhost:8080", "https://localhost:8080", 0, false },
	{ "my_host-1", "https://my_host-1", 0, false },
	{ "https", "https://https", 0, false },
	{ "xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example", 0, false },
	{ A200, "https://" A200, 0, false },
	{ "https://1151@" A200 ".:65535/", "https://" A200 ":65535", 1151, false },

	{ "10.0.0.1", "https://10.0.0.1", 0, false },
	{ "10.0.0.1.:443", "https://10.0.0.1", 0, false },
	{ "1.example", "https://1.example", 0, false },
	{ "0x7f.example", "https://0x7f.example", 0, false },
	{ "0xg", "https://0xg", 0, false },
	{ "[::1]:8080", "https://[::1]:8080", 0, false },
	{ "https://[::1]:443", "https://[::1]", 0, false },
	{ "[2001:DB8:0:0:0:0:0:1]", "https://[2001:db8::1]", 0, false },
	{ "[2001:0db8::0001]", "https://[2001:db8::1]", 0, false },
	{ "[2001:db8:0:1:1:1:1:1]", "https://[2001:db8:0:1:1:1:1:1]", 0, false },
	{ "[2001:db8::1:1:1:1:1]", "https://[2001:db8:0:1:1:1:1:1]", 0, false },
	{ "[2001:0:0:1:0:0:0:1]", "https://[2001:0:0:1::1]", 0, false },
	{ "[2001:db8:0:0:1:0:0:1]", "https://[2001:db8::1:0:0:1]", 0, false },
	{ "[::FFFF:10.0.0.1]", "https://[::ffff:10.0.0.1]", 0, false },
	{ "[::ffff:a00:1]", "https://[::ffff:10.0.0.1]", 0, false },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]",
	  "https://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]", 0, false },
	{ "1151@[fe80::1]:8443/x", "https://[fe80::1]:8443", 1151, true },

	{ "http://localhost", "http://localhost", 0, false },
	{ "HTTP://LOCALHOST.:80/", "http://localhost", 0, false },
	{ "http://localhost:443", "http://localhost:443", 0, false },
	{ "http://1151@127.0.0.1:8080", "http://127.0.0.1:8080", 1151, false },
	{ "http://127.255.255.254", "http://127.255.255.254", 0, false },
	{ "http://[::1]:8080", "http://[::1]:8080", 0, false },
	{ "http://[0:0:0:0:0:0:0:1]", "http://[::1]", 0, false },

	/* What some parser or other reads as another host: the one that RFC 3986 and browsers go to. */
	{ "https://catalog.example.com/@evil.example", HOST, 0, true },
	{ "https://catalog.example.com?@evil.example", HOST, 0, true },
	{ "https://catalog.example.com#@evil.example", HOST, 0, true },
	{ "https://1151@catalog.example.com#@evil.example/", HOST, 1151, true },
	{ "https://catalog.example.com/\\@evil.example", HOST, 0, true },
	{ "https://catalog.example.com#://evil.example", HOST, 0, true },
};

static const struct {
	const char *text;
	enum url_error error;
} bad[] = {
	{ "", URL_EMPTY_HOST }, { "https://", URL_EMPTY_HOST }, { "https:///", URL_EMPTY_HOST },
	{ "https:///host", URL_EMPTY_HOST }, { "//host", URL_EMPTY_HOST }, { "/host", URL_EMPTY_HOST },
	{ "https://?x", URL_EMPTY_HOST }, { "https://#", URL_EMPTY_HOST }, { ":443", URL_EMPTY_HOST },
	{ "https://:443", URL_EMPTY_HOST }, { "1151@", URL_EMPTY_HOST },
	{ "https://1151@:443/", URL_EMPTY_HOST }, { ".", URL_EMPTY_HOST }, { "https://[]", URL_EMPTY_HOST },

	{ "ftp://host", URL_BAD_SCHEME }, { "ssh://1151@host", URL_BAD_SCHEME },
	{ "httpss://host", URL_BAD_SCHEME }, { "https:/host", URL_BAD_SCHEME },
	{ "https:host", URL_BAD_SCHEME }, { "https:", URL_BAD_SCHEME }, { "https:8080", URL_BAD_SCHEME },
	{ "HTTP:host", URL_BAD_SCHEME }, { "https:\\\\host", URL_BAD_SCHEME },
	{ "https:/\\host", URL_BAD_SCHEME }, { "file:///x", URL_BAD_SCHEME }, { "://host", URL_BAD_SCHEME },
	{ " https://host", URL_BAD_SCHEME }, { "1151@https://host", URL_BAD_SCHEME },
	{ "xhttp://localhost", URL_BAD_SCHEME },

	{ "http://catalog.example.com", URL_PLAIN_HTTP }, { "HTTP://host:443", URL_PLAIN_HTTP },
	{ "http://127.0.0.1.evil.example", URL_PLAIN_HTTP }, { "http://localhost.evil", URL_PLAIN_HTTP },
	{ "http://evil-localhost", URL_PLAIN_HTTP }, { "http://evil.localhost", URL_PLAIN_HTTP },
	{ "http://128.0.0.1", URL_PLAIN_HTTP }, { "http://0.0.0.0", URL_PLAIN_HTTP },
	{ "http://[::]", URL_PLAIN_HTTP }, { "http://[::2]", URL_PLAIN_HTTP },
	{ "http://[::ffff:127.0.0.1]", URL_PLAIN_HTTP }, { "http://[::127.0.0.1]", URL_PLAIN_HTTP },
	{ "http://127.0.0.1x", URL_PLAIN_HTTP }, { "http://1151@host/localhost", URL_PLAIN_HTTP },
	{ "http://host?@localhost", URL_PLAIN_HTTP },

	/* Numbers that resolvers take for 127.0.0.1, or for one address or another. */
	{ "http://127.1", URL_BAD_HOST }, { "http://2130706433", URL_BAD_HOST },
	{ "http://0x7f000001", URL_BAD_HOST }, { "http://0177.0.0.1", URL_BAD_HOST },
	{ "http://127.0.0.01", URL_BAD_HOST }, { "http://0", URL_BAD_HOST },
	{ "http://127.0.0.0x1", URL_BAD_HOST }, { "https://127.1", URL_BAD_HOST }, { "1151", URL_BAD_HOST },
	{ "010.0.0.1", URL_BAD_HOST }, { "256.0.0.1", URL_BAD_HOST }, { "1.2.3.4.5", URL_BAD_HOST },
	{ "0x", URL_BAD_HOST },

	{ "https://ho st", URL_BAD_HOST }, { "host ", URL_BAD_HOST }, { " host", URL_BAD_HOST },
	{ "host%2eexample", URL_BAD_HOST }, { "host%00.example", URL_BAD_HOST },
	{ "host\\path", URL_BAD_HOST }, { "https://1151@host\\x", URL_BAD_HOST },
	{ "https://1151@host\\evil.example", URL_BAD_HOST }, { "m\xc3\xbcnchen.example", URL_BAD_HOST },
	{ "catalog\xef\xbc\x8e" "example", URL_BAD_HOST }, { "ex\xe2\x80\xae" "ample", URL_BAD_HOST },
	{ "host\xff", URL_BAD_HOST }, { "host\n", URL_BAD_HOST }, { "ho\tst", URL_BAD_HOST },
	{ "https://host/\r\nX: y", URL_BAD_HOST }, { "host\x7f", URL_BAD_HOST },
	{ "\x1bhost", URL_BAD_HOST }, { "https://host?\x1b[2J", URL_BAD_HOST }, { "host..", URL_BAD_HOST },
	{ "a..b", URL_BAD_HOST }, { ".host", URL_BAD_HOST }, { "..", URL_BAD_HOST },
	{ "ho*st", URL_BAD_HOST }, { "a,b", URL_BAD_HOST }, { "a&b", URL_BAD_HOST },
	{ "'host'", URL_BAD_HOST }, { "<html>", URL_BAD_HOST }, { "::1", URL_BAD_HOST },
	{ "fe80::1", URL_BAD_HOST }, { "host:80:90", URL_BAD_HOST }, { "[::1", URL_BAD_HOST },
	{ "::1]", URL_BAD_HOST }, { "[::1]evil", URL_BAD_HOST }, { "[::1].", URL_BAD_HOST },
	{ "[::1]]", URL_BAD_HOST }, { "[[::1]]", URL_BAD_HOST }, { "[host]", URL_BAD_HOST },
	{ "[127.0.0.1]", URL_BAD_HOST }, { "[fe80::1%eth0]", URL_BAD_HOST },
	{ "[fe80::1%25eth0]", URL_BAD_HOST }, { "[::1%]", URL_BAD_HOST }, { "[:::1]", URL_BAD_HOST },
	{ "[1:2:3:4:5:6:7:8:9]", URL_BAD_HOST }, { "[::12345]", URL_BAD_HOST }, { "[ ::1]", URL_BAD_HOST },
	{ "[" A50 "]", URL_BAD_HOST }, { "[v1.x]", URL_BAD_HOST },

	{ A200 "a", URL_TOO_LONG }, { A200 "a.", URL_TOO_LONG },
	{ "https://1151@" A200 "a:443/", URL_TOO_LONG }, { "[" A200 "a]", URL_TOO_LONG },

	{ "host:", URL_BAD_PORT }, { "https://host:/", URL_BAD_PORT }, { "host:/path", URL_BAD_PORT },
	{ "host:0", URL_BAD_PORT }, { "host:00", URL_BAD_PORT }, { "host:65536", URL_BAD_PORT },
	{ "host:99999999999999999999", URL_BAD_PORT }, { "host:abc", URL_BAD_PORT },
	{ "host:80x", URL_BAD_PORT }, { "host:0443", URL_BAD_PORT }, { "host:+443", URL_BAD_PORT },
	{ "host:-1", URL_BAD_PORT }, { "host: 443", URL_BAD_PORT }, { "host:443 ", URL_BAD_PORT },
	{ "host:%34", URL_BAD_PORT }, { "host:\xd9\xa3", URL_BAD_PORT }, { "[::1]:", URL_BAD_PORT },
	{ "[::1]:0", URL_BAD_PORT }, { "[::1]:x", URL_BAD_PORT }, { "https://https://host", URL_BAD_PORT },
	{ "ftp:/host", URL_BAD_PORT }, { "host:443\\@x", URL_BAD_USER },
	{ "javascript:alert", URL_BAD_PORT },

	{ "@host", URL_BAD_USER }, { "https://@host", URL_BAD_USER }, { "jane@host", URL_BAD_USER },
	{ "0@host", URL_BAD_USER }, { "01151@host", URL_BAD_USER }, { "-1@host", URL_BAD_USER },
	{ "+1@host", URL_BAD_USER }, { " 1@host", URL_BAD_USER }, { "1 @host", URL_BAD_USER },
	{ "1x@host", URL_BAD_USER }, { "0x10@host", URL_BAD_USER }, { "2147483648@host", URL_BAD_USER },
	{ "18446744073709551617@host", URL_BAD_USER }, { "%31@host", URL_BAD_USER },
	{ "https://1151:secret@host", URL_BAD_USER }, { "1151:@host", URL_BAD_USER },
	{ ":secret@host", URL_BAD_USER }, { "jane:secret@host", URL_BAD_USER },
	{ "1151@@host", URL_BAD_USER }, { "1151@good@evil", URL_BAD_USER },
	{ "mailto:jane@host", URL_BAD_USER }, { "http://1151:x@localhost", URL_BAD_USER },
	{ "https://catalog.example.com@evil.example", URL_BAD_USER },
	{ "https://catalog.example.com\\@evil.example", URL_BAD_USER },
	{ "https://catalog.example.com:443@evil.example", URL_BAD_USER },
	{ "https://catalog.example.com;@evil.example", URL_BAD_USER },
	{ "https://catalog.example.com%2f@evil.example", URL_BAD_USER },
	{ "https://1151\\@evil.example", URL_BAD_USER }, { "https://[::1]@evil.example", URL_BAD_USER },
	{ "https://[::1@evil.example]", URL_BAD_USER },
	{ "https://catalog.example.com @evil.example", URL_BAD_USER },
};

/* Parses a copy in a block of exactly its size, so that a sanitizer sees every byte read too many; and sees to
 * it that a refusal leaves the result alone. */
static enum url_error parse(struct bytes text, struct url *url)
{
	struct url before;
	char *copy = malloc(text.n ? text.n : 1);
	enum url_error error;

	assert_non_null(copy);
	memcpy(copy, text.p, text.n);
	memset(url, 0x5a, sizeof *url);
	before = *url;
	error = url_parse((struct bytes){ copy, text.n }, url);
	free(copy);
	if (error)
		assert_memory_equal(url, &before, sizeof before);
	return error;
}

static bool is_loopback(const char *host)
{
	size_t address = strspn(host, "0123456789.");
	char last = '\0';

	if (strncmp(host, "127.", 4) == 0)
		last = host[address];
	else if (strncmp(host, "localhost", 9) == 0)
		last = host[9];
	else if (strncmp(host, "[::1]", 5) == 0)
		last = host[5];
	else
		return false;
	return last == '\0' || last == ':';
}

/* What holds of every address that was accepted. */
static void check_normal(const struct url *url)
{
	bool plain = strncmp(url->base, "http://", 7) == 0;
	struct url again;

	assert_non_null(memchr(url->base, '\0', sizeof url->base));
	assert_int_equal(strspn(url->base, "abcdefghijklmnopqrstuvwxyz0123456789.:/_[]-"), strlen(url->base));
	assert_true(plain || strncmp(url->base, "https://", 8) == 0);
	assert_ptr_equal(url->host, url->base + (plain ? 7 : 8));
	assert_null(strchr(url->host, '/'));
	assert_true(url->host[0] != '\0' && url->host[0] != ':');
	assert_true(url->user_id >= 0 && url->user_id <= USER_ID_MAX);
	if (plain)
		assert_true(is_loopback(url->host));
	assert_int_equal(parse(bytes_of(url->base), &again), URL_OK);
	assert_string_equal(again.base, url->base);
	assert_int_equal(again.user_id, 0);
	assert_false(again.cut);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct url url;
		enum url_error error = parse(bytes_of(good[i].text), &url);

		if (error)
			fail_msg("'%s': refused: %s", good[i].text, url_error_text(error));
		if (strcmp(url.base, good[i].base) != 0)
			fail_msg("'%s': '%s', not '%s'", good[i].text, url.base, good[i].base);
		if (url.user_id != good[i].user_id || url.cut != good[i].cut)
			fail_msg("'%s': user %lld, cut %d", good[i].text, (long long)url.user_id, url.cut);
		check_normal(&url);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct url url;
		enum url_error error = parse(bytes_of(bad[i].text), &url);

		if (error != bad[i].error)
			fail_msg("'%s': '%s', not '%s'", bad[i].text, url_error_text(error),
			         url_error_text(bad[i].error));
	}
}

static void test_nul_anywhere(void **state)
{
	static const char text[] = "https://1151@catalog.example.com:8443/path?query#fragment";
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof text; i++) {
		char copy[sizeof text];

		memcpy(copy, text, sizeof text);
		copy[i] = '\0'; /* the last round puts it behind everything, as part of the text */
		assert_int_equal(parse((struct bytes){ copy, sizeof copy }, &url), URL_BAD_HOST);
	}
	assert_int_equal(parse((struct bytes){ text, sizeof text - 1 }, &url), URL_OK);
	assert_int_equal(url_parse((struct bytes){ NULL, 0 }, &url), URL_EMPTY_HOST);
}

static void test_text_limit(void **state)
{
	static char text[URL_TEXT_MAX_BYTES + 1] = HOST "/";
	struct url url;

	(void)state;
	memset(text + sizeof HOST, 'x', sizeof text - sizeof HOST);
	assert_int_equal(parse((struct bytes){ text, URL_TEXT_MAX_BYTES }, &url), URL_OK);
	assert_string_equal(url.base, HOST);
	assert_true(url.cut);
	assert_int_equal(parse((struct bytes){ text, URL_TEXT_MAX_BYTES + 1 }, &url), URL_TOO_LONG);
}

/* The text may lie in the very struct the result goes to. */
static void test_in_place(void **state)
{
	struct url url;

	(void)state;
	assert_int_equal(url_parse(bytes_of("https://1151@Catalog.example.com:8443/x"), &url), URL_OK);
	assert_int_equal(url_parse(bytes_of(url.host), &url), URL_OK);
	assert_string_equal(url.base, HOST ":8443");
	assert_string_equal(url.host, "catalog.example.com:8443");
}

static void test_user_id(void **state)
{
	static const struct {
		const char *digits;
		int64_t want;
	} rows[] = {
		{ "1", 1 }, { "102", 102 }, { "2147483647", 2147483647 }, { "", 0 }, { "0", 0 }, { "007", 0 },
		{ "2147483648", 0 }, { "21474836470", 0 }, { "9223372036854775808", 0 }, { "18446744073709551617", 0 },
		{ "-5", 0 }, { "+5", 0 }, { "5 ", 0 }, { " 5", 0 }, { "5.0", 0 }, { "1e3", 0 }, { "0x5", 0 }, { "jane", 0 },
		{ "\xd9\xa3", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (url_user_id(bytes_of(rows[i].digits)) != rows[i].want)
			fail_msg("'%s' is not read as %lld", rows[i].digits, (long long)rows[i].want);
	assert_int_equal(url_user_id((struct bytes){ "12\0", 3 }), 0);
	assert_int_equal(url_user_id((struct bytes){ NULL, 0 }), 0);
}

static void test_every_error_has_its_words(void **state)
{
	(void)state;
	for (enum url_error a = URL_EMPTY_HOST; a <= URL_BAD_USER; a++) {
		const char *text = url_error_text(a);

		assert_true(strlen(text) > 10 && text[strlen(text) - 1] != '.');
		for (enum url_error b = URL_OK; b < a; b++)
			assert_string_not_equal(text, url_error_text(b));
	}
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Pieces that mean something to a parser, in any order, and now and then a byte of any value. */
static size_t random_text(uint64_t *seed, char *text, size_t room)
{
	static const char *const pieces[] = {
		"https://", "http://", "HTTPS://", "ftp://", "https:", "://", "//", "/", "?", "#", "@", ":",
		"\\", "%", ".", "..", "[", "]", "::", "::1", "[::1]", "fe80::1", "localhost", "LOCALHOST",
		"127.0.0.1", "127.", "127.1", "0x7f", "010", "1151@", "1151", "0", "65535", "65536",
		":8443", ":443", ":80", "catalog.example.com", "evil", "-", "_", "A", "ffff:", "%2f",
		"%25eth0", " ", "\xc3\xa9", "\xe2\x80\xae", A200,
	};
	size_t n = 0;

	for (uint32_t left = next_random(seed) % 7; left > 0; left--) {
		uint32_t pick = next_random(seed) % (sizeof pieces / sizeof pieces[0] + 3);
		char any = (char)(next_random(seed) & 0xff);
		struct bytes piece = { &any, 1 };

		if (pick < sizeof pieces / sizeof pieces[0])
			piece = bytes_of(pieces[pick]);
		if (piece.n > room - n)
			break;
		memcpy(text + n, piece.p, piece.n);
		n += piece.n;
	}
	return n;
}

static void test_random_bytes(void **state)
{
	enum { ROUNDS = 200000, ACCEPTED_AT_LEAST = 10000 };
	uint64_t seed = 20261125;
	size_t accepted = 0, seen[URL_BAD_USER + 1] = { 0 };

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		char text[1400];
		size_t n = random_text(&seed, text, sizeof text);
		struct url url;
		enum url_error error = parse((struct bytes){ text, n }, &url);

		assert_in_range(error, URL_OK, URL_BAD_USER);
		seen[error]++;
		if (error)
			continue;
		check_normal(&url);
		accepted++;
	}
	/* Else it had tested nothing. */
	assert_true(accepted >= ACCEPTED_AT_LEAST);
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		assert_true(seen[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul_anywhere),
		cmocka_unit_test(test_text_limit),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_user_id),
		cmocka_unit_test(test_every_error_has_its_words),
		cmocka_unit_test(test_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
