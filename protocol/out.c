/* SPDX-License-Identifier: MIT */
/*
 * Owns how bytes get into an answer: as they are, visible to a person, as JSON, as a form. It never grows a
 * buffer, never allocates, and leaves a buffer that is too small as it was.
 */
#include "protocol/out.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

void out_bytes(struct out *out, struct bytes b)
{
	/* One overflow drops all that follows too: a shorter piece behind a missing one would look whole. */
	if (out->overflow || b.n > out->room - out->n) {
		out->overflow = true;
		return;
	}
	if (b.n == 0)
		return;
	memcpy(out->p + out->n, b.p, b.n);
	out->n += b.n;
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, bytes_of(text));
}

void out_int(struct out *out, int64_t value)
{
	/* The magnitude is taken unsigned: the smallest int64_t has no positive counterpart. */
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[sizeof "-9223372036854775808"];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	out_bytes(out, (struct bytes){ digits + at, sizeof digits - at });
}

/* PREFIX and the two hexadecimal digits of C, as one piece. */
static void out_hex(struct out *out, const char *prefix, const char *digits, char c)
{
	char pair[2] = { digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15] };

	out_text(out, prefix);
	out_bytes(out, (struct bytes){ pair, sizeof pair });
}

/* How many bytes a sequence has that begins with FIRST, what of its code point FIRST holds, and the smallest
 * code point that needs that many; 0 where no sequence begins so. */
static size_t utf8_length(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least)
{
	static const struct {
		unsigned char mask, mark;
		uint32_t least;
	} kinds[] = {
		{ 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if ((first & kinds[i].mask) != kinds[i].mark)
			continue;
		*ret_bits = first & (unsigned char)~kinds[i].mask;
		*ret_least = kinds[i].least;
		return i + 1;
	}
	return 0;
}

/*
 * The character at the front of B, which is not empty: how many bytes it has, and its code point. 0 where
 * none stands there: a stray or missing byte, an overlong form, a surrogate, something above U+10FFFF.
 */
static size_t utf8_character(struct bytes b, uint32_t *ret_code)
{
	uint32_t code, least;
	size_t n = utf8_length((unsigned char)b.p[0], &code, &least);

	if (n == 0 || n > b.n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)b.p[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c & 0x3f);
	}
	if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return n;
}

/* Whether a terminal or a log viewer would act on it rather than show it: control characters, line and
 * paragraph separators, and what Unicode calls Bidi_Control. */
static bool acts(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void out_visible(struct out *out, struct bytes b)
{
	while (b.n > 0) {
		uint32_t code = 0;
		size_t n = utf8_character(b, &code);
		bool hide = n == 0 || acts(code);

		n = n ? n : 1;
		if (!hide)
			out_bytes(out, (struct bytes){ b.p, n });
		for (size_t i = 0; hide && i < n; i++)
			out_hex(out, "\\x", hex_lower, b.p[i]);
		b.p += n;
		b.n -= n;
	}
}

void out_visible_ascii(struct out *out, struct bytes b)
{
	for (; b.n > 0; b.p++, b.n--) {
		if (b.p[0] >= ' ' && b.p[0] <= '~')
			out_bytes(out, (struct bytes){ b.p, 1 });
		else
			out_hex(out, "\\x", hex_lower, b.p[0]);
	}
}

/* The C library knows better, but only in a locale that somebody has set. What is missing here costs a row its edge. */
static size_t columns_of(uint32_t code)
{
	static const struct {
		uint32_t first, last;
		size_t columns;
	} ranges[] = {
		{ 0x300, 0x36f, 0 },   { 0x1100, 0x115f, 2 }, { 0x200b, 0x200d, 0 }, { 0x20d0, 0x20ff, 0 },   { 0x2e80, 0x303e, 2 },
		{ 0x3041, 0xa4cf, 2 }, { 0xac00, 0xd7a3, 2 }, { 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },   { 0xfe30, 0xfe6f, 2 },
		{ 0xff00, 0xff60, 2 }, { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1f64f, 2 }, { 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return ranges[i].columns;
	return 1;
}

size_t out_columns(struct bytes b)
{
	size_t columns = 0;

	while (b.n > 0) {
		uint32_t code = 0;
		size_t n = utf8_character(b, &code);

		columns += n ? columns_of(code) : 1;
		n = n ? n : 1;
		b.p += n;
		b.n -= n;
	}
	return columns;
}

/* What does not stand for itself in a JSON string: quote, backslash, C0, and what a terminal would act on. */
static void out_json_escape(struct out *out, uint32_t code)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = code > 0 && code < 0x80 ? strchr(plain, (int)code) : NULL;
	char pair[2] = { '\\', found ? letters[found - plain] : '\0' };

	if (found) {
		out_bytes(out, (struct bytes){ pair, sizeof pair });
		return;
	}
	out_hex(out, "\\u", hex_lower, (char)(code >> 8));
	out_hex(out, "", hex_lower, (char)(code & 0xff));
}

void out_json(struct out *out, struct bytes b)
{
	out_text(out, "\"");
	while (b.n > 0) {
		uint32_t code = 0;
		size_t n = utf8_character(b, &code);

		if (n == 0)
			out_text(out, "\xef\xbf\xbd"); /* U+FFFD */
		else if (acts(code) || code == '"' || code == '\\')
			out_json_escape(out, code);
		else
			out_bytes(out, (struct bytes){ b.p, n });
		n = n ? n : 1;
		b.p += n;
		b.n -= n;
	}
	out_text(out, "\"");
}

void out_form(struct out *out, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (byte_is_plain(b.p[i], "._~-"))
			out_bytes(out, (struct bytes){ b.p + i, 1 });
		else
			out_hex(out, "%", hex_upper, b.p[i]);
	}
}
