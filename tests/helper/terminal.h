/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-terminal with a session on it: a leader, as a shell is one, starts the process that asks in a process
 * group of its own, and reports what becomes of it. Include behind cmocka.h. Knows nothing of what is asked.
 */
#ifndef TESTS_HELPER_TERMINAL_H
#define TESTS_HELPER_TERMINAL_H

#include "tests/helper/scratch.h"

#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>

#define TAKEN_BACK (-1) /* among the leader's reports: the terminal is its own again */

static struct {
	int master, reports, go, answer;
	pid_t leader, asker;
	char shown[4096]; /* on the terminal */
	size_t n_shown;
} t;

static int report_fd;

static void report(int what)
{
	if (write(report_fd, &what, sizeof what) != sizeof what)
		_exit(1);
}

static void take_back(int number)
{
	(void)number;
	tcsetpgrp(STDIN_FILENO, getpgrp());
	report(TAKEN_BACK);
}

static void lead(pid_t asker, int go_fd)
{
	int status;
	char byte;

	report((int)asker);
	while (waitpid(asker, &status, WUNTRACED) == asker) {
		report(status);
		if (!WIFSTOPPED(status))
			_exit(0);
		tcsetpgrp(STDIN_FILENO, getpgrp());
		if (read(go_fd, &byte, 1) != 1)
			_exit(1);
		tcsetpgrp(STDIN_FILENO, asker);
		kill(-asker, SIGCONT);
	}
	_exit(1);
}

static int next_report(void)
{
	struct pollfd in = { .fd = t.reports, .events = POLLIN };
	int what = 0;

	if (poll(&in, 1, 10000) <= 0 || read(t.reports, &what, sizeof what) != sizeof what)
		fail_msg("the asker did not end or stop");
	return what;
}

/* The process that asks: in the foreground, with the dispositions of any program that a shell starts. */
static void become_asker(void)
{
	struct rlimit none = { 0, 0 };

	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpgrp()); /* SIGTTOU is ignored, from the leader */
	signal(SIGTTOU, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
}

/* ASK is what it does then, with a descriptor for its answer; it does not come back. */
static void terminal_start(void (*ask)(int answer_fd))
{
	int reports[2], go[2], answer[2];

	assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	t.leader = forkpty(&t.master, NULL, NULL, NULL);
	if (t.leader == 0) {
		struct sigaction action = { .sa_handler = take_back, .sa_flags = SA_RESTART };
		pid_t asker;

		report_fd = reports[1];
		signal(SIGTTOU, SIG_IGN);
		sigaction(SIGUSR1, &action, NULL);
		asker = fork();
		if (asker == 0) {
			become_asker();
			ask(answer[1]);
		}
		close(answer[1]);
		lead(asker, go[0]);
	}
	close(reports[1]);
	close(go[0]);
	close(answer[1]);
	t.reports = reports[0];
	t.go = go[1];
	t.answer = answer[0];
	t.n_shown = 0;
	t.asker = (pid_t)next_report();
}

/* Reads the terminal until TEXT was shown COUNT times. */
static void expect(const char *text, int count)
{
	for (;;) {
		struct pollfd in = { .fd = t.master, .events = POLLIN };
		const char *at = t.shown;
		int seen = 0;
		ssize_t n;

		t.shown[t.n_shown] = '\0';
		while ((at = strstr(at, text)) && ++seen)
			at++;
		if (seen >= count)
			return;
		if (poll(&in, 1, 10000) <= 0)
			fail_msg("'%s' was not shown: '%s'", text, t.shown);
		n = read(t.master, t.shown + t.n_shown, sizeof t.shown - 1 - t.n_shown);
		if (n <= 0)
			fail_msg("'%s' was not shown: '%s'", text, t.shown);
		t.n_shown += (size_t)n;
	}
}

static void type(const char *text)
{
	assert_int_equal(write(t.master, text, strlen(text)), strlen(text));
}

static bool echoes(void)
{
	struct termios now;

	assert_int_equal(tcgetattr(t.master, &now), 0);
	return now.c_lflag & ECHO;
}

/* Drains what is left on the terminal, looks at what came out of it all, and clears up. */
static void finish(const char *answer)
{
	static char text[4096];

	scratch_drain(t.answer, text, sizeof text);
	assert_string_equal(text, answer);
	t.n_shown += scratch_drain(t.master, t.shown + t.n_shown, sizeof t.shown - t.n_shown);
	scratch_wait(t.leader);
	close(t.master);
	close(t.reports);
	close(t.go);
	close(t.answer);
}

#endif
