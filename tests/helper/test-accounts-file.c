/* SPDX-License-Identifier: MIT */
/*
 * accounts-file.c: no account is ever lost, by damage, by a later version's members or by two who write at once;
 * what cannot be read is refused and stays as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/accounts-file.h"
#include "helper/base/clock.h"
#include "tests/helper/scratch.h"

#define DIRECTORY ".local/state/alation-cred"
#define FILE_PATH DIRECTORY "/accounts"
#define SOON (clock_mono_ms() + 20000)
#define A "v=1&base_url=https%3A%2F%2Fa.example&user_id=1&name=n&module=m&default=1&exclusive=0\n"
#define B "v=1&base_url=https%3A%2F%2Fb.example&user_id=2&name=n&module=m&token_expires_at=9&default=0&exclusive=1\n"
#define HEAD(n) "v=2&accounts=" #n "\n" /* a file without is one from before */
#define C "v=1&base_url=https%3A%2F%2Fc.example%3A8443&user_id=2147483647&name=caf%C3%A9%0A%26%3D%25%1B%5C&module=m&default=0&exclusive=0\n"

static struct trouble trouble;

static int setup(void **state)
{
	trouble = (struct trouble){ 0 };
	if (scratch_setup(state) != 0)
		return -1;
	return mkdir(scratch_path(".local"), 0700) || mkdir(scratch_path(".local/state"), 0700) ||
	       mkdir(scratch_path(DIRECTORY), 0700);
}

static void lay(const char *content, size_t n)
{
	scratch_write(scratch_path(FILE_PATH), content, n);
}

static struct account an_account(const char *base_url, int64_t user_id)
{
	struct account account = { .user_id = user_id, .refresh_expires_at = 1800000000 };

	snprintf(account.base_url, sizeof account.base_url, "%s", base_url);
	snprintf(account.module, sizeof account.module, "secret-service");
	return account;
}

static void put(const char *base_url, int64_t user_id, bool make_default)
{
	struct account account = an_account(base_url, user_id);

	account.is_default = make_default;
	assert_int_equal(accounts_put(&account, SOON, &trouble), DONE);
}

/* Neither read nor changed, and byte for byte what it was. */
static void assert_refused(const char *content, size_t n)
{
	struct account other = an_account("https://new.example", 7);
	ACCOUNTS accounts = { 0 };
	char now[4096];

	assert_int_equal(accounts_read(&accounts, &trouble), UNUSABLE);
	assert_int_equal(accounts.n, 0);
	assert_non_null(strstr(trouble.message, FILE_PATH));
	assert_int_equal(accounts_put(&other, SOON, &trouble), UNUSABLE);
	assert_int_equal(accounts_remove(&other, SOON, &trouble), UNUSABLE);
	assert_int_equal(scratch_read(scratch_path(FILE_PATH), now, sizeof now), n);
	assert_memory_equal(now, content, n);
}

static void nothing_there_is_an_empty_list(void **state)
{
	struct accounts accounts = { .n = 99 };

	(void)state;
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 0);
	scratch_remove(scratch_path(".local"));
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 0);
	assert_int_not_equal(access(scratch_path(".local"), F_OK), 0);
}

static void what_is_put_is_read_back(void **state)
{
	struct account account = an_account("http://[::1]:8080", 2147483647);
	ACCOUNTS accounts = { 0 };
	struct stat st;

	(void)state;
	snprintf(account.name, sizeof account.name, "\n&=%%\x1b \\ caf\xc3\xa9");
	account.exclusive = true;
	account.refresh_expires_at = RECORD_TIME_UNKNOWN;
	assert_int_equal(accounts_put(&account, SOON, &trouble), DONE);
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 1);
	assert_string_equal(accounts.list[0].base_url, account.base_url);
	assert_int_equal(accounts.list[0].user_id, account.user_id);
	assert_string_equal(accounts.list[0].name, account.name);
	assert_string_equal(accounts.list[0].module, account.module);
	assert_int_equal(accounts.list[0].refresh_expires_at, RECORD_TIME_UNKNOWN);
	assert_true(accounts.list[0].exclusive);
	assert_int_equal(stat(scratch_path(FILE_PATH), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	static const char whole[] = HEAD(3) A B C;
	ACCOUNTS accounts = { 0 };

	(void)state;
	for (size_t n = 0; n < strlen(whole); n++) {
		lay(whole, n);
		assert_refused(whole, n);
	}
	lay(whole, strlen(whole));
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 3);
	assert_string_equal(accounts.list[2].name, "caf\xc3\xa9\n&=%\x1b\\");
}

