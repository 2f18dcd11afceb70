/* SPDX-License-Identifier: MIT */
/*
 * Candidates for completion. Loads no module: its name is its file's.
 */
#include "helper/complete.h"

#include <string.h>

#include "helper/accounts-file.h"
#include "helper/config.h"
#include "helper/site.h"
#include "helper/verbs/table.h"
#include "helper/verbs/verbs.h"
#include "keyring/load.h"

#define GIVEN_MAX 64 /* options that are known to stand there already */

/* A command line, as far as it goes. */
struct line {
	const char *typed;            /* the word that is being typed */
	const struct verb *verb;      /* NULL: none yet */
	bool verb_unknown, help;      /* there is no such verb; it is `help` */
	const char *argument;         /* the first behind it */
	int n_arguments;
	const struct option *waiting; /* what is typed is its value */
	bool only_arguments;          /* behind a `--` */
	int command;                  /* where another command begins; 0: nowhere */
	bool given[GIVEN_MAX];
};

struct offer {
	struct out out;
	const char *typed;
	const char *before; /* what of `typed` stands before what is offered: "--format=" */
	size_t before_n;
};

/* What comes from files may be anybody's: a line feed, a tab or an escape in it would be more than a candidate, and what bash puts on
 * the line as it stands must not be a command there. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!byte_is_plain(*text, "-._:/@[]+,="))
			return false;
	return true;
}

/* Whole, or not at all. */
static bool offer(struct offer *offer, const char *candidate, const char *about)
{
	struct out *out = &offer->out;
	size_t start = out->n;

	if (strncmp(candidate, offer->typed + offer->before_n, strlen(offer->typed + offer->before_n)) != 0 || !is_plain(candidate))
		return false;
	out_bytes(out, (struct bytes){ offer->typed, offer->before_n });
	out_text(out, candidate);
	out_text(out, about ? "\t" : "");
	out_text(out, about ? about : "");
	out_text(out, "\n");
	if (out->overflow)
		out->n = start;
	return true;
}

static const char *kept_in(const struct account *account)
{
	return account->module[0] && is_plain(account->module) ? account->module : "its keyring";
}

static bool is_among(const struct accounts *accounts, size_t n, const char *base_url)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(accounts->list[i].base_url, base_url) == 0)
			return true;
	return false;
}

/* In the first of the ways to write it that begins as what is typed does: with its user id, the instance, without 'https://'. */
static void offer_account(struct offer *o, const struct accounts *accounts, size_t i)
{
	const struct account *account = &accounts->list[i];
	char text[ACCOUNT_TEXT_BYTES], about[ACCOUNT_MODULE_MAX_BYTES + 64];
	const char *scheme_end = strstr(account->base_url, "://");
	struct out out = { .p = about, .room = sizeof about - 1 };

	out_text(&out, account->is_default ? "default, " : "");
	out_text(&out, account->exclusive ? "exclusive, in " : "shared, in ");
	out_text(&out, kept_in(account));
	about[out.n] = '\0';
	if (!scheme_end || offer(o, account_text(account, text), about) || offer(o, strstr(text, "://") + 3, about))
		return;
	/* Several of one instance are one candidate. */
	if (!is_among(accounts, i, account->base_url) && !offer(o, account->base_url, NULL))
		offer(o, scheme_end + 3, NULL);
}

static void offer_accounts(struct offer *o)
{
	struct trouble ignored = { 0 };
	ACCOUNTS accounts = { 0 };

	accounts_read(&accounts, &ignored);
	for (size_t i = 0; i < accounts.n; i++)
		offer_account(o, &accounts, i);
}

/* Those that are known: of the list, and those that the configuration has a section for. */
static void offer_instances(struct offer *o, const struct config *config)
{
	struct trouble ignored = { 0 };
	ACCOUNTS accounts = { 0 };

	accounts_read(&accounts, &ignored);
	for (size_t i = 0; i < accounts.n; i++)
		if (!is_among(&accounts, i, accounts.list[i].base_url))
			offer(o, accounts.list[i].base_url, NULL);
	for (const struct config_section *s = config->sections; s; s = s->next)
		if (!is_among(&accounts, accounts.n, s->base_url))
			offer(o, s->base_url, NULL);
}

static void offer_module(void *host, const char *name)
{
	offer(host, name, NULL);
}

/* None of those that are built in keeps a RefreshToken. */
static void offer_modules(struct offer *o, const struct config *config)
{
	load_list(site_modules_dir(), offer_module, o);
	for (size_t i = 0; i < config->n_lines; i++)
		if (config->lines[i].line.module[0] == '/' && strcmp(config->lines[i].line.facility, "refresh") == 0)
			offer(o, config->lines[i].line.module, NULL);
}

/* A verb that prints no token has words of its own, or JSON. */
static void offer_formats(struct offer *o, const struct verb *verb, bool protocols)
{
	for (const struct format *const *f = formats; *f; f++)
		if (((*f)->program != NULL) == protocols && (protocols || !verb || verb_has(verb, VERB_TOKEN) || (*f)->failure || *f == formats[0]))
			offer(o, (*f)->name, (*f)->about);
}

