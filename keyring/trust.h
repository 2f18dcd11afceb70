/* SPDX-License-Identifier: MIT */
/*
 * Whether only root and the user can have written a file. Judges what stat(2) said; opens nothing but the
 * user and group files, and these only where a number alone does not decide.
 */
#ifndef KEYRING_TRUST_H
#define KEYRING_TRUST_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

/* NULL: owned by root or the user, and writable by nobody else, the owner's private group excepted. Else the
 * reason, in words. */
const char *trust_refusal(const struct stat *st);

/* Whether GID is the private group of OWNER, by the text of the user and group files: it has the owner's name
 * and no other member, neither listed nor by another user's primary group. */
bool trust_private_group(FILE *passwd, FILE *group, uid_t owner, gid_t gid);

#endif
