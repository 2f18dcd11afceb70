/* SPDX-License-Identifier: MIT */
/*
 * The order of a rotation. Whatever dies in between, the keyring holds a token that lives or a mark that says what
 * was begun, and the next call goes on from there (refresh.c).
 */
#include "helper/lifecycle/rotation.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/signals.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"

#define CALL_MS 60000

/* The record once more, with the mark: proves that the keyring can be written, and tells the next call what was begun. */
static enum outcome write_ahead(struct context *context, struct account *account, struct refresh_record *record,
                                int64_t *ret_marked_ms)
{
	int64_t before = record->regen_begun;
	enum outcome outcome;

	/* Whoever sees that mark on the access token reads this record before he serves it. */
	*ret_marked_ms = cached_suspect(context, account);
	failpoint("rotate.marked");
	record->regen_begun = clock_wall_s();
	outcome = failpoint_after("rotate.written-ahead", vault_keep_refresh(context, account, record), &context->trouble);
	if (outcome == DONE)
		return DONE;
	record->regen_begun = before;
	cached_trust(context, account, *ret_marked_ms);
	return outcome;
}

/* The server has said no, or was never asked: the old token is what it was, and so is what was begun before. */
static enum outcome take_back(struct context *context, struct account *account, struct refresh_record *record,
                              int64_t begun_before, int64_t marked_ms, enum outcome outcome)
{
	struct trouble said = context->trouble;

	record->regen_begun = begun_before;
	if (vault_keep_refresh(context, account, record) == DONE)
		cached_trust(context, account, marked_ms);
	context->trouble = said;
	return refresh_settle(context, account, record, outcome);
}

/* Whoever put a page in the place of the answer may have done so after it was given: here that is worth a question. */
static bool may_have_acted(const struct alation_reply *reply)
{
	return reply->maybe_acted || (reply->result == ALATION_NOT_ALATION && reply->http_status >= 200 && reply->http_status <= 299);
}

/* The answer did not come: the old token may be dead and the new one with it. */
static enum outcome unknown(struct context *context, const struct account *account, enum outcome outcome)
{
	char text[ACCOUNT_TEXT_BYTES];

	context_warn(context, "rotation_open", "the server may have regenerated the RefreshToken of %s all the same; the next call finds out",
	             account_text(account, text));
	return outcome;
}

static void fill(struct refresh_record *fresh, struct refresh_record *old, const struct alation_reply *reply)
{
	memcpy(fresh->base_url, old->base_url, sizeof fresh->base_url);
	snprintf(fresh->name, sizeof fresh->name, "%s", reply->name[0] ? reply->name : old->name);
	fresh->user_id = old->user_id;
	fresh->created_at = reply->created_at >= 0 ? reply->created_at : RECORD_TIME_UNKNOWN;
	fresh->token_expires_at = reply->expires_at >= 0 ? reply->expires_at : RECORD_TIME_UNKNOWN;
	fresh->regen_begun = old->regen_begun; /* in the copies: it tells whose answer this is */
	secret_move(&fresh->unknown, &old->unknown);
}

/* The server has the new one alone now, and the keyring does not take it. */
static enum outcome rescue(struct context *context, const struct account *account, const struct refresh_record *fresh,
                           bool copied)
{
	char text[ACCOUNT_TEXT_BYTES], path[RECOVERY_PATH_BYTES], remedy[640], why[sizeof context->trouble.message];

	account_text(account, text);
	memcpy(why, context->trouble.message, sizeof why);
	if (recovery_keep_in_file(account, fresh, path))
		snprintf(remedy, sizeof remedy, "make the keyring work, then call 'alation-cred get %s': it takes the token over from %.300s", text, path);
	else if (copied)
		snprintf(remedy, sizeof remedy, "make the keyring work, then call 'alation-cred get %s' within a day and before a restart", text);
	else
		snprintf(remedy, sizeof remedy, "log in again: 'alation-cred login %s'; nothing here could keep the new token", account->base_url);
	return trouble_say(&context->trouble, TROUBLE_RECOVERY, remedy, "the RefreshToken of %s is regenerated, but could not be kept where it belongs: %.200s",
	                   text, why);
}

