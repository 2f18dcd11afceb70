/* SPDX-License-Identifier: MIT */
/*
 * One call of an askpass program. posix_spawn and no fork: a keyring's library may have threads by now. Everything that can
 * happen meanwhile (bytes, the program's end, a signal to us) wakes one poll().
 */
#include "helper/base/askpass.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/base/child.h"
#include "helper/base/clock.h"
#include "helper/base/prompt.h"
#include "helper/base/watchdog.h"

#define READ_BYTES 4096
#define LAST_MS 500 /* from SIGTERM to SIGKILL; both within the watchdog's grace */

bool askpass_find(struct askpass *ret_askpass)
{
	const char *ours = secure_getenv("ALATION_CRED_ASKPASS"), *theirs = secure_getenv("SSH_ASKPASS");
	const char *x = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY"), *require = getenv("SSH_ASKPASS_REQUIRE");
	bool force = require && strcasecmp(require, "force") == 0, prefer = require && strcasecmp(require, "prefer") == 0;
	bool display = (x && *x) || (wayland && *wayland) || force;

	if (require && strcasecmp(require, "never") == 0)
		return false;
	*ret_askpass = ours ? (struct askpass){ ours, "ALATION_CRED_ASKPASS", prefer || force }
	                    : (struct askpass){ display ? theirs : NULL, "SSH_ASKPASS", prefer || force };
	return ret_askpass->program && *ret_askpass->program;
}

/* Those that end us, and the one that tells of the program's end. */
static const int caught[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define CAUGHT (sizeof caught / sizeof *caught)

/* Made once and never closed: in another thread a handler may run late. */
static int news = -1;
static volatile sig_atomic_t seen[CAUGHT];

static void note_signal(int number)
{
	const uint64_t one = 1;
	int error = errno;
	ssize_t written;

	for (size_t i = 0; i < CAUGHT; i++)
		if (caught[i] == number)
			seen[i] = 1;
	written = write(news, &one, sizeof one);
	(void)written; /* where it fails there is news already */
	errno = error;
}

struct watch {
	struct sigaction before[CAUGHT];
	sigset_t mask;
};

static bool watch_begin(struct watch *watch)
{
	const struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP };
	sigset_t child;

	if (news < 0)
		news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (news < 0)
		return false;
	for (size_t i = 0; i < CAUGHT; i++) {
		seen[i] = 0;
		sigaction(caught[i], NULL, &watch->before[i]);
		/* nohup's stay ignored. Where SIGCHLD is, nobody could ask how the program ended. */
		if (watch->before[i].sa_handler != SIG_IGN || caught[i] == SIGCHLD)
			sigaction(caught[i], &action, NULL);
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &child, &watch->mask);
	return true;
}

