/* SPDX-License-Identifier: MIT */
/*
 * Faults on demand: a queue of "the next call of ENDPOINT goes wrong like this". The caller holds the lock.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sandbox/fields.h"
#include "tests/sandbox/reply.h"

enum fault_drop { DROP_NO, DROP_BEFORE, DROP_AFTER };

struct fault {
	struct fault *next;
	unsigned refs; /* one of the queue, one of each call that is using it */
	struct fields fields; /* as they came; header, set and unset are read from here */
	const char *endpoint; /* "*": any */
	long long left; /* calls; negative: until cleared */
	long long status, delay_ms, drip_ms;
	enum fault_drop drop;
	enum reply_end end;
	bool act, is_cut;
	long long cut_n;
};

struct faults {
	struct fault *first;
};

/* The fault's members in one table, for --help. */
extern const char faults_help[];

/* Takes the fields over and leaves *fields empty. NULL: added; else what is wrong with them. */
const char *faults_add(struct faults *faults, struct fields *fields);
void faults_clear(struct faults *faults);

/* The fault for this call, or NULL. What was taken is given back with fault_release. */
struct fault *faults_take(struct faults *faults, const char *endpoint);
void fault_release(struct fault *fault);

bool fault_acts(const struct fault *fault); /* does the server do what it was asked, before it answers wrongly? */
void fault_apply(const struct fault *fault, struct reply *reply);
void fault_name(const struct fault *fault, struct text *t); /* "delay,drop-after": for the log */

#endif
