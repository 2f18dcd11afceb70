/* SPDX-License-Identifier: MIT */
/*
 * Choosing the account.
 */
#include "helper/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/sources.h"

/* What the caller said of the account; empty members were not said. */
struct wish {
	const char *said;     /* the words, for messages; NULL: nothing was said */
	struct url url;
	bool has_url, any_scheme;
	int64_t user_id;
};

const char *account_lock_name(const struct account *account, char name[ACCOUNT_LOCK_BYTES])
{
	struct out out = { .p = name, .room = ACCOUNT_LOCK_BYTES - 1 };

	out_int(&out, account->user_id);
	out_text(&out, "@");
	out_form(&out, bytes_of(account->base_url));
	name[out.n] = '\0';
	return name;
}

enum outcome account_lock(struct context *context, const struct account *account, struct lock *ret_lock)
{
	char name[ACCOUNT_LOCK_BYTES], text[ACCOUNT_TEXT_BYTES];
	enum outcome outcome = lock_wait(account_lock_name(account, name), context->deadline_ms, ret_lock, &context->trouble);

	if (outcome == BUSY) /* a person knows the account, not the lock's name */
		trouble_say(&context->trouble, TROUBLE_BUSY, "try again, or end the alation-cred that hangs", "another alation-cred holds %s",
		            account_text(account, text));
	return outcome;
}

enum outcome account_url(struct context *context, const char *text, struct url *ret_url)
{
	enum url_error error = url_parse(bytes_of(text), ret_url);

	/* The text itself is not shown: a password may stand in it. */
	if (error)
		return trouble_say(&context->trouble, TROUBLE_USAGE, "write it as https://catalog.example.com or https://USER_ID@catalog.example.com",
		                   "this is not the address of an instance: %s", url_error_text(error));
	if (ret_url->cut)
		context_warn(context, "url_cut", "only %s was used of the address; an account is a whole instance", ret_url->base);
	config_take_base_url(&context->config, ret_url);
	return DONE;
}

/* The configuration's default-account for an instance that was named, as a user id; 0: it has none. */
static int64_t default_user_id(const struct context *context, const char *base_url)
{
	const struct config_value *value = config_find_in(&context->config, CONFIG_DEFAULT_ACCOUNT, base_url);
	struct url url;

	if (!value)
		return 0;
	if (url_parse(bytes_of(value->value), &url) == URL_OK && url.user_id)
		return url.user_id;
	return url_user_id(bytes_of(value->value));
}

/* What is meant if the caller says nothing; NULL: the configuration does not say either. */
static const struct config_value *configured_default(const struct context *context, struct url *ret_url)
{
	const struct config_value *value = config_find_in(&context->config, CONFIG_DEFAULT_ACCOUNT, "");

	if (!value)
		value = config_find_in(&context->config, CONFIG_BASE_URL, "");
	if (!value || url_parse(bytes_of(value->value), ret_url) != URL_OK)
		return NULL;
	config_take_base_url(&context->config, ret_url);
	return value;
}

const struct config_value *account_other_default(const struct context *context, const struct account *account)
{
	struct url url;
	const struct config_value *value = configured_default(context, &url);
	int64_t user_id = default_user_id(context, account->base_url);

	if (value && (strcmp(url.base, account->base_url) != 0 || (url.user_id && url.user_id != account->user_id)))
		return value;
	return user_id && user_id != account->user_id ? config_find_in(&context->config, CONFIG_DEFAULT_ACCOUNT, account->base_url) : NULL;
}

bool account_is_default(const struct context *context, const struct account *account)
{
	struct url url;

	if (configured_default(context, &url) && url.user_id)
		return account->user_id == url.user_id && strcmp(account->base_url, url.base) == 0;
	return account->is_default;
}

static enum outcome read_wish(struct context *context, const char *argument, struct wish *wish)
{
	const char *url = argument ? argument : getenv("ALATION_BASE_URL");
	const char *user_id = argument ? NULL : getenv("ALATION_USER_ID");
	enum outcome outcome = DONE;

