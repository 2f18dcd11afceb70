/* SPDX-License-Identifier: MIT */
/*
 * Safe open and atomic replace. Opens, looks at what was opened, then uses that. Knows no content.
 */
#include "helper/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/failpoint.h"
#include "keyring/trust.h"

#define TEMP_NAME_BYTES 256

static int read_all(int fd, size_t size, struct secret *ret_content)
{
	for (;;) {
		size_t room;
		ssize_t n;

		if (ret_content->len > FILE_MAX_BYTES)
			return EFBIG;
		/* One byte more than it should have, which tells that it has grown. */
		if (!secret_reserve(ret_content, size > ret_content->len ? size - ret_content->len + 1 : 1))
			return ENOMEM;
		room = ret_content->room - ret_content->len;
		n = read(fd, ret_content->bytes + ret_content->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			return 0;
		ret_content->len += (size_t)n;
		if (ret_content->len == size && (size_t)n < room)
			return 0; /* all that it said it has, and no more: nobody has to ask once again */
	}
}

/* NULL: it may be read. */
static const char *refusal(const struct stat *st, bool private)
{
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (!private)
		return trust_refusal(st);
	if (st->st_uid != geteuid())
		return "belongs to another user";
	return st->st_mode & 077 ? "can be read or written by others" : NULL;
}

static int read_judged(int dirfd, const char *name, bool private, struct secret *ret_content, const char **ret_why, unsigned *ret_mode)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	SECRET content = { 0 };
	struct stat st;
	int error;

	*ret_why = NULL;
	*ret_mode = 0;
	if (fd < 0 && errno == ELOOP)
		*ret_why = "is a link";
	if (fd < 0)
		return errno == ELOOP ? EPERM : errno;
	if (fstat(fd, &st) != 0)
		error = errno;
	else if (*ret_mode = S_ISREG(st.st_mode) ? st.st_mode & 07777 : 0, (*ret_why = refusal(&st, private)))
		error = S_ISREG(st.st_mode) && private && st.st_uid == geteuid() ? EACCES : EPERM;
	else if (st.st_size > FILE_MAX_BYTES)
		error = EFBIG;
	else
		error = read_all(fd, (size_t)st.st_size, &content);
	close(fd);
	if (!error)
		secret_move(ret_content, &content);
	return error;
}

int file_read(int dirfd, const char *name, struct secret *ret_content)
{
	const char *why;
	unsigned mode;

	return read_judged(dirfd, name, false, ret_content, &why, &mode);
}

int file_read_said(int dirfd, const char *name, struct secret *ret_content, const char **ret_why, unsigned *ret_mode)
{
	return read_judged(dirfd, name, false, ret_content, ret_why, ret_mode);
}

int file_read_private(int dirfd, const char *name, struct secret *ret_content, const char **ret_why)
{
	unsigned mode;
	int error = read_judged(dirfd, name, true, ret_content, ret_why, &mode);

	if (error && !*ret_why)
		*ret_why = error == EFBIG ? "is too long" : "cannot be read";
	return error;
}

static int write_all(int fd, struct bytes content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		content.p += n;
		content.n -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : errno;
}

/* CONTENT durable in a temp file beside NAME, which is called TEMP. On an error there is none. */
static int write_temp(int dirfd, const char *name, struct bytes content, char temp[TEMP_NAME_BYTES])
{
	int fd, error;

	if (content.n > FILE_MAX_BYTES)
		return EFBIG;
	/* One writer at a time (the caller's lock), so one name does: what a killed writer left is truncated. */
	if (snprintf(temp, TEMP_NAME_BYTES, ".%s.new", name) >= TEMP_NAME_BYTES)
		return ENAMETOOLONG;
	if (unlinkat(dirfd, temp, 0) != 0 && errno != ENOENT)
		return errno;
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	error = write_all(fd, content);
	if (close(fd) != 0 && !error)
		error = errno;
	if (error)
		unlinkat(dirfd, temp, 0);
	return error;
}

int file_replace(int dirfd, const char *name, struct bytes content)
{
	char temp[TEMP_NAME_BYTES];
	int error = write_temp(dirfd, name, content, temp);

	if (error)
		return error;
	if (failpoint("file.written"))
		error = EIO;
	else if (renameat(dirfd, temp, dirfd, name) != 0)
		error = errno;
	if (error) {
		unlinkat(dirfd, temp, 0);
		return error;
	}
	/* The rename is done; a directory that cannot be synced (some network file systems) does not undo it. */
	fsync(dirfd);
	return 0;
}

int file_try(int dirfd, const char *name, struct bytes content)
{
	char temp[TEMP_NAME_BYTES];
	int error = write_temp(dirfd, name, content, temp);

	if (!error && unlinkat(dirfd, temp, 0) != 0)
		error = errno;
	return error;
}

long file_peek(const char *path, char *buffer, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = read(fd, buffer, room);
	while (n < 0 && errno == EINTR);
	close(fd);
	return n;
}
