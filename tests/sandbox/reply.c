/* SPDX-License-Identifier: MIT */
/*
 * Builds an answer. JSON comes out compact, as Alation's does. Sends nothing.
 */
#include "tests/sandbox/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reply_start(struct reply *reply, int status, const char *type)
{
	reply_free(reply);
	reply->status = status;
	reply_type(reply, type);
}

void reply_type(struct reply *reply, const char *type)
{
	snprintf(reply->type, sizeof reply->type, "%s", type);
}

static size_t member_at(const struct reply *reply, const char *name)
{
	size_t i = 0;

	while (i < reply->members_n && strcmp(reply->members[i].name, name) != 0)
		i++;
	return i;
}

void reply_raw(struct reply *reply, const char *name, const char *raw)
{
	size_t i = member_at(reply, name);

	if (i == REPLY_MEMBERS_MAX)
		return;
	if (i == reply->members_n) {
		reply->members_n++;
		reply->members[i].name = must_copy(name, strlen(name));
	}
	free(reply->members[i].raw);
	reply->members[i].raw = must_copy(raw, strlen(raw));
}

void reply_string(struct reply *reply, const char *name, const char *value)
{
	struct text t = { 0 };

	text_json(&t, value);
	reply_raw(reply, name, t.p);
	text_free(&t);
}

void reply_number(struct reply *reply, const char *name, int64_t value)
{
	struct text t = { 0 };

	text_printf(&t, "%lld", (long long)value);
	reply_raw(reply, name, t.p);
	text_free(&t);
}

void reply_unset(struct reply *reply, const char *name)
{
	size_t i = member_at(reply, name);

	if (i == reply->members_n)
		return;
	free(reply->members[i].name);
	free(reply->members[i].raw);
	reply->members_n--;
	for (; i < reply->members_n; i++)
		reply->members[i] = reply->members[i + 1];
	memset(&reply->members[i], 0, sizeof reply->members[i]);
}

void reply_bytes(struct reply *reply, const char *p, size_t n)
{
	text_free(&reply->body);
	text_add(&reply->body, p, n);
	reply->is_bytes = true;
}

void reply_header(struct reply *reply, const char *name, const char *value)
{
	if (reply->headers_n == REPLY_HEADERS_MAX)
		return;
	reply->headers[reply->headers_n].name = must_copy(name, strlen(name));
	reply->headers[reply->headers_n++].raw = must_copy(value, strlen(value));
}

void reply_refuse(struct reply *reply, int status, const char *detail, const char *code)
{
	reply_start(reply, status, "text/json");
	reply_string(reply, "detail", detail);
	reply_string(reply, "code", code);
}

void reply_line(struct reply *reply, int status, const char *line)
{
	reply_start(reply, status, "text/plain; charset=utf-8");
	reply_bytes(reply, line, strlen(line));
	text_puts(&reply->body, "\n");
}

void reply_finish(struct reply *reply)
{
	if (reply->is_bytes)
		return;
	text_puts(&reply->body, "{");
	for (size_t i = 0; i < reply->members_n; i++) {
		text_puts(&reply->body, i ? "," : "");
		text_json(&reply->body, reply->members[i].name);
		text_puts(&reply->body, ":");
		text_puts(&reply->body, reply->members[i].raw);
	}
	text_puts(&reply->body, "}");
	reply->is_bytes = true;
}

void reply_free(struct reply *reply)
{
	for (size_t i = 0; i < reply->members_n; i++) {
		free(reply->members[i].name);
		free(reply->members[i].raw);
	}
	for (size_t i = 0; i < reply->headers_n; i++) {
		free(reply->headers[i].name);
		free(reply->headers[i].raw);
	}
	text_free(&reply->body);
	text_free(&reply->raw.bytes);
	text_free(&reply->raw.fill);
	memset(reply, 0, sizeof *reply);
}
