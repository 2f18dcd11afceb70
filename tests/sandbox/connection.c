/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong on a connection before HTTP begins: how it ends too early, and everything that a client must not
 * accept of a TLS server. Knows no request.
 */
#include "tests/sandbox/connection.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/sandbox/fields.h"
#include "tests/sandbox/wire.h"

#define TIMES_MAX 1000000
#define OLD_TLS "NORMAL:-VERS-ALL:+VERS-TLS1.1"

struct connection_kind {
	const char *name;
	void (*plain)(int fd); /* NULL: it needs TLS */
	enum tls_server server; /* with TLS: whose certificate; TLS_GOOD: libmicrohttpd's own */
	bool asks_client, is_old;
	gnutls_handshake_hook_func hook; /* after this message of the client's: */
	unsigned hook_at;
};

static int socket_of(gnutls_session_t tls)
{
	return (int)(intptr_t)gnutls_transport_get_ptr(tls);
}

/* After the client's hello, which it has read: an error ends the handshake without an alert. */
static int cut(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *message)
{
	(void)type, (void)when, (void)incoming, (void)message;
	shutdown(socket_of(tls), SHUT_RDWR);
	return GNUTLS_E_PREMATURE_TERMINATION;
}

static int stall(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming, const gnutls_datum_t *message)
{
	(void)type, (void)when, (void)incoming, (void)message;
	wire_stall(socket_of(tls));
	return GNUTLS_E_PREMATURE_TERMINATION;
}

/* As a server that insists: the client has ended its side of the handshake, and the alert is all it gets. It is the
 * client that closes, or its request would come to a closed socket, and the reset would overtake the alert. */
static int miss_certificate(gnutls_session_t tls, unsigned type, unsigned when, unsigned incoming,
                            const gnutls_datum_t *message)
{
	(void)type, (void)when, (void)message;
	if (!incoming || gnutls_certificate_get_peers(tls, NULL))
		return 0;
	gnutls_alert_send(tls, GNUTLS_AL_FATAL, GNUTLS_A_CERTIFICATE_REQUIRED);
	wire_stall(socket_of(tls));
	return GNUTLS_E_PREMATURE_TERMINATION;
}

static void close_now(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

static const struct connection_kind kinds[] = {
	{ .name = "close", .plain = close_now },
	{ .name = "reset", .plain = wire_reset },
	{ .name = "expired", .server = TLS_EXPIRED },
	{ .name = "wrong-host", .server = TLS_WRONG_HOST },
	{ .name = "self-signed", .server = TLS_SELF_SIGNED },
	{ .name = "tls1.1", .is_old = true },
	{ .name = "client-certificate", .asks_client = true, .hook = miss_certificate, .hook_at = GNUTLS_HANDSHAKE_FINISHED },
	{ .name = "cut", .hook = cut, .hook_at = GNUTLS_HANDSHAKE_CLIENT_HELLO },
	{ .name = "stall", .hook = stall, .hook_at = GNUTLS_HANDSHAKE_CLIENT_HELLO },
};

bool connection_prepare(struct connection_fault *fault, const struct tls *tls)
{
	const gnutls_datum_t ca = { (unsigned char *)tls->ca_pem.p, (unsigned)tls->ca_pem.n };

	for (enum tls_server which = 0; which < TLS_SERVERS; which++) {
		const struct text *certificate = &tls->servers[which].certificate_pem, *key = &tls->servers[which].key_pem;
		const gnutls_datum_t crt_pem = { (unsigned char *)certificate->p, (unsigned)certificate->n };
		const gnutls_datum_t key_pem = { (unsigned char *)key->p, (unsigned)key->n };

		if (gnutls_certificate_allocate_credentials(&fault->servers[which]) < 0 ||
		    gnutls_certificate_set_x509_key_mem(fault->servers[which], &crt_pem, &key_pem, GNUTLS_X509_FMT_PEM) < 0 ||
		    gnutls_certificate_set_x509_trust_mem(fault->servers[which], &ca, GNUTLS_X509_FMT_PEM) < 0) {
			fprintf(stderr, "alation-sandbox: GnuTLS does not take its own certificates\n");
			return false;
		}
	}
	return true;
}

void connection_free(struct connection_fault *fault)
{
	for (enum tls_server which = 0; which < TLS_SERVERS; which++) {
		if (fault->servers[which])
			gnutls_certificate_free_credentials(fault->servers[which]);
		fault->servers[which] = NULL;
	}
}

const char *connection_break(struct connection_fault *fault, const char *kind, const char *times)
{
	long long left = 1;

	if (times && !fields_number(times, 1, TIMES_MAX, &left))
		return "times: 1 to 1000000";
	for (size_t i = 0; kind && i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kind, kinds[i].name) != 0)
			continue;
		if (!kinds[i].plain && !fault->servers[TLS_GOOD])
			return "fault: that one needs --tls";
		fault->kind = &kinds[i];
		fault->left = left;
		return NULL;
	}
	return "fault: there is none of that name; alation-sandbox --help lists them";
}

static void start_tls(const struct connection_fault *fault, gnutls_session_t tls)
{
	const struct connection_kind *kind = fault->kind;

	if (kind->server != TLS_GOOD || kind->asks_client)
		gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, fault->servers[kind->server]);
	if (kind->asks_client)
		gnutls_certificate_server_set_request(tls, GNUTLS_CERT_REQUEST);
	if (kind->is_old)
		gnutls_priority_set_direct(tls, OLD_TLS, NULL);
	if (kind->hook)
		gnutls_handshake_set_hook_function(tls, kind->hook_at, GNUTLS_HOOK_POST, kind->hook);
}

void connection_start(struct connection_fault *fault, int fd, gnutls_session_t tls)
{
	if (fault->left == 0)
		return;
	fault->left--;
	if (fault->kind->plain)
		fault->kind->plain(fd);
	else if (tls)
		start_tls(fault, tls);
}
