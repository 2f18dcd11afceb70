/* SPDX-License-Identifier: MIT */
/*
 * Owns the one table of formats, by name, and the one rule of what a token is. It never knows what any of
 * the formats writes.
 */
#include "protocol/protocol.h"

const struct format *const formats[] = {
	&format_token,
	&format_header,
	&format_json,
	NULL,
};

const struct format *format_named(struct bytes name)
{
	for (const struct format *const *f = formats; *f; f++)
		if (bytes_are(name, (*f)->name))
			return *f;
	return NULL;
}

bool token_ok(struct bytes b)
{
	if (b.n == 0 || b.n > TOKEN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (!byte_is_plain(b.p[i], "._~+/=-"))
			return false;
	return true;
}
