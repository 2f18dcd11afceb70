/* SPDX-License-Identifier: MIT */
/*
 * The stack of this call: the configuration's lines, for a facility that has none the built-in ones, and to the modules that
 * read a RefreshToken from the environment whose it is. Loads nothing.
 */
#ifndef HELPER_ARRANGE_H
#define HELPER_ARRANGE_H

#include "helper/config.h"
#include "keyring/keyring.h"

#define ARRANGE_SOURCES_MAX 4 /* lines of such a module */

struct arrangement {
	struct keyring_line lines[KEYRING_LINES_MAX];
	struct config_place places[KEYRING_LINES_MAX]; /* file NULL: built in */
	size_t n;
	/* What a source is told beside its own arguments. */
	char base_url[sizeof "base-url=" + URL_BASE_MAX_BYTES], user_id[sizeof "user-id=" + 3 * sizeof(int64_t)];
	const char *argv[ARRANGE_SOURCES_MAX][CONF_ARGUMENTS_MAX + 2];
	size_t n_sources;
};

/* *ret_arrangement points into itself, into CONFIG and at what is compiled in; it is not to be moved. */
void arrange(const struct config *config, struct arrangement *ret_arrangement);

#endif
