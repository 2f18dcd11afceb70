/* SPDX-License-Identifier: MIT */
/*
 * Reading configuration: one line, one word and its value. A file is refused as a whole, at the first thing that is wrong.
 */
#include "helper/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/file.h"
#include "keyring/trust.h"
#include "protocol/url.h"

#define MANUAL "see alation-cred.conf(5)"
#define NO_EQUALS "no '=' stands between a word and its value"
#define WORD_SHOWN_BYTES 32
#define PATH_SHOWN_BYTES 256 /* its end; what is wrong must stand in a message too */

/* One line of a file, while it is read. */
struct reading {
	struct config *config;
	struct config_file *file;
	struct trouble *trouble;
	const char *section; /* "": before the first */
	char *text;          /* this line */
	unsigned line;
	bool displaced[2];   /* an earlier file's lines have made room: for refresh, for access */
};

static const char *path_end(const char *path)
{
	size_t n = strlen(path);

	return n > PATH_SHOWN_BYTES ? path + n - PATH_SHOWN_BYTES : path;
}

static const char *dots(const char *path)
{
	return path_end(path) == path ? "" : "...";
}

static enum outcome wrong(const struct reading *r, size_t column, const char *why)
{
	const char *path = r->file->path;

	return trouble_say(r->trouble, TROUBLE_CONFIGURATION, MANUAL, "%s%s:%u:%zu: %s", dots(path), path_end(path), r->line, column, why);
}

/* What may be a secret in the wrong place is not shown. */
static enum outcome unknown_word(const struct reading *r, size_t column, const char *word, size_t n)
{
	char why[WORD_SHOWN_BYTES + 64];

	if (n > WORD_SHOWN_BYTES || strspn(word, "abcdefghijklmnopqrstuvwxyz-") < n)
		return wrong(r, column, "the line begins with no word that is known");
	snprintf(why, sizeof why, "the word '%.*s' is not known", (int)n, word);
	return wrong(r, column, why);
}

static enum outcome no_memory(const struct reading *r)
{
	return wrong(r, 1, "no memory for it");
}

/* Room for one more of an array whose rooms are powers of two. */
static bool grow(void *array, size_t n, size_t size)
{
	void **p = array, *more;

	if (n & (n - 1) || (n && n < 8))
		return true;
	more = realloc(*p, (n ? 2 * n : 8) * size);
	if (more)
		*p = more;
	return more;
}

static enum outcome take_section(struct reading *r, size_t column)
{
	struct config_section *section;
	/* The last one of the word: an IPv6 address has brackets of its own. */
	char *inside = r->text + column, *end = memrchr(inside, ']', strcspn(inside, " \t"));
	size_t at = end ? (size_t)(end - r->text) + 1 : 0, after;
	struct url url;
	enum url_error error;

	if (!end)
		return wrong(r, column, "the section's ']' is missing");
	if (conf_word(r->text, &at, &after))
		return wrong(r, after, "something stands behind the section's ']'");
	error = url_parse((struct bytes){ inside, (size_t)(end - inside) }, &url);
	if (error || url.cut || url.user_id)
		return wrong(r, column + 1, error ? url_error_text(error) : "a section is for an instance: no user, and no path");
	section = malloc(sizeof *section);
	if (!section)
		return no_memory(r);
	*section = (struct config_section){ .next = r->config->sections };
	memcpy(section->base_url, url.base, sizeof section->base_url);
	for (const struct config_section *s = section->next; s; s = s->next)
		if (strcmp(s->base_url, url.base) == 0)
			section->stands_for = s->stands_for;
	r->config->sections = section;
	r->section = section->base_url;
	return DONE;
}

