/* SPDX-License-Identifier: MIT */
/*
 * `-v` and ALATION_CRED_TRACE: what was decided and why, a line each. No secret is ever handed to it: callers
 * trace lengths, names and decisions, not tokens, and every line is escaped here.
 */
#ifndef HELPER_BASE_TRACE_H
#define HELPER_BASE_TRACE_H

#include <stdbool.h>

/* Traces to stderr if VERBOSE or $ALATION_CRED_TRACE is 1, to the file it names (absolute path, appended,
 * made 0600) if it is a path. */
void trace_start(bool verbose);

void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
