/* SPDX-License-Identifier: MIT */
/*
 * Reads, opens and closes the box. Believes nothing in a file before its checksum is right, and derives no key from
 * parameters that would take all memory or all day.
 */
#include "keyring/modules/sealed-file-box.h"

#include <sodium.h>
#include <string.h>

#define MAGIC "acred-sealed"
#define MAGIC_BYTES (sizeof MAGIC - 1)
#define VERSION 1u
#define NONCE_AT 40
#define SUM_BYTES 32

/*
 * What a new file has: libsodium's "interactive", 64 MiB and two passes, about a twelfth of a second. A cron job with
 * key-file= pays it at each mint, within the 5 s that a keyring has, and on small machines; a passphrase that a file
 * holds is random, and for one that a person types the file's mode is the first wall.
 */
#define NEW_PASSES ((uint32_t)crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE)
#define NEW_MEMORY_KIB ((uint32_t)(crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE / 1024))

/* A file that asks for more is none of ours; whoever wants more raises the version with it. */
#define PASSES_MAX 8
#define MEMORY_MIN_KIB (crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024)
#define MEMORY_MAX_KIB (256 * 1024)

_Static_assert(BOX_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(BOX_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(BOX_HEAD_BYTES == NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(BOX_OVERHEAD_BYTES == BOX_HEAD_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES + SUM_BYTES, "overhead");

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void checksum(const unsigned char *bytes, size_t n, unsigned char sum[SUM_BYTES])
{
	(void)crypto_generichash(sum, SUM_BYTES, bytes, n, NULL, 0); /* fails for impossible lengths alone */
}

enum sealed_box_state sealed_box_read(const unsigned char *bytes, size_t n, struct sealed_box *ret_box)
{
	unsigned char sum[SUM_BYTES];
	struct sealed_lid lid;

	if (n < MAGIC_BYTES + 4 + SUM_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
		return SEALED_BOX_DAMAGED;
	checksum(bytes, n - SUM_BYTES, sum);
	if (memcmp(sum, bytes + n - SUM_BYTES, SUM_BYTES) != 0)
		return SEALED_BOX_DAMAGED;
	if (get32(bytes + 12) > VERSION)
		return SEALED_BOX_NEWER;
	if (get32(bytes + 12) != VERSION || n < BOX_OVERHEAD_BYTES)
		return SEALED_BOX_DAMAGED;
	lid.passes = get32(bytes + 16);
	lid.memory_kib = get32(bytes + 20);
	if (lid.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || lid.passes > PASSES_MAX || lid.memory_kib < MEMORY_MIN_KIB ||
	    lid.memory_kib > MEMORY_MAX_KIB)
		return SEALED_BOX_DAMAGED;
	memcpy(lid.salt, bytes + 24, sizeof lid.salt);
	*ret_box = (struct sealed_box){ lid, bytes, n - BOX_OVERHEAD_BYTES };
	return SEALED_BOX_SOUND;
}

void sealed_box_new_lid(struct sealed_lid *ret_lid)
{
	ret_lid->passes = NEW_PASSES;
	ret_lid->memory_kib = NEW_MEMORY_KIB;
	randombytes_buf(ret_lid->salt, sizeof ret_lid->salt);
}

bool sealed_box_derive(const struct sealed_lid *lid, const unsigned char *passphrase, size_t n, unsigned char ret_key[BOX_KEY_BYTES])
{
	return crypto_pwhash(ret_key, BOX_KEY_BYTES, (const char *)passphrase, n, lid->salt, lid->passes,
	                     (size_t)lid->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

bool sealed_box_open(const struct sealed_box *box, const unsigned char key[BOX_KEY_BYTES], unsigned char *ret_entries)
{
	return crypto_aead_xchacha20poly1305_ietf_decrypt(
	               ret_entries, NULL, NULL, box->bytes + BOX_HEAD_BYTES,
	               box->entries_n + crypto_aead_xchacha20poly1305_ietf_ABYTES, box->bytes, BOX_HEAD_BYTES,
	               box->bytes + NONCE_AT, key) == 0;
}

void sealed_box_close(const struct sealed_lid *lid, const unsigned char key[BOX_KEY_BYTES], const unsigned char *entries, size_t n,
                      unsigned char *ret_file)
{
	memcpy(ret_file, MAGIC, MAGIC_BYTES);
	put32(ret_file + 12, VERSION);
	put32(ret_file + 16, lid->passes);
	put32(ret_file + 20, lid->memory_kib);
	memcpy(ret_file + 24, lid->salt, sizeof lid->salt);
	randombytes_buf(ret_file + NONCE_AT, BOX_HEAD_BYTES - NONCE_AT);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret_file + BOX_HEAD_BYTES, NULL, entries, n, ret_file, BOX_HEAD_BYTES,
	                                                 NULL, ret_file + NONCE_AT, key); /* always 0 */
	n += BOX_OVERHEAD_BYTES - SUM_BYTES;
	checksum(ret_file, n, ret_file + n);
}
