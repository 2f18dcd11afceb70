/* SPDX-License-Identifier: MIT */
/*
 * What `status` says to people of one account: what was found out, turned into the words of a row. Asks no keyring and
 * no server; how a row looks is status-table.c's.
 */
#ifndef HELPER_STATUS_WORDS_H
#define HELPER_STATUS_WORDS_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/status-table.h"

/* Of one account. */
struct status_facts {
	struct account_status status;
	int refresh_status, access_status; /* module.h's */
	bool readonly;                     /* a source has the RefreshToken: it can only be read */
	int64_t skew_s;
};

#define STATUS_WORDS_BYTES 16384 /* what one row's words take at most, escaped */

/* The row of ACCOUNT, whose words go into TEXTS. Times are as of NOW_S (epoch). */
void status_words(const struct context *context, const struct account *account, const struct status_facts *facts, int64_t now_s,
                  const struct terminal *terminal, struct out *texts, struct status_row *ret_row);

#endif
