/* SPDX-License-Identifier: MIT */
/*
 * Starts a command many times at the same moment, and counts what comes back: on stdout a line `exit CODE COUNT`
 * (or `signal NUMBER COUNT`) for each way they ended, then a line `output COUNT TEXT` for each distinct stdout, with
 * line feeds and backslashes in it as \n and \\. stdin is /dev/null, stderr the caller's. Knows nothing of what it starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 1000
#define OUTPUT_MAX_BYTES 65536
#define WAIT_S 120 /* for what hangs; no test waits for this */
#define EXIT_USAGE 64

static struct child {
	pid_t pid;
	int fd, status;
	char *output;
} children[CHILDREN_MAX];
static size_t n_children;

static void die(const char *what)
{
	fprintf(stderr, "many: %s: %s\n", what, strerror(errno));
	for (size_t i = 0; i < n_children; i++)
		kill(children[i].pid, SIGKILL);
	exit(EXIT_USAGE);
}

static void too_late(int number)
{
	(void)number;
	for (size_t i = 0; i < n_children; i++)
		kill(children[i].pid, SIGKILL);
	_exit(EXIT_USAGE);
}

/* The child waits until the pipe's last writer is gone: that moment is the same for all. */
static void become(char *const command[], const int barrier[2], int out)
{
	char byte;

	close(barrier[1]);
	if (dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	while (read(barrier[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(barrier[0]);
	execvp(command[0], command);
	_exit(127);
}

static void start(char *const command[], const int barrier[2])
{
	struct child *child = &children[n_children];
	int out[2];

	if (pipe2(out, O_CLOEXEC) != 0)
		die("pipe");
	child->pid = fork();
	if (child->pid < 0)
		die("fork");
	if (child->pid == 0)
		become(command, barrier, out[1]);
	close(out[1]);
	child->fd = out[0];
	n_children++;
}

/* One after the other: an answer fits into a pipe, so nobody waits for us. */
static void collect(struct child *child)
{
	size_t n = 0;
	ssize_t got;

	child->output = calloc(1, OUTPUT_MAX_BYTES + 1);
	if (!child->output)
		die("memory");
	while ((got = read(child->fd, child->output + n, OUTPUT_MAX_BYTES - n)) != 0) {
		if (got < 0 && errno != EINTR)
			die("read");
		n += got > 0 ? (size_t)got : 0;
	}
	close(child->fd);
	while (waitpid(child->pid, &child->status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	child->pid = 0;
}

static void report_ends(void)
{
	for (int status = 0; status < 65536; status++) {
		size_t n = 0;

		for (size_t i = 0; i < n_children; i++)
			n += children[i].status == status;
		if (n && WIFSIGNALED(status))
			printf("signal %d %zu\n", WTERMSIG(status), n);
		else if (n)
			printf("exit %d %zu\n", WEXITSTATUS(status), n);
	}
}

static void report_outputs(void)
{
	for (size_t i = 0; i < n_children; i++) {
		char *text = children[i].output;
		size_t n = 0;

		if (!text)
			continue; /* counted with an earlier one */
		for (size_t j = i; j < n_children; j++) {
			if (!children[j].output || strcmp(children[j].output, text) != 0)
				continue;
			if (j != i)
				free(children[j].output);
			children[j].output = NULL;
			n++;
		}
		printf("output %zu ", n);
		for (const char *p = text; *p; p++)
			if (*p == '\n')
				fputs("\\n", stdout);
			else if (*p == '\\')
				fputs("\\\\", stdout);
			else
				putchar(*p);
		putchar('\n');
		free(text);
	}
}

int main(int argc, char *argv[])
{
	size_t wanted = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct rlimit files;
	int barrier[2];

	if (!wanted || wanted > CHILDREN_MAX) {
		fprintf(stderr, "usage: many N COMMAND [ARGUMENT...]\n");
		return EXIT_USAGE;
	}
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGALRM, too_late);
	alarm(WAIT_S);
	if (pipe2(barrier, O_CLOEXEC) != 0)
		die("pipe");
	while (n_children < wanted)
		start(argv + 2, barrier);
	close(barrier[1]);
	close(barrier[0]);
	for (size_t i = 0; i < n_children; i++)
		collect(&children[i]);
	report_ends();
	report_outputs();
	return ferror(stdout) || fflush(stdout) != 0;
}
