/* SPDX-License-Identifier: MIT */
/*
 * posix_spawn, and what goes with it.
 */
#include "helper/base/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int child_has_nothing_of_ours(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int flags)
{
	sigset_t none, all;
	int error = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);

	sigemptyset(&none);
	sigfillset(&all);
	if (!error)
		error = posix_spawnattr_setsigmask(attributes, &none);
	if (!error)
		error = posix_spawnattr_setsigdefault(attributes, &all);
	if (!error)
		error = posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | flags));
	return error;
}

int child_start(const char *program, bool in_path, char *const argv[], char *const envp[], child_prepare *prepare,
                int pipe_end, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error = posix_spawn_file_actions_init(&actions);

	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (!error) {
		error = prepare(&actions, &attributes, pipe_end);
		if (!error)
			error = (in_path ? posix_spawnp : posix_spawn)(ret_pid, program, &actions, &attributes, argv, envp);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

char **child_environment(void)
{
	static const char token[] = "ALATION_REFRESH_TOKEN=";
	size_t n = 0, kept = 0;
	char **envp;

	while (environ[n])
		n++;
	envp = malloc((n + 1) * sizeof *envp);
	for (size_t i = 0; envp && i < n; i++)
		if (strncmp(environ[i], token, sizeof token - 1) != 0)
			envp[kept++] = environ[i];
	if (envp)
		envp[kept] = NULL;
	return envp;
}
