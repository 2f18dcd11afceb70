/* SPDX-License-Identifier: MIT */
/*
 * Handing our place to another program: it finds signals, limits, umask and descriptors as our caller had them. Its environment is the
 * business of whoever starts it, and so are locks and children.
 */
#ifndef HELPER_BASE_HANDOVER_H
#define HELPER_BASE_HANDOVER_H

#include <stdbool.h>

/* A program will take our place: what is changed from here on is noted before. To be called before a watchdog is armed. */
void handover_prepare(void);

/* Before foreign code is loaded; foreign_code_comes() calls it. Nothing, where no handover was prepared. */
void handover_before_libraries(void);

/* All is as it was found, right before the exec; no foreign code may be called any more. False: such code has closed the caller's
 * stdout, and nothing should be started. */
bool handover_give(void);

/* The exec failed: we are who we were, and can say so. */
void handover_take_back(void);

#endif
