/* SPDX-License-Identifier: MIT */
/*
 * Recovery copies: written, found, removed.
 */
#include "helper/lifecycle/recovery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/base/file.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/vault.h"
#include "helper/state.h"

#define FACILITY "recovery"
#define KEPT_S 86400
#define BEGUN_FIRST_S 1000000000 /* of ten digits, as all are until 2286: one of fewer was cut off */
#define NAME_BYTES (ACCOUNT_LOCK_BYTES + sizeof ".recovery")

bool recovery_keep(struct context *context, const struct account *account, const struct refresh_record *record)
{
	SECRET line = { 0 };

	return refresh_record_format(record, &line) &&
	       vault_put_line(context, account, FACILITY, secret_view(&line), KEPT_S) == ACRED_OK;
}

/* The directory that the file lies in, opened, and its name there. */
static bool open_place(const struct account *account, struct state_dir *ret_dir, char name[NAME_BYTES])
{
	char key[ACCOUNT_LOCK_BYTES];
	struct trouble ignored = { 0 };

	snprintf(name, NAME_BYTES, "%s.recovery", account_lock_name(account, key));
	return state_open_shared(ret_dir, &ignored) == DONE;
}

bool recovery_keep_in_file(const struct account *account, const struct refresh_record *record,
                           char ret_path[RECOVERY_PATH_BYTES])
{
	SECRET line = { 0 };
	char name[NAME_BYTES];
	struct state_dir dir;
	int error;

	if (!refresh_record_format(record, &line) || !open_place(account, &dir, name))
		return false;
	error = file_replace(dir.fd, name, secret_view(&line));
	snprintf(ret_path, RECOVERY_PATH_BYTES, "%s/%s", dir.path, name);
	close(dir.fd);
	trace("recovery copy in %s: %s", ret_path, error ? strerror(error) : "kept");
	return error == 0;
}

/* WHAT is wrong with what lies WHERE, and what HELPS beside a login. */
static enum recovery unusable(struct trouble *trouble, const struct account *account, const char *where, const char *what, const char *help)
{
	char text[ACCOUNT_TEXT_BYTES], remedy[sizeof trouble->remedy];

	snprintf(remedy, sizeof remedy, "%.350s, or log in again: 'alation-cred login %s'", help, account->base_url);
	trouble_say(trouble, TROUBLE_RECOVERY, remedy, "the recovery copy of the RefreshToken of %s %s: %s", account_text(account, text), what, where);
	return RECOVERY_UNUSABLE;
}

static enum recovery judge(struct bytes line, const struct account *account, const char *where, const char *help,
                           struct refresh_record *ret_record, struct trouble *ret_trouble)
{
	enum record_fault fault = refresh_record_parse(line, ret_record);

	/* It is always of our own making: no bare token, and the mark is its last member. */
	if (fault == RECORD_OK && ret_record->regen_begun < BEGUN_FIRST_S)
		fault = RECORD_DAMAGED;
	if (fault == RECORD_OK && vault_is_foreign(ret_record, account))
		fault = RECORD_FOREIGN;
	if (fault == RECORD_OK)
		return RECOVERY_FOUND;
	refresh_record_wipe(ret_record);
	return unusable(ret_trouble, account, where, vault_fault_words(fault), fault == RECORD_NEWER ? "update this alation-cred" : help);
}

/* Which module failed over what it has, where none gave it; NULL: none did. */
static const char *failing_module(const struct keyring_answer *answer)
{
	if (answer->status == ACRED_FAILED)
		return answer->module;
	for (size_t i = 0; i < answer->n_passed_over; i++)
		if (answer->passed_over[i].status == ACRED_FAILED)
			return answer->passed_over[i].module;
	return NULL;
}

static enum recovery look_into_cache(struct context *context, const struct account *account, struct refresh_record *ret_record,
                                     struct trouble *ret_trouble)
{
	static const char help[] = "wait a day, after which it is gone";
	SECRET line = { 0 };
	struct keyring_answer answer;
	bool found = vault_get_line(context, account, FACILITY, &line, &answer) == ACRED_OK;
	const char *module = found ? answer.module : failing_module(&answer);
	char where[96];

	if (!module)
		return RECOVERY_NONE;
	snprintf(where, sizeof where, "the one in the module '%.64s'", module);
	if (!found)
		return unusable(ret_trouble, account, where, "cannot be read", help);
	return judge(secret_view(&line), account, where, help, ret_record, ret_trouble);
}

static enum recovery look_into_file(const struct account *account, struct refresh_record *ret_record, struct trouble *ret_trouble)
{
	SECRET line = { 0 };
	char name[NAME_BYTES], path[RECOVERY_PATH_BYTES], chmod[400];
	struct state_dir dir;
	const char *why;
	int error;

	if (!open_place(account, &dir, name))
		return RECOVERY_NONE;
	error = file_read_private(dir.fd, name, &line, &why);
	close(dir.fd);
	if (error == ENOENT)
		return RECOVERY_NONE;
	snprintf(path, sizeof path, "%s/%s", dir.path, name);
	if (!error)
		return judge(secret_view(&line), account, path, "move it away", ret_record, ret_trouble);
	snprintf(chmod, sizeof chmod, "'chmod 600 %.300s' if nobody else has written it", path);
	return unusable(ret_trouble, account, path, why, error == EACCES ? chmod : "move it away");
}

enum recovery recovery_look(struct context *context, const struct account *account, enum recovery_place place,
                            struct refresh_record *ret_record, struct trouble *ret_trouble)
{
	*ret_record = (struct refresh_record){ 0 };
	return place == RECOVERY_FILE ? look_into_file(account, ret_record, ret_trouble) :
	                                look_into_cache(context, account, ret_record, ret_trouble);
}

void recovery_forget(struct context *context, const struct account *account)
{
	char name[NAME_BYTES];
	struct state_dir dir;

	vault_drop_line(context, account, FACILITY);
	if (!open_place(account, &dir, name))
		return;
	unlinkat(dir.fd, name, 0);
	close(dir.fd);
}
