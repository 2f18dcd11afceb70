/* SPDX-License-Identifier: MIT */
/*
 * Owns git's credential protocol, both ways: which requests are well-formed and what they ask, and the replies.
 * Whoever asks is a stranger: git passes on what stands in a repository's files. It never knows an account.
 */
#include "protocol/git.h"

#include <strings.h>

/* Takes the two digits of an escape at the front of B: the byte it stands for, or -1 where there is none. */
static int escaped(struct bytes b)
{
	int value = 0;

	if (b.n < 3 || b.p[0] != '%')
		return -1;
	for (int i = 1; i <= 2; i++) {
		char c = b.p[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			value = value * 16 + (c & 0xf) + 9;
		else
			return -1;
	}
	return value;
}

/* Whether an escape anywhere in URL stands for a byte that no line may hold. */
static bool escapes_a_line(struct bytes url)
{
	for (size_t i = 0; i < url.n; i++) {
		int value = escaped((struct bytes){ url.p + i, url.n - i });

		if (value == '\n' || value == '\r' || value == '\0')
			return true;
	}
	return false;
}

/*
 * Decodes the N bytes at P where they stand. What is no escape stays. As in git, nothing is decoded before a colon
 * (git takes that for a scheme), so that the host of `h%6Fst:8080` is not another one to us than to git.
 */
static struct bytes decode(char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	size_t from = colon ? (size_t)(colon - p) : 0, to = from;

	while (from < n) {
		int value = escaped((struct bytes){ p + from, n - from });

		p[to++] = value < 0 ? p[from] : (char)value;
		from += value < 0 ? 1 : 3;
	}
	return (struct bytes){ p, to };
}

/*
 * scheme://[user[:password]@]host[/…?…#…], cut as git cuts it: the user ends at the first '@', so of
 * `https://good@1@evil/` the host is `1@evil`, and a port stays with its host.
 */
static enum git_fault take_url(char *p, size_t n, struct request *request)
{
	char *authority = memmem(p, n, "://", 3), *end = p + n, *at, *colon;

	if (!authority || authority == p || escapes_a_line((struct bytes){ p, n }))
		return GIT_BAD_URL;
	*request = (struct request){ .protocol = { p, (size_t)(authority - p) } };
	authority += 3;
	for (char *c = authority; c < end; c++)
		if (*c == '/' || *c == '?' || *c == '#')
			end = c;
	at = memchr(authority, '@', (size_t)(end - authority));
	if (at) {
		colon = memchr(authority, ':', (size_t)(at - authority));
		request->username = decode(authority, (size_t)((colon ? colon : at) - authority));
		if (colon)
			request->password = decode(colon + 1, (size_t)(at - colon - 1));
		authority = at + 1;
	}
	request->host = decode(authority, (size_t)(end - authority));
	return GIT_OK;
}

/* What git takes for true. */
static bool is_true(struct bytes value)
{
	static const char *const words[] = { "1", "true", "yes", "on" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (value.n == strlen(words[i]) && strncasecmp(value.p, words[i], value.n) == 0)
			return true;
	return false;
}

/* An empty one takes back those before it, as of every key that ends in `[]`. */
static void take_capability(struct bytes value, struct request *request)
{
	if (value.n == 0)
		request->authtype = false;
	else if (bytes_are(value, "authtype"))
		request->authtype = true;
}

static enum git_fault take(struct bytes key, char *value, size_t n, struct request *request)
{
	struct bytes view = { value, n };

	if (bytes_are(key, "url"))
		return take_url(value, n, request);
	if (bytes_are(key, "protocol"))
		request->protocol = view;
	else if (bytes_are(key, "host"))
		request->host = view;
	else if (bytes_are(key, "username"))
		request->username = view;
	else if (bytes_are(key, "password"))
		request->password = view;
	else if (bytes_are(key, "oauth_refresh_token"))
		request->oauth_refresh_token = view;
	else if (bytes_are(key, "authtype") || bytes_are(key, "credential"))
		request->credential = true;
	else if (bytes_are(key, "ephemeral"))
		request->ephemeral = is_true(view);
	else if (bytes_are(key, "capability[]"))
		take_capability(view, request);
	/* Other lines are ignored: a later git may send what we do not know. */
	return GIT_OK;
}

static enum git_fault take_line(char *p, size_t n, struct request *request)
{
	char *equals = memchr(p, '=', n);

	if (n > GIT_LINE_MAX_BYTES)
		return GIT_LONG_LINE;
	if (memchr(p, '\0', n))
		return GIT_NUL;
	/* Some readers end a line with it: what is one value to us would be two lines to them. */
	if (memchr(p, '\r', n))
		return GIT_CR;
	if (!equals)
		return GIT_NO_EQUALS;
	if (equals == p)
		return GIT_EMPTY_KEY;
	return take((struct bytes){ p, (size_t)(equals - p) }, equals + 1, (size_t)(p + n - equals - 1), request);
}

enum git_fault git_parse(char *p, size_t n, struct request *ret_request)
{
	struct request request = { 0 };
	struct bytes rest = { p, n }, line;

	*ret_request = request;
	while (bytes_next(&rest, '\n', &line) && line.n > 0) {
		enum git_fault fault = take_line(p + (line.p - p), line.n, &request);

		if (fault)
			return fault;
	}
	*ret_request = request;
	return GIT_OK;
}

const char *git_fault_text(enum git_fault fault)
{
	switch (fault) {
	case GIT_OK:
		return "nothing is wrong with the request";
	case GIT_CR:
		return "it holds a carriage return; lines end with a line feed alone";
	case GIT_NUL:
		return "it holds a NUL";
	case GIT_NO_EQUALS:
		return "it has a line without '='";
	case GIT_EMPTY_KEY:
		return "it has a line with nothing before '='";
	case GIT_LONG_LINE:
		return "it has a line of more than 65535 bytes";
	case GIT_BAD_URL:
		return "its url has no scheme, or an escaped line end or NUL";
	}
	return "it cannot be read";
}

static void write_reply(struct out *out, const struct reply *reply)
{
	/* Who let such a token in has a bug; here a line feed in it would become an attribute of its own. */
	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	/* A capability comes before what needs it. */
	if (reply->authtype)
		out_text(out, "capability[]=authtype\n");
	out_text(out, "username=");
	out_int(out, reply->user_id);
	out_text(out, "\npassword=");
	out_bytes(out, reply->token);
	if (reply->expires_at.text) {
		out_text(out, "\npassword_expiry_utc=");
		out_int(out, reply->expires_at.epoch_s);
	}
	/* So that another helper in the chain, git's cache for one, does not keep it. */
	out_text(out, reply->authtype ? "\nephemeral=1\n" : "\n");
}

void git_quit(struct out *out)
{
	out_text(out, "quit=1\n");
}

void git_capabilities(struct out *out)
{
	out_text(out, "version 0\ncapability authtype\n");
}

static const char *const attributes[] = {
	"protocol", "host", "path", "username", "password", "password_expiry_utc", "oauth_refresh_token", "url", "authtype",
	"credential", "ephemeral", "continue", "quit", "capability[]", "state[]", "wwwauth[]",
};

bool git_knows(struct bytes key)
{
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (bytes_are(key, attributes[i]))
			return true;
	return false;
}

bool git_knows_beginning(struct bytes key)
{
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (key.n == 0 || (key.n <= strlen(attributes[i]) && memcmp(attributes[i], key.p, key.n) == 0))
			return true;
	return false;
}

const struct format format_git = {
	.name = "git",
	.about = "git's credential protocol",
	.program = "git-credential-alation",
	.reply = write_reply,
};
