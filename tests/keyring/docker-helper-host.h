/* SPDX-License-Identifier: MIT */
/*
 * A host for the module docker-helper, and a helper: this very program, started by the module. What that does lies in the
 * files of a directory of this process. For each verb:
 *
 *   VERB.out  VERB.err  VERB.code    what it says on stdout and stderr, and its exit code (0)
 *   VERB.in                          what it was given on stdin
 *   calls                            the verbs, as they came
 *
 * $FAKE, where it is set, names another conduct: see fake_main(). The clock is this header's, and can leap.
 */
#ifndef TESTS_KEYRING_DOCKER_HELPER_HOST_H
#define TESTS_KEYRING_DOCKER_HELPER_HOST_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/module.h"

#define URL "https://catalog.example.com"
#define ENTRY URL "/alation-cred/refresh/102"
#define RECORD "v=1&kind=refresh-token&base_url=https%3A%2F%2Fcatalog.example.com&user_id=102&refresh_token=SECRET-0123456789&name=x"
#define ANSWER "{\"ServerURL\":\"" ENTRY "\",\"Username\":\"102\",\"Secret\":\"v=1\\u0026refresh_token=SECRET-0123456789\"}\n"
#define NOT_FOUND "credentials not found in native keychain\n"
#define LISTED "{\"" ENTRY "\":\"102\"}\n"

#define HOUR_MS (60 * 60 * 1000)
#define WAIT_MS 30000 /* for what is to come at once */

static const struct acred_module *const module = &alation_cred_module;
static const struct acred_key key = { "refresh", URL, 102 };

static struct acred_call call;
static char found[256 * 1024], noted[16384], listed[4096];
static size_t n_found;
static int put_answer;
static void *state;
static char dir[64], self_path[PATH_MAX], argument[PATH_MAX + 16];

static int64_t leap_ms;           /* what is added to the clock, */
static const char *leap_at_file;  /* once this file is there */

static inline const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int (*real)(clockid_t, struct timespec *);
	int result;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, ret);
	if (leap_at_file != NULL && access(path_of(leap_at_file), F_OK) == 0) {
		leap_at_file = NULL;
		leap_ms = 10 * HOUR_MS;
	}
	ret->tv_sec += leap_ms / 1000;
	return result;
}

static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_file(const char *name, const void *bytes, size_t n)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) != 0)
		abort();
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* "" where there is no such file. */
static const char *read_text(const char *name)
{
	static char text[256 * 1024];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* --- the helper: what follows runs in a process of its own --- */

static void copy_file(const char *name, int to)
{
	static char bytes[2 * 1024 * 1024];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);

	for (ssize_t at = 0, written; at < n; at += written)
		if ((written = write(to, bytes + at, (size_t)(n - at))) <= 0)
			_exit(99);
}

static const char *name_of(const char *verb, const char *ending)
{
	static char name[64];

	snprintf(name, sizeof name, "%s.%s", verb, ending);
	return name;
}

static void take_stdin(const char *verb)
{
	static char bytes[256 * 1024];
	size_t n = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, bytes + n, sizeof bytes - n)) > 0)
		n += (size_t)got;
	write_file(name_of(verb, "in"), bytes, n);
}

static void note_call(const char *verb)
{
	FILE *calls = fopen(path_of("calls"), "ae");

	if (calls == NULL || fprintf(calls, "%s ", verb) < 0 || fclose(calls) != 0)
		_exit(98);
}

static void answer_as_told(const char *verb)
{
	take_stdin(verb);
	copy_file(name_of(verb, "err"), STDERR_FILENO);
	copy_file(name_of(verb, "out"), STDOUT_FILENO);
	_exit(atoi(read_text(name_of(verb, "code"))));
}

/* What it has of its caller's, into the file `has`. */
static void tell(void)
{
	FILE *out = fopen(path_of("has"), "we");
	DIR *fds = opendir("/proc/self/fd");
	struct dirent *each;
	struct sigaction action;
	sigset_t mask;

	while ((each = readdir(fds)) != NULL)
		if (each->d_name[0] != '.' && atoi(each->d_name) != dirfd(fds) && atoi(each->d_name) != fileno(out))
			fprintf(out, "fd%s ", each->d_name);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(&mask, number) == 1)
			fprintf(out, "blocked%d ", number);
		if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			fprintf(out, "ignored%d ", number);
	}
	fprintf(out, "%s ", getsid(0) == getpid() ? "own-session" : "its-session");
	for (char **entry = environ; *entry != NULL; entry++)
		fprintf(out, "%s ", *entry);
	fclose(out);
	closedir(fds);
}

/* Holds the FIFO `alive` until its end. */
static void hold_alive(void)
{
	if (open(path_of("alive"), O_WRONLY) < 0)
		_exit(97);
}

static _Noreturn void stay(void)
{
	write_text("begun", "");
	if (write(STDERR_FILENO, "-", 1) != 1) /* news for who waits */
		_exit(96);
	for (;;)
		pause();
}

