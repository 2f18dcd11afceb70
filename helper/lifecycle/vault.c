/* SPDX-License-Identifier: MIT */
/*
 * Between the helper and the keyring stack.
 */
#include "helper/lifecycle/vault.h"

#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/failpoint.h"
#include "helper/base/harden.h"
#include "helper/base/trace.h"
#include "helper/base/watchdog.h"

#define PROMPT_MS 120000
#define LIFETIME_FOR_EVER 0
#define WRITE_TEST_BYTES 1024 /* of a token: about what servers make */

/* One walk: what the ears need to remember. */
struct walk {
	struct context *context;
	const struct account *account;
	bool may_prompt;
	int64_t began_ms;
	struct secret *found; /* NULL: a secret is dropped unread */
};

/* A module is about to be called: how long it may take, and what is said if it never comes back. */
static int64_t begin(void *host, const char *module)
{
	struct walk *walk = host;
	struct context *context = walk->context;
	struct trouble trouble = { 0 };
	char reply[WATCHDOG_REPLY_MAX_BYTES], text[ACCOUNT_TEXT_BYTES];
	int64_t deadline_ms;

	walk->began_ms = clock_mono_ms();
	deadline_ms = walk->began_ms + (walk->may_prompt ? PROMPT_MS : context->module_ms);
	if (!walk->may_prompt && deadline_ms > context->deadline_ms)
		deadline_ms = context->deadline_ms;
	trouble_say(&trouble, TROUBLE_KEYRING_TIMEOUT, "look whether that keyring's service hangs, then try again",
	            "the keyring module '%s' did not come back for %s", module, account_text(walk->account, text));
	watchdog_arm(deadline_ms, &trouble, context_failure(context, &trouble, reply, sizeof reply));
	return deadline_ms;
}

static void end(void *host)
{
	struct walk *walk = host;

	watchdog_disarm();
	/* A person's time is not the program's. */
	if (walk->may_prompt)
		walk->context->deadline_ms += clock_mono_ms() - walk->began_ms;
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

static struct keyring_ears ears_of(struct walk *walk)
{
	return (struct keyring_ears){
		.host = walk,
		.flags = walk->may_prompt ? ACRED_MAY_PROMPT : 0,
		.begin = begin,
		.end = end,
		.put = put,
		.note = note,
	};
}

static struct acred_key key_of(const struct account *account, const char *facility)
{
	return (struct acred_key){ .facility = facility, .base_url = account->base_url, .user_id = account->user_id };
}

static const char *holder_of(const struct account *account)
{
	return account->module[0] ? account->module : NULL;
}

static int traced(const char *what, const struct acred_key *key, const struct keyring_answer *answer)
{
	trace("%s %s of %lld@%s: %s by %s%s%s", what, key->facility, (long long)key->user_id, key->base_url,
	      keyring_status_word(answer->status), answer->module ? answer->module : "nobody", answer->why[0] ? ": " : "",
	      answer->why);
	return answer->status;
}

/* The three walks. Statuses are module.h's; no word is said. HOLDER: the module that is known to hold it, or NULL. */
static int look_up(struct context *context, const struct account *account, const char *facility, const char *holder,
                   bool may_prompt, struct secret *ret_line, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, may_prompt, 0, ret_line };
	struct keyring_ears ears = ears_of(&walk);
	struct acred_key key = key_of(account, facility);

	keyring_lookup(&context->keyring, &ears, &key, holder, ret_answer);
	return traced("look up", &key, ret_answer);
}

static int store(struct context *context, const struct account *account, const char *facility, const char *holder,
                 struct bytes line, int64_t ttl_s, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, false, 0, NULL };
	struct keyring_ears ears = ears_of(&walk);
	struct acred_key key = key_of(account, facility);

	keyring_store(&context->keyring, &ears, &key, holder, line.p, line.n, ttl_s, ret_answer);
	return traced("store", &key, ret_answer);
}

static int erase(struct context *context, const struct account *account, const char *facility, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, false, 0, NULL };
	struct keyring_ears ears = ears_of(&walk);
	struct acred_key key = key_of(account, facility);

	keyring_erase(&context->keyring, &ears, &key, ret_answer);
	return traced("erase", &key, ret_answer);
}

