/* SPDX-License-Identifier: MIT */
/*
 * The address of an Alation instance: parsed and put into the one form that keys use. No DNS, no files.
 */
#ifndef PROTOCOL_URL_H
#define PROTOCOL_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"

#define URL_HOST_MAX_BYTES 200
#define URL_BASE_MAX_BYTES (sizeof "https://[]:65535" + URL_HOST_MAX_BYTES)
#define URL_TEXT_MAX_BYTES 8192
#define USER_ID_MAX 2147483647 /* the API's user_id is a 32-bit integer */

enum url_error {
	URL_OK = 0,
	URL_EMPTY_HOST,
	URL_BAD_SCHEME, /* neither https nor http */
	URL_PLAIN_HTTP, /* http to a host that is not loopback */
	URL_BAD_HOST,   /* another byte than ASCII letters, digits, '.', '-', '_', or not an IP address in full;
			 * or a control byte anywhere */
	URL_TOO_LONG,   /* a host of more than URL_HOST_MAX_BYTES, a text of more than URL_TEXT_MAX_BYTES */
	URL_BAD_PORT,
	URL_BAD_USER,   /* a user part that is not a numeric user id alone */
};

struct url {
	char base[URL_BASE_MAX_BYTES + 1]; /* "https://catalog.example.com:8443" */
	const char *host;  /* the part of `base` behind "://": host and, where not the default, port; it points
			    * into this very struct, so a copy of the struct needs it set anew */
	int64_t user_id;   /* from 1151@host; 0: none given */
	bool cut;          /* a path, query or fragment was there and was dropped */
};

/*
 * Reads `[https://|http://][USER_ID@]host[:port][/…][?…][#…]`; without a scheme it is https. Normalises:
 * lower case, one trailing dot, default port and trailing slashes dropped, IPv6 as RFC 5952 writes it.
 * Loopback is `localhost`, 127.0.0.0/8 and [::1], by its spelling; nothing is resolved.
 * *ret_url is untouched unless URL_OK.
 */
enum url_error url_parse(struct bytes text, struct url *ret_url);

/* What is wrong, in words: no full stop, none of the rejected bytes. */
const char *url_error_text(enum url_error error);

/* A user id: 1 to USER_ID_MAX, digits only, no leading zero. Returns 0 for anything else. */
int64_t url_user_id(struct bytes digits);

#endif
