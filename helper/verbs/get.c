/* SPDX-License-Identifier: MIT */
/*
 * get, token: print an access token that works. `get` also answers a request of git's protocol on stdin; `token` never
 * looks there. Neither reads a terminal or askpass.
 */
#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/token.h"
#include "helper/request.h"
#include "helper/verbs/verbs.h"
#include "protocol/git.h"

/* git is to stop asking: no further helper and no prompt has a token for this host. The line on stderr says why. */
static enum outcome quit(struct context *context)
{
	char buffer[16];
	struct out out = { .p = buffer, .room = sizeof buffer };

	trouble_print(&context->trouble);
	context->trouble = (struct trouble){ 0 };
	git_quit(&out);
	return stdout_write((struct bytes){ buffer, out.n }, context->deadline_ms, &context->trouble);
}

/* For a host or a user that is not ours: silence, so that git goes on to whoever has it. */
static enum outcome answer_request(struct context *context, const struct request *request)
{
	ACCOUNTS accounts = { 0 };
	ACCESS_RECORD access = { 0 };
	struct account account;
	struct url url;
	bool found;
	enum outcome outcome = request_names_host(context, request);

	if (outcome != DONE || !account_of_request(request, &url))
		return outcome;
	outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = account_choose_for(context, &accounts, &url, &account, &found);
	if (outcome != DONE || !found)
		return outcome;
	context->authtype = request->authtype;
	outcome = token_obtain(context, &account, &access);
	if (outcome == LOGIN_NEEDED)
		return quit(context);
	return outcome == DONE ? answer_token(context, &account, &access) : outcome;
}

static enum outcome print_token(struct context *context, const char *argument)
{
	ACCESS_RECORD access = { 0 };
	struct account account;
	enum outcome outcome = account_find(context, argument, &account);

	if (outcome == DONE)
		outcome = token_obtain(context, &account, &access);
	if (outcome == DONE)
		outcome = answer_token(context, &account, &access);
	return outcome;
}

enum outcome get_main(struct context *context, const char *argument)
{
	INCOMING incoming = { 0 };
	bool is_request = context->options.protocol;
	/* Before a token is minted for nobody. */
	enum outcome outcome = stdout_check(&context->trouble);

	if (outcome == DONE && is_request)
		outcome = request_read(context, &incoming);
	else if (outcome == DONE && !argument && !context->options.format_given)
		outcome = request_sniff(context, &incoming, &is_request);
	if (outcome != DONE)
		return outcome;
	if (!is_request)
		return print_token(context, argument);
	context->options.format = &format_git;
	return answer_request(context, &incoming.request);
}

enum outcome token_main(struct context *context, const char *argument)
{
	enum outcome outcome = stdout_check(&context->trouble);

	return outcome == DONE ? print_token(context, argument) : outcome;
}
