/* SPDX-License-Identifier: MIT */
/*
 * erase: git's word that a credential did not work, or that a person wants a host forgotten. What goes depends on
 * what was refused: our access token leaves the cache alone, the RefreshToken or no secret at all takes the account
 * along, another's secret takes nothing. Local; no server is asked.
 */
#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/base/failpoint.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/forget.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"
#include "helper/request.h"
#include "helper/sources.h"
#include "helper/verbs/verbs.h"

static bool is_same(struct bytes given, const struct secret *ours)
{
	return given.p && ours->len && secret_equal(given, secret_view(ours));
}

static enum outcome read_refresh(struct context *context, struct account *account, struct refresh_record *ret_refresh)
{
	enum outcome outcome = refresh_read(context, account, ret_refresh);

	if (outcome == DONE && ret_refresh->source)
		return vault_check_open(context, account);
	/* Nothing there, or nothing that can be read: it may go. Locked is another matter. */
	if (outcome != LOGIN_NEEDED && !ret_refresh->unreadable)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

static enum outcome erase(struct context *context, struct account *account, const struct request *request)
{
	LOCK lock = LOCK_NONE;
	ACCESS_RECORD access = { 0 };
	REFRESH_RECORD refresh = { 0 };
	/* What a newer git was refused by `authtype` and `credential` was another helper's, and no word against ours. */
	bool all = !request->password.p && !request->oauth_refresh_token.p && !request->credential;
	enum outcome outcome = account_lock(context, account, &lock);

	if (outcome != DONE)
		return outcome;
	failpoint("erase.locked");
	if (vault_access(context, account, &access) && is_same(request->password, &access.token))
		return failpoint_after("erase.cache", cached_drop(context, account, access.suspect_ms), &context->trouble);
	outcome = failpoint_after("erase.read", read_refresh(context, account, &refresh), &context->trouble);
	if (outcome != DONE)
		return outcome;
	/* That a source's was refused is no word against the one that is kept, and the source's cannot be erased. */
	if (refresh.source && !all)
		return DONE;
	if (all || is_same(request->password, &refresh.token) || is_same(request->oauth_refresh_token, &refresh.token))
		return forget_account(context, account);
	return DONE;
}

enum outcome erase_main(struct context *context, const char *argument)
{
	INCOMING incoming = { 0 };
	ACCOUNTS accounts = { 0 };
	struct url url;
	enum outcome outcome = request_read(context, &incoming);

	(void)argument;
	if (outcome == DONE)
		outcome = request_names_host(context, &incoming.request);
	if (outcome != DONE || !account_of_request(&incoming.request, &url))
		return outcome;
	outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE && sources_in_environment())
		sources_add(context, true, &accounts);
	for (size_t i = 0; i < accounts.n && outcome == DONE; i++)
		if (account_is_meant(&accounts.list[i], &url))
			outcome = erase(context, &accounts.list[i], &incoming.request);
	return outcome;
}
