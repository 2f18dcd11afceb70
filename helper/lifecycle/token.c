/* SPDX-License-Identifier: MIT */
/*
 * Single flight: whoever misses takes the account's lock and looks again before it mints; everyone else looks in
 * the cache until the token is there.
 */
#include "helper/lifecycle/token.h"

#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/base/clock.h"
#include "helper/base/file.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/policy.h"
#include "helper/lifecycle/vault.h"

#define SKEW_WORTH_NOTING_S 60

static void boot_id(char id[RECORD_BOOT_ID_BYTES + 1])
{
	long n = file_peek("/proc/sys/kernel/random/boot_id", id, RECORD_BOOT_ID_BYTES);

	id[n == RECORD_BOOT_ID_BYTES ? n : 0] = '\0';
}

int64_t token_left_s(const struct access_record *record)
{
	char id[RECORD_BOOT_ID_BYTES + 1];
	int64_t age_ms = clock_boot_ms() - record->minted_at_ms;

	boot_id(id);
	/* Counted on a clock that nobody can set. Another boot's, or another time namespace's, age means nothing:
	 * then the wall clock has to do. */
	if (strcmp(id, record->boot_id) == 0 && age_ms >= 0)
		return record->lifetime_s - age_ms / 1000;
	return record->expires_at - clock_wall_s();
}

/* True and the record, if the cache has a token to serve. */
static bool look(struct context *context, const struct account *account, struct access_record *ret_record)
{
	struct cached have = { .present = vault_access(context, account, ret_record) };

	if (have.present) {
		have.left_s = token_left_s(ret_record);
		have.lifetime_s = ret_record->lifetime_s;
	}
	if (policy_decide(&have) == SERVE) {
		trace("serve the cached token, %lld s left", (long long)have.left_s);
		return true;
	}
	access_record_wipe(ret_record);
	return false;
}

enum outcome token_lock(struct context *context, const struct account *account, struct lock *ret_lock)
{
	char name[ACCOUNT_LOCK_BYTES];

	return lock_wait(account_lock_name(account, name), context->deadline_ms, ret_lock, &context->trouble);
}

/*
 * Waits for the lock or for a token that somebody else has minted, whichever comes first. DONE with *ret_served,
 * or with the lock held.
 */
static enum outcome lock_or_token(struct context *context, const struct account *account, struct lock *lock,
                                  bool *ret_served, struct access_record *ret_record)
{
	char name[ACCOUNT_LOCK_BYTES], text[ACCOUNT_TEXT_BYTES];

	account_lock_name(account, name);
	for (;;) {
		bool late = clock_mono_ms() >= context->deadline_ms;
		enum outcome outcome = lock_try(name, lock, &context->trouble);

		/* The look after the lock is taken is the single flight: its last holder has cached what it minted. */
		*ret_served = outcome == DONE && look(context, account, ret_record);
		if (outcome != DONE || *ret_served || lock->fd >= 0)
			return outcome;
		if (late)
			return trouble_say(&context->trouble, TROUBLE_BUSY, "try again, or end the alation-cred that hangs",
			                   "another alation-cred holds %s", account_text(account, text));
		lock_pause();
	}
}

enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record)
{
	struct alation_call call = { .endpoint = ALATION_CREATE_ACCESS_TOKEN, .refresh_token = refresh_token };
	struct alation_reply reply;
	int64_t began_wall_s = clock_wall_s();
	enum outcome outcome;
	bool guessed;

	*ret_record = (struct access_record){ .minted_at_ms = clock_boot_ms() };
	outcome = client_call(context, account, &call, &ret_record->token, &reply);
	if (outcome != DONE)
		return outcome;
	ret_record->lifetime_s = policy_lifetime_s(reply.created_at, reply.expires_at, reply.date, &guessed);
	ret_record->expires_at = began_wall_s + ret_record->lifetime_s;
	ret_record->skew_s = reply.date >= 0 ? reply.date - clock_wall_s() : 0;
	ret_record->mints = 1;
	boot_id(ret_record->boot_id);
	memcpy(ret_record->parent, reply.fingerprint, sizeof ret_record->parent);
	if (guessed)
		context_warn(context, "lifetime_unknown", "the server's dates cannot be used; the access token is taken to live one hour");
	return DONE;
}

void token_keep(struct context *context, const struct account *account, struct access_record *record)
{
	ACCESS_RECORD before = { 0 };

	if (vault_access(context, account, &before))
		record->mints = before.mints + 1;
	vault_keep_access(context, account, record);
}

/* Under the lock: the RefreshToken, a mint, the cache. */
static enum outcome mint_and_keep(struct context *context, const struct account *account, struct access_record *ret_record)
{
	REFRESH_RECORD refresh;
	enum outcome outcome = vault_refresh(context, account, false, &refresh);

	if (outcome == DONE)
		outcome = token_mint(context, account, secret_view(&refresh.token), ret_record);
	if (outcome == DONE)
		token_keep(context, account, ret_record);
	return outcome;
}

/* With no lock held: the person who is there unlocks the keyring. */
static enum outcome let_unlock(struct context *context, const struct account *account)
{
	REFRESH_RECORD unread;

	context->trouble = (struct trouble){ 0 };
	return vault_refresh(context, account, true, &unread);
}

enum outcome token_obtain(struct context *context, const struct account *account, struct access_record *ret_record)
{
	bool may_ask = context->interactive;
	enum outcome outcome;

	if (look(context, account, ret_record))
		return DONE;
	for (;;) {
		LOCK lock = LOCK_NONE;
		bool served;

		outcome = lock_or_token(context, account, &lock, &served, ret_record);
		if (outcome != DONE || served)
			return outcome;
		outcome = mint_and_keep(context, account, ret_record);
		if (outcome != LOCKED || !may_ask)
			return outcome;
		lock_release(&lock);
		may_ask = false;
		outcome = let_unlock(context, account);
		if (outcome != DONE)
			return outcome;
	}
}
