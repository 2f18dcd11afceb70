/* SPDX-License-Identifier: MIT */
/*
 * The private-file module: what may stand in the place of its files and of its directory, and is not used.
 */
#include "tests/keyring/private-file-host.h"

/* What stands in a file's place. Each puts it there. */
static void put_link(const char *path)
{
	assert_int_equal(symlink(path_of("elsewhere"), path), 0);
}

static void put_dangling_link(const char *path)
{
	assert_int_equal(symlink("/nonexistent", path), 0);
}

static void put_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void put_device(const char *path)
{
	assert_int_equal(mknod(path, S_IFCHR | 0600, 0x0103), 0); /* /dev/null */
}

static void put_empty(const char *path)
{
	assert_int_equal(mknod(path, S_IFREG | 0600, 0), 0);
}

static void put_long(const char *path)
{
	put_empty(path);
	assert_int_equal(truncate(path, LONGEST_BYTES + 1), 0);
}

static void put_huge(const char *path)
{
	put_empty(path);
	assert_int_equal(truncate(path, (off_t)1 << 32), 0);
}

static void put_readable(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

static void put_writable(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chmod(path, 0602), 0);
}

static void put_hard_link(const char *path)
{
	assert_int_equal(link(path_of("elsewhere"), path), 0);
}

static void put_anothers(const char *path)
{
	assert_int_equal(rename(path_of("elsewhere"), path), 0);
	assert_int_equal(chown(path, 1988000000, (gid_t)-1), 0);
}

static const struct {
	const char *words;
	void (*put)(const char *path);
	int status;
	bool needs_root;
} strangers[] = {
	{ "it is a link", put_link, ACRED_DENIED, false },
	{ "it is a link", put_dangling_link, ACRED_DENIED, false },
	{ "no regular file", put_fifo, ACRED_FAILED, false },
	{ "no regular file", put_device, ACRED_FAILED, true },
	{ "empty or too long", put_empty, ACRED_FAILED, false },
	{ "empty or too long", put_long, ACRED_FAILED, false },
	{ "empty or too long", put_huge, ACRED_FAILED, false },
	{ "others may open it", put_readable, ACRED_DENIED, false },
	{ "others may open it", put_writable, ACRED_DENIED, false },
	{ "it has a second name", put_hard_link, ACRED_DENIED, false },
	{ "it is another user's", put_anothers, ACRED_DENIED, true },
};

static void assert_refused(int got, int wanted, const char *words)
{
	if (got != wanted || strstr(noted, words) == NULL || strstr(noted, "/" NAME " is not used: ") == NULL)
		fail_msg("status %d, not %d; noted '%s', not '%s'", got, wanted, noted, words);
}

/* Not read, not written to, not followed; an erase takes the name away, and then all is well. */
static void test_what_is_not_used(void **unused)
{
	char path[512], elsewhere[512];

	(void)unused;
	snprintf(path, sizeof path, "%s", path_of(NAME));
	snprintf(elsewhere, sizeof elsewhere, "%s", path_of("elsewhere"));
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		const struct stat none = { 0 };
		struct stat before = none, after = none;

		if (strangers[i].needs_root && geteuid() != 0)
			continue;
		assert_int_equal(store("theirs", 60), ACRED_OK);
		assert_int_equal(rename(path, elsewhere), 0);
		strangers[i].put(path);
		assert_int_equal(lstat(path, &before), 0);
		assert_refused(lookup(), strangers[i].status, strangers[i].words);
		assert_int_equal(n_found, 0);
		assert_refused(store("secret", 60), strangers[i].status, strangers[i].words);
		assert_int_equal(lstat(path, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
		assert_int_equal(module->list(&call, state, on_each), ACRED_OK);
		assert_string_equal(listed, "");
		assert_int_equal(erase(), ACRED_OK);
		assert_int_equal(lstat(path, &after), -1);
		assert_int_equal(store("secret", 60), ACRED_OK);
		assert_found("secret");
		(void)unlink(elsewhere); /* it is what the name was moved from, or what it pointed at */
		assert_int_equal(files(), 1);
		assert_int_equal(erase(), ACRED_OK);
	}
}

static void test_directory_in_a_files_place(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(path_of(NAME), 0700), 0);
	assert_refused(lookup(), ACRED_FAILED, "no regular file");
	assert_refused(store("secret", 60), ACRED_FAILED, "no regular file");
	assert_refused(erase(), ACRED_FAILED, "directory");
	assert_int_equal(rmdir(path_of(NAME)), 0);
}

static void test_directories(void **unused)
{
	static const struct {
		int error;
		const char *place, *words;
		int looked_up, stored, erased, listed;
	} rows[] = {
		{ ENOENT, NULL, "", ACRED_ABSENT, ACRED_UNAVAILABLE, ACRED_ABSENT, ACRED_OK },
		{ EPERM, NULL, "mode 0700", ACRED_DENIED, ACRED_DENIED, ACRED_UNAVAILABLE, ACRED_DENIED },
		{ EACCES, NULL, "denied", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ EROFS, NULL, "Read-only", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
		{ EMFILE, NULL, "open files", ACRED_FAILED, ACRED_FAILED, ACRED_FAILED, ACRED_FAILED },
		{ 0, "/proc/self", "no tmpfs", ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE, ACRED_UNAVAILABLE },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		dir_error = rows[i].error;
		other_dir = rows[i].place;
		assert_int_equal(lookup(), rows[i].looked_up);
		assert_non_null(strstr(noted, rows[i].words));
		assert_int_equal(store("secret", 60), rows[i].stored);
		assert_non_null(strstr(noted, rows[i].words));
		assert_non_null(strstr(noted, dir));
		assert_int_equal(erase(), rows[i].erased);
		assert_non_null(strstr(noted, rows[i].words));
		assert_int_equal(module->list(&call, state, on_each), rows[i].listed);
	}
	assert_string_equal(listed, "");
	assert_int_equal(files(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_what_is_not_used),
		ROW(test_directory_in_a_files_place),
		ROW(test_directories),
	};

	return has_shm() ? cmocka_run_group_tests_name("private-file-refused", tests, NULL, NULL) : 0;
}
