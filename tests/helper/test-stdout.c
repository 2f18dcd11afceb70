/* SPDX-License-Identifier: MIT */
/*
 * stdout.c: the whole answer or exit code 10, whatever stdout is; and what can be known before a mint is known.
 * Each case is a child with a stdout of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/base/clock.h"
#include "helper/base/harden.h"
#include "helper/base/stdout.h"
#include "tests/helper/scratch.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BIG_BYTES (1024 * 1024) /* more than any pipe takes at once */
#define SOON (clock_mono_ms() + 20000)

static char big[BIG_BYTES], got[BIG_BYTES + 2];

/* In the child: what becomes of B on stdout; `check` alone where B is NULL. */
static int write_or_check(const struct bytes *b, int64_t deadline_ms)
{
	struct trouble trouble = { 0 };
	enum outcome outcome;

	if (!harden_process())
		return 99;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* for the leak sanitizer's sake */
	outcome = b ? stdout_write(*b, deadline_ms, &trouble) : stdout_check(&trouble);
	return outcome == trouble_outcome(trouble.code) ? (int)outcome : 98;
}

/* A child whose stdout is FD (-1: closed); OTHER is the end that it must not have. */
static pid_t start(int fd, int other, const struct bytes *b, int64_t deadline_ms)
{
	pid_t child = fork();

	if (child == 0) {
		if (other >= 0)
			close(other);
		if (fd >= 0)
			dup2(fd, STDOUT_FILENO);
		else
			close(STDOUT_FILENO);
		if (fd > STDOUT_FILENO)
			close(fd);
		_exit(write_or_check(b, deadline_ms));
	}
	return child;
}

static const struct bytes hello = { "hello\n", 6 };

static void a_pipe(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
}

static void a_socket(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

/* A pipe, and a socket as Node gives its children one. */
static void who_is_gone_is_noticed_before(void **state)
{
	static void (*const makers[])(int[2]) = { a_pipe, a_socket };

	(void)state;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		int ends[2];

		makers[i](ends);
		close(ends[0]);
		assert_int_equal(scratch_exit_code(start(ends[1], -1, NULL, 0)), UNWRITTEN);
		assert_int_equal(scratch_exit_code(start(ends[1], -1, &hello, SOON)), UNWRITTEN);
		close(ends[1]);
	}
}

static void who_listens_is_not_mistaken(void **state)
{
	static void (*const makers[])(int[2]) = { a_pipe, a_socket };

	(void)state;
	for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
		int ends[2];

		makers[i](ends);
		assert_int_equal(scratch_exit_code(start(ends[1], -1, NULL, 0)), DONE);
		assert_int_equal(scratch_exit_code(start(ends[1], -1, &hello, SOON)), DONE);
		close(ends[1]);
		scratch_drain(ends[0], got, sizeof got);
		assert_string_equal(got, "hello\n");
		close(ends[0]);
	}
}

static void a_closed_one(void **state)
{
	(void)state;
	assert_int_equal(scratch_exit_code(start(-1, -1, NULL, 0)), UNWRITTEN);
	assert_int_equal(scratch_exit_code(start(-1, -1, &hello, SOON)), UNWRITTEN);
}

static void files_and_full_disks(void **state)
{
	int file = open(scratch_path("out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(scratch_exit_code(start(file, -1, NULL, 0)), DONE);
	assert_int_equal(scratch_exit_code(start(file, -1, &hello, SOON)), DONE);
	scratch_read(scratch_path("out"), got, sizeof got);
	assert_string_equal(got, "hello\n");
	assert_int_equal(scratch_exit_code(start(null, -1, NULL, 0)), DONE);
	assert_int_equal(scratch_exit_code(start(null, -1, &hello, SOON)), DONE);
	assert_int_equal(scratch_exit_code(start(full, -1, NULL, 0)), DONE);
	assert_int_equal(scratch_exit_code(start(full, -1, &hello, SOON)), UNWRITTEN);
	assert_int_equal(scratch_exit_code(start(full, -1, &(struct bytes){ "", 0 }, SOON)), DONE);
	close(file);
	close(full);
	close(null);
}

/* More than a pipe holds, to a reader that takes its time; with O_NONBLOCK, which some callers leave set, too. */
static void a_big_one_comes_whole(void **state)
{
	static const int flags[] = { 0, O_NONBLOCK };

	(void)state;
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)('a' + i % 23);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		int ends[2];
		pid_t child;

		a_pipe(ends);
		assert_int_equal(fcntl(ends[1], F_SETFL, flags[i]), 0);
		child = start(ends[1], ends[0], &(struct bytes){ big, sizeof big }, SOON);
		close(ends[1]);
		assert_int_equal(scratch_drain(ends[0], got, sizeof got), sizeof big);
		assert_memory_equal(got, big, sizeof big);
		close(ends[0]);
		assert_int_equal(scratch_exit_code(child), DONE);
	}
}