static enum outcome say_locked(struct context *context, const char *text, const char *module, bool asked)
{
	if (asked)
		return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED, "unlock it in the desktop session, then try again",
		                   "the keyring (%s) is locked, and was not unlocked for %s", module, text);
	/* A verb that never asks, a call that must not, or a lock under which nobody is asked. */
	if (context->interactive || context->options.unattended)
		return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED, "unlock it in the desktop session, then try again",
		                   "the keyring (%s) is locked for %s", module, text);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_LOCKED,
	                   "unlock it in the desktop session, or let it ask with --interactive always",
	                   "the keyring (%s) is locked, and nobody is there to unlock it for %s", module, text);
}

/* A status in words; ASKED: a dialog was allowed. What the module or the loader said of it stands in answer->why. */
static enum outcome say(struct context *context, const struct account *account, const struct keyring_answer *answer, bool asked)
{
	const char *why = answer->why, *module = answer->module ? answer->module : "none";
	char text[ACCOUNT_TEXT_BYTES], remedy[URL_BASE_MAX_BYTES + 64];

	account_text(account, text);
	switch (answer->status) {
	case ACRED_OK:
		return DONE;
	case ACRED_ABSENT:
		snprintf(remedy, sizeof remedy, "log in with 'alation-cred login %s'", account->base_url);
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, remedy, "no RefreshToken is stored for %s", text);
	case ACRED_LOCKED:
		return say_locked(context, text, module, asked);
	case ACRED_UNAVAILABLE:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_UNAVAILABLE,
		                   "run this in a session with a Secret Service (GNOME Keyring, KWallet, KeePassXC)",
		                   "no keyring can be reached for %s: %s%s%s", text, module, *why ? ": " : "", why);
	case ACRED_TIMEOUT:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_TIMEOUT, "look whether that keyring's service hangs, then try again",
		                   "the keyring (%s) did not answer in time for %s", module, text);
	case ACRED_READONLY:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_READONLY, "log in again to keep it in one that can be written", "the keyring (%s) of %s can only be read", module, text);
	default:
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "'alation-cred status' tells about each keyring",
		                   "the keyring (%s) failed for %s%s%s", module, text, *why ? ": " : "", why);
	}
}

const char *vault_fault_words(enum record_fault fault)
{
	static const char *const words[] = {
		[RECORD_OK] = "is sound",
		[RECORD_DAMAGED] = "is damaged",
		[RECORD_FOREIGN] = "is of another kind or another account",
		[RECORD_NEWER] = "was written by a newer alation-cred",
		[RECORD_NO_MEMORY] = "does not fit into memory",
	};

	return words[fault];
}

static enum outcome bad_record(struct context *context, const struct account *account, enum record_fault fault)
{
	char text[ACCOUNT_TEXT_BYTES];

	account_text(account, text);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED,
	                   fault == RECORD_NEWER ? "update this alation-cred" : "remove it with 'alation-cred logout', then log in again",
	                   "what the keyring holds for %s %s", text, vault_fault_words(fault));
}

bool vault_is_foreign(const struct refresh_record *record, const struct account *account)
{
	return record->base_url[0] && (record->user_id != account->user_id || strcmp(record->base_url, account->base_url) != 0);
}

enum outcome vault_refresh(struct context *context, const struct account *account, bool may_prompt,
                           struct refresh_record *ret_record)
{
	SECRET line = { 0 };
	struct keyring_answer answer;
	enum record_fault fault;

	*ret_record = (struct refresh_record){ 0 };
	harden_environment();
	if (look_up(context, account, "refresh", holder_of(account), may_prompt, &line, &answer) != ACRED_OK)
		return say(context, account, &answer, may_prompt);
	fault = refresh_record_parse(secret_view(&line), ret_record);
	if (!fault && vault_is_foreign(ret_record, account))
		fault = RECORD_FOREIGN;
	/* What is not this account's must not be sent, nor compared with anything. */
	if (fault)
		refresh_record_wipe(ret_record);
	ret_record->unreadable = fault && fault != RECORD_NO_MEMORY;
	return fault ? bad_record(context, account, fault) : DONE;
}

