/* SPDX-License-Identifier: MIT */
/*
 * The sealed-file module: what it keeps, where, and what its line in the stack may say.
 */
#include "tests/keyring/sealed-file-host.h"

static void test_store_find_replace_erase(void **unused)
{
	struct stat st;

	(void)unused;
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(erase(), ACRED_ABSENT);
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "");
	assert_int_equal(lock(), ACRED_ABSENT);
	assert_int_equal(n_derived, 0);
	assert_int_equal(files(), 1);
	assert_int_equal(store("first"), ACRED_OK);
	assert_found("first");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(store("the second"), ACRED_OK);
	assert_found("the second");
	assert_int_equal(lookup_of(&neighbour), ACRED_ABSENT);
	assert_int_equal(n_found, 0);
	assert_int_equal(erase(), ACRED_OK);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(erase(), ACRED_ABSENT);
	assert_int_equal(files(), 3); /* it, its lock, and the key-file */
	assert_int_equal(n_derived, 1);
	assert_string_equal(noted, "");
	reopen(arg_key_file, NULL); /* the file without entries still knows its passphrase */
	write_text(key_file, "another one");
	assert_int_equal(store("third"), ACRED_LOCKED);
	assert_noted("the passphrase is wrong");
}

static void test_accounts_side_by_side(void **unused)
{
	static const struct acred_key other = { "recovery", "https://sealed.test:8443", 7 }, far = { "refresh", "https://sealed.test:844", 7 };

	(void)unused;
	assert_int_equal(store("mine"), ACRED_OK);
	assert_int_equal(store_of(&neighbour, "his"), ACRED_OK);
	assert_int_equal(store_of(&other, "a copy"), ACRED_OK);
	reopen(arg_key_file, NULL);
	assert_int_equal(store_of(&far, "elsewhere"), ACRED_OK);
	assert_int_equal(store("mine again"), ACRED_OK);
	assert_found("mine again");
	assert_int_equal(lookup_of(&neighbour), ACRED_OK);
	assert_memory_equal(found, "his", 3);
	assert_int_equal(list(), ACRED_OK);
	assert_string_equal(listed, "refresh 8 https://sealed.test:8443;recovery 7 https://sealed.test:8443;"
	                            "refresh 7 https://sealed.test:844;refresh 7 https://sealed.test:8443;");
	assert_int_equal(erase(), ACRED_OK);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(lookup_of(&far), ACRED_OK);
	assert_int_equal(n_found, strlen("elsewhere"));
	assert_int_equal(lookup_of(&other), ACRED_OK);
}

static void test_any_bytes_and_lengths(void **unused)
{
	static char bytes[1024 * 1024 + 1];
	size_t longest = 1024 * 1024 - BOX_OVERHEAD_BYTES - 12 - strlen(key.facility) - strlen(key.base_url) - 2;

	(void)unused;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i; /* NUL and line feed among them */
	make_cheap_file(file, "open sesame");
	assert_int_equal(module->store(&call, state, &key, bytes, longest, 0), ACRED_OK);
	assert_int_equal(lookup(), ACRED_OK);
	assert_int_equal(n_found, longest);
	assert_memory_equal(found, bytes, longest);
	assert_int_equal(module->store(&call, state, &key, bytes, longest + 1, 0), ACRED_FAILED);
	assert_noted("longer than 1048576 bytes");
	assert_int_equal(module->store(&call, state, &key, bytes, sizeof bytes, 0), ACRED_FAILED);
	assert_int_equal(module->store(&call, state, &key, bytes, 0, 0), ACRED_FAILED);
	assert_int_equal(lookup(), ACRED_OK);
	assert_int_equal(n_found, longest);
	put_answer = 1;
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_int_equal(truncate(file, 1024 * 1024 + 1), 0);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("is damaged: it is longer than 1048576 bytes");
	assert_int_equal(truncate(file, (off_t)1 << 33), 0);
	assert_int_equal(lookup(), ACRED_FAILED);
	assert_noted("is damaged");
}

/* The same secret twice is not the same bytes, and neither of them is the secret. */
static void test_nothing_shows(void **unused)
{
	unsigned char one[4096], two[4096];
	size_t n;

	(void)unused;
	make_cheap_file(file, "open sesame");
	assert_int_equal(store("a RefreshToken"), ACRED_OK);
	n = read_file(file, one, sizeof one);
	assert_int_equal(store("a RefreshToken"), ACRED_OK);
	assert_int_equal(read_file(file, two, sizeof two), n);
	assert_memory_equal(one, two, 40); /* the lid, and with it the key, stays */
	assert_memory_not_equal(one + 40, two + 40, 24);
	assert_memory_not_equal(one + 64, two + 64, 14);
	assert_null(memmem(one, n, "a RefreshToken", 14));
	assert_null(memmem(one, n, "sealed.test", 11));
}

