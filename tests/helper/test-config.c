/* SPDX-License-Identifier: MIT */
/*
 * config.c: what a file says and where, which of two files counts, and what refuses a file: a line, its bytes, its place.
 * A refusal names the place and never a byte of a value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helper/config.h"
#include "tests/helper/scratch.h"

#define STRANGER 987654321
#define CANARY "hunter2"

static struct config config;
static struct trouble trouble;

static int setup(void **state)
{
	int failed = scratch_setup(state);

	unsetenv("ALATION_CRED_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	if (failed || mkdir(scratch_path("etc"), 0755) || mkdir(scratch_path(".config"), 0755) || mkdir(scratch_path(".config/alation-cred"), 0755))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	config_free(&config);
	return scratch_teardown(state);
}

static enum outcome read_both(void)
{
	enum outcome outcome;

	config_free(&config);
	config = (struct config){ 0 };
	trouble = (struct trouble){ 0 };
	outcome = config_read(scratch_path("etc/config"), &config, &trouble);
	assert_int_equal(trouble.code, outcome == DONE ? TROUBLE_NONE : TROUBLE_CONFIGURATION);
	assert_null(strstr(trouble.message, CANARY));
	assert_null(strstr(trouble.remedy, CANARY));
	return outcome;
}

static void write_user(const void *content, size_t n)
{
	scratch_write(scratch_path(".config/alation-cred/config"), content, n);
}

static void user(const char *text)
{
	write_user(text, strlen(text));
}

static void the_system(const char *text)
{
	scratch_write(scratch_path("etc/config"), text, strlen(text));
}

static void assert_read(void)
{
	if (read_both() != DONE)
		fail_msg("%s", trouble.message);
}

/* "VALUE FILE:LINE" of what counts, or "". */
static const char *found(enum config_word word, const char *base_url)
{
	const struct config_value *value = config_find(&config, word, base_url);
	static char text[2048];

	text[0] = '\0';
	if (value)
		snprintf(text, sizeof text, "%s %s:%u", value->value, strstr(value->place.file, "/etc/") ? "system" : "user", value->place.line);
	return text;
}

/* Facility, control and module of each line, with its place. */
static const char *stack(void)
{
	static char text[2048];
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < config.n_lines; i++) {
		const struct keyring_line *line = &config.lines[i].line;

		assert_ptr_equal(line->argv, config.lines[i].argv);
		n += (size_t)snprintf(text + n, sizeof text - n, "%s %d %s %d%s %s:%u;", line->facility, (int)line->control, line->module, line->argc,
		                      line->argc ? line->argv[line->argc - 1] : "", strstr(config.line_places[i].file, "/etc/") ? "system" : "user",
		                      config.line_places[i].line);
	}
	return text;
}

static void test_nothing_there(void **state)
{
	(void)state;
	assert_read();
	assert_int_equal(config.n_values + config.n_lines, 0);
	assert_false(config.files[0].there || config.files[1].there);
	assert_null(config_find(&config, CONFIG_TIMEOUT, NULL));
	unsetenv("HOME");
	assert_read();
	assert_string_equal(config.files[1].path, "");
	assert_int_equal(config_read("", &config, &trouble), DONE);
	assert_string_equal(config.files[0].path, "");
}

