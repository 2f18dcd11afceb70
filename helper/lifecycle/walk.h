/* SPDX-License-Identifier: MIT */
/*
 * Walks over the keyring stack for an account: limits and watchdog around each module's call, the person who may be
 * asked, statuses turned into outcomes and words. Knows no record and decides nothing about tokens.
 */
#ifndef HELPER_LIFECYCLE_WALK_H
#define HELPER_LIFECYCLE_WALK_H

#include "helper/accounts-file.h"
#include "helper/base/secret.h"
#include "helper/context.h"

#define WALK_FOR_EVER 0 /* a ttl_s: what is stored carries its own end */

/* Who takes part, and how. */
struct walk {
	struct context *context;
	const struct account *account; /* whose key it is, and for words */
	bool may_prompt;               /* a dialog may open, a person may be asked; the time that takes does not count */
	struct secret *found;          /* what a look-up finds; NULL: a secret is dropped unread */
	int64_t began_ms;              /* from here on the walk's own */
	struct secret answer;
};

/* FACILITY's key of an account. */
struct acred_key walk_key(const struct account *account, const char *facility);

/*
 * The walks of keyring/keyring.h, each traced, each returning answer->status. HOLDER: the module that is known to hold it, or
 * NULL; it is asked whether or not the stack still has a line for it. No word is said.
 */
int walk_look_up(struct walk *walk, const struct acred_key *key, const char *holder, struct keyring_answer *ret_answer);
int walk_look_up_in(struct walk *walk, const struct acred_key *key, const char *module, struct keyring_answer *ret_answer);
int walk_locate(struct walk *walk, const struct acred_key *key, const char *holder, struct keyring_answer *ret_answer);
int walk_store(struct walk *walk, const struct acred_key *key, const char *holder, struct bytes line, int64_t ttl_s,
               struct keyring_answer *ret_answer);

/* BUT: the module that keeps it, or NULL. HOLDER is emptied too, if no line names it. */
int walk_erase(struct walk *walk, const struct acred_key *key, const char *holder, const char *but, struct keyring_answer *ret_answer);

/* In that module alone. */
int walk_erase_in(struct walk *walk, const struct acred_key *key, const char *module, struct keyring_answer *ret_answer);

/* Of the facility "refresh", what is kept open between calls is forgotten. HOLDER as above. */
int walk_lock(struct walk *walk, const char *holder, struct keyring_answer *ret_answer);

/* Calls EACH with every account whose RefreshToken a module brings that cannot store, and the module's name; ALL as in
 * keyring_sources. */
void walk_sources(struct walk *walk, bool all, void (*each)(void *user, const struct acred_key *key, const char *module), void *user);

/* Closes the modules, as the last of a call. One that hangs or crashes then ends the process with CODE, what the call comes to:
 * its answer is written. */
void walk_close(struct context *context, int code);

/* Closes them, and lays the stack out anew, with no module loaded: as the next call will find it. One that hangs or crashes as it is
 * closed ends the call with 5, as in any other operation. */
void walk_anew(struct context *context);

/* The walk's answer as the call's trouble: a status in words; DONE for ACRED_OK. */
enum outcome walk_say(struct walk *walk, const struct keyring_answer *answer);

/* account->module as a HOLDER. */
const char *walk_holder(const struct account *account);

#endif
