/* SPDX-License-Identifier: MIT */
/*
 * Which program is run, and which is not: by its name, its file, its directory.
 */
#include "tests/keyring/docker-helper-host.h"

static void arguments(void **unused)
{
	static const struct {
		const char *argument, *words;
	} rows[] = {
		{ NULL, "which program?" },
		{ "program=", "takes a name" },
		{ "program=docker-credential-", "takes a name" },
		{ "program=bin/pass", "not a path that depends on the place" },
		{ "program=../pass", "not a path that depends on the place" },
		{ "program=docker-credential-/../pass", "not a path that depends on the place" },
		{ "program=~/pass", "not a path that depends on the place" },
		{ "program=pass;true", "takes a name" },
		{ "program=$(pass)", "takes a name" },
		{ "program=p\xc3\xa4ss", "takes a name" },
		{ "program=pass\n", "takes a name" },
		{ "program=0123456789012345678901234567890123456789012345678901234567890123x", "takes a name" },
		{ "program=/", "the path of a file" },
		{ "program=/usr/bin/", "the path of a file" },
		{ "programme=pass", "takes program=" },
		{ "pass", "takes program=" },
	};
	static const char *const twice[] = { "program=pass", "program=pass" };
	static char too_long[PATH_MAX + 16] = "program=/";
	void *none;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(open_with(rows[i].argument), ACRED_FAILED);
		assert_noted(rows[i].words);
	}
	memset(too_long + strlen(too_long), 'x', PATH_MAX);
	assert_int_equal(open_with(too_long), ACRED_FAILED);
	assert_int_equal(module->open(&call, 2, twice, &none), ACRED_FAILED);
	assert_int_equal(open_with("program=docker-credential-pass"), ACRED_OK);
	assert_int_equal(open_with("program=no-helper_0.9-OF-that-name"), ACRED_OK);
}

/* Each operation says so; what opens no file does not ask. */
static void is_missing(void **unused)
{
	(void)unused;
	assert_int_equal(open_with("program=none-of-this-name"), ACRED_OK);
	assert_int_equal(lookup(), ACRED_UNAVAILABLE);
	assert_noted("there is no docker-credential-none-of-this-name in /usr/local/bin, /usr/bin or /bin");
	assert_int_equal(store("SECRET", 6), ACRED_UNAVAILABLE);
	assert_int_equal(erase(), ACRED_UNAVAILABLE);
	assert_int_equal(list(), ACRED_UNAVAILABLE);
	snprintf(argument, sizeof argument, "program=%s/none", dir);
	assert_int_equal(open_with(argument), ACRED_OK);
	assert_int_equal(lookup(), ACRED_UNAVAILABLE);
	assert_noted("there is no /tmp/");
}

/* A name is never looked for in $PATH, nor here. */
static void not_in_path(void **unused)
{
	char *path = strdup(getenv("PATH") != NULL ? getenv("PATH") : "");
	int here = open(".", O_PATH | O_CLOEXEC);

	(void)unused;
	assert_int_equal(symlink(self_path, path_of("docker-credential-acred-test")), 0);
	says("get", ANSWER, "0");
	setenv("PATH", dir, 1);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(open_with("program=acred-test"), ACRED_OK);
	assert_int_equal(lookup(), ACRED_UNAVAILABLE);
	assert_int_equal(fchdir(here), 0);
	close(here);
	setenv("PATH", path, 1);
	free(path);
	/* By its path it is found, through the link. */
	snprintf(argument, sizeof argument, "program=%s", path_of("docker-credential-acred-test"));
	assert_int_equal(open_with(argument), ACRED_OK);
	assert_int_equal(lookup(), ACRED_OK);
}

static int look_up_with(const char *name)
{
	snprintf(argument, sizeof argument, "program=%s", path_of(name));
	assert_int_equal(open_with(argument), ACRED_OK);
	return lookup();
}

