/* SPDX-License-Identifier: MIT */
/*
 * What the loader takes and what it refuses, on copies of real guests in a directory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keyring/load.h"
#include "keyring/trust.h"

#define STRANGER 65534

static char guests[PATH_MAX]; /* BUILD/tests/modules */
static char dir[PATH_MAX];    /* ours, new for each test */
static struct acred_module module;
static char why[512];

static void find_guests(void)
{
	ssize_t n = readlink("/proc/self/exe", guests, sizeof guests - sizeof "/modules");

	assert_true(n > 0);
	guests[n] = '\0';
	for (int i = 0; i < 2; i++) /* BUILD/tests/keyring/test-load */
		*strrchr(guests, '/') = '\0';
	strcat(guests, "/modules");
}

static const char *in(const char *where, const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", where, name);
	return path;
}

/* Copies a guest into our directory, as NAME.so with MODE. */
static void copy(const char *guest, const char *name, mode_t mode)
{
	char bytes[8192];
	FILE *from = fopen(in(guests, guest), "re"), *to = fopen(in(dir, name), "we");
	size_t n;

	assert_non_null(from);
	assert_non_null(to);
	while ((n = fread(bytes, 1, sizeof bytes, from)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, to), n);
	fclose(from);
	assert_int_equal(fchmod(fileno(to), mode), 0);
	assert_int_equal(fclose(to), 0);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof dir, "%s/acred-load.XXXXXX", tmp != NULL ? tmp : "/tmp");
	why[0] = '\0';
	memset(&module, 0xff, sizeof module);
	return mkdtemp(dir) == NULL;
}

static int teardown(void **state)
{
	static const char *const names[] = { "guest.so", "other.so", "pipe.so", "link.so", "dir.so", "moved/guest.so", "Guest.so", "kernel.so", "guest.so.old", ".so" };

	(void)state;
	chmod(dir, 0700);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unlink(in(dir, names[i])) != 0)
			rmdir(in(dir, names[i]));
	rmdir(in(dir, "moved"));
	return rmdir(dir);
}

/* A refusal names the file and the reason. */
static void assert_refused(int expected, const char *name, const char *file, const char *reason)
{
	assert_int_equal(load_module(dir, name, &module, why, sizeof why), expected);
	assert_non_null(strstr(why, dir));
	assert_non_null(strstr(why, file));
	assert_non_null(strstr(why, reason));
}

static void test_built_in(void **state)
{
	(void)state;
	assert_int_equal(load_module("/nowhere", "kernel", &module, why, sizeof why), ACRED_OK);
	assert_non_null(module.lookup);
	assert_non_null(module.store);
}

static void note_name(void *host, const char *name)
{
	char *names = host;

	assert_true(strlen(names) + strlen(name) + 2 < PATH_MAX);
	strcat(strcat(names, name), " ");
}

static void touch(const char *name)
{
	FILE *file = fopen(in(dir, name), "we");

	assert_non_null(file);
	fclose(file);
}

static void test_list(void **state)
{
	static const char *const not_tried[] = { "Guest.so", "kernel.so", "guest.so.old", ".so" };
	char names[PATH_MAX] = "";

	(void)state;
	load_list(dir, note_name, names);
	assert_string_equal(names, "");
	for (size_t i = 0; i < sizeof not_tried / sizeof not_tried[0]; i++)
		touch(not_tried[i]);
	touch("guest.so");
	touch("other.so");
	load_list(dir, note_name, names);
	assert_true(strcmp(names, "guest other ") == 0 || strcmp(names, "other guest ") == 0);
	names[0] = '\0';
	load_list("/nowhere", note_name, names);
	assert_string_equal(names, "");
}

static void test_names(void **state)
{
	static const char *const names[] = { "", "../guest", "guest.so", "Guest", "a/b", "gu st", "./guest",
		"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg" };

	(void)state;
	copy("answers.so", "guest.so", 0644);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_refused(ACRED_FAILED, names[i], "", "no module can have such a name");
}

/* A configuration file may name one by its path, which is judged as those of ours are. */
static void test_absolute_path(void **state)
{
	char path[PATH_MAX + 16];

	(void)state;
	copy("answers.so", "guest.so", 0644);
	snprintf(path, sizeof path, "%s/guest.so", dir);
	assert_int_equal(load_module("/nowhere", path, &module, why, sizeof why), ACRED_OK);
	assert_string_equal(module.name, "answers");
	assert_refused(ACRED_UNAVAILABLE, in(dir, "other.so"), "other.so", "No such file");
	assert_int_equal(chmod(path, 0646), 0);
	assert_refused(ACRED_FAILED, path, "guest.so", "is writable by everybody");
}

