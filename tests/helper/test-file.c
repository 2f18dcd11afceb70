/* SPDX-License-Identifier: MIT */
/*
 * file.c: what may be read at all, and that a file is either the old one or the new one, with nothing left beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/file.h"
#include "tests/helper/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#define BE_A_GROUP_OF_MANY 54321 /* not the uid of whoever runs this, one hopes */

static int open_scratch(void)
{
	int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void make_link(const char *path)
{
	scratch_write(scratch_path("elsewhere"), "secret", 6);
	assert_int_equal(symlink("elsewhere", path), 0);
}

static void make_dangling(const char *path)
{
	assert_int_equal(symlink("nowhere", path), 0);
}

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_mode(const char *path, mode_t mode)
{
	scratch_write(path, "x", 1);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_world_writable(const char *path)
{
	make_mode(path, 0602);
}

static void make_group_readable(const char *path)
{
	make_mode(path, 0644);
}

static void make_sized(const char *path, off_t size)
{
	scratch_write(path, "", 0);
	assert_int_equal(truncate(path, size), 0);
}

static void make_full(const char *path)
{
	make_sized(path, FILE_MAX_BYTES);
}

static void make_too_big(const char *path)
{
	make_sized(path, FILE_MAX_BYTES + 1);
}

static void make_empty(const char *path)
{
	make_sized(path, 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static void make_nothing(const char *path)
{
	(void)path;
}

static void what_may_be_read(void **state)
{
	static const struct {
		void (*make)(const char *path);
		int error;
		size_t len;
	} rows[] = {
		{ make_empty, 0, 0 },
		{ make_group_readable, 0, 1 },
		{ make_full, 0, FILE_MAX_BYTES },
		{ make_too_big, EFBIG, 0 },
		{ make_nothing, ENOENT, 0 },
		{ make_link, EPERM, 0 },
		{ make_dangling, EPERM, 0 },
		{ make_fifo, EPERM, 0 },
		{ make_directory, EPERM, 0 },
		{ make_world_writable, EPERM, 0 },
	};
	int dir = open_scratch();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		SECRET content = { 0 };

		assert_true(secret_append(&content, bytes_of("as it was")));
		rows[i].make(scratch_path("file"));
		assert_int_equal(file_read(dir, "file", &content), rows[i].error);
		if (rows[i].error)
			assert_true(bytes_are(secret_view(&content), "as it was"));
		else
			assert_int_equal(content.len, rows[i].len);
		remove(scratch_path("file"));
	}
	close(dir);
}

/* Of a secret nobody else may even read; and what it is, is said. */
static void what_may_be_read_of_a_secret(void **state)
{
	static const struct {
		void (*make)(const char *path);
		int error;
		const char *why;
	} rows[] = {
		{ make_empty, EACCES, "can be read or written by others" },
		{ make_group_readable, EACCES, "can be read or written by others" },
		{ make_world_writable, EACCES, "can be read or written by others" },
		{ make_link, EPERM, "is a link" },
		{ make_dangling, EPERM, "is a link" },
		{ make_fifo, EPERM, "is no regular file" },
		{ make_directory, EPERM, "is no regular file" },
	};
	int dir = open_scratch();
	SECRET content = { 0 };
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		rows[i].make(scratch_path("file"));
		assert_int_equal(file_read_private(dir, "file", &content, &why), rows[i].error);
		assert_string_equal(why, rows[i].why);
		remove(scratch_path("file"));
	}
	assert_int_equal(file_read_private(dir, "file", &content, &why), ENOENT);
	make_mode(scratch_path("file"), 0600);
	assert_int_equal(file_read_private(dir, "file", &content, &why), 0);
	assert_true(bytes_are(secret_view(&content), "x"));
	assert_int_equal(truncate(scratch_path("file"), FILE_MAX_BYTES + 1), 0);
	assert_int_equal(file_read_private(dir, "file", &content, &why), EFBIG);
	assert_string_equal(why, "is too long");
	if (geteuid() == 0 && truncate(scratch_path("file"), 1) == 0 && chown(scratch_path("file"), 1, 0) == 0) {
		assert_int_equal(file_read_private(dir, "file", &content, &why), EPERM);
		assert_string_equal(why, "belongs to another user");
	}
	close(dir);
}

static void devices_are_not_read(void **state)
{
	int dev = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	SECRET content = { 0 };

	(void)state;
	assert_int_equal(file_read(dev, "zero", &content), EPERM);
	close(dev);
}

static void owners_and_groups(void **state)
{
	const char *path = scratch_path("file");
	int dir = open_scratch();
	SECRET content = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	scratch_write(path, "x", 1);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(file_read(dir, "file", &content), 0);
	assert_int_equal(chown(path, 0, BE_A_GROUP_OF_MANY), 0);
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(file_read(dir, "file", &content), EPERM);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(file_read(dir, "file", &content), 0);
	assert_int_equal(chown(path, BE_A_GROUP_OF_MANY, 0), 0);
	assert_int_equal(file_read(dir, "file", &content), EPERM);
	close(dir);
}

static size_t count_entries(void)
{
	DIR *dir = opendir(scratch);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void is_replaced_whole(void **state)
{
	static const char *const contents[] = { "first\n", "", "a longer one\n", "x" };
	int dir = open_scratch();
	mode_t mask = umask(0);

	(void)state;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
		char old[64], now[64];
		int before = open(scratch_path("file"), O_RDONLY | O_CLOEXEC);
		struct stat st;

		assert_int_equal(file_replace(dir, "file", bytes_of(contents[i])), 0);
		assert_int_equal(scratch_read(scratch_path("file"), now, sizeof now), strlen(contents[i]));
		assert_string_equal(now, contents[i]);
		assert_int_equal(stat(scratch_path("file"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(count_entries(), 1);
		if (i > 0) { /* who had it open reads what he opened */
			assert_int_equal(read(before, old, sizeof old), strlen(contents[i - 1]));
			assert_memory_equal(old, contents[i - 1], strlen(contents[i - 1]));
			close(before);
		}
	}
	umask(mask);
	close(dir);
}

static void what_a_killed_writer_left_is_no_trap(void **state)
{
	int dir = open_scratch();
	char text[64];

	(void)state;
	scratch_write(scratch_path(".file.new"), "half of somethi", 15);
	assert_int_equal(file_replace(dir, "file", bytes_of("whole")), 0);
	scratch_read(scratch_path("file"), text, sizeof text);
	assert_string_equal(text, "whole");

	scratch_write(scratch_path("victim"), "untouched", 9);
	assert_int_equal(symlink("victim", scratch_path(".file.new")), 0);
	assert_int_equal(file_replace(dir, "file", bytes_of("again")), 0);
	scratch_read(scratch_path("victim"), text, sizeof text);
	assert_string_equal(text, "untouched");
	scratch_read(scratch_path("file"), text, sizeof text);
	assert_string_equal(text, "again");
	assert_int_equal(count_entries(), 2);
	close(dir);
}

static void what_cannot_be_read_back_is_not_written(void **state)
{
	SECRET big = { 0 };
	int dir = open_scratch();
	char name[300], text[64];

	(void)state;
	scratch_write(scratch_path("file"), "old", 3);
	assert_true(secret_reserve(&big, FILE_MAX_BYTES + 1));
	memset(big.bytes, 'x', FILE_MAX_BYTES + 1);
	assert_int_equal(file_replace(dir, "file", (struct bytes){ big.bytes, FILE_MAX_BYTES + 1 }), EFBIG);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(file_replace(dir, name, bytes_of("x")), ENAMETOOLONG);
	scratch_read(scratch_path("file"), text, sizeof text);
	assert_string_equal(text, "old");
	assert_int_equal(count_entries(), 1);
	close(dir);
}

/* As on a full disk: the write ends in the middle. */
static void a_failed_write_leaves_the_old_one(void **state)
{
	int dir = open_scratch();
	char text[64];
	pid_t child;

	(void)state;
	scratch_write(scratch_path("file"), "old", 3);
	child = fork();
	if (child == 0) {
		static char content[64];
		struct rlimit limit = { 10, 10 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(file_replace(dir, "file", (struct bytes){ content, sizeof content }) == EFBIG ? 0 : 1);
	}
	assert_int_equal(scratch_exit_code(child), 0);
	scratch_read(scratch_path("file"), text, sizeof text);
	assert_string_equal(text, "old");
	assert_int_equal(count_entries(), 1);

	assert_int_equal(mkdir(scratch_path("taken"), 0700), 0);
	assert_int_not_equal(file_replace(dir, "taken", bytes_of("x")), 0);
	assert_int_equal(count_entries(), 2);
	close(dir);
}

static void is_tried_and_left_as_it_was(void **state)
{
	int dir = open_scratch();
	char text[8];

	(void)state;
	assert_int_equal(file_try(dir, "file", bytes_of("new")), 0);
	assert_int_equal(count_entries(), 0);
	scratch_write(scratch_path("file"), "old", 3);
	scratch_write(scratch_path(".file.new"), "left by one who was killed", 26);
	assert_int_equal(file_try(dir, "file", bytes_of("new")), 0);
	scratch_read(scratch_path("file"), text, sizeof text);
	assert_string_equal(text, "old");
	assert_int_equal(count_entries(), 1);
	assert_int_equal(mkdir(scratch_path(".taken.new"), 0700), 0);
	assert_int_not_equal(file_try(dir, "taken", bytes_of("x")), 0);
	assert_int_equal(count_entries(), 2);
	close(dir);
}

static void peeks(void **state)
{
	char text[8];

	(void)state;
	scratch_write(scratch_path("file"), "0123456789", 10);
	assert_int_equal(file_peek(scratch_path("file"), text, sizeof text), 8);
	assert_memory_equal(text, "01234567", 8);
	assert_int_equal(file_peek(scratch_path("none"), text, sizeof text), -1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_may_be_read),
		CASE(what_may_be_read_of_a_secret),
		CASE(devices_are_not_read),
		CASE(owners_and_groups),
		CASE(is_replaced_whole),
		CASE(what_a_killed_writer_left_is_no_trap),
		CASE(what_cannot_be_read_back_is_not_written),
		CASE(a_failed_write_leaves_the_old_one),
		CASE(is_tried_and_left_as_it_was),
		CASE(peeks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
