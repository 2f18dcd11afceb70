/* SPDX-License-Identifier: MIT */
/*
 * prompt.c on a pseudo-terminal: no secret is echoed, and the echo comes back on every way out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/clock.h"
#include "helper/base/prompt.h"
#include "tests/helper/terminal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>

#define QUESTION "Secret: "

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

static bool ask_hidden;
static int64_t ask_ms; /* 0: without a deadline */
static void (*prepare)(void);

static void ask(int answer_fd)
{
	SECRET secret = { 0 };
	struct trouble trouble = { 0 };
	enum outcome outcome;

	if (prepare)
		prepare();
	if (ask_ms)
		outcome = prompt_secret(QUESTION, clock_mono_ms() + ask_ms, &secret, &trouble);
	else
		outcome = prompt_ask(QUESTION, ask_hidden, &secret, &trouble);
	if (outcome == DONE && write(answer_fd, secret.bytes, secret.len) != (ssize_t)secret.len)
		_exit(99);
	_exit((int)outcome);
}

/* BEFORE runs in the process that asks; NULL: nothing does. */
static void start(bool hidden, void (*before)(void))
{
	ask_hidden = hidden;
	prepare = before;
	terminal_start(ask);
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
	static const int numbers[] = { SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF, SIGXCPU, SIGIO, SIGPWR };

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

static void *stay(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

static void have_another_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, stay, NULL) != 0)
		_exit(98);
}

static pid_t other_thread_of(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	pid_t other = 0;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	tasks = opendir(path);
	assert_non_null(tasks);
	while ((entry = readdir(tasks)))
		if (atoi(entry->d_name) != 0 && atoi(entry->d_name) != pid)
			other = atoi(entry->d_name);
	closedir(tasks);
	assert_true(other);
	return other;
}

/* A library's thread may be the one that gets it. */
static void a_signal_to_another_thread_ends_it_too(void **state)
{
	(void)state;
	start(true, have_another_thread);
	expect(QUESTION, 1);
	assert_false(echoes());
	assert_int_equal(tgkill(t.asker, other_thread_of(t.asker), SIGTERM), 0);
	assert_killed_by(SIGTERM);
	finish("");
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

/* Nobody can catch this stop: the shell sets the terminal for itself, with echo, and does not undo that when we go on. */
static void stopped_uncaught_it_hides_again(void **state)
{
	struct termios shells;
	int status;

	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	assert_int_equal(kill(t.asker, SIGSTOP), 0);
	status = next_report();
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	assert_int_equal(tcgetattr(t.master, &shells), 0);
	shells.c_lflag |= ECHO;
	assert_int_equal(tcsetattr(t.master, TCSANOW, &shells), 0);
	assert_int_equal(write(t.go, "!", 1), 1);
	expect(QUESTION, 2);
	assert_false(echoes());
	type("whole\n");
	assert_ended_with(DONE);
	assert_true(echoes());
	finish("whole");
	assert_null(strstr(t.shown, "whole"));
}

/* Half of a secret must not pass for it, nor the other half for the next answer, or be shown. */
static void a_paste_is_taken_whole(void **state)
{
	static const struct {
		const char *paste, *answer;
	} rows[] = {
		{ "one\ntwo\n", "one\ntwo" }, { "one\rtwo", "one\ntwo" }, { "one\r\n", "one" },
		{ "one\n\n\n", "one" },	     { "one \n \n", "one \n " },   { " one \r", " one " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start(true, NULL);
		expect(QUESTION, 1);
		assert_false(echoes());
		type(rows[i].paste);
		assert_ended_with(DONE);
		assert_true(echoes());
		finish(rows[i].answer);
		assert_string_equal(t.shown, QUESTION "\r\n");
	}
}

/* What is longer the kernel would cut without a word. */
static void a_line_that_may_be_cut_is_no_answer(void **state)
{
	static char text[6002];

	(void)state;
	for (size_t n = 4094; n <= 6000; n += 953) {
		memset(text, 'x', n);
		memcpy(text + n, "\n", 2);
		start(true, NULL);
		expect(QUESTION, 1);
		assert_false(echoes());
		type(text);
		assert_ended_with(n == 4094 ? DONE : USAGE);
		assert_true(echoes());
		text[n] = '\0';
		finish(n == 4094 ? text : "");
	}
}

static void another_size_of_the_window_is_nothing(void **state)
{
	const struct winsize size = { .ws_row = 10, .ws_col = 40 };

	(void)state;
	start(true, NULL);
	expect(QUESTION, 1);
	type("ha");
	assert_int_equal(ioctl(t.master, TIOCSWINSZ, &size), 0);
	type("lf\n");
	assert_ended_with(DONE);
	finish("half");
	assert_string_equal(t.shown, QUESTION "\r\n");
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
	if (WIFSTOPPED(status)) { /* it had not begun to read, and the read stopped it first */
		assert_int_equal(WSTOPSIG(status), SIGTTIN);
		assert_int_equal(write(t.go, "!", 1), 1);
		status = next_report();
	}
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	finish("");
}

/* Nobody answers: it ends by itself, before a watchdog would end it with the echo off. */
static void at_its_deadline_the_echo_is_back(void **state)
{
	(void)state;
	ask_ms = 300;
	start(true, NULL);
	expect(QUESTION, 1);
	type("half");
	assert_ended_with(USAGE);
	ask_ms = 0;
	assert_true(echoes());
	finish("");
	assert_null(strstr(t.shown, "half"));
}

static void before_its_deadline_it_is_an_answer(void **state)
{
	(void)state;
	ask_ms = 20000;
	start(true, NULL);
	ask_ms = 0;
	expect(QUESTION, 1);
	assert_false(echoes());
	type("hunter2\n");
	assert_ended_with(DONE);
	finish("hunter2");
	assert_string_equal(t.shown, QUESTION "\r\n");
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
		cmocka_unit_test(other_signals_end_it_too),
		cmocka_unit_test(a_signal_to_another_thread_ends_it_too),       cmocka_unit_test(an_early_signal_is_not_lost),
		cmocka_unit_test(stopped_it_asks_again),          cmocka_unit_test(control_d_is_usage),
		cmocka_unit_test(what_was_ignored_stays_ignored), cmocka_unit_test(ended_in_the_background),
		cmocka_unit_test(what_cannot_be_hidden_is_not_asked), cmocka_unit_test(without_a_terminal),
		cmocka_unit_test(stopped_uncaught_it_hides_again), cmocka_unit_test(a_paste_is_taken_whole),
		cmocka_unit_test(a_line_that_may_be_cut_is_no_answer), cmocka_unit_test(another_size_of_the_window_is_nothing),
		cmocka_unit_test(at_its_deadline_the_echo_is_back), cmocka_unit_test(before_its_deadline_it_is_an_answer),
	};

	setenv("SSH_ASKPASS_REQUIRE", "never", 1);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
