/* SPDX-License-Identifier: MIT */
/*
 * Colour, width and character set of where an answer goes. Sets no locale: that would have a say in what libraries make
 * of letters and numbers. Writes to no terminal.
 */
#include "helper/base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *value)
{
	return value && *value;
}

/* By its name alone: it need not be installed, and the terminal is none the less what the user says. */
static bool locale_has_utf8(void)
{
	const char *locale = getenv("LC_ALL"), *codeset;
	size_t n;

	if (!is_set(locale))
		locale = getenv("LC_CTYPE");
	if (!is_set(locale))
		locale = getenv("LANG");
	codeset = locale ? strchr(locale, '.') : NULL;
	if (!codeset)
		return false;
	n = strcspn(++codeset, "@");
	return (n == 5 && strncasecmp(codeset, "UTF-8", n) == 0) || (n == 4 && strncasecmp(codeset, "UTF8", n) == 0);
}

void terminal_look(int fd, struct terminal *ret_terminal)
{
	const char *kind = getenv("TERM");
	struct winsize size;

	*ret_terminal = (struct terminal){ .there = fd >= 0 && isatty(fd), .utf8 = locale_has_utf8() };
	if (!ret_terminal->there)
		return;
	ret_terminal->colour = !is_set(getenv("NO_COLOR")) && is_set(kind) && strcmp(kind, "dumb") != 0;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		ret_terminal->columns = size.ws_col;
}

void terminal_text(struct out *out, const struct terminal *terminal, enum tone tone, struct bytes text)
{
	/* The eight colours that every terminal has and its user has chosen; nothing is told by colour alone. */
	static const char *const begins[] = {
		[TONE_HEAD] = "\x1b[1m", [TONE_GOOD] = "\x1b[32m", [TONE_CARE] = "\x1b[33m", [TONE_BAD] = "\x1b[31m",
	};
	bool coloured = terminal->colour && tone != TONE_PLAIN;

	if (coloured)
		out_text(out, begins[tone]);
	out_bytes(out, text);
	if (coloured)
		out_text(out, "\x1b[0m");
}

void terminal_visible(struct out *out, const struct terminal *terminal, struct bytes b)
{
	if (terminal->utf8)
		out_visible(out, b);
	else
		out_visible_ascii(out, b);
}
