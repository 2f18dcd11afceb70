/* SPDX-License-Identifier: MIT */
/*
 * One line through the call's note().
 */
#include "keyring/note.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#define NOTE_BYTES (2 * PATH_MAX + 256)

int note_say(struct acred_call *call, int status, const char *format, ...)
{
	char text[NOTE_BYTES];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	call->note(call->host, text);
	return status;
}
