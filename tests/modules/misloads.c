/* SPDX-License-Identifier: MIT */
/* A bad guest: what $MISLOADS says (segv, abort, exit, pause, print) happens as it is loaded, before it was called for anything. */
#include "keyring/module.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int *volatile nowhere; /* NULL, and no compiler knows */

__attribute__((constructor)) static void loaded(void)
{
	const char *wrong = getenv("MISLOADS");

	if (!wrong)
		return;
	if (strcmp(wrong, "segv") == 0)
		*nowhere = 0;
	if (strcmp(wrong, "abort") == 0)
		abort();
	if (strcmp(wrong, "exit") == 0)
		exit(0);
	while (strcmp(wrong, "pause") == 0)
		pause();
	if (strcmp(wrong, "print") == 0 && write(STDOUT_FILENO, "loaded\n", 7) != 7)
		abort();
}

static int absent(struct acred_call *call, void *state, const struct acred_key *key)
{
	(void)call, (void)state, (void)key;
	return ACRED_ABSENT;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "misloads",
	.about = "does wrong before it is called; for tests",
	.lookup = absent,
};
