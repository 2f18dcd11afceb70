/* SPDX-License-Identifier: MIT */
/*
 * Waits, on CLOCK_MONOTONIC, with the one condition that everything held and everyone waiting share. Knows neither
 * faults nor calls.
 */
#include "tests/sandbox/hold.h"

#include <time.h>

#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

static struct timespec after(long long ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000) * NS_PER_MS;
	if (at.tv_nsec >= NS_PER_S) {
		at.tv_sec++;
		at.tv_nsec -= NS_PER_S;
	}
	return at;
}

void hold_call(struct sandbox *sandbox, long long delay_ms)
{
	const struct timespec end = after(delay_ms);
	unsigned releases = sandbox->releases;

	sandbox->held++;
	pthread_cond_broadcast(&sandbox->changed);
	while (!sandbox->stopping && sandbox->releases == releases &&
	       pthread_cond_timedwait(&sandbox->changed, &sandbox->lock, &end) == 0)
		;
	sandbox->held--;
}

void hold_release(struct sandbox *sandbox)
{
	sandbox->releases++;
	pthread_cond_broadcast(&sandbox->changed);
}

unsigned hold_await(struct sandbox *sandbox, unsigned count, long long timeout_ms)
{
	const struct timespec end = after(timeout_ms);

	while (!sandbox->stopping && sandbox->held < count &&
	       pthread_cond_timedwait(&sandbox->changed, &sandbox->lock, &end) == 0)
		;
	return sandbox->held;
}
