/* SPDX-License-Identifier: MIT */
/*
 * The kernel module against the real kernel, under a prefix of this process, and against one whose system calls
 * fail: syscall(2) is this file's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/keyctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/module.h"

#define LONG_BYTES 5000 /* more than the first buffer, and within an ordinary user's quota */
#define REPLACES 40     /* an ordinary user's quota has room for about 88 keys, and those replaced are collected late */
#define ANY (-1)

extern const struct acred_module acred_builtin_kernel;
static const struct acred_module *const module = &acred_builtin_kernel;

static struct acred_key key = { "access", "https://kernel.test:8443", 7 };
static struct acred_call call;
static char prefix[64], found[40000], noted[256];
static size_t n_found, n_listed;
static bool wanted_listed;
static void *state;

/* The next call of OPERATION (ANY: every one; SYS_add_key as the negative of its number) fails with `error`. */
static struct {
	long operation;
	int error, times;
} fault;

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[5];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (fault.times > 0 && (fault.operation == ANY || (number == SYS_keyctl && a[0] == fault.operation) ||
	                        (number == SYS_add_key && fault.operation == -SYS_add_key))) {
		fault.times--;
		errno = fault.error;
		return -1;
	}
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4]);
}

static int on_put(void *host, const char *bytes, size_t len)
{
	assert_ptr_equal(host, &call);
	assert_true(len <= sizeof found);
	memcpy(found, bytes, len);
	n_found = len;
	return 0;
}

static void on_note(void *host, const char *text)
{
	assert_ptr_equal(host, &call);
	snprintf(noted, sizeof noted, "%s", text);
}

static void on_each(void *host, const struct acred_key *listed)
{
	assert_ptr_equal(host, &call);
	n_listed++;
	wanted_listed |= strcmp(listed->facility, key.facility) == 0 && strcmp(listed->base_url, key.base_url) == 0 &&
	                 listed->user_id == key.user_id;
}

static int lookup(void)
{
	n_found = 0;
	return module->lookup(&call, state, &key);
}

static int store(const char *bytes, int64_t ttl_s)
{
	return module->store(&call, state, &key, bytes, strlen(bytes), ttl_s);
}

static void assert_found(const char *bytes)
{
	assert_int_equal(lookup(), ACRED_OK);
	assert_int_equal(n_found, strlen(bytes));
	assert_memory_equal(found, bytes, n_found);
}

static int setup(void **unused)
{
	const char *argv[] = { prefix };

	(void)unused;
	call = (struct acred_call){ .size = sizeof call, .host = &call, .put = on_put, .note = on_note };
	snprintf(prefix, sizeof prefix, "prefix=alation-cred-test-%ld", (long)getpid());
	fault.times = 0;
	noted[0] = '\0';
	return module->open(&call, 1, argv, &state) != ACRED_OK;
}

static int teardown(void **unused)
{
	int status;

	(void)unused;
	fault.times = 0;
	status = module->erase(&call, state, &key);
	module->close(state);
	return status != ACRED_OK && status != ACRED_ABSENT && status != ACRED_UNAVAILABLE;
}

static void test_store_find_replace_erase(void **unused)
{
	(void)unused;
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(module->erase(&call, state, &key), ACRED_ABSENT);
	assert_int_equal(store("first", 60), ACRED_OK);
	assert_found("first");
	assert_int_equal(store("the second", 60), ACRED_OK);
	assert_found("the second");
	assert_int_equal(module->erase(&call, state, &key), ACRED_OK);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_string_equal(noted, "");
}

static void test_long_ones(void **unused)
{
	char *bytes = malloc(LONG_BYTES + 1);

	(void)unused;
	assert_non_null(bytes);
	memset(bytes, 'x', LONG_BYTES);
	bytes[LONG_BYTES] = '\0';
	assert_int_equal(store(bytes, 60), ACRED_OK);
	assert_found(bytes);
	free(bytes);
	bytes = calloc(1, 32769);
	assert_non_null(bytes);
	memset(bytes, 'x', 32768);
	assert_int_equal(store(bytes, 60), ACRED_FAILED);
	assert_non_null(strstr(noted, "32767"));
	assert_int_equal(store("", 60), ACRED_FAILED);
	free(bytes);
}

