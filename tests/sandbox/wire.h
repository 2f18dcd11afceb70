/* SPDX-License-Identifier: MIT */
/*
 * Bytes on the wire as they stand, for what libmicrohttpd would never send.
 */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include <gnutls/gnutls.h>

#include "tests/sandbox/reply.h"

/* Does all that RAW asks for but its END_ANSWER and END_CLOSE, which are the caller's. TLS may be NULL. */
void wire_send(int fd, gnutls_session_t tls, const struct reply_raw *raw);

void wire_reset(int fd);
void wire_stall(int fd); /* returns once the client has gone, or the connection was shut down */

#endif
