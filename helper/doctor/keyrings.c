/* SPDX-License-Identifier: MIT */
/*
 * Each keyring module of the stack by itself: a record of nobody's account is stored, read back and erased. What can only be
 * read is asked. Nobody is asked, and no dialog opens.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/signals.h"
#include "helper/doctor/doctor.h"
#include "helper/doctor/patience.h"
#include "helper/lifecycle/missing.h"
#include "helper/lifecycle/ready.h"
#include "helper/lifecycle/walk.h"

#define ACCESS_TTL_S 60 /* should we be killed in between */
#define LOCK_MS 5000

/* How far the round trip came. */
enum stage { LOOKED_UP, STORED, READ_BACK, ERASED, ROUND };

struct trial {
	struct doctor *doctor;
	struct walk walk;
	const struct keyring_slot *slot;
	struct acred_key key;
	struct bytes line;
	enum stage stage; /* what did not go well; ROUND: all did */
	int status;
	bool refused, readonly, keeps; /* keeps: it erases nothing, so nothing was stored */
	char why[KEYRING_WHY_MAX_BYTES];
};

static bool note(struct trial *trial, enum stage stage, const struct keyring_answer *answer, int wanted)
{
	trial->stage = stage;
	trial->status = answer->status;
	snprintf(trial->why, sizeof trial->why, "%s", answer->why);
	return answer->status == wanted;
}

static bool is_back(struct trial *trial)
{
	SECRET found = { 0 };
	struct keyring_answer answer;
	bool same;

	trial->walk.found = &found;
	walk_look_up_in(&trial->walk, &trial->key, trial->slot->line.module, &answer);
	trial->walk.found = NULL;
	same = secret_equal(secret_view(&found), trial->line);
	return note(trial, READ_BACK, &answer, ACRED_OK) && same;
}

/* Whoever presses Ctrl-C in between leaves nothing there either; nor does a store that failed, whatever it had done by then. */
static bool store_and_erase(struct trial *trial)
{
	SIGNALS signals = { .held = false };
	const char *module = trial->slot->line.module;
	struct keyring_answer answer;
	bool back;

	signals_hold(&signals);
	walk_store(&trial->walk, &trial->key, module, trial->line, strcmp(trial->key.facility, "access") == 0 ? ACCESS_TTL_S : WALK_FOR_EVER, &answer);
	if (!note(trial, STORED, &answer, ACRED_OK)) {
		walk_erase_in(&trial->walk, &trial->key, module, &answer);
		return false;
	}
	back = is_back(trial);
	walk_erase_in(&trial->walk, &trial->key, module, &answer);
	return back && note(trial, ERASED, &answer, ACRED_OK);
}

/* What another has left there, killed in between, is none of ours and goes as well. */
static void go_round(struct trial *trial)
{
	const char *module = trial->slot->line.module;
	struct keyring_answer answer;

	walk_look_up_in(&trial->walk, &trial->key, module, &answer);
	trial->refused = trial->slot->refused;
	note(trial, LOOKED_UP, &answer, ACRED_ABSENT);
	if (answer.status != ACRED_ABSENT && answer.status != ACRED_OK)
		return;
	trial->readonly = !trial->slot->module.store;
	trial->keeps = !trial->readonly && !trial->slot->module.erase;
	if (trial->readonly || trial->keeps) {
		trial->stage = ROUND;
		return;
	}
	if (!store_and_erase(trial))
		return;
	walk_look_up_in(&trial->walk, &trial->key, module, &answer);
	if (note(trial, ERASED, &answer, ACRED_ABSENT))
		trial->stage = ROUND;
}

static void fail(struct trial *trial)
{
	static const char *const stages[] = {
		[LOOKED_UP] = "", [STORED] = "it does not store: ", [READ_BACK] = "it does not give back what it took: ", [ERASED] = "it does not erase: ",
	};
	static const struct {
		enum trouble_code code;
		const char *remedy;
	} ways[] = {
		[ACRED_OK] = { TROUBLE_KEYRING_FAILED, "tell its author; alation-cred-check-module(1) proves more" },
		[ACRED_ABSENT] = { TROUBLE_KEYRING_FAILED, "tell its author; alation-cred-check-module(1) proves more" },
		[ACRED_UNAVAILABLE] = { TROUBLE_KEYRING_UNAVAILABLE, "put that right, or keep the RefreshToken in an encrypted file: 'alation-cred login --keyring sealed-file'" },
		[ACRED_DENIED] = { TROUBLE_KEYRING_FAILED, "let this user use it" },
		[ACRED_READONLY] = { TROUBLE_KEYRING_READONLY, "keep the RefreshToken in one that can be written: 'alation-cred login --keyring sealed-file'" },
		[ACRED_TIMEOUT] = { TROUBLE_KEYRING_TIMEOUT, "look whether that keyring's service hangs, then try again" },
		[ACRED_FAILED] = { TROUBLE_KEYRING_FAILED, "look whether its disk is full or can only be read; else see alation-cred-keyring(7)" },
	};
	struct doctor *doctor = trial->doctor;
	char words[MISSING_WORDS_BYTES], remedy[ACCOUNT_TEXT_BYTES + 128], text[ACCOUNT_TEXT_BYTES];
	const char *module = trial->slot->line.module, *way;
	enum trouble_code code = TROUBLE_KEYRING_LOCKED;

	if (trial->status == ACRED_LOCKED && doctor->has_account) {
		snprintf(remedy, sizeof remedy, "unlock it with 'alation-cred unlock %s'%s", doctor_whom(doctor, text),
		         strcmp(module, "secret-service") == 0 ? ", or in the desktop session" : "");
		way = remedy;
	} else if (trial->status == ACRED_LOCKED) {
		way = strcmp(module, "secret-service") == 0 ? "unlock it in the desktop session, or on a terminal with the login" : "a login on a terminal unlocks it";
	} else {
		code = ways[trial->status].code;
		way = trial->refused && trial->status == ACRED_UNAVAILABLE ? missing_words(module, trial->why, words) : ways[trial->status].remedy;
	}
	if (trial->refused && (trial->slot->line.control == KEYRING_REQUIRED || trial->slot->line.control == KEYRING_REQUISITE))
		code = TROUBLE_CONFIGURATION;
	doctor_fail(doctor, code, way, "%s%s%s%s", stages[trial->stage], trial->status == ACRED_OK ? "other bytes" : keyring_status_word(trial->status),
	            trial->why[0] ? ": " : "", trial->why);
}

