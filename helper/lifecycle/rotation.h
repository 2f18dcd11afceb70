/* SPDX-License-Identifier: MIT */
/*
 * Regenerating a RefreshToken, which kills the old one the moment the server acts: write-ahead, call, recovery copy,
 * store, read back. Serves no access token.
 */
#ifndef HELPER_LIFECYCLE_ROTATION_H
#define HELPER_LIFECYCLE_ROTATION_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/*
 * The caller holds the account's lock, under which it has read RECORD (refresh_read). DONE: RECORD and ACCOUNT are the
 * new ones, and kept. Else the trouble tells which token lives and where the new one is. From the moment the request
 * is sent neither --timeout nor a signal counts: the call has 60 s of its own, and keeping what came 20 s more.
 */
enum outcome rotation_run(struct context *context, struct account *account, struct refresh_record *record);

#endif
