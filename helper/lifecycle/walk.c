/* SPDX-License-Identifier: MIT */
/*
 * Between the helper and the keyring stack.
 */
#include "helper/lifecycle/walk.h"

#include <stdio.h>
#include <string.h>

#include "helper/base/clock.h"
#include "helper/base/foreign.h"
#include "helper/base/prompt.h"
#include "helper/base/stdout.h"
#include "helper/base/trace.h"
#include "helper/base/watchdog.h"
#include "helper/lifecycle/survey.h"
#include "keyring/load.h"

#define PROMPT_MS 120000
#define CLOSE_MS 1000
#define MODULE_TEXT_BYTES 512

static const char crash_remedy[] = "try again; if it does so again, install it anew or keep the RefreshToken in another keyring, and tell its author";

struct closing {
	const struct context *context;
	int code;
	bool goes_on; /* nothing is said yet: a failure here is the call's */
};

/* A module for people: its name, and the file it came from. */
static const char *named(const struct context *context, const char *module, char text[MODULE_TEXT_BYTES])
{
	char file[LOAD_PLACE_BYTES];

	load_place(context->keyring.modules_dir, module, file);
	if (!*file || strcmp(file, module) == 0)
		snprintf(text, MODULE_TEXT_BYTES, "'%s'", module);
	else
		snprintf(text, MODULE_TEXT_BYTES, "'%s' (%s)", module, file);
	return text;
}

/* Of code that is not in the executable: it may crash, and what it prints must be known from what was printed before. That is not looked
 * at after a server's answer, when each system call might be the last. */
static void beware(const struct context *context, const char *name, const char *text)
{
	size_t before = stdout_strayed();
	struct trouble died = { 0 };

	if (before)
		trace("something printed %zu bytes on stdout before %s was called, which were dropped", before, name);
	trouble_say(&died, TROUBLE_KEYRING_FAILED, crash_remedy, "the keyring module %s crashed for %s", name, text);
	context_foresee(context, WATCHDOG_DIED, &died);
}

/* A module is about to be called: how long it may take, and what is said if it never comes back. */
static int64_t begin(void *host, const char *module)
{
	struct walk *walk = host;
	struct context *context = walk->context;
	struct trouble late = { 0 };
	char text[ACCOUNT_TEXT_BYTES], name[MODULE_TEXT_BYTES];
	int64_t deadline_ms;

	walk->began_ms = clock_mono_ms();
	deadline_ms = walk->began_ms + (walk->may_prompt ? PROMPT_MS : context->module_ms);
	if (!walk->may_prompt && deadline_ms > context->deadline_ms)
		deadline_ms = context->deadline_ms;
	if (context->survey && deadline_ms > context->survey->until_ms)
		deadline_ms = context->survey->until_ms;
	named(context, module, name);
	account_text(walk->account, text);
	trouble_say(&late, TROUBLE_KEYRING_TIMEOUT, "look whether that keyring's service hangs, then try again",
	            "the keyring module %s did not come back for %s", name, text);
	context_foresee(context, WATCHDOG_LATE, &late);
	if (!load_is_built_in(module))
		beware(context, name, text);
	watchdog_arm(deadline_ms);
	return deadline_ms;
}

static void loads(void *host)
{
	(void)host;
	foreign_code_comes();
}

static size_t end(void *host)
{
	struct walk *walk = host;
	size_t strayed = stdout_strayed();

	watchdog_disarm();
	secret_wipe(&walk->answer);
	/* A person's time is not the program's. */
	if (walk->may_prompt)
		walk->context->deadline_ms += clock_mono_ms() - walk->began_ms;
	return strayed;
}

static int put(void *host, const char *bytes, size_t len)
{
	struct walk *walk = host;

	if (!walk->found)
		return 0;
	return secret_set(walk->found, (struct bytes){ bytes, len }) ? 0 : -1;
}

static void note(void *host, const char *module, const char *text)
{
	(void)host;
	trace("%s: %s", module, text);
}

