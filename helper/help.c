/* SPDX-License-Identifier: MIT */
/*
 * The help texts, written from the tables of verbs and of options.
 */
#include "helper/help.h"

#include <string.h>

#include "helper/base/wrap.h"
#include "protocol/out.h"

#define HELP_COLUMN 24

static void column(struct out *out, const char *left, const char *middle, const char *right)
{
	out_text(out, "  ");
	out_text(out, left);
	out_text(out, " ");
	out_text(out, middle);
	wrap_text(out, HELP_COLUMN, right);
}

static const char about_account[] =
	"ACCOUNT is https://USER_ID@host[:port], a URL, a host, or nothing: then $ALATION_BASE_URL and $ALATION_USER_ID, else the "
	"default account.";

/* To lock too much does no harm, to lock too little might. */
static const char about_account_or_all[] = "ACCOUNT is https://USER_ID@host[:port], a URL, a host, or nothing: then all accounts are meant.";

static void verb_help(struct out *out, const struct verb *verb)
{
	out_text(out, "usage: alation-cred ");
	out_text(out, verb->name);
	out_text(out, *verb->argument ? " " : "");
	out_text(out, verb->argument);
	out_text(out, verb_has(verb, VERB_COMMAND) ? " [OPTIONS] -- CMD [ARG...]\n\n" : " [OPTIONS]\n\n");
	wrap_text(out, 0, verb->help);
	out_text(out, "\n");
	if (strncmp(verb->argument, VERB_ACCOUNT, strlen(VERB_ACCOUNT)) == 0) {
		wrap_text(out, 0, verb_has(verb, VERB_ALL) ? about_account_or_all : about_account);
		out_text(out, "\n");
	}
	for (int class = 0; class < OPTION_CLASSES; class++)
		if (verb->options & VERB_OPTIONS(class))
			options_help(out, (enum option_class)class);
	out_text(out, verb->options ? "\n" : "");
}

static void all_help(struct out *out, bool git)
{
	out_text(out, "usage: alation-cred VERB [ARGUMENT] [OPTIONS]\n\n"
	              "Keeps an Alation RefreshToken in a keyring, and prints access tokens that work.\n\n");
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!git || verb_has(verb, VERB_GIT))
			column(out, verb->name, verb->argument, verb->help);
	out_text(out, "\n");
	wrap_text(out, 0, about_account);
	out_text(out, "\n");
}

void help(struct out *out, const struct verb *verb, bool git)
{
	if (verb)
		verb_help(out, verb);
	else
		all_help(out, git);
	if (verb_options(verb) & VERB_OPTIONS(FOR_ANSWER))
		options_help(out, FOR_ANSWER);
	options_help(out, FOR_ALL);
	out_text(out, "\nexample: ");
	out_text(out, verb ? verb->example : verbs->example);
	out_text(out, "\n");
}
