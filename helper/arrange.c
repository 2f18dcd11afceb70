/* SPDX-License-Identifier: MIT */
/*
 * Laying out the stack.
 */
#include "helper/arrange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/site.h"

static bool is_configured(const struct config *config, const char *facility)
{
	for (size_t i = 0; i < config->n_lines; i++)
		if (strcmp(config->lines[i].line.facility, facility) == 0)
			return true;
	return false;
}

static bool is_source(const char *module)
{
	return strcmp(module, "environment") == 0 || strcmp(module, "credentials-directory") == 0;
}

static bool has_argument(const struct keyring_line *line, const char *name)
{
	for (int i = 0; i < line->argc; i++)
		if (strncmp(line->argv[i], name, strlen(name)) == 0)
			return true;
	return false;
}

/* What $ALATION_BASE_URL and $ALATION_USER_ID name, in the one spelling that keys use; "" for what they do not. */
static void read_environment(struct arrangement *a, const struct config *config)
{
	const char *address = getenv("ALATION_BASE_URL"), *user = getenv("ALATION_USER_ID");
	int64_t user_id = user ? url_user_id(bytes_of(user)) : 0;
	struct url url;

	if (address && *address && url_parse(bytes_of(address), &url) == URL_OK) {
		config_take_base_url(config, &url);
		snprintf(a->base_url, sizeof a->base_url, "base-url=%s", url.base);
		user_id = user_id ? user_id : url.user_id;
	}
	if (user_id)
		snprintf(a->user_id, sizeof a->user_id, "user-id=%" PRId64, user_id);
}

/* A RefreshToken from the environment goes to no host that it was not meant for. */
static void tell_source(struct arrangement *a, const struct config *config, struct keyring_line *line)
{
	const char **argv = a->argv[a->n_sources];
	/* The token in the environment goes where the environment says, whatever a line has for it: of two the last counts. */
	bool always = strcmp(line->module, "environment") == 0;

	if (a->n_sources == ARRANGE_SOURCES_MAX)
		return;
	if (!a->n_sources++)
		read_environment(a, config);
	for (int i = 0; i < line->argc; i++)
		argv[i] = line->argv[i];
	line->argv = argv;
	if (a->base_url[0] && (always || !has_argument(line, "base-url=")))
		argv[line->argc++] = a->base_url;
	if (a->user_id[0] && (always || !has_argument(line, "user-id=")))
		argv[line->argc++] = a->user_id;
}

static void take(struct arrangement *a, const struct config *config, const struct keyring_line *line, struct config_place place)
{
	if (a->n == KEYRING_LINES_MAX)
		return;
	a->lines[a->n] = *line;
	a->places[a->n] = place;
	if (is_source(line->module))
		tell_source(a, config, &a->lines[a->n]);
	a->n++;
}

void arrange(const struct config *config, struct arrangement *ret_arrangement)
{
	ret_arrangement->n = ret_arrangement->n_sources = 0;
	ret_arrangement->base_url[0] = ret_arrangement->user_id[0] = '\0';
	for (size_t i = 0; i < config->n_lines; i++)
		take(ret_arrangement, config, &config->lines[i].line, config->line_places[i]);
	for (size_t i = 0; i < site_stack_lines; i++)
		if (!is_configured(config, site_stack[i].facility))
			take(ret_arrangement, config, &site_stack[i], (struct config_place){ NULL, 0 });
}
