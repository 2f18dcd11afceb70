/* SPDX-License-Identifier: MIT */
/*
 * accounts: read, checked, and replaced whole. A line that cannot be read refuses the file: half a list would
 * make a login look lost, and writing it back would lose it.
 */
#include "helper/accounts-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/file.h"
#include "helper/base/form.h"
#include "helper/lifecycle/lock.h"
#include "helper/state.h"
#include "protocol/out.h"

#define FILE_NAME "accounts"
#define VERSION 2      /* of the file: its first line says how many follow, so that a cut is noticed wherever it is */
#define LINE_VERSION 1 /* of an account's line; a file that begins with one is from before */

#define LINE_BEGINNING_BYTES (3 * URL_BASE_MAX_BYTES + 64)

/* The one account that is looked for. */
struct wanted {
	const char *base_url; /* NULL: the default */
	int64_t user_id;
};

const char *account_text(const struct account *account, char text[ACCOUNT_TEXT_BYTES])
{
	const char *host = strstr(account->base_url, "://");

	host = host ? host + 3 : account->base_url;
	if (!account->user_id) /* not known yet: a login */
		return memcpy(text, account->base_url, sizeof account->base_url);
	snprintf(text, ACCOUNT_TEXT_BYTES, "%.*s%lld@%s", (int)(host - account->base_url), account->base_url,
	         (long long)account->user_id, host);
	return text;
}

void accounts_free(struct accounts *accounts)
{
	for (size_t i = 0; i < accounts->n; i++)
		free(accounts->list[i].unknown);
	free(accounts->list);
	*accounts = (struct accounts){ 0 };
}

/* Room for one more. */
static bool have_room(struct accounts *accounts)
{
	size_t room = accounts->room ? 2 * accounts->room : 1;
	struct account *list;

	if (accounts->n < accounts->room)
		return true;
	list = realloc(accounts->list, room * sizeof *list);
	if (!list)
		return false;
	accounts->list = list;
	accounts->room = room;
	return true;
}

bool accounts_append(struct accounts *accounts, const struct account *account)
{
	if (!have_room(accounts))
		return false;
	accounts->list[accounts->n] = *account;
	accounts->list[accounts->n++].unknown = NULL;
	return true;
}

/* Room for N at once, which a file says that it has; fewer than that is not wrong yet. */
static void make_room(struct accounts *accounts, int64_t n)
{
	size_t room = 1;

	while (n > 0 && room < (size_t)n && room < ACCOUNTS_MAX)
		room *= 2;
	accounts->list = malloc(room * sizeof *accounts->list);
	accounts->room = accounts->list ? room : 0;
}

static bool flag(struct bytes value, bool *ret_flag)
{
	*ret_flag = bytes_are(value, "1");
	return *ret_flag || bytes_are(value, "0");
}

static bool keep_unknown(struct account *account, struct bytes key, struct bytes value)
{
	size_t had = account->unknown ? strlen(account->unknown) : 0, n = had;
	char *text;

	text = realloc(account->unknown, had + key.n + value.n + 3);
	if (!text)
		return false;
	text[n++] = '&';
	memcpy(text + n, key.p, key.n);
	n += key.n;
	text[n++] = '=';
	memcpy(text + n, value.p, value.n);
	text[n + value.n] = '\0';
	account->unknown = text;
	return true;
}

static bool member(struct bytes key, struct bytes value, struct account *account)
{
	int64_t version;

	if (bytes_are(key, "v"))
		return form_int(value, &version) && version == LINE_VERSION;
	if (bytes_are(key, "base_url"))
		return form_decode_into(value, account->base_url, sizeof account->base_url);
	if (bytes_are(key, "user_id"))
		return (account->user_id = url_user_id(value)) != 0;
	if (bytes_are(key, "name"))
		return form_decode_into(value, account->name, sizeof account->name);
	if (bytes_are(key, "module"))
		return form_decode_into(value, account->module, sizeof account->module);
	if (bytes_are(key, "token_expires_at"))
		return form_int(value, &account->refresh_expires_at);
	if (bytes_are(key, "rotation_lost_at"))
		return form_int(value, &account->rotation_lost_at);
	if (bytes_are(key, "default"))
		return flag(value, &account->is_default);
	if (bytes_are(key, "exclusive"))
		return flag(value, &account->exclusive);
	return keep_unknown(account, key, value);
}

