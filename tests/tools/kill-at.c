/* SPDX-License-Identifier: MIT */
/*
 * Runs a command and kills it when its K-th system call is about to be made, so that this call and all after it never
 * happen. Counted are the calls of the whole process, of all its threads in the order in which they come, from its
 * exec on; with K = 0 nothing is killed. What the command starts in turn is neither counted nor killed.
 *
 *   kill-at [--log FILE] K COMMAND [ARGUMENT...]
 *
 * FILE gets a line a call: K, the call's name (its number, where it is none of those that reach beyond the process), and
 * its result ("?": it did not come back; "killed": it was never made).
 * Exits with the command's code, 128 and a signal's number, or 113: it was killed here. Changes no argument, no result and
 * no signal of the command's; if this program dies, the command dies.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_KILLED 113
#define EXIT_OWN 125 /* as env(1) has it */
#define THREADS_MAX 64
#define CALLS_MAX 100000

static const struct {
	long long number;
	const char *name;
} names[] = {
	{ SYS_openat, "openat" }, { SYS_write, "write" },     { SYS_fsync, "fsync" },     { SYS_renameat, "renameat" }, { SYS_unlinkat, "unlinkat" },
	{ SYS_flock, "flock" },   { SYS_connect, "connect" }, { SYS_sendto, "sendto" },   { SYS_recvfrom, "recvfrom" }, { SYS_sendmsg, "sendmsg" },
	{ SYS_recvmsg, "recvmsg" }, { SYS_keyctl, "keyctl" }, { SYS_add_key, "add_key" }, { SYS_close, "close" },
};

static struct call {
	long long number, result;
	bool returned;
} calls[CALLS_MAX];
static unsigned long n_calls, last_call;

static struct thread {
	pid_t tid;
	bool runs;
	unsigned long call; /* the one that it is in; 0: none */
} threads[THREADS_MAX];

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "kill-at: %s: %s\n", what, strerror(errno));
	exit(EXIT_OWN);
}

static struct thread *thread_of(pid_t tid)
{
	for (size_t i = 0; i < THREADS_MAX; i++) {
		if (threads[i].tid == 0)
			threads[i].tid = tid;
		if (threads[i].tid == tid)
			return &threads[i];
	}
	errno = ENOMEM;
	die("too many threads");
}

static _Noreturn void become(char *const command[])
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP); /* until the options are set */
	execvp(command[0], command);
	fprintf(stderr, "kill-at: %s: %s\n", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static pid_t start(char *const command[])
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0)
		become(command);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || ptrace(PTRACE_SETOPTIONS, pid, NULL, options) != 0)
		die("cannot trace");
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return pid;
}

/* At a system call's entry or exit; true: it is the one that must not happen. */
static bool note_call(struct thread *thread)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->tid, sizeof info, &info) <= 0)
		return false; /* it is being killed by somebody else */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && n_calls < CALLS_MAX) {
		calls[n_calls++].number = (long long)info.entry.nr;
		thread->call = n_calls;
		return n_calls == last_call;
	}
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread->call) {
		calls[thread->call - 1].result = info.exit.rval;
		calls[thread->call - 1].returned = true;
		thread->call = 0;
	}
	return false;
}

/* A thread has stopped: what made it, and on; true: the process is to be killed. */
static bool stopped(pid_t tid, int status)
{
	struct thread *thread = thread_of(tid);
	bool is_call = WSTOPSIG(status) == (SIGTRAP | 0x80), is_event = status >> 16;
	/* A new thread begins with a stop that nobody sent. */
	bool is_signal = !is_call && !is_event && thread->runs;

	thread->runs = true;
	if (is_call && note_call(thread))
		return true;
	ptrace(PTRACE_SYSCALL, tid, NULL, is_signal ? (long)WSTOPSIG(status) : 0L);
	return false;
}

/* Until the process has ended, with all its threads: its status. */
static int follow(pid_t pid, bool *ret_killed)
{
	int status;

	*ret_killed = false;
	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno != EINTR)
			die("waitpid");
		if (tid == pid && (WIFEXITED(status) || WIFSIGNALED(status)))
			return status;
		if (tid > 0 && WIFSTOPPED(status) && !*ret_killed && stopped(tid, status)) {
			*ret_killed = true;
			kill(pid, SIGKILL);
		}
	}
}

static void print_name(FILE *file, long long number)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == number) {
			fputs(names[i].name, file);
			return;
		}
	fprintf(file, "%lld", number);
}

static void write_log(const char *path, bool killed)
{
	FILE *file = fopen(path, "we");

	if (!file)
		die(path);
	for (unsigned long i = 0; i < n_calls; i++) {
		fprintf(file, "%lu ", i + 1);
		print_name(file, calls[i].number);
		if (calls[i].returned)
			fprintf(file, " %lld\n", calls[i].result);
		else
			fputs(killed && i + 1 == last_call ? " killed\n" : " ?\n", file);
	}
	if (fclose(file) != 0)
		die(path);
}

int main(int argc, char *argv[])
{
	const char *log = argc > 2 && strcmp(argv[1], "--log") == 0 ? argv[2] : NULL;
	int first = log ? 3 : 1, status;
	char *end = NULL;
	bool killed;

	if (argc > first)
		last_call = strtoul(argv[first], &end, 10);
	if (argc <= first + 1 || end == argv[first] || *end) {
		fprintf(stderr, "usage: kill-at [--log FILE] K COMMAND [ARGUMENT...]\n");
		return EXIT_OWN;
	}
	status = follow(start(argv + first + 1), &killed);
	if (log)
		write_log(log, killed);
	if (killed)
		return EXIT_KILLED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
