/* SPDX-License-Identifier: MIT */
/*
 * signals.c: what is held takes effect at the release and not before, in a process with one thread or with more; what
 * the caller ignored stays ignored, and the watchdog's signal is never held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/base/signals.h"
#include "helper/base/watchdog.h"

static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGIO, SIGPWR };
#define ALL (sizeof all / sizeof *all)

#define PASSED_THE_RELEASE 9
#define PATIENCE_MS 5000 /* nobody waits so long for what works */

static void *sleeps(void *nothing)
{
	for (;;)
		pause();
	return nothing;
}

/* How a child ends that holds, gets SIGNAL, says that it still lives, and releases. */
static int status_of(int signal_number, bool threads, void (*before)(int))
{
	int ends[2], status;
	char byte = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct signals signals = { .held = false };
		pthread_t thread;

		for (size_t i = 0; i < ALL; i++)
			signal(all[i], SIG_DFL);
		if (before)
			before(signal_number);
		/* As a keyring's library does: a thread that was there before, with nothing blocked. */
		if (threads && pthread_create(&thread, NULL, sleeps, NULL) != 0)
			_exit(1);
		signals_hold(&signals);
		kill(getpid(), signal_number);
		kill(getpid(), signal_number);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		signals_release(&signals);
		/* Where a thread has taken the signal, it takes effect when that thread comes to run. */
		for (int i = 0; threads && !before && i < PATIENCE_MS; i++)
			nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		_exit(PASSED_THE_RELEASE);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1); /* else it died before */
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void each_takes_effect_at_the_release(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ALL; i++) {
		int status = status_of(all[i / 2], i % 2, NULL);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), all[i / 2]);
	}
}

static void ignore(int number)
{
	signal(number, SIG_IGN);
}

static void what_the_caller_ignored_stays_ignored(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ALL; i++) {
		int status = status_of(all[i / 2], i % 2, ignore);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), PASSED_THE_RELEASE);
	}
}

static volatile sig_atomic_t heard;

static void hear(int number)
{
	(void)number;
	heard++;
}

static void the_callers_handler_and_mask_come_back(void **state)
{
	SIGNALS signals = { .held = false };
	sigset_t before, after;

	(void)state;
	signal(SIGTERM, hear);
	sigprocmask(SIG_BLOCK, NULL, &before);
	signals_hold(&signals);
	signals_hold(&signals); /* a second time is none */
	kill(getpid(), SIGTERM);
	assert_int_equal(heard, 0);
	signals_release(&signals);
	assert_int_equal(heard, 1);
	signals_release(&signals);
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int number = 1; number < SIGRTMIN; number++)
		assert_int_equal(sigismember(&before, number), sigismember(&after, number));
	kill(getpid(), SIGTERM);
	assert_int_equal(heard, 2);
	/* what came in an earlier hold is forgotten in the next */
	signals_hold(&signals);
	signals_release(&signals);
	assert_int_equal(heard, 2);
	signal(SIGTERM, SIG_DFL);
}

static void the_watchdog_is_never_held(void **state)
{
	SIGNALS signals = { .held = false };

	(void)state;
	heard = 0;
	signal(watchdog_signal(), hear);
	signals_hold(&signals);
	raise(watchdog_signal());
	assert_int_equal(heard, 1);
	signals_release(&signals);
	signal(watchdog_signal(), SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_takes_effect_at_the_release),
		cmocka_unit_test(what_the_caller_ignored_stays_ignored),
		cmocka_unit_test(the_callers_handler_and_mask_come_back),
		cmocka_unit_test(the_watchdog_is_never_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
