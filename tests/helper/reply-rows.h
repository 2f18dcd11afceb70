/* SPDX-License-Identifier: MIT */
/*
 * The rows of test-reply.c: raw bytes under a status, and what they mean. Numbers like N3 are rows of the
 * fault matrix.
 */
#ifndef TESTS_HELPER_REPLY_ROWS_H
#define TESTS_HELPER_REPLY_ROWS_H

#include "helper/alation/reply.h"

#define ID 1151
#define SENT "sent-refresh-token"
#define TOKEN "C-anary_Token.1~2+3/4="
#define LIT(s) { s, sizeof s - 1 } /* with the NULs in it */
#define NOT_JSON "the reply is not JSON"
#define MINTED "\"api_access_token\":\"" TOKEN "\""
#define NOT_A_TOKEN "the api_access_token of the reply is not a token"
#define NO_TOKEN "the reply has no api_access_token"
#define NOT_AN_ID "the user_id of the reply is not a user id"
#define TWICE "the reply names a member twice"
#define SAYS_FAILED "the server says that it failed"

static const struct reply_rule create = { .token = "refresh_token", .needs_user_id = true };
static const struct reply_rule regen = { .token = "refresh_token", .needs_fresh_token = true };
static const struct reply_rule mint = { .token = "api_access_token", .dead_is_refusal = true };
static const struct reply_rule revoke = { .token = NULL };
static const struct reply_rule validate = { .needs_status = true };

