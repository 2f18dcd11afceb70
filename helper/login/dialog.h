/* SPDX-License-Identifier: MIT */
/*
 * A conversation with a person: says first what it is for and how to get out of it, asks again after an answer that cannot be, and
 * takes none of the program's time. Knows no account.
 */
#ifndef HELPER_LOGIN_DIALOG_H
#define HELPER_LOGIN_DIALOG_H

#include "helper/context.h"

#define DIALOG_TRIES 3 /* answers to one question */

struct dialog {
	const char *about; /* lines that are shown before the first question */
	bool begun;
};

/* NULL: ANSWER will do, and WANTED has what it says; else what is wrong with it, in words that do not show it. */
typedef const char *dialog_judge(struct secret *answer, void *wanted);

struct dialog_question {
	const char *text;   /* "Numeric user id [102]: " */
	bool hidden;        /* a secret: without echo, or by askpass; else blanks around the answer are dropped */
	dialog_judge *judge;
	void *wanted;
	const char *remedy; /* after the last answer that would not do */
};

/* Shows text (lines of its own) on the terminal, if there is one. */
void dialog_show(struct dialog *dialog, const char *text);

/*
 * Asks. USAGE where there was no answer, or DIALOG_TRIES of them would not do; without a terminal the first has to. *ret_answer
 * is the caller's to wipe in any case.
 */
enum outcome dialog_ask(struct context *context, struct dialog *dialog, const struct dialog_question *question, struct secret *ret_answer);

#endif
