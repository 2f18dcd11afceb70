/* SPDX-License-Identifier: MIT */
/*
 * logout: ends at the server what can be ended, and forgets everything here. What is local goes even if the server
 * refuses or cannot be reached; with the keyring locked nothing changes.
 */
#include <stdio.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/alation/client.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/signals.h"
#include "helper/base/stdout.h"
#include "helper/each.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/forget.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"
#include "helper/verbs/verbs.h"

/* What has come to an end at the server. */
struct ended {
	bool refresh; /* the RefreshToken, and with it everything */
	bool access;
};

/* Nothing stored is fine: then there is nothing to end. A record that cannot be read must still be possible to
 * remove. */
static enum outcome read_refresh(struct context *context, struct account *account, struct lock *lock,
                                 struct refresh_record *ret_refresh, bool *ret_nothing)
{
	enum outcome outcome = refresh_lock_and_read(context, account, lock, ret_refresh);

	*ret_nothing = outcome == LOGIN_NEEDED;
	if (outcome == DONE && ret_refresh->source)
		return vault_check_open(context, account);
	if (outcome != LOGIN_NEEDED && !ret_refresh->unreadable)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

static enum outcome call(struct context *context, const struct account *account, enum alation_endpoint endpoint,
                         const struct refresh_record *refresh, bool *ret_refused)
{
	struct alation_call call = { .endpoint = endpoint, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	SECRET thrown_away = { 0 };
	enum outcome outcome = client_call(context, account, &call, endpoint == ALATION_REGEN_REFRESH_TOKEN ? &thrown_away : NULL, &reply);

	if (endpoint == ALATION_REVOKE_ACCESS_TOKENS && outcome == DONE)
		cached_tell_others(context, account, reply.fingerprint);
	*ret_refused = reply.result == ALATION_REFUSED;
	if (!*ret_refused)
		return outcome;
	/* A RefreshToken that the server refuses has no access tokens left to end. */
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

/*
 * The access tokens; and, of a RefreshToken that nothing else uses, the token itself: regenerated, and the new one
 * thrown away, so that what lay in this keyring is dead. What the server says stays the call's trouble; the local part
 * goes on either way.
 */
static enum outcome end_at_server(struct context *context, const struct account *account, const struct refresh_record *refresh,
                                  struct ended *ret_ended)
{
	enum outcome outcome;
	bool refused;

	*ret_ended = (struct ended){ .refresh = !refresh->token.len && !refresh->unreadable };
	if (!refresh->token.len)
		return DONE;
	outcome = call(context, account, ALATION_REVOKE_ACCESS_TOKENS, refresh, &refused);
	ret_ended->access = outcome == DONE;
	/* Of a rotation that was never finished a newer one may live, in a copy that could not be used. */
	ret_ended->refresh = refused && !refresh->unreadable;
	/* What can only be read here is somebody else's to end. */
	if (outcome != DONE || refused || !account->exclusive || refresh->source || context->options.keep)
		return outcome;
	outcome = call(context, account, ALATION_REGEN_REFRESH_TOKEN, refresh, &refused);
	ret_ended->refresh = outcome == DONE;
	return outcome;
}

/* What still lives at the server, until when, and where it is ended. */
static void tell(struct context *context, const struct account *account, bool access_ended)
{
	char text[ACCOUNT_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	struct moment end = answer_moment(account->refresh_expires_at, until);

	context_warn(context, "refresh_token_lives", "the RefreshToken %s%s%sof %s lives%s at the server until %s; delete it at %s/account/auth",
	             account->name[0] ? "'" : "", account->name, account->name[0] ? "' " : "", account_text(account, text),
	             access_ended ? "" : " on with its access tokens", end.text ? end.text : "its end", account->base_url);
}

/* The default went: a bare `get` means somebody else now, or nobody. */
static void tell_default(struct context *context)
{
	ACCOUNTS accounts = { 0 };
	struct trouble ignored = { 0 };
	char text[ACCOUNT_TEXT_BYTES];

	if (accounts_read(&accounts, &ignored) != DONE || !accounts.n)
		return;
	if (accounts.n == 1)
		context_warn(context, "default_account", "the default account is now %s", account_text(&accounts.list[0], text));
	else
		context_warn(context, "default_account", "no account is the default now; 'alation-cred set ACCOUNT default' makes one so");
}

static enum outcome logout(struct context *context, struct account *account)
{
	REFRESH_RECORD refresh = { 0 };
	LOCK lock = LOCK_NONE;
	SIGNALS signals = { .held = false };
	struct trouble server;
	struct ended ended;
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 32];
	bool nothing = false, was_default;
	enum outcome at_server, outcome = read_refresh(context, account, &lock, &refresh, &nothing);

	if (outcome == DONE && nothing && !account->module[0])
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts",
		                   "nothing is stored for %s", account_text(account, text));
	if (outcome != DONE)
		return outcome;
	was_default = account_is_default(context, account);
	/* From here on to the end: a dead RefreshToken must not stay behind as if it lived. */
	signals_hold(&signals);
	cached_suspect(context, account);
	failpoint("logout.marked");
	at_server = end_at_server(context, account, &refresh, &ended);
	server = context->trouble;
	context_reserve(context);
	outcome = forget_account(context, account);
	if (outcome != DONE)
		return outcome;
	lock_release(&lock);
	context->trouble = server;
	if (!ended.refresh)
		tell(context, account, ended.access);
	if (was_default && !context->options.all)
		tell_default(context);
	if (at_server != DONE) {
		context_warn(context, "forgotten", "everything of %s that was kept here is forgotten all the same", account_text(account, text));
		return at_server;
	}
	snprintf(line, sizeof line, "logged out of %s", account_text(account, text));
	trouble_line(line);
	return DONE;
}

enum outcome logout_main(struct context *context, const char *argument)
{
	return each_account(context, argument, logout);
}
