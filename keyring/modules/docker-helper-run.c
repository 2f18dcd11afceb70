/* SPDX-License-Identifier: MIT */
/*
 * One run of a helper. It has three pipes and nothing else of ours, no terminal, and the call's deadline, at which its whole
 * process group is ended. Knows no JSON and no words.
 *
 * fork and exec, because posix_spawn can neither run what was looked at (a descriptor) nor have a child end with us. Between
 * the two only system calls are made: a keyring's library may have threads by now.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keyring/modules/docker-helper.h"

#define LAST_MS 500        /* from SIGTERM to SIGKILL; within the host's grace after a deadline */
#define LOOK_AGAIN_MS 20   /* where the kernel has no pidfd_open */
#define DISCARD_MAX 64     /* reads of what it left on stderr; more than a pipe holds */
#define FD_FILE 3          /* in the child */
#define FD_REPORT 4
#define FD_OWN 10          /* in the child, before they get the numbers they are to have */

enum pipes { IN, OUT, ERR, REPORT, PIPES };

struct child {
	pid_t pid;
	int fd[PIPES]; /* our ends; -1: closed */
	int pidfd;     /* -1: there is none */
};

struct signals {
	struct sigaction child, pipe;
};

static int64_t now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Where SIGCHLD is ignored nobody could ask how it ended; a helper that does not read must not end us. */
static void signals_begin(struct signals *before)
{
	const struct sigaction as_usual = { .sa_handler = SIG_DFL }, ignored = { .sa_handler = SIG_IGN };

	sigaction(SIGCHLD, NULL, &before->child);
	if (before->child.sa_handler == SIG_IGN || (before->child.sa_flags & SA_NOCLDWAIT))
		sigaction(SIGCHLD, &as_usual, NULL);
	sigaction(SIGPIPE, &ignored, &before->pipe);
}

static void signals_end(const struct signals *before)
{
	sigaction(SIGCHLD, &before->child, NULL);
	sigaction(SIGPIPE, &before->pipe, NULL);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void give_up(int report)
{
	int error = errno;

	if (write(report, &error, sizeof error) < 0)
		_exit(126);
	_exit(127);
}

/* The numbers below FD_OWN may be anything: first all are lifted above it. */
static void place_descriptors(int theirs[PIPES], int file)
{
	int own[PIPES], own_file = fcntl(file, F_DUPFD_CLOEXEC, FD_OWN);

	for (int i = 0; i < PIPES; i++)
		own[i] = fcntl(theirs[i], F_DUPFD_CLOEXEC, FD_OWN);
	if (dup3(own[REPORT], FD_REPORT, O_CLOEXEC) < 0)
		_exit(127);
	if (own_file < 0 || dup3(own_file, FD_FILE, O_CLOEXEC) < 0 || dup2(own[IN], STDIN_FILENO) < 0 ||
	    dup2(own[OUT], STDOUT_FILENO) < 0 || dup2(own[ERR], STDERR_FILENO) < 0)
		give_up(FD_REPORT);
	closefrom(FD_REPORT + 1);
}

static void reset_signals(void)
{
	const struct sigaction as_usual = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &as_usual, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

struct plan { /* of the child, made before there is one */
	const struct docker_file *file;
	enum docker_kind kind;
	pid_t parent;
	char *const *argv, *const *envp;
};

static void become(const struct plan *plan, int theirs[PIPES])
{
	reset_signals();
	place_descriptors(theirs, plan->file->fd);
	/* No terminal: nobody is asked behind our back, and Ctrl-C breaks off no store. */
	setsid();
	if (plan->kind == DOCKER_LOOKS) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != plan->parent)
			_exit(127);
	}
	/* An interpreter opens its script anew, by name; only root and the user can have put another there. */
	if (plan->file->script)
		execve(plan->file->path, plan->argv, plan->envp);
	else
		fexecve(FD_FILE, plan->argv, plan->envp);
	give_up(FD_REPORT);
}

/* How it ended; a failure, where somebody else has asked that first. */
static int take(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return W_EXITCODE(255, 0);
	return status;
}

