/* SPDX-License-Identifier: MIT */
/*
 * Decides what an answer means, and reads the documented reply out of it (secret-json.c). A
 * 2xx alone is no success: it takes one strict JSON object, the expected member, and no "status":"failed".
 * Every body is a secret (validations echo tokens), so no byte of it gets into `detail`. Knows no libcurl.
 */
#include "helper/alation/reply.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "helper/base/clock.h"
#include "keyring/secret-json.h"
#include "protocol/protocol.h"

#define USER_ID_MAX_DIGITS 10
#define DETAIL_MEMBER_MAX_BYTES 1024 /* as far as a 401's sentence is looked at */

static void say(struct alation_reply *reply, enum alation_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct alation_reply *reply, enum alation_result result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reply->detail, sizeof reply->detail, format, args);
	va_end(args);
	reply->result = result;
}

/* The one object that the text is; or NULL, and the reply says why not. */
static struct json_object *parse_object(struct bytes text, struct alation_reply *reply)
{
	struct json_object *value = NULL;
	const char *wrong = secret_json_read(text.p, text.n, &value);

	if (wrong)
		say(reply, ALATION_BAD_REPLY, "the reply %s", wrong);
	return value;
}

/* The member NAME if it is a string; else the empty view. */
static struct bytes text_member(const struct json_object *object, const char *name)
{
	struct bytes text;

	secret_json_text(object, name, &text.p, &text.n);
	return text;
}

static bool is_word(struct bytes text, const char *word)
{
	return text.n == strlen(word) && strncasecmp(text.p, word, text.n) == 0;
}

static enum alation_status status_of(struct bytes text)
{
	/* Documented in lower case, sent in upper case. */
	if (text.n == 0)
		return ALATION_STATUS_NONE;
	if (is_word(text, "active"))
		return ALATION_ACTIVE;
	if (is_word(text, "expired"))
		return ALATION_EXPIRED;
	return is_word(text, "revoked") ? ALATION_REVOKED : ALATION_STATUS_OTHER;
}

static int64_t time_of(struct bytes text)
{
	int64_t epoch_s;

	return clock_parse_time(text, &epoch_s) && epoch_s >= 0 ? epoch_s : ALATION_TIME_UNKNOWN;
}

/* 0: there is none. -1: it is not a user id. */
static int64_t user_id_of(struct json_object *object)
{
	struct json_object *value = json_object_object_get(object, "user_id");
	struct bytes digits = text_member(object, "user_id");
	int64_t id = 0;

	if (!value)
		return 0;
	if (json_object_is_type(value, json_type_int))
		id = json_object_get_int64(value); /* saturates, so a huge one is refused below */
	else if (digits.n > 0 && digits.n <= USER_ID_MAX_DIGITS && digits.p[0] != '0')
		for (size_t i = 0; i < digits.n; i++) {
			if (digits.p[i] < '0' || digits.p[i] > '9')
				return -1;
			id = id * 10 + (digits.p[i] - '0');
		}
	return id >= 1 && id <= INT32_MAX ? id : -1;
}

/* Cut where a UTF-8 character begins: json-c has proved that it is UTF-8. */
static void copy_name(struct bytes name, char ret_name[ALATION_NAME_MAX_BYTES])
{
	size_t n = name.n;

	if (n > ALATION_NAME_MAX_BYTES - 1)
		for (n = ALATION_NAME_MAX_BYTES - 1; n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80;)
			n--;
	memcpy(ret_name, name.p, n);
	ret_name[n] = '\0';
}

/* What is wrong with the members that RULE asks for; false: nothing. */
static bool members_are_bad(const struct reply_rule *rule, const struct alation_call *call, struct json_object *object,
                            struct alation_reply *reply)
{
	struct bytes token;

	if (reply->user_id < 0)
		say(reply, ALATION_BAD_REPLY, "the user_id of the reply is not a user id");
	else if (rule->needs_user_id && reply->user_id == 0)
		say(reply, ALATION_BAD_REPLY, "the reply has no user_id");
	else if (call->user_id != 0 && reply->user_id != 0 && reply->user_id != call->user_id)
		say(reply, ALATION_BAD_REPLY, "the reply is about another user_id than the one asked about");
	else if (rule->needs_status && reply->token_status == ALATION_STATUS_NONE)
		say(reply, ALATION_BAD_REPLY, "the reply has no token_status");
	if (reply->result != ALATION_DONE || !rule->token)
		return reply->result != ALATION_DONE;

	token = text_member(object, rule->token);
	if (!json_object_object_get(object, rule->token))
		say(reply, ALATION_BAD_REPLY, "the reply has no %s", rule->token);
	else if (!token_ok(token))
		say(reply, ALATION_BAD_REPLY, "the %s of the reply is not a token", rule->token);
	else if (rule->needs_fresh_token && token.n == call->refresh_token.n &&
	         memcmp(token.p, call->refresh_token.p, token.n) == 0)
		say(reply, ALATION_BAD_REPLY, "the %s of the reply is the one that was sent", rule->token);
	else if (reply->token_status != ALATION_STATUS_NONE && reply->token_status != ALATION_ACTIVE)
		say(reply, ALATION_BAD_REPLY, "the token that came is not active");
	return reply->result != ALATION_DONE;
}

