/* SPDX-License-Identifier: MIT */
/*
 * Items by their attributes: application=alation-cred, facility, base_url, user_id. Exactly these are sent and searched. An item that
 * was put there by hand may have more of them.
 */
#include <inttypes.h>
#include <string.h>

#include "keyring/modules/secret-service-item.h"

#define APPLICATION "alation-cred"

GHashTable *item_attributes_all(void)
{
	GHashTable *attributes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	g_hash_table_insert(attributes, (void *)"application", g_strdup(APPLICATION));
	return attributes;
}

static GHashTable *attributes_of(const struct acred_key *key)
{
	GHashTable *attributes = item_attributes_all();

	g_hash_table_insert(attributes, (void *)"facility", g_strdup(key->facility));
	g_hash_table_insert(attributes, (void *)"base_url", g_strdup(key->base_url));
	g_hash_table_insert(attributes, (void *)"user_id", g_strdup_printf("%" PRId64, key->user_id));
	return attributes;
}

int item_find(struct talk *talk, const struct acred_key *key, char ***ret_items, bool *ret_more)
{
	GHashTable *attributes = attributes_of(key);
	int status = talk_find(talk, attributes, ret_items, ret_more);

	g_hash_table_unref(attributes);
	return status;
}

int item_newest(struct talk *talk, char *const *items, size_t *ret_which)
{
	guint64 best = 0;

	*ret_which = 0;
	for (size_t i = 0; items[1] != NULL && items[i] != NULL; i++) {
		GVariant *modified;
		int status = talk_property(talk, items[i], ITEM_INTERFACE, "Modified", "t", &modified);

		if (status != ACRED_OK)
			return status;
		if (g_variant_get_uint64(modified) > best) {
			best = g_variant_get_uint64(modified);
			*ret_which = i;
		}
		g_variant_unref(modified);
	}
	return ACRED_OK;
}

/* One in a hundred of KWallet's sessions (5.103) fails: where it is opened, or because the two sides have other keys. Each call
 * says so in words of its own, or reads nothing. */
static int suspect_session(struct talk *talk, int status)
{
	talk->bad_session |= status == ACRED_FAILED || status == ACRED_UNAVAILABLE;
	return status;
}

/* The value frees and wipes itself with secret_value_unref(). */
static int read_item(struct talk *talk, const char *item, SecretValue **ret_value)
{
	GError *error = NULL;
	SecretValue *value = secret_service_get_secret_for_dbus_path_sync(talk->vault->service, item, talk->cancel, &error);

	if (error != NULL)
		return suspect_session(talk, talk_fail(talk, "reading", error));
	if (value == NULL)
		return suspect_session(talk, talk_say(talk, "the Secret Service gave no secret for an item it has", ACRED_FAILED));
	*ret_value = value;
	return ACRED_OK;
}

static gsize length_of(SecretValue *value)
{
	gsize n;

	secret_value_get(value, &n);
	return n;
}

int item_read_newest(struct talk *talk, char **items, SecretValue **ret_value)
{
	for (guint n = g_strv_length(items); n > 0; n--) {
		SecretValue *value;
		size_t which;
		int status = item_newest(talk, items, &which);

		if (status == ACRED_OK)
			status = read_item(talk, items[which], &value);
		if (status != ACRED_OK)
			return status;
		if (length_of(value) > 0) {
			*ret_value = value;
			return ACRED_OK;
		}
		secret_value_unref(value);
		g_free(items[which]);
		items[which] = items[n - 1];
		items[n - 1] = NULL;
	}
	return ACRED_ABSENT;
}

/* VALUE as the service takes it, encrypted for our session with it; the caller's. */
static int encode(struct talk *talk, SecretValue *value, GVariant **ret_secret)
{
	GError *error = NULL;
	GVariant *secret;

	if (!secret_service_ensure_session_sync(talk->vault->service, talk->cancel, &error))
		return suspect_session(talk, talk_fail(talk, "a session", error));
	secret = secret_service_encode_dbus_secret(talk->vault->service, value);
	if (secret == NULL)
		return talk_say(talk, "the secret could not be encrypted for the Secret Service", ACRED_FAILED);
	*ret_secret = g_variant_take_ref(secret);
	return ACRED_OK;
}

static int set_secret(struct talk *talk, const char *item, SecretValue *value)
{
	GVariant *secret, *reply;
	int status = encode(talk, value, &secret);

	if (status != ACRED_OK)
		return status;
	status = suspect_session(talk, talk_method(talk, item, ITEM_INTERFACE, "SetSecret", g_variant_new("(@(oayays))", secret), "()", &reply));
	g_variant_unref(secret);
	if (status == ACRED_OK)
		g_variant_unref(reply);
	return status;
}

static int read_length(struct talk *talk, const char *item, gsize *ret_n)
{
	SecretValue *value;
	int status = read_item(talk, item, &value);

	if (status != ACRED_OK)
		return status;
	*ret_n = length_of(value);
	secret_value_unref(value);
	return ACRED_OK;
}

