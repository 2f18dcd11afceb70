/* SPDX-License-Identifier: MIT */
/*
 * What was asked for on the command line. Whatever is wrong with it ends the program.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/url.h"
#include "tests/check-module/check.h"

#define FILE_MAX_BYTES 65536

static const char usage[] =
	"usage: alation-cred-check-module [OPTIONS] MODULE [ARGUMENT...]\n"
	"\n"
	"Puts a keyring module (a file, or a name) with these arguments through all cases, and\n"
	"prints TAP. What it stores lies below .check-module.invalid, and is erased again.\n"
	"\n"
	"  --holds FACILITY,USER_ID,BASE_URL=FILE  what a module that cannot store holds, with or\n"
	"                         without a line feed at its end; as often as wanted\n"
	"  --facility FACILITY    try refresh, access or recovery alone\n"
	"  --answer FILE          what a person answers who is asked; without it nobody is there\n"
	"  --freeze COMMAND --thaw COMMAND          its service stops answering, and goes on\n"
	"  --unwritable COMMAND --writable COMMAND  it can be read but not written, and again\n"
	"  --corrupt COMMAND --mend COMMAND         what it keeps is damaged, and as it was\n"
	"  --deadline SECONDS     what each call is given (5)\n"
	"  --margin SECONDS       what a busy machine is forgiven after the 2 s of grace (5)\n"
	"  --only BEGINNING       of the cases' names: those alone; as often as wanted\n"
	"  --list                 the cases' names alone\n"
	"  --help, --version\n"
	"\n"
	"exit: 0 none failed, 1 some failed, 2 usage, or it cannot be loaded\n"
	"examples:\n"
	"  alation-cred-check-module ./mine.so file=/tmp/secrets\n"
	"  alation-cred-check-module --freeze 'kill -STOP $(cat pid)' --thaw 'kill -CONT $(cat pid)' ./mine.so\n";

_Noreturn void refuse(const char *why, const char *what)
{
	fprintf(stderr, "alation-cred-check-module: %s%s%s%s; see --help\n", why, what ? " '" : "", what ? what : "", what ? "'" : "");
	exit(EXIT_USAGE);
}

/* All of it; *RET_N is without one final line feed. */
static char *content(const char *path, size_t max, size_t *ret_n, bool *ret_line_feed)
{
	FILE *file = fopen(path, "re");
	char *bytes = file != NULL ? malloc(max + 2) : NULL;
	size_t n;

	if (bytes == NULL) {
		fprintf(stderr, "alation-cred-check-module: %s: %s\n", path, strerror(errno));
		exit(EXIT_USAGE);
	}
	setvbuf(file, NULL, _IONBF, 0); /* no copy of it anywhere else */
	n = fread(bytes, 1, max + 2, file);
	fclose(file);
	if (n > max + 1)
		refuse("this file is too long:", path);
	*ret_line_feed = n > 0 && bytes[n - 1] == '\n';
	*ret_n = n - *ret_line_feed;
	return bytes;
}

static bool is_facility(const char *word)
{
	for (int i = 0; i < 3; i++)
		if (strcmp(word, facilities[i]) == 0)
			return true;
	return false;
}

/* No key has another: a module that is asked for it would rightly find nothing. */
static void check_base_url(const char *text)
{
	struct url url;
	enum url_error error = url_parse((struct bytes){ text, strlen(text) }, &url);

	if (error != URL_OK)
		fprintf(stderr, "alation-cred-check-module: --holds: '%s': %s\n", text, url_error_text(error));
	else if (strcmp(url.base, text) != 0)
		fprintf(stderr, "alation-cred-check-module: --holds: '%s' is not normalised, as keys are; write '%s'\n", text, url.base);
	else
		return;
	exit(EXIT_USAGE);
}

