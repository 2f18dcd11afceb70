/* SPDX-License-Identifier: MIT */
/*
 * Options: the table, the reader, the help. A secret is never an option's value.
 */
#include "helper/options.h"

#include <stdio.h>
#include <string.h>

#include "helper/base/clock.h"
#include "helper/base/wrap.h"
#include "helper/lifecycle/record.h"
#include "keyring/keyring.h"
#include "protocol/url.h"

#define HELP_COLUMN 26

const char *const interactive_words[] = { "auto", "always", "never", NULL };

static bool set_format(struct options *o, const char *value)
{
	const struct format *format = format_named(bytes_of(value));

	if (format) {
		o->format = format;
		o->format_given = true;
	}
	return format;
}

static bool set_protocol(struct options *o, const char *value)
{
	o->protocol = protocol_named(bytes_of(value));
	return o->protocol;
}

static bool set_interactive(struct options *o, const char *value)
{
	for (int i = 0; interactive_words[i]; i++) {
		if (strcmp(value, interactive_words[i]) == 0) {
			o->interactive = (enum interactive)i;
			return true;
		}
	}
	return false;
}

static bool set_timeout(struct options *o, const char *value)
{
	o->timeout_given = true;
	return clock_parse_duration(bytes_of(value), &o->timeout_s) && o->timeout_s > 0 &&
	       o->timeout_s <= OPTIONS_TIMEOUT_MAX_S;
}

static bool set_min_ttl(struct options *o, const char *value)
{
	return clock_parse_duration(bytes_of(value), &o->min_ttl_s);
}

static bool set_if_expiring(struct options *o, const char *value)
{
	return clock_parse_duration(bytes_of(value), &o->if_expiring_s);
}

static bool set_expiring_within(struct options *o, const char *value)
{
	return clock_parse_duration(bytes_of(value), &o->expiring_within_s);
}

static bool set_user(struct options *o, const char *value)
{
	o->user = value;
	return *value;
}

static bool set_user_id(struct options *o, const char *value)
{
	o->user_id = url_user_id(bytes_of(value));
	return o->user_id;
}

static bool set_name(struct options *o, const char *value)
{
	o->name = value;
	return *value && strlen(value) < RECORD_NAME_MAX_BYTES;
}

static bool set_keyring(struct options *o, const char *value)
{
	o->keyring = value;
	return *value && strlen(value) <= KEYRING_MODULE_MAX_BYTES;
}

static bool set_import(struct options *o, const char *value)
{
	o->import = value;
	return *value;
}

#define FLAG(function, member)                                             \
	static bool function(struct options *o, const char *value)         \
	{                                                                  \
		(void)value;                                               \
		o->member = true;                                          \
		return true;                                               \
	}
FLAG(set_verbose, verbose)
FLAG(set_help, help)
FLAG(set_version, version)
FLAG(set_fresh, fresh)
FLAG(set_validate, validate)
FLAG(set_all, all)
FLAG(set_keep, keep)
FLAG(set_auto, unattended)
FLAG(set_password_stdin, password_stdin)
FLAG(set_token_stdin, token_stdin)
FLAG(set_import_environment, import_environment)
FLAG(set_web, web)
FLAG(set_exclusive, exclusive)
FLAG(set_shared, shared)
FLAG(set_default, make_default)
FLAG(set_refresh_token, refresh_token)
FLAG(set_offline, offline)

static const struct option table[] = {
	{ "--format", "FORMAT", FOR_ANSWER, set_format, "token, header, curl, env, json or headers-json" },
	{ "--interactive", "WHEN", FOR_ALL, set_interactive, "auto, always or never: may a keyring open its dialog?" },
	{ "--timeout", "DUR", FOR_ALL, set_timeout, "for the whole call: 20, 45s, 2m; without it 30s" },
	{ "-v", NULL, FOR_ALL, set_verbose, "say on stderr what is decided and why, without secrets" },
	{ "--help", NULL, FOR_ALL, set_help, "this text; after a verb, the verb's" },
	{ "-h", NULL, FOR_ALL, set_help, NULL },
	{ "--version", NULL, FOR_ALL, set_version, "the version" },
	{ "--min-ttl", "DUR", FOR_TOKENS, set_min_ttl, "a token with at least so long to live, such as 10m or 4h" },
	{ "--fresh", NULL, FOR_TOKENS, set_fresh, "only a token whose mint began after this call" },
	{ "--validate", NULL, FOR_TOKENS, set_validate, "ask the server about the cached token; mint if it is dead" },
	{ "--protocol", "PROTOCOL", FOR_GIT, set_protocol, "git: read a request of git's credential protocol on stdin" },
	{ "--all", NULL, FOR_EACH, set_all, "for every account; rotate: every exclusive one" },
	{ "--keep", NULL, FOR_LOGOUT, set_keep, "do not end the RefreshToken at the server" },
	{ "--if-expiring", "DUR", FOR_ROTATE, set_if_expiring, "only if the RefreshToken ends within DUR, such as 10d" },
	{ "--auto", NULL, FOR_ROTATE, set_auto, "as a timer does: exclusive ones in their last 10d, and nobody is asked" },
	{ "--refresh-token", NULL, FOR_EXEC, set_refresh_token, "set ALATION_REFRESH_TOKEN, too: whoever has it can mint" },
	{ "--expiring-within", "DUR", FOR_STATUS, set_expiring_within, "exit with 1 if a RefreshToken ends within DUR, such as 14d, or is lost" },
	{ "--offline", NULL, FOR_DOCTOR, set_offline, "leave out what needs the network" },
	{ "--user", "NAME", FOR_LOGIN, set_user, "sign in with this user name and a password" },
	{ "--password-stdin", NULL, FOR_LOGIN, set_password_stdin, "read the password from stdin" },
	{ "--user-id", "N", FOR_LOGIN, set_user_id, "numeric user id that a pasted RefreshToken belongs to" },
	{ "--token-stdin", NULL, FOR_LOGIN, set_token_stdin, "read the RefreshToken from stdin" },
	{ "--web", NULL, FOR_LOGIN, set_web, "open the page where a RefreshToken is made" },
	{ "--import", "FILE", FOR_LOGIN, set_import, "take over the RefreshToken of a .env file; -: of stdin" },
	{ "--import-environment", NULL, FOR_LOGIN, set_import_environment, "the same from ALATION_REFRESH_TOKEN and its like" },
	{ "--name", "TOKEN_NAME", FOR_LOGIN, set_name, "name of the one to create; else alation-cred@HOST" },
	{ "--keyring", "MODULE", FOR_LOGIN, set_keyring, "the module that keeps it, such as sealed-file" },
	{ "--exclusive", NULL, FOR_LOGIN, set_exclusive, "of a pasted RefreshToken: nothing else uses it" },
	{ "--shared", NULL, FOR_LOGIN, set_shared, "of a pasted RefreshToken: something else uses it too" },
	{ "--default", NULL, FOR_LOGIN, set_default, "make it the default account" },
};
#define TABLE (sizeof table / sizeof *table)

