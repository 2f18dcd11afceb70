/* SPDX-License-Identifier: MIT */
/*
 * One row an endpoint: how it is called, which members it needs, what it does.
 */
#ifndef SANDBOX_ENDPOINTS_H
#define SANDBOX_ENDPOINTS_H

#include "tests/sandbox/reply.h"
#include "tests/sandbox/sandbox.h"

#define ENDPOINT_NEEDS_MAX 3

/* One call under way. */
struct act {
	struct sandbox *sandbox;
	const struct fields *fields;
	const char *token;  /* the TOKEN header, or NULL */
	long long user_id;  /* once the member was found to be a number */
	struct reply *reply;
	struct log_call log;
};

struct endpoint {
	const char *name, *method, *path;
	const char *needs[ENDPOINT_NEEDS_MAX];
	void (*act)(struct act *); /* with every member it needs there, and not empty */
};

extern const struct endpoint endpoints[];
extern const size_t endpoints_n;

#endif
