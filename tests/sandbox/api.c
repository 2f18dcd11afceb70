/* SPDX-License-Identifier: MIT */
/*
 * What every call of an endpoint goes through: the path, the body's members, the fault that waits for it, the act,
 * the log. Knows no endpoint by name; the 400 bodies are a guess (Django's usual form), since none was seen.
 */
#include "tests/sandbox/api.h"

#include <stdint.h>
#include <string.h>

#include "tests/sandbox/endpoints.h"
#include "tests/sandbox/hold.h"

bool api_has_endpoint(const char *name)
{
	for (size_t i = 0; i < endpoints_n; i++)
		if (strcmp(name, endpoints[i].name) == 0)
			return true;
	return strcmp(name, "*") == 0;
}

/* NULL: there is none, and the answer is written. Without its slash a path is redirected, as Django does. */
static const struct endpoint *find(const struct request *request, struct reply *reply)
{
	size_t n = strlen(request->path);

	for (size_t i = 0; i < endpoints_n; i++) {
		const struct endpoint *e = &endpoints[i];

		if (strncmp(e->path, request->path, n) != 0 || strlen(e->path) - n > 1)
			continue;
		if (e->path[n] == '/') {
			reply_start(reply, 301, "text/html; charset=utf-8");
			reply_header(reply, "Location", e->path);
			reply_bytes(reply, "", 0);
			return NULL;
		}
		if (strcmp(e->method, request->method) == 0)
			return e;
		reply_refuse(reply, 405, "Method not allowed.", "405000");
		reply_header(reply, "Allow", e->method);
		return NULL;
	}
	reply_refuse(reply, 404, "Not found.", "404000");
	return NULL;
}

/* What is wrong with this member, or NULL. */
static const char *member_trouble(struct act *a, const char *name)
{
	const char *value = fields_text(a->fields, name);

	if (!value)
		return "This field is required.";
	if (*value == '\0')
		return "This field may not be blank.";
	if (strcmp(name, "user_id") == 0 && !fields_number(value, 0, INT64_MAX, &a->user_id))
		return "A valid integer is required.";
	return NULL;
}

static bool has_members(struct act *a, const struct endpoint *e)
{
	struct text errors = { 0 };

	for (size_t i = 0; i < ENDPOINT_NEEDS_MAX && e->needs[i]; i++) {
		const char *trouble = member_trouble(a, e->needs[i]);

		if (trouble)
			text_printf(&errors, "%s\"%s\":[\"%s\"]", errors.n ? "," : "{", e->needs[i], trouble);
	}
	if (errors.n == 0)
		return true;
	text_puts(&errors, "}");
	reply_refuse(a->reply, 400, "Invalid request", "400000");
	reply_raw(a->reply, "errors", errors.p);
	text_free(&errors);
	return false;
}

static void do_act(struct act *a, const struct endpoint *e, enum fields_result parsed)
{
	if (parsed == FIELDS_MALFORMED)
		reply_refuse(a->reply, 400, "Invalid request", "400000");
	else if (parsed == FIELDS_WRONG_TYPE)
		reply_refuse(a->reply, 415, "Unsupported media type in request.", "415000");
	else if (has_members(a, e))
		e->act(a);
}

static void answer_endpoint(struct act *a, const struct endpoint *e, enum fields_result parsed)
{
	struct fault *fault = faults_take(&a->sandbox->faults, e->name);
	struct text fault_word = { 0 };

	if (fault && fault->delay_ms)
		hold_call(a->sandbox, fault->delay_ms);
	if (!fault || fault_acts(fault))
		do_act(a, e, parsed);
	if (fault) {
		fault_apply(fault, a->reply);
		fault_name(fault, &fault_word);
	}
	a->log.status = a->reply->status;
	a->log.fault = fault_word.p;
	log_write(&a->sandbox->log, &a->log);
	text_free(&fault_word);
	fault_release(fault);
}

void api_answer(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
	struct fields fields = { .n = 0 };
	struct act a = { .sandbox = sandbox, .fields = &fields, .token = request->token, .reply = reply };
	const struct endpoint *e = find(request, reply);
	enum fields_result parsed = fields_parse(&fields, request->content_type, request->body, request->body_n);

	a.log = (struct log_call){
		.method = request->method,
		.path = request->path,
		.status = reply->status,
		.user_id = fields_text(&fields, "user_id"),
		.refresh = fields_text(&fields, "refresh_token"),
		.access = request->token ? request->token : fields_text(&fields, "api_access_token"),
	};
	pthread_mutex_lock(&sandbox->lock);
	if (e)
		answer_endpoint(&a, e, parsed);
	else
		log_write(&sandbox->log, &a.log);
	pthread_mutex_unlock(&sandbox->lock);
	fields_free(&fields);
}