	*wish = (struct wish){ 0 };
	if (argument || (url && *url)) {
		outcome = account_url(context, url, &wish->url);
		if (outcome != DONE)
			return outcome;
		wish->has_url = true;
		wish->any_scheme = !strstr(url, "://") && !config_find_in(&context->config, CONFIG_BASE_URL, wish->url.base);
		wish->user_id = wish->url.user_id;
		wish->said = argument ? wish->url.host : "$ALATION_BASE_URL";
	}
	if (user_id && *user_id) {
		int64_t id = url_user_id(bytes_of(user_id));

		if (!id || (wish->user_id && wish->user_id != id))
			return trouble_say(&context->trouble, TROUBLE_USAGE, "set it to the numeric user id, or unset it",
			                   "$ALATION_USER_ID is not a user id, or not the one in $ALATION_BASE_URL");
		wish->user_id = id;
		wish->said = wish->said ? "$ALATION_BASE_URL and $ALATION_USER_ID" : "$ALATION_USER_ID";
	}
	if (!wish->said && configured_default(context, &wish->url)) {
		wish->has_url = true;
		wish->user_id = wish->url.user_id;
		wish->said = "the configuration's default";
	}
	if (wish->has_url && !wish->user_id)
		wish->user_id = default_user_id(context, wish->url.base);
	return DONE;
}

static bool matches(const struct account *account, const struct wish *wish)
{
	const char *host = strstr(account->base_url, "://");

	if (wish->user_id && wish->user_id != account->user_id)
		return false;
	if (!wish->has_url)
		return true;
	if (wish->any_scheme && host)
		return strcmp(host + 3, wish->url.host) == 0;
	return strcmp(account->base_url, wish->url.base) == 0;
}

static bool any_matches(const struct accounts *accounts, const struct wish *wish)
{
	for (size_t i = 0; i < accounts->n; i++)
		if (matches(&accounts->list[i], wish))
			return true;
	return false;
}

/* Under sudo the accounts are those of whom it made; the person's own are not far. */
static bool is_by_sudo(void)
{
	const char *caller = getenv("SUDO_UID");

	return caller && *caller && strtoul(caller, NULL, 10) != geteuid();
}

static enum outcome no_match(struct context *context, const struct accounts *accounts, const struct wish *wish,
                             struct account *ret_account)
{
	if (wish->has_url && wish->user_id) {
		*ret_account = (struct account){ .user_id = wish->user_id, .refresh_expires_at = RECORD_TIME_UNKNOWN };
		memcpy(ret_account->base_url, wish->url.base, sizeof ret_account->base_url);
		context_is_about(context, ret_account->base_url);
		return DONE;
	}
	if (!accounts->n && is_by_sudo())
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "without sudo your own accounts count",
		                   "nobody is logged in as uid %u, whom sudo has made of you", (unsigned)geteuid());
	if (!accounts->n && sources_in_environment())
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "set $ALATION_BASE_URL and $ALATION_USER_ID, which say whose it is; 'alation-cred status -v' tells what each source has",
		                   "the environment may bring a RefreshToken, but of no account that is known");
	if (!accounts->n)
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "log in with 'alation-cred login https://YOUR-INSTANCE'",
		                   "nobody is logged in");
	if (wish->user_id && !wish->has_url)
		return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts, 'alation-cred login' adds one",
		                   "no account matches user id %lld ($ALATION_USER_ID)", (long long)wish->user_id);
	return trouble_say(&context->trouble, TROUBLE_NO_ACCOUNT, "'alation-cred status' lists the accounts, 'alation-cred login' adds one",
	                   "no account matches '%s'%s", wish->has_url ? wish->url.host : "", wish->said && wish->said[0] == '$' ? " ($ALATION_BASE_URL)" : "");
}

#define CHOICES_BYTES 400 /* what a message has room for; one address of full length at least */

static enum outcome ambiguous(struct context *context, const struct accounts *accounts, const struct wish *wish)
{
	char list[CHOICES_BYTES] = "", more[32] = "", text[ACCOUNT_TEXT_BYTES];
	size_t n = 0, left_out = 0;

	for (size_t i = 0; i < accounts->n; i++) {
		if (!matches(&accounts->list[i], wish))
			continue;
		account_text(&accounts->list[i], text);
		if (n + strlen(text) + sizeof ", " > sizeof list) {
			left_out++;
			continue;
		}
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", text);
	}
	if (left_out)
		snprintf(more, sizeof more, " and %zu more", left_out);
	return trouble_say(&context->trouble, TROUBLE_AMBIGUOUS_ACCOUNT,
	                   left_out ? "name one of them, or make one the default with 'alation-cred set ACCOUNT default'; 'alation-cred status' lists them all"
	                            : "name one of them, or make one the default with 'alation-cred set ACCOUNT default'",
	                   "more than one account matches: %s%s", list, more);
}