static void offer_words(struct offer *o, const char *const *words)
{
	for (; *words; words++)
		offer(o, *words, NULL);
}

/* What its value is called says what it is. */
static void offer_values(struct offer *o, const struct line *line, const char *value, const struct config *config)
{
	if (strcmp(value, "FORMAT") == 0)
		offer_formats(o, line->verb, false);
	else if (strcmp(value, "PROTOCOL") == 0)
		offer_formats(o, line->verb, true);
	else if (strcmp(value, "WHEN") == 0)
		offer_words(o, interactive_words);
	else if (strcmp(value, "MODULE") == 0)
		offer_modules(o, config);
	else if (strcmp(value, "FILE") == 0)
		out_text(&o->out, ":files\n");
}

static void offer_options(struct offer *o, const struct line *line)
{
	unsigned classes = verb_options(line->verb);
	const struct option *option;

	for (size_t i = 0; (option = options_at(i)); i++)
		if (option->help && (classes & VERB_OPTIONS(option->class)) && (i >= GIVEN_MAX || !line->given[i]))
			offer(o, option->name, option->help);
}

static void offer_verbs(struct offer *o, const struct line *line)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		offer(o, verb->name, verb->help);
	if (!line->help)
		offer(o, "help", "the help of the program, or of a verb");
}

static bool is_set_word(const char *word)
{
	for (const char *const *w = set_words; word && *w; w++)
		if (strcmp(word, *w) == 0)
			return true;
	return false;
}

/* By what its usage calls them. */
static void offer_arguments(struct offer *o, const struct line *line, const struct config *config)
{
	const struct verb *verb = line->verb;
	bool words = strstr(verb->argument, "WORD") != NULL;

	if (line->n_arguments >= verb->max_arguments || (words && is_set_word(line->argument)))
		return;
	if (words)
		offer_words(o, set_words);
	if (line->n_arguments)
		return;
	if (strncmp(verb->argument, VERB_ACCOUNT, strlen(VERB_ACCOUNT)) == 0)
		offer_accounts(o);
	else if (strcmp(verb->argument, "[URL]") == 0)
		offer_instances(o, config);
}

static void take_argument(struct line *line, const char *word)
{
	if (!line->verb && !line->help) {
		line->verb = verb_named(word);
		line->help = !line->verb && strcmp(word, "help") == 0;
		line->verb_unknown = !line->verb && !line->help;
		return;
	}
	if (line->n_arguments++ == 0)
		line->argument = word;
}

static void take_option(struct line *line, const char *word)
{
	const char *value;
	const struct option *option = options_find(word, &value);

	for (size_t i = 0; option && i < GIVEN_MAX && options_at(i); i++)
		line->given[i] |= options_at(i) == option;
	line->waiting = option && option->value && !value ? option : NULL;
}

static void read_line(int argc, const char *const argv[], struct line *line)
{
	*line = (struct line){ .typed = argc > 0 ? argv[argc - 1] : "" };
	for (int i = 0; i + 1 < argc; i++) {
		if (line->waiting)
			line->waiting = NULL;
		else if (line->only_arguments || argv[i][0] != '-' || !argv[i][1])
			take_argument(line, argv[i]);
		else if (strcmp(argv[i], "--") != 0)
			take_option(line, argv[i]);
		else if (verb_has(line->verb, VERB_COMMAND)) {
			line->command = i + 1;
			return;
		} else
			line->only_arguments = true;
	}
}

static void offer_all(struct offer *o, const struct line *line, const struct config *config)
{
	const char *value;
	const struct option *option = line->only_arguments ? NULL : options_find(line->typed, &value);

	if (line->waiting) {
		offer_values(o, line, line->waiting->value, config);
	} else if (option && option->value && value) {
		o->before_n = (size_t)(value - line->typed);
		offer_values(o, line, option->value, config);
	} else if (line->typed[0] == '-' && !line->only_arguments) {
		offer_options(o, line);
	} else if (line->help ? !line->n_arguments : !line->verb && !line->verb_unknown) {
		offer_verbs(o, line);
	} else if (line->verb) {
		offer_arguments(o, line, config);
	}
	if (verb_has(line->verb, VERB_COMMAND) && !line->waiting)
		offer(o, "--", "the command follows");
	/* Where nothing else can stand. */
	if (!o->out.n && !*line->typed && !line->waiting && !line->only_arguments)
		offer_options(o, line);
}

struct bytes complete(int argc, const char *const argv[], char *buffer)
{
	static struct config config; /* large */
	struct offer o = { .out = { .p = buffer, .room = COMPLETE_BYTES } };
	struct trouble ignored = { 0 };
	struct line line;

	read_line(argc, argv, &line);
	o.typed = line.typed;
	if (line.command) {
		out_text(&o.out, ":command ");
		out_int(&o.out, line.command);
		out_text(&o.out, "\n");
	} else {
		/* Of one that is refused as a whole nothing is offered. */
		if (config_read(site_config(), &config, &ignored) != DONE)
			config_free(&config);
		offer_all(&o, &line, &config);
		config_free(&config);
	}
	return (struct bytes){ buffer, o.out.n };
}
