/* SPDX-License-Identifier: MIT */
/*
 * The terminal: questions, and answers without echo. The terminal's state is put back before any signal that
 * came meanwhile takes its effect. Which of terminal and askpass asks for a secret is decided here.
 */
#include "helper/base/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "helper/base/askpass.h"
#include "helper/base/clock.h"
#include "helper/base/watchdog.h"

#define NO_DEADLINE 0
#define LINE_MAX_BYTES 4095 /* what is typed beyond them is dropped by the kernel: so much may be the beginning of more */
#define ASKPASS_MS 600000 /* where nothing else limits it: whoever went away must not leave us waiting for ever */

/* All that would end or stop us, and that somebody sends; those of a fault in the program end it as it is. SIGCONT comes after
 * a stop that nobody can catch: by then the shell has set the terminal for itself, and it echoes. */
static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM,
	SIGPROF, SIGXCPU, SIGIO, SIGPWR };
#define CAUGHT (sizeof caught / sizeof *caught)

/* Whether any of them came, and which. */
static volatile sig_atomic_t came, seen[_NSIG];

static volatile pid_t asker; /* the thread that asks */

/* A keyring's library has threads of its own, and a signal that one of them got would wake nobody. */
static void note_signal(int number)
{
	int error = errno;

	if (gettid() != asker) {
		tgkill(getpid(), asker, number);
		errno = error;
		return;
	}
	seen[number] = 1;
	came = 1;
}

/* Their own dispositions are back, and so is the terminal: let each do what it does. */
static void pass_on(void)
{
	for (size_t i = 0; i < CAUGHT; i++) {
		if (!seen[caught[i]])
			continue;
		seen[caught[i]] = 0;
		kill(getpid(), caught[i]);
	}
}

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

bool prompt_possible(void)
{
	int fd = open_terminal();

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void show(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR && !came)
			continue;
		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}

static void show_lines(const char *text, bool drop_typed)
{
	int fd = open_terminal();

	if (fd < 0)
		return;
	if (drop_typed && tcgetpgrp(fd) == getpgrp())
		tcflush(fd, TCIFLUSH);
	show(fd, text);
	close(fd);
}

void prompt_show(const char *text)
{
	show_lines(text, false);
}

void prompt_again(const char *text)
{
	show_lines(text, true);
}

/* What is left until DEADLINE_MS, for ppoll. */
static struct timespec *left_until(int64_t deadline_ms, struct timespec *left)
{
	int64_t left_ms = deadline_ms - clock_mono_ms();

	if (deadline_ms == NO_DEADLINE)
		return NULL;
	left_ms = left_ms < 0 ? 0 : left_ms;
	*left = (struct timespec){ left_ms / 1000, (long)(left_ms % 1000) * 1000000 };
	return left;
}

/* Waits for input; false: a signal came, the time is over, or the wait failed. Between the look at `came` and the wait no
 * signal gets through: a Ctrl-C would be lost there. */
