/* SPDX-License-Identifier: MIT */
/*
 * What of a process a module must leave as it was. Looks, compares, says; puts nothing back.
 */
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check-module/check.h"

#define DESCRIPTORS_MAX 1024

extern char **environ;

struct surroundings {
	mode_t mask;
	int dumpable;
	char directory[PATH_MAX], locale[256];
	uint64_t environment;
	struct sigaction actions[NSIG];
	sigset_t blocked;
	bool open[DESCRIPTORS_MAX];
};

/* Of all strings, whatever their order: a library may sort them. */
static uint64_t environment_sum(void)
{
	uint64_t sum = 0;

	for (char **each = environ; each != NULL && *each != NULL; each++) {
		uint64_t hash = UINT64_C(14695981039346656037);

		for (const char *p = *each; *p != '\0'; p++)
			hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
		sum += hash;
	}
	return sum;
}

static void look(struct surroundings *at)
{
	const char *locale = setlocale(LC_ALL, NULL);

	at->mask = umask(0);
	umask(at->mask);
	at->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	if (getcwd(at->directory, sizeof at->directory) == NULL)
		at->directory[0] = '\0';
	snprintf(at->locale, sizeof at->locale, "%s", locale != NULL ? locale : "");
	at->environment = environment_sum();
	for (int i = 1; i < NSIG; i++)
		if (sigaction(i, NULL, &at->actions[i]) != 0)
			memset(&at->actions[i], 0, sizeof at->actions[i]);
	sigprocmask(SIG_SETMASK, NULL, &at->blocked);
	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		at->open[fd] = fcntl(fd, F_GETFD) >= 0;
}

struct surroundings *surroundings_take(void)
{
	struct surroundings *at = calloc(1, sizeof *at);

	if (at != NULL)
		look(at);
	return at;
}

static bool same_actions(const struct surroundings *a, const struct surroundings *b, int *ret_signal)
{
	for (int i = 1; i < NSIG; i++)
		if (a->actions[i].sa_sigaction != b->actions[i].sa_sigaction) {
			*ret_signal = i;
			return false;
		}
	return true;
}

static bool same_mask(const sigset_t *a, const sigset_t *b)
{
	for (int i = 1; i < NSIG; i++)
		if (sigismember(a, i) != sigismember(b, i))
			return false;
	return true;
}

bool surroundings_same(struct surroundings *was, char what[TEXT_BYTES])
{
	struct surroundings *is = surroundings_take();
	int signal = 0;

	what[0] = '\0';
	if (is == NULL)
		return true;
	if (is->mask != was->mask)
		snprintf(what, TEXT_BYTES, "the umask is %03o, it was %03o", (unsigned)is->mask, (unsigned)was->mask);
	else if (strcmp(is->directory, was->directory) != 0)
		snprintf(what, TEXT_BYTES, "the working directory is another");
	else if (!same_actions(was, is, &signal))
		snprintf(what, TEXT_BYTES, "what signal %d (%s) does is another", signal, strsignal(signal));
	else if (!same_mask(&was->blocked, &is->blocked))
		snprintf(what, TEXT_BYTES, "other signals are blocked");
	else if (is->environment != was->environment)
		snprintf(what, TEXT_BYTES, "the environment is another");
	else if (strcmp(is->locale, was->locale) != 0)
		snprintf(what, TEXT_BYTES, "the locale is %.100s, it was %.100s", is->locale, was->locale);
	else if (is->dumpable != was->dumpable)
		snprintf(what, TEXT_BYTES, "whether the process may be dumped (PR_SET_DUMPABLE) is another");
	memcpy(is->open, was->open, sizeof is->open);
	*was = *is;
	free(is);
	return what[0] == '\0';
}

bool surroundings_closed_on_exec(struct surroundings *was, char what[TEXT_BYTES])
{
	char link[64], path[PATH_MAX];

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
		int flags = fcntl(fd, F_GETFD);
		ssize_t n;

		if (was->open[fd] || flags < 0 || (flags & FD_CLOEXEC))
			continue;
		was->open[fd] = true;
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof path - 1);
		path[n > 0 ? n : 0] = '\0';
		snprintf(what, TEXT_BYTES, "descriptor %d (%.200s) is without close-on-exec", fd, path);
		return false;
	}
	return true;
}

unsigned descriptors_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}
