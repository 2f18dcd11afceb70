/* SPDX-License-Identifier: MIT */
/*
 * The server's clock as the client sees it: three ways to write an instant, and how far the clock is wrong.
 */
#ifndef SANDBOX_DATES_H
#define SANDBOX_DATES_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_BYTES 64
#define DATE_SKEW_MAX_S 315360000 /* ten years */

enum date_style {
	DATE_OFFSET, /* 2020-07-15T16:08:09.673391-07:00 */
	DATE_Z,      /* 2020-07-15T23:08:09.673391Z */
	DATE_PLAIN,  /* 2020-07-15T23:08:09Z: what Django writes when the microseconds are zero */
};

struct dates {
	enum date_style style;
	int64_t skew_s; /* added to what is written, never to what is decided */
};

bool dates_style(const char *name, enum date_style *ret_style);

int64_t dates_now_us(void);

void dates_write(const struct dates *dates, int64_t epoch_us, char ret_text[DATE_BYTES]);
void dates_write_header(const struct dates *dates, char ret_text[DATE_BYTES]); /* now, for `Date:` */

#endif
