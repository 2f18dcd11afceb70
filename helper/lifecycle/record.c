/* SPDX-License-Identifier: MIT */
/*
 * Records ↔ fields. Pure: no keyring, no clock, no file.
 */
#include "helper/lifecycle/record.h"

#include <stddef.h>
#include <stdlib.h>

#include "helper/base/form.h"
#include "protocol/protocol.h"

#define RECORD_VERSION 1

void refresh_record_wipe(struct refresh_record *record)
{
	secret_wipe(&record->token);
	secret_wipe(&record->unknown);
}

void access_record_wipe(struct access_record *record)
{
	secret_wipe(&record->token);
}

/* The version stands first, so that what a later version does with the rest need not parse for us. */
static enum record_fault take_version(struct bytes *line)
{
	struct bytes key, value;
	int64_t version;
	bool bad;

	if (!form_next(line, &key, &value, &bad) || !bytes_are(key, "v") || !form_int(value, &version) || version < 1)
		return RECORD_DAMAGED;
	return version > RECORD_VERSION ? RECORD_NEWER : RECORD_OK;
}

static bool keep_unknown(struct secret *unknown, struct bytes key, struct bytes value)
{
	/* It goes back into the keyring as it stands: what could break one there must not have come from here. */
	if (!form_encoded(key) || !form_encoded(value))
		return false;
	return (unknown->len == 0 || secret_append(unknown, bytes_of("&"))) && secret_append(unknown, key) &&
	       secret_append(unknown, bytes_of("=")) && secret_append(unknown, value);
}

static enum record_fault refresh_member(struct bytes key, struct bytes value, struct refresh_record *record)
{
	bool ok;

	if (bytes_are(key, "kind"))
		return bytes_are(value, "refresh-token") ? RECORD_OK : RECORD_FOREIGN;
	if (bytes_are(key, "base_url"))
		ok = form_decode_into(value, record->base_url, sizeof record->base_url);
	else if (bytes_are(key, "user_id"))
		ok = (record->user_id = url_user_id(value)) != 0;
	else if (bytes_are(key, "refresh_token"))
		ok = record->token.len == 0 && form_decode(value, &record->token);
	else if (bytes_are(key, "name"))
		ok = form_decode_into(value, record->name, sizeof record->name);
	else if (bytes_are(key, "created_at"))
		ok = form_int(value, &record->created_at);
	else if (bytes_are(key, "token_expires_at"))
		ok = form_int(value, &record->token_expires_at);
	else if (bytes_are(key, "regen_late"))
		ok = form_int(value, &record->regen_late);
	else if (bytes_are(key, "regen_begun"))
		ok = form_int(value, &record->regen_begun);
	else
		ok = keep_unknown(&record->unknown, key, value);
	return ok ? RECORD_OK : RECORD_DAMAGED;
}

/* A bare token holds no '&', so what starts like a record and has one is a record. */
static bool looks_like_record(struct bytes line)
{
	return bytes_after(&line, "v=") && memchr(line.p, '&', line.n);
}

enum record_fault refresh_record_parse(struct bytes line, struct refresh_record *ret_record)
{
	struct bytes key, value;
	enum record_fault fault;
	bool bad;

	*ret_record = (struct refresh_record){ .created_at = RECORD_TIME_UNKNOWN, .token_expires_at = RECORD_TIME_UNKNOWN };
	if (!looks_like_record(line)) {
		/* `echo TOKEN | secret-tool store …` leaves one. */
		if (line.n && line.p[line.n - 1] == '\n')
			line.n--;
		if (!token_ok(line))
			return RECORD_DAMAGED;
		return secret_set(&ret_record->token, line) ? RECORD_OK : RECORD_NO_MEMORY;
	}
	fault = take_version(&line);
	while (fault == RECORD_OK && form_next(&line, &key, &value, &bad))
		fault = refresh_member(key, value, ret_record);
	if (fault == RECORD_OK && (bad || !token_ok(secret_view(&ret_record->token)) || !ret_record->base_url[0] ||
	                           !ret_record->user_id))
		fault = RECORD_DAMAGED;
	return fault;
}

bool refresh_record_format(const struct refresh_record *record, struct secret *ret_line)
{
	SECRET line = { 0 };
	bool ok;

	ok = form_add_int(&line, "v", RECORD_VERSION) && form_add(&line, "kind", bytes_of("refresh-token")) &&
	     form_add(&line, "base_url", bytes_of(record->base_url)) && form_add_int(&line, "user_id", record->user_id) &&
	     form_add(&line, "refresh_token", secret_view(&record->token)) && form_add(&line, "name", bytes_of(record->name));
	if (ok && record->created_at != RECORD_TIME_UNKNOWN)
		ok = form_add_int(&line, "created_at", record->created_at);
	if (ok && record->token_expires_at != RECORD_TIME_UNKNOWN)
		ok = form_add_int(&line, "token_expires_at", record->token_expires_at);
	if (ok && record->regen_late)
		ok = form_add_int(&line, "regen_late", record->regen_late);
	if (ok && record->regen_begun)
		ok = form_add_int(&line, "regen_begun", record->regen_begun);
	if (ok && record->unknown.len)
		ok = secret_append(&line, bytes_of("&")) && secret_append(&line, secret_view(&record->unknown));
	if (ok)
		secret_move(ret_line, &line);
	return ok;
}

