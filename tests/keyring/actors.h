/* SPDX-License-Identifier: MIT */
/*
 * Modules that are acted, for the tests of the walk: a case is a row of lines that say what their modules answer,
 * and what must come of it. load_module() is this file's.
 */
#ifndef TESTS_KEYRING_ACTORS_H
#define TESTS_KEYRING_ACTORS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keyring/keyring.h"
#include "keyring/load.h"

#define LINES_MAX 5
#define LOG_BYTES 512
#define DEADLINE_MS 4711

/* A line: "[FACILITY:]CONTROL MODULE [OPERATION=ANSWER]...". An answer is a status word, or
 *   none        (no such operation)            silent   (ok, but no secret handed over)
 *   twice       (hands over two secrets)       unsaid   (hands one over, and answers 'failed')
 *   odd         (a number that is no status)   listed, other (ok: the key, another key)
 *   prints      (ok, and bytes on stdout)
 * Without: load=ok open=ok lookup=absent store=ok erase=ok list=none lock=none. Who answers anything but 'ok' notes "no OPERATION". */
struct actor {
	char name[8], load[16], open[16], lookup[16], store[16], erase[16], list[16], lock[16];
	const char *argv[1];
};

static struct actor actors[LINES_MAX];
static size_t n_actors;
static char logged[LOG_BYTES], noted[LOG_BYTES], held[64];
static const char *running; /* between begin() and end() */
static const char *loads;   /* between loads() and load_module() */
static bool refuse_put;
static size_t printed; /* on stdout, in the call that runs */

static const struct acred_key key = { "refresh", "https://a.example", 7 };
static const struct acred_key cache_key = { "access", "https://a.example", 7 };

static int status_of(const char *word)
{
	for (int i = ACRED_OK; i <= ACRED_FAILED; i++)
		if (strcmp(word, keyring_status_word(i)) == 0)
			return i;
	fail_msg("'%s' is no status", word);
	return -1;
}

static void log_call(const struct actor *actor, const char *operation)
{
	size_t n = strlen(logged);

	snprintf(logged + n, sizeof logged - n, "%s%s.%s", n ? " " : "", actor->name, operation);
}

/* Each call lies between begin and end, and knows its deadline. */
static struct actor *enter(struct acred_call *call, void *state, const char *operation)
{
	struct actor *actor = state;

	assert_non_null(running);
	assert_string_equal(running, actor->name);
	assert_int_equal(call->deadline_ms, DEADLINE_MS);
	assert_int_equal(call->size, sizeof *call);
	log_call(actor, operation);
	return actor;
}

/* The status that WORD is, and why not. */
static int say(struct acred_call *call, const char *operation, const char *word)
{
	char text[32];

	snprintf(text, sizeof text, "no\n%s", operation);
	if (strcmp(word, "ok") != 0)
		call->note(call->host, text);
	return status_of(word);
}

static int actor_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct actor *actor;

	/* A line that keyring_add made has no arguments: then it is the one who is running. */
	assert_int_equal(argc, argv != NULL);
	for (size_t i = 0; i < n_actors; i++)
		if (strcmp(actors[i].name, argc ? argv[0] : running) == 0)
			*state = &actors[i];
	actor = enter(call, *state, "open");
	if (strcmp(actor->open, "odd") == 0)
		return -1;
	return say(call, "open", actor->open);
}

static int actor_lookup(struct acred_call *call, void *state, const struct acred_key *wanted)
{
	struct actor *actor = enter(call, state, "lookup");
	const char *answer = actor->lookup;
	int refused;

	assert_int_equal(wanted->user_id, 7);
	if (strcmp(answer, "odd") == 0)
		return 99;
	if (strcmp(answer, "silent") == 0)
		return ACRED_OK;
	if (strcmp(answer, "prints") == 0) {
		printed = 11;
		answer = "ok";
	}
	if (strcmp(answer, "ok") != 0 && strcmp(answer, "twice") != 0 && strcmp(answer, "unsaid") != 0)
		return say(call, "lookup", answer);
	refused = call->put(call->host, actor->name, strlen(actor->name));
	assert_int_equal(refused != 0, refuse_put);
	if (strcmp(answer, "twice") == 0)
		assert_int_not_equal(call->put(call->host, "second", 6), 0);
	return strcmp(answer, "unsaid") == 0 ? ACRED_FAILED : ACRED_OK;
}

