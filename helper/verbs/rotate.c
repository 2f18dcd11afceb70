/* SPDX-License-Identifier: MIT */
/*
 * rotate: whether a RefreshToken is to be regenerated; how is lifecycle/rotation.c's.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/each.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/rotation.h"
#include "helper/verbs/verbs.h"

static void say(const struct account *account, const char *what)
{
	char text[ACCOUNT_TEXT_BYTES], line[1024];

	snprintf(line, sizeof line, "%s %s", account_text(account, text), what);
	trouble_line(line);
}

static void say_end(const struct account *account, const char *before)
{
	char until[CLOCK_TEXT_BYTES], text[640];
	struct moment end = answer_moment(account->refresh_expires_at, until);

	snprintf(text, sizeof text, "%s '%s'; it ends %s", before, account->name, end.text ? end.text : "at a time the server did not tell");
	say(account, text);
}

/* Somebody else may have rotated while we waited for the lock. */
static void look_again(struct account *account)
{
	ACCOUNTS accounts = { 0 };
	struct trouble ignored = { 0 };
	const struct account *now;

	if (accounts_read(&accounts, &ignored) != DONE)
		return;
	now = accounts_find(&accounts, account->base_url, account->user_id);
	if (!now)
		return;
	*account = *now;
	account->unknown = NULL;
}

static enum outcome ask_end(struct context *context, struct account *account, const struct refresh_record *refresh)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_REFRESH_TOKEN, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	enum outcome outcome = client_call(context, account, &call, NULL, &reply);

	if (outcome == DONE && reply.expires_at >= 0)
		account->refresh_expires_at = reply.expires_at;
	return outcome;
}

/* --if-expiring: DONE and *ret_due. A token whose end nobody knows is not regenerated on a guess. */
static enum outcome is_due(struct context *context, struct account *account, const struct refresh_record *refresh, bool *ret_due)
{
	int64_t within_s = context->options.if_expiring_s;
	enum outcome outcome = DONE;

	*ret_due = within_s < 0 || refresh->regen_begun;
	if (*ret_due)
		return DONE;
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		account->refresh_expires_at = refresh->token_expires_at;
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		outcome = ask_end(context, account, refresh);
	if (outcome != DONE)
		return outcome;
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		say(account, "is left as it is: the server does not tell when its RefreshToken ends");
	else if (account->refresh_expires_at - clock_wall_s() > within_s)
		say_end(account, "has nothing to do: its RefreshToken is");
	else
		*ret_due = true;
	return DONE;
}

static bool is_far_from_ending(const struct context *context, const struct account *account)
{
	return context->options.if_expiring_s >= 0 && account->refresh_expires_at != RECORD_TIME_UNKNOWN &&
	       account->refresh_expires_at - clock_wall_s() > context->options.if_expiring_s;
}

static enum outcome rotate(struct context *context, struct account *account)
{
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD refresh = { 0 };
	bool due = false;
	enum outcome outcome;

	if (context->options.all && !account->exclusive) {
		say(account, "is left as it is: its RefreshToken counts as shared");
		return DONE;
	}
	/* The usual case of a timer: no keyring is opened for it. */
	if (is_far_from_ending(context, account)) {
		say_end(account, "has nothing to do: its RefreshToken is");
		return DONE;
	}
	outcome = refresh_lock_and_read(context, account, &lock, &refresh);
	look_again(account);
	if (outcome == DONE)
		outcome = is_due(context, account, &refresh, &due);
	if (outcome != DONE || !due)
		return outcome;
	outcome = rotation_run(context, account, &refresh);
	if (outcome != DONE)
		return outcome;
	say_end(account, "has a new RefreshToken");
	if (!account->exclusive)
		context_warn(context, "shared_rotated", "the RefreshToken counted as shared: whatever else used it is cut off now");
	return DONE;
}

enum outcome rotate_main(struct context *context, const char *argument)
{
	return each_account(context, argument, rotate);
}
