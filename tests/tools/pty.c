/* SPDX-License-Identifier: MIT */
/*
 * Plays a person: runs a command on a terminal of its own and follows a dialog that stands on stdin, a step a line:
 *
 *   expect TEXT   until TEXT was shown, after what was expected before
 *   send TEXT     types TEXT and Enter
 *   type TEXT     the same without Enter
 *   press C       Ctrl-C and the like; I is Tab
 *   echo on|off   until the terminal shows what is typed, or does not
 *   wait MS       the person takes time
 *
 * Then waits for the command's end. stdout is everything the terminal showed; the exit code is the command's, 128 and
 * the signal where one ended it, or 99 for a step that did not come true (stderr says which).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 15000
#define POLL_MS 20
#define TRANSCRIPT_MAX_BYTES 262144
#define EXIT_STEP 99

static struct {
	int fd;
	pid_t pid;
	char text[TRANSCRIPT_MAX_BYTES + 1];
	size_t n, seen; /* what was expected ends at SEEN */
	bool ended;     /* nobody has the terminal open any more */
} terminal;

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int show(int code)
{
	fwrite(terminal.text, 1, terminal.n, stdout);
	return fflush(stdout) == 0 ? code : EXIT_STEP;
}

static void fail(const char *step)
{
	fprintf(stderr, "pty: did not come true: %s\n", step);
	kill(terminal.pid, SIGKILL);
	exit(show(EXIT_STEP));
}

/* Takes what was shown, waiting up to POLL_MS for it. */
static void listen_once(void)
{
	struct pollfd in = { .fd = terminal.fd, .events = POLLIN };
	ssize_t n;

	if (terminal.ended || poll(&in, 1, POLL_MS) <= 0)
		return;
	n = read(terminal.fd, terminal.text + terminal.n, TRANSCRIPT_MAX_BYTES - terminal.n);
	if (n > 0)
		terminal.n += (size_t)n;
	else if (n == 0 || errno != EINTR)
		terminal.ended = true; /* EIO */
	terminal.text[terminal.n] = '\0';
}

static bool shown(const char *text)
{
	char *at = strstr(terminal.text + terminal.seen, text);

	if (at)
		terminal.seen = (size_t)(at - terminal.text) + strlen(text);
	return at;
}

static bool echo_is(const char *word)
{
	struct termios mode;

	return tcgetattr(terminal.fd, &mode) == 0 && !!(mode.c_lflag & ECHO) == (strcmp(word, "on") == 0);
}

static bool time_is_over(const char *end_ms)
{
	return now_ms() >= strtoll(end_ms, NULL, 10);
}

static void until(bool (*true_now)(const char *), const char *argument, const char *step)
{
	long long end_ms = now_ms() + STEP_MS;

	while (!true_now(argument)) {
		if (now_ms() >= end_ms || terminal.ended)
			fail(step);
		listen_once();
	}
}

static void type(const char *text, size_t n, const char *step)
{
	if (write(terminal.fd, text, n) != (ssize_t)n)
		fail(step);
}

static void paste(char *text, const char *step)
{
	static const char names[] = "rnts", meant[] = "\r\n\t ";
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		const char *name = *p == '\\' && p[1] ? strchr(names, p[1]) : NULL;

		text[n++] = name ? meant[name - names] : *p;
		p += name != NULL;
	}
	type(text, n, step);
}

static void fill(long n, const char *step)
{
	for (; n > 0; n--)
		type("x", 1, step);
	type("\n", 1, step);
}

static void resize(char *argument, const char *step)
{
	struct winsize size = { 0 };

	size.ws_row = (unsigned short)strtoul(argument, &argument, 10);
	size.ws_col = (unsigned short)strtoul(argument, NULL, 10);
	if (ioctl(terminal.fd, TIOCSWINSZ, &size) != 0)
		fail(step);
}

static void follow(char *step)
{
	char *argument = step + strcspn(step, " "), end[32], control;
	size_t word = (size_t)(argument - step);

	argument += *argument == ' ';
	if (strncmp(step, "expect", word) == 0) {
		until(shown, argument, step);
	} else if (strncmp(step, "send", word) == 0) {
		type(argument, strlen(argument), step);
		type("\n", 1, step);
	} else if (strncmp(step, "type", word) == 0) {
		type(argument, strlen(argument), step);
	} else if (strncmp(step, "press", word) == 0) {
		control = *argument & 0x1f;
		type(&control, 1, step);
	} else if (strncmp(step, "paste", word) == 0) {
		paste(argument, step);
	} else if (strncmp(step, "fill", word) == 0) {
		fill(strtol(argument, NULL, 10), step);
	} else if (strncmp(step, "signal", word) == 0) {
		if (kill(-tcgetpgrp(terminal.fd), (int)strtol(argument, NULL, 10)) != 0)
			fail(step);
	} else if (strncmp(step, "size", word) == 0) {
		resize(argument, step);
	} else if (strncmp(step, "echo", word) == 0) {
		until(echo_is, argument, step);
	} else if (strncmp(step, "wait", word) == 0) {
		snprintf(end, sizeof end, "%lld", now_ms() + strtoll(argument, NULL, 10));
		until(time_is_over, end, step);
	} else {
		fail(step);
	}
}

static void become(char *const command[], const char *name)
{
	int fd;

	setsid();
	fd = open(name, O_RDWR); /* the first terminal that a session's leader opens is its own */
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (fd > 2)
		close(fd);
	execvp(command[0], command);
	_exit(127);
}

static void start(char *const command[])
{
	static const struct winsize size = { .ws_row = 24, .ws_col = 80 };

	terminal.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal.fd < 0 || grantpt(terminal.fd) != 0 || unlockpt(terminal.fd) != 0) {
		perror("pty");
		exit(EXIT_STEP);
	}
	ioctl(terminal.fd, TIOCSWINSZ, &size);
	terminal.pid = fork();
	if (terminal.pid == 0)
		become(command, ptsname(terminal.fd));
	if (terminal.pid < 0)
		exit(EXIT_STEP);
}

/* The command has ended when nobody has its terminal open, or when it is a zombie. */
static int wait_end(void)
{
	long long end_ms = now_ms() + 2 * STEP_MS;
	int status;
	pid_t gone;

	while ((gone = waitpid(terminal.pid, &status, WNOHANG)) == 0) {
		if (now_ms() >= end_ms)
			fail("the command's end");
		listen_once();
		if (terminal.ended)
			poll(NULL, 0, POLL_MS);
	}
	while (!terminal.ended && terminal.n < TRANSCRIPT_MAX_BYTES) { /* what it showed last */
		size_t before = terminal.n;

		listen_once();
		if (terminal.n == before)
			break;
	}
	if (gone < 0)
		return EXIT_STEP;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	char step[4096];

	if (argc < 2) {
		fprintf(stderr, "usage: pty COMMAND [ARGUMENT...] <DIALOG\n");
		return EXIT_STEP;
	}
	start(argv + 1);
	while (fgets(step, sizeof step, stdin)) {
		step[strcspn(step, "\n")] = '\0';
		if (step[0])
			follow(step);
	}
	return show(wait_end());
}