/* FACILITY,USER_ID,BASE_URL=FILE */
static void add_held(struct options *options, const char *text)
{
	char copy[PATH_MAX], *rest = copy, *facility, *id, *url;
	struct held *held = &options->held[options->n_held];

	if (options->n_held == HELD_MAX)
		refuse("there are too many --holds", NULL);
	if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
		refuse("--holds is too long", NULL);
	facility = strsep(&rest, ",");
	id = strsep(&rest, ",");
	url = strsep(&rest, "=");
	if (facility == NULL || id == NULL || url == NULL || rest == NULL || !is_facility(facility) || atoll(id) < 1 ||
	    strlen(url) >= sizeof held->base_url)
		refuse("--holds takes FACILITY,USER_ID,BASE_URL=FILE, not", text);
	check_base_url(url);
	snprintf(held->facility, sizeof held->facility, "%s", facility);
	snprintf(held->base_url, sizeof held->base_url, "%s", url);
	held->key = (struct acred_key){ held->facility, held->base_url, atoll(id) };
	held->bytes = content(rest, FILE_MAX_BYTES, &held->n, &held->line_feed);
	options->n_held++;
}

static int64_t milliseconds(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*text == '\0' || *end != '\0' || !(s >= 0 && s <= 3600))
		refuse("this is no number of seconds:", text);
	return (int64_t)(s * 1000);
}

static void take_option(struct options *options, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "--facility", &options->facility },
		{ "--freeze", &options->freeze },
		{ "--thaw", &options->thaw },
		{ "--unwritable", &options->unwritable },
		{ "--writable", &options->writable },
		{ "--corrupt", &options->corrupt },
		{ "--mend", &options->mend },
	};

	bool line_feed;

	if (value == NULL)
		refuse("this option wants a value:", name);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].to = value;
			return;
		}
	if (strcmp(name, "--only") == 0 && options->n_only < ONLY_MAX)
		options->only[options->n_only++] = value;
	else if (strcmp(name, "--holds") == 0)
		add_held(options, value);
	else if (strcmp(name, "--answer") == 0)
		options->answer = content(value, ANSWER_MAX_BYTES, &options->answer_n, &line_feed);
	else if (strcmp(name, "--deadline") == 0)
		options->deadline_ms = milliseconds(value);
	else if (strcmp(name, "--margin") == 0)
		options->margin_ms = milliseconds(value);
	else
		refuse("there is no option", name);
}

/* A path is made absolute, which is what the loader takes; what has no slash is a name. */
static const char *module_of(const char *text)
{
	static char path[PATH_MAX];

	if (strchr(text, '/') == NULL) {
		/* No module's name has a dot: this is meant for a file. */
		if (strchr(text, '.') != NULL && access(text, F_OK) == 0) {
			fprintf(stderr, "alation-cred-check-module: %s: a file is given with a slash: ./%s\n", text, text);
			exit(EXIT_USAGE);
		}
		return text;
	}
	if (realpath(text, path) == NULL) {
		fprintf(stderr, "alation-cred-check-module: %s: %s\n", text, strerror(errno));
		exit(EXIT_USAGE);
	}
	return path;
}

void take_arguments(int argc, char **argv, struct options *options)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			exit(printf("%s", usage) < 0 || fflush(stdout) != 0);
		if (strcmp(argv[i], "--version") == 0)
			exit(printf("alation-cred-check-module %s\n", ALATION_CRED_VERSION) < 0 || fflush(stdout) != 0);
		if (strcmp(argv[i], "--list") == 0) {
			list_cases();
			exit(fflush(stdout) != 0);
		}
		take_option(options, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
	}
	if (i >= argc)
		refuse("no module is named", NULL);
	if (options->facility != NULL && !is_facility(options->facility))
		refuse("a facility is refresh, access or recovery, not", options->facility);
	if ((options->freeze == NULL) != (options->thaw == NULL) || (options->unwritable == NULL) != (options->writable == NULL) ||
	    (options->corrupt == NULL) != (options->mend == NULL))
		refuse("--freeze goes with --thaw, --unwritable with --writable, and --corrupt with --mend", NULL);
	options->module = module_of(argv[i]);
	options->argc = argc - i - 1;
	options->argv = (const char *const *)argv + i + 1;
}

void options_wipe(struct options *options)
{
	for (size_t i = 0; i < options->n_held; i++) {
		explicit_bzero(options->held[i].bytes, options->held[i].n + options->held[i].line_feed);
		free(options->held[i].bytes);
	}
	if (options->answer != NULL)
		explicit_bzero(options->answer, options->answer_n);
	free(options->answer);
	options->answer = NULL;
	options->n_held = 0;
}
