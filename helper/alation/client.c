/* SPDX-License-Identifier: MIT */
/*
 * From the helper to alation.so and back. The words for people are here; the rules of the API are not.
 */
#include "helper/alation/client.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/foreign.h"
#include "helper/base/trace.h"
#include "helper/base/watchdog.h"
#include "helper/site.h"
#include "keyring/load.h"

#define ACCESS_TOKEN_USUAL_BYTES 43 /* facts: an access token has 43 characters, a RefreshToken 86 */

static const struct acred_alation *load(struct context *context)
{
	static const struct acred_alation *client;
	char why[KEYRING_WHY_MAX_BYTES] = "";

	if (client)
		return client;
	foreign_code_comes();
	client = load_object(site_client(), "acred_alation", why, sizeof why);
	if (client && (strcmp(client->version, ALATION_CRED_VERSION) != 0 || client->size != sizeof *client)) {
		snprintf(why, sizeof why, "%s is of another version", site_client());
		client = NULL;
	}
	if (!client)
		trouble_say(&context->trouble, TROUBLE_CONFIGURATION, "install alation-cred anew", "the Alation client cannot be loaded: %s", why);
	return client;
}

static int put(void *host, const char *bytes, size_t len)
{
	return host && secret_set(host, (struct bytes){ bytes, len }) ? 0 : -1;
}

static void arm(struct context *context, const char *text)
{
	struct trouble late = { 0 }, died = { 0 };

	trouble_say(&late, TROUBLE_TIMEOUT, "try again", "the call to the server did not come back for %s", text);
	context_foresee(context, WATCHDOG_LATE, &late);
	trouble_say(&died, TROUBLE_NETWORK, "try again", "%s crashed in the call to the server for %s", site_client(), text);
	context_foresee(context, WATCHDOG_DIED, &died);
	watchdog_arm(context->deadline_ms);
}

/* A 401: which secret was refused, and what it may mean. The server says 'invalid' for a wrong user id too. */
static enum outcome refused(struct trouble *trouble, const struct account *account, const struct alation_call *call,
                            const struct alation_reply *reply, const char *text)
{
	char remedy[640];
	bool looks_short = call->refresh_token.n == ACCESS_TOKEN_USUAL_BYTES;

	if (call->endpoint == ALATION_CREATE_REFRESH_TOKEN) {
		snprintf(remedy, sizeof remedy, "check them; with single sign-on (SSO) make a RefreshToken at %s/account/auth and log in with it",
		         account->base_url);
		return trouble_say(trouble, TROUBLE_LOGIN_REFUSED, remedy, "%s refused the user name or the password", account->base_url);
	}
	snprintf(remedy, sizeof remedy, "log in again: 'alation-cred login %s'; with single sign-on make a RefreshToken at %s/account/auth first",
	         account->base_url, account->base_url);
	if (reply->says_expired)
		return trouble_say(trouble, TROUBLE_REFRESH_TOKEN_EXPIRED, remedy, "the RefreshToken %s%s%sof %s is expired or revoked",
		                   account->name[0] ? "'" : "", account->name, account->name[0] ? "' " : "", text);
	if (looks_short)
		return trouble_say(trouble, TROUBLE_REFRESH_TOKEN_REFUSED, remedy,
		                   "the server refused the RefreshToken of %s; it has 43 characters, as an access token has, a RefreshToken has 86", text);
	return trouble_say(trouble, TROUBLE_REFRESH_TOKEN_REFUSED, remedy,
	                   "the server refused the RefreshToken of %s: it is not valid, or %lld is not its user id", text,
	                   (long long)account->user_id);
}

static enum outcome not_alation(struct trouble *trouble, const struct account *account, const struct alation_call *call,
                                const struct alation_reply *reply, const char *text)
{
	char remedy[640];
	bool redirected = reply->redirect[0];

	if (call->endpoint != ALATION_CREATE_REFRESH_TOKEN)
		snprintf(remedy, sizeof remedy, "check the network (VPN, proxy, a portal's login page); the instance may be under maintenance");
	else
		snprintf(remedy, sizeof remedy, "check the address; with single sign-on (SSO) make a RefreshToken at %s/account/auth and log in with it",
	         account->base_url);
	return trouble_say(trouble, TROUBLE_NOT_AN_ALATION_SERVER, remedy, "%s does not answer as Alation's API (HTTP %d%s%s): %s", text,
	                   reply->http_status, redirected ? ", redirected to " : "", reply->redirect, reply->detail);
}

static enum outcome forbidden(struct trouble *trouble, const struct account *account, const struct alation_call *call,
                              const struct alation_reply *reply, const char *text)
{
	char remedy[640];

	if (call->endpoint != ALATION_CREATE_REFRESH_TOKEN)
		return trouble_say(trouble, TROUBLE_FORBIDDEN, "ask the catalog's administrator whether API tokens are enabled for this user",
		                   "the server forbids this to %s (HTTP %d)", text, reply->http_status);
	snprintf(remedy, sizeof remedy, "with single sign-on (SSO) make a RefreshToken at %s/account/auth and log in with it; else ask the catalog's administrator",
	         account->base_url);
	return trouble_say(trouble, TROUBLE_FORBIDDEN, remedy, "%s forbids signing in with a password (HTTP %d)", account->base_url, reply->http_status);
}

