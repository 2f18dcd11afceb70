/* SPDX-License-Identifier: MIT */
/*
 * What the steps of `doctor` share: who is meant, what was found on the way, and the report, which takes words alone. No step
 * mints, rotates or revokes, opens a dialog, or changes what is stored; what it stores to try a keyring it takes away again.
 */
#ifndef HELPER_DOCTOR_DOCTOR_H
#define HELPER_DOCTOR_DOCTOR_H

#include "helper/accounts-file.h"
#include "helper/alation/alation.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

#define DOCTOR_STEP_MS 10000 /* one step at most */
#define DOCTOR_TEXT_BYTES 768

enum doctor_step {
	DOCTOR_CONFIGURATION,
	DOCTOR_STATE,
	DOCTOR_ACCOUNTS,
	DOCTOR_ACCOUNT,
	DOCTOR_REFRESH_KEYRINGS, /* a finding a module */
	DOCTOR_ACCESS_KEYRINGS,
	DOCTOR_USER_NAMESPACE,
	DOCTOR_DBUS,
	DOCTOR_DNS,
	DOCTOR_CONNECTION,
	DOCTOR_TLS,
	DOCTOR_ANSWER,
	DOCTOR_CLOCK,
	DOCTOR_REFRESH_TOKEN,
	DOCTOR_REFRESH_TOKEN_SERVER,
	DOCTOR_ACCESS_TOKEN,
	DOCTOR_ACCESS_TOKEN_SERVER,
	DOCTOR_DATA_CALL,
	DOCTOR_API_PAGE,
	DOCTOR_STEPS
};

enum doctor_result { DOCTOR_OK, DOCTOR_FAIL, DOCTOR_SKIP };

#define DOCTOR_FINDINGS_MAX (DOCTOR_STEPS + KEYRING_LINES_MAX)

struct doctor_finding {
	char step[KEYRING_MODULE_MAX_BYTES + 16];
	enum doctor_result result;
	enum trouble_code code; /* of a FAIL */
	char text[DOCTOR_TEXT_BYTES], remedy[sizeof ((struct trouble *)0)->remedy];
};

struct doctor {
	struct context *context;
	const char *argument;
	struct accounts accounts;
	struct account account;      /* the one that is meant; where there is none its base_url may be known all the same, or be "" */
	bool has_account, is_listed;
	bool bus_is_needed;          /* secret-service could not be reached, and something depends on it */
	struct refresh_record refresh;
	struct access_record access;
	struct alation_sight sight;  /* of the first call */
	struct trouble sight_trouble; /* what that call came to, in words */
	/* The report. */
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	size_t n_findings;
	enum doctor_step step;       /* the one under way, and its name */
	const char *name;
	enum doctor_result results[DOCTOR_STEPS];
	enum outcome written;        /* how writing went */
};

/* A finding of the step under way: TEXT is printf's, one line; escaped here. Of a FAIL REMEDY says what to do. The last of a step
 * that did not skip is its result, a FAIL stays. */
void doctor_ok(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor *doctor, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_fail(struct doctor *doctor, enum trouble_code code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The call's trouble becomes a FAIL, and is none any more. */
void doctor_fail_so(struct doctor *doctor);

/* The account, or the instance, in words; TEXT has ACCOUNT_TEXT_BYTES. */
const char *doctor_whom(const struct doctor *doctor, char *text);

/* The steps; each makes a finding. */
void doctor_configuration(struct doctor *doctor);
void doctor_state(struct doctor *doctor);
void doctor_accounts(struct doctor *doctor);
void doctor_account(struct doctor *doctor);
void doctor_refresh_keyrings(struct doctor *doctor);
void doctor_access_keyrings(struct doctor *doctor);
void doctor_user_namespace(struct doctor *doctor);
void doctor_dbus(struct doctor *doctor);
void doctor_dns(struct doctor *doctor);
void doctor_connection(struct doctor *doctor);
void doctor_tls(struct doctor *doctor);
void doctor_answer(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);
void doctor_refresh_token(struct doctor *doctor);
void doctor_refresh_token_server(struct doctor *doctor);
void doctor_access_token(struct doctor *doctor);
void doctor_access_token_server(struct doctor *doctor);
void doctor_data_call(struct doctor *doctor);
void doctor_api_page(struct doctor *doctor);

#endif
