/* SPDX-License-Identifier: MIT */
/*
 * The deadline that no library can outlive. In-process code cannot be interrupted: when it does not come back,
 * the process ends with the prepared line. Knows nothing of what is being waited for.
 */
#ifndef HELPER_BASE_WATCHDOG_H
#define HELPER_BASE_WATCHDOG_H

#include <stdint.h>

#include "helper/base/trouble.h"
#include "protocol/bytes.h"

#define WATCHDOG_GRACE_MS 2000
#define WATCHDOG_REPLY_MAX_BYTES 4096

/*
 * From WATCHDOG_GRACE_MS after DEADLINE_MS (CLOCK_MONOTONIC) on the process ends: TROUBLE's line on stderr,
 * REPLY (a failure reply, or empty; at most WATCHDOG_REPLY_MAX_BYTES) on stdout, TROUBLE's exit code. Arming again replaces.
 */
void watchdog_arm(int64_t deadline_ms, const struct trouble *trouble, struct bytes reply);
void watchdog_disarm(void);

/* The signal that it uses: nobody else's. */
int watchdog_signal(void);

#endif
