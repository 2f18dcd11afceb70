/* SPDX-License-Identifier: MIT */
/*
 * One run of a helper: what it has of ours, and that none that hangs, is deaf, says too much or reads nothing holds us up.
 * A deadline comes by a leap of the clock, once the helper has begun.
 */
#include "tests/keyring/docker-helper-host.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

static int pidfd_error; /* of the kernel's */
static bool write_waits; /* until the helper has begun */

long syscall(long number, ...)
{
	long (*real)(long, ...), a[5];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_pidfd_open && pidfd_error != 0) {
		errno = pidfd_error;
		return -1;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4]);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	ssize_t (*real)(int, const void *, size_t);

	*(void **)&real = dlsym(RTLD_NEXT, "write");
	for (int64_t end_ms = now_ms() + WAIT_MS; write_waits && access(path_of("begun"), F_OK) != 0 && now_ms() < end_ms;)
		sched_yield();
	return real(fd, bytes, n);
}

static int fifo(const char *name)
{
	int fd;

	assert_int_equal(mkfifo(path_of(name), 0600), 0);
	fd = open(path_of(name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* What a row that failed has left. */
static int begin_row(void **unused)
{
	pidfd_error = 0;
	write_waits = false;
	return setup(unused);
}

static void no_child_is_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void assert_has(const char *words, bool wanted)
{
	char text[512];

	snprintf(text, sizeof text, "%s ", words);
	if ((strstr(read_text("has"), text) != NULL) != wanted)
		fail_msg("%s '%s': %s", wanted ? "has not" : "has", words, read_text("has"));
}

static void set_environment(void)
{
	setenv("ALATION_REFRESH_TOKEN", "SECRET", 1);
	setenv("ALATION_API_TOKEN", "SECRET", 1);
	setenv("ALATIONS", "another", 1);
	setenv("GPG_TTY", "/dev/pts/99", 1);
	setenv("DISPLAY", ":99", 1);
	setenv("DISPLAYS", "another", 1);
	setenv("WAYLAND_DISPLAY", "wayland-99", 1);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	setenv("LANGUAGE", "de", 1);
	setenv("PASSWORD_STORE_GPG_OPTS", "--no-throw-keyids", 1);
}

static void its_environment(void **unused)
{
	(void)unused;
	set_environment();
	setenv("FAKE", "tells", 1);
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_OK);
	assert_null(strstr(read_text("has"), "ALATION_"));
	assert_has("ALATIONS=another", true);
	assert_has("GPG_TTY=/dev/pts/99", false);
	assert_has("DISPLAY=:99", false);
	assert_has("DISPLAYS=another", true);
	assert_has("WAYLAND_DISPLAY=wayland-99", false);
	assert_has("LC_ALL=C.UTF-8", true);
	assert_has("LC_ALL=de_DE.UTF-8", false);
	assert_has("LANGUAGE=de", false);
	assert_has("PASSWORD_STORE_GPG_OPTS=--no-throw-keyids --status-fd=2 --pinentry-mode=error", true);
	assert_has("PASSWORD_STORE_GPG_OPTS=--no-throw-keyids", true); /* and once only, with the row above */

	call.flags = ACRED_MAY_PROMPT;
	assert_int_equal(lookup(), ACRED_OK);
	assert_null(strstr(read_text("has"), "ALATION_"));
	assert_has("GPG_TTY=/dev/pts/99", true);
	assert_has("DISPLAY=:99", true);
	assert_has("WAYLAND_DISPLAY=wayland-99", true);
	assert_has("LC_ALL=de_DE.UTF-8", true);
	assert_has("PASSWORD_STORE_GPG_OPTS=--no-throw-keyids --status-fd=2", true);
	assert_has("--pinentry-mode=error", false);

	call.flags |= ACRED_NO_DIALOG;
	call.ask = on_ask;
	assert_int_equal(lookup(), ACRED_OK);
	assert_has("DISPLAY=:99", false);
	assert_has("GPG_TTY=/dev/pts/99", true);

	unsetenv("PASSWORD_STORE_GPG_OPTS");
	unsetenv("PATH");
	assert_int_equal(lookup(), ACRED_OK);
	assert_has("PASSWORD_STORE_GPG_OPTS=--status-fd=2", true);
	assert_has("PATH=/usr/local/bin:/usr/bin:/bin", true);
}

/* Whatever our caller has given us. */
static void nothing_else_of_ours(void **unused)
{
	sigset_t all, before;
	int extra = open("/dev/null", O_RDONLY);

	(void)unused;
	assert_int_equal(dup2(extra, 77), 77);
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	setenv("FAKE", "tells", 1);
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_OK);
	/* Each as it was. */
	assert_ptr_equal(signal(SIGTERM, SIG_DFL), SIG_IGN);
	assert_ptr_equal(signal(SIGCHLD, SIG_DFL), SIG_IGN);
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(77);
	close(extra);
	assert_has("fd0 fd1 fd2", true);
	assert_null(strstr(read_text("has"), "fd3"));
	assert_has("fd77", false);
	assert_null(strstr(read_text("has"), "blocked"));
	assert_null(strstr(read_text("has"), "ignored"));
	assert_has("own-session", true);
}

static void hang(const char *how)
{
	int alive = fifo("alive");

	setenv("FAKE", how, 1);
	leap_at_file = "begun";
	assert_int_equal(lookup(), ACRED_TIMEOUT);
	assert_noted("did not end in time");
	assert_alive_ends(alive);
	close(alive);
}

static void hangs(void **unused)
{
	(void)unused;
	hang("hangs");
	no_child_is_left();
}

static void hangs_on_an_old_kernel(void **unused)
{
	(void)unused;
	pidfd_error = ENOSYS;
	hang("hangs");
	no_child_is_left();
	leap_ms = 0;
	unsetenv("FAKE");
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_OK);
	pidfd_error = 0;
}

