/* SPDX-License-Identifier: MIT */
/*
 * set: which account is the default, and who else uses a RefreshToken. Asks no server and no keyring.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/stdout.h"
#include "helper/verbs/verbs.h"

enum { SET_DEFAULT, SET_EXCLUSIVE, SET_SHARED };

const char *const set_words[] = {
	[SET_DEFAULT] = "default",
	[SET_EXCLUSIVE] = "exclusive",
	[SET_SHARED] = "shared",
	NULL,
};

static enum outcome change(struct account *account, const char *word, const char **ret_words)
{
	static const char *const done[] = {
		[SET_DEFAULT] = "is the default account",
		[SET_EXCLUSIVE] = "counts as exclusive: nothing else uses its RefreshToken",
		[SET_SHARED] = "counts as shared: something else uses its RefreshToken too",
	};
	int i = 0;

	while (set_words[i] && strcmp(word, set_words[i]) != 0)
		i++;
	if (!set_words[i])
		return USAGE;
	if (i == SET_DEFAULT)
		account->is_default = true;
	else
		account->exclusive = i == SET_EXCLUSIVE;
	*ret_words = done[i];
	return DONE;
}

/* Read once more under the lock: a login or a rotation may just have written it. */
static enum outcome set(struct context *context, struct account *account, const char *word, const char **ret_words)
{
	LOCK lock = LOCK_NONE;
	ACCOUNTS accounts = { 0 };
	const struct account *now;
	char text[ACCOUNT_TEXT_BYTES];
	enum outcome outcome = account_lock(context, account, &lock);

	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome != DONE)
		return outcome;
	now = accounts_find(&accounts, account->base_url, account->user_id);
	if (!now)
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts", "nobody is logged in as %s",
		                   account_text(account, text));
	*account = *now;
	account->unknown = NULL;
	account->is_default = false; /* it stays what the list says, unless that is what is set */
	change(account, word, ret_words);
	return accounts_put(account, context->deadline_ms, &context->trouble);
}

/* What the configuration says goes before the list, so that nothing seems to have changed. */
static void tell_other_default(struct context *context, const struct account *account)
{
	const struct config_value *other = account_other_default(context, account);

	if (other)
		context_warn(context, "default_account", "the configuration names another one, which goes before it: %s in %s:%u",
		             config_word_name(other->word), other->place.file, other->place.line);
}

enum outcome set_main(struct context *context, const char *argument)
{
	const char *word = context->options.args[2] ? context->options.args[2] : argument, *words;
	ACCOUNTS accounts = { 0 };
	struct account account = { 0 };
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 96];
	enum outcome outcome = DONE;

	if (!word || change(&account, word, &words) != DONE)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "alation-cred set [ACCOUNT] default|exclusive|shared", "set what? default, exclusive or shared");
	if (context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = account_choose(context, &accounts, context->options.args[2] ? argument : NULL, &account);
	if (outcome == DONE)
		outcome = set(context, &account, word, &words);
	if (outcome != DONE)
		return outcome;
	snprintf(line, sizeof line, "%s %s", account_text(&account, text), words);
	trouble_line(line);
	if (strcmp(word, "default") == 0)
		tell_other_default(context, &account);
	return answer_done(context, &account);
}
