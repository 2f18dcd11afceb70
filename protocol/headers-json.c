/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `headers-json`: the headers of a request as one JSON object, for programs that take headers so. It never
 * says anything about the token.
 */
#include "protocol/protocol.h"

static void write_headers(struct out *out, const struct reply *reply)
{
	/* Who let such a token in has a bug; JSON could say it, but whoever reads this makes a header of it. */
	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	out_text(out, "{\"TOKEN\":");
	out_json(out, reply->token);
	out_text(out, "}\n");
}

const struct format format_headers_json = {
	.name = "headers-json",
	.about = "the request's headers as one JSON object",
	.reply = write_headers,
};
