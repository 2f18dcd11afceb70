/* SPDX-License-Identifier: MIT */
/*
 * The sealed-file module: where its passphrase comes from, and how long its key is at hand.
 */
#include "tests/keyring/sealed-file-host.h"

#include <sys/statvfs.h>

extern const struct acred_module acred_builtin_kernel;

static bool mounted_read_only;

int fstatvfs(int fd, struct statvfs *ret)
{
	(void)fd;
	*ret = (struct statvfs){ .f_flag = mounted_read_only ? ST_RDONLY : 0 };
	return 0;
}

static void test_final_line_feed_of_key_file(void **unused)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{ "open sesame", ACRED_OK },
		{ "open sesame\n", ACRED_OK },
		{ "open sesame\n\n", ACRED_LOCKED },
		{ "open sesame\r\n", ACRED_LOCKED },
		{ "open sesame ", ACRED_LOCKED },
		{ "open sesam", ACRED_LOCKED },
		{ "\n", ACRED_FAILED },
		{ "", ACRED_FAILED },
	};

	(void)unused;
	make_cheap_file(file, "open sesame");
	assert_int_equal(store("secret"), ACRED_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_text(key_file, rows[i].text);
		reopen(arg_key_file, NULL);
		assert_int_equal(lookup(), rows[i].status);
		assert_int_equal(n_found, rows[i].status == ACRED_OK ? 6 : 0);
		assert_noted(rows[i].status == ACRED_OK ? "" : rows[i].status == ACRED_LOCKED ? "the passphrase is wrong" : "is empty");
		if (rows[i].status != ACRED_OK)
			assert_noted(key_file);
	}
}

static void test_wrong_passphrase_changes_nothing(void **unused)
{
	unsigned char before[4096], after[4096];
	size_t n;

	(void)unused;
	make_cheap_file(file, "open sesame");
	assert_int_equal(store("secret"), ACRED_OK);
	n = read_file(file, before, sizeof before);
	write_text(key_file, "open sesame?");
	reopen(arg_key_file, NULL);
	PERSON("open sesame"); /* is not asked: the line names a key-file */
	assert_int_equal(store("another"), ACRED_LOCKED);
	assert_noted(file);
	assert_int_equal(erase(), ACRED_LOCKED);
	assert_int_equal(list(), ACRED_LOCKED);
	assert_string_equal(listed, "");
	assert_int_equal(n_asked, 0);
	assert_int_equal(read_file(file, after, sizeof after), n);
	assert_memory_equal(before, after, n);
}

/* What may be the key-file. Each row makes it anew. */
static void test_what_a_key_file_must_be(void **unused)
{
	static const struct {
		mode_t mode;
		uid_t owner;
		bool credential, read_only;
		int status;
		const char *words;
	} rows[] = {
		{ 0600, 0, false, false, ACRED_OK, "" },
		{ 0400, 0, false, false, ACRED_OK, "" },
		{ 0440, 0, false, false, ACRED_OK, "" },
		{ 0444, 0, false, false, ACRED_FAILED, "everybody can read it" },
		{ 0444, 0, true, false, ACRED_OK, "" },
		{ 0440, 0, true, false, ACRED_OK, "" },
		{ 0620, 0, true, false, ACRED_FAILED, "others can write it" },
		{ 0602, 0, true, false, ACRED_FAILED, "others can write it" },
		{ 0600, 1988000000, true, false, ACRED_FAILED, "belongs to another user" },
		{ 0600, 1988000000, true, true, ACRED_OK, "" }, /* of a namespace that does not know its owner */
		{ 0444, 1988000000, true, true, ACRED_OK, "" },
		{ 0600, 1988000000, false, true, ACRED_FAILED, "belongs to another user" },
	};
	const char *argument;

	(void)unused;
	if (geteuid() != 0)
		skip();
	make_cheap_file(file, "open sesame");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(chmod(key_file, rows[i].mode), 0);
		assert_int_equal(chown(key_file, rows[i].owner, (gid_t)-1), 0);
		mounted_read_only = rows[i].read_only;
		argument = rows[i].credential ? "key-file=$CREDENTIALS_DIRECTORY/passphrase" : arg_key_file;
		reopen(argument, NULL);
		assert_int_equal(store("secret"), rows[i].status);
		assert_noted(rows[i].words);
		assert_noted(rows[i].status == ACRED_OK ? "" : key_file);
	}
	mounted_read_only = false;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