static void test_guests(void **state)
{
	static const struct {
		const char *guest;
		int status;
		const char *reason;
	} rows[] = {
		{ "answers.so", ACRED_OK, "" },
		{ "first-struct.so", ACRED_OK, "" },
		{ "old-abi.so", ACRED_FAILED, "speaks version 0" },
		{ "small-struct.so", ACRED_FAILED, "says size 40, which is too small; set it to sizeof alation_cred_module" },
		{ "no-function.so", ACRED_FAILED, "guest.so: undefined symbol: acred_is_nowhere" },
		{ "no-lookup.so", ACRED_FAILED, "has no look-up" },
		{ "no-symbol.so", ACRED_FAILED, "has no symbol 'alation_cred_module'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		copy(rows[i].guest, "guest.so", 0644);
		if (rows[i].status != ACRED_OK) {
			assert_refused(rows[i].status, "guest", "guest.so", rows[i].reason);
			assert_null(strstr(why, "/proc/"));
		} else
			assert_int_equal(load_module(dir, "guest", &module, why, sizeof why), ACRED_OK);
		unlink(in(dir, "guest.so"));
	}
}

static void test_only_the_known_part_is_taken(void **state)
{
	(void)state;
	copy("first-struct.so", "guest.so", 0644);
	assert_int_equal(load_module(dir, "guest", &module, why, sizeof why), ACRED_OK);
	assert_non_null(module.lookup);
	assert_null(module.store);
	assert_null(module.erase);
	assert_null(module.list);
	assert_null(module.close);
}

static void test_two_modules_are_two(void **state)
{
	struct acred_module other;

	(void)state;
	copy("answers.so", "guest.so", 0644);
	copy("first-struct.so", "other.so", 0644);
	assert_int_equal(load_module(dir, "guest", &module, why, sizeof why), ACRED_OK);
	assert_int_equal(load_module(dir, "other", &other, why, sizeof why), ACRED_OK);
	assert_string_equal(module.name, "answers");
	assert_string_equal(other.name, "first-struct");
}

static void test_not_there(void **state)
{
	(void)state;
	assert_refused(ACRED_UNAVAILABLE, "guest", "guest.so", strerror(ENOENT));
	assert_int_equal(load_module("/nowhere", "guest", &module, why, sizeof why), ACRED_UNAVAILABLE);
}

static void test_no_relative_path(void **state)
{
	(void)state;
	copy("answers.so", "guest.so", 0644);
	assert_int_equal(chdir(dir), 0);
	assert_null(load_object("guest.so", "alation_cred_module", why, sizeof why));
	assert_non_null(strstr(why, "absolute"));
	assert_null(load_object("./guest.so", "alation_cred_module", why, sizeof why));
	assert_int_equal(chdir("/"), 0);
}

static void test_not_a_library(void **state)
{
	FILE *f;

	(void)state;
	f = fopen(in(dir, "guest.so"), "we");
	assert_non_null(f);
	fputs("#!/bin/sh\n", f);
	fclose(f);
	assert_refused(ACRED_FAILED, "guest", "guest.so", "");
	assert_int_equal(mkfifo(in(dir, "pipe.so"), 0600), 0); /* and nobody waits for its other end */
	assert_refused(ACRED_FAILED, "pipe", "pipe.so", "not a regular file");
	assert_int_equal(mkdir(in(dir, "dir.so"), 0700), 0);
	assert_refused(ACRED_FAILED, "dir", "dir.so", "not a regular file");
}

/* The file's owner and mode, and the directory's. Rows with an owner need root. */
static void test_who_may_have_written_it(void **state)
{
	static const struct {
		mode_t file, dir;
		uid_t owner;     /* of the file; 0: left alone */
		gid_t group;
		uid_t dir_owner;
		const char *reason; /* NULL: taken */
	} rows[] = {
		{ 0644, 0755, 0, 0, 0, NULL },
		{ 0444, 0555, 0, 0, 0, NULL },
		{ 0646, 0755, 0, 0, 0, "writable by everybody" },
		{ 0644, 0757, 0, 0, 0, "writable by everybody" },
		{ 0644, 01777, 0, 0, 0, "writable by everybody" }, /* the sticky bit does not help: a new file can be put there */
		{ 0644, 0755, STRANGER, 0, 0, "neither to root nor to you" },
		{ 0644, 0755, 0, 0, STRANGER, "neither to root nor to you" },
		{ 0664, 0755, 0, STRANGER, 0, "writable by a group" },
		{ 0644, 0755, 0, STRANGER, 0, NULL },
	};
	bool root = getuid() == 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!root && (rows[i].owner || rows[i].group || rows[i].dir_owner))
			continue;
		copy("answers.so", "guest.so", rows[i].file);
		if (rows[i].owner || rows[i].group)
			assert_int_equal(chown(in(dir, "guest.so"), rows[i].owner, rows[i].group), 0);
		if (rows[i].dir_owner)
			assert_int_equal(chown(dir, rows[i].dir_owner, 0), 0);
		assert_int_equal(chmod(dir, rows[i].dir), 0);
		if (rows[i].reason != NULL)
			assert_refused(ACRED_FAILED, "guest", "", rows[i].reason);
		else
			assert_int_equal(load_module(dir, "guest", &module, why, sizeof why), ACRED_OK);
		assert_int_equal(chmod(dir, 0700), 0);
		if (root)
			assert_int_equal(chown(dir, 0, 0), 0);
		unlink(in(dir, "guest.so"));
	}
}

