/* SPDX-License-Identifier: MIT */
/*
 * The list of accounts on disk: everything about them that is not secret, a form-encoded line each. Knows no
 * keyring and no server, and does not choose among them (account.h does).
 */
#ifndef HELPER_ACCOUNTS_FILE_H
#define HELPER_ACCOUNTS_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/trouble.h"
#include "helper/lifecycle/record.h"
#include "keyring/keyring.h"
#include "protocol/url.h"

#define ACCOUNTS_MAX 4096
#define ACCOUNT_MODULE_MAX_BYTES KEYRING_MODULE_MAX_BYTES

struct account {
	char base_url[URL_BASE_MAX_BYTES + 1];
	int64_t user_id;
	char name[RECORD_NAME_MAX_BYTES];              /* the RefreshToken's; a stranger's bytes: show them escaped */
	char module[ACCOUNT_MODULE_MAX_BYTES + 1];     /* what holds the RefreshToken */
	int64_t refresh_expires_at;                    /* epoch s, or RECORD_TIME_UNKNOWN */
	int64_t rotation_lost_at;                      /* epoch s: the token was regenerated then and the new one lost; 0: no */
	bool is_default, exclusive;
	char *unknown; /* members of a later program, encoded; NULL: none; owned by the list */
};

struct accounts {
	struct account *list;
	size_t n, room;
};

#define ACCOUNT_TEXT_BYTES (URL_BASE_MAX_BYTES + 16)

/* "https://102@catalog.example.com": how an account is written everywhere, and what ACCOUNT takes;
 * without a user id, the instance alone. */
const char *account_text(const struct account *account, char text[ACCOUNT_TEXT_BYTES]);

void accounts_free(struct accounts *accounts);
#define ACCOUNTS __attribute__((cleanup(accounts_free))) struct accounts

/* Reads the list; an empty one where there is no file. UNUSABLE names the file and the line that is wrong. */
enum outcome accounts_read(struct accounts *ret_accounts, struct trouble *trouble);

/*
 * The one account of that key, or (BASE_URL NULL) the list's default, without a look at what the other lines say: a list may
 * be long, and a warm call short. *ret_accounts has it, or is empty where it was not found so, which says nothing: read
 * the list then. UNUSABLE as above.
 */
enum outcome accounts_read_one(const char *base_url, int64_t user_id, struct accounts *ret_accounts, struct trouble *trouble);

/* Adds *account, whose `unknown` is not taken, to the list in memory. False: no memory. */
bool accounts_append(struct accounts *accounts, const struct account *account);

/* The account of that key, or NULL. */
struct account *accounts_find(const struct accounts *accounts, const char *base_url, int64_t user_id);

/*
 * Each reads, changes and replaces the list under its own lock, by DEADLINE_MS. An account that is put is added or
 * takes the place of the one with its key, whose unknown members it keeps. Put, it becomes the one default if there is
 * none or it has is_default; added, never: for what came without a person. Who is the default already stays it.
 */
enum outcome accounts_put(const struct account *account, int64_t deadline_ms, struct trouble *trouble);
enum outcome accounts_add(const struct account *account, int64_t deadline_ms, struct trouble *trouble);
enum outcome accounts_remove(const struct account *account, int64_t deadline_ms, struct trouble *trouble);

/* Whether ACCOUNT, of which the user id may not be known yet, could be put now: all that accounts_put does but the last
 * step, which makes it so. */
enum outcome accounts_ready(const struct account *account, int64_t deadline_ms, struct trouble *trouble);

/*
 * What a server or a keyring told of an account that is listed: its name, module, end and rotation_lost_at take the
 * place of the list's. What a person has chosen (default, exclusive) stays as the list has it, however old ACCOUNT is;
 * an account that is in no list stays out of it.
 */
enum outcome accounts_learn(const struct account *account, int64_t deadline_ms, struct trouble *trouble);

/* *account as the list has it now, with `unknown` NULL; unchanged where it has none or cannot be read. */
void accounts_look_again(struct account *account);

#endif
