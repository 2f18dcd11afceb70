/* SPDX-License-Identifier: MIT */
/*
 * A throw-away certificate authority, and one server certificate signed by it.
 */
#ifndef SANDBOX_TLS_H
#define SANDBOX_TLS_H

#include <stdbool.h>

#include "tests/sandbox/text.h"

struct tls {
	struct text certificate_pem, key_pem;
};

/*
 * Makes both for localhost, 127.0.0.1, ::1 and ADDRESS, and writes ca.pem and server.pem (the certificates) into
 * DIR, which is made if it is not there. False: said on stderr why, and *tls is empty.
 */
bool tls_make(struct tls *tls, const char *dir, const char *address);
void tls_free(struct tls *tls);

#endif