static void test_every_word(void **state)
{
	static const struct {
		enum config_word word;
		const char *name, *value;
	} rows[] = {
		{ CONFIG_BASE_URL, "base-url", "https://catalog.example.com user:2" },
		{ CONFIG_DEFAULT_ACCOUNT, "default-account", "https://102@catalog.example.com user:3" },
		{ CONFIG_CA_FILE, "ca-file", "/etc/ssl/company root.pem user:4" },
		{ CONFIG_CLIENT_CERT, "client-cert", "/etc/c.pem   /etc/k.pem user:5" },
		{ CONFIG_PROXY, "proxy", "http://u:p#w@proxy.example.com:3128 user:6" },
		{ CONFIG_NO_PROXY, "no-proxy", "a.example.com, .b.example.com user:7" },
		{ CONFIG_AUTO_ROTATE, "auto-rotate", "never user:9" },
		{ CONFIG_TIMEOUT, "timeout", "2m user:10" },
	};

	(void)state;
	user("# a comment\n"
	     "base-url https://catalog.example.com\n"
	     "\tdefault-account   https://102@catalog.example.com  \n"
	     "ca-file /etc/ssl/company root.pem\t# a comment\n"
	     "client-cert /etc/c.pem   /etc/k.pem #x\n"
	     "proxy http://u:p#w@proxy.example.com:3128\n"
	     "no-proxy a.example.com, .b.example.com\n"
	     "  \t\n"
	     "auto-rotate never\n"
	     "timeout 2m"); /* without an end */
	assert_read();
	assert_int_equal(config.n_values, sizeof rows / sizeof *rows);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_string_equal(config_word_name(rows[i].word), rows[i].name);
		assert_string_equal(found(rows[i].word, NULL), rows[i].value);
		assert_string_equal(found(rows[i].word, "https://other.example.com"), rows[i].value);
	}
	assert_int_equal(config_seconds(config_find(&config, CONFIG_TIMEOUT, NULL)), 120);
	assert_int_equal(config_seconds(config_find(&config, CONFIG_AUTO_ROTATE, NULL)), CONFIG_NEVER);
}

/* A section's value goes before one for all, whichever file either stands in; else the later goes before the earlier. */
static void test_what_counts(void **state)
{
	(void)state;
	the_system("timeout 1\n"
	           "timeout 2\n"
	           "proxy http://system\n"
	           "[https://a.example.com]\n"
	           "timeout 5\n"
	           "[https://b.example.com/]\n"
	           "timeout 6\n");
	user("timeout 3\n"
	     "[HTTPS://B.Example.com:443]\n"
	     "timeout 7\n"
	     "[c.example.com] # a host alone is https\n"
	     "timeout 8\n"
	     "[https://b.example.com]\n"
	     "timeout 9\n"
	     "[https://[2001:DB8:0::1]:8443]\n"
	     "timeout 10\n"
	     "[http://localhost:8080]#\n"
	     "timeout 11\n");
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "3 user:1");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://a.example.com"), "5 system:5");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://b.example.com"), "9 user:7");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://c.example.com"), "8 user:5");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://[2001:db8::1]:8443"), "10 user:9");
	assert_string_equal(found(CONFIG_TIMEOUT, "http://localhost:8080"), "11 user:11");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://localhost:8080"), "3 user:1");
	assert_string_equal(found(CONFIG_PROXY, "https://a.example.com"), "http://system system:3");
	assert_null(config_find_in(&config, CONFIG_PROXY, "https://a.example.com"));
	assert_true(config_names(&config, "https://a.example.com"));
	assert_false(config_names(&config, "https://d.example.com"));
}

/* A section with base-url is the instance under a short name: what else stands in it counts for that. */
static void test_short_names(void **state)
{
	(void)state;
	user("[wiki]\n"
	     "base-url catalog.example.com\n"
	     "timeout 7\n"
	     "proxy http://short\n"
	     "[https://catalog.example.com]\n"
	     "timeout 8\n");
	assert_read();
	assert_string_equal(found(CONFIG_BASE_URL, "https://wiki"), "catalog.example.com user:2");
	assert_string_equal(found(CONFIG_TIMEOUT, "https://catalog.example.com"), "8 user:6");
	assert_string_equal(found(CONFIG_PROXY, "https://catalog.example.com"), "http://short user:4");
	assert_string_equal(found(CONFIG_PROXY, "https://other.example.com"), "");
	user("[wiki]\nbase-url a.example.com\nbase-url b.example.com\nproxy http://short\n");
	assert_read();
	assert_string_equal(found(CONFIG_PROXY, "https://a.example.com"), "");
	assert_string_equal(found(CONFIG_PROXY, "https://b.example.com"), "http://short user:4");
	assert_true(config_names(&config, "https://b.example.com"));
	user("default-account https://1@c.example.com\n");
	the_system("base-url d.example.com\n");
	assert_read();
	assert_true(config_names(&config, "https://c.example.com"));
	assert_true(config_names(&config, "https://d.example.com"));
}

