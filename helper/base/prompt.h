/* SPDX-License-Identifier: MIT */
/*
 * Asks a person on the controlling terminal. Never called by `get`.
 */
#ifndef HELPER_BASE_PROMPT_H
#define HELPER_BASE_PROMPT_H

#include <stdbool.h>

#include "helper/base/secret.h"
#include "helper/base/trouble.h"

#define PROMPT_MAX_BYTES 20000

/* Whether there is a terminal to ask on. */
bool prompt_possible(void);

/* Shows text (lines of its own) on the terminal; escapes nothing: the text is ours. */
void prompt_show(const char *text);

/*
 * Asks QUESTION and reads one line, without its line end. HIDDEN: without echo, which comes back on every way
 * out, signals included; a stopped dialog asks again when it goes on. USAGE if the terminal ends (Ctrl-D).
 */
enum outcome prompt_ask(const char *question, bool hidden, struct secret *ret_answer, struct trouble *trouble);

/* Whether a secret could be asked for. */
bool prompt_secret_possible(void);

/* Asks for a secret, by DEADLINE_MS (CLOCK_MONOTONIC): on the terminal, without echo. */
enum outcome prompt_secret(const char *question, int64_t deadline_ms, struct secret *ret_answer, struct trouble *trouble);

#endif
