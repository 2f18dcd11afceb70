/* SPDX-License-Identifier: MIT */
/*
 * From an ACCOUNT argument, or the environment, or nothing, to exactly one account, or the list of choices, and to that
 * account's lock. Never a guess. No network; no keyring but for the accounts that need no login (sources.h).
 */
#ifndef HELPER_ACCOUNT_H
#define HELPER_ACCOUNT_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/lock.h"

/*
 * ARGUMENT (or NULL: $ALATION_BASE_URL and $ALATION_USER_ID, each narrowing the match, else the configuration's default-account
 * or base-url, else the default). From here on the call is about that account's instance. An
 * account that the list does not know but that is named whole (URL and user id) is returned with module "": it
 * walks the whole stack. *ret_account's strings are its own but `unknown`, which is NULL.
 */
enum outcome account_choose(struct context *context, const struct accounts *accounts, const char *argument,
                            struct account *ret_account);

/* The same, and reads the list itself: only as much of it as is needed. */
enum outcome account_find(struct context *context, const char *argument, struct account *ret_account);

/*
 * What a request of git's protocol names: ret_url->base and user_id (0: it names no user). False where that can be no
 * account of ours: it is no address of an instance, or the user name is no user id. Hosts match exactly.
 */
bool account_of_request(const struct request *request, struct url *ret_url);

/* Whether a call that names no account means ACCOUNT: the configuration's default-account, else the list's default. */
bool account_is_default(const struct context *context, const struct account *account);

/* The configuration's value that goes before the list where ACCOUNT is the list's default, or NULL. */
const struct config_value *account_other_default(const struct context *context, const struct account *account);

/* Whether ACCOUNT is one that such a URL means. */
bool account_is_meant(const struct account *account, const struct url *url);

/* The one account in the list that it means: the only one on that host, or the default if it is there. *ret_found is
 * false where there is none. */
enum outcome account_choose_for(struct context *context, const struct accounts *accounts, const struct url *url,
                                struct account *ret_account, bool *ret_found);

/* Reads the address of an instance from TEXT, warning about what was cut off; USAGE names what is wrong. Where the
 * configuration has a section for that address with a base-url, it is that one's. */
enum outcome account_url(struct context *context, const char *text, struct url *ret_url);

/* The name of the account's lock: its key, form-encoded. */
#define ACCOUNT_LOCK_BYTES 256
const char *account_lock_name(const struct account *account, char name[ACCOUNT_LOCK_BYTES]);

/* Takes it, by the call's deadline. */
enum outcome account_lock(struct context *context, const struct account *account, struct lock *ret_lock);

#endif
