/* SPDX-License-Identifier: MIT */
/*
 * How `status` looks to people: a table where it fits, a stack of labelled lines where it does not, and below each account
 * what else is to be said of it. Pure: rows in, bytes out; no clock, no keyring, no terminal but what is told of one.
 */
#ifndef HELPER_STATUS_TABLE_H
#define HELPER_STATUS_TABLE_H

#include "helper/base/terminal.h"
#include "protocol/out.h"

enum status_column { STATUS_ACCOUNT, STATUS_REFRESH, STATUS_LEFT, STATUS_ACCESS, STATUS_KEYRING, STATUS_STATE, STATUS_COLUMNS };

#define STATUS_NOTES_MAX 5

/* All texts are the caller's, and already as terminal_visible() writes them. */
struct status_row {
	struct status_cell {
		struct bytes text; /* empty: a dash */
		enum tone tone;
	} cells[STATUS_COLUMNS];
	struct bytes flags; /* "default, exclusive" */
	struct status_note {
		const char *label; /* at most 12 characters */
		struct bytes text;
		enum tone tone;
	} notes[STATUS_NOTES_MAX];
	size_t n_notes;
};

/* Columns have two blanks between them, and are as wide as what is in them. Nothing is cut off, folded is between words
 * alone: an address must be whole to be of use. Where the terminal's width is not known nothing is folded. */
void status_table(struct out *out, const struct terminal *terminal, const struct status_row *rows, size_t n);

#endif
