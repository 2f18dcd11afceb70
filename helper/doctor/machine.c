/* SPDX-License-Identifier: MIT */
/*
 * The steps that need this machine alone: configuration, state directory, accounts, user namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/base/file.h"
#include "helper/doctor/doctor.h"
#include "helper/sources.h"
#include "helper/state.h"

#define TRY_BYTES 4096 /* a full disk may still take an empty file */

void doctor_configuration(struct doctor *doctor)
{
	const struct config *config = &doctor->context->config;
	char text[DOCTOR_TEXT_BYTES] = "";
	size_t n = 0;

	if (doctor->context->trouble.code != TROUBLE_NONE) {
		doctor_fail_so(doctor);
		return;
	}
	for (size_t i = 0; i < sizeof config->files / sizeof *config->files; i++)
		if (config->files[i].path[0] && n < sizeof text)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s%.340s%s", n ? "; " : "", config->files[i].path, config->files[i].there ? "" : " (not there)");
	doctor_ok(doctor, "%s", n ? text : "none is read");
}

static bool on_tmpfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static void judge_directory(struct doctor *doctor, const struct state_dir *dir)
{
	static const char content[TRY_BYTES];
	int error = file_try(dir->fd, "accounts", (struct bytes){ content, sizeof content });

	if (error)
		doctor_fail(doctor, TROUBLE_CONFIGURATION, error == ENOSPC || error == EDQUOT ? "make room on that disk" : "let the user write there, or set HOME to a directory that can be written",
		            "%s cannot be written: %s", dir->path, strerror(error));
	else if (dir->fallback)
		doctor_ok(doctor, "%s, because HOME is not set or cannot be written; what is there ends with a restart", dir->path);
	else
		doctor_ok(doctor, "%s, can be written%s", dir->path, on_tmpfs(dir->fd) ? "; it is on a tmpfs, and ends with a restart" : "");
}

void doctor_state(struct doctor *doctor)
{
	struct state_dir dir, locks;

	if (state_open(true, &dir, &doctor->context->trouble) != DONE) {
		doctor_fail_so(doctor);
		return;
	}
	if (state_open_locks(&locks, &doctor->context->trouble) != DONE) {
		doctor_fail_so(doctor);
	} else {
		judge_directory(doctor, &dir);
		close(locks.fd);
	}
	close(dir.fd);
}

void doctor_accounts(struct doctor *doctor)
{
	if (accounts_read(&doctor->accounts, &doctor->context->trouble) != DONE)
		doctor_fail_so(doctor);
	else
		doctor_ok(doctor, "%zu in the list", doctor->accounts.n);
}

/* Where nobody is logged in yet, or several are meant, the way to the instance can be proved all the same. */
static void take_instance(struct doctor *doctor)
{
	const char *text = doctor->argument ? doctor->argument : getenv("ALATION_BASE_URL");
	const struct config_value *value = config_find_in(&doctor->context->config, CONFIG_BASE_URL, "");
	struct trouble why = doctor->context->trouble;
	struct url url;

	if (!text || !*text)
		text = value ? value->value : NULL;
	if (text && *text && account_url(doctor->context, text, &url) == DONE)
		memcpy(doctor->account.base_url, url.base, sizeof doctor->account.base_url);
	doctor->context->trouble = why;
}

void doctor_account(struct doctor *doctor)
{
	const struct account *account = &doctor->account;
	char text[ACCOUNT_TEXT_BYTES];

	if (account_choose(doctor->context, &doctor->accounts, doctor->argument, &doctor->account) != DONE) {
		if (doctor->context->trouble.code == TROUBLE_NO_ACCOUNT || doctor->context->trouble.code == TROUBLE_AMBIGUOUS_ACCOUNT)
			take_instance(doctor);
		doctor_fail_so(doctor);
		return;
	}
	doctor->has_account = true;
	doctor->is_listed = accounts_find(&doctor->accounts, account->base_url, account->user_id);
	account_text(account, text);
	if (!doctor->is_listed)
		doctor_ok(doctor, "%s, which is not in the list", text);
	else
		doctor_ok(doctor, "%s, %s%s", text, account_is_default(doctor->context, account) ? "the default, " : "", account->exclusive ? "exclusive" : "shared");
}

const char *doctor_whom(const struct doctor *doctor, char *text)
{
	return account_text(&doctor->account, text);
}

/* The first namespace maps every user to itself. */
void doctor_user_namespace(struct doctor *doctor)
{
	char map[256];
	unsigned long inside, outside, count;
	long n = file_peek("/proc/self/uid_map", map, sizeof map - 1);

	if (n <= 0) {
		doctor_skip(doctor, "this kernel does not tell");
		return;
	}
	map[n] = '\0';
	if (sscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && inside == 0 && outside == 0 && count == 4294967295)
		doctor_ok(doctor, "the machine's own, with the user's kernel keyring");
	else
		doctor_ok(doctor, "another than the machine's (a container): its kernel keyring is another, too, so that access tokens are not shared with what runs outside; it needs a RefreshToken of its own");
}
