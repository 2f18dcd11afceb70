/* SPDX-License-Identifier: MIT */
/*
 * account.c: what was said of an account leads to exactly that one, or to the choices, or to nothing; never to
 * one that merely looks like it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper/account.h"

static struct account known[] = {
	{ .base_url = "https://catalog.example.com", .user_id = 102, .module = "m", .unknown = (char *)(uintptr_t)"&x=1" },
	{ .base_url = "https://catalog.example.com", .user_id = 103, .module = "m" },
	{ .base_url = "https://other.example.com:8443", .user_id = 102, .module = "m", .is_default = true },
	{ .base_url = "http://localhost:8080", .user_id = 1, .module = "m" },
	{ .base_url = "https://[2001:db8::1]", .user_id = 5, .module = "m" },
};
static const struct accounts all = { .list = known, .n = sizeof known / sizeof *known };
static struct context context;

static enum outcome choose(const struct accounts *accounts, const char *argument, struct account *ret_account)
{
	context = (struct context){ 0 };
	return account_choose(&context, accounts, argument, ret_account);
}

static int setup(void **state)
{
	(void)state;
	return unsetenv("ALATION_BASE_URL") || unsetenv("ALATION_USER_ID");
}

#define CATALOG "catalog.example.com"
static const struct row {
	const char *argument, *base_url, *user_id; /* the argument, and the two variables */
	const char *want;                          /* the account's text, or NULL */
	enum trouble_code code;
} rows[] = {
	/* nothing said: the default */
	{ NULL, NULL, NULL, "https://102@other.example.com:8443", 0 },
	{ NULL, "", "", "https://102@other.example.com:8443", 0 },
	/* an argument */
	{ "https://102@" CATALOG, NULL, NULL, "https://102@" CATALOG, 0 },
	{ "https://103@" CATALOG, NULL, NULL, "https://103@" CATALOG, 0 },
	{ "103@" CATALOG, NULL, NULL, "https://103@" CATALOG, 0 },
	{ "HTTPS://103@Catalog.Example.COM.:443/", NULL, NULL, "https://103@" CATALOG, 0 },
	{ "https://103@" CATALOG "/data/1?x=1#y", NULL, NULL, "https://103@" CATALOG, 0 },
	{ "other.example.com:8443", NULL, NULL, "https://102@other.example.com:8443", 0 },
	{ "https://other.example.com:8443", NULL, NULL, "https://102@other.example.com:8443", 0 },
	{ "[2001:DB8:0:0::1]", NULL, NULL, "https://5@[2001:db8::1]", 0 },
	/* a host alone may be on plain http; a URL says which */
	{ "localhost:8080", NULL, NULL, "http://1@localhost:8080", 0 },
	{ "1@localhost:8080", NULL, NULL, "http://1@localhost:8080", 0 },
	{ "http://localhost:8080", NULL, NULL, "http://1@localhost:8080", 0 },
	{ "https://localhost:8080", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	/* named whole but not in the list: the stack may know it */
	{ "https://104@" CATALOG, NULL, NULL, "https://104@" CATALOG, 0 },
	{ "104@new.example.com", NULL, NULL, "https://104@new.example.com", 0 },
	{ NULL, "https://new.example.com", "9", "https://9@new.example.com", 0 },
	/* look-alikes */
	{ "example.com", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "catalog.example.co", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ CATALOG ".evil.net", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "https://" CATALOG ".evil.net", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "https://catalog.example.co", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "https://" CATALOG ":8443", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "x" CATALOG, NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "catalog-example.com", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ CATALOG ":8443", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "other.example.com", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "localhost", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "127.0.0.1:8080", NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	{ "https://evil.net/https://102@" CATALOG, NULL, NULL, NULL, TROUBLE_NO_ACCOUNT },
	/* more than one */
	{ CATALOG, NULL, NULL, NULL, TROUBLE_AMBIGUOUS_ACCOUNT },
	{ NULL, "https://" CATALOG, NULL, NULL, TROUBLE_AMBIGUOUS_ACCOUNT },
	/* the variables, each narrowing; an argument goes before both */
	{ NULL, "https://" CATALOG, "103", "https://103@" CATALOG, 0 },
	{ NULL, "https://103@" CATALOG, NULL, "https://103@" CATALOG, 0 },
	{ NULL, "https://103@" CATALOG, "103", "https://103@" CATALOG, 0 },
	{ NULL, "http://localhost:8080", NULL, "http://1@localhost:8080", 0 },
	{ NULL, NULL, "5", "https://5@[2001:db8::1]", 0 },
	{ NULL, NULL, "102", "https://102@other.example.com:8443", 0 }, /* two, and one is the default */
	{ NULL, NULL, "9", NULL, TROUBLE_NO_ACCOUNT },
	{ "localhost:8080", "https://" CATALOG, "103", "http://1@localhost:8080", 0 },
	{ "localhost:8080", "not a url at all", "x", "http://1@localhost:8080", 0 },
	/* what is malformed */
	{ "", NULL, NULL, NULL, TROUBLE_USAGE },
	{ "ftp://" CATALOG, NULL, NULL, NULL, TROUBLE_USAGE },
	{ "http://" CATALOG, NULL, NULL, NULL, TROUBLE_USAGE },
	{ "https://bob:hunter2@" CATALOG, NULL, NULL, NULL, TROUBLE_USAGE },
	{ "https://0@" CATALOG, NULL, NULL, NULL, TROUBLE_USAGE },
	{ "https://" CATALOG ":99999", NULL, NULL, NULL, TROUBLE_USAGE },
	{ "two words", NULL, NULL, NULL, TROUBLE_USAGE },
	{ NULL, "hunter2 is no url", NULL, NULL, TROUBLE_USAGE },
	{ NULL, NULL, "0", NULL, TROUBLE_USAGE },
	{ NULL, NULL, "-1", NULL, TROUBLE_USAGE },
	{ NULL, NULL, "2147483648", NULL, TROUBLE_USAGE },
	{ NULL, NULL, "bob", NULL, TROUBLE_USAGE },
	{ NULL, "https://102@" CATALOG, "103", NULL, TROUBLE_USAGE },
};

static void what_is_said_names_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct account account = { .user_id = 77 };
		char text[ACCOUNT_TEXT_BYTES];
		enum outcome outcome;

		setup(NULL);
		if (rows[i].base_url)
			setenv("ALATION_BASE_URL", rows[i].base_url, 1);
		if (rows[i].user_id)
			setenv("ALATION_USER_ID", rows[i].user_id, 1);
		outcome = choose(&all, rows[i].argument, &account);
		if (context.trouble.code != rows[i].code)
			print_message("row %zu: %s\n", i, context.trouble.message);
		assert_int_equal(context.trouble.code, rows[i].code);
		assert_int_equal(outcome, trouble_outcome(rows[i].code));
		assert_null(strstr(context.trouble.message, "hunter2"));
		if (!rows[i].want) {
			assert_int_equal(account.user_id, 77);
			continue;
		}
		assert_string_equal(account_text(&account, text), rows[i].want);
		assert_null(account.unknown);
		assert_string_equal(account.module, accounts_find(&all, account.base_url, account.user_id) ? "m" : "");
	}
}

