/* SPDX-License-Identifier: MIT */
/*
 * alation-cred keyring modules: the public interface, version 1. How to write one: alation-cred-module(7).
 *
 * A module keeps secrets, or brings them from where they are. It is a shared object that exports one symbol,
 * `alation_cred_module`, a constant `struct acred_module`. The host, alation-cred, loads it when a line of its
 * stack is first reached, calls open, then any of the other operations in any order, then close, and never unloads it.
 *
 * Threads and processes. The host calls from one thread, never two calls at once, but many processes of one user
 * may be in the same module at the same time. A module that two lines name is opened twice in one process: what it
 * remembers belongs into its state, not into variables.
 *
 * Memory. Everything that is handed over, in either direction, is the giver's: what the host hands over is valid
 * until the call returns where nothing else is said, and what a module hands to put(), note(), ask() and each()
 * need not live longer than that function. Nobody frees what the other has allocated. A module wipes what was
 * secret before it returns, on every way out: explicit_bzero(), not memset().
 *
 * Time. Each call has a deadline; loading and open share that of the operation they are done for. A module that has
 * not returned 2 s after it ends the process: no close, no destructor, and the user is told the module's name. So
 * does one that crashes or calls exit(). Whatever a module changes must therefore be whole at each moment: old or
 * new, never half.
 *
 * A module is a guest in a process that is not its own. It does not print: a call in which something came to the
 * standard output has failed, and what came is dropped. It does not read the standard input; does not call exit(),
 * nor rely on destructors or atexit(); least of all it calls _exit(), whose code would be taken for the program's. It
 * does not fork without exec, in the child goes to _exit() where that fails, and has waited for what it started before
 * it returns; does not change signal dispositions, the signal mask of the caller's thread, umask, working directory,
 * locale or environment; opens descriptors with O_CLOEXEC; never calls the host from another thread, and leaves no
 * thread behind that holds a secret. It finds umask 077, SIGPIPE and SIGXFSZ ignored, the locale "C", no core dumps;
 * HOME may be unset, and system calls may be interrupted.
 */
#ifndef ALATION_CRED_MODULE_H
#define ALATION_CRED_MODULE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ACRED_MODULE_ABI 1 /* raised only when an older module could misbehave */

/* What every operation but close returns. Other numbers count as ACRED_FAILED. */
enum {
	ACRED_OK = 0,
	ACRED_ABSENT = 1,      /* asked and answered: there is no such secret. Never for a failure: it means 'log in' */
	ACRED_LOCKED = 2,      /* it may be there, but a person must unlock it */
	ACRED_UNAVAILABLE = 3, /* no service, no session, no device: the module cannot work here, others may */
	ACRED_DENIED = 4,      /* the service said no */
	ACRED_READONLY = 5,    /* lookup works, store and erase never will */
	ACRED_TIMEOUT = 6,     /* the deadline passed first */
	ACRED_FAILED = 7       /* anything else; say what through note() */
};

/* acred_call.flags. A module passes over bits that it does not know. */
enum {
	ACRED_MAY_PROMPT = 1u << 0, /* a person is there to be asked; without it: ACRED_LOCKED, at once */
	ACRED_NO_DIALOG = 1u << 1   /* but in no graphical session of this process (ssh): what a module opens there would stay
	                             * unseen, and ask() alone reaches the person */
};

/*
 * A secret is one line of these characters, 1 to ACRED_SECRET_MAX_BYTES of them, without a NUL at its end: no store
 * hands over anything else, and a module refuses what is empty or longer. It gives back what it took, byte for byte.
 * It takes ACRED_SECRET_LEAST_BYTES; more than that it takes too, or answers ACRED_FAILED and notes its limit, and
 * what it had stays. What people have put into a keyring by hand may hold other bytes: a look-up hands over what is
 * there, and the host judges it.
 *
 * What is stored is the host's own, whose format changes: no module looks into it. A "refresh" that comes from elsewhere
 * is the bare RefreshToken as the server shows it; one line feed at its end is passed over.
 */
#define ACRED_SECRET_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%=&._~+-"
#define ACRED_SECRET_LEAST_BYTES 8192
#define ACRED_SECRET_MAX_BYTES 65536

#define ACRED_BASE_URL_MAX_BYTES 217
#define ACRED_USER_ID_MAX 2147483647

/* Whose secret, and which. Nothing in a key is itself secret. It never grows. All three members tell keys apart,
 * compared byte for byte. */
struct acred_key {
	/* "refresh", the long-lived secret; "access", a cache of what can be had again; "recovery", a copy while another
	 * is replaced, for which the host asks its own modules alone. A later host may have others: 1 to 16 of a-z. A module
	 * need not keep all of them: what it does not keep, or does not know, is ACRED_ABSENT in a look-up and an erase, and
	 * ACRED_FAILED with a note in a store. */
	const char *facility;
	/* Normalised: "https://catalog.example.com", "http://[::1]:8080". Lower-case ASCII: letters, digits and any of
	 * ":/.-_[]"; no path. */
	const char *base_url;
	int64_t user_id; /* 1 to ACRED_USER_ID_MAX */
};

