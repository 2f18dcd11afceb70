/* SPDX-License-Identifier: MIT */
/*
 * Replies of success: from records to the format's struct, into one buffer, out in one write.
 */
#include "helper/answer.h"

#include <stdlib.h>

#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/stdout.h"

struct moment answer_moment(int64_t epoch_s, char *text)
{
	if (epoch_s == RECORD_TIME_UNKNOWN)
		return (struct moment){ 0, NULL };
	clock_format_time(epoch_s, text);
	return (struct moment){ epoch_s, text[0] ? text : NULL };
}

static enum outcome write_reply(struct context *context, const struct reply *reply,
                                void (*format)(struct out *, const struct reply *))
{
	SECRET buffer = { 0 };
	/* Escapes and warnings included: a token has at most TOKEN_MAX_BYTES of which JSON escapes few. */
	size_t room = 2 * reply->token.n + 2 * URL_BASE_MAX_BYTES + 1024 + reply->n_warnings * 3 * CONTEXT_WARNING_BYTES;
	struct out out;

	if (!secret_reserve(&buffer, room))
		return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "no memory for the answer");
	out = (struct out){ .p = buffer.bytes, .room = buffer.room };
	format(&out, reply);
	if (out.overflow)
		return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "the answer is too long");
	return stdout_write((struct bytes){ out.p, out.n }, context->deadline_ms, &context->trouble);
}

static enum outcome answer(struct context *context, const struct account *account, const struct access_record *access,
                           void (*format)(struct out *, const struct reply *))
{
	char expires[CLOCK_TEXT_BYTES], refresh_expires[CLOCK_TEXT_BYTES];
	struct reply reply = {
		.base_url = bytes_of(account->base_url),
		.user_id = account->user_id,
		.refresh_token_expires_at = answer_moment(account->refresh_expires_at, refresh_expires),
		.warnings = context->warnings,
		.n_warnings = context->n_warnings,
		.authtype = context->authtype,
	};

	if (access) {
		reply.token = secret_view(&access->token);
		reply.expires_at = answer_moment(access->expires_at, expires);
	}
	return write_reply(context, &reply, format);
}

enum outcome answer_token(struct context *context, const struct account *account, const struct access_record *access)
{
	enum outcome outcome;

	failpoint("answer.printing");
	outcome = answer(context, account, access, context->options.format->reply);
	failpoint("answer.printed");
	return outcome;
}

enum outcome answer_done(struct context *context, const struct account *account)
{
	if (!context->options.format->done)
		return DONE;
	return answer(context, account, NULL, context->options.format->done);
}

#define ROOM_PER_ACCOUNT_BYTES (2 * URL_BASE_MAX_BYTES + 256)

enum outcome answer_all(struct context *context, const struct accounts *accounts)
{
	size_t n = accounts->n, room = n * ROOM_PER_ACCOUNT_BYTES + 1024 + context->n_warnings * 3 * CONTEXT_WARNING_BYTES;
	const struct reply last = { .warnings = context->warnings, .n_warnings = context->n_warnings };
	struct reply *replies;
	char (*ends)[CLOCK_TEXT_BYTES];
	struct out out = { .room = room };
	enum outcome outcome;

	if (!context->options.format->done_all)
		return DONE;
	replies = calloc(n + 1, sizeof *replies);
	ends = calloc(n + 1, sizeof *ends);
	out.p = malloc(room);
	if (!replies || !ends || !out.p) {
		outcome = trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "no memory for the answer");
	} else {
		for (size_t i = 0; i < n; i++)
			replies[i] = (struct reply){
				.base_url = bytes_of(accounts->list[i].base_url),
				.user_id = accounts->list[i].user_id,
				.refresh_token_expires_at = answer_moment(accounts->list[i].refresh_expires_at, ends[i]),
			};
		context->options.format->done_all(&out, replies, n, &last);
		outcome = stdout_write((struct bytes){ out.p, out.overflow ? 0 : out.n }, context->deadline_ms, &context->trouble);
	}
	free(replies);
	free(ends);
	free(out.p);
	return outcome;
}
