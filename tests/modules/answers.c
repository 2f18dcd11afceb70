/* SPDX-License-Identifier: MIT */
/* A good guest, of a newer interface than the host's: its descriptor is longer. Finds what its argument says. */
#define alation_cred_module alation_cred_module_of_this_host
#include "keyring/module.h"
#undef alation_cred_module

#include <string.h>

static int answers_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	if (argc != 1) {
		call->note(call->host, "takes one argument");
		return ACRED_FAILED;
	}
	*state = (void *)(uintptr_t)argv[0];
	return ACRED_OK;
}

static int answers_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	const char *secret = state;

	(void)key;
	return call->put(call->host, secret, strlen(secret)) == 0 ? ACRED_OK : ACRED_FAILED;
}

extern const struct newer_module {
	struct acred_module known;
	int (*rotate)(void);
} alation_cred_module;

const struct newer_module alation_cred_module = {
	.known = {
		.abi = ACRED_MODULE_ABI,
		.size = sizeof alation_cred_module,
		.name = "answers",
		.about = "finds what its argument says; for tests",
		.open = answers_open,
		.lookup = answers_lookup,
	},
};
