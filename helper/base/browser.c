/* SPDX-License-Identifier: MIT */
/*
 * One call of xdg-open. A browser that was not running yet may keep it until it is closed: then it is left alone.
 */
#include "helper/base/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/base/child.h"
#include "helper/base/clock.h"
#include "helper/base/harden.h"

#define MOMENT_MS 1000

static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int pipe_end)
{
	int error = 0;

	(void)pipe_end;
	for (int fd = 0; fd <= STDERR_FILENO && !error; fd++)
		error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY, 0);
	return error ? error : child_has_nothing_of_ours(actions, attributes, POSIX_SPAWN_SETSID);
}

/* Whether it ended within a moment and said that it could not. */
static bool has_failed(pid_t pid)
{
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int64_t last_ms = clock_mono_ms() + MOMENT_MS, left_ms;
	int status = 0;

	if (end.fd < 0) /* a kernel before 5.3, or a filter of system calls */
		return false;
	while ((left_ms = last_ms - clock_mono_ms()) > 0)
		if (poll(&end, 1, (int)left_ms) >= 0 || errno != EINTR)
			break;
	close(end.fd);
	return waitpid(pid, &status, WNOHANG) == pid && !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

const char *browser_open(const char *address)
{
	char *const argv[] = { (char *)"xdg-open", (char *)address, NULL };
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");
	char **envp;
	pid_t pid;
	int error;

	if ((!x || !*x) && (!wayland || !*wayland))
		return "there is no display";
	envp = child_environment();
	/* What is saved in a browser that starts now is the person's, as he has it elsewhere. */
	harden_undo();
	error = envp ? child_start(argv[0], true, argv, envp, prepare, -1, &pid) : ENOMEM;
	harden_again();
	free(envp);
	if (error == ENOENT)
		return "there is no xdg-open in PATH";
	if (error)
		return "xdg-open cannot be started";
	return has_failed(pid) ? "xdg-open could not open it" : NULL;
}
