/* SPDX-License-Identifier: MIT */
/*
 * Opens, looks at what was opened, then uses that; replaces by temp file, fsync, rename, fsync of the directory. What is
 * not as this module makes it is never written over. The lock file is never unlinked.
 */
#include "keyring/modules/sealed-file-disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 20
#define MS_NS 1000000L

/* ACRED_OK: it is as we make it. */
static int judge(struct acred_call *call, const char *path, const struct stat *st)
{
	unsigned mode = (unsigned)st->st_mode & 07777;

	if (S_ISLNK(st->st_mode))
		return note_say(call, ACRED_FAILED, "%s is not used: it is a link", path);
	if (!S_ISREG(st->st_mode))
		return note_say(call, ACRED_FAILED, "%s is not used: it is no regular file (mode %06o)", path, (unsigned)st->st_mode);
	if (st->st_uid != geteuid())
		return note_say(call, ACRED_FAILED, "%s is not used: it belongs to another user (%u, mode %04o)", path, (unsigned)st->st_uid, mode);
	if ((mode & ~0600u) != 0)
		return note_say(call, ACRED_FAILED, "%s is not used: its mode is %04o; chmod it to 0600 if nobody else had it", path, mode);
	return ACRED_OK;
}

static int cannot_open(struct acred_call *call, const char *path, int error)
{
	struct stat st;

	if (error == ENOENT)
		return ACRED_ABSENT;
	if (lstat(path, &st) == 0 && judge(call, path, &st) != ACRED_OK)
		return ACRED_FAILED;
	return note_say(call, ACRED_FAILED, "%s cannot be opened: %s", path, strerror(error));
}

/* Nobody writes into it: it has the size that it has. */
static int read_all(struct acred_call *call, const char *path, int fd, size_t size, struct wiped *ret)
{
	size_t n = 0;

	if (!wiped_new(ret, size < SEALED_FILE_MAX_BYTES + 1 ? size : SEALED_FILE_MAX_BYTES + 1))
		return note_say(call, ACRED_FAILED, "no memory to read %s", path);
	while (n < ret->n) {
		ssize_t got = read(fd, ret->p + n, ret->n - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return note_say(call, ACRED_FAILED, "%s cannot be read: %s", path, strerror(errno));
		if (got == 0)
			break;
		n += (size_t)got;
	}
	ret->n = n;
	return ACRED_OK;
}

int sealed_disk_read(struct acred_call *call, const char *path, struct wiped *ret)
{
	/* O_NONBLOCK: should it be a FIFO, do not wait for whoever put it there */
	int status, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return cannot_open(call, path, errno);
	if (fstat(fd, &st) != 0)
		status = note_say(call, ACRED_FAILED, "%s cannot be looked at: %s", path, strerror(errno));
	else
		status = judge(call, path, &st);
	if (status == ACRED_OK)
		status = read_all(call, path, fd, (size_t)st.st_size, ret);
	close(fd);
	return status;
}

/* A file system or directory that this user cannot write will not let him next time either; a full disk may. */
static int cannot_write(struct acred_call *call, const char *path, int error)
{
	bool never = error == EROFS || error == EACCES || error == EPERM;

	return note_say(call, never ? ACRED_READONLY : ACRED_FAILED, "%s cannot be written: %s", path, strerror(error));
}

/* DIR and those above it that are missing; written to, and as it was afterwards. False with errno. */
static bool make_dirs(char *dir)
{
	for (char *p = strchr(dir + 1, '/');; p = strchr(p + 1, '/')) {
		if (p != NULL)
			*p = '\0';
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return false;
		if (p == NULL)
			return true;
		*p = '/';
	}
}

/* The directory that PATH lies in, or -1 with errno. */
static int open_dir(const char *path)
{
	char dir[PATH_MAX], *last;
	int fd;

	snprintf(dir, sizeof dir, "%s", path);
	last = strrchr(dir, '/');
	last[last == dir ? 1 : 0] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make_dirs(dir))
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static int open_lock_file(struct acred_call *call, struct sealed_lock *lock, const char *name)
{
	struct stat st;

	lock->fd = openat(lock->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (lock->fd < 0 && errno == ELOOP)
		return note_say(call, ACRED_FAILED, "%s.lock is not used: it is a link", lock->path);
	if (lock->fd < 0)
		return cannot_write(call, lock->path, errno);
	if (fstat(lock->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return note_say(call, ACRED_FAILED, "%s.lock is not used: it is not a regular file of this user", lock->path);
	return ACRED_OK;
}

/* Polls, because a signal could be somebody else's, and a thread is too much for it. */
static int wait_for(struct acred_call *call, const struct sealed_lock *lock)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * MS_NS };

	while (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return note_say(call, ACRED_FAILED, "%s.lock cannot be locked: %s", lock->path, strerror(errno));
		if (sealed_late(call))
			return note_say(call, ACRED_TIMEOUT, "another process holds %s.lock", lock->path);
		(void)nanosleep(&pause, NULL);
	}
	return ACRED_OK;
}

int sealed_disk_lock(struct acred_call *call, const char *path, struct sealed_lock *ret)
{
	char name[NAME_MAX + 1];
	int status;

	*ret = (struct sealed_lock){ -1, -1, path, strrchr(path, '/') + 1 };
	if (snprintf(name, sizeof name, "%s.lock", ret->name) >= (int)sizeof name)
		return cannot_write(call, path, ENAMETOOLONG);
	ret->dir = open_dir(path);
	if (ret->dir < 0)
		return cannot_write(call, path, errno);
	status = open_lock_file(call, ret, name);
	if (status == ACRED_OK)
		status = wait_for(call, ret);
	if (status != ACRED_OK)
		sealed_disk_unlock(ret);
	return status;
}

void sealed_disk_unlock(struct sealed_lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	if (lock->dir >= 0)
		close(lock->dir);
	lock->fd = lock->dir = -1;
}

static int write_all(int fd, const unsigned char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, bytes, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		n -= (size_t)put;
	}
	return fsync(fd) == 0 ? 0 : errno;
}

/* 0, or an errno and no temp file. */
static int write_temp(int dir, const char *temp, const unsigned char *bytes, size_t n)
{
	int fd, error;

	/* One writer at a time, so one name does: what a killed writer left goes. */
	if (unlinkat(dir, temp, 0) != 0 && errno != ENOENT)
		return errno;
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	error = write_all(fd, bytes, n);
	if (close(fd) != 0 && error == 0)
		error = errno;
	if (error != 0)
		(void)unlinkat(dir, temp, 0);
	return error;
}

int sealed_disk_replace(struct acred_call *call, const struct sealed_lock *lock, const unsigned char *bytes, size_t n)
{
	char temp[NAME_MAX + 1];
	int error;

	if (snprintf(temp, sizeof temp, ".%s.new", lock->name) >= (int)sizeof temp)
		return cannot_write(call, lock->path, ENAMETOOLONG);
	error = write_temp(lock->dir, temp, bytes, n);
	if (error == 0 && renameat(lock->dir, temp, lock->dir, lock->name) != 0) {
		error = errno;
		(void)unlinkat(lock->dir, temp, 0);
	}
	if (error != 0)
		return cannot_write(call, lock->path, error);
	/* The rename is done; a directory that cannot be synced (some network file systems) does not undo it. */
	(void)fsync(lock->dir);
	return ACRED_OK;
}
