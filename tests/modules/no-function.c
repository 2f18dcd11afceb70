/* SPDX-License-Identifier: MIT */
/* A bad guest: it calls a function that nothing has. */
#include "keyring/module.h"

int acred_is_nowhere(void);

static int lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	return acred_is_nowhere();
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "no-function",
	.about = "calls what is nowhere; for tests",
	.lookup = lookup,
};