/* A byte of ours: what is still a list has all its lines. One that we would have encoded is seen wherever it stands. */
static void a_byte_that_changed_loses_no_account(void **state)
{
	static const char whole[] = HEAD(3) A B C, ours[] = "&=%13x", strange[] = { '\0', '\n', '\r', '\xff', ' ', '"' };
	char text[sizeof whole];

	(void)state;
	for (size_t at = 0; at < strlen(whole); at++) {
		memcpy(text, whole, sizeof text);
		for (size_t i = 0; i < sizeof strange; i++) {
			text[at] = strange[i];
			lay(text, strlen(whole));
			if (whole[at] != strange[i])
				assert_refused(text, strlen(whole));
		}
		for (size_t i = 0; i < strlen(ours); i++) {
			ACCOUNTS accounts = { 0 };

			text[at] = ours[i];
			lay(text, strlen(whole));
			if (accounts_read(&accounts, &trouble) == DONE)
				assert_int_equal(accounts.n, 3);
			else
				assert_refused(text, strlen(whole));
		}
	}
}

/* It has no first line of its own, and gets one with the next change. */
static void a_file_from_before_is_read(void **state)
{
	static const char before[] = A B C;
	struct account other = an_account("https://new.example", 7);
	char now[4096];

	(void)state;
	lay(before, strlen(before));
	assert_int_equal(accounts_put(&other, SOON, &trouble), DONE);
	scratch_read(scratch_path(FILE_PATH), now, sizeof now);
	assert_int_equal(strncmp(now, HEAD(4) A B, strlen(HEAD(4) A B)), 0);
}

#define ROW(text) { text, sizeof text - 1 }
static const struct bytes damaged[] = {
	ROW("\n"),
	ROW(A "\n"),
	ROW("\n" A),
	ROW(A B A),
	ROW(A "v=2&base_url=https%3A%2F%2Fb.example&user_id=2\n"),
	ROW(A "v=0&base_url=https%3A%2F%2Fb.example&user_id=2\n"),
	ROW("base_url=https%3A%2F%2Fb.example&user_id=2\n"),
	ROW("base_url=https%3A%2F%2Fb.example&user_id=2&v=1\n"),
	ROW("v=1&user_id=2\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example\n"),
	ROW("v=1&base_url=&user_id=2\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=0\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2147483648\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&default=yes\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&exclusive=\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&token_expires_at=x\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&rotation_lost_at=\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&rotation_lost_at=yes\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&name=%\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&name=%00\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&name\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&&\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2\r\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&later=a\0b\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&la\0ter=b\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&later=a\x1b\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.ex\0ample&user_id=2\n"),
	ROW("v=1&base_url=https%3A%2F%2Fb.example&user_id=2&name=a\0b\n"),
	ROW(A "\0\0\0\0\0\0\0\0"),
	ROW("\0\0\0\0\0\0\0\0\n"),
	ROW("<<<<<<< HEAD\n"),
	ROW(""),
	ROW(HEAD(1)),
	ROW(HEAD(0) A),
	ROW(HEAD(1) A B),
	ROW(HEAD(2) A),
	ROW(HEAD(1) HEAD(1) A),
	ROW(A HEAD(1)),
	ROW(HEAD(-1)),
	ROW("v=2&accounts=\n"),
	ROW("v=2&accounts=0x1\n" A),
	ROW("v=2&accounts=1&more=1\n" A),
	ROW("v=2\n" A),
	ROW("v=3&accounts=1\n" A),
	ROW(HEAD(99999999999999999999) A),
};

static void a_damaged_file_is_refused(void **state)
{
	char longest[600];

	(void)state;
	for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
		lay(damaged[i].p, damaged[i].n);
		assert_refused(damaged[i].p, damaged[i].n);
	}
	/* a member longer than any that we write */
	snprintf(longest, sizeof longest, "v=1&base_url=https%%3A%%2F%%2Fb.example&user_id=2&name=%0300d\n", 0);
	lay(longest, strlen(longest));
	assert_refused(longest, strlen(longest));
}

