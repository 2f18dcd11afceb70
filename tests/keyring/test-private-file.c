/* SPDX-License-Identifier: MIT */
/*
 * The private-file module in a directory of this process on the real /dev/shm, and with directories and renames that
 * fail: tmpfs_open() and renameat() are this file's.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/module.h"
#include "keyring/tmpfs.h"

#define LONGEST_BYTES 32767
#define REPLACES 300
#define NAME "alation-cred-test:access:7@https:%2F%2Ffile.test:8443"

extern const struct acred_module acred_builtin_private_file;
static const struct acred_module *const module = &acred_builtin_private_file;

static const struct acred_key key = { "access", "https://file.test:8443", 7 };
static const struct acred_key neighbour = { "access", "https://file.test:8443", 8 };
static struct acred_call call;
static char found[40000], noted[1024], listed[1024];
static size_t n_found;
static int put_answer;
static void *state;

static char dir[64];             /* what tmpfs_open() opens */
static const char *other_dir;    /* in its place */
static int dir_error, dirs_gone; /* it fails; it is gone so often when it was just opened */
static bool created;
static struct {
	int error, times;
	bool die;
} renaming;

int tmpfs_open(bool create, char path[TMPFS_PATH_MAX_BYTES])
{
	int fd;

	created = create;
	snprintf(path, TMPFS_PATH_MAX_BYTES, "%s", dir);
	if (dir_error != 0) {
		errno = dir_error;
		return -1;
	}
	if (dirs_gone > 0) {
		char gone[80];

		dirs_gone--;
		snprintf(gone, sizeof gone, "%s.gone", dir);
		assert_int_equal(mkdir(gone, 0700), 0);
		fd = open(gone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(rmdir(gone), 0);
		return fd;
	}
	return open(other_dir != NULL ? other_dir : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	static int (*real)(int, const char *, int, const char *);

	if (renaming.die)
		_exit(0);
	if (renaming.times > 0) {
		renaming.times--;
		errno = renaming.error;
		return -1;
	}
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "renameat");
	return real(from_dir, from, to_dir, to);
}

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
	snprintf(noted, sizeof noted, "%s", text);
}

static void on_each(void *host, const struct acred_key *each)
{
	size_t n = strlen(listed);

	assert_ptr_equal(host, &call);
	snprintf(listed + n, sizeof listed - n, "%s %d %s;", each->facility, (int)each->user_id, each->base_url);
}

static int lookup_of(const struct acred_key *wanted)
{
	n_found = 0;
	noted[0] = '\0';
	return module->lookup(&call, state, wanted);
}

static int lookup(void)
{
	return lookup_of(&key);
}

static int store(const char *bytes, int64_t ttl_s)
{
	noted[0] = '\0';
	return module->store(&call, state, &key, bytes, strlen(bytes), ttl_s);
}

static int erase(void)
{
	noted[0] = '\0';
	return module->erase(&call, state, &key);
}

static void assert_found(const char *bytes)
{
	assert_int_equal(lookup(), ACRED_OK);
	assert_int_equal(n_found, strlen(bytes));
	assert_memory_equal(found, bytes, n_found);
	assert_string_equal(noted, "");
}

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static unsigned files(void)
{
	DIR *names = opendir(dir);
	unsigned n = 0;

	assert_non_null(names);
	while (readdir(names) != NULL)
		n++;
	closedir(names);
	return n - 2;
}

static int setup(void **unused)
{
	const char *argv[] = { "prefix=alation-cred-test" };

	(void)unused;
	snprintf(dir, sizeof dir, "/dev/shm/acred-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	call = (struct acred_call){ .size = sizeof call, .host = &call, .put = on_put, .note = on_note };
	put_answer = dir_error = dirs_gone = renaming.times = 0;
	renaming.die = false;
	other_dir = NULL;
	noted[0] = listed[0] = '\0';
	return module->open(&call, 1, argv, &state) != ACRED_OK;
}

static int teardown(void **unused)
{
	DIR *names = opendir(dir);
	struct dirent *entry;

	(void)unused;
	module->close(state);
	if (names == NULL)
		return -1;
	while ((entry = readdir(names)) != NULL)
		(void)unlinkat(dirfd(names), entry->d_name, 0);
	closedir(names);
	return rmdir(dir);
}

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

/* What stands in a file's place. Each puts it there. */
static void put_link(const char *path)
{
	assert_int_equal(symlink(path_of("elsewhere"), path), 0);
}

static void put_dangling_link(const char *path)
{
	assert_int_equal(symlink("/nonexistent", path), 0);
}

static void put_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_device(const char *path)
{
	assert_int_equal(mknod(path, S_IFCHR | 0600, 0x0103), 0); /* /dev/null */
}

static void put_empty(const char *path)
{
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
}

static void put_long(const char *path)
{
	put_empty(path);
	assert_int_equal(truncate(path, LONGEST_BYTES + 1), 0);
}

static void put_huge(const char *path)
{
	put_empty(path);
	assert_int_equal(truncate(path, (off_t)1 << 32), 0);
}

static void put_readable(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static void put_writable(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chmod(path, 0602), 0);
}

static void put_hard_link(const char *path)
{
	assert_int_equal(link(path_of("elsewhere"), path), 0);
}

static void put_anothers(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chown(path, 1988000000, (gid_t)-1), 0);
}

