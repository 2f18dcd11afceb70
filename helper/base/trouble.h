/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, once: an outcome (the documented exit code), its `code` for machines, a sentence and a
 * remedy. Filled where it is known, printed once: in main, by `get` before git's quit=1, and by --all for each
 * failure after the first. Nothing here decides.
 */
#ifndef HELPER_BASE_TROUBLE_H
#define HELPER_BASE_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome { /* alation-cred(1), EXIT STATUS */
	DONE = 0,
	ANSWER_IS_NO = 1,
	USAGE = 2,
	LOGIN_NEEDED = 3,
	LOCKED = 4,
	KEYRING = 5,
	NETWORK = 6,
	SERVER = 7,
	BUSY = 8,
	UNUSABLE = 9, /* configuration or state */
	UNWRITTEN = 10,
};

enum trouble_code {
	TROUBLE_NONE,
	TROUBLE_NOT_ACTIVE,
	TROUBLE_EXPIRING,
	TROUBLE_USAGE,
	TROUBLE_AMBIGUOUS_ACCOUNT,
	TROUBLE_NO_ACCOUNT,
	TROUBLE_REFRESH_TOKEN_REFUSED,
	TROUBLE_REFRESH_TOKEN_EXPIRED,
	TROUBLE_LOGIN_REFUSED,
	TROUBLE_KEYRING_LOCKED,
	TROUBLE_KEYRING_UNAVAILABLE,
	TROUBLE_KEYRING_TIMEOUT,
	TROUBLE_KEYRING_FAILED,
	TROUBLE_KEYRING_READONLY,
	TROUBLE_RECOVERY,
	TROUBLE_NETWORK,
	TROUBLE_TLS,
	TROUBLE_PROXY,
	TROUBLE_TIMEOUT,
	TROUBLE_FORBIDDEN,
	TROUBLE_NOT_AN_ALATION_SERVER,
	TROUBLE_THROTTLED,
	TROUBLE_SERVER_ERROR,
	TROUBLE_BAD_REPLY,
	TROUBLE_BUSY,
	TROUBLE_CONFIGURATION,
	TROUBLE_WRITE_FAILED,
	TROUBLE_CODES
};

struct trouble {
	enum trouble_code code;
	int64_t retry_after_s; /* 0: not known */
	char message[512], remedy[640];
};

/* The table's row: name for machines, exit code, whether trying again may help. */
const char *trouble_name(enum trouble_code code);
enum outcome trouble_outcome(enum trouble_code code);
bool trouble_retryable(enum trouble_code code);

/*
 * Says it: REMEDY is what to do next ("" where there is nothing), the rest printf's. Lower case, no full stop,
 * never a rejected byte that may be secret; what a stranger named is escaped here. Returns the outcome, so
 * that a caller can `return trouble_say(…)`.
 */
enum outcome trouble_say(struct trouble *trouble, enum trouble_code code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* One line on stderr: "alation-cred: MESSAGE; REMEDY". */
void trouble_print(const struct trouble *trouble);

/* One line on stderr, prefixed and escaped; for warnings and notes. */
void trouble_line(const char *text);

/* printf into TEXT with what a stranger named escaped for a terminal; always ends with a NUL. */
void trouble_escape(char *text, size_t room, const char *raw);

#endif
