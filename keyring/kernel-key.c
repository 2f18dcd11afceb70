/* SPDX-License-Identifier: MIT */
/*
 * Keys of the user keyring by system calls alone, no libkeyutils. Never a key that is found without its timeout, never
 * a moment without a key while one is replaced, and no key or keyring created by a look-up.
 */
#include "keyring/kernel-key.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPLACED_TRIES 3

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

long kernel_key_describe(long id, char *text, size_t room)
{
	return keyctl(KEYCTL_DESCRIBE, id, (long)text, (long)room, 0);
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