static void write_script(const char *name, mode_t mode)
{
	char text[PATH_MAX + 256];

	/* The secret comes by a built-in, so that no other program is needed. */
	snprintf(text, sizeof text, "#!/bin/sh\nread -r line <%s/get.out\necho \"$0 $*\" >%s/called\nprintf '%%s\\n' \"$line\"\n", dir, dir);
	write_text(name, text);
	assert_int_equal(chmod(path_of(name), mode), 0);
}

static void a_script(void **unused)
{
	char called[PATH_MAX];

	(void)unused;
	write_script("helper", 0700);
	says("get", ANSWER, "0");
	assert_int_equal(look_up_with("helper"), ACRED_OK);
	snprintf(called, sizeof called, "%s get\n", path_of("helper"));
	assert_string_equal(read_text("called"), called);
}

static void what_is_not_run(void **unused)
{
	static const struct {
		mode_t mode, dir_mode;
		int status;
		const char *words;
	} rows[] = {
		{ 0755, 0700, ACRED_OK, "" },
		{ 0600, 0700, ACRED_FAILED, "helper: is not executable" },
		{ 0707, 0700, ACRED_FAILED, "helper: is writable by everybody" },
		{ 0700, 0703, ACRED_FAILED, ": is writable by everybody" },
	};

	(void)unused;
	says("get", ANSWER, "0");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_script("helper", rows[i].mode);
		assert_int_equal(chmod(dir, rows[i].dir_mode), 0);
		assert_int_equal(look_up_with("helper"), rows[i].status);
		assert_noted(rows[i].words);
		assert_int_equal(chmod(dir, 0700), 0);
		assert_int_equal(chmod(path_of("helper"), 0600), 0);
	}
	assert_int_equal(mkdir(path_of("folder"), 0700), 0);
	assert_int_equal(look_up_with("folder"), ACRED_FAILED);
	assert_noted("folder: is not a regular file");
	assert_int_equal(mkfifo(path_of("fifo"), 0700), 0);
	assert_int_equal(look_up_with("fifo"), ACRED_FAILED);
	assert_noted("fifo: is not a regular file");
}

/* A link from a place that others may write. */
static void a_link_of_others(void **unused)
{
	(void)unused;
	says("get", ANSWER, "0");
	assert_int_equal(mkdir(path_of("open"), 0700), 0);
	assert_int_equal(symlink(self_path, path_of("open/helper")), 0);
	assert_int_equal(look_up_with("open/helper"), ACRED_OK);
	assert_int_equal(chmod(path_of("open"), 0703), 0);
	assert_int_equal(look_up_with("open/helper"), ACRED_FAILED);
	assert_noted("/open: is writable by everybody");
}

static void anothers(void **unused)
{
	(void)unused;
	if (getuid() != 0)
		skip();
	says("get", ANSWER, "0");
	write_script("helper", 0755);
	assert_int_equal(chown(path_of("helper"), 65534, 0), 0);
	assert_int_equal(look_up_with("helper"), ACRED_FAILED);
	assert_noted("belongs neither to root nor to you");
}

/* No shell takes what the kernel does not. */
static void cannot_be_started(void **unused)
{
	(void)unused;
	write_text("helper", "echo a script that does not say whose\n");
	assert_int_equal(chmod(path_of("helper"), 0700), 0);
	assert_int_equal(look_up_with("helper"), ACRED_FAILED);
	assert_noted("helper cannot be started: Exec format error");
	write_text("helper", "#!/nonexistent/interpreter\n");
	assert_int_equal(look_up_with("helper"), ACRED_FAILED);
	assert_noted("helper cannot be started: No such file");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static const struct CMUnitTest tests[] = {
	ROW(arguments), ROW(is_missing), ROW(not_in_path), ROW(a_script), ROW(what_is_not_run), ROW(a_link_of_others), ROW(anothers),
	ROW(cannot_be_started),
};
DOCKER_MAIN(tests)
