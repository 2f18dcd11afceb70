/* SPDX-License-Identifier: MIT */
/*
 * A view: bytes that somebody else owns. Nothing here allocates or copies.
 */
#ifndef PROTOCOL_BYTES_H
#define PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct bytes {
	const char *p;
	size_t n;
};

/* A view of a C string, without its NUL; of NULL, the empty view. */
static inline struct bytes bytes_of(const char *text)
{
	return (struct bytes){ text ? text : "", text ? strlen(text) : 0 };
}

static inline bool bytes_are(struct bytes b, const char *text)
{
	return b.n == strlen(text) && (b.n == 0 || memcmp(b.p, text, b.n) == 0);
}

/* Drops PREFIX from the front of *b if it stands there. */
static inline bool bytes_after(struct bytes *b, const char *prefix)
{
	size_t n = strlen(prefix);

	if (b->n < n || memcmp(b->p, prefix, n) != 0)
		return false;
	b->p += n;
	b->n -= n;
	return true;
}

/* An ASCII letter or digit, whatever the locale, or one of EXTRA. */
static inline bool byte_is_plain(char c, const char *extra)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(extra, c) != NULL);
}

/* Without the blanks and line ends around it. */
static inline struct bytes bytes_trimmed(struct bytes b)
{
	while (b.n && b.p[0] && strchr(" \t\r\n", b.p[0])) {
		b.p++;
		b.n--;
	}
	while (b.n && b.p[b.n - 1] && strchr(" \t\r\n", b.p[b.n - 1]))
		b.n--;
	return b;
}

/*
 * Takes what stands before the next SEP off the front of *rest, and SEP with it; all of it where there is
 * no SEP. False once nothing is left.
 */
static inline bool bytes_next(struct bytes *rest, char sep, struct bytes *ret_part)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, sep, rest->n);
	ret_part->p = rest->p;
	ret_part->n = end ? (size_t)(end - rest->p) : rest->n;
	rest->p += ret_part->n + (end ? 1 : 0);
	rest->n -= ret_part->n + (end ? 1 : 0);
	return true;
}

#endif
