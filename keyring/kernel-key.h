/* SPDX-License-Identifier: MIT */
/*
 * Keys of type "user" in the Linux kernel's user keyring: found, read, replaced, erased, by their descriptions. Knows
 * no module, no entry, and no words for people but what could not be done.
 */
#ifndef KEYRING_KERNEL_KEY_H
#define KEYRING_KERNEL_KEY_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_KEY_MAX_BYTES 32767 /* the kernel's, for keys of type "user" */

/* The number of the key so described, or -1 with errno: ENOKEY, EKEYEXPIRED or EKEYREVOKED where there is none, EPERM
 * or ENOSYS where the kernel keyring is closed, as in many containers. */
long kernel_key_find(const char *description);

/* Reads key (or keyring) ID into BYTES; its length, which may be more than ROOM, or -1 with errno. */
long kernel_key_read(long id, void *bytes, size_t room);

/* The user keyring itself: its keys' numbers, as int32_t. Else as kernel_key_read(). */
long kernel_key_read_ids(int32_t *ids, size_t room);

/* The description of key ID, in TEXT. NULL: it does not fit, is of another type than "user", or has ended. */
char *kernel_key_describe(long id, char *text, size_t room);

/*
 * Puts 1 to KERNEL_KEY_MAX_BYTES bytes there, for TTL_S seconds (0: without an end); what was there is displaced in one
 * step. Returns 0 or an errno, and then *ret_what says what could not be done: "cannot add a key".
 */
int kernel_key_replace(const char *description, const void *bytes, size_t len, int64_t ttl_s, const char **ret_what);

/* Takes it out. Returns 0 or an errno: as kernel_key_find() where there is none, EAGAIN where another process puts it
 * there again and again; *ret_what as above. */
int kernel_key_erase(const char *description, const char **ret_what);

/* Takes out every key whose description begins so. Else as kernel_key_erase(): ENOKEY where there was none. */
int kernel_key_erase_all(const char *beginning, const char **ret_what);

#endif
