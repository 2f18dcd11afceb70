/* SPDX-License-Identifier: MIT */
/*
 * status: the accounts, when their tokens end, and where each secret lies. No network, no dialog, and no
 * RefreshToken is read.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/missing.h"
#include "helper/lifecycle/survey.h"
#include "helper/lifecycle/vault.h"
#include "helper/settings.h"
#include "helper/sources.h"
#include "helper/state.h"
#include "helper/status-words.h"
#include "helper/verbs/verbs.h"

#define WHYS_BYTES 2048

/* What was found out of one account, and the strings that it points into. */
struct line {
	struct status_facts facts;
	int64_t access_left_s;
	char refresh_end[CLOCK_TEXT_BYTES], access_end[CLOCK_TEXT_BYTES];
	char whys[WHYS_BYTES]; /* what modules said, NUL-ended each */
	size_t n_whys;
};

/* The modules' own words stand where the next call puts others. */
static const char *keep_why(struct line *line, const char *why)
{
	char *kept = line->whys + line->n_whys;
	size_t n = strlen(why) + 1;

	if (n == 1 || n > sizeof line->whys - line->n_whys)
		return NULL;
	memcpy(kept, why, n);
	line->n_whys += n;
	return kept;
}

static void pass_over(struct line *line, struct holding *holding, const char *module, int status, bool refused, const char *why)
{
	char both[KEYRING_WHY_MAX_BYTES + MISSING_WORDS_BYTES], words[MISSING_WORDS_BYTES];

	if (refused && status == ACRED_UNAVAILABLE) {
		snprintf(both, sizeof both, "%s; %s", why, missing_words(module, why, words));
		why = both;
	}
	if (holding->n_passed_over == sizeof holding->passed_over / sizeof *holding->passed_over)
		return;
	holding->passed_over[holding->n_passed_over++] = (struct passed_over){ module, keyring_status_word(status), keep_why(line, why) };
}

/* Who answered, and why those before did not; where nothing was found, the one whose status that is did not either. */
static void fill_holding(struct context *context, const char *facility, struct line *line, struct holding *holding,
                         const struct keyring_answer *answer)
{
	for (size_t i = 0; i < answer->n_passed_over; i++)
		pass_over(line, holding, answer->passed_over[i].module, answer->passed_over[i].status, answer->passed_over[i].refused,
		          answer->passed_over[i].why);
	if (answer->status == ACRED_OK)
		holding->module = answer->module;
	else if (answer->module)
		pass_over(line, holding, answer->module, answer->status, keyring_is_refused(&context->keyring, facility, answer->module),
		          answer->why);
}

static void look_at(struct context *context, const struct account *account, struct line *line)
{
	ACCESS_RECORD access = { 0 };
	struct keyring_answer answer;

	*line = (struct line){ .facts.status = {
		.base_url = bytes_of(account->base_url),
		.name = bytes_of(account->name),
		.user_id = account->user_id,
		.is_default = account_is_default(context, account),
		.exclusive = account->exclusive,
	} };
	line->facts.refresh_status = vault_locate_refresh(context, account, &answer);
	fill_holding(context, "refresh", line, &line->facts.status.refresh, &answer);
	line->facts.readonly = answer.status == ACRED_OK && answer.readonly;
	/* The list tells of the one that is kept, and a source that goes before it has told nothing. */
	if (line->facts.readonly)
		line->facts.status.name = bytes_of("");
	else
		line->facts.status.refresh.expires_at = answer_moment(account->refresh_expires_at, line->refresh_end);
	line->facts.access_status = vault_locate_access(context, account, &access, &answer);
	if (line->facts.access_status == ACRED_OK) {
		line->access_left_s = cached_left_s(&access);
		line->facts.skew_s = access.skew_s;
	}
	/* A token whose time is over is cached no more, whatever still lies there. */
	if (line->facts.access_status == ACRED_OK && line->access_left_s <= 0)
		line->facts.access_status = answer.status = ACRED_ABSENT;
	fill_holding(context, "access", line, &line->facts.status.access, &answer);
	if (line->facts.access_status == ACRED_OK)
		line->facts.status.access.expires_at = answer_moment(access.expires_at, line->access_end);
}

