/* SPDX-License-Identifier: MIT */
/*
 * The module docker-helper: what a helper is told, what its answers mean, and that none is believed blindly.
 */
#include "tests/keyring/docker-helper-host.h"

#include <malloc.h>

#ifndef __SANITIZE_ADDRESS__ /* which has a free() of its own */
void __libc_free(void *);

static bool watched, unwiped;

void free(void *memory)
{
	if (watched && memory != NULL && memmem(memory, malloc_usable_size(memory), "SECRET", strlen("SECRET")) != NULL)
		unwiped = true;
	__libc_free(memory);
}
#endif

static void assert_calls(const char *calls)
{
	assert_string_equal(read_text("calls"), calls);
}

static void what_it_is_told(void **unused)
{
	(void)unused;
	assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_OK);
	assert_string_equal(read_text("store.in"), "{\"ServerURL\":\"" ENTRY "\",\"Username\":\"102\",\"Secret\":\"" RECORD "\"}\n");
	assert_calls("store ");
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_OK);
	assert_string_equal(read_text("get.in"), ENTRY);
	assert_int_equal(n_found, strlen("v=1&refresh_token=SECRET-0123456789"));
	assert_memory_equal(found, "v=1&refresh_token=SECRET-0123456789", n_found);
	assert_calls("get ");
	assert_string_equal(noted, "");
	put_answer = -1;
	assert_int_equal(lookup(), ACRED_FAILED);
}

