/* SPDX-License-Identifier: MIT */
/*
 * Process set-up that must come before anything else, and how it is undone for a program that takes our place.
 */
#include "helper/base/harden.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/stdout.h"

/* As the caller had it. */
static struct {
	bool was_open[STDERR_FILENO + 1];
	mode_t umask;
	struct sigaction pipe, xfsz;
	rlim_t core;
} found;

/* The soft limit alone: whoever we exec may raise it again. */
static void limit_core(rlim_t soft)
{
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return;
	found.core = core.rlim_cur;
	core.rlim_cur = soft;
	if (found.core != soft)
		setrlimit(RLIMIT_CORE, &core);
}

static void ignore_signals(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* A reader that is gone and a file that may not grow are failed writes, not the end of us. */
	sigaction(SIGPIPE, &ignore, &found.pipe);
	sigaction(SIGXFSZ, &ignore, &found.xfsz);
}

bool harden_process(void)
{
	if (getauxval(AT_SECURE))
		return false;
	/* In this order: the lowest free number is what open() gives. */
	for (int fd = 0; fd <= 2; fd++) {
		int flags = fcntl(fd, F_GETFL);
		bool is_open = flags != -1;

		if (fd == STDOUT_FILENO)
			stdout_found(is_open && (flags & O_ACCMODE) != O_RDONLY);
		found.was_open[fd] = is_open;
		if (!is_open && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return false;
	}
	found.umask = umask(077);
	ignore_signals();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	limit_core(0);
	return true;
}

void harden_undo(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (!found.was_open[fd])
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	umask(found.umask);
	limit_core(found.core);
	sigaction(SIGPIPE, &found.pipe, NULL);
	sigaction(SIGXFSZ, &found.xfsz, NULL);
}

void harden_again(void)
{
	umask(077);
	limit_core(0);
	ignore_signals();
}
