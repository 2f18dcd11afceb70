/* SPDX-License-Identifier: MIT */
/*
 * RefreshTokens of all the user's accounts in one encrypted file, for machines without a desktop. A passphrase opens it:
 * a person's, or one that a file holds. Never writes over a file that it cannot open whole, never asks while it holds
 * the file's lock, and invents no passphrase where none was given.
 *
 *   file=PATH         absolute; else $XDG_STATE_HOME/alation-cred/sealed, ~/.local/state/alation-cred/sealed
 *   key-file=PATH     absolute, or $CREDENTIALS_DIRECTORY/NAME: holds the passphrase, one final line feed dropped. The
 *                     user's own or root's, for nobody else; nobody is asked then
 *   unlock-time=DUR   how long the key that was derived rests in the kernel keyring: 8h without it, and 0 (never) with
 *                     key-file=
 *   prefix=NAME       how that key's description begins, "alation-cred" without it
 *
 * How long a secret is to be kept is not heeded: a record of a RefreshToken carries its own end.
 */
#include <sodium.h>
#include <string.h>

#include "keyring/module.h"
#include "keyring/modules/sealed-file-disk.h"
#include "keyring/modules/sealed-file-entries.h"
#include "keyring/modules/sealed-file-key.h"
#include "keyring/modules/sealed-file.h"

#define CHANGED_TRIES 3

static int sealed_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct sealed *self;
	int status;

	if (sodium_init() < 0)
		return note_say(call, ACRED_FAILED, "libsodium cannot start: it finds no source of random numbers");
	self = sodium_malloc(sizeof *self);
	if (self == NULL)
		return note_say(call, ACRED_FAILED, "no memory for a key");
	memset(self, 0, sizeof *self);
	status = sealed_arguments_read(call, argc, argv, &self->arguments);
	if (status != ACRED_OK) {
		sodium_free(self);
		return status;
	}
	*state = self;
	return ACRED_OK;
}

static void sealed_close(void *state)
{
	sodium_free(state); /* wipes it */
}

/* The file and the box in it, without any key. ACRED_ABSENT: there is no file. */
static int read_box(struct acred_call *call, const struct sealed *self, struct wiped *ret_file, struct sealed_box *ret_box)
{
	const char *path = self->arguments.path;
	int status = sealed_disk_read(call, path, ret_file);

	if (status != ACRED_OK)
		return status;
	if (ret_file->n > SEALED_FILE_MAX_BYTES)
		return note_say(call, ACRED_FAILED, "%s is damaged: it is longer than %d bytes", path, SEALED_FILE_MAX_BYTES);
	switch (sealed_box_read(ret_file->p, ret_file->n, ret_box)) {
	case SEALED_BOX_SOUND:
		return ACRED_OK;
	case SEALED_BOX_NEWER:
		return note_say(call, ACRED_FAILED, "%s was written by a newer alation-cred; it is left as it is", path);
	default:
		return note_say(call, ACRED_FAILED, "%s is damaged; it is left as it is: put a copy in its place, or move it away and log in again", path);
	}
}

/* What the file holds now. */
static int read_entries(struct acred_call *call, struct sealed *self, enum sealed_asking asking, struct wiped *ret_entries)
{
	WIPED file = { 0 };
	struct sealed_box box;
	int status = read_box(call, self, &file, &box);

	return status == ACRED_OK ? sealed_key_open(call, self, &box, asking, ret_entries) : status;
}

static int sealed_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	WIPED entries = { 0 };
	struct sealed_entry entry;
	int status = read_entries(call, state, SEALED_MAY_ASK, &entries);

	if (status != ACRED_OK)
		return status;
	if (!sealed_entries_find(&entries, key, &entry))
		return ACRED_ABSENT;
	return call->put(call->host, (const char *)entry.secret, entry.n) == 0 ? ACRED_OK : ACRED_FAILED;
}

/* One change of one entry: SECRET is its new one, NULL takes it away. */
struct change {
	const struct acred_key *key;
	const char *secret;
	size_t n;
};

/* Under the lock. */
static int write_change(struct acred_call *call, struct sealed *self, const struct sealed_lock *lock, const struct sealed_lid *lid,
                        const struct wiped *entries, const struct change *change)
{
	WIPED changed = { 0 }, file = { 0 };

	if (!sealed_entries_change(entries, change->key, change->secret, change->n, &changed) ||
	    !wiped_new(&file, changed.n + BOX_OVERHEAD_BYTES))
		return note_say(call, ACRED_FAILED, "no memory to write %s", self->arguments.path);
	if (file.n > SEALED_FILE_MAX_BYTES)
		return note_say(call, ACRED_FAILED, "%s would become longer than %d bytes", self->arguments.path, SEALED_FILE_MAX_BYTES);
	sealed_box_close(lid, self->key, changed.p, changed.n, file.p);
	return sealed_disk_replace(call, lock, file.p, file.n);
}

