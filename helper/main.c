/* SPDX-License-Identifier: MIT */
/*
 * Process set-up, the verb table, the one trouble printed, the exit code. Touches no token.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/harden.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/walk.h"
#include "helper/base/trace.h"
#include "helper/context.h"
#include "helper/request.h"
#include "helper/verbs/verbs.h"

#define HELP_COLUMN 24

#define OPTIONS(class) (1u << (class))
#define ACCOUNT "[ACCOUNT]"

static const struct verb {
	const char *name;
	enum outcome (*run)(struct context *context, const char *argument);
	const char *argument; /* what may stand behind it */
	int max_arguments;
	bool is_git;          /* git's credential protocol has it */
	bool needs_reply;     /* it prints a token: a format must be able to */
	unsigned options;     /* the classes of options that it has beside those for all */
	const char *help, *example;
} verbs[] = {
	{ "get", get_main, ACCOUNT, 1, true, true, OPTIONS(FOR_TOKENS) | OPTIONS(FOR_GIT),
	  "print an access token; or answer the git request on stdin", "TOKEN=$(alation-cred get)" },
	{ "token", token_main, ACCOUNT, 1, false, true, OPTIONS(FOR_TOKENS), "print an access token; never reads stdin",
	  "curl -H @<(alation-cred token --format header) https://catalog.example.com/integration/v2/datasource/" },
	{ "store", store_main, "", 0, true, false, OPTIONS(FOR_GIT), "git's protocol: keep the RefreshToken of the request on stdin, if it is one",
	  "printf 'url=https://102@catalog.example.com\\noauth_refresh_token=%s\\n' \"$TOKEN\" | alation-cred store" },
	{ "erase", erase_main, "", 0, true, false, OPTIONS(FOR_GIT), "git's protocol: forget what the request on stdin names",
	  "printf 'url=https://102@catalog.example.com\\n' | alation-cred erase" },
	{ "capability", capability_main, "", 0, true, false, OPTIONS(FOR_GIT), "git's protocol: what of it is spoken here", "alation-cred capability" },
	{ "login", login_main, "[URL]", 1, false, false, OPTIONS(FOR_LOGIN), "create or take over a RefreshToken, prove it, keep it",
	  "alation-cred login https://catalog.example.com" },
	{ "logout", logout_main, ACCOUNT, 1, false, false, OPTIONS(FOR_EACH) | OPTIONS(FOR_LOGOUT),
	  "end what can be ended at the server, forget everything here", "alation-cred logout https://102@catalog.example.com" },
	{ "status", status_main, ACCOUNT, 1, false, false, OPTIONS(FOR_STATUS), "the accounts, when their tokens end, where each secret lies",
	  "alation-cred status --format json" },
	{ "validate", validate_main, ACCOUNT, 1, false, false, OPTIONS(FOR_EACH), "ask the server about both tokens; never mints", "alation-cred validate --all" },
	{ "revoke", revoke_main, ACCOUNT, 1, false, false, OPTIONS(FOR_EACH), "revoke the access tokens", "alation-cred revoke" },
	{ "rotate", rotate_main, ACCOUNT, 1, false, false, OPTIONS(FOR_EACH) | OPTIONS(FOR_ROTATE), "regenerate the RefreshToken",
	  "alation-cred rotate --if-expiring 10d" },
	{ "set", set_main, ACCOUNT " WORD", 2, false, false, 0, "WORD: default; or whether its RefreshToken is exclusive or shared",
	  "alation-cred set https://102@catalog.example.com exclusive" },
	{ "unlock", unlock_main, ACCOUNT, 1, false, false, 0, "open the keyring that holds the RefreshToken, for the calls that follow",
	  "alation-cred unlock https://102@catalog.example.com" },
	{ "lock", lock_main, ACCOUNT, 1, false, false, 0, "forget derived keys and cached access tokens; without ACCOUNT, of all accounts",
	  "alation-cred lock" },
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

/* Those that there are under the name we are called by. */
static bool is_there(const struct verb *verb)
{
	return !context.options.protocol || verb->is_git;
}

static void name_verbs(struct out *out)
{
	bool first = true;

	for (size_t i = 0; i < VERBS; i++) {
		if (!is_there(&verbs[i]))
			continue;
		out_text(out, first ? "" : ", ");
		out_text(out, verbs[i].name);
		first = false;
	}
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
	while (out->n - start < HELP_COLUMN && !out->overflow);
	out_text(out, right);
	out_text(out, "\n");
}

static const char about_account[] =
	"ACCOUNT is https://USER_ID@host[:port], a URL, a host, or nothing: then $ALATION_BASE_URL and\n"
	"$ALATION_USER_ID, else the default account.\n\n";

/* To lock too much does no harm, to lock too little might. */
static const char about_account_or_all[] = "ACCOUNT is https://USER_ID@host[:port], a URL, a host, or nothing: then all accounts are meant.\n\n";

static void verb_help(struct out *out, const struct verb *verb)
{
	out_text(out, "usage: alation-cred ");
	out_text(out, verb->name);
	out_text(out, *verb->argument ? " " : "");
	out_text(out, verb->argument);
	out_text(out, " [OPTIONS]\n\n");
	out_text(out, verb->help);
	out_text(out, "\n\n");
	if (strncmp(verb->argument, ACCOUNT, strlen(ACCOUNT)) == 0)
		out_text(out, verb->run == lock_main ? about_account_or_all : about_account);
	for (int class = 0; class < OPTION_CLASSES; class++)
		if (verb->options & OPTIONS(class))
			options_help(out, (enum option_class)class);
	out_text(out, verb->options ? "\n" : "");
}

static void all_help(struct out *out)
{
	out_text(out, "usage: alation-cred VERB [ARGUMENT] [OPTIONS]\n\n"
	              "Keeps an Alation RefreshToken in the desktop keyring and prints access tokens that work.\n\n");
	for (size_t i = 0; i < VERBS; i++)
		if (is_there(&verbs[i]))
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

/* Which verb was meant cannot be known; the words may be a secret in the wrong place. */
static enum outcome no_verb(const char *what)
{
	char text[256];
	struct out out = { .p = text, .room = sizeof text - 1 };

	out_text(&out, what);
	name_verbs(&out);
	text[out.n] = '\0';
	return wrong_usage(text);
}

/* Whether what was asked can be asked of that verb. */
static enum outcome check(const struct verb *verb, const struct options *o)
{
	if (o->n_args > 1 + verb->max_arguments)
		return wrong_usage("too many arguments");
	for (int class = FOR_ALL + 1; class < OPTION_CLASSES; class++)
		if (o->first_of[class] && !(verb->options & OPTIONS(class)))
			return trouble_say(&context.trouble, TROUBLE_USAGE, "see 'alation-cred --help', and after a verb the verb's", "'%s' has no option '%s'",
			                   verb->name, o->first_of[class]);
	if (o->protocol && o->format_given)
		return wrong_usage("a protocol has its own format: --format cannot be beside it");
	if (o->protocol && o->n_args > 1)
		return wrong_usage("in git's protocol the request names the account, no argument does");
	if (verb->needs_reply && !o->format->reply)
		return wrong_usage("this format has no form for a token");
	return DONE;
}

static enum outcome run(int argc, const char *const argv[])
{
	struct options *o = &context.options;
	const struct verb *verb;

	if (options_parse(argc - 1, argv + 1, o, &context.trouble) != DONE)
		return USAGE;
	if (!o->protocol)
		o->protocol = protocol_of_program(bytes_of(argv[0]));
	trace_start(o->verbose);
	if (o->version)
		return stdout_write(bytes_of("alation-cred " ALATION_CRED_VERSION "\n"), context.deadline_ms, &context.trouble);
	verb = o->n_args ? find_verb(o->args[0]) : NULL;
	if (o->help && (verb || !o->n_args))
		return help(verb);
	/* Verbs of a later git are no error, says gitcredentials(7). */
	if (o->protocol && o->n_args && (!verb || !verb->is_git))
		return request_ignore(&context);
	if (o->n_args && !verb)
		return no_verb("there is no such verb; these are: ");
	if (!verb)
		return no_verb("which verb? ");
	if (check(verb, o) != DONE)
		return USAGE;
	if (o->protocol)
		o->format = o->protocol;
	context_start(&context);
	if (context_configure(&context) != DONE) {
		if (o->protocol)
			request_ignore(&context);
		return UNUSABLE;
	}
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
	walk_close(&context, code);
	config_free(&context.config);
#ifndef KEEP_EXIT_HANDLERS /* sanitizers report from one */
	/* The destructors of forty libraries would cost a mint 3 % of its time, and one that crashes would spoil
	 * the exit code of an answer that is already written. */
	_exit(code);
#endif
	return code;
}
