/* SPDX-License-Identifier: MIT */
/*
 * A RefreshToken that a service manager or a container hands over: the file alation-refresh-token (name=NAME is another)
 * in $CREDENTIALS_DIRECTORY. Built in, read-only. A record in it names its account; a bare token is for the account that
 * the arguments base-url=URL and user-id=N name, or for none. Never follows a link out of the directory, never waits for
 * a fifo, never notes anything of the content.
 *
 * Who may read the file is not judged: systemd's are 0440 with an ACL, a container's often 0444, and whoever mounted
 * them has decided. Who may write it is, because whoever can write it chooses with whose token the user acts; but on a
 * mount that is read-only, as systemd's, Kubernetes' and Docker's are, neither owner nor mode says that: nobody here can,
 * and the owner is often a number from outside the container.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keyring/module.h"
#include "keyring/source.h"
#include "keyring/trust.h"

#define VARIABLE "CREDENTIALS_DIRECTORY"
#define NAME_DEFAULT "alation-refresh-token"
#define NOTE_BYTES 1024
#define RENAMED_TRIES 16

/* One call's look at the file. */
struct credential {
	struct acred_call *call;
	const char *dir, *name;
	char *bytes; /* SOURCE_MAX_BYTES + 2, wiped by drop(); NULL: not read */
	size_t n;    /* without the line feed at its end */
	struct source_owner owner;
};

/* What WORDS say of the file, and WHY. A path may be longer than a note: the reason stands in it all the same. */
static int note_file(const struct credential *credential, const char *words, const char *why)
{
	char text[NOTE_BYTES];

	snprintf(text, sizeof text, "%.200s/%.200s %s%s", credential->dir, credential->name, words, why);
	credential->call->note(credential->call->host, text);
	return ACRED_FAILED;
}

static int refuse(const struct credential *credential, const char *why)
{
	return note_file(credential, "is not used: it ", why);
}

static int refuse_directory(const struct credential *credential, int error)
{
	char text[NOTE_BYTES];

	snprintf(text, sizeof text, "$" VARIABLE " is not used: it names %.350s, which cannot be opened: %s", credential->dir,
	         strerror(error));
	credential->call->note(credential->call->host, text);
	return ACRED_FAILED;
}

static int credentials_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct source *self = calloc(1, sizeof *self);

	if (self == NULL)
		return ACRED_FAILED;
	if (!source_arguments(call, argc, argv, true, self)) {
		free(self);
		return ACRED_FAILED;
	}
	if (self->name == NULL)
		self->name = NAME_DEFAULT;
	*state = self;
	return ACRED_OK;
}

static void credentials_close(void *state)
{
	free(state);
}

