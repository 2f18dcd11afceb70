/* SPDX-License-Identifier: MIT */
/*
 * prompt.c on a pseudo-terminal: no secret is echoed, and the echo comes back on every way out. A session leader,
 * as a shell is one, starts the one that asks in a process group of its own, and tells what becomes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/prompt.h"
#include "tests/helper/scratch.h"

#include <dlfcn.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <termios.h>

#define QUESTION "Secret: "
#define TAKEN_BACK (-1) /* among the leader's reports: the terminal is its own again */

static struct {
	int master, reports, go, answer;
	pid_t leader, asker;
	char shown[4096]; /* on the terminal */
	size_t n_shown;
} t;

/* What prompt.c calls: in the asker it can come at a bad moment, or fail. */
static int raise_in_tcsetattr, fail_in_tcsetattr;

int tcsetattr(int fd, int actions, const struct termios *to)
{
	int (*real)(int, int, const struct termios *) = (int (*)(int, int, const struct termios *))dlsym(RTLD_NEXT, "tcsetattr");
	int result;

	if (fail_in_tcsetattr) {
		errno = EIO;
		return -1;
	}
	result = real(fd, actions, to);
	if (raise_in_tcsetattr) {
		int number = raise_in_tcsetattr;

		raise_in_tcsetattr = 0;
		raise(number);
	}
	return result;
}

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

/* The process that asks. */
static void ask(bool hidden, void (*prepare)(void), int answer_fd)
{
	SECRET secret = { 0 };
	struct trouble trouble = { 0 };
	struct rlimit none = { 0, 0 };
	enum outcome outcome;

	setpgid(0, 0);
	tcsetpgrp(STDIN_FILENO, getpgrp()); /* SIGTTOU is ignored, from the leader */
	signal(SIGTTOU, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	if (prepare)
		prepare();
	outcome = prompt_ask(QUESTION, hidden, &secret, &trouble);
	if (outcome == DONE && write(answer_fd, secret.bytes, secret.len) != (ssize_t)secret.len)
		_exit(99);
	_exit(outcome);
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

static void start(bool hidden, void (*prepare)(void))
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
		if (asker == 0)
			ask(hidden, prepare, answer[1]);
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
	char text[256];

	scratch_drain(t.answer, text, sizeof text);
	assert_string_equal(text, answer);
	t.n_shown += scratch_drain(t.master, t.shown + t.n_shown, sizeof t.shown - t.n_shown);
	scratch_wait(t.leader);
	close(t.master);
	close(t.reports);
	close(t.go);
	close(t.answer);
}

static void assert_ended_with(int code)
{
	int status = next_report();

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void a_hidden_answer_is_not_shown(void **state)
{
	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	assert_false(echoes());
	type("hunter2 +%\xc3\xa9\n");
	assert_ended_with(DONE);
	assert_true(echoes());
	finish("hunter2 +%\xc3\xa9");
	assert_string_equal(t.shown, QUESTION "\r\n");
}

static void an_open_answer_is_shown(void **state)
{
	(void)state;
	start(false, NULL);
	expect(QUESTION, 1);
	assert_true(echoes());
	type("bob\n");
	assert_ended_with(DONE);
	finish("bob");
	assert_string_equal(t.shown, QUESTION "bob\r\n");
}

static void an_empty_answer_is_one(void **state)
{
	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	type("\n");
	assert_ended_with(DONE);
	finish("");
}

static void assert_killed_by(int number)
{
	int status = next_report();

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
	assert_true(echoes());
}

static void control_c_ends_it(void **state)
{
	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	type("hunt\x03");
	assert_killed_by(SIGINT);
	finish("");
	assert_null(strstr(t.shown, "hunt"));
}

static void other_signals_end_it_too(void **state)
{
	static const int numbers[] = { SIGTERM, SIGHUP, SIGQUIT, SIGALRM };

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		start(true, NULL);
		expect(QUESTION, 1);
		assert_false(echoes());
		assert_int_equal(kill(t.asker, numbers[i]), 0);
		assert_killed_by(numbers[i]);
		finish("");
	}
}

static void come_early(void)
{
	raise_in_tcsetattr = SIGINT;
}

/* A signal that comes after the echo went and before the read begins must not wait for the next key. */
static void an_early_signal_is_not_lost(void **state)
{
	(void)state;
	start(true, come_early);
	assert_killed_by(SIGINT);
	finish("");
}

static void stopped_it_asks_again(void **state)
{
	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	for (int round = 1; round <= 2; round++) {
		int status;

		type("half\x1a");
		status = next_report();
		assert_true(WIFSTOPPED(status));
		assert_int_equal(WSTOPSIG(status), SIGTSTP);
		assert_true(echoes());
		assert_int_equal(write(t.go, "!", 1), 1);
		expect(QUESTION, round + 1);
		assert_false(echoes());
	}
	type("whole\n");
	assert_ended_with(DONE);
	assert_true(echoes());
	finish("whole");
	assert_null(strstr(t.shown, "half"));
	assert_null(strstr(t.shown, "whole"));
}

static void control_d_is_usage(void **state)
{
	static const char *const ends[] = { "\x04", "half\x04\x04" };

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		start(true, NULL);
		expect(QUESTION, 1);
		type(ends[i]);
		assert_ended_with(USAGE);
		assert_true(echoes());
		finish("");
	}
}

static void ignore_interrupts(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static void what_was_ignored_stays_ignored(void **state)
{
	(void)state;
	start(true, ignore_interrupts);
	expect(QUESTION, 1);
	assert_int_equal(kill(t.asker, SIGHUP), 0);
	type("\x03" "still here\n");
	assert_ended_with(DONE);
	assert_true(echoes());
	finish("still here");
	assert_string_equal(strstr(t.shown, QUESTION), t.shown);
}

/* The shell has taken the terminal back: it sets it for itself, and we end, without a fight over it. */
static void ended_in_the_background(void **state)
{
	int status;

	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	assert_int_equal(kill(t.leader, SIGUSR1), 0);
	assert_int_equal(next_report(), TAKEN_BACK);
	assert_int_equal(kill(t.asker, SIGTERM), 0);
	status = next_report();
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	finish("");
}

static void let_tcsetattr_fail(void)
{
	fail_in_tcsetattr = 1;
}

static void what_cannot_be_hidden_is_not_asked(void **state)
{
	(void)state;
	start(true, let_tcsetattr_fail);
	assert_ended_with(USAGE);
	finish("");
	assert_null(strstr(t.shown, QUESTION));
}

static void without_a_terminal(void **state)
{
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		SECRET secret = { 0 };
		struct trouble trouble = { 0 };

		if (setsid() < 0 || prompt_possible())
			_exit(1);
		prompt_show("nobody sees this");
		_exit(prompt_ask(QUESTION, true, &secret, &trouble) == USAGE && trouble.code == TROUBLE_USAGE ? 0 : 2);
	}
	assert_int_equal(scratch_exit_code(child), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hidden_answer_is_not_shown),   cmocka_unit_test(an_open_answer_is_shown),
		cmocka_unit_test(an_empty_answer_is_one),         cmocka_unit_test(control_c_ends_it),
		cmocka_unit_test(other_signals_end_it_too),       cmocka_unit_test(an_early_signal_is_not_lost),
		cmocka_unit_test(stopped_it_asks_again),          cmocka_unit_test(control_d_is_usage),
		cmocka_unit_test(what_was_ignored_stays_ignored), cmocka_unit_test(ended_in_the_background),
		cmocka_unit_test(what_cannot_be_hidden_is_not_asked), cmocka_unit_test(without_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
