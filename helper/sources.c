/* SPDX-License-Identifier: MIT */
/*
 * Asking the sources whose RefreshTokens they have.
 */
#include "helper/sources.h"

#include <stdlib.h>
#include <string.h>

#include "helper/base/harden.h"
#include "helper/lifecycle/walk.h"

static void add(void *user, const struct acred_key *key, const char *module)
{
	struct accounts *accounts = user;
	struct account account = { .user_id = key->user_id, .refresh_expires_at = RECORD_TIME_UNKNOWN };
	size_t n = strlen(key->base_url);

	(void)module; /* a source is asked first anyway, and holds nothing of ours */
	if (strcmp(key->facility, "refresh") != 0 || n >= sizeof account.base_url || key->user_id < 1 || key->user_id > USER_ID_MAX)
		return;
	memcpy(account.base_url, key->base_url, n + 1);
	if (!accounts_find(accounts, account.base_url, account.user_id))
		accounts_append(accounts, &account);
}

bool sources_in_environment(void)
{
	return getenv("ALATION_REFRESH_TOKEN") || getenv("CREDENTIALS_DIRECTORY");
}

void sources_add(struct context *context, bool all, struct accounts *accounts)
{
	const struct account nobody = { .base_url = "the environment" };
	struct walk walk = { context, &nobody, .may_prompt = false };

	harden_environment();
	walk_sources(&walk, all, add, accounts);
}
