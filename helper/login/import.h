/* SPDX-License-Identifier: MIT */
/*
 * A login's RefreshToken from where it lies as plain text until now: a .env file, or the environment. Reads; changes neither, asks
 * nobody, and proves nothing.
 */
#ifndef HELPER_LOGIN_IMPORT_H
#define HELPER_LOGIN_IMPORT_H

#include <stdint.h>

#include "helper/accounts-file.h"
#include "helper/base/secret.h"
#include "helper/context.h"
#include "protocol/url.h"

#define IMPORT_MAX_BYTES (64 * 1024) /* a file's */

struct import {
	const char *file;                       /* "-": stdin; NULL: the environment */
	struct secret token;
	char base_url[URL_TEXT_MAX_BYTES + 1];  /* as it is written there; "": it is not there */
	int64_t user_id;                        /* 0: it is not there */
	size_t line;                            /* where the token stands */
	unsigned mode;                          /* of a regular file; else 0 */
};

/* Wipes and empties it. */
void import_wipe(struct import *import);

/*
 * Reads ALATION_REFRESH_TOKEN, ALATION_USER_ID and ALATION_BASE_URL from FILE, a regular file or a pipe that nobody else can
 * write, or with "-" from stdin. Of several lines for one of them the last counts. USAGE where FILE is nothing of the kind, has no
 * RefreshToken, or has one of them that cannot be; no value is shown. *ret_import is the caller's to wipe in any case, and
 * keeps FILE.
 */
enum outcome import_file(struct context *context, const char *file, struct import *ret_import);

/* The same from the environment variables of these names. */
enum outcome import_environment(struct context *context, struct import *ret_import);

/* After ACCOUNT took it over: what to do about the plain text. */
void import_advise(struct context *context, const struct account *account, const struct import *import);

#endif
