/* SPDX-License-Identifier: MIT */
/*
 * One file in the private directory: looked at, replaced, removed, each as a whole. Knows no key and no module.
 *
 * The end of a file is its modification time, in seconds of CLOCK_BOOTTIME: a clock that nobody can set, and that
 * ends with the tmpfs. Each function returns 0 or an errno.
 */
#ifndef KEYRING_TMPFS_FILE_H
#define KEYRING_TMPFS_FILE_H

#include <stddef.h>
#include <stdint.h>

struct tmpfs_file {
	int fd; /* O_CLOEXEC, the caller's to close */
	size_t size;
};

/*
 * Opens a file as we make them: regular, the user's, for nobody else, one name, 1 to MAX_BYTES. ENOENT: there is none,
 * or its end has come. Else *ret_why says what is wrong with it; EPERM where that is owner, mode or links.
 */
int tmpfs_file_open(int dir, const char *name, size_t max_bytes, struct tmpfs_file *ret_file, const char **ret_why);

/* All of it into BYTES, which has room for file->size. */
int tmpfs_file_read(const struct tmpfs_file *file, char *bytes);

/* Writes it under another name and moves it; a failure changes and leaves nothing. TTL_S 0: without an end. ENOENT,
 * EEXIST: another writer was at it; try again. */
int tmpfs_file_replace(int dir, const char *name, const char *bytes, size_t n, int64_t ttl_s);

/* Removes whatever stands there, but nothing that a link points at, and what a writer that was killed has left. */
int tmpfs_file_remove(int dir, const char *name);

void tmpfs_each_name(int dir, void (*each)(void *data, const char *name), void *data);

#endif