/* The end of the key that a look-up finds, as /proc/keys shows it: "59s", "2h", "perm". */
static void shown_end(char end[16])
{
	char line[1024], description[256], flags[16], uses[16];
	FILE *keys = fopen("/proc/keys", "re");
	unsigned id = 0;
	long wanted;

	if (keys == NULL)
		skip();
	snprintf(description, sizeof description, "%s:%s:7@%s", prefix + strlen("prefix="), key.facility, key.base_url);
	wanted = syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", description, 0L);
	assert_true(wanted > 0);
	while (id != wanted && fgets(line, sizeof line, keys) != NULL)
		assert_int_equal(sscanf(line, "%x %15s %15s %15s", &id, flags, uses, end), 4);
	fclose(keys);
	assert_int_equal(id, wanted);
}

static void test_every_key_has_its_end(void **unused)
{
	char end[16];

	(void)unused;
	assert_int_equal(store("token", 7200), ACRED_OK);
	shown_end(end);
	assert_true(strcmp(end, "2h") == 0 || strcmp(end, "1h") == 0);
	assert_int_equal(store("token", 30), ACRED_OK); /* the end is the new one's */
	shown_end(end);
	assert_non_null(strchr(end, 's'));
	assert_int_equal(store("token", 0), ACRED_OK);
	shown_end(end);
	assert_string_equal(end, "perm");
	assert_int_equal(store("token", INT64_MAX), ACRED_OK);
	assert_int_equal(store("token", -1), ACRED_FAILED);
}

static void test_expired_is_absent(void **unused)
{
	(void)unused;
	assert_int_equal(store("token", 60), ACRED_OK);
	fault.operation = KEYCTL_SEARCH, fault.error = EKEYEXPIRED, fault.times = 1;
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(n_found, 0);
}

/* Between search and read the key was replaced: its successor is found. */
static void test_replaced_while_read(void **unused)
{
	(void)unused;
	assert_int_equal(store("token", 60), ACRED_OK);
	fault.operation = KEYCTL_READ, fault.error = ENOKEY, fault.times = 1;
	assert_found("token");
	fault.operation = KEYCTL_UNLINK, fault.error = ENOENT, fault.times = 1;
	assert_int_equal(module->erase(&call, state, &key), ACRED_OK);
	assert_int_equal(lookup(), ACRED_ABSENT);
}

