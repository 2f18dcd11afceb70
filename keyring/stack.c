/* SPDX-License-Identifier: MIT */
/*
 * The walk over the lines of a stack. What each control word does is one table; what a module may do is
 * guest.c's, how it is loaded load.c's. Knows no secret and no word for people.
 */
#include "keyring/keyring.h"

#include <stdio.h>
#include <string.h>

#include "keyring/guest.h"

enum next { END, GO_ON, REMEMBER };            /* REMEMBER: go on, but do not call it absent in the end */
enum take { MUST_TAKE, FIRST_TAKES, MAY_TAKE }; /* in a store, and in this order */

/* DESIGN's table, line for line; what is found ends every look-up. */
static const struct action {
	enum next absent, failed;
	enum take store;
} actions[] = {
	/*                         absent  failed    store */
	[KEYRING_REQUIRED]   = { GO_ON, END,      MUST_TAKE },
	[KEYRING_REQUISITE]  = { END,   END,      MUST_TAKE },
	[KEYRING_SUFFICIENT] = { GO_ON, REMEMBER, FIRST_TAKES },
	[KEYRING_OPTIONAL]   = { GO_ON, REMEMBER, MAY_TAKE },
};

struct walk {
	struct keyring *keyring;
	const struct keyring_ears *ears;
	const struct acred_key *key;
	struct keyring_answer *answer;
	bool cache;                   /* the facility is "access": its failures count as absent */
	bool worked;                  /* a module answered the question */
	bool refused;                 /* a line that must be there has no module: no other line makes up for that */
	struct keyring_slot *absent;  /* the last that had nothing */
	struct keyring_slot *failed;  /* what is remembered, and */
	int failure;                  /* its status */
	bool took[KEYRING_LINES_MAX]; /* in a store */
};

void keyring_init(const char *modules_dir, const struct keyring_line *lines, size_t n, struct keyring *ret_keyring)
{
	ret_keyring->modules_dir = modules_dir;
	ret_keyring->n = n < KEYRING_LINES_MAX ? n : KEYRING_LINES_MAX;
	for (size_t i = 0; i < ret_keyring->n; i++) {
		memset(&ret_keyring->slots[i], 0, sizeof ret_keyring->slots[i]);
		ret_keyring->slots[i].line = lines[i];
	}
}

