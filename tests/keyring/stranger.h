/* SPDX-License-Identifier: MIT */
/*
 * A child with a uid that nobody has, so that the caller's own private directory is never touched, and what stands
 * in the places of that uid's. Include behind cmocka.h. Takes away what it made; without root all of it is skipped.
 */
#ifndef TESTS_KEYRING_STRANGER_H
#define TESTS_KEYRING_STRANGER_H

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGERS_UID 1988000000u /* and more: no system gives such a number to anybody */
#define STRANGER_SKIPPED 255

static char shm[64], tmp[64];
static uid_t stranger;
static bool stranger_sees_all; /* he opens what root may open, as root does with another's files */

/* In the child: what fails is its line. */
#define CHECK(condition)                           \
	do {                                       \
		if (!(condition))                  \
			return 1 + __LINE__ % 250; \
	} while (0)

static int stranger_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	remove(path);
	return 0;
}

static int stranger_clear(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	nftw(shm, stranger_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw(tmp, stranger_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

static int stranger_setup(void **state)
{
	stranger = STRANGERS_UID + (uid_t)getpid() % 1000000;
	snprintf(shm, sizeof shm, "/dev/shm/alation-cred-%u", (unsigned)stranger);
	snprintf(tmp, sizeof tmp, "/tmp/alation-cred-%u", (unsigned)stranger);
	return stranger_clear(state);
}

/* BODY as that user; skips the test where that cannot be. */
static void as_stranger(int (*body)(void), const char *what)
{
	int status = -1;
	pid_t child;

	if (geteuid() != 0 || access("/dev/shm", W_OK) != 0) {
		print_message("only root can become another user to try this, with a /dev/shm\n");
		skip();
	}
	child = fork();
	if (child == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(stranger, stranger, stranger) != 0 ||
		    setresuid(stranger, stranger, stranger_sees_all ? 0 : stranger) != 0)
			_exit(STRANGER_SKIPPED);
		if (stranger_sees_all)
			(void)setfsuid(0);
		_exit(body());
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == STRANGER_SKIPPED)
		skip();
	if (status != 0)
		fail_msg("%s: a check at line %d (modulo 250) failed, or a signal (%#x)", what, WEXITSTATUS(status) - 1, (unsigned)status);
}

#endif
