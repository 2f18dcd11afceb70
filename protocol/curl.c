/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `curl`: a configuration for `curl -K -`, which is one option in curl's own quotes. It never writes
 * another option.
 */
#include "protocol/protocol.h"

static void write_config(struct out *out, const struct reply *reply)
{
	/* Who let such a token in has a bug; here a quote in it would end the value, and what follows would be options. */
	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	out_text(out, "header = \"TOKEN: ");
	out_bytes(out, reply->token);
	out_text(out, "\"\n");
}

const struct format format_curl = {
	.name = "curl",
	.about = "a configuration for curl -K -",
	.reply = write_config,
};
