/* SPDX-License-Identifier: MIT */
/*
 * A host for the module sealed-file, and a directory of this process. The module is linked into the test, and
 * crypto_pwhash(), syscall() and the calls that write a file are this header's: they are counted, and can fail or kill.
 */
#ifndef TESTS_KEYRING_SEALED_FILE_HOST_H
#define TESTS_KEYRING_SEALED_FILE_HOST_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/keyctl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/module.h"
#include "keyring/modules/sealed-file-box.h"

static const struct acred_module *const module = &alation_cred_module;
static const struct acred_key key = { "refresh", "https://sealed.test:8443", 7 };
static const struct acred_key neighbour = { "refresh", "https://sealed.test:8443", 8 };

static struct acred_call call;
static char found[1024 * 1024], noted[16384], listed[4096], asked[4096];
static size_t n_found;
static int put_answer;
static void *state;

static char dir[64], file[128], key_file[128];
static char arg_file[160], arg_key_file[160], arg_prefix[64];

static const char *answers[8]; /* of the person, one behind the other; NULL: no more */
static unsigned n_asked, n_derived, n_keyctl;
static void (*on_derive)(void);
static int keyring_error;      /* of the kernel's keyring */
static unsigned kill_in;       /* the step of a write that kills this process; 0: none */
static unsigned n_steps;
static struct {
	const char *name;
	int error;
} broken;                      /* a step that fails */

static void *next(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	assert_non_null(symbol);
	return symbol;
}

int crypto_pwhash(unsigned char *const out, unsigned long long n_out, const char *const passphrase, unsigned long long n,
                  const unsigned char *const salt, unsigned long long passes, size_t memory, int algorithm)
{
	int (*real)(unsigned char *, unsigned long long, const char *, unsigned long long, const unsigned char *, unsigned long long,
	            size_t, int);

	*(void **)&real = next("crypto_pwhash");
	n_derived++;
	if (on_derive != NULL)
		on_derive();
	return real(out, n_out, passphrase, n, salt, passes, memory, algorithm);
}

long syscall(long number, ...)
{
	long (*real)(long, ...), a[5];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_keyctl || number == SYS_add_key) {
		n_keyctl++;
		if (keyring_error != 0) {
			errno = keyring_error;
			return -1;
		}
	}
	*(void **)&real = next("syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4]);
}

/* One more step of a write; true where it fails. */
static bool step(const char *name)
{
	if (kill_in > 0 && ++n_steps == kill_in)
		raise(SIGKILL);
	if (broken.name == NULL || strcmp(broken.name, name) != 0)
		return false;
	errno = broken.error;
	return true;
}

int openat(int at, const char *name, int flags, ...)
{
	int (*real)(int, const char *, int, mode_t);

	*(void **)&real = next("openat");
	return (flags & O_EXCL) && step("openat") ? -1 : real(at, name, flags, 0600);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);

	*(void **)&real = next("write");
	return step("write") ? -1 : real(fd, bytes, n);
}

int fsync(int fd)
{
	int (*real)(int);

	*(void **)&real = next("fsync");
	return step("fsync") ? -1 : real(fd);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int (*real)(int, const char *, int, const char *);

	*(void **)&real = next("renameat");
	return step("renameat") ? -1 : real(from_dir, from, to_dir, to);
}

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
	assert_null(strchr(text, '\n'));
	snprintf(noted, sizeof noted, "%s", text);
}

static inline int on_ask(void *host, const char *question, const char **answer, size_t *len)
{
	size_t n = strlen(asked);

	assert_ptr_equal(host, &call);
	snprintf(asked + n, sizeof asked - n, "%s|", question);
	if (answers[n_asked] == NULL)
		return ACRED_LOCKED;
	*answer = answers[n_asked++];
	*len = strlen(*answer);
	return ACRED_OK;
}

static void on_each(void *host, const struct acred_key *each)
{
	size_t n = strlen(listed);

	assert_ptr_equal(host, &call);
	snprintf(listed + n, sizeof listed - n, "%s %d %s;", each->facility, (int)each->user_id, each->base_url);
}

/* Who is there to be asked, and what he says; without an argument nobody. */
#define PERSON(...)                                                              \
	do {                                                                     \
		const char *said[] = { __VA_ARGS__ };                            \
		memset(answers, 0, sizeof answers);                              \
		for (size_t said_i = 0; said_i < sizeof said / sizeof said[0]; said_i++) \
			answers[said_i] = said[said_i];                          \
		n_asked = 0;                                                     \
		asked[0] = '\0';                                                 \
		call.ask = on_ask;                                               \
	} while (0)