const struct option *options_find(const char *arg, const char **ret_value)
{
	const char *eq = strncmp(arg, "--", 2) == 0 ? strchr(arg, '=') : NULL;
	struct bytes name = { arg, eq ? (size_t)(eq - arg) : strlen(arg) };

	*ret_value = eq ? eq + 1 : NULL;
	for (size_t i = 0; i < TABLE; i++)
		if (bytes_are(name, table[i].name))
			return &table[i];
	return NULL;
}

/* The first thing that is wrong is what is said, but the rest is read: --format json may stand there. */
static void wrong(struct trouble *trouble, const char *word, const char *why)
{
	if (trouble->code == TROUBLE_NONE)
		trouble_say(trouble, TROUBLE_USAGE, "see 'alation-cred --help'", *word ? "option '%s' %s" : "an option%s %s", word, why);
}

/* What it would take is said; what it got may be a secret. */
static void wrong_value(struct trouble *trouble, const struct option *option)
{
	const char *verb = option->class == FOR_LOGIN ? "see 'alation-cred login --help'" : "see 'alation-cred --help'";

	if (trouble->code == TROUBLE_NONE)
		trouble_say(trouble, TROUBLE_USAGE, verb, "option '%s' has a value that cannot be; it is: %s", option->name, option->help);
}

/*
 * An option that we do not know may be a secret put there by mistake: --password=hunter2, -phunter2, or a token
 * that begins with '-'. Only what looks like an option's name is shown.
 */
static void wrong_word(struct trouble *trouble, const char *arg)
{
	char name[64];
	size_t n = strcspn(arg, "=");

	if (arg[1] != '-')
		n = 2;
	else if (n >= sizeof name || n != strspn(arg, "-abcdefghijklmnopqrstuvwxyz"))
		n = 0;
	snprintf(name, sizeof name, "%.*s", (int)n, arg);
	wrong(trouble, name, "is not known");
}

enum outcome options_parse(int argc, const char *const argv[], struct options *ret_options, struct trouble *trouble)
{
	bool only_args = false;

	*ret_options = (struct options){
		.format = formats[0],
		.timeout_s = OPTIONS_TIMEOUT_S,
		.min_ttl_s = -1,
		.if_expiring_s = -1,
		.expiring_within_s = -1,
	};
	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i], *value;
		const struct option *option;

		if (only_args || arg[0] != '-' || arg[1] == '\0') {
			if (ret_options->n_args < OPTIONS_ARGS_MAX)
				ret_options->args[ret_options->n_args++] = arg;
			continue;
		}
		if (strcmp(arg, "--") == 0) {
			only_args = true;
			ret_options->behind = &argv[i + 1];
			ret_options->n_before = ret_options->n_args;
			continue;
		}
		option = options_find(arg, &value);
		if (!option) {
			wrong_word(trouble, arg);
			continue;
		}
		if (!ret_options->first_of[option->class])
			ret_options->first_of[option->class] = option->name;
		if (!option->value && value) {
			wrong(trouble, option->name, "takes no value");
			continue;
		}
		if (option->value && !value && i + 1 < argc)
			value = argv[++i];
		if (option->value && !value)
			wrong(trouble, option->name, "needs a value");
		else if (!option->set(ret_options, value))
			wrong_value(trouble, option);
	}
	return trouble_outcome(trouble->code);
}

const struct option *options_at(size_t i)
{
	return i < TABLE ? &table[i] : NULL;
}

void options_take_command(struct options *options)
{
	if (!options->behind || options->n_before == 0) {
		options->behind = NULL;
		return;
	}
	while (options->n_args > options->n_before)
		options->args[--options->n_args] = NULL;
}

void options_help(struct out *out, enum option_class class)
{
	for (size_t i = 0; i < TABLE; i++) {
		if (table[i].class != class || !table[i].help)
			continue;
		out_text(out, "  ");
		out_text(out, table[i].name);
		if (table[i].value) {
			out_text(out, " ");
			out_text(out, table[i].value);
		}
		wrap_text(out, HELP_COLUMN, table[i].help);
	}
}
