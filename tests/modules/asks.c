/* SPDX-License-Identifier: MIT */
/*
 * A locked keyring whose dialog stays open as long as a test likes. In the directory $ASKS: `token` is what it holds,
 * `unlocked` says that it is open, `asked` appears when a dialog opens, and `answer` (a fifo) is what a person does.
 */
#include "keyring/module.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_in(const char *name, int flags)
{
	const char *dir = getenv("ASKS");
	char path[512];

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "", name);
	return open(path, flags | O_CLOEXEC, 0600);
}

static int has(const char *name)
{
	int fd = open_in(name, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void ask(void)
{
	char byte;
	int asked = open_in("asked", O_WRONLY | O_CREAT), answer = open_in("answer", O_RDONLY);

	if (answer >= 0 && read(answer, &byte, 1) == 1)
		close(open_in("unlocked", O_WRONLY | O_CREAT));
	close(answer);
	close(asked);
}

static int asks_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char token[256];
	ssize_t n;
	int fd;

	(void)state;
	if (strcmp(key->facility, "refresh") != 0)
		return ACRED_ABSENT;
	if (!has("unlocked") && (call->flags & ACRED_MAY_PROMPT))
		ask();
	if (!has("unlocked"))
		return ACRED_LOCKED;
	fd = open_in("token", O_RDONLY);
	n = fd < 0 ? -1 : read(fd, token, sizeof token);
	if (fd >= 0)
		close(fd);
	return n > 0 && call->put(call->host, token, (size_t)n) == 0 ? ACRED_OK : ACRED_FAILED;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "asks",
	.about = "asks and waits; for tests",
	.lookup = asks_lookup,
};
