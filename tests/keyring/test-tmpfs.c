/* SPDX-License-Identifier: MIT */
/*
 * The user's private directory: where it is made, and what is never taken for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>

#include "keyring/tmpfs.h"
#include "tests/keyring/stranger.h"

static char path[TMPFS_PATH_MAX_BYTES];

/* In the child: the directory PLACE, as it should be. */
static int opens(bool create, const char *place)
{
	struct stat opened, named;
	int fd = tmpfs_open(create, path);

	CHECK(fd >= 0 && strcmp(path, place) == 0);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fstat(fd, &opened) == 0 && stat(place, &named) == 0);
	CHECK(opened.st_ino == named.st_ino && opened.st_dev == named.st_dev);
	CHECK(opened.st_uid == geteuid() && (opened.st_mode & 07777) == 0700);
	close(fd);
	return 0;
}

static int refused(bool create, int error, const char *about)
{
	errno = 0;
	CHECK(tmpfs_open(create, path) == -1);
	CHECK(errno == error);
	CHECK(strcmp(path, about) == 0);
	return 0;
}

static int made_when_wanted(void)
{
	CHECK(refused(false, ENOENT, shm) == 0);
	CHECK(access(shm, F_OK) != 0 && access(tmp, F_OK) != 0);
	CHECK(opens(true, shm) == 0);
	CHECK(opens(true, shm) == 0);
	CHECK(opens(false, shm) == 0);
	CHECK(access(tmp, F_OK) != 0);
	return 0;
}

static int under_any_umask(void)
{
	umask(0);
	return opens(true, shm);
}

static int passed_over(void)
{
	CHECK(refused(false, EPERM, shm) == 0);
	CHECK(opens(true, tmp) == 0);
	CHECK(opens(false, tmp) == 0);
	return 0;
}

static int passed_over_both(void)
{
	CHECK(refused(false, EPERM, shm) == 0);
	CHECK(refused(true, EPERM, shm) == 0);
	return 0;
}

static int only_tmp_is_bad(void)
{
	CHECK(refused(false, EPERM, tmp) == 0);
	CHECK(opens(true, shm) == 0);
	return 0;
}

static int own_with_mode(mode_t mode)
{
	CHECK(mkdir(shm, 0700) == 0 && chmod(shm, mode) == 0);
	return passed_over();
}

static int own_that_all_enter(void)
{
	return own_with_mode(0711);
}

static int own_of_a_group(void)
{
	return own_with_mode(0770);
}

static int own_that_cannot_be_read(void)
{
	return own_with_mode(0);
}

static void ours(void **state)
{
	as_stranger(made_when_wanted, "made when wanted");
	stranger_clear(state);
	as_stranger(under_any_umask, "under any umask");
	stranger_clear(state);
	as_stranger(own_that_all_enter, "0711");
	stranger_clear(state);
	as_stranger(own_of_a_group, "0770");
	stranger_clear(state);
	as_stranger(own_that_cannot_be_read, "0000");
}

/* What root puts there stands for any other user. */
static bool link_to_a_directory_of_his(const char *place)
{
	char target[80];

	snprintf(target, sizeof target, "%s.target", shm);
	return (mkdir(target, 0700) == 0 || errno == EEXIST) && chown(target, stranger, stranger) == 0 && symlink(target, place) == 0;
}

static bool dangling_link(const char *place)
{
	return symlink("/nonexistent", place) == 0;
}

static bool fifo(const char *place)
{
	return mkfifo(place, 0600) == 0 && chown(place, stranger, stranger) == 0;
}

static bool file(const char *place)
{
	int fd = open(place, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);

	return fd >= 0 && close(fd) == 0 && chown(place, stranger, stranger) == 0;
}

static bool closed_directory(const char *place)
{
	return mkdir(place, 0700) == 0;
}

static bool open_directory(const char *place)
{
	return mkdir(place, 0777) == 0 && chmod(place, 0777) == 0;
}

static bool directory_of_his_group(const char *place)
{
	return mkdir(place, 0770) == 0 && chmod(place, 0770) == 0 && chown(place, 0, stranger) == 0;
}

static const struct {
	const char *what;
	bool (*put)(const char *place);
} traps[] = {
	{ "a link to a directory of his own", link_to_a_directory_of_his },
	{ "a link to nowhere", dangling_link },
	{ "a fifo", fifo },
	{ "a file", file },
	{ "another's directory", closed_directory },
	{ "another's, open for all", open_directory },
	{ "another's, open for his group", directory_of_his_group },
};

static void something_else_in_its_place(void **state)
{
	char target[80];

	snprintf(target, sizeof target, "%s.target", shm);
	for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
		if (geteuid() == 0)
			assert_true(traps[i].put(shm));
		as_stranger(passed_over, traps[i].what);
		nftw(tmp, stranger_remove_one, 4, FTW_DEPTH | FTW_PHYS);
		assert_true(traps[i].put(tmp));
		as_stranger(passed_over_both, traps[i].what);
		nftw(shm, stranger_remove_one, 4, FTW_DEPTH | FTW_PHYS);
		as_stranger(only_tmp_is_bad, traps[i].what);
		stranger_clear(state);
		(void)rmdir(target); /* it fails if anything was made in it */
		assert_int_not_equal(access(target, F_OK), 0);
	}
}

static int can_open_it(void)
{
	int fd = open(shm, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(fd >= 0);
	return refused(false, EPERM, shm);
}

/* For root no mode is in the way: it is the owner that counts. */
static void anothers_that_can_be_opened(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_true(closed_directory(shm));
	stranger_sees_all = true;
	as_stranger(can_open_it, "another's");
	stranger_sees_all = false;
}

static int teardown(void **state)
{
	char target[80];

	snprintf(target, sizeof target, "%s.target", shm);
	(void)rmdir(target); /* of a row that failed */
	return stranger_clear(state);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, stranger_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(ours),
		ROW(something_else_in_its_place),
		ROW(anothers_that_can_be_opened),
	};

	return cmocka_run_group_tests_name("tmpfs", tests, NULL, NULL);
}
