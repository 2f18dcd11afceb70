/* SPDX-License-Identifier: MIT */
/*
 * Reads stdin, bounded in bytes and time. Knows nothing of what the bytes mean.
 */
#ifndef HELPER_BASE_STDIN_H
#define HELPER_BASE_STDIN_H

#include "helper/base/secret.h"
#include "helper/base/trouble.h"

/* All of stdin, until its end: at most MAX_BYTES, else USAGE; by DEADLINE_MS (CLOCK_MONOTONIC), else USAGE too:
 * who was to write it never did. */
enum outcome stdin_read(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble);

#endif
