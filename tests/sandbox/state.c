/* SPDX-License-Identifier: MIT */
/*
 * Users and tokens of the pretend Alation, in memory alone. Nothing is ever removed: a token that ended must go on
 * to be refused as "expired or revoked", not as unknown. No HTTP, no JSON, no lock of its own.
 */
#include "tests/sandbox/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/sandbox/dates.h"
#include "tests/sandbox/text.h"

#define REFRESH_RANDOM_BYTES 64 /* 86 characters */
#define ACCESS_RANDOM_BYTES 32  /* 43 characters */
#define US_PER_S 1000000
/* Alation's token_expires_at was computed a moment before its created_at. */
#define EXPIRES_EARLIER_US 541

static void fill_random(unsigned char *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = getrandom(p + have, n - have, 0);

		if (got < 0 && errno != EINTR) {
			perror("alation-sandbox: getrandom");
			abort();
		}
		have += got > 0 ? (size_t)got : 0;
	}
}

/* Base64url without padding. */
static char *new_token(size_t random_n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char random[REFRESH_RANDOM_BYTES];
	size_t digits = (random_n * 8 + 5) / 6;
	char *token = must_alloc(digits + 1);

	fill_random(random, random_n);
	for (size_t i = 0; i < digits; i++) {
		size_t bit = i * 6, byte = bit / 8;
		unsigned pair = (unsigned)random[byte] << 8 | (byte + 1 < random_n ? random[byte + 1] : 0u);

		token[i] = alphabet[pair >> (10 - bit % 8) & 63];
	}
	return token;
}

bool state_add_user(struct state *state, const char *name, const char *password, int64_t id)
{
	struct user *user;

	for (user = state->users; user; user = user->next)
		if (user->id == id || strcmp(user->name, name) == 0)
			return false;
	user = must_alloc(sizeof *user);
	user->name = must_copy(name, strlen(name));
	user->password = password ? must_copy(password, strlen(password)) : NULL;
	user->id = id;
	user->next = state->users;
	state->users = user;
	return true;
}

const struct user *state_user(const struct state *state, int64_t id)
{
	const struct user *user = state->users;

	while (user && user->id != id)
		user = user->next;
	return user;
}

const struct user *state_login(const struct state *state, const char *name, const char *password)
{
	const struct user *user = state->users;

	while (user && strcmp(user->name, name) != 0)
		user = user->next;
	return user && user->password && strcmp(user->password, password) == 0 ? user : NULL;
}

struct refresh_token *state_create(struct state *state, const struct user *user, const char *name, const char *token,
                                   int64_t lifetime_s)
{
	struct refresh_token *refresh = must_alloc(sizeof *refresh);

	refresh->user = user;
	refresh->token = token ? must_copy(token, strlen(token)) : new_token(REFRESH_RANDOM_BYTES);
	refresh->name = must_copy(name, strlen(name));
	refresh->id = ++state->last_id;
	refresh->created_us = dates_now_us();
	refresh->expires_us = refresh->created_us - EXPIRES_EARLIER_US +
	                      (lifetime_s ? lifetime_s : state->refresh_lifetime_s) * US_PER_S;
	refresh->next = state->refresh_tokens;
	state->refresh_tokens = refresh;
	return refresh;
}

struct refresh_token *state_regen(struct state *state, struct refresh_token *old)
{
	state_revoke_access(old);
	old->revoked = true;
	return state_create(state, old->user, old->name, NULL, 0);
}

struct access_token *state_mint(struct state *state, struct refresh_token *refresh)
{
	struct access_token *access = must_alloc(sizeof *access);

	state_revoke_access(refresh);
	access->refresh = refresh;
	access->token = new_token(ACCESS_RANDOM_BYTES);
	access->created_us = dates_now_us();
	access->expires_us = access->created_us - EXPIRES_EARLIER_US + state->access_lifetime_s * US_PER_S;
	access->next = state->access_tokens;
	state->access_tokens = access;
	refresh->access = access;
	return access;
}

/* One is enough: those minted earlier ended when this one was minted. */
void state_revoke_access(struct refresh_token *refresh)
{
	if (refresh->access)
		refresh->access->revoked = true;
	refresh->access = NULL;
}

static enum verdict judge(bool revoked, int64_t expires_us)
{
	return revoked || expires_us <= dates_now_us() ? TOKEN_EXPIRED_OR_REVOKED : TOKEN_LIVE;
}

static struct refresh_token *refresh_by_text(const struct state *state, const char *token)
{
	struct refresh_token *refresh = state->refresh_tokens;

	while (refresh && strcmp(refresh->token, token) != 0)
		refresh = refresh->next;
	return refresh;
}

static struct access_token *access_by_text(const struct state *state, const char *token)
{
	struct access_token *access = state->access_tokens;

	while (access && strcmp(access->token, token) != 0)
		access = access->next;
	return access;
}

enum verdict state_find_refresh(const struct state *state, const char *token, int64_t user_id,
                                struct refresh_token **ret_refresh)
{
	struct refresh_token *refresh = refresh_by_text(state, token);
	enum verdict verdict;

	if (!refresh || refresh->user->id != user_id)
		return TOKEN_INVALID;
	verdict = judge(refresh->revoked, refresh->expires_us);
	if (verdict == TOKEN_LIVE)
		*ret_refresh = refresh;
	return verdict;
}

enum verdict state_find_access(const struct state *state, const char *token, int64_t user_id,
                               struct access_token **ret_access)
{
	struct access_token *access = access_by_text(state, token);
	enum verdict verdict;

	if (!access || (user_id && access->refresh->user->id != user_id))
		return TOKEN_INVALID;
	verdict = judge(access->revoked, access->expires_us);
	if (verdict == TOKEN_LIVE)
		*ret_access = access;
	return verdict;
}

bool state_expire(struct state *state, const char *token)
{
	struct refresh_token *refresh = refresh_by_text(state, token);
	struct access_token *access = access_by_text(state, token);

	if (refresh)
		refresh->expires_us = dates_now_us();
	if (access)
		access->expires_us = dates_now_us();
	return refresh || access;
}

bool state_revoke(struct state *state, const char *token)
{
	struct refresh_token *refresh = refresh_by_text(state, token);
	struct access_token *access = access_by_text(state, token);

	if (refresh) {
		state_revoke_access(refresh);
		refresh->revoked = true;
	}
	if (access)
		access->revoked = true;
	return refresh || access;
}

void state_free(struct state *state)
{
	for (struct user *next, *user = state->users; user; user = next) {
		next = user->next;
		free(user->name);
		free(user->password);
		free(user);
	}
	for (struct refresh_token *next, *refresh = state->refresh_tokens; refresh; refresh = next) {
		next = refresh->next;
		free(refresh->token);
		free(refresh->name);
		free(refresh);
	}
	for (struct access_token *next, *access = state->access_tokens; access; access = next) {
		next = access->next;
		free(access->token);
		free(access);
	}
	*state = (struct state){ 0 };
}
