/* SPDX-License-Identifier: MIT */
/*
 * A call that asks the keyrings about many accounts and must not wait for each: all of that has one end, a module's list
 * is read once (keyring.h, `know`), and one that ran out of time is not asked again. Holds no secret, asks no module itself.
 */
#ifndef HELPER_LIFECYCLE_SURVEY_H
#define HELPER_LIFECYCLE_SURVEY_H

#include "helper/accounts-file.h"
#include "helper/context.h"

#define SURVEY_MS 1900 /* all calls of modules together: with what is printed then, status takes 2 s at most */
#define SURVEY_MODULE_MS 1400 /* one of them, so that a service that hangs leaves the others some time */

struct survey {
	int64_t until_ms; /* CLOCK_MONOTONIC */
	const struct account *accounts;
	size_t n;
	uint32_t *held; /* of each account: the lines of the stack, a bit each, whose module lists its RefreshToken */
};

/* From now on the call's walks are a survey's. *SURVEY, zeroed, outlives them. */
void survey_start(struct context *context, struct survey *survey);

/* It is of these N accounts, which stay the caller's. Until then no list is kept. False: no memory. */
bool survey_of(struct survey *survey, const struct account *accounts, size_t n);

/* The walks are as ever. */
void survey_end(struct context *context);

/* What the walks' ears pass on: MODULE lists KEY; and whether it did. */
void survey_know(struct context *context, const char *module, const struct acred_key *key);
bool survey_knows(const struct context *context, const char *module, const struct acred_key *key);

#endif
