/* SPDX-License-Identifier: MIT */
/*
 * The drawing of `status`. Decides nothing about what is said.
 */
#include "helper/status-table.h"

#define GAP 2
#define INDENT 2
#define TEXT_AT 16  /* where a labelled line's text begins: INDENT, 12 of the label, GAP */
#define TEXT_MIN 20 /* a terminal that is too narrow even for that folds itself */

static const struct {
	const char *head, *label;
} columns[STATUS_COLUMNS] = {
	[STATUS_ACCOUNT] = { "ACCOUNT", "" },
	[STATUS_REFRESH] = { "REFRESHTOKEN ENDS", "refresh ends" },
	[STATUS_LEFT] = { "LEFT", "left" },
	[STATUS_ACCESS] = { "ACCESS TOKEN ENDS", "access ends" },
	[STATUS_KEYRING] = { "KEYRING", "keyring" },
	[STATUS_STATE] = { "STATE", "state" },
};

static void blanks(struct out *out, size_t n)
{
	while (n-- > 0)
		out_text(out, " ");
}

static struct bytes shown(const struct status_cell *cell)
{
	return cell->text.n ? cell->text : bytes_of("-");
}

/* Returns the whole table's width. */
static size_t measure(const struct status_row *rows, size_t n, size_t widths[STATUS_COLUMNS])
{
	size_t all = 0;

	for (size_t c = 0; c < STATUS_COLUMNS; c++) {
		widths[c] = strlen(columns[c].head);
		for (size_t i = 0; i < n; i++) {
			size_t width = out_columns(shown(&rows[i].cells[c]));

			widths[c] = width > widths[c] ? width : widths[c];
		}
		all += widths[c] + (c ? GAP : 0);
	}
	return all;
}

/* One line of the table; blanks stand between its cells, and none behind the last. */
static void cell(struct out *out, const struct terminal *terminal, enum tone tone, struct bytes text, size_t column, const size_t *widths)
{
	terminal_text(out, terminal, tone, text);
	if (column + 1 < STATUS_COLUMNS)
		blanks(out, widths[column] - out_columns(text) + GAP);
	else
		out_text(out, "\n");
}

static void table(struct out *out, const struct terminal *terminal, const struct status_row *rows, size_t n, const size_t *widths)
{
	for (size_t c = 0; c < STATUS_COLUMNS; c++)
		cell(out, terminal, TONE_HEAD, bytes_of(columns[c].head), c, widths);
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < STATUS_COLUMNS; c++)
			cell(out, terminal, rows[i].cells[c].tone, shown(&rows[i].cells[c]), c, widths);
	out_text(out, "\n");
}

/* TEXT from column TEXT_AT on, folded at blanks to what the terminal has. */
static void folded(struct out *out, const struct terminal *terminal, enum tone tone, struct bytes text)
{
	size_t room = terminal->columns > TEXT_AT + TEXT_MIN ? terminal->columns - TEXT_AT : TEXT_MIN;
	struct bytes line = { text.p, 0 }, word;

	while (bytes_next(&text, ' ', &word)) {
		struct bytes longer = { line.p, (size_t)(word.p + word.n - line.p) };

		if (line.n && terminal->columns && out_columns(longer) > room) {
			terminal_text(out, terminal, tone, line);
			out_text(out, "\n");
			blanks(out, TEXT_AT);
			longer = word;
		}
		line = longer;
	}
	terminal_text(out, terminal, tone, line);
	out_text(out, "\n");
}

static void labelled(struct out *out, const struct terminal *terminal, const char *label, enum tone tone, struct bytes text)
{
	size_t n = strlen(label);

	blanks(out, INDENT);
	out_text(out, label);
	blanks(out, n < TEXT_AT - INDENT ? TEXT_AT - INDENT - n : 1);
	folded(out, terminal, tone, text);
}

/* The account, and in brackets what it is; below each other where they do not fit beside each other. */
static void heading(struct out *out, const struct terminal *terminal, const struct status_row *row)
{
	struct bytes account = row->cells[STATUS_ACCOUNT].text;
	bool fits = !terminal->columns || out_columns(account) + GAP + 2 + row->flags.n <= terminal->columns;

	terminal_text(out, terminal, TONE_HEAD, account);
	out_text(out, fits ? "" : "\n");
	blanks(out, fits ? GAP : INDENT);
	out_text(out, "(");
	out_bytes(out, row->flags);
	out_text(out, ")\n");
}

void status_table(struct out *out, const struct terminal *terminal, const struct status_row *rows, size_t n)
{
	size_t widths[STATUS_COLUMNS];
	bool stacked = measure(rows, n, widths) > terminal->columns && terminal->columns;

	if (!stacked && n)
		table(out, terminal, rows, n, widths);
	for (size_t i = 0; i < n; i++) {
		heading(out, terminal, &rows[i]);
		for (size_t c = STATUS_ACCOUNT + 1; stacked && c < STATUS_COLUMNS; c++)
			labelled(out, terminal, columns[c].label, rows[i].cells[c].tone, shown(&rows[i].cells[c]));
		for (size_t k = 0; k < rows[i].n_notes; k++)
			labelled(out, terminal, rows[i].notes[k].label, rows[i].notes[k].tone, rows[i].notes[k].text);
	}
}
