/* SPDX-License-Identifier: MIT */
/*
 * Wrapping at blanks.
 */
#include "helper/base/wrap.h"

static size_t columns_of_last_line(const struct out *out)
{
	const char *feed = out->n ? memrchr(out->p, '\n', out->n) : NULL;

	return feed ? (size_t)(out->p + out->n - feed - 1) : out->n;
}

static void pad(struct out *out, size_t column)
{
	while (columns_of_last_line(out) < column && !out->overflow)
		out_text(out, " ");
}

void wrap_text(struct out *out, size_t column, const char *text)
{
	size_t at = columns_of_last_line(out);

	if (at && at >= column)
		out_text(out, " ");
	pad(out, column);
	for (bool first = true; *text && !out->overflow; first = false) {
		size_t n = strcspn(text, " ");

		if (!first && columns_of_last_line(out) + 1 + n > WRAP_COLUMNS) {
			out_text(out, "\n");
			pad(out, column);
		} else if (!first) {
			out_text(out, " ");
		}
		out_bytes(out, (struct bytes){ text, n });
		text += n + (text[n] == ' ');
	}
	out_text(out, "\n");
}