static int make_pipes(int ours[PIPES], int theirs[PIPES])
{
	for (int i = 0; i < PIPES; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) != 0)
			return errno;
		ours[i] = ends[i == IN ? 1 : 0];
		theirs[i] = ends[i == IN ? 0 : 1];
		if (i != REPORT && fcntl(ours[i], F_SETFL, O_NONBLOCK) != 0)
			return errno;
	}
	return 0;
}

/* 0: the program runs. Else an errno, and nothing does. */
static int start(const struct plan *plan, struct child *ret)
{
	int theirs[PIPES] = { -1, -1, -1, -1 }, error = make_pipes(ret->fd, theirs);

	if (error == 0) {
		ret->pid = fork();
		if (ret->pid == 0)
			become(plan, theirs);
		error = ret->pid < 0 ? errno : 0;
	}
	for (int i = 0; i < PIPES; i++)
		close_end(&theirs[i]);
	if (error == 0 && ret->pid > 0) {
		ssize_t n;

		/* Its end closes as the program begins. */
		while ((n = read(ret->fd[REPORT], &error, sizeof error)) < 0 && errno == EINTR)
			;
		if (n != sizeof error)
			error = 0;
		if (error != 0)
			take(ret->pid);
	}
	close_end(&ret->fd[REPORT]);
	if (error == 0)
		ret->pidfd = (int)syscall(SYS_pidfd_open, ret->pid, 0);
	return error;
}