static void test_users_lines_displace(void **state)
{
	(void)state;
	the_system("refresh required secret-service\n"
	           "access sufficient kernel prefix=system\n"
	           "refresh optional environment\n");
	assert_read();
	assert_string_equal(stack(), "refresh 0 secret-service 0 system:1;access 2 kernel 1prefix=system system:2;refresh 3 environment 0 system:3;");
	user("timeout 9\n"
	     "refresh sufficient environment\n"
	     "refresh requisite secret-service a b\n");
	assert_read();
	assert_string_equal(stack(), "access 2 kernel 1prefix=system system:2;refresh 2 environment 0 user:2;refresh 1 secret-service 2b user:3;");
	user("access sufficient private-file\n"
	     "refresh sufficient /a/b.so\n");
	assert_read();
	assert_string_equal(stack(), "access 2 private-file 0 user:1;refresh 2 /a/b.so 0 user:2;");
	/* The same file as both: nothing twice. */
	setenv("ALATION_CRED_CONFIG", scratch_path("etc/config"), 1);
	assert_read();
	assert_string_equal(stack(), "refresh 0 secret-service 0 system:1;access 2 kernel 1prefix=system system:2;refresh 3 environment 0 system:3;");
	setenv("ALATION_CRED_CONFIG", "/dev/null", 1);
	assert_read();
	assert_string_equal(stack(), "refresh 0 secret-service 0 system:1;access 2 kernel 1prefix=system system:2;refresh 3 environment 0 system:3;");
}

#define ROW(text, place, why) { text, sizeof text - 1, place, why }

/* What is wrong with a line, and where it stands. */
static const struct {
	const char *text;
	size_t n;
	const char *place, *why;
} wrong[] = {
	ROW("\n\n  base-uri https://" CANARY "\n", ":3:3: ", "the word 'base-uri' is not known"),
	ROW(CANARY "\n", ":1:1: ", "no word that is known"),
	ROW("password=" CANARY "\n", ":1:1: ", "no word that is known"),
	ROW("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n", ":1:1: ", "no word that is known"),
	ROW("Timeout 30\n", ":1:1: ", "no word that is known"),
	ROW("recovery sufficient kernel\n", ":1:1: ", "the word 'recovery' is not known"),
	ROW("proxy=http://" CANARY "\n", ":1:6: ", "no '=' stands"),
	ROW("proxy = http://" CANARY "\n", ":1:7: ", "no '=' stands"),
	ROW("proxy\n", ":1:6: ", "the value is missing"),
	ROW("proxy http://user:" CANARY "\n", ":1:7: ", "the value is no proxy"), /* its '@' was forgotten */
	ROW("proxy user:" CANARY "@\n", ":1:7: ", "the value is no proxy"),
	ROW("proxy [::1:" CANARY "\n", ":1:7: ", "the value is no proxy"),
	ROW("proxy proxy:80" CANARY "\n", ":1:7: ", "the value is no proxy"),
	ROW("proxy   # " CANARY "\n", ":1:9: ", "the value is missing"),
	/* values */
	ROW("base-url ftp://" CANARY "\n", ":1:10: ", "no address of an instance"),
	ROW("base-url https://u:" CANARY "@catalog.example.com\n", ":1:10: ", "no address of an instance"),
	ROW("base-url https://1@catalog.example.com\n", ":1:10: ", "no address of an instance"),
	ROW("base-url https://catalog.example.com/" CANARY "\n", ":1:10: ", "no address of an instance"),
	ROW("base-url http://catalog.example.com\n", ":1:10: ", "no address of an instance"),
	ROW("default-account 102\n", ":1:17: ", "the value is no account"),
	ROW("default-account https://catalog.example.com\n", ":1:17: ", "the value is no account"),
	ROW("[https://a.example.com]\ndefault-account https://1@b.example.com\n", ":2:17: ", "another instance than its section's"),
	ROW("[https://a.example.com]\ndefault-account 0\n", ":2:17: ", "the value is no account"),
	ROW("ca-file " CANARY ".pem\n", ":1:9: ", "no absolute path"),
	ROW("ca-file ~/" CANARY ".pem\n", ":1:9: ", "no absolute path"),
	ROW("client-cert " CANARY "\n", ":1:13: ", "no absolute path of a certificate"),
	ROW("client-cert /a " CANARY "\n", ":1:13: ", "no absolute path of a certificate"),
	ROW("client-cert /a /b /" CANARY "\n", ":1:13: ", "more than two paths"),
	ROW("auto-rotate " CANARY "\n", ":1:13: ", "neither a duration"),
	ROW("auto-rotate -1\n", ":1:13: ", "neither a duration"),
	ROW("timeout 0\n", ":1:9: ", "no duration from 1s to 1d"),
	ROW("timeout never\n", ":1:9: ", "no duration from 1s to 1d"),
	ROW("timeout 86401\n", ":1:9: ", "no duration from 1s to 1d"),
	ROW("timeout 1 2\n", ":1:9: ", "no duration from 1s to 1d"),
	/* sections */
	ROW("[https://a.example.com\n", ":1:1: ", "']' is missing"),
	ROW("[https://a.example.com # ]\n", ":1:1: ", "']' is missing"),
	ROW(" [https://a.example.com] " CANARY "\n", ":1:26: ", "behind the section's ']'"),
	ROW("[]\n", ":1:2: ", ""),
	ROW("[https://u:" CANARY "@a.example.com]\n", ":1:2: ", "user"),
	ROW("[https://1@a.example.com]\n", ":1:2: ", "no user, and no path"),
	ROW("[https://a.example.com/x]\n", ":1:2: ", "no user, and no path"),
	ROW("[http://a.example.com]\n", ":1:2: ", ""),
	ROW("[https://a.example.com]\nrefresh sufficient kernel\n", ":2:1: ", "before the first section"),
	/* the stack's lines; the rest is test-conf.c's */
	ROW("refresh " CANARY " kernel\n", ":1:9: ", "none of required, requisite, sufficient, optional"),
	ROW("refresh sufficient kernel\nrefresh optional kernel\n", ":2:18: ", "has a line of that facility already"),
	/* bytes */
	ROW("timeout 30\r\n", ":1:11: ", "a carriage return"),
	ROW("# x\ntime\0out 30\n", ":2:5: ", "a NUL"),
	ROW("# " CANARY "\033[31m\n", ":1:10: ", "a control character"),
	ROW("timeout 30 # \177\n", ":1:14: ", "a control character"),
	ROW("\357\273\277timeout 30\n", ":1:1: ", "no word that is known"),
};