/* A file's lines for a facility take the place of all that an earlier file has for it: the user's, of the system's. */
static void displace(struct reading *r, const char *facility)
{
	bool *done = &r->displaced[strcmp(facility, "access") == 0];
	struct config *config = r->config;
	size_t kept = 0;

	if (*done)
		return;
	*done = true;
	for (size_t i = 0; i < config->n_lines; i++) {
		if (strcmp(config->lines[i].line.facility, facility) == 0)
			continue;
		config->line_places[kept] = config->line_places[i];
		config->lines[kept] = config->lines[i];
		config->lines[kept].line.argv = config->lines[kept].argv;
		kept++;
	}
	config->n_lines = kept;
}

static enum outcome take_stack_line(struct reading *r, size_t start)
{
	struct config *config = r->config;
	struct conf_line parsed, *line;
	const char *why;
	size_t column;

	if (r->section[0])
		return wrong(r, start, "the lines of a stack stand before the first section: they are for all instances");
	why = conf_parse(r->text, &parsed, &column);
	if (why)
		return wrong(r, column, why);
	displace(r, parsed.line.facility);
	for (size_t i = 0; i < config->n_lines; i++)
		if (strcmp(config->lines[i].line.facility, parsed.line.facility) == 0 && strcmp(config->lines[i].line.module, parsed.line.module) == 0)
			return wrong(r, (size_t)(parsed.line.module - r->text) + 1, "this module has a line of that facility already");
	if (config->n_lines == KEYRING_LINES_MAX / 2) /* the other half is for the built-in ones */
		return wrong(r, start, "too many lines for the stack");
	config->line_places[config->n_lines] = (struct config_place){ r->file->path, r->line };
	line = &config->lines[config->n_lines++];
	*line = parsed;
	line->line.argv = line->argv;
	return DONE;
}

/* The rest of a line, without blanks around it and without a comment behind it. */
static char *value_of(char *rest)
{
	size_t n;

	rest += strspn(rest, " \t");
	for (char *p = rest; *p; p++)
		if (*p == '#' && (p == rest || p[-1] == ' ' || p[-1] == '\t'))
			*p-- = '\0';
	n = strlen(rest);
	while (n && (rest[n - 1] == ' ' || rest[n - 1] == '\t'))
		rest[--n] = '\0';
	return rest;
}

static enum outcome take_value(struct reading *r, enum config_word word, char *rest)
{
	struct config *config = r->config;
	char *value = value_of(rest);
	size_t column = (size_t)(value - r->text) + 1;
	const char *why;

	if (*value == '=')
		return wrong(r, column, NO_EQUALS);
	if (!*value)
		return wrong(r, column, "the value is missing");
	why = config_judge(word, value, r->section);
	if (why)
		return wrong(r, column, why);
	if (!grow(&config->values, config->n_values, sizeof *config->values))
		return no_memory(r);
	config->values[config->n_values++] = (struct config_value){ word, r->section, value, { r->file->path, r->line } };
	/* A section may be opened again: what it stands for is what is said last. */
	for (struct config_section *s = config->sections; word == CONFIG_BASE_URL && s; s = s->next)
		if (strcmp(s->base_url, r->section) == 0)
			s->stands_for = value;
	return DONE;
}

static enum outcome take_line(struct reading *r)
{
	size_t start = strspn(r->text, " \t"), n = strcspn(r->text + start, " \t"), before_equals;
	const char *word = r->text + start;

	if (!*word || *word == '#')
		return DONE;
	if (*word == '[')
		return take_section(r, start + 1);
	for (enum config_word i = 0; i < CONFIG_WORDS; i++)
		if (bytes_are((struct bytes){ word, n }, config_word_name(i)))
			return take_value(r, i, r->text + start + n);
	if (conf_is_facility(word, n))
		return take_stack_line(r, start + 1);
	before_equals = strcspn(word, "=");
	for (enum config_word i = 0; before_equals < n && i < CONFIG_WORDS; i++)
		if (bytes_are((struct bytes){ word, before_equals }, config_word_name(i)))
			return wrong(r, start + before_equals + 1, NO_EQUALS);
	return unknown_word(r, start + 1, word, n);
}

