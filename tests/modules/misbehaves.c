/* SPDX-License-Identifier: MIT */
/*
 * A bad guest: a keyring with one place, a file, that does one thing wrong.
 *
 *   misbehaves FILE [OPERATION WRONG]...
 *
 * In OPERATION (open, lookup, try, which is a login's first store, store, store-again, erase, list, lock, close) it does WRONG, which do_wrong() knows; else it is a good one. What it
 * keeps is kept whatever the key, but for what a login tries.
 */
#include "keyring/module.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX_BYTES 8192

static struct {
	const char *file;
	const char *const *wrongs; /* pairs */
	int n;
} guest;

static volatile int *volatile nowhere; /* NULL, and no compiler knows */

static int overflow(volatile const char *from)
{
	volatile char frame[4096];

	frame[0] = from ? from[0] : 0;
	return nowhere ? 0 : overflow(frame) + frame[0];
}

/* What is wrong in OPERATION, or NULL. */
static const char *wrong_in(const char *operation)
{
	for (int i = 0; i + 1 < guest.n; i += 2)
		if (strcmp(guest.wrongs[i], operation) == 0)
			return guest.wrongs[i + 1];
	return NULL;
}

static void *print_for_ever(void *nothing)
{
	for (;;)
		if (write(STDOUT_FILENO, "debug: hello\n", 13) < 0)
			sched_yield();
	return nothing;
}

/* What a program does for itself that starts others, done in one that is not its own. */
static void meddle(const char *wrong)
{
	sigset_t all;
	pid_t child;

	sigfillset(&all);
	if (strcmp(wrong, "block") == 0)
		sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 1; strcmp(wrong, "default") == 0 && i < SIGRTMAX; i++)
		signal(i, SIG_DFL);
	for (int i = 1; strcmp(wrong, "ignore") == 0 && i < SIGRTMAX; i++)
		signal(i, SIG_IGN);
	if (strcmp(wrong, "closefrom") == 0) {
		closefrom(STDERR_FILENO + 1);
		for (int i = 0; i < 16; i++) { /* its own files have the numbers then */
			char path[512];

			snprintf(path, sizeof path, "%s.spilled", guest.file);
			(void)!open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		}
	}
	if (strcmp(wrong, "close-stdout") == 0)
		fclose(stdout);
	if (strncmp(wrong, "fork-", 5) == 0) {
		child = fork();
		if (child > 0)
			waitpid(child, NULL, 0);
		else if (strcmp(wrong, "fork-exit") == 0) /* the program that it was to become is not there */
			exit(127);
		else if (strcmp(wrong, "fork-segv") == 0)
			*nowhere = 0;
	}
}

/* Once the terminal shows no more what is typed, or FILE.asking is there. */
static void *crash_meanwhile(void *wrong)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct termios mode;
	char path[512];

	snprintf(path, sizeof path, "%s.asking", guest.file);
	while ((tcgetattr(fd, &mode) != 0 || (mode.c_lflag & ECHO)) && access(path, F_OK) != 0)
		usleep(1000);
	if (strcmp(wrong, "ask-abort") == 0)
		abort();
	*nowhere = 0;
	return wrong;
}

static int ask(struct acred_call *call, const char *wrong)
{
	const char *answer;
	pthread_t thread;
	size_t len;

	if (!call->ask)
		return ACRED_LOCKED;
	if (strcmp(wrong, "ask") != 0 && pthread_create(&thread, NULL, crash_meanwhile, (void *)wrong) != 0)
		return ACRED_FAILED;
	return call->ask(call->host, "Passphrase: ", &answer, &len);
}

/* A status, ACRED_OK: go on as a good one. */
static int do_wrong(struct acred_call *call, const char *operation)
{
	const char *wrong = wrong_in(operation);
	pthread_t thread;
	sigset_t all;

	if (!wrong)
		return ACRED_OK;
	meddle(wrong);
	if (strncmp(wrong, "ask", 3) == 0) {
		int status = ask(call, wrong);

		if (status != ACRED_OK)
			return status;
	}
	if (strcmp(wrong, "quick-exit") == 0)
		quick_exit(0);
	if (strcmp(wrong, "print-for-ever") == 0 && pthread_create(&thread, NULL, print_for_ever, NULL) != 0)
		return ACRED_FAILED;
	sigfillset(&all);
	while (strcmp(wrong, "block-pause") == 0 && sigprocmask(SIG_BLOCK, &all, NULL) == 0)
		pause();
	if (strcmp(wrong, "segv") == 0)
		*nowhere = 0;
	if (strcmp(wrong, "overflow") == 0)
		overflow(NULL);
	if (strcmp(wrong, "abort") == 0)
		abort();
	if (strcmp(wrong, "trap") == 0)
		raise(SIGTRAP);
	if (strcmp(wrong, "fpe") == 0)
		raise(SIGFPE);
	if (strcmp(wrong, "exit") == 0)
		exit(0);
	if (strcmp(wrong, "term") == 0) /* just then somebody ends the program */
		kill(getpid(), SIGTERM);
	while (strcmp(wrong, "pause") == 0)
		pause();
	while (strcmp(wrong, "loop") == 0)
		__asm__ volatile("" ::: "memory");
	if (strcmp(wrong, "odd") == 0)
		return 42;
	if (strcmp(wrong, "negative") == 0)
		return -1;
	if (strcmp(wrong, "print") == 0 && write(STDOUT_FILENO, "debug: hello\n", 13) != 13)
		return ACRED_FAILED;
	if (strcmp(wrong, "printf") == 0) /* of which nothing is written yet */
		printf("debug: hello");
	for (int i = 0; strcmp(wrong, "flood") == 0 && i < 4096; i++)
		if (write(STDOUT_FILENO, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64) < 0)
			break;
	if (strcmp(wrong, "put") == 0) /* out of turn */
		call->put(call->host, "v=1", 3);
	return ACRED_OK;
}

