/* SPDX-License-Identifier: MIT */
/*
 * Records in and out of the keyring stack (walk.h walks it). Decides nothing about tokens.
 */
#ifndef HELPER_LIFECYCLE_VAULT_H
#define HELPER_LIFECYCLE_VAULT_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/*
 * The account's RefreshToken record. MAY_PROMPT: a keyring's dialog may open or, where context->asks, a passphrase be asked
 * for, and the time a person takes does not count; never under a lock. LOGIN_NEEDED (no_account) where nothing is stored, LOCKED, or KEYRING; a record
 * that is damaged, foreign or newer is KEYRING too. One that came from a module which cannot store has it in ->source.
 * *ret_record is the caller's to wipe in any case.
 */
enum outcome vault_refresh(struct context *context, const struct account *account, bool may_prompt,
                           struct refresh_record *ret_record);

/* Keeps it, makes sure that the keyring gives it back, and writes the module that took it into account->module. */
enum outcome vault_keep_refresh(struct context *context, struct account *account, const struct refresh_record *record);

/* Where a source has answered before the keyring that the list names (vault_refresh was called): LOCKED if that one is. Who
 * is about to empty it learns of that before anything has changed. */
enum outcome vault_check_open(struct context *context, const struct account *account);

/* It was stored under KEY, says MODULE: that is believed once it gives it back. */
enum outcome vault_comes_back(struct context *context, const struct account *account, const struct acred_key *key,
                              const char *module, struct bytes line);

/* Removes it from every module. What could not be emptied is the outcome; a source that can only be read, and still gives
 * one, is a warning. */
enum outcome vault_forget_refresh(struct context *context, const struct account *account);

/* account->module holds it now; it is removed from all others, BEFORE included, which held it. */
enum outcome vault_forget_elsewhere(struct context *context, const struct account *account, const char *before);

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

/* UNUSABLE: the loader refuses a cache that the configuration requires, so that nothing should be minted for it. */
enum outcome vault_check_access(struct context *context, const struct account *account);

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