/* What the helper's own child leaves, if it has ended, comes to us. */
static void take_orphan(void)
{
	assert_true(waitpid(-1, NULL, 0) > 0);
	no_child_is_left();
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void deaf_with_a_child(void **unused)
{
	(void)unused;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	hang("deaf");
	take_orphan();
}

static void no_time_left(void **unused)
{
	(void)unused;
	leap_ms = 2 * HOUR_MS;
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_TIMEOUT);
	assert_noted("no time left");
	assert_int_equal(erase(), ACRED_TIMEOUT);
	assert_int_equal(store("SECRET", 6), ACRED_TIMEOUT);
	assert_string_equal(read_text("calls"), "");
}

static void no_deadline(void **unused)
{
	(void)unused;
	leap_ms = 2 * HOUR_MS;
	call.deadline_ms = 0;
	says("get", ANSWER, "0");
	assert_int_equal(lookup(), ACRED_OK);
}

static bool is_held(int alive)
{
	struct pollfd end = { .fd = alive, .events = POLLIN };

	return poll(&end, 1, 0) == 0;
}

/* Its child has its stdout, and goes on. */
static void leaves_a_child(void **unused)
{
	int alive = fifo("alive"), hold = fifo("hold"), let_go;

	(void)unused;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	let_go = open(path_of("hold"), O_WRONLY | O_CLOEXEC);
	setenv("FAKE", "leaves", 1);
	says("get", ANSWER, "0");
	call.deadline_ms = now_ms() + WAIT_MS;
	assert_int_equal(lookup(), ACRED_OK);
	assert_true(is_held(alive));
	assert_int_equal(write(let_go, "-", 1), 1);
	assert_alive_ends(alive);
	take_orphan();
	close(let_go);
	close(hold);
	close(alive);
}

static void leaves_a_child_on_an_old_kernel(void **unused)
{
	pidfd_error = ENOSYS;
	leaves_a_child(unused);
	pidfd_error = 0;
}

static void reads_nothing(void **unused)
{
	static char secret[50000];

	(void)unused;
	memset(secret, 'x', sizeof secret);
	signal(SIGPIPE, SIG_DFL);
	setenv("FAKE", "reads-nothing", 1);
	write_waits = true;
	assert_int_equal(store(secret, sizeof secret), ACRED_OK);
	write_waits = false;
}

static void says_too_much(void **unused)
{
	static char mib[1024 * 1024];
	int alive;

	(void)unused;
	memset(mib, 'x', sizeof mib);
	write_file("get.out", mib, sizeof mib);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("said more than 262144 bytes");
	no_child_is_left();
	/* On stderr only what begins it is kept. */
	write_text("get.out", ANSWER);
	write_file("get.err", mib, sizeof mib);
	assert_int_equal(lookup(), ACRED_OK);

	alive = fifo("alive");
	setenv("FAKE", "endless", 1);
	write_text("fd", "1");
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("said more than 262144 bytes");
	assert_alive_ends(alive);
	close(alive);
	no_child_is_left();
}

/* Nothing is kept, and nothing is waited for in vain: at the deadline it ends. */
static void endless_on_stderr(void **unused)
{
	int alive = fifo("alive");

	(void)unused;
	setenv("FAKE", "endless", 1);
	write_text("fd", "2");
	leap_at_file = "calls";
	assert_int_equal(lookup(), ACRED_TIMEOUT);
	assert_alive_ends(alive);
	close(alive);
	no_child_is_left();
}

static void is_killed(void **unused)
{
	(void)unused;
	setenv("FAKE", "dies", 1);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("was ended by signal 9");
}

/* As much as a list of a few thousand entries. */
static void long_answers(void **unused)
{
	static char text[200 * 1024 + 128];
	size_t n = (size_t)snprintf(text, sizeof text, "{\"" ENTRY "\":\"102\",\"long\":\"");

	(void)unused;
	memset(text + n, 'x', 200 * 1024);
	strcpy(text + n + 200 * 1024, "\"}");
	says("list", text, "0");
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "refresh 102 " URL ";");
}

#undef ROW
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin_row, teardown)

static const struct CMUnitTest tests[] = {
	ROW(its_environment), ROW(nothing_else_of_ours), ROW(hangs), ROW(hangs_on_an_old_kernel), ROW(deaf_with_a_child), ROW(no_time_left),
	ROW(no_deadline), ROW(leaves_a_child),
	ROW(leaves_a_child_on_an_old_kernel), ROW(reads_nothing), ROW(says_too_much), ROW(endless_on_stderr), ROW(is_killed), ROW(long_answers),
};
DOCKER_MAIN(tests)
