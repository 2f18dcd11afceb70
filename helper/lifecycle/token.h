/* SPDX-License-Identifier: MIT */
/*
 * Carrying out the verdict: look in the cache, lock, look again, validate or mint, cache. One mint, everyone served.
 * Knows nothing of HTTP and prints nothing.
 */
#ifndef HELPER_LIFECYCLE_TOKEN_H
#define HELPER_LIFECYCLE_TOKEN_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/lock.h"
#include "helper/lifecycle/record.h"

/* An access token of ACCOUNT that works and is what the call's options ask for: from the cache, or minted under the
 * account's lock. *ret_record is the caller's to wipe in any case. */
enum outcome token_obtain(struct context *context, struct account *account, struct access_record *ret_record);

/* Mints with that RefreshToken, and caches nothing. The caller holds the account's lock. *ret_record is the caller's
 * to wipe in any case. *ret_maybe_acted, where not NULL: it failed, but the server may have minted all the same. */
enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record, bool *ret_maybe_acted);

/* Caches what token_mint minted, counting on from the record it replaces. */
void token_keep(struct context *context, const struct account *account, struct access_record *record);

/* Under the lock: asks the server about the cached token. DONE and *ret_active (a dead one leaves the cache, of one that
 * lives it is noted), or why it could not be asked. */
enum outcome token_check(struct context *context, const struct account *account, struct access_record *record, bool *ret_active);

/* Under the lock, around a call that may revoke the cached token: marks it, so that nobody serves it unasked if the
 * reply never comes; true if it was not marked yet. token_trust takes the mark away again, once it is known that
 * nothing was revoked. */
bool token_suspect(struct context *context, const struct account *account);
void token_trust(struct context *context, const struct account *account);

/* The account's lock, until the call's deadline. */
enum outcome token_lock(struct context *context, const struct account *account, struct lock *ret_lock);

/* How long RECORD's token still lives by this machine's clock; may be negative. */
int64_t token_left_s(const struct access_record *record);

#endif
