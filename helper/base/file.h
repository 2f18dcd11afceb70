/* SPDX-License-Identifier: MIT */
/*
 * Files that are looked at before they are believed, and replaced whole. Knows no content.
 */
#ifndef HELPER_BASE_FILE_H
#define HELPER_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/base/secret.h"

#define FILE_MAX_BYTES (1024 * 1024)

/*
 * Reads all of NAME below DIRFD. It must be a regular file (no link, fifo, device) that the user or root owns
 * and nobody else can write, the owner's private group excepted. Returns 0, or an errno: ENOENT where there is
 * none, EPERM where it is not what it must be, EFBIG above FILE_MAX_BYTES.
 */
int file_read(int dirfd, const char *name, struct secret *ret_content);

/* The same; where it is not what it must be *ret_why says what it is ("is writable by everybody"), else it is NULL, and
 * *ret_mode is the mode of a regular file, else 0. */
int file_read_said(int dirfd, const char *name, struct secret *ret_content, const char **ret_why, unsigned *ret_mode);

/* The same for a file that holds a secret: it is the user's own, and nobody else can even read it; EACCES where its mode
 * alone is wrong. On an error but ENOENT *ret_why says what it is: "can be read or written by others". */
int file_read_private(int dirfd, const char *name, struct secret *ret_content, const char **ret_why);

/* Replaces NAME below DIRFD: temp file (0600), fsync, rename, fsync of the directory. Returns 0 or an errno
 * (EFBIG for what file_read would refuse); on an error the old file stands as it was. */
int file_replace(int dirfd, const char *name, struct bytes content);

/* All of that but the rename: whether it could be done now. */
int file_try(int dirfd, const char *name, struct bytes content);

/* Reads at most ROOM bytes of a small file by path ("/proc/…"); the number read, or -1. */
long file_peek(const char *path, char *buffer, size_t room);

#endif
