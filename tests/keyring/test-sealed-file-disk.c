/* SPDX-License-Identifier: MIT */
/*
 * The sealed-file module: files that are damaged, newer or not what they must be, stores that fail or are killed, and
 * many at once.
 */
#include "tests/keyring/sealed-file-host.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PROCESSES 20
#define MAKERS 6 /* each of them takes 64 MiB, and half of the processor's time from the others */
#define SECRET "v=1&kind=refresh-token"
#define CHECKSUM_BYTES 32

static unsigned char sound[1024], bytes[1024];
static size_t n_sound;

/* A file that holds SECRET, and the module opened anew. */
static void make_sound(void)
{
	make_cheap_file(file, "open sesame");
	assert_int_equal(store(SECRET), ACRED_OK);
	n_sound = read_file(file, sound, sizeof sound);
	assert_true(n_sound > BOX_OVERHEAD_BYTES && n_sound < sizeof sound);
	reopen(arg_key_file, NULL);
	n_derived = 0;
}

static void fix_checksum(unsigned char *p, size_t n)
{
	assert_int_equal(crypto_generichash(p + n - CHECKSUM_BYTES, CHECKSUM_BYTES, p, n - CHECKSUM_BYTES, NULL, 0), 0);
}

/* No operation takes N bytes for a sealed file, says a secret, or changes one of them. */
static void assert_left_alone(const unsigned char *p, size_t n, const char *words, size_t at)
{
	static unsigned char after[sizeof bytes];
	int got[4];

	write_file(file, p, n);
	got[0] = lookup();
	if (n_found > 0 || strstr(noted, words) == NULL)
		fail_msg("byte %zu: %zu bytes found, noted '%s', not '%s'", at, n_found, noted, words);
	got[1] = store("another");
	got[2] = erase();
	got[3] = list();
	for (size_t i = 0; i < sizeof got / sizeof got[0]; i++)
		if (got[i] != ACRED_FAILED)
			fail_msg("byte %zu: call %zu answered %d", at, i, got[i]);
	assert_string_equal(listed, "");
	assert_int_equal(read_file(file, after, sizeof after), n);
	assert_memory_equal(after, p, n);
	assert_int_equal(n_derived, 0);
}

/* With the key in memory, and without it. */
static void test_cut_at_each_byte(void **unused)
{
	(void)unused;
	make_sound();
	for (int keyed = 0; keyed < 2; keyed++) {
		for (size_t n = 0; n < n_sound; n++)
			assert_left_alone(sound, n, "is damaged", n);
		write_file(file, sound, n_sound);
		assert_found(SECRET);
		n_derived = 0;
	}
	memcpy(bytes, sound, n_sound); /* and one byte too many */
	bytes[n_sound] = bytes[n_sound - 1];
	assert_left_alone(bytes, n_sound + 1, "is damaged", n_sound);
}

static void test_each_byte_changed(void **unused)
{
	static const unsigned char changes[] = { 0x01, 0x80, 0xff };

	(void)unused;
	make_sound();
	for (int keyed = 0; keyed < 2; keyed++) {
		for (size_t i = 0; i < n_sound * sizeof changes; i++) {
			memcpy(bytes, sound, n_sound);
			bytes[i / sizeof changes] ^= changes[i % sizeof changes];
			assert_left_alone(bytes, n_sound, "is damaged", i / sizeof changes);
		}
		write_file(file, sound, n_sound);
		assert_found(SECRET);
		n_derived = 0;
	}
}

/* Whoever puts the checksum right, too, has made a file that the passphrase does not open: no byte is without its seal. */
static void test_each_byte_forged(void **unused)
{
	(void)unused;
	make_sound();
	for (size_t i = 0; i < n_sound - CHECKSUM_BYTES; i++) {
		int status;

		memcpy(bytes, sound, n_sound);
		bytes[i] ^= 0x01;
		fix_checksum(bytes, n_sound);
		write_file(file, bytes, n_sound);
		reopen(arg_key_file, NULL);
		status = lookup();
		/* Without the first 16 bytes it is none, or a newer one; the next 8 may ask for too much. */
		if (n_found > 0 || (status != ACRED_LOCKED && (status != ACRED_FAILED || i >= 24)) || (status == ACRED_LOCKED && i < 16))
			fail_msg("byte %zu: answered %d, %zu bytes found", i, status, n_found);
	}
	for (size_t n = BOX_OVERHEAD_BYTES; n < n_sound; n++) {
		memcpy(bytes, sound, n);
		fix_checksum(bytes, n);
		write_file(file, bytes, n);
		assert_int_equal(lookup(), ACRED_LOCKED);
		assert_int_equal(n_found, 0);
	}
}