/* Each facility and account has an entry of its own. */
static void entries(void **unused)
{
	static const struct {
		struct acred_key key;
		const char *url;
	} rows[] = {
		{ { "access", URL, 102 }, URL "/alation-cred/access/102" },
		{ { "refresh", URL ":8443", 2147483647 }, URL ":8443/alation-cred/refresh/2147483647" },
		{ { "refresh", "http://[::1]:80", 1 }, "http://[::1]:80/alation-cred/refresh/1" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		says("get", NOT_FOUND, "1");
		assert_int_equal(module->lookup(&call, state, &rows[i].key), ACRED_ABSENT);
		assert_string_equal(read_text("get.in"), rows[i].url);
	}
}

static void what_is_not_stored(void **unused)
{
	static const char *const bad[] = { "SECRET\n", "SECRET\"", "SECRET\\", "SECRET ", "SECRET\x7f", "SECRET\xc3\xa4", "\tSECRET" };
	static char longest[56 * 1024 + 1];

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(store(bad[i], strlen(bad[i])), ACRED_FAILED);
	assert_int_equal(store("SECRET\0SECRET", 13), ACRED_FAILED);
	assert_int_equal(store("", 0), ACRED_FAILED);
	memset(longest, 'x', sizeof longest);
	assert_int_equal(store(longest, sizeof longest), ACRED_FAILED);
	assert_calls("");
	assert_int_equal(store(longest, sizeof longest - 1), ACRED_OK);
	assert_true(strlen(read_text("store.in")) < 64 * 1024);
}

#define ANSWER_OF(url, user, secret) "{\"ServerURL\":\"" url "\",\"Username\":\"" user "\",\"Secret\":\"" secret "\"}"

/* Of `get`, with an exit of 0; each has the word SECRET in it, which no note repeats. */
static void answers(void **unused)
{
	static const struct {
		const char *out;
		int status;
		const char *words;
	} rows[] = {
		{ ANSWER_OF(ENTRY, "102", "SECRET"), ACRED_OK, "" },
		{ " \r\n" ANSWER_OF(ENTRY, "102", "SECRET") " \n\n", ACRED_OK, "" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\"}", ACRED_OK, "" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",\"Expires\":[1,{\"x\":null}],\"More\":\"SECRET\"}", ACRED_OK, "" },
		/* Debian's docker-credential-pass says 'absent' so */
		{ ANSWER_OF(ENTRY, "", ""), ACRED_ABSENT, "" },

		{ "", ACRED_FAILED, "its answer is empty" },
		{ "\n", ACRED_FAILED, "its answer is empty" },
		{ "SECRET", ACRED_FAILED, "is not JSON" },
		{ "null", ACRED_FAILED, "is not JSON" },
		{ "\"SECRET\"", ACRED_FAILED, "not an object" },
		{ "[\"SECRET\"]", ACRED_FAILED, "not an object" },
		{ ANSWER_OF(ENTRY, "102", "SECRET") "x", ACRED_FAILED, "is not JSON" },
		{ ANSWER_OF(ENTRY, "102", "SECRET") ANSWER_OF(ENTRY, "102", "SECRET"), ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",}", ACRED_FAILED, "is not JSON" },
		{ "{'Username':\"102\",\"Secret\":\"SECRET\"}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",\"x\":NaN}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",\"x\":[[[[[[[[[[]]]]]]]]]]}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\n\"}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\xff\"}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\\u0000\"}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\\u0000\":\"SECRET\"}", ACRED_FAILED, "is not JSON" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",\"Secret\":\"SECRET\"}", ACRED_FAILED, "twice" },
		{ "{\"Username\":\"102\",\"Secret\":\"SECRET\",\"\\u0053ecret\":\"SECRET\"}", ACRED_FAILED, "twice" },
		{ "{}", ACRED_FAILED, "lacks" },
		{ "{\"Secret\":\"SECRET\"}", ACRED_FAILED, "lacks" },
		{ "{\"Username\":\"102\"}", ACRED_FAILED, "lacks" },
		{ "{\"Username\":102,\"Secret\":\"SECRET\"}", ACRED_FAILED, "lacks" },
		{ "{\"Username\":\"102\",\"Secret\":[\"SECRET\"]}", ACRED_FAILED, "lacks" },
		{ "{\"Username\":\"102\",\"Secret\":null,\"x\":\"SECRET\"}", ACRED_FAILED, "lacks" },
		{ "{\"ServerURL\":null,\"Username\":\"102\",\"Secret\":\"SECRET\"}", ACRED_FAILED, "lacks" },
		{ ANSWER_OF(ENTRY "0", "102", "SECRET"), ACRED_FAILED, "another server" },
		{ ANSWER_OF(URL, "102", "SECRET"), ACRED_FAILED, "another server" },
		{ ANSWER_OF("", "102", "SECRET"), ACRED_FAILED, "another server" },
		{ ANSWER_OF(ENTRY, "10", "SECRET"), ACRED_FAILED, "another user" },
		{ ANSWER_OF(ENTRY, "1020", "SECRET"), ACRED_FAILED, "another user" },
		{ ANSWER_OF(ENTRY, "", "SECRET"), ACRED_FAILED, "another user" },
		{ ANSWER_OF(ENTRY, "102", ""), ACRED_FAILED, "no secret" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int got;

		says("get", rows[i].out, "0");
		got = lookup();
		if (got != rows[i].status || strstr(noted, rows[i].words) == NULL)
			fail_msg("%s: status %d, not %d; noted '%s', not '%s'", rows[i].out, got, rows[i].status, noted, rows[i].words);
		assert_int_equal(n_found, got == ACRED_OK ? strlen("SECRET") : 0);
	}
	write_file("get.out", "{\"Username\":\"102\",\"Secret\":\"SECRET\"}\0", 38);
	assert_int_equal(lookup(), ACRED_FAILED);
}

/* Whatever is wrong with it, and however far it was read. */
static void answers_are_wiped(void **unused)
{
#ifdef __SANITIZE_ADDRESS__
	(void)unused;
	skip();
#else
	static const char *const said[] = {
		ANSWER,
		ANSWER "x",
		ANSWER_OF(ENTRY, "102", "SECRET-0123456789-0123456789") "x",
		"{\"Secret\":\"SECRET-0123456789-0123456789\"",
		"{\"Secret\":\"SECRET-0123456789-0123456789\",",
		"{\"Secret\":\"SECRET-0123456789-0123456789\" x",
		"{\"x\":{\"Secret\":\"SECRET-0123456789-0123456789\",\"x\":[\"SECRET-0123456789-0123456789\",",
		"[[[[[[[\"SECRET-0123456789-0123456789\",[\"SECRET-0123456789-0123456789\"",
		"\"SECRET-0123456789-0123456789",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		says("get", said[i], "0");
		watched = true;
		lookup();
		watched = false;
		if (unwiped)
			fail_msg("not wiped: %s", said[i]);
	}
#endif
}

/* What a helper says that does not exit with 0. The texts are those of Debian's two, and of what stands behind them. */
static void failures(void **unused)
{
	static const char passphrase[] = "exit status 2: [GNUPG:] ENC_TO 0123456789ABCDEF 1 0\n[GNUPG:] KEY_CONSIDERED 0123 0\n[GNUPG:] BEGIN_DECRYPTION\n"
		"[GNUPG:] DECRYPTION_FAILED\ngpg: decryption failed: No secret key\n[GNUPG:] END_DECRYPTION\n\n";
	static const char key_gone[] = "exit status 2: [GNUPG:] ENC_TO 0123456789ABCDEF 1 0\n[GNUPG:] BEGIN_DECRYPTION\n"
		"[GNUPG:] DECRYPTION_FAILED\ngpg: decryption failed: No secret key\n[GNUPG:] END_DECRYPTION\n\n";
	static const struct {
		const char *out, *err, *code;
		int status;
		const char *words;
	} rows[] = {
		{ NOT_FOUND, "", "1", ACRED_ABSENT, "" },
		{ "credentials not found in native keychain", "a warning\n", "1", ACRED_ABSENT, "" },
		{ "no usernames for " ENTRY "\n", "", "1", ACRED_ABSENT, "" },
		{ "the " NOT_FOUND, "", "1", ACRED_FAILED, "the credentials not found in native keychain" },

		{ passphrase, "", "1", ACRED_LOCKED, "did not get the passphrase" },
		{ "", passphrase, "1", ACRED_LOCKED, "did not get the passphrase" },
		{ "exit status 2: gpg: decryption failed: No pinentry\n", "", "1", ACRED_LOCKED, "No pinentry" },
		{ "exit status 2: gpg: decryption failed: Operation cancelled\n", "", "1", ACRED_LOCKED, "Operation cancelled" },
		{ "Cannot create an item in a locked collection\n", "", "1", ACRED_LOCKED, "locked collection" },
		{ "", "\n(process:1): libsecret-CRITICAL **: secret_value_get: assertion 'value' failed\nfatal error: x\n", "2", ACRED_LOCKED,
		  "its keyring is locked" },

		{ "pass not initialized: exit status 1: Error: password store is empty. Try \"pass init\".\n", "", "1", ACRED_UNAVAILABLE, "Try \"pass init\"" },
		{ "pass not initialized: exec: \"pass\": executable file not found in $PATH: \n", "", "1", ACRED_UNAVAILABLE, "\"pass\": executable file" },
		{ "The name org.freedesktop.secrets was not provided by any .service files\n", "", "1", ACRED_UNAVAILABLE, "org.freedesktop.secrets" },
		{ "Cannot autolaunch D-Bus without X11 $DISPLAY\n", "", "1", ACRED_UNAVAILABLE, "D-Bus" },
		{ "Could not connect: Connection refused\n", "", "1", ACRED_UNAVAILABLE, "refused" },
		{ "Object does not exist at path \xe2\x80\x9c/org/freedesktop/secrets/collection/login\xe2\x80\x9d\n", "", "1", ACRED_UNAVAILABLE,
		  "there is no default keyring" },

		{ key_gone, "", "1", ACRED_FAILED, "exits with 1: gpg: decryption failed: No secret key" },
		{ "no credentials server URL\n", "", "1", ACRED_FAILED, "no credentials server URL" },
		{ "", "one\ntwo\n\n", "3", ACRED_FAILED, "exits with 3: two" },
		{ "on stdout\n", "on stderr\n", "1", ACRED_FAILED, "exits with 1: on stdout" },
		{ "one\n two \n", "", "1", ACRED_FAILED, "one; two" },
		{ "a\x1b[2J\x9b\x07z", "", "1", ACRED_FAILED, "a [2J? z" },
		{ "", "", "1", ACRED_FAILED, "it says nothing" },
		/* It may be one that fails and tells nevertheless. */
		{ ANSWER, "", "1", ACRED_FAILED, "is not shown" },
		{ "", "+ echo v=1&kind=SECRET\n", "1", ACRED_FAILED, "is not shown" },
		{ "failed\n", "+ echo refresh_token=SECRET\nfailed\n", "1", ACRED_FAILED, "is not shown" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int got;

		says("get", rows[i].out, rows[i].code);
		write_text("get.err", rows[i].err);
		got = lookup();
		if (got != rows[i].status || strstr(noted, rows[i].words) == NULL)
			fail_msg("%s%s: status %d, not %d; noted '%s', not '%s'", rows[i].out, rows[i].err, got, rows[i].status, noted, rows[i].words);
		assert_int_equal(n_found, 0);
	}
}

static void a_secret_that_it_repeats(void **unused)
{
	static const char *const said[] = {
		"cannot store " RECORD "\n",
		"cannot store SECRET-0123456789\n",
		"cannot store SECRET-01234\n", /* cut */
		"cannot store T-0123456789&name=x\n",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		says("store", said[i], "1");
		assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_FAILED);
		assert_noted("is not shown");
		says("store", "", "1");
		write_text("store.err", said[i]);
		assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_FAILED);
		assert_noted("is not shown");
		says("store", "", "0");
		assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_OK);
		assert_string_equal(noted, "");
	}
	says("store", "cannot store it at catalog.example.com\n", "1");
	write_text("store.err", "");
	assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_FAILED);
	assert_noted("exits with 1: cannot store it at catalog.example.com");
	says("store", NOT_FOUND, "1");
	assert_int_equal(store(RECORD, strlen(RECORD)), ACRED_FAILED);
}

