/* SPDX-License-Identifier: MIT */
/*
 * Owns the one table of formats and protocols, by name and by the name of the program. It never knows what any of
 * them writes.
 */
#include "protocol/protocol.h"

const struct format *const formats[] = {
	&format_token,
	&format_header,
	&format_curl,
	&format_env,
	&format_json,
	&format_headers_json,
	&format_git,
	NULL,
};

static const struct format *named(struct bytes name, bool protocol)
{
	for (const struct format *const *f = formats; *f; f++)
		if (bytes_are(name, (*f)->name) && ((*f)->program != NULL) == protocol)
			return *f;
	return NULL;
}

const struct format *format_named(struct bytes name)
{
	return named(name, false);
}

const struct format *protocol_named(struct bytes name)
{
	return named(name, true);
}

const struct format *protocol_of_program(struct bytes argv0)
{
	const char *slash = argv0.n ? memrchr(argv0.p, '/', argv0.n) : NULL;

	if (slash) {
		argv0.n -= (size_t)(slash + 1 - argv0.p);
		argv0.p = slash + 1;
	}
	for (const struct format *const *f = formats; *f; f++)
		if ((*f)->program && bytes_are(argv0, (*f)->program))
			return *f;
	return NULL;
}
