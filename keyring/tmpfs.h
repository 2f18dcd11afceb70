/* SPDX-License-Identifier: MIT */
/*
 * The user's private directory on a tmpfs, for what may be lost at a restart: made, opened, and looked at. Knows no
 * file in it.
 */
#ifndef KEYRING_TMPFS_H
#define KEYRING_TMPFS_H

#include <stdbool.h>

#define TMPFS_PATH_MAX_BYTES 64

/*
 * Opens /dev/shm/alation-cred-UID, else the same name in /tmp: 0700, the user's, not a link, because anyone can make
 * names there. CREATE makes it. Returns a descriptor (O_CLOEXEC, the caller's to close), or -1 with errno: ENOENT
 * where there is none, EPERM where something else stands in its place. PATH is then the one that it is about.
 */
int tmpfs_open(bool create, char path[TMPFS_PATH_MAX_BYTES]);

#endif
