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
#include "helper/lifecycle/renewal.h"
#include "helper/lifecycle/vault.h"

/* --min-ttl asks for more than there is. */
static void tell_short(struct context *context, const struct account *account, const struct access_record *record)
{
	char text[ACCOUNT_TEXT_BYTES];

	context_warn(context, "min_ttl", "the access token of %s lives %lld s: the server gives no more than %lld s",
	             account_text(account, text), (long long)cached_left_s(record), (long long)record->lifetime_s);
}

static struct cached facts_of(const struct context *context, const struct access_record *record)
{
	bool same_boot = cached_ago_ms(record, context->started_boot_ms) >= 0;

	return (struct cached){
		.present = true,
		.left_s = cached_left_s(record),
		.lifetime_s = record->lifetime_s,
		.minted_since = same_boot && record->minted_at_ms >= context->started_boot_ms,
		.suspect = record->suspect_ms != 0,
		.late = cached_is_late(record),
		.validated_ago_ms = cached_ago_ms(record, record->validated_ms),
		.validated_since = same_boot && record->validated_ms >= context->started_boot_ms,
	};
}

/* What the cache has, and what is to be done about it. */
static enum decision look(struct context *context, const struct account *account, struct access_record *ret_record)
{
	static const char *const words[] = { [SERVE] = "serve", [SERVE_YOUNG] = "serve", [VALIDATE] = "validate", [MINT] = "mint" };
	const struct options *o = &context->options;
	struct wish wish = { .min_ttl_s = o->min_ttl_s, .fresh = o->fresh, .validate = o->validate, .lasting = context->lasting };
	struct cached have = { .present = false };
	enum decision decision;

	access_record_wipe(ret_record);
	if (vault_access(context, account, ret_record))
		have = facts_of(context, ret_record);
	decision = policy_decide(&have, &wish);
	if (have.present)
		trace("cached: %lld of %lld s left%s%s: %s", (long long)have.left_s, (long long)have.lifetime_s, have.suspect ? ", suspect" : "",
		      have.late ? ", a lost call may still end it" : "", words[decision]);
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
	bool announced = false;

	account_lock_name(account, name);
	for (;;) {
		bool late = clock_mono_ms() >= context->deadline_ms;
		enum outcome outcome = lock_try(name, lock, &context->trouble);

		if (outcome != DONE)
			return outcome;
		/* The look after the lock is taken is the single flight: its last holder has cached what it minted. */
		*ret_decision = look(context, account, ret_record);
		if (is_served(*ret_decision))
			return DONE;
		if (lock->fd >= 0)
			return cached_check_version(context, account, ret_record);
		if (context->options.fresh && !announced)
			lock_announce(name, lock);
		announced = true;
		if (late)
			return trouble_say(&context->trouble, TROUBLE_BUSY, "try again, or end the alation-cred that hangs",
			                   "another alation-cred holds %s", account_text(account, text));
		lock_pause();
	}
}

enum outcome token_mint(struct context *context, const struct account *account, struct bytes refresh_token,
                        struct access_record *ret_record, struct alation_reply *ret_reply)
{
	struct alation_call call = { .endpoint = ALATION_CREATE_ACCESS_TOKEN, .refresh_token = refresh_token };
	int64_t began_wall_s = clock_wall_s();
	enum outcome outcome;
	bool guessed;

	*ret_record = (struct access_record){ .minted_at_ms = clock_boot_ms() };
	outcome = client_call(context, account, &call, &ret_record->token, ret_reply);
	if (outcome != DONE)
		return outcome;
	ret_record->lifetime_s = policy_lifetime_s(ret_reply->created_at, ret_reply->expires_at, ret_reply->date, &guessed);
	ret_record->expires_at = began_wall_s + ret_record->lifetime_s;
	ret_record->skew_s = ret_reply->date >= 0 ? ret_reply->date - clock_wall_s() : 0;
	ret_record->mints = 1;
	memcpy(ret_record->boot_id, cached_boot_id(), sizeof ret_record->boot_id);
	memcpy(ret_record->parent, ret_reply->fingerprint, sizeof ret_record->parent);
	if (guessed)
		context_warn(context, "lifetime_unknown", "the server's dates cannot be used; the access token is taken to live one hour");
	return DONE;
}

