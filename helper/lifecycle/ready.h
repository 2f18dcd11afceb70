/* SPDX-License-Identifier: MIT */
/*
 * Whether a RefreshToken could be kept now: asked, and tried, before a server is made to create one.
 */
#ifndef HELPER_LIFECYCLE_READY_H
#define HELPER_LIFECYCLE_READY_H

#include "helper/accounts-file.h"
#include "helper/base/secret.h"
#include "helper/context.h"

/*
 * Of ACCOUNT, of which the user id may not be known yet: DONE, LOCKED or KEYRING; BUSY where another login asks the same for
 * too long. Proves it by a record of nobody's account, which is stored, read back and erased. Where the keyring is locked the
 * person who is there is asked (with no lock held), also for the passphrase of one that is only made now.
 */
enum outcome ready_to_keep(struct context *context, const struct account *account);

/* Whose record is tried with: an account of nobody at no instance. */
extern const struct account ready_nobody;

/* That record, of the length of a real one. False: no memory. */
bool ready_nobodys_line(struct secret *ret_line);

#endif
