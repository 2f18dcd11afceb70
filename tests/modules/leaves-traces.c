/* SPDX-License-Identifier: MIT */
/*
 * A bad guest: it holds nothing, and leaves the process otherwise than it found it, in whatever an exec hands on: signals that are
 * ignored, a mask, descriptors, variables.
 */
#include "keyring/module.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int traces_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	sigset_t all;

	(void)call, (void)state, (void)key;
	for (int number = 1; number < SIGRTMAX; number++)
		signal(number, number % 2 ? SIG_IGN : SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < 20; i++)
		if (open("/dev/zero", O_RDWR) < 0)
			return ACRED_FAILED;
	setenv("PATH", "/nonexistent", 1);
	setenv("LD_PRELOAD", "/nonexistent.so", 1);
	setenv("ALATION_TOKEN", "a module's", 1);
	unsetenv("HOME");
	printf("a module's line");
	return ACRED_ABSENT;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "leaves-traces",
	.about = "leaves traces in the process; for tests",
	.lookup = traces_lookup,
};
