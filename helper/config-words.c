/* SPDX-License-Identifier: MIT */
/*
 * The words that a configuration may have, and what their values may be. Knows no file and no line.
 */
#include "helper/config.h"

#include <string.h>

#include "helper/base/clock.h"
#include "helper/options.h"

/* Judges: NULL, or what is wrong with a value. */

static const char *judge_base_url(const char *value, const char *section)
{
	struct url url;

	(void)section;
	if (url_parse(bytes_of(value), &url) != URL_OK || url.cut || url.user_id)
		return "the value is no address of an instance, such as https://catalog.example.com";
	return NULL;
}

static const char *judge_account(const char *value, const char *section)
{
	struct url url;

	if (section[0] && url_user_id(bytes_of(value)))
		return NULL;
	if (url_parse(bytes_of(value), &url) != URL_OK || url.cut || !url.user_id)
		return "the value is no account, such as https://102@catalog.example.com";
	return section[0] && strcmp(section, url.base) != 0 ? "the value is an account of another instance than its section's" : NULL;
}

static const char *judge_path(const char *value, const char *section)
{
	(void)section;
	return value[0] == '/' ? NULL : "the value is no absolute path";
}

/* The certificate, and where its key is in another file, that one. */
static const char *judge_client_cert(const char *value, const char *section)
{
	size_t n = strcspn(value, " \t");

	(void)section;
	if (value[0] != '/' || (value[n] && value[n + strspn(value + n, " \t")] != '/'))
		return "the value is no absolute path of a certificate, nor that and the path of its key";
	n += strspn(value + n, " \t");
	return value[n + strcspn(value + n, " \t")] ? "the value is more than two paths" : NULL;
}

static const char *judge_any(const char *value, const char *section)
{
	(void)value, (void)section;
	return NULL;
}

/* What stands behind the user's part must be a host and a port: a password whose '@' was forgotten would be shown as one. */
static const char *judge_proxy(const char *value, const char *section)
{
	static const char wrong_value[] = "the value is no proxy, such as http://proxy.example.com:3128";
	const char *scheme = strstr(value, "://"), *at = strrchr(value, '@'), *host = at ? at + 1 : scheme ? scheme + 3 : value;
	bool v6 = *host == '[';
	size_t n = v6 ? strcspn(host, "]") : strcspn(host, ":/");

	(void)section;
	if (n == 0 || (v6 && host[n] != ']'))
		return wrong_value;
	host += n + v6;
	if (*host == ':' && (host[1] < '0' || host[1] > '9'))
		return wrong_value;
	if (*host == ':')
		host += 1 + strspn(host + 1, "0123456789");
	return *host && *host != '/' ? wrong_value : NULL;
}

static const char *judge_auto_rotate(const char *value, const char *section)
{
	int64_t s;

	(void)section;
	return strcmp(value, "never") == 0 || clock_parse_duration(bytes_of(value), &s) ? NULL : "the value is neither a duration, such as 10d, nor never";
}

static const char *judge_timeout(const char *value, const char *section)
{
	int64_t s;

	(void)section;
	return clock_parse_duration(bytes_of(value), &s) && s > 0 && s <= OPTIONS_TIMEOUT_MAX_S ? NULL : "the value is no duration from 1s to 1d";
}

static const struct {
	const char *name;
	const char *(*judge)(const char *value, const char *section);
} words[CONFIG_WORDS] = {
	[CONFIG_BASE_URL] = { "base-url", judge_base_url },
	[CONFIG_DEFAULT_ACCOUNT] = { "default-account", judge_account },
	[CONFIG_CA_FILE] = { "ca-file", judge_path },
	[CONFIG_CLIENT_CERT] = { "client-cert", judge_client_cert },
	[CONFIG_PROXY] = { "proxy", judge_proxy },
	[CONFIG_NO_PROXY] = { "no-proxy", judge_any },
	[CONFIG_AUTO_ROTATE] = { "auto-rotate", judge_auto_rotate },
	[CONFIG_TIMEOUT] = { "timeout", judge_timeout },
};

const char *config_word_name(enum config_word word)
{
	return words[word].name;
}

const char *config_judge(enum config_word word, const char *value, const char *section)
{
	return words[word].judge(value, section);
}

int64_t config_seconds(const struct config_value *value)
{
	int64_t s = CONFIG_NEVER;

	clock_parse_duration(bytes_of(value->value), &s);
	return s;
}
