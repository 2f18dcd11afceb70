/* SPDX-License-Identifier: MIT */
/*
 * git's credential protocol, from the helper's side: gitcredentials(7), git-credential(1). Requests are parsed in
 * place, replies are written by `format_git`. Knows no account and no policy.
 */
#ifndef PROTOCOL_GIT_H
#define PROTOCOL_GIT_H

#include "protocol/protocol.h"

#define GIT_LINE_MAX_BYTES 65535 /* without the line feed: what git itself reads */
#define GIT_REQUEST_MAX_BYTES (1024 * 1024)

enum git_fault {
	GIT_OK = 0,
	GIT_CR,        /* a carriage return, also before a line feed */
	GIT_NUL,
	GIT_NO_EQUALS, /* a line without '=' */
	GIT_EMPTY_KEY,
	GIT_LONG_LINE, /* more than GIT_LINE_MAX_BYTES */
	GIT_BAD_URL,   /* `url=` without a scheme, or with a CR, LF or NUL once it is decoded */
};

/*
 * Reads the request in the N bytes at P: lines `key=value`, split on LF alone, up to an empty line or the end. Of a
 * key that comes twice the last counts, of `capability[]` all; unknown keys are ignored. `url=` clears what came before,
 * as in git, and its parts are percent-decoded where they stand: the views of *ret_request point into P. *ret_request
 * is all empty unless GIT_OK.
 */
enum git_fault git_parse(char *p, size_t n, struct request *ret_request);

/* What is wrong, in words: no full stop, none of the rejected bytes. */
const char *git_fault_text(enum git_fault fault);

/* The reply that ends the asking: no further helper and no prompt can help. */
void git_quit(struct out *out);

/* The reply to `capability`. */
void git_capabilities(struct out *out);

/* Whether KEY is an attribute of git's protocol, or the beginning of one. */
bool git_knows(struct bytes key);
bool git_knows_beginning(struct bytes key);

#endif
