/* SPDX-License-Identifier: MIT */
/*
 * Starting another program: posix_spawn with what is the caller's to say. A fork would be unsafe once a library has threads.
 */
#ifndef HELPER_BASE_CHILD_H
#define HELPER_BASE_CHILD_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

/* What the child has of descriptors, signals and session; PIPE_END is the caller's. 0, or an errno. */
typedef int child_prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int pipe_end);

/* For a prepare: every signal as a shell gives it, those too that we or our caller ignore; no descriptor beyond stderr. FLAGS: more of
 * posix_spawnattr_setflags(3). 0, or an errno. */
int child_has_nothing_of_ours(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int flags);

/* Starts PROGRAM, a path or (IN_PATH) a name that is looked for in PATH, with ARGV and ENVP. 0, or an errno. */
int child_start(const char *program, bool in_path, char *const argv[], char *const envp[], child_prepare *prepare,
                int pipe_end, pid_t *ret_pid);

/* Our environment, but for a RefreshToken that was given to us in it. The array is the caller's to free, the strings stay where they
 * are; NULL: no memory. */
char **child_environment(void);

#endif