/* What came meanwhile takes its effect now. */
static void watch_end(const struct watch *watch)
{
	sigprocmask(SIG_SETMASK, &watch->mask, NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		sigaction(caught[i], &watch->before[i], NULL);
	for (size_t i = 0; i < CAUGHT; i++)
		if (seen[i] && caught[i] != SIGCHLD)
			kill(getpid(), caught[i]);
}

static bool is_over(void)
{
	for (size_t i = 0; i < CAUGHT; i++)
		if (seen[i] && caught[i] != SIGCHLD)
			return true;
	return false;
}

struct call {
	pid_t pid;
	int fd;              /* what it writes; -1: that has ended */
	int status;          /* waitpid's, once it has ended */
	bool ended;
	struct secret *line; /* its first, and */
	bool complete;       /* whether that is all of it */
};

/* Nothing of ours but stderr and the pipe. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int pipe_end)
{
	int error = posix_spawn_file_actions_adddup2(actions, pipe_end, STDOUT_FILENO);

	if (!error)
		error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	return error ? error : child_has_nothing_of_ours(actions, attributes, 0);
}

static int spawn(const char *program, const char *question, int pipe_end, pid_t *ret_pid)
{
	char *const argv[] = { (char *)program, (char *)question, NULL };
	char **envp = child_environment();
	int error = envp ? child_start(program, true, argv, envp, prepare, pipe_end, ret_pid) : ENOMEM;

	free(envp);
	return error;
}

static int start(const char *program, const char *question, struct call *call)
{
	int ends[2], error;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errno;
	error = fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 ? errno : spawn(program, question, ends[1], &call->pid);
	close(ends[1]);
	if (error)
		close(ends[0]);
	else
		call->fd = ends[0];
	return error;
}

static void close_pipe(struct call *call)
{
	if (call->fd >= 0)
		close(call->fd);
	call->fd = -1;
}

/* Of what is behind the first line nothing is kept. */
static bool keep(struct call *call, struct bytes b)
{
	const char *end = memchr(b.p, '\n', b.n);

	if (call->complete)
		return true;
	call->complete = end;
	b.n = end ? (size_t)(end - b.p) : b.n;
	return call->line->len + b.n <= PROMPT_MAX_BYTES + 1 && secret_append(call->line, b); /* 1: a CR */
}

/* One read: who writes for ever must not keep us from looking at the clock. *ret_more: it gave bytes. */
static bool read_once(struct call *call, bool *ret_more)
{
	char bytes[READ_BYTES];
	ssize_t n = call->fd < 0 ? 0 : read(call->fd, bytes, sizeof bytes);
	bool ok = n <= 0 || keep(call, (struct bytes){ bytes, (size_t)n });

	explicit_bzero(bytes, sizeof bytes);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_pipe(call);
	*ret_more = n > 0;
	return ok;
}

static bool has_ended(struct call *call)
{
	pid_t pid;

	if (call->ended)
		return true;
	pid = waitpid(call->pid, &call->status, WNOHANG);
	if (pid < 0 && errno != EINTR)
		call->status = -1;
	call->ended = pid > 0 || (pid < 0 && errno != EINTR);
	return call->ended;
}

/* False: DEADLINE_MS is over. */
static bool wait_for_news(const struct call *call, int64_t deadline_ms)
{
	struct pollfd fds[] = { { .fd = news, .events = POLLIN }, { .fd = call->fd, .events = POLLIN } };
	int64_t left_ms = deadline_ms - clock_mono_ms();
	uint64_t count;

	if (left_ms <= 0)
		return false;
	poll(fds, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	while (read(news, &count, sizeof count) > 0)
		;
	return true;
}

enum end { ENDED, LATE, TOO_LONG, BROKEN_OFF };

/* The pipe alone does not tell the end: what the program leaves behind in the background may hold it open. */
static enum end follow(struct call *call, int64_t deadline_ms)
{
	bool more;

	while (!has_ended(call)) {
		if (is_over())
			return BROKEN_OFF;
		if (!wait_for_news(call, deadline_ms))
			return LATE;
		if (!read_once(call, &more))
			return TOO_LONG;
	}
	do
		if (!read_once(call, &more))
			return TOO_LONG;
	while (more && !call->complete);
	return ENDED;
}

static void end_program(struct call *call)
{
	int64_t last_ms = clock_mono_ms() + LAST_MS;

	close_pipe(call);
	if (has_ended(call))
		return;
	kill(call->pid, SIGTERM);
	while (!has_ended(call))
		if (!wait_for_news(call, last_ms))
			break;
	if (has_ended(call))
		return;
	kill(call->pid, SIGKILL);
	while (waitpid(call->pid, &call->status, 0) < 0 && errno == EINTR)
		;
}

static volatile sig_atomic_t asking;

/* For an end that no code here sees: its window would stay. */
static void end_it(void)
{
	kill(asking, SIGTERM);
}

static enum outcome judge(const struct askpass *askpass, const struct call *call, enum end end, struct trouble *trouble)
{
	struct secret *line = call->line;

	if (line->len && line->bytes[line->len - 1] == '\r')
		line->len--;
	if (end == LATE)
		return trouble_say(trouble, TROUBLE_USAGE, "start it again", "'%s' had no answer in time", askpass->program);
	if (end == BROKEN_OFF)
		return trouble_say(trouble, TROUBLE_USAGE, "start it again", "the dialog was ended");
	if (end == TOO_LONG || line->len > PROMPT_MAX_BYTES)
		return trouble_say(trouble, TROUBLE_USAGE, "give one that is shorter", "the answer of '%s' is too long", askpass->program);
	if (!WIFEXITED(call->status) || WEXITSTATUS(call->status) != 0 || (!line->len && !call->complete))
		return trouble_say(trouble, TROUBLE_USAGE, "start it again", "'%s' gave no answer", askpass->program);
	return DONE;
}

enum outcome askpass_ask(const struct askpass *askpass, const char *question, int64_t deadline_ms, struct secret *ret_answer,
                         struct trouble *trouble)
{
	SECRET line = { 0 };
	struct call call = { .fd = -1, .line = &line };
	struct watch watch;
	enum outcome outcome;
	enum end end;
	int error;

	if (!watch_begin(&watch))
		return trouble_say(trouble, TROUBLE_USAGE, "", "nothing can be started to ask: %s", strerror(errno));
	error = start(askpass->program, question, &call);
	if (error) {
		outcome = trouble_say(trouble, TROUBLE_USAGE, "name a program that asks, or ask on a terminal", "'%s', which %s names, cannot be started: %s",
		                      askpass->program, askpass->variable, strerror(error));
	} else {
		asking = call.pid;
		watchdog_before_end(end_it);
		end = follow(&call, deadline_ms);
		end_program(&call);
		watchdog_before_end(NULL);
		outcome = judge(askpass, &call, end, trouble);
	}
	/* Before a signal may end us. */
	if (outcome != DONE)
		secret_wipe(&line);
	watch_end(&watch);
	if (outcome == DONE)
		secret_move(ret_answer, &line);
	return outcome;
}
