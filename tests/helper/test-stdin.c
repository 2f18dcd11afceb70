/* SPDX-License-Identifier: MIT */
/*
 * stdin.c: all of it or nothing, within its bounds, and the descriptor as it was. Each case is a child with a
 * stdin of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "helper/base/clock.h"
#include "helper/base/stdin.h"
#include "tests/helper/scratch.h"

#define SOON (clock_mono_ms() + 20000)
#define MAX_BYTES 20000

static char content[MAX_BYTES + 5000];

typedef enum outcome reader(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble);

/* In the child: reads, and says in its exit code whether that came out as it should. WANT: NULL for USAGE. */
static int read_it(reader *read_in, size_t max_bytes, int64_t deadline_ms, const struct bytes *want)
{
	SECRET secret = { 0 };
	struct trouble trouble = { 0 };
	int flags = fcntl(STDIN_FILENO, F_GETFL);
	enum outcome outcome;

	if (!secret_append(&secret, bytes_of("as it was")))
		return 2;
	outcome = read_in(max_bytes, deadline_ms, &secret, &trouble);
	if (fcntl(STDIN_FILENO, F_GETFL) != flags)
		return 3;
	if (!want)
		return outcome == USAGE && trouble.code == TROUBLE_USAGE && bytes_are(secret_view(&secret), "as it was") ? 0 : 4;
	return outcome == DONE && secret_equal(secret_view(&secret), *want) ? 0 : 5;
}

static pid_t start(reader *read_in, int fd, int other, size_t max_bytes, int64_t deadline_ms, const struct bytes *want)
{
	pid_t child = fork();

	if (child == 0) {
		if (other >= 0)
			close(other);
		if (fd >= 0)
			dup2(fd, STDIN_FILENO);
		else
			close(STDIN_FILENO);
		_exit(read_it(read_in, max_bytes, deadline_ms, want));
	}
	return child;
}

/* N bytes from a pipe that then ends, written in pieces; OK where they are to be read. */
static void feed(size_t n, size_t piece, int flags, bool ok)
{
	struct bytes want = { content, n };
	int ends[2];
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, flags), 0);
	child = start(stdin_read, ends[0], ends[1], MAX_BYTES, SOON, ok ? &want : NULL);
	for (size_t at = 0; at < n; at += piece)
		assert_true(write(ends[1], content + at, n - at < piece ? n - at : piece) > 0);
	close(ends[1]);
	close(ends[0]);
	assert_int_equal(scratch_exit_code(child), 0);
}

static void all_of_it_is_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 4096, 4097, MAX_BYTES - 1, MAX_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)(i * 7); /* NULs, line ends and all */
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		feed(sizes[i], sizeof content, 0, true);
		feed(sizes[i], 997, 0, true);
		/* a terminal or pipe that somebody set so; we wait all the same, and leave it so */
		feed(sizes[i], 997, O_NONBLOCK, true);
	}
}

static void more_than_may_be_is_refused(void **state)
{
	(void)state;
	feed(MAX_BYTES + 1, sizeof content, 0, false);
	feed(MAX_BYTES + 4096, sizeof content, 0, false);
}

/* Whoever was to write it never did, or never ended. */
static void the_deadline_holds(void **state)
{
	static const char *const written[] = { "", "half a secr" };

	(void)state;
	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		int ends[2];

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		assert_int_equal(write(ends[1], written[i], strlen(written[i])), strlen(written[i]));
		assert_int_equal(scratch_exit_code(start(stdin_read, ends[0], -1, MAX_BYTES, clock_mono_ms() + 50, NULL)), 0);
		assert_int_equal(scratch_exit_code(start(stdin_read, ends[0], -1, MAX_BYTES, 0, NULL)), 0);
		close(ends[0]);
		close(ends[1]);
	}
}

/* One that never stops writing: the bound holds without the end. */
static void an_endless_one_is_refused(void **state)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(scratch_exit_code(start(stdin_read, zero, -1, MAX_BYTES, SOON, NULL)), 0);
	close(zero);
}