static void the_choices_are_listed(void **state)
{
	struct account account;

	(void)state;
	assert_int_equal(choose(&all, CATALOG, &account), USAGE);
	assert_non_null(strstr(context.trouble.message, "https://102@" CATALOG ", https://103@" CATALOG));
	assert_null(strstr(context.trouble.message, "other.example.com"));
}

static void many_choices_are_cut_between_two(void **state)
{
	static struct account many[40];
	const struct accounts list = { .list = many, .n = 40 };
	struct account account;
	const char *end;
	int shown = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		many[i] = (struct account){ .base_url = "https://a-rather-long-name.example.com", .user_id = 1000 + i };
	assert_int_equal(choose(&list, NULL, &account), USAGE);
	for (const char *p = context.trouble.message; (p = strstr(p, "@a-rather-long-name.example.com")); p++)
		shown++;
	end = strstr(context.trouble.message, " and ");
	assert_non_null(end);
	assert_int_equal(strncmp(end - 4, ".com", 4), 0);
	assert_in_range(shown, 2, 39);
	assert_int_equal(atoi(end + strlen(" and ")), 40 - shown);
	assert_string_equal(strstr(end, " more"), " more");
}

static void few_accounts(void **state)
{
	const struct accounts none = { 0 }, one = { .list = known, .n = 1 }, two = { .list = known, .n = 2 };
	struct account account;

	(void)state;
	assert_int_equal(choose(&none, NULL, &account), LOGIN_NEEDED);
	assert_non_null(strstr(context.trouble.message, "nobody is logged in"));
	assert_int_equal(choose(&none, CATALOG, &account), LOGIN_NEEDED);
	assert_int_equal(choose(&none, "102@" CATALOG, &account), DONE);
	/* one, though nothing says that it is the default */
	assert_int_equal(choose(&one, NULL, &account), DONE);
	assert_int_equal(account.user_id, 102);
	assert_int_equal(choose(&two, NULL, &account), USAGE);
}