/* *account is the caller's to free in any case. */
static bool parse_line(struct bytes line, struct account *account)
{
	struct bytes key, value;
	bool bad;

	*account = (struct account){ .refresh_expires_at = RECORD_TIME_UNKNOWN };
	if (!bytes_after(&(struct bytes){ line.p, line.n }, "v="))
		return false;
	/* A byte that we would have encoded is damage: in an address it would make another account of this one, and what is
	 * not known is written back as it stands. */
	while (form_next(&line, &key, &value, &bad))
		if (!form_encoded(key) || !form_encoded(value) || !member(key, value, account))
			return false;
	return !bad && account->base_url[0] && account->user_id;
}

static enum outcome broken(struct trouble *trouble, const char *dir, size_t line)
{
	return trouble_say(trouble, TROUBLE_CONFIGURATION, "mend or move the file away; the RefreshTokens stay in the keyring, 'alation-cred login' lists them anew",
	                   "%s/" FILE_NAME " cannot be read: line %zu is damaged, doubled, cut off or from a newer alation-cred", dir, line);
}

/* Takes the first line off *text. False: it is damaged. *ret_n: how many lines it says that follow; -1 in a file from
 * before. */
static bool take_header(struct bytes *text, int64_t *ret_n)
{
	struct bytes rest = *text, line, key, value;
	int64_t version;
	bool bad;

	*ret_n = -1;
	if (!bytes_next(&rest, '\n', &line) || !form_next(&line, &key, &value, &bad) || !bytes_are(key, "v") || !form_int(value, &version))
		return false;
	if (version == LINE_VERSION)
		return true;
	*text = rest;
	return version == VERSION && form_next(&line, &key, &value, &bad) && bytes_are(key, "accounts") && form_int(value, ret_n) &&
	       *ret_n >= 0 && !line.n;
}

static enum outcome parse(struct bytes text, const char *dir, struct accounts *accounts, struct trouble *trouble)
{
	struct bytes line;
	size_t header;
	int64_t n;

	/* Every line ends with a line feed: a last one without is a file that was cut. */
	if (!text.n || text.p[text.n - 1] != '\n' || !take_header(&text, &n))
		return broken(trouble, dir, 1);
	header = n >= 0;
	make_room(accounts, n);
	while (bytes_next(&text, '\n', &line)) {
		struct account *account;

		if (!have_room(accounts))
			return trouble_say(trouble, TROUBLE_CONFIGURATION, "", "no memory for the list of accounts");
		account = &accounts->list[accounts->n++];
		if (!parse_line(line, account) || accounts->n > ACCOUNTS_MAX ||
		    accounts_find(accounts, account->base_url, account->user_id) != account)
			return broken(trouble, dir, header + accounts->n);
	}
	return n < 0 || (size_t)n == accounts->n ? DONE : broken(trouble, dir, header + accounts->n + 1);
}

/* How format_line begins the line of that key; "" where it is too long. */
static struct bytes beginning_of(const char *base_url, int64_t user_id, char text[LINE_BEGINNING_BYTES])
{
	struct out out = { .p = text, .room = LINE_BEGINNING_BYTES };

	out_text(&out, "v=");
	out_int(&out, LINE_VERSION);
	out_text(&out, "&base_url=");
	out_form(&out, bytes_of(base_url));
	out_text(&out, "&user_id=");
	out_int(&out, user_id);
	out_text(&out, "&");
	return (struct bytes){ text, out.overflow ? 0 : out.n };
}

static bool begins_with(struct bytes line, struct bytes beginning)
{
	return line.n > beginning.n && memcmp(line.p, beginning.p, beginning.n) == 0;
}

static bool has_default_member(struct bytes line)
{
	static const char member[] = "&default=1";
	const char *at = memmem(line.p, line.n, member, sizeof member - 1);

	return at && (at + sizeof member - 1 == line.p + line.n || at[sizeof member - 1] == '&');
}

/* What the other lines say is not read; that they are all there is. */
static enum outcome parse_one(struct bytes text, const char *dir, const struct wanted *wanted, struct accounts *accounts, struct trouble *trouble)
{
	char beginning_text[LINE_BEGINNING_BYTES];
	struct bytes beginning = wanted->base_url ? beginning_of(wanted->base_url, wanted->user_id, beginning_text) : (struct bytes){ NULL, 0 }, line;
	int64_t n, lines = 0;

	if (!text.n || text.p[text.n - 1] != '\n' || !take_header(&text, &n))
		return broken(trouble, dir, 1);
	while (bytes_next(&text, '\n', &line)) {
		lines++;
		if (accounts->n || !(wanted->base_url ? beginning.n && begins_with(line, beginning) : has_default_member(line)))
			continue;
		if (!have_room(accounts))
			return DONE;
		accounts->n = 1;
		if (!parse_line(line, &accounts->list[0]))
			return broken(trouble, dir, (size_t)lines + (n >= 0));
	}
	/* The first one too many, or the one that is missing; behind the header. */
	return n < 0 || n == lines ? DONE : broken(trouble, dir, (size_t)(lines < n ? lines : n) + 2);
}

