/* SPDX-License-Identifier: MIT */
/*
 * A throw-away certificate authority, a server certificate signed by it, and some that nobody should accept.
 */
#ifndef SANDBOX_TLS_H
#define SANDBOX_TLS_H

#include <stdbool.h>

#include "tests/sandbox/text.h"

enum tls_server {
	TLS_GOOD,
	TLS_EXPIRED,     /* its time was over yesterday */
	TLS_WRONG_HOST,  /* another name stands in it */
	TLS_SELF_SIGNED, /* the right name, signed by itself */
	TLS_SERVERS,
};

struct tls {
	struct text ca_pem;
	struct {
		struct text certificate_pem, key_pem;
	} servers[TLS_SERVERS];
};

/*
 * Makes all of them, for localhost, 127.0.0.1, ::1 and ADDRESS, and writes ca.pem and server.pem (the good ones)
 * into DIR, which is made if it is not there. False: said on stderr why, and *tls is empty.
 */
bool tls_make(struct tls *tls, const char *dir, const char *address);
void tls_free(struct tls *tls);

#endif
