/* SPDX-License-Identifier: MIT */
/*
 * One lock a name across the user's processes: flock(2) on a file that is never unlinked, freed by the kernel on
 * any death. Never held while a person is asked.
 */
#ifndef HELPER_LIFECYCLE_LOCK_H
#define HELPER_LIFECYCLE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/trouble.h"

#define LOCK_POLL_MS 20

struct lock {
	int dirfd; /* the locks' directory, kept from one try to the next */
	int fd;    /* -1: not held */
};
#define LOCK_NONE { -1, -1 }

void lock_release(struct lock *lock);
#define LOCK __attribute__((cleanup(lock_release))) struct lock

/* Tries once. DONE with lock->fd >= 0 (ours) or -1 (somebody else's: try again with the same struct), or
 * UNUSABLE. */
enum outcome lock_try(const char *name, struct lock *lock, struct trouble *trouble);

/* Tries every LOCK_POLL_MS until DEADLINE_MS (CLOCK_MONOTONIC), then BUSY. */
enum outcome lock_wait(const char *name, int64_t deadline_ms, struct lock *lock, struct trouble *trouble);

/* One poll's pause. */
void lock_pause(void);

/*
 * For work that one can do for many if it begins after they came. Who waits for the lock leaves a sign of his coming
 * (lock_announce, with the struct that he tries with); the holder waits until no more come, a poll if nobody did,
 * LOCK_GATHER_MS at most, and a quarter of the time until DEADLINE_MS (CLOCK_MONOTONIC).
 */
#define LOCK_GATHER_MS 500
void lock_announce(const char *name, const struct lock *lock);
void lock_gather(const struct lock *lock, int64_t deadline_ms);

#endif
