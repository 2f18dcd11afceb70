/* SPDX-License-Identifier: MIT */
/*
 * Owns the variables that programs for Alation read: their one table, the format `env`, which is shell commands that set them
 * (`export NAME='value';` means the same to sh, bash, zsh and fish), and the block that is handed to a program as its
 * environment. It never writes a value that could end its quotes.
 */
#include "protocol/protocol.h"

#define PREFIX "ALATION_"
#define OUR_PREFIX PREFIX "CRED_" /* this program's own, which hold no token */

enum what { BASE_URL, USER_ID, TOKEN, EXPIRES_AT, REFRESH_TOKEN };

static const struct {
	const char *name;
	enum what what;
} variables[] = {
	{ PREFIX "BASE_URL", BASE_URL },
	{ PREFIX "USER_ID", USER_ID },
	{ PREFIX "ACCESS_TOKEN", TOKEN },
	{ PREFIX "API_TOKEN", TOKEN },
	{ PREFIX "TOKEN", TOKEN },
	{ PREFIX "TOKEN_EXPIRES_AT", EXPIRES_AT },
	{ PREFIX "REFRESH_TOKEN", REFRESH_TOKEN },
};

static bool is_quotable(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if ((unsigned char)b.p[i] <= ' ' || b.p[i] == '\'' || b.p[i] == '\\' || b.p[i] == 0x7f)
			return false;
	return true;
}

/* The variable's name and value between BEFORE, EQUALS and AFTER. */
struct dress {
	const char *before, *equals;
	struct bytes after;
};

static void write_all(struct out *out, const struct reply *reply, struct bytes refresh_token, const struct dress *dress)
{
	char digits[sizeof "-9223372036854775808"];
	struct out id = { .p = digits, .room = sizeof digits };
	struct bytes values[] = {
		[BASE_URL] = reply->base_url,
		[TOKEN] = reply->token,
		/* Empty where it is not known: what was there may be another token's. */
		[EXPIRES_AT] = bytes_of(reply->expires_at.text ? reply->expires_at.text : ""),
		[REFRESH_TOKEN] = refresh_token,
	};

	out_int(&id, reply->user_id);
	values[USER_ID] = (struct bytes){ digits, id.n };
	if (!token_ok(reply->token) || (refresh_token.n && !token_ok(refresh_token)))
		out->overflow = true;
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		struct bytes value = values[variables[i].what];

		/* No address, token or date has such a byte; who let it in has a bug. */
		if (!is_quotable(value))
			out->overflow = true;
		if (out->overflow)
			return;
		if (variables[i].what == REFRESH_TOKEN && !value.n)
			continue;
		out_text(out, dress->before);
		out_text(out, variables[i].name);
		out_text(out, dress->equals);
		out_bytes(out, value);
		out_bytes(out, dress->after);
	}
}

static void write_commands(struct out *out, const struct reply *reply)
{
	write_all(out, reply, (struct bytes){ NULL, 0 }, &(struct dress){ "export ", "='", { "';\n", 3 } });
}

void env_block(struct out *out, const struct reply *reply, struct bytes refresh_token)
{
	write_all(out, reply, refresh_token, &(struct dress){ "", "=", { "", 1 } });
}

bool env_is_stale(const char *variable)
{
	return strncmp(variable, PREFIX, strlen(PREFIX)) == 0 && strncmp(variable, OUR_PREFIX, strlen(OUR_PREFIX)) != 0;
}

const struct format format_env = {
	.name = "env",
	.about = "export NAME='value'; lines for a shell",
	.reply = write_commands,
};
