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

/* What is only looked at, by a GET. */
enum alation_page {
	ALATION_PAGE_API,      /* the instance's own page of its API; asked without a token */
	ALATION_PAGE_USERINFO, /* who the access token's user is */
};

struct alation_look {
	enum alation_page page;
	const char *base_url;      /* as in a call */
	int64_t user_id;           /* whom ALATION_PAGE_USERINFO must name */
	struct bytes access_token; /* empty: none is sent */
	int64_t deadline_ms;       /* CLOCK_MONOTONIC */
	struct alation_way way;
};

#define ALATION_FACT_MAX_BYTES 256

/* What was met on the way. Printable ASCII; no secret, and of a proxy neither user nor password. */
struct alation_sight {
	enum alation_result result; /* ALATION_DONE: the page is there */
	int http_status;            /* 0: none came */
	bool resolved, connected, secured; /* a name was looked up (with a proxy, its own); the server was reached; by TLS */
	bool via_proxy;
	int64_t date;               /* the Date header; epoch s, or ALATION_TIME_UNKNOWN */
	int64_t certificate_ends;   /* likewise */
	char addresses[ALATION_FACT_MAX_BYTES];      /* those tried: "192.0.2.1:443, …" */
	char proxy[ALATION_FACT_MAX_BYTES];          /* which is named; "": none */
	char proxy_from[32];        /* the variable that names it; "": the configuration does */
	char exception_from[32];    /* the variable that names hosts which go without one; "" */
	char issuer[ALATION_FACT_MAX_BYTES];         /* of the certificate; a stranger's bytes */
	char trust[2 * ALATION_FACT_MAX_BYTES];      /* whose certificates count: "SSL_CERT_FILE (/etc/ca.pem)" */
	char detail[ALATION_DETAIL_MAX_BYTES], redirect[ALATION_DETAIL_MAX_BYTES]; /* as in a reply */
};

struct acred_alation {
	const char *version; /* must equal the executable's */
	size_t size;         /* sizeof (struct acred_alation) */
	/* One request and its judgement. Always fills *ret_reply; returns its result. */
	enum alation_result (*call)(const struct alation_call *call, struct alation_reply *ret_reply);
	/* One GET, and what was met on the way. Changes nothing at the server. Always fills *ret_sight; returns its result. */
	enum alation_result (*look)(const struct alation_look *look, struct alation_sight *ret_sight);
	/* Of a RefreshToken, as in a reply; "" where it cannot be told. */
	void (*fingerprint)(struct bytes token, char ret_fingerprint[ALATION_FINGERPRINT_BYTES + 1]);
};
extern const struct acred_alation acred_alation;

#endif
