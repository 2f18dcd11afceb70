/* SPDX-License-Identifier: MIT */
/*
 * Reads, queues and applies faults. Knows answers, not tokens: what a fault does to the state is only whether the
 * server acts at all. Whoever calls checks that the endpoint's name is one.
 */
#include "tests/sandbox/faults.h"

#include <stdlib.h>
#include <string.h>

#define DELAY_MAX_MS 600000
#define TIMES_MAX 1000000
#define CUT_MAX_BYTES 100000000
#define DRIP_MAX_MS 60000

const char faults_help[] =
	"    endpoint=NAME       createAPIAccessToken, userinfo, ...; * is any\n"
	"    status=N            answer with this status (200 to 599) ...\n"
	"    body=BYTES          ... and with these bytes instead of JSON\n"
	"    type=TEXT           the Content-Type\n"
	"    header=NAME: VALUE  one more header, such as Retry-After or Location; repeatable\n"
	"    act=yes|no          does it act before it answers with status or body? (no)\n"
	"    delay_ms=N          wait so long before anything else\n"
	"    drop=before|after   close the connection without an answer, before or after it acted\n"
	"    cut=N               break the connection after N bytes of the answer's body\n"
	"    set=MEMBER:JSON     in an otherwise normal answer, change or add one member; repeatable\n"
	"    unset=MEMBER        ... or leave it out; repeatable\n"
	"    raw=BYTES           these bytes on the wire, as they stand, instead of an answer\n"
	"    fill=BYTES          after raw: these again and again, until the client goes\n"
	"    drip_ms=N           wait so long after each byte of fill\n"
	"    end=WHAT            after raw: close (the default), reset, stall (silent until\n"
	"                        the client goes) or answer (the usual answer follows)\n"
	"    times=N             for so many calls (1); 0: until cleared\n";

static const char *read_endpoint(struct fault *f, const char *value)
{
	f->endpoint = value;
	return NULL;
}

static const char *read_status(struct fault *f, const char *value)
{
	return fields_number(value, 200, 599, &f->status) ? NULL : "status: 200 to 599";
}

static const char *read_delay(struct fault *f, const char *value)
{
	return fields_number(value, 0, DELAY_MAX_MS, &f->delay_ms) ? NULL : "delay_ms: 0 to 600000";
}

static const char *read_times(struct fault *f, const char *value)
{
	return fields_number(value, 0, TIMES_MAX, &f->left) ? NULL : "times: 0 to 1000000";
}

static const char *read_cut(struct fault *f, const char *value)
{
	f->is_cut = true;
	return fields_number(value, 0, CUT_MAX_BYTES, &f->cut_n) ? NULL : "cut: a number of bytes";
}

static const char *read_drop(struct fault *f, const char *value)
{
	f->drop = strcmp(value, "before") == 0 ? DROP_BEFORE : strcmp(value, "after") == 0 ? DROP_AFTER : DROP_NO;
	return f->drop == DROP_NO ? "drop: before or after" : NULL;
}

static const char *read_drip(struct fault *f, const char *value)
{
	return fields_number(value, 1, DRIP_MAX_MS, &f->drip_ms) ? NULL : "drip_ms: 1 to 60000";
}

static const char *read_end(struct fault *f, const char *value)
{
	static const char *const ends[] = {
		[END_CLOSE] = "close", [END_RESET] = "reset", [END_STALL] = "stall", [END_ANSWER] = "answer",
	};

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		if (strcmp(value, ends[i]) == 0) {
			f->end = (enum reply_end)i;
			return NULL;
		}
	}
	return "end: close, reset, stall or answer";
}

static const char *read_act(struct fault *f, const char *value)
{
	f->act = strcmp(value, "yes") == 0;
	return f->act || strcmp(value, "no") == 0 ? NULL : "act: yes or no";
}

static const char *read_pair(struct fault *f, const char *value)
{
	const char *colon = strchr(value, ':');

	(void)f;
	return colon && colon != value ? NULL : "set and header: a name, ':' and a value";
}

static const char *read_any(struct fault *f, const char *value)
{
	(void)f;
	(void)value;
	return NULL;
}

static const char *read_member(struct fault *f, const struct field *field)
{
	static const struct {
		const char *name;
		const char *(*read)(struct fault *, const char *);
	} members[] = {
		{ "endpoint", read_endpoint }, { "status", read_status }, { "body", read_any },
		{ "type", read_any },          { "header", read_pair },   { "act", read_act },
		{ "delay_ms", read_delay },    { "drop", read_drop },     { "cut", read_cut },
		{ "set", read_pair },          { "unset", read_any },     { "times", read_times },
		{ "raw", read_any },           { "fill", read_any },      { "drip_ms", read_drip },
		{ "end", read_end },
	};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (strcmp(members[i].name, field->name) == 0)
			return members[i].read(f, field->value);
	return "an unknown member; alation-sandbox --help lists them";
}

/* What stands together wrongly, or NULL. */
static const char *combination_trouble(const struct fault *f)
{
	bool is_raw = fields_find(&f->fields, "raw"), has_fill = fields_find(&f->fields, "fill");

	if (!f->endpoint)
		return "endpoint: missing";
	if (!is_raw && (has_fill || fields_find(&f->fields, "end")))
		return "fill and end go with raw";
	if (f->drip_ms && !has_fill)
		return "drip_ms goes with fill";
	return NULL;
}