static int fake_main(const char *verb)
{
	const char *how = getenv("FAKE");

	snprintf(dir, sizeof dir, "%s", getenv("FAKE_DIR"));
	note_call(verb);
	if (how == NULL)
		answer_as_told(verb);
	if (strcmp(how, "tells") == 0) {
		tell();
		answer_as_told(verb);
	} else if (strcmp(how, "hangs") == 0) {
		hold_alive();
		stay();
	} else if (strcmp(how, "deaf") == 0) { /* with a child that is deaf, too */
		hold_alive();
		signal(SIGTERM, SIG_IGN);
		if (fork() == 0)
			for (;;)
				pause();
		stay();
	} else if (strcmp(how, "leaves") == 0) { /* a child in the background with all its descriptors, until `hold` is written */
		int hold = open(path_of("hold"), O_RDONLY | O_NONBLOCK);

		hold_alive();
		if (fork() == 0) {
			struct pollfd end = { .fd = hold, .events = POLLIN };

			poll(&end, 1, WAIT_MS);
			_exit(0);
		}
		copy_file(name_of(verb, "out"), STDOUT_FILENO);
		/* So that its end alone is news. */
		for (int n = 1; ioctl(STDOUT_FILENO, FIONREAD, &n) == 0 && n > 0;)
			sched_yield();
		_exit(0);
	} else if (strcmp(how, "reads-nothing") == 0) {
		close(STDIN_FILENO);
		write_text("begun", "");
		_exit(0);
	} else if (strcmp(how, "endless") == 0) { /* on the descriptor that it is told */
		static char bytes[65536];

		hold_alive();
		while (write(atoi(read_text("fd")), bytes, sizeof bytes) > 0)
			;
	} else if (strcmp(how, "dies") == 0) {
		raise(SIGKILL);
	}
	return 95;
}

/* --- the host --- */

static int on_put(void *host, const char *bytes, size_t len)
{
	assert_ptr_equal(host, &call);
	assert_true(len <= sizeof found);
	memcpy(found, bytes, len);
	n_found = len;
	return put_answer;
}

static void on_note(void *host, const char *text)
{
	assert_ptr_equal(host, &call);
	for (const char *c = text; *c != '\0'; c++)
		assert_true(*c >= ' ' && *c <= '~');
	assert_null(strstr(text, "SECRET"));
	snprintf(noted, sizeof noted, "%s", text);
}

static inline int on_ask(void *host, const char *question, const char **answer, size_t *len)
{
	(void)host;
	(void)question;
	(void)answer;
	(void)len;
	fail_msg("no helper's question can be put");
	return ACRED_LOCKED;
}

static void on_each(void *host, const struct acred_key *each)
{
	size_t n = strlen(listed);

	assert_ptr_equal(host, &call);
	snprintf(listed + n, sizeof listed - n, "%s %d %s;", each->facility, (int)each->user_id, each->base_url);
}

static void begin(void)
{
	noted[0] = listed[0] = '\0';
	n_found = 0;
	unlink(path_of("calls"));
}

static int lookup(void)
{
	begin();
	return module->lookup(&call, state, &key);
}

static inline int store(const char *bytes, size_t n)
{
	begin();
	return module->store(&call, state, &key, bytes, n, 0);
}

static inline int erase(void)
{
	begin();
	return module->erase(&call, state, &key);
}

static inline int list(void)
{
	begin();
	return module->list(&call, state, on_each);
}

static int open_with(const char *first)
{
	const char *argv[] = { first };

	if (state != NULL)
		module->close(state);
	state = NULL;
	begin();
	return module->open(&call, first != NULL, argv, &state);
}

static void assert_noted(const char *words)
{
	if (strstr(noted, words) == NULL)
		fail_msg("noted '%s', not '%s'", noted, words);
}

/* What the helper says when it is asked VERB. */
static inline void says(const char *verb, const char *out, const char *code)
{
	write_text(name_of(verb, "out"), out);
	write_text(name_of(verb, "code"), code);
}

/* Whoever held it is gone. */
static inline void assert_alive_ends(int alive)
{
	struct pollfd end = { .fd = alive, .events = POLLIN };
	char byte;

	assert_int_equal(poll(&end, 1, WAIT_MS), 1);
	assert_int_equal(read(alive, &byte, 1), 0);
}

static int setup(void **unused)
{
	(void)unused;
	snprintf(dir, sizeof dir, "/tmp/acred-test-XXXXXX");
	if (mkdtemp(dir) == NULL || realpath("/proc/self/exe", self_path) == NULL)
		return -1;
	setenv("FAKE_DIR", dir, 1);
	unsetenv("FAKE");
	leap_ms = 0;
	leap_at_file = NULL;
	put_answer = 0;
	snprintf(argument, sizeof argument, "program=%s", self_path);
	call = (struct acred_call){ .size = sizeof call, .host = &call, .put = on_put, .note = on_note };
	call.deadline_ms = now_ms() + HOUR_MS;
	says("list", "{}\n", "0");
	return open_with(argument) == ACRED_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static int teardown(void **unused)
{
	(void)unused;
	if (state != NULL)
		module->close(state);
	state = NULL;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Started by the module it is the helper. */
#define DOCKER_MAIN(tests)                                      \
	int main(int argc, char *argv[])                        \
	{                                                       \
		if (argc == 2 && getenv("FAKE_DIR") != NULL)    \
			return fake_main(argv[1]);              \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}

#endif
