/* SPDX-License-Identifier: MIT */
/*
 * The listener: sockets, HTTP and TLS by libmicrohttpd, a thread a connection.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "tests/sandbox/sandbox.h"

struct http;

struct http_options {
	const char *address; /* numeric, IPv4 or IPv6 */
	int port;            /* 0: any free one */
	const char *certificate_pem, *key_pem; /* NULL: without TLS */
};

/* NULL: said on stderr why. */
struct http *http_start(struct sandbox *sandbox, const struct http_options *options);
int http_port(const struct http *http);
void http_stop(struct http *http); /* ends the calls that a fault holds up */

#endif
