/* SPDX-License-Identifier: MIT */
/*
 * One call of the program: what it was asked, how long it may take, whether a person is there, and what it has to
 * say. Handed through the helper; owns no secret.
 */
#ifndef HELPER_CONTEXT_H
#define HELPER_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/base/trouble.h"
#include "helper/base/watchdog.h"
#include "helper/arrange.h"
#include "helper/config.h"
#include "helper/options.h"
#include "keyring/keyring.h"
#include "protocol/protocol.h"

#define CONTEXT_WARNINGS_MAX 8
#define CONTEXT_WARNING_BYTES 1024 /* two addresses and a name of full length */

struct survey;

struct context {
	struct options options;
	struct trouble trouble;
	int64_t deadline_ms;    /* CLOCK_MONOTONIC; moves while a person is waited for */
	int64_t started_boot_ms; /* CLOCK_BOOTTIME */
	struct config config;
	struct arrangement arrangement; /* what `keyring` was made of */
	bool interactive;       /* a keyring may open its dialog */
	bool asks;              /* and a passphrase may be asked for, on a terminal or by askpass: login and unlock alone */
	bool asked;             /* that was done */
	int64_t module_ms;      /* what one call of a keyring module may take without a person */
	int failure_code;       /* what every failure ends with, whatever its outcome; 0: with that */
	bool lasting;           /* the access token goes to a program that runs on */
	struct survey *survey;  /* the call asks about many accounts (lifecycle/survey.h), or NULL */
	bool authtype;          /* of a git request: its caller has that capability */
	bool answered;          /* stdout has the verb's own answer, which tells of the trouble too */
	struct keyring keyring;
	struct notice warnings[CONTEXT_WARNINGS_MAX];
	char warning_text[CONTEXT_WARNINGS_MAX][CONTEXT_WARNING_BYTES];
	size_t n_warnings;
	char at_stake[CONTEXT_WARNING_BYTES]; /* "", or what must be said even if foreign code ends us now: the remedy then */
};

#define CONTEXT_NOT_STARTED 125 /* failure_code where a command was to be run, as env(1) has it */

/* The clock starts, the person is looked for. Reads no file. */
void context_start(struct context *context);

/* The configuration is read, the stack laid out. UNUSABLE: then nothing may be asked of a keyring. */
enum outcome context_configure(struct context *context);

/* The stack as it is at the start of a call, with no module loaded. */
void context_lay_out(struct context *context);

/* The call is about the instance BASE_URL: without --timeout its own counts, from the call's start on. */
void context_is_about(struct context *context, const char *base_url);

/* Past a point of no return: at least CONTEXT_RESERVE_MS from now on for what must still be made durable, whatever
 * --timeout said. */
#define CONTEXT_RESERVE_MS 20000
void context_reserve(struct context *context);

/* A warning: CODE for machines, a line for people. Escaped here; the same one is said once; those that the reply has no room for are said alone. */
void context_warn(struct context *context, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What is lost to the person unless it is said, should foreign code hang or crash from now on; "": nothing any more. */
void context_stake(struct context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The failure reply in the wanted format, or nothing where it has none; returns its bytes. */
struct bytes context_failure(const struct context *context, const struct trouble *trouble, char *buffer, size_t room);

/* TROUBLE is what is said if the foreign code that is about to be called comes to such an END (watchdog.h). */
void context_foresee(const struct context *context, enum watchdog_end end, const struct trouble *trouble);

/* Warnings, then the one trouble if there is one, on stderr; its reply on stdout. Returns the exit code. The keyrings are still open,
 * and the configuration is theirs. */
int context_finish(struct context *context);

#endif
