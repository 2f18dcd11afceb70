/* SPDX-License-Identifier: MIT */
/*
 * The wiping type. Grows by new block, copy, wipe, never by realloc, which may leave a copy behind.
 */
#include "helper/base/secret.h"

#include <stdlib.h>

void secret_wipe(struct secret *secret)
{
	if (secret->bytes) {
		explicit_bzero(secret->bytes, secret->room);
		free(secret->bytes);
	}
	*secret = (struct secret){ 0 };
}

bool secret_reserve(struct secret *secret, size_t room)
{
	size_t want;
	char *bytes;

	if (room > SECRET_MAX_BYTES - secret->len)
		return false;
	if (secret->room - secret->len >= room && secret->bytes)
		return true;
	want = secret->len + room < 256 ? 256 : secret->len + room;
	if (want < 2 * secret->room && 2 * secret->room <= SECRET_MAX_BYTES)
		want = 2 * secret->room;
	bytes = malloc(want);
	if (!bytes)
		return false;
	if (secret->bytes) {
		memcpy(bytes, secret->bytes, secret->len);
		explicit_bzero(secret->bytes, secret->room);
		free(secret->bytes);
	}
	secret->bytes = bytes;
	secret->room = want;
	return true;
}

bool secret_append(struct secret *secret, struct bytes b)
{
	if (!secret_reserve(secret, b.n))
		return false;
	if (b.n)
		memcpy(secret->bytes + secret->len, b.p, b.n);
	secret->len += b.n;
	return true;
}

bool secret_set(struct secret *secret, struct bytes b)
{
	secret_wipe(secret);
	return secret_append(secret, b);
}

void secret_move(struct secret *to, struct secret *from)
{
	secret_wipe(to);
	*to = *from;
	*from = (struct secret){ 0 };
}

bool secret_equal(struct bytes a, struct bytes b)
{
	unsigned char differ = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differ |= (unsigned char)(a.p[i] ^ b.p[i]);
	return differ == 0;
}
