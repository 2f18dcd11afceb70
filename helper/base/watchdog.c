/* SPDX-License-Identifier: MIT */
/*
 * A POSIX timer, which does not survive an exec (an alarm would kill what `exec` starts: measured), and handlers
 * that do nothing but write and end. SIGALRM is left to the caller: alarm(2) survives an exec, and a caller
 * that sets one for us must not break off what is held (signals.h).
 */
#include "helper/base/watchdog.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/base/stdout.h"

#define STACK_BYTES (64 * 1024) /* a handler's own: what crashed may have used up the other. Untouched until then */
#define LAST_MS 1000 /* so much later there is another timer, whose word is no signal */
#define FORKED_CODE 127

static timer_t timer, last_timer;
static bool made, has_timer, has_last_timer, hears_exits;
static pid_t armed_by; /* what it forks has these handlers too, and its own end is not ours */
static struct {
	char line[1280], reply[WATCHDOG_REPLY_MAX_BYTES];
	size_t line_len, reply_len;
	int code;
	atomic_bool hold; /* a call runs, and this is what is said of it */
} words[WATCHDOG_ENDS];

static _Atomic(void (*)(void)) last_act;

/* What another thread of a module's breaks off, too: the terminal is without echo while somebody is asked. */
static void act_last(void)
{
	void (*act)(void) = atomic_exchange(&last_act, NULL);

	if (act)
		act();
}

/* Where nobody reads, a last word must not hold up the end. */
static void last_word(int fd, const char *text, size_t n)
{
	struct pollfd out = { .fd = fd, .events = POLLOUT };

	if (n && poll(&out, 1, 0) > 0 && write(fd, text, n) < 0)
		return;
}

static _Noreturn void bite(enum watchdog_end end, const char *of)
{
	char line[sizeof words->line + 64];
	size_t n = words[end].line_len, more = strlen(of);

	act_last();
	memcpy(line, words[end].line, n);
	memcpy(line + n, of, more);
	line[n + more] = '\n';
	last_word(STDERR_FILENO, line, n + more + 1);
	last_word(stdout_descriptor(), words[end].reply, words[end].reply_len);
	_exit(words[end].code);
}

static void on_time(int signal)
{
	(void)signal;
	bite(WATCHDOG_LATE, "");
}

/* What a fault of the code itself raises; abort() too, which libraries call where they know no other way. */
static const struct {
	int signal;
	const char *of;
} faults[] = {
	{ SIGSEGV, " (SIGSEGV)" }, { SIGBUS, " (SIGBUS)" },   { SIGILL, " (SIGILL)" }, { SIGFPE, " (SIGFPE)" },
	{ SIGABRT, " (SIGABRT)" }, { SIGTRAP, " (SIGTRAP)" }, { SIGSYS, " (SIGSYS)" },
};

/* Whether such a call runs, in this process. */
static bool runs(void)
{
	return atomic_load(&words[WATCHDOG_DIED].hold) && getpid() == armed_by;
}

/* The handler is gone once it is called (SA_RESETHAND): a fault of our own ends us as it would have without one. */
static void on_fault(int signal)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults && runs(); i++)
		if (faults[i].signal == signal)
			bite(WATCHDOG_DIED, faults[i].of);
	if (getpid() == armed_by)
		act_last();
	raise(signal);
}

static void on_exit_called(void)
{
	if (runs())
		bite(WATCHDOG_DIED, " (exit)");
}

int watchdog_signal(void)
{
	return SIGRTMIN + 7;
}

/* A caller may have blocked or ignored it, and both are inherited; so may a module have done. */
static void hear(int signal, const struct sigaction *action)
{
	sigset_t heard;

	sigemptyset(&heard);
	sigaddset(&heard, signal);
	sigaction(signal, action, NULL);
	sigprocmask(SIG_UNBLOCK, &heard, NULL);
}

static void hear_timer(void)
{
	const struct sigaction action = { .sa_handler = on_time, .sa_flags = SA_ONSTACK };

	hear(watchdog_signal(), &action);
}

static void make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = watchdog_signal() };

	made = true;
	hear_timer();
	has_timer = timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
}

static void in_a_thread(union sigval nothing)
{
	(void)nothing;
	if (atomic_load(&words[WATCHDOG_LATE].hold))
		bite(WATCHDOG_LATE, "");
}

/* Where every signal is blocked, or ignored, a thread that blocks them too still runs. */
static void make_last_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = in_a_thread };

	has_last_timer = timer_create(CLOCK_MONOTONIC, &event, &last_timer) == 0;
}

/* The last one may have left these otherwise, in a mask or in handlers of its own. */
static void hear_faults(void)
{
	static char stack[STACK_BYTES];
	const stack_t ours = { .ss_sp = stack, .ss_size = sizeof stack };
	const struct sigaction action = { .sa_handler = on_fault, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER) };

#ifndef KEEP_EXIT_HANDLERS /* sanitizers hear these themselves, and tell more */
	sigaltstack(&ours, NULL);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		hear(faults[i].signal, &action);
#else
	(void)ours, (void)action;
#endif
}

static void hear_exits(void)
{
	hears_exits = true;
	atexit(on_exit_called);
	at_quick_exit(on_exit_called);
}

/* For code that is not ours: all that it could do wrong is heard, whatever was called before has left behind. */
static void expect_death(void)
{
	armed_by = getpid();
	if (!hears_exits)
		hear_exits();
	if (!has_last_timer)
		make_last_timer();
	hear_timer();
	hear_faults();
}

void watchdog_words(enum watchdog_end end, const struct trouble *trouble, struct bytes reply, int code)
{
	int n = snprintf(words[end].line, sizeof words->line, "alation-cred: %s%s%s", trouble->message, *trouble->remedy ? "; " : "",
	                 trouble->remedy);

	words[end].line_len = n < 0 ? 0 : (size_t)n < sizeof words->line ? (size_t)n : sizeof words->line - 1;
	words[end].reply_len = reply.n <= sizeof words->reply ? reply.n : 0;
	if (words[end].reply_len)
		memcpy(words[end].reply, reply.p, words[end].reply_len);
	words[end].code = code;
	atomic_store(&words[end].hold, true);
}

static void set(timer_t which, int64_t at_ms)
{
	struct itimerspec when = { .it_value = { at_ms / 1000, (long)(at_ms % 1000) * 1000000 } };

	timer_settime(which, TIMER_ABSTIME, &when, NULL);
}

void watchdog_arm(int64_t deadline_ms)
{
	bool foreign = atomic_load(&words[WATCHDOG_DIED].hold);

	if (!made)
		make_timer();
	if (foreign)
		expect_death();
	if (has_timer)
		set(timer, deadline_ms + WATCHDOG_GRACE_MS);
	if (foreign && has_last_timer)
		set(last_timer, deadline_ms + WATCHDOG_GRACE_MS + LAST_MS);
}

void watchdog_disarm(void)
{
	static const struct itimerspec never;
	bool foreign = atomic_load(&words[WATCHDOG_DIED].hold);

	/* A fork that came back: whatever it went on to do would be done twice, the answer included. */
	if (foreign && getpid() != armed_by)
		_exit(FORKED_CODE);
	if (made && has_timer)
		timer_settime(timer, 0, &never, NULL);
	if (foreign && has_last_timer)
		timer_settime(last_timer, 0, &never, NULL);
	for (size_t i = 0; i < WATCHDOG_ENDS; i++)
		atomic_store(&words[i].hold, false);
}

void watchdog_before_end(void (*act)(void))
{
	atomic_store(&last_act, act);
}
