/* SPDX-License-Identifier: MIT */
/*
 * revoke: ends the access tokens at the server. The RefreshToken stays; the next get mints anew.
 */
#include <stdio.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/base/failpoint.h"
#include "helper/each.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"
#include "helper/verbs/verbs.h"

/* *ret_before_ms: the mark that the cached token had. */
static enum outcome call(struct context *context, struct account *account, struct refresh_record *refresh, int64_t *ret_before_ms)
{
	struct alation_call call = { .endpoint = ALATION_REVOKE_ACCESS_TOKENS, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	enum outcome outcome;

	*ret_before_ms = cached_suspect(context, account);
	failpoint("revoke.marked");
	outcome = client_call(context, account, &call, NULL, &reply);
	if (outcome == DONE)
		cached_tell_others(context, account, reply.fingerprint);
	if (outcome != DONE && !reply.maybe_acted)
		cached_trust(context, account, *ret_before_ms);
	return refresh_settle(context, account, refresh, outcome);
}

static enum outcome revoke(struct context *context, struct account *account)
{
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD refresh = { 0 };
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 64];
	int64_t before_ms;
	enum outcome outcome = refresh_lock_and_read(context, account, &lock, &refresh);

	if (outcome == DONE)
		outcome = call(context, account, &refresh, &before_ms);
	if (outcome == DONE) {
		context_reserve(context);
		outcome = failpoint_after("revoke.emptied", cached_drop(context, account, before_ms), &context->trouble);
	}
	lock_release(&lock);
	if (outcome != DONE)
		return outcome;
	snprintf(line, sizeof line, "revoked the access tokens of %s", account_text(account, text));
	trouble_line(line);
	return DONE;
}

enum outcome revoke_main(struct context *context, const char *argument)
{
	return each_account(context, argument, revoke);
}
