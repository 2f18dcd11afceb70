/* SPDX-License-Identifier: MIT */
/*
 * One call of one module, with what a module could do wrong kept away from the walk: it is loaded and opened
 * when first called, gets its deadline, and answers with a status that means what module.h says.
 *
 * Each returns that status; slot->why is the last thing the module noted, or why it was refused.
 */
#ifndef KEYRING_GUEST_H
#define KEYRING_GUEST_H

#include "keyring/keyring.h"

/* ACRED_OK: ears->put was called, once. */
int guest_lookup(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                 const struct acred_key *key);

/* Whether it holds KEY; no secret is kept, nobody is asked. */
int guest_locate(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                 const struct acred_key *key);

/* ACRED_READONLY where the module has no such operation; never ACRED_ABSENT. */
int guest_store(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s);

/* ACRED_OK: something was there and is gone. */
int guest_erase(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
                const struct acred_key *key);

/* Forgets what it keeps open between calls; ACRED_ABSENT where it has no such operation. */
int guest_lock(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears);

/* Calls EACH with every key it lists; returns how many these were. */
size_t guest_list(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears,
               void (*each)(void *host, const struct acred_key *key, const char *module));

/* Its close, if it was opened. */
void guest_close(struct keyring_slot *slot, const struct keyring_ears *ears);

/* Whether it is a source alone: it cannot store, or was refused and nobody knows. Loads it, opens nothing. */
bool guest_is_source(const char *dir, struct keyring_slot *slot, const struct keyring_ears *ears);

#endif
