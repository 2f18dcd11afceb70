/* SPDX-License-Identifier: MIT */
/*
 * What a server's answer means: the one place where bytes become a result. Inside alation.so only.
 */
#ifndef HELPER_ALATION_REPLY_H
#define HELPER_ALATION_REPLY_H

#include "helper/alation/http.h"

/* What an endpoint's good reply has. */
struct reply_rule {
	const char *token;      /* the member that brings a token; NULL: none comes */
	bool needs_user_id;
	bool needs_status;      /* a validation: token_status is the answer */
	bool dead_is_refusal;   /* a token that comes EXPIRED or REVOKED is a refusal, not a broken reply */
	bool needs_fresh_token; /* the token must differ from the refresh token sent */
};

/* Judges an answer that came (its result is ALATION_DONE), hands on the token, fills *reply. */
void reply_judge(const struct reply_rule *rule, const struct alation_call *call, const struct http_answer *answer,
                 struct alation_reply *reply);

#endif
