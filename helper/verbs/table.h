/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs: what runs them, what may stand behind them, which options they have, what is said of them.
 */
#ifndef HELPER_VERBS_TABLE_H
#define HELPER_VERBS_TABLE_H

#include "helper/context.h"

#define VERB_OPTIONS(class) (1u << (class))
#define VERB_ACCOUNT "[ACCOUNT]"

struct verb {
	const char *name;
	enum outcome (*run)(struct context *context, const char *argument);
	const char *argument; /* what may stand behind it */
	int max_arguments;
	bool is_git;          /* git's credential protocol has it */
	bool needs_reply;     /* it prints a token: a format must be able to */
	unsigned options;     /* VERB_OPTIONS(): the classes of options that it has beside those for all */
	const char *help, *example;
};

/* In the order in which they are shown; a name of NULL ends them. */
extern const struct verb verbs[];

/* The row of NAME, or NULL. */
const struct verb *verb_named(const char *name);

/* Whether a command must stand behind `--`: then stdout is the command's. */
bool verb_has_command(const struct verb *verb);

#endif
