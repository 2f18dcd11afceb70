/* SPDX-License-Identifier: MIT */
/*
 * Carrying out the verdict: look in the cache, lock, look again, validate or mint, cache. One mint, everyone served.
 * Knows nothing of HTTP and prints nothing.
 */
#ifndef HELPER_LIFECYCLE_TOKEN_H
#define HELPER_LIFECYCLE_TOKEN_H

#include "helper/accounts-file.h"
#include "helper/alation/alation.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/* An access token of ACCOUNT that works and is what the call's options ask for: from the cache, or minted under the
 * account's lock. *ret_record is the caller's to wipe in any case. */
enum outcome token_obtain(struct context *context, struct account *account, struct access_record *ret_record);

/* Mints with that RefreshToken, and caches nothing. The caller holds the account's lock. *ret_record is the caller's
 * to wipe in any case; *ret_reply tells, where it failed, whether the server may have minted all the same. */
enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record, struct alation_reply *ret_reply);

/* Under the lock: asks the server about the cached token. DONE and *ret_active (a dead one leaves the cache, of one that
 * lives it is noted), or why it could not be asked. */
enum outcome token_check(struct context *context, const struct account *account, struct access_record *record, bool *ret_active);

#endif
