/* SPDX-License-Identifier: MIT */
/*
 * The desktop's keyring through libsecret: GNOME Keyring, KWallet, KeePassXC. Creates no keyring, opens no
 * dialog unless the call may prompt. 'Absent' is said only by a service that answered with its default keyring
 * open: one that is locked or missing finds nothing either.
 *
 * Of several items of a key the one changed last counts, and a store removes the others.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/modules/secret-service-item.h"

#define SESSIONS 3
#define LOOK_ROUNDS 2 /* the default keyring is opened once */
#define ERASE_ROUNDS 3 /* those that were locked come after the others */

/* What a record is made of. A line feed or a backslash destroys a keyring that has no password, for all
 * applications, when its service is next started. */
#define RECORD_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%=&._~+-/"

/* An entry that was emptied may lie in another keyring than the one that is locked. */
static int find_value(struct talk *talk, const struct acred_key *key, SecretValue **ret_value)
{
	for (int round = 0; round < LOOK_ROUNDS; round++) {
		char **items;
		bool more;
		int status = item_find(talk, key, &items, &more);

		if (status != ACRED_OK)
			return status;
		status = item_read_newest(talk, items, ret_value);
		g_strfreev(items);
		if (status != ACRED_ABSENT)
			return status;
		status = talk_pass_over(talk, more);
		if (status != ACRED_OK)
			return status;
	}
	return talk_say(talk, "the keyring stays locked", ACRED_LOCKED);
}

static int look_up(struct talk *talk, const struct acred_key *key)
{
	SecretValue *value = NULL;
	const char *bytes;
	gsize n;
	int status = find_value(talk, key, &value);

	if (status != ACRED_OK)
		return status;
	bytes = secret_value_get(value, &n);
	if (talk->call->put(talk->call->host, bytes, n) != 0)
		status = ACRED_FAILED;
	secret_value_unref(value);
	return status;
}

/* ITEM, NULL where it is to be found, must be what a look-up finds from now on. */
static int settle_item(struct talk *talk, const struct acred_key *key, const char *item, const char *bytes, size_t len)
{
	const char *kept = item;
	size_t which;
	char **items;
	bool more;
	int status = item_find(talk, key, &items, &more);

	if (status == ACRED_ABSENT)
		return talk_say(talk, "the Secret Service does not find what it took", ACRED_FAILED);
	if (status != ACRED_OK)
		return status;
	if (kept == NULL) {
		status = item_newest(talk, items, &which);
		kept = items[which];
	}
	if (status == ACRED_OK)
		status = item_compare(talk, kept, bytes, len);
	if (status == ACRED_OK)
		status = items_remove(talk, items, kept, &more);
	g_strfreev(items);
	return status == ACRED_ABSENT ? ACRED_OK : status;
}

static int store(struct talk *talk, const struct acred_key *key, const char *bytes, size_t len)
{
	SecretValue *value;
	char *collection, *item = NULL;
	bool opened;
	int status = talk_open_default(talk, &collection, &opened);

	if (status != ACRED_OK)
		return status;
	value = secret_value_new(bytes, (gssize)len, "text/plain");
	status = item_create(talk, key, collection, value, &item);
	secret_value_unref(value);
	if (status == ACRED_OK)
		status = settle_item(talk, key, item, bytes, len);
	g_free(item);
	g_free(collection);
	return status;
}

static int erase(struct talk *talk, const struct acred_key *key)
{
	bool any = false;

	for (int round = 0; round < ERASE_ROUNDS; round++) {
		bool more, stay;
		char **items;
		int status = item_find(talk, key, &items, &more);

		if (status != ACRED_OK)
			return any && status == ACRED_ABSENT ? ACRED_OK : status;
		status = items_remove(talk, items, NULL, &stay);
		g_strfreev(items);
		if (stay && more && (status == ACRED_OK || status == ACRED_ABSENT))
			return talk_say(talk, "a part of what is to be erased is locked", ACRED_LOCKED);
		if (status != ACRED_OK && status != ACRED_ABSENT)
			return status;
		any |= status == ACRED_OK;
		if (!stay)
			continue;
		status = talk_pass_over(talk, false);
		if (status != ACRED_OK)
			return any && status == ACRED_ABSENT ? ACRED_OK : status;
	}
	return talk_say(talk, "the Secret Service still has what it said it deleted", ACRED_FAILED);
}

