/* SPDX-License-Identifier: MIT */
/*
 * What the helper sees of the keyrings: a stack of lines `facility control module [arguments]`, read like
 * PAM's, walked once a call. It knows keys and statuses; no protocol, no account policy, no words for people.
 *
 * Nothing here allocates for the caller: a secret found goes to ears->put. Statuses are module.h's.
 */
#ifndef KEYRING_KEYRING_H
#define KEYRING_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyring/module.h"

#define KEYRING_LINES_MAX 32 /* of all facilities together */
#define KEYRING_MODULE_MAX_BYTES 127 /* of a module's name, or of its path */
#define KEYRING_WHY_MAX_BYTES 512

enum keyring_control { KEYRING_REQUIRED, KEYRING_REQUISITE, KEYRING_SUFFICIENT, KEYRING_OPTIONAL };

struct keyring_line {
	const char *facility; /* "refresh", "access" or "recovery" */
	enum keyring_control control;
	const char *module;   /* a name [a-z0-9-]+, or the absolute path of a shared object */
	int argc;
	const char *const *argv;
};

/* How the host takes part in a walk. A secret that put() got counts only if the walk's answer is ACRED_OK;
 * a later put() replaces an earlier one. */
struct keyring_ears {
	void *host;
	uint32_t flags; /* ACRED_MAY_PROMPT, ACRED_NO_DIALOG */
	/* Before and after each call of a module. begin() returns the call's deadline (CLOCK_MONOTONIC, ms)
	 * and may arm a watchdog that names the module. */
	int64_t (*begin)(void *host, const char *module);
	void (*loads)(void *host); /* in between: a shared object is about to be loaded. Or NULL */
	/* Returns how many bytes were printed on stdout meanwhile, by whomever; SIZE_MAX: it was closed. */
	size_t (*end)(void *host);
	int (*put)(void *host, const char *bytes, size_t len);
	void (*note)(void *host, const char *module, const char *text);
	int (*ask)(void *host, const char *question, const char **answer, size_t *len); /* or NULL */
	/* Both, for a host that asks about many keys in one call, or neither. Then a locate has a module list once: KNOW hears of
	 * each key in that list, and what KNOWN says is the answer for every other key. And a module that has run out of time is
	 * not looked up or located in again. */
	void (*know)(void *host, const char *module, const struct acred_key *key);
	bool (*known)(void *host, const char *module, const struct acred_key *key);
};

/* What a walk came to. */
struct keyring_answer {
	int status;
	const char *module; /* whose status that is; NULL: no module was reached */
	bool readonly;      /* of ACRED_OK in a look-up: that module cannot store */
	bool refused;       /* the loader refused that module, and its line is required or requisite */
	struct keyring_step {
		const char *module;
		int status;
		bool refused;    /* the loader refused it */
		const char *why; /* what it noted, or why it was refused, or ""; valid until it is called again */
	} passed_over[KEYRING_LINES_MAX]; /* the other lines that were asked and did not have or take it, in order */
	size_t n_passed_over;
	char why[KEYRING_WHY_MAX_BYTES]; /* the last thing that module noted, or why the loader refused it; may be "" */
};

/* A module as the stack holds it. */
struct keyring_slot {
	struct keyring_line line;
	bool added;                /* by keyring_add: it counts for whom it holds, and for what is erased */
	bool loaded, opened;       /* that was tried; `status` says how it went */
	int status;
	bool refused;              /* it never came to be a module: `status` and `why` are the loader's */
	bool late;                 /* it ran out of time once */
	bool listed;               /* ears->know has heard its list, and */
	int unlisted;              /* the status of a key that is not in it */
	struct acred_module module;
	void *state;
	char name[KEYRING_MODULE_MAX_BYTES + 1]; /* of a line that keyring_add made */
	char why[KEYRING_WHY_MAX_BYTES];
};

struct keyring { /* the caller's memory; zeroed is empty */
	const char *modules_dir; /* absolute; where NAME.so lies */
	struct keyring_slot slots[KEYRING_LINES_MAX];
	size_t n;
};

