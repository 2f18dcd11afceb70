/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of sealed-file share: memory that wipes itself, the call's time.
 */
#include <sodium.h>
#include <time.h>

#include "keyring/modules/sealed-file.h"

bool wiped_new(struct wiped *ret, size_t n)
{
	ret->p = sodium_malloc(n > 0 ? n : 1);
	ret->n = ret->p != NULL ? n : 0;
	return ret->p != NULL;
}

void wiped_free(struct wiped *bytes)
{
	sodium_free(bytes->p);
	*bytes = (struct wiped){ 0 };
}

bool sealed_late(struct acred_call *call)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return call->deadline_ms != 0 && (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= call->deadline_ms;
}
