/* SPDX-License-Identifier: MIT */
/*
 * Signals held while something must not be left half done. SIGALRM is the watchdog's and is never held.
 */
#ifndef HELPER_BASE_SIGNALS_H
#define HELPER_BASE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#define SIGNALS_HELD 8

struct signals {
	bool held;
	sigset_t before;
	struct sigaction actions[SIGNALS_HELD];
};

/* Holds what a terminal, a session's end or a supervisor sends, whichever thread it would go to: it takes effect at the
 * release. One at a time. */
void signals_hold(struct signals *signals);
void signals_release(struct signals *signals);

/* Released where its scope ends. */
#define SIGNALS __attribute__((cleanup(signals_release))) struct signals

#endif
