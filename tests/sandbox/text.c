/* SPDX-License-Identifier: MIT */
/*
 * A text that grows, and the two ways in which a stranger's bytes are written into one: as JSON, as a word of a
 * log line. Opens nothing and prints nothing but "no memory".
 */
#include "tests/sandbox/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX_BYTES 1024
#define FIRST_ROOM_BYTES 256

static void no_memory(void)
{
	fputs("alation-sandbox: no memory\n", stderr);
	abort();
}

void *must_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		no_memory();
	return p;
}

char *must_copy(const char *p, size_t n)
{
	char *copy = must_alloc(n + 1);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

static void make_room(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : FIRST_ROOM_BYTES;

	if (more >= (size_t)-1 / 4 || t->n >= (size_t)-1 / 4)
		no_memory();
	while (room <= t->n + more)
		room *= 2;
	if (room == t->room)
		return;
	t->p = realloc(t->p, room);
	if (!t->p)
		no_memory();
	t->room = room;
}

void text_add(struct text *t, const char *p, size_t n)
{
	make_room(t, n);
	if (n)
		memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		no_memory();
	make_room(t, (size_t)n);
	va_start(args, format);
	vsnprintf(t->p + t->n, (size_t)n + 1, format, args);
	va_end(args);
	t->n += (size_t)n;
}

void text_json(struct text *t, const char *s)
{
	text_puts(t, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			text_printf(t, "\\%c", c);
		else if (c == '\n')
			text_puts(t, "\\n");
		else if (c < 0x20 || c == 0x7f)
			text_printf(t, "\\u%04x", c);
		else
			text_add(t, s, 1);
	}
	text_puts(t, "\"");
}

void text_word(struct text *t, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n == 0)
		text_puts(t, "-");
	for (size_t i = 0; i < n && i < WORD_MAX_BYTES; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c > ' ' && c < 0x7f && c != '%')
			text_add(t, s + i, 1);
		else
			text_printf(t, "%%%02X", c);
	}
	if (n > WORD_MAX_BYTES)
		text_puts(t, "...");
}

void text_free(struct text *t)
{
	free(t->p);
	*t = (struct text){ 0 };
}
