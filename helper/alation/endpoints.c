/* SPDX-License-Identifier: MIT */
/*
 * The six endpoints, a row each, and what is done with a row: write the form, send it, have the answer
 * judged, ask once more where that does no harm. No socket and no JSON here; keeps nothing.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "helper/alation/http.h"
#include "helper/alation/look.h"
#include "helper/alation/reply.h"
#include "protocol/out.h"

#define FIELDS_MAX 3
#define FIELD_MAX_BYTES (64 * 1024)
#define USER_ID_FIELD_BYTES (sizeof "user_id=-9223372036854775808&")
#define TRIES_OF_A_QUESTION 2

/* A field of the form, and where its value stands in struct alation_call. */
struct field {
	const char *name;
	size_t offset;
};
#define FIELD(name, member) { name, offsetof(struct alation_call, member) }

static const struct endpoint {
	const char *path;
	bool user_id; /* sent before the fields */
	struct field fields[FIELDS_MAX];
	bool asks_only; /* changes nothing at the server: may be asked again, and a lost reply loses nothing */
	struct reply_rule reply;
} endpoints[] = {
	[ALATION_CREATE_REFRESH_TOKEN] = {
		"/integration/v1/createRefreshToken/", false,
		{ FIELD("username", username), FIELD("password", password), FIELD("name", name) }, false,
		{ .token = "refresh_token", .needs_user_id = true },
	},
	[ALATION_REGEN_REFRESH_TOKEN] = {
		"/integration/v1/regenRefreshToken/", true, { FIELD("refresh_token", refresh_token) }, false,
		{ .token = "refresh_token", .needs_fresh_token = true },
	},
	[ALATION_CREATE_ACCESS_TOKEN] = {
		"/integration/v1/createAPIAccessToken/", true, { FIELD("refresh_token", refresh_token) }, false,
		{ .token = "api_access_token", .dead_is_refusal = true },
	},
	[ALATION_REVOKE_ACCESS_TOKENS] = {
		"/integration/v1/revokeAPIAccessTokens/", true, { FIELD("refresh_token", refresh_token) }, false,
		{ .token = NULL },
	},
	[ALATION_VALIDATE_ACCESS_TOKEN] = {
		"/integration/v1/validateAPIAccessToken/", true, { FIELD("api_access_token", access_token) }, true,
		{ .needs_status = true },
	},
	[ALATION_VALIDATE_REFRESH_TOKEN] = {
		"/integration/v1/validateRefreshToken/", true, { FIELD("refresh_token", refresh_token) }, true,
		{ .needs_status = true },
	},
};

static enum alation_result fail(struct alation_reply *reply, const char *detail)
{
	snprintf(reply->detail, sizeof reply->detail, "%s", detail);
	return reply->result = ALATION_FAILED;
}

static struct bytes value_of(const struct field *field, const struct alation_call *call)
{
	struct bytes value;

	memcpy(&value, (const char *)call + field->offset, sizeof value);
	return value.p ? value : (struct bytes){ "", 0 };
}

/* Room for every byte percent-encoded; 0: a value is longer than anything that can be meant. */
static size_t form_room(const struct endpoint *endpoint, const struct alation_call *call)
{
	size_t room = USER_ID_FIELD_BYTES;

	for (size_t i = 0; i < FIELDS_MAX && endpoint->fields[i].name; i++) {
		size_t n = value_of(&endpoint->fields[i], call).n;

		if (n > FIELD_MAX_BYTES)
			return 0;
		room += strlen(endpoint->fields[i].name) + strlen("=&") + 3 * n;
	}
	return room;
}

static void write_form(const struct endpoint *endpoint, const struct alation_call *call, struct out *form)
{
	if (endpoint->user_id) {
		out_text(form, "user_id=");
		out_int(form, call->user_id);
	}
	for (size_t i = 0; i < FIELDS_MAX && endpoint->fields[i].name; i++) {
		out_text(form, form->n ? "&" : "");
		out_text(form, endpoint->fields[i].name);
		out_text(form, "=");
		out_form(form, value_of(&endpoint->fields[i], call));
	}
}

static bool write_fingerprint(struct bytes token, char ret_text[ALATION_FINGERPRINT_BYTES + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(token.p, token.n, digest, NULL, EVP_sha256(), NULL))
		return false;
	for (size_t i = 0; i < ALATION_FINGERPRINT_BYTES / 2; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static void ask(const struct endpoint *endpoint, const struct alation_call *call, struct bytes form,
                struct alation_reply *reply)
{
	struct http_request request = {
		.base_url = call->base_url, .path = endpoint->path, .form = form, .deadline_ms = call->deadline_ms, .way = call->way,
	};
	struct http_answer answer;

	http_ask(&request, &answer);
	reply->result = answer.result;
	reply->http_status = answer.status;
	reply->maybe_acted = answer.maybe_acted;
	reply->date = answer.date;
	reply->retry_after_s = answer.retry_after_s;
	memcpy(reply->detail, answer.detail, sizeof reply->detail);
	memcpy(reply->redirect, answer.redirect, sizeof reply->redirect);
	if (answer.result == ALATION_DONE)
		reply_judge(&endpoint->reply, call, &answer, reply);
	if (endpoint->asks_only)
		reply->maybe_acted = false;
	http_answer_wipe(&answer);
}

static bool worth_another_try(const struct endpoint *endpoint, const struct alation_reply *reply)
{
	return endpoint->asks_only && (reply->result == ALATION_NETWORK || reply->result == ALATION_SERVER_ERROR);
}

static enum alation_result alation_call(const struct alation_call *call, struct alation_reply *ret_reply)
{
	const struct endpoint *endpoint = &endpoints[call->endpoint];
	struct alation_reply blank = {
		.created_at = ALATION_TIME_UNKNOWN, .expires_at = ALATION_TIME_UNKNOWN, .date = ALATION_TIME_UNKNOWN,
	};
	size_t room = form_room(endpoint, call);
	struct out form = { .room = room };

	*ret_reply = blank;
	if (room == 0)
		return fail(ret_reply, "a value is too long to be sent");
	if (call->refresh_token.n > 0 && !write_fingerprint(call->refresh_token, blank.fingerprint))
		return fail(ret_reply, "libcrypto has no SHA-256");
	form.p = malloc(room);
	if (!form.p)
		return fail(ret_reply, "memory is short");
	write_form(endpoint, call, &form);
	for (int tries = 0; tries < TRIES_OF_A_QUESTION; tries++) {
		*ret_reply = blank;
		ask(endpoint, call, (struct bytes){ form.p, form.n }, ret_reply);
		if (!worth_another_try(endpoint, ret_reply))
			break;
	}
	explicit_bzero(form.p, room);
	free(form.p);
	return ret_reply->result;
}

static void alation_fingerprint(struct bytes token, char ret_fingerprint[ALATION_FINGERPRINT_BYTES + 1])
{
	if (!write_fingerprint(token, ret_fingerprint))
		ret_fingerprint[0] = '\0';
}

__attribute__((visibility("default"))) const struct acred_alation acred_alation = {
	.version = ALATION_CRED_VERSION,
	.size = sizeof acred_alation,
	.call = alation_call,
	.look = look_at_page,
	.fingerprint = alation_fingerprint,
};
