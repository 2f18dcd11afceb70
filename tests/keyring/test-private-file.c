/* SPDX-License-Identifier: MIT */
/*
 * The private-file module: what it keeps, until when, and what a store leaves that fails or is killed.
 */
#include "tests/keyring/private-file-host.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define REPLACES 300

static const struct acred_key neighbour = { "access", "https://file.test:8443", 8 };

static void test_store_find_replace_erase(void **unused)
{
	struct stat st;

	(void)unused;
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_false(created);
	assert_int_equal(erase(), ACRED_ABSENT);
	assert_false(created);
	assert_int_equal(store("first", 60), ACRED_OK);
	assert_true(created);
	assert_found("first");
	assert_false(created);
	assert_int_equal(stat(path_of(NAME), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(store("the second", 60), ACRED_OK);
	assert_found("the second");
	assert_int_equal(files(), 1);
	assert_int_equal(lookup_of(&neighbour), ACRED_ABSENT);
	assert_int_equal(erase(), ACRED_OK);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(files(), 0);
	assert_string_equal(noted, "");
}

static void test_lengths(void **unused)
{
	char *bytes = malloc(LONGEST_BYTES + 2);

	(void)unused;
	assert_non_null(bytes);
	memset(bytes, 'x', LONGEST_BYTES + 1);
	bytes[LONGEST_BYTES + 1] = '\0';
	assert_int_equal(store(bytes, 60), ACRED_FAILED);
	assert_non_null(strstr(noted, "32767"));
	assert_int_equal(store("", 60), ACRED_FAILED);
	assert_int_equal(files(), 0);
	bytes[LONGEST_BYTES] = '\0';
	assert_int_equal(store(bytes, 60), ACRED_OK);
	assert_found(bytes);
	put_answer = -1;
	assert_int_equal(lookup(), ACRED_FAILED);
	free(bytes);
}

static time_t end_of_file(void)
{
	struct stat st;

	assert_int_equal(stat(path_of(NAME), &st), 0);
	return st.st_mtim.tv_sec;
}

static void test_every_file_has_its_end(void **unused)
{
	const struct timespec over[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct timespec now;

	(void)unused;
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
	assert_int_equal(store("token", 7200), ACRED_OK);
	assert_in_range(end_of_file(), now.tv_sec + 7200, now.tv_sec + 7260);
	assert_int_equal(store("token", 30), ACRED_OK); /* the end is the new one's */
	assert_in_range(end_of_file(), now.tv_sec + 30, now.tv_sec + 90);
	assert_int_equal(utimensat(AT_FDCWD, path_of(NAME), over, 0), 0);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(n_found, 0);
	assert_string_equal(noted, "");
	assert_int_equal(store("another", 30), ACRED_OK);
	assert_found("another");
	assert_int_equal(store("token", 0), ACRED_OK);
	assert_int_equal(end_of_file(), 0);
	assert_found("token");
	assert_int_equal(store("token", INT64_MAX), ACRED_OK);
	assert_found("token");
	assert_int_equal(store("token", -1), ACRED_FAILED);
}

/* A failure leaves the old entry, and nothing beside it. */
static void test_stores_that_fail(void **unused)
{
	struct rlimit limit, small = { 4, 4 };
	int status;

	(void)unused;
	assert_int_equal(store("old", 60), ACRED_OK);
	renaming.error = EXDEV, renaming.times = 1;
	assert_int_equal(store("new", 60), ACRED_FAILED);
	assert_non_null(strstr(noted, NAME));
	assert_found("old");
	assert_int_equal(files(), 1);

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	status = store("a new one", 60);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(status, ACRED_FAILED);
	assert_found("old");
	assert_int_equal(files(), 1);
}

/* Somebody without our lock takes the temporary file or the directory away. */
static void test_stores_that_are_tried_again(void **unused)
{
	(void)unused;
	renaming.error = ENOENT, renaming.times = 2;
	assert_int_equal(store("first", 60), ACRED_OK);
	assert_found("first");
	dirs_gone = 2;
	assert_int_equal(store("second", 60), ACRED_OK);
	assert_found("second");
	renaming.times = 100;
	assert_int_equal(store("third", 60), ACRED_FAILED);
	assert_non_null(strstr(noted, "again and again"));
	assert_int_equal(renaming.times, 97);
	assert_found("second");
	assert_int_equal(files(), 1);
}

static void die_while_storing(const struct acred_key *stored)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		renaming.die = true;
		module->store(&call, state, stored, "secret", 6, 60);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_what_a_killed_writer_left(void **unused)
{
	(void)unused;
	die_while_storing(&key);
	die_while_storing(&neighbour);
	assert_int_equal(files(), 2);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(erase(), ACRED_ABSENT); /* there was no entry; but what is left of one goes */
	assert_int_equal(files(), 1);
	die_while_storing(&key);
	assert_int_equal(files(), 2);
	assert_int_equal(store("token", 60), ACRED_OK);
	assert_int_equal(files(), 2);
	assert_int_equal(module->erase(&call, state, &neighbour), ACRED_ABSENT);
	assert_int_equal(files(), 1);
	assert_found("token");
}

static void test_list(void **unused)
{
	static const char *const others[] = { "accounts", "locks", "other-prefix:access:7@x", "alation-cred-test:access:7@%2f" };
	const char *argv[] = { "prefix=alation-cred-test-other" };
	const struct timespec over[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	void *opened;

	(void)unused;
	assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
	assert_string_equal(listed, "");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(mknod(path_of(others[i]), S_IFREG | 0600, 0), 0);
	assert_int_equal(store("token", 60), ACRED_OK);
	n_found = 0;
	assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
	assert_string_equal(listed, "access 7 https://file.test:8443;");
	assert_int_equal(n_found, 0);
	listed[0] = '\0';
	assert_int_equal(module->open(&call, 1, argv, &opened), ACRED_OK); /* another prefix is another place */
	assert_int_equal(module->list(&call, opened, on_each), ACRED_OK);
	assert_int_equal(module->lookup(&call, opened, &key), ACRED_ABSENT);
	module->close(opened);
	assert_int_equal(utimensat(AT_FDCWD, path_of(NAME), over, 0), 0);
	assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
	assert_string_equal(listed, "");
}

static void test_arguments(void **unused)
{
	static const char *const bad[] = { "prefix=", "prefix=a/b", "prefix=a:b", "dir=/tmp", "prefix" };
	void *opened;

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		noted[0] = '\0';
		assert_int_equal(module->open(&call, 1, &bad[i], &opened), ACRED_FAILED);
		assert_string_not_equal(noted, "");
	}
	assert_int_equal(module->open(&call, 0, NULL, &opened), ACRED_OK);
	assert_int_equal(module->store(&call, opened, &key, "token", 5, 60), ACRED_OK);
	assert_int_equal(access(path_of("alation-cred:access:7@https:%2F%2Ffile.test:8443"), F_OK), 0);
	module->close(opened);
}

static void test_what_it_does_not_keep(void **unused)
{
	static char url[300];
	const struct acred_key refresh = { "refresh", key.base_url, 7 }, far = { "access", url, 7 };

	(void)unused;
	memset(url, 'u', sizeof url - 1);
	assert_int_equal(module->store(&call, state, &refresh, "secret", 6, 0), ACRED_FAILED);
	assert_non_null(strstr(noted, "RefreshToken"));
	assert_int_equal(lookup_of(&refresh), ACRED_ABSENT);
	assert_int_equal(module->erase(&call, state, &refresh), ACRED_ABSENT);
	assert_int_equal(module->store(&call, state, &far, "secret", 6, 60), ACRED_FAILED);
	assert_non_null(strstr(noted, "too long"));
	assert_int_equal(lookup_of(&far), ACRED_FAILED);
	assert_int_equal(files(), 0);
}

/* Two replace, without a lock, and one reads: never nothing, never half of each, and nothing is left. */
static void test_no_gap_while_replaced(void **unused)
{
	static const char *const values[] = { "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb" };
	int status = 0, running = 2;

	(void)unused;
	assert_int_equal(store(values[0], 60), ACRED_OK);
	for (int writer = 0; writer < 2; writer++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child > 0)
			continue;
		for (int i = 0; i < REPLACES; i++)
			(void)store(values[i % 2], 60); /* one may lose its file to the other too often */
		_exit(0);
	}
	while (running > 0) {
		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			running--;
		}
		assert_int_equal(lookup(), ACRED_OK);
		assert_int_equal(n_found, strlen(values[found[0] == 'b']));
		assert_memory_equal(found, values[found[0] == 'b'], n_found);
	}
	assert_int_equal(store("last", 60), ACRED_OK);
	assert_int_equal(files(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_store_find_replace_erase),
		ROW(test_lengths),
		ROW(test_every_file_has_its_end),
		ROW(test_stores_that_fail),
		ROW(test_stores_that_are_tried_again),
		ROW(test_what_a_killed_writer_left),
		ROW(test_list),
		ROW(test_arguments),
		ROW(test_what_it_does_not_keep),
		ROW(test_no_gap_while_replaced),
	};

	return has_shm() ? cmocka_run_group_tests_name("private-file", tests, NULL, NULL) : 0;
}
