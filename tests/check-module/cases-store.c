/* SPDX-License-Identifier: MIT */
/*
 * Cases of one caller: what is stored comes back, whole, from any process, for its own account alone, until it is
 * replaced, erased or over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check-module/check.h"

#define USUAL_BYTES 300
#define NOTHING_THERE "\"ACRED_ABSENT where nothing was there\""
#define WHOLE "what was stored comes back whole, or the store is refused"

static void takes_one(struct check *check)
{
	bool any = false;

	if (check->facts->facts.store == NULL || check->readonly) {
		skip(check, check->readonly ? "it can only be read" : "it has no store");
		return;
	}
	for (int i = 0; i < 3; i++) {
		any |= check->keeps[i];
		if (check->took[i] == NOT_COME_BACK)
			fail(check, "a store comes back with a status", "a store into %s: %s", facilities[i], check->took_note[i]);
		else if (check->took[i] == ACRED_ABSENT)
			fail(check, "store: \"Never ACRED_ABSENT\"", "a store into %s: absent", facilities[i]);
		else if (check->took[i] != NOT_TRIED && !check->keeps[i] && (check->took[i] != ACRED_FAILED || check->took_note[i][0] == '\0'))
			fail(check, "what it does not keep is \"ACRED_FAILED with a note in a store\"", "a store into %s: %s%s%s", facilities[i],
			     status_word(check->took[i]), check->took_note[i][0] ? ", noting: " : " without a note", check->took_note[i]);
		else if (check->took[i] != NOT_TRIED && !check->keeps[i])
			say(check, "it does not take %s: %s%s%s", facilities[i], status_word(check->took[i]), check->took_note[i][0] ? ", noting: " : "",
			    check->took_note[i]);
	}
	if (!any)
		fail(check, "a module that can store takes refresh, access or recovery", "it takes no secret");
}

static void store_kept(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(USUAL_BYTES);

	if (stores(check, key, bytes, USUAL_BYTES) && finds(check, key, bytes, USUAL_BYTES, "the program is another process each time"))
		finds(check, key, bytes, USUAL_BYTES, "a look-up takes nothing away");
	free(bytes);
}

static void store_kept_here(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *a = record(USUAL_BYTES), *b = record(USUAL_BYTES);
	const struct op ops[] = {
		{ .what = OP_STORE, .key = key, .bytes = a, .n = USUAL_BYTES },
		{ .what = OP_LOOKUP, .key = key, .bytes = a, .n = USUAL_BYTES },
		{ .what = OP_STORE, .key = key, .bytes = b, .n = USUAL_BYTES },
		{ .what = OP_LOOKUP, .key = key, .bytes = b, .n = USUAL_BYTES },
	};
	struct result *results = run_ops(check, ops, 4);

	if (results != NULL && want(check, &ops[0], &results[0], STATUS(ACRED_OK), NULL) &&
	    want_bytes(check, &ops[1], &results[1], a, USUAL_BYTES, "\"what the host hands over is valid until the call returns\": a module copies what it keeps") &&
	    want(check, &ops[2], &results[2], STATUS(ACRED_OK), NULL))
		want_bytes(check, &ops[3], &results[3], b, USUAL_BYTES, "\"Replaces what is there\"");
	free(a);
	free(b);
}

static void store_replaces(struct check *check)
{
	static const size_t lengths[] = { USUAL_BYTES, 2 * USUAL_BYTES, 40 };
	struct acred_key key = key_for(check, 102);

	for (size_t i = 0; i < 3 && !check->failed; i++) {
		char *bytes = record(lengths[i]);

		if (stores(check, key, bytes, lengths[i]))
			finds(check, key, bytes, lengths[i], "\"Replaces what is there\"");
		free(bytes);
	}
	if (!check->failed && check->facts->facts.erase != NULL && erases(check, key))
		finds_nothing(check, key, "one erase is enough, however often it was stored");
}

static void store_charset(struct check *check)
{
	static const char *const values[] = {
		ACRED_SECRET_CHARACTERS,
		"-", "%", "=", "&", "+", "~", ".", "v", "v=1&", "==", "%00%0A%25", "&&&&", "--help", "...", "-n", "~root", "a=b=c&d==&=e",
		"v=1&kind=refresh-token&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&refresh_token=a.b_c-d~e%2Bf%2Fg%3D&name=x+y",
	};
	enum { N = sizeof values / sizeof *values };
	struct op ops[N];
	struct result *results;

	for (size_t i = 0; i < N; i++)
		ops[i] = (struct op){ .what = OP_STORE, .key = key_for(check, 102 + (int64_t)i), .bytes = values[i], .n = strlen(values[i]) };
	results = run_ops(check, ops, N);
	for (size_t i = 0; results != NULL && i < N; i++) {
		want(check, &ops[i], &results[i], STATUS(ACRED_OK), NULL);
		ops[i].what = OP_LOOKUP;
	}
	results = check->failed ? NULL : run_ops(check, ops, N);
	for (size_t i = 0; results != NULL && i < N; i++)
		want_bytes(check, &ops[i], &results[i], values[i], ops[i].n, "ACRED_SECRET_CHARACTERS, byte for byte");
}

static void store_long(struct check *check)
{
	static const size_t lengths[] = { 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, ACRED_SECRET_LEAST_BYTES };
	struct acred_key key = key_for(check, 102);

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths && !check->failed; i++) {
		char *bytes = record(lengths[i]);

		if (stores(check, key, bytes, lengths[i]))
			finds(check, key, bytes, lengths[i], "\"It takes ACRED_SECRET_LEAST_BYTES\", and gives them back byte for byte");
		free(bytes);
	}
}

/* Stores N bytes over OLD; which of them is there afterwards is told by the answer. */
static void store_over(struct check *check, struct acred_key key, const char *old, size_t n)
{
	char *bytes = record(n);
	const struct op op = { .what = OP_STORE, .key = key, .bytes = bytes, .n = n };
	const struct result *result = run_ops(check, &op, 1);

	if (result != NULL && want(check, &op, result, STATUS(ACRED_OK) | STATUS(ACRED_FAILED), "a longer one is taken too, or ACRED_FAILED")) {
		if (result->status == ACRED_OK)
			finds(check, key, bytes, n, WHOLE);
		else
			finds(check, key, old, USUAL_BYTES, "what it had stays");
		if (result->status != ACRED_OK && result->note[0] == '\0')
			fail(check, "it notes its limit", "it does not take %zu bytes, and notes nothing", n);
		else if (result->status != ACRED_OK)
			say(check, "it does not take %zu bytes: %s", n, result->note);
	}
	free(bytes);
}

