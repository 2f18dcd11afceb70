/* SPDX-License-Identifier: MIT */
/*
 * A keyring module: one file a secret, in the directory path=DIR. The
 * files are not encrypted: it is for a directory that is, such as one
 * that is mounted when its user logs in. alation-cred-module(7) goes
 * through this file, part by part.
 */
#define _DEFAULT_SOURCE /* explicit_bzero() */
#include <alation-cred/module.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct directory {
	const char *path;
};

static int directory_open(struct acred_call *call, int argc,
    const char *const *argv, void **state)
{
	struct directory *self;

	if (argc != 1 || strncmp(argv[0], "path=/", 6) != 0) {
		call->note(call->host, "wants one argument, path=/DIR");
		return ACRED_FAILED;
	}
	self = (struct directory *)calloc(1, sizeof *self);
	if (self == NULL)
		return ACRED_FAILED;
	self->path = argv[0] + 5; /* valid until close */
	*state = self;
	return ACRED_OK;
}

static void directory_close(void *state)
{
	free(state);
}

/* Notes what failed, and why: errno says it. Returns its status. */
static int fail(struct acred_call *call, const struct directory *self,
    const char *what)
{
	int error = errno;
	char text[256];

	snprintf(text, sizeof text, "cannot %s in %s: %s", what, self->path,
	    strerror(error));
	call->note(call->host, text);
	switch (error) {
	case ENOENT:
		return ACRED_UNAVAILABLE;
	case EACCES:
	case EPERM:
		return ACRED_DENIED;
	case EROFS:
		return ACRED_READONLY;
	default:
		return ACRED_FAILED;
	}
}