/* ABSENT: it is empty already. It is read back as a store is. */
static int empty_item(struct talk *talk, const char *item)
{
	SecretValue *nothing;
	gsize n = 0;
	int status = read_length(talk, item, &n);

	if (status != ACRED_OK || n == 0)
		return status != ACRED_OK ? status : ACRED_ABSENT;
	nothing = secret_value_new("", 0, "text/plain");
	status = set_secret(talk, item, nothing);
	secret_value_unref(nothing);
	if (status == ACRED_OK)
		status = read_length(talk, item, &n);
	return status == ACRED_OK && n > 0 ? talk_say(talk, "the Secret Service still has what it said it emptied", ACRED_FAILED) : status;
}

/* Deletes ITEM, or empties it where nobody may be asked: KeePassXC may show a dialog for each deletion, and does not say
 * whether it will. */
static int remove_item(struct talk *talk, const char *item, bool *ret_stays)
{
	const char *prompt;
	GVariant *reply;
	int status = talk_method(talk, item, ITEM_INTERFACE, "Delete", NULL, "(o)", &reply);

	if (status != ACRED_OK)
		return status;
	g_variant_get(reply, "(&o)", &prompt);
	status = talk_prompt(talk, prompt);
	*ret_stays = status == ACRED_LOCKED && !talk->may_prompt;
	g_variant_unref(reply);
	return *ret_stays ? empty_item(talk, item) : status;
}

int items_remove(struct talk *talk, char *const *items, const char *keep, bool *ret_stay)
{
	int all = ACRED_ABSENT;

	*ret_stay = false;
	for (; *items != NULL; items++) {
		bool stays = false;
		int status = keep != NULL && strcmp(*items, keep) == 0 ? ACRED_ABSENT : remove_item(talk, *items, &stays);

		if (status != ACRED_OK && status != ACRED_ABSENT)
			return status;
		all = status == ACRED_OK ? status : all;
		*ret_stay |= stays;
	}
	return all;
}

/* The item's properties as CreateItem takes them. */
static GVariant *properties_of(const struct acred_key *key)
{
	GHashTable *attributes = attributes_of(key);
	const char *host = strstr(key->base_url, "://"), *name, *value;
	GVariantBuilder all, strings;
	GHashTableIter i;
	char *label;

	g_variant_builder_init(&strings, G_VARIANT_TYPE("a{ss}"));
	g_hash_table_iter_init(&i, attributes);
	while (g_hash_table_iter_next(&i, (void **)&name, (void **)&value))
		g_variant_builder_add(&strings, "{ss}", name, value);
	label = g_strdup_printf("Alation %s (%" PRId64 "@%s)",
	                        strcmp(key->facility, "refresh") == 0 ? "RefreshToken" : key->facility, key->user_id,
	                        host != NULL ? host + 3 : key->base_url);
	g_variant_builder_init(&all, G_VARIANT_TYPE("a{sv}"));
	g_variant_builder_add(&all, "{sv}", ITEM_INTERFACE ".Label", g_variant_new_string(label));
	g_variant_builder_add(&all, "{sv}", ITEM_INTERFACE ".Attributes", g_variant_builder_end(&strings));
	g_free(label);
	g_hash_table_unref(attributes);
	return g_variant_builder_end(&all);
}

/* KeePassXC has a prompt for each CreateItem. For a new item in an open keyring it shows nothing; for one that is there it
 * asks whether that may be used, even where it asks nobody for it otherwise. */
static int finish_create(struct talk *talk, const struct acred_key *key, const char *prompt, SecretValue *value, char **ret_item)
{
	size_t which;
	char **items;
	bool more;
	int status = item_find(talk, key, &items, &more);

	if (status == ACRED_ABSENT)
		return talk_run_prompt(talk, prompt, ret_item);
	talk_dismiss(talk, prompt);
	if (status != ACRED_OK)
		return status;
	status = item_newest(talk, items, &which);
	if (status == ACRED_OK)
		status = set_secret(talk, items[which], value);
	if (status == ACRED_OK)
		*ret_item = g_strdup(items[which]);
	g_strfreev(items);
	return status;
}

/* libsecret's own call would let any dialog run that the service asks for. */
int item_create(struct talk *talk, const struct acred_key *key, const char *collection, SecretValue *value,
                       char **ret_item)
{
	const char *item, *prompt;
	GVariant *reply, *secret;
	int status = encode(talk, value, &secret);

	if (status != ACRED_OK)
		return status;
	status = suspect_session(talk, talk_method(talk, collection, COLLECTION_INTERFACE, "CreateItem",
	                                           g_variant_new("(@a{sv}@(oayays)b)", properties_of(key), secret, TRUE), "(oo)", &reply));
	g_variant_unref(secret);
	if (status != ACRED_OK)
		return status;
	g_variant_get(reply, "(&o&o)", &item, &prompt);
	if (strcmp(prompt, NO_PATH) != 0)
		status = finish_create(talk, key, prompt, value, ret_item);
	else if (strcmp(item, NO_PATH) != 0)
		*ret_item = g_strdup(item);
	g_variant_unref(reply);
	return status;
}

int item_compare(struct talk *talk, const char *item, const char *bytes, size_t len)
{
	SecretValue *value;
	const char *found;
	bool same;
	gsize n;
	int status = read_item(talk, item, &value);

	if (status != ACRED_OK)
		return status;
	found = secret_value_get(value, &n);
	same = n == len && memcmp(found, bytes, n) == 0;
	secret_value_unref(value);
	return same ? ACRED_OK : talk_say(talk, "the Secret Service does not give back what it took", ACRED_FAILED);
}