static enum outcome throttled(struct trouble *trouble, const struct alation_reply *reply, const char *text)
{
	enum outcome outcome;

	if (reply->retry_after_s)
		outcome = trouble_say(trouble, TROUBLE_THROTTLED, "try again then", "the server asks to wait %lld s before %s tries again",
		                      (long long)reply->retry_after_s, text);
	else
		outcome = trouble_say(trouble, TROUBLE_THROTTLED, "try again later", "the server has too many requests (HTTP 429) for %s", text);
	trouble->retry_after_s = reply->retry_after_s;
	return outcome;
}

/* A result in words. */
static enum outcome say(struct trouble *trouble, const struct account *account, const struct alation_call *call,
                        const struct alation_reply *reply)
{
	char text[ACCOUNT_TEXT_BYTES];
	const char *base = account_text(account, text); /* before a login is through, the instance alone */

	switch (reply->result) {
	case ALATION_DONE:
		return DONE;
	case ALATION_REFUSED:
		return refused(trouble, account, call, reply, text);
	case ALATION_FORBIDDEN:
		return forbidden(trouble, account, call, reply, text);
	case ALATION_NOT_ALATION:
		return not_alation(trouble, account, call, reply, text);
	case ALATION_THROTTLED:
		return throttled(trouble, reply, text);
	case ALATION_SERVER_ERROR:
		return trouble_say(trouble, TROUBLE_SERVER_ERROR, "try again later",
		                   "%s has a fault or is under maintenance (HTTP %d)", base, reply->http_status);
	case ALATION_BAD_REPLY:
		return trouble_say(trouble, TROUBLE_BAD_REPLY, "try again; if it stays so, tell the catalog's administrator", "%s did not answer as documented (HTTP %d): %s", base,
		                   reply->http_status, reply->detail);
	case ALATION_TLS:
		return trouble_say(trouble, TROUBLE_TLS, "check the address; a company's own CA is named by ca-file (or CURL_CA_BUNDLE=FILE), a client certificate by client-cert in alation-cred.conf(5)",
		                   "no trusted TLS connection to %s: %s", base, reply->detail);
	case ALATION_PROXY:
		return trouble_say(trouble, TROUBLE_PROXY, "check proxy and no-proxy in the configuration, else https_proxy and no_proxy", "the proxy on the way to %s failed: %s", base, reply->detail);
	case ALATION_TIMEOUT:
		return trouble_say(trouble, TROUBLE_TIMEOUT, "check the network, or allow more with --timeout", "%s did not answer in time: %s", base,
		                   reply->detail);
	case ALATION_NETWORK:
		return trouble_say(trouble, TROUBLE_NETWORK, "check the network and the address", "%s: %s: %s",
		                   reply->maybe_acted ? "the connection broke" : "no connection", base, reply->detail);
	case ALATION_FAILED:
		break;
	}
	return trouble_say(trouble, TROUBLE_CONFIGURATION, "try again, or install alation-cred anew", "the Alation client failed: %s", reply->detail);
}

/* The failpoints around each call. */
static const char *const asking[] = {
	[ALATION_CREATE_REFRESH_TOKEN] = "create.asking", [ALATION_VALIDATE_REFRESH_TOKEN] = "validate-refresh.asking",
	[ALATION_REGEN_REFRESH_TOKEN] = "regen.asking",   [ALATION_CREATE_ACCESS_TOKEN] = "mint.asking",
	[ALATION_VALIDATE_ACCESS_TOKEN] = "check.asking", [ALATION_REVOKE_ACCESS_TOKENS] = "revoke.asking",
};
static const char *const answered[] = {
	[ALATION_CREATE_REFRESH_TOKEN] = "create.answered", [ALATION_VALIDATE_REFRESH_TOKEN] = "validate-refresh.answered",
	[ALATION_REGEN_REFRESH_TOKEN] = "regen.answered",   [ALATION_CREATE_ACCESS_TOKEN] = "mint.answered",
	[ALATION_VALIDATE_ACCESS_TOKEN] = "check.answered", [ALATION_REVOKE_ACCESS_TOKENS] = "revoke.answered",
};

static const char *configured(const struct context *context, enum config_word word, const char *base_url)
{
	const struct config_value *value = config_find(&context->config, word, base_url);

	return value ? value->value : NULL;
}

/* PATHS is room for `client-cert`, whose value is a certificate's path and, where it has a file of its own, its key's. */
static struct alation_way way_to(const struct context *context, const char *base_url, char paths[CONFIG_LINE_MAX_BYTES])
{
	const char *cert = configured(context, CONFIG_CLIENT_CERT, base_url);
	struct alation_way way = {
		.ca_file = configured(context, CONFIG_CA_FILE, base_url),
		.proxy = configured(context, CONFIG_PROXY, base_url),
		.no_proxy = configured(context, CONFIG_NO_PROXY, base_url),
	};
	size_t n;