static void a_warning_is_passed_on(void **unused)
{
	(void)unused;
	says("get", ANSWER, "0");
	write_text("get.err", "first\nthe store is old\n");
	assert_int_equal(lookup(), ACRED_OK);
	assert_noted("the store is old");
	write_text("get.err", "+ echo SECRET-0123456789\n");
	assert_int_equal(lookup(), ACRED_OK);
	assert_string_equal(noted, "");
}

/* A locked keyring has been seen to make a helper say that there is nothing. */
static void absent_is_asked_for(void **unused)
{
	static const struct {
		const char *list, *code;
		int status;
	} rows[] = {
		{ "{}", "0", ACRED_ABSENT },
		{ "{\"https://index.docker.io/v1/\":\"somebody\"}", "0", ACRED_ABSENT },
		{ LISTED, "0", ACRED_LOCKED },
		{ "{\"Registry credentials for " ENTRY "\":\"102\"}", "0", ACRED_LOCKED },
		{ "{\"\":\"account not defined\"}", "0", ACRED_LOCKED },
		{ "{\"" ENTRY "\":null}", "0", ACRED_LOCKED },
		{ "{\"\":null}", "0", ACRED_LOCKED },
		/* not every helper has a list */
		{ "not implemented", "1", ACRED_ABSENT },
		{ "", "0", ACRED_ABSENT },
		/* but these are no helpers without one */
		{ "Cannot search a locked collection", "1", ACRED_LOCKED },
		{ "Could not connect: Connection refused", "1", ACRED_UNAVAILABLE },
	};

	(void)unused;
	says("get", NOT_FOUND, "1");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		says("list", rows[i].list, rows[i].code);
		assert_int_equal(lookup(), rows[i].status);
		assert_calls("get list ");
	}
}

