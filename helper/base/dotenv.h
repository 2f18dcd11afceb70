/* SPDX-License-Identifier: MIT */
/*
 * A .env file, assignment by assignment: views into the caller's text. No files, no environment, no expansion.
 */
#ifndef HELPER_BASE_DOTENV_H
#define HELPER_BASE_DOTENV_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/bytes.h"

/* Where a reader stands: `rest` is the whole text at first, and `line` 0. */
struct dotenv {
	struct bytes rest;
	size_t line;
};

struct dotenv_pair {
	struct bytes key, value;
	size_t line; /* where it begins, from 1 */
};

/*
 * The next `[export ]KEY=VALUE`; false: there is none. A value in quotes may go over lines and have anything behind it that is
 * blank, a comment or one ';'; without quotes it ends at its line's end or at a blank and '#'. Where the quotes do not come out so,
 * they are part of the value. Backslashes and '$' stand for themselves, but \" does not end a value in double quotes. Lines that
 * are no assignments are passed over; which of several assignments counts is the caller's to say.
 */
bool dotenv_next(struct dotenv *reader, struct dotenv_pair *ret_pair);

#endif
