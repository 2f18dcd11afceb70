/* SPDX-License-Identifier: MIT */
/*
 * One call of one module, guarded. Decides nothing about what follows from a status, and keeps no secret: what
 * a module hands to put() goes through to the host's.
 */
#include "keyring/guest.h"

#include <stdio.h>
#include <string.h>

#include "keyring/load.h"

enum put_rule { PUT_REFUSE, PUT_DROP, PUT_PASS };

struct guest { /* what call->host points at while a module runs */
	struct acred_call call;
	struct keyring_slot *slot;
	const struct keyring_ears *ears;
	const char *dir;
	enum put_rule put_rule;
	unsigned puts;
	bool bad_put;
	const struct acred_key *wanted; /* in a list, and */
	bool listed;                    /* whether it came; or */
	size_t n_listed;
	void (*each)(void *host, const struct acred_key *key, const char *module);
};

/* Keeps TEXT as one line: a module may quote a stranger. */
static void keep_why(struct keyring_slot *slot, const char *text)
{
	snprintf(slot->why, sizeof slot->why, "%s", text);
	for (char *p = slot->why; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

static void on_note(void *host, const char *text)
{
	struct guest *guest = host;

	if (text == NULL)
		return;
	keep_why(guest->slot, text);
	guest->ears->note(guest->ears->host, guest->slot->line.module, guest->slot->why);
}

static int on_put(void *host, const char *bytes, size_t len)
{
	struct guest *guest = host;
	int refused;

	if (guest->put_rule == PUT_REFUSE || guest->puts++ > 0 || bytes == NULL)
		refused = 1;
	else if (guest->put_rule == PUT_DROP)
		refused = 0;
	else
		refused = guest->ears->put(guest->ears->host, bytes, len);
	guest->bad_put |= refused != 0;
	return refused;
}

static int on_ask(void *host, const char *question, const char **answer, size_t *len)
{
	struct guest *guest = host;

	return guest->ears->ask(guest->ears->host, question, answer, len);
}

static void on_each(void *host, const struct acred_key *key)
{
	struct guest *guest = host;
	const struct acred_key *wanted = guest->wanted;

	if (key == NULL || key->facility == NULL || key->base_url == NULL)
		return;
	guest->n_listed++;
	if (guest->each != NULL)
		guest->each(guest->ears->host, key, guest->slot->line.module);
	else if (guest->ears->know != NULL && strcmp(key->facility, guest->slot->line.facility) == 0)
		guest->ears->know(guest->ears->host, guest->slot->line.module, key);
	if (wanted != NULL && key->user_id == wanted->user_id && strcmp(key->facility, wanted->facility) == 0 &&
	    strcmp(key->base_url, wanted->base_url) == 0)
		guest->listed = true;
}

/* What module.h forbids: said with the file that did it. */
static int breach(struct guest *guest, const char *what)
{
	char why[KEYRING_WHY_MAX_BYTES], place[LOAD_PLACE_BYTES];

	load_place(guest->dir, guest->slot->line.module, place);
	snprintf(why, sizeof why, "%s%s%s", place, place[0] != '\0' ? ": " : "", what);
	on_note(guest, why);
	return ACRED_FAILED;
}

/* A status as the interface has it, whatever the module returned. A secret that came with another status than
 * ACRED_OK needs nothing: the walk's answer will not be that put(). */
static int checked(struct guest *guest, int status)
{
	char why[sizeof "answered 4294967295, which is no status"];

	if (status < ACRED_OK || status > ACRED_FAILED) {
		snprintf(why, sizeof why, "answered %d, which is no status", status);
		return breach(guest, why);
	}
	if (status == ACRED_OK && guest->bad_put)
		return breach(guest, "handed over a secret out of turn, or one that was refused");
	return status;
}

/* A look-up that hands over more than one secret is wrong whatever it then says. */
static int checked_lookup(struct guest *guest, int status)
{
	status = checked(guest, status);
	if (guest->puts > 1)
		return breach(guest, "handed over more than one secret");
	if (status == ACRED_OK && guest->puts == 0)
		return breach(guest, "said that it found a secret, and handed over none");
	return status;
}

static int load(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears)
{
	if (!slot->loaded) {
		slot->loaded = true;
		if (!load_is_built_in(slot->line.module) && ears->loads != NULL)
			ears->loads(ears->host);
		slot->why[0] = '\0';
		slot->status = load_module(dir, slot->line.module, &slot->module, slot->why, sizeof slot->why);
		slot->refused = slot->status != ACRED_OK;
	}
	return slot->status;
}

/* What open() answered stands for each later call, and so does what it noted. */
static int open_once(struct guest *guest)
{
	struct keyring_slot *slot = guest->slot;

	if (slot->opened)
		return slot->status;
	slot->opened = true;
	if (slot->module.open != NULL) {
		guest->put_rule = PUT_REFUSE;
		slot->status = checked(guest, slot->module.open(&guest->call, slot->line.argc, slot->line.argv,
		                                                &slot->state));
		guest->bad_put = false;
		guest->puts = 0;
	}
	return slot->status;
}

/*
 * Begins a call: the deadline runs from here, over loading and opening too. ACRED_OK: the module may be called.
 * NEEDED finds the operation in the loaded descriptor; without it nothing needs to be opened.
 */
static int begin(struct guest *guest, const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                 uint32_t flags, bool (*needed)(const struct acred_module *))
{
	memset(guest, 0, sizeof *guest);
	guest->slot = slot;
	guest->ears = ears;
	guest->dir = dir;
	guest->call.size = sizeof guest->call;
	guest->call.flags = flags;
	guest->call.host = guest;
	guest->call.put = on_put;
	guest->call.note = on_note;
	guest->call.ask = (flags & ACRED_MAY_PROMPT) && ears->ask != NULL ? on_ask : NULL;
	guest->call.deadline_ms = ears->begin(ears->host, slot->line.module);
	if (slot->opened && slot->status == ACRED_OK)
		slot->why[0] = '\0';
	if (load(dir, slot, ears) != ACRED_OK)
		return slot->status;
	if (!needed(&slot->module))
		return ACRED_READONLY;
	return open_once(guest);
}

/* What is printed there would be the caller's token. Those built in print nothing: it was a thread that another left behind. */
static int end(struct guest *guest, int status)
{
	char why[sizeof "printed 18446744073709551615 bytes on stdout"];
	size_t n = guest->ears->end(guest->ears->host);

	if (n == 0 || load_is_built_in(guest->slot->line.module))
		return status;
	if (n == SIZE_MAX)
		return breach(guest, "closed descriptors that are not its own");
	snprintf(why, sizeof why, "printed %zu bytes on stdout", n);
	return breach(guest, why);
}

static bool can_look_up(const struct acred_module *module)
{
	return module->lookup != NULL;
}

static bool can_store(const struct acred_module *module)
{
	return module->store != NULL;
}

static bool can_erase(const struct acred_module *module)
{
	return module->erase != NULL;
}

static bool can_lock(const struct acred_module *module)
{
	return module->lock != NULL;
}

static bool can_list(const struct acred_module *module)
{
	return module->list != NULL;
}

/* Whoever asks about many keys does not wait for each. */
static bool has_been_late(const struct keyring_slot *slot, const struct keyring_ears *ears)
{
	return ears->known != NULL && slot->late;
}

static int note_late(struct keyring_slot *slot, int status)
{
	slot->late |= status == ACRED_TIMEOUT;
	return status;
}

int guest_lookup(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                 const struct acred_key *key)
{
	struct guest guest;
	int status;

	if (has_been_late(slot, ears))
		return ACRED_TIMEOUT;
	status = begin(&guest, dir, slot, ears, ears->flags, can_look_up);
	if (status == ACRED_OK) {
		guest.put_rule = PUT_PASS;
		status = checked_lookup(&guest, slot->module.lookup(&guest.call, slot->state, key));
	}
	return note_late(slot, end(&guest, status));
}

/* A key that was listed is there, even if the module then says that more of what it holds is locked. */
static int list(struct guest *guest, const struct acred_key *key)
{
	int status;

	guest->wanted = key;
	status = checked(guest, guest->slot->module.list(&guest->call, guest->slot->state, on_each));
	guest->slot->listed = guest->ears->know != NULL;
	guest->slot->unlisted = status == ACRED_OK ? ACRED_ABSENT : status;
	return guest->listed ? ACRED_OK : guest->slot->unlisted;
}

/* What SLOT's list, which was read before, says of KEY. */
static int listed_before(const struct keyring_slot *slot, const struct keyring_ears *ears, const struct acred_key *key)
{
	return ears->known(ears->host, slot->line.module, key) ? ACRED_OK : slot->unlisted;
}

int guest_locate(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                 const struct acred_key *key)
{
	struct guest guest;
	int status, ended;

	if (slot->listed && ears->known != NULL)
		return listed_before(slot, ears, key);
	if (has_been_late(slot, ears))
		return ACRED_TIMEOUT;
	status = begin(&guest, dir, slot, ears, ears->flags & ~(uint32_t)ACRED_MAY_PROMPT, can_look_up);
	if (status == ACRED_OK && slot->module.list != NULL) {
		status = list(&guest, key);
	} else if (status == ACRED_OK) {
		guest.put_rule = PUT_DROP;
		status = checked_lookup(&guest, slot->module.lookup(&guest.call, slot->state, key));
	}
	ended = end(&guest, status);
	/* A list of one who printed is not believed for the others either. */
	slot->listed &= ended == status;
	return note_late(slot, ended);
}

int guest_store(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s)
{
	struct guest guest;
	int status = begin(&guest, dir, slot, ears, ears->flags, can_store);

	if (status == ACRED_ABSENT) {
		status = ACRED_UNAVAILABLE; /* what open() said: there is nothing, so nothing to store into */
	} else if (status == ACRED_OK) {
		status = checked(&guest, slot->module.store(&guest.call, slot->state, key, bytes, len, ttl_s));
		if (status == ACRED_ABSENT) {
			on_note(&guest, "answered a store with 'absent'");
			status = ACRED_FAILED;
		}
	}
	return end(&guest, status);
}

int guest_erase(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                const struct acred_key *key)
{
	struct guest guest;
	int status = begin(&guest, dir, slot, ears, ears->flags, can_erase);

	if (status == ACRED_OK)
		status = checked(&guest, slot->module.erase(&guest.call, slot->state, key));
	return end(&guest, status);
}

int guest_lock(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears)
{
	struct guest guest;
	int status = begin(&guest, dir, slot, ears, ears->flags & ~(uint32_t)ACRED_MAY_PROMPT, can_lock);

	if (status == ACRED_OK)
		status = checked(&guest, slot->module.lock(&guest.call, slot->state));
	status = end(&guest, status);
	return status == ACRED_READONLY ? ACRED_ABSENT : status;
}

size_t guest_list(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
               void (*each)(void *host, const struct acred_key *key, const char *module))
{
	struct guest guest;
	int status = begin(&guest, dir, slot, ears, ears->flags & ~(uint32_t)ACRED_MAY_PROMPT, can_list);

	guest.each = each;
	if (status == ACRED_OK)
		(void)checked(&guest, slot->module.list(&guest.call, slot->state, on_each));
	(void)end(&guest, ACRED_OK);
	return guest.n_listed;
}

void guest_close(struct keyring_slot *slot, const struct keyring_ears *ears)
{
	bool guarded = !load_is_built_in(slot->line.module); /* a warm call opens no other */

	if (!slot->opened || slot->status != ACRED_OK || slot->module.close == NULL)
		return;
	if (guarded)
		(void)ears->begin(ears->host, slot->line.module);
	slot->module.close(slot->state);
	if (guarded)
		(void)ears->end(ears->host);
}

bool guest_is_source(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears)
{
	struct guest guest = { .slot = slot, .ears = ears, .dir = dir };
	int status;

	(void)ears->begin(ears->host, slot->line.module);
	status = load(dir, slot, ears);
	status = end(&guest, status);
	/* Who prints when it is loaded is not called any more. */
	if (status != slot->status) {
		slot->status = status;
		slot->refused = true;
	}
	return status != ACRED_OK || !can_store(&slot->module);
}
