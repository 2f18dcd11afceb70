/* SPDX-License-Identifier: MIT */
/*
 * One pass, line by line, and over several where quotes say so. Allocates and copies nothing: a value may be a secret.
 */
#include "helper/base/dotenv.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct bytes *b)
{
	while (b->n && is_blank(b->p[0])) {
		b->p++;
		b->n--;
	}
}

/* Takes the key and its '=' off the front of *line. */
static bool take_key(struct bytes *line, struct bytes *ret_key)
{
	struct bytes after;

	skip_blanks(line);
	after = *line;
	if (bytes_after(&after, "export") && after.n && is_blank(after.p[0])) {
		skip_blanks(&after);
		*line = after;
	}
	*ret_key = (struct bytes){ line->p, 0 };
	while (line->n && byte_is_plain(line->p[0], "_.-")) {
		ret_key->n++;
		line->p++;
		line->n--;
	}
	skip_blanks(line);
	return ret_key->n && bytes_after(line, "=");
}

/* The quote that ends what stands behind the one at the front of TEXT; NULL: none does. */
static const char *closing_quote(struct bytes text)
{
	char quote = text.p[0];

	for (size_t i = 1; i < text.n; i++) {
		if (text.p[i] == quote)
			return text.p + i;
		if (quote == '"' && text.p[i] == '\\')
			i++;
	}
	return NULL;
}

/* What may stand behind a value in quotes. */
static bool is_nothing(struct bytes b)
{
	skip_blanks(&b);
	bytes_after(&b, ";");
	skip_blanks(&b);
	return b.n == 0 || b.p[0] == '#';
}

static void count_lines(struct dotenv *reader, const char *end)
{
	for (const char *p = reader->rest.p; p < end; p++)
		reader->line += *p == '\n';
	reader->rest.n -= (size_t)(end - reader->rest.p);
	reader->rest.p = end;
}

/* VALUE begins at the quote and goes on to its line's end; what follows is the reader's. */
static bool take_quoted(struct dotenv *reader, struct bytes value, struct bytes *ret_value)
{
	struct bytes text = { value.p, (size_t)(reader->rest.p + reader->rest.n - value.p) }, behind, line;
	const char *end = closing_quote(text);

	if (!end)
		return false;
	behind = (struct bytes){ end + 1, (size_t)(text.p + text.n - (end + 1)) };
	line = (struct bytes){ behind.p, 0 };
	(void)bytes_next(&behind, '\n', &line);
	if (!is_nothing(line))
		return false;
	*ret_value = (struct bytes){ value.p + 1, (size_t)(end - value.p - 1) };
	if (behind.p > reader->rest.p)
		count_lines(reader, behind.p);
	return true;
}

static struct bytes take_plain(struct bytes value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] != '#' || (i && !is_blank(value.p[i - 1])))
			continue;
		value.n = i;
		break;
	}
	return bytes_trimmed(value);
}

bool dotenv_next(struct dotenv *reader, struct dotenv_pair *ret_pair)
{
	struct bytes line, key;

	if (reader->line == 0)
		bytes_after(&reader->rest, "\xef\xbb\xbf"); /* the byte order mark that Windows' editors write */
	while (bytes_next(&reader->rest, '\n', &line)) {
		size_t at = ++reader->line;

		if (!take_key(&line, &key))
			continue;
		skip_blanks(&line);
		*ret_pair = (struct dotenv_pair){ .key = key, .line = at };
		if (!line.n || (line.p[0] != '"' && line.p[0] != '\'') || !take_quoted(reader, line, &ret_pair->value))
			ret_pair->value = take_plain(line);
		return true;
	}
	return false;
}