static void test_wrong_lines(void **state)
{
	char first[600];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		write_user(wrong[i].text, wrong[i].n);
		snprintf(first, sizeof first, "%s%s", scratch_path(".config/alation-cred/config"), wrong[i].place);
		if (read_both() != UNUSABLE || strncmp(trouble.message, first, strlen(first)) != 0 || !strstr(trouble.message, wrong[i].why))
			fail_msg("row %zu: %s", i, trouble.message);
	}
}

/* The two limits of a line and of a file, and one byte beyond each. */
static void test_long(void **state)
{
	static char text[1024 * 1024 + 1];

	(void)state;
	memset(text, '#', sizeof text);
	text[CONFIG_LINE_MAX_BYTES] = '\n';
	write_user(text, CONFIG_LINE_MAX_BYTES + 1);
	assert_read();
	text[CONFIG_LINE_MAX_BYTES] = '#';
	write_user(text, CONFIG_LINE_MAX_BYTES + 1);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "config:1:8193: the line is longer than 8192 bytes"));
	write_user(text, sizeof text - 1);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "config:1:8193: the line is longer than 8192 bytes"));
	write_user(text, sizeof text);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "config is longer than 1 MiB"));
}

static void test_many_lines(void **state)
{
	char text[4096];
	size_t n = 0;

	(void)state;
	for (int i = 1; i <= KEYRING_LINES_MAX / 2; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "refresh optional m%d\n", i);
	user(text);
	assert_read();
	assert_int_equal(config.n_lines, KEYRING_LINES_MAX / 2);
	snprintf(text + n, sizeof text - n, "access optional m\n");
	user(text);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, ":17:1: too many lines for the stack"));
}

static void test_many_values(void **state)
{
	char text[8192];
	size_t n = 0;

	(void)state;
	for (int i = 1; i <= 300; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "timeout %d\n", i);
	user(text);
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "300 user:300");
}

