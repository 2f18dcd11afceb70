/* SPDX-License-Identifier: MIT */
/*
 * The order of a login. A RefreshToken that the server has just created is durable before anything else; one that
 * was made elsewhere is proved first, and what its mint brought is cached only once the RefreshToken is durable.
 */
#include "helper/lifecycle/enroll.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/signals.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/token.h"
#include "helper/lifecycle/vault.h"

#define LEARN_MS 5000

/* The RefreshToken that this account had until now: its access tokens end. */
static enum alation_result retire(struct context *context, const struct account *account, const struct refresh_record *old)
{
	struct alation_call call = { .endpoint = ALATION_REVOKE_ACCESS_TOKENS, .refresh_token = secret_view(&old->token) };
	struct alation_reply reply;
	struct trouble before = context->trouble;

	cached_suspect(context, account);
	failpoint("login.marked");
	client_call(context, account, &call, NULL, &reply);
	vault_forget_access(context, account); /* dead, or it may be */
	failpoint("login.retired");
	context->trouble = before;
	context_reserve(context);
	return reply.result;
}

/* That it lives on is said once the new one is kept: whoever deleted it before might delete the only one there is. */
static void tell_of(struct context *context, const struct account *account, const struct refresh_record *old,
                    enum alation_result retired)
{
	char text[ACCOUNT_TEXT_BYTES];

	if (retired == ALATION_REFUSED)
		return;
	context_warn(context, "earlier_refresh_token", "the earlier RefreshToken %s%s%sof %s still lives%s; delete it at %s/account/auth",
	             old->name[0] ? "'" : "", old->name, old->name[0] ? "' " : "", account_text(account, text),
	             retired == ALATION_DONE ? "" : ", and its access tokens may", account->base_url);
}

/* What the keyring holds for the account now. LOGIN_NEEDED (nothing) is no trouble here; a record that must not be
 * overwritten is. */
static enum outcome look(struct context *context, const struct account *account, struct refresh_record *ret_old)
{
	enum outcome outcome = vault_refresh(context, account, false, ret_old);
	char text[ACCOUNT_TEXT_BYTES];

	if (outcome == DONE && ret_old->source) {
		/* It is somebody else's, and goes on being asked first. */
		context_warn(context, "source", "'%s' gives a RefreshToken of %s too, and here it goes before the one that is kept now", ret_old->source,
		             account_text(account, text));
		refresh_record_wipe(ret_old);
	}
	if (outcome != LOGIN_NEEDED)
		return outcome;
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

/* Likewise where it moves to another keyring; one that cannot be asked any more, as where a desktop was, stops nobody. Nor does
 * one that is away stop a login which has just tried the stack: the line that took the try takes it. */
static enum outcome look_before(struct context *context, struct account *account, const struct account *before, bool by_login,
                                struct refresh_record *ret_old)
{
	REFRESH_RECORD there = { 0 };
	enum outcome outcome;

	if (!before->module[0] || strcmp(before->module, account->module) == 0) {
		outcome = look(context, account, ret_old);
		if (!by_login || context->trouble.code != TROUBLE_KEYRING_UNAVAILABLE)
			return outcome;
		account->module[0] = '\0';
		context->trouble = (struct trouble){ 0 };
		return DONE;
	}
	outcome = look(context, account, &there);
	if (outcome != DONE)
		return outcome;
	vault_refresh(context, before, false, ret_old);
	if (ret_old->source)
		refresh_record_wipe(ret_old);
	context->trouble = (struct trouble){ 0 };
	return DONE;
}

/* Lists the account whose RefreshToken is kept. Without that the keyring serves it only where it is named whole. */
static enum outcome list(struct context *context, const struct account *account, bool by_login)
{
	enum outcome outcome = (by_login ? accounts_put : accounts_add)(account, context->deadline_ms, &context->trouble);
	char text[ACCOUNT_TEXT_BYTES];

