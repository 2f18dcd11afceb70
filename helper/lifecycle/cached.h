/* SPDX-License-Identifier: MIT */
/*
 * The cached access token: how old it is on a clock that nobody can set, how it is kept, and the mark of a call that may
 * have revoked it. Asks no server and reads no RefreshToken. Whoever changes it holds the account's lock.
 */
#ifndef HELPER_LIFECYCLE_CACHED_H
#define HELPER_LIFECYCLE_CACHED_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/* Of this boot; read once. "" where it cannot be. */
const char *cached_boot_id(void);

/* How long ago BOOT_MS (CLOCK_BOOTTIME) was by RECORD's boot; negative where that cannot be said: another boot, or
 * another time namespace. */
int64_t cached_ago_ms(const struct access_record *record, int64_t boot_ms);

/* How long RECORD's token still lives by this machine's clock; may be negative. */
int64_t cached_left_s(const struct access_record *record);

/* Caches a token that was just minted, counting on from the record it replaces. */
void cached_keep(struct context *context, const struct account *account, struct access_record *record);

/* Puts a record back that has changed, for the rest of its time. */
void cached_put_back(struct context *context, const struct account *account, const struct access_record *record);

/* Around a call that may revoke the cached token: marks it, so that nobody serves it unasked if the reply never comes;
 * true if it was not marked yet. cached_trust takes the mark away again, once it is known that nothing was revoked. */
bool cached_suspect(struct context *context, const struct account *account);
void cached_trust(struct context *context, const struct account *account);

#endif
