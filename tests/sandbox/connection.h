/* SPDX-License-Identifier: MIT */
/*
 * Connections that go wrong before a request is read, one table of how. The caller holds the lock.
 */
#ifndef SANDBOX_CONNECTION_H
#define SANDBOX_CONNECTION_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "tests/sandbox/tls.h"

struct connection_kind;

struct connection_fault {
	const struct connection_kind *kind;
	long long left; /* connections */
	gnutls_certificate_credentials_t servers[TLS_SERVERS]; /* all NULL without TLS */
};

/* What a certificate can be wrong by. Without this, only what needs no TLS can be asked for. */
bool connection_prepare(struct connection_fault *fault, const struct tls *tls);
void connection_free(struct connection_fault *fault);

/* NULL: it will; else what is wrong with it. TIMES may be NULL. */
const char *connection_break(struct connection_fault *fault, const char *kind, const char *times);

/* A connection was accepted; no byte of it is read yet. TLS may be NULL. */
void connection_start(struct connection_fault *fault, int fd, gnutls_session_t tls);

#endif