	if (outcome != DONE)
		context_warn(context, "not_listed", "the RefreshToken '%s' is kept, but the list of accounts could not be written; 'alation-cred get %s' works",
		             account->name, account_text(account, text));
	return outcome;
}

static bool fill_record(struct refresh_record *record, const struct account *account, struct bytes token, int64_t created_at)
{
	memcpy(record->base_url, account->base_url, sizeof record->base_url);
	memcpy(record->name, account->name, sizeof record->name);
	record->user_id = account->user_id;
	record->created_at = created_at;
	record->token_expires_at = account->refresh_expires_at;
	return token.p == record->token.bytes || secret_set(&record->token, token);
}

static enum outcome no_memory(struct context *context)
{
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "", "no memory for the record");
}

/* Where this account's RefreshToken is kept until now: the same place takes the next, unless the login says another, which
 * *ret_before is then not. */
static void take_module_over(struct account *account, struct account *ret_before)
{
	*ret_before = *account;
	ret_before->module[0] = '\0';
	accounts_look_again(ret_before);
	if (!account->module[0])
		memcpy(account->module, ret_before->module, sizeof account->module);
}

static bool is_moved(const struct account *account, const struct account *before)
{
	return before->module[0] && strcmp(before->module, account->module) != 0;
}

/* It lies, and is listed, in another keyring now: the old one's copy goes, and so does what a move that was broken off has
 * left there. */
static void leave(struct context *context, const struct account *account, const struct account *before)
{
	struct trouble said = context->trouble;
	char text[ACCOUNT_TEXT_BYTES];
	bool moved = is_moved(account, before);

	if (!moved && !context->options.keyring)
		return;
	if (vault_forget_elsewhere(context, account, moved ? before->module : account->module) != DONE && moved)
		context_warn(context, "left_behind", "the earlier RefreshToken of %s could not be removed from the keyring (%s)", account_text(account, text),
		             before->module);
	context->trouble = said;
}

static void take_reply(struct account *account, const struct alation_reply *reply)
{
	if (reply->name[0])
		snprintf(account->name, sizeof account->name, "%s", reply->name);
	account->refresh_expires_at = reply->expires_at >= 0 ? reply->expires_at : RECORD_TIME_UNKNOWN;
}

/* Proves a kept RefreshToken, under the lock, and caches what that brings. */
static enum outcome prove(struct context *context, const struct account *account, const struct refresh_record *record)
{
	ACCESS_RECORD access = { 0 };
	struct alation_reply reply;
	enum outcome outcome = token_mint(context, account, secret_view(&record->token), &access, &reply);

	if (outcome == DONE)
		cached_keep(context, account, &access);
	failpoint("login.cached");
	return outcome;
}

enum outcome enroll_password(struct context *context, struct account *account, struct bytes user, struct bytes password,
                             const char *name)
{
	struct alation_call call = {
		.endpoint = ALATION_CREATE_REFRESH_TOKEN, .username = user, .password = password, .name = bytes_of(name),
	};
	struct alation_reply reply;
	char text[ACCOUNT_TEXT_BYTES];
	struct account before;
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD old = { 0 }, fresh = { 0 };
	SIGNALS signals = { .held = false };
	bool replaced; /* until the list names the new place, the old one is what is served */
	enum outcome outcome;

	signals_hold(&signals);
	context_stake(context, "the server may have made a RefreshToken '%s' all the same; look, and delete it, at %s/account/auth", name, account->base_url);
	outcome = client_call(context, account, &call, &fresh.token, &reply);
	if (outcome != DONE && reply.maybe_acted)
		context_warn(context, "orphan", "%s", context->at_stake);
	if (outcome != DONE)
		return outcome;
	context_stake(context, "the server has made a RefreshToken '%s' that could not be kept here; delete it at %s/account/auth", name, account->base_url);
	/* It exists nowhere else now: keeping it does not depend on how long the server took to make it. */
	context_reserve(context);
	account->user_id = reply.user_id;
	snprintf(account->name, sizeof account->name, "%s", name);
	take_reply(account, &reply);
	take_module_over(account, &before);
	outcome = account_lock(context, account, &lock);
	if (outcome == DONE)
		outcome = look_before(context, account, &before, true, &old);
	if (outcome == DONE && !fill_record(&fresh, account, secret_view(&fresh.token), reply.created_at))
		outcome = no_memory(context);
	failpoint("login.read");
	if (outcome == DONE)
		outcome = failpoint_after("login.stored", vault_keep_refresh(context, account, &fresh), &context->trouble);
	if (outcome != DONE) {
		context_warn(context, "orphan", "%s", context->at_stake);
		return outcome;
	}
	context_stake(context, "%s", "");
	outcome = failpoint_after("login.listed", list(context, account, true), &context->trouble);
	replaced = outcome == DONE || !is_moved(account, &before);
	if (replaced)
		recovery_forget(context, account);
	signals_release(&signals);
	if (outcome == DONE)
		leave(context, account, &before);
	if (old.token.len && replaced)
		tell_of(context, account, &old, retire(context, account, &old));
	if (outcome == DONE)
		outcome = prove(context, account, &fresh);
	if (outcome != DONE)
		context_warn(context, "kept", "the RefreshToken '%s' is made and kept all the same; 'alation-cred get %s' tries again", account->name,
		             account_text(account, text));
	return outcome;
}

