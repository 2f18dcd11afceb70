/* SPDX-License-Identifier: MIT */
/*
 * Replies of success: from records to the format's struct, into one buffer, out in one write.
 */
#include "helper/answer.h"

#include "helper/base/clock.h"
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
	};

	if (access) {
		reply.token = secret_view(&access->token);
		reply.expires_at = answer_moment(access->expires_at, expires);
	}
	return write_reply(context, &reply, format);
}

enum outcome answer_token(struct context *context, const struct account *account, const struct access_record *access)
{
	return answer(context, account, access, context->options.format->reply);
}

enum outcome answer_done(struct context *context, const struct account *account)
{
	if (!context->options.format->done)
		return DONE;
	return answer(context, account, NULL, context->options.format->done);
}
