/* SPDX-License-Identifier: MIT */
/*
 * One account, or all of them.
 */
#include "helper/each.h"

#include "helper/account.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/stdout.h"

static enum outcome one(struct context *context, const struct accounts *accounts, const char *argument, each_work *work)
{
	struct account account;
	enum outcome outcome = account_choose(context, accounts, argument, &account);

	if (outcome == DONE)
		outcome = work(context, &account);
	return outcome == DONE ? answer_done(context, &account) : outcome;
}

enum outcome each_of(struct context *context, const struct accounts *accounts, each_work *work)
{
	struct trouble first = { 0 };

	for (size_t i = 0; i < accounts->n; i++) {
		struct account account = accounts->list[i];

		account.unknown = NULL;
		context->trouble = (struct trouble){ 0 };
		context->deadline_ms = clock_mono_ms() + context->options.timeout_s * 1000;
		context_is_about(context, account.base_url);
		if (work(context, &account) == DONE) {
			accounts->list[i].refresh_expires_at = account.refresh_expires_at;
			continue;
		}
		if (first.code == TROUBLE_NONE)
			first = context->trouble; /* said last, by main */
		else
			trouble_print(&context->trouble);
	}
	context->trouble = first;
	if (first.code != TROUBLE_NONE)
		return trouble_outcome(first.code);
	return answer_all(context, accounts);
}

enum outcome each_account(struct context *context, const char *argument, each_work *work)
{
	ACCOUNTS accounts = { 0 };
	enum outcome outcome = DONE;

	if (context->options.all && argument)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "give one of them", "--all and an ACCOUNT exclude each other");
	/* A stdout that does not work is learned of before a server is made to do anything. */
	if (context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome != DONE)
		return outcome;
	return context->options.all ? each_of(context, &accounts, work) : one(context, &accounts, argument, work);
}
