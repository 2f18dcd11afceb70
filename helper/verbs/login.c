/* SPDX-License-Identifier: MIT */
/*
 * login: who, how and with which secret is login/gather.c's, the order of what is made and kept lifecycle/enroll.c's. Here: whether it can be
 * kept, and what the person hears.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/lifecycle/enroll.h"
#include "helper/lifecycle/ready.h"
#include "helper/lifecycle/vault.h"
#include "helper/lifecycle/walk.h"
#include "helper/login/gather.h"
#include "helper/verbs/verbs.h"

/* The keyring that will have it: where the account is listed, that one. Whose a password is the server tells only with the
 * RefreshToken that it has made: then each that holds an account of that instance. One that is away, as where a desktop was,
 * stops nobody: then the stack takes it. */
static enum outcome check_keyring(struct context *context, const struct account *account)
{
	ACCOUNTS accounts = { 0 };
	struct account known = *account;
	bool any = false;
	enum outcome outcome = accounts_read(&accounts, &context->trouble);

	for (size_t i = 0; i < accounts.n && outcome == DONE && !account->module[0]; i++) {
		const struct account *listed = &accounts.list[i];

		if (strcmp(listed->base_url, account->base_url) != 0 || (account->user_id && listed->user_id != account->user_id) ||
		    strcmp(listed->module, known.module) == 0)
			continue;
		memcpy(known.module, listed->module, sizeof known.module);
		outcome = ready_to_keep(context, &known);
		any |= outcome == DONE;
		if (context->trouble.code == TROUBLE_KEYRING_UNAVAILABLE) {
			context->trouble = (struct trouble){ 0 };
			outcome = DONE;
		}
	}
	return any || outcome != DONE ? outcome : ready_to_keep(context, account);
}

/* A list or a keyring that cannot be written is learned of before the server acts: what it made would be lost. */
static enum outcome check_ready(struct context *context, const struct account *account)
{
	struct trouble *trouble = &context->trouble;
	enum outcome outcome = accounts_ready(account, context->deadline_ms, trouble);
	size_t n;

	if (outcome == DONE)
		outcome = check_keyring(context, account);
	if (outcome == DONE)
		return outcome;
	n = strlen(trouble->remedy);
	snprintf(trouble->remedy + n, sizeof trouble->remedy - n, "%snothing was made at the server", n ? "; " : "");
	return outcome;
}

static enum outcome enroll(struct context *context, struct gathered *g)
{
	char name[RECORD_NAME_MAX_BYTES], host[128] = "";

	if (g->way == LOGIN_BY_TOKEN)
		return enroll_token(context, &g->account, secret_view(&g->secret), true);
	gethostname(host, sizeof host - 1);
	snprintf(name, sizeof name, "alation-cred@%s", host[0] ? host : "localhost");
	g->account.exclusive = true;
	return enroll_password(context, &g->account, secret_view(&g->user), secret_view(&g->secret),
	                       context->options.name ? context->options.name : name);
}

/* What a person wants to know now: who, until when, where it lies, which account is the default. */
static void report(struct context *context, const struct account *account)
{
	ACCOUNTS accounts = { 0 };
	struct trouble ignored = { 0 };
	char text[ACCOUNT_TEXT_BYTES], line[1024], until[CLOCK_TEXT_BYTES];
	struct moment end = answer_moment(account->refresh_expires_at, until);

	snprintf(line, sizeof line, "logged in as %s; the RefreshToken '%s' is kept in %s and ends %s", account_text(account, text), account->name,
	         account->module, end.text ? end.text : "at a time the server did not tell");
	trouble_line(line);
	if (!account->exclusive)
		context_warn(context, "shared", "this RefreshToken counts as shared with something else and ends %s; 'alation-cred set %s exclusive' if nothing else uses it",
		             end.text ? end.text : "some day", text);
	if (accounts_read(&accounts, &ignored) != DONE)
		return;
	for (size_t i = 0; i < accounts.n && accounts.n > 1; i++) {
		if (!account_is_default(context, &accounts.list[i]))
			continue;
		snprintf(line, sizeof line, "the default account is %s", account_text(&accounts.list[i], text));
		trouble_line(line);
	}
}

/* A person opened the keyring for this login; whether it is open for the calls that follow, only a look without him tells. */
static void tell_whether_open(struct context *context, const struct account *account)
{
	struct keyring_answer answer;
	char text[ACCOUNT_TEXT_BYTES];

	context_stake(context, "the login is kept all the same, and 'alation-cred get %s' serves it", account_text(account, text));
	walk_anew(context);
	if (vault_locate_refresh(context, account, &answer) == ACRED_LOCKED)
		context_warn(context, "locks_again", "the keyring (%s) of %s does not stay open here, so 'get' will find it locked; let a key-file open it, as alation-cred-keyring(7) says", account->module,
		             account_text(account, text));
}

enum outcome login_main(struct context *context, const char *argument)
{
	__attribute__((cleanup(gathered_wipe))) struct gathered g = { 0 };
	enum outcome outcome = gather(context, argument, &g);

	if (outcome == DONE)
		outcome = check_ready(context, &g.account);
	if (outcome == DONE)
		outcome = enroll(context, &g);
	if (outcome != DONE)
		return outcome;
	report(context, &g.account);
	if (g.imports)
		import_advise(context, &g.account, &g.import);
	if (context->asked)
		tell_whether_open(context, &g.account);
	return answer_done(context, &g.account);
}
