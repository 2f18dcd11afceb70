/* SPDX-License-Identifier: MIT */
/*
 * In a run's process: loads the module by the program's own loader, makes the calls that were asked for, and writes down
 * what came. What a call was given is gone, overwritten, when it has returned. Judges only what is wrong in any case.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/base/foreign.h"
#include "helper/base/harden.h"
#include "helper/site.h"
#include "keyring/load.h"
#include "protocol/url.h"
#include "tests/check-module/check.h"

#define GRACE_MS 2000
#define FOR_EVER_MS 30000 /* for a call without a deadline */
#define SETTLE_MS 2000    /* a library's thread may close what it had a moment later */
#define POISON 0xa5

static struct {
	const struct options *options;
	const char *token;
	struct board *board;
	struct acred_module module;
	void *state;
	struct surroundings *surroundings;
	off_t n_out, n_err;
	pid_t thread;
	/* of the call that runs */
	bool calling, opening;
	const struct op *op;
	struct result *result;
	const char *secret; /* what must not be in a note */
	size_t secret_n;
	char *answer;
} guest;

struct call { /* one call's, on the heap: whoever keeps a pointer to it finds it overwritten */
	struct acred_call call;
	unsigned char more[256];
};

static void doing(const char *what)
{
	snprintf(guest.board->doing, sizeof guest.board->doing, "%s", what);
}

