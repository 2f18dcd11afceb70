/* SPDX-License-Identifier: MIT */
/*
 * Bounded reads of stdin. Never sets O_NONBLOCK on it: the descriptor's flags are shared with the caller.
 */
#include "helper/base/stdin.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/clock.h"

static bool wait_for_bytes(int64_t deadline_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		int64_t left = deadline_ms - clock_mono_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(&in, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n != 0 && (n > 0 || errno != EINTR))
			return true;
	}
}

enum outcome stdin_read(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble)
{
	SECRET content = { 0 };

	for (;;) {
		ssize_t n;

		if (!wait_for_bytes(deadline_ms))
			return trouble_say(trouble, TROUBLE_USAGE, "write the secret to stdin and close it",
			                   "nothing more came on stdin, and it did not end");
		if (!secret_reserve(&content, 4096))
			return trouble_say(trouble, TROUBLE_USAGE, "", "no memory for what is on stdin");
		n = read(STDIN_FILENO, content.bytes + content.len, content.room - content.len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return trouble_say(trouble, TROUBLE_USAGE, "", "stdin cannot be read: %s", strerror(errno));
		if (n == 0)
			break;
		content.len += (size_t)n;
		if (content.len > max_bytes)
			return trouble_say(trouble, TROUBLE_USAGE, "", "more than %zu bytes on stdin", max_bytes);
	}
	secret_move(ret_content, &content);
	return DONE;
}
