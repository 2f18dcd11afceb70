/* SPDX-License-Identifier: MIT */
/*
 * The trace's one writer.
 */
#include "helper/base/trace.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/trouble.h"

#define PATIENCE_MS 1000

static int trace_fd = -1;
static int64_t start_ms;

void trace_start(bool verbose)
{
	const char *where = getenv("ALATION_CRED_TRACE");

	if (verbose || (where && strcmp(where, "1") == 0))
		trace_fd = STDERR_FILENO;
	else if (where && where[0] == '/')
		trace_fd = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (trace_fd >= 0)
		start_ms = clock_mono_ms();
}

/* A reader that does not read must not hold us up. */
static bool has_room(void)
{
	struct pollfd out = { .fd = trace_fd, .events = POLLOUT };

	return poll(&out, 1, PATIENCE_MS) != 0;
}

void trace(const char *format, ...)
{
	char raw[512], text[768], line[832];
	va_list args;
	int n;

	if (trace_fd < 0)
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	trouble_escape(text, sizeof text, raw);
	n = snprintf(line, sizeof line, "alation-cred: [%d] %5lld ms %s\n", (int)getpid(),
	             (long long)(clock_mono_ms() - start_ms), text);
	if (!has_room() || (n > 0 && write(trace_fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0))
		trace_fd = -1;
}