static int actor_store(struct acred_call *call, void *state, const struct acred_key *wanted, const char *bytes,
                       size_t len, int64_t ttl_s)
{
	struct actor *actor = enter(call, state, "store");

	assert_int_equal(wanted->user_id, 7);
	assert_memory_equal(bytes, "secret", 6);
	assert_int_equal(len, 6);
	assert_int_equal(ttl_s, 60);
	if (strcmp(actor->store, "twice") == 0) { /* a secret out of turn */
		assert_int_not_equal(call->put(call->host, "x", 1), 0);
		return ACRED_OK;
	}
	if (strcmp(actor->store, "prints") == 0)
		printed = 11;
	return say(call, "store", printed ? "ok" : actor->store);
}

static int actor_erase(struct acred_call *call, void *state, const struct acred_key *wanted)
{
	assert_int_equal(wanted->user_id, 7);
	return say(call, "erase", enter(call, state, "erase")->erase);
}

static int actor_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	struct actor *actor = enter(call, state, "list");
	struct acred_key other = key;

	assert_int_equal(call->flags & ACRED_MAY_PROMPT, 0);
	printed = strcmp(actor->list, "prints") == 0 ? 11 : 0;
	if (!printed && strcmp(actor->list, "listed") != 0 && strcmp(actor->list, "other") != 0)
		return say(call, "list", actor->list);
	other.user_id = 8;
	each(call->host, &other);
	other.user_id = 7;
	other.base_url = "https://b.example";
	each(call->host, &other);
	other.base_url = "https://a.example";
	other.facility = "access";
	each(call->host, &other);
	if (strcmp(actor->list, "listed") == 0) {
		each(call->host, &key);
		return ACRED_LOCKED; /* of what else there is */
	}
	return ACRED_OK;
}

static int actor_lock(struct acred_call *call, void *state)
{
	assert_int_equal(call->flags & ACRED_MAY_PROMPT, 0);
	return say(call, "lock", enter(call, state, "lock")->lock);
}

static void actor_close(void *state)
{
	assert_string_equal(running, ((struct actor *)state)->name);
	log_call(state, "close");
}

bool load_is_built_in(const char *name)
{
	(void)name;
	return false;
}

const char *load_place(const char *dir, const char *name, char place[LOAD_PLACE_BYTES])
{
	snprintf(place, LOAD_PLACE_BYTES, "%s/%s.so", dir, name);
	return place;
}

int load_module(const char *dir, const char *name, struct acred_module *ret_module, char *why, size_t room)
{
	struct actor *actor = NULL;

	assert_string_equal(dir, "/modules");
	for (size_t i = 0; i < n_actors; i++)
		if (strcmp(actors[i].name, name) == 0)
			actor = &actors[i];
	assert_non_null(actor);
	assert_string_equal(running, name);
	assert_string_equal(loads, name);
	loads = NULL;
	log_call(actor, "load");
	if (strcmp(actor->load, "prints") == 0)
		printed = 11;
	else if (strcmp(actor->load, "ok") != 0) {
		snprintf(why, room, "refused");
		return status_of(actor->load);
	}
	*ret_module = (struct acred_module){
		.open = actor_open,
		.lookup = actor_lookup,
		.store = strcmp(actor->store, "none") != 0 ? actor_store : NULL,
		.erase = strcmp(actor->erase, "none") != 0 ? actor_erase : NULL,
		.list = strcmp(actor->list, "none") != 0 ? actor_list : NULL,
		.close = actor_close,
		.lock = strcmp(actor->lock, "none") != 0 ? actor_lock : NULL,
	};
	return ACRED_OK;
}

static int64_t on_begin(void *host, const char *module)
{
	assert_ptr_equal(host, held);
	assert_null(running);
	running = module;
	return DEADLINE_MS;
}

static void on_loads(void *host)
{
	assert_ptr_equal(host, held);
	assert_non_null(running);
	loads = running;
}

