/* SPDX-License-Identifier: MIT */
/*
 * The endpoints as one table, and what each of them answers. Which token lives is state.c's, how an answer goes
 * wrong is faults.c's, what every call has in common is api.c's. The sentences and codes are those that real servers
 * were seen to send. The caller holds the lock.
 */
#include "tests/sandbox/endpoints.h"

#include <string.h>

static void reply_times(struct act *a, int64_t created_us, int64_t expires_us)
{
	char text[DATE_BYTES];

	dates_write(&a->sandbox->dates, created_us, text);
	reply_string(a->reply, "created_at", text);
	dates_write(&a->sandbox->dates, expires_us, text);
	reply_string(a->reply, "token_expires_at", text);
	reply_string(a->reply, "token_status", "ACTIVE");
}

static void reply_refresh(struct act *a, int status, const struct refresh_token *refresh)
{
	reply_start(a->reply, status, "text/json");
	reply_number(a->reply, "user_id", refresh->user->id);
	reply_times(a, refresh->created_us, refresh->expires_us);
	reply_raw(a->reply, "last_used_at", "null");
	reply_string(a->reply, "name", refresh->name);
	reply_string(a->reply, "refresh_token", refresh->token);
}

static void reply_access(struct act *a, int status, const struct access_token *access)
{
	reply_start(a->reply, status, "text/json");
	reply_number(a->reply, "user_id", access->refresh->user->id);
	reply_times(a, access->created_us, access->expires_us);
	reply_string(a->reply, "api_access_token", access->token);
}

/* The refresh token sent, if it lives; else NULL, and the 401 is written. */
static struct refresh_token *sent_refresh(struct act *a)
{
	struct refresh_token *refresh = NULL;
	enum verdict verdict = state_find_refresh(&a->sandbox->state, fields_text(a->fields, "refresh_token"), a->user_id,
	                                          &refresh);

	if (verdict != TOKEN_LIVE)
		reply_refuse(a->reply, 401,
		             verdict == TOKEN_INVALID ? "Refresh token provided is invalid."
		                                      : "Refresh token provided is expired or revoked.",
		             "401000");
	return refresh;
}

static void act_create_refresh(struct act *a)
{
	const struct user *user = state_login(&a->sandbox->state, fields_text(a->fields, "username"),
	                                      fields_text(a->fields, "password"));
	struct refresh_token *refresh;

	if (!user) {
		reply_refuse(a->reply, 401, "Username or password provided is invalid.", "401000");
		return;
	}
	refresh = state_create(&a->sandbox->state, user, fields_text(a->fields, "name"), NULL, 0);
	reply_refresh(a, 201, refresh);
	a->log.refresh = a->log.made = refresh->token;
}

static void act_regen_refresh(struct act *a)
{
	struct refresh_token *old = sent_refresh(a), *refresh;

	if (!old)
		return;
	refresh = state_regen(&a->sandbox->state, old);
	reply_refresh(a, 201, refresh);
	a->log.made = refresh->token;
}

static void act_create_access(struct act *a)
{
	struct refresh_token *refresh = sent_refresh(a);
	struct access_token *access;

	if (!refresh)
		return;
	access = state_mint(&a->sandbox->state, refresh);
	reply_access(a, 201, access);
	a->log.access = a->log.made = access->token;
}

static void act_revoke_access(struct act *a)
{
	struct refresh_token *refresh = sent_refresh(a);
	struct text detail = { 0 };

	if (!refresh)
		return;
	state_revoke_access(refresh);
	/* It echoes the secret, as the vendor's own mock does. */
	text_printf(&detail, "Revoked active access tokens for refresh token: '%s' with id: %lld", refresh->token,
	            (long long)refresh->id);
	reply_start(a->reply, 201, "text/json");
	reply_string(a->reply, "detail", detail.p);
	text_free(&detail);
}

static void act_validate_access(struct act *a)
{
	struct access_token *access;
	enum verdict verdict = state_find_access(&a->sandbox->state, fields_text(a->fields, "api_access_token"), a->user_id,
	                                         &access);

	if (verdict == TOKEN_LIVE)
		reply_access(a, 200, access);
	else
		reply_refuse(a->reply, 401,
		             verdict == TOKEN_INVALID ? "API Access Token provided is invalid."
		                                      : "API Access Token provided is expired or revoked.",
		             "401000");
}

static void act_validate_refresh(struct act *a)
{
	struct refresh_token *refresh = sent_refresh(a);

	if (refresh)
		reply_refresh(a, 200, refresh);
}

/* The user whose live access token came in the TOKEN header; else NULL, and the 403 is written. */
static const struct user *caller(struct act *a)
{
	struct access_token *access;

	if (a->token && state_find_access(&a->sandbox->state, a->token, 0, &access) == TOKEN_LIVE)
		return access->refresh->user;
	reply_refuse(a->reply, 403, "Authentication credentials were not provided.", "403000");
	return NULL;
}

static void act_userinfo(struct act *a)
{
	const struct user *user = caller(a);
	struct text email = { 0 };

	if (!user)
		return;
	text_printf(&email, "%s%s", user->name, strchr(user->name, '@') ? "" : "@sandbox.example");
	reply_start(a->reply, 200, "application/json");
	reply_number(a->reply, "id", user->id);
	reply_string(a->reply, "username", user->name);
	reply_string(a->reply, "email", email.p);
	reply_string(a->reply, "role", "VIEWER");
	text_free(&email);
}

static void act_datasource(struct act *a)
{
	static const char sources[] = "[{\"id\":1,\"title\":\"Sandbox sales\",\"dbtype\":\"postgresql\",\"deleted\":false},"
	                              "{\"id\":2,\"title\":\"Sandbox people\",\"dbtype\":\"mysql\",\"deleted\":false}]";

	if (!caller(a))
		return;
	reply_start(a->reply, 200, "application/json");
	reply_bytes(a->reply, sources, sizeof sources - 1);
}

/* Of an instance that has it enabled; a fault of status 404 is one that has not. */
static void act_api_page(struct act *a)
{
	static const char page[] = "<!doctype html><title>Sandbox</title><div id=\"swagger-ui\"></div>\n";

	reply_start(a->reply, 200, "text/html; charset=utf-8");
	reply_bytes(a->reply, page, sizeof page - 1);
}

const struct endpoint endpoints[] = {
	{ "createRefreshToken", "POST", "/integration/v1/createRefreshToken/",
	  { "username", "password", "name" }, act_create_refresh },
	{ "regenRefreshToken", "POST", "/integration/v1/regenRefreshToken/",
	  { "refresh_token", "user_id" }, act_regen_refresh },
	{ "createAPIAccessToken", "POST", "/integration/v1/createAPIAccessToken/",
	  { "refresh_token", "user_id" }, act_create_access },
	{ "revokeAPIAccessTokens", "POST", "/integration/v1/revokeAPIAccessTokens/",
	  { "refresh_token", "user_id" }, act_revoke_access },
	{ "validateAPIAccessToken", "POST", "/integration/v1/validateAPIAccessToken/",
	  { "api_access_token", "user_id" }, act_validate_access },
	{ "validateRefreshToken", "POST", "/integration/v1/validateRefreshToken/",
	  { "refresh_token", "user_id" }, act_validate_refresh },
	{ "userinfo", "GET", "/integration/v1/userinfo/", { NULL }, act_userinfo },
	{ "apiPage", "GET", "/openapi/api_authentication/", { NULL }, act_api_page },
	{ "datasource", "GET", "/integration/v2/datasource/", { NULL }, act_datasource },
};

const size_t endpoints_n = sizeof endpoints / sizeof endpoints[0];
