/* SPDX-License-Identifier: MIT */
/*
 * The rows of test-http.c: what a server does or sends, and what the call makes of it.
 */
#ifndef TESTS_HELPER_HTTP_ROWS_H
#define TESTS_HELPER_HTTP_ROWS_H

#include "helper/alation/alation.h"
#include "tests/helper/little-server.h"

#define MINTED "{\"api_access_token\":\"tok\"}"
#define OK_HEAD "HTTP/1.1 201 Created\r\nContent-Length: 26\r\n"
#define OK_REPLY OK_HEAD "\r\n" MINTED
#define VALID "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"token_status\":\"ACTIVE\"}"
#define FAULT "HTTP/1.1 503 Busy\r\nContent-Length: 6\r\n\r\nCanary"

/* What goes out to each endpoint, a good reply, and what it brings. */
#define BODY_PAIR "user_id=1151&refresh_token=-re%2Bfresh%2F%3D"
static const struct request_row {
	const char *path, *body, *reply, *token;
	bool fingerprint;
} request_rows[] = {
	[ALATION_CREATE_REFRESH_TOKEN] = { "createRefreshToken",
		"username=j%C3%B6hn%40example.com&password=%26%2B%25%3A%22%20%E2%82%AC%3D~s3cret&name=alation-cred%40host",
		"{\"user_id\":3,\"refresh_token\":\"t1\"}", "t1", false },
	[ALATION_REGEN_REFRESH_TOKEN] = { "regenRefreshToken", BODY_PAIR, "{\"refresh_token\":\"t2\"}", "t2", true },
	[ALATION_CREATE_ACCESS_TOKEN] = { "createAPIAccessToken", BODY_PAIR, "{\"api_access_token\":\"t3\"}", "t3", true },
	[ALATION_REVOKE_ACCESS_TOKENS] = { "revokeAPIAccessTokens", BODY_PAIR, "{\"detail\":\"x\"}", "", true },
	[ALATION_VALIDATE_ACCESS_TOKEN] = { "validateAPIAccessToken", "user_id=1151&api_access_token=acc.ess",
		"{\"token_status\":\"EXPIRED\"}", "", true },
	[ALATION_VALIDATE_REFRESH_TOKEN] = { "validateRefreshToken", BODY_PAIR, "{\"token_status\":\"ACTIVE\"}", "", true },
};

