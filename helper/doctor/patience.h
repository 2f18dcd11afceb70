/* SPDX-License-Identifier: MIT */
/*
 * A word on stderr for a person who waits. Says nothing where stderr is no terminal.
 */
#ifndef HELPER_DOCTOR_PATIENCE_H
#define HELPER_DOCTOR_PATIENCE_H

/* If patience_end is not called within a second, stderr says that WHAT is waited for. */
void patience_begin(const char *what);
void patience_end(void);

#endif
