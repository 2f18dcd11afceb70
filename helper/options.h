/* SPDX-License-Identifier: MIT */
/*
 * The command line: one table of options for all verbs. Sets no default that depends on a file.
 */
#ifndef HELPER_OPTIONS_H
#define HELPER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/trouble.h"
#include "protocol/protocol.h"

#define OPTIONS_ARGS_MAX 4
#define OPTIONS_TIMEOUT_S 30        /* without --timeout */
#define OPTIONS_TIMEOUT_MAX_S 86400
#define OPTIONS_RENEW_S 864000      /* 10 d: what `rotate --auto` renews without --if-expiring */

enum interactive { INTERACTIVE_AUTO, INTERACTIVE_ALWAYS, INTERACTIVE_NEVER };

/* By that enum; NULL ends them. */
extern const char *const interactive_words[];

/* Which verbs an option is for. FOR_ANSWER: all whose stdout is ours. */
enum option_class { FOR_ALL, FOR_LOGIN, FOR_TOKENS, FOR_GIT, FOR_EACH, FOR_LOGOUT, FOR_ROTATE, FOR_STATUS, FOR_EXEC, FOR_DOCTOR, FOR_ANSWER, OPTION_CLASSES };

struct options {
	const struct format *format;   /* never NULL; what answers are written in */
	const struct format *protocol; /* the helper protocol that is spoken, or NULL */
	bool format_given;
	enum interactive interactive;
	int64_t timeout_s;
	bool timeout_given;
	bool verbose, help, version;
	/* get, token */
	int64_t min_ttl_s;           /* -1: not given */
	bool fresh, validate;
	/* logout, revoke, rotate, validate */
	bool all, keep;
	int64_t if_expiring_s;       /* -1: not given */
	bool unattended;             /* --auto */
	/* status */
	int64_t expiring_within_s;   /* -1: not given */
	/* exec */
	bool refresh_token;
	/* doctor */
	bool offline;
	/* login */
	const char *user, *name, *keyring, *import;
	int64_t user_id;             /* 0: not given */
	bool password_stdin, token_stdin, import_environment, web, exclusive, shared, make_default;
	/* the first option of each class that was given, or NULL: some verbs have no such option */
	const char *first_of[OPTION_CLASSES];
	/* what is no option: the verb first */
	const char *args[OPTIONS_ARGS_MAX];
	int n_args;
	/* what stands behind the first `--`, to the end of argv; of the args it is those from n_before on. NULL: there is no `--` */
	const char *const *behind;
	int n_before;
};

struct option {
	const char *name;  /* "--format", or a short one */
	const char *value; /* what its value is called, by which it is completed, too; NULL: it has none */
	enum option_class class;
	bool (*set)(struct options *, const char *value);
	const char *help;  /* NULL: another name of an option that has one */
};

/* The Ith option of the table, or NULL. */
const struct option *options_at(size_t i);

/* The one that the word ARG is, or NULL; *ret_value is what stands behind its '=', or NULL. */
const struct option *options_find(const char *arg, const char **ret_value);

/*
 * Reads argv (without argv[0]) into *ret_options, which is filled as far as it could be read even where the
 * outcome is USAGE: --format tells how to say so. Options stand before or after the verb; `--` ends them.
 */
enum outcome options_parse(int argc, const char *const argv[], struct options *ret_options, struct trouble *trouble);

/* What stands behind `--` is none of the args, but a command. Where the verb itself stands there, there is none. */
void options_take_command(struct options *options);

/* The options' lines of a help text: those of one class, into OUT. */
void options_help(struct out *out, enum option_class class);

#endif
