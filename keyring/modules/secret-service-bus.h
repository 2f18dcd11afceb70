/* SPDX-License-Identifier: MIT */
/*
 * The Secret Service's side of a talk on D-Bus, all within the deadline of one module call: found, connected, called (-bus.c);
 * unlocked and searched (-open.c), by a password at the terminal (-password.c). Knows no key and no record. With
 * secret-service.c the only files that see GLib.
 */
#ifndef KEYRING_MODULES_SECRET_SERVICE_BUS_H
#define KEYRING_MODULES_SECRET_SERVICE_BUS_H

#ifndef SECRET_API_SUBJECT_TO_CHANGE
#define SECRET_API_SUBJECT_TO_CHANGE
#endif
#include <libsecret/secret.h>
#include <stdbool.h>

#include "keyring/module.h"

#define SERVICE_NAME "org.freedesktop.secrets"
#define SERVICE_PATH "/org/freedesktop/secrets"
#define SERVICE_INTERFACE "org.freedesktop.Secret.Service"
#define COLLECTION_INTERFACE "org.freedesktop.Secret.Collection"
#define ITEM_INTERFACE "org.freedesktop.Secret.Item"
#define NO_PATH "/" /* how the service says 'none' */

struct vault { /* kept from call to call while all goes well; zeroed: not connected */
	GDBusConnection *bus;
	SecretService *service;
};

struct talk { /* one call */
	struct acred_call *call;
	struct vault *vault;
	bool may_prompt;
	bool bad_session; /* what failed may have been ours alone */
	GCancellable *cancel; /* for every function that may wait */
	GThread *watch;       /* NULL: no deadline */
	GMutex lock;
	GCond changed;
	bool over;
};

/* Starts the deadline and connects. Whatever it returns, talk_end() must follow. */
int talk_begin(struct talk *talk, struct acred_call *call, struct vault *vault);

/* Returns STATUS. */
int talk_end(struct talk *talk, int status);

void vault_disconnect(struct vault *vault);

/* Notes TEXT and returns STATUS. */
int talk_say(struct talk *talk, const char *text, int status);

/* Notes what WHAT ran into, frees ERROR and returns what it means as a status. */
int talk_fail(struct talk *talk, const char *what, GError *error);

/* One method of the service. ARGUMENTS are consumed. */
int talk_method(struct talk *talk, const char *path, const char *interface, const char *name, GVariant *arguments,
                const char *reply_type, GVariant **ret_reply);

/* A property, of the type that was asked for. */
int talk_property(struct talk *talk, const char *path, const char *interface, const char *name, const char *type,
                  GVariant **ret_value);

/* Lets the dialog PROMPT run, where this call may prompt; else dismisses it: ACRED_LOCKED. NO_PATH is none. */
int talk_prompt(struct talk *talk, const char *prompt);

/* Lets PROMPT run whether or not this call may prompt, within its deadline: for what opens no dialog. *RET_PATH: the object that
 * its end names, or NULL; the caller's to free. */
int talk_run_prompt(struct talk *talk, const char *prompt, char **ret_path);

/* A dialog that is not to open is told to go, or it would stay there for good. */
void talk_dismiss(struct talk *talk, const char *prompt);

/* The collection that PATH is, or is an item of; the caller's to free. NULL: it is neither. */
char *talk_collection_of(const char *path);

/* Opens the collection that PATH is or is in with its password, which the person is asked for (call->ask is there). ACRED_LOCKED
 * where it is not given, is wrong, or the service has no such call. */
int talk_open_by_password(struct talk *talk, const char *path);

/* Unlocks items and collections, NULL-ended. What has no password opens without asking. */
int talk_unlock(struct talk *talk, const char *const *paths);

/* Unlocks the default collection if it is locked. *RET_WAS_LOCKED: it was. None at all is ACRED_UNAVAILABLE. */
int talk_open_default(struct talk *talk, char **ret_path, bool *ret_was_locked);

/* The items with ATTRIBUTES that can be read, at least one, after unlocking if need be. *RET_MORE: there are
 * others, and they are locked. ACRED_ABSENT: the service answered, its default keyring is open, nothing is there. */
int talk_find(struct talk *talk, GHashTable *attributes, char ***ret_items, bool *ret_more);

/* What talk_find() gave was empty, MORE is what it told: ACRED_ABSENT, if there can be no other; ACRED_OK: the default keyring
 * is only now open, find again. Else why it cannot be told. */
int talk_pass_over(struct talk *talk, bool more);

#endif
