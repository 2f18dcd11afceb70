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

/* Looks until it is clear what is there. What was seen is in *content. */
static enum sniff watch(struct context *context, struct secret *content)
{
	struct timespec pause = { 0, LOOK_AGAIN_MS * 1000000 };
	int64_t began_ms = clock_mono_ms(), last_ms = began_ms;
	size_t seen = 0;

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
			return sniff(secret_view(content), true, full);
		}
		nanosleep(&pause, NULL);
	}
}

enum outcome request_sniff(struct context *context, struct incoming *ret_incoming, bool *ret_found)
{
	*ret_incoming = (struct incoming){ 0 };
	*ret_found = watch(context, &ret_incoming->content) == SNIFF_REQUEST;
	trace("stdin: %zu bytes seen, %s", ret_incoming->content.len, *ret_found ? "a request" : "no request");
	if (!*ret_found)
		return DONE;
	if (ret_incoming->content.len >= STDIN_LOOK_MAX_BYTES) {
		secret_wipe(&ret_incoming->content);
		return request_read(context, ret_incoming);
	}
	/* Taken, not only looked at: a socket closed over unread bytes would fail its writer. */
	stdin_skip(ret_incoming->content.len);
	return parse(context, ret_incoming);
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
