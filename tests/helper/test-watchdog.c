/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c: what does not come back is ended, with the prepared words, and so is what crashes or ends the program; what
 * comes back is not. Each case is a child, for a bite ends the process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/clock.h"
#include "helper/base/watchdog.h"
#include "tests/helper/scratch.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define SURVIVED 77
#define NOW (clock_mono_ms() - WATCHDOG_GRACE_MS) /* a deadline whose grace is over */
#define REPLY "{\"version\":1,\"success\":false}\n"

static struct {
	int status;
	char out[8192], err[8192];
} end;

static void run(void (*body)(void))
{
	int out[2], err[2];
	pid_t child;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		body();
		_exit(SURVIVED);
	}
	close(out[1]);
	close(err[1]);
	scratch_drain(out[0], end.out, sizeof end.out);
	scratch_drain(err[0], end.err, sizeof end.err);
	close(out[0]);
	close(err[0]);
	/* Nothing to one that has ended, and to one that was never bitten the end. */
	kill(child, SIGKILL);
	end.status = scratch_wait(child);
}

static void arm(int64_t deadline_ms, enum trouble_code code, const char *message, struct bytes reply)
{
	struct trouble trouble;

	trouble_say(&trouble, code, "do this", "%s", message);
	watchdog_words(WATCHDOG_LATE, &trouble, reply, (int)trouble_outcome(code));
	watchdog_arm(deadline_ms);
}