/* One call's limits, and the host's ears: valid until the module returns. Grows at the end only: members behind `ask`
 * are there if `size` says so. */
struct acred_call {
	size_t size;
	uint32_t flags;
	/* CLOCK_MONOTONIC, milliseconds; 0: none. Usually 5 s away, 2 s for a question that may go unanswered, 120 s with
	 * ACRED_MAY_PROMPT; it may have passed already. An answer that comes within the 2 s after it still counts. */
	int64_t deadline_ms;
	void *host; /* the first argument of put, note, ask and each */
	/* Hands over a secret that was found: in lookup only, once, before ACRED_OK is returned. The bytes are copied.
	 * Not 0: refused (out of turn, no memory, too long); wipe, and return ACRED_FAILED. */
	int (*put)(void *host, const char *bytes, size_t len);
	/* Says in one line, without a secret in it and without the module's name, what went wrong or was passed over. The
	 * text is copied, cut at 511 bytes, and control characters become blanks. The last note of a call that fails is
	 * shown to the user; all of them are traced (-v). */
	void (*note)(void *host, const char *text);
	/* Asks the person for a passphrase with QUESTION, such as "Passphrase of /home/ann/sealed: ". NULL without
	 * ACRED_MAY_PROMPT and often with it: then there is only a dialog of the module's own. On ACRED_OK *answer (*len
	 * bytes, no NUL behind them, perhaps none, at most 20000) is valid until the next question or the module's return,
	 * and the host wipes it; else ACRED_LOCKED (no answer) or ACRED_TIMEOUT: return that. */
	int (*ask)(void *host, const char *question, const char **answer, size_t *len);
};

/*
 * Exported as alation_cred_module. Grows at the end only: an older module's missing members count as NULL, and a newer
 * one's are not seen by an older host. What is optional may be NULL.
 */
struct acred_module {
	uint32_t abi; /* ACRED_MODULE_ABI, else it is refused */
	size_t size;  /* sizeof alation_cred_module */
	const char *name;  /* its file's without ".so": 1 to 64 of a-z, 0-9 and '-' */
	const char *about; /* what it is, in one line */
	/*
	 * Optional. Reads its arguments: argv[0] is the first word behind the module's name, argv[argc] is not there, and
	 * argv may be NULL where argc is 0. No word is empty or has a blank or tab. The strings stay valid until close. An
	 * argument it does not know is ACRED_FAILED and a note; so is a relative path, as the working directory is whatever the
	 * caller's is. None is secret: `status` prints them. *state is NULL at first, and what the module puts there is handed to
	 * the other operations. Whatever can wait is put off to the first operation that needs it: files, sockets, libraries.
	 * Not ACRED_OK: neither close nor anything else is called, *state is ignored, and what it answered and noted stands for
	 * each call.
	 */
	int (*open)(struct acred_call *, int argc, const char *const *argv, void **state);
	/* Required. ACRED_OK after exactly one put(); every other status without one. A store that nobody has made yet is an
	 * empty one: ACRED_ABSENT. Where the place that it would be in is not there, such as a mount, ACRED_UNAVAILABLE. */
	int (*lookup)(struct acred_call *, void *state, const struct acred_key *);
	/*
	 * Optional; NULL: this module is a source, which is only read: it is asked before others, and an account that it
	 * lists needs no login. Replaces what is there, at once: whoever looks up meanwhile finds the old or the new secret,
	 * whole. On any other status than ACRED_OK the old one is still there; where nothing but its being durable is in doubt
	 * (a last sync has failed: ACRED_FAILED), or a service that was asked has not answered in time (ACRED_TIMEOUT), it may
	 * be either of them, whole. The host takes nothing for kept then.
	 * ttl_s: seconds after which it should be gone, 0: keep, never negative; a module that cannot expire keeps it longer.
	 * What has expired is none for lookup and list; an erase may find it or not.
	 * Never ACRED_ABSENT. What is to outlive a restart is durable when it returns.
	 */
	int (*store)(struct acred_call *, void *state, const struct acred_key *,
	             const char *bytes, size_t len, int64_t ttl_s);
	/* Optional; NULL with a store: what it keeps stays until another secret replaces it, and a logout fails. ACRED_OK: it
	 * was there and is gone. ACRED_ABSENT where nothing was there. */
	int (*erase)(struct acred_call *, void *state, const struct acred_key *);
	/* Optional. Calls each(call->host, key) once with every key it holds, of all facilities; asks nobody, unlocks nothing,
	 * hands over no secret, and wipes those that it must read because they lie beside the keys. ACRED_OK also where there is
	 * none. Keys that were listed count even if it then returns another status. Without it `status` makes a look-up whose
	 * secret is dropped, and a source has no accounts but those that are named. */
	int (*list)(struct acred_call *, void *state,
	            void (*each)(void *host, const struct acred_key *));
	/* Optional. Frees the state, after an open that was ACRED_OK (or NULL: state is NULL then). It is told no deadline, and
	 * has 1 s: it waits for nothing. It may never be called: the process may end in any other way. The module may
	 * be opened again afterwards. */
	void (*close)(void *state);
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