static void a_file_too_big_is_refused(void **state)
{
	ACCOUNTS accounts = { 0 };
	struct account other = an_account("https://new.example", 7);
	struct stat st;

	(void)state;
	lay(A, strlen(A));
	assert_int_equal(truncate(scratch_path(FILE_PATH), 1024 * 1024 + 1), 0);
	assert_int_equal(accounts_read(&accounts, &trouble), UNUSABLE);
	assert_int_equal(accounts_put(&other, SOON, &trouble), UNUSABLE);
	assert_int_equal(stat(scratch_path(FILE_PATH), &st), 0);
	assert_int_equal(st.st_size, 1024 * 1024 + 1);
}

static void make_link(const char *path)
{
	scratch_write(scratch_path("mine"), A, strlen(A));
	assert_int_equal(symlink("../../../mine", path), 0);
}

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_world_writable(const char *path)
{
	scratch_write(path, A, strlen(A));
	assert_int_equal(chmod(path, 0606), 0);
}

static void what_is_no_file_of_ours_is_refused(void **state)
{
	static void (*const makers[])(const char *) = { make_link, make_fifo, make_directory, make_world_writable };
	const char *path = scratch_path(FILE_PATH);
	struct account other = an_account("https://new.example", 7);

	(void)state;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		ACCOUNTS accounts = { 0 };
		struct stat before, after;

		makers[i](path);
		assert_int_equal(lstat(path, &before), 0);
		assert_int_equal(accounts_read(&accounts, &trouble), UNUSABLE);
		assert_int_equal(accounts_put(&other, SOON, &trouble), UNUSABLE);
		assert_int_equal(lstat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_mode, after.st_mode);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(remove(path), 0);
	}
}

/* A warm call: its own line, whatever the others say, and that they are all there. */
static void one_is_found_without_the_others(void **state)
{
	static const char sound[] = HEAD(3) A B C, others[] = HEAD(3) A "rubbish\n" C, own[] = HEAD(2) A "v=1&base_url=https%3A%2F%2Fb.example&user_id=2&x\n",
	                  cut[] = HEAD(3) A B;
	struct accounts one = { .n = 0 };

	(void)state;
	lay(sound, sizeof sound - 1);
	assert_int_equal(accounts_read_one("https://b.example", 2, &one, &trouble), DONE);
	assert_int_equal(one.n, 1);
	assert_string_equal(one.list[0].base_url, "https://b.example");
	assert_true(one.list[0].exclusive);
	accounts_free(&one);
	assert_int_equal(accounts_read_one(NULL, 0, &one, &trouble), DONE);
	assert_int_equal(one.n, 1);
	assert_string_equal(one.list[0].base_url, "https://a.example");
	accounts_free(&one);
	assert_int_equal(accounts_read_one("https://b.example", 21, &one, &trouble), DONE);
	assert_int_equal(one.n, 0);
	assert_int_equal(accounts_read_one("https://b.exampl", 2, &one, &trouble), DONE);
	assert_int_equal(one.n, 0);
	lay(others, sizeof others - 1);
	assert_int_equal(accounts_read_one("https://c.example:8443", 2147483647, &one, &trouble), DONE);
	assert_int_equal(one.n, 1);
	accounts_free(&one);
	lay(own, sizeof own - 1);
	assert_int_equal(accounts_read_one("https://b.example", 2, &one, &trouble), UNUSABLE);
	assert_non_null(strstr(trouble.message, "line 3"));
	lay(cut, sizeof cut - 1);
	assert_int_equal(accounts_read_one("https://b.example", 2, &one, &trouble), UNUSABLE);
	assert_int_equal(one.n, 0);
}

