/* SPDX-License-Identifier: MIT */
/*
 * Reads stdin, bounded in bytes and time, or looks at it without consuming a byte. Knows nothing of what the bytes mean.
 */
#ifndef HELPER_BASE_STDIN_H
#define HELPER_BASE_STDIN_H

#include <stdbool.h>

#include "helper/base/secret.h"
#include "helper/base/trouble.h"

/* All of stdin, until its end: at most MAX_BYTES, else USAGE; by DEADLINE_MS (CLOCK_MONOTONIC), else USAGE too:
 * who was to write it never did. */
enum outcome stdin_read(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble);

/* Until an empty line or its end, whichever comes first; else the same. What follows the empty line may have been
 * consumed, and is not returned. */
enum outcome stdin_read_paragraph(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble);

#define STDIN_LOOK_MAX_BYTES (64 * 1024)

/*
 * Looks at what lies on stdin now, without consuming it and without waiting. False: there is nothing that can be
 * looked at (closed when we started or not open for reading, a terminal or another character device, a directory, …).
 * *ret_content is replaced by what was seen, at most STDIN_LOOK_MAX_BYTES; *ret_ended: nothing will follow that.
 */
bool stdin_look(struct secret *ret_content, bool *ret_ended);

/* Consumes N bytes that stdin_look() has seen. */
void stdin_skip(size_t n);

#endif
