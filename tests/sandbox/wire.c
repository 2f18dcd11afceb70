/* SPDX-License-Identifier: MIT */
/*
 * Writes onto a connection past libmicrohttpd, from the thread that has it: bytes as they stand, one after the
 * other, without end; resets it; says nothing. Knows no HTTP. Every wait ends when the client goes, or when
 * libmicrohttpd shuts the connection down because the sandbox ends.
 */
#include "tests/sandbox/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define FOREVER_MS (-1)
#define FLOOD_BYTES 16384 /* at a time */

/* Waits for EVENTS (0: for nothing but the end). False: nobody is there any more. */
static bool is_there(int fd, int events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = (short)(events | POLLRDHUP) };
	int n;

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	return n == 0 || (n > 0 && !(p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)));
}

/* How many bytes went; 0: try again when there is room; negative: nobody is there. */
static ssize_t send_some(int fd, gnutls_session_t tls, const char *p, size_t n)
{
	ssize_t sent;

	if (tls) {
		sent = gnutls_record_send(tls, p, n);
		return sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED ? 0 : sent;
	}
	sent = send(fd, p, n, MSG_NOSIGNAL);
	return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static bool send_all(int fd, gnutls_session_t tls, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send_some(fd, tls, p, n);

		if (sent < 0 || (sent == 0 && !is_there(fd, POLLOUT, FOREVER_MS)))
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool drip(int fd, gnutls_session_t tls, const struct reply_raw *raw)
{
	for (size_t i = 0; i < raw->fill.n; i++)
		if (!send_all(fd, tls, raw->fill.p + i, 1) || !is_there(fd, 0, (int)raw->drip_ms))
			return false;
	return true;
}

static void flood(int fd, gnutls_session_t tls, const struct text *fill)
{
	struct text much = { 0 };

	while (much.n < FLOOD_BYTES)
		text_add(&much, fill->p, fill->n);
	while (send_all(fd, tls, much.p, much.n))
		;
	text_free(&much);
}

void wire_send(int fd, gnutls_session_t tls, const struct reply_raw *raw)
{
	bool there = send_all(fd, tls, raw->bytes.p, raw->bytes.n);

	if (there && raw->fill.n > 0) {
		while (raw->drip_ms && drip(fd, tls, raw))
			;
		if (!raw->drip_ms)
			flood(fd, tls, &raw->fill);
		return; /* it ends when the client goes */
	}
	if (there && raw->end == END_RESET)
		wire_reset(fd);
	if (there && raw->end == END_STALL)
		wire_stall(fd);
}

/* A close with a linger time of 0 would come after the orderly end that libmicrohttpd sends first. */
void wire_reset(int fd)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(fd, &nobody, sizeof nobody);
}

void wire_stall(int fd)
{
	while (is_there(fd, 0, FOREVER_MS))
		;
}