/* Of a crash or a hang nobody returns to rescue(). */
static void stake(struct context *context, const struct account *account, bool copied)
{
	char text[ACCOUNT_TEXT_BYTES];

	if (copied)
		context_stake(context, "its new RefreshToken is not lost: make the keyring work, then call 'alation-cred get %s' within a day and before a restart",
		              account_text(account, text));
	else
		context_stake(context, "log in again: 'alation-cred login %s'; nothing here could keep the new token", account->base_url);
}

static enum outcome keep(struct context *context, struct account *account, struct refresh_record *fresh)
{
	char path[RECOVERY_PATH_BYTES];
	/* Who dies before the keyring has it leaves it in one of the two. */
	bool copied = recovery_keep(context, account, fresh) || recovery_keep_in_file(account, fresh, path);
	int64_t begun = fresh->regen_begun;
	enum outcome outcome;

	failpoint("rotate.copied");
	stake(context, account, copied);
	fresh->regen_begun = 0;
	outcome = failpoint_after("rotate.stored", vault_keep_refresh(context, account, fresh), &context->trouble);
	context_stake(context, "%s", "");
	fresh->regen_begun = begun;
	if (outcome != DONE)
		return rescue(context, account, fresh, copied);
	fresh->regen_begun = 0;
	return DONE;
}

/* What follows from a new token that is kept; nothing here can lose it any more. */
static void follow_up(struct context *context, struct account *account, const struct refresh_record *fresh)
{
	struct trouble ignored = { 0 };

	cached_drop(context, account, 0);
	failpoint("rotate.emptied");
	memcpy(account->name, fresh->name, sizeof account->name);
	account->refresh_expires_at = fresh->token_expires_at;
	account->rotation_lost_at = 0;
	recovery_forget(context, account);
	failpoint("rotate.copies-gone");
	if (failpoint_after("rotate.listed", accounts_learn(account, context->deadline_ms, &ignored), &ignored) != DONE)
		context_warn(context, "not_listed", "the new RefreshToken is kept, but its end could not be written into the list of accounts");
	context->trouble = (struct trouble){ 0 };
}

/* The old token would die where it lies, and the new one could not take its place. */
static enum outcome refuse_source(struct context *context, const struct account *account, const char *source)
{
	char text[ACCOUNT_TEXT_BYTES], remedy[640];

	snprintf(remedy, sizeof remedy,
	         "to have it renewed, write 'refresh sufficient sealed-file key-file=/PATH' into the configuration and log in with 'alation-cred login --keyring sealed-file %s'",
	         account->base_url);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_READONLY, remedy,
	                   "the RefreshToken of %s comes from '%s', which can only be read: it is not regenerated", account_text(account, text), source);
}

enum outcome rotation_run(struct context *context, struct account *account, struct refresh_record *record)
{
	struct alation_call call = { .endpoint = ALATION_REGEN_REFRESH_TOKEN, .refresh_token = secret_view(&record->token) };
	struct alation_reply reply;
	REFRESH_RECORD fresh = { 0 };
	SIGNALS signals = { .held = false };
	int64_t begun_before = record->regen_begun, marked_ms;
	enum outcome outcome;

	if (record->source)
		return refuse_source(context, account, record->source);
	recovery_forget(context, account); /* an earlier rotation's */
	/* A bare token was put there by hand: from now on it is a record. */
	if (!record->base_url[0]) {
		memcpy(record->base_url, account->base_url, sizeof record->base_url);
		record->user_id = account->user_id;
	}
	outcome = write_ahead(context, account, record, &marked_ms);
	if (outcome != DONE)
		return outcome;
	signals_hold(&signals);
	context->deadline_ms = clock_mono_ms() + CALL_MS;
	outcome = client_call(context, account, &call, &fresh.token, &reply);
	context_reserve(context);
	if (outcome != DONE && may_have_acted(&reply))
		return unknown(context, account, outcome);
	if (outcome != DONE)
		return take_back(context, account, record, begun_before, marked_ms, outcome);
	fill(&fresh, record, &reply);
	outcome = keep(context, account, &fresh);
	if (outcome != DONE)
		return outcome;
	follow_up(context, account, &fresh);
	refresh_record_wipe(record);
	*record = fresh;
	fresh = (struct refresh_record){ 0 };
	return DONE;
}
