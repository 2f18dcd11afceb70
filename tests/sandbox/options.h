/* SPDX-License-Identifier: MIT */
/*
 * The command line, and the help.
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include <stdbool.h>

#include "tests/sandbox/sandbox.h"

struct options {
	const char *address, *tls_dir, *log_path;
	int port;
	bool die_with_parent;
};

enum options_result { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_BAD };

/* What is about the state and the dates goes into *sandbox. */
enum options_result options_read(struct options *options, struct sandbox *sandbox, int argc, char **argv);

#endif
