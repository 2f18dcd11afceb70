/* SPDX-License-Identifier: MIT */
/*
 * Outcome, code, sentence, remedy: one table and one printer. Reads nothing, decides nothing.
 */
#include "helper/base/trouble.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/out.h"

#define PATIENCE_MS 1000

static const struct {
	const char *name;
	enum outcome outcome;
	bool retryable;
} codes[TROUBLE_CODES] = {
	[TROUBLE_NONE] = { "", DONE, false },
	[TROUBLE_NOT_ACTIVE] = { "not_active", ANSWER_IS_NO, false },
	[TROUBLE_EXPIRING] = { "expiring", ANSWER_IS_NO, false },
	[TROUBLE_USAGE] = { "usage", USAGE, false },
	[TROUBLE_AMBIGUOUS_ACCOUNT] = { "ambiguous_account", USAGE, false },
	[TROUBLE_NO_ACCOUNT] = { "no_account", LOGIN_NEEDED, false },
	[TROUBLE_REFRESH_TOKEN_REFUSED] = { "refresh_token_refused", LOGIN_NEEDED, false },
	[TROUBLE_REFRESH_TOKEN_EXPIRED] = { "refresh_token_expired", LOGIN_NEEDED, false },
	[TROUBLE_LOGIN_REFUSED] = { "login_refused", LOGIN_NEEDED, false },
	[TROUBLE_KEYRING_LOCKED] = { "keyring_locked", LOCKED, false },
	[TROUBLE_KEYRING_UNAVAILABLE] = { "keyring_unavailable", KEYRING, false },
	[TROUBLE_KEYRING_TIMEOUT] = { "keyring_timeout", KEYRING, true },
	[TROUBLE_KEYRING_FAILED] = { "keyring_failed", KEYRING, false },
	[TROUBLE_KEYRING_READONLY] = { "keyring_readonly", KEYRING, false },
	[TROUBLE_RECOVERY] = { "recovery", KEYRING, false },
	[TROUBLE_NETWORK] = { "network", NETWORK, true },
	[TROUBLE_TLS] = { "tls", NETWORK, false },
	[TROUBLE_PROXY] = { "proxy", NETWORK, false },
	[TROUBLE_TIMEOUT] = { "timeout", NETWORK, true },
	[TROUBLE_FORBIDDEN] = { "forbidden", SERVER, false },
	[TROUBLE_NOT_AN_ALATION_SERVER] = { "not_an_alation_server", SERVER, false },
	[TROUBLE_THROTTLED] = { "throttled", SERVER, true },
	[TROUBLE_SERVER_ERROR] = { "server_error", SERVER, true },
	[TROUBLE_BAD_REPLY] = { "bad_reply", SERVER, false },
	[TROUBLE_BUSY] = { "busy", BUSY, true },
	[TROUBLE_CONFIGURATION] = { "configuration", UNUSABLE, false },
	[TROUBLE_WRITE_FAILED] = { "write_failed", UNWRITTEN, false },
};

const char *trouble_name(enum trouble_code code)
{
	return codes[code].name;
}

enum outcome trouble_outcome(enum trouble_code code)
{
	return codes[code].outcome;
}

bool trouble_retryable(enum trouble_code code)
{
	return codes[code].retryable;
}

void trouble_escape(char *text, size_t room, const char *raw)
{
	struct out out = { .p = text, .room = room - 1 };

	out_visible(&out, bytes_of(raw));
	text[out.n] = '\0';
}

enum outcome trouble_say(struct trouble *trouble, enum trouble_code code, const char *remedy, const char *format, ...)
{
	char raw[sizeof trouble->message];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	trouble_escape(trouble->message, sizeof trouble->message, raw);
	trouble_escape(trouble->remedy, sizeof trouble->remedy, remedy);
	trouble->code = code;
	trouble->retry_after_s = 0;
	return codes[code].outcome;
}

/* One write a line, so that lines of parallel callers do not mix. A stderr that is gone is no failure of ours. */
static void print(const char *text, const char *tail)
{
	char line[1280];
	int n = snprintf(line, sizeof line, "alation-cred: %s%s%s\n", text, *tail ? "; " : "", tail);
	size_t left = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;

	for (const char *p = line; left;) {
		struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };
		ssize_t wrote;

		/* A reader that does not read must not hold us up: a line, even one that is worth much, is dropped then. */
		if (poll(&out, 1, PATIENCE_MS) == 0)
			return;
		wrote = write(STDERR_FILENO, p, left);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return;
		p += wrote;
		left -= (size_t)wrote;
	}
}

void trouble_print(const struct trouble *trouble)
{
	print(trouble->message, trouble->remedy);
}

void trouble_line(const char *text)
{
	char line[768];

	trouble_escape(line, sizeof line, text);
	print(line, "");
}
