/* SPDX-License-Identifier: MIT */
/*
 * Words for a keyring module that is not installed, or whose library is not. Looks at no file and asks no package manager.
 */
#ifndef HELPER_LIFECYCLE_MISSING_H
#define HELPER_LIFECYCLE_MISSING_H

#define MISSING_WORDS_BYTES 128

/*
 * What helps MODULE, which the loader did not find and said WHY: "install ...", with the name of Debian's package where the
 * module is one of ours. Returns WORDS.
 */
const char *missing_words(const char *module, const char *why, char words[MISSING_WORDS_BYTES]);

#endif