/* An ordinary user's own key-file, which root's rules are not for; in a child that is one. */
static void test_own_key_file_is_for_nobody_else(void **unused)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0600 };
	int status;
	pid_t child;

	(void)unused;
	if (geteuid() != 0)
		skip();
	make_cheap_file(file, "open sesame");
	assert_int_equal(chown(file, 1988000000, 1988000000), 0);
	assert_int_equal(chown(dir, 1988000000, 1988000000), 0);
	assert_int_equal(chown(key_file, 1988000000, 1988000000), 0);
	child = fork();
	if (child == 0) {
		if (setresgid(1988000000, 1988000000, 1988000000) != 0 || setresuid(1988000000, 1988000000, 1988000000) != 0)
			_exit(100);
		for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
			if (chmod(key_file, modes[i]) != 0 || (lookup() == ACRED_FAILED) != (i < 3) || (i < 3) != (strstr(noted, "others can") != NULL))
				_exit((int)i + 1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_key_files_that_are_none(void **unused)
{
	static char text[64 * 1024 + 2];

	(void)unused;
	make_cheap_file(file, "open sesame");
	assert_int_equal(unlink(key_file), 0);
	assert_int_equal(lookup(), ACRED_UNAVAILABLE);
	assert_noted("there is no key-file /tmp/");
	assert_int_equal(store("secret"), ACRED_UNAVAILABLE);
	assert_int_equal(mkdir(key_file, 0700), 0);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("no regular file");
	assert_int_equal(rmdir(key_file), 0);
	assert_int_equal(mkfifo(key_file, 0600), 0);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("no regular file");
	assert_int_equal(unlink(key_file), 0);
	write_text(path_of("elsewhere"), "open sesame");
	assert_int_equal(symlink("elsewhere", key_file), 0); /* as a cluster mounts its secrets */
	assert_int_equal(lookup(), ACRED_ABSENT);
	reopen(arg_key_file, NULL);
	memset(text, 'x', sizeof text - 1);
	write_text(key_file, text);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("longer than 65536 bytes");
	text[64 * 1024] = '\0';
	write_text(key_file, text);
	assert_int_equal(lookup(), ACRED_LOCKED);
	assert_noted("the passphrase is wrong");
	assert_null(strstr(noted, "xxx"));
}

static void test_credentials_directory(void **unused)
{
	static const struct {
		const char *value;
		int status;
		const char *words;
	} rows[] = {
		{ NULL, ACRED_UNAVAILABLE, "CREDENTIALS_DIRECTORY is not set" },
		{ "", ACRED_UNAVAILABLE, "CREDENTIALS_DIRECTORY is not set" },
		{ "run/credentials", ACRED_FAILED, "'run/credentials', not an absolute path" },
		{ "/nonexistent", ACRED_UNAVAILABLE, "there is no key-file /nonexistent/passphrase" },
		{ "/dev/null", ACRED_UNAVAILABLE, "there is no key-file /dev/null/passphrase" },
	};

	(void)unused;
	make_cheap_file(file, "open sesame");
	reopen("key-file=$CREDENTIALS_DIRECTORY/passphrase", NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].value == NULL)
			assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
		else
			assert_int_equal(setenv("CREDENTIALS_DIRECTORY", rows[i].value, 1), 0);
		assert_int_equal(store("secret"), rows[i].status);
		assert_noted(rows[i].words);
	}
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(store("secret"), ACRED_OK);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static void test_a_person_is_asked(void **unused)
{
	char wanted[1024];

	(void)unused;
	make_cheap_file(file, "open sesame");
	reopen("unlock-time=0", NULL);
	assert_int_equal(lookup(), ACRED_LOCKED);
	assert_noted("is sealed");
	assert_noted(file);
	assert_int_equal(erase(), ACRED_LOCKED);
	assert_int_equal(store("secret"), ACRED_LOCKED);
	PERSON("no", "", "never", "open sesame");
	assert_int_equal(list(), ACRED_LOCKED); /* asks nobody */
	assert_string_equal(asked, "");
	assert_int_equal(lookup(), ACRED_LOCKED);
	assert_noted("the passphrase is wrong");
	assert_noted(file);
	snprintf(wanted, sizeof wanted, "passphrase of the sealed file %s: |that was wrong; passphrase of the sealed file %s: |"
	         "that was wrong; passphrase of the sealed file %s: |", file, file, file);
	assert_string_equal(asked, wanted);
	assert_int_equal(n_derived, 2); /* an empty one needs none */
	PERSON("no", "never", "open sesame");
	assert_int_equal(store("secret"), ACRED_OK);
	assert_int_equal(n_asked, 3);
	nobody();
	assert_found("secret"); /* the key stays with the process */
	reopen("unlock-time=0", NULL);
	assert_int_equal(lookup(), ACRED_LOCKED);
	PERSON(NULL); /* leaves */
	assert_int_equal(lookup(), ACRED_LOCKED);
	assert_noted("nobody gave the passphrase");
	PERSON("open sesame");
	assert_int_equal(lookup(), ACRED_OK);
	assert_noted("the key cannot rest here (unlock-time=0)");
	assert_noted("use key-file=");
}

static void test_a_person_makes_the_file(void **unused)
{
	char wanted[1024];

	(void)unused;
	reopen("unlock-time=0", NULL);
	assert_int_equal(store("secret"), ACRED_LOCKED);
	assert_noted("'alation-cred login --keyring sealed-file' on a terminal makes it");
	PERSON("new", "knew", "", "x");
	assert_int_equal(store("secret"), ACRED_LOCKED);
	assert_noted("the passphrase is empty; no sealed file was made");
	snprintf(wanted, sizeof wanted, "new passphrase for the sealed file %s: |again: |the two differ; new passphrase for the sealed file %s: |",
	         file, file);
	assert_string_equal(asked, wanted);
	PERSON("new", "knew", "new", "new ");
	assert_int_equal(store("secret"), ACRED_LOCKED);
	assert_noted("the two differ");
	PERSON("new", NULL);
	assert_int_equal(store("secret"), ACRED_LOCKED);
	PERSON("new"); /* no look-up makes a file */
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(erase(), ACRED_ABSENT);
	assert_string_equal(asked, "");
	assert_int_equal(n_derived, 0);
	assert_int_equal(files(), 1);
	PERSON("old", "odd", "new", "new");
	assert_int_equal(store("secret"), ACRED_OK);
	assert_int_equal(n_derived, 1);
	reopen("unlock-time=0", NULL);
	PERSON("new");
	assert_found("secret");
}

/* What a path holds does not reach the terminal. */
static void test_questions_are_printable(void **unused)
{
	char argument[160];

	(void)unused;
	snprintf(argument, sizeof argument, "file=%s/\033[2Jsealed", dir);
	reopen(argument, "unlock-time=0", NULL);
	PERSON(NULL);
	assert_int_equal(store("secret"), ACRED_LOCKED);
	assert_null(strchr(asked, '\033'));
	assert_non_null(strstr(asked, "/?[2Jsealed: "));
}

/* The key of FILE in the kernel keyring, or -1. */
static long resting(void)
{
	unsigned char head[BOX_HEAD_BYTES];
	char description[256];
	int n = snprintf(description, sizeof description, "%s:sealed-file:", arg_prefix + strlen("prefix="));

	assert_int_equal(read_file(file, head, sizeof head), sizeof head);
	for (int i = 0; i < BOX_SALT_BYTES; i++)
		n += snprintf(description + n, sizeof description - (size_t)n, "%02x", head[24 + i]);
	return syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", description, 0L);
}

static bool keyring_closed(void)
{
	return syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", "none", 0L) < 0 && errno != ENOKEY;
}

/* The end of key ID as /proc/keys shows it: "59s", "2h", "perm". */
static void shown_end(long id, char end[16])
{
	char line[1024], flags[16], uses[16];
	FILE *keys = fopen("/proc/keys", "re");
	unsigned shown = 0;

	if (keys == NULL)
		skip();
	while (shown != id && fgets(line, sizeof line, keys) != NULL)
		assert_int_equal(sscanf(line, "%x %15s %15s %15s", &shown, flags, uses, end), 4);
	fclose(keys);
	assert_int_equal(shown, id);
}

static void test_the_key_rests(void **unused)
{
	char end[16];
	void *kernel;

	(void)unused;
	if (keyring_closed())
		skip();
	make_cheap_file(file, "open sesame");
	reopen(NULL, NULL);
	PERSON("open sesame");
	assert_int_equal(store("secret"), ACRED_OK);
	assert_string_equal(noted, "");
	shown_end(resting(), end);
	assert_true(strcmp(end, "8h") == 0 || strcmp(end, "7h") == 0);
	assert_int_equal(syscall(SYS_keyctl, (long)KEYCTL_SET_TIMEOUT, resting(), 50L, 0L, 0L), 0);
	nobody();
	reopen(NULL, NULL); /* another process */
	assert_found("secret");
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "refresh 7 https://sealed.test:8443;");
	assert_int_equal(store("second"), ACRED_OK);
	assert_found("second");
	shown_end(resting(), end);
	assert_true(end[0] <= '9' && strchr(end, 's') != NULL); /* no use prolongs it */
	assert_int_equal(n_derived, 1);

	/* It is no entry of the module that keeps its keys beside it. */
	assert_int_equal(acred_builtin_kernel.open(&call, 1, (const char *const[]){ arg_prefix }, &kernel), ACRED_OK);
	listed[0] = '\0';
	assert_int_equal(acred_builtin_kernel.list(&call, kernel, on_each), ACRED_OK);
	assert_string_equal(listed, "");
	acred_builtin_kernel.close(kernel);

	assert_int_equal(lock(), ACRED_OK);
	assert_int_equal(lookup(), ACRED_LOCKED); /* this process has forgotten it, too */
	assert_true(resting() < 0);
	assert_int_equal(lock(), ACRED_ABSENT);
	reopen(NULL, NULL);
	assert_int_equal(lookup(), ACRED_LOCKED);
	assert_int_equal(n_found, 0);
}

