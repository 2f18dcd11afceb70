/* SPDX-License-Identifier: MIT */
/* A bad guest: speaks another version of the interface. */
#include "keyring/module.h"

static int lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	return ACRED_ABSENT;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI - 1,
	.size = sizeof alation_cred_module,
	.name = "old-abi",
	.about = "speaks version 0; for tests",
	.lookup = lookup,
};
