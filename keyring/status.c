/* SPDX-License-Identifier: MIT */
/*
 * A status and its word. Sentences for people are the helper's.
 */
#include "keyring/keyring.h"

static const char *const words[] = {
	[ACRED_OK] = "ok",
	[ACRED_ABSENT] = "absent",
	[ACRED_LOCKED] = "locked",
	[ACRED_UNAVAILABLE] = "unavailable",
	[ACRED_DENIED] = "denied",
	[ACRED_READONLY] = "readonly",
	[ACRED_TIMEOUT] = "timeout",
	[ACRED_FAILED] = "failed",
};

const char *keyring_status_word(int status)
{
	if (status < 0 || (size_t)status >= sizeof words / sizeof words[0])
		return words[ACRED_FAILED];
	return words[status];
}
