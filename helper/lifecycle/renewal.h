/* SPDX-License-Identifier: MIT */
/*
 * Renewing a RefreshToken on the way, in a process of its own that nobody kills who kills the caller; and what is said
 * of a RefreshToken that comes to its end. Rotates nothing itself (rotation.c does, in that process).
 */
#ifndef HELPER_LIFECYCLE_RENEWAL_H
#define HELPER_LIFECYCLE_RENEWAL_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/* Whether ACCOUNT's RefreshToken is ours to renew, and in its last days. */
bool renewal_is_due(const struct context *context, const struct account *account);

/* How long before its end it is renewed without being asked for: the configuration's auto-rotate, else OPTIONS_RENEW_S; 0: never. */
int64_t renewal_before_end_s(const struct context *context, const struct account *account);

/*
 * Starts `rotate --auto` for ACCOUNT in a session of its own and waits for its end, which does not count as the call's
 * time; then *account is what the list has now. The caller holds no lock. A failure is a warning: the old token lives,
 * or the next mint tells.
 */
void renewal_run(struct context *context, struct account *account);

/* ACCESS is about to be served: the daily word, in the last 7 days, that a RefreshToken which is not renewed ends. The
 * caller holds no lock; where somebody else does, it is said another time. */
void renewal_remind(struct context *context, const struct account *account, const struct access_record *access);

#endif
