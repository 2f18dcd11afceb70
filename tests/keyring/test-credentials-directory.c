/* SPDX-License-Identifier: MIT */
/*
 * The credentials-directory module: whose token its file holds, and what may stand in the place of file and directory.
 * A directory of this process. syscall(), fstatvfs() and explicit_bzero() are this file's, so that there can be no
 * openat2, and a mount that is read-only, and what is wiped can be seen.
 */
#define SOURCE acred_builtin_credentials_directory
#include "tests/keyring/source-host.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define VARIABLE "CREDENTIALS_DIRECTORY"
#define NAME "alation-refresh-token"

static char dir[64];
static bool read_only_mount;
static struct {
	int error, times;
} openat2_fails;

int fstatvfs(int fd, struct statvfs *ret)
{
	static int (*real)(int, struct statvfs *);
	int r;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fstatvfs");
	r = real(fd, ret);
	if (read_only_mount)
		ret->f_flag |= ST_RDONLY;
	return r;
}

long syscall(long number, ...)
{
	static long (*real)(long, ...);
	long a[4];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_openat2 && openat2_fails.times > 0) {
		openat2_fails.times--;
		errno = openat2_fails.error;
		return -1;
	}
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3]);
}

static struct { /* the last that was */
	char head[sizeof "SECRET" - 1];
	size_t n;
} wiped;

void explicit_bzero(void *p, size_t n);
void __explicit_bzero_chk(void *p, size_t n, size_t room);

void explicit_bzero(void *p, size_t n)
{
	memcpy(wiped.head, p, n < sizeof wiped.head ? n : sizeof wiped.head);
	wiped.n = n;
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
	(void)room;
	explicit_bzero(p, n);
}

static const char *path_of(const char *name)
{
	static char paths[2][512]; /* two stand in one call */
	static unsigned next;
	char *path = paths[next++ % 2];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *content, size_t n)
{
	int fd;

	unlink(path_of(name));
	fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, 0400);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), n);
	assert_int_equal(close(fd), 0);
}

static void put(const char *content, size_t n)
{
	write_file(NAME, content, n);
}

static void put_with_line_feed(const char *content, size_t n)
{
	char *line = malloc(n + 1);

	assert_non_null(line);
	memcpy(line, content, n);
	line[n] = '\n';
	put(line, n + 1);
	free(line);
}

/* What a test laid down, by the only names that are used here. */
static void empty_directory(void)
{
	static const char *const names[] = { NAME, "elsewhere", "other", "..data" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unlink(path_of(names[i])) != 0)
			rmdir(path_of(names[i]));
	unlink(path_of("..1/" NAME));
	rmdir(path_of("..1"));
}

static void test_contents(void **unused)
{
	(void)unused;
	check_contents(put, NAME);
	check_contents(put_with_line_feed, NAME);
	check_lengths(put, NAME);
	check_lengths(put_with_line_feed, NAME);
	put("SECRET\n\n", 8);
	assert_answer("two line feeds", ask(both, &key), ACRED_FAILED, "bytes that no RefreshToken has");
	put("SECRET\0", 7);
	assert_answer("a NUL", ask(both, &key), ACRED_FAILED, "bytes that no RefreshToken has");
	put("", 0);
	assert_answer("empty", ask(both, &key), ACRED_FAILED, NAME " is not used: it is empty");
	put("\n", 1);
	assert_answer("a line feed", ask(both, &key), ACRED_FAILED, NAME " is not used: it is empty");
}

/* What is longer than is read must not look as if it ended there. */
static void test_more_behind_the_line(void **unused)
{
	char *line = malloc(SOURCE_MAX_BYTES + 2);

	(void)unused;
	assert_non_null(line);
	memcpy(line, long_content(RECORD, SOURCE_MAX_BYTES), SOURCE_MAX_BYTES);
	memcpy(line + SOURCE_MAX_BYTES, "\nx", 2);
	put(line, SOURCE_MAX_BYTES + 1);
	assert_answer("a line feed", ask(both, &key), ACRED_OK, "");
	put(line, SOURCE_MAX_BYTES + 2);
	assert_answer("more", ask(both, &key), ACRED_FAILED, "longer than 64 KiB");
	free(line);
}