static const struct {
	const char *words;
	void (*put)(const char *path);
	int status;
	bool needs_root;
} strangers[] = {
	{ "it is a link", put_link, ACRED_DENIED, false },
	{ "it is a link", put_dangling_link, ACRED_DENIED, false },
	{ "no regular file", put_fifo, ACRED_FAILED, false },
	{ "no regular file", put_device, ACRED_FAILED, true },
	{ "empty or too long", put_empty, ACRED_FAILED, false },
	{ "empty or too long", put_long, ACRED_FAILED, false },
	{ "empty or too long", put_huge, ACRED_FAILED, false },
	{ "others may open it", put_readable, ACRED_DENIED, false },
	{ "others may open it", put_writable, ACRED_DENIED, false },
	{ "it has a second name", put_hard_link, ACRED_DENIED, false },
	{ "it is another user's", put_anothers, ACRED_DENIED, true },
};

static void assert_refused(int got, int wanted, const char *words)
{
	if (got != wanted || strstr(noted, words) == NULL || strstr(noted, "/" NAME " is not used: ") == NULL)
		fail_msg("status %d, not %d; noted '%s', not '%s'", got, wanted, noted, words);
}

/* Not read, not written to, not followed; an erase takes the name away, and then all is well. */
static void test_what_is_not_used(void **unused)
{
	char path[512], elsewhere[512];

	(void)unused;
	snprintf(path, sizeof path, "%s", path_of(NAME));
	snprintf(elsewhere, sizeof elsewhere, "%s", path_of("elsewhere"));
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		const struct stat none = { 0 };
		struct stat before = none, after = none;

		if (strangers[i].needs_root && geteuid() != 0)
			continue;
		assert_int_equal(store("theirs", 60), ACRED_OK);
		assert_int_equal(rename(path, elsewhere), 0);
		strangers[i].put(path);
		assert_int_equal(lstat(path, &before), 0);
		assert_refused(lookup(), strangers[i].status, strangers[i].words);
		assert_int_equal(n_found, 0);
		assert_refused(store("secret", 60), strangers[i].status, strangers[i].words);
		assert_int_equal(lstat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
		assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
		assert_string_equal(listed, "");
		assert_int_equal(erase(), ACRED_OK);
		assert_int_equal(lstat(path, &after), -1);
		assert_int_equal(store("secret", 60), ACRED_OK);
		assert_found("secret");
		(void)unlink(elsewhere); /* it is what the name was moved from, or what it pointed at */
		assert_int_equal(files(), 1);
		assert_int_equal(erase(), ACRED_OK);
	}
}

static void test_directory_in_a_files_place(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(path_of(NAME), 0700), 0);
	assert_refused(lookup(), ACRED_FAILED, "no regular file");
	assert_refused(store("secret", 60), ACRED_FAILED, "no regular file");
	assert_refused(erase(), ACRED_FAILED, "directory");
	assert_int_equal(rmdir(path_of(NAME)), 0);
}

static void test_directories(void **unused)
{
	static const struct {
		int error;
		const char *place, *words;
		int looked_up, stored, erased, listed;
	} rows[] = {
		{ ENOENT, NULL, "", ACRED_ABSENT, ACRED_UNAVAILABLE, ACRED_ABSENT, ACRED_OK },
		{ EPERM, NULL, "mode 0700", ACRED_DENIED, ACRED_DENIED, ACRED_UNAVAILABLE, ACRED_DENIED },
		{ EACCES, NULL, "denied", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ EROFS, NULL, "Read-only", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ EMFILE, NULL, "open files", ACRED_FAILED, ACRED_FAILED, ACRED_FAILED, ACRED_FAILED },
		{ 0, "/proc/self", "no tmpfs", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		dir_error = rows[i].error;
		other_dir = rows[i].place;
		assert_int_equal(lookup(), rows[i].looked_up);
		assert_non_null(strstr(noted, rows[i].words));
		assert_int_equal(store("secret", 60), rows[i].stored);
		assert_non_null(strstr(noted, rows[i].words));
		assert_non_null(strstr(noted, dir));
		assert_int_equal(erase(), rows[i].erased);
		assert_non_null(strstr(noted, rows[i].words));
		assert_int_equal(module->list(&call, state, on_each), rows[i].listed);
	}
	assert_string_equal(listed, "");
	assert_int_equal(files(), 0);
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
	assert_int_equal(lookup_of(&refresh), ACRED_FAILED);
	assert_int_equal(module->erase(&call, state, &refresh), ACRED_FAILED);
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

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_store_find_replace_erase),
		ROW(test_lengths),
		ROW(test_every_file_has_its_end),
		ROW(test_what_is_not_used),
		ROW(test_directory_in_a_files_place),
		ROW(test_directories),
		ROW(test_stores_that_fail),
		ROW(test_stores_that_are_tried_again),
		ROW(test_what_a_killed_writer_left),
		ROW(test_list),
		ROW(test_arguments),
		ROW(test_what_it_does_not_keep),
		ROW(test_no_gap_while_replaced),
	};

	if (access("/dev/shm", W_OK) != 0) {
		puts("1..1\nok 1 private-file # SKIP there is no /dev/shm to write to");
		return 0;
	}
	return cmocka_run_group_tests_name("private-file", tests, NULL, NULL);
}
