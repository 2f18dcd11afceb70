/* SPDX-License-Identifier: MIT */
/*
 * Records in and out of the keyring stack: limits and watchdog around each module's call, statuses turned into
 * outcomes and words. Decides nothing about tokens.
 */
#ifndef HELPER_LIFECYCLE_VAULT_H
#define HELPER_LIFECYCLE_VAULT_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/*
 * The account's RefreshToken record. MAY_PROMPT: a keyring's dialog may open, and the time a person takes does
 * not count; never under a lock. LOGIN_NEEDED (no_account) where nothing is stored, LOCKED, or KEYRING; a record
 * that is damaged, foreign or newer is KEYRING too. *ret_record is the caller's to wipe in any case.
 */
enum outcome vault_refresh(struct context *context, const struct account *account, bool may_prompt,
                           struct refresh_record *ret_record);

/*
 * Whether a RefreshToken of ACCOUNT, of which the user id may not be known yet, could be kept now: DONE, LOCKED or
 * KEYRING; BUSY where another login asks the same for too long. Asked before a server is made to create one. Proves
 * it by a record of nobody's account, which is stored, read back and erased. MAY_PROMPT as in vault_refresh.
 */
enum outcome vault_ready(struct context *context, const struct account *account, bool may_prompt);

/* Keeps it, makes sure that the keyring gives it back, and writes the module that took it into account->module. */
enum outcome vault_keep_refresh(struct context *context, struct account *account, const struct refresh_record *record);

/* Removes it from every module. What could not be emptied is the outcome. */
enum outcome vault_forget_refresh(struct context *context, const struct account *account);

/* "is damaged" and the like, for sentences about what lies somewhere. */
const char *vault_fault_words(enum record_fault fault);

/* Whether RECORD names another account. */
bool vault_is_foreign(const struct refresh_record *record, const struct account *account);

/* A line of a facility whose records are somebody else's business; statuses are module.h's, and no word is said. */
int vault_put_line(struct context *context, const struct account *account, const char *facility, struct bytes line, int64_t ttl_s);
int vault_get_line(struct context *context, const struct account *account, const char *facility, struct secret *ret_line,
                   struct keyring_answer *ret_answer);
int vault_drop_line(struct context *context, const struct account *account, const char *facility);

/* The access record. False: it has no token; what else is remembered, and whether something is there that cannot be
 * read, stands in *ret_record all the same. */
bool vault_access(struct context *context, const struct account *account, struct access_record *ret_record);

/* Caches it for TTL_S; a failure is a warning: the token is still served. */
void vault_keep_access(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s);

/* Keeps a record without a token for TTL_S, silently. */
void vault_remember(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s);

/* Removes it from the cache. DONE also where none was there. */
enum outcome vault_forget_access(struct context *context, const struct account *account);

/* For `status`: which module holds what, without a dialog, without a secret. Returns a module.h status. */
int vault_locate_refresh(struct context *context, const struct account *account, struct keyring_answer *ret_answer);
int vault_locate_access(struct context *context, const struct account *account, struct access_record *ret_record,
                        struct keyring_answer *ret_answer);

#endif
