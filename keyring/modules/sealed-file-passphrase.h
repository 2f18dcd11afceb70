/* SPDX-License-Identifier: MIT */
/*
 * Where a passphrase comes from: the key-file, or a person. Knows no key and no box. Each returns ACRED_OK and a
 * passphrase of at least one byte, or another status, noted.
 */
#ifndef KEYRING_MODULES_SEALED_FILE_PASSPHRASE_H
#define KEYRING_MODULES_SEALED_FILE_PASSPHRASE_H

#include "keyring/modules/sealed-file.h"

#define SEALED_CREDENTIALS "$CREDENTIALS_DIRECTORY" /* as key-file= spells it */

/* The key-file's, without one final line feed. ACRED_UNAVAILABLE where there is none. */
int sealed_passphrase_read(struct acred_call *, const char *key_file, struct wiped *ret);

/* One answer of a person; AGAIN: the last one was wrong. An empty answer is ACRED_OK and empty. */
int sealed_passphrase_ask(struct acred_call *, const char *path, bool again, struct wiped *ret);

/* A new one, asked for twice; where the two differ, or are empty, once more. */
int sealed_passphrase_ask_new(struct acred_call *, const char *path, struct wiped *ret);

#endif
