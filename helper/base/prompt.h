/* SPDX-License-Identifier: MIT */
/*
 * Asks a person on the controlling terminal or, for a secret, through an askpass program. Never called by `get`.
 */
#ifndef HELPER_BASE_PROMPT_H
#define HELPER_BASE_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/secret.h"
#include "helper/base/trouble.h"

#define PROMPT_MAX_BYTES 20000 /* an answer's */

/* Whether there is a terminal to ask on. */
bool prompt_possible(void);

/* Shows text (lines of its own) on the terminal; escapes nothing: the text is ours. */
void prompt_show(const char *text);

/* The same before a question is asked again: what a paste has left on the terminal is no answer to it, and goes. */
void prompt_again(const char *text);

/*
 * Asks QUESTION and reads one line, without its line end. HIDDEN: without echo, which comes back on every way
 * out, signals included; and what a paste had behind its first line is part of the answer, with the line feeds between. A
 * stopped dialog asks again when it goes on. USAGE if the terminal ends (Ctrl-D), or for a line that a terminal may have cut.
 */
enum outcome prompt_ask(const char *question, bool hidden, struct secret *ret_answer, struct trouble *trouble);

/* Whether a secret could be asked for: on a terminal, or by askpass. */
bool prompt_secret_possible(void);

/*
 * Asks for a secret, without echo, by DEADLINE_MS (CLOCK_MONOTONIC; 0: a person at a terminal has all the time he wants): on
 * the terminal, or where there is none, or SSH_ASKPASS_REQUIRE wants it so, through an askpass program (askpass.h). USAGE
 * where there is no answer.
 */
enum outcome prompt_secret(const char *question, int64_t deadline_ms, struct secret *ret_answer, struct trouble *trouble);

#endif
