/* SPDX-License-Identifier: MIT */
/*
 * Records in and out of the keyring stack.
 */
#include "helper/lifecycle/vault.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/lifecycle/walk.h"

const char *vault_fault_words(enum record_fault fault)
{
	static const char *const words[] = {
		[RECORD_OK] = "is sound",
		[RECORD_DAMAGED] = "is damaged",
		[RECORD_FOREIGN] = "is of another kind or another account",
		[RECORD_NEWER] = "was written by a newer alation-cred",
		[RECORD_NO_MEMORY] = "does not fit into memory",
	};

	return words[fault];
}

static enum outcome bad_record(struct context *context, const struct account *account, const char *module, enum record_fault fault)
{
	char text[ACCOUNT_TEXT_BYTES];

	account_text(account, text);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED,
	                   fault == RECORD_NEWER ? "update this alation-cred" : "remove it with 'alation-cred logout', then log in again",
	                   "what the keyring (%s) holds for %s %s", module, text, vault_fault_words(fault));
}

bool vault_is_foreign(const struct refresh_record *record, const struct account *account)
{
	return record->base_url[0] && (record->user_id != account->user_id || strcmp(record->base_url, account->base_url) != 0);
}

enum outcome vault_refresh(struct context *context, const struct account *account, bool may_prompt,
                           struct refresh_record *ret_record)
{
	SECRET line = { 0 };
	struct walk walk = { context, account, may_prompt, &line, .began_ms = 0 };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer answer;
	enum record_fault fault;

	*ret_record = (struct refresh_record){ 0 };
	if (walk_look_up(&walk, &key, walk_holder(account), &answer) != ACRED_OK)
		return walk_say(&walk, &answer);
	fault = refresh_record_parse(secret_view(&line), ret_record);
	if (!fault && vault_is_foreign(ret_record, account))
		fault = RECORD_FOREIGN;
	/* What is not this account's must not be sent, nor compared with anything. */
	if (fault)
		refresh_record_wipe(ret_record);
	ret_record->unreadable = fault && fault != RECORD_NO_MEMORY;
	ret_record->module = answer.module;
	ret_record->source = answer.readonly ? answer.module : NULL;
	return fault ? bad_record(context, account, answer.module, fault) : DONE;
}

enum outcome vault_comes_back(struct context *context, const struct account *account, const struct acred_key *key,
                              const char *module, struct bytes line)
{
	SECRET found = { 0 };
	struct walk walk = { context, account, false, &found, .began_ms = 0 };
	struct keyring_answer answer;
	char text[ACCOUNT_TEXT_BYTES];

	if (walk_look_up_in(&walk, key, module, &answer) == ACRED_OK && secret_equal(secret_view(&found), line))
		return DONE;
	if (answer.status != ACRED_OK && answer.status != ACRED_ABSENT)
		return walk_say(&walk, &answer);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "'alation-cred status' tells about each keyring",
	                   "the keyring (%s) does not give back what it took for %s", module, account_text(account, text));
}

enum outcome vault_keep_refresh(struct context *context, struct account *account, const struct refresh_record *record)
{
	SECRET line = { 0 };
	struct walk walk = { context, account, .may_prompt = false };
	struct keyring_answer answer;
	struct acred_key key = walk_key(account, "refresh");
	enum outcome outcome;

	if (!refresh_record_format(record, &line))
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "", "no memory for a record");
	if (walk_store(&walk, &key, walk_holder(account), secret_view(&line), WALK_FOR_EVER, &answer) != ACRED_OK)
		return walk_say(&walk, &answer);
	outcome = vault_comes_back(context, account, &key, answer.module, secret_view(&line));
	if (outcome == DONE)
		snprintf(account->module, sizeof account->module, "%s", answer.module);
	return outcome;
}

enum outcome vault_check_open(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer answer;

	if (!walk_holder(account) || walk_look_up_in(&walk, &key, account->module, &answer) != ACRED_LOCKED)
		return DONE;
	return walk_say(&walk, &answer);
}

/* A module that cannot be written is passed over by the stack; one that gives the RefreshToken all the same is worth a word. */
static bool tell_source(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer answer;
	char text[ACCOUNT_TEXT_BYTES];

	if (walk_look_up(&walk, &key, NULL, &answer) != ACRED_OK || !answer.readonly)
		return false;
	context_warn(context, "source", "'%s' still gives a RefreshToken of %s; it can only be read here", answer.module, account_text(account, text));
	return true;
}

/* Of the keyring that holds it, what others answered is no answer: it can be written, but not here, or it erases nothing. */
static bool stays_with(struct walk *walk, const char *holder, const struct acred_key *key, const struct keyring_answer *answer,
                       struct keyring_answer *ret_there)
{
	bool refused = false;

