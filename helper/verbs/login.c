/* SPDX-License-Identifier: MIT */
/*
 * login: who, how, and with which secret; the rest is lifecycle/enroll.c. Asks a person, as of the other verbs
 * unlock alone does. A secret comes from a terminal without echo, an askpass program or stdin, never from the command line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/accounts-file.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/prompt.h"
#include "helper/base/stdin.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/enroll.h"
#include "helper/lifecycle/ready.h"
#include "helper/lifecycle/vault.h"
#include "helper/lifecycle/walk.h"
#include "helper/verbs/verbs.h"

#define PASSWORD_MAX_BYTES 4096

enum way { WAY_UNKNOWN, WAY_PASSWORD, WAY_TOKEN };

/* What a login needs to know, gathered from options and, where they are silent, from the person. */
struct gathered {
	enum way way;
	struct account account;
	struct secret user, secret;
};

static void gathered_wipe(struct gathered *g)
{
	secret_wipe(&g->user);
	secret_wipe(&g->secret);
}

static enum outcome usage(struct context *context, const char *remedy, const char *what)
{
	return trouble_say(&context->trouble, TROUBLE_USAGE, remedy, "%s", what);
}

static enum outcome check_options(struct context *context, const struct options *o)
{
	if ((o->user || o->password_stdin) && (o->user_id || o->token_stdin))
		return usage(context, "give --user for a password, or --user-id for a RefreshToken",
		             "a login is by password or by RefreshToken, not both");
	if (o->password_stdin && !o->user)
		return usage(context, "say who: --user NAME --password-stdin", "--password-stdin needs --user");
	if (o->name && (o->user_id || o->token_stdin))
		return usage(context, "it has its name already", "--name is for a RefreshToken that is made now, not for a pasted one");
	if (o->exclusive && o->shared)
		return usage(context, "give one of them", "--exclusive and --shared exclude each other");
	if (o->keyring && !keyring_add(&context->keyring, "refresh", o->keyring))
		return usage(context, "alation-cred-keyring(7) lists the modules", "--keyring takes the name of a module, or a path that a line of the configuration has");
	if (o->user && o->shared)
		return usage(context, "leave --shared away", "a RefreshToken made by a password login is used by this program alone: --shared cannot be");
	return DONE;
}

static enum outcome read_address(struct context *context, const char *argument, struct gathered *g)
{
	const struct config_value *configured = config_find_in(&context->config, CONFIG_BASE_URL, "");
	const char *text = argument ? argument : getenv("ALATION_BASE_URL");
	const struct options *o = &context->options;
	struct url url;
	enum outcome outcome;

	if ((!text || !*text) && configured)
		text = configured->value;
	if (!text || !*text)
		return usage(context, "alation-cred login https://catalog.example.com", "which instance? login needs its address");
	outcome = account_url(context, text, &url);
	if (outcome != DONE)
		return outcome;
	if (url.user_id && o->user_id && url.user_id != o->user_id)
		return usage(context, "give one of them", "--user-id is not the user id in the address");
	memcpy(g->account.base_url, url.base, sizeof g->account.base_url);
	g->account.user_id = o->user_id ? o->user_id : url.user_id;
	context_is_about(context, url.base);
	return DONE;
}

/* A person's time is not the program's. */
static enum outcome ask(struct context *context, const char *question, bool hidden, struct secret *ret_answer)
{
	int64_t began_ms = clock_mono_ms();
	enum outcome outcome = hidden ? prompt_secret(question, 0, ret_answer, &context->trouble)
	                              : prompt_ask(question, false, ret_answer, &context->trouble);

	context->deadline_ms += clock_mono_ms() - began_ms;
	return outcome;
}

/* The dialog's first question, where the options do not say. */
static enum outcome choose_way(struct context *context, struct gathered *g)
{
	const struct options *o = &context->options;
	SECRET answer = { 0 };
	enum outcome outcome;

	g->way = o->user ? WAY_PASSWORD : o->user_id || o->token_stdin ? WAY_TOKEN : WAY_UNKNOWN;
	if (g->way != WAY_UNKNOWN)
		return DONE;
	if (!isatty(STDIN_FILENO) || !prompt_possible())
		return usage(context, "--user NAME --password-stdin, or --user-id N --token-stdin", "there is no terminal to ask how to sign in");
	prompt_show("How do you sign in to the catalog?\n"
	            "  1  single sign-on (SSO: Okta, Entra ...), with a RefreshToken made on its web page\n"
	            "  2  user name and password\n");
	outcome = ask(context, "1 or 2: ", false, &answer);
	if (outcome != DONE)
		return outcome;
	if (bytes_are(secret_view(&answer), "1"))
		g->way = WAY_TOKEN;
	else if (bytes_are(secret_view(&answer), "2"))
		g->way = WAY_PASSWORD;
	else
		return usage(context, "start again", "neither 1 nor 2");
	return DONE;
}

/* A window that an askpass program opens says nothing of its own, where a terminal still shows the command. */
static enum outcome ask_secret(struct context *context, const struct gathered *g, const char *what, struct secret *ret_secret)
{
	char question[URL_BASE_MAX_BYTES + 64];

	if (!prompt_secret_possible())
		return usage(context, "give the secret on stdin: --password-stdin or --token-stdin", "there is no terminal to ask on");
	if (prompt_possible())
		snprintf(question, sizeof question, "%s: ", what);
	else
		snprintf(question, sizeof question, "%s, for %s: ", what, g->account.base_url);
	return ask(context, question, true, ret_secret);
}

static enum outcome read_secret(struct context *context, const struct gathered *g, bool from_stdin, const char *what, size_t max_bytes,
                                struct secret *ret_secret)
{
	enum outcome outcome;

