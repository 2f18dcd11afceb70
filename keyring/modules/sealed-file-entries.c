/* SPDX-License-Identifier: MIT */
/*
 * Walks and changes the entries of an open box. Nothing is read behind their end, although only who has the key could
 * have written them.
 */
#include "keyring/modules/sealed-file-entries.h"

#include <string.h>

#define NUMBERS_BYTES 12

static uint64_t get(const unsigned char *p, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static unsigned char *put(unsigned char *p, uint64_t value, int bytes)
{
	for (int i = bytes; i > 0; value >>= 8)
		p[--i] = (unsigned char)value;
	return p + bytes;
}

/* The text at *AT, which moves behind its NUL; NULL where there is none. */
static const char *next_text(const struct wiped *entries, size_t *at)
{
	const unsigned char *text = entries->p + *at, *end = memchr(text, '\0', entries->n - *at);

	if (end == NULL)
		return NULL;
	*at += (size_t)(end - text) + 1;
	return (const char *)text;
}

bool sealed_entries_next(const struct wiped *entries, size_t *at, struct sealed_entry *ret)
{
	size_t p = *at + NUMBERS_BYTES;

	if (entries->n - *at < NUMBERS_BYTES)
		return false;
	ret->n = (size_t)get(entries->p + *at, 4);
	ret->key.user_id = (int64_t)get(entries->p + *at + 4, 8);
	ret->key.facility = next_text(entries, &p);
	ret->key.base_url = ret->key.facility != NULL ? next_text(entries, &p) : NULL;
	if (ret->key.base_url == NULL || entries->n - p < ret->n)
		return false;
	ret->secret = entries->p + p;
	*at = p + ret->n;
	return true;
}

bool sealed_entries_sound(const struct wiped *entries)
{
	struct sealed_entry entry;
	size_t at = 0;

	while (sealed_entries_next(entries, &at, &entry))
		;
	return at == entries->n;
}

static bool same(const struct acred_key *a, const struct acred_key *b)
{
	return a->user_id == b->user_id && strcmp(a->facility, b->facility) == 0 && strcmp(a->base_url, b->base_url) == 0;
}

bool sealed_entries_find(const struct wiped *entries, const struct acred_key *key, struct sealed_entry *ret)
{
	size_t at = 0;

	while (sealed_entries_next(entries, &at, ret))
		if (same(&ret->key, key))
			return true;
	return false;
}

static unsigned char *append(unsigned char *p, const struct acred_key *key, const char *secret, size_t n)
{
	p = put(p, n, 4);
	p = put(p, (uint64_t)key->user_id, 8);
	p = (unsigned char *)stpcpy((char *)p, key->facility) + 1;
	p = (unsigned char *)stpcpy((char *)p, key->base_url) + 1;
	memcpy(p, secret, n);
	return p + n;
}

bool sealed_entries_change(const struct wiped *entries, const struct acred_key *key, const char *secret, size_t n, struct wiped *ret)
{
	size_t at = 0, from, room = entries->n;
	struct sealed_entry entry;
	unsigned char *p;

	if (secret != NULL)
		room += NUMBERS_BYTES + strlen(key->facility) + 1 + strlen(key->base_url) + 1 + n;
	if (!wiped_new(ret, room))
		return false;
	p = ret->p;
	for (from = at; sealed_entries_next(entries, &at, &entry); from = at)
		if (!same(&entry.key, key)) {
			memcpy(p, entries->p + from, at - from);
			p += at - from;
		}
	if (secret != NULL)
		p = append(p, key, secret, n);
	ret->n = (size_t)(p - ret->p);
	return true;
}
