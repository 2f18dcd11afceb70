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

/* What every process of the user must find: ~/.local/state/alation-cred whatever XDG_STATE_HOME says, because a shell
 * sets it and a cron job does not; else the private tmpfs directory. Made if it is missing. */
enum outcome state_open_shared(struct state_dir *ret_dir, struct trouble *trouble);

/* `locks` in it. */
enum outcome state_open_locks(struct state_dir *ret_dir, struct trouble *trouble);

#endif
