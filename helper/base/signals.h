/* SPDX-License-Identifier: MIT */
/*
 * Signals held while something must not be left half done. The watchdog's is never held.
 */
#ifndef HELPER_BASE_SIGNALS_H
#define HELPER_BASE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#define SIGNALS_HELD 15

struct signals {
	bool held;
	sigset_t before;
	struct sigaction actions[SIGNALS_HELD];
};

/* Holds what a terminal, a session's end, a supervisor or a timer that the caller has set sends, whichever thread it
 * would go to: it takes effect at the release. One at a time. */
void signals_hold(struct signals *signals);
void signals_release(struct signals *signals);

/* Released where its scope ends. */
#define SIGNALS __attribute__((cleanup(signals_release))) struct signals

#endif
