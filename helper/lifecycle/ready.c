/* SPDX-License-Identifier: MIT */
/*
 * The try before a login: a look-up, then a record of nobody's that is stored, read back and erased.
 */
#include "helper/lifecycle/ready.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/base/failpoint.h"
#include "helper/base/prompt.h"
#include "helper/lifecycle/missing.h"
#include "helper/lifecycle/record.h"
#include "helper/lifecycle/vault.h"
#include "helper/lifecycle/walk.h"

#define TOKEN_BYTES 1024 /* about what servers make */

const struct account ready_nobody = { .base_url = "https://write-test.invalid", .user_id = 1 };

static bool a_person_is_there(const struct context *context)
{
	return context->interactive || (context->asks && prompt_secret_possible());
}

/* Whoever named it has misspelt it, or it is not installed. */
static enum outcome say_no_module(struct context *context, int status, const char *module, const char *why)
{
	char words[MISSING_WORDS_BYTES] = "install that one", remedy[MISSING_WORDS_BYTES + 96];

	if (status == ACRED_UNAVAILABLE)
		missing_words(module, why, words);
	snprintf(remedy, sizeof remedy, "alation-cred-keyring(7) lists the modules; %s, or log in with another", words);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_UNAVAILABLE, remedy, "the keyring module '%s' cannot be used: %s", module, why);
}

/* Whether the keyring answers. The user id is not known before the server tells it; any will do. */
static enum outcome answers(struct context *context, const struct account *account)
{
	const struct acred_key key = { "refresh", account->base_url, 1 };
	struct walk walk = { context, account, .may_prompt = false };
	struct keyring_answer answer;
	const char *why;
	int refusal;

	walk_look_up(&walk, &key, walk_holder(account), &answer);
	if (answer.status == ACRED_LOCKED && a_person_is_there(context)) {
		walk.may_prompt = true;
		walk_look_up(&walk, &key, walk_holder(account), &answer);
	}
	/* One that is away holds nothing that could be found, and another line may take it: the try tells. */
	if (answer.status == ACRED_UNAVAILABLE && !answer.refused && !walk_holder(account))
		return DONE;
	refusal = answer.status != ACRED_ABSENT && account->module[0] ? keyring_refusal(&context->keyring, key.facility, account->module, &why) : ACRED_OK;
	if (refusal != ACRED_OK)
		return say_no_module(context, refusal, account->module, why);
	return answer.status == ACRED_ABSENT ? DONE : walk_say(&walk, &answer);
}

static enum outcome say_unwritable(struct walk *walk, const struct keyring_answer *answer)
{
	struct trouble *trouble = &walk->context->trouble;
	const char *module = answer->module ? answer->module : "none";
	char text[ACCOUNT_TEXT_BYTES];

	account_text(walk->account, text);
	if (answer->status == ACRED_READONLY)
		return trouble_say(trouble, TROUBLE_KEYRING_READONLY, "log in where there is a keyring that can be written, or with --keyring sealed-file",
		                   "the keyring (%s) can only be read, and keeps no RefreshToken of %s", module, text);
	if (answer->status == ACRED_LOCKED && answer->why[0] && walk->context->asked)
		return trouble_say(trouble, TROUBLE_KEYRING_LOCKED, "start the login again", "the keyring (%s) cannot keep a RefreshToken of %s: %s", module, text,
		                   answer->why);
	if (answer->status == ACRED_LOCKED && answer->why[0])
		return trouble_say(trouble, TROUBLE_KEYRING_LOCKED, "log in on a terminal, where it can ask, or open it before with 'alation-cred unlock'",
		                   "the keyring (%s) cannot keep a RefreshToken of %s: %s", module, text, answer->why);
	if (answer->status == ACRED_FAILED && !answer->refused)
		return trouble_say(trouble, TROUBLE_KEYRING_FAILED, "look whether its disk is full or can only be read, then try again",
		                   "the keyring (%s) cannot be written for %s%s%s", module, text, answer->why[0] ? ": " : "", answer->why);
	return walk_say(walk, answer);
}

/* Nobody's record: whatever reads it sends it nowhere, and what a crash leaves of it is replaced by the next login's. */
bool ready_nobodys_line(struct secret *ret_line)
{
	REFRESH_RECORD record = { .user_id = ready_nobody.user_id, .created_at = RECORD_TIME_UNKNOWN, .token_expires_at = RECORD_TIME_UNKNOWN };
	char token[TOKEN_BYTES];

	memset(token, 'x', sizeof token);
	memcpy(record.base_url, ready_nobody.base_url, sizeof record.base_url);
	return secret_set(&record.token, (struct bytes){ token, sizeof token }) && refresh_record_format(&record, ret_line);
}

/* Stored, read back, erased. What stays there harms nobody, so the last step's failure is none. */
static enum outcome write_and_erase(struct walk *walk, const struct acred_key *key, struct bytes line)
{
	struct keyring_answer answer, erased;
	enum outcome outcome;

	walk_store(walk, key, walk_holder(walk->account), line, WALK_FOR_EVER, &answer);
	failpoint("login.tried");
	if (answer.status == ACRED_OK)
		outcome = vault_comes_back(walk->context, walk->account, key, answer.module, line);
	else
		outcome = say_unwritable(walk, &answer);
	walk_erase(walk, key, walk_holder(walk->account), NULL, &erased);
	return outcome;
}

/* One at a time: the item of one is not to be erased by another that is done. */
static enum outcome try_it(struct walk *walk, struct bytes line)
{
	const struct acred_key key = walk_key(&ready_nobody, "refresh");
	LOCK lock = LOCK_NONE;
	enum outcome outcome = account_lock(walk->context, &ready_nobody, &lock);

	return outcome == DONE ? write_and_erase(walk, &key, line) : outcome;
}

/* What is made only now wants a passphrase, and whoever chooses one takes his time: no lock is held. If he chose none, to try
 * without him would only tell that nobody was asked. */
static enum outcome let_unlock(struct walk *walk, struct bytes line)
{
	const struct acred_key key = walk_key(&ready_nobody, "refresh");
	struct keyring_answer answer;

	walk->may_prompt = true;
	walk_store(walk, &key, walk_holder(walk->account), line, WALK_FOR_EVER, &answer);
	walk->may_prompt = false;
	return answer.status == ACRED_LOCKED && walk->context->asked ? say_unwritable(walk, &answer) : DONE;
}

enum outcome ready_to_keep(struct context *context, const struct account *account)
{
	struct walk walk = { context, account, .may_prompt = false };
	SECRET line = { 0 };
	enum outcome outcome;

	if (!ready_nobodys_line(&line))
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "", "no memory for a record");
	outcome = answers(context, account);
	if (outcome != DONE) /* whoever was there has been asked */
		return outcome;
	outcome = try_it(&walk, secret_view(&line));
	if (outcome != LOCKED || !a_person_is_there(context))
		return outcome;
	context->trouble = (struct trouble){ 0 };
	outcome = let_unlock(&walk, secret_view(&line));
	return outcome == DONE ? try_it(&walk, secret_view(&line)) : outcome;
}
