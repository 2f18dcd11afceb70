/* SPDX-License-Identifier: MIT */
/*
 * A timer whose word is a thread's: what is waited for may block, and a signal would break into its system calls.
 */
#include "helper/doctor/patience.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "helper/base/trouble.h"

#define PATIENCE_S 1

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char waits_for[128];
static timer_t timer;
static bool made, has_timer;

static void say(union sigval nothing)
{
	char line[sizeof waits_for + 32];

	(void)nothing;
	pthread_mutex_lock(&lock);
	if (waits_for[0]) {
		snprintf(line, sizeof line, "waiting for %s", waits_for);
		trouble_line(line);
	}
	pthread_mutex_unlock(&lock);
}

static void set(const char *what, time_t after_s)
{
	const struct itimerspec when = { .it_value = { after_s, 0 } };

	pthread_mutex_lock(&lock);
	snprintf(waits_for, sizeof waits_for, "%s", what);
	pthread_mutex_unlock(&lock);
	timer_settime(timer, 0, &when, NULL);
}

void patience_begin(const char *what)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = say };

	if (!made) {
		made = true;
		has_timer = isatty(STDERR_FILENO) && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0;
	}
	if (has_timer)
		set(what, PATIENCE_S);
}

void patience_end(void)
{
	if (has_timer)
		set("", 0);
}
