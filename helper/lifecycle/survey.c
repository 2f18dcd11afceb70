/* SPDX-License-Identifier: MIT */
/*
 * What modules list, remembered for the accounts that are asked about: a hundred of them would otherwise read a list of a
 * hundred a hundred times.
 */
#include "helper/lifecycle/survey.h"

#include <stdlib.h>
#include <string.h>

#include "helper/base/clock.h"

_Static_assert(KEYRING_LINES_MAX <= 32, "a bit a line");

void survey_start(struct context *context, struct survey *survey)
{
	survey->until_ms = clock_mono_ms() + SURVEY_MS;
	context->module_ms = SURVEY_MODULE_MS;
	context->survey = survey;
}

bool survey_of(struct survey *survey, const struct account *accounts, size_t n)
{
	survey->held = calloc(n + 1, sizeof *survey->held);
	survey->accounts = accounts;
	survey->n = survey->held ? n : 0;
	return survey->held;
}

void survey_end(struct context *context)
{
	if (!context->survey)
		return;
	free(context->survey->held);
	*context->survey = (struct survey){ 0 };
	context->survey = NULL;
}

/* Of the line that the key's facility has of MODULE; 0: none. */
static uint32_t bit_of(const struct context *context, const char *module, const char *facility)
{
	const struct keyring *keyring = &context->keyring;

	for (size_t i = 0; i < keyring->n; i++)
		if (strcmp(keyring->slots[i].line.module, module) == 0 && strcmp(keyring->slots[i].line.facility, facility) == 0)
			return UINT32_C(1) << i;
	return 0;
}

static uint32_t *held_of(const struct survey *survey, const struct acred_key *key)
{
	for (size_t i = 0; i < survey->n; i++)
		if (survey->accounts[i].user_id == key->user_id && strcmp(survey->accounts[i].base_url, key->base_url) == 0)
			return &survey->held[i];
	return NULL;
}

void survey_know(struct context *context, const char *module, const struct acred_key *key)
{
	uint32_t *held = held_of(context->survey, key);

	if (held)
		*held |= bit_of(context, module, key->facility);
}

bool survey_knows(const struct context *context, const char *module, const struct acred_key *key)
{
	const uint32_t *held = held_of(context->survey, key);

	return held && (*held & bit_of(context, module, key->facility));
}
