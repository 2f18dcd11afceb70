/* SPDX-License-Identifier: MIT */
/*
 * Keys of the user keyring by system calls alone, no libkeyutils. Never a key that is found without its timeout, never
 * a moment without a key while one is replaced, and no key or keyring created by a look-up.
 */
#include "keyring/kernel-key.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPLACED_TRIES 3
#define IDS_MAX_BYTES 65536     /* 16384 keys */
#define DESCRIBED_MAX_BYTES 512 /* a key with more than that is nobody's here */

/* Everything for who possesses it, and all but SETATTR for the user: under a foreign session keyring nobody
 * possesses what is in the user keyring. */
#define KEY_PERMISSIONS 0x3f1f0000

static long keyctl(int operation, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, (long)operation, a, b, c, d);
}

long kernel_key_find(const char *description)
{
	return keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"user", (long)description, 0);
}

long kernel_key_read(long id, void *bytes, size_t room)
{
	return keyctl(KEYCTL_READ, id, (long)bytes, (long)room, 0);
}

long kernel_key_read_ids(int32_t *ids, size_t room)
{
	return keyctl(KEYCTL_READ, KEY_SPEC_USER_KEYRING, (long)ids, (long)room, 0);
}

/* "TYPE;UID;GID;PERMISSIONS;DESCRIPTION" is what the kernel gives. */
char *kernel_key_describe(long id, char *text, size_t room)
{
	long n = keyctl(KEYCTL_DESCRIBE, id, (long)text, (long)room - 1, 0);
	char *p = text;

	if (n <= 0 || n > (long)room - 1 || strncmp(text, "user;", 5) != 0)
		return NULL;
	text[n] = '\0';
	for (int fields = 0; fields < 4 && p != NULL; fields++) {
		p = strchr(p, ';');
		p = p != NULL ? p + 1 : NULL;
	}
	return p;
}

/* Gives the new key its end and its permissions, then puts it in the old one's place. */
static bool publish(long id, int64_t ttl_s)
{
	long timeout_s = ttl_s > INT32_MAX ? INT32_MAX : (long)ttl_s;

	return keyctl(KEYCTL_SET_TIMEOUT, id, timeout_s, 0, 0) == 0 &&
	       keyctl(KEYCTL_SETPERM, id, KEY_PERMISSIONS, 0, 0) == 0 &&
	       keyctl(KEYCTL_LINK, id, KEY_SPEC_USER_KEYRING, 0, 0) == 0;
}

/*
 * A key is made in the thread keyring, where nobody finds it, and linked when it is complete; the link
 * displaces the old key in one step. Adding over the old one would take its timeout away for a moment, and a
 * process killed in that moment would leave a token without an end.
 */
int kernel_key_replace(const char *description, const void *bytes, size_t len, int64_t ttl_s, const char **ret_what)
{
	long id = syscall(SYS_add_key, "user", description, bytes, len, (long)KEY_SPEC_THREAD_KEYRING);
	int error;

	if (id < 0) {
		*ret_what = "cannot add a key";
		return errno;
	}
	error = publish(id, ttl_s) ? 0 : errno;
	(void)keyctl(KEYCTL_UNLINK, id, KEY_SPEC_THREAD_KEYRING, 0, 0); /* else it goes with this process */
	if (error != 0)
		*ret_what = "cannot link a key";
	return error;
}

int kernel_key_erase(const char *description, const char **ret_what)
{
	for (int tries = 0; tries < REPLACED_TRIES; tries++) {
		long id = kernel_key_find(description);

		*ret_what = "cannot search";
		if (id < 0)
			return errno;
		if (keyctl(KEYCTL_UNLINK, id, KEY_SPEC_USER_KEYRING, 0, 0) == 0)
			return 0;
		*ret_what = "cannot unlink";
		/* Else it was replaced in between. */
		if (errno != ENOENT && errno != ENOKEY && errno != EKEYEXPIRED && errno != EKEYREVOKED)
			return errno;
	}
	return EAGAIN;
}

static bool begins(int32_t id, const char *beginning)
{
	char text[DESCRIBED_MAX_BYTES];
	const char *description = kernel_key_describe(id, text, sizeof text);

	return description != NULL && strncmp(description, beginning, strlen(beginning)) == 0;
}

/* One pass over IDS. 0 or an errno; what another process took out meanwhile is no error. */
static int erase_listed(int32_t *ids, const char *beginning, bool *ret_any, const char **ret_what)
{
	long n = kernel_key_read_ids(ids, IDS_MAX_BYTES);

	*ret_any = false;
	*ret_what = "cannot list";
	if (n < 0)
		return errno;
	n = n > IDS_MAX_BYTES ? IDS_MAX_BYTES : n;
	for (long i = 0; i < n / (long)sizeof *ids; i++) {
		if (!begins(ids[i], beginning))
			continue;
		*ret_any = true;
		*ret_what = "cannot unlink";
		if (keyctl(KEYCTL_UNLINK, ids[i], KEY_SPEC_USER_KEYRING, 0, 0) != 0 && errno != ENOENT && errno != ENOKEY &&
		    errno != EKEYEXPIRED && errno != EKEYREVOKED)
			return errno;
	}
	return 0;
}

int kernel_key_erase_all(const char *beginning, const char **ret_what)
{
	int32_t *ids = malloc(IDS_MAX_BYTES);
	int error = ids != NULL ? EAGAIN : ENOMEM, erased = ENOKEY;

	*ret_what = "cannot list";
	/* Once more, until a pass finds none: another process may put one there in between. */
	for (int tries = 0; tries < REPLACED_TRIES && error == EAGAIN; tries++) {
		bool any;
		int failed = erase_listed(ids, beginning, &any, ret_what);

		if (failed != 0 || !any)
			error = failed != 0 ? failed : erased;
		erased = 0;
	}
	free(ids);
	return error;
}
