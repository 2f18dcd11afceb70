/* SPDX-License-Identifier: MIT */
/*
 * Where non-secret state and locks lie. Paths and directories only; knows no file in them.
 */
#ifndef HELPER_STATE_H
#define HELPER_STATE_H

#include <stdbool.h>

#include "helper/base/trouble.h"

#define STATE_PATH_MAX_BYTES 1024

/* A directory of ours, opened. */
struct state_dir {
	int fd;        /* O_PATH-like use: openat, renameat; -1: there is none (yet) */
	bool fallback; /* the private tmpfs directory: HOME is unset or cannot be written */
	char path[STATE_PATH_MAX_BYTES];
};

/*
 * The state directory: $XDG_STATE_HOME/alation-cred, else ~/.local/state/alation-cred, else the private tmpfs
 * directory /dev/shm/alation-cred-UID or the same name in /tmp (0700, ours, not a link). CREATE makes it.
 * Without CREATE fd is -1 where nothing is there. DONE or UNUSABLE. The caller closes fd.
 */
enum outcome state_open(bool create, struct state_dir *ret_dir, struct trouble *trouble);

/* The directory of the locks: ~/.local/state/alation-cred/locks whatever XDG_STATE_HOME says, so that a shell
 * that sets it and a cron job that does not find the same lock; else below the private tmpfs directory. */
enum outcome state_open_locks(struct state_dir *ret_dir, struct trouble *trouble);

#endif
