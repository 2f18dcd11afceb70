/* SPDX-License-Identifier: MIT */
/*
 * askpass.c with programs that answer in every way: which program asks, what counts as its answer, and what it is started
 * with. Each test runs in a directory of its own; `ask` in it is the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/askpass.h"
#include "helper/base/clock.h"
#include "helper/base/prompt.h"
#include "tests/helper/scratch.h"

#include <signal.h>

#define QUESTION "Passphrase of the file 'x y'; $HOME `id`: "
#define SOON_MS 300
#define LONG_MS 30000
#define GUARD_S 12 /* what waits for the deadline instead of for what happens ends the whole test */

static void script(const char *body)
{
	char text[2048];
	int n = snprintf(text, sizeof text, "#!/bin/sh\n%s\n", body);

	scratch_write(scratch_path("ask"), text, (size_t)n);
	assert_int_equal(chmod(scratch_path("ask"), 0700), 0);
}

/* By the program in the test's directory, within IN_MS. */
static enum outcome ask(int64_t in_ms, struct secret *answer, struct trouble *trouble)
{
	const struct askpass askpass = { scratch_path("ask"), "ALATION_CRED_ASKPASS", false };

	return askpass_ask(&askpass, QUESTION, clock_mono_ms() + in_ms, answer, trouble);
}

static void assert_answer(const char *body, const char *wanted)
{
	SECRET answer = { 0 };
	struct trouble trouble = { 0 };

	script(body);
	if (ask(LONG_MS, &answer, &trouble) != DONE)
		fail_msg("%s: %s", body, trouble.message);
	if (answer.len != strlen(wanted) || memcmp(secret_view(&answer).p, wanted, answer.len) != 0)
		fail_msg("%s: not '%s' but '%.*s'", body, wanted, (int)answer.len, secret_view(&answer).p);
}

static void assert_refused(const char *body, int64_t in_ms, const char *words)
{
	SECRET answer = { 0 };
	struct trouble trouble = { 0 };
	int status;

	script(body);
	assert_int_equal(ask(in_ms, &answer, &trouble), USAGE);
	if (!strstr(trouble.message, words))
		fail_msg("%s: not '%s' but '%s'", body, words, trouble.message);
	assert_null(strstr(trouble.message, "hunter2"));
	assert_int_equal(answer.len, 0);
	/* It is gone, and was waited for. */
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
}

static const struct {
	const char *ours, *theirs, *display, *wayland, *require;
	const char *program; /* NULL: none */
	bool comes_first;
} choices[] = {
	{ "a", "b", NULL, NULL, NULL, "a", false },
	{ "a", NULL, NULL, NULL, "prefer", "a", true },
	{ "a", "b", ":0", NULL, "force", "a", true },
	{ "a", "b", ":0", NULL, "never", NULL, false },
	{ "", "b", ":0", NULL, NULL, NULL, false },
	{ NULL, "b", NULL, NULL, NULL, NULL, false },
	{ NULL, "b", "", "", NULL, NULL, false },
	{ NULL, "b", ":0", NULL, NULL, "b", false },
	{ NULL, "b", NULL, "wayland-0", NULL, "b", false },
	{ NULL, "b", ":0", NULL, "prefer", "b", true },
	{ NULL, "b", NULL, NULL, "prefer", NULL, false },
	{ NULL, "b", NULL, NULL, "FORCE", "b", true },
	{ NULL, "b", ":0", NULL, "what", "b", false },
	{ NULL, "b", ":0", NULL, "Never", NULL, false },
	{ NULL, "", ":0", NULL, NULL, NULL, false },
	{ NULL, NULL, ":0", NULL, "force", NULL, false },
};

static void put(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void the_environment_chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct askpass askpass;
		bool found;

		put("ALATION_CRED_ASKPASS", choices[i].ours);
		put("SSH_ASKPASS", choices[i].theirs);
		put("DISPLAY", choices[i].display);
		put("WAYLAND_DISPLAY", choices[i].wayland);
		put("SSH_ASKPASS_REQUIRE", choices[i].require);
		found = askpass_find(&askpass);
		if (found != !!choices[i].program)
			fail_msg("row %zu: found: %d", i, found);
		if (!found)
			continue;
		assert_string_equal(askpass.program, choices[i].program);
		assert_string_equal(askpass.variable, choices[i].ours ? "ALATION_CRED_ASKPASS" : "SSH_ASKPASS");
		if (askpass.comes_first != choices[i].comes_first)
			fail_msg("row %zu: comes first: %d", i, askpass.comes_first);
	}
}

