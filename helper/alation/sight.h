/* SPDX-License-Identifier: MIT */
/*
 * What libcurl met on the way to a server, for `doctor`. Inside alation.so only.
 */
#ifndef HELPER_ALATION_SIGHT_H
#define HELPER_ALATION_SIGHT_H

#include "helper/alation/alation.h"

/* CURL is a libcurl handle. Before the transfer, and last of all options: from now on what libcurl tells goes to *sight, which outlives the handle. False:
 * this libcurl does not tell. */
bool sight_begin(void *curl, const struct alation_way *way, struct alation_sight *sight);

/* After it, whatever it came to: RESULT is what that was. */
void sight_end(void *curl, const char *base_url, enum alation_result result, struct alation_sight *sight);

#endif
