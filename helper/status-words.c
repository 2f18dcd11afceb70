/* SPDX-License-Identifier: MIT */
/*
 * The words of `status`. Whatever a server, a user or a module named is escaped here.
 */
#include "helper/status-words.h"

#include <stdlib.h>

#include "helper/base/clock.h"
#include "helper/lifecycle/renewal.h"

#define SKEW_WORTH_TELLING_S 60
#define SOON_S (7 * 86400)

/* The row that is being written. */
struct page {
	const struct context *context;
	const struct account *account;
	const struct status_facts *facts;
	int64_t now_s;
	const struct terminal *terminal;
	struct out *texts;
	struct status_row *row;
};

/* What has been written since START. */
static struct bytes since(const struct page *page, size_t start)
{
	return (struct bytes){ page->texts->p + start, page->texts->n - start };
}

static struct bytes visible(struct page *page, const char *text)
{
	size_t start = page->texts->n;

	terminal_visible(page->texts, page->terminal, bytes_of(text));
	return since(page, start);
}

static struct bytes local(struct page *page, int64_t epoch_s)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format_local(epoch_s, text);
	return visible(page, text);
}

static void set(struct page *page, enum status_column column, enum tone tone, struct bytes text)
{
	page->row->cells[column] = (struct status_cell){ text, tone };
}

/* What was written since START stands below the account. */
static void note(struct page *page, const char *label, enum tone tone, size_t start)
{
	if (page->row->n_notes < STATUS_NOTES_MAX)
		page->row->notes[page->row->n_notes++] = (struct status_note){ label, since(page, start), tone };
}

/* The one that is kept; a source that goes before it has another. */
static bool is_lost(const struct page *page)
{
	return page->account->rotation_lost_at && !page->facts->readonly;
}

static bool is_over(const struct page *page)
{
	return is_lost(page) || page->facts->refresh_status == ACRED_ABSENT;
}

/* The end of what is in the list stays worth telling where the keyring does not answer. */
static void put_refresh(struct page *page)
{
	const struct moment *end = &page->facts->status.refresh.expires_at;
	int64_t left_s = end->epoch_s - page->now_s;
	enum tone tone = left_s <= 0 ? TONE_BAD : left_s <= SOON_S ? TONE_CARE : TONE_GOOD;
	char text[CLOCK_TEXT_BYTES];

	if (is_over(page)) {
		set(page, STATUS_REFRESH, TONE_BAD, bytes_of(is_lost(page) ? "lost" : "gone"));
	} else if (!end->text) {
		set(page, STATUS_REFRESH, TONE_PLAIN, bytes_of("not known"));
	} else {
		set(page, STATUS_REFRESH, tone, local(page, end->epoch_s));
		clock_format_span(left_s, text);
		set(page, STATUS_LEFT, tone, left_s <= 0 ? bytes_of("ended") : visible(page, text));
	}
}

static void put_access(struct page *page)
{
	const struct moment *end = &page->facts->status.access.expires_at;

	if (end->text)
		set(page, STATUS_ACCESS, TONE_PLAIN, local(page, end->epoch_s));
	else
		set(page, STATUS_ACCESS, TONE_PLAIN, bytes_of(page->facts->access_status == ACRED_OK ? "not known" : ""));
}

/* Of several that did not have it, the last is the one whose state it is. */
static const char *keyring_of(const struct page *page)
{
	const struct holding *refresh = &page->facts->status.refresh;

	if (refresh->module)
		return refresh->module;
	return refresh->n_passed_over ? refresh->passed_over[refresh->n_passed_over - 1].module : page->account->module;
}

static void put_keyring(struct page *page)
{
	int status = page->facts->refresh_status;

	set(page, STATUS_KEYRING, TONE_PLAIN, visible(page, keyring_of(page)));
	if (status == ACRED_OK)
		set(page, STATUS_STATE, TONE_GOOD, bytes_of(page->facts->readonly ? "read-only" : "open"));
	else
		set(page, STATUS_STATE, status == ACRED_LOCKED ? TONE_CARE : TONE_BAD, bytes_of(keyring_status_word(status)));
}

