/* SPDX-License-Identifier: MIT */
/*
 * sniff.c: what is taken for a git request, whole, unfinished and cut off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "protocol/sniff.h"

#define BYTES(text) { text, sizeof text - 1 }
#define R SNIFF_REQUEST
#define M SNIFF_MORE
#define O SNIFF_OTHER
#define LOOK_BYTES 65536

/* What it is while more may come, once it has ended, and where there was no room for more. */
static const struct {
	struct bytes text;
	enum sniff open, ended, full;
} rows[] = {
	{ BYTES(""), M, O, O },
	/* whole with its empty line, however the rest is told */
	{ BYTES("protocol=https\nhost=h\n\n"), R, R, R },
	{ BYTES("host=h\n\n"), R, R, R },
	{ BYTES("url=https://h\n\n"), R, R, R },
	{ BYTES("protocol=https\n\n"), R, R, R },
	{ BYTES("capability[]=authtype\nprotocol=https\nhost=h\nwwwauth[]=Basic realm=\"a b\"\n\n"), R, R, R },
	{ BYTES("username=1\nx-new_key2[]=\n9=\nhost=h\n\n"), R, R, R },
	{ BYTES("host=\n\n"), R, R, R },
	/* git closes the pipe instead */
	{ BYTES("protocol=https\nhost=h\n"), M, R, R },
	{ BYTES("protocol=https\nhost=h"), M, R, R },
	{ BYTES("host=h"), M, R, O },
	{ BYTES("protocol="), M, R, O },
	/* no line of it says whose token */
	{ BYTES("username=1\npassword=p\n"), M, O, O },
	{ BYTES("username=1\npassword=p\n\n"), O, O, O },
	{ BYTES("username=1\nhost=h"), M, R, R },
	{ BYTES("username=1\nhost"), M, O, O },
	{ BYTES("\n"), O, O, O },
	{ BYTES("\nhost=h\n\n"), O, O, O },
	/* the first key is none of git's */
	{ BYTES("name=x\nhost=h\n\n"), O, O, O },
	{ BYTES("name=x"), O, O, O },
	{ BYTES("na"), O, O, O },
	{ BYTES("hosts"), O, O, O },
	{ BYTES("hos"), M, O, O },
	{ BYTES("capability["), M, O, O },
	{ BYTES("capability[x"), O, O, O },
	{ BYTES("capability=a\nhost=h\n\n"), O, O, O },
	{ BYTES("host[]=h\n\n"), O, O, O },
	/* a later key has the shape of one, or not yet */
	{ BYTES("host=h\nke"), M, O, R },
	{ BYTES("host=h\nk["), M, O, R },
	{ BYTES("host=h\nk[]"), M, O, R },
	{ BYTES("host=h\nk[]="), M, R, R },
	{ BYTES("host=h\nk[=1"), O, O, O },
	{ BYTES("host=h\nk[]x"), O, O, O },
	{ BYTES("host=h\nk]"), O, O, O },
	{ BYTES("host=h\n[]=1"), O, O, O },
	{ BYTES("host=h\n["), O, O, O },
	{ BYTES("host=h\n=1"), O, O, O },
	{ BYTES("host=h\nKey=1"), O, O, O },
	{ BYTES("host=h\nkey =1"), O, O, O },
	{ BYTES("host=h\n key=1"), O, O, O },
	{ BYTES("host=h\nk.y"), O, O, O },
	{ BYTES("host=h\nk\xc3\xa9"), O, O, O },
	{ BYTES("host=h\nkey\n"), O, O, O },
	{ BYTES("host=h\nkey\nhost=h\n"), O, O, O },
	/* something follows */
	{ BYTES("host=h\n\n\n"), O, O, O },
	{ BYTES("host=h\n\nhost=h\n"), O, O, O },
	{ BYTES("protocol=https\nhost=h\n\necho done\n"), O, O, O },
	/* scripts that go on behind us */
	{ BYTES("url=https://h/data\ncurl -sf \"$url\"\n"), O, O, O },
	{ BYTES("url=https://h/data\n\ncurl -sf \"$url\"\n"), O, O, O },
	{ BYTES("host=h\nexport host\n"), O, O, O },
	{ BYTES("host=h; port=80\nif test -n \"$host\"; then\n"), O, O, O },
	{ BYTES("#!/bin/sh\nhost=h\n"), O, O, O },
	{ BYTES("echo host=h\n"), O, O, O },
	{ BYTES("  host=h\n"), O, O, O },
	/* rows of a loop, data, binaries */
	{ BYTES("catalog.example.com\nother.example.com\n"), O, O, O },
	{ BYTES("1151\n"), O, O, O },
	{ BYTES("a row of words"), O, O, O },
	{ BYTES("{\"protocol\":\"https\",\"host\":\"h\"}\n"), O, O, O },
	{ BYTES("{"), O, O, O },
	{ BYTES("[host]\nhost=h\n"), O, O, O },
	{ BYTES("\0\0\0\0"), O, O, O },
	{ BYTES("\x7f" "ELF\x02\x01\x01"), O, O, O },
	{ BYTES("host\0=h\n\n"), O, O, O },
	{ BYTES("\xef\xbb\xbfhost=h\n\n"), O, O, O },
	{ BYTES("\xff\xfeh\0o\0s\0t\0=\0"), O, O, O },
	/* malformed, and a request all the same: git_parse() says what is wrong with it, and no token is printed */
	{ BYTES("protocol=https\nhost=h\r.evil\n\n"), R, R, R },
	{ BYTES("protocol=https\nhost=h\0.evil\n\n"), R, R, R },
	{ BYTES("protocol=https\r\nhost=h\r\n\r\n"), R, R, R },
	{ BYTES("protocol=https\r\nhost=h\r\n"), M, R, R },
	{ BYTES("protocol=https\r\nhost=h\r\n\r"), M, R, R },
	{ BYTES("url=no scheme\n\n"), R, R, R },
	/* but not a script's lines with such ends */
	{ BYTES("url=https://h\r\n\r\necho\r\n"), O, O, O },
	{ BYTES("host=h\r\n\rx"), O, O, O },
	{ BYTES("\r\n"), O, O, O },
	{ BYTES("host=h\n\r\n\n"), O, O, O },
};

