/* SPDX-License-Identifier: MIT */
/*
 * A keyring with a passphrase, whose key it keeps open from one call to the next. In the directory $KEEPS: `token` is what it
 * holds, `passphrase` what opens it, `key` is there while it is open, `asked` has a byte for each question, and `question` is
 * its own, if it has one. With `forgetful` there it keeps the key in its own memory alone, with `stuck` it cannot forget one.
 */
#include "keyring/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *path_of(const char *name)
{
	static char path[512];
	const char *dir = getenv("KEEPS");

	snprintf(path, sizeof path, "%s/%s", dir ? dir : "", name);
	return path;
}

static int has(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void add_byte(const char *name)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, "!", 1) == 1)
		close(fd);
}

static size_t content(const char *name, char *bytes, size_t room)
{
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, room);

	if (fd >= 0)
		close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static int keeps_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	(void)call;
	(void)argc;
	(void)argv;
	*state = calloc(1, sizeof(int)); /* whether it is open in this process */
	return *state != NULL ? ACRED_OK : ACRED_FAILED;
}

static int unlock(struct acred_call *call, int *is_open)
{
	char passphrase[64], question[64] = "Passphrase of the keyring: ";
	const char *answer;
	size_t n = content("passphrase", passphrase, sizeof passphrase), len;
	int status;

	if (call->ask == NULL)
		return ACRED_LOCKED;
	add_byte("asked");
	if (has("question"))
		question[content("question", question, sizeof question - 1)] = '\0';
	status = call->ask(call->host, question, &answer, &len);
	if (status != ACRED_OK)
		return status;
	if (len != n || memcmp(answer, passphrase, n) != 0) {
		call->note(call->host, "that is not its passphrase");
		return ACRED_LOCKED;
	}
	*is_open = 1;
	if (!has("forgetful"))
		add_byte("key");
	return ACRED_OK;
}

static int is_late(const struct acred_call *call)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= call->deadline_ms;
}

static int keeps_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char token[2048];
	size_t n = content("token", token, sizeof token);
	int status = *(int *)state || has("key") ? ACRED_OK : unlock(call, state);

	(void)key;
	if (status != ACRED_OK)
		return status;
	if (is_late(call))
		return ACRED_TIMEOUT;
	if (n == 0)
		return ACRED_ABSENT;
	return call->put(call->host, token, n) == 0 ? ACRED_OK : ACRED_FAILED;
}

static int keeps_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len,
                       int64_t ttl_s)
{
	(void)call;
	(void)state;
	(void)key;
	(void)bytes;
	(void)len;
	(void)ttl_s;
	return ACRED_DENIED;
}

static void keeps_close(void *state)
{
	free(state);
}

static int keeps_lock(struct acred_call *call, void *state)
{
	(void)state;
	if (has("stuck")) {
		call->note(call->host, "its key is stuck");
		return ACRED_FAILED;
	}
	return unlink(path_of("key")) == 0 ? ACRED_OK : ACRED_ABSENT;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "keeps",
	.about = "keeps its key open; for tests",
	.open = keeps_open,
	.lookup = keeps_lookup,
	.store = keeps_store,
	.close = keeps_close,
	.lock = keeps_lock,
};
