/* SPDX-License-Identifier: MIT */
/*
 * A POSIX timer, which does not survive an exec (an alarm would kill what `exec` starts: measured), and a
 * handler that does nothing but write and end. SIGALRM is left to the caller: alarm(2) survives an exec, and a caller
 * that sets one for us must not break off what is held (signals.h).
 */
#include "helper/base/watchdog.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static timer_t timer;
static bool made;
static char line[1280], answer[WATCHDOG_REPLY_MAX_BYTES];
static size_t line_len, answer_len;
static int code;

/* Where nobody reads, a last word must not hold up the end. */
static void last_word(int fd, const char *text, size_t n)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };

	if (n && poll(&out, 1, 0) > 0 && write(fd, text, n) < 0)
		return;
}

static void bite(int signal)
{
	(void)signal;
	last_word(STDERR_FILENO, line, line_len);
	last_word(STDOUT_FILENO, answer, answer_len);
	_exit(code);
}

int watchdog_signal(void)
{
	return SIGRTMIN + 7;
}

static bool make_timer(void)
{
	struct sigaction action = { .sa_handler = bite };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = watchdog_signal() };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, watchdog_signal());
	/* A caller may have blocked or ignored it, and both are inherited. */
	return sigaction(watchdog_signal(), &action, NULL) == 0 && sigprocmask(SIG_UNBLOCK, &ours, NULL) == 0 &&
	       timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
}

void watchdog_arm(int64_t deadline_ms, const struct trouble *trouble, struct bytes reply)
{
	int64_t at_ms = deadline_ms + WATCHDOG_GRACE_MS;
	struct itimerspec when = { .it_value = { at_ms / 1000, (long)(at_ms % 1000) * 1000000 } };
	int n;

	watchdog_disarm();
	if (!made && !make_timer())
		return;
	made = true;
	n = snprintf(line, sizeof line, "alation-cred: %s%s%s\n", trouble->message, *trouble->remedy ? "; " : "", trouble->remedy);
	line_len = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
	answer_len = reply.n <= sizeof answer ? reply.n : 0;
	if (answer_len)
		memcpy(answer, reply.p, answer_len);
	code = (int)trouble_outcome(trouble->code);
	timer_settime(timer, TIMER_ABSTIME, &when, NULL);
}

void watchdog_disarm(void)
{
	static const struct itimerspec never;

	if (made)
		timer_settime(timer, 0, &never, NULL);
}
