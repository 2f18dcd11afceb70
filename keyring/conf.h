/* SPDX-License-Identifier: MIT */
/*
 * One line of a stack as a configuration file has it: `FACILITY CONTROL MODULE [ARGUMENT...]`. Is handed text; knows no
 * file, loads nothing, and does not look at other lines.
 */
#ifndef KEYRING_CONF_H
#define KEYRING_CONF_H

#include "keyring/keyring.h"

#define CONF_ARGUMENTS_MAX 12

struct conf_line {
	struct keyring_line line; /* its strings are the text's, its argv is the next member */
	const char *argv[CONF_ARGUMENTS_MAX];
};

/*
 * The next word of TEXT from *POSITION on, which is ended with a NUL in place; NULL where there is none. Words are split at
 * blanks and tabs, nothing is quoted, and `#` at the beginning of a word starts a comment. *ret_column is the word's, from 1 on.
 */
char *conf_word(char *text, size_t *position, size_t *ret_column);

/*
 * Cuts TEXT (one line, without its end) into a stack line. NULL, or why it is none, in words that may name the module but
 * no argument; *ret_column is where. *ret_line points into TEXT, and into itself: it must not be moved.
 */
const char *conf_parse(char *text, struct conf_line *ret_line, size_t *ret_column);

/* Whether a stack line may begin with these N bytes: "refresh", "access". */
bool conf_is_facility(const char *word, size_t n);

/* "required" */
const char *conf_control_word(enum keyring_control control);

#endif
