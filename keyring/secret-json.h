/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON that holds secrets, with json-c, for the shared objects that need it: one strict object, and no copy of what was read
 * stays behind. Compiled into each of them; the executable has no json-c.
 */
#ifndef KEYRING_SECRET_JSON_H
#define KEYRING_SECRET_JSON_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/* NULL, and the one object that TEXT (N bytes; blanks around it are none of it) is, the caller's to free; else what is wrong with the
 * text, to be said behind a name for it. Strict: no member twice, nothing that only json-c takes for JSON. A
 * string may hold a NUL (\u0000), and of a member's name json-c has what stands before it. */
const char *secret_json_read(const char *text, size_t n, struct json_object **ret_object);

/* Wipes every string in it first. */
void secret_json_free(struct json_object **object);
#define SECRET_JSON __attribute__((cleanup(secret_json_free))) struct json_object

enum secret_json_member { SECRET_JSON_NONE, SECRET_JSON_TEXT, SECRET_JSON_OTHER };

/* SECRET_JSON_TEXT: *RET_P and *RET_N are the string's, valid as long as the object is; else an empty one. */
enum secret_json_member secret_json_text(const struct json_object *object, const char *name, const char **ret_p, size_t *ret_n);

#endif