const char *faults_add(struct faults *faults, struct fields *fields)
{
	struct fault *f = must_alloc(sizeof *f), **last = &faults->first;
	const char *why = NULL;

	*f = (struct fault){ .refs = 1, .left = 1, .fields = *fields };
	fields->n = 0;
	for (size_t i = 0; i < f->fields.n && !why; i++)
		why = read_member(f, &f->fields.list[i]);
	if (!why)
		why = combination_trouble(f);
	if (why) {
		fault_release(f);
		return why;
	}
	if (f->left == 0)
		f->left = -1;
	while (*last)
		last = &(*last)->next;
	*last = f;
	return NULL;
}

void fault_release(struct fault *fault)
{
	if (!fault || --fault->refs > 0)
		return;
	fields_free(&fault->fields);
	free(fault);
}

void faults_clear(struct faults *faults)
{
	while (faults->first) {
		struct fault *f = faults->first;

		faults->first = f->next;
		fault_release(f);
	}
}

struct fault *faults_take(struct faults *faults, const char *endpoint)
{
	struct fault **at = &faults->first;

	while (*at && strcmp((*at)->endpoint, "*") != 0 && strcmp((*at)->endpoint, endpoint) != 0)
		at = &(*at)->next;
	if (*at) {
		struct fault *f = *at;

		if (f->left > 0 && --f->left == 0)
			*at = f->next; /* the queue's reference goes to the caller */
		else
			f->refs++;
		return f;
	}
	return NULL;
}

static bool changes_members(const struct fault *f)
{
	return fields_find(&f->fields, "set") || fields_find(&f->fields, "unset");
}

/* Is the whole answer another one than the endpoint's? */
static bool replaces(const struct fault *f)
{
	return fields_find(&f->fields, "body") || (f->status && !changes_members(f)) ||
	       (fields_find(&f->fields, "raw") && f->end != END_ANSWER);
}

bool fault_acts(const struct fault *f)
{
	if (f->drop != DROP_NO)
		return f->drop == DROP_AFTER;
	return f->act || !replaces(f);
}

static void replace(const struct fault *f, struct reply *reply)
{
	const struct field *body = fields_find(&f->fields, "body");
	int status = f->status ? (int)f->status : 200;
	struct text code = { 0 };

	text_printf(&code, "%d000", status);
	reply_refuse(reply, status, "The sandbox was told to answer like this.", code.p);
	text_free(&code);
	if (body)
		reply_bytes(reply, body->value, body->value_n);
}

/* NAME:VALUE; a header's value may have a blank before it. */
static void apply_pair(struct reply *reply, const struct field *field)
{
	const char *colon = strchr(field->value, ':');
	char *name = must_copy(field->value, (size_t)(colon - field->value));

	if (strcmp(field->name, "set") == 0)
		reply_raw(reply, name, colon + 1);
	else
		reply_header(reply, name, colon + 1 + strspn(colon + 1, " "));
	free(name);
}

static void apply_raw(const struct fault *f, struct reply *reply)
{
	const struct field *bytes = fields_find(&f->fields, "raw"), *fill = fields_find(&f->fields, "fill");

	if (!bytes)
		return;
	reply->raw = (struct reply_raw){ .is_set = true, .drip_ms = f->drip_ms, .end = f->end };
	text_add(&reply->raw.bytes, bytes->value, bytes->value_n);
	if (fill)
		text_add(&reply->raw.fill, fill->value, fill->value_n);
	if (f->end != END_ANSWER)
		reply->status = 0;
}

void fault_apply(const struct fault *f, struct reply *reply)
{
	if (replaces(f))
		replace(f, reply);
	else if (f->status)
		reply->status = (int)f->status;
	for (size_t i = 0; i < f->fields.n; i++) {
		const struct field *field = &f->fields.list[i];

		if (strcmp(field->name, "set") == 0 || strcmp(field->name, "header") == 0)
			apply_pair(reply, field);
		else if (strcmp(field->name, "unset") == 0)
			reply_unset(reply, field->value);
		else if (strcmp(field->name, "type") == 0)
			reply_type(reply, field->value);
	}
	if (f->drop != DROP_NO)
		reply->status = 0;
	apply_raw(f, reply);
	reply->is_cut = f->is_cut;
	reply->cut_n = (size_t)f->cut_n;
}

void fault_name(const struct fault *f, struct text *t)
{
	static const char *const kinds[] = {
		"delay_ms", "drop", "cut", "status", "body", "set", "unset", "type", "header", "raw", "fill", "drip_ms", "end",
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!fields_find(&f->fields, kinds[i]))
			continue;
		text_printf(t, "%s%s", t->n ? "," : "", kinds[i]);
		if (strcmp(kinds[i], "drop") == 0)
			text_puts(t, f->drop == DROP_BEFORE ? "-before" : "-after");
		else if (strcmp(kinds[i], "status") == 0)
			text_printf(t, "-%lld", f->status);
	}
}