	for (size_t i = 0; i < answer->n_passed_over && holder; i++)
		refused |= answer->passed_over[i].status == ACRED_READONLY && strcmp(answer->passed_over[i].module, holder) == 0;
	if (!refused || walk_look_up_in(walk, key, holder, ret_there) != ACRED_OK || ret_there->readonly)
		return false;
	ret_there->status = ACRED_READONLY;
	return true;
}

enum outcome vault_forget_refresh(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer answer, there;
	bool any_source = false;

	walk_erase(&walk, &key, walk_holder(account), NULL, &answer);
	if (stays_with(&walk, walk_holder(account), &key, &answer, &there))
		return walk_say(&walk, &there);
	for (size_t i = 0; i < answer.n_passed_over; i++)
		any_source |= answer.passed_over[i].status == ACRED_READONLY;
	if (any_source && tell_source(context, account) && (answer.status == ACRED_READONLY || answer.status == ACRED_UNAVAILABLE))
		return DONE;
	return answer.status == ACRED_ABSENT ? DONE : walk_say(&walk, &answer);
}

enum outcome vault_forget_elsewhere(struct context *context, const struct account *account, const char *before)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer answer, there;

	walk_erase(&walk, &key, before, account->module, &answer);
	if (stays_with(&walk, before, &key, &answer, &there))
		return walk_say(&walk, &there);
	return answer.status == ACRED_ABSENT || answer.status == ACRED_READONLY ? DONE : walk_say(&walk, &answer);
}

int vault_put_line(struct context *context, const struct account *account, const char *facility, struct bytes line, int64_t ttl_s)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, facility);
	struct keyring_answer answer;

	return walk_store(&walk, &key, NULL, line, ttl_s, &answer);
}

int vault_get_line(struct context *context, const struct account *account, const char *facility, struct secret *ret_line,
                   struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, false, ret_line, .began_ms = 0 };
	struct acred_key key = walk_key(account, facility);

	return walk_look_up(&walk, &key, NULL, ret_answer);
}

int vault_drop_line(struct context *context, const struct account *account, const char *facility)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, facility);
	struct keyring_answer answer;

	return walk_erase(&walk, &key, NULL, NULL, &answer);
}

static int look_up_access(struct context *context, const struct account *account, struct access_record *ret_record,
                          struct keyring_answer *ret_answer)
{
	SECRET line = { 0 };
	enum record_fault fault;

	*ret_record = (struct access_record){ 0 };
	if (vault_get_line(context, account, "access", &line, ret_answer) != ACRED_OK)
		return ret_answer->status;
	fault = access_record_parse(secret_view(&line), ret_record);
	ret_record->newer = fault == RECORD_NEWER;
	ret_record->damaged = fault == RECORD_DAMAGED || fault == RECORD_FOREIGN;
	if (!ret_record->token.len)
		ret_answer->status = ACRED_ABSENT;
	return ret_answer->status;
}

bool vault_access(struct context *context, const struct account *account, struct access_record *ret_record)
{
	struct keyring_answer answer;

	return look_up_access(context, account, ret_record, &answer) == ACRED_OK;
}

enum outcome vault_check_access(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	ACCESS_RECORD unread = { 0 };
	struct keyring_answer answer;

	look_up_access(context, account, &unread, &answer);
	return answer.refused ? walk_say(&walk, &answer) : DONE;
}

void vault_keep_access(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s)
{
	SECRET line = { 0 };
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "access");
	struct keyring_answer answer = { .status = ACRED_FAILED };

	if (access_record_format(record, &line))
		walk_store(&walk, &key, NULL, secret_view(&line), ttl_s, &answer);
	if (answer.status != ACRED_OK)
		context_warn(context, "not_cached", "the access token could not be cached (%s%s%s); the next call mints another and revokes this one",
		             keyring_status_word(answer.status), answer.why[0] ? ": " : "", answer.why);
}

void vault_remember(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s)
{
	SECRET line = { 0 };

	if (access_record_format(record, &line))
		vault_put_line(context, account, "access", secret_view(&line), ttl_s);
}

enum outcome vault_forget_access(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "access");
	struct keyring_answer answer;

	walk_erase(&walk, &key, NULL, NULL, &answer);
	/* A cache that cannot be reached holds nothing that could be served from it. */
	return answer.status == ACRED_ABSENT || answer.status == ACRED_UNAVAILABLE ? DONE : walk_say(&walk, &answer);
}

int vault_locate_refresh(struct context *context, const struct account *account, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct acred_key key = walk_key(account, "refresh");

	return walk_locate(&walk, &key, walk_holder(account), ret_answer);
}

int vault_locate_access(struct context *context, const struct account *account, struct access_record *ret_record,
                        struct keyring_answer *ret_answer)
{
	return look_up_access(context, account, ret_record, ret_answer);
}
