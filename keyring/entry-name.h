/* SPDX-License-Identifier: MIT */
/*
 * An entry's file name, PREFIX:FACILITY:USER_ID@BASE_URL, and back. What a file name should not hold stands as %XX.
 * Pure: no file, no allocation.
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

/* False: too long for a file name, and NAME is not to be used. */
bool entry_name(const char *prefix, const struct acred_key *key, char name[ENTRY_NAME_BYTES]);

/* False: not one that entry_name() makes with PREFIX. NAME is taken apart in place, and *ret_key points into it. */
bool entry_parse(const char *prefix, char name[ENTRY_NAME_BYTES], struct acred_key *ret_key);

#endif