/* A copy that ends where its bytes end, so that a sanitizer sees who reads on. */
static enum sniff sniff_exact(struct bytes text, bool ended, bool full)
{
	char *copy = malloc(text.n ? text.n : 1);
	enum sniff what;

	assert_non_null(copy);
	memcpy(copy, text.p, text.n);
	what = sniff((struct bytes){ copy, text.n }, ended, full);
	free(copy);
	return what;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (sniff_exact(rows[i].text, false, false) != rows[i].open)
			fail_msg("'%s', open", rows[i].text.p);
		if (sniff_exact(rows[i].text, true, false) != rows[i].ended)
			fail_msg("'%s', ended", rows[i].text.p);
		if (sniff_exact(rows[i].text, false, true) != rows[i].full)
			fail_msg("'%s', full", rows[i].text.p);
		/* what has ended needs no room */
		if (sniff_exact(rows[i].text, true, true) != rows[i].ended)
			fail_msg("'%s', ended and full", rows[i].text.p);
	}
	assert_int_equal(sniff((struct bytes){ NULL, 0 }, false, false), SNIFF_MORE);
	assert_int_equal(sniff((struct bytes){ NULL, 0 }, true, false), SNIFF_OTHER);
}

/* Byte by byte: it stays possible until it is there, and is never found too early. */
static void test_every_prefix(void **state)
{
	static const struct bytes requests[] = {
		BYTES("protocol=https\nhost=catalog.example.com:8443\nusername=102\n\n"),
		BYTES("capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=h\nwwwauth[]=Basic realm=\"x\"\n\n"),
		BYTES("url=https://102:tok@h/p?q#f\nx-new[]=\n\n"),
		BYTES("protocol=https\r\nhost=h\r\n\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		for (size_t n = 0; n < requests[i].n; n++)
			if (sniff_exact((struct bytes){ requests[i].p, n }, false, false) != SNIFF_MORE)
				fail_msg("%zu bytes of '%s'", n, requests[i].p);
		assert_int_equal(sniff_exact(requests[i], false, false), SNIFF_REQUEST);
	}
}

/* What was clear stays clear, whatever comes behind it. */
static void test_other_stays_other(void **state)
{
	static const char tail[] = "\nhost=h\n\n";

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		struct bytes longer = { text, rows[i].text.n };

		if (rows[i].open != SNIFF_OTHER)
			continue;
		memcpy(text, rows[i].text.p, rows[i].text.n);
		for (size_t n = 0; n < sizeof tail - 1; n++) {
			text[longer.n++] = tail[n];
			if (sniff_exact(longer, false, false) != SNIFF_OTHER)
				fail_msg("'%s' and %zu more", rows[i].text.p, n + 1);
		}
	}
}

/* 64 KiB, all that is looked at: START, then x's, then END. */
static enum sniff filled(const char *start, const char *end, bool ended)
{
	char *text = malloc(LOOK_BYTES);
	enum sniff what;

	assert_non_null(text);
	memset(text, 'x', LOOK_BYTES);
	memcpy(text, start, strlen(start));
	memcpy(text + LOOK_BYTES - strlen(end), end, strlen(end));
	what = sniff((struct bytes){ text, LOOK_BYTES }, ended, true);
	free(text);
	return what;
}

static void test_full(void **state)
{
	static const struct {
		const char *start, *end;
		enum sniff full, ended;
	} full[] = {
		{ "", "", O, O },
		{ "host=", "", O, R },                       /* one line without an end */
		{ "host=", "\n", R, R },
		{ "host=", "\n\n", R, R },
		{ "protocol=https\nhost=", "", R, R },       /* git's, with a URL that somebody made long */
		{ "protocol=https\nhost=h\nwwwauth[]=", "", R, R },
		{ "protocol=https\nhost=h\n", "", R, O },    /* a long key */
		{ "protocol=https\nhost=h\n", "X", O, O },
		{ "protocol=https\nhost=h\n\n", "", O, O },
		{ "capability[]=authtype\nusername=", "", O, O },
		{ "capability[]=authtype\nhost=", "", R, R },
		{ "url=https://h\necho ", "", O, O },
		{ "a row of data\n", "\n", O, O },
	};

	(void)state;
	for (size_t i = 0; i < sizeof full / sizeof *full; i++) {
		if (filled(full[i].start, full[i].end, false) != full[i].full)
			fail_msg("'%s', full", full[i].start);
		if (filled(full[i].start, full[i].end, true) != full[i].ended)
			fail_msg("'%s', ended", full[i].start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_other_stays_other),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
