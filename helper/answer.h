/* SPDX-License-Identifier: MIT */
/*
 * The last step of a verb that succeeded: its reply, written whole in the wanted format.
 */
#ifndef HELPER_ANSWER_H
#define HELPER_ANSWER_H

#include "helper/accounts-file.h"
#include "helper/context.h"
#include "helper/lifecycle/record.h"

/* An access token. */
enum outcome answer_token(struct context *context, const struct account *account, const struct access_record *access);

/* A verb that hands out no token: a reply in formats that have one (json), else nothing. */
enum outcome answer_done(struct context *context, const struct account *account);

/* The same, of --all. */
enum outcome answer_all(struct context *context, const struct accounts *accounts);

/* Epoch or RECORD_TIME_UNKNOWN as a moment; TEXT (CLOCK_TEXT_BYTES) holds its words. */
struct moment answer_moment(int64_t epoch_s, char *text);

#endif
