/* SPDX-License-Identifier: MIT */
/*
 * The members of a request's body, whether it came as a form or as a JSON object. Knows no endpoint.
 */
#ifndef SANDBOX_FIELDS_H
#define SANDBOX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#define FIELDS_MAX 64

struct field {
	char *name, *value; /* each with a NUL after it; a value may hold others */
	size_t value_n;
};

struct fields {
	struct field list[FIELDS_MAX];
	size_t n;
};

enum fields_result {
	FIELDS_OK,
	FIELDS_MALFORMED,
	FIELDS_WRONG_TYPE, /* of a content type that is neither */
};

/* What came out goes through fields_free in every case. An empty body without a type has no members. */
enum fields_result fields_parse(struct fields *fields, const char *content_type, const char *body, size_t n);
void fields_free(struct fields *fields);

/* The first member of that name, or NULL: absent. */
const struct field *fields_find(const struct fields *fields, const char *name);

/* The same as text; also NULL where the value holds a NUL byte. */
const char *fields_text(const struct fields *fields, const char *name);

/* A whole number from MIN on, in decimal digits (a sign only where MIN is negative). */
bool fields_number(const char *text, long long min, long long max, long long *ret_number);

#endif
