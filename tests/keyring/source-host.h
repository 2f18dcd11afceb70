/* SPDX-License-Identifier: MIT */
/*
 * A host for the read-only sources, and the rows that hold for the content of each of them. Every bad content has the
 * word SECRET in it, which no note may repeat. Who includes it defines SOURCE, the module.
 */
#ifndef TESTS_KEYRING_SOURCE_HOST_H
#define TESTS_KEYRING_SOURCE_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyring/module.h"
#include "keyring/source.h"

extern const struct acred_module SOURCE;
static const struct acred_module *const module = &SOURCE;

#define URL "https://catalog.example.com"
#define BASE_URL "base-url=" URL
#define USER_ID "user-id=102"
#define RECORD_OF(url, id) "v=1&kind=refresh-token&base_url=" url "&user_id=" id "&refresh_token=SECRET&name=a+name"
#define RECORD RECORD_OF("https%3A%2F%2Fcatalog.example.com", "102")
#define RECORD_WITH(more) RECORD "&" more

static const struct acred_key key = { "refresh", URL, 102 };
static struct acred_call call;
static char found[SOURCE_MAX_BYTES + 1], noted[2048], listed[1024];
static size_t n_found;
static int put_answer;

static const struct {
	const char *content;
	int status;          /* asked for `key`, with both arguments */
	const char *words;   /* of its note */
	const char *listed;
} contents[] = {
	{ "SECRET", ACRED_OK, "", "refresh 102 " URL ";" },
	{ "v=SECRET", ACRED_OK, "", "refresh 102 " URL ";" },
	{ "Aa0._~+/=-SECRET", ACRED_OK, "", "refresh 102 " URL ";" },
	{ RECORD, ACRED_OK, "", "refresh 102 " URL ";" },
	{ RECORD_OF("https%3a%2f%2Fcatalog.exampl%65.com", "%3102"), ACRED_OK, "", "refresh 102 " URL ";" },
	{ RECORD_WITH("regen_begun=1&later=%C3%A9+"), ACRED_OK, "", "refresh 102 " URL ";" },
	{ "v=2&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&refresh_token=SECRET", ACRED_OK, "", "refresh 102 " URL ";" },

	{ "SECRET token", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ "SECRET%20", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ "SECRET\xc3\xa9", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ "SECRET\r", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ "SECRET\nSECRET", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ "kind=refresh-token&v=1&refresh_token=SECRET", ACRED_FAILED, "bytes that no RefreshToken has", "" },
	{ RECORD_WITH("name=SECRET\\"), ACRED_FAILED, "bytes that no record has", "" },
	{ RECORD_WITH("name=SECRET/"), ACRED_FAILED, "bytes that no record has", "" },
	{ RECORD "\n" RECORD, ACRED_FAILED, "bytes that no record has", "" },
	{ RECORD_WITH("user_id=102"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("base_url=https%3A%2F%2Fcatalog.example.com"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("refresh_token=SECRET2"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("name=%"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("name=%4"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("name=%4x"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("name"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("=name"), ACRED_FAILED, "damaged", "" },
	{ RECORD_WITH("&name=SECRET"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com%00", "102"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com%0a", "102"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "0102"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "2147483648"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "99999999999999999999"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "-102"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "SECRET"), ACRED_FAILED, "damaged", "" },
	{ RECORD_OF("", "102"), ACRED_FAILED, "damaged", "" },
	{ "v=1&kind=refresh-token&user_id=102&refresh_token=SECRET", ACRED_FAILED, "damaged", "" },
	{ "v=1&base_url=https%3A%2F%2Fcatalog.example.com&refresh_token=SECRET", ACRED_FAILED, "damaged", "" },
	{ "v=1&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&refresh_token=&name=SECRET", ACRED_FAILED, "damaged", "" },
	{ "v=1&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&name=SECRET", ACRED_FAILED, "damaged", "" },
};
#define CONTENTS (sizeof contents / sizeof contents[0])

/* Records of other accounts: absent for `key`. What is listed differs from source to source. */
static const struct {
	const char *content, *words, *listed;
} others[] = {
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "103"), "user 103 at " URL, "refresh 103 " URL ";" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com", "10"), "user 10 at " URL, "refresh 10 " URL ";" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.org", "102"), "102 at https://catalog.example.org",
	  "refresh 102 https://catalog.example.org;" },
	{ RECORD_OF("https%3A%2F%2FCatalog.example.com", "102"), "102 at https://Catalog.example.com",
	  "refresh 102 https://Catalog.example.com;" },
	{ RECORD_OF("https%3A%2F%2Fcatalog.example.com%3A8443", "102"), "102 at " URL ":8443", "refresh 102 " URL ":8443;" },
};
#define OTHERS (sizeof others / sizeof others[0])

static const struct acred_key other_keys[] = {
	{ "refresh", URL, 103 },
	{ "refresh", URL "m", 102 },
	{ "refresh", "https://catalog.example.org", 102 },
	{ "access", URL, 102 },
	{ "recovery", URL, 102 },
};

static int on_put(void *host, const char *bytes, size_t len)
{
	assert_ptr_equal(host, &call);
	assert_true(len <= sizeof found);
	memcpy(found, bytes, len);
	n_found = len;
	return put_answer;
}

static void on_note(void *host, const char *text)
{
	assert_ptr_equal(host, &call);
	assert_true(strlen(text) < 512); /* what the host keeps of it */
	assert_null(strstr(text, "SECRET"));
	snprintf(noted, sizeof noted, "%s", text);
}

static void on_each(void *host, const struct acred_key *each)
{
	size_t n = strlen(listed);

	assert_ptr_equal(host, &call);
	snprintf(listed + n, sizeof listed - n, "%s %d %s;", each->facility, (int)each->user_id, each->base_url);
}

static void begin(void)
{
	call = (struct acred_call){ .size = sizeof call, .host = &call, .put = on_put, .note = on_note };
	noted[0] = listed[0] = '\0';
	n_found = 0;
}

static void *opened(int argc, const char *const *argv)
{
	void *state;

	begin();
	assert_int_equal(module->open(&call, argc, argv, &state), ACRED_OK);
	assert_string_equal(noted, "");
	return state;
}

/* With the arguments that stand first among ARGV; a NULL ends them. */
static int ask(const char *const argv[3], const struct acred_key *wanted)
{
	void *state;
	int argc = 0, status;

	while (argc < 3 && argv[argc] != NULL)
		argc++;
	state = opened(argc, argv);
	status = wanted != NULL ? module->lookup(&call, state, wanted) : module->list(&call, state, on_each);
	if (wanted == NULL) /* a list of nothing is ACRED_OK; that it means absent is the walk's */
		status = status == ACRED_ABSENT ? -1 : status == ACRED_OK && listed[0] == '\0' ? ACRED_ABSENT : status;
	module->close(state);
	return status;
}

/* WORDS: a part of the note; "" for none at all. */
static void assert_answer(const char *row, int got, int wanted, const char *words)
{
	if (got != wanted || (*words == '\0' ? noted[0] != '\0' : strstr(noted, words) == NULL))
		fail_msg("%s: status %d, not %d; noted '%s', not '%s'", row, got, wanted, noted, words);
	if (got != ACRED_OK)
		assert_int_equal(n_found, 0);
}

static void assert_found(const char *content)
{
	assert_int_equal(n_found, strlen(content));
	assert_memory_equal(found, content, n_found);
}

static const char *const both[3] = { BASE_URL, USER_ID, NULL };

/* PUT lays down CONTENT; THING is what each refusal names. */
static void check_contents(void (*put)(const char *content, size_t n), const char *thing)
{
	for (size_t i = 0; i < CONTENTS; i++) {
		put(contents[i].content, strlen(contents[i].content));
		assert_answer(contents[i].content, ask(both, &key), contents[i].status, contents[i].words);
		if (contents[i].status == ACRED_OK)
			assert_found(contents[i].content);
		else
			assert_non_null(strstr(noted, thing));
		assert_answer(contents[i].content, ask(both, NULL), contents[i].status, contents[i].words);
		assert_string_equal(listed, contents[i].listed);
		assert_int_equal(n_found, 0);
	}
	for (size_t i = 0; i < OTHERS; i++) {
		put(others[i].content, strlen(others[i].content));
		assert_answer(others[i].content, ask(both, &key), ACRED_ABSENT, others[i].words);
		assert_non_null(strstr(noted, thing));
	}
}

/* HEAD and as many bytes as make N. */
static const char *long_content(const char *head, size_t n)
{
	static char content[SOURCE_MAX_BYTES + 16];

	assert_true(n < sizeof content);
	memset(content, 'x', n);
	memcpy(content, head, strlen(head));
	content[n] = '\0';
	return content;
}

/* Nothing is read behind the end, whatever stands there. */
static void check_end(void)
{
	static const char content[] = RECORD_WITH("name=%41");
	struct source_owner owner;

	assert_null(source_read(content, strlen(content), &owner));
	assert_non_null(source_read(content, strlen(content) - 1, &owner));
	assert_non_null(source_read(content, strlen(content) - 2, &owner));
}

static void check_lengths(void (*put)(const char *content, size_t n), const char *thing)
{
	static const struct {
		const char *head;
		size_t n;
		int status;
		const char *words;
	} rows[] = {
		{ "x", 1, ACRED_OK, "" },
		{ "SECRET", SOURCE_TOKEN_MAX_BYTES, ACRED_OK, "" },
		{ "SECRET", SOURCE_TOKEN_MAX_BYTES + 1, ACRED_FAILED, "longer than any RefreshToken" },
		{ RECORD, SOURCE_MAX_BYTES, ACRED_OK, "" },
		{ RECORD, SOURCE_MAX_BYTES + 1, ACRED_FAILED, "longer than 64 KiB" },
		{ RECORD, SOURCE_MAX_BYTES + 9, ACRED_FAILED, "longer than 64 KiB" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *content = long_content(rows[i].head, rows[i].n);

		put(content, rows[i].n);
		assert_answer(rows[i].words, ask(both, &key), rows[i].status, rows[i].words);
		if (rows[i].status == ACRED_OK)
			assert_found(content);
		else
			assert_non_null(strstr(noted, thing));
	}
	check_end();
}

static void check_arguments(const char *const *bad, size_t n, const char *const *named)
{
	void *state;

	for (size_t i = 0; i < n; i++) {
		begin();
		assert_answer(bad[i], module->open(&call, 1, &bad[i], &state), ACRED_FAILED, named[i]);
	}
}

/* What is put is a bare token. */
static void check_bare(void)
{
	static const struct {
		const char *argv[3];
		const char *words;
	} rows[] = {
		{ { USER_ID }, "$ALATION_BASE_URL is not set" },
		{ { "base-url=", USER_ID }, "$ALATION_BASE_URL is not set" },
		{ { BASE_URL }, "$ALATION_USER_ID is not set" },
		{ { BASE_URL, "user-id=" }, "$ALATION_USER_ID is not set" },
		{ { NULL }, "$ALATION_BASE_URL is not set" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_answer(rows[i].words, ask(rows[i].argv, &key), ACRED_ABSENT, rows[i].words);
		assert_answer(rows[i].words, ask(rows[i].argv, NULL), ACRED_ABSENT, rows[i].words);
		assert_string_equal(listed, "");
	}
	for (size_t i = 0; i < sizeof other_keys / sizeof other_keys[0]; i++) {
		bool refresh = strcmp(other_keys[i].facility, "refresh") == 0;

		assert_answer(other_keys[i].facility, ask(both, &other_keys[i]), ACRED_ABSENT,
		              refresh ? "for another account, user 102 at " URL : "");
	}
	put_answer = -1;
	assert_int_equal(ask(both, &key), ACRED_FAILED);
	put_answer = 0;
}

#endif
