/* SPDX-License-Identifier: MIT */
/*
 * What lies in an open box: entries one behind the other, each
 *
 *   4  length of the secret      8  user id (both big-endian)      facility NUL  base URL NUL  secret
 *
 * Pure: no file, no key. Secrets are any bytes.
 */
#ifndef KEYRING_MODULES_SEALED_FILE_ENTRIES_H
#define KEYRING_MODULES_SEALED_FILE_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "keyring/module.h"
#include "keyring/modules/sealed-file.h"

struct sealed_entry {
	struct acred_key key;
	const unsigned char *secret;
	size_t n;
};

/* The entry at *AT, which moves to the next one; false at the end, or where what follows is none. Points into ENTRIES. */
bool sealed_entries_next(const struct wiped *entries, size_t *at, struct sealed_entry *ret);

/* Whether all of it is entries. */
bool sealed_entries_sound(const struct wiped *entries);

bool sealed_entries_find(const struct wiped *entries, const struct acred_key *, struct sealed_entry *ret);

/* A copy without the entry of KEY, and with SECRET as its new one unless that is NULL. False: no memory. */
bool sealed_entries_change(const struct wiped *entries, const struct acred_key *key, const char *secret, size_t n, struct wiped *ret);

#endif
