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
#include "protocol/url.h"

#define ACCOUNTS_MAX 4096
#define ACCOUNT_MODULE_MAX_BYTES 64

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
	size_t n;
};

void accounts_free(struct accounts *accounts);
#define ACCOUNTS __attribute__((cleanup(accounts_free))) struct accounts

/* Reads the list; an empty one where there is no file. UNUSABLE names the file and the line that is wrong. */
enum outcome accounts_read(struct accounts *ret_accounts, struct trouble *trouble);

/* The account of that key, or NULL. */
struct account *accounts_find(const struct accounts *accounts, const char *base_url, int64_t user_id);

/*
 * Read, change, replace under the list's own lock. PUT (or NULL) is added or takes the place of the one with its
 * key, whose unknown members it keeps; if it is the first, or has is_default, it becomes the one default. REMOVE
 * (or NULL) goes. *ret_accounts, where not NULL, is the list as it stands then.
 */
enum outcome accounts_change(const struct account *put, const struct account *remove, int64_t deadline_ms,
                             struct accounts *ret_accounts, struct trouble *trouble);

#endif