/* Where the user's lies. */
static void test_places(void **state)
{
	static const char *const no_paths[] = { "config", "./config", "~/config" };
	char path[600], longest[CONFIG_PATH_BYTES + 8];

	(void)state;
	user("timeout 1\n");
	assert_int_equal(mkdir(scratch_path("xdg"), 0755) | mkdir(scratch_path("xdg/alation-cred"), 0755), 0);
	scratch_write(scratch_path("xdg/alation-cred/config"), "timeout 2\n", 10);
	scratch_write(scratch_path("mine"), "timeout 3\n", 10);
	setenv("XDG_CONFIG_HOME", scratch_path("xdg"), 1);
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "2 user:1");
	setenv("XDG_CONFIG_HOME", "xdg", 1); /* relative ones are ignored, says its specification */
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "1 user:1");
	setenv("XDG_CONFIG_HOME", scratch_path("xdg"), 1);
	setenv("ALATION_CRED_CONFIG", scratch_path("mine"), 1);
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "3 user:1");
	setenv("ALATION_CRED_CONFIG", "", 1);
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "2 user:1");
	setenv("ALATION_CRED_CONFIG", "/dev/null", 1);
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "");
	/* One that is named must be there. */
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s", scratch_path(i ? "none/config" : "none"));
		setenv("ALATION_CRED_CONFIG", path, 1);
		assert_int_equal(read_both(), UNUSABLE);
		path[strlen(path) - (i ? strlen("/config") : 0)] = '\0'; /* the directory is what is missing */
		assert_non_null(strstr(trouble.message, path));
		assert_non_null(strstr(trouble.message, "No such file"));
	}
	for (size_t i = 0; i < sizeof no_paths / sizeof *no_paths; i++) {
		setenv("ALATION_CRED_CONFIG", no_paths[i], 1);
		assert_int_equal(read_both(), UNUSABLE);
		assert_non_null(strstr(trouble.message, "$ALATION_CRED_CONFIG is no absolute path"));
	}
	memset(longest, '/', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	setenv("ALATION_CRED_CONFIG", longest, 1);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "too long a one"));
}

/* The place and what is wrong stand in the message, however long the path is. */
static void test_long_path(void **state)
{
	char path[600];

	(void)state;
	snprintf(path, sizeof path, "%s/", scratch);
	for (int i = 0; i < 2; i++) {
		memset(path + strlen(path), 'd', 200);
		path[strlen(scratch) + 1 + (size_t)i * 201 + 200] = '\0';
		assert_int_equal(mkdir(path, 0755), 0);
		strcat(path, "/");
	}
	strcat(path, "config");
	scratch_write(path, "nonsense\n", 9);
	setenv("ALATION_CRED_CONFIG", path, 1);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "dd/config:1:1: the word 'nonsense' is not known"));
	assert_int_equal(strncmp(trouble.message, "...", 3), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "dd/config is writable by everybody (mode 0666)"));
}

