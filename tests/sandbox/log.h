/* SPDX-License-Identifier: MIT */
/*
 * The log of calls that tests read: one line a call, complete before the caller gets its answer.
 */
#ifndef SANDBOX_LOG_H
#define SANDBOX_LOG_H

#include <stdbool.h>

#include "tests/sandbox/text.h"

struct log {
	struct text all; /* the same lines as the file's, for GET /sandbox/log */
	int fd;          /* -1: no file */
	unsigned long long last_seq;
};

struct log_call {
	const char *method, *path;
	int status; /* 0: the connection was closed without an answer */
	const char *user_id, *refresh, *access, *fault, *made; /* each may be NULL */
};

/* PATH NULL: in memory alone. False, with errno: the file could not be opened. */
bool log_open(struct log *log, const char *path);
void log_write(struct log *log, const struct log_call *call);
void log_close(struct log *log);

#endif