static const struct answer_row {
	const char *what;
	struct step steps[2];
	enum alation_result want;
	int status;
	bool maybe_acted;
} answers[] = {
	{ "whole", { { REPLY, OK_REPLY } }, ALATION_DONE, 201, false },
	{ "until the end of the connection", { { REPLY, "HTTP/1.0 201 C\r\n\r\n" MINTED } },
	  ALATION_DONE, 201, false },
	{ "in chunks", { { REPLY, "HTTP/1.1 201 C\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"api_\r\n14\r\naccess_token\":\"tok\"}\r\n0\r\n\r\n" } },
	  ALATION_DONE, 201, false },
	{ "byte by byte", { { DRIP, OK_REPLY } }, ALATION_DONE, 201, false },
	{ "behind 1xx", { { REPLY, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\nLocation: https://a\r\n\r\n" OK_REPLY } },
	  ALATION_DONE, 201, false },
	{ "behind an HTML 1xx", { { REPLY, "HTTP/1.1 103 E\r\nContent-Type: text/html\r\n\r\nHTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" } },
	  ALATION_FORBIDDEN, 403, false },
	{ "called gzip", { { REPLY, OK_HEAD "Content-Encoding: gzip\r\n\r\n" MINTED } }, ALATION_DONE, 201, false },
	{ "closed before the request", { { REFUSE, NULL } }, ALATION_NETWORK, 0, true },
	{ "closed after the request", { { CLOSE, NULL } }, ALATION_NETWORK, 0, true },
	{ "reset after the request", { { RESET, NULL } }, ALATION_NETWORK, 0, true },
	{ "shorter than it says", { { REPLY, "HTTP/1.1 201 C\r\nContent-Length: 999\r\n\r\n" MINTED } },
	  ALATION_NETWORK, 201, true },
	{ "a chunk cut", { { REPLY, "HTTP/1.1 201 C\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n" MINTED } },
	  ALATION_NETWORK, 201, true },
	{ "headers cut", { { REPLY, "HTTP/1.1 201 Created\r\nContent-" } }, ALATION_BAD_REPLY, 201, true },
	{ "HTTP/0.9", { { REPLY, MINTED } }, ALATION_BAD_REPLY, 0, true },
	{ "endless body", { { FLOOD, "HTTP/1.1 201 C\r\n\r\n{\"api_access_token\":\"" } },
	  ALATION_BAD_REPLY, 201, true },
	{ "10 MB promised", { { FLOOD, "HTTP/1.1 201 C\r\nContent-Length: 10000000\r\n\r\n" } },
	  ALATION_BAD_REPLY, 201, true },
	{ "endless page", { { FLOOD, "HTTP/1.1 200 OK\r\n\r\n<html>" } }, ALATION_NOT_ALATION, 200, false },
	{ "401", { { REPLY, "HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nCanary" } }, ALATION_REFUSED, 401, false },
	{ "503", { { REPLY, FAULT } }, ALATION_SERVER_ERROR, 503, true },
};

#define DATE "Date: Wed, 21 Oct 2015 07:27:00 GMT\r\n"
static const struct header_row {
	const char *headers;
	int64_t retry_after_s, date;
	const char *redirect;
} header_rows[] = {
	{ "", 0, ALATION_TIME_UNKNOWN, "" },
	{ DATE, 0, 1445412420, "" },
	{ "date:Wed, 21 Oct 2015 07:27:00 GMT\r\n", 0, 1445412420, "" },
	{ "Date: 20151021\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Date: yesterday\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 120\r\n", 120, ALATION_TIME_UNKNOWN, "" },
	{ "retry-after:\t120 \r\n", 120, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 0\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 1000000000\r\n", 86400, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 99999999999999999999999999999999999999\r\n", 86400, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: soon\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: -5\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 1.5\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After: 20301021\r\n", 86400, ALATION_TIME_UNKNOWN, "" },
	{ "Retry-After:\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ DATE "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 60, 1445412420, "" },
	{ "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n" DATE, 60, 1445412420, "" },
	{ DATE "Retry-After: Wed, 21 Oct 2015 07:26:00 GMT\r\n", 0, 1445412420, "" },
	{ DATE "Retry-After: Wed, 21 Oct 2026 07:26:00 GMT\r\n", 86400, 1445412420, "" },
	{ "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Location: https://sso.example.com/login?SAMLRequest=Canary\r\n",
	  0, ALATION_TIME_UNKNOWN, "https://sso.example.com" },
	{ "location: HTTP://a:81?Canary\r\n", 0, ALATION_TIME_UNKNOWN, "HTTP://a:81" },
	{ "Location: https://u:Canary@evil.example\\x\r\n", 0, ALATION_TIME_UNKNOWN, "https://evil.example" },
	{ "Location: https://a@b@c#d\r\n", 0, ALATION_TIME_UNKNOWN, "https://c" },
	{ "Location: //sso.example.com/x\r\n", 0, ALATION_TIME_UNKNOWN, "http://sso.example.com" },
	{ "Location: /login/?next=https://a/\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Location: javascript:Canary\r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "Location: \r\n", 0, ALATION_TIME_UNKNOWN, "" },
	{ "X-Location: https://a/\r\nLocationX: https://b/\r\n", 0, ALATION_TIME_UNKNOWN, "" },
};

/* What a retry could meet. */
static const struct step lost[] = { { CLOSE, NULL }, { REPLY, VALID }, { REPLY, VALID }, { END, NULL } };
static const struct step fault[] = { { REPLY, FAULT }, { REPLY, VALID }, { REPLY, VALID }, { END, NULL } };
static const struct step faults[] = { { REPLY, FAULT }, { CLOSE, NULL }, { REPLY, VALID }, { END, NULL } };
static const struct step refused[] = { { REPLY, "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n" }, { REPLY, VALID }, { END, NULL } };

/* A proxy that ends in a colon gets the server's port. */
static const struct step says_407[] = { { REPLY, "HTTP/1.1 407 Who\r\nContent-Length: 6\r\n\r\nCanary" }, { END, NULL } };
static const struct step says_502[] = { { REPLY, "HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nCanary" }, { END, NULL } };
static const struct proxy_row {
	const char *what, *proxy, *base_url;
	const struct step *steps;
	int connections;
} proxy_rows[] = {
	{ "dead", "http://user:s3cret@127.0.0.1:1", "https://127.0.0.1:2", says_407, 0 },
	{ "no possible host", "http://user:s3cret@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid:1", "https://127.0.0.1:2", says_407, 0 },
	{ "no such scheme", "gopher://user:s3cret@127.0.0.1:1", "https://127.0.0.1:2", says_407, 0 },
	{ "no URL", "http://user:s3cret@127.0.0.1:99999999", "https://127.0.0.1:2", says_407, 0 },
	{ "an '@' that is escaped", "http://user:s3cret%40127.0.0.1:1", "https://127.0.0.1:2", says_407, 0 },
	{ "no host", "http://user:s3cret", "https://127.0.0.1:2", says_407, 0 },
	{ "407 to CONNECT", "http://user:s3cret@127.0.0.1:", "https://127.0.0.1:2", says_407, 1 },
	{ "502 to CONNECT", "http://user:s3cret@127.0.0.1:", "https://127.0.0.1:2", says_502, 1 },
};

#endif
