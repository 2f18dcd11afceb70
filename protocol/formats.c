/* SPDX-License-Identifier: MIT */
/*
 * Owns the one table of formats, by name. It never knows what any of them writes.
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

