/* SPDX-License-Identifier: MIT */
/*
 * stdout is the product: the whole answer or nothing, written once and checked. Formats nothing.
 */
#ifndef HELPER_BASE_STDOUT_H
#define HELPER_BASE_STDOUT_H

#include "helper/base/trouble.h"
#include "protocol/bytes.h"

/* Whether an answer has somewhere to go, asked before a token is minted: DONE, or UNWRITTEN where stdout is
 * closed or is a pipe or socket whose reader is gone. A full disk shows only at the write. */
enum outcome stdout_check(struct trouble *trouble);

/* Writes all of B. EINTR, short writes and a non-blocking pipe are dealt with, until DEADLINE_MS
 * (CLOCK_MONOTONIC) but at least for a second; so is one that nobody drains. */
enum outcome stdout_write(struct bytes b, int64_t deadline_ms, struct trouble *trouble);

#endif