/* Whether anything that is there depends on it. */
static bool matters(const struct trial *trial, bool another_works)
{
	const struct doctor *doctor = trial->doctor;
	const struct keyring_line *line = &trial->slot->line;

	if ((trial->status != ACRED_UNAVAILABLE && trial->status != ACRED_LOCKED) || line->control == KEYRING_REQUIRED || line->control == KEYRING_REQUISITE)
		return true;
	if (doctor->has_account && strcmp(line->facility, "refresh") == 0)
		return strcmp(line->module, doctor->account.module) == 0;
	return !another_works;
}

static void tell(struct trial *trial, bool another_works)
{
	struct doctor *doctor = trial->doctor;
	char name[sizeof doctor->findings->step];

	snprintf(name, sizeof name, "%s/%s", trial->key.facility, trial->slot->line.module);
	doctor->name = name;
	if (trial->stage == ROUND && trial->readonly)
		doctor_ok(doctor, "answers; it can only be read");
	else if (trial->stage == ROUND && trial->keeps)
		doctor_ok(doctor, "answers; it erases nothing, so nothing was stored");
	else if (trial->stage == ROUND)
		doctor_ok(doctor, "stored, read back, erased");
	else if (trial->stage <= STORED && !matters(trial, another_works))
		doctor_skip(doctor, "%s, and nothing needs it%s%s", trial->status == ACRED_LOCKED ? "locked" : "not here", trial->why[0] ? ": " : "", trial->why);
	else
		fail(trial);
	if (strcmp(trial->slot->line.module, "secret-service") == 0)
		doctor->bus_is_needed = trial->status == ACRED_UNAVAILABLE && matters(trial, another_works);
}

static size_t try_all(struct doctor *doctor, const char *facility, struct bytes line, struct trial *trials)
{
	struct keyring *keyring = &doctor->context->keyring;
	char what[KEYRING_MODULE_MAX_BYTES + 32];
	size_t n = 0;

	for (size_t i = 0; i < keyring->n; i++) {
		if (strcmp(keyring->slots[i].line.facility, facility) != 0)
			continue;
		trials[n] = (struct trial){ .doctor = doctor, .walk = { doctor->context, &ready_nobody, .may_prompt = false }, .slot = &keyring->slots[i],
		                            .key = walk_key(&ready_nobody, facility), .line = line };
		snprintf(what, sizeof what, "the keyring module '%s'", keyring->slots[i].line.module);
		patience_begin(what);
		go_round(&trials[n++]);
		patience_end();
	}
	return n;
}

static bool keeps_one(const struct trial *trial)
{
	return trial->stage == ROUND && !trial->readonly;
}

/* Under the lock of nobody's account: what one has just stored is not to be erased by another that is done. */
static void check(struct doctor *doctor, const char *facility)
{
	static struct trial trials[KEYRING_LINES_MAX];
	char lock_name[ACCOUNT_LOCK_BYTES];
	const int64_t until_ms = clock_mono_ms() + LOCK_MS;
	LOCK lock = LOCK_NONE;
	SECRET line = { 0 };
	bool works = false;
	size_t n;

	if (!ready_nobodys_line(&line)) {
		doctor_fail(doctor, TROUBLE_KEYRING_FAILED, "", "no memory for a record");
		return;
	}
	if (lock_wait(account_lock_name(&ready_nobody, lock_name), until_ms < doctor->context->deadline_ms ? until_ms : doctor->context->deadline_ms, &lock,
	              &doctor->context->trouble) != DONE) {
		doctor_fail_so(doctor);
		return;
	}
	n = try_all(doctor, facility, secret_view(&line), trials);
	for (size_t i = 0; i < n; i++)
		works |= keeps_one(&trials[i]);
	for (size_t i = 0; i < n; i++)
		tell(&trials[i], works);
}

void doctor_refresh_keyrings(struct doctor *doctor)
{
	if (doctor->has_account && doctor->account.module[0])
		keyring_add(&doctor->context->keyring, "refresh", doctor->account.module);
	check(doctor, "refresh");
}

void doctor_access_keyrings(struct doctor *doctor)
{
	check(doctor, "access");
}
