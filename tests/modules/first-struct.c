/* SPDX-License-Identifier: MIT */
/* A good guest that knows nothing behind the look-up: what the host would read there are no functions of it. */
#include "keyring/module.h"

static int lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	return ACRED_ABSENT;
}

static int never_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len,
                       int64_t ttl_s)
{
	(void)call, (void)state, (void)key, (void)bytes, (void)len, (void)ttl_s;
	__builtin_trap();
}

static int never(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	__builtin_trap();
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = offsetof(struct acred_module, store) + sizeof(void *) - 1, /* not a whole pointer more */
	.name = "first-struct",
	.about = "ends at its look-up; for tests",
	.lookup = lookup,
	.store = never_store,
	.erase = never,
};