/* Under umask 0002, in the group that is the user's own. */
static void test_own_group_may_write(void **state)
{
	struct stat st;

	(void)state;
	copy("answers.so", "guest.so", 0664);
	assert_int_equal(stat(in(dir, "guest.so"), &st), 0);
	if (st.st_gid != st.st_uid)
		skip();
	assert_int_equal(chmod(dir, 0775), 0);
	assert_int_equal(load_module(dir, "guest", &module, why, sizeof why), ACRED_OK);
}

/* A link is followed, and then the file's own directory counts too. */
static void test_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in(dir, "moved"), 0755), 0);
	copy("answers.so", "moved/guest.so", 0644);
	assert_int_equal(symlink("moved/guest.so", in(dir, "link.so")), 0);
	assert_int_equal(load_module(dir, "link", &module, why, sizeof why), ACRED_OK);
	assert_int_equal(chmod(in(dir, "moved"), 0777), 0);
	assert_refused(ACRED_FAILED, "link", "moved", "writable by everybody");
	assert_int_equal(chmod(in(dir, "moved"), 0755), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_refused(ACRED_FAILED, "link", "", "writable by everybody");
}

static void test_load_object(void **state)
{
	const struct acred_module *found;

	(void)state;
	copy("answers.so", "guest.so", 0644);
	found = load_object(in(dir, "guest.so"), "alation_cred_module", why, sizeof why);
	assert_non_null(found);
	assert_string_equal(found->name, "answers");
	assert_null(load_object(in(dir, "guest.so"), "acred_alation", why, sizeof why));
	assert_non_null(strstr(why, "acred_alation"));
}

static bool private_group(const char *passwd, const char *group, uid_t owner, gid_t gid)
{
	FILE *p = fmemopen((void *)(uintptr_t)passwd, strlen(passwd), "r");
	FILE *g = fmemopen((void *)(uintptr_t)group, strlen(group), "r");
	bool is;

	assert_non_null(p);
	assert_non_null(g);
	is = trust_private_group(p, g, owner, gid);
	fclose(p);
	fclose(g);
	return is;
}

static void test_private_group(void **state)
{
	static const struct {
		const char *what, *passwd, *group;
		bool private;
	} rows[] = {
		{ "a group of the owner's name", "ann:x:1000:2000:::\nbob:x:1001:2001:::\n", "ann:x:2000:\n", true },
		{ "the owner is listed himself", "ann:x:1000:2000:::\n", "ann:x:2000:ann\n", true },
		{ "somebody else is listed", "ann:x:1000:2000:::\n", "ann:x:2000:ann,bob\n", false },
		{ "another's primary group", "ann:x:1000:2000:::\nbob:x:1001:2000:::\n", "ann:x:2000:\n", false },
		{ "a group of another name", "ann:x:1000:2000:::\n", "staff:x:2000:\n", false },
		{ "the name of another group", "ann:x:1000:2000:::\n", "ann:x:2001:\nstaff:x:2000:\n", false },
		{ "a second entry lets others in", "ann:x:1000:2000:::\n", "ann:x:2000:\nann:x:2000:bob\n", false },
		{ "no such group", "ann:x:1000:2000:::\n", "bob:x:2001:\n", false },
		{ "no such user", "bob:x:1001:2001:::\n", "ann:x:2000:\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (private_group(rows[i].passwd, rows[i].group, 1000, 2000) != rows[i].private)
			fail_msg("%s", rows[i].what);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_built_in),
		ROW(test_names),
		ROW(test_list),
		ROW(test_absolute_path),
		ROW(test_guests),
		ROW(test_only_the_known_part_is_taken),
		ROW(test_two_modules_are_two),
		ROW(test_not_there),
		ROW(test_no_relative_path),
		ROW(test_not_a_library),
		ROW(test_who_may_have_written_it),
		ROW(test_own_group_may_write),
		ROW(test_links),
		ROW(test_load_object),
		cmocka_unit_test(test_private_group),
	};

	umask(022);
	find_guests();
	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
