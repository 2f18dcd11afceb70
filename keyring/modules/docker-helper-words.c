/* SPDX-License-Identifier: MIT */
/*
 * What a helper's words mean. The protocol knows one text, for what is not there, on stdout with exit 1; all else is what
 * Debian's two helpers, and pass, gpg and libsecret behind them, were seen to say. Runs nothing.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "keyring/modules/docker-helper.h"

#define NOT_FOUND "credentials not found in native keychain"
#define WINDOW_BYTES 12 /* of a secret: what is shorter may stand in any sentence */

static const struct {
	const char *text, *and; /* both must stand there, in either stream */
	int status;
	const char *means;      /* said in its place where it misleads */
} known[] = {
	{ "is not in the password store", "", ACRED_ABSENT, NULL },
	{ "no usernames for", "", ACRED_ABSENT, NULL },
	{ "locked collection", "", ACRED_LOCKED, NULL },
	/* docker-credential-secretservice 0.6.4 crashes where an item that it has found is locked */
	{ "secret_value_get: assertion 'value' failed", "", ACRED_LOCKED, "its keyring is locked" },
	/* gpg calls a key whose passphrase it does not get 'No secret key', too */
	{ "[GNUPG:] DECRYPTION_FAILED", "[GNUPG:] KEY_CONSIDERED", ACRED_LOCKED, "gpg did not get the passphrase of its key" },
	{ "[GNUPG:] DECRYPTION_FAILED", "[GNUPG:] PINENTRY_LAUNCHED", ACRED_LOCKED, "gpg did not get the passphrase of its key" },
	{ "decryption failed", "No pinentry", ACRED_LOCKED, NULL },
	{ "decryption failed", "Operation cancelled", ACRED_LOCKED, NULL },
	{ "decryption failed", "Inappropriate ioctl", ACRED_LOCKED, NULL },
	{ "pass not initialized", "", ACRED_UNAVAILABLE, NULL },
	{ "was not provided by any .service files", "", ACRED_UNAVAILABLE, NULL },
	{ "Cannot autolaunch D-Bus", "", ACRED_UNAVAILABLE, NULL },
	{ "dbus-launch", "", ACRED_UNAVAILABLE, NULL },
	{ "Could not connect: ", "", ACRED_UNAVAILABLE, NULL },
	{ "Error from list function in secretservice", "", ACRED_UNAVAILABLE, NULL },
	{ "Object does not exist at path", "", ACRED_UNAVAILABLE, "there is no default keyring" },
};

static bool stands_in(struct docker_view text, const char *words)
{
	return memmem(text.p, text.n, words, strlen(words)) != NULL;
}

static struct docker_view out_of(const struct docker_answer *answer)
{
	return (struct docker_view){ answer->out, answer->n_out };
}

static struct docker_view err_of(const struct docker_answer *answer)
{
	return (struct docker_view){ answer->err, answer->n_err };
}

static struct docker_view trimmed(struct docker_view text)
{
	while (text.n > 0 && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	while (text.n > 0 && (unsigned char)*text.p <= ' ') {
		text.p++;
		text.n--;
	}
	return text;
}

/* What stands before a token in a record: "refresh_token=", and "v=1&token=". */
static const char *const names[] = { "_token=", "&token=" };

/* The token of a record; or all of it, for it is one. */
static struct docker_view token_of(struct docker_view secret)
{
	const char *at = NULL, *end;