static void store_longer(struct check *check)
{
	static const size_t lengths[] = { ACRED_SECRET_LEAST_BYTES + 1, 12000, 16384 + 1024, 32767, 32768, ACRED_SECRET_MAX_BYTES - 1, ACRED_SECRET_MAX_BYTES };
	struct acred_key key = key_for(check, 102);

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths && !check->failed; i++) {
		char *old = record(USUAL_BYTES);

		if (stores(check, key, old, USUAL_BYTES))
			store_over(check, key, old, lengths[i]);
		free(old);
	}
}

#define ACCOUNTS_MAX 24
#define ACCOUNT_BYTES 60

/* Makes one operation of each account, for every second one of them another. */
static struct result *each_account(struct check *check, struct op *ops, size_t n, enum operation even, enum operation odd)
{
	for (size_t i = 0; i < n; i++)
		ops[i].what = i % 2 == 0 ? even : odd;
	return check->failed ? NULL : run_ops(check, ops, n);
}

/* When every second one has been erased, it is gone, and the others are there. */
static void erase_half(struct check *check, struct op *ops, size_t n)
{
	struct result *results = each_account(check, ops, n, OP_ERASE, OP_LOOKUP);

	for (size_t i = 0; results != NULL && i < n; i += 2)
		want(check, &ops[i], &results[i], STATUS(ACRED_OK), NULL);
	results = each_account(check, ops, n, OP_LOOKUP, OP_LOOKUP);
	for (size_t i = 0; results != NULL && i < n; i++)
		if (i % 2 == 0)
			want(check, &ops[i], &results[i], STATUS(ACRED_ABSENT), "an erase takes away what it names");
		else
			want_bytes(check, &ops[i], &results[i], ops[i].bytes, ops[i].n, "an erase takes away nothing else");
}

