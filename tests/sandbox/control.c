/* SPDX-License-Identifier: MIT */
/*
 * The control calls as one table. They answer in plain text; a member that is wrong is said, since a misspelt one
 * would be a test that tests nothing.
 */
#include "tests/sandbox/control.h"

#include <string.h>

#include "tests/sandbox/api.h"
#include "tests/sandbox/hold.h"

#define PREFIX "/sandbox/"
#define LIFETIME_MAX_S 315360000
#define AWAIT_MS 10000

static void done(struct reply *reply)
{
	reply_line(reply, 200, "ok");
}

static void add_fault(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	const char *endpoint = fields_text(fields, "endpoint");
	const char *why;

	if (endpoint && !api_has_endpoint(endpoint)) {
		reply_line(reply, 400, "endpoint: there is none of that name");
		return;
	}
	why = faults_add(&sandbox->faults, fields);
	if (why)
		reply_line(reply, 400, why);
	else
		done(reply);
}

static void break_connection(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	const char *why = connection_break(&sandbox->connection, fields_text(fields, "fault"), fields_text(fields, "times"));

	if (why)
		reply_line(reply, 400, why);
	else
		done(reply);
}

static void clear(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	(void)fields;
	faults_clear(&sandbox->faults);
	sandbox->connection.left = 0;
	done(reply);
}

static void create_refresh(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	const char *name = fields_text(fields, "name"), *lifetime = fields_text(fields, "expires_in");
	const struct user *user = NULL;
	long long id, lifetime_s = 0;

	if (fields_number(fields_text(fields, "user_id"), 1, INT64_MAX, &id))
		user = state_user(&sandbox->state, id);
	if (!user) {
		reply_line(reply, 404, "user_id: there is no such user");
		return;
	}
	if (lifetime && !fields_number(lifetime, 1, LIFETIME_MAX_S, &lifetime_s)) {
		reply_line(reply, 400, "expires_in: 1 to 315360000 (seconds)");
		return;
	}
	reply_line(reply, 200, state_create(&sandbox->state, user, name ? name : "made in the web UI",
	                                    fields_text(fields, "token"), lifetime_s)->token);
}

static void end_token(bool (*end)(struct state *, const char *), struct sandbox *sandbox, struct fields *fields,
                      struct reply *reply)
{
	const char *token = fields_text(fields, "token");

	if (token && end(&sandbox->state, token))
		done(reply);
	else
		reply_line(reply, 404, "token: there is no such token");
}

static void expire(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	end_token(state_expire, sandbox, fields, reply);
}

static void revoke(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	end_token(state_revoke, sandbox, fields, reply);
}

static void set_dates(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	if (dates_style(fields_text(fields, "style"), &sandbox->dates.style))
		done(reply);
	else
		reply_line(reply, 400, "style: offset, z or plain");
}

static void set_skew(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	long long skew_s;

	if (!fields_number(fields_text(fields, "skew_s"), -DATE_SKEW_MAX_S, DATE_SKEW_MAX_S, &skew_s)) {
		reply_line(reply, 400, "skew_s: -315360000 to 315360000 (seconds)");
		return;
	}
	sandbox->dates.skew_s = skew_s;
	done(reply);
}

static void release(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	(void)fields;
	hold_release(sandbox);
	done(reply);
}

static void await_held(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	const char *text = fields_text(fields, "calls");
	long long count = 1;

	if (text && !fields_number(text, 1, UINT32_MAX, &count))
		reply_line(reply, 400, "calls: a number from 1 on");
	else if (hold_await(sandbox, (unsigned)count, AWAIT_MS) >= (unsigned)count)
		done(reply);
	else
		reply_line(reply, 504, "not so many calls are held");
}

static void show_log(struct sandbox *sandbox, struct fields *fields, struct reply *reply)
{
	(void)fields;
	reply_line(reply, 200, "");
	reply_bytes(reply, sandbox->log.all.p, sandbox->log.all.n);
}

static const struct control {
	const char *name, *method;
	void (*run)(struct sandbox *, struct fields *, struct reply *); /* with the lock */
} controls[] = {
	{ "fault", "POST", add_fault },
	{ "connection", "POST", break_connection },
	{ "clear", "POST", clear },
	{ "refresh-token", "POST", create_refresh },
	{ "expire", "POST", expire },
	{ "revoke", "POST", revoke },
	{ "dates", "POST", set_dates },
	{ "date-header", "POST", set_skew },
	{ "held", "POST", await_held },
	{ "release", "POST", release },
	{ "log", "GET", show_log },
};

bool control_is(const char *path)
{
	return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

static const struct control *find(const struct request *request)
{
	for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
		if (strcmp(request->path + strlen(PREFIX), controls[i].name) == 0 &&
		    strcmp(request->method, controls[i].method) == 0)
			return &controls[i];
	return NULL;
}

void control_answer(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
	const struct control *control = find(request);
	struct fields fields = { .n = 0 };

	if (!control) {
		reply_line(reply, 404, "there is no such control call; alation-sandbox --help lists them");
		return;
	}
	if (fields_parse(&fields, request->content_type, request->body, request->body_n) == FIELDS_OK) {
		pthread_mutex_lock(&sandbox->lock);
		control->run(sandbox, &fields, reply);
		pthread_mutex_unlock(&sandbox->lock);
	} else {
		reply_line(reply, 400, "the body must be a form or a JSON object of at most 64 members");
	}
	fields_free(&fields);
}
