/* SPDX-License-Identifier: MIT */
/*
 * What the configuration comes to, as rows with their places. For `status -v`; decides nothing.
 */
#ifndef HELPER_SETTINGS_H
#define HELPER_SETTINGS_H

#include "helper/context.h"

struct settings {
	struct setting *rows;
	char **texts; /* the rows' own strings */
	size_t n, n_texts;
};

void settings_free(struct settings *settings);
#define SETTINGS __attribute__((cleanup(settings_free))) struct settings

/* Every value that counts (one that a later line displaces does not) and every line of the stack, those built in too. A
 * proxy's password is not shown. False: no memory. */
bool settings_read(const struct context *context, struct settings *ret_settings);

/* For people: a line each. */
void settings_write(struct out *out, const struct context *context, const struct settings *settings);

#endif
