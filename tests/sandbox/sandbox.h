/* SPDX-License-Identifier: MIT */
/*
 * The one sandbox: everything that calls share, and the lock they share it under.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "tests/sandbox/connection.h"
#include "tests/sandbox/dates.h"
#include "tests/sandbox/faults.h"
#include "tests/sandbox/log.h"
#include "tests/sandbox/state.h"

struct sandbox {
	pthread_mutex_t lock;    /* guards everything below */
	pthread_cond_t changed;  /* one of the next three; on CLOCK_MONOTONIC */
	bool stopping;
	unsigned held, releases; /* hold.c's */
	struct state state;
	struct faults faults;
	struct connection_fault connection;
	struct dates dates;
	struct log log;
};

struct request {
	const char *method, *path, *content_type; /* content_type may be NULL */
	const char *token; /* the TOKEN header, or NULL */
	const char *body;
	size_t body_n;
};

#endif
