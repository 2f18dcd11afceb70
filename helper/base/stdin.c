/* SPDX-License-Identifier: MIT */
/*
 * Bounded reads of stdin, and looks at it. Never sets O_NONBLOCK on it: the descriptor's flags are shared with the
 * caller. A look moves no offset and takes no byte: what lies there may be a script's next lines.
 */
#include "helper/base/stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/clock.h"

#define READ_BYTES 4096

static bool wait_for_bytes(int64_t deadline_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	for (;;) {
		int64_t left = deadline_ms - clock_mono_ms();
		int n;

		if (left <= 0)
			return false;
		n = poll(&in, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n != 0 && (n > 0 || errno != EINTR))
			return true;
	}
}

/* Cuts *content before its first empty line, if one is complete. Before byte FROM there was none. */
static bool cut_paragraph(struct secret *content, size_t from)
{
	const char *p = content->bytes, *end;

	if (content->len > 0 && p[0] == '\n') {
		content->len = 0;
		return true;
	}
	if (from > 0)
		from--;
	end = memmem(p + from, content->len - from, "\n\n", 2);
	if (end)
		content->len = (size_t)(end + 1 - p);
	return end != NULL;
}

static enum outcome read_it(size_t max_bytes, int64_t deadline_ms, bool paragraph, struct secret *ret_content,
                            struct trouble *trouble)
{
	const char *remedy = paragraph ? "end the request with an empty line, or close stdin"
	                               : "write the secret to stdin and close it";
	SECRET content = { 0 };
	bool ended = false;

	while (!ended) {
		size_t before = content.len;
		ssize_t n;

		if (!wait_for_bytes(deadline_ms))
			return trouble_say(trouble, TROUBLE_USAGE, remedy, "nothing more came on stdin, and it did not end");
		if (!secret_reserve(&content, READ_BYTES))
			return trouble_say(trouble, TROUBLE_USAGE, "", "no memory for what is on stdin");
		n = read(STDIN_FILENO, content.bytes + content.len, content.room - content.len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return trouble_say(trouble, TROUBLE_USAGE, "connect stdin to a file or a pipe", "stdin cannot be read: %s", strerror(errno));
		content.len += (size_t)n;
		ended = n == 0 || (paragraph && cut_paragraph(&content, before));
		if (content.len > max_bytes)
			return trouble_say(trouble, TROUBLE_USAGE, "write less, and close stdin", "more than %zu bytes on stdin", max_bytes);
	}
	secret_move(ret_content, &content);
	return DONE;
}

enum outcome stdin_read(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content, struct trouble *trouble)
{
	return read_it(max_bytes, deadline_ms, false, ret_content, trouble);
}

enum outcome stdin_read_paragraph(size_t max_bytes, int64_t deadline_ms, struct secret *ret_content,
                                  struct trouble *trouble)
{
	return read_it(max_bytes, deadline_ms, true, ret_content, trouble);
}

/* Whether the other side is gone for good. It shows while there still are bytes, unlike the end that read() gives. */
static bool hung_up(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN | POLLRDHUP };

	return poll(&in, 1, 0) > 0 && (in.revents & (POLLHUP | POLLRDHUP));
}

/* Takes the N bytes that tee() has put into the pipe FD. */
static bool take_copy(int fd, size_t n, struct secret *content)
{
	while (n > 0) {
		ssize_t got = read(fd, content->bytes + content->len, n);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			return false;
		content->len += got > 0 ? (size_t)got : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
	return true;
}

/* As recv() with MSG_PEEK, for a pipe: -1 and EAGAIN where nothing lies there, 0 at its end. */
static ssize_t peek_pipe(size_t want, struct secret *content)
{
	int copy[2], size = fcntl(STDIN_FILENO, F_GETPIPE_SZ);
	ssize_t n;

	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	/* A pipe is full by its pages, and a page may hold one byte: ours needs as many. Without them we see less. */
	if (size > fcntl(copy[1], F_GETPIPE_SZ))
		(void)fcntl(copy[1], F_SETPIPE_SZ, size);
	do
		n = tee(STDIN_FILENO, copy[1], want, SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	if (n > 0 && !take_copy(copy[0], (size_t)n, content)) {
		n = -1;
		errno = EIO;
	}
	int error = errno;

	close(copy[0]);
	close(copy[1]);
	errno = error;
	return n;
}

static ssize_t peek_socket(size_t want, struct secret *content)
{
	ssize_t n;

	do
		n = recv(STDIN_FILENO, content->bytes, want, MSG_PEEK | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	content->len = n > 0 ? (size_t)n : 0;
	return n;
}

static bool look_at_stream(ssize_t (*peek)(size_t, struct secret *), struct secret *content, bool *ret_ended)
{
	/* In this order: once it has hung up nothing is added, and what is counted then is all there is. */
	bool last = hung_up();
	int there = 0;
	size_t want;
	ssize_t n;

	if (ioctl(STDIN_FILENO, FIONREAD, &there) != 0 || there < 0)
		return false;
	want = (size_t)there > STDIN_LOOK_MAX_BYTES ? STDIN_LOOK_MAX_BYTES : (size_t)there;
	/* Where nothing is, the end has yet to be told from silence. */
	want += want == 0;
	if (!secret_reserve(content, want))
		return false;
	n = peek(want, content);
	if (n < 0 && errno != EAGAIN)
		return false;
	*ret_ended = n == 0 || (last && n >= there);
	return true;
}

static bool look_at_file(struct secret *content, bool *ret_ended)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	ssize_t n = 1;

	/* What it says of its size is not asked: below /proc that is 0. */
	while (at >= 0 && n != 0 && content->len < STDIN_LOOK_MAX_BYTES) {
		if (!secret_reserve(content, READ_BYTES))
			return false;
		n = pread(STDIN_FILENO, content->bytes + content->len, READ_BYTES, at + (off_t)content->len);
		if (n < 0 && errno != EINTR)
			return false;
		content->len += n > 0 ? (size_t)n : 0;
	}
	*ret_ended = n == 0;
	return at >= 0;
}

bool stdin_look(struct secret *ret_content, bool *ret_ended)
{
	SECRET content = { 0 };
	bool ended = false, seen;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) != 0)
		return false;
	if (S_ISFIFO(st.st_mode))
		seen = look_at_stream(peek_pipe, &content, &ended);
	else if (S_ISSOCK(st.st_mode))
		seen = look_at_stream(peek_socket, &content, &ended);
	else
		seen = S_ISREG(st.st_mode) && look_at_file(&content, &ended);
	if (!seen)
		return false;
	secret_move(ret_content, &content);
	*ret_ended = ended;
	return true;
}

void stdin_skip(size_t n)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char bytes[READ_BYTES];

	/* Somebody else who reads it may have been faster: then there is nothing to wait for. */
	while (n > 0 && poll(&in, 1, 0) > 0) {
		ssize_t got = read(STDIN_FILENO, bytes, n < sizeof bytes ? n : sizeof bytes);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			break;
		n -= got > 0 ? (size_t)got : 0;
	}
	explicit_bzero(bytes, sizeof bytes);
}
