/* SPDX-License-Identifier: MIT */
/*
 * Recovery copies: written, found, removed.
 */
#include "helper/lifecycle/recovery.h"

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

static bool read_file(const struct account *account, struct secret *ret_line)
{
	char name[NAME_BYTES];
	struct state_dir dir;
	bool found;

	if (!open_place(account, &dir, name))
		return false;
	found = file_read(dir.fd, name, ret_line) == 0;
	close(dir.fd);
	return found;
}

bool recovery_find(struct context *context, const struct account *account, struct refresh_record *ret_record)
{
	SECRET line = { 0 };

	*ret_record = (struct refresh_record){ 0 };
	if (vault_get_line(context, account, FACILITY, &line) != ACRED_OK && !read_file(account, &line))
		return false;
	/* A bare token is none: a copy is always of our own making. */
	if (refresh_record_parse(secret_view(&line), ret_record) == RECORD_OK && ret_record->base_url[0] &&
	    !vault_is_foreign(ret_record, account))
		return true;
	refresh_record_wipe(ret_record);
	return false;
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