/* Each account gets a secret of its own, and then has it. */
static void keep_apart(struct check *check, const struct acred_key *keys, size_t n)
{
	struct op ops[ACCOUNTS_MAX] = { 0 };
	char *bytes[ACCOUNTS_MAX];
	struct result *results;

	for (size_t i = 0; i < n; i++) {
		bytes[i] = record(ACCOUNT_BYTES);
		ops[i] = (struct op){ .key = keys[i], .bytes = bytes[i], .n = ACCOUNT_BYTES };
	}
	results = each_account(check, ops, n, OP_STORE, OP_STORE);
	for (size_t i = 0; results != NULL && i < n; i++)
		want(check, &ops[i], &results[i], STATUS(ACRED_OK), NULL);
	results = each_account(check, ops, n, OP_LOOKUP, OP_LOOKUP);
	for (size_t i = 0; results != NULL && i < n; i++)
		want_bytes(check, &ops[i], &results[i], bytes[i], ACCOUNT_BYTES, "an account's secret is no other account's");
	if (check->facts->facts.erase != NULL)
		erase_half(check, ops, n);
	for (size_t i = 0; i < n; i++)
		free(bytes[i]);
}

static void apart_users(struct check *check)
{
	static const int64_t ids[] = { 1, 10, 102, 1021, 2, 21, 11, 2147483647, 214748364 };
	struct acred_key keys[sizeof ids / sizeof *ids];
	size_t n = sizeof ids / sizeof *ids;

	for (size_t i = 0; i < n; i++)
		keys[i] = key_for(check, ids[i]);
	keep_apart(check, keys, n);
}

static void apart_urls(struct check *check)
{
	char port[URL_BYTES], shorter_port[URL_BYTES], http[URL_BYTES];
	const char *base = address(check, "");
	const char *const urls[] = {
		base, port, shorter_port, http, address(check, "a"), address(check, "ab"), address(check, "b.a"), address(check, "a-b"),
		address(check, "a_b"), address(check, "a.b"), address(check, "xn--bcher-kva"), "https://[::1]:8443", "http://[::1]:8443", "http://127.0.0.1:65535",
	};
	struct acred_key keys[sizeof urls / sizeof *urls];
	size_t n = sizeof urls / sizeof *urls;

	snprintf(port, sizeof port, "%s:8443", base);
	snprintf(shorter_port, sizeof shorter_port, "%s:844", base);
	snprintf(http, sizeof http, "http%s", base + strlen("https"));
	for (size_t i = 0; i < n; i++) {
		keys[i] = key_for(check, 1999999102); /* of loopback addresses somebody may have an account */
		keys[i].base_url = urls[i];
	}
	keep_apart(check, keys, n);
}

static void apart_facilities(struct check *check)
{
	struct acred_key keys[6];
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		for (int64_t id = 102; check->keeps[i] && id < 104; id++) {
			keys[n] = key_for(check, id);
			keys[n++].facility = facilities[i];
		}
	if (n <= 2)
		skip(check, "it keeps one facility alone");
	else
		keep_apart(check, keys, n);
}