static void unknown_members_survive_a_change(void **state)
{
	static const char later[] = "v=1&base_url=https%3A%2F%2Fa.example&user_id=1&later=a%20b&module=m&more=&default=1\n";
	struct account changed = an_account("https://a.example", 1), gone = an_account("https://b.example", 2);
	char now[4096];

	(void)state;
	lay(later, strlen(later));
	put("https://b.example", 2, false);
	scratch_read(scratch_path(FILE_PATH), now, sizeof now);
	assert_non_null(strstr(now, "&later=a%20b&more=\n"));
	changed.unknown = NULL; /* the caller does not know them */
	assert_int_equal(accounts_put(&changed, SOON, &trouble), DONE);
	assert_int_equal(accounts_remove(&gone, SOON, &trouble), DONE);
	scratch_read(scratch_path(FILE_PATH), now, sizeof now);
	assert_non_null(strstr(now, "&module=secret-service&"));
	assert_non_null(strstr(now, "&default=1&exclusive=0&later=a%20b&more=\n"));
	assert_int_equal(strncmp(now, HEAD(1), strlen(HEAD(1))), 0);
	assert_ptr_equal(strchr(now + strlen(HEAD(1)), '\n'), now + strlen(now) - 1);
}

/* That a rotation was lost is remembered until somebody says that it is not so any more, and of that account alone. */
static void a_lost_rotation_is_remembered(void **state)
{
	struct account account = an_account("https://a.example", 1);
	ACCOUNTS before = { 0 }, lost = { 0 }, after = { 0 };
	char now[4096];

	(void)state;
	lay(A, strlen(A));
	put("https://b.example", 2, false);
	assert_int_equal(accounts_read(&before, &trouble), DONE);
	assert_int_equal(before.list[0].rotation_lost_at, 0);
	scratch_read(scratch_path(FILE_PATH), now, sizeof now);
	assert_null(strstr(now, "rotation_lost_at"));

	account.rotation_lost_at = 1700000000;
	assert_int_equal(accounts_put(&account, SOON, &trouble), DONE);
	put("https://c.example", 3, false);
	assert_int_equal(accounts_read(&lost, &trouble), DONE);
	assert_int_equal(accounts_find(&lost, "https://a.example", 1)->rotation_lost_at, 1700000000);
	assert_int_equal(accounts_find(&lost, "https://b.example", 2)->rotation_lost_at, 0);
	assert_null(accounts_find(&lost, "https://a.example", 1)->unknown);

	account.rotation_lost_at = 0;
	assert_int_equal(accounts_put(&account, SOON, &trouble), DONE);
	assert_int_equal(accounts_read(&after, &trouble), DONE);
	assert_int_equal(accounts_find(&after, "https://a.example", 1)->rotation_lost_at, 0);
	scratch_read(scratch_path(FILE_PATH), now, sizeof now);
	assert_null(strstr(now, "rotation_lost_at"));
}

/* The default's base URL, or "" where there is none; more than one fails. */
static const char *the_default(void)
{
	static char base_url[URL_BASE_MAX_BYTES + 1];
	ACCOUNTS accounts = { 0 };

	base_url[0] = '\0';
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	for (size_t i = 0; i < accounts.n; i++) {
		if (!accounts.list[i].is_default)
			continue;
		assert_string_equal(base_url, "");
		snprintf(base_url, sizeof base_url, "%s", accounts.list[i].base_url);
	}
	return base_url;
}

static void remove_it(const char *base_url, int64_t user_id)
{
	struct account account = an_account(base_url, user_id);

	assert_int_equal(accounts_remove(&account, SOON, &trouble), DONE);
}

static void the_default_moves(void **state)
{
	(void)state;
	put("https://a", 1, false);
	assert_string_equal(the_default(), "https://a");
	put("https://b", 1, false);
	put("https://c", 1, false);
	assert_string_equal(the_default(), "https://a");
	put("https://b", 1, true);
	assert_string_equal(the_default(), "https://b");
	put("https://b", 1, false); /* a second login takes nothing away */
	assert_string_equal(the_default(), "https://b");
	put("https://d", 1, true);
	assert_string_equal(the_default(), "https://d");
	remove_it("https://d", 1);
	assert_string_equal(the_default(), ""); /* nobody guesses the next one */
	remove_it("https://never", 1);
	remove_it("https://a", 2);
	remove_it("https://a", 1);
	assert_string_equal(the_default(), "");
	remove_it("https://c", 1);
	assert_string_equal(the_default(), "https://b");
	remove_it("https://b", 1);
	assert_string_equal(the_default(), "");
	put("https://c", 1, false);
	assert_string_equal(the_default(), "https://c");
}

