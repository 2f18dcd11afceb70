/* SPDX-License-Identifier: MIT */
/*
 * The first thing that runs: makes the process safe to hold a secret in. Everything else may rely on it.
 */
#ifndef HELPER_BASE_HARDEN_H
#define HELPER_BASE_HARDEN_H

#include <stdbool.h>

/*
 * Descriptors 0 to 2 are open (on /dev/null where the caller closed them, so that no socket or file of ours
 * gets their numbers); not dumpable, no core, umask 077, SIGPIPE and SIGXFSZ ignored. False: started setuid or with
 * AT_SECURE, and nothing may be done.
 */
bool harden_process(void);

/* For a program that takes our place: umask, core limit, SIGPIPE and SIGXFSZ are as they were found, and what the caller had closed of
 * 0 to 2 is closed by the exec. Where the exec fails, harden_again() makes us what we were; stays not dumpable all the time. */
void harden_undo(void);
void harden_again(void);

#endif
