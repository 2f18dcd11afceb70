/* SPDX-License-Identifier: MIT */
/*
 * Carrying out the verdict: look in the cache, lock, look again, mint, cache. One mint, everyone served. Knows
 * nothing of HTTP and prints nothing.
 */
#ifndef HELPER_LIFECYCLE_TOKEN_H
#define HELPER_LIFECYCLE_TOKEN_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/lock.h"
#include "helper/lifecycle/record.h"

/* An access token of ACCOUNT that works: from the cache, or minted under the account's lock. *ret_record is the
 * caller's to wipe in any case. */
enum outcome token_obtain(struct context *context, const struct account *account, struct access_record *ret_record);

/* Mints with that RefreshToken, and caches nothing. The caller holds the account's lock. *ret_record is the caller's
 * to wipe in any case. */
enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record);

/* Caches what token_mint minted, counting on from the record it replaces. */
void token_keep(struct context *context, const struct account *account, struct access_record *record);

/* The account's lock, until the call's deadline. */
enum outcome token_lock(struct context *context, const struct account *account, struct lock *ret_lock);

/* How long RECORD's token still lives by this machine's clock; may be negative. */
int64_t token_left_s(const struct access_record *record);

#endif