/*
 * Fills *ret_keyring with LINES, which stay the caller's and must outlive it, as must MODULES_DIR. Loads
 * nothing: a module is loaded and opened when a walk first reaches its line.
 */
void keyring_init(const char *modules_dir, const struct keyring_line *lines, size_t n, struct keyring *ret_keyring);

/* A `sufficient` line for MODULE, a name and no path, at the end of FACILITY's, unless one names it already. For the module
 * that is known to hold a secret, whatever the lines have become since: walks that name no holder pass it by, but for an
 * erase. False: no room, or no name. */
bool keyring_add(struct keyring *keyring, const char *facility, const char *module);

/* Calls each opened module's close, between EARS' begin and end; nothing else of EARS. Shared objects stay loaded. */
void keyring_close(struct keyring *keyring, const struct keyring_ears *ears);

/*
 * Looks KEY up in its facility's lines. HOLDER, where not NULL, is the module that is known to hold it: then
 * modules that cannot store are asked first and of the others that one alone. Returns answer->status:
 * ACRED_OK (put() has the secret), ACRED_ABSENT, or the first remembered LOCKED, else the first failure.
 */
int keyring_lookup(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                   const char *holder, struct keyring_answer *ret_answer);

/* Asks MODULE alone, whatever its line's control says: whether it gives back what it took. */
int keyring_lookup_in(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                      const char *module, struct keyring_answer *ret_answer);

/* The same walk, but no secret is kept: a module with `list` is asked by it, another by a look-up whose secret
 * is dropped unread. Never prompts. For `status`. */
int keyring_locate(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                   const char *holder, struct keyring_answer *ret_answer);

/*
 * Stores LEN bytes, of which more than ACRED_SECRET_MAX_BYTES are ACRED_FAILED, by the control table of keyring/stack.c;
 * answer->module is who took it. In the facility "access" the
 * entry is erased in every other available module afterwards, so that two caches never disagree. HOLDER, where
 * not NULL: the one module that takes it.
 */
int keyring_store(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                  const char *holder, const char *bytes, size_t len, int64_t ttl_s,
                  struct keyring_answer *ret_answer);

/* Erases in every module of the facility that can be reached and can erase, but in the module BUT (NULL: in all).
 * ACRED_OK: gone from there (it may have been nowhere); else the first LOCKED, else the first failure, and passed_over
 * names each module that could not be emptied. */
int keyring_erase(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                  const char *but, struct keyring_answer *ret_answer);

/* Erases in MODULE alone; ACRED_ABSENT where nothing was there. */
int keyring_erase_in(struct keyring *keyring, const struct keyring_ears *ears, const struct acred_key *key,
                     const char *module, struct keyring_answer *ret_answer);

/* What the modules of FACILITY keep open between calls, such as derived keys, is forgotten. ACRED_ABSENT: none kept
 * anything; else ACRED_OK or the first failure. */
int keyring_lock(struct keyring *keyring, const struct keyring_ears *ears, const char *facility,
                 struct keyring_answer *ret_answer);

/* Calls EACH with every key that a module of FACILITY which cannot store lists: those need no login. ALL: of every such
 * module, else up to the first that has any. Asks nobody. */
void keyring_sources(struct keyring *keyring, const struct keyring_ears *ears, const char *facility, bool all,
                     void (*each)(void *host, const struct acred_key *key, const char *module));

/* Whether a walk has reached the line that FACILITY has of MODULE, and the loader refused it: its status, and in *RET_WHY why; else
 * ACRED_OK. */
int keyring_refusal(const struct keyring *keyring, const char *facility, const char *module, const char **ret_why);

/* The same, where that is all. */
bool keyring_is_refused(const struct keyring *keyring, const char *facility, const char *module);

/* The word of a status: "ok absent locked unavailable denied readonly timeout failed". */
const char *keyring_status_word(int status);

#endif