/* What a person types is the module's until its call returns. */
static int ask(void *host, const char *question, const char **answer, size_t *len)
{
	struct walk *walk = host;
	struct context *context = walk->context;
	struct trouble trouble = { 0 };
	char text[1024];

	secret_wipe(&walk->answer);
	context->asked = true;
	trouble_escape(text, sizeof text, question); /* a keyring's name in it is a stranger's */
	if (prompt_secret(text, walk->began_ms + PROMPT_MS, &walk->answer, &trouble) != DONE) {
		/* A program that cannot be started is known here alone; the module knows of no answer. */
		context_warn(context, "no_answer", "%s", trouble.message);
		return clock_mono_ms() < walk->began_ms + PROMPT_MS ? ACRED_LOCKED : ACRED_TIMEOUT;
	}
	*answer = secret_view(&walk->answer).p;
	*len = walk->answer.len;
	return ACRED_OK;
}

static void know(void *host, const char *module, const struct acred_key *key)
{
	struct walk *walk = host;

	survey_know(walk->context, module, key);
}

static bool known(void *host, const char *module, const struct acred_key *key)
{
	const struct walk *walk = host;

	return survey_knows(walk->context, module, key);
}

/* `get` never asks; a keyring's own dialog is another matter. */
static struct keyring_ears ears_of(struct walk *walk)
{
	bool surveys = walk->context->survey && walk->context->survey->held;

	return (struct keyring_ears){
		.host = walk,
		.flags = (walk->may_prompt ? ACRED_MAY_PROMPT : 0) | (walk->context->interactive ? 0 : ACRED_NO_DIALOG),
		.begin = begin,
		.loads = loads,
		.end = end,
		.put = put,
		.note = note,
		.ask = walk->may_prompt && walk->context->asks && prompt_secret_possible() ? ask : NULL,
		.know = surveys ? know : NULL,
		.known = surveys ? known : NULL,
	};
}

struct acred_key walk_key(const struct account *account, const char *facility)
{
	return (struct acred_key){ .facility = facility, .base_url = account->base_url, .user_id = account->user_id };
}

const char *walk_holder(const struct account *account)
{
	return account->module[0] ? account->module : NULL;
}

/* Who holds it is asked, whatever the configuration has become since. */
static void add_holder(struct walk *walk, const char *facility, const char *holder)
{
	if (holder)
		keyring_add(&walk->context->keyring, facility, holder);
}

/* A module that cannot be one is a fault of this machine that somebody must hear of, though another has answered in its place. One
 * that is not installed is none. */
static void tell_refused(struct context *context, const struct keyring_answer *answer)
{
	for (size_t i = 0; i < answer->n_passed_over; i++)
		if (answer->passed_over[i].refused && answer->passed_over[i].status != ACRED_UNAVAILABLE)
			context_warn(context, "module_refused", "the keyring module '%s' was passed over: %s", answer->passed_over[i].module,
			             answer->passed_over[i].why);
}

static int traced(const struct walk *walk, const char *what, const struct acred_key *key, const struct keyring_answer *answer)
{
	trace("%s %s of %lld@%s: %s by %s%s%s", what, key->facility, (long long)key->user_id, key->base_url,
	      keyring_status_word(answer->status), answer->module ? answer->module : "nobody", answer->why[0] ? ": " : "",
	      answer->why);
	tell_refused(walk->context, answer);
	return answer->status;
}

int walk_look_up(struct walk *walk, const struct acred_key *key, const char *holder, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	add_holder(walk, key->facility, holder);
	keyring_lookup(&walk->context->keyring, &ears, key, holder, ret_answer);
	return traced(walk, "look up", key, ret_answer);
}

int walk_look_up_in(struct walk *walk, const struct acred_key *key, const char *module, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	keyring_lookup_in(&walk->context->keyring, &ears, key, module, ret_answer);
	return traced(walk, "read back", key, ret_answer);
}

