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

#define PATIENCE_MS 1000 /* a reader is waited for even if no time is left */
#define STRAY_MAX_BYTES (1024 * 1024) /* a thread that prints for ever must not be read for ever */

static bool was_open;               /* for writing, when we started */
static int callers = STDOUT_FILENO; /* the caller's stdout */
static int stray = -1;              /* where what is printed on descriptor 1 comes out, once the caller's is set aside */
static struct stat is_callers, is_stray; /* these two, so as to know them again */

/* Foreign code may have closed every descriptor that it did not know, and the number be a file of its own by now. */
static bool is_still(int fd, const struct stat *what)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == what->st_dev && st.st_ino == what->st_ino;
}

static bool is_lost(void)
{
	return stray >= 0 && !is_still(callers, &is_callers);
}

static const char closed[] = "a keyring module or a library has closed it";

static enum outcome unwritten(struct trouble *trouble, const char *why)
{
	return trouble_say(trouble, TROUBLE_WRITE_FAILED, "look where it goes, then try again", "the answer could not be written to stdout: %s", why);
}

void stdout_found(bool open_for_writing)
{
	was_open = open_for_writing;
}

enum outcome stdout_check(struct trouble *trouble)
{
	struct pollfd out = { .fd = callers, .events = POLLOUT };

	if (!was_open)
		return unwritten(trouble, "it is not open for writing");
	if (is_lost())
		return unwritten(trouble, closed);
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
	if (!was_open)
		return unwritten(trouble, "it is not open for writing");
	if (is_lost())
		return unwritten(trouble, closed);
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

	if (aside >= 0 && fstat(aside, &is_callers) == 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0 && fstat(ends[0], &is_stray) == 0 &&
	    dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO) {
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

bool stdout_give_back(void)
{
	return stray < 0 || (!is_lost() && dup2(callers, STDOUT_FILENO) == STDOUT_FILENO);
}

/* The next file of ours must not get the number that others print on. */
static void keep_taken(void)
{
	int null = fcntl(STDOUT_FILENO, F_GETFD) < 0 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;

	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	if (null > STDOUT_FILENO)
		close(null);
}

size_t stdout_strayed(void)
{
	static bool told;
	char bytes[512];
	size_t all = 0;
	ssize_t n;

	if (stray < 0)
		return 0;
	fflush(stdout); /* what printf() holds back */
	keep_taken();
	if (is_lost() || !is_still(stray, &is_stray)) {
		all = told ? 0 : STDOUT_CLOSED;
		told = true;
		return all;
	}
	while (all < STRAY_MAX_BYTES && (n = read(stray, bytes, sizeof bytes)) > 0)
		all += (size_t)n;
	explicit_bzero(bytes, sizeof bytes);
	return all;
}

int stdout_descriptor(void)
{
	return is_lost() ? -1 : callers;
}