static void test_what_was_read_is_wiped(void **unused)
{
	static const struct {
		const char *content;
		const struct acred_key *wanted; /* NULL: a list */
		int put_answer, status;
	} rows[] = {
		{ "SECRET", &key, 0, ACRED_OK },
		{ "SECRET", NULL, 0, ACRED_OK },
		{ "SECRET", &key, -1, ACRED_FAILED },
		{ "SECRET", &other_keys[0], 0, ACRED_ABSENT },
		{ "SECRET token", &key, 0, ACRED_FAILED },
		{ "SECRET token", NULL, 0, ACRED_FAILED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		put(rows[i].content, strlen(rows[i].content));
		memset(&wiped, 0, sizeof wiped);
		put_answer = rows[i].put_answer;
		assert_int_equal(ask(both, rows[i].wanted), rows[i].status);
		put_answer = 0;
		assert_memory_equal(wiped.head, "SECRET", sizeof wiped.head);
		assert_true(wiped.n >= strlen(rows[i].content));
	}
}

static void test_a_bare_token(void **unused)
{
	(void)unused;
	put("SECRET\n", 7);
	check_bare();
}

/* It names its account itself: the arguments are not asked. */
static void test_a_record(void **unused)
{
	static const char *const none[3] = { NULL }, *const of_other[3] = { "base-url=https://x.test", "user-id=1" };

	(void)unused;
	put(RECORD, strlen(RECORD));
	assert_answer("no arguments", ask(none, &key), ACRED_OK, "");
	assert_found(RECORD);
	assert_answer("others", ask(of_other, &key), ACRED_OK, "");
	assert_answer("listed", ask(none, NULL), ACRED_OK, "");
	assert_string_equal(listed, "refresh 102 " URL ";");
	for (size_t i = 0; i < OTHERS; i++) {
		put(others[i].content, strlen(others[i].content));
		assert_answer(others[i].content, ask(none, &key), ACRED_ABSENT, others[i].words);
		assert_answer(others[i].content, ask(none, NULL), ACRED_OK, "");
		assert_string_equal(listed, others[i].listed);
	}
}

static void test_directory(void **unused)
{
	static char far[600];
	const struct {
		const char *value;
		int status;
		const char *words;
	} rows[] = {
		{ NULL, ACRED_ABSENT, "$" VARIABLE " is not set" },
		{ "", ACRED_ABSENT, "$" VARIABLE " is not set" },
		{ ".", ACRED_FAILED, "$" VARIABLE " is not used: it must be an absolute path" },
		{ dir + 1, ACRED_FAILED, "$" VARIABLE " is not used: it must be an absolute path" },
		{ "/nonexistent/credentials", ACRED_FAILED, "names /nonexistent/credentials, which cannot be opened: No such file" },
		{ path_of(NAME), ACRED_FAILED, NAME ", which cannot be opened: Not a directory" },
		{ "/proc/self/fd/0/x", ACRED_FAILED, "$" VARIABLE " is not used: it names /proc/self/fd/0/x" },
		{ far, ACRED_FAILED, "File name too long" },
	};
	char here[512];

	(void)unused;
	put("SECRET", 6);
	memset(far, 'f', sizeof far - 1);
	far[0] = '/';
	assert_non_null(getcwd(here, sizeof here));
	assert_int_equal(chdir("/"), 0); /* so that the relative path would lead there */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(rows[i].value != NULL ? setenv(VARIABLE, rows[i].value, 1) : unsetenv(VARIABLE), 0);
		assert_answer(rows[i].words, ask(both, &key), rows[i].status, rows[i].words);
		assert_answer(rows[i].words, ask(both, NULL), rows[i].status, rows[i].words);
		assert_string_equal(listed, "");
		assert_int_equal(ask(both, &other_keys[3]), ACRED_ABSENT); /* an access token is not looked for there */
		assert_string_equal(noted, "");
	}
	assert_int_equal(chdir(here), 0);
}

