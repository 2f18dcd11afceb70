/* SPDX-License-Identifier: MIT */
/*
 * Opens a file that will be run, and looks at what it has opened: only root and the user can have written it (trust.h).
 */
#ifndef KEYRING_TRUSTED_FILE_H
#define KEYRING_TRUSTED_FILE_H

#include <limits.h>
#include <stddef.h>

enum trusted { TRUSTED, TRUSTED_NOT_THERE, TRUSTED_REFUSED };

/*
 * The regular file PATH, absolute, for reading: it and its directory are right, and where PATH is a link, the link's directory too. A
 * distribution may keep one there. TRUSTED: *ret_fd is the caller's to close, REAL is its path without links. Else WHY (ROOM bytes) says
 * file and reason.
 */
enum trusted trusted_file_open(const char *path, int *ret_fd, char real[PATH_MAX], char *why, size_t room);

#endif
