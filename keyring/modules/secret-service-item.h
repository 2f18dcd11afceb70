/* SPDX-License-Identifier: MIT */
/*
 * The items of one key: found, read, written, removed. Each returns a status of module.h, and has noted why. An item that is empty
 * was erased: KeePassXC may show a dialog for each deletion.
 */
#ifndef KEYRING_MODULES_SECRET_SERVICE_ITEM_H
#define KEYRING_MODULES_SECRET_SERVICE_ITEM_H

#include "keyring/modules/secret-service-bus.h"

/* The attributes that every item of ours has; the caller's to unref. */
GHashTable *item_attributes_all(void);

/* As talk_find: the items with exactly KEY's attributes, or more. */
int item_find(struct talk *talk, const struct acred_key *key, char ***ret_items, bool *ret_more);

/* Of several items the one that was changed last: which of ITEMS. */
int item_newest(struct talk *talk, char *const *items, size_t *ret_which);

/* Reads the newest of ITEMS, at least one, that is not empty; ACRED_ABSENT: all are. Changes their order and number. The value
 * frees and wipes itself with secret_value_unref(). */
int item_read_newest(struct talk *talk, char **items, SecretValue **ret_value);

/* Reads ITEM back: a service has been seen to acknowledge what it did not keep. */
int item_compare(struct talk *talk, const char *item, const char *bytes, size_t len);

/* Makes KEY's item in COLLECTION, or changes it. *RET_ITEM, the caller's to free: its path, or NULL where the service does not
 * tell. */
int item_create(struct talk *talk, const struct acred_key *key, const char *collection, SecretValue *value, char **ret_item);

/* Removes all of ITEMS but KEEP, which may be NULL. *RET_STAY: some are still found, but empty. ACRED_ABSENT: they were all empty
 * before. */
int items_remove(struct talk *talk, char *const *items, const char *keep, bool *ret_stay);

#endif
