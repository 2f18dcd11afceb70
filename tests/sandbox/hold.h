/* SPDX-License-Identifier: MIT */
/*
 * Calls that a fault's delay_ms holds up, and waiting for one to be held: so that a test acts while a call is under
 * way, and sleeps nowhere. The caller holds the lock, which is let go meanwhile: others do not wait for this one.
 */
#ifndef SANDBOX_HOLD_H
#define SANDBOX_HOLD_H

#include "tests/sandbox/sandbox.h"

void hold_call(struct sandbox *sandbox, long long delay_ms);
void hold_release(struct sandbox *sandbox); /* those held now go on at once */

/* Waits until COUNT calls are held at the same time; how many there are. */
unsigned hold_await(struct sandbox *sandbox, unsigned count, long long timeout_ms);

#endif
