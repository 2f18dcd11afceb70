/* SPDX-License-Identifier: MIT */
/*
 * Who logs in, how, and with which secret: by options, and where they are silent, by a dialog. A secret comes from a terminal without echo, an
 * askpass program, stdin, a .env file or the environment, never from the command line. Asks no server and no keyring.
 */
#include "helper/login/gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/base/browser.h"
#include "helper/base/prompt.h"
#include "helper/base/stdin.h"
#include "helper/base/stdout.h"
#include "helper/lifecycle/record.h"

#define PASSWORD_MAX_BYTES 4096

void gathered_wipe(struct gathered *g)
{
	secret_wipe(&g->user);
	secret_wipe(&g->secret);
	import_wipe(&g->import);
}

static enum outcome usage(struct context *context, const char *remedy, const char *what)
{
	return trouble_say(&context->trouble, TROUBLE_USAGE, remedy, "%s", what);
}

static bool imports(const struct options *o)
{
	return o->import || o->import_environment;
}

/* Who has his say there is not asked beside it. */
static bool is_on_stdin(const struct options *o)
{
	return o->token_stdin || (o->import && strcmp(o->import, "-") == 0);
}

static enum outcome check_options(struct context *context, const struct options *o)
{
	if (o->import && o->import_environment)
		return usage(context, "give one of them", "--import and --import-environment exclude each other");
	if (imports(o) && (o->user || o->password_stdin || o->token_stdin))
		return usage(context, "leave --user, --password-stdin and --token-stdin away", "an import brings its RefreshToken along");
	if ((o->user || o->password_stdin) && (o->user_id || o->token_stdin))
		return usage(context, "give --user for a password, or --user-id for a RefreshToken",
		             "a login is by password or by RefreshToken, not both");
	if (o->password_stdin && !o->user)
		return usage(context, "say who: --user NAME --password-stdin", "--password-stdin needs --user");
	if (o->web && (o->user || o->password_stdin || o->token_stdin || imports(o)))
		return usage(context, "leave --web away", "--web is for a RefreshToken that is pasted into the dialog");
	if (o->name && (o->user_id || o->token_stdin || o->web || imports(o)))
		return usage(context, "it has its name already", "--name is for a RefreshToken that is made now, not for one that is taken over");
	if (o->exclusive && o->shared)
		return usage(context, "give one of them", "--exclusive and --shared exclude each other");
	if (o->keyring && !keyring_add(&context->keyring, "refresh", o->keyring))
		return usage(context, "alation-cred-keyring(7) lists the modules", "--keyring takes the name of a module, or a path that a line of the configuration has");
	if (o->user && o->shared)
		return usage(context, "leave --shared away", "a RefreshToken made by a password login is used by this program alone: --shared cannot be");
	return DONE;
}

/* The address that is given and the one that comes with the token are one: it shall not go to another server. */
static enum outcome same_address(struct context *context, const struct url *given, const struct import *import)
{
	struct url url;
	enum outcome outcome = account_url(context, import->base_url, &url);

	if (outcome == DONE && strcmp(url.base, given->base) != 0)
		return usage(context, "leave it away, if you mean the one that is imported", "the address that was given is not the ALATION_BASE_URL of this RefreshToken");
	return outcome;
}

/* Wherever it is said, it is one. */
static enum outcome take_user_id(struct context *context, int64_t user_id, const char *otherwise, struct gathered *g)
{
	if (user_id && g->account.user_id && user_id != g->account.user_id)
		return usage(context, "give one of them", otherwise);
	g->account.user_id = user_id ? user_id : g->account.user_id;
	return DONE;
}

static enum outcome read_address(struct context *context, const char *argument, struct gathered *g)
{
	const struct config_value *configured = config_find_in(&context->config, CONFIG_BASE_URL, "");
	const char *text = argument ? argument : g->import.base_url[0] ? g->import.base_url : getenv("ALATION_BASE_URL");
	struct url url;
	enum outcome outcome;

