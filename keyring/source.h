/* SPDX-License-Identifier: MIT */
/*
 * What the read-only sources of a RefreshToken share: the account that their arguments name, and whose token it is
 * that they hold. A source answers for one account alone, so that no token goes to a host it was not meant for.
 *
 * Content is a bare token, which only the arguments give an account, or a record
 * `v=1&kind=refresh-token&base_url=…&user_id=…&refresh_token=…`, which names its account itself. Version and kind of a
 * record are its reader's to judge; here it is only told whose it is. Nothing is kept, nothing of content is noted.
 */
#ifndef KEYRING_SOURCE_H
#define KEYRING_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "keyring/module.h"

#define SOURCE_MAX_BYTES 65536        /* a record, or a bare token */
#define SOURCE_TOKEN_MAX_BYTES 16384
#define SOURCE_BASE_URL_MAX_BYTES 511

/* What a line's arguments say. The strings are the host's, valid until close. */
struct source {
	const char *base_url; /* base-url=URL, as the host spells it; NULL: not said */
	int64_t user_id;      /* user-id=N; 0: not said */
	const char *name;     /* name=NAME; NULL: not said, or the source takes none */
};

/* Whose content is. BASE_URL is "" and USER_ID 0 where it is a bare token, which does not say. */
struct source_owner {
	char base_url[SOURCE_BASE_URL_MAX_BYTES + 1];
	int64_t user_id;
};

/* Reads the arguments. False, and a note that names the argument. TAKES_NAME: name= is one of them. */
bool source_arguments(struct acred_call *call, int argc, const char *const *argv, bool takes_name,
                      struct source *ret_source);

/* ACRED_OK: both arguments are there. Else ACRED_ABSENT, and a note that names WHAT, which needs them, and the variable
 * that the host takes the missing one from. */
int source_complete(struct acred_call *call, const struct source *source, const char *what);

/* ACRED_OK: BASE_URL and USER_ID are KEY's account. Else ACRED_ABSENT, and a note that WHAT is for another. */
int source_matches(struct acred_call *call, const struct acred_key *key, const char *base_url, int64_t user_id,
                   const char *what);

/* ACRED_OK: KEY is a RefreshToken's, which is all that a source has. Else ACRED_ABSENT. */
int source_facility(const struct acred_key *key);

/* NULL: CONTENT (N bytes, without a line feed) is one of the two. Else what is wrong with it, in words without any of it. */
const char *source_read(const char *content, size_t n, struct source_owner *ret_owner);

#endif
