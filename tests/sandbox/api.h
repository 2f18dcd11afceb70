/* SPDX-License-Identifier: MIT */
/*
 * Alation's side: the six token endpoints, two that need an access token, and the page of its API.
 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include "tests/sandbox/reply.h"
#include "tests/sandbox/sandbox.h"

/* Answers, and logs the call. A reply of status 0 means: close the connection. */
void api_answer(struct sandbox *sandbox, const struct request *request, struct reply *reply);

/* Is it an endpoint's name, or "*"? */
bool api_has_endpoint(const char *name);

#endif
