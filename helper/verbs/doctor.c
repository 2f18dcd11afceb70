/* SPDX-License-Identifier: MIT */
/*
 * doctor: every step of the path to a token, proved one after the other. The steps are one table; what each does is
 * helper/doctor's. It never mints, rotates or revokes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "helper/base/clock.h"
#include "helper/base/stdout.h"
#include "helper/doctor/doctor.h"
#include "helper/doctor/patience.h"
#include "helper/doctor/report.h"
#include "helper/verbs/verbs.h"

#define NEEDS(step) (1u << (step))

/* Its first needs that did not go well are why a step is skipped. */
static const struct step {
	const char *name;
	void (*run)(struct doctor *doctor);
	unsigned needs;
	bool network;
	const char *waits_for; /* NULL: it never waits, and needs no time */
} steps[DOCTOR_STEPS] = {
	[DOCTOR_CONFIGURATION] = { "configuration", doctor_configuration, 0, false, NULL },
	[DOCTOR_STATE] = { "state-directory", doctor_state, 0, false, "the disk of the state directory" },
	[DOCTOR_ACCOUNTS] = { "accounts", doctor_accounts, 0, false, NULL },
	[DOCTOR_ACCOUNT] = { "account", doctor_account, NEEDS(DOCTOR_CONFIGURATION) | NEEDS(DOCTOR_ACCOUNTS), false, "the keyring modules" },
	[DOCTOR_REFRESH_KEYRINGS] = { "refresh", doctor_refresh_keyrings, NEEDS(DOCTOR_CONFIGURATION) | NEEDS(DOCTOR_STATE), false,
	                             "another doctor or login" },
	[DOCTOR_ACCESS_KEYRINGS] = { "access", doctor_access_keyrings, NEEDS(DOCTOR_CONFIGURATION) | NEEDS(DOCTOR_STATE), false,
	                             "another doctor or login" },
	[DOCTOR_USER_NAMESPACE] = { "user-namespace", doctor_user_namespace, 0, false, NULL },
	[DOCTOR_DBUS] = { "d-bus", doctor_dbus, NEEDS(DOCTOR_CONFIGURATION), false, NULL },
	[DOCTOR_DNS] = { "dns", doctor_dns, NEEDS(DOCTOR_CONFIGURATION), true, "the network" },
	[DOCTOR_CONNECTION] = { "connection", doctor_connection, NEEDS(DOCTOR_CONFIGURATION), true, NULL },
	[DOCTOR_TLS] = { "tls", doctor_tls, NEEDS(DOCTOR_CONFIGURATION), true, NULL },
	[DOCTOR_ANSWER] = { "answer", doctor_answer, NEEDS(DOCTOR_CONNECTION) | NEEDS(DOCTOR_TLS), true, NULL },
	[DOCTOR_CLOCK] = { "clock", doctor_clock, NEEDS(DOCTOR_ANSWER), true, NULL },
	[DOCTOR_REFRESH_TOKEN] = { "refresh-token", doctor_refresh_token, NEEDS(DOCTOR_ACCOUNT), false, "the keyring that holds the RefreshToken" },
	[DOCTOR_REFRESH_TOKEN_SERVER] = { "refresh-token-server", doctor_refresh_token_server, NEEDS(DOCTOR_ANSWER) | NEEDS(DOCTOR_REFRESH_TOKEN),
	                                  true, "the server" },
	[DOCTOR_ACCESS_TOKEN] = { "access-token", doctor_access_token, NEEDS(DOCTOR_ACCOUNT), false, "the cache" },
	[DOCTOR_ACCESS_TOKEN_SERVER] = { "access-token-server", doctor_access_token_server, NEEDS(DOCTOR_ANSWER) | NEEDS(DOCTOR_ACCESS_TOKEN), true,
	                                 "the server" },
	[DOCTOR_DATA_CALL] = { "data-call", doctor_data_call, NEEDS(DOCTOR_ANSWER) | NEEDS(DOCTOR_ACCESS_TOKEN_SERVER), true, "the server" },
	[DOCTOR_API_PAGE] = { "api-page", doctor_api_page, NEEDS(DOCTOR_ANSWER), true, NULL },
};

/* Plain http has no TLS, and lacks none. */
static bool went_well(const struct doctor *doctor, int i)
{
	return doctor->results[i] == DOCTOR_OK || (i == DOCTOR_TLS && doctor->results[i] == DOCTOR_SKIP);
}

/* The first that STEP needs and that did not go well, or NULL. */
static const struct step *missing(const struct doctor *doctor, const struct step *step, enum doctor_result *ret_result)
{
	for (int i = 0; i < DOCTOR_STEPS; i++)
		if ((step->needs & NEEDS(i)) && !went_well(doctor, i)) {
			*ret_result = doctor->results[i];
			return &steps[i];
		}
	return NULL;
}

/* One step has so long, and the whole call its own time. */
static void run_bounded(struct doctor *doctor, const struct step *step)
{
	struct context *context = doctor->context;
	const int64_t end_ms = context->deadline_ms, mine_ms = clock_mono_ms() + DOCTOR_STEP_MS;

	if (step->network && mine_ms < end_ms)
		context->deadline_ms = mine_ms;
	if (step->waits_for)
		patience_begin(step->waits_for);
	step->run(doctor);
	patience_end();
	/* The account's own `timeout` counts as soon as it is known. */
	if (step->network)
		context->deadline_ms = end_ms;
}

static void take(struct doctor *doctor, enum doctor_step which, bool *late)
{
	const struct step *step = &steps[which], *other;
	enum doctor_result result;

	doctor->step = which;
	doctor->name = step->name;
	doctor->results[which] = DOCTOR_SKIP;
	if (step->network && doctor->context->options.offline)
		doctor_skip(doctor, "it needs the network (--offline)");
	else if ((other = missing(doctor, step, &result)))
		doctor_skip(doctor, "it needs '%s', which %s", other->name, result == DOCTOR_FAIL ? "failed" : "was skipped");
	else if (step->waits_for && *late)
		doctor_skip(doctor, "no time was left");
	else if (step->waits_for && (*late = clock_mono_ms() >= doctor->context->deadline_ms))
		doctor_fail(doctor, TROUBLE_TIMEOUT, "allow more with --timeout", "no time was left");
	else
		run_bounded(doctor, step);
}

enum outcome doctor_main(struct context *context, const char *argument)
{
	struct doctor *doctor = calloc(1, sizeof *doctor);
	struct trouble nowhere = { 0 };
	enum outcome outcome;
	bool late = false;

	if (!doctor)
		return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "no memory for the answer");
	if (stdout_check(&nowhere) != DONE) {
		free(doctor);
		context->trouble = nowhere;
		return UNWRITTEN;
	}
	doctor->context = context;
	doctor->argument = argument;
	for (int i = 0; i < DOCTOR_STEPS && doctor->written == DONE; i++)
		take(doctor, (enum doctor_step)i, &late);
	outcome = report_end(doctor);
	accounts_free(&doctor->accounts);
	refresh_record_wipe(&doctor->refresh);
	access_record_wipe(&doctor->access);
	free(doctor);
	return outcome;
}
