/* SPDX-License-Identifier: MIT */
/*
 * alation-cred keyring modules: the public interface.
 *
 * A module is one exported `struct acred_module` named `alation_cred_module`. Everything in it is plain data
 * and functions that return one of the statuses below. The host calls from one thread, never two calls at
 * once; strings it hands over are valid until the call returns; a module copies what it keeps, wipes what was
 * secret before it returns, prints nothing and never forks without exec.
 */
#ifndef ALATION_CRED_MODULE_H
#define ALATION_CRED_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ACRED_MODULE_ABI 1 /* raised only when an older module could misbehave */

enum {
	ACRED_OK = 0,
	ACRED_ABSENT = 1,      /* asked and answered: there is no such secret */
	ACRED_LOCKED = 2,      /* it may be there, but a person must unlock it */
	ACRED_UNAVAILABLE = 3, /* no service, no session, no device */
	ACRED_DENIED = 4,      /* the service said no */
	ACRED_READONLY = 5,    /* lookup works, store and erase never will */
	ACRED_TIMEOUT = 6,     /* the deadline passed first */
	ACRED_FAILED = 7       /* anything else; say what through note() */
};

enum {
	ACRED_MAY_PROMPT = 1u << 0, /* a person is there to be asked */
	ACRED_NO_DIALOG = 1u << 1   /* but in no graphical session of this process (ssh): what a module opens there would stay
	                             * unseen, and ask() alone reaches the person */
};

struct acred_key {                /* nothing in a key is itself secret */
	const char *facility;     /* "refresh", "access" or "recovery" */
	const char *base_url;     /* normalised: "https://catalog.example.com" */
	int64_t user_id;
};

struct acred_call {               /* one call's limits, and the host's ears; grows at the end only */
	size_t size;
	uint32_t flags;
	int64_t deadline_ms;      /* CLOCK_MONOTONIC; 0: none */
	void *host;
	/* A secret found, once a call, before ACRED_OK is returned; not 0: refused, return ACRED_FAILED. */
	int (*put)(void *host, const char *bytes, size_t len);
	void (*note)(void *host, const char *text); /* one line, no secret in it */
	/* Asks the person; only with ACRED_MAY_PROMPT, else NULL. On ACRED_OK the answer is valid until
	 * this module call returns, and the host wipes it; else ACRED_LOCKED or ACRED_TIMEOUT. */
	int (*ask)(void *host, const char *question, const char **answer, size_t *len);
};

struct acred_module {             /* exported as alation_cred_module; grows at the end only */
	uint32_t abi;             /* ACRED_MODULE_ABI */
	size_t size;              /* sizeof alation_cred_module */
	const char *name, *about;
	/* Optional. argv[0] is the first argument; the strings stay valid until close. Not ACRED_OK: the
	 * module is not called again, and what it answered stands for each call. */
	int (*open)(struct acred_call *, int argc, const char *const *argv, void **state);
	int (*lookup)(struct acred_call *, void *state, const struct acred_key *);
	/* Optional (NULL: read-only). Replaces what is there; ttl_s: seconds to keep it, 0: keep. */
	int (*store)(struct acred_call *, void *state, const struct acred_key *,
	             const char *bytes, size_t len, int64_t ttl_s);
	/* Optional. ACRED_ABSENT where nothing was there. */
	int (*erase)(struct acred_call *, void *state, const struct acred_key *);
	/* Optional. Calls each() with every key it holds; reads no secret, asks nobody. */
	int (*list)(struct acred_call *, void *state,
	            void (*each)(void *host, const struct acred_key *));
	void (*close)(void *state); /* optional */
	/* Optional. Forgets what it keeps open for its user from one process to the next, such as a derived key; locks
	 * nothing that other programs use, reads no secret, asks nobody. ACRED_ABSENT where it kept nothing. */
	int (*lock)(struct acred_call *, void *state);
};

#if defined __GNUC__
__attribute__((visibility("default"))) /* also under -fvisibility=hidden */
#endif
extern const struct acred_module alation_cred_module;

#ifdef __cplusplus
}
#endif

#endif