static void test_errors(void **unused)
{
	static const struct {
		long operation;
		int error, looked_up, stored, erased;
	} rows[] = {
		{ ANY, EPERM, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ ANY, ENOSYS, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ ANY, EACCES, ACRED_DENIED, ACRED_DENIED, ACRED_DENIED },
		{ ANY, ENOMEM, ACRED_FAILED, ACRED_FAILED, ACRED_FAILED },
		{ KEYCTL_SEARCH, EKEYREVOKED, ACRED_ABSENT, ACRED_OK, ACRED_ABSENT },
		{ KEYCTL_READ, EACCES, ACRED_DENIED, ACRED_OK, ACRED_OK },
		{ -SYS_add_key, EDQUOT, ACRED_OK, ACRED_FAILED, ACRED_OK },
		{ KEYCTL_SET_TIMEOUT, EACCES, ACRED_OK, ACRED_DENIED, ACRED_OK },
		{ KEYCTL_SETPERM, EACCES, ACRED_OK, ACRED_DENIED, ACRED_OK },
		{ KEYCTL_LINK, EDQUOT, ACRED_OK, ACRED_FAILED, ACRED_OK },
		{ KEYCTL_LINK, EKEYREVOKED, ACRED_OK, ACRED_FAILED, ACRED_OK },
		{ KEYCTL_UNLINK, EACCES, ACRED_OK, ACRED_OK, ACRED_DENIED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fault.times = 0;
		assert_int_equal(store("old", 60), ACRED_OK);
		fault.operation = rows[i].operation, fault.error = rows[i].error;
		fault.times = 100;
		assert_int_equal(lookup(), rows[i].looked_up);
		fault.times = 100;
		assert_int_equal(store("new", 60), rows[i].stored);
		fault.times = 0; /* a store that failed has changed nothing */
		assert_found(rows[i].stored == ACRED_OK ? "new" : "old");
		fault.times = 100;
		assert_int_equal(module->erase(&call, state, &key), rows[i].erased);
	}
}

static void test_no_refresh_token(void **unused)
{
	struct acred_key refresh = key;

	(void)unused;
	refresh.facility = "refresh";
	noted[0] = '\0';
	assert_int_equal(module->store(&call, state, &refresh, "x", 1, 0), ACRED_FAILED);
	assert_string_equal(noted, "a RefreshToken is not kept where a restart loses it");
	assert_int_equal(module->lookup(&call, state, &refresh), ACRED_ABSENT);
}

static void test_list(void **unused)
{
	(void)unused;
	n_listed = n_found = 0, wanted_listed = false;
	assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
	assert_int_equal(n_listed, 0);
	assert_int_equal(store("token", 60), ACRED_OK);
	assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
	assert_int_equal(n_listed, 1);
	assert_true(wanted_listed);
	assert_int_equal(n_found, 0);
}

static void test_arguments(void **unused)
{
	static const char *const bad[] = { "prefix=", "prefix=a:b", "prefix=a b", "ttl=3", "prefix",
		"prefix=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg" };
	const char *other[] = { "prefix=alation-cred-test-other" };
	void *opened;

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		noted[0] = '\0';
		assert_int_equal(module->open(&call, 1, &bad[i], &opened), ACRED_FAILED);
		assert_string_not_equal(noted, "");
	}
	assert_int_equal(store("token", 60), ACRED_OK);
	assert_int_equal(module->open(&call, 1, other, &opened), ACRED_OK); /* another prefix is another place */
	assert_int_equal(module->lookup(&call, opened, &key), ACRED_ABSENT);
	module->close(opened);
}

/* In a child: found under a session keyring that is not the one it was stored from. */
static void test_foreign_session_keyring(void **unused)
{
	int status = 0;
	pid_t child;

	(void)unused;
	assert_int_equal(store("token", 60), ACRED_OK);
	child = fork();
	if (child == 0) {
		if (syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, 0L, 0L, 0L, 0L) < 0)
			_exit(2);
		_exit(lookup() == ACRED_OK && n_found == 5 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* One process replaces, another reads: never nothing, never half of each. */
static void test_no_gap_while_replaced(void **unused)
{
	static const char *const values[] = { "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb" };
	int status = 0;
	pid_t child;

	(void)unused;
	assert_int_equal(store(values[0], 60), ACRED_OK);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < REPLACES; i++)
			(void)store(values[i % 2], 60); /* a full quota is no matter here */
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		assert_int_equal(lookup(), ACRED_OK);
		assert_int_equal(n_found, strlen(values[found[0] == 'b']));
		assert_memory_equal(found, values[found[0] == 'b'], n_found);
	}
	assert_int_equal(status, 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_store_find_replace_erase),
		ROW(test_long_ones),
		ROW(test_every_key_has_its_end),
		ROW(test_expired_is_absent),
		ROW(test_replaced_while_read),
		ROW(test_errors),
		ROW(test_no_refresh_token),
		ROW(test_list),
		ROW(test_arguments),
		ROW(test_foreign_session_keyring),
		ROW(test_no_gap_while_replaced),
	};

	if (setup(NULL) == 0 && lookup() == ACRED_UNAVAILABLE) {
		puts("1..1\nok 1 kernel # SKIP the kernel keyring is closed here");
		return 0;
	}
	module->close(state);
	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
