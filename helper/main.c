/* SPDX-License-Identifier: MIT */
/*
 * Process set-up, the verb table, the one trouble printed, the exit code. Touches no token.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/harden.h"
#include "helper/base/stdout.h"
#include "helper/base/trace.h"
#include "helper/context.h"
#include "helper/verbs/verbs.h"

static const struct verb {
	const char *name;
	enum outcome (*run)(struct context *context, const char *argument);
	const char *argument; /* what may stand behind it */
	bool needs_reply;     /* it prints a token: a format must be able to */
	int options;          /* the options of its own */
	const char *help, *example;
} verbs[] = {
	{ "get", get_main, "[ACCOUNT]", true, FOR_ALL, "print an access token", "TOKEN=$(alation-cred get)" },
	{ "token", get_main, "[ACCOUNT]", true, FOR_ALL, "print an access token; never reads stdin, whatever get may learn to",
	  "curl -H @<(alation-cred token --format header) https://catalog.example.com/integration/v2/datasource/" },
	{ "login", login_main, "[URL]", false, FOR_LOGIN, "create or take over a RefreshToken, prove it, keep it",
	  "alation-cred login https://catalog.example.com" },
	{ "logout", logout_main, "[ACCOUNT]", false, FOR_ALL, "revoke the access tokens, forget everything here",
	  "alation-cred logout https://102@catalog.example.com" },
	{ "status", status_main, "[ACCOUNT]", false, FOR_ALL, "the accounts, when their tokens end, where each secret lies",
	  "alation-cred status --format json" },
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* Large, and zero where nobody wrote: kept off the stack, whose pages would all be touched. */
static struct context context;

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static void column(struct out *out, const char *left, const char *middle, const char *right)
{
	size_t start = out->n;

	out_text(out, "  ");
	out_text(out, left);
	out_text(out, " ");
	out_text(out, middle);
	do
		out_text(out, " ");
	while (out->n - start < 24 && !out->overflow);
	out_text(out, right);
	out_text(out, "\n");
}

static const char about_account[] =
	"ACCOUNT is https://USER_ID@host[:port], a URL, a host, or nothing: then $ALATION_BASE_URL and\n"
	"$ALATION_USER_ID, else the default account.\n\n";

static void verb_help(struct out *out, const struct verb *verb)
{
	out_text(out, "usage: alation-cred ");
	out_text(out, verb->name);
	out_text(out, " ");
	out_text(out, verb->argument);
	out_text(out, " [OPTIONS]\n\n");
	out_text(out, verb->help);
	out_text(out, "\n\n");
	if (strcmp(verb->argument, "[ACCOUNT]") == 0)
		out_text(out, about_account);
	if (verb->options != FOR_ALL) {
		options_help(out, verb->options);
		out_text(out, "\n");
	}
}

static void all_help(struct out *out)
{
	out_text(out, "usage: alation-cred VERB [ARGUMENT] [OPTIONS]\n\n"
	              "Keeps an Alation RefreshToken in the desktop keyring and prints access tokens that work.\n\n");
	for (size_t i = 0; i < VERBS; i++)
		column(out, verbs[i].name, verbs[i].argument, verbs[i].help);
	out_text(out, "\n");
	out_text(out, about_account);
}

static enum outcome help(const struct verb *verb)
{
	char buffer[8192];
	struct out out = { .p = buffer, .room = sizeof buffer };

	if (verb)
		verb_help(&out, verb);
	else
		all_help(&out);
	options_help(&out, FOR_ALL);
	out_text(&out, "\nexample: ");
	out_text(&out, verb ? verb->example : verbs[0].example);
	out_text(&out, "\n");
	return stdout_write((struct bytes){ buffer, out.n }, context.deadline_ms, &context.trouble);
}

static enum outcome wrong_usage(const char *what)
{
	return trouble_say(&context.trouble, TROUBLE_USAGE, "see 'alation-cred --help'", "%s", what);
}

static bool has_foreign_options(const struct verb *verb, const struct options *o)
{
	return verb->options != FOR_LOGIN && (o->user || o->name || o->user_id || o->password_stdin || o->token_stdin ||
	                                      o->exclusive || o->shared || o->make_default);
}

/* Whether what was asked can be asked of that verb. */
static enum outcome check(const struct verb *verb, const struct options *o)
{
	if (o->n_args > 2)
		return wrong_usage("too many arguments");
	if (has_foreign_options(verb, o))
		return wrong_usage("one of login's options (see 'alation-cred login --help') stands at another verb");
	if (verb->needs_reply && !o->format->reply)
		return wrong_usage("this format has no form for a token");
	return DONE;
}

static enum outcome run(int argc, const char *const argv[])
{
	const struct options *o = &context.options;
	const struct verb *verb;

	if (options_parse(argc - 1, argv + 1, &context.options, &context.trouble) != DONE)
		return USAGE;
	trace_start(o->verbose);
	if (o->version)
		return stdout_write(bytes_of("alation-cred " ALATION_CRED_VERSION "\n"), context.deadline_ms, &context.trouble);
	verb = o->n_args ? find_verb(o->args[0]) : NULL;
	if (o->n_args && !verb)
		return wrong_usage("there is no such verb; there are get, token, login, logout and status");
	if (o->help)
		return help(verb);
	if (!verb)
		return wrong_usage("which verb? get, token, login, logout or status");
	if (check(verb, o) != DONE)
		return USAGE;
	context_start(&context);
	return verb->run(&context, o->args[1]);
}

int main(int argc, char *argv[])
{
	int code;

	if (!harden_process()) {
		trouble_line("started setuid, or without descriptors: refused");
		return USAGE;
	}
	if (argc < 1)
		return USAGE;
	run(argc, (const char *const *)argv);
	code = context_finish(&context);
#ifndef KEEP_EXIT_HANDLERS /* sanitizers report from one */
	/* The destructors of forty libraries would cost a mint 3 % of its time, and one that crashes would spoil
	 * the exit code of an answer that is already written. */
	_exit(code);
#endif
	return code;
}
