/* SPDX-License-Identifier: MIT */
/*
 * Writes into a buffer the caller owns. What does not fit sets `overflow` and is dropped, so callers check
 * once, at the end; a buffer that overflowed holds half an answer and is never printed.
 */
#ifndef PROTOCOL_OUT_H
#define PROTOCOL_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"

struct out {
	char *p;
	size_t room, n;
	bool overflow;
};

void out_bytes(struct out *out, struct bytes b);
void out_text(struct out *out, const char *text);
void out_int(struct out *out, int64_t value);

/* B for a person's eyes: control characters (C0, DEL, C1, bidirectional ones, U+2028, U+2029) and bytes not
 * UTF-8 come out as \xNN, so what a server or a user named cannot move a terminal's cursor. */
void out_visible(struct out *out, struct bytes b);

/* The same, and whatever is not ASCII comes out as \xNN, too: for who reads no UTF-8. */
void out_visible_ascii(struct out *out, struct bytes b);

/* How many columns of a terminal B takes, which out_visible() has written: two for what East Asian scripts and pictures
 * take, none for what stands on the character before it. */
size_t out_columns(struct bytes b);

/* B as a JSON string with its quotes (RFC 8259); what out_visible() escapes is escaped here too, as \uNNNN, and
 * bytes that are not UTF-8 become U+FFFD. */
void out_json(struct out *out, struct bytes b);

/* B percent-encoded for a form (application/x-www-form-urlencoded, with %20 for a blank): only
 * [A-Za-z0-9._~-] stand for themselves. */
void out_form(struct out *out, struct bytes b);

#endif
