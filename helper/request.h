/* SPDX-License-Identifier: MIT */
/*
 * A request in a helper protocol: whether one is on stdin, read whole, parsed. Chooses no account and answers
 * nothing.
 */
#ifndef HELPER_REQUEST_H
#define HELPER_REQUEST_H

#include "helper/base/secret.h"
#include "helper/context.h"

/* The views of `request` point into `content`, which is the caller's to wipe. */
struct incoming {
	struct secret content;
	struct request request;
};

void incoming_wipe(struct incoming *incoming);
#define INCOMING __attribute__((cleanup(incoming_wipe))) struct incoming

/* Reads the request that must be on stdin, by the call's deadline. USAGE: malformed, too large, or without an end. */
enum outcome request_read(struct context *context, struct incoming *ret_incoming);

/*
 * The rule for stdin, for a `get` that was not told what to do: *ret_found where a git request is there, which is read
 * then. Else every byte on stdin is left as it was. Waits only while what is there could still become a request: 1 s
 * since its last byte, 5 s in all.
 */
enum outcome request_sniff(struct context *context, struct incoming *ret_incoming, bool *ret_found);

/* USAGE where the request names no protocol or no host: whoever is meant would be a guess. */
enum outcome request_names_host(struct context *context, const struct request *request);

/* For a verb that a later protocol may have: takes in what the caller writes, and does nothing. */
enum outcome request_ignore(struct context *context);

#endif
