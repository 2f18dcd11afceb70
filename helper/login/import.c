/* SPDX-License-Identifier: MIT */
/*
 * Opens, looks at what it opened, reads that. Whoever could write the file could send the token to a server of his.
 */
#include "helper/login/import.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/base/clock.h"
#include "helper/base/dotenv.h"
#include "helper/base/stdin.h"
#include "helper/lifecycle/record.h"
#include "keyring/trust.h"

#define READ_BYTES 4096

void import_wipe(struct import *import)
{
	secret_wipe(&import->token);
	*import = (struct import){ 0 };
}

static enum outcome refuse(struct context *context, const char *remedy, const char *file, const char *why)
{
	return trouble_say(&context->trouble, TROUBLE_USAGE, remedy, "'%s' %s", file, why);
}

/* A pipe may have no writer yet, and one that writes nothing; the descriptor does not block. */
static bool wait_for_bytes(int fd, int64_t deadline_ms)
{
	struct pollfd in = { .fd = fd, .events = POLLIN };
	int n;

	do {
		int64_t left_ms = deadline_ms - clock_mono_ms();

		if (left_ms <= 0)
			return false;
		n = poll(&in, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
	} while (n < 0 && errno == EINTR);
	return n != 0;
}

static enum outcome read_all(struct context *context, const char *file, int fd, struct secret *ret_text)
{
	for (;;) {
		ssize_t n;

		if (!wait_for_bytes(fd, context->deadline_ms))
			return refuse(context, "let whoever writes it end", file, "is a pipe that does not end");
		if (!secret_reserve(ret_text, READ_BYTES))
			return refuse(context, "", file, "is too much for the memory there is");
		n = read(fd, ret_text->bytes + ret_text->len, READ_BYTES);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return trouble_say(&context->trouble, TROUBLE_USAGE, "", "'%s' cannot be read: %s", file, strerror(errno));
		if (n == 0)
			return DONE;
		ret_text->len += (size_t)n;
		if (ret_text->len > IMPORT_MAX_BYTES)
			return refuse(context, "name a .env file, of 65536 bytes at most", file, "is too long");
	}
}

static enum outcome read_opened(struct context *context, int fd, struct import *import, struct secret *ret_text)
{
	const char *why;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "", "'%s' cannot be looked at: %s", import->file, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return refuse(context, "name a .env file", import->file, "is neither a file nor a pipe");
	why = trust_refusal(&st);
	if (why)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "look at what it says, then make it yours alone: chmod 600", "'%s' %s (mode %04o), who could send a RefreshToken anywhere",
		                   import->file, why, (unsigned)st.st_mode & 07777);
	import->mode = S_ISREG(st.st_mode) ? (unsigned)st.st_mode & 07777 : 0;
	return read_all(context, import->file, fd, ret_text);
}

/* A link is followed: what it leads to is what is looked at. */
static enum outcome read_text(struct context *context, struct import *import, struct secret *ret_text)
{
	enum outcome outcome;
	int fd;

	if (strcmp(import->file, "-") == 0)
		return stdin_read(IMPORT_MAX_BYTES, context->deadline_ms, ret_text, &context->trouble);
	fd = open(import->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "", "'%s' cannot be opened: %s", import->file, strerror(errno));
	outcome = read_opened(context, fd, import, ret_text);
	close(fd);
	return outcome;
}

/* Of what is found there, WHERE it is: "line 3 of '.env'", or "the environment". */
static enum outcome take_token(struct context *context, struct bytes value, const char *where, struct import *import)
{
	if (!value.n)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "a RefreshToken is made at the instance's /account/auth", "ALATION_REFRESH_TOKEN is empty in %s", where);
	if (!token_ok(value))
		return trouble_say(&context->trouble, TROUBLE_USAGE, "write the token itself there: nothing is expanded", "ALATION_REFRESH_TOKEN is no RefreshToken in %s: it has a character that a token never has",
		                   where);
	return secret_set(&import->token, value) ? DONE : trouble_say(&context->trouble, TROUBLE_USAGE, "", "no memory for the RefreshToken");
}

static enum outcome take_user_id(struct context *context, struct bytes value, const char *where, struct import *import)
{
	import->user_id = url_user_id(value);
	return import->user_id ? DONE : trouble_say(&context->trouble, TROUBLE_USAGE, "it is a positive number, such as 102", "ALATION_USER_ID is no user id in %s", where);
}

