/* SPDX-License-Identifier: MIT */
/*
 * A guest that acknowledges what it does not keep. It has one RefreshToken's record in the file $LIAR_FILE, and its first
 * $LIAR_HONEST_STORES stores are kept there; after them it says yes and, as $LIAR tells, goes on giving what it had
 * ("stale"), gives another token ("differs"), or has nothing ("absent"). Without $LIAR it is honest, and of what a login
 * tries it always is. With $LIAR_KEEPS it erases nothing, and says so.
 */
#include "keyring/module.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX_BYTES 8192

static long stores;

static int is_tried(const struct acred_key *key)
{
	return strstr(key->base_url, "write-test.invalid") != NULL;
}

static FILE *open_file(const struct acred_key *key, const char *mode, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s%s", getenv("LIAR_FILE"), is_tried(key) ? ".tried" : "");
	return fopen(path, mode);
}

static int lies(const struct acred_key *key, const char *how)
{
	const char *wish = getenv("LIAR"), *honest = getenv("LIAR_HONEST_STORES");

	return wish != NULL && !is_tried(key) && stores > (honest != NULL ? atol(honest) : 0) &&
	       (how == NULL || strcmp(wish, how) == 0);
}

static int liar_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char record[RECORD_MAX_BYTES], path[PATH_MAX], *token;
	FILE *file = open_file(key, "re", path);
	size_t n;

	(void)state;
	if (file == NULL)
		return ACRED_ABSENT;
	n = fread(record, 1, sizeof record - 1, file);
	fclose(file);
	record[n] = '\0';
	if (lies(key, "absent"))
		return ACRED_ABSENT;
	token = strstr(record, "refresh_token=");
	if (token != NULL && lies(key, "differs"))
		token[sizeof "refresh_token=" - 1] ^= 1;
	return call->put(call->host, record, n) == 0 ? ACRED_OK : ACRED_FAILED;
}

static int liar_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len,
                      int64_t ttl_s)
{
	char path[PATH_MAX];
	FILE *file;

	(void)call, (void)state, (void)ttl_s;
	stores += !is_tried(key);
	if (lies(key, NULL))
		return ACRED_OK;
	file = open_file(key, "we", path);
	if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
		return ACRED_FAILED;
	return ACRED_OK;
}

static int liar_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	char path[PATH_MAX];
	FILE *file = open_file(key, "re", path);

	(void)call, (void)state;
	if (file == NULL)
		return ACRED_ABSENT;
	fclose(file);
	if (getenv("LIAR_KEEPS") != NULL && !is_tried(key))
		return ACRED_READONLY;
	return remove(path) == 0 ? ACRED_OK : ACRED_FAILED;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "liar",
	.about = "says that it keeps what it does not keep; for tests",
	.lookup = liar_lookup,
	.store = liar_store,
	.erase = liar_erase,
};