/* Name and expiry of a RefreshToken made elsewhere: the validation informs, the mint has decided. */
static void learn(struct context *context, struct account *account, struct bytes refresh_token, int64_t *ret_created_at)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_REFRESH_TOKEN, .refresh_token = refresh_token };
	struct alation_reply reply;
	int64_t deadline_ms = context->deadline_ms;

	*ret_created_at = RECORD_TIME_UNKNOWN;
	/* A question of courtesy: it may not use up what the rest of the login needs. */
	if (context->deadline_ms > clock_mono_ms() + LEARN_MS)
		context->deadline_ms = clock_mono_ms() + LEARN_MS;
	if (client_call(context, account, &call, NULL, &reply) == DONE) {
		take_reply(account, &reply);
		*ret_created_at = reply.created_at >= 0 ? reply.created_at : RECORD_TIME_UNKNOWN;
	} else {
		context->trouble = (struct trouble){ 0 };
		context_warn(context, "expiry_unknown", "the server did not tell when this RefreshToken expires");
	}
	context->deadline_ms = deadline_ms;
}

enum outcome enroll_token(struct context *context, struct account *account, struct bytes refresh_token, bool by_login)
{
	LOCK lock = LOCK_NONE;
	REFRESH_RECORD old = { 0 }, fresh = { 0 };
	ACCESS_RECORD cached = { 0 }, access = { 0 };
	struct account before;
	enum alation_result retired = ALATION_REFUSED;
	struct alation_reply reply;
	int64_t created_at, before_ms = 0;
	bool same, marked, replaced; /* until the list names the new place, the old one is what is served */
	enum outcome outcome = account_lock(context, account, &lock);

	take_module_over(account, &before);
	if (outcome == DONE)
		outcome = look_before(context, account, &before, by_login, &old);
	if (outcome != DONE)
		return outcome;
	vault_access(context, account, &cached);
	outcome = cached_check_version(context, account, &cached);
	if (outcome != DONE)
		return outcome;
	failpoint("login.read");
	same = old.token.len && secret_equal(secret_view(&old.token), refresh_token);
	/* Kept, but in no list: whoever brought it before died in between. */
	if (same && !by_login && account->module[0])
		return DONE;
	/* The mint revokes what is cached if it is of this RefreshToken, whatever becomes of us in between. */
	marked = same || !old.token.len;
	if (marked)
		before_ms = cached_suspect(context, account);
	outcome = token_mint(context, account, refresh_token, &access, &reply);
	if (outcome != DONE && marked && !reply.maybe_acted)
		cached_trust(context, account, before_ms);
	if (outcome != DONE)
		return outcome;
	context_reserve(context);
	learn(context, account, refresh_token, &created_at);
	if (old.token.len && !same)
		retired = retire(context, account, &old);
	if (!fill_record(&fresh, account, refresh_token, created_at))
		return no_memory(context);
	outcome = failpoint_after("login.stored", vault_keep_refresh(context, account, &fresh), &context->trouble);
	if (outcome != DONE)
		return outcome;
	cached_keep(context, account, &access);
	failpoint("login.cached");
	outcome = failpoint_after("login.listed", list(context, account, by_login), &context->trouble);
	replaced = outcome == DONE || !is_moved(account, &before);
	if (replaced)
		recovery_forget(context, account);
	if (outcome == DONE)
		leave(context, account, &before);
	if (old.token.len && !same && replaced)
		tell_of(context, account, &old, retired);
	return outcome;
}
