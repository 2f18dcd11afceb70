/* SPDX-License-Identifier: MIT */
/*
 * Asking the sources whose RefreshTokens they have.
 */
#include "helper/sources.h"

#include <stdlib.h>
#include <string.h>

#include "helper/lifecycle/walk.h"
#include "protocol/url.h"

/* Whoever asks, and what is found. */
struct collection {
	struct context *context;
	struct accounts *accounts;
};

/* An address that a user could not have given either: plain http to where others listen, or another spelling of a key. */
static bool is_sound(struct context *context, const char *base_url, const char *module)
{
	struct url url;
	enum url_error error = url_parse(bytes_of(base_url), &url);

	if (!error && strcmp(url.base, base_url) == 0)
		return true;
	if (error)
		context_warn(context, "source_address", "the RefreshToken of '%s' is not used, it is for no address of an instance: %s", module, url_error_text(error));
	else
		context_warn(context, "source_address", "the RefreshToken of '%s' is not used, its record must have the address as %s", module, url.base);
	return false;
}

static void add(void *user, const struct acred_key *key, const char *module)
{
	struct collection *collection = user;
	struct account account = { .user_id = key->user_id, .refresh_expires_at = RECORD_TIME_UNKNOWN };

	/* A source is asked first anyway, and holds nothing of ours: its name is for words alone. */
	if (strcmp(key->facility, "refresh") != 0 || key->user_id < 1 || key->user_id > USER_ID_MAX || !is_sound(collection->context, key->base_url, module))
		return;
	memcpy(account.base_url, key->base_url, strlen(key->base_url) + 1);
	if (!accounts_find(collection->accounts, account.base_url, account.user_id))
		accounts_append(collection->accounts, &account);
}

bool sources_in_environment(void)
{
	const char *token = getenv("ALATION_REFRESH_TOKEN"), *directory = getenv("CREDENTIALS_DIRECTORY");

	return (token && *token) || (directory && *directory);
}

void sources_add(struct context *context, bool all, struct accounts *accounts)
{
	const struct account nobody = { .base_url = "the environment" };
	struct walk walk = { context, &nobody, .may_prompt = false };
	struct collection collection = { context, accounts };

	walk_sources(&walk, all, add, &collection);
}