static const struct row {
	const char *what;
	const struct reply_rule *rule;
	int status;
	struct bytes body;
	enum alation_result want;
	const char *detail; /* NULL: not looked at */
	bool maybe_acted;
} rows[] = {
	/* success */
	{ "mint 201", &mint, 201, LIT("{" MINTED "}"), ALATION_DONE, "", false },
	{ "mint 200", &mint, 200, LIT("{" MINTED "}"), ALATION_DONE, "", false },
	{ "mint 299", &mint, 299, LIT("{" MINTED "}"), ALATION_DONE, "", false },
	{ "white space around", &mint, 201, LIT("\r\n {\t\"api_access_token\" : \"" TOKEN "\" }\r\n"),
	  ALATION_DONE, "", false },
	{ "unknown members", &mint, 201, LIT("{\"x\":[1,2,{\"api_access_token\":\"no\",\"a\":1}]," MINTED ",\"last_used_at\":null,\"s\":\"a,b\\\"},{\"}"),
	  ALATION_DONE, "", false },
	{ "a token as escapes", &mint, 201, LIT("{\"api_access_token\":\"\\u0043-anary_Token.1~2+3\\/4=\"}"),
	  ALATION_DONE, "", false },
	{ "another status word", &mint, 201, LIT("{\"status\":\"ok\"," MINTED "}"), ALATION_DONE, "", false },
	{ "a status that is a number", &mint, 201, LIT("{\"status\":1," MINTED "}"), ALATION_DONE, "", false },
	{ "mint for us", &mint, 201, LIT("{\"user_id\":1151," MINTED "}"), ALATION_DONE, "", false },
	{ "our id as a string", &mint, 201, LIT("{\"user_id\":\"1151\"," MINTED "}"), ALATION_DONE, "", false },
	{ "an id that is null", &mint, 201, LIT("{\"user_id\":null," MINTED "}"), ALATION_DONE, "", false },
	{ "mint active", &mint, 201, LIT("{\"token_status\":\"active\"," MINTED "}"), ALATION_DONE, "", false },
	{ "regen", &regen, 201, LIT("{\"refresh_token\":\"" TOKEN "\"}"), ALATION_DONE, "", false },
	{ "revoke 200", &revoke, 200, LIT("{\"detail\":\"Revoked active access tokens for user: '10'\"}"),
	  ALATION_DONE, "", false },
	{ "revoke 201", &revoke, 201, LIT("{}"), ALATION_DONE, "", false },
	{ "validate", &validate, 200, LIT("{\"token_status\":\"ACTIVE\"," MINTED "}"), ALATION_DONE, "", false },

	/* N3: a 2xx that is none */
	{ "failed", &mint, 200, LIT("{\"status\":\"failed\"," MINTED "}"), ALATION_BAD_REPLY, SAYS_FAILED, false },
	{ "FAILED", &mint, 201, LIT("{\"status\":\"FAILED\"}"), ALATION_BAD_REPLY, SAYS_FAILED, false },
	{ "revoke failed", &revoke, 200, LIT("{\"status\":\"failed\"}"), ALATION_BAD_REPLY, SAYS_FAILED, false },
	{ "validate failed", &validate, 200, LIT("{\"status\":\"failed\",\"token_status\":\"ACTIVE\"}"),
	  ALATION_BAD_REPLY, SAYS_FAILED, false },
	{ "no token", &mint, 201, LIT("{\"refresh_token\":\"" TOKEN "\"}"), ALATION_BAD_REPLY, NO_TOKEN, true },
	{ "nothing", &mint, 201, LIT("{}"), ALATION_BAD_REPLY, NO_TOKEN, true },
	{ "no refresh token", &regen, 201, LIT("{" MINTED "}"),
	  ALATION_BAD_REPLY, "the reply has no refresh_token", true },
	{ "wrong case", &mint, 201, LIT("{\"API_access_token\":\"" TOKEN "\"}"), ALATION_BAD_REPLY, NO_TOKEN, true },
	{ "a null token", &mint, 201, LIT("{\"api_access_token\":null}"), ALATION_BAD_REPLY, NO_TOKEN, true },
	{ "an empty token", &mint, 201, LIT("{\"api_access_token\":\"\"}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "a number", &mint, 201, LIT("{\"api_access_token\":12345678}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "an array", &mint, 201, LIT("{\"api_access_token\":[\"" TOKEN "\"]}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "an object", &mint, 201, LIT("{\"api_access_token\":{\"t\":\"" TOKEN "\"}}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "true", &mint, 201, LIT("{\"api_access_token\":true}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "no status to a validation", &validate, 200, LIT("{}"),
	  ALATION_BAD_REPLY, "the reply has no token_status", true },
	{ "a status that is no word", &validate, 200, LIT("{\"token_status\":1}"),
	  ALATION_BAD_REPLY, "the reply has no token_status", true },

	/* N4: what a parser lets pass */
	{ "a token twice", &mint, 201, LIT("{\"api_access_token\":\"a\"," MINTED "}"),
	  ALATION_BAD_REPLY, TWICE, true },
	{ "twice, once escaped", &mint, 201, LIT("{\"api_access_token\":\"a\",\"\\u0061pi_access_token\":\"" TOKEN "\"}"),
	  ALATION_BAD_REPLY, TWICE, true },
	{ "another twice", &revoke, 200, LIT("{\"a\":1,\"b\":2,\"a\":1}"), ALATION_BAD_REPLY, TWICE, true },
	{ "twice, and a NUL", &revoke, 200, LIT("{\"a\":1,\"a\\u0000\":1}"), ALATION_BAD_REPLY, TWICE, true },
	{ "single quotes, whole", &revoke, 200, LIT("{'a':1}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "single quotes that hide a double one", &revoke, 200, LIT("{'a\"':1,'b':\",\",'b':2}"),
	  ALATION_BAD_REPLY, NOT_JSON, true },
	{ "too deep", &revoke, 200, LIT("{\"a\":[[[[[[[[1]]]]]]]]}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "an escaped NUL", &mint, 201, LIT("{\"api_access_token\":\"abc\\u0000def\"}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "a raw NUL in a string", &mint, 201, LIT("{\"api_access_token\":\"abc\0def\"}"),
	  ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a raw NUL behind", &mint, 201, LIT("{" MINTED "}\0"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a raw LF in a token", &mint, 201, LIT("{\"api_access_token\":\"abc\ndef\"}"),
	  ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a raw LF elsewhere", &revoke, 200, LIT("{\"detail\":\"a\nb\"}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a lone surrogate", &mint, 201, LIT("{\"api_access_token\":\"a\\ud800b\"}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "bad UTF-8", &mint, 201, LIT("{\"api_access_token\":\"a\xff" "b\"}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "bad UTF-8 elsewhere", &revoke, 200, LIT("{\"detail\":\"\xc3(\"}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a BOM", &revoke, 200, LIT("\xef\xbb\xbf{}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "NaN", &revoke, 200, LIT("{\"a\":NaN}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "Infinity", &revoke, 200, LIT("{\"a\":-Infinity}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "trailing bytes", &revoke, 200, LIT("{}x"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "two objects", &revoke, 200, LIT("{}{}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "two lines", &revoke, 200, LIT("{}\n{}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a trailing comma", &revoke, 200, LIT("{\"a\":1,}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a comment", &revoke, 200, LIT("{/*x*/\"a\":1}"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "a comment behind", &revoke, 200, LIT("{} //x"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "no body", &revoke, 204, LIT(""), ALATION_BAD_REPLY, "the reply is empty", true },
	{ "blanks", &revoke, 200, LIT(" \r\n"), ALATION_BAD_REPLY, "the reply is empty", true },
	{ "truncated", &mint, 201, LIT("{\"api_access_token\":\"" TOKEN), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "truncated at the end", &mint, 201, LIT("{" MINTED ""), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "an array", &mint, 201, LIT("[{" MINTED "}]"),
	  ALATION_BAD_REPLY, "the reply is JSON, but not an object", true },
	{ "a string", &mint, 201, LIT("\"" TOKEN "\""),
	  ALATION_BAD_REPLY, "the reply is JSON, but not an object", true },
	{ "null", &mint, 201, LIT("null"), ALATION_BAD_REPLY, NOT_JSON, true },
	{ "plain text", &mint, 201, LIT("Canary " TOKEN), ALATION_BAD_REPLY, NOT_JSON, true },

	/* N5: tokens that would break a line, a header, a keyring file */
	{ "LF", &mint, 201, LIT("{\"api_access_token\":\"abc\\ndef\"}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "CR", &mint, 201, LIT("{\"api_access_token\":\"abc\\r\"}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "a blank", &mint, 201, LIT("{\"api_access_token\":\"abc def\"}"), ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "a backslash", &mint, 201, LIT("{\"api_access_token\":\"abc\\\\\"}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "a letter with a dot", &mint, 201, LIT("{\"api_access_token\":\"ab\xc3\xa4\"}"),
	  ALATION_BAD_REPLY, NOT_A_TOKEN, true },
	{ "one byte", &mint, 201, LIT("{\"api_access_token\":\"-\"}"), ALATION_DONE, "", false },

	/* N6: whose is it? */
	{ "another's", &mint, 201, LIT("{\"user_id\":7," MINTED "}"),
	  ALATION_BAD_REPLY, "the reply is about another user_id than the one asked about", true },
	{ "another's, a string", &validate, 200, LIT("{\"user_id\":\"7\",\"token_status\":\"ACTIVE\"}"),
	  ALATION_BAD_REPLY, "the reply is about another user_id than the one asked about", true },
	{ "an id of zero", &mint, 201, LIT("{\"user_id\":0," MINTED "}"), ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "a negative id", &mint, 201, LIT("{\"user_id\":-1151," MINTED "}"), ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "a fraction", &mint, 201, LIT("{\"user_id\":1151.0," MINTED "}"), ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "an id of 23 digits", &mint, 201, LIT("{\"user_id\":11511151115111511151151," MINTED "}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "an id above 32 bits", &mint, 201, LIT("{\"user_id\":4294968447," MINTED "}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "a long string of digits", &mint, 201, LIT("{\"user_id\":\"18446744073709552767\"," MINTED "}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "a leading zero", &mint, 201, LIT("{\"user_id\":\"01151\"," MINTED "}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "no digits", &mint, 201, LIT("{\"user_id\":\"x\"," MINTED "}"), ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "an empty id", &mint, 201, LIT("{\"user_id\":\"\"," MINTED "}"), ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "an id that is true", &mint, 201, LIT("{\"user_id\":true," MINTED "}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "create without an id", &create, 201, LIT("{\"refresh_token\":\"" TOKEN "\"}"),
	  ALATION_BAD_REPLY, "the reply has no user_id", true },
	{ "create, a null id", &create, 201, LIT("{\"user_id\":null,\"refresh_token\":\"" TOKEN "\"}"),
	  ALATION_BAD_REPLY, "the reply has no user_id", true },
	{ "create, a bad id", &create, 201, LIT("{\"user_id\":[],\"refresh_token\":\"" TOKEN "\"}"),
	  ALATION_BAD_REPLY, NOT_AN_ID, true },
	{ "regen gives the old one", &regen, 201, LIT("{\"refresh_token\":\"" SENT "\"}"),
	  ALATION_BAD_REPLY, "the refresh_token of the reply is the one that was sent", true },

	/* a dead token may come with a 200 */
	{ "mint expired", &mint, 200, LIT("{\"token_status\":\"EXPIRED\"," MINTED "}"),
	  ALATION_REFUSED, NULL, false },
	{ "mint revoked", &mint, 200, LIT("{\"token_status\":\"revoked\"}"), ALATION_REFUSED, NULL, false },
	{ "mint in no known state", &mint, 200, LIT("{\"token_status\":\"PENDING\"," MINTED "}"),
	  ALATION_BAD_REPLY, "the token that came is not active", true },
	{ "regen brings a dead one", &regen, 200, LIT("{\"token_status\":\"REVOKED\",\"refresh_token\":\"" TOKEN "\"}"),
	  ALATION_BAD_REPLY, "the token that came is not active", true },

	/* by status */
	{ "401", &mint, 401, LIT("{\"detail\":\"Refresh token provided is invalid.\",\"code\":\"401000\"}"),
	  ALATION_REFUSED, "the server refuses it", false },
	{ "401 HTML", &create, 401, LIT("<html>Canary</html>"), ALATION_REFUSED, NULL, false },
	{ "401 empty", &mint, 401, LIT(""), ALATION_REFUSED, NULL, false },
	{ "403", &mint, 403, LIT("{\"detail\":\"Canary\",\"code\":\"403000\"}"), ALATION_FORBIDDEN, NULL, false },
	{ "403 empty", &mint, 403, LIT(""), ALATION_FORBIDDEN, NULL, false },
	{ "403 HTML", &mint, 403, LIT("\n <!DOCTYPE html>Canary"),
	  ALATION_NOT_ALATION, "the answer is a web page", false },
	{ "403 HTML with a BOM", &mint, 403, LIT("\xef\xbb\xbf<html>"), ALATION_NOT_ALATION, NULL, false },
	{ "200 HTML", &mint, 200, LIT("<html>Canary</html>"),
	  ALATION_NOT_ALATION, "the answer is a web page", false },
	{ "400 HTML", &mint, 400, LIT("<html>Canary</html>"), ALATION_NOT_ALATION, NULL, false },
	{ "404", &mint, 404, LIT("{\"detail\":\"Not found.\"}"), ALATION_NOT_ALATION, NULL, false },
	{ "301", &mint, 301, LIT(""), ALATION_NOT_ALATION, "the answer is a redirect", false },
	{ "304", &mint, 304, LIT(""), ALATION_NOT_ALATION, NULL, false },
	{ "307 and a token", &mint, 307, LIT("{" MINTED "}"), ALATION_NOT_ALATION, NULL, false },
	{ "400", &mint, 400, LIT("{\"user_id\":[\"Canary\"]}"), ALATION_BAD_REPLY, NULL, false },
	{ "405", &mint, 405, LIT(""), ALATION_BAD_REPLY, NULL, false },
	{ "407", &mint, 407, LIT("<html>"), ALATION_PROXY, NULL, false },
	{ "409", &mint, 409, LIT("{}"), ALATION_BAD_REPLY, NULL, false },
	{ "418 and a token", &mint, 418, LIT("{" MINTED "}"), ALATION_BAD_REPLY, NULL, false },
	{ "429", &mint, 429, LIT("{\"error\":\"Canary\"}"), ALATION_THROTTLED, NULL, false },
	{ "429 HTML", &mint, 429, LIT("<html>Canary"), ALATION_THROTTLED, NULL, false },
	{ "500 HTML", &mint, 500, LIT("<html>Canary"), ALATION_SERVER_ERROR, NULL, true },
	{ "503 and a token", &mint, 503, LIT("{" MINTED "}"), ALATION_SERVER_ERROR, NULL, true },
	{ "599", &mint, 599, LIT(""), ALATION_SERVER_ERROR, NULL, true },
	{ "600", &mint, 600, LIT(""), ALATION_BAD_REPLY, NULL, false },
	{ "101", &mint, 101, LIT("{" MINTED "}"), ALATION_BAD_REPLY, NULL, false },
	{ "no status", &mint, 0, LIT("{" MINTED "}"), ALATION_BAD_REPLY, NULL, false },
};

#endif
