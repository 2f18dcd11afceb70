/* SPDX-License-Identifier: MIT */
/*
 * The form codec. Pure but for the memory it appends to.
 */
#include "helper/base/form.h"

#include <stdio.h>

#include "protocol/out.h"

bool form_next(struct bytes *rest, struct bytes *ret_key, struct bytes *ret_value, bool *ret_bad)
{
	struct bytes pair;
	const char *eq;

	*ret_bad = false;
	if (!bytes_next(rest, '&', &pair))
		return false;
	eq = memchr(pair.p, '=', pair.n);
	if (!eq || eq == pair.p) {
		*ret_bad = true;
		return false;
	}
	*ret_key = (struct bytes){ pair.p, (size_t)(eq - pair.p) };
	*ret_value = (struct bytes){ eq + 1, pair.n - ret_key->n - 1 };
	return true;
}

/* Every byte of a list of a hundred accounts is looked at in each call: by table. */
#define RANGE(from, to) [(from) ... (to)] = true
static const bool encoded[256] = {
	RANGE('a', 'z'), RANGE('A', 'Z'), RANGE('0', '9'), ['%'] = true, ['='] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['+'] = true, ['-'] = true,
};

bool form_encoded(struct bytes b)
{
	bool ok = true;

	for (size_t i = 0; i < b.n; i++)
		ok &= encoded[(unsigned char)b.p[i]];
	return ok;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One decoded byte off the front; -1: a bad escape or a NUL. */
static int next_byte(struct bytes *value)
{
	int byte = (unsigned char)*value->p;

	if (byte == '%') {
		if (value->n < 3 || hex(value->p[1]) < 0 || hex(value->p[2]) < 0)
			return -1;
		byte = hex(value->p[1]) * 16 + hex(value->p[2]);
		value->p += 2;
		value->n -= 2;
	} else if (byte == '+') {
		byte = ' ';
	}
	value->p++;
	value->n--;
	return byte ? byte : -1;
}

bool form_decode(struct bytes value, struct secret *ret_text)
{
	if (!secret_reserve(ret_text, value.n))
		return false;
	while (value.n) {
		int byte = next_byte(&value);

		if (byte < 0)
			return false;
		ret_text->bytes[ret_text->len++] = (char)byte;
	}
	return true;
}

bool form_decode_into(struct bytes value, char *text, size_t room)
{
	size_t n = 0;

	while (value.n) {
		int byte = (unsigned char)*value.p;

		if (byte != '%' && byte != '+' && byte && n + 1 < room) {
			text[n++] = (char)byte;
			value.p++;
			value.n--;
			continue;
		}
		byte = next_byte(&value);

		if (byte < 0 || n + 1 >= room)
			return false;
		text[n++] = (char)byte;
	}
	text[n] = '\0';
	return true;
}

bool form_int(struct bytes value, int64_t *ret_number)
{
	bool negative = bytes_after(&value, "-");
	int64_t number = 0;

	if (value.n == 0)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, value.p[i] - '0', &number))
			return false;
	}
	*ret_number = negative ? -number : number;
	return true;
}

bool form_add(struct secret *line, const char *key, struct bytes value)
{
	struct out out;

	if (line->len && !secret_append(line, bytes_of("&")))
		return false;
	if (!secret_append(line, bytes_of(key)) || !secret_append(line, bytes_of("=")) ||
	    !secret_reserve(line, 3 * value.n))
		return false;
	out = (struct out){ .p = line->bytes + line->len, .room = line->room - line->len };
	out_form(&out, value);
	line->len += out.n;
	return !out.overflow;
}

bool form_add_int(struct secret *line, const char *key, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)value);
	return form_add(line, key, bytes_of(digits));
}
