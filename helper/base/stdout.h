/* SPDX-License-Identifier: MIT */
/*
 * stdout is the product: the whole answer or nothing, written once and checked. Formats nothing.
 */
#ifndef HELPER_BASE_STDOUT_H
#define HELPER_BASE_STDOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/base/trouble.h"
#include "protocol/bytes.h"

/* How stdout was when the process started: where it was closed, /dev/null is in its place by now. */
void stdout_found(bool open_for_writing);

/* Whether an answer has somewhere to go, asked before a token is minted: DONE, or UNWRITTEN where stdout is
 * closed or is a pipe or socket whose reader is gone. A full disk shows only at the write. */
enum outcome stdout_check(struct trouble *trouble);

/* Writes all of B. EINTR, short writes and a non-blocking pipe are dealt with, until DEADLINE_MS
 * (CLOCK_MONOTONIC) but at least for a second; so is one that nobody drains. */
enum outcome stdout_write(struct bytes b, int64_t deadline_ms, struct trouble *trouble);

/* Before foreign code is loaded: from now on descriptor 1, which that code may print on, leads nowhere, and the caller's stdout has
 * another number. Where no descriptor is to be had, all stays as it is. Once. */
void stdout_set_aside(void);

/* For a program that takes our place: the caller's stdout is descriptor 1 again. No foreign code may be called any more. False: such
 * code has closed it. */
bool stdout_give_back(void);

#define STDOUT_CLOSED SIZE_MAX

/* How much foreign code has printed on descriptor 1 since this was last asked; it is dropped, for what it says may be a secret.
 * STDOUT_CLOSED, once: it has closed what it does not know, the caller's stdout too, on which nothing is written any more.
 * Flushes the C library's stdout, which that code may have spoilt: to be asked while a watchdog is armed. */
size_t stdout_strayed(void);

/* The descriptor of the caller's stdout; -1: foreign code has closed it. For a signal handler too. */
int stdout_descriptor(void);

#endif