static int is(const char *wrong)
{
	const char *ours = wrong_in("lookup");

	return ours && strcmp(ours, wrong) == 0;
}

static FILE *open_place(const struct acred_key *key, const char *mode)
{
	char path[512];

	snprintf(path, sizeof path, "%s%s%s", guest.file, strcmp(key->facility, "refresh") == 0 ? "" : key->facility,
	         strstr(key->base_url, "write-test.invalid") ? ".tried" : "");
	if (*mode == 'x')
		return remove(path) == 0 ? stdin : NULL;
	return fopen(path, mode);
}

static int misbehaves_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	if (argc % 2 != 1) {
		call->note(call->host, "takes FILE [OPERATION WRONG]...");
		return ACRED_FAILED;
	}
	guest.file = argv[0];
	guest.wrongs = argv + 1;
	guest.n = argc - 1;
	*state = &guest;
	return do_wrong(call, "open");
}

static int misbehaves_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	char secret[SECRET_MAX_BYTES];
	FILE *file;
	size_t n;
	int status = do_wrong(call, "lookup");

	(void)state;
	if (status != ACRED_OK || is("silent"))
		return status;
	file = open_place(key, "re");
	if (!file)
		return ACRED_ABSENT;
	n = fread(secret, 1, sizeof secret, file);
	fclose(file);
	if (is("twice"))
		call->put(call->host, "v=1&kind=refresh-token", 22);
	if (is("null"))
		return call->put(call->host, NULL, 86) == 0 ? ACRED_OK : ACRED_FAILED;
	if (is("huge"))
		return call->put(call->host, secret, (size_t)1 << 40) == 0 ? ACRED_OK : ACRED_FAILED;
	if (is("garbage"))
		memset(secret, 0x80, n);
	if (is("empty"))
		n = 0;
	/* Whatever the host says to it. */
	return call->put(call->host, secret, n) == 0 || is("twice") ? ACRED_OK : ACRED_FAILED;
}

static int misbehaves_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s)
{
	static int stores;
	const char *operation = strstr(key->base_url, "write-test") ? "try" : stores++ == 0 ? "store" : "store-again", *wrong = wrong_in(operation);
	int status = do_wrong(call, operation);
	FILE *file;

	(void)state, (void)ttl_s;
	if (status != ACRED_OK)
		return status;
	file = open_place(key, "we");
	if (!file)
		return ACRED_FAILED;
	status = fwrite(bytes, 1, len, file) == len ? ACRED_OK : ACRED_FAILED;
	return fclose(file) == 0 && !(wrong && strcmp(wrong, "unsure") == 0) ? status : ACRED_FAILED;
}

static int misbehaves_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	int status = do_wrong(call, "erase");

	(void)state;
	if (status != ACRED_OK)
		return status;
	return open_place(key, "x") ? ACRED_OK : ACRED_ABSENT;
}

static int misbehaves_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *key))
{
	static const struct acred_key nameless = { .facility = NULL, .base_url = NULL, .user_id = 7 };

	(void)state;
	if (wrong_in("list") && strcmp(wrong_in("list"), "nameless") == 0) {
		each(call->host, NULL);
		each(call->host, &nameless);
	}
	return do_wrong(call, "list");
}

static int misbehaves_lock(struct acred_call *call, void *state)
{
	(void)state;
	return do_wrong(call, "lock");
}

static void misbehaves_close(void *state)
{
	(void)state;
	do_wrong(NULL, "close");
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "misbehaves",
	.about = "does what its arguments say wrong; for tests",
	.open = misbehaves_open,
	.lookup = misbehaves_lookup,
	.store = misbehaves_store,
	.erase = misbehaves_erase,
	.list = misbehaves_list,
	.close = misbehaves_close,
	.lock = misbehaves_lock,
};
