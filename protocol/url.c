/* SPDX-License-Identifier: MIT */
/*
 * Owns what an address means: which account of which host. Two texts that mean the same host come out byte for
 * byte alike, and a text that two programs could read as two hosts is refused. It never resolves a name,
 * and nothing is percent-decoded.
 */
#include "protocol/url.h"

#include <arpa/inet.h>

#include "protocol/out.h"

#define PORT_MAX 65535
#define HOST_ROOM_BYTES (URL_HOST_MAX_BYTES + 1) /* also more than any IPv6 address in brackets */

/* An address taken apart, not yet looked at. Views into the text. */
struct parts {
	struct bytes user, host, port;
	bool plain_http, has_user, has_port, brackets, cut;
};

static bool has_control_byte(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As bytes_after, PREFIX in lower case and the text in any. */
static bool after_any_case(struct bytes *b, const char *prefix)
{
	size_t n = strlen(prefix);

	if (b->n < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(b->p[i]) != prefix[i])
			return false;
	b->p += n;
	b->n -= n;
	return true;
}

/* Takes the authority off the front of *rest: all before the path, query or fragment. No NUL is in there any
 * more (strchr would find it). */
static struct bytes take_authority(struct bytes *rest)
{
	struct bytes authority = { rest->p, 0 };

	while (authority.n < rest->n && !strchr("/?#", rest->p[authority.n]))
		authority.n++;
	rest->p += authority.n;
	rest->n -= authority.n;
	return authority;
}

/* "https:host" and "https:/host" are refused, not taken for a host named 'https': browsers read them as
 * https://host, others do not. */
static enum url_error take_scheme(struct bytes *rest, bool *ret_plain_http)
{
	struct bytes ahead = *rest;
	bool plain_http = after_any_case(rest, "http:");

	if (plain_http || after_any_case(rest, "https:")) {
		*ret_plain_http = plain_http;
		return bytes_after(rest, "//") ? URL_OK : URL_BAD_SCHEME;
	}
	/* Without one of ours, "://" can only end a foreign scheme; a lone ':' begins a port. */
	struct bytes before = take_authority(&ahead);
	bool foreign = before.n > 0 && before.p[before.n - 1] == ':' && bytes_after(&ahead, "//");

	*ret_plain_http = false;
	return foreign ? URL_BAD_SCHEME : URL_OK;
}

/* [USER@] goes to the last '@', as in RFC 3986 and in browsers, so that "good@1@evil" is one bad user. */
static void split_user(struct bytes *authority, struct parts *parts)
{
	const char *at = memrchr(authority->p, '@', authority->n);

	parts->has_user = at != NULL;
	if (!at)
		return;
	parts->user = (struct bytes){ authority->p, (size_t)(at - authority->p) };
	authority->n -= parts->user.n + 1;
	authority->p = at + 1;
}

static enum url_error split_port(struct bytes host, struct parts *parts)
{
	const char *colon = memchr(host.p, ':', host.n);

	parts->brackets = host.n > 0 && host.p[0] == '[';
	if (parts->brackets) {
		const char *end = memchr(host.p, ']', host.n);
		size_t n = end ? (size_t)(end - host.p) + 1 : 0;

		if (!end || (n < host.n && host.p[n] != ':'))
			return URL_BAD_HOST;
		colon = n < host.n ? host.p + n : NULL;
	} else if (colon && colon != memrchr(host.p, ':', host.n)) {
		return URL_BAD_HOST; /* IPv6 without its brackets: where the port begins is anybody's guess */
	}
	parts->has_port = colon != NULL;
	parts->host = host;
	if (colon) {
		parts->host.n = (size_t)(colon - host.p);
		parts->port = (struct bytes){ colon + 1, host.n - parts->host.n - 1 };
	}
	return URL_OK;
}

static enum url_error split(struct bytes text, struct parts *ret_parts)
{
	struct parts parts = { .cut = false };
	enum url_error error = take_scheme(&text, &parts.plain_http);

	if (error)
		return error;

	struct bytes authority = take_authority(&text);

	for (size_t i = 0; i < text.n; i++)
		parts.cut |= text.p[i] != '/';
	if (authority.n == 0)
		return URL_EMPTY_HOST;
	split_user(&authority, &parts);
	error = split_port(authority, &parts);
	if (!error)
		*ret_parts = parts;
	return error;
}

static bool is_ipv4(const char *host, unsigned char ret_address[4])
{
	return inet_pton(AF_INET, host, ret_address) == 1;
}

/* Whether resolvers take HOST for an IPv4 address, however odd: 127.1, 0x7f000001, 10.0.0.010. */
static bool ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot ? dot + 1 : host;

	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static enum url_error normalise_name(struct bytes text, char host[HOST_ROOM_BYTES])
{
	unsigned char address[4];

	if (text.n > 0 && text.p[text.n - 1] == '.')
		text.n--;
	if (text.n == 0)
		return URL_EMPTY_HOST;
	if (text.n > URL_HOST_MAX_BYTES)
		return URL_TOO_LONG;
	for (size_t i = 0; i < text.n; i++) {
		bool empty_label = text.p[i] == '.' && (i == 0 || i + 1 == text.n || text.p[i - 1] == '.');

		if (empty_label || !byte_is_plain(text.p[i], ".-_"))
			return URL_BAD_HOST;
		host[i] = lower(text.p[i]);
	}
	host[text.n] = '\0';
	/* Numbers have one spelling here: in any other, one address would have several accounts, and what
	 * 010.0.0.1 is depends on who reads it. */
	return ends_in_number(host) && !is_ipv4(host, address) ? URL_BAD_HOST : URL_OK;
}

/* TEXT with its brackets. inet_pton knows no zone, so "%eth0" is refused; inet_ntop writes RFC 5952's form. */
static enum url_error normalise_ipv6(struct bytes text, char host[HOST_ROOM_BYTES])
{
	char inner[INET6_ADDRSTRLEN];
	unsigned char address[16];
	size_t n = text.n - 2;

	if (n == 0)
		return URL_EMPTY_HOST;
	if (n >= sizeof inner)
		return n > URL_HOST_MAX_BYTES ? URL_TOO_LONG : URL_BAD_HOST;
	memcpy(inner, text.p + 1, n);
	inner[n] = '\0';
	if (inet_pton(AF_INET6, inner, address) != 1 || !inet_ntop(AF_INET6, address, host + 1, HOST_ROOM_BYTES - 2))
		return URL_BAD_HOST;
	host[0] = '[';
	n = strlen(host);
	host[n] = ']';
	host[n + 1] = '\0';
	return URL_OK;
}

static bool is_loopback(const char *host)
{
	unsigned char address[4];

	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (is_ipv4(host, address) && address[0] == 127);
}

/* A decimal number from 1 to MAX without leading zero; 0 for anything else. */
static int64_t number(struct bytes digits, int64_t max)
{
	int64_t value = 0;

	if (digits.n == 0 || digits.p[0] == '0')
		return 0;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return 0;
		value = value * 10 + (digits.p[i] - '0');
		if (value > max)
			return 0;
	}
	return value;
}