	if (!from_stdin)
		return ask_secret(context, g, what, ret_secret);
	outcome = stdin_read(max_bytes, context->deadline_ms, ret_secret, &context->trouble);
	if (outcome == DONE && ret_secret->len && ret_secret->bytes[ret_secret->len - 1] == '\n')
		ret_secret->len--;
	return outcome;
}

static enum outcome ask_password(struct context *context, struct gathered *g)
{
	const struct options *o = &context->options;
	enum outcome outcome = DONE;

	if (o->user) {
		if (!secret_set(&g->user, bytes_of(o->user)))
			return usage(context, "", "no memory for the user name");
	} else {
		outcome = ask(context, "User name: ", false, &g->user);
	}
	if (outcome == DONE && !g->user.len)
		return usage(context, "give the name you sign in with", "the user name is empty");
	if (outcome == DONE)
		outcome = read_secret(context, g, o->password_stdin, "Password", PASSWORD_MAX_BYTES, &g->secret);
	if (outcome == DONE && !g->secret.len)
		return usage(context, "give the password on one line", "the password is empty");
	if (outcome == DONE && memchr(g->secret.bytes, '\0', g->secret.len))
		return usage(context, "", "the password has a NUL in it");
	return outcome;
}

/* The page shows both; the person copies them from there. */
static enum outcome ask_user_id(struct context *context, struct gathered *g)
{
	SECRET answer = { 0 };
	enum outcome outcome;

	if (g->account.user_id)
		return DONE;
	if (!prompt_possible() || context->options.token_stdin)
		return usage(context, "--user-id N; it stands on the page where the RefreshToken is made", "whose RefreshToken is it? its user id is missing");
	outcome = ask(context, "Numeric user id: ", false, &answer);
	if (outcome != DONE)
		return outcome;
	g->account.user_id = url_user_id(secret_view(&answer));
	return g->account.user_id ? DONE : usage(context, "it is a positive number, such as 102", "that is no user id");
}

/* Blanks and line ends that a paste brings along go; what is inside must be a token's. */
static enum outcome check_token(struct context *context, struct secret *token)
{
	static const char around[] = " \t\r\n";
	struct bytes b = secret_view(token);
	SECRET trimmed = { 0 };

	while (b.n && strchr(around, b.p[0]) && b.p[0]) {
		b.p++;
		b.n--;
	}
	while (b.n && strchr(around, b.p[b.n - 1]) && b.p[b.n - 1])
		b.n--;
	if (!b.n)
		return usage(context, "copy it again from the page", "the RefreshToken is empty");
	if (!token_ok(b))
		return usage(context, "copy it again from the page", "that is no RefreshToken: it has a blank or another character that a token never has");
	if (!secret_set(&trimmed, b))
		return usage(context, "", "no memory for the RefreshToken");
	secret_move(token, &trimmed);
	return DONE;
}

static enum outcome ask_whether_shared(struct context *context, struct gathered *g)
{
	const struct options *o = &context->options;
	SECRET answer = { 0 };
	enum outcome outcome;

	g->account.exclusive = o->exclusive;
	if (o->exclusive || o->shared || o->token_stdin || !prompt_possible())
		return DONE;
	prompt_show("Is this RefreshToken used anywhere else: a script, another machine, Tableau?\n"
	            "Only one that is used here alone can ever be renewed from here.\n");
	outcome = ask(context, "Used elsewhere, y or n: ", false, &answer);
	g->account.exclusive = outcome == DONE && (bytes_are(secret_view(&answer), "n") || bytes_are(secret_view(&answer), "no"));
	return outcome;
}

static enum outcome ask_token(struct context *context, struct gathered *g)
{
	char page[URL_BASE_MAX_BYTES + 256];
	enum outcome outcome;

	if (!context->options.token_stdin && prompt_possible()) {
		snprintf(page, sizeof page, "Open %s/account/auth and create a RefreshToken.\nThe page shows your numeric user id too.\n", g->account.base_url);
		prompt_show(page);
	}
	outcome = ask_user_id(context, g);
	if (outcome == DONE)
		outcome = read_secret(context, g, context->options.token_stdin, "RefreshToken (not shown)", 2 * TOKEN_MAX_BYTES, &g->secret);
	if (outcome == DONE)
		outcome = check_token(context, &g->secret);
	if (outcome == DONE)
		outcome = ask_whether_shared(context, g);
	return outcome;
}

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

	if (g->way == WAY_TOKEN)
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
	__attribute__((cleanup(gathered_wipe))) struct gathered g = {
		.account = { .refresh_expires_at = RECORD_TIME_UNKNOWN, .is_default = context->options.make_default },
	};
	ACCOUNTS accounts = { 0 };
	enum outcome outcome = check_options(context, &context->options);

	context->asks = true;
	if (context->options.keyring)
		snprintf(g.account.module, sizeof g.account.module, "%s", context->options.keyring);
	if (outcome == DONE)
		outcome = read_address(context, argument, &g);
	/* What does not work is learned of before a person is asked for anything. */
	if (outcome == DONE && context->options.format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = choose_way(context, &g);
	if (outcome == DONE && (g.way == WAY_TOKEN))
		outcome = ask_token(context, &g);
	else if (outcome == DONE)
		outcome = ask_password(context, &g);
	if (outcome == DONE)
		outcome = check_ready(context, &g.account);
	if (outcome == DONE)
		outcome = enroll(context, &g);
	if (outcome != DONE)
		return outcome;
	report(context, &g.account);
	if (context->asked)
		tell_whether_open(context, &g.account);
	return answer_done(context, &g.account);
}
