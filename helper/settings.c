/* SPDX-License-Identifier: MIT */
/*
 * The configuration, shown.
 */
#include "helper/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->n_texts; i++)
		free(settings->texts[i]);
	free(settings->texts);
	free(settings->rows);
	*settings = (struct settings){ 0 };
}

/* An allocated text that goes with the settings; "" without memory. */
static const char *own(struct settings *settings, char *text)
{
	if (text)
		settings->texts[settings->n_texts++] = text;
	return text ? text : "";
}

/* `http://user:password@proxy:3128` without what stands between the scheme and the '@'. */
static const char *without_password(struct settings *settings, const char *value)
{
	const char *at = strrchr(value, '@'), *scheme = strstr(value, "://");
	char *text;

	if (!at)
		return value;
	if (asprintf(&text, "%.*s***%s", scheme && scheme < at ? (int)(scheme + 3 - value) : 0, value, at) < 0)
		return "";
	return own(settings, text);
}

static const char *line_text(struct settings *settings, const struct keyring_line *line)
{
	char text[CONFIG_LINE_MAX_BYTES + 64];
	struct out out = { .p = text, .room = sizeof text - 1 };

	out_text(&out, conf_control_word(line->control));
	out_text(&out, " ");
	out_text(&out, line->module);
	for (int i = 0; i < line->argc; i++) {
		out_text(&out, " ");
		out_text(&out, line->argv[i]);
	}
	text[out.n] = '\0';
	return own(settings, strdup(text));
}

bool settings_read(const struct context *context, struct settings *ret_settings)
{
	const struct config *config = &context->config;
	const struct arrangement *a = &context->arrangement;
	size_t most = config->n_values + a->n;

	*ret_settings = (struct settings){ .rows = calloc(most + 1, sizeof *ret_settings->rows), .texts = calloc(most + 1, sizeof *ret_settings->texts) };
	if (!ret_settings->rows || !ret_settings->texts)
		return false;
	for (size_t i = 0; i < config->n_values; i++) {
		const struct config_value *value = &config->values[i];

		if (config_find_in(config, value->word, value->section) == value)
			ret_settings->rows[ret_settings->n++] = (struct setting){
				value->section, config_word_name(value->word),
				value->word == CONFIG_PROXY ? without_password(ret_settings, value->value) : value->value, value->place.file, value->place.line,
			};
	}
	for (size_t i = 0; i < a->n; i++)
		ret_settings->rows[ret_settings->n++] = (struct setting){ "", a->lines[i].facility, line_text(ret_settings, &a->lines[i]), a->places[i].file, a->places[i].line };
	return true;
}

static void write_files(struct out *out, const struct context *context)
{
	const struct config *config = &context->config;

	out_text(out, "configuration\n");
	for (size_t i = 0; i < sizeof config->files / sizeof *config->files; i++) {
		if (!config->files[i].path[0])
			continue;
		out_text(out, "  ");
		out_visible(out, bytes_of(config->files[i].path));
		out_text(out, config->files[i].there ? "\n" : " (not there)\n");
	}
}

void settings_write(struct out *out, const struct context *context, const struct settings *settings)
{
	write_files(out, context);
	for (size_t i = 0; i < settings->n; i++) {
		const struct setting *row = &settings->rows[i];

		out_text(out, "  ");
		if (row->section[0]) {
			out_text(out, "[");
			out_text(out, row->section);
			out_text(out, "] ");
		}
		out_text(out, row->word);
		out_text(out, " ");
		out_visible(out, bytes_of(row->value));
		out_text(out, "  (");
		out_visible(out, bytes_of(row->file ? row->file : "built in"));
		if (row->file) {
			out_text(out, ":");
			out_int(out, row->line);
		}
		out_text(out, ")\n");
	}
}