static enum outcome too_long(struct context *context)
{
	return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "the answer is too long, or there is no memory for it");
}

/* OUT's bytes are written and given up. */
static enum outcome write_out(struct context *context, struct out *out)
{
	enum outcome outcome = !out->p || out->overflow ? too_long(context) : stdout_write((struct bytes){ out->p, out->n }, context->deadline_ms, &context->trouble);

	free(out->p);
	return outcome;
}

static size_t settings_room(const struct settings *settings)
{
	return settings->n * (2 * CONFIG_LINE_MAX_BYTES + CONFIG_PATH_BYTES) + 4 * CONFIG_PATH_BYTES;
}

static enum outcome show_format(struct context *context, const struct line *lines, size_t n, const struct settings *settings)
{
	struct account_status *statuses = calloc(n + 1, sizeof *statuses);
	struct out out = { .room = (n + 1) * STATUS_WORDS_BYTES + settings_room(settings) };

	out.p = statuses ? malloc(out.room) : NULL;
	for (size_t i = 0; i < n && out.p; i++)
		statuses[i] = lines[i].facts.status;
	if (out.p)
		context->options.format->status(&out, statuses, n, settings->rows, settings->n);
	free(statuses);
	return write_out(context, &out);
}

static enum outcome show_table(struct context *context, const struct account *accounts, const struct line *lines, size_t n, const struct settings *settings)
{
	struct status_row *rows = calloc(n + 1, sizeof *rows);
	struct out texts = { .room = (n + 1) * STATUS_WORDS_BYTES }, out = { 0 };
	struct terminal terminal;
	int64_t now_s = clock_wall_s();

	terminal_look(stdout_descriptor(), &terminal);
	texts.p = rows ? malloc(texts.room) : NULL;
	for (size_t i = 0; i < n && texts.p; i++)
		status_words(context, &accounts[i], &lines[i].facts, now_s, &terminal, &texts, &rows[i]);
	/* Folding puts a margin before each line, which has a word of its own; the table has as many columns for each as for the widest. */
	out.room = 8 * texts.n + (n + 2) * STATUS_WORDS_BYTES + settings_room(settings);
	out.p = texts.p ? malloc(out.room) : NULL;
	if (out.p && !texts.overflow) {
		status_table(&out, &terminal, rows, n);
		if (!n)
			out_text(&out, "nobody is logged in; 'alation-cred login https://YOUR-INSTANCE' does it\n");
		if (settings->rows)
			settings_write(&out, context, settings);
	}
	out.overflow |= texts.overflow;
	free(texts.p);
	free(rows);
	return write_out(context, &out);
}

enum fate { LIVES_ON, END_UNKNOWN, ENDS, ENDED, GONE, LOST };

/* What the list and the keyring's own list tell, without a server. A keyring that does not answer is no reason to call
 * its token gone: the date decides then. */
static enum fate fate_of(const struct account *account, const struct line *line, int64_t within_s)
{
	int64_t left_s = account->refresh_expires_at - clock_wall_s();

	/* The list tells of the one that is kept; what is used is the source's, which has told nothing. */
	if (line->facts.readonly)
		return END_UNKNOWN;
	if (account->rotation_lost_at)
		return LOST;
	if (line->facts.refresh_status == ACRED_ABSENT)
		return GONE;
	if (account->refresh_expires_at == RECORD_TIME_UNKNOWN)
		return END_UNKNOWN;
	return left_s <= 0 ? ENDED : left_s <= within_s ? ENDS : LIVES_ON;
}

static enum outcome say_fate(struct trouble *trouble, const struct account *account, enum fate fate, const char *more)
{
	static const char *const verbs[] = { [ENDS] = "ends ", [ENDED] = "ended ", [GONE] = "is gone from its keyring", [LOST] = "was lost in the rotation of " };
	char text[ACCOUNT_TEXT_BYTES], when[CLOCK_TEXT_BYTES] = "", remedy[ACCOUNT_TEXT_BYTES + 64];

