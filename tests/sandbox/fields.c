/* SPDX-License-Identifier: MIT */
/*
 * A body of a form or of one flat JSON object -> its members. Only json-c's parser is used here, and nowhere else.
 * Alation takes a number for a string and the other way round (user_id comes as both), so everything becomes text.
 */
#include "tests/sandbox/fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/sandbox/text.h"

static bool add(struct fields *fields, const char *name, size_t name_n, const char *value, size_t value_n)
{
	struct field *f;

	if (fields->n == FIELDS_MAX)
		return false;
	f = &fields->list[fields->n++];
	f->name = must_copy(name, name_n);
	f->value = must_copy(value, value_n);
	f->value_n = value_n;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* In place: the text only ever becomes shorter. A '%' without two digits stands for itself, as in Django. */
static size_t unescape(char *p, size_t n)
{
	size_t out = 0;

	for (size_t in = 0; in < n; in++) {
		int high = p[in] == '%' && in + 2 < n ? hex_digit(p[in + 1]) : -1;
		int low = high >= 0 ? hex_digit(p[in + 2]) : -1;

		if (low >= 0) {
			p[out++] = (char)(high * 16 + low);
			in += 2;
		} else {
			p[out++] = p[in] == '+' ? ' ' : p[in];
		}
	}
	return out;
}

static bool add_pair(struct fields *fields, const char *p, size_t n)
{
	char *copy = must_copy(p, n);
	char *eq = memchr(copy, '=', n);
	size_t name_n = eq ? (size_t)(eq - copy) : n;
	size_t value_n = eq ? n - name_n - 1 : 0;
	char *value = eq ? eq + 1 : copy + n;
	bool ok;

	name_n = unescape(copy, name_n);
	value_n = unescape(value, value_n);
	ok = add(fields, copy, name_n, value, value_n);
	free(copy);
	return ok;
}

static enum fields_result parse_form(struct fields *fields, const char *p, size_t n)
{
	while (n > 0) {
		const char *amp = memchr(p, '&', n);
		size_t pair_n = amp ? (size_t)(amp - p) : n;

		if (pair_n && !add_pair(fields, p, pair_n))
			return FIELDS_MALFORMED;
		p += pair_n + (amp ? 1 : 0);
		n -= pair_n + (amp ? 1 : 0);
	}
	return FIELDS_OK;
}

static bool add_member(struct fields *fields, const char *name, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return true;
	case json_type_string:
		return add(fields, name, strlen(name), json_object_get_string(value),
		           (size_t)json_object_get_string_len(value));
	case json_type_int: {
		const char *digits = json_object_get_string(value);

		return add(fields, name, strlen(name), digits, strlen(digits));
	}
	default:
		return false;
	}
}

static enum fields_result parse_json(struct fields *fields, const char *p, size_t n)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o = NULL;
	enum fields_result result = FIELDS_MALFORMED;

	if (!tok || n >= INT_MAX)
		goto done;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	/* The NUL after the body goes in too: a bare number ends only there. */
	o = json_tokener_parse_ex(tok, p, (int)n + 1);
	if (!o || json_tokener_get_error(tok) != json_tokener_success || !json_object_is_type(o, json_type_object))
		goto done;
	result = FIELDS_OK;
	json_object_object_foreach(o, name, value) {
		if (!add_member(fields, name, value))
			result = FIELDS_MALFORMED;
	}
done:
	if (o)
		json_object_put(o);
	if (tok)
		json_tokener_free(tok);
	return result;
}

static bool is_type(const char *content_type, const char *want)
{
	size_t n = strcspn(content_type, "; \t");

	return n == strlen(want) && strncasecmp(content_type, want, n) == 0;
}

enum fields_result fields_parse(struct fields *fields, const char *content_type, const char *body, size_t n)
{
	fields->n = 0;
	if (content_type && is_type(content_type, "application/x-www-form-urlencoded"))
		return parse_form(fields, body, n);
	if (content_type && is_type(content_type, "application/json"))
		return parse_json(fields, body, n);
	return n == 0 ? FIELDS_OK : FIELDS_WRONG_TYPE;
}

void fields_free(struct fields *fields)
{
	for (size_t i = 0; i < fields->n; i++) {
		free(fields->list[i].name);
		free(fields->list[i].value);
	}
	fields->n = 0;
}

const struct field *fields_find(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->n; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return &fields->list[i];
	return NULL;
}

const char *fields_text(const struct fields *fields, const char *name)
{
	const struct field *f = fields_find(fields, name);

	return f && strlen(f->value) == f->value_n ? f->value : NULL;
}

bool fields_number(const char *text, long long min, long long max, long long *ret_number)
{
	const char *digits = text && *text == '-' && min < 0 ? text + 1 : text;
	long long number;

	if (!digits || *digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	number = strtoll(text, NULL, 10);
	if (errno || number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}
