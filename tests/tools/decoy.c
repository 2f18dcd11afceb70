/* SPDX-License-Identifier: MIT */
/*
 * Somebody on 127.0.0.1 whom the program should not reach, or who is no good to it. Writes down what it gets, and
 * decides nothing:
 *
 *   decoy DIR sink            takes what comes, says nothing, until the client goes
 *   decoy DIR answer FILE     at the first bytes of a connection answers with those of FILE, then closes its side
 *   decoy DIR proxy           an HTTP proxy: CONNECT to a port of 127.0.0.1, whatever host is named
 *   decoy DIR dns WHAT        a name server on port 53 (of a network namespace of its own: it takes `lo` up);
 *                             WHAT: silent, servfail, nxdomain
 *
 * Prints its port once it listens. DIR/connections has a byte for each connection or datagram, DIR/received all that
 * came. Ends by SIGTERM, or with the process that started it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_BYTES 65536
#define BACKLOG 64
#define DNS_PORT 53
#define DNS_HEADER_BYTES 12

static int connections_fd = -1, received_fd = -1;
static const char *answer_path;
static char piece[PIECE_BYTES + 1];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "decoy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_in(const char *dir, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	return fd;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		p += done;
		n -= (size_t)done;
	}
}

/* Into `piece`, and written down; 0: the end. */
static size_t take(int fd)
{
	ssize_t n = read(fd, piece, PIECE_BYTES);

	if (n <= 0)
		return 0;
	piece[n] = '\0';
	write_all(received_fd, piece, (size_t)n);
	return (size_t)n;
}

static void drain(int fd)
{
	while (take(fd) > 0)
		;
}

static void answer(int fd)
{
	int file = open(answer_path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (file < 0)
		die(answer_path);
	if (take(fd) == 0)
		return;
	n = read(file, piece, PIECE_BYTES);
	if (n > 0)
		write_all(fd, piece, (size_t)n);
	shutdown(fd, SHUT_WR);
	drain(fd);
}

/* "CONNECT HOST:PORT HTTP/1.1"; -1: it is none, or nobody is there. */
static int connect_onward(void)
{
	const char *end = strstr(piece, " HTTP/"), *colon = end ? memrchr(piece, ':', (size_t)(end - piece)) : NULL;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd;

	if (!colon || strncmp(piece, "CONNECT ", 8) != 0)
		return -1;
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	return -1;
}

/* One piece from one side to the other; false: that side has ended. */
static bool relay(const struct pollfd sides[2], int from)
{
	ssize_t n = from == 0 ? (ssize_t)take(sides[0].fd) : read(sides[1].fd, piece, PIECE_BYTES);

	if (n > 0)
		write_all(sides[!from].fd, piece, (size_t)n);
	return n > 0;
}

static void proxy(int fd)
{
	static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n", no[] = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
	struct pollfd sides[2] = { { .fd = fd, .events = POLLIN }, { .fd = -1, .events = POLLIN } };

	if (take(fd) > 0)
		sides[1].fd = connect_onward();
	if (sides[1].fd < 0) {
		write_all(fd, no, sizeof no - 1);
		return;
	}
	write_all(fd, yes, sizeof yes - 1);
	while (poll(sides, 2, -1) > 0)
		for (int i = 0; i < 2; i++)
			if (sides[i].revents && !relay(sides, i))
				return;
}

static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		exit(0);
}

static void say_port(unsigned port)
{
	printf("%u\n", port);
	if (fflush(stdout) != 0)
		die("stdout");
}

/* A process a connection: each may take as long as it likes. */
static _Noreturn void serve(void (*talk)(int fd))
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	pid_t self = getpid();

	if (listening < 0 || bind(listening, (struct sockaddr *)&at, n) != 0 || listen(listening, BACKLOG) != 0 ||
	    getsockname(listening, (struct sockaddr *)&at, &n) != 0)
		die("cannot listen");
	say_port(ntohs(at.sin_port));
	while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EINTR) {
		if (fd < 0)
			continue;
		write_all(connections_fd, "+", 1);
		if (fork() == 0) {
			die_with(self);
			talk(fd);
			_exit(0);
		}
		close(fd);
	}
	die("accept");
}

static void take_up_loopback(int fd)
{
	struct ifreq lo = { .ifr_name = "lo" };

	if (ioctl(fd, SIOCGIFFLAGS, &lo) != 0)
		die("lo");
	if (lo.ifr_flags & IFF_UP)
		return;
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		die("lo");
}

/* The question comes back as the answer, with a code for why it has none; 0: nothing comes back. */
static _Noreturn void serve_names(unsigned char code)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	take_up_loopback(fd);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
		die("port 53");
	say_port(DNS_PORT);
	for (;;) {
		struct sockaddr_in from;
		socklen_t from_n = sizeof from;
		ssize_t n = recvfrom(fd, piece, PIECE_BYTES, 0, (struct sockaddr *)&from, &from_n);

		if (n < DNS_HEADER_BYTES)
			continue;
		write_all(connections_fd, "+", 1);
		write_all(received_fd, piece, (size_t)n);
		piece[2] = (char)(piece[2] | 0x80);
		piece[3] = (char)(0x80 | code);
		if (code)
			sendto(fd, piece, (size_t)n, 0, (struct sockaddr *)&from, from_n);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: decoy DIR sink | answer FILE | proxy | dns silent|servfail|nxdomain\n");
	return 2;
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		unsigned char code;
	} names[] = { { "silent", 0 }, { "servfail", 2 }, { "nxdomain", 3 } };
	const char *mode = argc > 2 ? argv[2] : "";

	if (argc < 3)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	connections_fd = open_in(argv[1], "connections");
	received_fd = open_in(argv[1], "received");
	answer_path = argc > 3 ? argv[3] : "";
	if (strcmp(mode, "sink") == 0)
		serve(drain);
	if (strcmp(mode, "answer") == 0)
		serve(answer);
	if (strcmp(mode, "proxy") == 0)
		serve(proxy);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(mode, "dns") == 0 && strcmp(answer_path, names[i].name) == 0)
			serve_names(names[i].code);
	return usage();
}
