/* SPDX-License-Identifier: MIT */
/*
 * Asks a person through a program of theirs, as ssh does: $ALATION_CRED_ASKPASS, else $SSH_ASKPASS. Knows no terminal, and
 * not what the answer is for.
 */
#ifndef HELPER_BASE_ASKPASS_H
#define HELPER_BASE_ASKPASS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/secret.h"
#include "helper/base/trouble.h"

struct askpass {
	const char *program, *variable; /* the environment's; PROGRAM is looked for in PATH if it has no slash */
	bool comes_first;               /* before a terminal, if there is one */
};

/*
 * Which program asks; false: none does. $ALATION_CRED_ASKPASS counts anywhere, and empty it says that none does; $SSH_ASKPASS
 * only with a display, as in ssh(1). $SSH_ASKPASS_REQUIRE is `prefer` (before a terminal), `force` (also without a display) or
 * `never`, and holds for both.
 */
bool askpass_find(struct askpass *ret_askpass);

/*
 * Starts it with QUESTION as its one argument. The first line that it writes is the answer, without its line end and of at most
 * PROMPT_MAX_BYTES, if it then ends with 0. By DEADLINE_MS (CLOCK_MONOTONIC), or at a signal that ends us, it is ended. USAGE
 * where there is no answer.
 */
enum outcome askpass_ask(const struct askpass *askpass, const char *question, int64_t deadline_ms, struct secret *ret_answer,
                         struct trouble *trouble);

#endif
