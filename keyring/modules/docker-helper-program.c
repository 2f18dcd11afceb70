/* SPDX-License-Identifier: MIT */
/*
 * Which file program= means, and whether it may be run: judged as the loader judges a module, by its open descriptor. Never
 * looks into $PATH, never at a relative path; runs nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring/modules/docker-helper.h"
#include "keyring/trust.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static const char *const folders[] = { "/usr/local/bin", "/usr/bin", "/bin" };
#define FOLDERS_TEXT "/usr/local/bin, /usr/bin or /bin"

static int take_name(struct acred_call *call, const char *value, struct docker_program *ret)
{
	const char *name = strncmp(value, DOCKER_PREFIX, strlen(DOCKER_PREFIX)) == 0 ? value + strlen(DOCKER_PREFIX) : value;
	size_t n = strspn(name, NAME_CHARS);

	if (strchr(value, '/') != NULL)
		return docker_say(call, ACRED_FAILED, "program= takes a name such as 'pass' or an absolute path, not a path that depends on the place");
	if (n == 0 || n > DOCKER_NAME_MAX_BYTES || name[n] != '\0')
		return docker_say(call, ACRED_FAILED, "program= takes a name of at most %d letters, digits, '.', '_' and '-', or an absolute path",
		                  DOCKER_NAME_MAX_BYTES);
	memcpy(ret->name, name, n + 1);
	snprintf(ret->shown, sizeof ret->shown, DOCKER_PREFIX "%s", name);
	return ACRED_OK;
}

int docker_program_read(struct acred_call *call, const char *value, struct docker_program *ret)
{
	size_t n = strlen(value);

	if (value[0] != '/')
		return take_name(call, value, ret);
	if (value[n - 1] == '/' || n >= PATH_MAX)
		return docker_say(call, ACRED_FAILED, "program= takes the path of a file");
	ret->path = value;
	snprintf(ret->shown, sizeof ret->shown, "%s", strrchr(value, '/') + 1);
	return ACRED_OK;
}

static int refuse(struct acred_call *call, const char *path, const char *reason)
{
	return docker_say(call, ACRED_FAILED, "%s: %s", path, reason);
}

/* The directory that PATH names an entry of, if it can be trusted. */
static int open_directory_of(struct acred_call *call, const char *path, int *ret_fd)
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
		return refuse(call, dir, strerror(errno));
	reason = fstat(fd, &st) != 0 ? strerror(errno) : trust_refusal(&st);
	if (reason != NULL) {
		close(fd);
		return refuse(call, dir, reason);
	}
	*ret_fd = fd;
	return ACRED_OK;
}

/* What is wrong with the open file, in words. */
static const char *judge(int fd, bool *ret_script)
{
	const char *reason;
	struct stat st;
	char head[2];

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	reason = trust_refusal(&st);
	if (reason != NULL)
		return reason;
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return "is not executable";
	*ret_script = pread(fd, head, sizeof head, 0) == sizeof head && memcmp(head, "#!", sizeof head) == 0;
	return NULL;
}

static int open_real(struct acred_call *call, struct docker_file *ret)
{
	const char *reason;
	int dir, fd, error, status = open_directory_of(call, ret->path, &dir);

	if (status != ACRED_OK)
		return status;
	/* O_NONBLOCK: should it be a FIFO, do not wait for whoever put it there */
	fd = openat(dir, strrchr(ret->path, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	error = errno;
	close(dir);
	if (fd < 0)
		return refuse(call, ret->path, strerror(error));
	reason = judge(fd, &ret->script);
	if (reason != NULL) {
		close(fd);
		return refuse(call, ret->path, reason);
	}
	ret->fd = fd;
	return ACRED_OK;
}

/* ACRED_ABSENT: there is no such file. A link's directory must be as right as the file's. */
static int open_path(struct acred_call *call, const char *path, struct docker_file *ret)
{
	int dir, status;

	if (realpath(path, ret->path) == NULL)
		return errno == ENOENT || errno == ENOTDIR ? ACRED_ABSENT : refuse(call, path, strerror(errno));
	if (strcmp(path, ret->path) != 0) {
		status = open_directory_of(call, path, &dir);
		if (status != ACRED_OK)
			return status;
		close(dir);
	}
	return open_real(call, ret);
}

/* Debian has these two in a package whose name nobody would guess. */
static const char *package_of(const char *name)
{
	bool known = strcmp(name, "pass") == 0 || strcmp(name, "secretservice") == 0;

	return known ? " (Debian's package golang-docker-credential-helpers has it)" : "";
}

int docker_program_open(struct acred_call *call, const struct docker_program *program, struct docker_file *ret)
{
	char path[sizeof "/usr/local/bin/" + sizeof program->shown];
	int status = ACRED_ABSENT;

	if (program->path != NULL) {
		status = open_path(call, program->path, ret);
		return status == ACRED_ABSENT ? docker_say(call, ACRED_UNAVAILABLE, "there is no %s", program->path) : status;
	}
	/* Where one is found the search ends: a file that must not be run is no reason to take another. */
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && status == ACRED_ABSENT; i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], program->shown);
		status = open_path(call, path, ret);
	}
	if (status == ACRED_ABSENT)
		return docker_say(call, ACRED_UNAVAILABLE, "there is no %s in " FOLDERS_TEXT "%s", program->shown, package_of(program->name));
	return status;
}
