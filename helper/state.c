/* SPDX-License-Identifier: MIT */
/*
 * Finds, makes and checks our directories. Opens each and looks at what was opened.
 */
#include "helper/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring/tmpfs.h"
#include "keyring/trust.h"

#define NAME "alation-cred"

static bool join(char path[STATE_PATH_MAX_BYTES], const char *a, const char *b)
{
	return snprintf(path, STATE_PATH_MAX_BYTES, "%s/%s", a, b) < STATE_PATH_MAX_BYTES;
}

/* Makes PATH and what is missing above it, 0700 each. */
static void make_path(const char *path)
{
	char part[STATE_PATH_MAX_BYTES];

	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(part, 0700);
		*p = '/';
	}
	mkdir(part, 0700);
}

/* The home directory's candidate: open and ours, writable by nobody else. 0, or an errno; EACCES and EROFS
 * leave it open for reading. */
static int open_home(const char *path, bool create, int *ret_fd)
{
	struct stat st;
	int fd;

	if (create)
		make_path(path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || trust_refusal(&st)) {
		close(fd);
		return EPERM;
	}
	*ret_fd = fd;
	return faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The private tmpfs directory. 0, or an errno; the path is set in both cases. */
static int open_fallback(bool create, struct state_dir *ret_dir)
{
	char path[TMPFS_PATH_MAX_BYTES];
	int error;

	ret_dir->fd = tmpfs_open(create, path);
	error = ret_dir->fd < 0 ? errno : 0;
	ret_dir->fallback = !error;
	snprintf(ret_dir->path, sizeof ret_dir->path, "%s", path);
	return error;
}

static enum outcome unusable(struct trouble *trouble, const char *path, int error)
{
	if (error == EPERM)
		return trouble_say(trouble, TROUBLE_CONFIGURATION, "make it the user's own and writable by nobody else (not with sudo)",
		                   "the directory %s does not belong to uid %u alone", path, (unsigned)geteuid());
	return trouble_say(trouble, TROUBLE_CONFIGURATION, "set HOME to a directory that can be written",
	                   "no directory for state: %s: %s", path, strerror(error));
}

/* Home's candidate PATH ("" where there is none), else the tmpfs. */
static enum outcome open_either(const char *path, bool create, struct state_dir *ret_dir, struct trouble *trouble)
{
	int error = ENOENT, home = -1;
	bool none_yet;

	*ret_dir = (struct state_dir){ .fd = -1 };
	if (path[0])
		error = open_home(path, create, &home);
	if (error == EPERM)
		return unusable(trouble, path, error);
	if (error == 0) {
		ret_dir->fd = home;
		snprintf(ret_dir->path, sizeof ret_dir->path, "%s", path);
		return DONE;
	}
	/* Nothing there yet, and where it will be: then what a stranger has put into the tmpfs is in nobody's way. */
	none_yet = path[0] && error == ENOENT && !create;
	error = open_fallback(create, ret_dir);
	/* A home that can only be read serves what it holds as long as nothing was written elsewhere; the locks,
	 * which the first call makes there, are not what is meant. */
	if (!create && home >= 0 && (error || faccessat(ret_dir->fd, "accounts", F_OK, AT_SYMLINK_NOFOLLOW) != 0)) {
		if (!error)
			close(ret_dir->fd);
		*ret_dir = (struct state_dir){ .fd = home };
		snprintf(ret_dir->path, sizeof ret_dir->path, "%s", path);
		return DONE;
	}
	if (home >= 0)
		close(home);
	if (error == 0 || none_yet || (!create && error == ENOENT))
		return DONE;
	return unusable(trouble, ret_dir->path, error);
}

static void home_path(char path[STATE_PATH_MAX_BYTES], const char *below)
{
	const char *home = getenv("HOME");

	if (!home || home[0] != '/' || !join(path, home, below))
		path[0] = '\0';
}

enum outcome state_open(bool create, struct state_dir *ret_dir, struct trouble *trouble)
{
	const char *xdg = getenv("XDG_STATE_HOME");
	char path[STATE_PATH_MAX_BYTES];

	/* A relative path is to be ignored, says the XDG base directory specification. */
	if (!xdg || xdg[0] != '/' || !join(path, xdg, NAME))
		home_path(path, ".local/state/" NAME);
	return open_either(path, create, ret_dir, trouble);
}

enum outcome state_open_shared(struct state_dir *ret_dir, struct trouble *trouble)
{
	char path[STATE_PATH_MAX_BYTES];

	home_path(path, ".local/state/" NAME);
	return open_either(path, true, ret_dir, trouble);
}

enum outcome state_open_locks(struct state_dir *ret_dir, struct trouble *trouble)
{
	enum outcome outcome = state_open_shared(ret_dir, trouble);
	int fd;

	if (outcome != DONE)
		return outcome;
	if (mkdirat(ret_dir->fd, "locks", 0700) != 0 && errno != EEXIST)
		fd = -1;
	else
		fd = openat(ret_dir->fd, "locks", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		outcome = unusable(trouble, ret_dir->path, errno);
	close(ret_dir->fd);
	ret_dir->fd = fd;
	return outcome;
}
