/* SPDX-License-Identifier: MIT */
/*
 * The one place that writes to stdout.
 */
#include "helper/base/stdout.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/harden.h"

#define PATIENCE_MS 1000 /* a reader is waited for even if no time is left */

static enum outcome unwritten(struct trouble *trouble, const char *why)
{
	return trouble_say(trouble, TROUBLE_WRITE_FAILED, "look where it goes, then try again", "the answer could not be written to stdout: %s", why);
}

enum outcome stdout_check(struct trouble *trouble)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

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
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

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

	if (fstat(STDOUT_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		return true;
	copy = dup(STDOUT_FILENO);
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
		n = write(STDOUT_FILENO, b.p, b.n < PIPE_BUF ? b.n : PIPE_BUF);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return unwritten(trouble, strerror(errno));
		b.p += n;
		b.n -= (size_t)n;
	}
	return file_is_whole() ? DONE : unwritten(trouble, strerror(errno));
}
