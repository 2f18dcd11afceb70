/* SPDX-License-Identifier: MIT */
/*
 * unlock, lock: the keyring that holds an account's RefreshToken is opened for the calls that follow, or what is kept open
 * here is forgotten. Neither asks a server, nor keeps or changes a RefreshToken; lock locks nothing that other programs use.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/prompt.h"
#include "helper/base/stdout.h"
#include "helper/each.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/vault.h"
#include "helper/lifecycle/walk.h"
#include "helper/sources.h"
#include "helper/verbs/verbs.h"

/* The one keyring that has a dialog of its own (GNOME Keyring's password can be asked for as well). */
static bool is_the_desktops(const char *module)
{
	return module && strcmp(module, "secret-service") == 0;
}

/* What is found is dropped unread. */
static int look(struct context *context, const struct account *account, bool may_prompt, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, .may_prompt = may_prompt };
	struct acred_key key = walk_key(account, "refresh");
	struct keyring_answer there;

	/* A source that answers first has nothing to open: meant is the keyring that the list names. */
	if (walk_look_up(&walk, &key, walk_holder(account), ret_answer) != ACRED_OK || !ret_answer->readonly || !walk_holder(account))
		return ret_answer->status;
	if (walk_look_up_in(&walk, &key, account->module, &there) == ACRED_OK || there.status == ACRED_LOCKED)
		*ret_answer = there;
	return ret_answer->status;
}

static enum outcome say(struct context *context, const struct account *account, const struct keyring_answer *answer)
{
	struct walk walk = { context, account, .may_prompt = false };

	return walk_say(&walk, answer);
}

/* Why it is still locked, and who could do something about it. 'Unlock it with alation-cred unlock' would not help here. */
static enum outcome say_locked(struct context *context, const struct account *account, const struct keyring_answer *answer)
{
	const char *remedy = "unlock it in the desktop session, then try again", *what = "was not unlocked";
	char text[ACCOUNT_TEXT_BYTES];

	if (context->asked) {
		remedy = "try again";
	} else if (!context->asks) {
		what = "nobody may be asked to unlock it";
		remedy = "leave --interactive never away, or unlock it in the desktop session";
	} else if (is_the_desktops(answer->module) && !context->interactive) {
		what = "its dialog may not open here";
		remedy = prompt_secret_possible() ? "unlock it in the desktop session, or let its dialog open there with --interactive always"
		                                  : "run it on a terminal, or in the desktop session; or let its dialog open there with --interactive always";
	} else if (!is_the_desktops(answer->module) && prompt_secret_possible()) {
		remedy = "correct that, then try again"; /* it has a passphrase, from a file, and wants no other */
	} else if (!is_the_desktops(answer->module)) {
		what = "nobody is there to unlock it";
		remedy = "run it on a terminal, or let a program ask: ALATION_CRED_ASKPASS";
	}
	return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED, remedy, "the keyring (%s) is locked, and %s for %s%s%s", answer->module, what,
	                   account_text(account, text), answer->why[0] ? ": " : "", answer->why);
}

static enum outcome say_does_not_stay(struct context *context, const struct account *account, const struct keyring_answer *answer)
{
	char text[ACCOUNT_TEXT_BYTES];

	return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED,
	                   is_the_desktops(answer->module) ? "look at its settings in the desktop session" : "give its line a passphrase that needs nobody: key-file=",
	                   "the keyring (%s) was unlocked for %s, but does not stay open here", answer->module, account_text(account, text));
}

/* That the calls that follow find it open is believed once a stack that was laid out anew finds it so. */
static enum outcome prove(struct context *context, const struct account *account, struct keyring_answer *ret_answer)
{
	walk_anew(context);
	switch (look(context, account, false, ret_answer)) {
	case ACRED_OK:
		return DONE;
	case ACRED_LOCKED:
		return say_does_not_stay(context, account, ret_answer);
	default:
		return say(context, account, ret_answer);
	}
}

