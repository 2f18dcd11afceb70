/* SPDX-License-Identifier: MIT */
/*
 * The end of an account on this machine: cache, keyring, recovery copies, list. Asks no server.
 */
#ifndef HELPER_LIFECYCLE_FORGET_H
#define HELPER_LIFECYCLE_FORGET_H

#include "helper/accounts-file.h"
#include "helper/context.h"

/* The caller holds the account's lock. Who dies in between leaves an account that a second call finishes. */
enum outcome forget_account(struct context *context, const struct account *account);

#endif
