/* SPDX-License-Identifier: MIT */
/*
 * A RefreshToken in the environment, $ALATION_REFRESH_TOKEN, for jobs that are given their secrets so. Built in, read-only.
 * Answers only for the account that the arguments base-url=URL and user-id=N name; the host makes them of
 * $ALATION_BASE_URL and $ALATION_USER_ID, since it knows how an address is spelt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/module.h"
#include "keyring/source.h"

#define VARIABLE "ALATION_REFRESH_TOKEN"
#define NOTE_BYTES 256

static int environment_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct source *self = calloc(1, sizeof *self);

	if (self == NULL)
		return ACRED_FAILED;
	if (!source_arguments(call, argc, argv, false, self)) {
		free(self);
		return ACRED_FAILED;
	}
	*state = self;
	return ACRED_OK;
}

static void environment_close(void *state)
{
	free(state);
}

/* ACRED_OK: there is a value, and an account that it is for. The value stays where it is, which is the environment's. */
static int find(struct acred_call *call, const struct source *self, const char **ret_value)
{
	const char *value = secure_getenv("ALATION_REFRESH_TOKEN");

	if (value == NULL || *value == '\0') {
		call->note(call->host, "$" VARIABLE " is not set");
		return ACRED_ABSENT;
	}
	*ret_value = value;
	return source_complete(call, self, "$" VARIABLE);
}

/* Whether VALUE can be what KEY asks for: a record must be for the account that the arguments name, too. */
static int judge(struct acred_call *call, const char *value, const struct acred_key *key)
{
	struct source_owner owner;
	const char *why = source_read(value, strlen(value), &owner);
	char text[NOTE_BYTES];

	if (why != NULL) {
		snprintf(text, sizeof text, "$" VARIABLE " is not used: it %s", why);
		call->note(call->host, text);
		return ACRED_FAILED;
	}
	if (owner.user_id == 0)
		return ACRED_OK;
	return source_matches(call, key, owner.base_url, owner.user_id, "the record in $" VARIABLE);
}

static int environment_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	const struct source *self = state;
	const char *value;
	int status = source_facility(key);

	if (status == ACRED_OK)
		status = find(call, self, &value);
	if (status == ACRED_OK)
		status = source_matches(call, key, self->base_url, self->user_id, "$" VARIABLE);
	if (status == ACRED_OK)
		status = judge(call, value, key);
	if (status != ACRED_OK)
		return status;
	return call->put(call->host, value, strlen(value)) == 0 ? ACRED_OK : ACRED_FAILED;
}

static int environment_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	const struct source *self = state;
	const struct acred_key key = { "refresh", self->base_url, self->user_id };
	const char *value;
	int status = find(call, self, &value);

	if (status == ACRED_OK)
		status = judge(call, value, &key);
	if (status == ACRED_OK)
		each(call->host, &key);
	return status == ACRED_ABSENT ? ACRED_OK : status; /* a list of nothing is one */
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "environment",
	.about = "$ALATION_REFRESH_TOKEN, for the account of $ALATION_BASE_URL and $ALATION_USER_ID; read-only",
	.open = environment_open,
	.lookup = environment_lookup,
	.list = environment_list,
	.close = environment_close,
};
