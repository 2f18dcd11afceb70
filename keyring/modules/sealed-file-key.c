/* SPDX-License-Identifier: MIT */
/*
 * Finds, derives, rests and forgets the key. Invents none where no passphrase was given, and asks nobody who is not
 * there to be asked.
 */
#include "keyring/modules/sealed-file-key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "keyring/kernel-key.h"
#include "keyring/modules/sealed-file-entries.h"
#include "keyring/modules/sealed-file-passphrase.h"

#define ASK_TRIES 3
#define KIND ":sealed-file:"
#define DESCRIPTION_BYTES (ENTRY_PREFIX_MAX_BYTES + sizeof KIND + 2 * BOX_SALT_BYTES)

/* PREFIX:sealed-file:SALT. The module kernel's list takes it for no entry: no account follows. */
static void describe(const struct sealed *self, const unsigned char salt[BOX_SALT_BYTES], char description[DESCRIPTION_BYTES])
{
	int n = snprintf(description, DESCRIPTION_BYTES, "%s" KIND, self->arguments.prefix);

	for (int i = 0; i < BOX_SALT_BYTES; i++)
		n += snprintf(description + n, DESCRIPTION_BYTES - (size_t)n, "%02x", salt[i]);
}

static void keep(struct sealed *self, const unsigned char salt[BOX_SALT_BYTES], const unsigned char key[BOX_KEY_BYTES])
{
	memcpy(self->salt, salt, BOX_SALT_BYTES);
	memcpy(self->key, key, BOX_KEY_BYTES);
	self->has_key = true;
}

/* ACRED_LOCKED: another key, or none; nothing is noted then. */
static int try(struct acred_call *call, struct sealed *self, const struct sealed_box *box, const struct wiped *key, struct wiped *ret_entries)
{
	WIPED entries = { 0 };

	if (!wiped_new(&entries, box->entries_n))
		return note_say(call, ACRED_FAILED, "no memory to open %s", self->arguments.path);
	if (!sealed_box_open(box, key->p, entries.p))
		return ACRED_LOCKED;
	if (!sealed_entries_sound(&entries))
		return note_say(call, ACRED_FAILED, "%s is damaged: the passphrase opens it, and it holds no entries", self->arguments.path);
	keep(self, box->lid.salt, key->p);
	*ret_entries = entries;
	entries = (struct wiped){ 0 };
	return ACRED_OK;
}

static bool recall(const struct sealed *self, const struct sealed_box *box, struct wiped *ret_key)
{
	if (!self->has_key || memcmp(self->salt, box->lid.salt, BOX_SALT_BYTES) != 0)
		return false;
	memcpy(ret_key->p, self->key, BOX_KEY_BYTES);
	return true;
}

/* That the kernel keyring is closed, or has none, is no news: the passphrase is asked for instead. */
static bool wake(const struct sealed *self, const struct sealed_box *box, struct wiped *ret_key)
{
	char description[DESCRIPTION_BYTES];
	long id;

	describe(self, box->lid.salt, description);
	id = kernel_key_find(description);
	return id >= 0 && kernel_key_read(id, ret_key->p, BOX_KEY_BYTES) == BOX_KEY_BYTES;
}

static int derive(struct acred_call *call, const struct sealed *self, const struct sealed_lid *lid, const struct wiped *passphrase,
                  struct wiped *ret_key)
{
	if (sealed_late(call))
		return note_say(call, ACRED_TIMEOUT, "no time is left to derive the key of %s", self->arguments.path);
	if (!sealed_box_derive(lid, passphrase->p, passphrase->n, ret_key->p))
		return note_say(call, ACRED_FAILED, "no memory to derive the key of %s (%u KiB)", self->arguments.path, (unsigned)lid->memory_kib);
	return ACRED_OK;
}

static int from_key_file(struct acred_call *call, struct sealed *self, const struct sealed_box *box, struct wiped *key,
                         struct wiped *ret_entries)
{
	WIPED passphrase = { 0 };
	int status = sealed_passphrase_read(call, self->arguments.key_file, &passphrase);

	if (status == ACRED_OK)
		status = derive(call, self, &box->lid, &passphrase, key);
	if (status == ACRED_OK) {
		status = try(call, self, box, key, ret_entries);
		if (status == ACRED_LOCKED)
			return note_say(call, status, "the passphrase is wrong: what key-file=%s holds does not open %s",
			                  self->arguments.key_file, self->arguments.path);
	}
	return status;
}

