/* SPDX-License-Identifier: MIT */
/*
 * The cached access token's ages and marks.
 */
#include "helper/lifecycle/cached.h"

#include <string.h>

#include "helper/base/clock.h"
#include "helper/base/file.h"
#include "helper/lifecycle/vault.h"

const char *cached_boot_id(void)
{
	static char id[RECORD_BOOT_ID_BYTES + 1];
	static bool known;

	if (!known && file_peek("/proc/sys/kernel/random/boot_id", id, RECORD_BOOT_ID_BYTES) != RECORD_BOOT_ID_BYTES)
		id[0] = '\0';
	known = true;
	return id;
}

int64_t cached_ago_ms(const struct access_record *record, int64_t boot_ms)
{
	return strcmp(cached_boot_id(), record->boot_id) == 0 ? clock_boot_ms() - boot_ms : -1;
}

int64_t cached_left_s(const struct access_record *record)
{
	int64_t age_ms = cached_ago_ms(record, record->minted_at_ms);

	/* Then the wall clock has to do. */
	return age_ms >= 0 ? record->lifetime_s - age_ms / 1000 : record->expires_at - clock_wall_s();
}

void cached_put_back(struct context *context, const struct account *account, const struct access_record *record)
{
	int64_t left_s = cached_left_s(record);

	if (left_s > 0)
		vault_keep_access(context, account, record, left_s);
}

void cached_keep(struct context *context, const struct account *account, struct access_record *record)
{
	ACCESS_RECORD before = { 0 };

	if (vault_access(context, account, &before))
		record->mints = before.mints + 1;
	vault_keep_access(context, account, record, record->lifetime_s);
}

/* True if that changed anything. */
static bool mark(struct context *context, const struct account *account, int64_t suspect_ms)
{
	ACCESS_RECORD record = { 0 };

	if (!vault_access(context, account, &record) || !record.suspect_ms == !suspect_ms)
		return false;
	record.suspect_ms = suspect_ms;
	cached_put_back(context, account, &record);
	return true;
}

bool cached_suspect(struct context *context, const struct account *account)
{
	return mark(context, account, clock_boot_ms());
}

void cached_trust(struct context *context, const struct account *account)
{
	mark(context, account, 0);
}
