/* SPDX-License-Identifier: MIT */
/*
 * The sealed file as a file: read once it was looked at, locked, replaced whole. Knows nothing of its bytes. Each
 * returns a status, noted.
 */
#ifndef KEYRING_MODULES_SEALED_FILE_DISK_H
#define KEYRING_MODULES_SEALED_FILE_DISK_H

#include "keyring/modules/sealed-file.h"

struct sealed_lock {
	int dir, fd;
	const char *path, *name; /* of the sealed file; the name is in the path, which must outlive this */
};

/*
 * All of the file, and at most one byte more than SEALED_FILE_MAX_BYTES. ACRED_ABSENT where there is none, noting
 * nothing; ACRED_FAILED where it is not a regular file, the user's and for nobody else.
 */
int sealed_disk_read(struct acred_call *, const char *path, struct wiped *ret);

/* Waits for PATH.lock until the call's deadline, and makes the directories where they are missing (0700). ACRED_READONLY
 * where nothing can be written there. */
int sealed_disk_lock(struct acred_call *, const char *path, struct sealed_lock *ret);
void sealed_disk_unlock(struct sealed_lock *);

/* Under the lock. On a failure the old file stands as it was. */
int sealed_disk_replace(struct acred_call *, const struct sealed_lock *, const unsigned char *bytes, size_t n);

#endif