/* Each of them revokes the other's tokens, and neither knows. */
static void tell_used_elsewhere(struct context *context, const struct account *account)
{
	char text[ACCOUNT_TEXT_BYTES];

	context_warn(context, "used_elsewhere", "something else uses the RefreshToken of %s: its access tokens die before their time, three in ten minutes; make one for each at %s/account/auth",
	             account_text(account, text), account->base_url);
}

enum outcome token_check(struct context *context, const struct account *account, struct access_record *record, bool *ret_active)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_ACCESS_TOKEN, .access_token = secret_view(&record->token) };
	struct alation_reply reply;
	int64_t began_ms = clock_boot_ms();
	enum outcome outcome = client_call(context, account, &call, NULL, &reply);
	bool often;

	if (outcome != DONE && reply.result != ALATION_REFUSED)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	*ret_active = outcome == DONE && reply.token_status == ALATION_ACTIVE;
	trace("the server says that the cached token is %s", *ret_active ? "active" : "dead");
	if (*ret_active) {
		cached_lives(context, account, record, began_ms);
		return DONE;
	}
	outcome = cached_died(context, account, record, &often);
	if (often)
		tell_used_elsewhere(context, account);
	return outcome;
}

#define REFUSED_FOR_S 60 /* a server that says no is not asked again at each call */

/* What the server said to an earlier call with this RefreshToken, while that counts. */
static enum outcome check_refusal(struct context *context, const struct account *account, struct bytes refresh_token)
{
	ACCESS_RECORD record = { 0 };
	struct alation_reply reply = { .result = ALATION_REFUSED, .http_status = 401 };
	char fingerprint[ALATION_FINGERPRINT_BYTES + 1];
	enum refusal refusal;
	enum outcome outcome;
	int64_t left_s;

	vault_access(context, account, &record);
	if (record.refusal == REFUSAL_NONE)
		return DONE;
	outcome = client_fingerprint(context, refresh_token, fingerprint);
	if (outcome != DONE)
		return outcome;
	refusal = cached_refusal(&record, fingerprint, &left_s);
	if (refusal == REFUSAL_NONE)
		return DONE;
	trace("the server refused this RefreshToken before: not asked again for %lld s", (long long)left_s);
	if (refusal == REFUSAL_THROTTLED)
		reply = (struct alation_reply){ .result = ALATION_THROTTLED, .http_status = 429, .retry_after_s = left_s };
	reply.says_expired = refusal == REFUSAL_EXPIRED;
	return client_say_mint(context, account, refresh_token, &reply);
}

/* A hard refusal counts for a minute, and that there were too many requests for as long as it says, a minute at most. */
static void remember_refusal(struct context *context, const struct account *account, const struct alation_reply *reply)
{
	if (reply->result == ALATION_REFUSED)
		cached_refuse(context, account, reply->says_expired ? REFUSAL_EXPIRED : REFUSAL_INVALID, REFUSED_FOR_S, reply->fingerprint);
	else if (reply->result == ALATION_THROTTLED && reply->retry_after_s > 0)
		cached_refuse(context, account, REFUSAL_THROTTLED, reply->retry_after_s < REFUSED_FOR_S ? reply->retry_after_s : REFUSED_FOR_S,
		              reply->fingerprint);
}

/* Under the lock: the RefreshToken, a mint, the cache. What is cached until then is revoked by the mint. */
static enum outcome mint_and_keep(struct context *context, struct account *account, struct access_record *ret_record)
{
	REFRESH_RECORD refresh = { 0 };
	struct alation_reply reply;
	int64_t before_ms;
	enum outcome outcome = refresh_read(context, account, &refresh);

	if (outcome != DONE)
		return outcome;
	outcome = check_refusal(context, account, secret_view(&refresh.token));
	if (outcome != DONE)
		return refresh_settle(context, account, &refresh, outcome);
	failpoint("mint.read");
	before_ms = cached_suspect(context, account);
	failpoint("mint.marked");
	outcome = token_mint(context, account, secret_view(&refresh.token), ret_record, &reply);
	if (outcome == DONE)
		cached_keep(context, account, ret_record);
	else if (reply.maybe_acted)
		cached_suspect(context, account); /* from now on it may still arrive */
	else
		cached_trust(context, account, before_ms);
	remember_refusal(context, account, &reply);
	failpoint("mint.cached");
	return refresh_settle(context, account, &refresh, outcome);
}

