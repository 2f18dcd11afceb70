/* SPDX-License-Identifier: MIT */
/*
 * A text that grows. Without memory the sandbox ends at once: nobody's data is at stake, and no caller has to
 * write a path that no test would ever take.
 */
#ifndef SANDBOX_TEXT_H
#define SANDBOX_TEXT_H

#include <stddef.h>

struct text {
	char *p; /* NUL after the last byte; NULL while nothing was added */
	size_t n, room;
};

void text_add(struct text *t, const char *p, size_t n);
void text_puts(struct text *t, const char *s);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* S as a JSON string, with its quotes. */
void text_json(struct text *t, const char *s);

/* S as one word of a log line: what is not a plain character is percent-encoded, a long one is cut; "-" where
 * there is none. */
void text_word(struct text *t, const char *s);

void text_free(struct text *t);

void *must_alloc(size_t size); /* zeroed */
char *must_copy(const char *p, size_t n); /* with a NUL after it */

#endif
