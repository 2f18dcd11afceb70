/* SPDX-License-Identifier: MIT */
/*
 * What the manual pages must say, as the program has it: exit codes, the codes of failures, formats, the words of a
 * configuration, and each answer for made-up facts. A line each, `KIND WORDS`; a line feed inside of an answer is printed as '|'. Decides nothing and
 * reads nothing.
 */
#include <stdio.h>

#include "helper/base/trouble.h"
#include "helper/config.h"
#include "protocol/git.h"
#include "protocol/protocol.h"

#define ANSWER_MAX_BYTES 4096

static void print_codes(void)
{
	bool has[UNWRITTEN + 1] = { [DONE] = true };

	for (int code = TROUBLE_NONE + 1; code < TROUBLE_CODES; code++) {
		enum outcome outcome = trouble_outcome((enum trouble_code)code);

		has[outcome] = true;
		printf("code %s %d %s\n", trouble_name((enum trouble_code)code), (int)outcome,
		       trouble_retryable((enum trouble_code)code) ? "retryable" : "-");
	}
	for (int outcome = DONE; outcome <= UNWRITTEN; outcome++)
		if (has[outcome])
			printf("exit %d\n", outcome);
}

static void print_formats(void)
{
	for (const struct format *const *format = formats; *format; format++)
		printf("%s %s\n", (*format)->program ? "protocol" : "format", (*format)->name);
}

/* False: it did not fit, and half of it was printed. */
static bool print_answer(const char *kind, const struct out *out)
{
	printf("%s ", kind);
	for (size_t i = 0; i < out->n; i++)
		if (out->p[i] != '\n' || i + 1 < out->n)
			putchar(out->p[i] == '\n' ? '|' : out->p[i]);
	putchar('\n');
	return !out->overflow;
}

static const struct notice warning = {
	"min_ttl", "the access token of https://102@catalog.example.com lives 86000 s: the server gives no more than 86400 s",
};
static const struct reply reply = {
	.base_url = { "https://catalog.example.com", 27 },
	.user_id = 102,
	.token = { "ACCESS_TOKEN", 12 },
	.expires_at = { 1795627800, "2026-11-25T17:30:00Z" },
	.refresh_token_expires_at = { 1800811800, "2027-01-24T17:30:00Z" },
	.warnings = &warning,
	.n_warnings = 1,
	.authtype = true,
};
static const struct reply done = {
	.base_url = { "https://catalog.example.com", 27 },
	.user_id = 102,
	.refresh_token_expires_at = { 1800811800, "2027-01-24T17:30:00Z" },
};
static const struct failure failure = {
	.code = "keyring_locked",
	.exit = LOCKED,
	.message = "the keyring (secret-service) is locked",
	.remedy = "unlock it in the desktop session",
};
static const struct account_status status = {
	.base_url = { "https://catalog.example.com", 27 },
	.name = { "alation-cred@laptop", 19 },
	.user_id = 102,
	.is_default = true,
	.exclusive = true,
	.refresh = {
		.module = "secret-service",
		.expires_at = { 1800811800, "2027-01-24T17:30:00Z" },
		.passed_over = { { "environment", "absent", "$ALATION_REFRESH_TOKEN is not set" } },
		.n_passed_over = 1,
	},
	.access = { .passed_over = { { "kernel", "absent", NULL } }, .n_passed_over = 1 },
};
static const struct setting settings[] = {
	{ "https://catalog.example.com", "timeout", "10s", "/etc/alation-cred/config", 4 },
	{ "", "access", "sufficient kernel", NULL, 0 },
};

static const struct check checks[] = {
	{ "dns", "ok", "catalog.example.com is at 192.0.2.7:443", NULL, NULL },
	{ "connection", "FAIL", "no connection: catalog.example.com", "network", "check the network and the address" },
	{ "tls", "skip", "it needs 'connection', which failed", NULL, NULL },
};
static const struct failure no_connection = { .code = "network", .exit = NETWORK };

/* What FORMAT has an answer for, it writes. */
static bool print_format(const struct format *format)
{
	char buffer[ANSWER_MAX_BYTES];
	bool ok = true;

	for (int answer = 0; answer < 7; answer++) {
		struct out out = { .p = buffer, .room = sizeof buffer };

		if (answer == 0 && format->reply)
			format->reply(&out, &reply);
		else if (answer == 1 && format->done)
			format->done(&out, &done);
		else if (answer == 2 && format->failure)
			format->failure(&out, &failure);
		else if (answer == 3 && format->status)
			format->status(&out, &status, 1, NULL, 0);
		else if (answer == 4 && format->done_all)
			format->done_all(&out, &done, 1, &done);
		else if (answer == 5 && format->status)
			format->status(&out, NULL, 0, settings, sizeof settings / sizeof *settings);
		else if (answer == 6 && format->checks)
			format->checks(&out, checks, sizeof checks / sizeof *checks, &no_connection);
		else
			continue;
		ok = print_answer(format->name, &out) && ok;
	}
	return ok;
}

static bool print_git(void (*write)(struct out *))
{
	char buffer[ANSWER_MAX_BYTES];
	struct out out = { .p = buffer, .room = sizeof buffer };

	write(&out);
	return print_answer("git", &out);
}

int main(void)
{
	bool ok = true;

	print_codes();
	print_formats();
	for (enum config_word word = 0; word < CONFIG_WORDS; word++)
		printf("word %s\n", config_word_name(word));
	for (const struct format *const *format = formats; *format; format++)
		ok = print_format(*format) && ok;
	ok = print_git(git_capabilities) && ok;
	ok = print_git(git_quit) && ok;
	return !ok || ferror(stdout);
}