/* A service may have no name that is long enough; then a store says so. */
static bool takes(struct check *check, struct acred_key key)
{
	char *bytes = record(ACCOUNT_BYTES);
	const struct op op = { .what = OP_STORE, .key = key, .bytes = bytes, .n = ACCOUNT_BYTES };
	const struct result *result = run_ops(check, &op, 1);

	free(bytes);
	if (result == NULL || !want(check, &op, result, STATUS(ACRED_OK) | STATUS(ACRED_FAILED), "it is kept, or ACRED_FAILED and a note"))
		return false;
	if (result->status == ACRED_FAILED && result->note[0] == '\0')
		fail(check, "it is kept, or ACRED_FAILED and a note", "an account of %zu bytes is refused without a note", strlen(key.base_url));
	else if (result->status == ACRED_FAILED)
		say(check, "it does not take an account of %zu bytes: %s", strlen(key.base_url), result->note);
	return result->status == ACRED_OK;
}

/* A host of 200 bytes, the most that an account may have, in labels of at most 63; what is cut off one's end makes them the same. */
static void longest_account(struct check *check)
{
	static const char *const ports[] = { "", ":65535", ":65534" };
	const char *end = strstr(address(check, ""), "://") + 3;
	char host[URL_BYTES] = "https://", urls[3][URL_BYTES], *at = host + strlen(host);
	struct acred_key keys[4];

	for (size_t i = 0, pad = 200 - strlen(end); i < pad; i++)
		*at++ = i % 50 == 49 || i == pad - 1 ? '.' : 'a';
	strcpy(at, end);
	for (size_t i = 0; i < 3; i++) {
		snprintf(urls[i], sizeof urls[i], "%s%s", host, ports[i]);
		keys[i] = key_for(check, 2147483647);
		keys[i].base_url = urls[i];
	}
	keys[3] = keys[2];
	keys[3].user_id--;
	if (takes(check, keys[2]))
		keep_apart(check, keys, 4);
}

static void erase_gone(struct check *check)
{
	struct acred_key key = key_for(check, 102);
	char *bytes = record(USUAL_BYTES);
	const struct op again = { .what = OP_ERASE, .key = key };
	const struct result *result;

	if (stores(check, key, bytes, USUAL_BYTES) && erases(check, key) && finds_nothing(check, key, "what was erased is absent")) {
		result = run_ops(check, &again, 1);
		if (result != NULL && want(check, &again, result, STATUS(ACRED_ABSENT), NOTHING_THERE) &&
		    stores(check, key, bytes, USUAL_BYTES))
			finds(check, key, bytes, USUAL_BYTES, "what was erased can be stored again");
	}
	free(bytes);
}

static void erase_nothing(struct check *check)
{
	const struct op op = { .what = OP_ERASE, .key = { check->facility, address(check, "never"), 102 } };
	const struct result *result;

	if (want_first(check, OP_ERASE, STATUS(ACRED_ABSENT), NOTHING_THERE) && (result = run_ops(check, &op, 1)) != NULL)
		want(check, &op, result, STATUS(ACRED_ABSENT), NOTHING_THERE);
}

const struct test_case cases_store[] = {
	{ "store: a facility at least is taken", takes_one, 0 },
	{ "store: another process finds the same", store_kept, NEEDS_STORE },
	{ "store: the same process finds the same", store_kept_here, NEEDS_STORE },
	{ "store: a second secret takes the place of the first", store_replaces, NEEDS_STORE },
	{ "store: every byte that a record may have, and one byte alone", store_charset, NEEDS_STORE },
	{ "store: up to 8 KiB come back whole", store_long, NEEDS_STORE },
	{ "store: up to 64 KiB come back whole, or what was there stays", store_longer, NEEDS_STORE },
	{ "store: users are told apart", apart_users, NEEDS_STORE },
	{ "store: addresses are told apart", apart_urls, NEEDS_STORE },
	{ "store: facilities are told apart", apart_facilities, NEEDS_STORE },
	{ "store: the longest accounts are told apart, or refused", longest_account, NEEDS_STORE },
	{ "erase: what was stored is gone, and can come again", erase_gone, NEEDS_STORE | NEEDS_ERASE },
	{ "erase: of nothing is absent", erase_nothing, NEEDS_STORE | NEEDS_ERASE },
	{ NULL, NULL, 0 },
};