static bool wait_for_input(int fd, int64_t deadline_ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	struct timespec left;
	sigset_t ours, before;
	int n = -1;

	sigemptyset(&ours);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaddset(&ours, caught[i]);
	sigprocmask(SIG_BLOCK, &ours, &before);
	do
		n = came ? -1 : ppoll(&in, 1, left_until(deadline_ms, &left), &before);
	while (n < 0 && !came && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n > 0 && !came;
}

enum line { LINE_READ, LINE_TOO_LONG, LINE_NONE };

/* Reads up to a line end. NONE: the terminal ended, the time is over, or a signal came. */
static enum line read_line(int fd, int64_t deadline_ms, struct secret *line)
{
	char byte;

	for (;;) {
		ssize_t n;

		/* In the background read() is what stops the process. */
		if (tcgetpgrp(fd) == getpgrp() && !wait_for_input(fd, deadline_ms))
			return LINE_NONE;
		n = read(fd, &byte, 1);
		if (n < 0 && errno == EINTR && !came)
			continue;
		if (n <= 0)
			return LINE_NONE;
		if (byte == '\n')
			return line->len < LINE_MAX_BYTES ? LINE_READ : LINE_TOO_LONG;
		if (line->len >= PROMPT_MAX_BYTES || !secret_append(line, (struct bytes){ &byte, 1 }))
			return LINE_TOO_LONG;
		explicit_bzero(&byte, 1);
	}
}

/* Adds what a paste has brought behind its first line, without the line ends at its end: half of a secret must not be taken for
 * it, nor its rest for the next answer. Where the terminal gives no whole lines, a line that has no end yet can be read too. */
static enum line read_rest(int fd, const struct termios *quiet, struct secret *line)
{
	struct termios unbuffered = *quiet;
	size_t first = line->len;
	char byte = '\n';
	ssize_t n = 1;

	unbuffered.c_lflag &= ~(tcflag_t)ICANON;
	unbuffered.c_cc[VMIN] = 0;
	unbuffered.c_cc[VTIME] = 0;
	if (tcgetpgrp(fd) != getpgrp() || tcsetattr(fd, TCSANOW, &unbuffered) != 0)
		return LINE_READ;
	while (n > 0 && line->len < PROMPT_MAX_BYTES && secret_append(line, (struct bytes){ &byte, 1 }))
		n = read(fd, &byte, 1);
	explicit_bzero(&byte, 1);
	if (n > 0)
		return LINE_TOO_LONG;
	while (line->len > first && (line->bytes[line->len - 1] == '\n' || line->bytes[line->len - 1] == '\r'))
		line->len--;
	return LINE_READ;
}

static struct {
	int fd;
	struct termios before;
} silenced;

/* For an end that no code here sees. TCSANOW: nobody may be waited for. */
static void give_echo_back(void)
{
	if (tcgetpgrp(silenced.fd) == getpgrp())
		tcsetattr(silenced.fd, TCSANOW, &silenced.before);
}

/* One try with the terminal set for it; `came` says whether a signal ended it. */
static enum line ask_once(int fd, const char *question, bool hidden, int64_t deadline_ms, struct secret *line)
{
	struct sigaction old[CAUGHT], action = { .sa_handler = note_signal };
	struct termios before, quiet;
	enum line got = LINE_NONE;
	bool changed = false;

	came = 0;
	asker = gettid();
	for (size_t i = 0; i < CAUGHT; i++) {
		/* What was ignored stays so (nohup; a shell's background): to ask again at each would be for ever. */
		sigaction(caught[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
	if (hidden && tcgetattr(fd, &before) == 0) {
		silenced.fd = fd;
		silenced.before = before;
		watchdog_before_end(give_echo_back);
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		changed = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	}
	if (changed || !hidden) {
		show(fd, question);
		got = read_line(fd, deadline_ms, line);
	}
	if (changed && got == LINE_READ)
		got = read_rest(fd, &quiet, line);
	if (changed) {
		show(fd, "\n");
		/* In the background the terminal is the shell's, which sets it for itself; to insist would be SIGTTOU
		 * for ever. */
		while (tcgetpgrp(fd) == getpgrp() && tcsetattr(fd, TCSAFLUSH, &before) != 0 && errno == EINTR)
			;
	}
	watchdog_before_end(NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &old[i], NULL);
	return got;
}

static enum outcome ask_on_terminal(const char *question, bool hidden, int64_t deadline_ms, struct secret *ret_answer,
                                    struct trouble *trouble)
{
	int fd = open_terminal();
	SECRET line = { 0 };
	enum line got;

	if (fd < 0)
		return trouble_say(trouble, TROUBLE_USAGE, "", "there is no terminal to ask on");
	for (;;) {
		secret_wipe(&line);
		got = ask_once(fd, question, hidden, deadline_ms, &line);
		if (!came)
			break;
		pass_on();
	}
	close(fd);
	if (got == LINE_TOO_LONG)
		return trouble_say(trouble, TROUBLE_USAGE, "what is longer can only come on stdin or from a file", "the answer has more than the %d bytes that a terminal takes on a line",
		                   LINE_MAX_BYTES - 1);
	if (got == LINE_NONE && deadline_ms != NO_DEADLINE && clock_mono_ms() >= deadline_ms)
		return trouble_say(trouble, TROUBLE_USAGE, "start it again", "nobody answered in time");
	if (got == LINE_NONE)
		return trouble_say(trouble, TROUBLE_USAGE, "start it again", "the dialog was ended");
	secret_move(ret_answer, &line);
	return DONE;
}

enum outcome prompt_ask(const char *question, bool hidden, struct secret *ret_answer, struct trouble *trouble)
{
	return ask_on_terminal(question, hidden, NO_DEADLINE, ret_answer, trouble);
}

bool prompt_secret_possible(void)
{
	struct askpass askpass;

	return askpass_find(&askpass) || prompt_possible();
}

enum outcome prompt_secret(const char *question, int64_t deadline_ms, struct secret *ret_answer, struct trouble *trouble)
{
	struct askpass askpass;

	if (!askpass_find(&askpass) || (!askpass.comes_first && prompt_possible()))
		return ask_on_terminal(question, true, deadline_ms, ret_answer, trouble);
	if (deadline_ms == NO_DEADLINE)
		deadline_ms = clock_mono_ms() + ASKPASS_MS;
	return askpass_ask(&askpass, question, deadline_ms, ret_answer, trouble);
}
