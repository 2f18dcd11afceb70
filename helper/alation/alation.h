/* SPDX-License-Identifier: MIT */
/*
 * The Alation client as a shared object: the one symbol `acred_alation` of alation.so. Shaped like a message:
 * plain data in, plain data out, a deadline, no call-back but put(). It prints nothing, keeps nothing, and
 * knows no account and no helper state.
 */
#ifndef HELPER_ALATION_ALATION_H
#define HELPER_ALATION_ALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"

#define ALATION_FINGERPRINT_BYTES 16
#define ALATION_NAME_MAX_BYTES 256
#define ALATION_DETAIL_MAX_BYTES 256
#define ALATION_TIME_UNKNOWN (-1)

enum alation_endpoint {
	ALATION_CREATE_REFRESH_TOKEN,
	ALATION_REGEN_REFRESH_TOKEN,
	ALATION_CREATE_ACCESS_TOKEN,
	ALATION_REVOKE_ACCESS_TOKENS,
	ALATION_VALIDATE_ACCESS_TOKEN,
	ALATION_VALIDATE_REFRESH_TOKEN,
};

/* What the configuration says of the way to the server; NULL: nothing. */
struct alation_way {
	const char *ca_file;                  /* PEM; counts beside the system's certificates */
	const char *client_cert, *client_key; /* PEM; the key may be in the certificate's file */
	const char *proxy, *no_proxy;         /* as libcurl has them; a password may stand in the first */
};

struct alation_call {
	enum alation_endpoint endpoint;
	const char *base_url;      /* normalised, no trailing slash */
	int64_t user_id;           /* 0 for ALATION_CREATE_REFRESH_TOKEN */
	struct bytes username, password, name; /* create */
	struct bytes refresh_token, access_token;
	int64_t deadline_ms;       /* CLOCK_MONOTONIC, of the whole call */
	struct alation_way way;
	void *host;
	/* The token that the reply brought (create, regen, mint), once, before ALATION_DONE; not 0: no memory. */
	int (*put)(void *host, const char *bytes, size_t len);
};

enum alation_result {
	ALATION_DONE = 0,
	ALATION_REFUSED,      /* 401: the token, the user id or the password */
	ALATION_FORBIDDEN,    /* 403 */
	ALATION_NOT_ALATION,  /* 404, a redirect, HTML */
	ALATION_THROTTLED,    /* 429 */
	ALATION_SERVER_ERROR, /* 5xx */
	ALATION_BAD_REPLY,    /* any other status, or a 2xx that is not the documented answer */
	ALATION_NETWORK,      /* no connection, or one that broke */
	ALATION_TLS,
	ALATION_PROXY,
	ALATION_TIMEOUT,
	ALATION_FAILED,       /* on our side: no memory, a library that does not start */
};

enum alation_status { ALATION_STATUS_NONE, ALATION_ACTIVE, ALATION_EXPIRED, ALATION_REVOKED, ALATION_STATUS_OTHER };

struct alation_reply {
	enum alation_result result;
	int http_status;           /* 0: none came */
	bool maybe_acted;          /* the request may have reached the server, and no answer says what it did */
	bool says_expired;         /* a 401 whose sentence says 'expired' or 'revoked' */
	enum alation_status token_status;
	int64_t user_id;           /* 0: not in the reply */
	int64_t created_at, expires_at, date; /* epoch s, or ALATION_TIME_UNKNOWN; date: the Date header */
	int64_t retry_after_s;     /* 0: not said */
	char name[ALATION_NAME_MAX_BYTES];     /* the token's name; a stranger's bytes, shown only escaped */
	char detail[ALATION_DETAIL_MAX_BYTES]; /* what went wrong, in our words or libcurl's; never the server's */
	char redirect[ALATION_DETAIL_MAX_BYTES]; /* scheme and host a redirect named; a stranger's bytes */
	char fingerprint[ALATION_FINGERPRINT_BYTES + 1]; /* of the refresh token sent: SHA-256, the first 16 hex digits; "" where none was */
};

struct acred_alation {
	const char *version; /* must equal the executable's */
	size_t size;         /* sizeof (struct acred_alation) */
	/* One request and its judgement. Always fills *ret_reply; returns its result. */
	enum alation_result (*call)(const struct alation_call *call, struct alation_reply *ret_reply);
	/* Of a RefreshToken, as in a reply; "" where it cannot be told. */
	void (*fingerprint)(struct bytes token, char ret_fingerprint[ALATION_FINGERPRINT_BYTES + 1]);
};
extern const struct acred_alation acred_alation;

#endif