static void test_missing_directories_are_made(void **unused)
{
	char argument[160];
	struct stat st;

	(void)unused;
	snprintf(argument, sizeof argument, "file=%s/a/b/sealed", dir);
	reopen(argument, arg_key_file, NULL);
	assert_int_equal(lookup(), ACRED_ABSENT);
	assert_int_equal(stat(path_of("a"), &st), -1);
	assert_int_equal(store("secret"), ACRED_OK);
	assert_found("secret");
	assert_int_equal(stat(path_of("a"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(stat(path_of("a/b"), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
}

static void test_arguments(void **unused)
{
	static const struct {
		const char *argument, *words;
	} rows[] = {
		{ "file=sealed", "file= takes the absolute path of a file, not 'sealed'" },
		{ "file=", "not ''" },
		{ "file=/tmp/", "not '/tmp/'" },
		{ "key-file=passphrase", "key-file= takes an absolute path or $CREDENTIALS_DIRECTORY/NAME, not 'passphrase'" },
		{ "key-file=", "not ''" },
		{ "key-file=$CREDENTIALS_DIRECTORY", "not '$CREDENTIALS_DIRECTORY'" },
		{ "key-file=$CREDENTIALS_DIRECTORY/", "not '$CREDENTIALS_DIRECTORY/'" },
		{ "key-file=$HOME/passphrase", "not '$HOME/passphrase'" },
		{ "unlock-time=", "unlock-time= takes a duration such as 8h, or 0, not ''" },
		{ "unlock-time=h", "not 'h'" },
		{ "unlock-time=-1", "not '-1'" },
		{ "unlock-time=8hh", "not '8hh'" },
		{ "unlock-time=8w", "not '8w'" },
		{ "unlock-time=99999999999999999999", "not '99999999999999999999'" },
		{ "unlock-time=9999999d", "not '9999999d'" },
		{ "prefix=a:b", "prefix= takes 1 to 64 letters" },
		{ "keyfile=/x", "unknown argument 'keyfile=/x'; there are file=" },
		{ "FILE=/x", "unknown argument" },
	};
	void *opened;

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		noted[0] = '\0';
		assert_int_equal(module->open(&call, 1, &rows[i].argument, &opened), ACRED_FAILED);
		assert_noted(rows[i].words);
	}
}

static void test_where_it_lies(void **unused)
{
	static const struct {
		const char *state, *home; /* below the directory of the test, or as they are */
		const char *place;        /* NULL: nowhere */
	} rows[] = {
		{ "state", "home", "state/alation-cred/sealed" },
		{ NULL, "home", "home/.local/state/alation-cred/sealed" },
		{ "./relative", "home", "home/.local/state/alation-cred/sealed" },
		{ "", "home", "home/.local/state/alation-cred/sealed" },
		{ "./relative", "./relative", NULL },
		{ NULL, NULL, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *argv[] = { arg_key_file, arg_prefix };
		char path[512];
		void *opened;

		unsetenv("XDG_STATE_HOME");
		unsetenv("HOME");
		if (rows[i].state != NULL)
			setenv("XDG_STATE_HOME", strchr("./", rows[i].state[0]) != NULL ? rows[i].state : path_of(rows[i].state), 1);
		if (rows[i].home != NULL)
			setenv("HOME", strchr("./", rows[i].home[0]) != NULL ? rows[i].home : path_of(rows[i].home), 1);
		if (rows[i].place == NULL) {
			assert_int_equal(module->open(&call, 2, argv, &opened), ACRED_UNAVAILABLE);
			assert_noted("set HOME or give file=PATH");
			continue;
		}
		snprintf(path, sizeof path, "%s", path_of(rows[i].place));
		reopen_with(2, argv);
		assert_int_equal(store("secret"), ACRED_OK);
		assert_int_equal(access(path, R_OK), 0);
		assert_int_equal(unlink(path), 0);
	}
	reopen(arg_key_file, NULL); /* who gives file= needs no HOME */
}

static void test_deadline(void **unused)
{
	(void)unused;
	call.deadline_ms = now_ms() - 1;
	assert_int_equal(store("secret"), ACRED_TIMEOUT);
	assert_noted("no time is left");
	assert_int_equal(n_derived, 0);
	make_cheap_file(file, "open sesame");
	assert_int_equal(lookup(), ACRED_TIMEOUT);
	assert_int_equal(n_derived, 0);
	call.deadline_ms = now_ms() + 60000;
	assert_int_equal(store("secret"), ACRED_OK);
}

/* Another one is put in the file's place just when its key is derived. */
static const char *its_passphrase;
static void replace_meanwhile(void)
{
	unsigned n = n_derived;

	on_derive = NULL;
	make_cheap_file(path_of("other"), its_passphrase);
	assert_int_equal(rename(path_of("other"), file), 0);
	n_derived = n;
}

static void test_made_anew_meanwhile(void **unused)
{
	(void)unused;
	make_cheap_file(file, "open sesame");
	its_passphrase = "open sesame";
	on_derive = replace_meanwhile;
	assert_int_equal(store("secret"), ACRED_OK); /* the key-file opens that one, too */
	assert_found("secret");

	reopen("unlock-time=0", NULL);
	PERSON("open sesame", "open sesame");
	on_derive = replace_meanwhile;
	assert_int_equal(store("secret"), ACRED_LOCKED); /* a person is not asked twice */
	assert_int_equal(n_asked, 1);
	assert_int_equal(lookup(), ACRED_ABSENT);

	assert_int_equal(unlink(file), 0);
	reopen("unlock-time=0", NULL);
	PERSON("mine", "mine");
	on_derive = replace_meanwhile;
	assert_int_equal(store("secret"), ACRED_LOCKED); /* what another process has made is not written over */
	PERSON("open sesame");
	assert_int_equal(lookup(), ACRED_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(test_store_find_replace_erase),
		ROW(test_accounts_side_by_side),
		ROW(test_any_bytes_and_lengths),
		ROW(test_nothing_shows),
		ROW(test_missing_directories_are_made),
		ROW(test_arguments),
		ROW(test_where_it_lies),
		ROW(test_deadline),
		ROW(test_made_anew_meanwhile),
	};

	return cmocka_run_group_tests_name("sealed-file", tests, NULL, NULL);
}
