/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of the module sealed-file share: what its line in the stack says, memory that wipes itself, and its
 * way of saying things. Each of the rooms below owns one question:
 *
 *   sealed-file-arguments  what the line says       sealed-file-disk     the file, its lock, its replacement
 *   sealed-file-box        bytes of the file        sealed-file-entries  what lies in it, once it is open
 *   sealed-file-key        where the key comes from  sealed-file-shared  what they all use
 */
#ifndef KEYRING_MODULES_SEALED_FILE_H
#define KEYRING_MODULES_SEALED_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keyring/entry-name.h"
#include "keyring/module.h"
#include "keyring/note.h"
#include "keyring/modules/sealed-file-box.h"

#define SEALED_FILE_MAX_BYTES (1024 * 1024)

/* Memory that is locked where that is allowed, has pages around it that nobody may touch, and is wiped when it goes. */
struct wiped {
	unsigned char *p;
	size_t n;
};
bool wiped_new(struct wiped *ret, size_t n); /* RET must be empty; p is never NULL on success, not even for 0 bytes */
void wiped_free(struct wiped *);
#define WIPED __attribute__((cleanup(wiped_free))) struct wiped

struct sealed_arguments {
	char path[PATH_MAX];
	const char *key_file;   /* as it was given, or NULL */
	int64_t unlock_time_s;  /* how long the derived key rests in the kernel keyring; 0: never */
	bool unlock_time_given;
	char prefix[ENTRY_PREFIX_MAX_BYTES + 1];
};

struct sealed { /* lies in memory of the kind above, for the key */
	struct sealed_arguments arguments;
	bool has_key;           /* that opened, or made, the file with this salt */
	unsigned char salt[BOX_SALT_BYTES], key[BOX_KEY_BYTES];
};

/* True, and a note, once the call's time is over. */
bool sealed_late(struct acred_call *);

/* ACRED_OK; else it is noted what is wrong. The strings of ARGV are not copied. */
int sealed_arguments_read(struct acred_call *, int argc, const char *const *argv, struct sealed_arguments *ret);

#endif
