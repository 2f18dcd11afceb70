/* SPDX-License-Identifier: MIT */
/*
 * The one place that writes to stdout.
 */
#include "helper/base/stdout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/harden.h"

#define PATIENCE_MS 1000 /* a reader is waited for even if no time is left */

static int callers = STDOUT_FILENO; /* the caller's stdout */
static int stray = -1;              /* where what is printed on descriptor 1 comes out, once the caller's is set aside */

static enum outcome unwritten(struct trouble *trouble, const char *why)
{
	return trouble_say(trouble, TROUBLE_WRITE_FAILED, "look where it goes, then try again", "the answer could not be written to stdout: %s", why);
}

enum outcome stdout_check(struct trouble *trouble)
{
	struct pollfd out = { .fd = callers, .events = POLLOUT };

	if (!harden_stdout_was_open())
		return unwritten(trouble, "it is not open for writing");
	/* POLLERR is a pipe's word for it, POLLHUP a socket's (Node's children have one) and a terminal's. */
	if (poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP | POLLNVAL)))
		return unwritten(trouble, "nobody reads it any more");
	return DONE;
}

/* Waits for room, but not for ever: a pipe that nobody drains and a stopped terminal never have any. One that has
 * takes PIPE_BUF bytes without blocking (pipe(7)). */
static bool wait_for_room(int64_t deadline_ms)
{
	struct pollfd out = { .fd = callers, .events = POLLOUT };

	for (;;) {
		int64_t left = deadline_ms - clock_mono_ms();
		int n = poll(&out, 1, left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);

		if (n != 0 && (n > 0 || errno != EINTR))
			return true;
		if (left <= 0)
			return false;
	}
}

/* Some file systems tell of a failed write only at close. A pipe or terminal tells nothing then. */
static bool file_is_whole(void)
{
	struct stat st;
	int copy;

	if (fstat(callers, &st) != 0 || !S_ISREG(st.st_mode))
		return true;
	copy = dup(callers);
	return copy < 0 || close(copy) == 0 || errno == EINTR;
}

enum outcome stdout_write(struct bytes b, int64_t deadline_ms, struct trouble *trouble)
{
	int64_t at_least_ms = clock_mono_ms() + PATIENCE_MS;

	if (deadline_ms < at_least_ms)
		deadline_ms = at_least_ms;
	if (!harden_stdout_was_open())
		return unwritten(trouble, "it is not open for writing");
	while (b.n) {
		ssize_t n;

		if (!wait_for_room(deadline_ms))
			return unwritten(trouble, "nobody reads it");
		n = write(callers, b.p, b.n < PIPE_BUF ? b.n : PIPE_BUF);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return unwritten(trouble, strerror(errno));
		b.p += n;
		b.n -= (size_t)n;
	}
	return file_is_whole() ? DONE : unwritten(trouble, strerror(errno));
}

/* A pipe that nobody reads while it is written to: what is too much for it is lost, and nobody waits. */
void stdout_set_aside(void)
{
	int ends[2] = { -1, -1 }, aside = stray < 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : -1;

	if (aside >= 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO) {
		callers = aside;
		stray = ends[0];
		close(ends[1]);
		return;
	}
	for (size_t i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	if (aside >= 0)
		close(aside);
}

size_t stdout_strayed(void)
{
	char bytes[512];
	size_t all = 0;
	ssize_t n;

	if (stray < 0)
		return 0;
	fflush(stdout); /* what printf() holds back */
	while ((n = read(stray, bytes, sizeof bytes)) > 0)
		all += (size_t)n;
	explicit_bzero(bytes, sizeof bytes);
	return all;
}

int stdout_descriptor(void)
{
	return callers;
}
