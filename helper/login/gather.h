/* SPDX-License-Identifier: MIT */
/*
 * What a login needs to know, gathered from options and, where they are silent, from the person.
 */
#ifndef HELPER_LOGIN_GATHER_H
#define HELPER_LOGIN_GATHER_H

#include "helper/accounts-file.h"
#include "helper/base/secret.h"
#include "helper/login/dialog.h"
#include "helper/login/import.h"

enum login_way { LOGIN_UNDECIDED, LOGIN_BY_PASSWORD, LOGIN_BY_TOKEN };

struct gathered {
	enum login_way way;
	struct account account; /* its instance; user id, module, exclusive, default as far as they are known */
	struct secret user, secret; /* by password: the name, and that; by token: the RefreshToken */
	bool imports;
	struct import import;
	struct dialog dialog;
	char about[URL_BASE_MAX_BYTES + 256]; /* the dialog's first lines */
};

/* Wipes its secrets. */
void gathered_wipe(struct gathered *gathered);

/* ARGUMENT is the address that was given, or NULL. USAGE where something is missing and nobody is there to be asked. *ret_gathered, zeroed
 * before, is the caller's to wipe in any case. */
enum outcome gather(struct context *context, const char *argument, struct gathered *ret_gathered);

#endif
