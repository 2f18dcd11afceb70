/* SPDX-License-Identifier: MIT */
/*
 * secret.c: growing, its limits, and above all that every block it lets go of was wiped whole before. To see that,
 * explicit_bzero is our own here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "helper/base/secret.h"

static struct wiped {
	const void *p;
	size_t n;
} wiped[64];
static size_t n_wiped;

void explicit_bzero(void *p, size_t n);
void __explicit_bzero_chk(void *p, size_t n, size_t room);

void explicit_bzero(void *p, size_t n)
{
	volatile char *byte = p;

	for (size_t i = 0; i < n; i++)
		byte[i] = 0;
	if (n_wiped < sizeof wiped / sizeof *wiped)
		wiped[n_wiped++] = (struct wiped){ p, n };
}

void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
	(void)room;
	explicit_bzero(p, n);
}

static bool was_wiped(const void *p, size_t n)
{
	for (size_t i = 0; i < n_wiped; i++)
		if (wiped[i].p == p && wiped[i].n >= n)
			return true;
	return false;
}

static void grows_and_wipes_what_it_leaves(void **state)
{
	SECRET secret = { 0 };
	char piece[97];

	(void)state;
	for (size_t i = 0; i < sizeof piece; i++)
		piece[i] = (char)('!' + i % 90);
	for (size_t i = 0; i < 2000; i++) {
		const char *before = secret.bytes;
		size_t room = secret.room;

		n_wiped = 0;
		assert_true(secret_append(&secret, (struct bytes){ piece, sizeof piece }));
		assert_true(secret.len <= secret.room);
		if (before && before != secret.bytes)
			assert_true(was_wiped(before, room));
	}
	assert_int_equal(secret.len, 2000 * sizeof piece);
	for (size_t i = 0; i < secret.len; i++)
		assert_int_equal(secret.bytes[i], piece[i % sizeof piece]);
}

static void wipes_all_of_its_room(void **state)
{
	struct secret secret = { 0 };
	const char *block;
	size_t room;

	(void)state;
	assert_true(secret_append(&secret, bytes_of("hunter2")));
	block = secret.bytes;
	room = secret.room;
	n_wiped = 0;
	secret_wipe(&secret);
	assert_true(was_wiped(block, room));
	assert_null(secret.bytes);
	assert_int_equal(secret.len + secret.room, 0);
	secret_wipe(&secret);
	assert_true(secret_append(&secret, bytes_of("usable again")));
	secret_wipe(&secret);
}

static const char *leave_early(void)
{
	SECRET secret = { 0 };

	if (!secret_append(&secret, bytes_of("hunter2")))
		return NULL;
	return secret.bytes;
}

static void scope_set_and_move_wipe(void **state)
{
	SECRET a = { 0 }, b = { 0 };
	const char *block;

	(void)state;
	n_wiped = 0;
	block = leave_early();
	assert_true(was_wiped(block, strlen("hunter2")));

	assert_true(secret_append(&a, bytes_of("first")));
	block = a.bytes;
	n_wiped = 0;
	assert_true(secret_set(&a, bytes_of("second")));
	assert_true(was_wiped(block, strlen("first")));
	assert_true(bytes_are(secret_view(&a), "second"));

	assert_true(secret_append(&b, bytes_of("third")));
	block = b.bytes;
	n_wiped = 0;
	secret_move(&b, &a);
	assert_true(was_wiped(block, strlen("third")));
	assert_true(bytes_are(secret_view(&b), "second"));
	assert_true(bytes_are(secret_view(&a), ""));
	assert_null(a.bytes);
}

static void limits(void **state)
{
	SECRET secret = { 0 };
	char *big = calloc(1, SECRET_MAX_BYTES);

	(void)state;
	assert_non_null(big);
	assert_true(secret_append(&secret, bytes_of("ten bytes!")));
	assert_false(secret_append(&secret, (struct bytes){ big, SECRET_MAX_BYTES - 9 }));
	assert_false(secret_reserve(&secret, SECRET_MAX_BYTES));
	assert_false(secret_reserve(&secret, SIZE_MAX));
	assert_false(secret_reserve(&secret, SIZE_MAX - 9));
	assert_true(bytes_are(secret_view(&secret), "ten bytes!"));
	assert_true(secret_append(&secret, (struct bytes){ big, SECRET_MAX_BYTES - 10 }));
	assert_int_equal(secret.len, SECRET_MAX_BYTES);
	assert_false(secret_append(&secret, bytes_of("x")));
	assert_true(secret_append(&secret, bytes_of("")));
	free(big);
}

static void reserve_makes_room_behind(void **state)
{
	static const size_t wanted[] = { 0, 1, 255, 256, 257, 4096, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		SECRET secret = { 0 };

		assert_true(secret_append(&secret, bytes_of("head")));
		assert_true(secret_reserve(&secret, wanted[i]));
		assert_true(secret.room - secret.len >= wanted[i]);
		memset(secret.bytes + secret.len, 'x', wanted[i]);
		assert_true(bytes_are(secret_view(&secret), "head"));
	}
}

static void equality(void **state)
{
	static const struct {
		struct bytes a, b;
		bool equal;
	} rows[] = {
		{ { "", 0 }, { "", 0 }, true },      { { "a", 1 }, { "", 0 }, false },    { { "abc", 3 }, { "abc", 3 }, true },
		{ { "abc", 3 }, { "abd", 3 }, false }, { { "abc", 3 }, { "bbc", 3 }, false }, { { "abc", 3 }, { "abcd", 4 }, false },
		{ { "a\0b", 3 }, { "a\0c", 3 }, false }, { { "\x80", 1 }, { "\x00", 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(secret_equal(rows[i].a, rows[i].b), rows[i].equal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_wipes_what_it_leaves), cmocka_unit_test(wipes_all_of_its_room),
		cmocka_unit_test(scope_set_and_move_wipe),        cmocka_unit_test(limits),
		cmocka_unit_test(reserve_makes_room_behind),      cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
