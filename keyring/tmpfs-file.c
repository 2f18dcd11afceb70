/* SPDX-License-Identifier: MIT */
/*
 * Files in the private directory. Opens, looks at what it opened, then uses that. A file is never written to under
 * its own name, so who has it open reads the old one or the new one, whole. No fsync: a restart empties it anyway.
 */
#include "keyring/tmpfs-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEMP ".new-"
#define TEMPS_BYTES (sizeof TEMP + 17)

static int64_t now_s(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_BOOTTIME, &now) == 0 ? (int64_t)now.tv_sec : 0;
}

/* 0: a file as we make them. */
static int judge(const struct stat *st, size_t max_bytes, const char **ret_why)
{
	*ret_why = NULL;
	if (!S_ISREG(st->st_mode))
		*ret_why = "it is no regular file";
	else if (st->st_size <= 0 || st->st_size > (off_t)max_bytes)
		*ret_why = "it is empty or too long";
	if (*ret_why != NULL)
		return EINVAL;
	if (st->st_uid != geteuid())
		*ret_why = "it is another user's";
	else if ((st->st_mode & 077) != 0)
		*ret_why = "others may open it";
	else if (st->st_nlink > 1)
		*ret_why = "it has a second name";
	return *ret_why != NULL ? EPERM : 0;
}

static int cannot_open(int error, const char **ret_why)
{
	*ret_why = error == ELOOP ? "it is a link" : strerror(error);
	return error == ELOOP || error == EACCES ? EPERM : error;
}

int tmpfs_file_open(int dir, const char *name, size_t max_bytes, struct tmpfs_file *ret_file, const char **ret_why)
{
	/* O_NONBLOCK: should it be a FIFO, do not wait for whoever put it there */
	int error, fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return cannot_open(errno, ret_why);
	if (fstat(fd, &st) != 0)
		error = cannot_open(errno, ret_why);
	else
		error = judge(&st, max_bytes, ret_why);
	if (error == 0 && st.st_mtim.tv_sec != 0 && now_s() >= st.st_mtim.tv_sec)
		error = ENOENT;
	if (error != 0) {
		close(fd);
		return error;
	}
	*ret_file = (struct tmpfs_file){ fd, (size_t)st.st_size };
	return 0;
}

int tmpfs_file_read(const struct tmpfs_file *file, char *bytes)
{
	size_t n = 0;

	while (n < file->size) {
		ssize_t got = read(file->fd, bytes + n, file->size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? errno : EIO;
		n += (size_t)got;
	}
	return 0;
}

void tmpfs_each_name(int dir, void (*each)(void *data, const char *name), void *data)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a position of its own */
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (names == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(names)) != NULL)
		each(data, entry->d_name);
	closedir(names);
}

/* The beginning of a file's temporary names: there may be no room for the name itself, so a number made of it
 * (FNV-1a). */
static void name_temps(const char *name, char temps[TEMPS_BYTES])
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	snprintf(temps, TEMPS_BYTES, TEMP "%016" PRIx64 "-", hash);
}

struct sweep {
	int dir;
	char temps[TEMPS_BYTES];
};

static void sweep_one(void *data, const char *name)
{
	const struct sweep *sweep = data;

	if (strncmp(name, sweep->temps, strlen(sweep->temps)) == 0)
		(void)unlinkat(sweep->dir, name, 0);
}

/* A writer that was killed leaves a secret behind. One that lives, should there be one beside the account's lock, loses
 * its file too, and tries again. */
static void sweep(int dir, const char *name)
{
	struct sweep all = { .dir = dir };

	name_temps(name, all.temps);
	tmpfs_each_name(dir, sweep_one, &all);
}

static int write_all(int fd, const char *bytes, size_t n, int64_t ttl_s)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 0 } };

	while (n > 0) {
		ssize_t put = write(fd, bytes, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno;
		bytes += put;
		n -= (size_t)put;
	}
	if (ttl_s > 0)
		times[1].tv_sec = (time_t)(now_s() + (ttl_s > INT32_MAX ? INT32_MAX : ttl_s));
	return futimens(fd, times) == 0 ? 0 : errno;
}

int tmpfs_file_replace(int dir, const char *name, const char *bytes, size_t n, int64_t ttl_s)
{
	char temps[TEMPS_BYTES], temp[NAME_MAX + 1];
	struct timespec now = { 0 };
	int fd, error;

	sweep(dir, name);
	name_temps(name, temps);
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(temp, sizeof temp, "%s%ld-%ld", temps, (long)getpid(), now.tv_nsec);
	fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	error = write_all(fd, bytes, n, ttl_s);
	close(fd); /* a tmpfs has taken by then all that it will */
	if (error == 0 && renameat(dir, temp, dir, name) != 0)
		error = errno;
	if (error != 0)
		(void)unlinkat(dir, temp, 0);
	return error;
}

int tmpfs_file_remove(int dir, const char *name)
{
	int error = unlinkat(dir, name, 0) == 0 ? 0 : errno;

	sweep(dir, name);
	return error;
}
