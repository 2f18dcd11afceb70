/* SPDX-License-Identifier: MIT */
/*
 * Makes, opens and looks at the private directory. Never follows a link, and never mends what it finds: a directory
 * that is not right is passed over. Whether a tmpfs is mounted there is the caller's to ask.
 */
#include "keyring/tmpfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const places[] = { "/dev/shm", "/tmp" };

/* What is said of a directory that could not be opened: something else stands there, or another user's. */
static int refusal(int error)
{
	return error == ENOTDIR || error == ELOOP || error == EACCES ? EPERM : error;
}

/* 0, or an errno. */
static int open_own(const char *path, bool create, int *ret_fd)
{
	int made = create && mkdir(path, 0700) != 0 ? errno : 0, error = 0;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return made != 0 && made != EEXIST ? made : ENOENT;
	if (fd < 0)
		return refusal(errno);
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		error = EPERM;
	if (error != 0)
		close(fd);
	else
		*ret_fd = fd;
	return error;
}

int tmpfs_open(bool create, char path[TMPFS_PATH_MAX_BYTES])
{
	int error = ENOENT;
	size_t worst = 0;

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		int fd, failed;

		snprintf(path, TMPFS_PATH_MAX_BYTES, "%s/alation-cred-%u", places[i], (unsigned)geteuid());
		failed = open_own(path, create, &fd);
		if (failed == 0)
			return fd;
		/* The first that stands in the way tells more than that there is nothing elsewhere. */
		if (error == ENOENT && failed != ENOENT) {
			error = failed;
			worst = i;
		}
	}
	snprintf(path, TMPFS_PATH_MAX_BYTES, "%s/alation-cred-%u", places[worst], (unsigned)geteuid());
	errno = error;
	return -1;
}
