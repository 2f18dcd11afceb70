/* SPDX-License-Identifier: MIT */
/*
 * Decides what to do about an access token. Pure: no clock, no file, no keyring, no network. The caller brings
 * the facts.
 */
#ifndef HELPER_LIFECYCLE_POLICY_H
#define HELPER_LIFECYCLE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_VALIDATION_MEMO_MS 10000 /* how long the server's word counts for --validate */

enum decision {
	SERVE,
	SERVE_YOUNG, /* it has less to live than was asked for, but no new one would have more */
	VALIDATE,    /* serve it once the server has said that it is active */
	MINT,
};

struct cached {
	bool present;
	int64_t left_s;           /* by this machine's clock; may be negative */
	int64_t lifetime_s;
	bool minted_since;        /* its mint began after the caller did */
	bool suspect;             /* a call that may have revoked it has not come back */
	bool late;                /* an earlier such call may still reach the server */
	int64_t validated_ago_ms; /* negative: the server was not asked in this boot */
	bool validated_since;     /* it was asked after the caller began */
};

struct wish {
	int64_t min_ttl_s; /* negative: not said */
	bool fresh, validate;
	bool lasting; /* it goes to a program that runs on: where min_ttl_s is not said, more than the margin */
};

/* How much life a token must have left to be served: 60 s or 2 % of its lifetime, whichever is less. Small on
 * purpose: an early mint cuts off everyone who still uses the old token. */
int64_t policy_margin_s(int64_t lifetime_s);

/* The same for a program that runs on, and gets no other: a quarter of the lifetime or 1 h, whichever is less. */
int64_t policy_lasting_s(int64_t lifetime_s);

enum decision policy_decide(const struct cached *have, const struct wish *wish);

/*
 * A token's lifetime from what a reply says (epoch s, or a negative number where it does not): the server's own
 * difference of expiry and creation, or of expiry and the reply's Date. *ret_guessed: neither is usable, and it
 * is one hour.
 */
int64_t policy_lifetime_s(int64_t created_at, int64_t expires_at, int64_t date, bool *ret_guessed);

#endif