static void under_sudo_it_says_whose_accounts_count(void **state)
{
	const struct accounts none = { 0 };
	struct account account;
	char own[32];

	(void)state;
	setenv("SUDO_UID", "1988000000", 1);
	assert_int_equal(choose(&none, NULL, &account), LOGIN_NEEDED);
	assert_non_null(strstr(context.trouble.message, "whom sudo has made of you"));
	assert_non_null(strstr(context.trouble.remedy, "without sudo"));
	snprintf(own, sizeof own, "%u", (unsigned)geteuid());
	setenv("SUDO_UID", own, 1);
	assert_int_equal(choose(&none, NULL, &account), LOGIN_NEEDED);
	assert_null(strstr(context.trouble.message, "sudo"));
	unsetenv("SUDO_UID");
}

static void a_page_is_cut_and_said(void **state)
{
	struct account account;

	(void)state;
	assert_int_equal(choose(&all, "https://102@" CATALOG "/", &account), DONE);
	assert_int_equal(context.n_warnings, 0);
	assert_int_equal(choose(&all, "https://102@" CATALOG "/table/1?token=hunter2", &account), DONE);
	assert_int_equal(context.n_warnings, 1);
	assert_string_equal(context.warnings[0].code, "url_cut");
	assert_non_null(strstr(context.warnings[0].message, "https://" CATALOG));
	assert_null(strstr(context.warnings[0].message, "hunter2"));
}

/* A request of git's protocol: what it names, in the form of keys, or NULL where that is nobody of ours. */
static const struct request_row {
	const char *protocol, *host, *username, *base;
	int64_t user_id;
} requests[] = {
	{ "https", CATALOG, NULL, "https://" CATALOG, 0 },
	{ "https", CATALOG, "102", "https://" CATALOG, 102 },
	{ "https", "Catalog.Example.COM.", "102", "https://" CATALOG, 102 },
	{ "https", CATALOG ":443", NULL, "https://" CATALOG, 0 },
	{ "https", CATALOG ":8443", NULL, "https://" CATALOG ":8443", 0 },
	{ "https", "[2001:DB8:0:0::1]", "5", "https://[2001:db8::1]", 5 },
	{ "https", "[2001:db8::1]:8443", NULL, "https://[2001:db8::1]:8443", 0 },
	{ "http", "localhost:8080", "1", "http://localhost:8080", 1 },
	{ "http", "127.0.0.1:8080", "1", "http://127.0.0.1:8080", 1 },
	{ "http", "[::1]", NULL, "http://[::1]", 0 },
	/* protocols that are not ours */
	{ "http", CATALOG, "102", NULL, 0 },
	{ "http", "localhost." CATALOG, NULL, NULL, 0 },
	{ "ssh", CATALOG, NULL, NULL, 0 },
	{ "", CATALOG, NULL, NULL, 0 },
	{ "https:", CATALOG, NULL, NULL, 0 },
	{ "https://evil.net/?", CATALOG, NULL, NULL, 0 },
	{ "https://102@", CATALOG, NULL, NULL, 0 },
	/* hosts that are none */
	{ "https", "", NULL, NULL, 0 },
	{ "https", "102@" CATALOG, NULL, NULL, 0 },
	{ "https", CATALOG "@evil.net", NULL, NULL, 0 },
	{ "https", "evil.net/@" CATALOG, NULL, NULL, 0 },
	{ "https", CATALOG "/", NULL, NULL, 0 },
	{ "https", CATALOG "/path", NULL, NULL, 0 },
	{ "https", CATALOG "?x", NULL, NULL, 0 },
	{ "https", CATALOG "#x", NULL, NULL, 0 },
	{ "https", CATALOG "\\x", NULL, NULL, 0 },
	{ "https", CATALOG ":", NULL, NULL, 0 },
	{ "https", CATALOG ":0", NULL, NULL, 0 },
	{ "https", CATALOG ":65536", NULL, NULL, 0 },
	{ "https", CATALOG ":443:443", NULL, NULL, 0 },
	{ "https", " " CATALOG, NULL, NULL, 0 },
	{ "https", CATALOG " ", NULL, NULL, 0 },
	{ "https", "catal\xc3\xb6g.example.com", NULL, NULL, 0 },
	{ "https", "catalog\xe3\x80\x82" "example.com", NULL, NULL, 0 },
	{ "https", "2001:db8::1", NULL, NULL, 0 },
	{ "https", "[2001:db8::1", NULL, NULL, 0 },
	/* users that are none of ours: they are for another helper */
	{ "https", CATALOG, "", NULL, 0 },
	{ "https", CATALOG, "0", NULL, 0 },
	{ "https", CATALOG, "0102", NULL, 0 },
	{ "https", CATALOG, "-102", NULL, 0 },
	{ "https", CATALOG, "102 ", NULL, 0 },
	{ "https", CATALOG, "demo", NULL, 0 },
	{ "https", CATALOG, "102@evil.net", NULL, 0 },
	{ "https", CATALOG, "2147483648", NULL, 0 },
	{ "https", CATALOG, "\xd9\xa1", NULL, 0 },
	{ "https", CATALOG, "2147483647", "https://" CATALOG, 2147483647 },
};

