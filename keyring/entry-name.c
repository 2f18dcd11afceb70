/* SPDX-License-Identifier: MIT */
/*
 * Writes and reads the names of entries. One spelling an entry: what would be spelt otherwise is not read.
 */
#include "keyring/entry-name.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_DEFAULT "alation-cred"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

bool entry_prefix_ok(const char *prefix)
{
	size_t n = strspn(prefix, PLAIN);

	return n > 0 && n <= ENTRY_PREFIX_MAX_BYTES && prefix[n] == '\0';
}

static bool encode(const char *text, char name[ENTRY_NAME_BYTES])
{
	size_t n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		bool plain = strchr(PLAIN ":@[]", *p) != NULL;

		if (n + (plain ? 1 : strlen("%XX")) >= ENTRY_NAME_BYTES)
			return false;
		if (plain)
			name[n++] = *p;
		else
			n += (size_t)snprintf(name + n, ENTRY_NAME_BYTES - n, "%%%02X", (unsigned)(unsigned char)*p);
	}
	name[n] = '\0';
	return true;
}

bool entry_prefix_argument(struct acred_call *call, int argc, const char *const *argv, char ret_prefix[ENTRY_PREFIX_MAX_BYTES + 1])
{
	static const char name[] = "prefix=";
	const char *prefix = PREFIX_DEFAULT;

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], name, sizeof name - 1) != 0) {
			call->note(call->host, "unknown argument; there is only prefix=NAME");
			return false;
		}
		prefix = argv[i] + sizeof name - 1;
	}
	if (!entry_prefix_ok(prefix)) {
		call->note(call->host, "prefix= takes 1 to 64 letters, digits, '.', '_' and '-'");
		return false;
	}
	snprintf(ret_prefix, ENTRY_PREFIX_MAX_BYTES + 1, "%s", prefix);
	return true;
}

bool entry_name(const char *prefix, const struct acred_key *key, char name[ENTRY_NAME_BYTES])
{
	char text[ENTRY_NAME_BYTES];
	int n = snprintf(text, sizeof text, "%s:%s:%" PRId64 "@%s", prefix, key->facility, key->user_id, key->base_url);

	return n > 0 && n < (int)sizeof text && encode(text, name);
}

/* The value of a digit that encode() writes, or -1. */
static int digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* In place; false where encode() would have written something else. */
static bool decode(char *name)
{
	char *to = name;

	for (const char *p = name; *p != '\0'; p++) {
		int high = *p == '%' ? digit(p[1]) : 0, low = *p == '%' && high >= 0 ? digit(p[2]) : 0;
		char c = *p == '%' ? (char)(high * 16 + low) : *p;

		if (high < 0 || low < 0 || c == '\0' || (strchr(PLAIN ":@[]", c) != NULL) != (*p != '%'))
			return false;
		p += *p == '%' ? 2 : 0;
		*to++ = c;
	}
	*to = '\0';
	return true;
}

bool entry_split(const char *prefix, char *text, struct acred_key *ret_key)
{
	size_t n = strlen(prefix);
	char *facility = text + n + 1, *id, *url, *end;

	if (strncmp(text, prefix, n) != 0 || text[n] != ':')
		return false;
	id = strchr(facility, ':');
	url = id != NULL ? strchr(id, '@') : NULL;
	if (url == NULL || id[1] < '1' || id[1] > '9')
		return false;
	*id++ = '\0';
	*url++ = '\0';
	errno = 0;
	ret_key->user_id = strtoll(id, &end, 10);
	ret_key->facility = facility;
	ret_key->base_url = url;
	return errno == 0 && *end == '\0' && *facility != '\0' && *url != '\0';
}

bool entry_parse(const char *prefix, char name[ENTRY_NAME_BYTES], struct acred_key *ret_key)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && name[n] == ':' && decode(name + n + 1) && entry_split(prefix, name, ret_key);
}
