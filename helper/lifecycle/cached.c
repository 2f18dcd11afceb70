/* SPDX-License-Identifier: MIT */
/*
 * The access record's ages and marks.
 */
#include "helper/lifecycle/cached.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/file.h"
#include "helper/lifecycle/vault.h"

#define REMEMBERED_S 86400 /* what lies in the cache without a token: longer than any of it counts */

const char *cached_boot_id(void)
{
	static char id[RECORD_BOOT_ID_BYTES + 1];
	static bool known;

	if (!known && file_peek("/proc/sys/kernel/random/boot_id", id, RECORD_BOOT_ID_BYTES) != RECORD_BOOT_ID_BYTES)
		id[0] = '\0';
	known = true;
	return id;
}

int64_t cached_ago_ms(const struct access_record *record, int64_t boot_ms)
{
	return boot_ms && strcmp(cached_boot_id(), record->boot_id) == 0 ? clock_boot_ms() - boot_ms : -1;
}

int64_t cached_left_s(const struct access_record *record)
{
	int64_t age_ms = cached_ago_ms(record, record->minted_at_ms);

	/* Then the wall clock has to do. */
	return age_ms >= 0 ? record->lifetime_s - age_ms / 1000 : record->expires_at - clock_wall_s();
}

static bool is_within(const struct access_record *record, int64_t boot_ms, int64_t ms)
{
	int64_t ago_ms = cached_ago_ms(record, boot_ms);

	return ago_ms >= 0 && ago_ms < ms;
}

bool cached_is_late(const struct access_record *record)
{
	return is_within(record, record->late_ms, CACHED_LATE_MS);
}

/* What a newer program has cached is not ours to replace: it would mint in turn, and so on. */
enum outcome cached_check_version(struct context *context, const struct account *account, const struct access_record *record)
{
	char text[ACCOUNT_TEXT_BYTES];

	if (!record->newer)
		return DONE;
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "update this alation-cred",
	                   "the access token that is cached for %s was written by a newer alation-cred", account_text(account, text));
}

/* Whether there is a record that may be changed; where there is none *record is a fresh one without a token. */
static bool look(struct context *context, const struct account *account, struct access_record *record)
{
	char text[ACCOUNT_TEXT_BYTES];

	vault_access(context, account, record);
	if (record->damaged)
		context_warn(context, "cache_damaged", "what was cached for %s was damaged, and is replaced", account_text(account, text));
	if (!record->boot_id[0])
		memcpy(record->boot_id, cached_boot_id(), sizeof record->boot_id);
	return !record->newer;
}

static bool is_refused(const struct access_record *record)
{
	return is_within(record, record->refused_ms, record->refused_for_s * 1000);
}

/* Whether something is remembered that a later call has to know. */
static bool matters(const struct access_record *record)
{
	return record->suspect_ms || cached_is_late(record) || is_within(record, record->renewal_ms, CACHED_RENEWAL_MS) ||
	       is_refused(record) || is_within(record, record->unexplained_ms[1], CACHED_UNEXPLAINED_MS);
}

/* What is left of it without its token. */
static enum outcome put_back_without(struct context *context, const struct account *account, struct access_record *record)
{
	secret_wipe(&record->token);
	if (!matters(record))
		return vault_forget_access(context, account);
	vault_remember(context, account, record, REMEMBERED_S);
	return DONE;
}

void cached_put_back(struct context *context, const struct account *account, struct access_record *record)
{
	int64_t left_s = record->token.len ? cached_left_s(record) : 0;

	/* The marks must not end with the token's last seconds: the next one is what they are for. */
	if (left_s > 0)
		vault_keep_access(context, account, record, matters(record) && left_s < REMEMBERED_S ? REMEMBERED_S : left_s);
	else
		put_back_without(context, account, record);
}

/* Of another boot nothing counts any more. */
static void go_on_from(const struct access_record *before, struct access_record *record)
{
	record->mints = before->mints + 1;
	if (strcmp(before->boot_id, record->boot_id) != 0)
		return;
	record->late_ms = cached_is_late(before) ? before->late_ms : 0;
	record->warned_ms = before->warned_ms;
	record->renewal_ms = before->renewal_ms;
	memcpy(record->unexplained_ms, before->unexplained_ms, sizeof record->unexplained_ms);
}