	if ((!text || !*text) && configured)
		text = configured->value;
	if (!text || !*text)
		return usage(context, "alation-cred login https://catalog.example.com", "which instance? login needs its address");
	outcome = account_url(context, text, &url);
	if (outcome == DONE && argument && g->import.base_url[0])
		outcome = same_address(context, &url, &g->import);
	if (outcome == DONE)
		outcome = take_user_id(context, url.user_id, "", g);
	if (outcome == DONE)
		outcome = take_user_id(context, context->options.user_id, "--user-id is not the user id in the address", g);
	if (outcome == DONE)
		outcome = take_user_id(context, g->import.user_id, "the user id that was given is not the ALATION_USER_ID of this RefreshToken", g);
	if (outcome != DONE)
		return outcome;
	memcpy(g->account.base_url, url.base, sizeof g->account.base_url);
	context_is_about(context, url.base);
	snprintf(g->about, sizeof g->about,
	         "Logging in to %s: a RefreshToken is proved by one mint, and kept in a keyring here.\n"
	         "Ctrl-C ends this; until the last answer nothing is made at the server or kept.\n\n", url.base);
	g->dialog.about = g->about;
	return DONE;
}

/* The dialog's first question, where the options do not say. */
static const char *judge_way(struct secret *answer, void *wanted)
{
	enum login_way *way = wanted;

	if (!answer->len || bytes_are(secret_view(answer), "1"))
		*way = LOGIN_BY_TOKEN;
	else if (bytes_are(secret_view(answer), "2"))
		*way = LOGIN_BY_PASSWORD;
	else
		return "neither 1 nor 2";
	return NULL;
}

static enum outcome choose_way(struct context *context, struct gathered *g)
{
	const struct options *o = &context->options;
	const struct dialog_question question = { "1 or 2 [1]: ", false, judge_way, &g->way, "type one of them" };
	SECRET answer = { 0 };

	g->way = o->user ? LOGIN_BY_PASSWORD : o->user_id || o->token_stdin || o->web || imports(o) ? LOGIN_BY_TOKEN : LOGIN_UNDECIDED;
	if (g->way != LOGIN_UNDECIDED)
		return DONE;
	if (!isatty(STDIN_FILENO) || !prompt_possible())
		return usage(context, "--user NAME --password-stdin, or --user-id N --token-stdin", "there is no terminal to ask how to sign in");
	dialog_show(&g->dialog, "How do you sign in to the catalog?\n"
	                        "  1  single sign-on (SSO: Okta, Entra ...), with a RefreshToken made on its web page\n"
	                        "  2  user name and password; never type a password of single sign-on here\n");
	return dialog_ask(context, &g->dialog, &question, &answer);
}

/* A window that an askpass program opens says nothing of its own, where a terminal still shows the command. */
static enum outcome ask_secret(struct context *context, struct gathered *g, const char *what, dialog_judge *judge, const char *remedy)
{
	char text[URL_BASE_MAX_BYTES + 64];
	const struct dialog_question question = { text, true, judge, NULL, remedy };

	if (!prompt_secret_possible())
		return usage(context, "give the secret on stdin: --password-stdin or --token-stdin", "there is no terminal to ask on");
	if (prompt_possible())
		snprintf(text, sizeof text, "%s: ", what);
	else
		snprintf(text, sizeof text, "%s, for %s: ", what, g->account.base_url);
	return dialog_ask(context, &g->dialog, &question, &g->secret);
}

/* One final line feed is not the secret's. */
static enum outcome read_secret(struct context *context, size_t max_bytes, dialog_judge *judge, const char *remedy, struct secret *ret_secret)
{
	const char *why;
	enum outcome outcome = stdin_read(max_bytes, context->deadline_ms, ret_secret, &context->trouble);

	if (outcome != DONE)
		return outcome;
	if (ret_secret->len && ret_secret->bytes[ret_secret->len - 1] == '\n')
		ret_secret->len--;
	why = judge(ret_secret, NULL);
	return why ? usage(context, remedy, why) : DONE;
}

static const char *judge_user(struct secret *answer, void *wanted)
{
	(void)wanted;
	return answer->len ? NULL : "the user name is empty";
}

static const char *judge_password(struct secret *answer, void *wanted)
{
	(void)wanted;
	if (!answer->len)
		return "the password is empty";
	return memchr(answer->bytes, '\0', answer->len) ? "the password has a NUL in it" : NULL;
}

