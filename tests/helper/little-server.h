/* SPDX-License-Identifier: MIT */
/*
 * A server of a few lines in a thread of the test: does one act a connection, and keeps the last request. It
 * waits for events, never for time, and is gone when server_stop returns.
 */
#ifndef TESTS_HELPER_LITTLE_SERVER_H
#define TESTS_HELPER_LITTLE_SERVER_H

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX_BYTES 65536
#define SERVER_WAIT_MS 20000

enum act { END, REPLY, HASTE, REFUSE, RESET, CLOSE, STALL, DRIP, FLOOD };

/* What to do with one connection. REFUSE resets it once bytes came, and reads none of them; HASTE replies to the
 * first ones, whatever they are; the others read the request first. */
struct step {
	enum act act;
	const char *text; /* of REPLY, HASTE and DRIP; what FLOOD begins with */
};

static struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	const struct step *steps;
	int connections;
	char request[REQUEST_MAX_BYTES];
	char base_url[64];
} server;

static int listen_on_loopback(unsigned *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* Reads headers and as much as Content-Length says. */
static void read_request(int fd)
{
	size_t n = 0, want = 0;

	while (n < sizeof server.request - 1 && (want == 0 || n < want)) {
		ssize_t got = read(fd, server.request + n, sizeof server.request - 1 - n);
		const char *end, *length;

		if (got <= 0)
			break;
		n += (size_t)got;
		server.request[n] = '\0';
		end = strstr(server.request, "\r\n\r\n");
		length = strcasestr(server.request, "\r\nContent-Length:");
		if (end)
			want = (size_t)(end + 4 - server.request) + (length ? strtoul(length + 17, NULL, 10) : 0);
	}
}

/* Waits at most WAIT_MS; true once the client has gone. */
static bool client_left(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
	char byte;

	return poll(&p, 1, wait_ms) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

static void act(int fd, const struct step *step)
{
	struct linger now = { .l_onoff = 1 };
	struct pollfd came = { .fd = fd, .events = POLLIN };
	size_t n = step->text ? strlen(step->text) : 0;
	char more[1024];

	if (step->act == REFUSE)
		poll(&came, 1, SERVER_WAIT_MS);
	else if (step->act == HASTE)
		n = read(fd, server.request, sizeof server.request) > 0 ? n : 0;
	else
		read_request(fd);
	if (step->act == REFUSE || step->act == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	if (step->act == REPLY || step->act == HASTE || step->act == FLOOD)
		if (write(fd, step->text, n) != (ssize_t)n)
			return;
	if (step->act == STALL)
		client_left(fd, SERVER_WAIT_MS);
	memset(more, 'a', sizeof more);
	while (step->act == FLOOD && write(fd, more, sizeof more) > 0)
		;
	for (size_t i = 0; step->act == DRIP && i < n && !client_left(fd, 20); i++)
		if (write(fd, step->text + i, 1) != 1)
			return;
}

static void *serve(void *unused)
{
	for (const struct step *step = server.steps; step->act != END; step++) {
		int fd = accept4(server.fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		server.connections++;
		act(fd, step);
		close(fd);
	}
	return unused;
}

static void server_start(const struct step *steps)
{
	server.fd = listen_on_loopback(&server.port);
	server.steps = steps;
	server.connections = 0;
	memset(server.request, 0, sizeof server.request);
	snprintf(server.base_url, sizeof server.base_url, "http://127.0.0.1:%u", server.port);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

/* How many connections it had. */
static int server_stop(void)
{
	shutdown(server.fd, SHUT_RDWR); /* ends an accept that waits */
	pthread_join(server.thread, NULL);
	close(server.fd);
	return server.connections;
}

/* A group's setup: nothing in the environment says how servers are reached, and a write to one that is gone is an error, as harden.c has it
 * for libcurl's sake. */
static int server_surroundings(void **state)
{
	static const char *const settings[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
		"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
	};

	(void)state;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		unsetenv(settings[i]);
	return signal(SIGPIPE, SIG_IGN) == SIG_ERR;
}

#endif
