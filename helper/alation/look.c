/* SPDX-License-Identifier: MIT */
/*
 * The pages that are only looked at, a row each, and what their answers mean. They change nothing at the server. Of what they say
 * a user id alone is read, and nothing of it is handed on.
 */
#include "helper/alation/look.h"

#include <json-c/json.h>
#include <stdio.h>

#include "helper/alation/http.h"
#include "helper/alation/reply.h"
#include "keyring/secret-json.h"

static const struct page {
	const char *path;
	bool names_user;
} pages[] = {
	[ALATION_PAGE_API] = { "/openapi/api_authentication/", false },
	[ALATION_PAGE_USERINFO] = { "/integration/v1/userinfo/", true },
};

static void say(struct alation_sight *sight, enum alation_result result, const char *detail)
{
	sight->result = result;
	snprintf(sight->detail, sizeof sight->detail, "%s", detail);
}

static void judge_user(const struct alation_look *look, const struct http_answer *answer, struct alation_sight *sight)
{
	SECRET_JSON *object = NULL;
	struct json_object *id;

	if (answer->cut || secret_json_read(answer->body, answer->len, &object)) {
		say(sight, ALATION_BAD_REPLY, "the reply is no JSON object");
		return;
	}
	id = json_object_object_get(object, "id");
	if (!id || !json_object_is_type(id, json_type_int))
		say(sight, ALATION_BAD_REPLY, "the reply names no user");
	else if (json_object_get_int64(id) != look->user_id)
		say(sight, ALATION_BAD_REPLY, "the reply names another user than the token's");
}

static void judge(const struct alation_look *look, const struct http_answer *answer, struct alation_sight *sight)
{
	static const struct reply_rule no_rule;
	static const struct alation_call no_call;
	struct alation_reply reply = { .result = ALATION_DONE };

	if (answer->status >= 200 && answer->status <= 299) {
		if (pages[look->page].names_user)
			judge_user(look, answer, sight);
		return;
	}
	reply_judge(&no_rule, &no_call, answer, &reply);
	say(sight, reply.result, reply.detail);
}

enum alation_result look_at_page(const struct alation_look *look, struct alation_sight *ret_sight)
{
	struct http_request request = {
		.base_url = look->base_url, .path = pages[look->page].path, .token = look->access_token, .deadline_ms = look->deadline_ms,
		.way = look->way, .sight = ret_sight,
	};
	struct http_answer answer;

	*ret_sight = (struct alation_sight){ .date = ALATION_TIME_UNKNOWN, .certificate_ends = ALATION_TIME_UNKNOWN };
	http_ask(&request, &answer);
	ret_sight->http_status = answer.status;
	ret_sight->date = answer.date;
	memcpy(ret_sight->redirect, answer.redirect, sizeof ret_sight->redirect);
	say(ret_sight, answer.result, answer.detail);
	if (answer.result == ALATION_DONE)
		judge(look, &answer, ret_sight);
	http_answer_wipe(&answer);
	return ret_sight->result;
}
