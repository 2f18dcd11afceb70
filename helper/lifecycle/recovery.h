/* SPDX-License-Identifier: MIT */
/*
 * The copies of a RefreshToken that the server has just made, until its place in the keyring holds it: for a day where
 * the stack's facility `recovery` keeps it (the kernel keyring), and, where that or the keyring did not take it, in the
 * file KEY.recovery (0600) of ~/.local/state/alation-cred, where every process of the user finds it, else of the
 * private tmpfs directory. Decides nothing.
 */
#ifndef HELPER_LIFECYCLE_RECOVERY_H
#define HELPER_LIFECYCLE_RECOVERY_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

#define RECOVERY_PATH_BYTES 1536

/* Writes a copy; false: it could not. ret_path is the file, for words. */
bool recovery_keep(struct context *context, const struct account *account, const struct refresh_record *record);
bool recovery_keep_in_file(const struct account *account, const struct refresh_record *record,
                           char ret_path[RECOVERY_PATH_BYTES]);

enum recovery_place { RECOVERY_CACHE, RECOVERY_FILE, RECOVERY_PLACES };

/* What lies there. UNUSABLE: something that may be the only copy, but is not as this program leaves one, or not of this
 * account; ret_trouble names it then. *ret_record is the caller's to wipe in any case. */
enum recovery { RECOVERY_NONE, RECOVERY_FOUND, RECOVERY_UNUSABLE };
enum recovery recovery_look(struct context *context, const struct account *account, enum recovery_place place,
                            struct refresh_record *ret_record, struct trouble *ret_trouble);

/* Removes both, silently. */
void recovery_forget(struct context *context, const struct account *account);

#endif
