/* SPDX-License-Identifier: MIT */
/*
 * The key of a sealed file: in this process's memory, resting in the kernel keyring, or derived from a passphrase, in
 * this order. A key counts once it has opened the box.
 */
#ifndef KEYRING_MODULES_SEALED_FILE_KEY_H
#define KEYRING_MODULES_SEALED_FILE_KEY_H

#include "keyring/modules/sealed-file.h"

enum sealed_asking { SEALED_NEVER_ASK, SEALED_MAY_ASK };

/* Opens BOX. ACRED_LOCKED where no key is at hand and nobody may be asked, and where the passphrase is wrong. */
int sealed_key_open(struct acred_call *, struct sealed *, const struct sealed_box *box, enum sealed_asking, struct wiped *ret_entries);

/* A key for a file that does not exist yet, from the key-file or from a person, into SELF. */
int sealed_key_new(struct acred_call *, struct sealed *, enum sealed_asking, struct sealed_lid *ret_lid);

/* Lets the key of SELF rest in the kernel keyring, if it may; notes it where a person gave it in vain. */
void sealed_key_rest(struct acred_call *, const struct sealed *);

/* Forgets the key of SELF, and what rests in the kernel keyring under its prefix. ACRED_ABSENT where none rested there. */
int sealed_key_forget(struct acred_call *, struct sealed *);

#endif
