/* SPDX-License-Identifier: MIT */
/*
 * Holding signals: a mask for this thread, so that nothing it waits for is broken off, and a handler that remembers
 * for the others. A keyring's library has threads of its own by then, and what this thread holds alone, the kernel
 * hands to one of them.
 */
#include "helper/base/signals.h"

#include <stdatomic.h>
#include <unistd.h>

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
	SIGPROF, SIGXCPU, SIGIO, SIGPWR };
#define HELD (sizeof held / sizeof *held)
_Static_assert(HELD == SIGNALS_HELD, "signals.h has room for each");

static atomic_bool holding, came[HELD];

/* Another thread may have taken the signal and not have come here when the hold ends: then it is sent once more, until
 * what it did before the hold is what it does. */
static void remember(int number)
{
	for (size_t i = 0; i < HELD; i++) {
		if (held[i] != number)
			continue;
		atomic_store(&came[i], true);
		if (!atomic_load(&holding) && atomic_exchange(&came[i], false))
			kill(getpid(), number);
	}
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
	atomic_store(&holding, signals->held);
	for (size_t i = 0; i < HELD && signals->held; i++) {
		atomic_store(&came[i], false);
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
	atomic_store(&holding, false);
	for (size_t i = 0; i < HELD; i++)
		sigaction(held[i], &signals->actions[i], NULL);
	for (size_t i = 0; i < HELD; i++)
		if (atomic_exchange(&came[i], false))
			raise(held[i]); /* to this thread, which lets it through below */
	sigprocmask(SIG_SETMASK, &signals->before, NULL);
}