static enum outcome read_in(const struct state_dir *dir, const struct wanted *wanted, struct accounts *ret_accounts, struct trouble *trouble)
{
	SECRET text = { 0 };
	ACCOUNTS accounts = { 0 };
	enum outcome outcome;
	int error = file_read(dir->fd, FILE_NAME, &text);

	if (error == ENOENT)
		return DONE;
	if (error)
		return trouble_say(trouble, TROUBLE_CONFIGURATION, "it must be a regular file that is yours alone",
		                   "%s/" FILE_NAME " cannot be read: %s", dir->path, strerror(error));
	if (wanted)
		outcome = parse_one(secret_view(&text), dir->path, wanted, &accounts, trouble);
	else
		outcome = parse(secret_view(&text), dir->path, &accounts, trouble);
	if (outcome == DONE) {
		*ret_accounts = accounts;
		accounts = (struct accounts){ 0 };
	}
	return outcome;
}

static enum outcome read_wanted(const struct wanted *wanted, struct accounts *ret_accounts, struct trouble *trouble)
{
	struct state_dir dir;
	enum outcome outcome = state_open(false, &dir, trouble);

	*ret_accounts = (struct accounts){ 0 };
	if (outcome != DONE || dir.fd < 0)
		return outcome;
	outcome = read_in(&dir, wanted, ret_accounts, trouble);
	close(dir.fd);
	return outcome;
}

enum outcome accounts_read(struct accounts *ret_accounts, struct trouble *trouble)
{
	return read_wanted(NULL, ret_accounts, trouble);
}

enum outcome accounts_read_one(const char *base_url, int64_t user_id, struct accounts *ret_accounts, struct trouble *trouble)
{
	const struct wanted wanted = { base_url, user_id };

	return read_wanted(&wanted, ret_accounts, trouble);
}

struct account *accounts_find(const struct accounts *accounts, const char *base_url, int64_t user_id)
{
	for (size_t i = 0; i < accounts->n; i++)
		if (accounts->list[i].user_id == user_id && strcmp(accounts->list[i].base_url, base_url) == 0)
			return &accounts->list[i];
	return NULL;
}

static bool format_line(const struct account *account, struct secret *text)
{
	SECRET line = { 0 };

	return form_add_int(&line, "v", LINE_VERSION) && form_add(&line, "base_url", bytes_of(account->base_url)) &&
	       form_add_int(&line, "user_id", account->user_id) && form_add(&line, "name", bytes_of(account->name)) &&
	       form_add(&line, "module", bytes_of(account->module)) &&
	       (account->refresh_expires_at == RECORD_TIME_UNKNOWN ||
	        form_add_int(&line, "token_expires_at", account->refresh_expires_at)) &&
	       (!account->rotation_lost_at || form_add_int(&line, "rotation_lost_at", account->rotation_lost_at)) &&
	       form_add_int(&line, "default", account->is_default) && form_add_int(&line, "exclusive", account->exclusive) &&
	       secret_append(&line, bytes_of(account->unknown)) && secret_append(&line, bytes_of("\n")) &&
	       secret_append(text, secret_view(&line));
}

/* Adds or replaces; NULL: no room. */
static struct account *set_account(struct accounts *accounts, const struct account *put)
{
	struct account *at = accounts_find(accounts, put->base_url, put->user_id);
	char *unknown = at ? at->unknown : NULL;
	bool is_default = at && at->is_default;

	if (!at) {
		if (accounts->n >= ACCOUNTS_MAX || !have_room(accounts))
			return NULL;
		at = &accounts->list[accounts->n++];
	}
	*at = *put;
	at->unknown = unknown;
	at->is_default = is_default;
	return at;
}

static bool has_default(const struct accounts *accounts)
{
	for (size_t i = 0; i < accounts->n; i++)
		if (accounts->list[i].is_default)
			return true;
	return false;
}

static bool put_account(struct accounts *accounts, const struct account *put)
{
	bool is_default = put->is_default || !has_default(accounts);
	struct account *at = set_account(accounts, put);

	if (at && is_default)
		for (size_t i = 0; i < accounts->n; i++)
			accounts->list[i].is_default = &accounts->list[i] == at;
	return at;
}

static bool add_account(struct accounts *accounts, const struct account *add)
{
	return set_account(accounts, add);
}

