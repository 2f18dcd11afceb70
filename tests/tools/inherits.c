/* SPDX-License-Identifier: MIT */
/*
 * inherits FILE [ARG...]: writes into FILE what an exec hands from one program to the next, a line each: arguments, signals, mask, umask,
 * limits, descriptors, timers, children, locks, and last the environment, in its order. What differs between any two processes is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS 1200
#define KEYCTL_GET_KEYRING_ID 0
#define SESSION_KEYRING (-3)

static struct { bool open; int flags, marks; char what[64]; } fds[DESCRIPTORS];

/* Before this program opens anything. */
static void look_at_descriptors(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		char path[32];
		ssize_t n;

		fds[fd].flags = fcntl(fd, F_GETFL);
		fds[fd].open = fds[fd].flags != -1;
		if (!fds[fd].open)
			continue;
		fds[fd].marks = fcntl(fd, F_GETFD);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, fds[fd].what, sizeof fds[fd].what - 1);
		fds[fd].what[n < 0 ? 0 : n] = '\0';
	}
}

/* Signals 32 and 33 are the C library's own: its posix_spawn leaves them ignored, its threads catch them, and sigaction(2) of it takes
 * neither. What they are says who started whom, and matters to nobody. */
static void drop_the_librarys_own(char line[512])
{
	char *mask = strchr(line, '\t');

	if (strncmp(line, "SigIgn:", 7) == 0 && mask)
		snprintf(mask, 32, "\t%016llx\n", strtoull(mask, NULL, 16) & ~(3ULL << 31));
}

/* The lines of a file of /proc that begin with one of WORDS, or all. */
static void copy(FILE *to, const char *name, const char *const *words)
{
	FILE *from = fopen(name, "re");
	char line[512];

	while (from && fgets(line, sizeof line, from))
		for (size_t i = 0; !words || words[i]; i++) {
			if (words && strncmp(line, words[i], strlen(words[i])) != 0)
				continue;
			drop_the_librarys_own(line);
			fputs(line, to);
			break;
		}
	if (from)
		fclose(from);
}

static void locks_of_ours(FILE *to)
{
	FILE *from = fopen("/proc/locks", "re");
	char line[512], pid[32];

	snprintf(pid, sizeof pid, " %d ", (int)getpid());
	while (from && fgets(line, sizeof line, from))
		if (strstr(line, pid))
			fprintf(to, "lock %s", line);
	if (from)
		fclose(from);
}

int main(int argc, char *argv[], char *envp[])
{
	static const char *const status[] = { "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "NoNewPrivs:", "Seccomp:", "CapEff:", "CapBnd:", "Threads:", NULL };
	char directory[4096];
	int death = 0;
	FILE *to;

	look_at_descriptors();
	to = fopen(argc > 1 ? argv[1] : "", "we");
	if (!to)
		return 99;
	for (int i = 0; i < argc; i++)
		fprintf(to, "argument %s\n", argv[i]);
	copy(to, "/proc/self/status", status);
	copy(to, "/proc/self/timers", NULL);
	locks_of_ours(to);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			fprintf(to, "limit %d %llu %llu\n", i, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
	}
	for (int i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
		struct itimerval timer;

		getitimer((__itimer_which_t)i, &timer);
		fprintf(to, "timer %d %s\n", i, timer.it_value.tv_sec || timer.it_value.tv_usec ? "runs" : "-");
	}
	prctl(PR_GET_PDEATHSIG, &death);
	fprintf(to, "dies with its parent %d, dumpable %d, timer slack %d\n", death, prctl(PR_GET_DUMPABLE), prctl(PR_GET_TIMERSLACK));
	fprintf(to, "umask %03o nice %d session keyring %ld\n", (unsigned)umask(0), getpriority(PRIO_PROCESS, 0),
	        syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION_KEYRING, 0));
	fprintf(to, "parent %d session %d group %d directory %s\n", (int)getppid(), (int)getsid(0), (int)getpgrp(), getcwd(directory, sizeof directory));
	fprintf(to, "children %s\n", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "some");
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (fds[fd].open)
			fprintf(to, "descriptor %d flags %o marks %d %s\n", fd, (unsigned)fds[fd].flags, fds[fd].marks, fds[fd].what);
	for (char **each = envp; *each; each++)
		fprintf(to, "environment %s\n", *each);
	return fclose(to) == 0 ? 0 : 99;
}
