/* SPDX-License-Identifier: MIT */
/*
 * Holding signals: a mask for this thread, so that nothing it waits for is broken off, and a handler that remembers
 * for the others. A keyring's library has threads of its own by then, and what this thread holds alone, the kernel
 * hands to one of them.
 */
#include "helper/base/signals.h"

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
	SIGPROF, SIGXCPU, SIGIO, SIGPWR };
#define HELD (sizeof held / sizeof *held)
_Static_assert(HELD == SIGNALS_HELD, "signals.h has room for each");

static volatile sig_atomic_t came[HELD];

static void remember(int number)
{
	for (size_t i = 0; i < HELD; i++)
		if (held[i] == number)
			came[i] = 1;
}

void signals_hold(struct signals *signals)
{
	const struct sigaction action = { .sa_handler = remember, .sa_flags = SA_RESTART };
	sigset_t set;

	if (signals->held)
		return;
	sigemptyset(&set);
	for (size_t i = 0; i < HELD; i++)
		sigaddset(&set, held[i]);
	signals->held = sigprocmask(SIG_BLOCK, &set, &signals->before) == 0;
	for (size_t i = 0; i < HELD && signals->held; i++) {
		came[i] = 0;
		sigaction(held[i], NULL, &signals->actions[i]);
		/* nohup's stay ignored */
		if (signals->actions[i].sa_handler != SIG_IGN)
			sigaction(held[i], &action, NULL);
	}
}

void signals_release(struct signals *signals)
{
	if (!signals->held)
		return;
	signals->held = false;
	for (size_t i = 0; i < HELD; i++)
		sigaction(held[i], &signals->actions[i], NULL);
	for (size_t i = 0; i < HELD; i++)
		if (came[i])
			raise(held[i]); /* to this thread, which lets it through below */
	sigprocmask(SIG_SETMASK, &signals->before, NULL);
}