static enum outcome choose(struct context *context, const struct accounts *accounts, const struct wish *wish,
                           struct account *ret_account)
{
	const struct account *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < accounts->n; i++) {
		const struct account *account = &accounts->list[i];

		if (!matches(account, wish))
			continue;
		n++;
		if (!found || account_is_default(context, account))
			found = account;
	}
	if (!found)
		return no_match(context, accounts, wish, ret_account);
	if (n > 1 && !account_is_default(context, found))
		return ambiguous(context, accounts, wish);
	*ret_account = *found;
	ret_account->unknown = NULL;
	context_is_about(context, ret_account->base_url);
	return DONE;
}

/* One of CHARACTERS, or a NUL. */
static bool has_any(struct bytes text, const char *characters)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr(characters, text.p[i]))
			return true;
	return false;
}

bool account_of_request(const struct request *request, struct url *ret_url)
{
	char text[URL_BASE_MAX_BYTES + 1];
	struct out out = { .p = text, .room = sizeof text };

	/* What would be a user, a path or a query in a URL makes it another's, and so does a host in the protocol. */
	if (has_any(request->host, "@/?#\\") || has_any(request->protocol, ":@/?#\\"))
		return false;
	out_bytes(&out, request->protocol);
	out_text(&out, "://");
	out_bytes(&out, request->host);
	if (out.overflow || url_parse((struct bytes){ text, out.n }, ret_url) != URL_OK)
		return false;
	ret_url->user_id = request->username.p ? url_user_id(request->username) : 0;
	return !request->username.p || ret_url->user_id;
}

bool account_is_meant(const struct account *account, const struct url *url)
{
	return strcmp(account->base_url, url->base) == 0 && (!url->user_id || url->user_id == account->user_id);
}

enum outcome account_choose_for(struct context *context, const struct accounts *accounts, const struct url *url,
                                struct account *ret_account, bool *ret_found)
{
	struct wish wish = { .url = *url, .has_url = true, .user_id = url->user_id };

	/* A preference among those that are held: one that is not listed answers nobody. */
	if (!wish.user_id && accounts_find(accounts, url->base, default_user_id(context, url->base)))
		wish.user_id = default_user_id(context, url->base);
	*ret_found = any_matches(accounts, &wish);
	if (!*ret_found && sources_in_environment()) {
		ACCOUNTS brought = { 0 };

		sources_add(context, true, &brought);
		*ret_found = any_matches(&brought, &wish);
		return *ret_found ? choose(context, &brought, &wish, ret_account) : DONE;
	}
	return *ret_found ? choose(context, accounts, &wish, ret_account) : DONE;
}

/* In the list, else among those that need no login. */
static enum outcome choose_anywhere(struct context *context, const struct accounts *accounts, const struct wish *wish, struct account *ret_account)
{
	if (!any_matches(accounts, wish) && !(wish->has_url && wish->user_id && !wish->any_scheme)) {
		ACCOUNTS brought = { 0 };

		sources_add(context, false, &brought);
		if (any_matches(&brought, wish))
			return choose(context, &brought, wish, ret_account);
	}
	return choose(context, accounts, wish, ret_account);
}

/* Whom a wish names whole, or the default where it names nobody: without a look at the others. */
static enum outcome find_one(struct context *context, const struct wish *wish, struct accounts *ret_accounts)
{
	if (wish->has_url && wish->user_id && !wish->any_scheme)
		return accounts_read_one(wish->url.base, wish->user_id, ret_accounts, &context->trouble);
	if (!wish->has_url && !wish->user_id)
		return accounts_read_one(NULL, 0, ret_accounts, &context->trouble);
	return DONE;
}

enum outcome account_find(struct context *context, const char *argument, struct account *ret_account)
{
	ACCOUNTS one = { 0 }, accounts = { 0 };
	struct wish wish;
	enum outcome outcome = read_wish(context, argument, &wish);

	if (outcome == DONE)
		outcome = find_one(context, &wish, &one);
	if (outcome != DONE)
		return outcome;
	if (one.n)
		return choose(context, &one, &wish, ret_account);
	outcome = accounts_read(&accounts, &context->trouble);
	return outcome == DONE ? choose_anywhere(context, &accounts, &wish, ret_account) : outcome;
}

enum outcome account_choose(struct context *context, const struct accounts *accounts, const char *argument,
                            struct account *ret_account)
{
	struct wish wish;
	enum outcome outcome = read_wish(context, argument, &wish);

	return outcome == DONE ? choose_anywhere(context, accounts, &wish, ret_account) : outcome;
}
