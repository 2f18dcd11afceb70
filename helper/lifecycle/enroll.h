/* SPDX-License-Identifier: MIT */
/*
 * A login, once it is known who logs in: create or prove a RefreshToken, keep it, list the account. Asks nobody
 * and prints nothing.
 */
#ifndef HELPER_LIFECYCLE_ENROLL_H
#define HELPER_LIFECYCLE_ENROLL_H

#include "helper/accounts-file.h"
#include "helper/context.h"

/*
 * Signs in with a password: makes a RefreshToken called NAME at ACCOUNT's base_url, keeps it, lists the account,
 * then proves it by one mint. Where the mint fails the account stays, and the mint's outcome tells. Fills in the
 * rest of *account.
 */
enum outcome enroll_password(struct context *context, struct account *account, struct bytes user, struct bytes password,
                             const char *name);

/* Takes over a RefreshToken that was made elsewhere: proves it by one mint, then keeps it and lists the account.
 * Where the mint fails nothing has changed here. BY_LOGIN: a person asked for it. Else one that is kept already is left
 * as it is, and what is new does not become the default. */
enum outcome enroll_token(struct context *context, struct account *account, struct bytes refresh_token, bool by_login);

#endif
