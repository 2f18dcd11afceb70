/* SPDX-License-Identifier: MIT */
/*
 * lock.c: one holder at a time, whoever dies and whoever meddles with the file. flock(2) is our own here, so that
 * the file can be replaced just when it would hurt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/clock.h"
#include "helper/lifecycle/lock.h"
#include "tests/helper/scratch.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>

#define NAME "102@https%3A%2F%2Fcatalog.example.com"
#define LOCKS ".local/state/alation-cred/locks"
#define LOCK_PATH LOCKS "/" NAME

static struct trouble trouble;
static int replace_at_flock, calls_of_flock;
static bool move_at_flock;

static void replace_the_file(void)
{
	int fd;

	unlink(scratch_path(LOCK_PATH));
	fd = open(scratch_path(LOCK_PATH), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

static void move_the_directory(void)
{
	rename(scratch_path(LOCKS), scratch_path("aside"));
	mkdir(scratch_path(LOCKS), 0700);
}

int flock(int fd, int operation)
{
	calls_of_flock++;
	if (move_at_flock) {
		move_at_flock = false;
		move_the_directory();
	}
	if (replace_at_flock > 0) {
		replace_at_flock--;
		replace_the_file();
	}
	return (int)syscall(SYS_flock, fd, operation);
}

static bool holds_the_named_file(const struct lock *lock)
{
	struct stat held, named;

	return fstat(lock->fd, &held) == 0 && stat(scratch_path(LOCK_PATH), &named) == 0 && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

/* A child that holds the lock until it is killed. */
static pid_t start_holder(void)
{
	int ends[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct lock lock = LOCK_NONE;

		if (lock_try(NAME, &lock, &trouble) != DONE || lock.fd < 0 || write(ends[1], "!", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void one_holds_it(void **state)
{
	LOCK first = LOCK_NONE, second = LOCK_NONE, other = LOCK_NONE;
	struct stat st;

	(void)state;
	assert_int_equal(lock_try(NAME, &first, &trouble), DONE);
	assert_true(first.fd >= 0);
	assert_true(holds_the_named_file(&first));
	assert_int_equal(fcntl(first.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(first.dirfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(lock_try(NAME, &second, &trouble), DONE);
	assert_int_equal(second.fd, -1);
	assert_int_equal(lock_try("103@https%3A%2F%2Fcatalog.example.com", &other, &trouble), DONE);
	assert_true(other.fd >= 0);
	lock_release(&first);
	assert_int_equal(first.fd, -1);
	assert_int_equal(stat(scratch_path(LOCK_PATH), &st), 0); /* never unlinked */
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lock_try(NAME, &second, &trouble), DONE);
	assert_true(second.fd >= 0);
	lock_release(&first); /* twice does no harm */
	assert_true(holds_the_named_file(&second));
}

static void processes_take_turns(void **state)
{
	pid_t children[4];
	char text[32];

	(void)state;
	scratch_write(scratch_path("count"), "0", 1);
	for (int c = 0; c < 4; c++) {
		children[c] = fork();
		for (int i = 0; children[c] == 0 && i < 25; i++) {
			LOCK lock = LOCK_NONE;

			if (lock_wait(NAME, clock_mono_ms() + 60000, &lock, &trouble) != DONE)
				_exit(1);
			scratch_read(scratch_path("count"), text, sizeof text);
			snprintf(text, sizeof text, "%d", atoi(text) + 1);
			scratch_write(scratch_path("count"), text, strlen(text));
		}
		if (children[c] == 0)
			_exit(0);
	}
	for (int c = 0; c < 4; c++)
		assert_int_equal(scratch_exit_code(children[c]), 0);
	scratch_read(scratch_path("count"), text, sizeof text);
	assert_string_equal(text, "100");
}

static void death_frees_it(void **state)
{
	LOCK lock = LOCK_NONE;
	pid_t holder = start_holder();

	(void)state;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(lock.fd, -1);
	kill(holder, SIGKILL);
	scratch_wait(holder);
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_true(lock.fd >= 0);
}

static void a_wait_ends_with_the_holder_or_the_deadline(void **state)
{
	LOCK lock = LOCK_NONE;
	pid_t holder = start_holder();
	int64_t deadline_ms = clock_mono_ms() + 60;

	(void)state;
	assert_int_equal(lock_wait(NAME, deadline_ms, &lock, &trouble), BUSY);
	assert_true(clock_mono_ms() >= deadline_ms);
	assert_int_equal(trouble.code, TROUBLE_BUSY);
	assert_non_null(strstr(trouble.message, NAME));
	assert_int_equal(lock.fd, -1);
	assert_int_equal(lock_wait(NAME, 0, &lock, &trouble), BUSY);
	kill(holder, SIGKILL); /* it may still live for a moment when the wait begins */
	assert_int_equal(lock_wait(NAME, clock_mono_ms() + 20000, &lock, &trouble), DONE);
	assert_true(lock.fd >= 0);
	scratch_wait(holder);
	lock_release(&lock);
	assert_int_equal(lock_wait(NAME, 0, &lock, &trouble), DONE); /* late, but free */
}

static void a_replaced_file_is_noticed(void **state)
{
	LOCK lock = LOCK_NONE, other = LOCK_NONE;

	(void)state;
	calls_of_flock = 0;
	replace_at_flock = 3;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(calls_of_flock, 4);
	assert_true(lock.fd >= 0);
	assert_true(holds_the_named_file(&lock));
	assert_int_equal(lock_try(NAME, &other, &trouble), DONE);
	assert_int_equal(other.fd, -1);
}

static void a_removed_file_is_made_again(void **state)
{
	LOCK lock = LOCK_NONE;

	(void)state;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(unlink(scratch_path(LOCK_PATH)), 0);
	close(lock.fd);
	lock.fd = -1;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_true(holds_the_named_file(&lock));
}

static void a_removed_directory_is_made_again_for_one_who_waits(void **state)
{
	LOCK lock = LOCK_NONE, other = LOCK_NONE;
	pid_t holder = start_holder();

	(void)state;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(lock.fd, -1);
	assert_true(lock.dirfd >= 0);
	assert_int_equal(unlink(scratch_path(LOCK_PATH)), 0);
	assert_int_equal(rmdir(scratch_path(LOCKS)), 0);
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_true(lock.fd >= 0);
	assert_true(holds_the_named_file(&lock));
	assert_int_equal(lock_try(NAME, &other, &trouble), DONE);
	assert_int_equal(other.fd, -1);
	kill(holder, SIGKILL);
	scratch_wait(holder);
}

/* Its holder is waited for; then the lock is taken where everybody else looks. */
static void a_directory_moved_aside_is_noticed_by_one_who_waits(void **state)
{
	LOCK lock = LOCK_NONE, other = LOCK_NONE;
	pid_t holder = start_holder();

	(void)state;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(lock.fd, -1);
	move_the_directory();
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(lock.fd, -1);
	kill(holder, SIGKILL);
	scratch_wait(holder);
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_true(holds_the_named_file(&lock));
	assert_int_equal(lock_try(NAME, &other, &trouble), DONE);
	assert_int_equal(other.fd, -1);
}

static void a_directory_moved_at_the_last_moment_is_noticed(void **state)
{
	LOCK lock = LOCK_NONE;

	(void)state;
	calls_of_flock = 0;
	move_at_flock = true;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	assert_int_equal(calls_of_flock, 2);
	assert_true(holds_the_named_file(&lock));
}

/* What we start and what outlives us must not keep it. */
static void it_is_not_inherited_over_exec(void **state)
{
	int in[2], executed[2];
	LOCK lock = LOCK_NONE, other = LOCK_NONE;
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(executed, O_CLOEXEC), 0);
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	child = fork();
	if (child == 0) {
		dup2(in[0], STDIN_FILENO);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	close(executed[1]);
	assert_int_equal(read(executed[0], &byte, 1), 0); /* its copy went with the exec */
	lock_release(&lock);
	assert_int_equal(lock_try(NAME, &other, &trouble), DONE);
	assert_true(other.fd >= 0);
	close(executed[0]);
	close(in[0]);
	close(in[1]);
	assert_int_equal(scratch_exit_code(child), 0);
}

static void make_link(const char *path)
{
	scratch_write(scratch_path("victim"), "", 0);
	assert_int_equal(symlink(scratch_path("victim"), path), 0);
}

static void make_dangling(const char *path)
{
	assert_int_equal(symlink(scratch_path("made"), path), 0);
}

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void what_is_no_file_is_refused_and_does_not_hang(void **state)
{
	static void (*const makers[])(const char *) = { make_link, make_dangling, make_fifo, make_directory };
	LOCK lock = LOCK_NONE;

	(void)state;
	assert_int_equal(lock_try(NAME, &lock, &trouble), DONE);
	lock_release(&lock);
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		assert_int_equal(remove(scratch_path(LOCK_PATH)), 0);
		makers[i](scratch_path(LOCK_PATH));
		assert_int_equal(lock_try(NAME, &lock, &trouble), UNUSABLE);
		assert_int_equal(lock.fd, -1);
		assert_int_equal(lock_wait(NAME, clock_mono_ms() + 20000, &lock, &trouble), UNUSABLE);
		assert_int_equal(trouble.code, TROUBLE_CONFIGURATION);
	}
	assert_int_not_equal(access(scratch_path("made"), F_OK), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_holds_it),
		CASE(processes_take_turns),
		CASE(death_frees_it),
		CASE(a_wait_ends_with_the_holder_or_the_deadline),
		CASE(a_replaced_file_is_noticed),
		CASE(a_removed_file_is_made_again),
		CASE(a_removed_directory_is_made_again_for_one_who_waits),
		CASE(a_directory_moved_aside_is_noticed_by_one_who_waits),
		CASE(a_directory_moved_at_the_last_moment_is_noticed),
		CASE(it_is_not_inherited_over_exec),
		CASE(what_is_no_file_is_refused_and_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
