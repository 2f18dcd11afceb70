/* SPDX-License-Identifier: MIT */
/*
 * Owns the format `env`: shell commands that set the variables which programs for Alation read. `export NAME='value';` means
 * the same to sh, bash, zsh and fish. It never writes a value that could end its quotes.
 */
#include "protocol/protocol.h"

static bool is_quotable(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] <= ' ' || b.p[i] == '\'' || b.p[i] == '\\' || b.p[i] == 0x7f)
			return false;
	return true;
}

static void variable(struct out *out, const char *name, struct bytes value)
{
	/* No address, token or date has such a byte; who let it in has a bug. */
	if (!is_quotable(value)) {
		out->overflow = true;
		return;
	}
	out_text(out, "export ");
	out_text(out, name);
	out_text(out, "='");
	out_bytes(out, value);
	out_text(out, "';\n");
}

static void write_variables(struct out *out, const struct reply *reply)
{
	char digits[sizeof "-9223372036854775808"];
	struct out id = { .p = digits, .room = sizeof digits };

	if (!token_ok(reply->token)) {
		out->overflow = true;
		return;
	}
	out_int(&id, reply->user_id);
	variable(out, "ALATION_BASE_URL", reply->base_url);
	variable(out, "ALATION_USER_ID", (struct bytes){ digits, id.n });
	variable(out, "ALATION_ACCESS_TOKEN", reply->token);
	variable(out, "ALATION_API_TOKEN", reply->token);
	variable(out, "ALATION_TOKEN", reply->token);
	/* Empty where it is not known: what was there may be another token's. */
	variable(out, "ALATION_TOKEN_EXPIRES_AT", bytes_of(reply->expires_at.text ? reply->expires_at.text : ""));
}

const struct format format_env = {
	.name = "env",
	.about = "export NAME='value'; lines for a shell",
	.reply = write_variables,
};
