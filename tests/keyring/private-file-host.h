/* SPDX-License-Identifier: MIT */
/*
 * A host for the private-file module, and a directory of this process on the real /dev/shm. tmpfs_open() and renameat()
 * are this file's, so that they can fail.
 */
#ifndef TESTS_KEYRING_PRIVATE_FILE_HOST_H
#define TESTS_KEYRING_PRIVATE_FILE_HOST_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/module.h"
#include "keyring/tmpfs.h"

#define LONGEST_BYTES 32767
#define NAME "alation-cred-test:access:7@https:%2F%2Ffile.test:8443"

extern const struct acred_module acred_builtin_private_file;
static const struct acred_module *const module = &acred_builtin_private_file;

static const struct acred_key key = { "access", "https://file.test:8443", 7 };
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

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* For main(): false, and said, where these tests have no place. */
static bool has_shm(void)
{
	if (access("/dev/shm", W_OK) == 0)
		return true;
	puts("1..1\nok 1 private-file # SKIP there is no /dev/shm to write to");
	return false;
}

#endif
