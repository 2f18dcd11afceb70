/* SPDX-License-Identifier: MIT */
/*
 * Times whole commands in turn, A B C A B C …, so that a machine whose speed drifts does not favour one, and prints
 * medians, also of peak memory, and the ratios to the first. No shell between: words are split at blanks, and `;` runs one program after
 * another within a command's time.
 *
 *   alternate [-n ROUNDS] [--before COMMAND] NAME COMMAND [NAME COMMAND]…
 *
 * Words NAME=VALUE before a program are its environment. --before runs, untimed, before each timed command. Output of the commands is thrown away; one that fails ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 8
#define WORDS_MAX 128
#define ROUNDS_MAX 10000

extern char **environ;

struct command {
	const char *name;
	char *words[WORDS_MAX]; /* programs, each ended by NULL; the last by two */
	double ms[ROUNDS_MAX], peak_kb[ROUNDS_MAX]; /* the largest of its programs' */
};

static void split(const char *text, char *words[WORDS_MAX])
{
	char *copy = strdup(text), *save = NULL;
	int n = 0;

	for (char *w = strtok_r(copy, " ", &save); w && n < WORDS_MAX - 2; w = strtok_r(NULL, " ", &save))
		words[n++] = strcmp(w, ";") == 0 ? NULL : w;
	words[n] = words[n + 1] = NULL;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The words NAME=VALUE at the beginning: into the environment; what stood there before is kept in *saved. Returns how many. */
static int assign(char *const words[], char *saved[WORDS_MAX])
{
	int n = 0;

	for (; words[n] && strchr(words[n], '='); n++) {
		char name[64];
		const char *value = strchr(words[n], '=') + 1;

		snprintf(name, sizeof name, "%.*s", (int)(value - 1 - words[n]), words[n]);
		saved[n] = getenv(name) ? strdup(getenv(name)) : NULL;
		setenv(name, value, 1);
	}
	return n;
}

static void take_back(char *const words[], int n, char *saved[WORDS_MAX])
{
	while (n-- > 0) {
		char name[64];

		snprintf(name, sizeof name, "%.*s", (int)strcspn(words[n], "="), words[n]);
		if (saved[n])
			setenv(name, saved[n], 1);
		else
			unsetenv(name);
		free(saved[n]);
	}
}

static void run_program(char *const all[], double *peak_kb)
{
	char *saved[WORDS_MAX];
	int assigned = assign(all, saved);
	char *const *words = all + assigned;
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, words[0], &actions, NULL, words, environ) != 0 || wait4(pid, &status, 0, &usage) != pid ||
	    status != 0) {
		fprintf(stderr, "alternate: '%s' failed\n", words[0]);
		exit(1);
	}
	posix_spawn_file_actions_destroy(&actions);
	take_back(all, assigned, saved);
	if ((double)usage.ru_maxrss > *peak_kb)
		*peak_kb = (double)usage.ru_maxrss;
}

static double run(char *const words[], double *peak_kb)
{
	double start = now_ms();

	*peak_kb = 0;
	for (int i = 0; words[i];) {
		run_program(&words[i], peak_kb);
		while (words[i])
			i++;
		i++;
	}
	return now_ms() - start;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct command *commands, int n, int rounds)
{
	double first = 0;

	printf("%-28s %10s %10s %10s %8s %9s\n", "command", "min ms", "median ms", "max ms", "ratio", "peak KiB");
	for (int i = 0; i < n; i++) {
		double *ms = commands[i].ms, *peak_kb = commands[i].peak_kb;

		qsort(ms, (size_t)rounds, sizeof *ms, by_value);
		qsort(peak_kb, (size_t)rounds, sizeof *peak_kb, by_value);
		if (i == 0)
			first = ms[rounds / 2];
		printf("%-28s %10.3f %10.3f %10.3f %8.3f %9.0f\n", commands[i].name, ms[0], ms[rounds / 2], ms[rounds - 1],
		       ms[rounds / 2] / first, peak_kb[rounds / 2]);
	}
}

int main(int argc, char *argv[])
{
	static struct command commands[COMMANDS_MAX];
	char *before[WORDS_MAX] = { NULL };
	int n = 0, rounds = 100, arg = 1;
	double ignored;

	for (; arg + 1 < argc && argv[arg][0] == '-'; arg += 2) {
		if (strcmp(argv[arg], "-n") == 0)
			rounds = atoi(argv[arg + 1]);
		else if (strcmp(argv[arg], "--before") == 0)
			split(argv[arg + 1], before);
	}
	for (; arg + 1 < argc && n < COMMANDS_MAX; arg += 2, n++) {
		commands[n].name = argv[arg];
		split(argv[arg + 1], commands[n].words);
	}
	if (n == 0 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: alternate [-n ROUNDS] [--before COMMAND] NAME COMMAND [NAME COMMAND]...\n");
		return 2;
	}
	/* One round to warm the caches, not counted. */
	for (int round = -1; round < rounds; round++) {
		for (int i = 0; i < n; i++) {
			double ms, peak_kb;

			if (before[0])
				run(before, &ignored);
			ms = run(commands[i].words, &peak_kb);
			if (round < 0)
				continue;
			commands[i].ms[round] = ms;
			commands[i].peak_kb[round] = peak_kb;
		}
	}
	report(commands, n, rounds);
	return 0;
}
