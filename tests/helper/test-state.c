/* SPDX-License-Identifier: MIT */
/*
 * state.c: which directory it is, for every HOME there is, and which one is never used. What falls back to a tmpfs
 * is tried by a child with a uid of its own, so that the caller's real directory there is never touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/state.h"
#include "tests/helper/scratch.h"

#include <grp.h>

#define NOBODYS_UID 1987000000u /* and more: no system gives such a number to anybody */
#define SKIPPED 99
#define HOME_STATE ".local/state/alation-cred"

static struct trouble trouble;

static void assert_opens(bool create, const char *want)
{
	struct state_dir dir;
	struct stat opened, named;

	assert_int_equal(state_open(create, &dir, &trouble), DONE);
	assert_string_equal(dir.path, want);
	assert_false(dir.fallback);
	assert_true(dir.fd >= 0);
	assert_int_equal(fcntl(dir.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(dir.fd, &opened), 0);
	assert_int_equal(stat(want, &named), 0);
	assert_int_equal(opened.st_ino, named.st_ino);
	assert_int_equal(opened.st_mode & 07777, 0700);
	close(dir.fd);
}

static void home_and_xdg(void **state)
{
	(void)state;
	assert_opens(true, scratch_path(HOME_STATE));
	assert_opens(false, scratch_path(HOME_STATE));
	setenv("XDG_STATE_HOME", scratch_path("x/y"), 1);
	assert_opens(true, scratch_path("x/y/alation-cred"));
	/* not absolute: to be ignored */
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_opens(true, scratch_path(HOME_STATE));
	setenv("XDG_STATE_HOME", "", 1);
	assert_opens(true, scratch_path(HOME_STATE));
	assert_int_not_equal(access("relative", F_OK), 0);
}

static void locks_ignore_xdg(void **state)
{
	struct state_dir dir;
	struct stat opened, named;

	(void)state;
	setenv("XDG_STATE_HOME", scratch_path("x"), 1);
	assert_int_equal(state_open_locks(&dir, &trouble), DONE);
	assert_int_equal(fstat(dir.fd, &opened), 0);
	assert_int_equal(stat(scratch_path(HOME_STATE "/locks"), &named), 0);
	assert_int_equal(opened.st_ino, named.st_ino);
	assert_int_equal(named.st_mode & 07777, 0700);
	assert_int_equal(fcntl(dir.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_not_equal(access(scratch_path("x"), F_OK), 0);
	close(dir.fd);
}

static void what_is_not_ours_alone_is_refused(void **state)
{
	static const mode_t modes[] = { 0702, 0777, 01777 };
	struct state_dir dir;

	(void)state;
	assert_opens(true, scratch_path(HOME_STATE));
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		assert_int_equal(chmod(scratch_path(HOME_STATE), modes[i]), 0);
		assert_int_equal(state_open(false, &dir, &trouble), UNUSABLE);
		assert_int_equal(state_open(true, &dir, &trouble), UNUSABLE);
		assert_non_null(strstr(trouble.message, scratch_path(HOME_STATE)));
		assert_int_equal(state_open_locks(&dir, &trouble), UNUSABLE);
	}
	assert_int_equal(chmod(scratch_path(HOME_STATE), 0700), 0);
	if (geteuid() == 0) {
		/* sudo with the caller's HOME; a group of many */
		assert_int_equal(chown(scratch_path(HOME_STATE), NOBODYS_UID, 0), 0);
		assert_int_equal(state_open(false, &dir, &trouble), UNUSABLE);
		assert_int_equal(chown(scratch_path(HOME_STATE), 0, NOBODYS_UID), 0);
		assert_int_equal(chmod(scratch_path(HOME_STATE), 0770), 0);
		assert_int_equal(state_open(false, &dir, &trouble), UNUSABLE);
	}
}

static void what_stands_in_the_place_of_locks(void **state)
{
	struct state_dir dir;

	(void)state;
	assert_opens(true, scratch_path(HOME_STATE));
	scratch_write(scratch_path(HOME_STATE "/locks"), "", 0);
	assert_int_equal(state_open_locks(&dir, &trouble), UNUSABLE);
	assert_int_equal(dir.fd, -1);
	assert_int_equal(unlink(scratch_path(HOME_STATE "/locks")), 0);
	assert_int_equal(symlink("/", scratch_path(HOME_STATE "/locks")), 0);
	assert_int_equal(state_open_locks(&dir, &trouble), UNUSABLE);
	assert_int_equal(dir.fd, -1);
}

/* In the child: what fails is its line. */
#define CHECK(condition)                          \
	do {                                      \
		if (!(condition))                 \
			return 1 + __LINE__ % 90; \
	} while (0)

static char shm[64], tmp[64];
static uid_t stranger;

static bool is_at(const struct state_dir *dir, const char *path)
{
	return dir->fd >= 0 && strcmp(dir->path, path) == 0;
}

static int without_home(void)
{
	struct state_dir dir;
	struct stat st;

	CHECK(state_open(false, &dir, &trouble) == DONE && dir.fd == -1);
	CHECK(access(shm, F_OK) != 0);
	CHECK(state_open(true, &dir, &trouble) == DONE && is_at(&dir, shm) && dir.fallback);
	CHECK(stat(shm, &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(state_open(false, &dir, &trouble) == DONE && is_at(&dir, shm) && dir.fallback);
	CHECK(state_open_locks(&dir, &trouble) == DONE && dir.fd >= 0);
	CHECK(faccessat(dir.fd, "../locks", F_OK, 0) == 0);
	return 0;
}

static int home_unset(void)
{
	unsetenv("HOME");
	return without_home();
}

static int home_empty(void)
{
	setenv("HOME", "", 1);
	return without_home();
}

static int home_relative(void)
{
	setenv("HOME", "somewhere", 1);
	return without_home();
}

static int home_too_long(void)
{
	static char path[5000];

	memset(path, 'h', sizeof path - 1);
	path[0] = '/';
	setenv("HOME", path, 1);
	return without_home();
}

static int home_not_there(void)
{
	setenv("HOME", "/nonexistent", 1);
	return without_home();
}

static int home_of_another(void)
{
	return without_home(); /* the scratch directory is root's */
}

/* It holds accounts and can be read: they are served, until something newer lies in the tmpfs. */
static int home_for_reading_alone(void)
{
	struct state_dir dir;
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/theirs/" HOME_STATE, scratch);
	setenv("HOME", scratch_path("theirs"), 1);
	CHECK(state_open(true, &dir, &trouble) == DONE && is_at(&dir, path) && !dir.fallback);
	CHECK(fchmod(dir.fd, 0500) == 0);
	CHECK(state_open(false, &dir, &trouble) == DONE && is_at(&dir, path) && !dir.fallback);
	/* the lock, which every call takes that must mint, has to lie elsewhere, and hides nothing */
	CHECK(state_open_locks(&dir, &trouble) == DONE && dir.fallback);
	CHECK(state_open(false, &dir, &trouble) == DONE && is_at(&dir, path) && !dir.fallback);
	CHECK(state_open(true, &dir, &trouble) == DONE && is_at(&dir, shm) && dir.fallback);
	fd = openat(dir.fd, "accounts", O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0);
	CHECK(state_open(false, &dir, &trouble) == DONE && is_at(&dir, shm) && dir.fallback);
	return 0;
}

static int what_cannot_be_trusted_is_passed_over(void)
{
	struct state_dir dir;

	unsetenv("HOME");
	CHECK(state_open(true, &dir, &trouble) == DONE && is_at(&dir, tmp) && dir.fallback);
	return 0;
}

static int what_cannot_be_trusted_anywhere(void)
{
	struct state_dir dir;

	unsetenv("HOME");
	CHECK(state_open(true, &dir, &trouble) == UNUSABLE);
	CHECK(state_open(false, &dir, &trouble) == UNUSABLE);
	CHECK(state_open_locks(&dir, &trouble) == UNUSABLE);
	return 0;
}

static int a_directory_all_can_enter(void)
{
	CHECK(mkdir(shm, 0700) == 0 && chmod(shm, 0755) == 0);
	return what_cannot_be_trusted_is_passed_over();
}

/* BODY in a child that is an ordinary user whom nobody is. */
static int as_stranger(int (*body)(void))
{
	pid_t child = fork();

	if (child == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(stranger, stranger, stranger) != 0 ||
		    setresuid(stranger, stranger, stranger) != 0)
			_exit(SKIPPED);
		_exit(body());
	}
	return scratch_exit_code(child);
}

static int stranger_setup(void **state)
{
	if (scratch_setup(state) != 0)
		return -1;
	stranger = NOBODYS_UID + (uid_t)getpid() % 1000000;
	snprintf(shm, sizeof shm, "/dev/shm/alation-cred-%u", (unsigned)stranger);
	snprintf(tmp, sizeof tmp, "/tmp/alation-cred-%u", (unsigned)stranger);
	if (geteuid() != 0)
		return 0;
	return chmod(scratch, 0755) || mkdir(scratch_path("theirs"), 0700) ||
	       chown(scratch_path("theirs"), stranger, stranger);
}

static int stranger_teardown(void **state)
{
	scratch_remove(shm);
	scratch_remove(tmp);
	return scratch_teardown(state);
}

static void needs_root(void)
{
	if (geteuid() == 0 && access("/dev/shm", W_OK) == 0)
		return;
	print_message("only root can become another user to try this, with a /dev/shm\n");
	skip();
}

static void where_home_is_no_use(void **state)
{
	static int (*const bodies[])(void) = { home_unset, home_empty, home_relative, home_too_long, home_not_there, home_of_another,
		                               home_for_reading_alone, a_directory_all_can_enter };

	(void)state;
	needs_root();
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		int code = as_stranger(bodies[i]);

		if (code == SKIPPED)
			skip();
		if (code != 0)
			fail_msg("row %zu: a check at line %d (modulo 90) failed", i, code - 1);
		scratch_remove(shm);
		scratch_remove(tmp);
	}
}

static void a_strangers_trap_in_the_tmpfs(void **state)
{
	int code;

	(void)state;
	needs_root();
	assert_int_equal(symlink(scratch_path("theirs"), shm), 0);
	code = as_stranger(what_cannot_be_trusted_is_passed_over);
	if (code == SKIPPED)
		skip();
	assert_int_equal(code, 0);
	assert_int_equal(access(scratch_path("theirs/locks"), F_OK), -1);
	scratch_remove(tmp);
	assert_int_equal(mkdir(tmp, 0777), 0); /* root's, not the caller's */
	assert_int_equal(as_stranger(what_cannot_be_trusted_anywhere), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(home_and_xdg),
		CASE(locks_ignore_xdg),
		CASE(what_is_not_ours_alone_is_refused),
		CASE(what_stands_in_the_place_of_locks),
		cmocka_unit_test_setup_teardown(where_home_is_no_use, stranger_setup, stranger_teardown),
		cmocka_unit_test_setup_teardown(a_strangers_trap_in_the_tmpfs, stranger_setup, stranger_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