/* The directory's descriptor; ACRED_OK and it is the caller's to close. */
static int open_directory(struct credential *credential, int *ret_fd)
{
	int fd;

	credential->dir = secure_getenv("CREDENTIALS_DIRECTORY");
	if (credential->dir == NULL || credential->dir[0] == '\0') {
		credential->call->note(credential->call->host, "$" VARIABLE " is not set");
		return ACRED_ABSENT;
	}
	/* What it is relative to would be whatever directory the caller happens to stand in. */
	if (credential->dir[0] != '/') {
		credential->call->note(credential->call->host, "$" VARIABLE " is not used: it must be an absolute path");
		return ACRED_FAILED;
	}
	fd = open(credential->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse_directory(credential, errno);
	*ret_fd = fd;
	return ACRED_OK;
}

/*
 * Kubernetes makes NAME a link to ..data/NAME, and ..data another beside it, so that all its files change at once. Links
 * are followed as long as they stay in the directory; where the kernel or a seccomp filter has no openat2, none is.
 * Returns a descriptor, or -1 with errno: EXDEV, ELOOP for a link that was not followed.
 */
static int open_beneath(int dir, const char *name)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const struct open_how how = { .flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd = -1;

	errno = EAGAIN; /* somebody renames while it is looked up, and the kernel cannot tell where it leads */
	for (int tries = 0; tries < RENAMED_TRIES && fd < 0 && errno == EAGAIN; tries++)
		fd = syscall(SYS_openat2, dir, name, &how, sizeof how);
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(dir, name, flags | O_NOFOLLOW);
	return (int)fd;
}

static const char *refusal_of_file(int fd, const struct stat *st)
{
	struct statvfs fs;

	if (!S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? "is a directory, not a file" : "is no regular file";
	if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return NULL;
	return trust_refusal(st);
}

static int cannot_open(const struct credential *credential, int dir, int error)
{
	struct stat st;

	if (error == ENOENT && fstatat(dir, credential->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return refuse(credential, "is a link to nothing");
	if (error == ENOENT) {
		note_file(credential, "is not there", "");
		return ACRED_ABSENT;
	}
	if (error == EXDEV || error == ELOOP)
		return refuse(credential, "is a link, and none is followed out of the directory");
	return note_file(credential, "cannot be opened: ", strerror(error));
}

static int open_file(const struct credential *credential, int dir, int *ret_fd)
{
	int fd = open_beneath(dir, credential->name);
	const char *why;
	struct stat st;

	if (fd < 0)
		return cannot_open(credential, dir, errno);
	why = fstat(fd, &st) != 0 ? "cannot be looked at" : refusal_of_file(fd, &st);
	if (why != NULL) {
		close(fd);
		return refuse(credential, why);
	}
	*ret_fd = fd;
	return ACRED_OK;
}

/* All of it, and a byte more than is allowed, so that it is seen where there is more. */
static int read_file(struct credential *credential, int fd)
{
	const size_t room = SOURCE_MAX_BYTES + 2;
	ssize_t got = 1;

	credential->bytes = malloc(room);
	if (credential->bytes == NULL)
		return note_file(credential, "cannot be read: ", strerror(ENOMEM));
	while (got != 0 && credential->n < room) {
		got = read(fd, credential->bytes + credential->n, room - credential->n);
		if (got < 0 && errno != EINTR)
			return note_file(credential, "cannot be read: ", strerror(errno));
		credential->n += got > 0 ? (size_t)got : 0;
	}
	if (credential->n > 0 && credential->bytes[credential->n - 1] == '\n')
		credential->n--;
	return ACRED_OK;
}

static void drop(struct credential *credential)
{
	if (credential->bytes != NULL)
		explicit_bzero(credential->bytes, SOURCE_MAX_BYTES + 2);
	free(credential->bytes);
	credential->bytes = NULL;
}

/* ACRED_OK: it is there and is a token or a record; whose stands in credential->owner. The caller drops it in any case. */
static int load(struct credential *credential)
{
	const char *why;
	int dir, fd, status = open_directory(credential, &dir);

	if (status != ACRED_OK)
		return status;
	status = open_file(credential, dir, &fd);
	close(dir);
	if (status != ACRED_OK)
		return status;
	status = read_file(credential, fd);
	close(fd);
	if (status != ACRED_OK)
		return status;
	why = source_read(credential->bytes, credential->n, &credential->owner);
	return why != NULL ? refuse(credential, why) : ACRED_OK;
}

/* Whose it is, as a key: a record says it, for a bare token the arguments do. */
static int key_of(const struct credential *credential, const struct source *self, struct acred_key *ret_key)
{
	bool record = credential->owner.user_id != 0;
	int status = record ? ACRED_OK : source_complete(credential->call, self, credential->name);

	ret_key->facility = "refresh";
	ret_key->base_url = record ? credential->owner.base_url : self->base_url;
	ret_key->user_id = record ? credential->owner.user_id : self->user_id;
	return status;
}

static int credentials_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	const struct source *self = state;
	struct credential credential = { .call = call, .name = self->name };
	struct acred_key held;
	int status = source_facility(key);

	if (status == ACRED_OK)
		status = load(&credential);
	if (status == ACRED_OK)
		status = key_of(&credential, self, &held);
	if (status == ACRED_OK)
		status = source_matches(call, key, held.base_url, held.user_id, self->name);
	if (status == ACRED_OK && call->put(call->host, credential.bytes, credential.n) != 0)
		status = ACRED_FAILED;
	drop(&credential);
	return status;
}

/* The file is read for the account that a record names, and wiped. */
static int credentials_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	const struct source *self = state;
	struct credential credential = { .call = call, .name = self->name };
	struct acred_key held;
	int status = load(&credential);

	if (status == ACRED_OK)
		status = key_of(&credential, self, &held);
	drop(&credential);
	if (status == ACRED_OK)
		each(call->host, &held);
	return status == ACRED_ABSENT ? ACRED_OK : status; /* a list of nothing is one */
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "credentials-directory",
	.about = "$CREDENTIALS_DIRECTORY/" NAME_DEFAULT ", as systemd and containers give it; read-only",
	.open = credentials_open,
	.lookup = credentials_lookup,
	.list = credentials_list,
	.close = credentials_close,
};