/* H11: who could have written it. Rows with an owner need root. */
static void test_who_may_write_it(void **state)
{
	static const struct {
		mode_t file, dir;
		uid_t owner;
		gid_t group;
		uid_t dir_owner;
		const char *why; /* NULL: it is read */
	} rows[] = {
		{ 0644, 0755, 0, 0, 0, NULL },
		{ 0400, 0500, 0, 0, 0, NULL },
		{ 0646, 0755, 0, 0, 0, "/config is writable by everybody (mode 0646)" },
		{ 0644, 0757, 0, 0, 0, "/alation-cred is writable by everybody (mode 0757)" },
		{ 0644, 01777, 0, 0, 0, "/alation-cred is writable by everybody (mode 1777)" },
		{ 0644, 0755, STRANGER, 0, 0, "/config belongs neither to root nor to you (mode 0644)" },
		{ 0644, 0755, 0, 0, STRANGER, "/alation-cred belongs neither to root nor to you (mode 0755)" },
		{ 0664, 0755, 0, STRANGER, 0, "/config is writable by a group (mode 0664)" },
		{ 0644, 0755, 0, STRANGER, 0, NULL },
	};
	char path[512], dir[512];
	bool root = getuid() == 0;

	(void)state;
	snprintf(path, sizeof path, "%s", scratch_path(".config/alation-cred/config"));
	snprintf(dir, sizeof dir, "%s", scratch_path(".config/alation-cred"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (!root && (rows[i].owner || rows[i].group || rows[i].dir_owner))
			continue;
		user("timeout 30\n");
		if (rows[i].owner || rows[i].group)
			assert_int_equal(chown(path, rows[i].owner, rows[i].group), 0);
		assert_int_equal(chmod(path, rows[i].file), 0);
		if (rows[i].dir_owner)
			assert_int_equal(chown(dir, rows[i].dir_owner, 0), 0);
		assert_int_equal(chmod(dir, rows[i].dir), 0);
		if (read_both() != (rows[i].why ? UNUSABLE : DONE) || (rows[i].why && !strstr(trouble.message, rows[i].why)))
			fail_msg("row %zu: %s", i, trouble.message);
		assert_int_equal(chmod(dir, 0755), 0);
		if (root)
			assert_int_equal(chown(dir, 0, 0), 0);
		assert_int_equal(unlink(path), 0);
	}
}

/* Under umask 0002, in the group that is the user's own. */
static void test_own_group_may_write(void **state)
{
	struct stat st;

	(void)state;
	user("timeout 30\n");
	assert_int_equal(chmod(scratch_path(".config/alation-cred/config"), 0664), 0);
	assert_int_equal(chmod(scratch_path(".config/alation-cred"), 0775), 0);
	assert_int_equal(stat(scratch_path(".config/alation-cred/config"), &st), 0);
	if (st.st_gid != st.st_uid)
		skip();
	assert_read();
	assert_string_equal(found(CONFIG_TIMEOUT, NULL), "30 user:1");
}

/* What is no regular file is no configuration, and nobody waits for it. */
static void test_something_else_in_its_place(void **state)
{
	char path[512];

	(void)state;
	snprintf(path, sizeof path, "%s", scratch_path(".config/alation-cred/config"));
	scratch_write(scratch_path("elsewhere"), "timeout 30\n", 11);
	assert_int_equal(symlink("../../elsewhere", path), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/config is a link"));
	assert_int_equal(unlink(path) | symlink("/nonexistent", path), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_int_equal(unlink(path) | mkfifo(path, 0644), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/config is no regular file"));
	assert_int_equal(unlink(path) | mkdir(path, 0755), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/config is no regular file"));
	assert_int_equal(rmdir(path), 0);
	/* A file where its directory should be: there is none. */
	assert_int_equal(rmdir(scratch_path(".config/alation-cred")), 0);
	scratch_write(scratch_path(".config/alation-cred"), "", 0);
	assert_read();
}

/* Root reads everything. */
static void test_not_readable(void **state)
{
	(void)state;
	if (getuid() == 0)
		skip();
	user("timeout 30\n");
	assert_int_equal(chmod(scratch_path(".config/alation-cred/config"), 0), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/config cannot be read: "));
}

/* Both files are judged before either is believed, and the system's is no better than the user's. */
static void test_the_systems_is_judged_too(void **state)
{
	(void)state;
	the_system("timeout " CANARY "\n");
	user("timeout 30\n");
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/etc/config:1:9: "));
	the_system("timeout 30\n");
	assert_int_equal(chmod(scratch_path("etc/config"), 0666), 0);
	assert_int_equal(read_both(), UNUSABLE);
	assert_non_null(strstr(trouble.message, "/etc/config is writable by everybody (mode 0666)"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_there),
		TEST(test_every_word),
		TEST(test_what_counts),
		TEST(test_short_names),
		TEST(test_users_lines_displace),
		TEST(test_wrong_lines),
		TEST(test_long),
		TEST(test_many_lines),
		TEST(test_many_values),
		TEST(test_places),
		TEST(test_long_path),
		TEST(test_who_may_write_it),
		TEST(test_own_group_may_write),
		TEST(test_something_else_in_its_place),
		TEST(test_not_readable),
		TEST(test_the_systems_is_judged_too),
	};

	umask(022);
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
