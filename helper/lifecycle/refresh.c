/* SPDX-License-Identifier: MIT */
/*
 * Reading a RefreshToken, and finishing what a rotation left.
 */
#include "helper/lifecycle/refresh.h"

#include <stdio.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/vault.h"

/* Whether COPY is what the server answered to the rotation that RECORD says was begun; it alone lives then. A copy
 * that an earlier one left behind is not. Where the keyring has lost the record, a copy is all there is. */
static bool is_successor(const struct refresh_record *copy, const struct refresh_record *record, bool absent)
{
	return absent || (copy->regen_begun == record->regen_begun && !secret_equal(secret_view(&copy->token), secret_view(&record->token)));
}

static enum outcome take_copy(struct context *context, struct account *account, struct refresh_record *copy,
                              struct refresh_record *record)
{
	struct trouble ignored = { 0 };
	enum outcome outcome;

	trace("a rotation's new RefreshToken was left in a recovery copy: kept now");
	copy->regen_begun = 0;
	outcome = vault_keep_refresh(context, account, copy);
	if (outcome != DONE)
		return outcome;
	recovery_forget(context, account);
	refresh_record_wipe(record);
	*record = *copy;
	*copy = (struct refresh_record){ 0 };
	account->refresh_expires_at = record->token_expires_at;
	account->rotation_lost_at = 0;
	/* The old one's access tokens may be dead, and their cached copy looks alive. */
	cached_suspect(context, account);
	accounts_learn(account, context->deadline_ms, &ignored);
	return DONE;
}

/* The copy that was left, of the two places. What cannot be used may be that one: then the trouble names it, and nobody
 * guesses. */
static enum recovery find_copy(struct context *context, const struct account *account, const struct refresh_record *record, bool absent,
                               struct refresh_record *copy, struct trouble *ret_trouble)
{
	enum recovery found = RECOVERY_NONE;

	for (enum recovery_place place = 0; place < RECOVERY_PLACES; place++) {
		struct trouble ignored;
		enum recovery here;

		refresh_record_wipe(copy);
		here = recovery_look(context, account, place, copy, found == RECOVERY_NONE ? ret_trouble : &ignored);
		if (here == RECOVERY_FOUND && is_successor(copy, record, absent))
			return RECOVERY_FOUND;
		if (here == RECOVERY_UNUSABLE)
			found = RECOVERY_UNUSABLE;
	}
	return found;
}

enum outcome refresh_read(struct context *context, struct account *account, struct refresh_record *ret_record)
{
	REFRESH_RECORD copy = { 0 };
	struct trouble trouble = { 0 };
	enum outcome outcome = vault_refresh(context, account, false, ret_record);
	bool absent = outcome == LOGIN_NEEDED;

	if (outcome != DONE && !absent)
		return outcome;
	/* Of an account that no list has: from here on as of one that is listed. A store over all lines that then failed in one
	 * of them would take it out of the others, too. */
	if (!absent && !ret_record->source && !account->module[0])
		snprintf(account->module, sizeof account->module, "%s", ret_record->module);
	/* What can only be read was never rotated here. */
	if (!absent && (!ret_record->regen_begun || ret_record->source))
		return DONE;
	switch (find_copy(context, account, ret_record, absent, &copy, &trouble)) {
	case RECOVERY_NONE:
		return outcome;
	case RECOVERY_UNUSABLE:
		ret_record->unreadable = true;
		context->trouble = trouble;
		return KEYRING;
	default:
		context->trouble = (struct trouble){ 0 };
		return take_copy(context, account, &copy, ret_record);
	}
}

enum outcome refresh_lock_and_read(struct context *context, struct account *account, struct lock *lock,
                                   struct refresh_record *ret_record)
{
	enum outcome outcome;

	if (context->interactive) {
		REFRESH_RECORD unread = { 0 };

		outcome = vault_refresh(context, account, true, &unread);
		if (outcome == LOCKED)
			return outcome;
		context->trouble = (struct trouble){ 0 };
	}
	outcome = account_lock(context, account, lock);
	if (outcome != DONE)
		return outcome;
	/* While we waited somebody may have said who else uses it, rotated it, or logged in anew. */
	accounts_look_again(account);
	return refresh_read(context, account, ret_record);
}

#define LATE_IS_NEWS_S (2 * 86400) /* who meets it later than that meets something else */

/* When a rotation with RECORD's token was begun that nobody here has seen the end of; 0: none was. */
static int64_t open_rotation(const struct refresh_record *record)
{
	if (record->regen_begun)
		return record->regen_begun;
	return record->regen_late && clock_wall_s() - record->regen_late < LATE_IS_NEWS_S ? record->regen_late : 0;
}

static void explain(struct context *context, struct account *account, const struct refresh_record *record)
{
	char text[ACCOUNT_TEXT_BYTES], when[CLOCK_TEXT_BYTES], remedy[640];
	struct trouble ignored = { 0 };
	int64_t begun = open_rotation(record);

	clock_format_time(begun, when);
	snprintf(remedy, sizeof remedy, "log in again: 'alation-cred login %s'; with single sign-on make a RefreshToken at %s/account/auth first",
	         account->base_url, account->base_url);
	trouble_say(&context->trouble, TROUBLE_REFRESH_TOKEN_REFUSED, remedy,
	            "the RefreshToken of %s was to be regenerated at %s, the server did so, and its answer with the new one was lost on the way",
	            account_text(account, text), when);
	if (account->rotation_lost_at == begun)
		return;
	account->rotation_lost_at = begun;
	accounts_learn(account, context->deadline_ms, &ignored);
}

#define MAY_ARRIVE_S 120 /* its call has 60 s, and after that the network's minute */

/* The server took it, so it lives: what was left of a rotation says nothing any more. Should some of it stay, the
 * next call takes it away. */
static void clear(struct context *context, struct account *account, struct refresh_record *record)
{
	struct trouble ignored = { 0 }, before = context->trouble;

	/* Another one that goes before ours says nothing of ours: a copy may be all that is left of it. */
	if (record->source)
		return;
	recovery_forget(context, account);
	if (record->regen_begun) {
		/* Begun just now, it may still reach the server: whoever meets that then is told what it was. */
		record->regen_late = clock_wall_s() - record->regen_begun < MAY_ARRIVE_S ? record->regen_begun : 0;
		record->regen_begun = 0;
		vault_keep_refresh(context, account, record);
		context->trouble = before;
	}
	if (account->rotation_lost_at) {
		account->rotation_lost_at = 0;
		accounts_learn(account, context->deadline_ms, &ignored);
	}
}

void refresh_source_remedy(const struct account *account, const char *source, char *text, size_t room)
{
	snprintf(text, room, "it comes from '%s', which can only be read: make another one at %s/account/auth and put it there", source, account->base_url);
}

static void explain_source(struct context *context, const struct account *account, const char *source)
{
	char remedy[640];

	refresh_source_remedy(account, source, remedy, sizeof remedy);
	trouble_escape(context->trouble.remedy, sizeof context->trouble.remedy, remedy);
}

enum outcome refresh_settle(struct context *context, struct account *account, struct refresh_record *record,
                            enum outcome outcome)
{
	/* What somebody else brings says nothing of what was rotated here, whose new token may lie in a copy alone. */
	if (record->source) {
		if (outcome == LOGIN_NEEDED)
			explain_source(context, account, record->source);
		return outcome;
	}
	if (outcome == DONE)
		clear(context, account, record);
	else if (outcome == LOGIN_NEEDED && open_rotation(record))
		explain(context, account, record);
	return outcome;
}
