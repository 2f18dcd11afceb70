/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `token`: the token and a line feed, for $(…). It never writes anything else: a caller that
 * gets bytes on stdout has a token.
 */
#include "protocol/protocol.h"

static void write_token(struct out *out, const struct reply *reply)
{
	/* Who let such a token in has a bug; this format could only pass it on as two lines or more. */
	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	out_bytes(out, reply->token);
	out_text(out, "\n");
}

const struct format format_token = {
	.name = "token",
	.about = "the token alone, and a line feed",
	.reply = write_token,
};