static void test_newer_and_monstrous(void **unused)
{
	static const struct {
		size_t at;
		unsigned char value[4];
		const char *words;
	} rows[] = {
		{ 12, { 0, 0, 0, 2 }, "was written by a newer alation-cred" },
		{ 12, { 0xff, 0xff, 0xff, 0xff }, "was written by a newer alation-cred" },
		{ 12, { 0, 0, 0, 0 }, "is damaged" },
		{ 16, { 0, 0, 0, 0 }, "is damaged" },
		{ 16, { 0, 0, 0, 9 }, "is damaged" },
		{ 16, { 0xff, 0xff, 0xff, 0xff }, "is damaged" },
		{ 20, { 0, 0, 0, 0 }, "is damaged" },
		{ 20, { 0, 0, 0, 7 }, "is damaged" },
		{ 20, { 0, 4, 0, 1 }, "is damaged" },
		{ 20, { 0xff, 0xff, 0xff, 0xff }, "is damaged" },
	};

	(void)unused;
	make_sound();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memcpy(bytes, sound, n_sound);
		memcpy(bytes + rows[i].at, rows[i].value, 4);
		fix_checksum(bytes, n_sound);
		assert_left_alone(bytes, n_sound, rows[i].words, i); /* and no key is derived */
	}
	/* A newer one may be shorter than any of ours: its first 16 bytes and its checksum tell. */
	memcpy(bytes, sound, 16);
	fix_checksum(bytes, 48);
	assert_left_alone(bytes, 48, "is damaged", 0);
	bytes[15] = 2;
	fix_checksum(bytes, 48);
	assert_left_alone(bytes, 48, "was written by a newer alation-cred", 0);
}

/* What only a program with the key can have written. */
static void test_entries_that_are_none(void **unused)
{
	static const struct {
		const char *p;
		size_t n;
	} rows[] = {
		{ "x", 1 },
		{ "\0\0\0\1\0\0\0\0\0\0\0\7" "refresh\0u\0", 12 + 10 },          /* a secret is missing */
		{ "\0\0\0\0\0\0\0\0\0\0\0\7" "refresh\0u", 12 + 9 },             /* an end */
		{ "\0\0\0\0\0\0\0\0\0\0\0\7" "refresh", 12 + 7 },
		{ "\377\377\377\377\0\0\0\0\0\0\0\7" "refresh\0u\0s", 12 + 11 }, /* longer than everything */
		{ "\0\0\0\1\0\0\0\0\0\0\0\7" "refresh\0u\0st", 12 + 12 },        /* and a byte more */
	};
	unsigned char derived[BOX_KEY_BYTES];
	struct sealed_lid lid = { .passes = 1, .memory_kib = 8 };

	(void)unused;
	assert_true(sealed_box_derive(&lid, (const unsigned char *)"open sesame", 11, derived));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sealed_box_close(&lid, derived, (const unsigned char *)rows[i].p, rows[i].n, bytes);
		write_file(file, bytes, rows[i].n + BOX_OVERHEAD_BYTES);
		assert_int_equal(lookup(), ACRED_FAILED);
		assert_noted("is damaged");
		assert_int_equal(store("secret"), ACRED_FAILED);
		assert_int_equal(list(), ACRED_FAILED);
		assert_string_equal(listed, "");
	}
}

static void put_link(void)
{
	assert_int_equal(rename(file, path_of("elsewhere")), 0);
	assert_int_equal(symlink("elsewhere", file), 0);
}

static void put_dangling_link(void)
{
	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("/nonexistent", file), 0);
}

static void put_fifo(void)
{
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
}

static void put_directory(void)
{
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
}

static void put_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(unlink(file), 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%.100s", file);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
}

static void put_readable(void)
{
	assert_int_equal(chmod(file, 0640), 0);
}

static void put_writable(void)
{
	assert_int_equal(chmod(file, 0602), 0);
}

static void put_anothers(void)
{
	assert_int_equal(chown(file, 1988000000, (gid_t)-1), 0);
}

static void put_below_a_file(void)
{
	char argument[192];

	snprintf(argument, sizeof argument, "file=%s/below", file);
	reopen(argument, arg_key_file, NULL);
}

