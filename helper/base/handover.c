/* SPDX-License-Identifier: MIT */
/*
 * What survives an exec: the signals that are ignored, the mask, descriptors that nobody marked. What harden.c and stdout.c have
 * changed, they give back; the watchdog's handlers, and whatever a library or a module does, is undone here.
 */
#include "helper/base/handover.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include "helper/base/harden.h"
#include "helper/base/stdout.h"

#define FIRST_FD (STDERR_FILENO + 1)
#define DESCRIPTORS 1024 /* from the first on that are looked at; what a library opens gets the lowest free numbers */

static bool prepared, foreign;
static sigset_t mask, ignored;
static bool callers[DESCRIPTORS];

/* Which descriptors are open. Where that cannot be known, all are: none is taken for a library's then. */
static void look(bool ret_open[DESCRIPTORS])
{
	static struct pollfd all[DESCRIPTORS]; /* one call in the place of a thousand */
	struct rlimit most;
	nfds_t n = DESCRIPTORS;
	bool known;

	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < n)
		n = (nfds_t)most.rlim_cur;
	for (size_t i = 0; i < DESCRIPTORS; i++)
		all[i] = (struct pollfd){ .fd = FIRST_FD + (int)i };
	known = poll(all, n, 0) >= 0;
	for (size_t i = 0; i < DESCRIPTORS; i++)
		ret_open[i] = !known || i >= n || !(all[i].revents & POLLNVAL);
}

void handover_prepare(void)
{
	struct sigaction action;

	prepared = true;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigemptyset(&ignored);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			sigaddset(&ignored, number);
}

void handover_before_libraries(void)
{
	if (!prepared || foreign)
		return;
	foreign = true;
	look(callers);
}

/* What is ours is marked when it is opened. */
static void leave_behind(void)
{
	static bool now[DESCRIPTORS];

	look(now);
	for (size_t i = 0; i < DESCRIPTORS; i++)
		if (now[i] && !callers[i])
			fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
}

bool handover_give(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN }, by_default = { .sa_handler = SIG_DFL };

	if (!stdout_give_back())
		return false;
	if (foreign)
		leave_behind();
	for (int number = 1; number <= SIGRTMAX; number++)
		sigaction(number, sigismember(&ignored, number) == 1 ? &ignore : &by_default, NULL);
	harden_undo();
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return true;
}

void handover_take_back(void)
{
	harden_again();
}