static size_t on_end(void *host)
{
	size_t n = printed;

	(void)host;
	assert_non_null(running);
	running = NULL;
	printed = 0;
	return n;
}

static int on_put(void *host, const char *bytes, size_t len)
{
	(void)host;
	if (refuse_put)
		return 1;
	snprintf(held, sizeof held, "%.*s", (int)len, bytes);
	return 0;
}

static void on_note(void *host, const char *module, const char *text)
{
	(void)host;
	snprintf(noted, sizeof noted, "%s: %s", module, text);
}

static const struct keyring_ears ears = {
	.host = held, .flags = ACRED_MAY_PROMPT, .begin = on_begin, .loads = on_loads, .end = on_end, .put = on_put, .note = on_note,
};

static void set(struct actor *actor, const char *operation, const char *answer)
{
	struct {
		const char *name;
		char *value;
	} fields[] = { { "load", actor->load }, { "open", actor->open }, { "lookup", actor->lookup },
		       { "store", actor->store }, { "erase", actor->erase }, { "list", actor->list }, { "lock", actor->lock } };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (strcmp(fields[i].name, operation) == 0) {
			snprintf(fields[i].value, sizeof actor->load, "%s", answer);
			return;
		}
	fail_msg("'%s' is no operation", operation);
}

static void read_line(const char *text, const char *facility, struct keyring_line *ret_line)
{
	static const char *const controls[] = { "required", "requisite", "sufficient", "optional" };
	struct actor *actor = &actors[n_actors++];
	char copy[128], *rest = copy, *word = copy, *answer;

	snprintf(copy, sizeof copy, "%s", text);
	*actor = (struct actor){ .load = "ok", .open = "ok", .lookup = "absent", .store = "ok", .erase = "ok", .list = "none",
	                         .lock = "none" };
	word = strtok_r(rest, " ", &rest);
	if (strncmp(word, "access:", 7) == 0) {
		facility = "access";
		word += 7;
	}
	ret_line->facility = facility;
	for (int i = 0; i < 4; i++)
		if (strcmp(word, controls[i]) == 0)
			ret_line->control = (enum keyring_control)i;
	snprintf(actor->name, sizeof actor->name, "%s", strtok_r(rest, " ", &rest));
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		answer = strchr(word, '=');
		*answer = '\0';
		set(actor, word, answer + 1);
	}
	actor->argv[0] = ret_line->module = actor->name;
	ret_line->argc = 1;
	ret_line->argv = actor->argv;
}

static struct keyring keyring;
static struct keyring_line lines[LINES_MAX];
static struct keyring_answer answer;

static void set_up(const char *const *texts, const char *facility)
{
	size_t n = 0;

	n_actors = 0;
	logged[0] = noted[0] = held[0] = '\0';
	refuse_put = false;
	memset(&answer, 0xff, sizeof answer);
	memset(&keyring, 0xff, sizeof keyring); /* nothing may be taken for zero */
	for (; n < LINES_MAX && texts[n] != NULL; n++)
		read_line(texts[n], facility, &lines[n]);
	keyring_init("/modules", lines, n, &keyring);
}

/* "STATUS MODULE [PASSED:STATUS]..." */
static void check(const char *what, const char *expected, const char *expected_log)
{
	char got[256];
	int n = snprintf(got, sizeof got, "%s %s", keyring_status_word(answer.status), answer.module ? answer.module : "-");

	for (size_t i = 0; i < answer.n_passed_over; i++)
		n += snprintf(got + n, sizeof got - (size_t)n, " %s:%s", answer.passed_over[i].module,
		              keyring_status_word(answer.passed_over[i].status));
	if (strcmp(got, expected) != 0)
		fail_msg("%s: '%s', not '%s'", what, got, expected);
	if (expected_log != NULL && strcmp(logged, expected_log) != 0)
		fail_msg("%s: called '%s', not '%s'", what, logged, expected_log);
	assert_null(running);
}

struct row {
	const char *what, *lines[LINES_MAX], *expected, *log, *holder;
};

#define EACH(rows) (const struct row *row = rows; row < rows + sizeof rows / sizeof rows[0]; row++)

#endif
