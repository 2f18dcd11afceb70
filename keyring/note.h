/* SPDX-License-Identifier: MIT */
/*
 * What a module of ours says to the host of why it answers as it does.
 */
#ifndef KEYRING_NOTE_H
#define KEYRING_NOTE_H

#include "keyring/module.h"

/* Notes one line and returns STATUS. Never a secret in it. */
int note_say(struct acred_call *call, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