	for (size_t i = 0; i < sizeof names / sizeof names[0] && at == NULL; i++)
		at = memmem(secret.p, secret.n, names[i], strlen(names[i]));
	if (at == NULL)
		return secret;
	at += strlen(names[0]);
	secret.n -= (size_t)(at - secret.p);
	secret.p = at;
	end = memchr(secret.p, '&', secret.n);
	secret.n = end != NULL ? (size_t)(end - secret.p) : secret.n;
	return secret;
}

/* Whether TEXT may hold a secret: a piece of the one we know, or what stands around one that we do not know. */
static bool may_tell(struct docker_view text, struct docker_view secret)
{
	struct docker_view token = token_of(secret);
	size_t window = token.n < WINDOW_BYTES ? token.n : WINDOW_BYTES;

	for (size_t i = 0; token.n > 0 && i + window <= token.n; i++)
		if (memmem(text.p, text.n, token.p + i, window) != NULL)
			return true;
	return stands_in(text, names[0]) || stands_in(text, names[1]) || stands_in(text, "\"Secret\"") || stands_in(text, "v=1&");
}

/* Its lines but gpg's for programs, one behind the other; what is not plain ASCII is a blank or a '?'. */
static void join_lines(struct docker_view text, char said[DOCKER_SAID_BYTES])
{
	static const char gpg[] = "[GNUPG:] ";
	size_t n = 0;

	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t length = end != NULL ? (size_t)(end - text.p) : text.n;
		struct docker_view line = trimmed((struct docker_view){ text.p, length });
		/* behind "exit status 2: " */
		bool for_programs = memmem(line.p, line.n, gpg, sizeof gpg - 1) != NULL;

		text.p += length + (end != NULL);
		text.n -= length + (end != NULL);
		if (line.n == 0 || for_programs)
			continue;
		for (size_t i = 0; n > 0 && i < 2 && n < DOCKER_SAID_BYTES - 1; i++)
			said[n++] = "; "[i];
		for (size_t i = 0; i < line.n && n < DOCKER_SAID_BYTES - 1; i++) {
			unsigned char c = (unsigned char)line.p[i];

			said[n++] = c < ' ' || c == 0x7f ? ' ' : c > 0x7f ? '?' : (char)c;
		}
	}
	said[n] = '\0';
}

static struct docker_view last_line(struct docker_view text)
{
	const char *end;

	text = trimmed(text);
	end = memrchr(text.p, '\n', text.n);
	if (end == NULL)
		return text;
	return (struct docker_view){ end + 1, text.n - (size_t)(end + 1 - text.p) };
}

/* What of its words may be repeated: stdout's, for there a helper says what is wrong, else stderr's last line. */
static void quote(const struct docker_answer *answer, struct docker_view secret, char said[DOCKER_SAID_BYTES])
{
	join_lines(out_of(answer), said);
	if (said[0] == '\0')
		join_lines(last_line(err_of(answer)), said);
	if (said[0] == '\0')
		snprintf(said, DOCKER_SAID_BYTES, "it says nothing");
	else if (may_tell(out_of(answer), secret) || may_tell(err_of(answer), secret))
		snprintf(said, DOCKER_SAID_BYTES, "what it says is not shown, for a secret may be in it");
}

static int unknown(struct acred_call *call, const struct docker_program *program, const struct docker_answer *answer, const char *said)
{
	if (WIFSIGNALED(answer->status))
		return note_say(call, ACRED_FAILED, "%s was ended by signal %d: %s", program->shown, WTERMSIG(answer->status), said);
	return note_say(call, ACRED_FAILED, "%s exits with %d: %s", program->shown, WEXITSTATUS(answer->status), said);
}

int docker_words_judge(struct acred_call *call, const struct docker_program *program, const struct docker_answer *answer, struct docker_view secret)
{
	struct docker_view out = out_of(answer), err = err_of(answer), line = trimmed(out);
	char said[DOCKER_SAID_BYTES];

	if (line.n == strlen(NOT_FOUND) && memcmp(line.p, NOT_FOUND, line.n) == 0)
		return ACRED_ABSENT;
	quote(answer, secret, said);
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (!stands_in(out, known[i].text) && !stands_in(err, known[i].text))
			continue;
		if (!stands_in(out, known[i].and) && !stands_in(err, known[i].and))
			continue;
		if (known[i].status == ACRED_ABSENT)
			return ACRED_ABSENT;
		return note_say(call, known[i].status, "%s: %s", program->shown, known[i].means != NULL ? known[i].means : said);
	}
	return unknown(call, program, answer, said);
}

void docker_words_pass_on(struct acred_call *call, const struct docker_program *program, const struct docker_answer *answer, struct docker_view secret)
{
	char said[DOCKER_SAID_BYTES];

	join_lines(last_line(err_of(answer)), said);
	if (said[0] != '\0' && !may_tell(err_of(answer), secret))
		note_say(call, ACRED_OK, "%s: %s", program->shown, said);
}
