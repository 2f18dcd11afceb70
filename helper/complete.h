/* SPDX-License-Identifier: MIT */
/*
 * What a shell offers on Tab, from the tables of verbs and options, the list of accounts and the names of modules.
 */
#ifndef HELPER_COMPLETE_H
#define HELPER_COMPLETE_H

#include "protocol/bytes.h"

#define COMPLETE_BYTES 65536 /* what is too much is left out */

/*
 * ARGV: the words of a command line behind the program's name, the last of them the one that is being typed ("": not begun).
 * Writes into BUFFER (COMPLETE_BYTES) what that one may become, a line each, with a tab before its description if it has one;
 * or the one line ":files", or ":command N": from word N on (0: the first of ARGV) it is another command's. Reads the list
 * of accounts and the configuration; asks no keyring, no server and no person, and is silent about whatever fails.
 */
struct bytes complete(int argc, const char *const argv[], char *buffer);

#endif
