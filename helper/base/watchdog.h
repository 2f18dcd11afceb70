/* SPDX-License-Identifier: MIT */
/*
 * A call into code that is not ours and may not come back: it hangs past its deadline, crashes, or ends the program. It cannot be
 * interrupted in our process, so the process ends, with words that were prepared. Knows nothing of what is called.
 */
#ifndef HELPER_BASE_WATCHDOG_H
#define HELPER_BASE_WATCHDOG_H

#include <stdint.h>

#include "helper/base/trouble.h"
#include "protocol/bytes.h"

#define WATCHDOG_GRACE_MS 2000
#define WATCHDOG_REPLY_MAX_BYTES 4096

enum watchdog_end {
	WATCHDOG_LATE, /* WATCHDOG_GRACE_MS after its deadline it still runs; where it blocks signals, a second later */
	WATCHDOG_DIED, /* a signal that tells of a fault (SIGSEGV, SIGABRT…), exit() or quick_exit(); _exit() is not noticed */
	WATCHDOG_ENDS,
};

/*
 * What is said at such an end, before the call is made: TROUBLE's line on stderr, behind it of what it died; REPLY (a failure
 * reply, or empty; at most WATCHDOG_REPLY_MAX_BYTES) on stdout; CODE, the exit code. All is copied, and holds until the next
 * watchdog_disarm. WATCHDOG_LATE must have words; without those of WATCHDOG_DIED a fault ends us as if there were no watchdog, and
 * nothing is done for it: code of ours is called so on the warm path.
 */
void watchdog_words(enum watchdog_end end, const struct trouble *trouble, struct bytes reply, int code);

/* From here until it is disarmed such a call runs. DEADLINE_MS: CLOCK_MONOTONIC. Arming again replaces. What the call forks may
 * crash or exit() as it likes; one that comes back from a call with words of WATCHDOG_DIED ends where it is disarmed. */
void watchdog_arm(int64_t deadline_ms);
void watchdog_disarm(void);

/* ACT is called once before such an end, by whichever thread comes to it: async-signal-safe. NULL: nothing any more. */
void watchdog_before_end(void (*act)(void));

/* The signal that it uses: nobody else's. */
int watchdog_signal(void);

#endif