static bool is_name(const char *module)
{
	size_t n = strspn(module, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= KEYRING_MODULE_MAX_BYTES && module[n] == '\0';
}

bool keyring_add(struct keyring *keyring, const char *facility, const char *module)
{
	struct keyring_slot *slot = &keyring->slots[keyring->n];

	for (size_t i = 0; i < keyring->n; i++)
		if (strcmp(keyring->slots[i].line.facility, facility) == 0 && strcmp(keyring->slots[i].line.module, module) == 0)
			return true;
	if (keyring->n == KEYRING_LINES_MAX || !is_name(module))
		return false;
	memset(slot, 0, sizeof *slot);
	strcpy(slot->name, module);
	slot->line = (struct keyring_line){ facility, KEYRING_SUFFICIENT, slot->name, 0, NULL };
	slot->added = true;
	keyring->n++;
	return true;
}

void keyring_close(struct keyring *keyring, const struct keyring_ears *ears)
{
	for (size_t i = 0; i < keyring->n; i++)
		guest_close(&keyring->slots[i], ears);
	keyring->n = 0;
}

static void start(struct walk *walk, struct keyring *keyring, const struct keyring_ears *ears,
                  const struct acred_key *key, struct keyring_answer *answer)
{
	memset(walk, 0, sizeof *walk);
	walk->keyring = keyring;
	walk->ears = ears;
	walk->key = key;
	walk->answer = answer;
	walk->cache = strcmp(key->facility, "access") == 0;
	answer->status = ACRED_ABSENT;
	answer->module = NULL;
	answer->readonly = answer->refused = false;
	answer->n_passed_over = 0;
	answer->why[0] = '\0';
}

/* The slot of line I if it belongs to the walk's facility. */
static struct keyring_slot *line(const struct walk *walk, size_t i)
{
	struct keyring_slot *slot = &walk->keyring->slots[i];

	return strcmp(slot->line.facility, walk->key->facility) == 0 ? slot : NULL;
}

static void pass_over(struct walk *walk, const struct keyring_slot *slot, int status)
{
	struct keyring_answer *answer = walk->answer;

	if (answer->n_passed_over == KEYRING_LINES_MAX) /* more lines than that cannot be */
		return;
	answer->passed_over[answer->n_passed_over++] = (struct keyring_step){ slot->line.module, status, slot->refused, slot->why };
}

/* Of several failures the first 'locked' tells the user most, and 'readonly' least. */
static int weight(int status)
{
	return status == ACRED_LOCKED ? 3 : status == ACRED_READONLY ? 1 : 2;
}

/* A cache that is away is usual (a container's kernel keyring), so what is wrong with the next tells more. */
static bool tells_more(const struct walk *walk, int status)
{
	if (walk->failed == NULL || (walk->cache && walk->failure == ACRED_UNAVAILABLE && status != ACRED_READONLY))
		return true;
	return weight(status) > weight(walk->failure);
}

static void remember(struct walk *walk, struct keyring_slot *slot, int status)
{
	if (!tells_more(walk, status))
		return;
	walk->failed = slot;
	walk->failure = status;
}

/* Whoever wrote such a line wants no walk without that module. */
static bool must_load(const struct keyring_slot *slot)
{
	return slot->line.control == KEYRING_REQUIRED || slot->line.control == KEYRING_REQUISITE;
}

static int answer_with(struct walk *walk, const struct keyring_slot *slot, int status)
{
	struct keyring_answer *answer = walk->answer;

	answer->status = status;
	if (slot == NULL)
		return status;
	answer->module = slot->line.module;
	answer->readonly = status == ACRED_OK && slot->module.store == NULL;
	answer->refused = slot->refused && must_load(slot);
	snprintf(answer->why, sizeof answer->why, "%s", slot->why);
	return status;
}

/* Makes STATUS of SLOT the answer, and takes it from the list of those passed over. */
static int settle(struct walk *walk, const struct keyring_slot *slot, int status)
{
	struct keyring_answer *answer = walk->answer;
	size_t kept = 0;

	answer_with(walk, slot, status);
	for (size_t i = 0; i < answer->n_passed_over; i++)
		if (answer->passed_over[i].module != answer->module)
			answer->passed_over[kept++] = answer->passed_over[i];
	answer->n_passed_over = kept;
	return status;
}

/* An account names a module that no line has: what it holds cannot be reached, and is not absent. */
static int settle_no_line(struct walk *walk, const char *holder)
{
	snprintf(walk->answer->why, sizeof walk->answer->why, "no line of the stack has the module '%s'", holder);
	return settle(walk, NULL, ACRED_UNAVAILABLE);
}

static struct keyring_slot *holders_line(const struct walk *walk, const char *holder)
{
	for (size_t i = 0; i < walk->keyring->n; i++)
		if (line(walk, i) != NULL && strcmp(walk->keyring->slots[i].line.module, holder) == 0)
			return &walk->keyring->slots[i];
	return NULL;
}

/* Nothing was found. */
static int conclude(struct walk *walk)
{
	if (walk->failed != NULL && (walk->refused || !(walk->cache && walk->worked)))
		return settle(walk, walk->failed, walk->failure);
	return settle(walk, walk->absent, ACRED_ABSENT);
}

/* What SLOT's STATUS means for the walk. END: the answer is there, or conclude() gives it. */
static enum next judge(struct walk *walk, struct keyring_slot *slot, int status)
{
	const struct action *action = &actions[slot->line.control];

	pass_over(walk, slot, status);
	if (status == ACRED_ABSENT) {
		walk->worked = true;
		walk->absent = slot;
		return action->absent;
	}
	walk->refused = slot->refused && must_load(slot);
	if (!walk->refused && (walk->cache || action->failed == REMEMBER)) {
		remember(walk, slot, status);
		return walk->cache ? action->absent : REMEMBER;
	}
	walk->failed = slot; /* 'ends: that failure', whatever was remembered */
	walk->failure = status;
	return END;
}

typedef int guest_question(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                           const struct acred_key *key);

/* Where the holder is known there are two rounds: the sources that cannot store, then the holder. */
static int look(struct walk *walk, const char *holder, guest_question *ask)
{
	const struct keyring_slot *held = holder != NULL ? holders_line(walk, holder) : NULL;
	const char *dir = walk->keyring->modules_dir;

	for (int round = holder != NULL ? 0 : 1; round < 2; round++)
		for (size_t i = 0; i < walk->keyring->n; i++) {
			struct keyring_slot *slot = line(walk, i);
			int status;

			if (slot == NULL || (holder != NULL && (slot == held) != (round == 1)) || (holder == NULL && slot->added))
				continue;
			if (round == 0 && !guest_is_source(dir, slot, walk->ears))
				continue;
			status = ask(dir, slot, walk->ears, walk->key);
			if (status == ACRED_OK)
				return settle(walk, slot, ACRED_OK);
			if (judge(walk, slot, status) == END)
				return conclude(walk);
		}
	if (holder != NULL && held == NULL && walk->failed == NULL)
		return settle_no_line(walk, holder);
	return conclude(walk);
}

int keyring_lookup(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                   const char *holder, struct keyring_answer *ret_answer)
{
	struct walk walk;

	start(&walk, keyring, ears, key, ret_answer);
	return look(&walk, holder, guest_lookup);
}

/* The line of MODULE alone. */
static int ask_one(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key, const char *module,
                   guest_question *ask, struct keyring_answer *ret_answer)
{
	struct keyring_slot *slot;
	struct walk walk;

	start(&walk, keyring, ears, key, ret_answer);
	slot = holders_line(&walk, module);
	if (slot == NULL)
		return settle_no_line(&walk, module);
	return settle(&walk, slot, ask(keyring->modules_dir, slot, ears, key));
}

int keyring_lookup_in(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                      const char *module, struct keyring_answer *ret_answer)
{
	return ask_one(keyring, ears, key, module, guest_lookup, ret_answer);
}

int keyring_locate(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                   const char *holder, struct keyring_answer *ret_answer)
{
	struct walk walk;

	start(&walk, keyring, ears, key, ret_answer);
	return look(&walk, holder, guest_locate);
}

struct deposit {
	const char *bytes;
	size_t len;
	int64_t ttl_s;
};

static int offer(struct walk *walk, size_t i, const struct deposit *deposit)
{
	struct keyring_slot *slot = &walk->keyring->slots[i];
	int status = guest_store(walk->keyring->modules_dir, slot, walk->ears, walk->key, deposit->bytes,
	                         deposit->len, deposit->ttl_s);

	if (status == ACRED_OK) {
		walk->took[i] = true;
	} else {
		pass_over(walk, slot, status);
		remember(walk, slot, status);
	}
	return status;
}

/* Whether a store may go on after a line's failure. A source can never take anything, so it stops no store;
 * a service that is away stops one that must take it. */
static bool goes_on(const struct walk *walk, enum take take, int status)
{
	return walk->cache || take == MAY_TAKE || status == ACRED_READONLY ||
	       (status == ACRED_UNAVAILABLE && take == FIRST_TAKES);
}

/* Offers it to the lines of one kind. False: the whole store has failed, and its answer is settled. */
static bool offer_to(struct walk *walk, enum take take, const struct deposit *deposit)
{
	for (size_t i = 0; i < walk->keyring->n; i++) {
		struct keyring_slot *slot = line(walk, i);
		int status;

		if (slot == NULL || slot->added || actions[slot->line.control].store != take)
			continue;
		status = offer(walk, i, deposit);
		if (status == ACRED_OK && take == FIRST_TAKES)
			return true;
		if (status != ACRED_OK && !goes_on(walk, take, status)) {
			settle(walk, slot, status);
			return false;
		}
	}
	return true;
}

/* Erases in the lines that took it, or in those that did not. What fails is only noted: by the module. */
static void erase_where(struct walk *walk, bool took)
{
	for (size_t i = 0; i < walk->keyring->n; i++)
		if (line(walk, i) != NULL && walk->took[i] == took)
			(void)guest_erase(walk->keyring->modules_dir, &walk->keyring->slots[i], walk->ears, walk->key);
}

static int conclude_store(struct walk *walk)
{
	for (size_t i = 0; i < walk->keyring->n; i++)
		if (walk->took[i])
			return settle(walk, &walk->keyring->slots[i], ACRED_OK);
	return settle(walk, walk->failed, walk->failed != NULL ? walk->failure : ACRED_READONLY);
}

/* No module need take it, so none is asked: what one took would be lost in the next. */
static int settle_too_long(struct walk *walk)
{
	/* A cache must not go on serving what could not be replaced. */
	if (walk->cache)
		erase_where(walk, false);
	snprintf(walk->answer->why, sizeof walk->answer->why, "a secret has at most %d bytes", ACRED_SECRET_MAX_BYTES);
	return settle(walk, NULL, ACRED_FAILED);
}

int keyring_store(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                  const char *holder, const char *bytes, size_t len, int64_t ttl_s,
                  struct keyring_answer *ret_answer)
{
	const struct deposit deposit = { bytes, len, ttl_s };
	struct walk walk;

	start(&walk, keyring, ears, key, ret_answer);
	if (len > ACRED_SECRET_MAX_BYTES)
		return settle_too_long(&walk);
	if (holder != NULL) {
		const struct keyring_slot *held = holders_line(&walk, holder);

		if (held == NULL)
			return settle_no_line(&walk, holder);
		(void)offer(&walk, (size_t)(held - keyring->slots), &deposit);
	} else {
		for (enum take take = MUST_TAKE; take <= MAY_TAKE; take++)
			if (!offer_to(&walk, take, &deposit)) {
				erase_where(&walk, true);
				return ret_answer->status;
			}
	}
	(void)conclude_store(&walk);
	/* Two caches never disagree, and none goes on serving what it could not replace. */
	if (walk.cache)
		erase_where(&walk, false);
	return ret_answer->status;
}

/* A source and a service that is away are passed over by an erase, unless there was nothing else. */
static int conclude_erase(struct walk *walk, const struct keyring_slot *emptied, const struct walk *away)
{
	if (walk->failed != NULL)
		return answer_with(walk, walk->failed, walk->failure);
	if (!walk->worked && away->failed != NULL)
		return answer_with(walk, away->failed, away->failure);
	return answer_with(walk, emptied, ACRED_OK);
}

int keyring_erase(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                  const char *but, struct keyring_answer *ret_answer)
{
	const struct keyring_slot *emptied = NULL;
	struct walk walk, away = { .failed = NULL };

	start(&walk, keyring, ears, key, ret_answer);
	for (size_t i = 0; i < keyring->n; i++) {
		struct keyring_slot *slot = line(&walk, i);
		int status;

		if (slot == NULL || (but != NULL && strcmp(slot->line.module, but) == 0))
			continue;
		status = guest_erase(keyring->modules_dir, slot, ears, key);
		if (status == ACRED_OK || status == ACRED_ABSENT) {
			walk.worked = true;
			emptied = status == ACRED_OK && emptied == NULL ? slot : emptied;
			continue;
		}
		pass_over(&walk, slot, status);
		remember(status == ACRED_READONLY || status == ACRED_UNAVAILABLE ? &away : &walk, slot, status);
	}
	return conclude_erase(&walk, emptied, &away);
}

int keyring_erase_in(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                     const char *module, struct keyring_answer *ret_answer)
{
	return ask_one(keyring, ears, key, module, guest_erase, ret_answer);
}

int keyring_lock(struct keyring *keyring, const struct keyring_ears *ears, const char *facility,
                 struct keyring_answer *ret_answer)
{
	const struct acred_key key = { .facility = facility };
	const struct keyring_slot *locked = NULL;
	struct walk walk;

	start(&walk, keyring, ears, &key, ret_answer);
	for (size_t i = 0; i < keyring->n; i++) {
		struct keyring_slot *slot = line(&walk, i);
		int status = slot != NULL ? guest_lock(keyring->modules_dir, slot, ears) : ACRED_ABSENT;

		if (status == ACRED_OK)
			locked = slot;
		else if (status != ACRED_ABSENT && status != ACRED_UNAVAILABLE)
			remember(&walk, slot, status);
	}
	if (walk.failed != NULL)
		return answer_with(&walk, walk.failed, walk.failure);
	return answer_with(&walk, locked, locked != NULL ? ACRED_OK : ACRED_ABSENT);
}

void keyring_sources(struct keyring *keyring, const struct keyring_ears *ears, const char *facility, bool all,
                     void (*each)(void *host, const struct acred_key *key, const char *module))
{
	for (size_t i = 0; i < keyring->n; i++) {
		struct keyring_slot *slot = &keyring->slots[i];

		if (strcmp(slot->line.facility, facility) == 0 && guest_is_source(keyring->modules_dir, slot, ears) &&
		    guest_list(keyring->modules_dir, slot, ears, each) > 0 && !all)
			return;
	}
}

int keyring_refusal(const struct keyring *keyring, const char *facility, const char *module, const char **ret_why)
{
	for (size_t i = 0; i < keyring->n; i++) {
		const struct keyring_slot *slot = &keyring->slots[i];

		if (strcmp(slot->line.facility, facility) != 0 || strcmp(slot->line.module, module) != 0)
			continue;
		*ret_why = slot->why;
		return slot->refused ? slot->status : ACRED_OK;
	}
	return ACRED_OK;
}

bool keyring_is_refused(const struct keyring *keyring, const char *facility, const char *module)
{
	const char *why;

	return keyring_refusal(keyring, facility, module, &why) != ACRED_OK;
}
