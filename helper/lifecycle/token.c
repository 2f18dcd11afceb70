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
#include "helper/base/failpoint.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/policy.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"

/* --min-ttl asks for more than there is. */
static void tell_short(struct context *context, const struct account *account, const struct access_record *record)
{
	char text[ACCOUNT_TEXT_BYTES];

	context_warn(context, "min_ttl", "the access token of %s lives %lld s: the server gives no more than %lld s",
	             account_text(account, text), (long long)cached_left_s(record), (long long)record->lifetime_s);
}

/* What the cache has, and what is to be done about it. */
static enum decision look(struct context *context, const struct account *account, struct access_record *ret_record)
{
	const struct options *o = &context->options;
	struct wish wish = { .min_ttl_s = o->min_ttl_s, .fresh = o->fresh, .validate = o->validate };
	struct cached have = { .validated_ago_ms = -1 };
	enum decision decision;

	access_record_wipe(ret_record);
	have.present = vault_access(context, account, ret_record);
	if (have.present) {
		have.left_s = cached_left_s(ret_record);
		have.lifetime_s = ret_record->lifetime_s;
		have.suspect = ret_record->suspect_ms != 0;
		have.minted_since = cached_ago_ms(ret_record, context->started_boot_ms) >= 0 && ret_record->minted_at_ms >= context->started_boot_ms;
		if (ret_record->validated_ms)
			have.validated_ago_ms = cached_ago_ms(ret_record, ret_record->validated_ms);
	}
	decision = policy_decide(&have, &wish);
	if (have.present)
		trace("cached: %lld of %lld s left%s: %s", (long long)have.left_s, (long long)have.lifetime_s, have.suspect ? ", suspect" : "",
		      decision == MINT ? "mint" : decision == VALIDATE ? "validate" : "serve");
	if (decision == SERVE_YOUNG)
		tell_short(context, account, ret_record);
	return decision;
}

static bool is_served(enum decision decision)
{
	return decision == SERVE || decision == SERVE_YOUNG;
}

/*
 * Waits for the lock or for a token that somebody else has minted, whichever comes first. DONE with a verdict that
 * serves, or with another and the lock held.
 */
static enum outcome lock_or_token(struct context *context, const struct account *account, struct lock *lock,
                                  enum decision *ret_decision, struct access_record *ret_record)
{
	char name[ACCOUNT_LOCK_BYTES], text[ACCOUNT_TEXT_BYTES];

	account_lock_name(account, name);
	for (;;) {
		bool late = clock_mono_ms() >= context->deadline_ms;
		enum outcome outcome = lock_try(name, lock, &context->trouble);

		if (outcome != DONE)
			return outcome;
		/* The look after the lock is taken is the single flight: its last holder has cached what it minted. */
		*ret_decision = look(context, account, ret_record);
		if (is_served(*ret_decision) || lock->fd >= 0)
			return DONE;
		if (late)
			return trouble_say(&context->trouble, TROUBLE_BUSY, "try again, or end the alation-cred that hangs",
			                   "another alation-cred holds %s", account_text(account, text));
		lock_pause();
	}
}

enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record, bool *ret_maybe_acted)
{
	struct alation_call call = { .endpoint = ALATION_CREATE_ACCESS_TOKEN, .refresh_token = refresh_token };
	struct alation_reply reply;
	int64_t began_wall_s = clock_wall_s();
	enum outcome outcome;
	bool guessed;

	*ret_record = (struct access_record){ .minted_at_ms = clock_boot_ms() };
	outcome = client_call(context, account, &call, &ret_record->token, &reply);
	if (ret_maybe_acted)
		*ret_maybe_acted = outcome != DONE && reply.maybe_acted;
	if (outcome != DONE)
		return outcome;
	ret_record->lifetime_s = policy_lifetime_s(reply.created_at, reply.expires_at, reply.date, &guessed);
	ret_record->expires_at = began_wall_s + ret_record->lifetime_s;
	ret_record->skew_s = reply.date >= 0 ? reply.date - clock_wall_s() : 0;
	ret_record->mints = 1;
	memcpy(ret_record->boot_id, cached_boot_id(), sizeof ret_record->boot_id);
	memcpy(ret_record->parent, reply.fingerprint, sizeof ret_record->parent);
	if (guessed)
		context_warn(context, "lifetime_unknown", "the server's dates cannot be used; the access token is taken to live one hour");
	return DONE;
}

