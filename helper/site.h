/* SPDX-License-Identifier: MIT */
/*
 * What this build was compiled for: where its shared objects lie, and its built-in stack. The only file that is
 * compiled twice, for the tree and for the installed place; nothing in the environment changes an answer.
 */
#ifndef HELPER_SITE_H
#define HELPER_SITE_H

#include <stddef.h>

#include "keyring/keyring.h"

const char *site_modules_dir(void); /* absolute; "" if it cannot be told */
const char *site_client(void);      /* the path of alation.so */

const char *site_config(void);      /* the path of the system's configuration file; "": this build reads none */

extern const struct keyring_line site_stack[];
extern const size_t site_stack_lines;

#endif
