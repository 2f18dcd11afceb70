/* SPDX-License-Identifier: MIT */
/*
 * Reading a request, and the rule that tells whether there is one.
 */
#include "helper/request.h"

#include <time.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/stdin.h"
#include "helper/base/trace.h"
#include "protocol/git.h"
#include "protocol/sniff.h"

#define SILENCE_MS 1000
#define SNIFF_MS 5000
#define LOOK_AGAIN_MS 5 /* poll cannot wait for more than was seen */
#define HELD_BACK_MS 200 /* more than it takes a writer to go on who had no room */

void incoming_wipe(struct incoming *incoming)
{
	secret_wipe(&incoming->content);
	incoming->request = (struct request){ 0 };
}

static enum outcome parse(struct context *context, struct incoming *incoming)
{
	enum git_fault fault = git_parse(incoming->content.bytes, incoming->content.len, &incoming->request);

	if (!fault)
		return DONE;
	return trouble_say(&context->trouble, TROUBLE_USAGE, "see alation-cred-protocol(7)", "the request on stdin is malformed: %s", git_fault_text(fault));
}

enum outcome request_read(struct context *context, struct incoming *ret_incoming)
{
	enum outcome outcome;

	*ret_incoming = (struct incoming){ 0 };
	outcome = stdin_read_paragraph(GIT_REQUEST_MAX_BYTES, context->deadline_ms, &ret_incoming->content, &context->trouble);
	return outcome == DONE ? parse(context, ret_incoming) : outcome;
}

static void pause_between_looks(void)
{
	nanosleep(&(struct timespec){ 0, LOOK_AGAIN_MS * 1000000 }, NULL);
}

/* Looks until it is clear what is there. What was seen is in *content; *ret_cut: silence is all that ended it. */
static enum sniff watch(struct context *context, struct secret *content, bool *ret_cut)
{
	int64_t began_ms = clock_mono_ms(), last_ms = began_ms;
	size_t seen = 0;

	*ret_cut = false;
	for (;;) {
		bool ended, full;
		int64_t now_ms;
		enum sniff what;

		if (!stdin_look(content, &ended))
			return SNIFF_OTHER;
		full = content->len >= STDIN_LOOK_MAX_BYTES;
		what = sniff(secret_view(content), ended, full);
		now_ms = clock_mono_ms();
		if (content->len != seen)
			last_ms = now_ms;
		seen = content->len;
		if (what != SNIFF_MORE)
			return what;
		if (now_ms - last_ms >= SILENCE_MS || now_ms - began_ms >= SNIFF_MS || now_ms >= context->deadline_ms) {
			if (!seen)
				context_warn(context, "stdin_silent", "waited for a request on stdin, which is open and silent; 'alation-cred token' never looks there");
			*ret_cut = true;
			return sniff(secret_view(content), true, full);
		}
		pause_between_looks();
	}
}

/* Whether more comes of a request that is taken already. */
static bool more_comes(struct context *context, struct secret *more)
{
	int64_t until_ms = clock_mono_ms() + HELD_BACK_MS;
	bool ended;

	if (until_ms > context->deadline_ms)
		until_ms = context->deadline_ms;
	while (stdin_look(more, &ended) && !ended && more->len == 0 && clock_mono_ms() < until_ms)
		pause_between_looks();
	return more->len > 0;
}

/*
 * Taken, not only looked at: a socket closed over unread bytes would fail its writer. What silence has cut may go on
 * then: a pipe is full by its pages, a socket by its messages, with less in them than we would look at. Half a line is
 * not answered: the token would be that of the host `catalog.example` to one who asks for `catalog.example.org`.
 */
static enum outcome take(struct context *context, struct incoming *incoming, bool cut)
{
	struct secret *content = &incoming->content;
	SECRET more = { 0 };

	stdin_skip(content->len);
	while (cut && content->len <= GIT_REQUEST_MAX_BYTES && more_comes(context, &more)) {
		stdin_skip(more.len);
		if (!secret_append(content, secret_view(&more)))
			return trouble_say(&context->trouble, TROUBLE_USAGE, "", "no memory for what is on stdin");
	}
	if (content->len > GIT_REQUEST_MAX_BYTES)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "a request has at most 1 MiB", "more than %d bytes on stdin", GIT_REQUEST_MAX_BYTES);
	if (cut && content->bytes[content->len - 1] != '\n')
		return trouble_say(&context->trouble, TROUBLE_USAGE, "end the request with an empty line, or close stdin", "the request on stdin stops within a line");
	return parse(context, incoming);
}

enum outcome request_sniff(struct context *context, struct incoming *ret_incoming, bool *ret_found)
{
	bool cut;

	*ret_incoming = (struct incoming){ 0 };
	*ret_found = watch(context, &ret_incoming->content, &cut) == SNIFF_REQUEST;
	trace("stdin: %zu bytes seen, %s", ret_incoming->content.len, *ret_found ? "a request" : "no request");
	if (!*ret_found)
		return DONE;
	if (ret_incoming->content.len >= STDIN_LOOK_MAX_BYTES) {
		secret_wipe(&ret_incoming->content);
		return request_read(context, ret_incoming);
	}
	return take(context, ret_incoming, cut);
}

enum outcome request_names_host(struct context *context, const struct request *request)
{
	if (request->protocol.p && request->host.p)
		return DONE;
	return trouble_say(&context->trouble, TROUBLE_USAGE, "say both: protocol=https and host=HOST, or url=https://HOST", "the request on stdin names no %s",
	                   request->host.p ? "protocol" : "host");
}

enum outcome request_ignore(struct context *context)
{
	SECRET content = { 0 };
	struct trouble ignored = { 0 };

	context_start(context);
	/* An older git dies of a helper that ends before it has taken the request. */
	if (!isatty(STDIN_FILENO))
		(void)stdin_read_paragraph(GIT_REQUEST_MAX_BYTES, context->deadline_ms, &content, &ignored);
	return DONE;
}
