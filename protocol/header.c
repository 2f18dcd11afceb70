/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `header`: the line `TOKEN: …` that Alation's API wants, for `curl -H @-`. It never writes
 * a second header.
 */
#include "protocol/protocol.h"

static void write_header(struct out *out, const struct reply *reply)
{
	/* Who let such a token in has a bug; here a line feed in it would become a header of its own. */
	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	out_text(out, "TOKEN: ");
	out_bytes(out, reply->token);
	out_text(out, "\n");
}

const struct format format_header = {
	.name = "header",
	.about = "'TOKEN: ...', for curl -H @-",
	.reply = write_header,
};