static struct request a_request(const char *protocol, const char *host, const char *username)
{
	struct request request = { .protocol = bytes_of(protocol), .host = bytes_of(host) };

	if (username)
		request.username = bytes_of(username);
	return request;
}

static void a_request_names_an_instance_or_nobody(void **state)
{
	static const char nul[] = "catalog.example\0.com";
	struct request with_nul = a_request("https", "", NULL);
	char longest[URL_HOST_MAX_BYTES + 2] = "";
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		const struct request_row *row = &requests[i];
		struct request request = a_request(row->protocol, row->host, row->username);

		if (account_of_request(&request, &url) != !!row->base)
			fail_msg("row %zu: %s://%s", i, row->protocol, row->host);
		if (!row->base)
			continue;
		assert_string_equal(url.base, row->base);
		assert_string_equal(url.host, strstr(row->base, "://") + 3);
		assert_int_equal(url.user_id, row->user_id);
	}
	with_nul.host = (struct bytes){ nul, sizeof nul - 1 };
	assert_false(account_of_request(&with_nul, &url));
	memset(longest, 'a', URL_HOST_MAX_BYTES);
	assert_true(account_of_request(&(struct request){ .protocol = bytes_of("https"), .host = bytes_of(longest) }, &url));
	longest[URL_HOST_MAX_BYTES] = 'a';
	assert_false(account_of_request(&(struct request){ .protocol = bytes_of("https"), .host = bytes_of(longest) }, &url));
}

