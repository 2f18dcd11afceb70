/* SPDX-License-Identifier: MIT */
/*
 * The clocks, and time as text. Also compiled into alation.so: no other file of ours is needed.
 */
#ifndef HELPER_BASE_CLOCK_H
#define HELPER_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"

#define CLOCK_TEXT_BYTES 32 /* "2026-11-25T07:12:04Z" and its NUL */
#define CLOCK_MAX_S 253402300799 /* 9999-12-31T23:59:59Z: what RFC 3339 can write */

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC: deadlines */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: ages; goes on in suspend, no one can set it */
int64_t clock_wall_s(void);  /* CLOCK_REALTIME: what is shown and handed out */

/*
 * Reads RFC 3339 as Alation's servers write it: 0 to 9 fraction digits, `Z`, `+hh:mm` or `+hhmm`, 'T' or a
 * blank between (facts: the fraction is missing when it is zero). False, and *ret_epoch_s untouched, for
 * anything else, a date that does not exist included; a leap second counts as the second before.
 */
bool clock_parse_time(struct bytes text, int64_t *ret_epoch_s);

/* "2026-11-25T07:12:04Z"; a time that RFC 3339 cannot write comes out as "". */
void clock_format_time(int64_t epoch_s, char ret_text[CLOCK_TEXT_BYTES]);

/* "2027-01-24 11:20 +01:00", for people: by $TZ, else the system's zone, to the minute. "" as above. A $TZ that is
 * nonsense is what the C library makes of it, mostly UTC; the offset that is written says which time was meant. */
void clock_format_local(int64_t epoch_s, char ret_text[CLOCK_TEXT_BYTES]);

/* How long something still lasts, for people, in one unit and rounded down: "57 days", "47 h", "119 min", "30 s".
 * What is over is "0 s". */
void clock_format_span(int64_t seconds, char ret_text[CLOCK_TEXT_BYTES]);

/* DUR: `[0-9]+[smhd]?`, seconds without a letter. False where it is something else or more than 100 years. */
bool clock_parse_duration(struct bytes text, int64_t *ret_seconds);

#endif
