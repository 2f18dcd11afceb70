/* SPDX-License-Identifier: MIT */
/*
 * The RefreshToken as it is read for use, under the account's lock: a rotation that never came to its end is finished
 * first. Knows nothing of access tokens.
 */
#ifndef HELPER_LIFECYCLE_REFRESH_H
#define HELPER_LIFECYCLE_REFRESH_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/lock.h"
#include "helper/lifecycle/record.h"

/* The caller holds the account's lock. Outcomes are vault_refresh's; where a copy of a rotation's new token is found
 * it takes its place in the keyring, and where one is needed that cannot be used the outcome is KEYRING (recovery) and
 * the record is marked unreadable, its token still there. *ret_record is the caller's to wipe in any case. */
enum outcome refresh_read(struct context *context, struct account *account, struct refresh_record *ret_record);

/* Takes the lock, looks at the list again, and reads. The person who is there unlocks the keyring before, with no
 * lock held. */
enum outcome refresh_lock_and_read(struct context *context, struct account *account, struct lock *lock,
                                   struct refresh_record *ret_record);

/*
 * Only a call decides whether a RefreshToken lives. After one with RECORD came to OUTCOME: what a
 * rotation has left goes if the token was taken (DONE), and where one had been begun a refusal (LOGIN_NEEDED) becomes
 * the words that tell how the token was lost. Returns OUTCOME.
 */
enum outcome refresh_settle(struct context *context, struct account *account, struct refresh_record *record,
                            enum outcome outcome);

/* What to do about a refused RefreshToken that comes from SOURCE, a module that can only be read: a login would not help, because it is
 * asked first and goes on giving that one. Into TEXT, which has ROOM bytes. */
void refresh_source_remedy(const struct account *account, const char *source, char *text, size_t room);

#endif
