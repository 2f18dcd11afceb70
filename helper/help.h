/* SPDX-License-Identifier: MIT */
/*
 * The help texts: of the program, of a verb.
 */
#ifndef HELPER_HELP_H
#define HELPER_HELP_H

#include "helper/verbs/table.h"

#define HELP_BYTES 8192

/* The help of VERB, or of the program where that is NULL; GIT: of the verbs that git's protocol has. OUT has room for HELP_BYTES. */
void help(struct out *out, const struct verb *verb, bool git);

#endif