static void nobody_reads(void **state)
{
	int ends[2];

	(void)state;
	a_pipe(ends);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(scratch_exit_code(start(ends[1], -1, &(struct bytes){ big, sizeof big }, clock_mono_ms() + 50)), UNWRITTEN);
	close(ends[0]);
	close(ends[1]);
}

/* The reader leaves in the middle: no signal may end us, the exit code tells. */
static void a_reader_leaves(void **state)
{
	int ends[2];
	pid_t child;

	(void)state;
	a_pipe(ends);
	child = start(ends[1], ends[0], &(struct bytes){ big, sizeof big }, SOON);
	close(ends[1]);
	assert_int_equal(read(ends[0], got, 1), 1);
	close(ends[0]);
	assert_int_equal(scratch_exit_code(child), UNWRITTEN);
}

/* What others print never gets there, however much it is, and is counted; what we write does. */
static void what_strays(void)
{
	struct trouble trouble = { 0 };

	if (stdout_strayed() != 0)
		_exit(1);
	stdout_set_aside();
	stdout_set_aside();
	if (stdout_descriptor() == STDOUT_FILENO || stdout_strayed() != 0)
		_exit(2);
	if (printf("held back") != 9 || write(STDOUT_FILENO, "said", 4) != 4 || stdout_strayed() != 13 || stdout_strayed() != 0)
		_exit(3);
	for (size_t i = 0; i < 2; i++)
		if (write(STDOUT_FILENO, big, sizeof big) <= 0 || write(STDOUT_FILENO, "more", 4) != -1 || errno != EAGAIN || stdout_strayed() == 0)
			_exit(4);
	if (stdout_check(&trouble) != DONE || stdout_write(hello, SOON, &trouble) != DONE)
		_exit(5);
	_exit(0);
}

static void others_print_elsewhere(void **state)
{
	int ends[2];
	pid_t child;

	(void)state;
	a_pipe(ends);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[1]);
		if (harden_process())
			what_strays();
		_exit(99);
	}
	close(ends[1]);
	assert_int_equal(scratch_drain(ends[0], got, sizeof got), hello.n);
	assert_memory_equal(got, hello.p, hello.n);
	close(ends[0]);
	assert_int_equal(scratch_exit_code(child), 0);
}

/* A module that closes all that it does not know, and has a file of its own there then; and one that prints without end. */
static void what_is_closed(void)
{
	struct trouble trouble = { 0 };

	stdout_set_aside();
	for (int fd = STDERR_FILENO + 1; fd < 16; fd++) {
		close(fd);
		(void)!open(scratch_path("theirs"), O_RDWR | O_CREAT, 0600);
	}
	if (stdout_strayed() != STDOUT_CLOSED || stdout_strayed() != 0 || stdout_descriptor() != -1)
		_exit(1);
	if (stdout_check(&trouble) != UNWRITTEN || stdout_write(hello, SOON, &trouble) != UNWRITTEN)
		_exit(2);
	fclose(stdout);
	if (stdout_strayed() != 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0)
		_exit(3);
	_exit(0);
}

static void nothing_of_ours_goes_where_theirs_is(void **state)
{
	pid_t child = fork();
	struct stat st;

	(void)state;
	if (child == 0) {
		if (harden_process())
			what_is_closed();
		_exit(99);
	}
	assert_int_equal(scratch_exit_code(child), 0);
	assert_int_equal(stat(scratch_path("theirs"), &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void *print_for_ever(void *nothing)
{
	for (;;)
		if (write(STDOUT_FILENO, big, PIPE_BUF) < 0)
			sched_yield();
	return nothing;
}

static void who_prints_for_ever_is_not_read_for_ever(void **state)
{
	pid_t child = fork();
	pthread_t thread;

	(void)state;
	if (child == 0) {
		stdout_set_aside();
		pthread_create(&thread, NULL, print_for_ever, NULL);
		while (stdout_strayed() == 0)
			;
		_exit(0);
	}
	assert_int_equal(scratch_exit_code(child), 0);
}

/* Without a descriptor for it nothing changes. */
static void no_room_to_set_it_aside(void **state)
{
	const struct rlimit few = { 5, 5 }; /* one is free, or two: not the three that it takes */
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		setrlimit(RLIMIT_NOFILE, &few);
		stdout_set_aside();
		_exit(stdout_descriptor() == STDOUT_FILENO && stdout_strayed() == 0 && fcntl(3, F_GETFD) == -1 && fcntl(4, F_GETFD) == -1 ? 0 : 1);
	}
	assert_int_equal(scratch_exit_code(child), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_gone_is_noticed_before), cmocka_unit_test(who_listens_is_not_mistaken),
		cmocka_unit_test(a_closed_one),                  CASE(files_and_full_disks),
		cmocka_unit_test(a_big_one_comes_whole),         cmocka_unit_test(nobody_reads),
		cmocka_unit_test(a_reader_leaves),               cmocka_unit_test(others_print_elsewhere),
		cmocka_unit_test(no_room_to_set_it_aside),       CASE(nothing_of_ours_goes_where_theirs_is),
		cmocka_unit_test(who_prints_for_ever_is_not_read_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