static enum outcome open_keyring(struct context *context, const struct account *account)
{
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 128];
	struct keyring_answer answer;
	bool was_open;
	enum outcome outcome = DONE;

	was_open = look(context, account, false, &answer) == ACRED_OK;
	if (answer.status == ACRED_LOCKED && (context->interactive || (context->asks && prompt_secret_possible())))
		look(context, account, true, &answer);
	if (answer.status == ACRED_LOCKED)
		return say_locked(context, account, &answer);
	if (answer.status != ACRED_OK)
		return say(context, account, &answer);
	if (!was_open)
		outcome = prove(context, account, &answer);
	if (outcome != DONE)
		return outcome;
	snprintf(line, sizeof line, "the keyring (%s) of %s is open%s", answer.module, account_text(account, text), was_open ? " already" : "");
	trouble_line(line);
	return DONE;
}

enum outcome unlock_main(struct context *context, const char *argument)
{
	ACCOUNTS accounts = { 0 };
	struct account account = { 0 };
	enum outcome outcome = DONE;

	/* --interactive never: then it only tells whether it is open. */
	context->asks = context->options.interactive != INTERACTIVE_NEVER;
	if (context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = account_choose(context, &accounts, argument, &account);
	if (outcome == DONE)
		outcome = open_keyring(context, &account);
	return outcome == DONE ? answer_done(context, &account) : outcome;
}

/* *ret_any: a module had kept something. */
static enum outcome forget_keys(struct context *context, const struct account *account, bool *ret_any)
{
	struct walk walk = { context, account, .may_prompt = false };
	struct keyring_answer answer;
	char line[256];

	*ret_any = walk_lock(&walk, walk_holder(account), &answer) == ACRED_OK;
	if (answer.status == ACRED_ABSENT)
		return DONE;
	if (answer.status != ACRED_OK)
		return walk_say(&walk, &answer);
	snprintf(line, sizeof line, "forgot the key that the keyring (%s) kept open", answer.module);
	trouble_line(line);
	return DONE;
}

/*
 * What is remembered beside the token stays. It is no secret, and the next calls need it: that a call was lost which may
 * still revoke a token, or that the server has just refused to mint.
 */
static enum outcome drop_token(struct context *context, const struct account *account, bool *ret_any)
{
	ACCESS_RECORD before = { 0 }, after = { 0 };
	enum outcome outcome;

	*ret_any = vault_access(context, account, &before);
	if (!*ret_any && !before.newer && !before.damaged)
		return DONE;
	outcome = cached_drop(context, account, before.suspect_ms);
	/* A cache that did not take the record without its token still has the one with it. */
	if (outcome == DONE && vault_access(context, account, &after))
		outcome = vault_forget_access(context, account);
	return outcome;
}

static enum outcome forget_token(struct context *context, const struct account *account)
{
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 192];
	LOCK lock = LOCK_NONE;
	bool any = false;
	enum outcome outcome = account_lock(context, account, &lock);

	if (outcome == DONE)
		outcome = drop_token(context, account, &any);
	lock_release(&lock);
	if (outcome != DONE)
		return outcome;
	snprintf(line, sizeof line, "%s %s%s", any ? "forgot the cached access token of" : "no access token is cached of", account_text(account, text),
	         is_the_desktops(account->module) ? "; its keyring (secret-service) is left as it is, because other programs use it too" : "");
	trouble_line(line);
	return DONE;
}

/* The token goes also where a key could not be forgotten. */
static enum outcome lock_account(struct context *context, struct account *account)
{
	struct trouble first;
	bool any;
	enum outcome outcome = forget_keys(context, account, &any), also;

	if (outcome == DONE)
		return forget_token(context, account);
	first = context->trouble;
	context->trouble = (struct trouble){ 0 };
	also = forget_token(context, account);
	if (also != DONE)
		trouble_print(&context->trouble);
	context->trouble = first;
	return outcome;
}

/* A key may be kept open for an account that no list knows. */
static enum outcome lock_without_accounts(struct context *context)
{
	const struct account nobody = { 0 };
	bool any;
	enum outcome outcome = forget_keys(context, &nobody, &any);

	if (outcome == DONE && !any)
		trouble_line("there is nothing to forget: no account is here, and no keyring kept anything open");
	return outcome;
}

enum outcome lock_main(struct context *context, const char *argument)
{
	ACCOUNTS accounts = { 0 };
	enum outcome outcome = DONE;

	if (argument)
		return each_account(context, argument, lock_account);
	if (context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome != DONE)
		return outcome;
	sources_add(context, true, &accounts);
	if (accounts.n == 0)
		outcome = lock_without_accounts(context);
	return outcome == DONE ? each_of(context, &accounts, lock_account) : outcome;
}
