/* SPDX-License-Identifier: MIT */
/*
 * A directory of a test's own, its HOME meanwhile, and gone with all that is in it afterwards. Include behind
 * cmocka.h. Never leaves that directory, and follows no link out of it.
 */
#ifndef TESTS_HELPER_SCRATCH_H
#define TESTS_HELPER_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAYBE_UNUSED __attribute__((unused))

static char scratch[128];

static int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	remove(path);
	return 0;
}

MAYBE_UNUSED static void scratch_remove(const char *path)
{
	nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

MAYBE_UNUSED static int scratch_setup(void **state)
{
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/alation-cred-test-XXXXXX");
	if (!mkdtemp(scratch))
		return -1;
	unsetenv("XDG_STATE_HOME");
	return setenv("HOME", scratch, 1);
}

MAYBE_UNUSED static int scratch_teardown(void **state)
{
	(void)state;
	scratch_remove(scratch);
	return access(scratch, F_OK) == 0 ? -1 : 0;
}

/* A path below the directory; four of them stay valid. */
MAYBE_UNUSED static const char *scratch_path(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

MAYBE_UNUSED static void scratch_write(const char *path, const void *content, size_t n)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* Its bytes, with a NUL behind them that is not counted; -1 where it cannot be read. */
MAYBE_UNUSED static long scratch_read(const char *path, char *content, size_t room)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return -1;
	n = fread(content, 1, room - 1, file);
	content[n] = '\0';
	fclose(file);
	return (long)n;
}

/* The status of a child that is gone. */
MAYBE_UNUSED static int scratch_wait(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

MAYBE_UNUSED static int scratch_exit_code(pid_t child)
{
	int status = scratch_wait(child);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* All of FD until its end, or as much as comes within ten seconds. */
MAYBE_UNUSED static size_t scratch_drain(int fd, char *text, size_t room)
{
	size_t n = 0;

	for (;;) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (n + 1 >= room || poll(&in, 1, 10000) <= 0)
			break;
		got = read(fd, text + n, room - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	return n;
}

#endif