/* What has become of the file meanwhile is nothing that a lock asks about. */
static void test_lock_without_the_file(void **unused)
{
	unsigned char sound[4096];
	char away[512], longer[96];
	void *kernel;
	size_t n;

	(void)unused;
	if (keyring_closed())
		skip();
	snprintf(away, sizeof away, "%s", path_of("away"));
	for (int i = 0; i < 3; i++) {
		make_cheap_file(file, "open sesame");
		reopen(NULL, NULL);
		PERSON("open sesame");
		assert_int_equal(store("secret"), ACRED_OK);
		nobody();
		assert_true(resting() > 0);
		n = read_file(file, sound, sizeof sound);
		assert_int_equal(rename(file, away), 0);
		if (i == 1)
			write_file(file, sound, n - 1);
		else if (i == 2)
			make_cheap_file(file, "another");
		reopen(NULL, NULL);
		assert_int_equal(lock(), ACRED_OK);
		assert_int_equal(lock(), ACRED_ABSENT);
		assert_int_equal(rename(away, file), 0);
		assert_true(resting() < 0);
		assert_int_equal(lookup(), ACRED_LOCKED);
	}

	/* A longer prefix is another's, and a cached token none of this module's. */
	snprintf(longer, sizeof longer, "%s.b", arg_prefix);
	reopen_with(2, (const char *const[]){ arg_file, longer });
	PERSON("open sesame");
	assert_int_equal(lookup(), ACRED_OK);
	nobody();
	assert_int_equal(acred_builtin_kernel.open(&call, 1, (const char *const[]){ arg_prefix }, &kernel), ACRED_OK);
	assert_int_equal(acred_builtin_kernel.store(&call, kernel, &(const struct acred_key){ "access", key.base_url, key.user_id }, "token", 5, 60), ACRED_OK);
	reopen(NULL, NULL);
	assert_int_equal(lock(), ACRED_ABSENT);
	assert_int_equal(acred_builtin_kernel.erase(&call, kernel, &(const struct acred_key){ "access", key.base_url, key.user_id }), ACRED_OK);
	acred_builtin_kernel.close(kernel);
	reopen_with(2, (const char *const[]){ arg_file, longer });
	assert_found("secret");
	assert_int_equal(lock(), ACRED_OK);
}

