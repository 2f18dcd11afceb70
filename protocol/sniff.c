/* SPDX-License-Identifier: MIT */
/*
 * Owns the rule that tells a git request from whatever else may lie on stdin. It judges the shape alone, never a
 * value: a request that git_parse() will refuse is one all the same. Who answered it with a plain token would have
 * git print that token ("invalid credential line"), at the wish of whoever wrote a carriage return into a URL.
 */
#include "protocol/sniff.h"

#include "protocol/git.h"

/* [a-z0-9_-]+(\[\])?, or, where there may be more to it than KEY, the beginning of one. */
static bool key_is_shaped(struct bytes key, bool whole)
{
	size_t n = key.n, bare;

	if (n >= 2 && memcmp(key.p + n - 2, "[]", 2) == 0)
		n -= 2;
	else if (!whole && n >= 1 && key.p[n - 1] == '[')
		n--;
	for (bare = 0; bare < n; bare++) {
		char c = key.p[bare];

		if (!byte_is_plain(c, "_-") || (c >= 'A' && c <= 'Z'))
			return false;
	}
	return bare > 0 || (!whole && key.n == 0);
}

static bool is_address(struct bytes key)
{
	return bytes_are(key, "protocol") || bytes_are(key, "host") || bytes_are(key, "url");
}

/* Whether LINE, ended or not, can be one of a request. *address is set where it says whose token is wanted. */
static bool line_fits(struct bytes line, bool ended, bool first, bool *address)
{
	const char *equals = memchr(line.p, '=', line.n);
	struct bytes key = { line.p, equals ? (size_t)(equals - line.p) : line.n };

	if (!equals && ended)
		return false;
	if (!key_is_shaped(key, equals != NULL))
		return false;
	if (first && !(equals ? git_knows(key) : git_knows_beginning(key)))
		return false;
	*address |= equals && is_address(key);
	return true;
}

/* The end of a request, also of one whose lines end in CR LF: that one is malformed, not something else. */
static bool is_empty(struct bytes line)
{
	return line.n == 0 || bytes_are(line, "\r");
}

enum sniff sniff(struct bytes b, bool ended, bool full)
{
	struct bytes rest = b, line;
	bool address = false, first = true;

	while (bytes_next(&rest, '\n', &line)) {
		bool line_ended = ended || line.p + line.n < b.p + b.n;

		if (is_empty(line) && line_ended)
			return address && rest.n == 0 ? SNIFF_REQUEST : SNIFF_OTHER;
		if (!is_empty(line) && !line_fits(line, line_ended, first, &address))
			return SNIFF_OTHER;
		if (line_ended)
			first = false;
	}
	if (!ended && !full)
		return SNIFF_MORE;
	return address && !first ? SNIFF_REQUEST : SNIFF_OTHER;
}