/* Under the lock: what the cache has may be served once the server has said so. DONE and a record without a token: it
 * is dead. */
static enum outcome validate(struct context *context, struct account *account, struct access_record *record)
{
	enum outcome outcome = DONE;
	bool active;

	/* It was marked by a call that never came back. If that was a rotation, it is finished first. */
	if (record->suspect_ms) {
		REFRESH_RECORD refresh = { 0 };

		outcome = refresh_read(context, account, &refresh);
	}
	if (outcome == DONE)
		outcome = token_check(context, account, record, &active);
	/* A server that has no such question, or forbids it: a mint answers it too. */
	if (outcome == SERVER && !context->options.validate &&
	    (context->trouble.code == TROUBLE_FORBIDDEN || context->trouble.code == TROUBLE_NOT_AN_ALATION_SERVER)) {
		context->trouble = (struct trouble){ 0 };
		access_record_wipe(record);
		return DONE;
	}
	return outcome;
}

/* Under the lock, which goes while another process rotates: what DECISION says. *ret_again: the lock was let go, and
 * what is cached by now is to be looked at. */
static enum outcome refill(struct context *context, struct account *account, enum decision decision, struct lock *lock, bool *may_renew,
                           struct access_record *record, bool *ret_again)
{
	enum outcome outcome = DONE;

	if (decision == VALIDATE) {
		outcome = validate(context, account, record);
		if (outcome != DONE || record->token.len)
			return outcome;
	}
	access_record_wipe(record);
	if (*may_renew && renewal_is_due(context, account) && cached_may_renew(context, account)) {
		lock_release(lock);
		renewal_run(context, account);
		*may_renew = false;
		*ret_again = true;
		return DONE;
	}
	if (context->options.fresh)
		lock_gather(lock, context->deadline_ms);
	outcome = mint_and_keep(context, account, record);
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

static enum outcome obtain(struct context *context, struct account *account, struct access_record *ret_record)
{
	bool may_ask = context->interactive, may_renew = true;
	enum decision decision = look(context, account, ret_record);
	enum outcome outcome;

	if (is_served(decision))
		return DONE;
	outcome = vault_check_access(context, account); /* nothing is minted that could not be kept as is wanted */
	if (outcome != DONE)
		return outcome;
	for (;;) {
		LOCK lock = LOCK_NONE;
		bool again = false;

		outcome = lock_or_token(context, account, &lock, &decision, ret_record);
		if (outcome != DONE || is_served(decision))
			return outcome;
		outcome = refill(context, account, decision, &lock, &may_renew, ret_record, &again);
		if (outcome == DONE && again)
			continue;
		if (outcome != LOCKED || !may_ask)
			return outcome;
		lock_release(&lock);
		may_ask = false;
		outcome = let_unlock(context, account);
		if (outcome != DONE)
			return outcome;
	}
}

/*
 * A program that runs on should have a token that lives for long, but where none can be had, what `get` would serve is better than none. Who
 * said what he wants gets that or nothing. OUTCOME is what became of the first.
 */
static enum outcome settle_for_less(struct context *context, struct account *account, enum outcome outcome, struct access_record *ret_record)
{
	const struct options *o = &context->options;
	const struct trouble trouble = context->trouble;
	char text[ACCOUNT_TEXT_BYTES];

	if (!context->lasting || o->min_ttl_s >= 0 || o->fresh || o->validate)
		return outcome;
	context->lasting = false;
	if (look(context, account, ret_record) == MINT)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	outcome = obtain(context, account, ret_record);
	if (outcome == DONE && cached_left_s(ret_record) <= policy_lasting_s(ret_record->lifetime_s))
		context_warn(context, "min_ttl", "the access token of %s ends in %lld min, and no other could be had: %s", account_text(account, text),
		             (long long)cached_left_s(ret_record) / 60, trouble.message);
	return outcome;
}

enum outcome token_obtain(struct context *context, struct account *account, struct access_record *ret_record)
{
	enum outcome outcome = obtain(context, account, ret_record);

	if (outcome != DONE)
		outcome = settle_for_less(context, account, outcome, ret_record);
	if (outcome == DONE)
		renewal_remind(context, account, ret_record);
	return outcome;
}
