/* SPDX-License-Identifier: MIT */
/*
 * Whether bytes that lie on stdin are a git request, for a `get` that was not told so. No file descriptor here.
 */
#ifndef PROTOCOL_SNIFF_H
#define PROTOCOL_SNIFF_H

#include <stdbool.h>

#include "protocol/bytes.h"

enum sniff {
	SNIFF_REQUEST, /* one whole git request, and nothing else */
	SNIFF_MORE,    /* may still become one */
	SNIFF_OTHER,   /* cannot become one */
};

/*
 * A request is one only if every line is `key=value` with a key [a-z0-9_-]+(\[\])?, the first key is one of git's,
 * one of the keys is `protocol`, `host` or `url`, and nothing follows an empty line: the next line of a shell script
 * (`url=https://…`) looks like a request by itself. It is whole with an empty line, or where ENDED says that no more
 * bytes will come (then SNIFF_MORE is never the answer). FULL: there was no room to see more than these; then what is
 * right so far counts, if a line is complete.
 */
enum sniff sniff(struct bytes b, bool ended, bool full);

#endif
