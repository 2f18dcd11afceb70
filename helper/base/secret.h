/* SPDX-License-Identifier: MIT */
/*
 * The one type for secrets: it wipes what it held whenever it moves, grows or ends. Zeroed is empty.
 */
#ifndef HELPER_BASE_SECRET_H
#define HELPER_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/bytes.h"

#define SECRET_MAX_BYTES (2 * 1024 * 1024) /* more than any file we read: FILE_MAX_BYTES */

struct secret {
	char *bytes;
	size_t len, room;
};

/* Wipes and frees; the secret is empty and usable afterwards. */
void secret_wipe(struct secret *secret);

/* Wiped where its scope ends, early returns included. */
#define SECRET __attribute__((cleanup(secret_wipe))) struct secret

/* False: no memory, or more than SECRET_MAX_BYTES; the secret is as it was. */
bool secret_append(struct secret *secret, struct bytes b);

/* Replaces what was there. */
bool secret_set(struct secret *secret, struct bytes b);

/* Makes ROOM bytes writable behind `len`, for a reader that fills them. */
bool secret_reserve(struct secret *secret, size_t room);

/* Moves FROM into *to, whose own content is wiped; FROM is empty then. */
void secret_move(struct secret *to, struct secret *from);

/* In a time that depends on the lengths alone. */
bool secret_equal(struct bytes a, struct bytes b);

static inline struct bytes secret_view(const struct secret *secret)
{
	return (struct bytes){ secret->bytes ? secret->bytes : "", secret->len };
}

#endif
