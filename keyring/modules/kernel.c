/* SPDX-License-Identifier: MIT */
/*
 * The Linux kernel's keyring of the user, for what may be lost at a reboot. Built in. Which key is an entry, and what an
 * errno means to the walk; the system calls are keyring/kernel-key.c's.
 *
 * Keys of type "user", PREFIX:FACILITY:USER_ID@BASE_URL, in the user keyring, readable by the user from any
 * session: cron, ssh and the desktop find the same. The argument prefix=NAME replaces "alation-cred".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/entry-name.h"
#include "keyring/kernel-key.h"
#include "keyring/module.h"

#define DESCRIPTION_MAX_BYTES 512
#define FIRST_READ_BYTES 2048    /* holds any usual record; a bigger buffer would only cost page faults */
#define LIST_MAX_BYTES 65536     /* 16384 keys */
#define REPLACED_TRIES 3

struct kernel {
	char prefix[ENTRY_PREFIX_MAX_BYTES + 1];
};

static int status_of(int error)
{
	switch (error) {
	case ENOKEY:
	case EKEYEXPIRED: /* until it is collected */
	case EKEYREVOKED:
		return ACRED_ABSENT;
	case EPERM: /* a seccomp filter, as containers have */
	case ENOSYS:
		return ACRED_UNAVAILABLE;
	case EACCES:
		return ACRED_DENIED;
	default:
		return ACRED_FAILED;
	}
}

/* ERROR as a status; what is worth a sentence is noted. */
static int fail(struct acred_call *call, const char *what, int error)
{
	char text[128];
	int status = status_of(error);

	if (status == ACRED_ABSENT)
		return status;
	if (status == ACRED_UNAVAILABLE)
		snprintf(text, sizeof text, "the kernel keyring is closed here, as in many containers");
	else if (error == EDQUOT)
		snprintf(text, sizeof text, "the kernel keyring is full (/proc/key-users shows the quota)");
	else
		snprintf(text, sizeof text, "%s in the kernel keyring: %s", what, strerror(error));
	call->note(call->host, text);
	return status;
}

static int kernel_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct kernel *kernel = calloc(1, sizeof *kernel);

	if (kernel == NULL)
		return ACRED_FAILED;
	if (!entry_prefix_argument(call, argc, argv, kernel->prefix)) {
		free(kernel);
		return ACRED_FAILED;
	}
	*state = kernel;
	return ACRED_OK;
}

static void kernel_close(void *state)
{
	free(state);
}

/* The description of KEY; false and a note where it is longer than any key we make. */
static bool describe(struct acred_call *call, const struct kernel *kernel, const struct acred_key *key,
                     char description[DESCRIPTION_MAX_BYTES])
{
	int n = snprintf(description, DESCRIPTION_MAX_BYTES, "%s:%s:%" PRId64 "@%s", kernel->prefix, key->facility,
	                 key->user_id, key->base_url);

	if (n > 0 && n < DESCRIPTION_MAX_BYTES)
		return true;
	call->note(call->host, "the account's address is too long for the kernel keyring");
	return false;
}

/*
 * Reads what is too long for the first buffer. It may have been replaced by something longer meanwhile: room
 * for the longest there can be.
 */
static int read_long(struct acred_call *call, long id)
{
	char *bytes = malloc(KERNEL_KEY_MAX_BYTES);
	int status;
	long n;

	if (bytes == NULL)
		return ACRED_FAILED;
	n = kernel_key_read(id, bytes, KERNEL_KEY_MAX_BYTES);
	if (n < 0 || n > KERNEL_KEY_MAX_BYTES)
		status = n < 0 ? fail(call, "cannot read", errno) : ACRED_FAILED;
	else
		status = call->put(call->host, bytes, (size_t)n) == 0 ? ACRED_OK : ACRED_FAILED;
	explicit_bzero(bytes, KERNEL_KEY_MAX_BYTES);
	free(bytes);
	return status;
}

static int kernel_read(struct acred_call *call, long id)
{
	char bytes[FIRST_READ_BYTES];
	int status;
	long n = kernel_key_read(id, bytes, sizeof bytes);

	if (n < 0)
		return fail(call, "cannot read", errno);
	if (n > (long)sizeof bytes) {
		status = read_long(call, id);
		n = sizeof bytes; /* what the kernel may have filled in */
	} else {
		status = call->put(call->host, bytes, (size_t)n) == 0 ? ACRED_OK : ACRED_FAILED;
	}
	explicit_bzero(bytes, (size_t)n);
	return status;
}

static int kernel_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char description[DESCRIPTION_MAX_BYTES];
	int status = ACRED_ABSENT;

	if (!describe(call, state, key, description))
		return ACRED_FAILED;
	/* Found, and then not there: it was replaced in between. Its successor is found at once. */
	for (int tries = 0; tries < REPLACED_TRIES && status == ACRED_ABSENT; tries++) {
		long id = kernel_key_find(description);

		if (id < 0)
			return fail(call, "cannot search", errno);
		status = kernel_read(call, id);
	}
	return status;
}

static int kernel_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes,
                        size_t len, int64_t ttl_s)
{
	char description[DESCRIPTION_MAX_BYTES];
	const char *what;
	int error, status;

	if (strcmp(key->facility, "refresh") == 0) {
		call->note(call->host, "a RefreshToken is not kept where a restart loses it");
		return ACRED_FAILED;
	}
	if (!describe(call, state, key, description))
		return ACRED_FAILED;
	if (len == 0 || len > KERNEL_KEY_MAX_BYTES || ttl_s < 0) {
		call->note(call->host, "the kernel keyring takes 1 to 32767 bytes");
		return ACRED_FAILED;
	}
	error = kernel_key_replace(description, bytes, len, ttl_s, &what);
	if (error == 0)
		return ACRED_OK;
	status = fail(call, what, error);
	if (status == ACRED_ABSENT) {
		call->note(call->host, "the new key was gone before it was linked");
		status = ACRED_FAILED;
	}
	return status;
}

static int kernel_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	char description[DESCRIPTION_MAX_BYTES];
	const char *what;
	int error;

	if (!describe(call, state, key, description))
		return ACRED_FAILED;
	error = kernel_key_erase(description, &what);
	if (error == EAGAIN)
		call->note(call->host, "another process replaces the key again and again");
	else if (error != 0)
		return fail(call, what, error);
	return error == 0 ? ACRED_OK : ACRED_FAILED;
}

static void list_key(const struct kernel *kernel, int32_t id, void *host,
                     void (*each)(void *host, const struct acred_key *))
{
	char text[DESCRIPTION_MAX_BYTES + 64];
	char *description = kernel_key_describe(id, text, sizeof text);
	struct acred_key key;

	if (description != NULL && entry_split(kernel->prefix, description, &key))
		each(host, &key);
}

static int kernel_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	int32_t *ids = malloc(LIST_MAX_BYTES);
	int status = ACRED_OK;
	long n;

	if (ids == NULL)
		return ACRED_FAILED;
	n = kernel_key_read_ids(ids, LIST_MAX_BYTES);
	if (n < 0)
		status = fail(call, "cannot list", errno);
	n = n > LIST_MAX_BYTES ? LIST_MAX_BYTES : n;
	for (long i = 0; i < n / (long)sizeof *ids; i++)
		list_key(state, ids[i], call->host, each);
	free(ids);
	return status;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "kernel",
	.about = "the Linux kernel's keyring: a cache that no file holds",
	.open = kernel_open,
	.lookup = kernel_lookup,
	.store = kernel_store,
	.erase = kernel_erase,
	.list = kernel_list,
	.close = kernel_close,
};
