/* SPDX-License-Identifier: MIT */
/*
 * The contract between the helper and the formats it speaks: what a request and a reply hold, and the one table
 * that says who can write a reply. Bytes in, bytes out: no I/O, no clock, no environment, no allocation, no policy.
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

/* A request in git's credential protocol: views into the caller's bytes. Of an attribute that was not sent, p is NULL. */
struct request {
	struct bytes protocol, host, username, password, oauth_refresh_token;
	bool credential; /* authtype= or credential= was sent: another kind of secret than a password */
	bool ephemeral; /* ephemeral=1: whoever keeps credentials is not to keep this one */
	bool authtype;  /* the caller has the capability `authtype` */
};

/* An access token, handed out. */
struct reply {
	struct bytes base_url;
	int64_t user_id;
	struct bytes token;
	struct moment expires_at, refresh_token_expires_at;
	const struct notice *warnings;
	size_t n_warnings;
	bool authtype; /* the caller has that capability: git's protocol may use what came with it */
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
		const char *why;             /* what the module said of it, or NULL */
	} passed_over[16];
	size_t n_passed_over;
};

struct account_status {
	struct bytes base_url, name;
	int64_t user_id;
	bool is_default, exclusive;
	struct holding refresh, access;
};

/* One line of the configuration that counts. */
struct setting {
	const char *section; /* the instance that it is for; "": all */
	const char *word, *value;
	const char *file;    /* NULL: built in */
	unsigned line;
};

/* One step that `doctor` has taken. */
struct check {
	const char *step;         /* "refresh/secret-service" */
	const char *result;       /* "ok", "FAIL" or "skip" */
	const char *text;         /* what was found, or why it was skipped */
	const char *code, *remedy; /* of a FAIL, as in a failure; else NULL */
};

/* One way to write an answer. A member that is NULL means that the format has no such answer. */
struct format {
	const char *name, *about;
	/* A helper protocol, spoken when the program is called by this name or --protocol names it. NULL: a format,
	 * which --format names. */
	const char *program;
	void (*reply)(struct out *out, const struct reply *reply);
	void (*failure)(struct out *out, const struct failure *failure);
	/* SETTINGS is NULL where nobody asked for them. */
	void (*status)(struct out *out, const struct account_status *accounts, size_t n, const struct setting *settings, size_t n_settings);
	/* FAILED: the first that failed, or NULL. */
	void (*checks)(struct out *out, const struct check *checks, size_t n, const struct failure *failed);
	/* A verb that hands out no token succeeded; the token is not read. */
	void (*done)(struct out *out, const struct reply *reply);
	/* The same for --all: a reply for each account; the warnings stand in LAST, whose account does not count. */
	void (*done_all)(struct out *out, const struct reply *replies, size_t n, const struct reply *last);
};

/* All formats, ended by NULL; the first is the default. */
extern const struct format *const formats[];

/* The format, or the protocol, of that name, or NULL. */
const struct format *format_named(struct bytes name);
const struct format *protocol_named(struct bytes name);

/* The protocol that a program of that name speaks (the last part of argv[0] counts), or NULL. */
const struct format *protocol_of_program(struct bytes argv0);

/*
 * The variables of the format `env` as an environment has them, for a program that is started: NAME=VALUE and a NUL, one behind
 * the other. REFRESH_TOKEN is one more, if it is not empty: whoever gets it can mint.
 */
#define ENV_VARIABLES_MAX 7
void env_block(struct out *out, const struct reply *reply, struct bytes refresh_token);

/* Whether VARIABLE ("NAME=VALUE") of a caller's environment is none for a program that gets an env_block(): it may hold another
 * account's token. What configures this program stays. */
bool env_is_stale(const char *variable);

/* One a file. */
extern const struct format format_token, format_header, format_curl, format_env, format_json, format_headers_json, format_git;

#endif
