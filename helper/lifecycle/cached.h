/* SPDX-License-Identifier: MIT */
/*
 * The cached access token and what is remembered with it: how old each is on a clock that nobody can set, and the marks
 * of calls that may have revoked it. Asks no server and reads no RefreshToken. Whoever changes it holds the account's lock.
 */
#ifndef HELPER_LIFECYCLE_CACHED_H
#define HELPER_LIFECYCLE_CACHED_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

#define CACHED_LATE_MS 60000          /* how long a call whose answer was lost may still reach the server */
#define CACHED_UNEXPLAINED_MS 600000  /* three deaths that nobody here caused in this time: somebody else did */

/* Of this boot; read once. "" where it cannot be. */
const char *cached_boot_id(void);

/* How long ago BOOT_MS (CLOCK_BOOTTIME) was by RECORD's boot; negative where that cannot be said: another boot, or
 * another time namespace; and where BOOT_MS is 0, never. */
int64_t cached_ago_ms(const struct access_record *record, int64_t boot_ms);

/* How long RECORD's token still lives by this machine's clock; may be negative. */
int64_t cached_left_s(const struct access_record *record);

/* KEYRING where a newer program has cached RECORD: whoever mints then revokes its token and cannot say so there. */
enum outcome cached_check_version(struct context *context, const struct account *account, const struct access_record *record);

/* Whether a call that was lost before may still revoke RECORD's token. */
bool cached_is_late(const struct access_record *record);

/* Caches a token that was just minted; what is remembered goes on from the record it replaces, refusals do not. */
void cached_keep(struct context *context, const struct account *account, struct access_record *record);

/* Puts a record back that has changed, for the rest of its time; of one whose token is over, what is remembered. */
void cached_put_back(struct context *context, const struct account *account, struct access_record *record);

/* The token leaves the cache; what is remembered stays while it matters, and of marks the one of SUSPECT_MS (0: none). */
enum outcome cached_drop(struct context *context, const struct account *account, int64_t suspect_ms);

/* Says that access tokens which were minted with another RefreshToken than that of FINGERPRINT may live on: a login was
 * broken off before it ended them. To be asked before the token is dropped. */
void cached_tell_others(struct context *context, const struct account *account, const char *fingerprint);

/* RECORD's token is active, says the server, which was asked at BEGAN_MS (CLOCK_BOOTTIME): that is noted. */
void cached_lives(struct context *context, const struct account *account, struct access_record *record, int64_t began_ms);

/* RECORD's token is dead, says the server: it leaves the cache, and if nothing here can have ended it that is counted.
 * *ret_often: it was the third time in CACHED_UNEXPLAINED_MS. */
enum outcome cached_died(struct context *context, const struct account *account, struct access_record *record, bool *ret_often);

/*
 * Around a call that may revoke the cached token, or the next: marks it, so that nobody serves it unasked if the reply
 * never comes. Returns the mark that was there (0: none). cached_trust puts that one back, once it is known that the
 * server did nothing.
 */
int64_t cached_suspect(struct context *context, const struct account *account);
void cached_trust(struct context *context, const struct account *account, int64_t before_ms);

/* A renewal that nobody has asked for is about to be tried; and whether one was in the last CACHED_RENEWAL_MS, or the
 * server refuses to mint just now: then none is. */
#define CACHED_RENEWAL_MS (6 * 3600000)
void cached_note_renewal(struct context *context, const struct account *account);
bool cached_may_renew(struct context *context, const struct account *account);

/* The server's refusal to mint with the RefreshToken of that fingerprint counts for FOR_S from now on. */
void cached_refuse(struct context *context, const struct account *account, enum refusal refusal, int64_t for_s, const char *parent);

/* The refusal that is still in force for it, and for how long (s, at least 1); REFUSAL_NONE. */
enum refusal cached_refusal(const struct access_record *record, const char *parent, int64_t *ret_left_s);

#endif
