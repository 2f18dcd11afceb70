/* SPDX-License-Identifier: MIT */
/*
 * The two records that keyrings hold, as fields: one form-encoded line each, versioned. Knows no keyring.
 */
#ifndef HELPER_LIFECYCLE_RECORD_H
#define HELPER_LIFECYCLE_RECORD_H

#include "helper/base/secret.h"
#include "protocol/url.h"

#define RECORD_NAME_MAX_BYTES 256
#define RECORD_TIME_UNKNOWN (-1)
#define RECORD_BOOT_ID_BYTES 36 /* /proc/sys/kernel/random/boot_id */
#define RECORD_PARENT_BYTES 16  /* 16 hex digits of SHA-256 of the RefreshToken */

enum record_fault {
	RECORD_OK = 0,
	RECORD_DAMAGED, /* not a record, or a member is missing or mistyped */
	RECORD_FOREIGN, /* another kind, or another account's */
	RECORD_NEWER,   /* a version we do not know: refused, never overwritten */
	RECORD_NO_MEMORY,
};

/* The long-lived secret and what is known of it. */
struct refresh_record {
	struct secret token;
	char base_url[URL_BASE_MAX_BYTES + 1]; /* "": a bare token, put there by hand */
	int64_t user_id;                       /* 0: likewise */
	char name[RECORD_NAME_MAX_BYTES];
	int64_t created_at, token_expires_at;  /* epoch s, or RECORD_TIME_UNKNOWN */
	int64_t regen_begun;                   /* epoch s: this token was sent to be regenerated; 0: it was not */
	int64_t regen_late;                    /* epoch s: so it was, and lived on, but that call might still arrive; 0: no */
	bool unreadable;                       /* something is there that is no record of this account's, or may be newer than this one */
	const char *module;                    /* which gave it; NULL: it was not looked up */
	const char *source;                    /* where it came from, if that can only be read: it cannot be rewritten; else NULL */
	struct secret unknown;                 /* members of a later program, as they stood: kept in a rewrite */
};

void refresh_record_wipe(struct refresh_record *record);
#define REFRESH_RECORD __attribute__((cleanup(refresh_record_wipe))) struct refresh_record

/* Reads `v=1&kind=refresh-token&…`, or a bare token. *ret_record is the caller's to wipe in any case. */
enum record_fault refresh_record_parse(struct bytes line, struct refresh_record *ret_record);
bool refresh_record_format(const struct refresh_record *record, struct secret *ret_line);

/* What a server's refusal to mint was, as it is remembered. */
enum refusal { REFUSAL_NONE, REFUSAL_INVALID, REFUSAL_EXPIRED, REFUSAL_THROTTLED };

/*
 * The cached access token, if there is one, and what is remembered for the next calls. Its lifetime counts on our own
 * clock; expires_at is what is shown and handed out. Each _ms is on CLOCK_BOOTTIME of boot_id; 0: it never happened.
 */
struct access_record {
	struct secret token;  /* empty: none is cached, the rest is remembered all the same */
	int64_t minted_at_ms; /* when the mint was begun: never later than the server's own date */
	int64_t lifetime_s;
	int64_t expires_at;   /* epoch s on this machine's clock */
	char boot_id[RECORD_BOOT_ID_BYTES + 1];
	char parent[RECORD_PARENT_BYTES + 1];
	int64_t mints;        /* since this record's line began */
	int64_t skew_s;       /* the server's Date header less our clock, at the mint */
	int64_t suspect_ms;   /* a call that may have revoked it was begun then, and has not come back */
	int64_t late_ms;      /* an earlier one of those, which may still reach the server */
	int64_t validated_ms; /* the server said then that it is active */
	int64_t unexplained_ms[2]; /* the last two times that it was dead and nobody here had ended it; the older first */
	int64_t warned_ms;    /* it was said then that the RefreshToken comes to its end */
	int64_t renewal_ms;   /* a renewal that nobody had asked for was tried then */
	enum refusal refusal; /* the server refused to mint, ... */
	int64_t refused_ms;   /* ... then, ... */
	int64_t refused_for_s; /* ... which counts for so long, ... */
	char refused_parent[RECORD_PARENT_BYTES + 1]; /* ... with this RefreshToken */
	bool damaged, newer;  /* something is there that cannot be read; what a newer program wrote is never overwritten */
};

void access_record_wipe(struct access_record *record);
#define ACCESS_RECORD __attribute__((cleanup(access_record_wipe))) struct access_record

/* What cannot be read fills in nothing. */
enum record_fault access_record_parse(struct bytes line, struct access_record *ret_record);
bool access_record_format(const struct access_record *record, struct secret *ret_line);

#endif