/* Whether the item's attributes are a key; the strings live as long as ATTRIBUTES. */
static bool key_of(GVariant *attributes, struct acred_key *ret_key)
{
	const char *id;
	char *rest;

	if (!g_variant_lookup(attributes, "facility", "&s", &ret_key->facility) ||
	    !g_variant_lookup(attributes, "base_url", "&s", &ret_key->base_url) ||
	    !g_variant_lookup(attributes, "user_id", "&s", &id) || id[0] < '1' || id[0] > '9')
		return false;
	errno = 0;
	ret_key->user_id = strtoll(id, &rest, 10);
	return errno == 0 && *rest == '\0';
}

static int list(struct talk *talk, void (*each)(void *host, const struct acred_key *))
{
	GHashTable *wanted = item_attributes_all();
	char **items = NULL;
	bool more = false;
	int status = talk_find(talk, wanted, &items, &more);

	for (size_t i = 0; status == ACRED_OK && items[i] != NULL; i++) {
		struct acred_key key;
		GVariant *attributes;

		status = talk_property(talk, items[i], ITEM_INTERFACE, "Attributes", "a{ss}", &attributes);
		if (status != ACRED_OK)
			break;
		if (key_of(attributes, &key))
			each(talk->call->host, &key);
		g_variant_unref(attributes);
	}
	g_strfreev(items);
	g_hash_table_unref(wanted);
	if (status == ACRED_ABSENT)
		return ACRED_OK;
	/* What is locked may show its attributes as hashes only. */
	return status == ACRED_OK && more ? talk_say(talk, "a part of the keyring is locked", ACRED_LOCKED) : status;
}

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
	(void)domain, (void)level, (void)message, (void)data;
}

static int service_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	(void)argv;
	if (argc > 0) {
		call->note(call->host, "takes no arguments");
		return ACRED_FAILED;
	}
	g_log_set_default_handler(quiet, NULL); /* stderr is not a module's */
	*state = g_new0(struct vault, 1);
	return ACRED_OK;
}

static void service_close(void *state)
{
	vault_disconnect(state);
	g_free(state);
}

/* TALK is over, and its connection given up, as after each failure: the next one has another session. */
static bool is_worth_another(const struct talk *talk, int status, int tries)
{
	return talk->bad_session && (status == ACRED_FAILED || status == ACRED_UNAVAILABLE) && tries < SESSIONS;
}

static int service_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	struct talk talk;
	int status, tries = 0;

	do {
		status = talk_begin(&talk, call, state);
		status = talk_end(&talk, status == ACRED_OK ? look_up(&talk, key) : status);
	} while (is_worth_another(&talk, status, ++tries));
	return status;
}

static bool is_record(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (memchr(RECORD_BYTES, bytes[i], sizeof RECORD_BYTES - 1) == NULL)
			return false;
	return len > 0 && len <= G_MAXSSIZE;
}

static int service_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes,
                         size_t len, int64_t ttl_s)
{
	struct talk talk;
	int status, tries = 0;

	(void)ttl_s; /* it keeps for good; a record carries its own end */
	if (!is_record(bytes, len)) {
		call->note(call->host, "refuses what is not a record of ours: some bytes destroy a keyring without a password");
		return ACRED_FAILED;
	}
	do {
		status = talk_begin(&talk, call, state);
		status = talk_end(&talk, status == ACRED_OK ? store(&talk, key, bytes, len) : status);
	} while (is_worth_another(&talk, status, ++tries));
	return status;
}

static int service_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	struct talk talk;
	int status = talk_begin(&talk, call, state);

	return talk_end(&talk, status == ACRED_OK ? erase(&talk, key) : status);
}

static int service_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	struct talk talk;
	int status = talk_begin(&talk, call, state);

	talk.may_prompt = false; /* the interface: a list asks nobody */
	return talk_end(&talk, status == ACRED_OK ? list(&talk, each) : status);
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "secret-service",
	.about = "the desktop's keyring: GNOME Keyring, KWallet, KeePassXC",
	.open = service_open,
	.lookup = service_lookup,
	.store = service_store,
	.erase = service_erase,
	.list = service_list,
	.close = service_close,
};