/* What an address is, is account_url()'s. */
static enum outcome take_base_url(struct context *context, struct bytes value, const char *where, struct import *import)
{
	if (value.n > URL_TEXT_MAX_BYTES || memchr(value.p, '\0', value.n))
		return trouble_say(&context->trouble, TROUBLE_USAGE, "write it as https://catalog.example.com", "ALATION_BASE_URL is no address in %s", where);
	memcpy(import->base_url, value.p, value.n);
	import->base_url[value.n] = '\0';
	return DONE;
}

/* The last of each. */
struct found {
	struct dotenv_pair token, user_id, base_url;
};

static struct found find(struct bytes text)
{
	struct dotenv reader = { .rest = text };
	struct dotenv_pair pair;
	struct found found = { 0 };

	while (dotenv_next(&reader, &pair)) {
		if (bytes_are(pair.key, "ALATION_REFRESH_TOKEN"))
			found.token = pair;
		else if (bytes_are(pair.key, "ALATION_USER_ID"))
			found.user_id = pair;
		else if (bytes_are(pair.key, "ALATION_BASE_URL"))
			found.base_url = pair;
	}
	return found;
}

static const char *where(const struct import *import, const struct dotenv_pair *pair, char text[PATH_MAX + 64])
{
	snprintf(text, PATH_MAX + 64, "line %zu of '%s'", pair->line, strcmp(import->file, "-") == 0 ? "stdin" : import->file);
	return text;
}

enum outcome import_file(struct context *context, const char *file, struct import *ret_import)
{
	SECRET text = { 0 };
	char at[PATH_MAX + 64];
	struct found found;
	enum outcome outcome;

	ret_import->file = file;
	outcome = read_text(context, ret_import, &text);
	if (outcome != DONE)
		return outcome;
	if (text.len && memchr(text.bytes, '\0', text.len))
		return refuse(context, "name a .env file, in UTF-8", file, "has a NUL in it");
	found = find(secret_view(&text));
	if (!found.token.line)
		return refuse(context, "a RefreshToken is made at the instance's /account/auth", file, "has no line with ALATION_REFRESH_TOKEN=");
	ret_import->line = found.token.line;
	outcome = take_token(context, found.token.value, where(ret_import, &found.token, at), ret_import);
	if (outcome == DONE && found.user_id.line)
		outcome = take_user_id(context, found.user_id.value, where(ret_import, &found.user_id, at), ret_import);
	if (outcome == DONE && found.base_url.line)
		outcome = take_base_url(context, found.base_url.value, where(ret_import, &found.base_url, at), ret_import);
	return outcome;
}

enum outcome import_environment(struct context *context, struct import *ret_import)
{
	static const char at[] = "the environment";
	const char *token = getenv("ALATION_REFRESH_TOKEN"), *user_id = getenv("ALATION_USER_ID"), *base_url = getenv("ALATION_BASE_URL");
	enum outcome outcome;

	if (!token)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "export it, or name a file that has it: --import FILE", "ALATION_REFRESH_TOKEN is not set in the environment");
	outcome = take_token(context, bytes_of(token), at, ret_import);
	if (outcome == DONE && user_id && *user_id)
		outcome = take_user_id(context, bytes_of(user_id), at, ret_import);
	if (outcome == DONE && base_url && *base_url)
		outcome = take_base_url(context, bytes_of(base_url), at, ret_import);
	return outcome;
}

void import_advise(struct context *context, const struct account *account, const struct import *import)
{
	static const char others[] = "whatever still mints with it revokes the access tokens that are handed out here";
	char text[ACCOUNT_TEXT_BYTES];

	if (!import->file)
		context_warn(context, "plain_text", "ALATION_REFRESH_TOKEN still has this RefreshToken as plain text; unset it, and delete it where it is set; %s", others);
	else if (!import->mode)
		context_warn(context, "plain_text", "delete this RefreshToken where it still stands as plain text; %s", others);
	else
		context_warn(context, "plain_text", "'%s' still has this RefreshToken as plain text; delete line %zu; %s", import->file, import->line, others);
	/* The private group's are counted too: nobody is hurt. */
	if (import->mode & 044)
		context_warn(context, "plain_text", "others can read '%s' (mode %04o), and what they have read works until it ends%s%s%s", import->file, import->mode,
		             account->exclusive ? "; 'alation-cred rotate " : "", account->exclusive ? account_text(account, text) : "", account->exclusive ? "' ends it" : "");
}
