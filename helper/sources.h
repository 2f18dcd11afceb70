/* SPDX-License-Identifier: MIT */
/*
 * Accounts that need no login: those whose RefreshToken a module brings that can only be read, such as systemd's credentials
 * directory. Reads no secret.
 */
#ifndef HELPER_SOURCES_H
#define HELPER_SOURCES_H

#include <stdbool.h>

#include "helper/accounts-file.h"
#include "helper/context.h"

/* Adds to *accounts those that it does not have yet. ALL: of every such module; else of the first that has any, which is what
 * a call means that names none. */
void sources_add(struct context *context, bool all, struct accounts *accounts);

/* Whether the environment brings a RefreshToken at all. git asks about every host there is: for a foreign one no module is to be
 * loaded where there is no reason to. */
bool sources_in_environment(void);

#endif