/* Bytes that no line of text has. */
static enum outcome judge_bytes(const struct reading *r, size_t n)
{
	if (n > CONFIG_LINE_MAX_BYTES)
		return wrong(r, CONFIG_LINE_MAX_BYTES + 1, "the line is longer than 8192 bytes");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)r->text[i];

		if (c == '\r')
			return wrong(r, i + 1, "a carriage return: lines end with a line feed alone");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return wrong(r, i + 1, c ? "a control character" : "a NUL");
	}
	return DONE;
}

static enum outcome take_text(struct reading *r)
{
	struct bytes text = secret_view(&r->file->text);
	char *next = r->file->text.bytes, *end = next + text.n - 1; /* a NUL stands behind the last line */
	enum outcome outcome = DONE;

	while (outcome == DONE && next < end) {
		char *feed = memchr(next, '\n', (size_t)(end - next));

		r->text = next;
		r->line++;
		next = feed ? feed + 1 : end;
		outcome = judge_bytes(r, (size_t)((feed ? feed : end) - r->text));
		if (feed)
			*feed = '\0';
		if (outcome == DONE)
			outcome = take_line(r);
	}
	return outcome;
}

/* Of PATH, which is what WHY says; MODE 0: it is not the mode's fault. */
static enum outcome refuse(const struct reading *r, const char *path, const char *why, unsigned mode)
{
	if (mode)
		return trouble_say(r->trouble, TROUBLE_CONFIGURATION, "make it your own or root's, and writable by nobody else (chmod go-w)",
		                   "the configuration %s%s %s (mode %04o)", dots(path), path_end(path), why, mode);
	return trouble_say(r->trouble, TROUBLE_CONFIGURATION, "put a file of your own in its place, or name one with ALATION_CRED_CONFIG",
	                   "the configuration %s%s %s", dots(path), path_end(path), why);
}

static enum outcome refuse_errno(const struct reading *r, const char *path, int error)
{
	char why[128];

	snprintf(why, sizeof why, "cannot be read: %s", strerror(error));
	return refuse(r, path, why, 0);
}

/* The directory of the file, if nobody else can have put something into it; DONE and -1: it is not there. */
static enum outcome open_directory(const struct reading *r, bool must, int *ret_fd)
{
	char dir[CONFIG_PATH_BYTES];
	const char *slash = strrchr(r->file->path, '/'), *why;
	struct stat st;
	int fd, n = (int)(slash - r->file->path);

	snprintf(dir, sizeof dir, "%.*s", n ? n : 1, r->file->path);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*ret_fd = fd;
	/* A home that somebody else's is, or that a service must not see, has no configuration for us. */
	if (fd < 0 && !must && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return DONE;
	if (fd < 0)
		return refuse_errno(r, dir, errno);
	why = fstat(fd, &st) != 0 ? strerror(errno) : trust_refusal(&st);
	if (!why)
		return DONE;
	close(fd);
	return refuse(r, dir, why, st.st_mode & 07777);
}

/* MUST: it was named, so it has to be there. */
static enum outcome read_file(struct reading *r, bool must)
{
	const char *why;
	unsigned mode;
	int dir, error;
	enum outcome outcome = open_directory(r, must, &dir);