static void erased(void **unused)
{
	static const struct {
		const char *list, *list_code, *erase, *erase_code;
		int status;
		const char *calls;
	} rows[] = {
		/* absent: some fail then, some do not */
		{ "{}", "0", "", "0", ACRED_ABSENT, "list erase " },
		{ "{}", "0", "exit status 1: Error: docker-credential-helpers/aHR0 is not in the password store.", "1", ACRED_ABSENT, "list erase " },
		{ "{}", "0", "whatever", "1", ACRED_ABSENT, "list erase " },
		{ "none", "1", "x is not in the password store.", "1", ACRED_ABSENT, "list erase list " },
		{ "none", "1", NOT_FOUND, "1", ACRED_ABSENT, "list erase list " },
		{ "none", "1", "", "0", ACRED_OK, "list erase list " },
		/* it says so, and it is there still */
		{ LISTED, "0", "", "0", ACRED_LOCKED, "list erase list " },
		{ "{\"\":\"account not defined\"}", "0", "", "0", ACRED_LOCKED, "list erase list " },
		{ LISTED, "0", NOT_FOUND, "1", ACRED_LOCKED, "list erase list " },
		{ "{\"\":\"account not defined\"}", "0", NOT_FOUND, "1", ACRED_LOCKED, "list erase list " },
		/* it was not asked at all, whatever an empty list says */
		{ "{}", "0", "it is in a locked collection", "1", ACRED_LOCKED, "list erase " },
		{ "{}", "0", "pass not initialized", "1", ACRED_UNAVAILABLE, "list erase " },
		{ "a locked collection", "1", "", "0", ACRED_LOCKED, "list erase list " },
		{ LISTED, "0", "no", "1", ACRED_FAILED, "list erase " },
		{ LISTED, "0", "pass not initialized", "1", ACRED_UNAVAILABLE, "list erase " },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		says("list", rows[i].list, rows[i].list_code);
		says("erase", rows[i].erase, rows[i].erase_code);
		assert_int_equal(erase(), rows[i].status);
		assert_calls(rows[i].calls);
		assert_string_equal(read_text("erase.in"), ENTRY);
	}
}

