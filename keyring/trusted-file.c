/* SPDX-License-Identifier: MIT */
/*
 * By descriptors: what was looked at is what the caller gets, whatever is put under its name meanwhile.
 */
#include "keyring/trusted-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring/trust.h"

struct place { /* for words */
	char *why;
	size_t room;
};

static enum trusted refuse(const struct place *place, const char *path, const char *reason)
{
	snprintf(place->why, place->room, "%s: %s", path, reason);
	return TRUSTED_REFUSED;
}

/* No such file is another thing than a file we refuse: a package may simply not be installed. */
static enum trusted refuse_errno(const struct place *place, const char *path)
{
	enum trusted not_there = errno == ENOENT || errno == ENOTDIR ? TRUSTED_NOT_THERE : TRUSTED_REFUSED;

	refuse(place, path, strerror(errno));
	return not_there;
}

/* The directory that PATH names an entry of. */
static enum trusted open_directory_of(const char *path, int *ret_fd, const struct place *place)
{
	char dir[PATH_MAX];
	size_t n = (size_t)(strrchr(path, '/') - path);
	const char *reason;
	struct stat st;
	int fd;

	n = n == 0 ? 1 : n;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(place, dir);
	reason = fstat(fd, &st) != 0 ? strerror(errno) : trust_refusal(&st);
	if (reason != NULL) {
		close(fd);
		return refuse(place, dir, reason);
	}
	*ret_fd = fd;
	return TRUSTED;
}

/* The file of REAL, a path without links, in its directory. */
static enum trusted open_real(const char *real, int *ret_fd, const struct place *place)
{
	const char *reason;
	struct stat st;
	int dir, fd;
	enum trusted trusted = open_directory_of(real, &dir, place);

	if (trusted != TRUSTED)
		return trusted;
	/* O_NONBLOCK: should it be a FIFO, do not wait for whoever put it there */
	fd = openat(dir, strrchr(real, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		trusted = refuse_errno(place, real);
	close(dir);
	if (fd < 0)
		return trusted;
	reason = fstat(fd, &st) != 0 ? strerror(errno)
	       : !S_ISREG(st.st_mode) ? "is not a regular file" : trust_refusal(&st);
	if (reason != NULL) {
		close(fd);
		return refuse(place, real, reason);
	}
	*ret_fd = fd;
	return TRUSTED;
}

enum trusted trusted_file_open(const char *path, int *ret_fd, char real[PATH_MAX], char *why, size_t room)
{
	const struct place place = { why, room };
	enum trusted trusted;
	int dir;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return refuse(&place, path, "is not an absolute path");
	if (realpath(path, real) == NULL)
		return refuse_errno(&place, path);
	if (strcmp(path, real) != 0) {
		trusted = open_directory_of(path, &dir, &place);
		if (trusted != TRUSTED)
			return trusted;
		close(dir);
	}
	return open_real(real, ret_fd, &place);
}