static void passed_over(struct page *page, const struct holding *holding, const char *before)
{
	for (size_t i = 0; i < holding->n_passed_over; i++) {
		const struct passed_over *over = &holding->passed_over[i];

		out_text(page->texts, i ? ", " : before);
		visible(page, over->module);
		out_text(page->texts, " (");
		out_text(page->texts, over->status);
		out_text(page->texts, over->why ? ": " : "");
		visible(page, over->why);
		out_text(page->texts, ")");
	}
}

static void holding(struct page *page, const struct holding *holding, int status, const char *if_absent)
{
	if (holding->module) {
		out_text(page->texts, "in ");
		visible(page, holding->module);
		passed_over(page, holding, "; passed over: ");
	} else if (status == ACRED_ABSENT) {
		out_text(page->texts, if_absent);
	} else {
		out_text(page->texts, "cannot be told");
		passed_over(page, holding, ": ");
	}
}

static void note_refresh(struct page *page)
{
	const struct account_status *status = &page->facts->status;
	size_t start = page->texts->n;

	if (status->name.n) {
		out_text(page->texts, "'");
		terminal_visible(page->texts, page->terminal, status->name);
		out_text(page->texts, "' ");
	}
	holding(page, &status->refresh, page->facts->refresh_status, "is gone; log in again");
	note(page, "RefreshToken", TONE_PLAIN, start);
	if (!is_lost(page))
		return;
	start = page->texts->n;
	out_text(page->texts, "was regenerated at ");
	local(page, page->account->rotation_lost_at);
	out_text(page->texts, ", and the new one was lost; log in again");
	note(page, "", TONE_BAD, start);
}

/* `get` does it on its way, and a timer; both by the same rule. */
static void renewed_from(struct page *page, int64_t before_end_s)
{
	int64_t from_s = page->facts->status.refresh.expires_at.epoch_s - before_end_s;

	if (from_s > page->now_s) {
		out_text(page->texts, "from ");
		local(page, from_s);
		out_text(page->texts, " on, by the next get that mints");
	} else {
		out_text(page->texts, "due; the next get that mints does it");
	}
}

static void note_renewal(struct page *page)
{
	const struct moment *end = &page->facts->status.refresh.expires_at;
	int64_t before_end_s = renewal_before_end_s(page->context, page->account);
	size_t start = page->texts->n;

	if (is_over(page) || (end->text && end->epoch_s <= page->now_s))
		out_text(page->texts, "too late; log in again");
	else if (page->facts->readonly)
		out_text(page->texts, "never here: its source can only be read");
	else if (!page->account->exclusive)
		out_text(page->texts, "never, because it is shared; log in anew before it ends");
	else if (before_end_s == 0)
		out_text(page->texts, "never, says auto-rotate; 'alation-cred rotate' does it");
	else if (!end->text)
		out_text(page->texts, "never while its end is not known; 'alation-cred validate' asks the server");
	else
		renewed_from(page, before_end_s);
	note(page, "renewal", TONE_PLAIN, start);
}

static void note_access(struct page *page)
{
	size_t start = page->texts->n;

	holding(page, &page->facts->status.access, page->facts->access_status, "none cached; the next get mints one");
	note(page, "access token", TONE_PLAIN, start);
}

static void note_clock(struct page *page)
{
	size_t start = page->texts->n;

	if (llabs(page->facts->skew_s) <= SKEW_WORTH_TELLING_S)
		return;
	out_text(page->texts, "the server's differs from this machine's by ");
	out_int(page->texts, page->facts->skew_s);
	out_text(page->texts, " s");
	note(page, "clock", TONE_CARE, start);
}

void status_words(const struct context *context, const struct account *account, const struct status_facts *facts, int64_t now_s,
                  const struct terminal *terminal, struct out *texts, struct status_row *ret_row)
{
	struct page page = { context, account, facts, now_s, terminal, texts, ret_row };
	char text[ACCOUNT_TEXT_BYTES];

	*ret_row = (struct status_row){ .n_notes = 0 };
	set(&page, STATUS_ACCOUNT, TONE_PLAIN, visible(&page, account_text(account, text)));
	put_refresh(&page);
	put_access(&page);
	put_keyring(&page);
	if (facts->status.is_default)
		ret_row->flags = bytes_of(account->exclusive ? "default, exclusive" : "default, shared");
	else
		ret_row->flags = bytes_of(account->exclusive ? "exclusive" : "shared");
	note_refresh(&page);
	note_renewal(&page);
	note_access(&page);
	note_clock(&page);
}
