/* SPDX-License-Identifier: MIT */
/*
 * Drives a stack by hand, for tests: one call, its status word on stderr, a secret that was found on stdout. The
 * exit code is the status. Uses a kernel prefix of its own, so that nothing of the caller's is touched.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keyring/keyring.h"

#define SECRET_MAX_BYTES 65536
#define WORDS_MAX 16
#define EXIT_USAGE 64

static const char usage[] =
	"usage: keyring-tool [--dir MODULES_DIR] [--deadline MS] [--prompt] [--holder MODULE] [--ttl S] [--notes]\n"
	"                    lookup|store|erase|locate FACILITY BASE_URL USER_ID [--line 'FACILITY CONTROL MODULE ARGS']...\n"
	"store reads the secret from stdin; MODULES_DIR is the modules/ of the build this is in\n";

static struct {
	char dir[PATH_MAX];
	const char *holder, *words[4];
	int64_t deadline_ms, ttl_s;
	int n_words;
	bool notes;
	struct keyring_line lines[KEYRING_LINES_MAX];
	const char *args[KEYRING_LINES_MAX][WORDS_MAX];
	size_t n_lines;
	char secret[SECRET_MAX_BYTES];
	size_t secret_len;
} tool = { .deadline_ms = 5000 };

static struct keyring keyring;

static void die(const char *text)
{
	fprintf(stderr, "keyring-tool: %s\n%s", text, usage);
	exit(EXIT_USAGE);
}

static int64_t on_begin(void *host, const char *module)
{
	struct timespec now;

	(void)host, (void)module;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + tool.deadline_ms;
}

static size_t on_end(void *host)
{
	(void)host;
	return 0;
}

static int on_put(void *host, const char *bytes, size_t len)
{
	(void)host;
	if (len > sizeof tool.secret)
		return 1;
	memcpy(tool.secret, bytes, len);
	tool.secret_len = len;
	return 0;
}

static void on_note(void *host, const char *module, const char *text)
{
	(void)host;
	if (tool.notes)
		fprintf(stderr, "note %s: %s\n", module, text);
}

static enum keyring_control control_of(const char *word)
{
	static const char *const words[] = { "required", "requisite", "sufficient", "optional" };

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum keyring_control)i;
	die("unknown control word");
	return KEYRING_REQUIRED;
}

static void add_line(const char *text)
{
	char *copy = strdup(text), *rest = copy, *words[3 + WORDS_MAX];
	struct keyring_line *line = &tool.lines[tool.n_lines];
	int n = 0;

	while (n < 3 + WORDS_MAX && (words[n] = strtok_r(rest, " |", &rest)) != NULL)
		n++;
	if (n < 3 || tool.n_lines == KEYRING_LINES_MAX)
		die("--line takes FACILITY CONTROL MODULE [ARGS], split at blanks or |");
	for (int i = 3; i < n; i++)
		tool.args[tool.n_lines][i - 3] = words[i];
	*line = (struct keyring_line){ words[0], control_of(words[1]), words[2], n - 3, tool.args[tool.n_lines] };
	tool.n_lines++;
}

/* BUILD/tests/tools/keyring-tool → BUILD/modules */
static void default_dir(void)
{
	ssize_t n = readlink("/proc/self/exe", tool.dir, sizeof tool.dir - sizeof "/modules");

	if (n < 0)
		die("no /proc/self/exe");
	tool.dir[n] = '\0';
	for (int i = 0; i < 3; i++)
		dirname(tool.dir);
	strcat(tool.dir, "/modules");
}

static const char *value_of(int argc, char **argv, int *i)
{
	if (++*i == argc)
		die("an option lacks its value");
	return argv[*i];
}

static void read_arguments(int argc, char **argv, struct keyring_ears *ears)
{
	default_dir();
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--dir") == 0)
			snprintf(tool.dir, sizeof tool.dir, "%s", value_of(argc, argv, &i));
		else if (strcmp(argv[i], "--deadline") == 0)
			tool.deadline_ms = atoll(value_of(argc, argv, &i));
		else if (strcmp(argv[i], "--holder") == 0)
			tool.holder = value_of(argc, argv, &i);
		else if (strcmp(argv[i], "--ttl") == 0)
			tool.ttl_s = atoll(value_of(argc, argv, &i));
		else if (strcmp(argv[i], "--line") == 0)
			add_line(value_of(argc, argv, &i));
		else if (strcmp(argv[i], "--prompt") == 0)
			ears->flags |= ACRED_MAY_PROMPT;
		else if (strcmp(argv[i], "--notes") == 0)
			tool.notes = true;
		else if (argv[i][0] != '-' && tool.n_words < 4)
			tool.words[tool.n_words++] = argv[i];
		else
			die("what is that argument?");
	}
	if (tool.n_words != 4)
		die("four words are needed");
	if (tool.n_lines == 0) {
		add_line("refresh sufficient secret-service");
		add_line("access sufficient kernel prefix=alation-cred-test");
	}
}

static int run(const struct keyring_ears *ears, struct keyring_answer *answer)
{
	const char *verb = tool.words[0];
	const struct acred_key key = { tool.words[1], tool.words[2], atoll(tool.words[3]) };

	if (strcmp(verb, "lookup") == 0)
		return keyring_lookup(&keyring, ears, &key, tool.holder, answer);
	if (strcmp(verb, "locate") == 0)
		return keyring_locate(&keyring, ears, &key, tool.holder, answer);
	if (strcmp(verb, "erase") == 0)
		return keyring_erase(&keyring, ears, &key, NULL, answer);
	if (strcmp(verb, "store") != 0)
		die("what is that verb?");
	tool.secret_len = fread(tool.secret, 1, sizeof tool.secret, stdin);
	return keyring_store(&keyring, ears, &key, tool.holder, tool.secret, tool.secret_len, tool.ttl_s, answer);
}

int main(int argc, char **argv)
{
	struct keyring_ears ears = { .begin = on_begin, .end = on_end, .put = on_put, .note = on_note };
	struct keyring_answer answer;
	int status;

	read_arguments(argc, argv, &ears);
	keyring_init(tool.dir, tool.lines, tool.n_lines, &keyring);
	status = run(&ears, &answer);
	fprintf(stderr, "%s module=%s passed=", keyring_status_word(status), answer.module ? answer.module : "-");
	for (size_t i = 0; i < answer.n_passed_over; i++)
		fprintf(stderr, "%s%s:%s", i ? "," : "", answer.passed_over[i].module,
		        keyring_status_word(answer.passed_over[i].status));
	fprintf(stderr, "\n");
	if (answer.why[0] != '\0')
		fprintf(stderr, "why: %s\n", answer.why);
	if (status == ACRED_OK && strcmp(tool.words[0], "lookup") == 0)
		fwrite(tool.secret, 1, tool.secret_len, stdout);
	explicit_bzero(tool.secret, sizeof tool.secret);
	keyring_close(&keyring, &ears);
	return status;
}