static void its_first_line_is_the_answer(void **state)
{
	(void)state;
	assert_answer("echo hunter2", "hunter2");
	assert_answer("printf hunter2", "hunter2");
	assert_answer("printf 'hunter2\\r\\n'", "hunter2");
	assert_answer("printf 'two words, and \\303\\251\\r\\r\\nmore\\n'", "two words, and \xc3\xa9\r");
	assert_answer("printf 'in '; sleep 0.1; echo pieces; echo more; echo 'and more'", "in pieces");
	assert_answer("echo", "");
	assert_answer("echo hunter2; exec >&-; sleep 0.1; exit 0", "hunter2");
	assert_answer("test $# = 1 && printf '%s\\n' \"$1\"", QUESTION);
}

static void without_an_answer(void **state)
{
	(void)state;
	assert_refused("exit 0", LONG_MS, "gave no answer");
	assert_refused("echo hunter2; exit 1", LONG_MS, "gave no answer");
	assert_refused("echo hunter2; kill -9 $$", LONG_MS, "gave no answer");
	assert_refused("exec /no/such/program", LONG_MS, "gave no answer");
}

static void an_answer_has_a_limit(void **state)
{
	static char longest[PROMPT_MAX_BYTES + 1];

	(void)state;
	memset(longest, 'x', PROMPT_MAX_BYTES);
	assert_answer("head -c 20000 /dev/zero | tr '\\0' x", longest);
	assert_answer("head -c 20000 /dev/zero | tr '\\0' x; printf '\\r\\nmore'", longest);
	assert_refused("head -c 20001 /dev/zero | tr '\\0' x", LONG_MS, "too long");
	assert_refused("exec tr '\\0' x </dev/zero", LONG_MS, "too long");
}

static void too_late_it_is_ended(void **state)
{
	(void)state;
	assert_refused("exec sleep 1000", SOON_MS, "in time");
	assert_refused("trap '' TERM; exec sleep 1000", SOON_MS, "in time");
	assert_refused("echo hunter2; exec sleep 1000", SOON_MS, "in time");
	assert_refused("exec >&-; exec sleep 1000", SOON_MS, "in time");
	assert_refused("exec yes hunter2", SOON_MS, "in time");
}

/* What it leaves behind has the pipe open, and is none of our business. */
static void its_end_is_what_counts(void **state)
{
	const char *fifo = scratch_path("fifo");
	int fd;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_answer("(read x <\"$HOME/fifo\") 2>/dev/null & echo hunter2", "hunter2");
	fd = open(fifo, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	close(fd);
	unlink(fifo);
}

/* Asked of awk, by a question that is its program: shells unblock what they find blocked. */
static void assert_nothing_is_blocked(void)
{
	static const char question[] = "BEGIN { while ((getline line <\"/proc/self/status\") > 0) if (line ~ /^SigBlk/) print line }";
	const struct askpass awk = { "awk", "SSH_ASKPASS", false };
	SECRET answer = { 0 };
	struct trouble trouble = { 0 };

	assert_int_equal(askpass_ask(&awk, question, clock_mono_ms() + LONG_MS, &answer, &trouble), DONE);
	assert_true(secret_equal(secret_view(&answer), bytes_of("SigBlk:\t0000000000000000")));
}

/* stdin, descriptors, signals. */
static void it_starts_clean(void **state)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD, 7), in = dup(STDIN_FILENO), zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	sigset_t some, before;

	(void)state;
	assert_true(fd >= 7 && fd <= 9);
	assert_int_equal(dup2(zero, STDIN_FILENO), STDIN_FILENO);
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGUSR1);
	sigprocmask(SIG_BLOCK, &some, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	assert_nothing_is_blocked();
	/* 32 and 33 are the C library's, which ignores them in whatever it spawns. */
	assert_answer("echo $((0x$(sed -n 's/^SigIgn:[^0-9a-f]*//p' /proc/self/status) & 0x7fffffff))", "0");
	assert_answer("readlink /proc/$$/fd/0", "/dev/null");
	/* 10 and above are the shell's own. */
	assert_answer("for fd in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$fd || printf %s $fd; done; echo .", ".");
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(dup2(in, STDIN_FILENO), STDIN_FILENO);
	close(in);
	close(zero);
	close(fd);
}

static void whoever_ignores_children_is_asked_too(void **state)
{
	struct sigaction now;
	sigset_t child, before, mask;

	(void)state;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	signal(SIGCHLD, SIG_IGN);
	alarm(GUARD_S);
	assert_answer("echo hunter2", "hunter2");
	assert_answer("echo hunter2; exec >&-; sleep 0.1", "hunter2");
	assert_refused("echo hunter2; exit 1", LONG_MS, "gave no answer");
	alarm(0);
	sigaction(SIGCHLD, NULL, &now);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	sigprocmask(SIG_SETMASK, &before, &mask);
	assert_true(sigismember(&mask, SIGCHLD));
	signal(SIGCHLD, SIG_DFL);
}

