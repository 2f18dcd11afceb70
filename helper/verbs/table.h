/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs: what runs them, what may stand behind them, which options they have, what is said of them.
 */
#ifndef HELPER_VERBS_TABLE_H
#define HELPER_VERBS_TABLE_H

#include "helper/context.h"

#define VERB_OPTIONS(class) (1u << (class))
#define VERB_ACCOUNT "[ACCOUNT]"

enum verb_trait {
	VERB_GIT = 1 << 0,      /* git's credential protocol has it */
	VERB_TOKEN = 1 << 1,    /* it prints a token: a format must be able to */
	VERB_COMMAND = 1 << 2,  /* a command must stand behind `--`: then stdout is the command's */
	VERB_ALL = 1 << 3,      /* without ACCOUNT all accounts are meant */
	VERB_ANYHOW = 1 << 4,   /* it runs with a configuration that cannot be used, too */
};

struct verb {
	const char *name;
	enum outcome (*run)(struct context *context, const char *argument);
	const char *argument; /* what may stand behind it */
	int max_arguments;
	unsigned traits;
	unsigned options;     /* VERB_OPTIONS(): the classes of options that it has beside those for all */
	const char *help, *example;
};

/* In the order in which they are shown; a name of NULL ends them. */
extern const struct verb verbs[];

/* The row of NAME, or NULL. */
const struct verb *verb_named(const char *name);

/* VERB may be NULL: then it has none. */
bool verb_has(const struct verb *verb, enum verb_trait trait);

/* The classes of all options that it takes; of NULL, those that go before any verb. */
unsigned verb_options(const struct verb *verb);

#endif
