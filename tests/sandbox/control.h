/* SPDX-License-Identifier: MIT */
/*
 * The calls under /sandbox/, by which a test or a person steers the sandbox. Never logged, never faulted.
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include <stdbool.h>

#include "tests/sandbox/reply.h"
#include "tests/sandbox/sandbox.h"

bool control_is(const char *path);
void control_answer(struct sandbox *sandbox, const struct request *request, struct reply *reply);

#endif