/* Whether it has ended. It stays a zombie: until it is taken, its number, and its group's, is nobody else's. */
static bool has_ended(const struct child *child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

/* False: DEADLINE_MS, 0 for none, is over. */
static bool wait_for_news(const struct child *child, int64_t deadline_ms)
{
	struct pollfd fds[] = {
		{ .fd = child->fd[IN], .events = POLLOUT },
		{ .fd = child->fd[OUT], .events = POLLIN },
		{ .fd = child->fd[ERR], .events = POLLIN },
		{ .fd = child->pidfd, .events = POLLIN },
	};
	int64_t left_ms = deadline_ms == 0 ? INT_MAX : deadline_ms - now_ms();

	if (left_ms <= 0)
		return false;
	if (child->pidfd < 0 && left_ms > LOOK_AGAIN_MS)
		left_ms = LOOK_AGAIN_MS;
	poll(fds, sizeof fds / sizeof fds[0], left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	return true;
}

static void write_once(struct child *child, struct docker_view *in)
{
	ssize_t n;

	if (child->fd[IN] < 0)
		return;
	n = in->n > 0 ? write(child->fd[IN], in->p, in->n) : 0;
	if (n > 0) {
		in->p += n;
		in->n -= (size_t)n;
	}
	/* What it does not want to read is its own affair. */
	if (in->n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&child->fd[IN]);
}

/* One read into TEXT, or, where that is full, past it. False: there was nothing. */
static bool read_once(int *fd, char *text, size_t *n, size_t room, bool *ret_full)
{
	char past[4096];
	bool full = *n == room;
	ssize_t got = *fd < 0 ? 0 : read(*fd, full ? past : text + *n, full ? sizeof past : room - *n);

	if (full && got > 0) {
		explicit_bzero(past, (size_t)got);
		*ret_full = true;
	} else if (got > 0) {
		*n += (size_t)got;
	}
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		close_end(fd);
	return got > 0;
}

enum end { ENDED, LATE, TOO_LONG };

/* The pipes alone do not tell the end: what a helper leaves behind in the background may hold them open. */
static enum end follow(struct child *child, struct docker_view in, int64_t deadline_ms, struct docker_answer *answer)
{
	bool too_long = false, past = false, ended;

	do {
		ended = has_ended(child);
		if (!ended && !wait_for_news(child, deadline_ms))
			return LATE;
		write_once(child, &in);
		read_once(&child->fd[OUT], answer->out, &answer->n_out, DOCKER_OUT_MAX_BYTES, &too_long);
		read_once(&child->fd[ERR], answer->err, &answer->n_err, DOCKER_ERR_MAX_BYTES, &past);
		if (too_long)
			return TOO_LONG;
	} while (!ended);
	while (!too_long && read_once(&child->fd[OUT], answer->out, &answer->n_out, DOCKER_OUT_MAX_BYTES, &too_long))
		;
	for (int i = 0; i < DISCARD_MAX && read_once(&child->fd[ERR], answer->err, &answer->n_err, DOCKER_ERR_MAX_BYTES, &past); i++)
		;
	return too_long ? TOO_LONG : ENDED;
}

/* The group, whose leader it is; then what did not heed that, and what it left in the group. */
static void end_group(struct child *child)
{
	int64_t last_ms = now_ms() + LAST_MS;

	kill(-child->pid, SIGTERM);
	kill(-child->pid, SIGCONT);
	for (int i = IN; i < PIPES; i++)
		close_end(&child->fd[i]);
	while (!has_ended(child) && wait_for_news(child, last_ms))
		;
	kill(-child->pid, SIGKILL);
}

static bool answer_new(struct docker_answer *ret)
{
	*ret = (struct docker_answer){ 0 };
	/* Once and for all, and one byte for an end: what grows leaves copies behind. */
	ret->out = malloc(DOCKER_OUT_MAX_BYTES + 1);
	ret->err = malloc(DOCKER_ERR_MAX_BYTES + 1);
	return ret->out != NULL && ret->err != NULL;
}

void docker_answer_free(struct docker_answer *answer)
{
	if (answer->out != NULL)
		explicit_bzero(answer->out, answer->n_out);
	if (answer->err != NULL)
		explicit_bzero(answer->err, answer->n_err);
	free(answer->out);
	free(answer->err);
	*answer = (struct docker_answer){ 0 };
}

/* From the start to the end of one that was found. */
static int run(struct acred_call *call, const struct docker_program *program, const struct plan *plan, struct docker_view in,
               struct docker_answer *ret)
{
	struct child child = { .fd = { -1, -1, -1, -1 }, .pidfd = -1 };
	enum end end;
	int error;

	if (call->deadline_ms != 0 && now_ms() >= call->deadline_ms)
		return note_say(call, ACRED_TIMEOUT, "there was no time left to start %s", program->shown);
	error = start(plan, &child);
	if (error != 0) {
		for (int i = 0; i < PIPES; i++)
			close_end(&child.fd[i]);
		return note_say(call, ACRED_FAILED, "%s cannot be started: %s", plan->file->path, strerror(error));
	}
	end = follow(&child, in, call->deadline_ms, ret);
	if (end != ENDED)
		end_group(&child);
	ret->status = take(child.pid);
	for (int i = 0; i < PIPES; i++)
		close_end(&child.fd[i]);
	close_end(&child.pidfd);
	if (end == LATE)
		return note_say(call, ACRED_TIMEOUT, "%s did not end in time, and was ended", program->shown);
	if (end == TOO_LONG)
		return note_say(call, ACRED_FAILED, "%s said more than %d bytes, and was ended", program->shown, DOCKER_OUT_MAX_BYTES);
	return ACRED_OK;
}

static int prepared(struct acred_call *call, const struct docker_program *program, const char *verb, enum docker_kind kind,
                    struct docker_view in, struct docker_answer *ret)
{
	char *const argv[] = { (char *)(program->path != NULL ? program->path : program->shown), (char *)verb, NULL };
	char **envp = docker_environment(call);
	struct docker_file file;
	struct signals before;
	int status;

	if (envp == NULL || !answer_new(ret)) {
		free(envp);
		return note_say(call, ACRED_FAILED, "no memory to run %s", program->shown);
	}
	status = docker_program_open(call, program, &file);
	if (status == ACRED_OK) {
		const struct plan plan = { .file = &file, .kind = kind, .parent = getpid(), .argv = argv, .envp = envp };

		signals_begin(&before);
		status = run(call, program, &plan, in, ret);
		signals_end(&before);
		close(file.fd);
	}
	free(envp);
	return status;
}

int docker_run(struct acred_call *call, const struct docker_program *program, const char *verb, enum docker_kind kind,
               struct docker_view in, struct docker_answer *ret)
{
	int status = prepared(call, program, verb, kind, in, ret);

	if (status != ACRED_OK)
		docker_answer_free(ret);
	return status;
}
