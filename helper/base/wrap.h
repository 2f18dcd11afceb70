/* SPDX-License-Identifier: MIT */
/*
 * Text in a column of a screen. For help texts, which are ASCII; knows no terminal.
 */
#ifndef HELPER_BASE_WRAP_H
#define HELPER_BASE_WRAP_H

#include "protocol/out.h"

#define WRAP_COLUMNS 80

/* Pads OUT's last line to COLUMN, with one blank at least, and writes TEXT there and below, broken at blanks so that no
 * line has more than WRAP_COLUMNS; then a line feed. */
void wrap_text(struct out *out, size_t column, const char *text);

#endif