/*
 * Under the lock, with the key of SELF at hand: what others have written meanwhile is read again. *RET_AGAIN: the file is
 * another by now, with another salt, and its key must be got without the lock.
 */
static int change_locked(struct acred_call *call, struct sealed *self, const struct sealed_lock *lock, const struct sealed_lid *new_lid,
                         const struct change *change, bool *ret_again)
{
	WIPED file = { 0 }, entries = { 0 };
	struct sealed_entry entry;
	struct sealed_box box = { 0 };
	int status = read_box(call, self, &file, &box);

	*ret_again = false;
	if (status == ACRED_ABSENT && new_lid != NULL)
		return write_change(call, self, lock, new_lid, &entries, change);
	if (status != ACRED_OK && status != ACRED_ABSENT)
		return status;
	if (status == ACRED_ABSENT || memcmp(box.lid.salt, self->salt, BOX_SALT_BYTES) != 0) {
		*ret_again = true;
		return ACRED_LOCKED;
	}
	status = sealed_key_open(call, self, &box, SEALED_NEVER_ASK, &entries); /* with the key in memory: the salt is its */
	if (status != ACRED_OK)
		return status;
	/* The last entry gone, the file stays: it proves the passphrase to the next who stores something. */
	if (change->secret == NULL && !sealed_entries_find(&entries, change->key, &entry))
		return ACRED_ABSENT;
	return write_change(call, self, lock, &box.lid, &entries, change);
}

/* Gets the key into SELF, without the lock. *RET_NEW: there is no file, and it is the key of a new one. */
static int get_key(struct acred_call *call, struct sealed *self, enum sealed_asking asking, const struct change *change,
                   struct sealed_lid *ret_lid, bool *ret_new)
{
	WIPED entries = { 0 };
	struct sealed_entry entry;
	int status = read_entries(call, self, asking, &entries);

	*ret_new = status == ACRED_ABSENT && change->secret != NULL;
	if (*ret_new)
		return sealed_key_new(call, self, asking, ret_lid);
	/* What is not there needs no lock to be taken away, which could not be had on a medium that is only read. */
	if (status == ACRED_OK && change->secret == NULL && !sealed_entries_find(&entries, change->key, &entry))
		return ACRED_ABSENT;
	return status;
}

/*
 * A person may think for minutes, and other processes of the user wait for the lock only for their 5 s: so the key comes
 * first. If the file was made anew meanwhile, another process's key must open it, without asking a second time.
 */
static int change_file(struct acred_call *call, struct sealed *self, const struct change *change)
{
	enum sealed_asking asking = SEALED_MAY_ASK;

	for (int tries = 0; tries < CHANGED_TRIES; tries++, asking = SEALED_NEVER_ASK) {
		struct sealed_lock lock;
		struct sealed_lid lid;
		bool new, again;
		int status = get_key(call, self, asking, change, &lid, &new);

		if (status != ACRED_OK)
			return status;
		status = sealed_disk_lock(call, self->arguments.path, &lock);
		if (status != ACRED_OK)
			return status;
		status = change_locked(call, self, &lock, new ? &lid : NULL, change, &again);
		sealed_disk_unlock(&lock);
		if (status == ACRED_OK && new)
			sealed_key_rest(call, self);
		if (!again)
			return status;
	}
	return note_say(call, ACRED_LOCKED, "%s was replaced by another process meanwhile; try again", self->arguments.path);
}

static int sealed_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s)
{
	const struct change change = { key, bytes, len };

	(void)ttl_s;
	if (bytes == NULL || len == 0 || len > SEALED_FILE_MAX_BYTES)
		return note_say(call, ACRED_FAILED, "a sealed file takes 1 to %d bytes", SEALED_FILE_MAX_BYTES);
	return change_file(call, state, &change);
}

static int sealed_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	const struct change change = { key, NULL, 0 };

	return change_file(call, state, &change);
}

static int sealed_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	WIPED entries = { 0 };
	struct sealed_entry entry;
	size_t at = 0;
	int status = read_entries(call, state, SEALED_NEVER_ASK, &entries);

	if (status != ACRED_OK)
		return status == ACRED_ABSENT ? ACRED_OK : status; /* a file that nobody has made yet lists nothing */
	while (sealed_entries_next(&entries, &at, &entry))
		each(call->host, &entry.key);
	return ACRED_OK;
}

static int sealed_lock_again(struct acred_call *call, void *state)
{
	return sealed_key_forget(call, state);
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "sealed-file",
	.about = "an encrypted file that a passphrase opens: for machines without a desktop",
	.open = sealed_open,
	.lookup = sealed_lookup,
	.store = sealed_store,
	.erase = sealed_erase,
	.list = sealed_list,
	.close = sealed_close,
	.lock = sealed_lock_again,
};
