/* SPDX-License-Identifier: MIT */
/*
 * store: git offers the password of every host here, and none may be sent anywhere it does not belong. Acts only on
 * what can be a RefreshToken of an instance that is ours, and only a mint proves that it is one.
 */
#include <stdlib.h>
#include <string.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/lifecycle/enroll.h"
#include "helper/lifecycle/vault.h"
#include "helper/request.h"
#include "helper/verbs/verbs.h"

static bool is_configured(const struct url *url)
{
	const char *text = getenv("ALATION_BASE_URL");
	struct url configured;

	return text && *text && url_parse(bytes_of(text), &configured) == URL_OK && strcmp(configured.base, url->base) == 0;
}

static bool is_held(const struct accounts *accounts, const struct url *url)
{
	for (size_t i = 0; i < accounts->n; i++)
		if (strcmp(accounts->list[i].base_url, url->base) == 0)
			return true;
	return false;
}

/* What may be a RefreshToken in the request: said to be one, or the password. */
static struct bytes candidate(const struct request *request)
{
	return request->oauth_refresh_token.p ? request->oauth_refresh_token : request->password;
}

/* git's approve brings back what we handed out; what is kept already need not be proved again. */
static enum outcome is_known(struct context *context, const struct account *account, struct bytes token, bool *ret_known)
{
	ACCESS_RECORD access = { 0 };
	REFRESH_RECORD refresh = { 0 };
	enum outcome outcome;

	*ret_known = vault_access(context, account, &access) && secret_equal(token, secret_view(&access.token));
	if (*ret_known)
		return DONE;
	outcome = vault_refresh(context, account, false, &refresh);
	*ret_known = outcome == DONE && secret_equal(token, secret_view(&refresh.token));
	if (outcome != LOGIN_NEEDED)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

static enum outcome store(struct context *context, const struct url *url, const struct request *request)
{
	struct account account = { .user_id = url->user_id, .refresh_expires_at = RECORD_TIME_UNKNOWN };
	enum outcome outcome;
	bool known;

	memcpy(account.base_url, url->base, sizeof account.base_url);
	outcome = is_known(context, &account, candidate(request), &known);
	if (outcome != DONE || known)
		return outcome;
	outcome = enroll_token(context, &account, candidate(request));
	/* A password that the server does not take for a RefreshToken was none: not ours to keep, nothing to tell. */
	if (outcome == LOGIN_NEEDED && !request->oauth_refresh_token.p)
		context->trouble = (struct trouble){ 0 };
	return trouble_outcome(context->trouble.code);
}

enum outcome store_main(struct context *context, const char *argument)
{
	INCOMING incoming = { 0 };
	ACCOUNTS accounts = { 0 };
	const struct request *request = &incoming.request;
	struct url url;
	enum outcome outcome = request_read(context, &incoming);

	(void)argument;
	if (outcome != DONE || request->ephemeral || !request->username.p || !token_ok(candidate(request)) ||
	    !account_of_request(request, &url))
		return outcome;
	outcome = accounts_read(&accounts, &context->trouble);
	if (outcome != DONE || (!is_held(&accounts, &url) && !is_configured(&url) && !request->oauth_refresh_token.p))
		return outcome;
	return store(context, &url, request);
}
