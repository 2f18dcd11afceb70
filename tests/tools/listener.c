/* SPDX-License-Identifier: MIT */
/*
 * Listens on 127.0.0.1, prints its port, and tells each caller how many have called until then. Whoever wants to know
 * whether anybody was here calls last and reads 1. Reads no byte; ends with the process that started it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, SOMAXCONN) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
		perror("listener");
		return 1;
	}
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	for (unsigned callers = 1;; callers++) {
		int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (caller < 0 && errno != EINTR && errno != ECONNABORTED)
			return 1;
		if (caller >= 0)
			dprintf(caller, "%u\n", callers);
		close(caller);
	}
}
