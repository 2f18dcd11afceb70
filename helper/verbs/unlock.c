/* SPDX-License-Identifier: MIT */
/*
 * unlock: the keyring that holds an account's RefreshToken is opened for the calls that follow. Asks no server, and keeps or
 * changes no RefreshToken.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/harden.h"
#include "helper/base/prompt.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/walk.h"
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

	return walk_look_up(&walk, &key, walk_holder(account), ret_answer);
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
	keyring_close(&context->keyring);
	context_lay_out(context);
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

	harden_environment();
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