/* The caller's to close; -1: *ret_status says why not. */
static int open_directory(struct acred_call *call,
    const struct directory *self, int *ret_status)
{
	struct stat st;
	int dir = open(self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_status = dir < 0 ? fail(call, self, "look") : ACRED_OK;
	if (dir < 0 || (fstat(dir, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0))
		return dir;
	close(dir);
	call->note(call->host, "the directory must be its user's, mode 0700");
	*ret_status = ACRED_DENIED;
	return -1;
}

/* "refresh,102,https:,,catalog.example.com": no address has a comma. */
static int name_file(const struct acred_key *key, char name[NAME_MAX + 1])
{
	int n = snprintf(name, NAME_MAX + 1, "%s,%" PRId64 ",%s",
	    key->facility, key->user_id, key->base_url);

	for (char *p = name; *p != '\0'; p++)
		if (*p == '/')
			*p = ',';
	return n > 0 && n <= NAME_MAX;
}

/* One byte more than a secret can have tells that a file is too long. */
static int hand_over(struct acred_call *call, const struct directory *self,
    int fd)
{
	const size_t room = ACRED_SECRET_MAX_BYTES + 1;
	char *bytes = (char *)malloc(room);
	int status = ACRED_FAILED;
	size_t len = 0;
	ssize_t n = 1;

	if (bytes == NULL)
		return ACRED_FAILED;
	while (n != 0 && len < room) {
		n = read(fd, bytes + len, room - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		status = fail(call, self, "read");
	else if (len == 0 || len == room)
		call->note(call->host, "a file is empty, or too long");
	else if (call->put(call->host, bytes, len) == 0)
		status = ACRED_OK;
	explicit_bzero(bytes, room);
	free(bytes);
	return status;
}

static int directory_lookup(struct acred_call *call, void *state,
    const struct acred_key *key)
{
	const struct directory *self = (const struct directory *)state;
	char name[NAME_MAX + 1];
	int dir, fd, status;

	if (!name_file(key, name))
		return ACRED_FAILED;
	dir = open_directory(call, self, &status);
	if (dir < 0)
		return status;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		status = hand_over(call, self, fd);
		close(fd);
	} else {
		status = errno == ENOENT ? ACRED_ABSENT : fail(call, self, "open");
	}
	close(dir);
	return status;
}

/* One process writes at a time; none waits longer than it may. */
static int take_turn(struct acred_call *call, const struct directory *self,
    int dir)
{
	const struct timespec pause = { 0, 10 * 1000 * 1000 };
	struct timespec now;

	while (flock(dir, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return fail(call, self, "lock");
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (call->deadline_ms != 0 && call->deadline_ms <=
		    (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000)
			return ACRED_TIMEOUT;
		nanosleep(&pause, NULL);
	}
	return ACRED_OK;
}

/* What a killed process has left there is written over. */
#define NEW_FILE ".new"

/* Not 0: errno says why. */
static int write_new(int dir, const char *bytes, size_t len)
{
	int error, fd = openat(dir, NEW_FILE,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (len > 0 && (n >= 0 || errno == EINTR)) {
		n = write(fd, bytes, len);
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	error = len > 0 || fsync(fd) != 0 ? errno : 0;
	close(fd);
	errno = error;
	return error != 0 ? -1 : 0;
}

static int replace(struct acred_call *call, const struct directory *self,
    int dir, const char *name, const char *bytes, size_t len)
{
	int status = take_turn(call, self, dir);

	if (status != ACRED_OK)
		return status;
	if (write_new(dir, bytes, len) == 0 &&
	    renameat(dir, NEW_FILE, dir, name) == 0 && fsync(dir) == 0)
		return ACRED_OK;
	/* Of the last sync too: the new one is there, but might not stay. */
	status = fail(call, self, "write");
	unlinkat(dir, NEW_FILE, 0);
	return status;
}

static int directory_store(struct acred_call *call, void *state,
    const struct acred_key *key, const char *bytes, size_t len,
    int64_t ttl_s)
{
	const struct directory *self = (const struct directory *)state;
	char name[NAME_MAX + 1];
	int dir, status;

	(void)ttl_s; /* a file does not go by itself */
	if (len == 0 || len > ACRED_SECRET_MAX_BYTES) {
		call->note(call->host, "that is no secret: empty, or too long");
		return ACRED_FAILED;
	}
	if (!name_file(key, name))
		return ACRED_FAILED;
	dir = open_directory(call, self, &status);
	if (dir < 0)
		return status;
	status = replace(call, self, dir, name, bytes, len);
	close(dir); /* and with it the lock */
	return status;
}

static int directory_erase(struct acred_call *call, void *state,
    const struct acred_key *key)
{
	const struct directory *self = (const struct directory *)state;
	char name[NAME_MAX + 1];
	int dir, status;

	if (!name_file(key, name))
		return ACRED_FAILED;
	dir = open_directory(call, self, &status);
	if (dir < 0)
		return status;
	if (unlinkat(dir, name, 0) != 0)
		status = errno == ENOENT ? ACRED_ABSENT : fail(call, self, "erase");
	else if (fsync(dir) != 0)
		status = fail(call, self, "erase");
	close(dir);
	return status;
}

/* The way back; the key's strings lie in NAME, which is changed. */
static int read_name(char *name, struct acred_key *ret_key)
{
	char *number = strchr(name, ','), *end;

	if (number == NULL || number[1] < '1' || number[1] > '9')
		return 0;
	*number = '\0';
	ret_key->facility = name;
	ret_key->user_id = strtoll(number + 1, &end, 10);
	ret_key->base_url = end + 1;
	if (*end != ',')
		return 0;
	for (char *p = end + 1; *p != '\0'; p++)
		if (*p == ',')
			*p = '/';
	return 1;
}

static int directory_list(struct acred_call *call, void *state,
    void (*each)(void *host, const struct acred_key *key))
{
	const struct directory *self = (const struct directory *)state;
	struct dirent *entry;
	struct acred_key key;
	DIR *names;
	int status, dir = open_directory(call, self, &status);

	if (dir < 0)
		return status;
	names = fdopendir(dir);
	if (names == NULL) {
		status = fail(call, self, "list");
		close(dir);
		return status;
	}
	while ((entry = readdir(names)) != NULL)
		if (read_name(entry->d_name, &key))
			each(call->host, &key);
	closedir(names); /* and with it dir */
	return ACRED_OK;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "directory",
	.about = "one file a secret, in a directory that is encrypted",
	.open = directory_open,
	.lookup = directory_lookup,
	.store = directory_store,
	.erase = directory_erase,
	.list = directory_list,
	.close = directory_close,
};
