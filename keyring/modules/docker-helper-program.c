/* SPDX-License-Identifier: MIT */
/*
 * Which file program= means, and whether it may be run: judged as the loader judges a module, by its open descriptor. Never
 * looks into $PATH, never at a relative path; runs nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring/modules/docker-helper.h"
#include "keyring/trusted-file.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static const char *const folders[] = { "/usr/local/bin", "/usr/bin", "/bin" };
#define FOLDERS_TEXT "/usr/local/bin, /usr/bin or /bin"

static int take_name(struct acred_call *call, const char *value, struct docker_program *ret)
{
	const char *name = strncmp(value, DOCKER_PREFIX, strlen(DOCKER_PREFIX)) == 0 ? value + strlen(DOCKER_PREFIX) : value;
	size_t n = strspn(name, NAME_CHARS);

	if (strchr(value, '/') != NULL)
		return note_say(call, ACRED_FAILED, "program= takes a name such as 'pass' or an absolute path, not a path that depends on the place");
	if (n == 0 || n > DOCKER_NAME_MAX_BYTES || name[n] != '\0')
		return note_say(call, ACRED_FAILED, "program= takes a name of at most %d letters, digits, '.', '_' and '-', or an absolute path",
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
		return note_say(call, ACRED_FAILED, "program= takes the path of a file");
	ret->path = value;
	snprintf(ret->shown, sizeof ret->shown, "%s", strrchr(value, '/') + 1);
	return ACRED_OK;
}

/* What is wrong with the open file, in words; whether it names an interpreter. */
static const char *judge(int fd, bool *ret_script)
{
	struct stat st;
	char head[2];

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return "is not executable";
	*ret_script = pread(fd, head, sizeof head, 0) == sizeof head && memcmp(head, "#!", sizeof head) == 0;
	return NULL;
}

/* ACRED_ABSENT: there is no such file. */
static int open_path(struct acred_call *call, const char *path, struct docker_file *ret)
{
	char why[PATH_MAX + 128];
	const char *reason;

	switch (trusted_file_open(path, &ret->fd, ret->path, why, sizeof why)) {
	case TRUSTED_NOT_THERE:
		return ACRED_ABSENT;
	case TRUSTED_REFUSED:
		return note_say(call, ACRED_FAILED, "%s", why);
	default:
		break;
	}
	reason = judge(ret->fd, &ret->script);
	if (reason == NULL)
		return ACRED_OK;
	close(ret->fd);
	return note_say(call, ACRED_FAILED, "%s: %s", ret->path, reason);
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
		return status == ACRED_ABSENT ? note_say(call, ACRED_UNAVAILABLE, "there is no %s", program->path) : status;
	}
	/* Where one is found the search ends: a file that must not be run is no reason to take another. */
	for (size_t i = 0; i < sizeof folders / sizeof folders[0] && status == ACRED_ABSENT; i++) {
		snprintf(path, sizeof path, "%s/%s", folders[i], program->shown);
		status = open_path(call, path, ret);
	}
	if (status == ACRED_ABSENT)
		return note_say(call, ACRED_UNAVAILABLE, "there is no %s in " FOLDERS_TEXT "%s", program->shown, package_of(program->name));
	return status;
}
