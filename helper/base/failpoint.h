/* SPDX-License-Identifier: MIT */
/*
 * Named places between two steps of something that must survive a crash. A build with -DFAILPOINTS (the Makefile's
 * alation-cred-failpoints, for tests) can be made to die, fail, wait or stop there; in every other build they are nothing.
 */
#ifndef HELPER_BASE_FAILPOINT_H
#define HELPER_BASE_FAILPOINT_H

#include <stdbool.h>

#include "helper/base/trouble.h"

/*
 * The step NAME ("rotate.stored") is done. In a test build $ALATION_CRED_FAILPOINT says what happens there:
 * NAME:kill (SIGKILL), NAME:stop (SIGSTOP, until somebody sends SIGCONT), NAME:delay=MS, or NAME:error; with :N behind
 * it, at the N-th time in this process alone. True: the step is to be taken for one that failed. Each name that is
 * reached is appended to the file that $ALATION_CRED_FAILPOINT_LOG names, a line each.
 */
#ifdef FAILPOINTS
bool failpoint(const char *name);
#else
static inline bool failpoint(const char *name)
{
	(void)name;
	return false;
}
#endif

/* The same for a step that came to OUTCOME: that, or a keyring's failure. */
static inline enum outcome failpoint_after(const char *name, enum outcome outcome, struct trouble *trouble)
{
	if (!failpoint(name))
		return outcome;
	return trouble_say(trouble, TROUBLE_KEYRING_FAILED, "unset ALATION_CRED_FAILPOINT", "the step %s was made to fail", name);
}

#endif
