/* SPDX-License-Identifier: MIT */
/* A bad guest: its descriptor ends before the look-up that it has. */
#include "keyring/module.h"

static int lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	return ACRED_ABSENT;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = offsetof(struct acred_module, lookup),
	.name = "small-struct",
	.about = "its descriptor is too small; for tests",
	.lookup = lookup,
};