/* On stdin it may be what it will. */
static const char *judge_typed_password(struct secret *answer, void *wanted)
{
	if (answer->len && memchr(answer->bytes, '\n', answer->len))
		return "that was more than one line";
	return judge_password(answer, wanted);
}

static enum outcome ask_password(struct context *context, struct gathered *g)
{
	static const char remedy[] = "give the password on one line";
	const struct dialog_question user = { "User name: ", false, judge_user, NULL, "give the name you sign in with" };
	const struct options *o = &context->options;
	enum outcome outcome = DONE;

	if (!o->user)
		outcome = dialog_ask(context, &g->dialog, &user, &g->user);
	else if (!secret_set(&g->user, bytes_of(o->user)))
		return usage(context, "", "no memory for the user name");
	if (outcome != DONE)
		return outcome;
	return o->password_stdin ? read_secret(context, PASSWORD_MAX_BYTES, judge_password, remedy, &g->secret)
	                         : ask_secret(context, g, "Password", judge_typed_password, remedy);
}

static const char *judge_user_id(struct secret *answer, void *wanted)
{
	int64_t *user_id = wanted, typed = url_user_id(secret_view(answer));

	/* What stood there before is what was offered. */
	if (typed)
		*user_id = typed;
	return typed || (!answer->len && *user_id) ? NULL : "that is no user id";
}

/* Whoever logs in again is mostly the one who is there: the only account of that instance, or 0. */
static int64_t known_user_id(const struct accounts *accounts, const char *base_url)
{
	int64_t user_id = 0;

	for (size_t i = 0; i < accounts->n; i++) {
		if (strcmp(accounts->list[i].base_url, base_url) != 0)
			continue;
		if (user_id)
			return 0;
		user_id = accounts->list[i].user_id;
	}
	return user_id;
}

static enum outcome check_user_id(struct context *context, const struct gathered *g)
{
	if (g->account.user_id || (prompt_possible() && !is_on_stdin(&context->options)))
		return DONE;
	return usage(context, "--user-id N; it stands on the page where the RefreshToken is made", "whose RefreshToken is it? its user id is missing");
}

/* The page shows both; the person copies them from there. */
static enum outcome ask_user_id(struct context *context, const struct accounts *accounts, struct gathered *g)
{
	int64_t user_id = known_user_id(accounts, g->account.base_url);
	char text[64];
	const struct dialog_question question = { text, false, judge_user_id, &user_id, "it is a positive number, such as 102" };
	SECRET answer = { 0 };
	enum outcome outcome;

	if (g->account.user_id)
		return DONE;
	snprintf(text, sizeof text, user_id ? "Numeric user id [%" PRId64 "]: " : "Numeric user id: ", user_id);
	outcome = dialog_ask(context, &g->dialog, &question, &answer);
	if (outcome == DONE)
		g->account.user_id = user_id;
	return outcome;
}

/* Blanks and line ends that a paste brings along go; what is inside must be a token's. */
static const char *judge_token(struct secret *answer, void *wanted)
{
	struct bytes b = bytes_trimmed(secret_view(answer));
	SECRET trimmed = { 0 };

	(void)wanted;
	if (!b.n)
		return "the RefreshToken is empty";
	if (!token_ok(b))
		return "that is no RefreshToken: it has a blank or another character that a token never has";
	if (!secret_set(&trimmed, b))
		return "no memory for the RefreshToken";
	secret_move(answer, &trimmed);
	return NULL;
}

/* Of what may be shared too little is ended, of what is not too much. */
static const char *judge_shared(struct secret *answer, void *wanted)
{
	static const char *const yes[] = { "", "y", "yes", "Y", "Yes", "YES" }, *const no[] = { "n", "no", "N", "No", "NO" };
	bool *exclusive = wanted;

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (bytes_are(secret_view(answer), yes[i]))
			return NULL;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		*exclusive |= bytes_are(secret_view(answer), no[i]);
	return *exclusive ? NULL : "neither y nor n";
}