	if (fate != GONE)
		clock_format_time(fate == LOST ? account->rotation_lost_at : account->refresh_expires_at, when);
	account_text(account, text);
	if (fate == ENDS && account->exclusive)
		snprintf(remedy, sizeof remedy, "renew it with 'alation-cred rotate %s'", text);
	else
		snprintf(remedy, sizeof remedy, "log in again: 'alation-cred login %s'", account->base_url);
	return trouble_say(trouble, TROUBLE_EXPIRING, remedy, "the RefreshToken of %s %s%s%s", text, verbs[fate], when, more);
}

static void tell_unknown(const struct account *account)
{
	char text[ACCOUNT_TEXT_BYTES], line[ACCOUNT_TEXT_BYTES + 128];

	snprintf(line, sizeof line, "when the RefreshToken of %s ends is not known; 'alation-cred validate %s' asks the server", account_text(account, text), text);
	trouble_line(line);
}

/* A line for each account that needs somebody; the first one's is the call's, and said last. */
static enum outcome judge(struct context *context, const struct account *accounts, const struct line *lines, size_t n)
{
	const struct account *first = NULL;
	enum fate first_fate = LIVES_ON;
	struct trouble other;
	char more[64] = "";
	size_t others = 0;

	for (size_t i = 0; i < n; i++) {
		enum fate fate = fate_of(&accounts[i], &lines[i], context->options.expiring_within_s);

		if (fate == END_UNKNOWN) {
			tell_unknown(&accounts[i]);
		} else if (fate != LIVES_ON && !first) {
			first = &accounts[i];
			first_fate = fate;
		} else if (fate != LIVES_ON) {
			say_fate(&other, &accounts[i], fate, "");
			trouble_print(&other);
			others++;
		}
	}
	if (others)
		snprintf(more, sizeof more, ", and %zu more as said above", others);
	return first ? say_fate(&context->trouble, first, first_fate, more) : DONE;
}

/* A list that a restart loses is worth a word. */
static void tell_fallback(struct context *context)
{
	struct trouble ignored = { 0 };
	struct state_dir dir;
	bool listed;

	if (state_open(false, &dir, &ignored) != DONE || dir.fd < 0)
		return;
	/* A closed kernel keyring has its cache there, too; what counts is the list. */
	listed = faccessat(dir.fd, "accounts", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	close(dir.fd);
	if (dir.fallback && listed)
		context_warn(context, "state_fallback", "the accounts are listed in %s because HOME is not set or cannot be written; that list ends with a restart; set HOME to a directory that can be written",
		             dir.path);
}

static enum outcome report(struct context *context, const struct account *accounts, size_t n)
{
	struct line *lines = calloc(n + 1, sizeof *lines);
	SETTINGS settings = { 0 };
	bool all_there = !context->options.verbose || settings_read(context, &settings);
	enum outcome outcome;

	if (!lines || !all_there || !survey_of(context->survey, accounts, n)) {
		free(lines);
		return too_long(context);
	}
	for (size_t i = 0; i < n; i++)
		look_at(context, &accounts[i], &lines[i]);
	outcome = context->options.expiring_within_s < 0 ? DONE : judge(context, accounts, lines, n);
	if (outcome == DONE)
		outcome = context->options.format->status ? show_format(context, lines, n, &settings) : show_table(context, accounts, lines, n, &settings);
	free(lines);
	return outcome;
}

static enum outcome status(struct context *context, const char *argument)
{
	ACCOUNTS accounts = { 0 };
	char text[ACCOUNT_TEXT_BYTES];
	struct account one;
	enum outcome outcome = accounts_read(&accounts, &context->trouble);

	tell_fallback(context);
	if (outcome != DONE)
		return outcome;
	sources_add(context, true, &accounts);
	if (!argument)
		return report(context, accounts.list, accounts.n);
	outcome = account_choose(context, &accounts, argument, &one);
	if (outcome == DONE && !accounts_find(&accounts, one.base_url, one.user_id))
		outcome = trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts",
		                      "nobody is logged in as %s", account_text(&one, text));
	return outcome == DONE ? report(context, &one, 1) : outcome;
}

enum outcome status_main(struct context *context, const char *argument)
{
	struct survey survey = { 0 };
	enum outcome outcome;

	survey_start(context, &survey);
	outcome = status(context, argument);
	survey_end(context);
	return outcome;
}