/* It was stored under KEY, says the module HOLDER: that is believed once it gives it back. */
static enum outcome comes_back(struct context *context, const struct account *account, const struct acred_key *key,
                               const char *holder, struct bytes line)
{
	SECRET found = { 0 };
	struct walk walk = { context, account, false, 0, &found };
	struct keyring_ears ears = ears_of(&walk);
	struct keyring_answer answer;
	char text[ACCOUNT_TEXT_BYTES];

	keyring_lookup(&context->keyring, &ears, key, holder, &answer);
	if (traced("read back", key, &answer) == ACRED_OK && secret_equal(secret_view(&found), line))
		return DONE;
	if (answer.status != ACRED_OK && answer.status != ACRED_ABSENT)
		return say(context, account, &answer, false);
	return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "'alation-cred status' tells about each keyring",
	                   "the keyring (%s) does not give back what it took for %s", holder, account_text(account, text));
}

/* Whether the keyring answers. The user id is not known before the server tells it; any will do. */
static enum outcome answers(struct context *context, const struct account *account, bool may_prompt)
{
	const struct acred_key key = { "refresh", account->base_url, 1 };
	struct walk walk = { context, account, may_prompt, 0, NULL };
	struct keyring_ears ears = ears_of(&walk);
	struct keyring_answer answer;

	keyring_lookup(&context->keyring, &ears, &key, holder_of(account), &answer);
	if (traced("probe", &key, &answer) == ACRED_OK || answer.status == ACRED_ABSENT)
		return DONE;
	return say(context, account, &answer, may_prompt);
}

static enum outcome say_unwritable(struct context *context, const struct account *account, const struct keyring_answer *answer)
{
	const char *module = answer->module ? answer->module : "none";
	char text[ACCOUNT_TEXT_BYTES];

	account_text(account, text);
	if (answer->status == ACRED_READONLY)
		return trouble_say(&context->trouble, TROUBLE_KEYRING_READONLY, "log in where there is a keyring that can be written",
		                   "the keyring (%s) can only be read, and keeps no RefreshToken of %s", module, text);
	if (answer->status == ACRED_FAILED)
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "look whether its disk is full or can only be read, then try again",
		                   "the keyring (%s) cannot be written for %s%s%s", module, text, answer->why[0] ? ": " : "", answer->why);
	return say(context, account, answer, false);
}

/* Nobody's record: whatever reads it sends it nowhere, and what a crash leaves of it is replaced by the next login's. */
static bool nobodys_line(const struct account *nobody, struct secret *ret_line)
{
	REFRESH_RECORD record = { .user_id = nobody->user_id, .created_at = RECORD_TIME_UNKNOWN, .token_expires_at = RECORD_TIME_UNKNOWN };
	char token[WRITE_TEST_BYTES];

	memset(token, 'x', sizeof token);
	memcpy(record.base_url, nobody->base_url, sizeof record.base_url);
	return secret_set(&record.token, (struct bytes){ token, sizeof token }) && refresh_record_format(&record, ret_line);
}

/* Stored, read back, erased. What stays there harms nobody, so the last step's failure is none. */
static enum outcome write_and_erase(struct context *context, const struct account *account, const struct acred_key *key, struct bytes line)
{
	struct walk walk = { context, account, false, 0, NULL };
	struct keyring_ears ears = ears_of(&walk);
	struct keyring_answer answer, erased;
	enum outcome outcome;

	keyring_store(&context->keyring, &ears, key, holder_of(account), line.p, line.n, LIFETIME_FOR_EVER, &answer);
	failpoint("login.tried");
	if (traced("try a store", key, &answer) == ACRED_OK)
		outcome = comes_back(context, account, key, answer.module, line);
	else
		outcome = say_unwritable(context, account, &answer);
	keyring_erase(&context->keyring, &ears, key, &erased);
	traced("erase", key, &erased);
	return outcome;
}

enum outcome vault_ready(struct context *context, const struct account *account, bool may_prompt)
{
	const struct account nobody = { .base_url = "https://write-test.invalid", .user_id = 1 };
	struct acred_key key = key_of(&nobody, "refresh");
	SECRET line = { 0 };
	LOCK lock = LOCK_NONE;
	enum outcome outcome;

	if (!nobodys_line(&nobody, &line))
		return bad_record(context, account, RECORD_NO_MEMORY);
	harden_environment();
	outcome = answers(context, account, may_prompt);
	/* One at a time: the item of one is not to be erased by another that is done. */
	if (outcome == DONE)
		outcome = account_lock(context, &nobody, &lock);
	if (outcome == DONE)
		outcome = write_and_erase(context, account, &key, secret_view(&line));
	return outcome;
}