void cached_keep(struct context *context, const struct account *account, struct access_record *record)
{
	ACCESS_RECORD before = { 0 };

	look(context, account, &before);
	if (before.newer)
		return;
	go_on_from(&before, record);
	vault_keep_access(context, account, record, record->lifetime_s);
}

enum outcome cached_drop(struct context *context, const struct account *account, int64_t suspect_ms)
{
	ACCESS_RECORD record = { 0 };

	if (!look(context, account, &record))
		return vault_forget_access(context, account);
	record.suspect_ms = suspect_ms;
	return put_back_without(context, account, &record);
}

void cached_tell_others(struct context *context, const struct account *account, const char *fingerprint)
{
	ACCESS_RECORD record = { 0 };
	char text[ACCOUNT_TEXT_BYTES];

	if (!vault_access(context, account, &record) || !fingerprint[0] || strcmp(record.parent, fingerprint) == 0)
		return;
	context_warn(context, "earlier_refresh_token", "the cached access token of %s was minted with an earlier RefreshToken, and may live at the server until its end; delete that one at %s/account/auth",
	             account_text(account, text), account->base_url);
}

/* A call that was lost may have ended it, or not yet. Whoever has the lock now knows that its caller has given up, but
 * not when. */
static void note_late(struct access_record *record)
{
	if (record->suspect_ms)
		record->late_ms = clock_boot_ms();
	record->suspect_ms = 0;
}

void cached_lives(struct context *context, const struct account *account, struct access_record *record, int64_t began_ms)
{
	note_late(record);
	record->validated_ms = began_ms;
	cached_put_back(context, account, record);
}

enum outcome cached_died(struct context *context, const struct account *account, struct access_record *record, bool *ret_often)
{
	bool explained = record->suspect_ms || cached_is_late(record) || cached_left_s(record) <= 0;

	*ret_often = !explained && is_within(record, record->unexplained_ms[0], CACHED_UNEXPLAINED_MS);
	if (!explained) {
		record->unexplained_ms[0] = record->unexplained_ms[1];
		record->unexplained_ms[1] = clock_boot_ms();
	}
	note_late(record);
	record->validated_ms = 0;
	return put_back_without(context, account, record);
}

int64_t cached_suspect(struct context *context, const struct account *account)
{
	ACCESS_RECORD record = { 0 };
	int64_t before_ms;

	if (!look(context, account, &record))
		return 0;
	before_ms = record.suspect_ms;
	note_late(&record);
	record.suspect_ms = clock_boot_ms();
	cached_put_back(context, account, &record);
	return before_ms;
}

void cached_trust(struct context *context, const struct account *account, int64_t before_ms)
{
	ACCESS_RECORD record = { 0 };

	if (!look(context, account, &record) || record.suspect_ms == before_ms)
		return;
	record.suspect_ms = before_ms;
	cached_put_back(context, account, &record);
}

void cached_note_renewal(struct context *context, const struct account *account)
{
	ACCESS_RECORD record = { 0 };

	if (!look(context, account, &record))
		return;
	record.renewal_ms = clock_boot_ms();
	cached_put_back(context, account, &record);
}

bool cached_may_renew(struct context *context, const struct account *account)
{
	ACCESS_RECORD record = { 0 };

	vault_access(context, account, &record);
	return !is_within(&record, record.renewal_ms, CACHED_RENEWAL_MS) && !is_refused(&record);
}

void cached_refuse(struct context *context, const struct account *account, enum refusal refusal, int64_t for_s, const char *parent)
{
	ACCESS_RECORD record = { 0 };

	if (!look(context, account, &record))
		return;
	record.refusal = refusal;
	record.refused_ms = clock_boot_ms();
	record.refused_for_s = for_s;
	snprintf(record.refused_parent, sizeof record.refused_parent, "%s", parent);
	cached_put_back(context, account, &record);
}

enum refusal cached_refusal(const struct access_record *record, const char *parent, int64_t *ret_left_s)
{
	if (!is_refused(record) || strcmp(record->refused_parent, parent) != 0)
		return REFUSAL_NONE;
	*ret_left_s = record->refused_for_s - cached_ago_ms(record, record->refused_ms) / 1000;
	return record->refusal;
}