static void lists(void **unused)
{
	(void)unused;
	says("list",
	     "{\"" ENTRY "\":\"102\","
	     "\"Registry credentials for http://[::1]:80/alation-cred/access/7\":\"7\","
	     /* none of ours, or another's who took our place */
	     "\"https://index.docker.io/v1/\":\"somebody\",\"" URL "/alation-cred/refresh/103\":\"102\",\"" URL "/alation-cred/refresh/0104\":\"0104\","
	     "\"" URL "/alation-cred/refresh/x\":\"x\",\"" URL "/alation-cred/refresh/99999999999\":\"99999999999\",\"" URL "/alation-cred//105\":\"105\","
	     "\"" URL "/deep/alation-cred/refresh/106\":\"106\",\"alation-cred/refresh/107\":\"107\",\"/108\":\"108\",\"108\":\"108\","
	     "\"" URL "/alation-creds/refresh/109\":\"109\",\"" URL "/alation-cred/refresh/110\":110}",
	     "0");
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "refresh 102 " URL ";access 7 http://[::1]:80;");
	assert_string_equal(read_text("list.in"), "unused");
	says("list", "{}", "0");
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "");
	says("list", "{\"\":\"account not defined\",\"" ENTRY "\":\"102\"}", "0");
	assert_int_equal(list(), ACRED_LOCKED);
	assert_string_equal(listed, "refresh 102 " URL ";");
	says("list", NOT_FOUND, "1");
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "");
	says("list", "[]", "0");
	assert_int_equal(list(), ACRED_FAILED);
	says("list", "Error from list function in secretservice_linux.c likely due to error in secretservice library\n", "1");
	assert_int_equal(list(), ACRED_UNAVAILABLE);
}

static const struct CMUnitTest tests[] = {
	ROW(answers_are_wiped), ROW(what_it_is_told), ROW(entries), ROW(what_is_not_stored), ROW(answers), ROW(failures), ROW(a_secret_that_it_repeats),
	ROW(a_warning_is_passed_on), ROW(absent_is_asked_for), ROW(erased), ROW(lists),
};
DOCKER_MAIN(tests)
