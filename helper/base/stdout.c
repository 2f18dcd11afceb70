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

static enum outcome unwritten(struct trouble *trouble, const char *why)
{
	return trouble_say(trouble, TROUBLE_WRITE_FAILED, "", "the answer could not be written to stdout: %s", why);
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

/* stdout may be a pipe or terminal that somebody set O_NONBLOCK on: wait for room, but not for ever. */
static bool wait_for_room(int64_t deadline_ms)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };
	int64_t left = deadline_ms - clock_mono_ms();

	if (left <= 0)
		return false;
	return poll(&out, 1, left > INT_MAX ? INT_MAX : (int)left) >= 0 || errno == EINTR;
}

enum outcome stdout_write(struct bytes b, int64_t deadline_ms, struct trouble *trouble)
{
	if (!harden_stdout_was_open())
		return unwritten(trouble, "it is not open for writing");
	while (b.n) {
		ssize_t n = write(STDOUT_FILENO, b.p, b.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (wait_for_room(deadline_ms))
				continue;
			return unwritten(trouble, "nobody reads it");
		}
		if (n < 0)
			return unwritten(trouble, strerror(errno));
		b.p += n;
		b.n -= (size_t)n;
	}
	/* Some file systems tell of a failed write only at close. Only regular files: closing a pipe or terminal
	 * tells nothing, and the call would be paid on the warm path. */
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		int copy = dup(STDOUT_FILENO);

		if (copy >= 0 && close(copy) != 0 && errno != EINTR)
			return unwritten(trouble, strerror(errno));
	}
	return DONE;
}
