/* SPDX-License-Identifier: MIT */
/*
 * The steps about the two tokens: where each is, and what the server says of it. They are looked up and asked about; nothing that
 * is stored changes, and what is read is handed to the server's client alone.
 */
#include <stdio.h>
#include <string.h>

#include "helper/account.h"
#include "helper/alation/client.h"
#include "helper/base/clock.h"
#include "helper/doctor/doctor.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/vault.h"

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
#define WORDS_BYTES 128
#define REMEDY_BYTES 640

/* "ends 2026-11-25T07:12:04Z (59 days left)" */
static const char *end_words(int64_t ends_s, char words[WORDS_BYTES])
{
	char when[CLOCK_TEXT_BYTES] = "";
	int64_t left_s = ends_s - clock_wall_s();

	if (ends_s >= 0)
		clock_format_time(ends_s, when);
	if (!when[0])
		snprintf(words, WORDS_BYTES, "its end is not known");
	else if (left_s <= 0)
		snprintf(words, WORDS_BYTES, "ended %s", when);
	else if (left_s < 2 * HOUR_S)
		snprintf(words, WORDS_BYTES, "ends %s (%lld min left)", when, (long long)(left_s / 60));
	else if (left_s < 2 * DAY_S)
		snprintf(words, WORDS_BYTES, "ends %s (%lld h left)", when, (long long)(left_s / HOUR_S));
	else
		snprintf(words, WORDS_BYTES, "ends %s (%lld days left)", when, (long long)(left_s / DAY_S));
	return words;
}

static const char *another_one(const struct doctor *doctor, char remedy[REMEDY_BYTES])
{
	if (doctor->refresh.source)
		refresh_source_remedy(&doctor->account, doctor->refresh.source, remedy, REMEDY_BYTES);
	else
		snprintf(remedy, REMEDY_BYTES, "log in again: 'alation-cred login %s'", doctor->account.base_url);
	return remedy;
}

void doctor_refresh_token(struct doctor *doctor)
{
	const struct account *account = &doctor->account;
	struct refresh_record *record = &doctor->refresh;
	char words[WORDS_BYTES], remedy[REMEDY_BYTES];
	int64_t ends_s;

	if (vault_refresh(doctor->context, account, false, record) != DONE) {
		doctor_fail_so(doctor);
		return;
	}
	/* The list tells of the one that is kept, and what can only be read goes before it. */
	ends_s = record->source || account->refresh_expires_at == RECORD_TIME_UNKNOWN ? record->token_expires_at : account->refresh_expires_at;
	if (account->rotation_lost_at && !record->source) {
		clock_format_time(account->rotation_lost_at, words);
		doctor_fail(doctor, TROUBLE_REFRESH_TOKEN_REFUSED, another_one(doctor, remedy), "it was regenerated at %s, and the new one was lost", words);
	} else if (ends_s >= 0 && ends_s <= clock_wall_s()) {
		doctor_fail(doctor, TROUBLE_REFRESH_TOKEN_EXPIRED, another_one(doctor, remedy), "in '%s', %s", record->module, end_words(ends_s, words));
	} else {
		doctor_ok(doctor, "in '%s'%s, %s%s", record->module, record->source ? ", which can only be read" : "", end_words(ends_s, words),
		          record->regen_begun ? "; a rotation was begun and not ended, which the next get ends" : "");
	}
}

void doctor_refresh_token_server(struct doctor *doctor)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_REFRESH_TOKEN, .refresh_token = secret_view(&doctor->refresh.token) };
	struct alation_reply reply;
	enum outcome outcome = client_call(doctor->context, &doctor->account, &call, NULL, &reply);
	char words[WORDS_BYTES], remedy[REMEDY_BYTES];

	if (outcome == LOGIN_NEEDED && doctor->refresh.source)
		trouble_escape(doctor->context->trouble.remedy, sizeof doctor->context->trouble.remedy, another_one(doctor, remedy));
	if (outcome != DONE)
		doctor_fail_so(doctor);
	else if (reply.token_status != ALATION_ACTIVE)
		doctor_fail(doctor, TROUBLE_REFRESH_TOKEN_EXPIRED, another_one(doctor, remedy), "the server says that it is not active");
	else
		doctor_ok(doctor, "the server says that it is active, %s", end_words(reply.expires_at, words));
}

void doctor_access_token(struct doctor *doctor)
{
	struct context *context = doctor->context;
	struct keyring_answer answer;
	char words[WORDS_BYTES];

	vault_locate_access(context, &doctor->account, &doctor->access, &answer);
	if (doctor->access.damaged)
		doctor_skip(doctor, "what is cached is damaged; the next get replaces it");
	else if (cached_check_version(context, &doctor->account, &doctor->access) != DONE)
		doctor_fail_so(doctor);
	else if (!doctor->access.token.len || cached_left_s(&doctor->access) <= 0)
		doctor_skip(doctor, "none is cached; the next get mints one");
	else
		doctor_ok(doctor, "in '%s', %s%s", answer.module, end_words(clock_wall_s() + cached_left_s(&doctor->access), words),
		          doctor->access.suspect_ms ? "; a call that may have ended it never came back, so it is validated before it is served" : "");
}

static void say_dead(struct doctor *doctor)
{
	char text[ACCOUNT_TEXT_BYTES], remedy[ACCOUNT_TEXT_BYTES + 96];

	snprintf(remedy, sizeof remedy, "'alation-cred get --validate %s' mints another; if it dies again, something else uses this RefreshToken", doctor_whom(doctor, text));
	doctor_fail(doctor, TROUBLE_NOT_ACTIVE, remedy, "the server says that it is not active");
}

void doctor_access_token_server(struct doctor *doctor)
{
	struct alation_call call = { .endpoint = ALATION_VALIDATE_ACCESS_TOKEN, .access_token = secret_view(&doctor->access.token) };
	struct alation_reply reply;
	enum outcome outcome = client_call(doctor->context, &doctor->account, &call, NULL, &reply);

	if (reply.result == ALATION_REFUSED || (outcome == DONE && reply.token_status != ALATION_ACTIVE)) {
		doctor->context->trouble = (struct trouble){ 0 };
		say_dead(doctor);
	} else if (outcome != DONE) {
		doctor_fail_so(doctor);
	} else {
		doctor_ok(doctor, "the server says that it is active");
	}
}

/* Whoever gets so far has a token that lives: what is missing is a permission. */
void doctor_data_call(struct doctor *doctor)
{
	struct alation_sight sight;
	enum outcome outcome = client_look(doctor->context, &doctor->account, ALATION_PAGE_USERINFO, secret_view(&doctor->access.token), &sight);

	if (sight.result == ALATION_REFUSED || sight.result == ALATION_FORBIDDEN) {
		doctor->context->trouble = (struct trouble){ 0 };
		doctor_fail(doctor, TROUBLE_FORBIDDEN, "ask the catalog's administrator whether this user's role and the licence allow the API",
		            "userinfo is refused with a token that is active (HTTP %d)", sight.http_status);
	} else if (outcome != DONE) {
		doctor_fail_so(doctor);
	} else {
		doctor_ok(doctor, "userinfo answers, for user %lld", (long long)doctor->account.user_id);
	}
}
