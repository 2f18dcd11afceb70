/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: what is a terminal, which one has colour, how wide it is, and which locale has UTF-8; on a pseudo-terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "helper/base/terminal.h"

static int master, slave;

static int open_terminal(void **state)
{
	(void)state;
	return openpty(&master, &slave, NULL, NULL, NULL);
}

static int close_terminal(void **state)
{
	(void)state;
	close(master);
	close(slave);
	return 0;
}

static void have(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void test_colour(void **state)
{
	static const struct {
		const char *no_color, *term;
		bool want;
	} rows[] = {
		{ NULL, "xterm-256color", true },
		{ NULL, "vt100", true },
		{ "", "xterm", true }, /* no-color.org: present and not an empty string */
		{ "1", "xterm", false },
		{ "0", "xterm", false },
		{ "no", "xterm", false },
		{ NULL, "dumb", false },
		{ NULL, "dumber", true },
		{ NULL, "", false },
		{ NULL, NULL, false },
		{ "1", "dumb", false },
	};
	struct terminal terminal;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		have("NO_COLOR", rows[i].no_color);
		have("TERM", rows[i].term);
		terminal_look(slave, &terminal);
		if (!terminal.there || terminal.colour != rows[i].want)
			fail_msg("row %zu", i);
	}
	unsetenv("NO_COLOR");
}

static void test_no_terminal(void **state)
{
	int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct terminal terminal;

	(void)state;
	have("TERM", "xterm");
	have("COLUMNS", "40");
	assert_int_equal(pipe(pair), 0);
	for (size_t i = 0; i < 3; i++) {
		const int fds[] = { pair[1], null, -1 };

		memset(&terminal, 0xff, sizeof terminal);
		terminal_look(fds[i], &terminal);
		assert_false(terminal.there);
		assert_false(terminal.colour);
		assert_int_equal(terminal.columns, 0);
	}
	close(pair[0]);
	close(pair[1]);
	close(null);
}

static void test_width(void **state)
{
	static const unsigned short widths[] = { 0, 1, 40, 80, 65535 };
	struct terminal terminal;

	(void)state;
	have("COLUMNS", "7"); /* what a shell exports is of another time */
	for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
		const struct winsize size = { .ws_row = 24, .ws_col = widths[i] };

		assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
		terminal_look(slave, &terminal);
		assert_int_equal(terminal.columns, widths[i]);
	}
}

static void test_utf8(void **state)
{
	static const struct {
		const char *all, *ctype, *lang;
		bool want;
	} rows[] = {
		{ NULL, NULL, NULL, false },
		{ NULL, NULL, "C.UTF-8", true },
		{ NULL, NULL, "de_DE.utf8@euro", true },
		{ NULL, NULL, "tr_TR.Utf-8", true },
		{ NULL, NULL, "de_DE.ISO-8859-15", false },
		{ NULL, NULL, "de_DE.UTF-16", false },
		{ NULL, NULL, "UTF-8", false },
		{ NULL, NULL, "tr_TR", false },
		{ NULL, "C", "C.UTF-8", false },
		{ NULL, "C.UTF-8", "C", true },
		{ "C", "C.UTF-8", "C.UTF-8", false },
		{ "", "", "C.UTF-8", true },
		{ "not_INSTALLED.UTF-8", "C", "C", true },
	};
	struct terminal terminal;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		have("LC_ALL", rows[i].all);
		have("LC_CTYPE", rows[i].ctype);
		have("LANG", rows[i].lang);
		terminal_look(-1, &terminal);
		if (terminal.utf8 != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void test_text(void **state)
{
	static const struct {
		struct terminal terminal;
		enum tone tone;
		const char *want;
	} rows[] = {
		{ { .there = true, .colour = true }, TONE_PLAIN, "ends" },
		{ { .there = true, .colour = true }, TONE_HEAD, "\x1b[1mends\x1b[0m" },
		{ { .there = true, .colour = true }, TONE_GOOD, "\x1b[32mends\x1b[0m" },
		{ { .there = true, .colour = true }, TONE_CARE, "\x1b[33mends\x1b[0m" },
		{ { .there = true, .colour = true }, TONE_BAD, "\x1b[31mends\x1b[0m" },
		{ { .there = true }, TONE_BAD, "ends" },
		{ { .there = false }, TONE_HEAD, "ends" },
	};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct out out = { .p = buffer, .room = sizeof buffer - 1 };

		terminal_text(&out, &rows[i].terminal, rows[i].tone, bytes_of("ends"));
		buffer[out.n] = '\0';
		assert_string_equal(buffer, rows[i].want);
	}
}

static void test_visible(void **state)
{
	char buffer[64];
	struct out out = { .p = buffer, .room = sizeof buffer - 1 };

	(void)state;
	terminal_visible(&out, &(struct terminal){ .utf8 = true }, bytes_of("\x1bZo\xc3\xab|"));
	terminal_visible(&out, &(struct terminal){ .utf8 = false }, bytes_of("\x1bZo\xc3\xab"));
	buffer[out.n] = '\0';
	assert_string_equal(buffer, "\\x1bZo\xc3\xab|\\x1bZo\\xc3\\xab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_colour, open_terminal, close_terminal),
		cmocka_unit_test(test_no_terminal),
		cmocka_unit_test_setup_teardown(test_width, open_terminal, close_terminal),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_visible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
