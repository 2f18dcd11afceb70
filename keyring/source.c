/* SPDX-License-Identifier: MIT */
/*
 * Arguments and content of the read-only sources. No file, no environment, no allocation; copies no secret.
 */
#include "keyring/source.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define USER_ID_MAX INT32_MAX
#define USER_ID_MAX_BYTES 10
#define ARGUMENT_MAX_BYTES 32
#define NOTE_BYTES 1024
#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define TOKEN_BYTES ALNUM "._~+/=-"
#define RECORD_BYTES ALNUM "%=&._~+-"

/* As an account's number is written: digits without a leading zero. 0: it is none. */
static int64_t user_id_of(const char *text)
{
	int64_t id = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > USER_ID_MAX_BYTES || text[n] != '\0' || text[0] == '0')
		return 0;
	for (; *text != '\0'; text++)
		id = id * 10 + (*text - '0');
	return id <= USER_ID_MAX ? id : 0;
}

/* One entry of a directory, whose name cannot lead out of it. */
static bool name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX && strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static const char *value_of(const char *argument, const char *name)
{
	size_t n = strlen(name);

	return strncmp(argument, name, n) == 0 ? argument + n : NULL;
}

/* NULL, or what is wrong with the argument. An empty account is one that is not said, as an empty variable is. */
static const char *take_argument(const char *argument, bool takes_name, struct source *source)
{
	const char *value;

	if ((value = value_of(argument, "base-url=")) != NULL) {
		source->base_url = *value != '\0' ? value : NULL;
	} else if ((value = value_of(argument, "user-id=")) != NULL) {
		source->user_id = user_id_of(value);
		if (source->user_id == 0 && *value != '\0')
			return "user-id= takes a number from 1 to 2147483647";
	} else if (takes_name && (value = value_of(argument, "name=")) != NULL) {
		source->name = value;
		if (!name_ok(value))
			return "name= takes the name of a file in the directory";
	} else {
		return takes_name ? "there are base-url=URL, user-id=N and name=NAME" : "there are base-url=URL and user-id=N";
	}
	return NULL;
}

/* Only what can be an argument's name is shown: in the rest somebody may have written the token. */
static void note_argument(struct acred_call *call, const char *argument, const char *why)
{
	char text[NOTE_BYTES];
	size_t n = strcspn(argument, "=");

	if (n > 0 && n <= ARGUMENT_MAX_BYTES && strspn(argument, "abcdefghijklmnopqrstuvwxyz-") >= n)
		snprintf(text, sizeof text, "the argument '%.*s' is not understood; %s", (int)n, argument, why);
	else
		snprintf(text, sizeof text, "an argument is not understood; %s", why);
	call->note(call->host, text);
}

bool source_arguments(struct acred_call *call, int argc, const char *const *argv, bool takes_name,
                      struct source *ret_source)
{
	struct source source = { 0 };

	for (int i = 0; i < argc; i++) {
		const char *why = take_argument(argv[i], takes_name, &source);

		if (why != NULL) {
			note_argument(call, argv[i], why);
			return false;
		}
	}
	*ret_source = source;
	return true;
}

int source_complete(struct acred_call *call, const struct source *source, const char *what)
{
	const char *missing = source->base_url == NULL ? "$ALATION_BASE_URL" : source->user_id == 0 ? "$ALATION_USER_ID" : NULL;
	char text[NOTE_BYTES];

	if (missing == NULL)
		return ACRED_OK;
	snprintf(text, sizeof text, "the account of %.400s is not known: %s is not set", what, missing);
	call->note(call->host, text);
	return ACRED_ABSENT;
}

int source_matches(struct acred_call *call, const struct acred_key *key, const char *base_url, int64_t user_id,
                   const char *what)
{
	char text[NOTE_BYTES];

	if (user_id == key->user_id && strcmp(base_url, key->base_url) == 0)
		return ACRED_OK;
	snprintf(text, sizeof text, "%.300s is for another account, user %" PRId64 " at %.150s", what, user_id, base_url);
	call->note(call->host, text);
	return ACRED_ABSENT;
}