static bool learn_account(struct accounts *accounts, const struct account *account)
{
	struct account *at = accounts_find(accounts, account->base_url, account->user_id);

	if (!at)
		return true;
	memcpy(at->name, account->name, sizeof at->name);
	memcpy(at->module, account->module, sizeof at->module);
	at->refresh_expires_at = account->refresh_expires_at;
	at->rotation_lost_at = account->rotation_lost_at;
	return true;
}

static bool remove_account(struct accounts *accounts, const struct account *remove)
{
	struct account *at = accounts_find(accounts, remove->base_url, remove->user_id);

	if (!at)
		return true;
	free(at->unknown);
	*at = accounts->list[--accounts->n];
	/* The last one left is the default again, as the first one is: nobody has to choose among one. */
	if (accounts->n == 1)
		accounts->list[0].is_default = true;
	return true;
}

typedef int write_file(int dirfd, const char *name, struct bytes content); /* file_replace, or file_try */

static enum outcome write_in(const struct state_dir *dir, const struct accounts *accounts, write_file *write, struct trouble *trouble)
{
	SECRET text = { 0 };
	int error = form_add_int(&text, "v", VERSION) && form_add_int(&text, "accounts", (int64_t)accounts->n) && secret_append(&text, bytes_of("\n")) ? 0 : ENOMEM;

	for (size_t i = 0; i < accounts->n && !error; i++)
		error = format_line(&accounts->list[i], &text) ? 0 : ENOMEM;
	if (!error)
		error = write(dir->fd, FILE_NAME, secret_view(&text));
	if (!error)
		return DONE;
	return trouble_say(trouble, TROUBLE_CONFIGURATION, "make room there, or make it writable, then try again", "%s/" FILE_NAME " cannot be written: %s",
	                   dir->path, strerror(error));
}

/*
 * Under the list's lock: read, CHANGE, WRITE. The list is read where it is always read: with a home that can only be
 * read, the first write goes elsewhere and takes along what home had.
 */
static enum outcome rewrite(const struct account *account, bool (*change)(struct accounts *, const struct account *),
                            write_file *write, int64_t deadline_ms, struct trouble *trouble)
{
	LOCK lock = LOCK_NONE;
	ACCOUNTS accounts = { 0 };
	struct state_dir dir;
	enum outcome outcome = lock_wait(FILE_NAME, deadline_ms, &lock, trouble);

	if (outcome == DONE)
		outcome = accounts_read(&accounts, trouble);
	if (outcome == DONE && !change(&accounts, account))
		outcome = trouble_say(trouble, TROUBLE_CONFIGURATION, "", "no room for one more account");
	if (outcome == DONE)
		outcome = state_open(true, &dir, trouble);
	if (outcome != DONE)
		return outcome;
	outcome = write_in(&dir, &accounts, write, trouble);
	close(dir.fd);
	return outcome;
}

enum outcome accounts_put(const struct account *account, int64_t deadline_ms, struct trouble *trouble)
{
	return rewrite(account, put_account, file_replace, deadline_ms, trouble);
}

enum outcome accounts_ready(const struct account *account, int64_t deadline_ms, struct trouble *trouble)
{
	return rewrite(account, put_account, file_try, deadline_ms, trouble);
}

enum outcome accounts_add(const struct account *account, int64_t deadline_ms, struct trouble *trouble)
{
	return rewrite(account, add_account, file_replace, deadline_ms, trouble);
}

/* What the environment brings is in no list, and nothing is written for it. */
static bool is_in_no_list(const struct account *account)
{
	ACCOUNTS accounts = { 0 };
	struct trouble ignored = { 0 };

	return accounts_read(&accounts, &ignored) == DONE && !accounts_find(&accounts, account->base_url, account->user_id);
}

enum outcome accounts_remove(const struct account *account, int64_t deadline_ms, struct trouble *trouble)
{
	if (is_in_no_list(account))
		return DONE;
	return rewrite(account, remove_account, file_replace, deadline_ms, trouble);
}

enum outcome accounts_learn(const struct account *account, int64_t deadline_ms, struct trouble *trouble)
{
	if (is_in_no_list(account))
		return DONE;
	return rewrite(account, learn_account, file_replace, deadline_ms, trouble);
}

void accounts_look_again(struct account *account)
{
	ACCOUNTS accounts = { 0 };
	struct trouble ignored = { 0 };
	const struct account *now;

	if (accounts_read(&accounts, &ignored) != DONE)
		return;
	now = accounts_find(&accounts, account->base_url, account->user_id);
	if (!now)
		return;
	*account = *now;
	account->unknown = NULL;
}