static void a_request_finds_its_account_and_no_other(void **state)
{
	static const struct {
		const char *protocol, *host, *username, *want; /* an account's text, or NULL */
		enum trouble_code code;
	} cases[] = {
		{ "https", CATALOG, "102", "https://102@" CATALOG, 0 },
		{ "https", CATALOG, "103", "https://103@" CATALOG, 0 },
		{ "https", "CATALOG.example.com:443", "103", "https://103@" CATALOG, 0 },
		{ "https", "other.example.com:8443", NULL, "https://102@other.example.com:8443", 0 },
		{ "https", "[2001:db8:0::1]", NULL, "https://5@[2001:db8::1]", 0 },
		{ "http", "localhost:8080", NULL, "http://1@localhost:8080", 0 },
		{ "https", CATALOG, NULL, NULL, TROUBLE_AMBIGUOUS_ACCOUNT },
		/* never one that the list does not have, not even where it is named whole */
		{ "https", CATALOG, "104", NULL, 0 },
		{ "https", "new.example.com", "102", NULL, 0 },
		/* the default is no answer for another host */
		{ "https", "new.example.com", NULL, NULL, 0 },
		{ "https", CATALOG ".evil.net", NULL, NULL, 0 },
		{ "https", "evil-" CATALOG, NULL, NULL, 0 },
		{ "https", CATALOG ":444", "102", NULL, 0 },
		{ "https", "other.example.com", NULL, NULL, 0 },
		{ "https", "other.example.com:8443", "103", NULL, 0 },
		{ "https", "localhost:8080", NULL, NULL, 0 },
		{ "http", "127.0.0.1:8080", NULL, NULL, 0 },
		{ "http", "localhost:80", NULL, NULL, 0 },
		{ "https", "[2001:db8::1]:8443", NULL, NULL, 0 },
		{ "https", "[2001:db8::2]", "5", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct request request = a_request(cases[i].protocol, cases[i].host, cases[i].username);
		struct account account = { .user_id = 77 };
		char text[ACCOUNT_TEXT_BYTES];
		struct url url;
		bool found;

		context = (struct context){ 0 };
		/* a variable is for those who name nothing: a request always does */
		setenv("ALATION_BASE_URL", "https://103@" CATALOG, 1);
		assert_true(account_of_request(&request, &url));
		account_choose_for(&context, &all, &url, &account, &found);
		if (context.trouble.code != cases[i].code || (cases[i].want || cases[i].code) != found)
			fail_msg("case %zu: %s", i, cases[i].host);
		if (!cases[i].want) {
			assert_int_equal(account.user_id, 77);
			continue;
		}
		assert_string_equal(account_text(&account, text), cases[i].want);
		assert_null(account.unknown);
		for (size_t j = 0; j < all.n; j++)
			assert_int_equal(account_is_meant(&known[j], &url), accounts_find(&all, account.base_url, account.user_id) == &known[j]);
	}
	unsetenv("ALATION_BASE_URL");
}

/* Two on one host, and one of them is the default; without a user name it is meant. */
static void a_default_on_the_host_is_meant(void **state)
{
	struct account two[] = { known[0], known[1] }, account;
	const struct accounts list = { .list = two, .n = 2 }, none = { 0 };
	struct request request = a_request("https", CATALOG, NULL);
	struct url url;
	bool found = false;

	(void)state;
	two[1].is_default = true;
	context = (struct context){ 0 };
	assert_true(account_of_request(&request, &url));
	assert_int_equal(account_choose_for(&context, &list, &url, &account, &found), DONE);
	assert_true(found);
	assert_int_equal(account.user_id, 103);
	assert_true(account_is_meant(&two[0], &url) && account_is_meant(&two[1], &url));
	assert_int_equal(account_choose_for(&context, &none, &url, &account, &found), DONE);
	assert_false(found);
}

/* The longest host there is, and no two accounts with one lock. */
static void lock_names(void **state)
{
	struct account longest = { .user_id = USER_ID_MAX };
	char name[ACCOUNT_LOCK_BYTES], other[ACCOUNT_LOCK_BYTES], text[ACCOUNT_TEXT_BYTES];

	(void)state;
	snprintf(longest.base_url, sizeof longest.base_url, "https://%0*d:65535", URL_HOST_MAX_BYTES, 0);
	account_lock_name(&longest, name);
	assert_string_equal(name + strlen(name) - 8, "%3A65535");
	assert_true(strlen(name) <= 255);
	assert_null(strchr(name, '/'));
	account_text(&longest, text);
	assert_string_equal(text + strlen(text) - 6, ":65535");
	for (size_t i = 0; i < all.n; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(account_lock_name(&known[i], name), account_lock_name(&known[j], other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_names_one),
		cmocka_unit_test_setup(the_choices_are_listed, setup),
		cmocka_unit_test_setup(many_choices_are_cut_between_two, setup),
		cmocka_unit_test_setup(few_accounts, setup),
		cmocka_unit_test_setup(under_sudo_it_says_whose_accounts_count, setup),
		cmocka_unit_test_setup(a_page_is_cut_and_said, setup),
		cmocka_unit_test(lock_names),
		cmocka_unit_test(a_request_names_an_instance_or_nobody),
		cmocka_unit_test_setup(a_request_finds_its_account_and_no_other, setup),
		cmocka_unit_test(a_default_on_the_host_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