static void test_what_is_not_used(void **unused)
{
	static const struct {
		const char *words;
		void (*put)(void);
		bool needs_root;
	} rows[] = {
		{ "is not used: it is a link", put_link, false },
		{ "is not used: it is a link", put_dangling_link, false },
		{ "it is no regular file (mode 010600)", put_fifo, false },
		{ "it is no regular file (mode 040700)", put_directory, false },
		{ "it is no regular file (mode 140", put_socket, false },
		{ "its mode is 0640", put_readable, false },
		{ "its mode is 0602", put_writable, false },
		{ "it belongs to another user (1988000000, mode 0600)", put_anothers, true },
		{ "cannot be opened: Not a directory", put_below_a_file, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct stat before, after;

		if (rows[i].needs_root && geteuid() != 0)
			continue;
		make_sound();
		assert_found(SECRET);
		rows[i].put();
		assert_int_equal(lstat(file, &before), 0);
		assert_int_equal(lookup(), ACRED_FAILED);
		assert_noted(rows[i].words);
		assert_noted(file);
		assert_int_equal(n_found, 0);
		assert_int_equal(store("another"), ACRED_FAILED);
		assert_int_equal(erase(), ACRED_FAILED);
		assert_int_equal(list(), ACRED_FAILED);
		assert_string_equal(listed, "");
		assert_int_equal(lstat(file, &after), 0);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_mode, after.st_mode);
		assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
		assert_int_equal(remove(file), 0);
		(void)unlink(path_of("elsewhere"));
		reopen(arg_key_file, NULL);
	}
}

/* The old entry stays, and nothing lies beside it. */
static void test_stores_that_fail(void **unused)
{
	static const struct {
		const char *step;
		int error, status;
	} rows[] = {
		{ "openat", ENOSPC, ACRED_FAILED },   { "openat", EROFS, ACRED_READONLY }, { "openat", EACCES, ACRED_READONLY },
		{ "write", ENOSPC, ACRED_FAILED },    { "write", EIO, ACRED_FAILED },      { "fsync", EIO, ACRED_FAILED },
		{ "renameat", EROFS, ACRED_READONLY }, { "renameat", EIO, ACRED_FAILED },
	};

	(void)unused;
	make_sound();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		broken.name = rows[i].step, broken.error = rows[i].error;
		assert_int_equal(store("another"), rows[i].status);
		assert_noted("cannot be written");
		assert_noted(strerror(rows[i].error));
		assert_int_equal(erase(), rows[i].status);
		broken.name = NULL;
		assert_found(SECRET);
		assert_int_equal(files(), 3);
	}
}

static void test_full_disk(void **unused)
{
	struct rlimit limit, small = { 40, 40 };
	int changed, made;

	(void)unused;
	make_sound();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small.rlim_max = limit.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	changed = store("another");
	assert_int_equal(rename(file, path_of("elsewhere")), 0);
	made = store("another");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(changed, ACRED_FAILED);
	assert_int_equal(made, ACRED_FAILED);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(files(), 3);
	assert_int_equal(rename(path_of("elsewhere"), file), 0);
	assert_found(SECRET);
}

/* As an ordinary user, whom the directory lets read and no more. */
static void test_read_only_directory(void **unused)
{
	int status;
	pid_t child;

	(void)unused;
	make_sound();
	assert_int_equal(unlink(path_of("sealed.lock")), 0);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (chown(file, 1988000000, 1988000000) != 0 || chown(key_file, 1988000000, 1988000000) != 0 ||
		                       chown(dir, 1988000000, 1988000000) != 0 || setresgid(1988000000, 1988000000, 1988000000) != 0 ||
		                       setresuid(1988000000, 1988000000, 1988000000) != 0))
			_exit(1);
		if (chmod(dir, 0500) != 0 || lookup() != ACRED_OK || n_found != strlen(SECRET))
			_exit(2);
		if (store("another") != ACRED_READONLY || strstr(noted, "Permission denied") == NULL || erase() != ACRED_READONLY)
			_exit(3);
		if (module->erase(&call, state, &neighbour) != ACRED_ABSENT) /* nothing to write */
			_exit(4);
		if (chmod(dir, 0700) != 0 || lookup() != ACRED_OK || store("another") != ACRED_OK)
			_exit(5);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The lock is another process's until it ends. */
