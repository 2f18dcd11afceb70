/* SPDX-License-Identifier: MIT */
/*
 * One line of `key=value&key=value`, form-encoded: the shape of everything we store. Its characters are
 * [A-Za-z0-9%=&._~-], so no keyring, file or terminal can be broken with it. Knows no key.
 */
#ifndef HELPER_BASE_FORM_H
#define HELPER_BASE_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/secret.h"

/* Takes the next pair off *rest, still encoded. False: none is left, or the pair is malformed, which
 * *ret_bad tells. */
bool form_next(struct bytes *rest, struct bytes *ret_key, struct bytes *ret_value, bool *ret_bad);

/* Whether B has the characters of an encoded line alone, and may be written back as it stands. */
bool form_encoded(struct bytes b);

/* Decodes %XX (a '+' is a blank) and appends. False: a bad escape, a NUL, or no memory. */
bool form_decode(struct bytes value, struct secret *ret_text);

/* The same into ROOM bytes, with a NUL; false if it does not fit. */
bool form_decode_into(struct bytes value, char *text, size_t room);

/* A whole number, digits with an optional '-'. */
bool form_int(struct bytes value, int64_t *ret_number);

/* Appends `key=` and the encoded value, with `&` before it unless the line is empty. */
bool form_add(struct secret *line, const char *key, struct bytes value);
bool form_add_int(struct secret *line, const char *key, int64_t value);

#endif
