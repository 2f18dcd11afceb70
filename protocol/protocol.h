/* SPDX-License-Identifier: MIT */
/*
 * The contract between the helper and the formats it speaks: what a reply holds, and the one table that says
 * who can write it. Bytes in, bytes out: no I/O, no clock, no environment, no allocation, no policy.
 */
#ifndef PROTOCOL_PROTOCOL_H
#define PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/out.h"

#define TOKEN_MAX_BYTES 16384

/* Whether B may be a token at all: 1 to TOKEN_MAX_BYTES of [A-Za-z0-9._~+/=-]. One rule that no line, header,
 * keyring file or terminal can be broken with. */
static inline bool token_ok(struct bytes b)
{
	if (b.n == 0 || b.n > TOKEN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (!byte_is_plain(b.p[i], "._~+/=-"))
			return false;
	return true;
}

/* A point in time as both forms that callers want; text NULL: not known. */
struct moment {
	int64_t epoch_s;
	const char *text; /* RFC 3339, UTC: "2026-11-25T07:12:04Z" */
};

struct notice { /* a warning, for people and machines */
	const char *code, *message;
};

/* An access token, handed out. */
struct reply {
	struct bytes base_url;
	int64_t user_id;
	struct bytes token;
	struct moment expires_at, refresh_token_expires_at;
	const struct notice *warnings;
	size_t n_warnings;
};

/* Why there is none: DESIGN's table of exit codes. */
struct failure {
	const char *code; /* "keyring_locked" */
	int exit;
	const char *message, *remedy;
	bool retryable;
	int64_t retry_after_s; /* 0: not known */
};

/* What `status` tells of one facility of one account. */
struct holding {
	const char *module; /* NULL: no module holds it */
	struct moment expires_at;
	struct passed_over {
		const char *module, *status; /* the status word: "locked" */
	} passed_over[16];
	size_t n_passed_over;
};

struct account_status {
	struct bytes base_url, name;
	int64_t user_id;
	bool is_default, exclusive;
	struct holding refresh, access;
};

/* One way to write an answer. A member that is NULL means that the format has no such answer. */
struct format {
	const char *name, *about;
	void (*reply)(struct out *out, const struct reply *reply);
	void (*failure)(struct out *out, const struct failure *failure);
	void (*status)(struct out *out, const struct account_status *accounts, size_t n);
	/* A verb that hands out no token succeeded; the token is not read. */
	void (*done)(struct out *out, const struct reply *reply);
};

/* All formats, ended by NULL; the first is the default. */
extern const struct format *const formats[];

/* The format of that name, or NULL. */
const struct format *format_named(struct bytes name);

/* One a file. */
extern const struct format format_token, format_header, format_json;

#endif
