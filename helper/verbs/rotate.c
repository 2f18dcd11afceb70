/* SPDX-License-Identifier: MIT */
/*
 * rotate: whether a RefreshToken is to be regenerated; how is lifecycle/rotation.c's.
 */
#include <stdio.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/each.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/renewal.h"
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

static enum outcome ask_end(struct context *context, struct account *account, const struct refresh_record *refresh)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_REFRESH_TOKEN, .refresh_token = secret_view(&refresh->token) };
	struct alation_reply reply;
	enum outcome outcome = client_call(context, account, &call, NULL, &reply);

	if (outcome == DONE && reply.expires_at >= 0)
		account->refresh_expires_at = reply.expires_at;
	return outcome;
}

/* How near its end it is due; -1: it is due now. */
static int64_t within(const struct context *context, const struct account *account)
{
	if (context->options.if_expiring_s >= 0 || !context->options.unattended)
		return context->options.if_expiring_s;
	return renewal_before_end_s(context, account);
}

/* Whether what is known of its end says that it is not due yet. A token whose end nobody knows is not regenerated on
 * a guess. */
static bool is_far_from_ending(const struct context *context, const struct account *account)
{
	int64_t within_s = within(context, account);

	return within_s >= 0 && account->refresh_expires_at != RECORD_TIME_UNKNOWN && account->refresh_expires_at - clock_wall_s() > within_s;
}

/* Whatever else uses it would be cut off: that is for a person to decide, who names it; or who says `auto-rotate never`. */
static bool is_passed_over(const struct context *context, const struct account *account)
{
	if (context->options.unattended && renewal_before_end_s(context, account) == 0)
		return true;
	return !account->exclusive && (context->options.all || context->options.unattended);
}

enum due { DUE, NOT_DUE, END_UNKNOWN, SHARED };

/* What the record or the server told goes into the list: the next call finds it there, and opens no keyring for it. */
static void learn(struct context *context, const struct account *account, int64_t listed_s)
{
	struct trouble ignored = { 0 };

	if (account->refresh_expires_at != listed_s)
		accounts_learn(account, context->deadline_ms, &ignored);
}

/* Under the lock, with the list as it is now. */
static enum outcome decide(struct context *context, struct account *account, const struct refresh_record *refresh, enum due *ret_due)
{
	int64_t listed_s = account->refresh_expires_at;
	enum outcome outcome = DONE;

	*ret_due = DUE;
	if (is_passed_over(context, account) || (context->options.unattended && refresh->source))
		*ret_due = SHARED;
	/* As get starts it: whoever began has just done what can be done, or could not. A timer tries each time. */
	if (context->options.unattended && !context->options.all && !cached_may_renew(context, account))
		*ret_due = NOT_DUE;
	/* What can only be read is refused in any case: the server need not be asked when it ends. */
	if (*ret_due != DUE || within(context, account) < 0 || refresh->regen_begun || refresh->source)
		return DONE;
	/* The record goes with the token; the list may be of the one before. */
	if (refresh->token_expires_at != RECORD_TIME_UNKNOWN)
		account->refresh_expires_at = refresh->token_expires_at;
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		outcome = ask_end(context, account, refresh);
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		*ret_due = END_UNKNOWN;
	else if (is_far_from_ending(context, account))
		*ret_due = NOT_DUE;
	if (!refresh->source) /* the list tells of the one that is kept */
		learn(context, account, listed_s);
	return outcome;
}

/* Of a timer's call nobody wants to read that there was nothing to do; a token that it can never renew is worth a line. */
static enum outcome leave(const struct context *context, const struct account *account, enum due why)
{
	if (why == END_UNKNOWN)
		say(account, "is left as it is: the server does not tell when its RefreshToken ends");
	else if (context->options.unattended)
		return DONE;
	else if (why == SHARED)
		say(account, "is left as it is: its RefreshToken counts as shared");
	else
		say_end(account, "has nothing to do: its RefreshToken is");
	return DONE;
}

static enum outcome rotate(struct context *context, struct account *account)
{
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD refresh = { 0 };
	enum due due = DUE;
	enum outcome outcome;

	if (is_passed_over(context, account))
		return leave(context, account, SHARED);
	/* The usual case of a timer: no keyring is opened for it. */
	if (is_far_from_ending(context, account))
		return leave(context, account, NOT_DUE);
	outcome = refresh_lock_and_read(context, account, &lock, &refresh);
	if (outcome == DONE)
		outcome = decide(context, account, &refresh, &due);
	if (outcome == DONE && due == DUE && context->options.unattended)
		cached_note_renewal(context, account);
	if (outcome == DONE && due == DUE)
		outcome = rotation_run(context, account, &refresh);
	lock_release(&lock); /* before anything is said: whoever reads that may take his time */
	if (outcome != DONE)
		return outcome;
	if (due != DUE)
		return leave(context, account, due);
	say_end(account, "has a new RefreshToken");
	if (!account->exclusive)
		context_warn(context, "shared_rotated", "the RefreshToken counted as shared: whatever else used it is cut off now");
	return DONE;
}

enum outcome rotate_main(struct context *context, const char *argument)
{
	struct options *o = &context->options;

	if (o->unattended && o->interactive == INTERACTIVE_ALWAYS)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "give one of them", "--auto asks nobody: --interactive always cannot be beside it");
	if (o->unattended)
		context->interactive = false;
	return each_account(context, argument, rotate);
}