static void test_lock_is_waited_for(void **unused)
{
	int ready[2], done[2], status;
	char c;
	pid_t child;

	(void)unused;
	make_sound();
	assert_found(SECRET);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	child = fork();
	if (child == 0) {
		int fd = open(path_of("sealed.lock"), O_RDWR | O_CLOEXEC);

		close(done[1]);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(done[0], &c, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(done[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	call.deadline_ms = now_ms() + 50;
	assert_int_equal(store("another"), ACRED_TIMEOUT);
	assert_noted("another process holds");
	assert_noted("sealed.lock");
	call.deadline_ms = now_ms() + 50;
	assert_found(SECRET); /* who reads does not wait */
	close(done[1]);
	call.deadline_ms = now_ms() + 60000;
	assert_int_equal(store("another"), ACRED_OK);
	close(ready[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_lock_files_that_are_none(void **unused)
{
	(void)unused;
	make_sound();
	assert_int_equal(unlink(path_of("sealed.lock")), 0);
	write_text(path_of("elsewhere"), "");
	assert_int_equal(symlink("elsewhere", path_of("sealed.lock")), 0);
	assert_int_equal(store("another"), ACRED_FAILED);
	assert_noted("sealed.lock is not used: it is a link");
	assert_int_equal(unlink(path_of("sealed.lock")), 0);
	assert_int_equal(mkfifo(path_of("sealed.lock"), 0600), 0);
	assert_int_equal(store("another"), ACRED_FAILED);
	assert_noted("sealed.lock is not used");
	assert_int_equal(unlink(path_of("sealed.lock")), 0);
	assert_found(SECRET);
	assert_int_equal(store("another"), ACRED_OK);
}

static const struct acred_key *numbered(int i)
{
	static struct acred_key any;

	any = key;
	any.user_id = 100 + i;
	return &any;
}

/* Each account is another process's, and all of them begin when the pipe is closed. */
static void store_at_once(int processes)
{
	int start[2], failed = 0, status;
	char c;

	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			char secret[32];

			close(start[1]);
			snprintf(secret, sizeof secret, "secret %d", i);
			(void)!read(start[0], &c, 1);
			_exit(store_of(numbered(i), secret) == ACRED_OK ? 0 : 1);
		}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < processes; i++)
		failed += wait(&status) < 0 || status != 0;
	assert_int_equal(failed, 0);
	for (int i = 0; i < processes; i++) {
		char secret[32];

		snprintf(secret, sizeof secret, "secret %d", i);
		assert_int_equal(lookup_of(numbered(i)), ACRED_OK);
		assert_int_equal(n_found, strlen(secret));
		assert_memory_equal(found, secret, n_found);
	}
	assert_int_equal(files(), 3);
}

static void test_many_at_once(void **unused)
{
	(void)unused;
	make_cheap_file(file, "open sesame");
	store_at_once(PROCESSES);
}

/* None of them finds a file: one of them makes it. */
static void test_many_make_it_at_once(void **unused)
{
	(void)unused;
	store_at_once(MAKERS);
}

/* Killed before each step of a store: what was there, or what was to be there, and the next store goes on. */
static void test_killed_at_each_step(void **unused)
{
	unsigned killed = 0;
	int status = 0;

	(void)unused;
	make_sound();
	for (unsigned at = 1; at == 1 || WIFSIGNALED(status); at++) {
		char secret[32];
		pid_t child;

		snprintf(secret, sizeof secret, "secret %u", at);
		child = fork();
		if (child == 0) {
			kill_in = at;
			_exit(store(secret) == ACRED_OK ? 0 : 1);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) || status == 0);
		killed += WIFSIGNALED(status);
		assert_int_equal(lookup(), ACRED_OK);
		if (n_found != strlen(secret) || memcmp(found, secret, n_found) != 0) {
			assert_int_equal(n_found, strlen(SECRET));
			assert_memory_equal(found, SECRET, n_found);
		}
		assert_int_equal(store(SECRET), ACRED_OK);
		assert_found(SECRET);
		assert_int_equal(files(), 3); /* nothing that a killed one has left */
	}
	assert_true(killed >= 5); /* temp file, its bytes, fsync, rename, fsync */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_cut_at_each_byte),
		ROW(test_each_byte_changed),
		ROW(test_each_byte_forged),
		ROW(test_newer_and_monstrous),
		ROW(test_entries_that_are_none),
		ROW(test_what_is_not_used),
		ROW(test_stores_that_fail),
		ROW(test_full_disk),
		ROW(test_read_only_directory),
		ROW(test_lock_is_waited_for),
		ROW(test_lock_files_that_are_none),
		ROW(test_many_at_once),
		ROW(test_many_make_it_at_once),
		ROW(test_killed_at_each_step),
	};

	return cmocka_run_group_tests_name("sealed-file: disk", tests, NULL, NULL);
}
