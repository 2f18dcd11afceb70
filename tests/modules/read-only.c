/* SPDX-License-Identifier: MIT */
/* A good guest that can only be read: it finds what $READ_ONLY_TOKEN holds, whatever account is asked for. */
#include "keyring/module.h"

#include <stdlib.h>
#include <string.h>

static int read_only_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	const char *secret = getenv("READ_ONLY_TOKEN");

	(void)state;
	if (!secret || strcmp(key->facility, "refresh") != 0)
		return ACRED_ABSENT;
	return call->put(call->host, secret, strlen(secret)) == 0 ? ACRED_OK : ACRED_FAILED;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "read-only",
	.about = "can only be read; for tests",
	.lookup = read_only_lookup,
};
