/* SPDX-License-Identifier: MIT */
/*
 * get, token: print an access token that works. Never reads stdin, a terminal or askpass.
 */
#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/token.h"
#include "helper/verbs/verbs.h"

enum outcome get_main(struct context *context, const char *argument)
{
	ACCOUNTS accounts = { 0 };
	ACCESS_RECORD access = { 0 };
	struct account account;
	/* Before a token is minted for nobody. */
	enum outcome outcome = stdout_check(&context->trouble);

	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = account_choose(context, &accounts, argument, &account);
	if (outcome == DONE)
		outcome = token_obtain(context, &account, &access);
	if (outcome == DONE)
		outcome = answer_token(context, &account, &access);
	return outcome;
}