enum outcome token_check(struct context *context, const struct account *account, struct access_record *record, bool *ret_active)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_ACCESS_TOKEN, .access_token = secret_view(&record->token) };
	struct alation_reply reply;
	enum outcome outcome = client_call(context, account, &call, NULL, &reply);

	if (outcome != DONE && reply.result != ALATION_REFUSED)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	*ret_active = outcome == DONE && reply.token_status == ALATION_ACTIVE;
	trace("the server says that the cached token is %s", *ret_active ? "active" : "dead");
	if (*ret_active) {
		record->suspect_ms = 0;
		record->validated_ms = clock_boot_ms();
		cached_put_back(context, account, record);
		return DONE;
	}
	return vault_forget_access(context, account);
}

/* Under the lock: the RefreshToken, a mint, the cache. What is cached until then is revoked by the mint. */
static enum outcome mint_and_keep(struct context *context, struct account *account, struct access_record *ret_record)
{
	REFRESH_RECORD refresh = { 0 };
	enum outcome outcome = refresh_read(context, account, &refresh);
	bool maybe_acted, marked;

	if (outcome != DONE)
		return outcome;
	failpoint("mint.read");
	marked = cached_suspect(context, account);
	failpoint("mint.marked");
	outcome = token_mint(context, account, secret_view(&refresh.token), ret_record, &maybe_acted);
	if (outcome == DONE)
		cached_keep(context, account, ret_record);
	else if (marked && !maybe_acted)
		cached_trust(context, account);
	failpoint("mint.cached");
	return refresh_settle(context, account, &refresh, outcome);
}

/* Under the lock: what the cache has may be served once the server has said so. */
static enum outcome validate_or_mint(struct context *context, struct account *account, struct access_record *record)
{
	enum outcome outcome = DONE;
	bool active = false;

	/* It was marked by a call that never came back. If that was a rotation, it is finished first. */
	if (record->suspect_ms) {
		REFRESH_RECORD refresh = { 0 };

		outcome = refresh_read(context, account, &refresh);
	}
	if (outcome == DONE)
		outcome = token_check(context, account, record, &active);
	if (outcome != DONE || active)
		return outcome;
	access_record_wipe(record);
	return mint_and_keep(context, account, record);
}

static enum outcome refill(struct context *context, struct account *account, enum decision decision, struct access_record *record)
{
	enum outcome outcome;

	if (decision == VALIDATE) {
		outcome = validate_or_mint(context, account, record);
	} else {
		access_record_wipe(record);
		outcome = mint_and_keep(context, account, record);
	}
	if (outcome == DONE && context->options.min_ttl_s >= 0 && cached_left_s(record) <= context->options.min_ttl_s)
		tell_short(context, account, record);
	return outcome;
}

/* With no lock held: the person who is there unlocks the keyring. */
static enum outcome let_unlock(struct context *context, const struct account *account)
{
	REFRESH_RECORD unread = { 0 };

	context->trouble = (struct trouble){ 0 };
	return vault_refresh(context, account, true, &unread);
}

enum outcome token_obtain(struct context *context, struct account *account, struct access_record *ret_record)
{
	bool may_ask = context->interactive;
	enum decision decision = look(context, account, ret_record);
	enum outcome outcome;

	if (is_served(decision))
		return DONE;
	for (;;) {
		LOCK lock = LOCK_NONE;

		outcome = lock_or_token(context, account, &lock, &decision, ret_record);
		if (outcome != DONE || is_served(decision))
			return outcome;
		outcome = refill(context, account, decision, ret_record);
		if (outcome != LOCKED || !may_ask)
			return outcome;
		lock_release(&lock);
		may_ask = false;
		outcome = let_unlock(context, account);
		if (outcome != DONE)
			return outcome;
	}
}