/* A library that never comes back. */
static void hang(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void in_a_keyring(void)
{
	arm(NOW, TROUBLE_KEYRING_TIMEOUT, "it hangs", bytes_of(REPLY));
	hang();
}

static void in_the_network(void)
{
	arm(NOW, TROUBLE_TIMEOUT, "it hangs", bytes_of(""));
	for (;;)
		pause();
}

static void long_past(void)
{
	arm(0, TROUBLE_TIMEOUT, "it hangs", (struct bytes){ NULL, 0 });
	hang();
}

static void soon(void)
{
	arm(NOW + 30, TROUBLE_TIMEOUT, "it hangs", bytes_of(""));
	hang();
}

/* A caller may have ignored and blocked it; both are inherited. */
static void ignored_and_blocked(void)
{
	sigset_t all;

	signal(watchdog_signal(), SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	arm(NOW, TROUBLE_TIMEOUT, "it hangs", bytes_of(""));
	hang();
}

/* What is called may do so, too. */
static void blocked_meanwhile(void)
{
	struct trouble trouble;
	sigset_t all;

	trouble_say(&trouble, TROUBLE_KEYRING_FAILED, "", "it crashed");
	watchdog_words(WATCHDOG_DIED, &trouble, bytes_of(REPLY), 5);
	arm(NOW + 200, TROUBLE_TIMEOUT, "it hangs", bytes_of(""));
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	hang();
}

static void armed_again(void)
{
	arm(NOW + 600000, TROUBLE_KEYRING_TIMEOUT, "the first", bytes_of("first\n"));
	watchdog_disarm();
	arm(NOW + 500000, TROUBLE_KEYRING_TIMEOUT, "the second", bytes_of("second, and longer\n"));
	arm(NOW, TROUBLE_TIMEOUT, "it hangs", bytes_of("third\n"));
	hang();
}

static void what_hangs_is_ended(void **state)
{
	static const struct {
		void (*body)(void);
		int code;
		const char *out;
	} rows[] = {
		{ in_a_keyring, 5, REPLY }, { in_the_network, 6, "" },      { long_past, 6, "" },
		{ soon, 6, "" },            { ignored_and_blocked, 6, "" }, { armed_again, 6, "third\n" },
		{ blocked_meanwhile, 6, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		run(rows[i].body);
		assert_int_equal(WEXITSTATUS(end.status), rows[i].code);
		assert_string_equal(end.out, rows[i].out);
		assert_string_equal(end.err, "alation-cred: it hangs; do this\n");
	}
}

static void with_long_words(void)
{
	static char message[4000], reply[WATCHDOG_REPLY_MAX_BYTES + 1];
	struct trouble trouble = { .code = TROUBLE_TIMEOUT };

	memset(message, 'm', sizeof message - 1);
	memset(reply, 'r', sizeof reply);
	trouble_say(&trouble, TROUBLE_TIMEOUT, message, "%s", message);
	/* too long for what was set aside: nothing, for half an answer is worse */
	watchdog_words(WATCHDOG_LATE, &trouble, (struct bytes){ reply, sizeof reply }, 6);
	watchdog_arm(NOW);
	hang();
}

static void with_the_longest_reply(void)
{
	static char reply[WATCHDOG_REPLY_MAX_BYTES];

	memset(reply, 'r', sizeof reply);
	arm(NOW, TROUBLE_TIMEOUT, "it hangs", (struct bytes){ reply, sizeof reply });
	hang();
}

static void words_have_limits(void **state)
{
	(void)state;
	run(with_long_words);
	assert_int_equal(WEXITSTATUS(end.status), 6);
	assert_string_equal(end.out, "");
	assert_ptr_equal(strchr(end.err, '\n'), end.err + strlen(end.err) - 1);
	run(with_the_longest_reply);
	assert_int_equal(WEXITSTATUS(end.status), 6);
	assert_int_equal(strlen(end.out), WATCHDOG_REPLY_MAX_BYTES);
}

/* Whether its signal comes within a time that is longer than what was armed. */
static void no_alarm_comes(void)
{
	struct timespec limit = { 0, 120 * 1000000 };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, watchdog_signal());
	sigprocmask(SIG_BLOCK, &alarm, NULL);
	if (sigtimedwait(&alarm, NULL, &limit) != -1 || errno != EAGAIN)
		_exit(1);
}

static void disarmed(void)
{
	arm(NOW + 50, TROUBLE_TIMEOUT, "it hangs", bytes_of(REPLY));
	watchdog_disarm();
	watchdog_disarm();
	no_alarm_comes();
}

static void never_armed(void)
{
	watchdog_disarm();
}

static void within_the_grace(void)
{
	arm(clock_mono_ms() - WATCHDOG_GRACE_MS + 600000, TROUBLE_TIMEOUT, "it hangs", bytes_of(REPLY));
	no_alarm_comes();
}

/* What is started in our place is not ours to end. */
static void executed(void)
{
	arm(NOW + 40, TROUBLE_TIMEOUT, "it hangs", bytes_of(REPLY));
	execlp("sh", "sh", "-c", "sleep 0.15; exit 77", (char *)NULL);
}

static void what_comes_back_lives(void **state)
{
	static void (*const bodies[])(void) = { disarmed, never_armed, within_the_grace, executed };

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		run(bodies[i]);
		assert_int_equal(WEXITSTATUS(end.status), SURVIVED);
		assert_string_equal(end.out, "");
		assert_string_equal(end.err, "");
	}
}

/* The deadline is far away, the words of a hang are others. */
static void arm_for_death(void)
{
	struct trouble trouble;

	trouble_say(&trouble, TROUBLE_KEYRING_FAILED, "", "it crashed");
	watchdog_words(WATCHDOG_DIED, &trouble, bytes_of(REPLY), 5);
	arm(clock_mono_ms() + 600000, TROUBLE_KEYRING_TIMEOUT, "it hangs", bytes_of("late\n"));
}

static volatile int *volatile nowhere; /* NULL, and no compiler knows */

static void segv(void)
{
	arm_for_death();
	*nowhere = 0;
}

static int overflow(volatile const char *from)
{
	volatile char frame[4096];

	frame[0] = from ? from[0] : 0;
	return nowhere ? 0 : overflow(frame) + frame[0];
}

static void no_stack(void)
{
	arm_for_death();
	overflow(NULL);
}

static void aborts(void)
{
	sigset_t all;

	signal(SIGABRT, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	arm_for_death();
	abort();
}

static void exits(void)
{
	arm_for_death();
	exit(0);
}

static void exits_quickly(void)
{
	arm_for_death();
	quick_exit(0);
}

/* The call before has left them so. */
static void with_nothing_heard(void)
{
	sigset_t all;

	arm_for_death();
	watchdog_disarm();
	signal(SIGSEGV, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	arm_for_death();
	*nowhere = 0;
}

static void *fault(void *nothing)
{
	(void)nothing;
	raise(SIGFPE);
	return NULL;
}

static void in_a_thread(void)
{
	pthread_t thread;

	arm_for_death();
	pthread_create(&thread, NULL, fault, NULL);
	pthread_join(thread, NULL);
}

static void traps(void)
{
	arm_for_death();
	watchdog_disarm();
	arm_for_death(); /* the second call of it */
	raise(SIGTRAP);
}

static void what_dies_is_said(void **state)
{
	static const struct {
		void (*body)(void);
		const char *of;
	} rows[] = { { exits, "exit" }, { exits_quickly, "exit" }, { with_nothing_heard, "SIGSEGV" }, { segv, "SIGSEGV" }, { no_stack, "SIGSEGV" }, { aborts, "SIGABRT" }, { in_a_thread, "SIGFPE" }, { traps, "SIGTRAP" } };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
#ifdef KEEP_EXIT_HANDLERS
		if (i > 1)
			skip(); /* a sanitizer tells of these itself */
#endif
		run(rows[i].body);
		snprintf(line, sizeof line, "alation-cred: it crashed (%s)\n", rows[i].of);
		assert_true(WIFEXITED(end.status));
		assert_int_equal(WEXITSTATUS(end.status), 5);
		assert_string_equal(end.out, REPLY);
		assert_string_equal(end.err, line);
	}
}

static void fork_and(void (*body)(void))
{
	pid_t child;

	arm_for_death();
	child = fork();
	if (child == 0)
		body();
	scratch_wait(child);
	watchdog_disarm();
}

static void leave_it(void)
{
	exit(1);
}

static void crash(void)
{
	*nowhere = 0;
}

static void forks_one_that_exits(void)
{
	fork_and(leave_it);
}

static void forks_one_that_crashes(void)
{
	fork_and(crash);
}

static void forks_one_that_comes_back(void)
{
	fork_and(watchdog_disarm);
	if (write(STDOUT_FILENO, "once\n", 5) != 5)
		_exit(1);
}

static void what_it_forks_is_not_the_call(void **state)
{
	static const struct {
		void (*body)(void);
		const char *out;
	} rows[] = { { forks_one_that_exits, "" }, { forks_one_that_comes_back, "once\n" }, { forks_one_that_crashes, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
#ifdef KEEP_EXIT_HANDLERS
		if (rows[i].body == forks_one_that_crashes)
			continue;
#endif
		run(rows[i].body);
		assert_int_equal(WEXITSTATUS(end.status), SURVIVED);
		assert_string_equal(end.out, rows[i].out);
		assert_string_equal(end.err, "");
	}
}

static void segv_of_our_own(void)
{
	arm_for_death();
	watchdog_disarm();
	*nowhere = 0;
}

static void abort_of_our_own(void)
{
	arm_for_death();
	watchdog_disarm();
	abort();
}

/* What was said of the call before is not said of one of which nothing was. */
static void segv_without_words(void)
{
	arm_for_death();
	watchdog_disarm();
	arm(clock_mono_ms() + 600000, TROUBLE_KEYRING_TIMEOUT, "it hangs", bytes_of("late\n"));
	*nowhere = 0;
}

static void our_own_faults_end_as_ever(void **state)
{
	static const struct {
		void (*body)(void);
		int signal;
	} rows[] = { { segv_of_our_own, SIGSEGV }, { abort_of_our_own, SIGABRT }, { segv_without_words, SIGSEGV } };

	(void)state;
#ifdef KEEP_EXIT_HANDLERS
	skip();
#endif
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		run(rows[i].body);
		assert_true(WIFSIGNALED(end.status));
		assert_int_equal(WTERMSIG(end.status), rows[i].signal);
		assert_string_equal(end.err, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_hangs_is_ended),
		cmocka_unit_test(words_have_limits),
		cmocka_unit_test(what_comes_back_lives),
		cmocka_unit_test(what_dies_is_said),
		cmocka_unit_test(what_it_forks_is_not_the_call),
		cmocka_unit_test(our_own_faults_end_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
