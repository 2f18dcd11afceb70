/* SPDX-License-Identifier: MIT */
/*
 * The six calls as the helper sees them: loads the client's shared object when first called, and turns its
 * results into outcomes and words. No libcurl and no json-c here.
 */
#ifndef HELPER_ALATION_CLIENT_H
#define HELPER_ALATION_CLIENT_H

#include "helper/accounts-file.h"
#include "helper/alation/alation.h"
#include "helper/base/secret.h"
#include "helper/context.h"

/*
 * Calls the server for ACCOUNT (for a create: its base_url and the user's name for the token are enough). CALL
 * brings the endpoint and its secrets; base_url, user_id, deadline and put are filled in here. The token that the
 * reply brought goes to *ret_token (NULL: none is expected). *ret_reply is always filled, also on failure.
 */
enum outcome client_call(struct context *context, const struct account *account, struct alation_call *call,
                         struct secret *ret_token, struct alation_reply *ret_reply);

/*
 * Looks at a page of ACCOUNT's instance (its user id counts for ALATION_PAGE_USERINFO alone), with ACCESS_TOKEN where it is not
 * empty: nothing changes at the server. *ret_sight is always filled; where the page is not there the outcome and the trouble are as
 * of a call.
 */
enum outcome client_look(struct context *context, const struct account *account, enum alation_page page, struct bytes access_token,
                         struct alation_sight *ret_sight);

/* What is said of a mint that the server refuses, also of a refusal that is only remembered: fills the trouble, and
 * returns its outcome. REPLY has a result and what goes with it. */
enum outcome client_say_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                             const struct alation_reply *reply);

/* The fingerprint of a RefreshToken; UNUSABLE where alation.so cannot be loaded. */
enum outcome client_fingerprint(struct context *context, struct bytes refresh_token, char ret_fingerprint[ALATION_FINGERPRINT_BYTES + 1]);

#endif
