/* SPDX-License-Identifier: MIT */
/*
 * Reads what libcurl tells of a connection: by its own facts where it has some, else by what it says while it connects, so that
 * nothing of it is done twice here. Of a request, a reply and a proxy's password nothing gets into a sight.
 */
#include "helper/alation/sight.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/alation/trust.h"

static bool is_http(const char *base_url)
{
	return strncmp(base_url, "http://", strlen("http://")) == 0;
}

/* Bytes that a terminal would act on go. */
static void take(struct bytes from, char *text, size_t room)
{
	size_t n = from.n < room ? from.n : room - 1;

	for (size_t i = 0; i < n; i++)
		text[i] = from.p[i] >= ' ' && from.p[i] <= '~' ? from.p[i] : '?';
	text[n] = '\0';
}

/* How long the "scheme://" is that ADDRESS begins with; 0: it has none. */
static size_t scheme_of(struct bytes address)
{
	size_t n = 0;

	while (n < address.n && byte_is_plain(address.p[n], "+.-"))
		n++;
	return n && address.n - n >= 3 && memcmp(address.p + n, "://", 3) == 0 ? n + 3 : 0;
}

/* A host, and a port behind ':' where there is one. */
static bool is_host(struct bytes text)
{
	const char *end = text.n && text.p[0] == '[' ? memchr(text.p, ']', text.n) : NULL;
	size_t n = end ? (size_t)(end + 1 - text.p) : 0;

	for (size_t i = 1; i + 1 < n; i++)
		if (!strchr("0123456789abcdefABCDEF:.", text.p[i]))
			return false;
	while (!end && n < text.n && byte_is_plain(text.p[n], "._-"))
		n++;
	if (n == 0 || (n < text.n && text.p[n++] != ':'))
		return false;
	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	return n == text.n;
}

/* `scheme://user:password@host:port/` without its middle and its end. Of one that is misspelt nobody knows where the password is. */
static void take_proxy(struct bytes address, struct alation_sight *sight)
{
	const struct bytes scheme = { address.p, scheme_of(address) };
	const char *at = memrchr(address.p, '@', address.n);
	size_t from = at ? (size_t)(at + 1 - address.p) : scheme.n, n;

	address.p += from;
	address.n -= from;
	for (size_t i = 0; i < address.n; i++)
		if (strchr("/?#", address.p[i]))
			address.n = i;
	take(scheme, sight->proxy, sizeof sight->proxy);
	n = strlen(sight->proxy);
	take(is_host(address) ? address : bytes_of("..."), sight->proxy + n, sizeof sight->proxy - n);
}

/* "Uses proxy env variable https_proxy == 'http://proxy:3128'"; of no_proxy it says so before it judges it. */
static void take_variable(struct bytes line, struct alation_sight *sight)
{
	const char *between = memmem(line.p, line.n, " == '", 5);
	struct bytes name, value;

	if (!between || line.p[line.n - 1] != '\'')
		return;
	name = (struct bytes){ line.p, (size_t)(between - line.p) };
	value = (struct bytes){ between + 5, (size_t)(line.p + line.n - 1 - (between + 5)) };
	if (bytes_are(name, "no_proxy") || bytes_are(name, "NO_PROXY")) {
		take(name, sight->exception_from, sizeof sight->exception_from);
		return;
	}
	take(name, sight->proxy_from, sizeof sight->proxy_from);
	take_proxy(value, sight);
}

static void take_address(struct bytes line, struct alation_sight *sight)
{
	size_t n = strlen(sight->addresses);

	while (line.n && line.p[line.n - 1] == '.')
		line.n--;
	if (n + line.n + sizeof ", " > sizeof sight->addresses)
		return;
	if (n) {
		memcpy(sight->addresses + n, ", ", 2);
		n += 2;
	}
	take(line, sight->addresses + n, sizeof sight->addresses - n);
}

static bool begins(struct bytes line, const char *with)
{
	return bytes_after(&line, with);
}

/* Its words differ from version to version; one that is not known leaves a fact out. */
static int on_word(CURL *curl, curl_infotype type, char *p, size_t n, void *user)
{
	struct alation_sight *sight = user;
	struct bytes line = { p, n };

	(void)curl;
	if (type != CURLINFO_TEXT)
		return 0;
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	while (line.n && line.p[0] == ' ')
		line.p++, line.n--;
	if (bytes_after(&line, "Uses proxy env variable "))
		take_variable(line, sight);
	else if (bytes_after(&line, "Trying "))
		take_address(line, sight);
	else if (begins(line, "SOCKS"))
		sight->via_proxy = true;
	else if (begins(line, "ALPN") || begins(line, "CAfile:") || begins(line, "TLSv1"))
		sight->connected = true; /* TLS has begun; libcurl's own fact comes with its end */
	return 0;
}

bool sight_begin(CURL *curl, const struct alation_way *way, struct alation_sight *sight)
{
	trust_words(way, sight->trust, sizeof sight->trust);
	if (way->proxy && *way->proxy)
		take_proxy(bytes_of(way->proxy), sight);
	return curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_word) == CURLE_OK && curl_easy_setopt(curl, CURLOPT_DEBUGDATA, (void *)sight) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L) == CURLE_OK && curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L) == CURLE_OK;
}

/* The server's own; those that vouch for it stand behind it. */
static void take_certificate(CURL *curl, struct alation_sight *sight)
{
	struct curl_certinfo *info = NULL;
	time_t end;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
		return;
	for (const struct curl_slist *each = info->certinfo[0]; each; each = each->next) {
		struct bytes line = bytes_of(each->data);

		if (bytes_after(&line, "Issuer:"))
			take(line, sight->issuer, sizeof sight->issuer);
		else if (bytes_after(&line, "Expire date:") && (end = curl_getdate(line.p, NULL)) >= 0)
			sight->certificate_ends = (int64_t)end;
	}
}

/* Whether the proxy that is named was taken. One of the configuration's is not said by libcurl, and it has exceptions. */
static bool went_by_proxy(CURL *curl, const struct alation_sight *sight, enum alation_result result)
{
	long tunnel = 0;

#if LIBCURL_VERSION_NUM >= 0x080700
	long used = 0;

	if (curl_easy_getinfo(curl, CURLINFO_USED_PROXY, &used) == CURLE_OK && used)
		return true;
#endif
	curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	return sight->via_proxy || sight->proxy_from[0] || tunnel > 0 || result == ALATION_PROXY;
}

void sight_end(CURL *curl, const char *base_url, enum alation_result result, struct alation_sight *sight)
{
	curl_off_t resolved_us = 0, connected_us = 0, secured_us = 0;
	long tunnel = 0;

	curl_easy_getinfo(curl, CURLINFO_NAMELOOKUP_TIME_T, &resolved_us);
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected_us);
	curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T, &secured_us);
	curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &tunnel);
	sight->via_proxy = !is_http(base_url) && went_by_proxy(curl, sight, result);
	sight->resolved = resolved_us > 0 || sight->addresses[0];
	/* Behind a proxy the server is reached once its tunnel is there; through SOCKS there is no word of that but TLS. */
	if (sight->via_proxy)
		sight->connected = result != ALATION_PROXY && (tunnel / 100 == 2 || (tunnel == 0 && secured_us > 0));
	else
		sight->connected |= connected_us > 0;
	sight->secured = !is_http(base_url) && secured_us > 0;
	take_certificate(curl, sight);
}