static inline void nobody(void)
{
	call.ask = NULL;
	asked[0] = '\0';
}

static int lookup_of(const struct acred_key *wanted)
{
	n_found = 0;
	noted[0] = '\0';
	return module->lookup(&call, state, wanted);
}

static int lookup(void)
{
	return lookup_of(&key);
}

static int store_of(const struct acred_key *wanted, const char *bytes)
{
	noted[0] = '\0';
	return module->store(&call, state, wanted, bytes, strlen(bytes), 0);
}

static int store(const char *bytes)
{
	return store_of(&key, bytes);
}

static int erase(void)
{
	noted[0] = '\0';
	return module->erase(&call, state, &key);
}

static int list(void)
{
	noted[0] = listed[0] = '\0';
	return module->list(&call, state, on_each);
}

static int lock(void)
{
	noted[0] = '\0';
	return module->lock(&call, state);
}

static void assert_noted(const char *words)
{
	if (strstr(noted, words) == NULL)
		fail_msg("noted '%s', not '%s'", noted, words);
}

static void assert_found(const char *bytes)
{
	assert_int_equal(lookup(), ACRED_OK);
	assert_int_equal(n_found, strlen(bytes));
	assert_memory_equal(found, bytes, n_found);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(close(fd), 0);
}

static void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

static size_t read_file(const char *path, unsigned char *bytes, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, bytes, room);
	assert_true(n >= 0);
	close(fd);
	return (size_t)n;
}

/* A file without entries that PASSPHRASE opens, with the cheapest key there is. */
static void make_cheap_file(const char *path, const char *passphrase)
{
	unsigned char derived[BOX_KEY_BYTES], bytes[BOX_OVERHEAD_BYTES];
	struct sealed_lid lid = { .passes = 1, .memory_kib = 8 };

	assert_true(sodium_init() >= 0);
	randombytes_buf(lid.salt, sizeof lid.salt);
	assert_true(sealed_box_derive(&lid, (const unsigned char *)passphrase, strlen(passphrase), derived));
	sealed_box_close(&lid, derived, (const unsigned char *)"", 0, bytes);
	write_file(path, bytes, sizeof bytes);
	n_derived = 0;
}

static void reopen_with(int argc, const char *const *argv)
{
	if (state != NULL)
		module->close(state);
	state = NULL;
	assert_int_equal(module->open(&call, argc, argv, &state), ACRED_OK);
}

/* The module opened anew, as in another process: nothing in its memory. Further arguments end with NULL. */
static void reopen(const char *first, ...)
{
	const char *argv[8] = { arg_file, arg_prefix };
	int argc = 2;
	va_list list;

	va_start(list, first);
	for (const char *arg = first; arg != NULL; arg = va_arg(list, const char *))
		argv[argc++] = arg;
	va_end(list);
	reopen_with(argc, argv);
}

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static unsigned files(void)
{
	DIR *names = opendir(dir);
	unsigned n = 0;

	assert_non_null(names);
	while (readdir(names) != NULL)
		n++;
	closedir(names);
	return n - 2;
}

static inline int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A key-file that holds "open sesame", no sealed file, nobody to be asked, and nothing in the kernel keyring. */
static int setup(void **unused)
{
	(void)unused;
	snprintf(dir, sizeof dir, "/tmp/acred-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof file, "%s/sealed", dir);
	snprintf(key_file, sizeof key_file, "%s/passphrase", dir);
	snprintf(arg_file, sizeof arg_file, "file=%s", file);
	snprintf(arg_key_file, sizeof arg_key_file, "key-file=%s", key_file);
	snprintf(arg_prefix, sizeof arg_prefix, "prefix=alation-cred-test-%ld", (long)getpid());
	call = (struct acred_call){ .size = sizeof call, .host = &call, .put = on_put, .note = on_note };
	put_answer = keyring_error = 0;
	kill_in = n_steps = n_asked = n_derived = n_keyctl = 0;
	broken.name = NULL;
	on_derive = NULL;
	noted[0] = listed[0] = asked[0] = '\0';
	memset(answers, 0, sizeof answers);
	write_text(key_file, "open sesame\n");
	state = NULL;
	reopen(arg_key_file, NULL);
	return 0;
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
	keyring_error = 0;
	kill_in = 0;
	broken.name = NULL;
	(void)lock(); /* every file's key: they rest under this process's prefix */
	module->close(state);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
