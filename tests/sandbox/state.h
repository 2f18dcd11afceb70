/* SPDX-License-Identifier: MIT */
/*
 * What the pretend Alation knows: users, their RefreshTokens, and of each RefreshToken the access tokens minted
 * from it. Every rule about which token lives stands here; no HTTP, no JSON. The caller holds the lock.
 */
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct user {
	struct user *next;
	char *name;
	char *password; /* NULL: signs in through SSO, a password never works */
	int64_t id;
};

struct access_token {
	struct access_token *next;
	const struct refresh_token *refresh;
	char *token;
	int64_t created_us, expires_us;
	bool revoked;
};

struct refresh_token {
	struct refresh_token *next;
	const struct user *user;
	struct access_token *access; /* the one minted last, or NULL */
	char *token, *name;
	int64_t id, created_us, expires_us;
	bool revoked;
};

struct state {
	struct user *users;
	struct refresh_token *refresh_tokens; /* newest first, as the access tokens */
	struct access_token *access_tokens;
	int64_t refresh_lifetime_s, access_lifetime_s;
	int64_t last_id;
};

enum verdict { TOKEN_LIVE, TOKEN_INVALID, TOKEN_EXPIRED_OR_REVOKED };

/* False: the name or the id is taken. PASSWORD NULL: an SSO user. */
bool state_add_user(struct state *state, const char *name, const char *password, int64_t id);
const struct user *state_user(const struct state *state, int64_t id);
const struct user *state_login(const struct state *state, const char *name, const char *password);

/* TOKEN NULL: a random one. LIFETIME_S 0: the state's. */
struct refresh_token *state_create(struct state *state, const struct user *user, const char *name, const char *token,
                                   int64_t lifetime_s);
/* OLD and its access tokens end; the new one keeps its name. */
struct refresh_token *state_regen(struct state *state, struct refresh_token *old);
/* The access token minted before from the same RefreshToken ends. */
struct access_token *state_mint(struct state *state, struct refresh_token *refresh);
void state_revoke_access(struct refresh_token *refresh);

enum verdict state_find_refresh(const struct state *state, const char *token, int64_t user_id,
                                struct refresh_token **ret_refresh);
/* USER_ID 0: whoever's. */
enum verdict state_find_access(const struct state *state, const char *token, int64_t user_id,
                               struct access_token **ret_access);

/* Of either kind; false: there is no such token. */
bool state_expire(struct state *state, const char *token);
bool state_revoke(struct state *state, const char *token);

void state_free(struct state *state);

#endif