static int from_person(struct acred_call *call, struct sealed *self, const struct sealed_box *box, struct wiped *key,
                       struct wiped *ret_entries)
{
	for (int tries = 0; tries < ASK_TRIES; tries++) {
		WIPED passphrase = { 0 };
		int status = sealed_passphrase_ask(call, self->arguments.path, tries > 0, &passphrase);

		if (status == ACRED_OK && passphrase.n == 0)
			continue; /* none is empty */
		if (status == ACRED_OK)
			status = derive(call, self, &box->lid, &passphrase, key);
		if (status == ACRED_OK)
			status = try(call, self, box, key, ret_entries);
		else
			return status;
		if (status != ACRED_LOCKED)
			return status;
	}
	return note_say(call, ACRED_LOCKED, "the passphrase is wrong: it does not open %s", self->arguments.path);
}

int sealed_key_open(struct acred_call *call, struct sealed *self, const struct sealed_box *box, enum sealed_asking asking,
                    struct wiped *ret_entries)
{
	WIPED key = { 0 };
	int status = ACRED_LOCKED;

	if (!wiped_new(&key, BOX_KEY_BYTES))
		return note_say(call, ACRED_FAILED, "no memory for a key");
	if (recall(self, box, &key))
		status = try(call, self, box, &key, ret_entries);
	if (status == ACRED_LOCKED && wake(self, box, &key))
		status = try(call, self, box, &key, ret_entries);
	if (status != ACRED_LOCKED)
		return status;
	if (self->arguments.key_file != NULL)
		status = from_key_file(call, self, box, &key, ret_entries);
	else if (asking == SEALED_MAY_ASK && call->ask != NULL)
		status = from_person(call, self, box, &key, ret_entries);
	else
		return note_say(call, ACRED_LOCKED, "%s is sealed", self->arguments.path);
	if (status == ACRED_OK)
		sealed_key_rest(call, self);
	return status;
}

int sealed_key_new(struct acred_call *call, struct sealed *self, enum sealed_asking asking, struct sealed_lid *ret_lid)
{
	WIPED passphrase = { 0 }, key = { 0 };
	int status;

	if (self->arguments.key_file != NULL)
		status = sealed_passphrase_read(call, self->arguments.key_file, &passphrase);
	else if (asking == SEALED_MAY_ASK && call->ask != NULL)
		status = sealed_passphrase_ask_new(call, self->arguments.path, &passphrase);
	else
		return note_say(call, ACRED_LOCKED, "there is no sealed file %s yet, and nobody to give it a passphrase; "
		                  "'alation-cred login --keyring sealed-file' on a terminal makes it, or give key-file=", self->arguments.path);
	if (status != ACRED_OK)
		return status;
	if (!wiped_new(&key, BOX_KEY_BYTES))
		return note_say(call, ACRED_FAILED, "no memory for a key");
	sealed_box_new_lid(ret_lid);
	status = derive(call, self, ret_lid, &passphrase, &key);
	if (status == ACRED_OK)
		keep(self, ret_lid->salt, key.p);
	return status;
}

void sealed_key_rest(struct acred_call *call, const struct sealed *self)
{
	char description[DESCRIPTION_BYTES];
	const char *why = "unlock-time=0", *what;
	int error;

	if (self->arguments.unlock_time_s > 0) {
		describe(self, self->salt, description);
		error = kernel_key_replace(description, self->key, BOX_KEY_BYTES, self->arguments.unlock_time_s, &what);
		if (error == 0)
			return;
		why = error == EPERM || error == ENOSYS ? "the kernel keyring is closed, as in many containers" : strerror(error);
	} else if (self->arguments.key_file != NULL) {
		return; /* not wanted, and not needed */
	}
	note_say(call, ACRED_OK, "the key cannot rest here (%s), so a call that nobody answers finds %s sealed; use key-file=", why,
	           self->arguments.path);
}

/* Every file's that rests under this prefix: the one that it is for may have been damaged, moved away or made anew. */
int sealed_key_forget(struct acred_call *call, struct sealed *self)
{
	char beginning[DESCRIPTION_BYTES];
	const char *what;
	int error;

	explicit_bzero(self->key, sizeof self->key);
	self->has_key = false;
	snprintf(beginning, sizeof beginning, "%s" KIND, self->arguments.prefix);
	error = kernel_key_erase_all(beginning, &what);
	switch (error) {
	case 0:
		return ACRED_OK;
	case ENOKEY:
	case EKEYEXPIRED:
	case EKEYREVOKED:
	case EPERM: /* a closed keyring keeps nothing */
	case ENOSYS:
		return ACRED_ABSENT;
	case EAGAIN:
		return note_say(call, ACRED_FAILED, "another process rests a key again and again");
	default:
		return note_say(call, ACRED_FAILED, "a key stays in the kernel keyring: %s: %s", what, strerror(error));
	}
}
