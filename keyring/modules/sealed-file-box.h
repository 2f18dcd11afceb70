/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a sealed file, format version 1. No file, no clock, no words; only sealed_box_derive() is slow.
 *
 *    0  12  "acred-sealed"
 *   12   4  version                                     numbers are big-endian
 *   16   4  Argon2id: passes over the memory
 *   20   4  Argon2id: memory in KiB
 *   24  16  Argon2id: salt, for the file's life
 *   40  24  nonce, another for each writing
 *   64   n  all entries, and behind them the tag: XChaCha20-Poly1305, the 64 bytes above authenticated with them
 *   -32 32  BLAKE2b-256 of all that stands before, without a key
 *
 * The checksum tells a file that was damaged from a passphrase that is wrong; it proves nothing against an attacker,
 * whose file is one that the passphrase does not open. The first 16 bytes and the checksum are the same in each version
 * to come, so that a newer file is told from a damaged one, too.
 */
#ifndef KEYRING_MODULES_SEALED_FILE_BOX_H
#define KEYRING_MODULES_SEALED_FILE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOX_SALT_BYTES 16
#define BOX_KEY_BYTES 32
#define BOX_HEAD_BYTES 64
#define BOX_OVERHEAD_BYTES (BOX_HEAD_BYTES + 16 + 32) /* what a file has more than its entries */

struct sealed_lid {                     /* how a passphrase becomes the key */
	uint32_t passes, memory_kib;
	unsigned char salt[BOX_SALT_BYTES];
};

struct sealed_box {
	struct sealed_lid lid;
	const unsigned char *bytes;     /* the whole file, the caller's */
	size_t entries_n;               /* how long its entries are, once they are open */
};

enum sealed_box_state { SEALED_BOX_SOUND, SEALED_BOX_DAMAGED, SEALED_BOX_NEWER };

/* Looks at a file without any key. *RET_BOX points into BYTES. */
enum sealed_box_state sealed_box_read(const unsigned char *bytes, size_t n, struct sealed_box *ret_box);

/* The lid of a new file. */
void sealed_box_new_lid(struct sealed_lid *ret_lid);

/* False: there is not so much memory. */
bool sealed_box_derive(const struct sealed_lid *, const unsigned char *passphrase, size_t n, unsigned char ret_key[BOX_KEY_BYTES]);

/* Into ENTRIES, which has room for box->entries_n. False: it is another key, and nothing of the entries is there. */
bool sealed_box_open(const struct sealed_box *, const unsigned char key[BOX_KEY_BYTES], unsigned char *ret_entries);

/* Into RET_FILE, which has room for N + BOX_OVERHEAD_BYTES. */
void sealed_box_close(const struct sealed_lid *, const unsigned char key[BOX_KEY_BYTES], const unsigned char *entries, size_t n,
                      unsigned char *ret_file);

#endif
