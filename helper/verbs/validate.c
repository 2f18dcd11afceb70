/* SPDX-License-Identifier: MIT */
/*
 * validate: asks the server about the RefreshToken and the cached access token. Never mints.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/each.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/token.h"
#include "helper/lifecycle/vault.h"
#include "helper/verbs/verbs.h"

enum life { NOT_THERE, ACTIVE, DEAD };

static const char *refresh_words(enum life life)
{
	return life == ACTIVE ? "the RefreshToken is active" : life == DEAD ? "the RefreshToken is not active" : "no RefreshToken is stored";
}

static const char *access_words(enum life life)
{
	return life == ACTIVE ? "the cached access token is active" : life == DEAD ? "the cached access token is not active" : "no access token is cached";
}

/* What the server tells of its end is kept in the list; but not a SOURCE's, which is not the one that the list tells of: a
 * timer would leave that one alone past its end. */
static void learn(struct context *context, struct account *account, const struct alation_reply *reply, const char *source)
{
	struct trouble ignored = { 0 };

	if (reply->expires_at < 0 || reply->expires_at == account->refresh_expires_at)
		return;
	account->refresh_expires_at = reply->expires_at;
	if (!source)
		accounts_learn(account, context->deadline_ms, &ignored);
}

static enum outcome ask_about_refresh(struct context *context, struct account *account, struct refresh_record *refresh, enum life *ret_life)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_REFRESH_TOKEN, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	enum outcome outcome;

	if (!refresh->token.len)
		return DONE;
	outcome = client_call(context, account, &call, NULL, &reply);
	if (outcome != DONE && reply.result != ALATION_REFUSED)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	*ret_life = outcome == DONE && reply.token_status == ALATION_ACTIVE ? ACTIVE : DEAD;
	if (*ret_life == ACTIVE)
		learn(context, account, &reply, refresh->source);
	return DONE;
}

static enum outcome ask_about_access(struct context *context, const struct account *account, enum life *ret_life)
{
	ACCESS_RECORD access = { 0 };
	enum outcome outcome;
	bool active;

	if (!vault_access(context, account, &access) || cached_left_s(&access) <= 0)
		return DONE;
	outcome = token_check(context, account, &access, &active);
	if (outcome == DONE)
		*ret_life = active ? ACTIVE : DEAD;
	return outcome;
}

static enum outcome report(struct context *context, const struct account *account, enum life refresh, enum life access)
{
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 256], until[CLOCK_TEXT_BYTES], remedy[512];
	struct moment end = answer_moment(account->refresh_expires_at, until);

	account_text(account, text);
	if (refresh == ACTIVE && access != DEAD) {
		snprintf(line, sizeof line, "%s: %s until %s; %s", text, refresh_words(refresh), end.text ? end.text : "its end, which the server does not tell",
		         access_words(access));
		trouble_line(line);
		return DONE;
	}
	if (refresh == ACTIVE)
		snprintf(remedy, sizeof remedy, "the next 'alation-cred get %s' mints another", text);
	else
		snprintf(remedy, sizeof remedy, "log in again: 'alation-cred login %s'", account->base_url);
	return trouble_say(&context->trouble, TROUBLE_NOT_ACTIVE, remedy, "%s: %s; %s", text, refresh_words(refresh), access_words(access));
}

static enum outcome validate(struct context *context, struct account *account)
{
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD refresh = { 0 };
	enum life refresh_life = NOT_THERE, access_life = NOT_THERE;
	enum outcome outcome = refresh_lock_and_read(context, account, &lock, &refresh);
	struct trouble absent = context->trouble;
	bool nothing = outcome == LOGIN_NEEDED;

	if (nothing)
		context->trouble = (struct trouble){ 0 };
	else if (outcome != DONE)
		return outcome;
	outcome = ask_about_refresh(context, account, &refresh, &refresh_life);
	if (outcome == DONE)
		outcome = ask_about_access(context, account, &access_life);
	if (outcome != DONE)
		return outcome;
	if (refresh_life == NOT_THERE && access_life == NOT_THERE) {
		context->trouble = absent;
		return LOGIN_NEEDED;
	}
	lock_release(&lock);
	return report(context, account, refresh_life, access_life);
}

enum outcome validate_main(struct context *context, const char *argument)
{
	return each_account(context, argument, validate);
}
