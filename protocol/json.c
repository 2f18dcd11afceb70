/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `json`: every answer is one object on one line. Its members are always all there, in this
 * order; what is not known is null. People's programs read this: a member may be added, none is renamed or
 * changes its meaning. It never decides what an answer says.
 */
#include "protocol/protocol.h"

static void text_or_null(struct out *out, const char *text)
{
	if (text)
		out_json(out, bytes_of(text));
	else
		out_text(out, "null");
}

static void epoch_or_null(struct out *out, const struct moment *moment)
{
	if (moment->text)
		out_int(out, moment->epoch_s);
	else
		out_text(out, "null");
}

static void boolean(struct out *out, bool value)
{
	out_text(out, value ? "true" : "false");
}

static void begin(struct out *out, bool success)
{
	out_text(out, "{\"version\":1,\"success\":");
	boolean(out, success);
}

static void account(struct out *out, struct bytes base_url, int64_t user_id)
{
	out_text(out, "\"base_url\":");
	out_json(out, base_url);
	out_text(out, ",\"user_id\":");
	out_int(out, user_id);
}

static void expiry(struct out *out, const struct moment *moment)
{
	out_text(out, ",\"expires_at\":");
	text_or_null(out, moment->text);
	out_text(out, ",\"expires_at_epoch\":");
	epoch_or_null(out, moment);
}

static void refresh_expiry(struct out *out, const struct reply *reply)
{
	out_text(out, ",\"refresh_token_expires_at\":");
	text_or_null(out, reply->refresh_token_expires_at.text);
}

/* What every success ends with. */
static void end(struct out *out, const struct reply *reply)
{
	out_text(out, ",\"warnings\":[");
	for (size_t i = 0; i < reply->n_warnings; i++) {
		out_text(out, i ? ",{\"code\":" : "{\"code\":");
		text_or_null(out, reply->warnings[i].code);
		out_text(out, ",\"message\":");
		text_or_null(out, reply->warnings[i].message);
		out_text(out, "}");
	}
	out_text(out, "]}\n");
}

static void write_reply(struct out *out, const struct reply *reply)
{
	begin(out, true);
	out_text(out, ",");
	account(out, reply->base_url, reply->user_id);
	out_text(out, ",\"token\":");
	out_json(out, reply->token);
	out_text(out, ",\"header\":\"TOKEN\"");
	expiry(out, &reply->expires_at);
	refresh_expiry(out, reply);
	end(out, reply);
}

static void write_done(struct out *out, const struct reply *reply)
{
	begin(out, true);
	out_text(out, ",");
	account(out, reply->base_url, reply->user_id);
	refresh_expiry(out, reply);
	end(out, reply);
}

static void write_done_all(struct out *out, const struct reply *replies, size_t n, const struct reply *last)
{
	begin(out, true);
	out_text(out, ",\"accounts\":[");
	for (size_t i = 0; i < n; i++) {
		out_text(out, i ? ",{" : "{");
		account(out, replies[i].base_url, replies[i].user_id);
		refresh_expiry(out, &replies[i]);
		out_text(out, "}");
	}
	out_text(out, "]");
	end(out, last);
}

static void write_failure(struct out *out, const struct failure *failure)
{
	begin(out, false);
	out_text(out, ",\"code\":");
	text_or_null(out, failure->code);
	out_text(out, ",\"exit\":");
	out_int(out, failure->exit);
	out_text(out, ",\"message\":");
	text_or_null(out, failure->message);
	out_text(out, ",\"remedy\":");
	text_or_null(out, failure->remedy);
	out_text(out, ",\"retryable\":");
	boolean(out, failure->retryable);
	out_text(out, ",\"retry_after\":");
	if (failure->retry_after_s)
		out_int(out, failure->retry_after_s);
	else
		out_text(out, "null");
	out_text(out, "}\n");
}

static void holding(struct out *out, const struct holding *holding)
{
	out_text(out, "{\"module\":");
	text_or_null(out, holding->module);
	expiry(out, &holding->expires_at);
	out_text(out, ",\"passed_over\":[");
	for (size_t i = 0; i < holding->n_passed_over; i++) {
		out_text(out, i ? ",{\"module\":" : "{\"module\":");
		text_or_null(out, holding->passed_over[i].module);
		out_text(out, ",\"status\":");
		text_or_null(out, holding->passed_over[i].status);
		out_text(out, ",\"why\":");
		text_or_null(out, holding->passed_over[i].why);
		out_text(out, "}");
	}
	out_text(out, "]}");
}

static void configuration(struct out *out, const struct setting *settings, size_t n)
{
	out_text(out, ",\"configuration\":[");
	for (size_t i = 0; i < n; i++) {
		out_text(out, i ? ",{\"section\":" : "{\"section\":");
		text_or_null(out, settings[i].section[0] ? settings[i].section : NULL);
		out_text(out, ",\"word\":");
		text_or_null(out, settings[i].word);
		out_text(out, ",\"value\":");
		text_or_null(out, settings[i].value);
		out_text(out, ",\"file\":");
		text_or_null(out, settings[i].file);
		out_text(out, ",\"line\":");
		if (settings[i].file)
			out_int(out, settings[i].line);
		else
			out_text(out, "null");
		out_text(out, "}");
	}
	out_text(out, "]");
}

static void write_status(struct out *out, const struct account_status *accounts, size_t n, const struct setting *settings, size_t n_settings)
{
	begin(out, true);
	out_text(out, ",\"accounts\":[");
	for (size_t i = 0; i < n; i++) {
		out_text(out, i ? ",{" : "{");
		account(out, accounts[i].base_url, accounts[i].user_id);
		out_text(out, ",\"name\":");
		out_json(out, accounts[i].name);
		out_text(out, ",\"default\":");
		boolean(out, accounts[i].is_default);
		out_text(out, ",\"exclusive\":");
		boolean(out, accounts[i].exclusive);
		out_text(out, ",\"refresh\":");
		holding(out, &accounts[i].refresh);
		out_text(out, ",\"access\":");
		holding(out, &accounts[i].access);
		out_text(out, "}");
	}
	out_text(out, "]");
	if (settings)
		configuration(out, settings, n_settings);
	out_text(out, "}\n");
}

/* A failure has its code and exit, so that a caller need not know of steps. */
static void write_checks(struct out *out, const struct check *checks, size_t n, const struct failure *failed)
{
	begin(out, !failed);
	out_text(out, ",\"code\":");
	text_or_null(out, failed ? failed->code : NULL);
	out_text(out, ",\"exit\":");
	out_int(out, failed ? failed->exit : 0);
	out_text(out, ",\"steps\":[");
	for (size_t i = 0; i < n; i++) {
		out_text(out, i ? ",{\"step\":" : "{\"step\":");
		out_json(out, bytes_of(checks[i].step));
		out_text(out, ",\"result\":");
		out_json(out, bytes_of(checks[i].result));
		out_text(out, ",\"text\":");
		out_json(out, bytes_of(checks[i].text));
		out_text(out, ",\"code\":");
		text_or_null(out, checks[i].code);
		out_text(out, ",\"remedy\":");
		text_or_null(out, checks[i].remedy);
		out_text(out, "}");
	}
	out_text(out, "]}\n");
}

const struct format format_json = {
	.name = "json",
	.about = "one JSON object on one line, failures too",
	.reply = write_reply,
	.failure = write_failure,
	.status = write_status,
	.checks = write_checks,
	.done = write_done,
	.done_all = write_done_all,
};