/* What stands in the file's place. */
static void put_nothing(const char *path)
{
	(void)path;
}

static void put_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void put_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(close(fd), 0);
}

static void put_device(const char *path)
{
	assert_int_equal(mknod(path, S_IFCHR | 0600, 0x0103), 0); /* /dev/null */
}

static void put_link_out(const char *path)
{
	char target[512];

	snprintf(target, sizeof target, "../%s/elsewhere", strrchr(dir, '/') + 1);
	assert_int_equal(symlink(target, path), 0);
}

static void put_absolute_link(const char *path)
{
	assert_int_equal(symlink(path_of("elsewhere"), path), 0);
}

static void put_link_to_itself(const char *path)
{
	assert_int_equal(symlink(NAME, path), 0);
}

static void put_dangling_link(const char *path)
{
	assert_int_equal(symlink("nothing", path), 0);
}

static void put_mode(const char *path, mode_t mode)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void put_writable(const char *path)
{
	put_mode(path, 0602);
}

static void put_group_writable(const char *path)
{
	put_mode(path, 0660);
	assert_int_equal(chown(path, (uid_t)-1, 1988000001), 0);
}

static void put_anothers(const char *path)
{
	put_mode(path, 0444);
	assert_int_equal(chown(path, 1988000000, (gid_t)-1), 0);
}

static const struct {
	const char *words;
	void (*put)(const char *path);
	int status;
	bool needs_root;
} strangers[] = {
	{ "is not there", put_nothing, ACRED_ABSENT, false },
	{ "is not used: it is a directory", put_directory, ACRED_FAILED, false },
	{ "is not used: it is no regular file", put_fifo, ACRED_FAILED, false },
	{ "cannot be opened: ", put_socket, ACRED_FAILED, false },
	{ "is not used: it is no regular file", put_device, ACRED_FAILED, true },
	{ "is not used: it is a link, and none", put_link_out, ACRED_FAILED, false },
	{ "is not used: it is a link, and none", put_absolute_link, ACRED_FAILED, false },
	{ "is not used: it is a link, and none", put_link_to_itself, ACRED_FAILED, false },
	{ "is not used: it is a link", put_dangling_link, ACRED_FAILED, false },
	{ "is not used: it is writable by everybody", put_writable, ACRED_FAILED, false },
	{ "is not used: it is writable by a group", put_group_writable, ACRED_FAILED, true },
	{ "is not used: it belongs neither to root nor to you", put_anothers, ACRED_FAILED, true },
};

static void test_what_is_not_used(void **unused)
{
	char path[512];

	(void)unused;
	snprintf(path, sizeof path, "%s", path_of(NAME));
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		if (strangers[i].needs_root && geteuid() != 0)
			continue;
		write_file("elsewhere", "SECRET", 6);
		strangers[i].put(path);
		assert_answer(strangers[i].words, ask(both, &key), strangers[i].status, strangers[i].words);
		assert_non_null(strstr(noted, path));
		assert_answer(strangers[i].words, ask(both, NULL), strangers[i].status, strangers[i].words);
		assert_string_equal(listed, "");
		empty_directory();
	}
}

/* As systemd, Docker and an administrator's hand leave them: who may read is not judged. */
static void test_who_may_read(void **unused)
{
	static const mode_t modes[] = { 0400, 0440, 0444, 0600, 0644 };

	(void)unused;
	put("SECRET\n", 7);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(path_of(NAME), modes[i]), 0);
		assert_answer("readable", ask(both, &key), ACRED_OK, "");
		assert_found("SECRET");
	}
}

static void test_a_read_only_mount(void **unused)
{
	(void)unused;
	put("SECRET", 6);
	assert_int_equal(chmod(path_of(NAME), 0666), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path_of(NAME), 1988000000, 1988000000), 0);
	assert_int_equal(ask(both, &key), ACRED_FAILED);
	read_only_mount = true;
	assert_answer("on a read-only mount", ask(both, &key), ACRED_OK, "");
	empty_directory();
	put_fifo(path_of(NAME));
	assert_answer("a fifo there", ask(both, &key), ACRED_FAILED, "no regular file");
}

