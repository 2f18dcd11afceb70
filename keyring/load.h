/* SPDX-License-Identifier: MIT */
/*
 * From a name to code: built-in modules by table, the others, and the Alation client, from shared objects
 * that were looked at before they were opened.
 */
#ifndef KEYRING_LOAD_H
#define KEYRING_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "keyring/module.h"

/*
 * Opens the shared object PATH (absolute) and returns the address of SYMBOL in it. The file must be regular,
 * and it and its directory must be owned by root or the user and writable by nobody else, the owner's private
 * group excepted. RTLD_LOCAL, RTLD_NODELETE; never closed. For objects of ours, linked with -z now. NULL: refused, and WHY (ROOM bytes) says
 * file and reason.
 */
const void *load_object(const char *path, const char *symbol, char *why, size_t room);

bool load_is_built_in(const char *name);

#define LOAD_PLACE_BYTES 256 /* for words: of a longer path the rest is cut */

/* The file of module NAME: NAME itself where it is a path; empty where it is built in. Returns PLACE. */
const char *load_place(const char *dir, const char *name, char place[LOAD_PLACE_BYTES]);

/*
 * Module NAME ([a-z0-9-]+): built in, or DIR/NAME.so; or NAME is the absolute path of a shared object, which whoever wrote the
 * configuration answers for. Checks ABI, size and the required operation, and copies
 * the part of the descriptor that both sides know. Returns ACRED_OK, or ACRED_UNAVAILABLE where there is no
 * such file, else ACRED_FAILED; WHY as above.
 */
int load_module(const char *dir, const char *name, struct acred_module *ret_module, char *why, size_t room);

/* Calls EACH with the name of every file in DIR that load_module() would try, in no order; none is opened. */
void load_list(const char *dir, void (*each)(void *host, const char *name), void *host);

#endif