int source_facility(const struct acred_key *key)
{
	return strcmp(key->facility, "refresh") == 0 ? ACRED_OK : ACRED_ABSENT;
}

static bool made_of(const char *content, size_t n, const char *bytes)
{
	for (size_t i = 0; i < n; i++)
		if (content[i] == '\0' || strchr(bytes, content[i]) == NULL)
			return false;
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Escapes anywhere are looked at, also in members that are not read here: a record is whole or it is none. */
static bool escapes_ok(const char *content, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (content[i] == '%' && (n - i <= 2 || hex(content[i + 1]) < 0 || hex(content[i + 2]) < 0))
			return false;
	return true;
}

/* Form-decodes N bytes with sound escapes into TEXT. False: nothing, a control character or a blank, which neither
 * member can hold, or too long. */
static bool decode(const char *value, size_t n, char *text, size_t room)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		int byte = (unsigned char)value[i];

		if (byte == '%') {
			byte = hex(value[i + 1]) * 16 + hex(value[i + 2]);
			i += 2;
		}
		if (byte <= ' ' || byte == '+' || byte == 0x7f || to + 1 >= room)
			return false;
		text[to++] = (char)byte;
	}
	text[to] = '\0';
	return to > 0;
}

struct members {
	bool base_url, user_id, token; /* seen */
	struct source_owner *owner;
};

static bool once(bool *seen)
{
	bool first = !*seen;

	*seen = true;
	return first;
}

static bool take_member(struct members *members, const char *pair, size_t n)
{
	char digits[USER_ID_MAX_BYTES + 1];
	const char *value = memchr(pair, '=', n);
	size_t key = value != NULL ? (size_t)(value - pair) : 0, len;

	if (key == 0)
		return false;
	value++;
	len = n - key - 1;
	if (key == strlen("base_url") && memcmp(pair, "base_url", key) == 0)
		return once(&members->base_url) && decode(value, len, members->owner->base_url, sizeof members->owner->base_url);
	if (key == strlen("user_id") && memcmp(pair, "user_id", key) == 0)
		return once(&members->user_id) && decode(value, len, digits, sizeof digits) &&
		       (members->owner->user_id = user_id_of(digits)) != 0;
	if (key == strlen("refresh_token") && memcmp(pair, "refresh_token", key) == 0)
		return once(&members->token) && len > 0;
	return true;
}

static bool read_record(const char *content, size_t n, struct source_owner *owner)
{
	struct members members = { .owner = owner };

	if (!escapes_ok(content, n))
		return false;
	while (n > 0) {
		const char *and = memchr(content, '&', n);
		size_t len = and != NULL ? (size_t)(and - content) : n;

		if (!take_member(&members, content, len))
			return false;
		len += and != NULL;
		content += len;
		n -= len;
	}
	return members.base_url && members.user_id && members.token;
}

/* A bare token holds no '&', so what starts like a record and has one is a record. */
static bool looks_like_record(const char *content, size_t n)
{
	return n > 2 && memcmp(content, "v=", 2) == 0 && memchr(content, '&', n) != NULL;
}

const char *source_read(const char *content, size_t n, struct source_owner *ret_owner)
{
	struct source_owner owner = { .user_id = 0 };

	if (n == 0)
		return "is empty";
	if (n > SOURCE_MAX_BYTES)
		return "is longer than 64 KiB";
	if (looks_like_record(content, n)) {
		if (!made_of(content, n, RECORD_BYTES))
			return "holds a record with bytes that no record has";
		if (!read_record(content, n, &owner))
			return "holds a damaged record, or one that does not name its account";
	} else {
		if (!made_of(content, n, TOKEN_BYTES))
			return "holds bytes that no RefreshToken has";
		if (n > SOURCE_TOKEN_MAX_BYTES)
			return "is longer than any RefreshToken";
	}
	*ret_owner = owner;
	return NULL;
}