int walk_locate(struct walk *walk, const struct acred_key *key, const char *holder, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	add_holder(walk, key->facility, holder);
	keyring_locate(&walk->context->keyring, &ears, key, holder, ret_answer);
	return traced(walk, "locate", key, ret_answer);
}

int walk_store(struct walk *walk, const struct acred_key *key, const char *holder, struct bytes line, int64_t ttl_s,
               struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	add_holder(walk, key->facility, holder);
	keyring_store(&walk->context->keyring, &ears, key, holder, line.p, line.n, ttl_s, ret_answer);
	return traced(walk, "store", key, ret_answer);
}

int walk_erase(struct walk *walk, const struct acred_key *key, const char *holder, const char *but, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	add_holder(walk, key->facility, holder);
	keyring_erase(&walk->context->keyring, &ears, key, but, ret_answer);
	return traced(walk, "erase", key, ret_answer);
}

int walk_erase_in(struct walk *walk, const struct acred_key *key, const char *module, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);

	keyring_erase_in(&walk->context->keyring, &ears, key, module, ret_answer);
	return traced(walk, "erase in", key, ret_answer);
}

int walk_lock(struct walk *walk, const char *holder, struct keyring_answer *ret_answer)
{
	struct keyring_ears ears = ears_of(walk);
	struct acred_key key = walk_key(walk->account, "refresh");

	add_holder(walk, key.facility, holder);
	keyring_lock(&walk->context->keyring, &ears, key.facility, ret_answer);
	return traced(walk, "lock", &key, ret_answer);
}

/* The call's words are said, and its exit code stays; else they are these. */
static void foresee_close(const struct closing *closing, enum watchdog_end end, const struct trouble *trouble)
{
	if (closing->goes_on)
		context_foresee(closing->context, end, trouble);
	else
		watchdog_words(end, trouble, (struct bytes){ NULL, 0 }, closing->code);
}

static int64_t begin_close(void *host, const char *module)
{
	const struct closing *closing = host;
	struct trouble late = { 0 }, died = { 0 };
	int64_t deadline_ms = clock_mono_ms() + CLOSE_MS;
	char name[MODULE_TEXT_BYTES];

	named(closing->context, module, name);
	trouble_say(&late, TROUBLE_KEYRING_TIMEOUT, "", "the keyring module %s did not come back when it was closed", name);
	foresee_close(closing, WATCHDOG_LATE, &late);
	trouble_say(&died, TROUBLE_KEYRING_FAILED, "", "the keyring module %s crashed when it was closed", name);
	foresee_close(closing, WATCHDOG_DIED, &died);
	watchdog_arm(deadline_ms);
	return deadline_ms;
}

static size_t end_close(void *host)
{
	size_t strayed = stdout_strayed();

	(void)host;
	watchdog_disarm();
	return strayed;
}

static void close_all(struct closing closing, struct keyring *keyring)
{
	struct keyring_ears ears = { .host = &closing, .begin = begin_close, .end = end_close };

	keyring_close(keyring, &ears);
}

void walk_close(struct context *context, int code)
{
	close_all((struct closing){ context, .code = code }, &context->keyring);
}

void walk_anew(struct context *context)
{
	close_all((struct closing){ context, .goes_on = true }, &context->keyring);
	context_lay_out(context);
}

struct listing {
	struct walk walk; /* first: the ears' host */
	void (*each)(void *user, const struct acred_key *key, const char *module);
	void *user;
};

static void pass_on(void *host, const struct acred_key *key, const char *module)
{
	struct listing *listing = host;

	listing->each(listing->user, key, module);
}

void walk_sources(struct walk *walk, bool all, void (*each)(void *user, const struct acred_key *key, const char *module), void *user)
{
	struct listing listing = { *walk, each, user };
	struct keyring_ears ears = ears_of(&listing.walk);

	ears.host = &listing;
	keyring_sources(&walk->context->keyring, &ears, "refresh", all, pass_on);
}