/* Kubernetes': NAME -> ..data/NAME, ..data -> ..1 */
static void put_as_kubernetes(void)
{
	assert_int_equal(mkdir(path_of("..1"), 0755), 0);
	write_file("..1/" NAME, "SECRET", 6);
	assert_int_equal(symlink("..1", path_of("..data")), 0);
	assert_int_equal(symlink("..data/" NAME, path_of(NAME)), 0);
}

static bool has_openat2(void)
{
	return syscall(SYS_openat2, -1, NULL, NULL, 0) != -1 || (errno != ENOSYS && errno != EPERM);
}

static void test_links_beneath(void **unused)
{
	(void)unused;
	if (!has_openat2())
		skip();
	put_dangling_link(path_of(NAME));
	assert_answer("to nothing", ask(both, &key), ACRED_FAILED, NAME " is not used: it is a link to nothing");
	empty_directory();
	put_as_kubernetes();
	assert_answer("links beneath", ask(both, &key), ACRED_OK, "");
	assert_found("SECRET");
	openat2_fails.error = EAGAIN, openat2_fails.times = 3;
	assert_answer("renamed meanwhile", ask(both, &key), ACRED_OK, "");
	assert_int_equal(openat2_fails.times, 0);
	openat2_fails.times = 1000;
	assert_answer("renamed for ever", ask(both, &key), ACRED_FAILED, NAME " cannot be opened: ");
}

/* An older kernel, or a filter that knows no openat2. */
static void test_without_openat2(void **unused)
{
	static const int errors[] = { ENOSYS, EPERM };

	(void)unused;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		openat2_fails.error = errors[i], openat2_fails.times = 1000;
		put("SECRET", 6);
		assert_answer("a file", ask(both, &key), ACRED_OK, "");
		empty_directory();
		put_as_kubernetes();
		assert_answer("a link", ask(both, &key), ACRED_FAILED, "is a link, and none");
		empty_directory();
		assert_answer("nothing", ask(both, &key), ACRED_ABSENT, "is not there");
	}
}

static void test_another_name(void **unused)
{
	static const char *const other[3] = { BASE_URL, USER_ID, "name=other" };
	static const char *const bad[] = { "name=", "name=../" NAME, "name=/etc/passwd", "name=.", "name=..", "file=x", "SECRET" };
	static const char *const named[] = { "name=", "name=", "name=", "name=", "name=", "'file'", "name=NAME" };

	(void)unused;
	put("SECRET", 6);
	assert_answer("not there", ask(other, &key), ACRED_ABSENT, "/other is not there");
	write_file("other", "OTHER", 5);
	assert_answer("another name", ask(other, &key), ACRED_OK, "");
	assert_found("OTHER");
	check_arguments(bad, sizeof bad / sizeof bad[0], named);
}

/* It can only be read: whoever handed it over keeps it. */
static void test_read_only(void **unused)
{
	(void)unused;
	assert_null(module->store);
	assert_null(module->erase);
}

static int setup(void **unused)
{
	(void)unused;
	snprintf(dir, sizeof dir, "/tmp/acred-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	read_only_mount = false;
	openat2_fails.times = 0;
	return setenv(VARIABLE, dir, 1);
}

static int teardown(void **unused)
{
	(void)unused;
	empty_directory();
	return rmdir(dir);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_contents),
		ROW(test_more_behind_the_line),
		ROW(test_what_was_read_is_wiped),
		ROW(test_a_bare_token),
		ROW(test_a_record),
		ROW(test_directory),
		ROW(test_what_is_not_used),
		ROW(test_who_may_read),
		ROW(test_a_read_only_mount),
		ROW(test_links_beneath),
		ROW(test_without_openat2),
		ROW(test_another_name),
		ROW(test_read_only),
	};

	return cmocka_run_group_tests_name("credentials-directory", tests, NULL, NULL);
}
