/* SPDX-License-Identifier: MIT */
/*
 * One POST or GET to an Alation server, and the bytes that came back. Inside alation.so only.
 */
#ifndef HELPER_ALATION_HTTP_H
#define HELPER_ALATION_HTTP_H

#include "helper/alation/alation.h"

#define HTTP_BODY_MAX_BYTES (64 * 1024)
#define HTTP_HEADER_MAX_BYTES (32 * 1024)

struct http_request {
	const char *base_url, *path;
	struct bytes form;   /* the body; a secret of the caller's, read until http_ask returns. p NULL: it is a GET */
	struct bytes token;  /* the TOKEN header's; n 0: there is none */
	int64_t deadline_ms; /* CLOCK_MONOTONIC */
	struct alation_way way;
	struct alation_sight *sight; /* what is met on the way goes there; or NULL */
};

struct http_answer {
	/* ALATION_DONE: a server answered, whatever with. Else `detail` says why none did. */
	enum alation_result result;
	bool maybe_acted; /* not DONE, and bytes of the request may have left */
	int status;       /* 0: none came */
	char *body;       /* a secret: replies echo tokens */
	size_t len;
	bool cut;  /* the body is longer than HTTP_BODY_MAX_BYTES, and this is its beginning */
	bool html; /* what Content-Type says */
	int64_t date, retry_after_s;
	char detail[ALATION_DETAIL_MAX_BYTES], redirect[ALATION_DETAIL_MAX_BYTES];
};

/* Whoever called wipes the answer, whatever its result. */
void http_ask(const struct http_request *request, struct http_answer *ret_answer);
void http_answer_wipe(struct http_answer *answer);

#endif
