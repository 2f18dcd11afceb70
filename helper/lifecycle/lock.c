/* SPDX-License-Identifier: MIT */
/*
 * The lock. No content is trusted, no age is judged: whoever holds the file's lock lives.
 */
#include "helper/lifecycle/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/state.h"

#define GATHER_QUIET_POLLS 3

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	if (lock->dirfd >= 0)
		close(lock->dirfd);
	*lock = (struct lock)LOCK_NONE;
}

void lock_pause(void)
{
	struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	nanosleep(&pause, NULL);
}

/* Whether the file behind FD is still the one that stands under NAME: somebody may have removed it. */
static bool still_there(int dirfd, const char *name, int fd)
{
	struct stat opened, named;

	return fstat(fd, &opened) == 0 && fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* 0 and a locked descriptor, 0 and -1 where it is somebody else's, or an errno. */
static int try_in(int dirfd, const char *name, int *ret_fd)
{
	*ret_fd = -1;
	for (;;) {
		int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		struct stat st;
		int error = 0;

		if (fd < 0)
			return errno;
		if (fstat(fd, &st) != 0)
			error = errno;
		else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
			error = EPERM;
		else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
			error = errno;
		else if (still_there(dirfd, name, fd)) {
			*ret_fd = fd;
			return 0;
		}
		close(fd);
		if (error == EWOULDBLOCK)
			return 0;
		if (error && error != EINTR)
			return error;
	}
}

/* Whether DIRFD is still the locks' directory: somebody may have moved it away or made it anew. That it cannot be told
 * (no descriptor is left) is an error: to try again would be for ever. */
static enum outcome still_the_directory(int dirfd, bool *ret_same, struct trouble *trouble)
{
	struct state_dir now;
	struct stat opened, named;
	enum outcome outcome = state_open_locks(&now, trouble);

	if (outcome != DONE)
		return outcome;
	*ret_same = fstat(dirfd, &opened) == 0 && fstat(now.fd, &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
	close(now.fd);
	return DONE;
}

enum outcome lock_try(const char *name, struct lock *lock, struct trouble *trouble)
{
	int error;

	do {
		struct state_dir dir = { .fd = lock->dirfd };
		enum outcome outcome = dir.fd < 0 ? state_open_locks(&dir, trouble) : DONE;
		bool same = false;

		if (outcome != DONE)
			return outcome;
		lock->dirfd = dir.fd;
		error = try_in(lock->dirfd, name, &lock->fd);
		if (error == 0 && lock->fd < 0)
			return DONE;
		if (error == 0)
			outcome = still_the_directory(lock->dirfd, &same, trouble);
		if (same) {
			failpoint("lock.taken");
			return DONE;
		}
		lock_release(lock);
		if (outcome != DONE)
			return outcome;
	} while (error == 0 || error == ENOENT); /* of a directory that is gone, nobody else will ask for a lock */
	return trouble_say(trouble, TROUBLE_CONFIGURATION, "look at ~/.local/state/alation-cred/locks", "the lock '%s' cannot be taken: %s",
	                   name, strerror(error));
}

/* The sign is the file's time: nothing is written, and whoever may open the file may leave it. */
void lock_announce(const char *name, const struct lock *lock)
{
	if (lock->dirfd >= 0)
		utimensat(lock->dirfd, name, NULL, AT_SYMLINK_NOFOLLOW);
}

static bool is_same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void lock_gather(const struct lock *lock, int64_t deadline_ms)
{
	struct stat before, now;
	int64_t most_ms = (deadline_ms - clock_mono_ms()) / 4;
	int quiet = 0, wanted = 1;

	if (fstat(lock->fd, &before) != 0)
		return;
	/* Once somebody has come, more may: a crowd is over when several polls saw none. */
	for (int waited_ms = 0; quiet < wanted && waited_ms < LOCK_GATHER_MS && waited_ms < most_ms; waited_ms += LOCK_POLL_MS) {
		lock_pause();
		if (fstat(lock->fd, &now) != 0)
			return;
		quiet++;
		if (!is_same_time(&before, &now)) {
			quiet = 0;
			wanted = GATHER_QUIET_POLLS;
		}
		before = now;
	}
}

enum outcome lock_wait(const char *name, int64_t deadline_ms, struct lock *lock, struct trouble *trouble)
{
	for (;;) {
		enum outcome outcome = lock_try(name, lock, trouble);

		if (outcome != DONE || lock->fd >= 0)
			return outcome;
		if (clock_mono_ms() >= deadline_ms)
			return trouble_say(trouble, TROUBLE_BUSY, "try again, or end the alation-cred that hangs",
			                   "another alation-cred holds the lock '%s'", name);
		lock_pause();
	}
}