enum outcome vault_keep_refresh(struct context *context, struct account *account, const struct refresh_record *record)
{
	SECRET line = { 0 };
	struct keyring_answer answer;
	struct acred_key key = key_of(account, "refresh");
	enum outcome outcome;

	if (!refresh_record_format(record, &line))
		return bad_record(context, account, RECORD_NO_MEMORY);
	harden_environment();
	if (store(context, account, "refresh", holder_of(account), secret_view(&line), LIFETIME_FOR_EVER, &answer) != ACRED_OK)
		return say(context, account, &answer, false);
	outcome = comes_back(context, account, &key, answer.module, secret_view(&line));
	if (outcome == DONE)
		snprintf(account->module, sizeof account->module, "%s", answer.module);
	return outcome;
}

enum outcome vault_forget_refresh(struct context *context, const struct account *account)
{
	struct keyring_answer answer;

	harden_environment();
	erase(context, account, "refresh", &answer);
	return answer.status == ACRED_ABSENT ? DONE : say(context, account, &answer, false);
}

int vault_put_line(struct context *context, const struct account *account, const char *facility, struct bytes line, int64_t ttl_s)
{
	struct keyring_answer answer;

	return store(context, account, facility, NULL, line, ttl_s, &answer);
}

int vault_get_line(struct context *context, const struct account *account, const char *facility, struct secret *ret_line,
                   struct keyring_answer *ret_answer)
{
	return look_up(context, account, facility, NULL, false, ret_line, ret_answer);
}

int vault_drop_line(struct context *context, const struct account *account, const char *facility)
{
	struct keyring_answer answer;

	return erase(context, account, facility, &answer);
}

static int look_up_access(struct context *context, const struct account *account, struct access_record *ret_record,
                          struct keyring_answer *ret_answer)
{
	SECRET line = { 0 };

	enum record_fault fault;

	*ret_record = (struct access_record){ 0 };
	if (look_up(context, account, "access", NULL, false, &line, ret_answer) != ACRED_OK)
		return ret_answer->status;
	fault = access_record_parse(secret_view(&line), ret_record);
	ret_record->newer = fault == RECORD_NEWER;
	ret_record->damaged = fault == RECORD_DAMAGED || fault == RECORD_FOREIGN;
	if (!ret_record->token.len)
		ret_answer->status = ACRED_ABSENT;
	return ret_answer->status;
}

bool vault_access(struct context *context, const struct account *account, struct access_record *ret_record)
{
	struct keyring_answer answer;

	return look_up_access(context, account, ret_record, &answer) == ACRED_OK;
}

void vault_keep_access(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s)
{
	SECRET line = { 0 };
	struct keyring_answer answer = { .status = ACRED_FAILED };

	if (access_record_format(record, &line))
		store(context, account, "access", NULL, secret_view(&line), ttl_s, &answer);
	if (answer.status != ACRED_OK)
		context_warn(context, "not_cached", "the access token could not be cached (%s%s%s); the next call mints another and revokes this one",
		             keyring_status_word(answer.status), answer.why[0] ? ": " : "", answer.why);
}

void vault_remember(struct context *context, const struct account *account, const struct access_record *record, int64_t ttl_s)
{
	SECRET line = { 0 };

	if (access_record_format(record, &line))
		vault_put_line(context, account, "access", secret_view(&line), ttl_s);
}

enum outcome vault_forget_access(struct context *context, const struct account *account)
{
	struct keyring_answer answer;

	erase(context, account, "access", &answer);
	/* A cache that cannot be reached holds nothing that could be served from it. */
	return answer.status == ACRED_ABSENT || answer.status == ACRED_UNAVAILABLE ? DONE : say(context, account, &answer, false);
}

int vault_locate_refresh(struct context *context, const struct account *account, struct keyring_answer *ret_answer)
{
	struct walk walk = { context, account, false, 0, NULL };
	struct keyring_ears ears = ears_of(&walk);
	struct acred_key key = key_of(account, "refresh");

	harden_environment();
	keyring_locate(&context->keyring, &ears, &key, holder_of(account), ret_answer);
	return traced("locate", &key, ret_answer);
}

int vault_locate_access(struct context *context, const struct account *account, struct access_record *ret_record,
                        struct keyring_answer *ret_answer)
{
	return look_up_access(context, account, ret_record, ret_answer);
}