static enum outcome ask_whether_shared(struct context *context, struct gathered *g)
{
	const struct options *o = &context->options;
	const struct dialog_question question = { "Used elsewhere, y or n [y]: ", false, judge_shared, &g->account.exclusive, "type one of them" };
	SECRET answer = { 0 };

	g->account.exclusive = o->exclusive;
	if (o->exclusive || o->shared || is_on_stdin(o) || !prompt_possible())
		return DONE;
	dialog_show(&g->dialog, "Is this RefreshToken used anywhere else: a script, another machine, Tableau?\n"
	                        "Only one that is used here alone can ever be renewed from here.\n");
	return dialog_ask(context, &g->dialog, &question, &answer);
}

static enum outcome take_imported(struct context *context, const struct accounts *accounts, struct gathered *g)
{
	enum outcome outcome = check_user_id(context, g);

	if (outcome == DONE)
		outcome = ask_user_id(context, accounts, g);
	secret_move(&g->secret, &g->import.token);
	return outcome == DONE ? ask_whether_shared(context, g) : outcome;
}

/* Without a browser, or where nobody is there who could paste what it shows, the address is shown alone. */
static void show_page(struct context *context, struct gathered *g, bool can_go_on)
{
	char page[sizeof g->account.base_url + sizeof "/account/auth"], text[sizeof page + 256];
	const char *why = NULL;
	bool web = context->options.web, terminal = prompt_possible();

	snprintf(page, sizeof page, "%s/account/auth", g->account.base_url);
	if (web)
		why = can_go_on && prompt_secret_possible() ? browser_open(page) : "there is no terminal to go on with it";
	if (web && !why)
		snprintf(text, sizeof text, "%s opens in the browser: create a RefreshToken there", page);
	else
		snprintf(text, sizeof text, "%s %s and create a RefreshToken%s%s%s", terminal ? "Open" : "open", page, why ? " (not opened from here: " : "", why ? why : "", why ? ")" : "");
	if (!terminal) {
		if (web)
			trouble_line(text);
		return;
	}
	dialog_show(&g->dialog, text);
	dialog_show(&g->dialog, ".\nThe page shows your numeric user id too.\n");
}

static enum outcome ask_token(struct context *context, const struct accounts *accounts, struct gathered *g)
{
	static const char remedy[] = "copy it again from the page";
	enum outcome outcome = check_user_id(context, g);

	if (!context->options.token_stdin)
		show_page(context, g, outcome == DONE);
	if (outcome != DONE)
		return outcome;
	outcome = ask_user_id(context, accounts, g);
	if (outcome == DONE)
		outcome = context->options.token_stdin ? read_secret(context, 2 * TOKEN_MAX_BYTES, judge_token, remedy, &g->secret)
		                                       : ask_secret(context, g, "RefreshToken (not shown)", judge_token, remedy);
	if (outcome == DONE)
		outcome = ask_whether_shared(context, g);
	return outcome;
}

enum outcome gather(struct context *context, const char *argument, struct gathered *g)
{
	const struct options *o = &context->options;
	ACCOUNTS accounts = { 0 };
	enum outcome outcome = check_options(context, o);

	context->asks = true;
	g->account.is_default = o->make_default;
	g->account.refresh_expires_at = RECORD_TIME_UNKNOWN;
	g->imports = imports(o);
	if (o->keyring)
		snprintf(g->account.module, sizeof g->account.module, "%s", o->keyring);
	if (outcome == DONE && o->import)
		outcome = import_file(context, o->import, &g->import);
	else if (outcome == DONE && o->import_environment)
		outcome = import_environment(context, &g->import);
	if (outcome == DONE)
		outcome = read_address(context, argument, g);
	/* What does not work is learned of before a person is asked for anything. */
	if (outcome == DONE && o->format->done)
		outcome = stdout_check(&context->trouble);
	if (outcome == DONE)
		outcome = accounts_read(&accounts, &context->trouble);
	if (outcome == DONE)
		outcome = choose_way(context, g);
	if (outcome != DONE)
		return outcome;
	if (g->imports)
		return take_imported(context, &accounts, g);
	return g->way == LOGIN_BY_TOKEN ? ask_token(context, &accounts, g) : ask_password(context, g);
}
