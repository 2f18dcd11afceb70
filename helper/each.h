/* SPDX-License-Identifier: MIT */
/*
 * A verb's work for the account that was named, or with --all for each in the list; and its answer. Knows no verb.
 */
#ifndef HELPER_EACH_H
#define HELPER_EACH_H

#include "helper/accounts-file.h"
#include "helper/context.h"

typedef enum outcome each_work(struct context *context, struct account *account);

/*
 * Calls WORK with the account that ARGUMENT means, or with --all once for each account, which then has a --timeout of
 * its own. One failure does not stop the others; the first is the call's. Answers in the wanted format.
 */
enum outcome each_account(struct context *context, const char *argument, each_work *work);

/* The same as --all, of ACCOUNTS, for a verb that finds more of them than the list has. */
enum outcome each_of(struct context *context, const struct accounts *accounts, each_work *work);

#endif
