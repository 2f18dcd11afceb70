/* SPDX-License-Identifier: MIT */
/*
 * What happens at a failpoint, in the builds that have them.
 */
#include "helper/base/failpoint.h"

#ifdef FAILPOINTS

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void note(const char *name)
{
	const char *path = getenv("ALATION_CRED_FAILPOINT_LOG");
	char line[80];
	size_t n = strlen(name);
	int fd;

	if (!path || n >= sizeof line)
		return;
	memcpy(line, name, n);
	line[n] = '\n';
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, n + 1) < 0)
		abort(); /* a test that counts on it must not go on */
	close(fd);
}

/* What is asked for at NAME this time: "kill", "error", …; NULL: nothing. */
static const char *wish(const char *name)
{
	static unsigned reached;
	const char *asked = getenv("ALATION_CRED_FAILPOINT"), *action, *number;
	size_t n = strlen(name);

	if (!asked || strncmp(asked, name, n) != 0 || asked[n] != ':')
		return NULL;
	action = asked + n + 1;
	number = strchr(action, ':');
	reached++;
	return !number || strtoul(number + 1, NULL, 10) == reached ? action : NULL;
}

static bool is(const char *action, const char *word)
{
	size_t n = strlen(word);

	return strncmp(action, word, n) == 0 && (action[n] == '\0' || action[n] == ':');
}

bool failpoint(const char *name)
{
	const char *action;

	note(name);
	action = wish(name);
	if (!action)
		return false;
	if (is(action, "kill")) {
		kill(getpid(), SIGKILL);
	} else if (is(action, "stop")) {
		raise(SIGSTOP);
	} else if (strncmp(action, "delay=", 6) == 0) {
		unsigned long ms = strtoul(action + 6, NULL, 10);
		struct timespec pause = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

		while (nanosleep(&pause, &pause) != 0)
			;
	} else if (is(action, "error")) {
		return true;
	} else {
		abort(); /* a word that means nothing */
	}
	return false;
}

#endif
