/* SPDX-License-Identifier: MIT */
/*
 * What a walk came to, in words for people, each with its way out. Asks no module.
 */
#include <stdio.h>
#include <string.h>

#include "helper/lifecycle/missing.h"
#include "helper/lifecycle/walk.h"

static enum outcome say_locked(struct walk *walk, const char *text, const char *module, const char *why)
{
	struct context *context = walk->context;
	bool is_desktops = strcmp(module, "secret-service") == 0;
	char remedy[ACCOUNT_TEXT_BYTES + 128];
	/* A verb that never asks, a call that must not, or a lock under which nobody is asked: no word of a person. */
	const char *who = walk->may_prompt ? ", and was not unlocked" : context->interactive || context->options.unattended ? "" : ", and nobody is there to unlock it";

	if (walk->may_prompt && context->interactive && is_desktops)
		snprintf(remedy, sizeof remedy, "unlock it in the desktop session, then try again");
	else
		snprintf(remedy, sizeof remedy, "unlock it with 'alation-cred unlock %s'%s", text, is_desktops ? ", or in the desktop session" : "");
	return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED, remedy, "the keyring (%s) is locked%s for %s%s%s", module, who, text,
	                   *why ? ": " : "", why);
}

static enum outcome say_unavailable(struct walk *walk, const char *text, const char *module, const char *why)
{
	struct context *context = walk->context;
	/* Of another module it has said itself what is not there. */
	bool is_desktops = strcmp(module, "secret-service") == 0 || strcmp(module, "none") == 0;
	char remedy[URL_BASE_MAX_BYTES + 160];

	if (strcmp(module, "sealed-file") == 0)
		snprintf(remedy, sizeof remedy, "put that right, then try again");
	else
		snprintf(remedy, sizeof remedy, "%s, or keep it in an encrypted file: 'alation-cred login --keyring sealed-file %s'",
		         is_desktops ? "run this in a session with a Secret Service (GNOME Keyring, KWallet, KeePassXC)" : "put that right", walk->account->base_url);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_UNAVAILABLE, remedy, "no keyring can be reached for %s: %s%s%s", text, module,
	                   *why ? ": " : "", why);
}

/* It never was a module: a session with a Secret Service would be no help. */
static enum outcome say_missing(struct walk *walk, const char *text, const char *module, const char *why)
{
	char remedy[URL_BASE_MAX_BYTES + MISSING_WORDS_BYTES + 96];
	int n;

	missing_words(module, why, remedy);
	n = (int)strlen(remedy);
	if (strcmp(module, "sealed-file") != 0)
		snprintf(remedy + n, sizeof remedy - (size_t)n, ", or keep it in an encrypted file: 'alation-cred login --keyring sealed-file %s'",
		         walk->account->base_url);
	return trouble_say(&walk->context->trouble, TROUBLE_KEYRING_UNAVAILABLE, remedy, "the keyring module '%s' cannot be used for %s: %s", module,
	                   text, why);
}

/* Whether the list names a keyring that the configuration has no line for: one with arguments looked elsewhere. */
static bool has_lost_its_line(const struct walk *walk)
{
	const struct arrangement *a = &walk->context->arrangement;

	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->lines[i].facility, "refresh") == 0 && strcmp(a->lines[i].module, walk->account->module) == 0)
			return false;
	return walk->account->module[0];
}

static enum outcome say_absent(struct walk *walk, const char *text)
{
	char remedy[URL_BASE_MAX_BYTES + 128];
	bool lost = has_lost_its_line(walk);

	snprintf(remedy, sizeof remedy, "%slog in with 'alation-cred login %s'", lost ? "write that line again, if it had arguments, or " : "", walk->account->base_url);
	return trouble_say(&walk->context->trouble, TROUBLE_NO_ACCOUNT, remedy, "no RefreshToken is stored for %s%s%s%s", text, lost ? " in '" : "",
	                   lost ? walk->account->module : "", lost ? "', which no line of the configuration has" : "");
}

static enum outcome say_required(struct context *context, int status, const char *module, const char *why)
{
	char words[MISSING_WORDS_BYTES] = "install that module", remedy[MISSING_WORDS_BYTES + 64];

	if (status == ACRED_UNAVAILABLE)
		missing_words(module, why, words);
	snprintf(remedy, sizeof remedy, "%s, or take its line out of the configuration", words);
	return trouble_say(&context->trouble, TROUBLE_CONFIGURATION, remedy,
	                   "the keyring module '%s', which the configuration requires, cannot be used: %s", module, why);
}

enum outcome walk_say(struct walk *walk, const struct keyring_answer *answer)
{
	const char *why = answer->why, *module = answer->module ? answer->module : "none";
	struct context *context = walk->context;
	char text[ACCOUNT_TEXT_BYTES];

	account_text(walk->account, text);
	if (answer->refused)
		return say_required(context, answer->status, module, why);
	switch (answer->status) {
	case ACRED_OK:
		return DONE;
	case ACRED_ABSENT:
		return say_absent(walk, text);
	case ACRED_LOCKED:
		return say_locked(walk, text, module, why);
	case ACRED_UNAVAILABLE:
		return keyring_is_refused(&context->keyring, "refresh", module) ? say_missing(walk, text, module, why)
		                                                               : say_unavailable(walk, text, module, why);
	case ACRED_TIMEOUT:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_TIMEOUT, "look whether that keyring's service hangs, then try again",
		                   "the keyring (%s) did not answer in time for %s", module, text);
	case ACRED_READONLY:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_READONLY, "log in again to keep it in one that can be written", "the keyring (%s) of %s can only be read", module, text);
	default:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "'alation-cred status' tells about each keyring",
		                   "the keyring (%s) failed for %s%s%s", module, text, *why ? ": " : "", why);
	}
}
