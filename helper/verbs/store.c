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

static bool is_configured(const struct context *context, const struct url *url)
{
	const char *text = getenv("ALATION_BASE_URL");
	struct url configured;

	if (config_names(&context->config, url->base))
		return true;
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

/* git's approve brings back what we handed out. */
static bool is_cached(struct context *context, const struct account *account, struct bytes token)
{
	ACCESS_RECORD access = { 0 };

	return vault_access(context, account, &access) && secret_equal(token, secret_view(&access.token));
}

static enum outcome store(struct context *context, const struct url *url, const struct request *request, bool is_new)
{
	struct account account = { .user_id = url->user_id, .refresh_expires_at = RECORD_TIME_UNKNOWN };
	char text[ACCOUNT_TEXT_BYTES];
	enum outcome outcome;

	memcpy(account.base_url, url->base, sizeof account.base_url);
	context_is_about(context, account.base_url);
	if (is_cached(context, &account, candidate(request)))
		return DONE;
	outcome = enroll_token(context, &account, candidate(request), false);
	/* A repository's URL can bring a password along: a person is to know whose account came that way. */
	if (outcome == DONE && is_new)
		context_warn(context, "account_added", "the account %s was added by a request in git's protocol; 'alation-cred logout %s' removes it",
		             account_text(&account, text), text);
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
	if (outcome != DONE || (!is_held(&accounts, &url) && !is_configured(context, &url) && !request->oauth_refresh_token.p))
		return outcome;
	return store(context, &url, request, !accounts_find(&accounts, url.base, url.user_id));
}