static void test_how_long_it_rests(void **unused)
{
	static const struct {
		const char *argument;
		bool by_file;
		const char *unit; /* of what /proc/keys shows; NULL: it does not rest */
	} rows[] = {
		{ "unlock-time=0", false, NULL },
		{ "unlock-time=90", false, "m" },
		{ "unlock-time=30s", false, "s" },
		{ "unlock-time=3h", false, "h" },
		{ "unlock-time=9d", true, "w" },
		{ "unlock-time=0s", true, NULL },
		{ arg_prefix, true, NULL }, /* nothing said, with a key-file */
		{ arg_prefix, false, "h" },
	};
	char end[16];

	(void)unused;
	if (keyring_closed())
		skip();
	make_cheap_file(file, "open sesame");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		reopen(rows[i].argument, rows[i].by_file ? arg_key_file : NULL, NULL);
		PERSON("open sesame");
		assert_int_equal(lookup(), ACRED_ABSENT);
		assert_int_equal(n_asked, rows[i].by_file ? 0 : 1);
		assert_noted(rows[i].unit == NULL && !rows[i].by_file ? "the key cannot rest here" : "");
		if (rows[i].unit == NULL) {
			assert_true(resting() < 0);
			assert_int_equal(lock(), ACRED_ABSENT);
			continue;
		}
		shown_end(resting(), end);
		if (end[0] < '0' || end[0] > '9' || strstr(end, rows[i].unit) == NULL)
			fail_msg("%s: it rests for %s", rows[i].argument, end);
		assert_int_equal(lock(), ACRED_OK);
	}
}