	if (outcome != DONE || dir < 0)
		return outcome;
	error = file_read_said(dir, strrchr(r->file->path, '/') + 1, &r->file->text, &why, &mode);
	close(dir);
	if (error == ENOENT && !must)
		return DONE;
	if (error && !why && error != EFBIG)
		return refuse_errno(r, r->file->path, error);
	if (error)
		return refuse(r, r->file->path, why ? why : "is longer than 1 MiB", why ? mode : 0);
	r->file->there = true;
	if (!secret_append(&r->file->text, (struct bytes){ "", 1 }))
		return no_memory(r);
	return DONE;
}

/* Where the user's lies; *ret_must: it was named. False: there is no such place. */
static bool users_path(char path[CONFIG_PATH_BYTES], bool *ret_must)
{
	const char *named = getenv("ALATION_CRED_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	*ret_must = named && *named;
	if (*ret_must)
		n = snprintf(path, CONFIG_PATH_BYTES, "%s", named);
	else if (xdg && xdg[0] == '/')
		n = snprintf(path, CONFIG_PATH_BYTES, "%s/alation-cred/config", xdg);
	else if (home && home[0] == '/')
		n = snprintf(path, CONFIG_PATH_BYTES, "%s/.config/alation-cred/config", home);
	else
		return false;
	return n < CONFIG_PATH_BYTES;
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < 2; i++)
		secret_wipe(&config->files[i].text);
	free(config->values);
	while (config->sections) {
		struct config_section *next = config->sections->next;

		free(config->sections);
		config->sections = next;
	}
	config->values = NULL;
	config->n_values = config->n_lines = 0;
}

enum outcome config_read(const char *system, struct config *ret_config, struct trouble *trouble)
{
	struct reading first = { .config = ret_config, .file = &ret_config->files[0], .trouble = trouble, .section = "" };
	struct reading second = { .config = ret_config, .file = &ret_config->files[1], .trouble = trouble, .section = "" };
	enum outcome outcome = DONE;
	bool must;

	snprintf(first.file->path, CONFIG_PATH_BYTES, "%s", system);
	if (system[0])
		outcome = read_file(&first, false);
	if (!users_path(second.file->path, &must))
		second.file->path[0] = '\0';
	if (outcome == DONE && must && second.file->path[0] != '/')
		outcome = trouble_say(trouble, TROUBLE_CONFIGURATION, "give an absolute path, or unset it", "$ALATION_CRED_CONFIG is no absolute path, or too long a one");
	/* As with git's: the way to have none. */
	if (outcome == DONE && second.file->path[0] && strcmp(second.file->path, "/dev/null") != 0)
		outcome = read_file(&second, must);
	if (outcome == DONE && first.file->there)
		outcome = take_text(&first);
	if (outcome == DONE && second.file->there)
		outcome = take_text(&second);
	return outcome;
}

static const struct config_value *last(const struct config *config, enum config_word word, const char *section)
{
	const struct config_value *found = NULL;

	for (size_t i = 0; i < config->n_values; i++)
		if (config->values[i].word == word && strcmp(config->values[i].section, section) == 0)
			found = &config->values[i];
	return found;
}

static bool is_address(const char *value, const char *base_url)
{
	struct url url;

	return value && url_parse(bytes_of(value), &url) == URL_OK && strcmp(url.base, base_url) == 0;
}

const struct config_value *config_find_in(const struct config *config, enum config_word word, const char *base_url)
{
	const struct config_value *found = last(config, word, base_url);

	for (const struct config_section *s = config->sections; s && !found; s = s->next)
		if (is_address(s->stands_for, base_url))
			found = last(config, word, s->base_url);
	return found;
}

const struct config_value *config_find(const struct config *config, enum config_word word, const char *base_url)
{
	const struct config_value *found = base_url ? config_find_in(config, word, base_url) : NULL;

	return found ? found : last(config, word, "");
}

bool config_names(const struct config *config, const char *base_url)
{
	for (const struct config_section *section = config->sections; section; section = section->next)
		if (strcmp(section->base_url, base_url) == 0)
			return true;
	for (size_t i = 0; i < config->n_values; i++) {
		const struct config_value *value = &config->values[i];

		if ((value->word == CONFIG_BASE_URL || value->word == CONFIG_DEFAULT_ACCOUNT) && is_address(value->value, base_url))
			return true;
	}
	return false;
}

void config_take_base_url(const struct config *config, struct url *url)
{
	const struct config_value *value = config_find_in(config, CONFIG_BASE_URL, url->base);
	int64_t user_id = url->user_id;

	if (value && url_parse(bytes_of(value->value), url) == URL_OK) /* it is: the configuration was judged */
		url->user_id = user_id;
}
