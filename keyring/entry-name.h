/* SPDX-License-Identifier: MIT */
/*
 * How the built-in caches name an entry, PREFIX:FACILITY:USER_ID@BASE_URL, as it stands and as a file name (what that
 * should not hold stands as %XX), and back. No file, no allocation.
 */
#ifndef KEYRING_ENTRY_NAME_H
#define KEYRING_ENTRY_NAME_H

#include <limits.h>
#include <stdbool.h>

#include "keyring/module.h"

#define ENTRY_NAME_BYTES (NAME_MAX + 1)
#define ENTRY_PREFIX_MAX_BYTES 64

/* 1 to ENTRY_PREFIX_MAX_BYTES letters, digits, '.', '_' and '-'. */
bool entry_prefix_ok(const char *prefix);

/* The argument prefix=NAME of those modules, "alation-cred" without one. False, and a note, where it is another. */
bool entry_prefix_argument(struct acred_call *call, int argc, const char *const *argv, char ret_prefix[ENTRY_PREFIX_MAX_BYTES + 1]);

/* False: too long for a file name, and NAME is not to be used. */
bool entry_name(const char *prefix, const struct acred_key *key, char name[ENTRY_NAME_BYTES]);

/* False: not one that entry_name() makes with PREFIX. NAME is taken apart in place, and *ret_key points into it. */
bool entry_parse(const char *prefix, char name[ENTRY_NAME_BYTES], struct acred_key *ret_key);

/* The same for an entry as it stands, of any length. */
bool entry_split(const char *prefix, char *text, struct acred_key *ret_key);

#endif