	if (!cert)
		return way;
	snprintf(paths, CONFIG_LINE_MAX_BYTES, "%s", cert);
	way.client_cert = paths;
	n = strcspn(paths, " \t");
	if (paths[n]) {
		paths[n] = '\0';
		way.client_key = paths + n + 1 + strspn(paths + n + 1, " \t");
	}
	return way;
}

/* Accounts come from a list and from records, too: wherever one is from, its secrets go to no address that nobody may give. */
static bool is_address(const char *base_url)
{
	struct url url;

	return url_parse(bytes_of(base_url), &url) == URL_OK && strcmp(url.base, base_url) == 0;
}

static enum outcome say_no_address(struct context *context, const struct account *account)
{
	char text[ACCOUNT_TEXT_BYTES];

	return trouble_say(&context->trouble, TROUBLE_CONFIGURATION, "'alation-cred status' lists the accounts",
	                   "nothing is sent to %s: it is no address of an instance", account_text(account, text));
}

enum outcome client_call(struct context *context, const struct account *account, struct alation_call *call,
                         struct secret *ret_token, struct alation_reply *ret_reply)
{
	const struct acred_alation *client;
	char text[ACCOUNT_TEXT_BYTES];
	char paths[CONFIG_LINE_MAX_BYTES];
	int64_t began_ms = clock_mono_ms();

	*ret_reply = (struct alation_reply){ .result = ALATION_FAILED };
	if (!is_address(account->base_url))
		return say_no_address(context, account);
	client = load(context);
	if (!client)
		return trouble_outcome(context->trouble.code);
	call->base_url = account->base_url;
	call->user_id = account->user_id;
	call->deadline_ms = context->deadline_ms;
	call->way = way_to(context, account->base_url, paths);
	call->host = ret_token;
	call->put = put;
	failpoint(asking[call->endpoint]);
	arm(context, account_text(account, text));
	client->call(call, ret_reply);
	watchdog_disarm();
	/* Made to fail, the answer is one that was lost. */
	if (failpoint(answered[call->endpoint]))
		*ret_reply = (struct alation_reply){ .result = ALATION_NETWORK, .maybe_acted = true };
	trace("call %d: result %d, HTTP %d, %lld ms%s%s", (int)call->endpoint, (int)ret_reply->result, ret_reply->http_status,
	      (long long)(clock_mono_ms() - began_ms), ret_reply->detail[0] ? ": " : "", ret_reply->detail);
	return say(&context->trouble, account, call, ret_reply);
}

enum outcome client_look(struct context *context, const struct account *account, enum alation_page page, struct bytes access_token,
                         struct alation_sight *ret_sight)
{
	const struct acred_alation *client;
	const struct alation_call as_call = { .endpoint = ALATION_VALIDATE_ACCESS_TOKEN }; /* for words */
	struct alation_look look = {
		.page = page, .base_url = account->base_url, .user_id = account->user_id, .access_token = access_token, .deadline_ms = context->deadline_ms,
	};
	char text[ACCOUNT_TEXT_BYTES], paths[CONFIG_LINE_MAX_BYTES];
	struct alation_reply reply;

	*ret_sight = (struct alation_sight){ .result = ALATION_FAILED, .date = ALATION_TIME_UNKNOWN, .certificate_ends = ALATION_TIME_UNKNOWN };
	if (!is_address(account->base_url))
		return say_no_address(context, account);
	client = load(context);
	if (!client)
		return trouble_outcome(context->trouble.code);
	look.way = way_to(context, account->base_url, paths);
	arm(context, account_text(account, text));
	client->look(&look, ret_sight);
	watchdog_disarm();
	trace("look %d: result %d, HTTP %d%s%s", (int)page, (int)ret_sight->result, ret_sight->http_status, ret_sight->detail[0] ? ": " : "", ret_sight->detail);
	reply = (struct alation_reply){ .result = ret_sight->result, .http_status = ret_sight->http_status };
	memcpy(reply.detail, ret_sight->detail, sizeof reply.detail);
	memcpy(reply.redirect, ret_sight->redirect, sizeof reply.redirect);
	return say(&context->trouble, account, &as_call, &reply);
}

enum outcome client_say_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                             const struct alation_reply *reply)
{
	const struct alation_call call = { .endpoint = ALATION_CREATE_ACCESS_TOKEN, .refresh_token = refresh_token };

	return say(&context->trouble, account, &call, reply);
}

enum outcome client_fingerprint(struct context *context, struct bytes refresh_token, char ret_fingerprint[ALATION_FINGERPRINT_BYTES + 1])
{
	const struct acred_alation *client = load(context);

	if (!client)
		return trouble_outcome(context->trouble.code);
	client->fingerprint(refresh_token, ret_fingerprint);
	return DONE;
}