/* A new file's key rests as well: a login is followed by calls that nobody answers. */
static void test_the_key_of_a_new_file_rests(void **unused)
{
	(void)unused;
	if (keyring_closed())
		skip();
	reopen(NULL, NULL);
	PERSON("new", "new");
	assert_int_equal(store("secret"), ACRED_OK);
	nobody();
	reopen(NULL, NULL);
	assert_found("secret");
	assert_int_equal(n_derived, 1);
}

/* A key that somebody put there, and that does not open it: the passphrase is wanted, and puts the right one there. */
static void test_a_key_that_does_not_fit(void **unused)
{
	long id;

	(void)unused;
	if (keyring_closed())
		skip();
	make_cheap_file(file, "open sesame");
	reopen(NULL, NULL);
	PERSON("open sesame");
	assert_int_equal(store("secret"), ACRED_OK);
	nobody();
	for (int i = 0; i < 2; i++) {
		id = resting();
		assert_true(id > 0);
		assert_int_equal(syscall(SYS_keyctl, (long)KEYCTL_UPDATE, id, "0123456789abcdef0123456789abcdef+", i == 0 ? 32L : 33L, 0L), 0);
		reopen(NULL, NULL);
		assert_int_equal(lookup(), ACRED_LOCKED);
		PERSON("open sesame");
		assert_found("secret");
		nobody();
		reopen(NULL, NULL);
		assert_found("secret");
	}
}

static void test_no_kernel_keyring(void **unused)
{
	static const int errors[] = { EPERM, ENOSYS, EDQUOT, EACCES };

	(void)unused;
	make_cheap_file(file, "open sesame");
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		keyring_error = errors[i];
		reopen(NULL, NULL);
		PERSON("open sesame");
		assert_int_equal(store("secret"), ACRED_OK);
		assert_noted("the key cannot rest here");
		assert_noted("use key-file=");
		nobody();
		assert_found("secret");
		assert_int_equal(lock(), errors[i] == EPERM || errors[i] == ENOSYS ? ACRED_ABSENT : ACRED_FAILED);
		assert_int_equal(lookup(), ACRED_LOCKED);
		reopen(arg_key_file, NULL);
		assert_found("secret");
		assert_string_equal(noted, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_final_line_feed_of_key_file),
		ROW(test_wrong_passphrase_changes_nothing),
		ROW(test_what_a_key_file_must_be),
		ROW(test_own_key_file_is_for_nobody_else),
		ROW(test_key_files_that_are_none),
		ROW(test_credentials_directory),
		ROW(test_a_person_is_asked),
		ROW(test_a_person_makes_the_file),
		ROW(test_questions_are_printable),
		ROW(test_the_key_rests),
		ROW(test_lock_without_the_file),
		ROW(test_how_long_it_rests),
		ROW(test_the_key_of_a_new_file_rests),
		ROW(test_a_key_that_does_not_fit),
		ROW(test_no_kernel_keyring),
	};

	return cmocka_run_group_tests_name("sealed-file: keys", tests, NULL, NULL);
}
