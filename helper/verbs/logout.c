/* SPDX-License-Identifier: MIT */
/*
 * logout: ends the access tokens at the server and forgets everything here. What is local goes even if the server
 * refuses or cannot be reached; with the keyring locked nothing changes.
 */
#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/alation/client.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/token.h"
#include "helper/lifecycle/vault.h"
#include "helper/verbs/verbs.h"

#include <stdio.h>

/* The RefreshToken. Nothing stored is fine: then there is nothing to revoke with. */
static enum outcome read_refresh(struct context *context, const struct account *account, bool may_prompt,
                                 struct refresh_record *ret_refresh, bool *ret_nothing)
{
	enum outcome outcome = vault_refresh(context, account, may_prompt, ret_refresh);

	*ret_nothing = outcome == LOGIN_NEEDED;
	/* A record that cannot be read must still be possible to remove. */
	if (outcome != LOGIN_NEEDED && !ret_refresh->unreadable)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

/* Under the lock, and read under it: a login may just have put another RefreshToken there. The person who is there
 * unlocks the keyring before. */
static enum outcome lock_and_read(struct context *context, const struct account *account, struct lock *lock,
                                  struct refresh_record *ret_refresh, bool *ret_nothing)
{
	enum outcome outcome = DONE;

	if (context->interactive) {
		REFRESH_RECORD unread = { 0 };

		outcome = read_refresh(context, account, true, &unread, ret_nothing);
	}
	if (outcome == DONE)
		outcome = token_lock(context, account, lock);
	if (outcome == DONE)
		outcome = read_refresh(context, account, false, ret_refresh, ret_nothing);
	return outcome;
}

/* What the server said stays the call's trouble if it is one; the local part goes on either way. */
static enum outcome revoke(struct context *context, const struct account *account, const struct refresh_record *refresh,
                           bool *ret_dead)
{
	struct alation_call call = { .endpoint = ALATION_REVOKE_ACCESS_TOKENS, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	enum outcome outcome;

	*ret_dead = false;
	if (!refresh->token.len)
		return DONE;
	outcome = client_call(context, account, &call, NULL, &reply);
	if (reply.result != ALATION_REFUSED)
		return outcome;
	/* A RefreshToken that the server refuses has no access tokens left to end. */
	context->trouble = (struct trouble){ 0 };
	*ret_dead = true;
	return DONE;
}

static enum outcome forget(struct context *context, const struct account *account)
{
	/* The cache first: whoever dies here leaves an account that a second logout finishes. */
	enum outcome outcome = vault_forget_access(context, account);

	if (outcome == DONE)
		outcome = vault_forget_refresh(context, account);
	if (outcome == DONE)
		outcome = accounts_change(NULL, account, context->deadline_ms, NULL, &context->trouble);
	return outcome;
}

/* What still lives at the server, until when, and where it is ended. */
static void tell(struct context *context, const struct account *account, bool revoked)
{
	char text[ACCOUNT_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	struct moment end = answer_moment(account->refresh_expires_at, until);

	context_warn(context, "refresh_token_lives", "the RefreshToken %s%s%sof %s lives%s at the server until %s; delete it at %s/account/auth",
	             account->name[0] ? "'" : "", account->name, account->name[0] ? "' " : "", account_text(account, text),
	             revoked ? "" : " on with its access tokens", end.text ? end.text : "its end", account->base_url);
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
		context_warn(context, "default_account", "no account is the default now; 'alation-cred login --default' makes one so");
}

enum outcome logout_main(struct context *context, const char *argument)
{
	ACCOUNTS accounts = { 0 };
	REFRESH_RECORD refresh = { 0 };
	LOCK lock = LOCK_NONE;
	struct account account;
	struct trouble server;
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 32];
	bool dead = false, nothing = false, was_default;
	enum outcome revoked, outcome = accounts_read(&accounts, &context->trouble);

	if (outcome == DONE && context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = account_choose(context, &accounts, argument, &account);
	if (outcome == DONE)
		outcome = lock_and_read(context, &account, &lock, &refresh, &nothing);
	if (outcome == DONE && nothing && !accounts_find(&accounts, account.base_url, account.user_id))
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts",
		                   "nothing is stored for %s", account_text(&account, text));
	if (outcome != DONE)
		return outcome;
	was_default = account.is_default;
	revoked = revoke(context, &account, &refresh, &dead);
	server = context->trouble;
	context_reserve(context);
	outcome = forget(context, &account);
	if (outcome != DONE)
		return outcome;
	lock_release(&lock);
	context->trouble = server;
	if (!dead && !nothing)
		tell(context, &account, revoked == DONE && !refresh.unreadable);
	if (was_default)
		tell_default(context);
	if (revoked != DONE) {
		context_warn(context, "forgotten", "everything of %s that was kept here is forgotten all the same", account_text(&account, text));
		return revoked;
	}
	snprintf(line, sizeof line, "logged out of %s", account_text(&account, text));
	trouble_line(line);
	return answer_done(context, &account);
}