static void a_signal_ends_both(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const char *fifo = scratch_path("fifo");

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	script("echo $$ >\"$HOME/fifo\"; exec sleep 1000");
	alarm(GUARD_S);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		pid_t asker = fork(), program;
		char text[32];
		int status;

		if (asker == 0) {
			SECRET answer = { 0 };
			struct trouble trouble = { 0 };

			signal(numbers[i], SIG_DFL); /* a shell's background has some of them ignored */
			_exit((int)ask(LONG_MS, &answer, &trouble));
		}
		assert_true(scratch_read(fifo, text, sizeof text) > 0);
		program = (pid_t)strtol(text, NULL, 10);
		assert_int_equal(kill(asker, numbers[i]), 0);
		status = scratch_wait(asker);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), numbers[i]);
		assert_int_equal(kill(program, 0), -1);
		assert_int_equal(errno, ESRCH);
	}
	alarm(0);
	unlink(fifo);
}

/* It has ended before a byte was read: all that it wrote is read all the same. */
static void what_it_wrote_last_counts(void **state)
{
	const char *fifo = scratch_path("fifo");
	char text[32];
	pid_t asker;
	int status;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	script("exec 8>\"$HOME/fifo\"; kill -STOP $PPID; head -c 10000 /dev/zero | tr '\\0' x");
	asker = fork();
	if (asker == 0) {
		SECRET answer = { 0 };
		struct trouble trouble = { 0 };

		_exit(ask(LONG_MS, &answer, &trouble) == DONE && answer.len == 10000 ? 0 : 1);
	}
	assert_int_equal(scratch_read(fifo, text, sizeof text), 0); /* until it is gone */
	assert_int_equal(waitpid(asker, &status, WUNTRACED), asker);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(kill(asker, SIGCONT), 0);
	assert_int_equal(scratch_exit_code(asker), 0);
	unlink(fifo);
}

static void assert_not_started(const char *program, int error)
{
	const struct askpass askpass = { program, "SSH_ASKPASS", false };
	SECRET answer = { 0 };
	struct trouble trouble = { 0 };

	assert_int_equal(askpass_ask(&askpass, QUESTION, clock_mono_ms() + LONG_MS, &answer, &trouble), USAGE);
	assert_non_null(strstr(trouble.message, program));
	assert_non_null(strstr(trouble.message, "SSH_ASKPASS"));
	if (!strstr(trouble.message, strerror(error)))
		fail_msg("'%s': %s", program, trouble.message);
}

static void what_cannot_be_started(void **state)
{
	(void)state;
	assert_not_started("/no/such/askpass", ENOENT);
	assert_not_started("no-such-askpass", ENOENT);
	assert_not_started(scratch, EACCES);
	scratch_write(scratch_path("plain"), "#!/bin/sh\necho hunter2\n", 23);
	assert_not_started(scratch_path("plain"), EACCES);
}

/* As ssh's, which is found by execlp. */
static void a_name_is_looked_for_in_path(void **state)
{
	const struct askpass askpass = { "ask", "SSH_ASKPASS", false };
	const char *path = getenv("PATH");
	char *before = path ? strdup(path) : NULL, longer[1024];
	SECRET answer = { 0 };
	struct trouble trouble = { 0 };

	(void)state;
	script("echo hunter2");
	snprintf(longer, sizeof longer, "/no/such/directory:%s:%s", scratch, before ? before : "/usr/bin:/bin");
	setenv("PATH", longer, 1);
	assert_int_equal(askpass_ask(&askpass, QUESTION, clock_mono_ms() + LONG_MS, &answer, &trouble), DONE);
	assert_true(secret_equal(secret_view(&answer), bytes_of("hunter2")));
	put("PATH", before);
	free(before);
}

static void a_token_in_the_environment_is_not_its(void **state)
{
	(void)state;
	setenv("ALATION_REFRESH_TOKEN", "hunter2", 1);
	setenv("ALATION_REFRESH_TOKENS", "another", 1);
	assert_answer("echo \"${ALATION_REFRESH_TOKEN-none} $ALATION_REFRESH_TOKENS\"", "none another");
	unsetenv("ALATION_REFRESH_TOKEN");
	unsetenv("ALATION_REFRESH_TOKENS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment_chooses),      cmocka_unit_test(its_first_line_is_the_answer),
		cmocka_unit_test(without_an_answer),            cmocka_unit_test(an_answer_has_a_limit),
		cmocka_unit_test(too_late_it_is_ended),         cmocka_unit_test(its_end_is_what_counts),
		cmocka_unit_test(it_starts_clean),              cmocka_unit_test(whoever_ignores_children_is_asked_too),
		cmocka_unit_test(a_signal_ends_both),           cmocka_unit_test(what_cannot_be_started),
		cmocka_unit_test(a_name_is_looked_for_in_path), cmocka_unit_test(what_it_wrote_last_counts),
		cmocka_unit_test(a_token_in_the_environment_is_not_its),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