/* The whole numbers of an access record; those that are 0 are not written. */
static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
#define NUMBER(key, member) { key, offsetof(struct access_record, member) }
	NUMBER("minted_at", minted_at_ms),
	NUMBER("lifetime_s", lifetime_s),
	NUMBER("expires_at", expires_at),
	NUMBER("mints", mints),
	NUMBER("skew_s", skew_s),
	NUMBER("suspect", suspect_ms),
	NUMBER("late", late_ms),
	NUMBER("validated_at", validated_ms),
	NUMBER("unexplained_1", unexplained_ms[0]),
	NUMBER("unexplained_2", unexplained_ms[1]),
	NUMBER("warned_at", warned_ms),
	NUMBER("renewal_tried", renewal_ms),
	NUMBER("refused_at", refused_ms),
	NUMBER("refused_for_s", refused_for_s),
#undef NUMBER
};
#define NUMBER_MAX (INT64_C(1) << 50) /* more than any clock says: sums and products of them do not overflow */
#define NUMBERS (sizeof numbers / sizeof *numbers)

static const char *const refusals[] = {
	[REFUSAL_INVALID] = "invalid",
	[REFUSAL_EXPIRED] = "expired",
	[REFUSAL_THROTTLED] = "throttled",
};
#define REFUSALS (sizeof refusals / sizeof *refusals)

static bool parse_refusal(struct bytes value, enum refusal *ret_refusal)
{
	for (size_t i = REFUSAL_NONE + 1; i < REFUSALS; i++)
		if (bytes_are(value, refusals[i]))
			*ret_refusal = (enum refusal)i;
	return *ret_refusal != REFUSAL_NONE;
}

static int64_t *number_at(struct access_record *record, size_t i)
{
	return (int64_t *)((char *)record + numbers[i].offset);
}

static int64_t number_of(const struct access_record *record, size_t i)
{
	return *(const int64_t *)((const char *)record + numbers[i].offset);
}

static bool access_member(struct bytes key, struct bytes value, struct access_record *record)
{
	for (size_t i = 0; i < NUMBERS; i++)
		if (bytes_are(key, numbers[i].key))
			return form_int(value, number_at(record, i)) && llabs(number_of(record, i)) <= NUMBER_MAX;
	if (bytes_are(key, "token"))
		return record->token.len == 0 && form_decode(value, &record->token);
	if (bytes_are(key, "boot_id"))
		return form_decode_into(value, record->boot_id, sizeof record->boot_id);
	if (bytes_are(key, "parent"))
		return form_decode_into(value, record->parent, sizeof record->parent);
	if (bytes_are(key, "refused"))
		return parse_refusal(value, &record->refusal);
	if (bytes_are(key, "refused_parent"))
		return form_decode_into(value, record->refused_parent, sizeof record->refused_parent);
	return true; /* a later program's: this is a cache, the next mint writes it anew */
}

static bool is_sound(const struct access_record *record)
{
	if (!record->token.len) /* then something is remembered, with its boot where that can be told */
		return record->boot_id[0] || record->suspect_ms || record->late_ms || record->refused_ms || record->renewal_ms;
	return token_ok(secret_view(&record->token)) && record->lifetime_s > 0;
}

enum record_fault access_record_parse(struct bytes line, struct access_record *ret_record)
{
	struct access_record record = { 0 };
	struct bytes key, value;
	enum record_fault fault = take_version(&line);
	bool bad;

	while (fault == RECORD_OK && form_next(&line, &key, &value, &bad))
		if (!access_member(key, value, &record))
			fault = RECORD_DAMAGED;
	if (fault == RECORD_OK && (bad || !is_sound(&record)))
		fault = RECORD_DAMAGED;
	if (fault != RECORD_OK)
		access_record_wipe(&record);
	*ret_record = fault == RECORD_OK ? record : (struct access_record){ 0 };
	return fault;
}

bool access_record_format(const struct access_record *record, struct secret *ret_line)
{
	SECRET line = { 0 };
	bool ok = form_add_int(&line, "v", RECORD_VERSION);

	if (ok && record->token.len)
		ok = form_add(&line, "token", secret_view(&record->token));
	ok = ok && form_add(&line, "boot_id", bytes_of(record->boot_id));
	if (ok && record->parent[0])
		ok = form_add(&line, "parent", bytes_of(record->parent));
	for (size_t i = 0; i < NUMBERS && ok; i++)
		if (number_of(record, i))
			ok = form_add_int(&line, numbers[i].key, number_of(record, i));
	if (ok && record->refusal != REFUSAL_NONE)
		ok = form_add(&line, "refused", bytes_of(refusals[record->refusal])) &&
		     form_add(&line, "refused_parent", bytes_of(record->refused_parent));
	if (ok)
		secret_move(ret_line, &line);
	return ok;
}
