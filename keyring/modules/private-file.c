/* SPDX-License-Identifier: MIT */
/*
 * A file an entry in the user's private directory on a tmpfs, for the cache where the kernel keyring is closed. Built
 * in. Never writes a secret to a disk, never uses or writes over what is not as it makes files itself, and keeps a
 * RefreshToken for no longer than a rotation takes to put it where it belongs. The argument prefix=NAME replaces "alation-cred" in the files' names.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "keyring/entry-name.h"
#include "keyring/module.h"
#include "keyring/tmpfs-file.h"
#include "keyring/tmpfs.h"

#define SECRET_MAX_BYTES 32767 /* as the kernel keyring has it */
#define NOTE_BYTES 512
#define REPLACED_TRIES 3

struct private_file {
	char prefix[ENTRY_PREFIX_MAX_BYTES + 1];
};

/* The directory, opened for one call. */
struct place {
	struct acred_call *call;
	int dir;
	char path[TMPFS_PATH_MAX_BYTES];
};

/* Notes WHY of the file NAME, or of the directory where that is NULL; returns STATUS. */
static int refuse(const struct place *place, const char *name, int status, const char *why)
{
	char text[NOTE_BYTES];

	snprintf(text, sizeof text, "%s%s%s is not used: %s", place->path, name != NULL ? "/" : "", name != NULL ? name : "", why);
	place->call->note(place->call->host, text);
	return status;
}

static int private_file_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct private_file *self = calloc(1, sizeof *self);

	if (self == NULL)
		return ACRED_FAILED;
	if (!entry_prefix_argument(call, argc, argv, self->prefix)) {
		free(self);
		return ACRED_FAILED;
	}
	*state = self;
	return ACRED_OK;
}

static void private_file_close(void *state)
{
	free(state);
}

static bool is_kept(const struct acred_key *key)
{
	return strcmp(key->facility, "refresh") != 0;
}

/* The file name of KEY; false and a note where it can have none. */
static bool name_key(struct acred_call *call, const struct private_file *self, const struct acred_key *key,
                     char name[ENTRY_NAME_BYTES])
{
	if (entry_name(self->prefix, key, name))
		return true;
	call->note(call->host, "the account's address is too long for a file name");
	return false;
}

static bool is_tmpfs(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return false;
	return (unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC;
}

static int no_directory(const struct place *place, bool create, int error)
{
	if (error == ENOENT && !create)
		return ACRED_ABSENT;
	if (error == EPERM)
		return refuse(place, NULL, ACRED_DENIED, "it is no directory that is this user's with mode 0700");
	if (error == ENOENT || error == EACCES || error == EROFS)
		return refuse(place, NULL, ACRED_UNAVAILABLE, strerror(error));
	return refuse(place, NULL, ACRED_FAILED, strerror(error));
}

/* ACRED_OK, and place->dir is the caller's to close. ACRED_ABSENT: there is none, and CREATE did not want it. */
static int open_place(struct acred_call *call, bool create, struct place *ret_place)
{
	ret_place->call = call;
	ret_place->dir = tmpfs_open(create, ret_place->path);
	if (ret_place->dir < 0)
		return no_directory(ret_place, create, errno);
	if (is_tmpfs(ret_place->dir))
		return ACRED_OK;
	close(ret_place->dir);
	return refuse(ret_place, NULL, ACRED_UNAVAILABLE, "it is on no tmpfs, and a token is not written to a disk");
}

static int open_file(const struct place *place, const char *name, struct tmpfs_file *ret_file)
{
	const char *why;
	int error = tmpfs_file_open(place->dir, name, SECRET_MAX_BYTES, ret_file, &why);

	if (error == 0)
		return ACRED_OK;
	if (error == ENOENT)
		return ACRED_ABSENT;
	return refuse(place, name, error == EPERM ? ACRED_DENIED : ACRED_FAILED, why);
}

static int hand_over(const struct place *place, const char *name, const struct tmpfs_file *file)
{
	char *bytes = malloc(file->size);
	int error, status = ACRED_FAILED;

	if (bytes == NULL)
		return status;
	error = tmpfs_file_read(file, bytes);
	if (error != 0)
		refuse(place, name, status, strerror(error));
	else if (place->call->put(place->call->host, bytes, file->size) == 0)
		status = ACRED_OK;
	explicit_bzero(bytes, file->size);
	free(bytes);
	return status;
}

static int private_file_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char name[ENTRY_NAME_BYTES];
	struct tmpfs_file file;
	struct place place;
	int status;

	if (!is_kept(key))
		return ACRED_ABSENT;
	if (!name_key(call, state, key, name))
		return ACRED_FAILED;
	status = open_place(call, false, &place);
	if (status != ACRED_OK)
		return status;
	status = open_file(&place, name, &file);
	close(place.dir);
	if (status != ACRED_OK)
		return status;
	status = hand_over(&place, name, &file);
	close(file.fd);
	return status;
}

