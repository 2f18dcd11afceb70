/* SPDX-License-Identifier: MIT */
/*
 * Starts and watches the processes in which the module runs, and hooks. Loads no module, judges no answer: what a process
 * has to say lies in a board that outlives it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/check-module/check.h"

#define GRACE_MS 2000 /* as the program's watchdog has it */
#define HOOK_MS 60000
#define STDERR_SHOWN_BYTES 3000

extern volatile sig_atomic_t interrupted;

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static _Noreturn void cannot(const char *what)
{
	fprintf(stderr, "alation-cred-check-module: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int scratch(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		cannot("no memory for a file");
	return fd;
}

/* In the new process: its descriptors 0 to 2 are files of its own, and it ends with the one who watches. */
static void become_guest(struct check *check, const struct run *run, pid_t parent)
{
	int in = scratch("stdin");

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (write(in, "nobody's\n", 9) != 9 || lseek(in, 0, SEEK_SET) != 0 || dup2(in, 0) < 0 || dup2(run->out, 1) < 0 || dup2(run->err, 2) < 0)
		_exit(1);
	guest_main(&check->options, check->token, run->errand, run->board);
}

struct run *run_start(struct check *check, const struct errand *errand)
{
	struct run *run = calloc(1, sizeof *run);
	pid_t parent = getpid();

	if (run == NULL)
		cannot("no memory");
	run->board = mmap(NULL, sizeof *run->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (run->board == MAP_FAILED)
		cannot("no memory");
	run->errand = errand;
	run->out = scratch("stdout");
	run->err = scratch("stderr");
	run->next = check->runs;
	check->runs = run;
	strcpy(run->board->doing, "the start");
	run->board->ends_ms = now_ms() + check->options.deadline_ms + GRACE_MS + check->options.margin_ms;
	fflush(stdout);
	run->pid = fork();
	if (run->pid < 0)
		cannot("no process");
	if (run->pid == 0) {
		become_guest(check, run, parent);
		_exit(1);
	}
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pidfd < 0)
		cannot("no descriptor of a process");
	return run;
}

static void end_process(struct run *run, int *ret_status)
{
	if (run->pid <= 0)
		return;
	/* Its number is still taken, by itself: so nobody else's process can be meant. */
	kill(run->pid, SIGKILL);
	kill(-run->pid, SIGKILL);
	while (waitpid(run->pid, ret_status, 0) < 0 && errno == EINTR)
		continue;
	close(run->pidfd);
	run->pid = -1;
}

/* True: it has ended by itself before its time was over. */
static bool ends_in_time(const struct run *run)
{
	for (;;) {
		struct pollfd end = { .fd = run->pidfd, .events = POLLIN };
		int64_t left_ms = run->board->ends_ms - now_ms();

		if (poll(&end, 1, left_ms < 0 ? 0 : left_ms > 1000 ? 1000 : (int)left_ms) > 0)
			return true;
		if (interrupted || run->board->ends_ms <= now_ms())
			return false;
	}
}

/* What a sanitizer or the module itself has written, a line of the log each. */
static void quote_stderr(struct check *check, const struct run *run)
{
	char text[STDERR_SHOWN_BYTES + 1], *rest = text, *line;
	ssize_t n = pread(run->err, text, STDERR_SHOWN_BYTES, 0);

	if (n <= 0)
		return;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			say(check, "stderr: %s", line);
}

static void take_offences(struct check *check, const struct run *run)
{
	for (int i = 0; i < OFFENCES; i++)
		if (check->offences[i][0] == '\0' && run->board->offences[i][0] != '\0')
			memcpy(check->offences[i], run->board->offences[i], TEXT_BYTES);
}

static void tell_death(struct check *check, struct run *run, const char *how)
{
	char *met = run->board->offences[OFFENCE_DEATH];

	snprintf(met, TEXT_BYTES, "in %.60s it %s", run->board->doing, how);
	fail(check, NULL, "in %s the module %s", run->board->doing, how);
	quote_stderr(check, run);
}

static void tell_hang(struct check *check, struct run *run)
{
	char *met = run->board->offences[OFFENCE_HANG];

	check->hangs++;
	snprintf(met, TEXT_BYTES, "%.60s did not come back %lld s after its deadline", run->board->doing,
	         (long long)(GRACE_MS + check->options.margin_ms) / 1000);
	fail(check, "a module comes back by deadline_ms; the program ends itself 2 s later", "%s did not come back, %lld s after its deadline",
	     run->board->doing, (long long)(GRACE_MS + check->options.margin_ms) / 1000);
}

bool run_wait(struct check *check, struct run *run)
{
	bool in_time = ends_in_time(run);
	char how[128];
	int status = 0;

	end_process(run, &status);
	if (interrupted)
		fail(check, NULL, "interrupted");
	else if (!in_time)
		tell_hang(check, run);
	else if (WIFSIGNALED(status)) {
		snprintf(how, sizeof how, "died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
		tell_death(check, run, how);
	} else if (!run->board->finished || WEXITSTATUS(status) != 0) {
		snprintf(how, sizeof how, "ended the process with exit code %d", WEXITSTATUS(status));
		tell_death(check, run, how);
	} else if (run->board->load_status != ACRED_OK) {
		fail(check, NULL, "it could not be loaded: %s", run->board->why);
	} else {
		take_offences(check, run);
		return true;
	}
	take_offences(check, run);
	return false;
}

struct result *run_ops(struct check *check, const struct op *ops, size_t n)
{
	const struct errand errand = { check->options.argc, check->options.argv, ops, n, .rounds = 1 };
	struct run *run;

	for (size_t i = 0; i < n; i++)
		if (ops[i].what == OP_STORE)
			will_use(check, &ops[i].key);
	run = run_start(check, &errand);
	return run_wait(check, run) ? run->board->results : NULL;
}

struct run *run_of(struct check *check, const struct result *result)
{
	struct run *run = check->runs;

	while (run != NULL && (result < run->board->results || result >= run->board->results + OPS_MAX))
		run = run->next;
	return run;
}

const char *secret_of(const struct run *run, const struct result *result)
{
	return run->board->secrets + result->at;
}

void runs_end(struct check *check)
{
	while (check->runs != NULL) {
		struct run *run = check->runs;
		int status;

		check->runs = run->next;
		end_process(run, &status);
		explicit_bzero(run->board->secrets, run->board->used);
		munmap(run->board, sizeof *run->board);
		close(run->out);
		close(run->err);
		free(run);
	}
}

bool hook(struct check *check, const char *command)
{
	struct run run = { .pid = fork() };
	static struct board board; /* too large for a stack; of it only the time counts */
	int status = 0;
	bool in_time;

	if (run.pid < 0)
		cannot("no process");
	if (run.pid == 0) {
		setpgid(0, 0);
		dup2(2, 1); /* stdout is TAP's */
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	board.ends_ms = now_ms() + HOOK_MS;
	run.board = &board;
	run.pidfd = (int)syscall(SYS_pidfd_open, run.pid, 0);
	if (run.pidfd < 0)
		cannot("no descriptor of a process");
	in_time = ends_in_time(&run);
	if (in_time) { /* what it has started in the background stays: it may be the service that it thawed */
		while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR)
			continue;
		close(run.pidfd);
	} else {
		end_process(&run, &status);
	}
	if (in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	fail(check, NULL, "the hook failed: %s", command);
	return false;
}
