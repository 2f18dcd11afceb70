/* SPDX-License-Identifier: MIT */
/*
 * Process set-up, which verb is meant, the one trouble printed, the exit code. Touches no token.
 */
#include <string.h>
#include <unistd.h>

#include "helper/base/harden.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/walk.h"
#include "helper/base/trace.h"
#include "helper/complete.h"
#include "helper/context.h"
#include "helper/help.h"
#include "helper/request.h"
#include "helper/verbs/table.h"

/* Large, and zero where nobody wrote: kept off the stack, whose pages would all be touched. */
static struct context context;

/* Those that there are under the name we are called by. */
static bool is_there(const struct verb *verb)
{
	return !context.options.protocol || verb_has(verb, VERB_GIT);
}

static void name_verbs(struct out *out)
{
	bool first = true;

	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (!is_there(verb))
			continue;
		out_text(out, first ? "" : ", ");
		out_text(out, verb->name);
		first = false;
	}
}

static enum outcome say_help(const struct verb *verb)
{
	char buffer[HELP_BYTES];
	struct out out = { .p = buffer, .room = sizeof buffer };

	help(&out, verb, context.options.protocol != NULL);
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
	const unsigned options = verb_options(verb);

	if (verb_has(verb, VERB_COMMAND) && (!o->behind || !*o->behind))
		return trouble_say(&context.trouble, TROUBLE_USAGE, "see 'alation-cred exec --help'", "there is no command to run: it stands behind '--'");
	if (o->n_args > 1 + verb->max_arguments)
		return wrong_usage("too many arguments");
	for (int class = FOR_ALL + 1; class < OPTION_CLASSES; class++)
		if (o->first_of[class] && !(options & VERB_OPTIONS(class)))
			return trouble_say(&context.trouble, TROUBLE_USAGE, "see 'alation-cred --help', and after a verb the verb's", "'%s' has no option '%s'",
			                   verb->name, o->first_of[class]);
	if (o->protocol && o->format_given)
		return wrong_usage("a protocol has its own format: --format cannot be beside it");
	if (o->protocol && o->n_args > 1)
		return wrong_usage("in git's protocol the request names the account, no argument does");
	if (verb_has(verb, VERB_TOKEN) && !o->format->reply)
		return wrong_usage("this format has no form for a token");
	return DONE;
}

/* What a shell asks on Tab: silent about whatever goes wrong, its reader's end included. */
static enum outcome show_candidates(int argc, const char *const argv[])
{
	static char buffer[COMPLETE_BYTES];
	struct trouble ignored = { 0 };

	return stdout_write(complete(argc, argv, buffer), context.deadline_ms, &ignored);
}

/* A verb that is followed by a command: stdout is the command's, and its exit code must be told from ours. */
static void expect_command(void)
{
	options_take_command(&context.options);
	context.options.format = formats[0]; /* no failure reply */
	context.failure_code = CONTEXT_NOT_STARTED;
}

static enum outcome run(int argc, const char *const argv[])
{
	struct options *o = &context.options;
	const struct verb *verb;
	enum outcome outcome;

	if (argc > 1 && strcmp(argv[1], "complete") == 0 && !protocol_of_program(bytes_of(argv[0])))
		return show_candidates(argc - 2, argv + 2);
	outcome = options_parse(argc - 1, argv + 1, o, &context.trouble);
	verb = o->n_args ? verb_named(o->args[0]) : NULL;
	if (verb_has(verb, VERB_COMMAND))
		expect_command();
	if (outcome != DONE)
		return USAGE;
	if (!o->protocol)
		o->protocol = protocol_of_program(bytes_of(argv[0]));
	trace_start(o->verbose);
	if (o->version)
		return stdout_write(bytes_of("alation-cred " ALATION_CRED_VERSION "\n"), context.deadline_ms, &context.trouble);
	/* `help VERB`, as with git, is `VERB --help`. */
	if (!o->protocol && o->n_args && strcmp(o->args[0], "help") == 0) {
		o->help = true;
		o->args[0] = o->args[1];
		o->n_args = o->n_args > 1;
		verb = o->n_args ? verb_named(o->args[0]) : NULL;
	}
	if (o->help && (verb || !o->n_args))
		return say_help(verb);
	/* Verbs of a later git are no error, says gitcredentials(7). But who writes --protocol beside a command is not git, and silence
	 * would look like the command's success. */
	if (o->protocol && o->n_args && !verb_has(verb, VERB_GIT) && !(verb_has(verb, VERB_COMMAND) && o->first_of[FOR_GIT]))
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
	/* Who asks what is wrong is told of that, too. */
	if (context_configure(&context) != DONE && !verb_has(verb, VERB_ANYHOW)) {
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