/* ACRED_ABSENT: directory or temporary file were removed in between; try again. */
static int store_once(const struct place *place, const char *name, const char *bytes, size_t len, int64_t ttl_s)
{
	struct tmpfs_file file;
	int error, status = open_file(place, name, &file);

	if (status == ACRED_OK)
		close(file.fd);
	else if (status != ACRED_ABSENT)
		return status;
	error = tmpfs_file_replace(place->dir, name, bytes, len, ttl_s);
	if (error == ENOENT || error == EEXIST)
		return ACRED_ABSENT;
	return error == 0 ? ACRED_OK : refuse(place, name, ACRED_FAILED, strerror(error));
}

static int private_file_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes,
                              size_t len, int64_t ttl_s)
{
	char name[ENTRY_NAME_BYTES];
	struct place place;
	int status = ACRED_ABSENT;

	if (!is_kept(key)) {
		call->note(call->host, "a RefreshToken is not kept in a plain file, nor where a restart loses it");
		return ACRED_FAILED;
	}
	if (!name_key(call, state, key, name))
		return ACRED_FAILED;
	if (len == 0 || len > SECRET_MAX_BYTES || ttl_s < 0) {
		call->note(call->host, "a private file takes 1 to 32767 bytes");
		return ACRED_FAILED;
	}
	for (int tries = 0; tries < REPLACED_TRIES && status == ACRED_ABSENT; tries++) {
		status = open_place(call, true, &place);
		if (status != ACRED_OK)
			return status;
		status = store_once(&place, name, bytes, len, ttl_s);
		close(place.dir);
	}
	if (status != ACRED_ABSENT)
		return status;
	return refuse(&place, name, ACRED_FAILED, "another process removes what is written there again and again");
}

static int private_file_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	char name[ENTRY_NAME_BYTES];
	struct place place;
	int error, status;

	if (!is_kept(key))
		return ACRED_ABSENT;
	if (!name_key(call, state, key, name))
		return ACRED_FAILED;
	status = open_place(call, false, &place);
	/* What a stranger puts into the directory's place must not make a logout fail: nothing of ours is in there. */
	if (status != ACRED_OK)
		return status == ACRED_DENIED ? ACRED_UNAVAILABLE : status;
	error = tmpfs_file_remove(place.dir, name);
	close(place.dir);
	if (error == 0 || error == ENOENT)
		return error == 0 ? ACRED_OK : ACRED_ABSENT;
	return refuse(&place, name, ACRED_FAILED, strerror(error));
}

struct list {
	const struct private_file *self;
	const struct place *place;
	void (*each)(void *host, const struct acred_key *);
};

static void list_file(void *data, const char *name)
{
	const struct list *list = data;
	char text[ENTRY_NAME_BYTES];
	struct tmpfs_file file;
	struct acred_key key;

	snprintf(text, sizeof text, "%s", name);
	if (!entry_parse(list->self->prefix, text, &key) || open_file(list->place, name, &file) != ACRED_OK)
		return;
	close(file.fd);
	list->each(list->place->call->host, &key);
}

static int private_file_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	struct place place;
	struct list list = { state, &place, each };
	int status = open_place(call, false, &place);

	if (status != ACRED_OK)
		return status == ACRED_ABSENT ? ACRED_OK : status;
	tmpfs_each_name(place.dir, list_file, &list);
	close(place.dir);
	return ACRED_OK;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "private-file",
	.about = "a file of the user's own on a tmpfs: a cache where the kernel keyring is closed",
	.open = private_file_open,
	.lookup = private_file_lookup,
	.store = private_file_store,
	.erase = private_file_erase,
	.list = private_file_list,
	.close = private_file_close,
};
