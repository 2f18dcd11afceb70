/* SPDX-License-Identifier: MIT */
/*
 * What an answer for people may look like where it goes: whether it has colour, how wide it may be, whether what is not
 * ASCII can be shown. Decided here alone; answers for machines never ask.
 */
#ifndef HELPER_BASE_TERMINAL_H
#define HELPER_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/out.h"

struct terminal {
	bool there;     /* a person looks at it */
	bool colour;    /* never without a terminal */
	bool utf8;      /* by the locale's name; where it is not, what is not ASCII is escaped */
	size_t columns; /* 0: not known, or no terminal: then nothing is folded */
};

/*
 * Looks at descriptor FD, as a rule stdout_descriptor() (1 leads elsewhere once a foreign library is loaded). No colour
 * where NO_COLOR is set and not empty (no-color.org), or TERM is not set or `dumb`. The width is the terminal's own;
 * $COLUMNS is some shell's.
 */
void terminal_look(int fd, struct terminal *ret_terminal);

enum tone { TONE_PLAIN, TONE_HEAD, TONE_GOOD, TONE_CARE, TONE_BAD };

/* TEXT in that tone; without colour, TEXT alone. It says in words what the tone says. */
void terminal_text(struct out *out, const struct terminal *terminal, enum tone tone, struct bytes text);

/* B for a person's eyes: as out_visible(), and where the terminal has no UTF-8 each byte that is not ASCII as \xNN. */
void terminal_visible(struct out *out, const struct terminal *terminal, struct bytes b);

#endif