static void __attribute__((format(printf, 2, 3))) offend(enum offence offence, const char *format, ...)
{
	char *text = guest.board->offences[offence], what[TEXT_BYTES - 80];
	va_list args;

	if (text[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(text, TEXT_BYTES, "in %.60s: %s", guest.board->doing, what);
}

/* Whether a call-back comes as it may. */
static bool heard(const char *what, void *host)
{
	if (gettid() != guest.thread)
		offend(OFFENCE_THREAD, "%s from another thread", what);
	else if (!guest.calling)
		offend(OFFENCE_THREAD, "%s after the call had returned", what);
	else if (host != &guest)
		offend(OFFENCE_THREAD, "%s with another host than the call's", what);
	else
		return true;
	return false;
}

static int on_put(void *host, const char *bytes, size_t n)
{
	struct board *board = guest.board;
	struct result *result = guest.result;
	size_t kept;

	if (!heard("put()", host))
		return 1;
	if (guest.opening || guest.op->what != OP_LOOKUP) {
		offend(OFFENCE_PUT, "it is no look-up, and put() was called");
		return 1;
	}
	if (bytes == NULL) {
		offend(OFFENCE_PUT, "put() with NULL");
		return 1;
	}
	if (result->puts++ > 0) {
		offend(OFFENCE_PUT, "put() was called twice");
		return 1;
	}
	if (guest.op->refuse_put)
		return 1;
	kept = n < sizeof board->secrets - board->used ? n : sizeof board->secrets - board->used;
	memcpy(board->secrets + board->used, bytes, kept);
	result->at = board->used;
	result->n = n;
	board->used += kept;
	if (guest.secret == NULL) {
		guest.secret = board->secrets + result->at;
		guest.secret_n = kept;
	}
	return 0;
}

static void on_note(void *host, const char *text)
{
	if (!heard("note()", host))
		return;
	if (text == NULL) {
		offend(OFFENCE_NOTE, "note() with NULL");
		return;
	}
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			offend(OFFENCE_NOTE, "a note has a line feed or another control character");
	if (guest.secret != NULL && guest.secret_n >= 4 && memmem(text, strlen(text), guest.secret, guest.secret_n) != NULL) {
		offend(OFFENCE_NOTE, "the secret stands in a note");
		return;
	}
	snprintf(guest.opening ? guest.board->open_note : guest.result->note, TEXT_BYTES, "%s", text);
	for (char *p = guest.opening ? guest.board->open_note : guest.result->note; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

static int on_ask(void *host, const char *question, const char **answer, size_t *len)
{
	const struct options *options = guest.options;

	if (!heard("ask()", host))
		return ACRED_LOCKED;
	if (question == NULL || *question == '\0')
		offend(OFFENCE_ASK, "ask() without a question");
	if (!guest.opening) {
		guest.result->asked++;
		if (guest.op->what == OP_LIST || guest.op->what == OP_LOCK)
			offend(OFFENCE_ASK, "a person was asked");
	}
	if (guest.op->silent || options->answer == NULL)
		return ACRED_LOCKED;
	if (guest.answer == NULL)
		guest.answer = malloc(options->answer_n + 1);
	if (guest.answer == NULL)
		return ACRED_LOCKED;
	memcpy(guest.answer, options->answer, options->answer_n);
	*answer = guest.answer;
	*len = options->answer_n;
	return ACRED_OK;
}

/* Never the text itself: a base URL without its end may run on into a secret. */
static bool well_formed(const struct acred_key *key, char what[MALFORMED_BYTES])
{
	size_t n;
	enum url_error error; /* plain http is the program's to refuse: the cases store some */
	struct url url;

	what[0] = '\0';
	if (key == NULL || key->facility == NULL || key->base_url == NULL)
		snprintf(what, MALFORMED_BYTES, "without a key, or with a key in which a text is NULL");
	else if ((n = strspn(key->facility, "abcdefghijklmnopqrstuvwxyz")) == 0 || n > FACILITY_MAX_BYTES || key->facility[n] != '\0')
		snprintf(what, MALFORMED_BYTES, "with a facility that is not 1 to %d of a-z", FACILITY_MAX_BYTES);
	else if (key->user_id < 1 || key->user_id > ACRED_USER_ID_MAX)
		snprintf(what, MALFORMED_BYTES, "with a user_id that is not 1 to %d", ACRED_USER_ID_MAX);
	else if ((n = strnlen(key->base_url, ACRED_BASE_URL_MAX_BYTES + 1)) > ACRED_BASE_URL_MAX_BYTES)
		snprintf(what, MALFORMED_BYTES, "with a base_url of more than %d bytes: does it have its NUL?", ACRED_BASE_URL_MAX_BYTES);
	else if (key->base_url[n = strspn(key->base_url, "abcdefghijklmnopqrstuvwxyz0123456789:/.-_[]")] != '\0')
		snprintf(what, MALFORMED_BYTES, "with a base_url whose byte %zu of %zu none can have: does it have its NUL?", n + 1, strlen(key->base_url));
	else if ((error = url_parse((struct bytes){ key->base_url, n }, &url)) != URL_PLAIN_HTTP && (error != URL_OK || strcmp(url.base, key->base_url) != 0))
		snprintf(what, MALFORMED_BYTES, "with a base_url that is not normalised");
	return what[0] == '\0';
}

static void on_each(void *host, const struct acred_key *key)
{
	struct result *result = guest.result;
	struct listed *listed;
	char what[MALFORMED_BYTES];

	if (!heard("each()", host))
		return;
	result->n_listed++;
	if (!well_formed(key, what)) {
		result->n_malformed++;
		if (result->malformed[0] == '\0')
			memcpy(result->malformed, what, sizeof result->malformed);
		offend(OFFENCE_STATUS, "each() %s", what);
		return;
	}
	/* What else the user keeps there is nobody's business here, but for what a source is said to hold. */
	if ((strstr(key->base_url, guest.token) == NULL && guest.options->n_held == 0) || result->n_kept == LISTED_MAX)
		return;
	listed = &result->listed[result->n_kept++];
	snprintf(listed->facility, sizeof listed->facility, "%s", key->facility);
	snprintf(listed->base_url, sizeof listed->base_url, "%s", key->base_url);
	listed->user_id = key->user_id;
}

static void poison(void *p, size_t n)
{
	memset(p, POISON, n);
	__asm__ volatile("" : : "r"(p) : "memory"); /* freed right after: it would be left out */
	free(p);
}

static void poison_text(const char *text)
{
	poison((char *)(uintptr_t)text, strlen(text) + 1);
}

static const char *copy(const char *text) /* "" for none: a list has no key */
{
	char *own = strdup(text != NULL ? text : "");

	if (own == NULL)
		_exit(1);
	return own;
}

static struct call *call_begin(const struct op *op)
{
	const struct options *options = guest.options;
	struct call *call = malloc(sizeof *call);
	bool person = op->silent || op->mute || (options->answer != NULL && !op->nobody);
	int64_t now = now_ms(), time_ms = op->time_ms ? op->time_ms : options->deadline_ms;

	if (call == NULL)
		_exit(1);
	memset(call, POISON, sizeof *call);
	call->call = (struct acred_call){
		.size = op->newer ? sizeof *call : sizeof call->call,
		.flags = (person ? (uint32_t)ACRED_MAY_PROMPT | ACRED_NO_DIALOG : 0) | (op->newer ? 0xfff0u : 0),
		.deadline_ms = op->no_deadline ? 0 : op->late ? now - 1 : now + time_ms,
		.host = &guest,
		.put = on_put,
		.note = on_note,
		.ask = person && !op->mute ? on_ask : NULL,
	};
	guest.board->ends_ms = now + (op->no_deadline ? FOR_EVER_MS : op->late ? 0 : time_ms) + GRACE_MS + options->margin_ms;
	guest.op = op;
	guest.secret = op->bytes;
	guest.secret_n = op->n;
	guest.calling = true;
	return call;
}

static int64_t call_end(struct call *call)
{
	int64_t late_ms = call->call.deadline_ms == 0 ? 0 : now_ms() - call->call.deadline_ms;

	guest.calling = false;
	poison(call, sizeof *call);
	if (guest.answer != NULL)
		poison(guest.answer, guest.options->answer_n + 1);
	guest.answer = NULL;
	return late_ms > 0 ? late_ms : 0;
}

static void check_output(int fd, off_t *n, enum offence offence)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		offend(offence, "descriptor %d was closed", fd);
	else if (st.st_size != *n)
		offend(offence, "%lld bytes were written there", (long long)(st.st_size - *n));
	*n = st.st_size;
}

static void check_children(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);

	if (pid == 0)
		offend(OFFENCE_CHILD, "a child process still runs");
	else if (pid > 0)
		offend(OFFENCE_CHILD, "a child process was not waited for");
}

/* After each call. */
static void check_surroundings(void)
{
	char what[TEXT_BYTES];

	fflush(NULL); /* stdio's buffers are the module's, too */
	check_output(STDOUT_FILENO, &guest.n_out, OFFENCE_STDOUT);
	check_output(STDERR_FILENO, &guest.n_err, OFFENCE_STDERR);
	if (lseek(STDIN_FILENO, 0, SEEK_CUR) != 0)
		offend(OFFENCE_STDIN, "stdin was read or closed");
	if (!surroundings_same(guest.surroundings, what))
		offend(OFFENCE_PROCESS, "%s", what);
	if (!surroundings_closed_on_exec(guest.surroundings, what))
		offend(OFFENCE_DESCRIPTOR, "%s", what);
	check_children();
}

static void check_status(int status)
{
	if (status < ACRED_OK || status > ACRED_FAILED)
		offend(OFFENCE_STATUS, "answered %d, which is no status", status);
}

static int store(struct call *call, const struct op *op, const struct acred_key *key)
{
	char *bytes = malloc(op->n + 1);
	int status;

	if (bytes == NULL)
		_exit(1);
	memcpy(bytes, op->bytes, op->n);
	status = guest.module.store(&call->call, guest.state, key, bytes, op->n, op->ttl_s);
	poison(bytes, op->n + 1);
	return status;
}

static int dispatch(struct call *call, const struct op *op)
{
	const struct acred_module *m = &guest.module;
	struct acred_key key = { copy(op->key.facility), copy(op->key.base_url), op->key.user_id };
	int status = ACRED_READONLY;

	if (op->what == OP_LOOKUP)
		status = m->lookup(&call->call, guest.state, &key);
	else if (op->what == OP_STORE && m->store != NULL)
		status = store(call, op, &key);
	else if (op->what == OP_ERASE && m->erase != NULL)
		status = m->erase(&call->call, guest.state, &key);
	else if (op->what == OP_LIST && m->list != NULL)
		status = m->list(&call->call, guest.state, on_each);
	else if (op->what == OP_LOCK && m->lock != NULL)
		status = m->lock(&call->call, guest.state);
	poison_text(key.facility);
	poison_text(key.base_url);
	return status;
}

static void check_puts(const struct result *result)
{
	if (guest.op->what != OP_LOOKUP)
		return;
	if (result->status == ACRED_OK && result->puts == 0)
		offend(OFFENCE_PUT, "ok, and put() was not called");
	if (result->status == ACRED_OK && guest.op->refuse_put)
		return; /* a case's own */
	if (result->status != ACRED_OK && result->puts > 0 && !guest.op->refuse_put)
		offend(OFFENCE_PUT, "put() was called, and the answer was %s", status_word(result->status));
}

static void make_call(const struct op *op, struct result *result)
{
	struct call *call;

	doing(operation_words[op->what]);
	guest.result = result;
	call = call_begin(op);
	result->status = dispatch(call, op);
	result->late_ms = call_end(call);
	check_status(result->status);
	check_puts(result);
	check_surroundings();
	result->done = true;
}

/* As the program does: opened once, and what that answered stands for every call. */
static bool open_module(const struct errand *errand, void **ret_state)
{
	static const struct op plain;
	struct op how = errand->n > 0 ? errand->ops[0] : plain;
	struct call *call;
	int status = ACRED_OK;

	how.bytes = NULL;
	how.n = 0;
	doing("open");
	*ret_state = NULL;
	if (guest.module.open != NULL) {
		guest.opening = true;
		call = call_begin(&how);
		status = guest.module.open(&call->call, errand->argc, errand->argv, ret_state);
		call_end(call);
		guest.opening = false;
		check_status(status);
		check_surroundings();
	}
	guest.board->open_status = status;
	return status == ACRED_OK;
}

static void answer_with_open(const struct errand *errand)
{
	for (size_t i = 0; i < errand->n; i++) {
		struct result *result = &guest.board->results[i];

		result->status = guest.board->open_status;
		memcpy(result->note, guest.board->open_note, sizeof result->note);
		result->done = true;
	}
}

static void close_module(void *state)
{
	static const struct op plain;

	doing("close");
	guest.board->ends_ms = now_ms() + guest.options->deadline_ms + GRACE_MS + guest.options->margin_ms;
	guest.op = &plain;
	if (guest.module.close != NULL)
		guest.module.close(state);
	check_surroundings();
}

static void check_leak(unsigned before, unsigned rounds)
{
	const struct timespec a_moment = { .tv_nsec = 10 * 1000000 };
	int64_t end = now_ms() + SETTLE_MS;

	while (descriptors_open() > before && now_ms() < end)
		nanosleep(&a_moment, NULL);
	if (descriptors_open() > before)
		offend(OFFENCE_LEAK, "%u more descriptors are open after %u more times from open to close", descriptors_open() - before, rounds);
}

static void rounds(const struct errand *errand)
{
	unsigned n = errand->rounds ? errand->rounds : 1, before = 0;
	void *second = NULL;

	for (unsigned round = 0; round < n; round++) {
		if ((errand->twice && !open_module(errand, &second)) || !open_module(errand, &guest.state)) {
			answer_with_open(errand);
			continue;
		}
		guest.board->opened = true;
		for (size_t i = 0; i < errand->n; i++) {
			memset(&guest.board->results[i], 0, sizeof guest.board->results[i]);
			make_call(&errand->ops[i], &guest.board->results[i]);
			if (i == 0 && errand->twice)
				close_module(second);
		}
		close_module(guest.state);
		if (round == 0)
			before = descriptors_open();
	}
	if (n > 1 && guest.board->opened)
		check_leak(before, n - 1);
}

static void tell_facts(struct board *board)
{
	const struct acred_module *m = &guest.module;

	board->facts = *m;
	snprintf(board->name, sizeof board->name, "%s", m->name != NULL ? m->name : "");
	snprintf(board->about, sizeof board->about, "%s", m->about != NULL ? m->about : "");
}

void guest_main(const struct options *options, const char *token, const struct errand *errand, struct board *board)
{
	int out = dup(STDOUT_FILENO);

	if (!harden_process())
		_exit(1);
	foreign_code_comes();
	/* It has set stdout aside, as in the program; here what is printed is counted in the end, too. */
	dup2(out, STDOUT_FILENO);
	close(out);
	guest.options = options;
	guest.token = token;
	guest.board = board;
	guest.thread = gettid();
	guest.surroundings = surroundings_take();
	if (guest.surroundings == NULL)
		_exit(1);
	doing("load");
	board->load_status = load_module(site_modules_dir(), options->module, &guest.module, board->why, sizeof board->why);
	if (board->load_status == ACRED_OK) {
		tell_facts(board);
		check_surroundings();
		rounds(errand);
	}
	fflush(NULL);
	doing("the end of the process");
	board->finished = true;
#ifdef KEEP_EXIT_HANDLERS /* sanitizers report from one */
	exit(0);
#else
	_exit(0);
#endif
}
