/* SPDX-License-Identifier: MIT */
/* A bad guest: it lacks the one operation that is required. */
#include "keyring/module.h"

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "no-lookup",
	.about = "cannot look up; for tests",
};