static void other_kinds(void **state)
{
	const struct bytes word = { "word\n", 5 }, nothing = { "", 0 };
	int file, null = open("/dev/null", O_RDONLY | O_CLOEXEC), dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	scratch_write(scratch_path("in"), word.p, word.n);
	file = open(scratch_path("in"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(scratch_exit_code(start(stdin_read, file, -1, MAX_BYTES, SOON, &word)), 0);
	assert_int_equal(scratch_exit_code(start(stdin_read, null, -1, MAX_BYTES, SOON, &nothing)), 0);
	assert_int_equal(scratch_exit_code(start(stdin_read, dir, -1, MAX_BYTES, SOON, NULL)), 0);
	assert_int_equal(scratch_exit_code(start(stdin_read, -1, -1, MAX_BYTES, SOON, NULL)), 0);
	close(file);
	close(null);
	close(dir);
}

/* What is written, in pieces of PIECE bytes and without an end, and what of it is the paragraph. Small pieces are
 * packets, so that each is read alone. */
static void feed_paragraph(struct bytes text, size_t piece, size_t max_bytes, const struct bytes *want)
{
	int ends[2];
	pid_t child;

	if (piece < 1000)
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	else
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = start(stdin_read_paragraph, ends[0], -1, max_bytes, SOON, want);
	for (size_t at = 0; at < text.n; at += piece)
		assert_true(write(ends[1], text.p + at, text.n - at < piece ? text.n - at : piece) > 0);
	assert_int_equal(scratch_exit_code(child), 0);
	close(ends[1]);
	close(ends[0]);
}

static void a_paragraph_needs_no_end(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "\n", "" },
		{ "\na=b\n\n", "" },
		{ "a=b\n\n", "a=b\n" },
		{ "a=b\nc=d\n\n", "a=b\nc=d\n" },
		{ "a\n\n\n", "a\n" },
		{ "a\n\nb\n\n", "a\n" },
		{ "a\r\n\r\n\n\n", "a\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bytes text = bytes_of(rows[i].text), want = bytes_of(rows[i].want);

		feed_paragraph(text, text.n, MAX_BYTES, &want);
		feed_paragraph(text, 1, MAX_BYTES, &want);
		feed_paragraph(text, 2, MAX_BYTES, &want);
	}
}

static void a_paragraph_may_end_with_stdin(void **state)
{
	static const char *const texts[] = { "", "a=b", "a=b\n", "a\nb\nc" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct bytes want = bytes_of(texts[i]);
		int ends[2];
		pid_t child;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		child = start(stdin_read_paragraph, ends[0], ends[1], MAX_BYTES, SOON, &want);
		assert_int_equal(write(ends[1], want.p, want.n), want.n);
		close(ends[1]);
		assert_int_equal(scratch_exit_code(child), 0);
		close(ends[0]);
	}
}

/* The bound is that of the paragraph: neither its empty line nor what follows counts. */
static void a_paragraph_has_its_bound(void **state)
{
	struct bytes text = { content, MAX_BYTES + 5 }, want = { content, MAX_BYTES }, less = { content, MAX_BYTES - 1 };

	(void)state;
	memset(content, 'x', sizeof content);
	memcpy(content + MAX_BYTES - 1, "\n\nyyyy", 6);
	feed_paragraph(text, text.n, MAX_BYTES, &want);
	feed_paragraph(text, 997, MAX_BYTES, &want);
	feed_paragraph(text, text.n, MAX_BYTES - 1, NULL);
	feed_paragraph(text, 997, MAX_BYTES - 1, NULL);
	/* no empty line in sight */
	content[MAX_BYTES] = 'x';
	feed_paragraph(text, text.n, MAX_BYTES, NULL);
	memcpy(content + MAX_BYTES - 2, "\n\n", 2);
	feed_paragraph(text, MAX_BYTES - 1, MAX_BYTES - 1, &less);
}

/* The remedy is that of a request. */
static void a_paragraph_has_its_deadline(void **state)
{
	int ends[2];
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "host=h\n", 7), 7);
	child = fork();
	if (child == 0) {
		SECRET secret = { 0 };
		struct trouble trouble = { 0 };

		dup2(ends[0], STDIN_FILENO);
		if (stdin_read_paragraph(MAX_BYTES, clock_mono_ms() + 50, &secret, &trouble) != USAGE || secret.len != 0)
			_exit(2);
		if (strcmp(trouble.message, "nothing more came on stdin, and it did not end") != 0)
			_exit(3);
		_exit(strcmp(trouble.remedy, "end the request with an empty line, or close stdin") == 0 ? 0 : 4);
	}
	assert_int_equal(scratch_exit_code(child), 0);
	close(ends[0]);
	close(ends[1]);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_read),
		cmocka_unit_test(more_than_may_be_is_refused),
		cmocka_unit_test(the_deadline_holds),
		cmocka_unit_test(an_endless_one_is_refused),
		CASE(other_kinds),
		cmocka_unit_test(a_paragraph_needs_no_end),
		cmocka_unit_test(a_paragraph_may_end_with_stdin),
		cmocka_unit_test(a_paragraph_has_its_bound),
		cmocka_unit_test(a_paragraph_has_its_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