static void the_list_has_an_end(void **state)
{
	FILE *file = fopen(scratch_path(FILE_PATH), "we");
	struct account other = an_account("https://a", ACCOUNTS_MAX + 1), known = an_account("https://a", 1);
	ACCOUNTS accounts = { 0 };
	struct stat before, after;

	(void)state;
	for (int i = 1; i <= ACCOUNTS_MAX; i++)
		fprintf(file, "v=1&base_url=https%%3A%%2F%%2Fa&user_id=%d\n", i);
	fclose(file);
	assert_int_equal(stat(scratch_path(FILE_PATH), &before), 0);
	assert_int_equal(accounts_put(&other, SOON, &trouble), UNUSABLE);
	assert_int_equal(stat(scratch_path(FILE_PATH), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(accounts_put(&known, SOON, &trouble), DONE);
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, ACCOUNTS_MAX);
	put("https://a", 1, false);
}

/* Whoever learned something while a person chose must not take the choice back; and what is in no list stays out. */
static void what_is_learned_changes_no_choice(void **state)
{
	struct account old = an_account("https://a.example", 1), now = old, stranger = an_account("https://c.example", 3);
	ACCOUNTS accounts = { 0 };

	(void)state;
	old.exclusive = now.exclusive = true;
	old.is_default = true;
	assert_int_equal(accounts_put(&old, SOON, &trouble), DONE);
	now.exclusive = false; /* as `set shared` and `set … default` do */
	assert_int_equal(accounts_put(&now, SOON, &trouble), DONE);
	put("https://b.example", 2, true);
	old.refresh_expires_at = 1900000000;
	old.rotation_lost_at = 1700000000;
	snprintf(old.name, sizeof old.name, "another");
	assert_int_equal(accounts_learn(&old, SOON, &trouble), DONE);
	assert_int_equal(accounts_learn(&stranger, SOON, &trouble), DONE);
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 2);
	accounts_look_again(&old);
	assert_false(old.exclusive);
	assert_false(old.is_default);
	assert_int_equal(old.refresh_expires_at, 1900000000);
	assert_int_equal(old.rotation_lost_at, 1700000000);
	assert_string_equal(old.name, "another");
	assert_true(accounts_find(&accounts, "https://b.example", 2)->is_default);
}

static void writers_at_once_lose_nothing(void **state)
{
	ACCOUNTS accounts = { 0 };
	pid_t children[3];

	(void)state;
	for (int c = 0; c < 3; c++) {
		children[c] = fork();
		if (children[c] == 0) {
			for (int i = 1; i <= 20; i++) {
				struct account account = an_account("https://a", 100 * c + i);
				struct trouble ours = { 0 };

				if (accounts_put(&account, SOON, &ours) != DONE)
					_exit(1);
			}
			_exit(0);
		}
	}
	for (int c = 0; c < 3; c++)
		assert_int_equal(scratch_exit_code(children[c]), 0);
	assert_int_equal(accounts_read(&accounts, &trouble), DONE);
	assert_int_equal(accounts.n, 60);
	for (int c = 0; c < 3; c++)
		for (int i = 1; i <= 20; i++)
			assert_non_null(accounts_find(&accounts, "https://a", 100 * c + i));
	assert_null(accounts_find(&accounts, "https://a", 21));
	assert_string_equal(the_default(), "https://a");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_there_is_an_empty_list),     CASE(what_is_put_is_read_back),         CASE(a_file_cut_anywhere_is_refused),
		CASE(a_byte_that_changed_loses_no_account), CASE(a_file_from_before_is_read),
		CASE(a_damaged_file_is_refused),          CASE(a_file_too_big_is_refused),        CASE(what_is_no_file_of_ours_is_refused),
		CASE(one_is_found_without_the_others),   CASE(the_default_moves),                CASE(the_list_has_an_end),
		CASE(unknown_members_survive_a_change),   CASE(the_default_moves),                CASE(the_list_has_an_end),
		CASE(what_is_learned_changes_no_choice), CASE(writers_at_once_lose_nothing),       CASE(a_lost_rotation_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