int64_t url_user_id(struct bytes digits)
{
	return number(digits, USER_ID_MAX);
}

static void write_url(struct url *url, const struct parts *parts, const char *host, int64_t port)
{
	const char *scheme = parts->plain_http ? "http://" : "https://";
	struct out out = { .p = url->base, .room = sizeof url->base - 1 };

	memset(url, 0, sizeof *url);
	out_text(&out, scheme);
	out_text(&out, host);
	if (port != 0 && port != (parts->plain_http ? 80 : 443)) {
		out_text(&out, ":");
		out_int(&out, port);
	}
	url->host = url->base + strlen(scheme);
	url->cut = parts->cut;
}

enum url_error url_parse(struct bytes text, struct url *ret_url)
{
	struct parts parts;
	char host[HOST_ROOM_BYTES];
	int64_t user_id = 0, port = 0;
	enum url_error error;

	if (text.n == 0)
		return URL_EMPTY_HOST;
	if (text.n > URL_TEXT_MAX_BYTES)
		return URL_TOO_LONG;
	if (has_control_byte(text))
		return URL_BAD_HOST;
	error = split(text, &parts);
	if (error)
		return error;
	if (parts.has_user && (user_id = url_user_id(parts.user)) == 0)
		return URL_BAD_USER;
	error = parts.brackets ? normalise_ipv6(parts.host, host) : normalise_name(parts.host, host);
	if (error)
		return error;
	if (parts.has_port && (port = number(parts.port, PORT_MAX)) == 0)
		return URL_BAD_PORT;
	if (parts.plain_http && !is_loopback(host))
		return URL_PLAIN_HTTP;
	write_url(ret_url, &parts, host, port);
	ret_url->user_id = user_id;
	return URL_OK;
}

const char *url_error_text(enum url_error error)
{
	switch (error) {
	case URL_OK:
		return "nothing is wrong with the address";
	case URL_EMPTY_HOST:
		return "the address names no host";
	case URL_BAD_SCHEME:
		return "the address must begin with 'https://', or with the host";
	case URL_PLAIN_HTTP:
		return "plain http shows passwords and tokens to the network and is refused but for this machine itself; "
		       "use https";
	case URL_BAD_HOST:
		return "the host must be a name of ASCII letters, digits, '.', '-' and '_', a full IPv4 address, "
		       "or an IPv6 address in brackets";
	case URL_TOO_LONG:
		return "the address is too long; a host has at most 200 characters";
	case URL_BAD_PORT:
		return "the port must be a number from 1 to 65535";
	case URL_BAD_USER:
		return "only a numeric user id may stand before '@', from 1 to 2147483647 and without a password";
	}
	return "the address cannot be read";
}