static bool is_dead(enum alation_status status)
{
	return status == ALATION_EXPIRED || status == ALATION_REVOKED;
}

static void judge_object(const struct reply_rule *rule, const struct alation_call *call, struct json_object *object,
                         struct alation_reply *reply)
{
	struct bytes token;

	reply->result = ALATION_DONE;
	reply->token_status = status_of(text_member(object, "token_status"));
	reply->user_id = user_id_of(object);
	reply->created_at = time_of(text_member(object, "created_at"));
	reply->expires_at = time_of(text_member(object, "token_expires_at"));
	copy_name(text_member(object, "name"), reply->name);

	if (is_word(text_member(object, "status"), "failed")) {
		reply->maybe_acted = false;
		say(reply, ALATION_BAD_REPLY, "the server says that it failed");
		return;
	}
	if (rule->dead_is_refusal && is_dead(reply->token_status)) {
		reply->maybe_acted = false;
		reply->says_expired = true;
		say(reply, ALATION_REFUSED, "the server says that the token is expired or revoked");
		return;
	}
	if (members_are_bad(rule, call, object, reply))
		return;
	token = rule->token ? text_member(object, rule->token) : (struct bytes){ "", 0 };
	if (rule->token && call->put(call->host, token.p, token.n) != 0) {
		say(reply, ALATION_FAILED, "there was no memory for the token that came");
		return;
	}
	reply->maybe_acted = false;
}

static bool looks_like_html(const struct http_answer *answer)
{
	struct bytes text = { answer->body, answer->len };

	bytes_after(&text, "\xef\xbb\xbf");
	while (text.n > 0 && strchr(" \t\r\n", text.p[0]) && text.p[0] != '\0') {
		text.p++;
		text.n--;
	}
	/* A server may call its JSON anything. */
	return text.n > 0 ? text.p[0] == '<' || (answer->html && text.p[0] != '{') : answer->html;
}

static void judge_success(const struct reply_rule *rule, const struct alation_call *call,
                          const struct http_answer *answer, struct alation_reply *reply)
{
	SECRET_JSON *object = NULL;

	/* It did something, and unless the reply can be read nobody knows what. */
	reply->maybe_acted = true;
	if (answer->cut) {
		say(reply, ALATION_BAD_REPLY, "the reply is longer than 64 KiB");
		return;
	}
	object = parse_object((struct bytes){ answer->body, answer->len }, reply);
	if (object)
		judge_object(rule, call, object, reply);
}

/* 'invalid' and 'expired or revoked' share one code: only the sentence tells them apart. */
static bool sentence_says_expired(const struct http_answer *answer)
{
	struct alation_reply not_told;
	SECRET_JSON *object = NULL;
	struct bytes sentence;

	if (!answer->cut)
		object = parse_object((struct bytes){ answer->body, answer->len }, &not_told);
	if (!object)
		return false;
	sentence = text_member(object, "detail");
	if (sentence.n > DETAIL_MEMBER_MAX_BYTES)
		sentence.n = DETAIL_MEMBER_MAX_BYTES;
	for (; sentence.n >= strlen("expired"); sentence.p++, sentence.n--)
		if (strncasecmp(sentence.p, "expired", 7) == 0 || strncasecmp(sentence.p, "revoked", 7) == 0)
			return true;
	return false;
}

void reply_judge(const struct reply_rule *rule, const struct alation_call *call, const struct http_answer *answer,
                 struct alation_reply *reply)
{
	int status = answer->status;

	if (status == 401) {
		reply->says_expired = sentence_says_expired(answer);
		say(reply, ALATION_REFUSED, "the server refuses it%s", reply->says_expired ? " as expired or revoked" : "");
	} else if (status == 407) { /* nobody else says that */
		say(reply, ALATION_PROXY, "the proxy asks for a user name and a password");
	} else if (status == 429) {
		say(reply, ALATION_THROTTLED, "the server asks to wait");
	} else if (status >= 500 && status <= 599) {
		/* A gateway says so also when what is behind it acted and did not answer in time. */
		reply->maybe_acted = true;
		say(reply, ALATION_SERVER_ERROR, "the server is in trouble");
	} else if (status >= 300 && status <= 399) {
		say(reply, ALATION_NOT_ALATION, "the answer is a redirect");
	} else if (status == 404) {
		say(reply, ALATION_NOT_ALATION, "there is no such page");
	} else if (looks_like_html(answer)) {
		say(reply, ALATION_NOT_ALATION, "the answer is a web page");
	} else if (status == 403) {
		say(reply, ALATION_FORBIDDEN, "the server forbids it");
	} else if (status >= 200 && status <= 299) {
		judge_success(rule, call, answer, reply);
	} else {
		say(reply, ALATION_BAD_REPLY, "that status is none of the documented ones");
	}
}
