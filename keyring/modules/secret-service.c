/* SPDX-License-Identifier: MIT */
/*
 * The desktop's keyring through libsecret: GNOME Keyring, KWallet, KeePassXC. Creates no keyring, opens no
 * dialog unless the call may prompt. 'Absent' is said only by a service that answered with its default keyring
 * open: one that is locked or missing finds nothing either.
 *
 * An item's attributes are application=alation-cred, facility, base_url, user_id: exactly these are sent and
 * searched. An item that was put there by hand may have more of them; of several the one changed last counts,
 * and a store removes the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/modules/secret-service-bus.h"

#define APPLICATION "alation-cred"
#define SESSIONS 3
#define LOOK_ROUNDS 2 /* the default keyring is opened once */
#define ERASE_ROUNDS 3 /* those that were locked come after the others */

/* What a record is made of. A line feed or a backslash destroys a keyring that has no password, for all
 * applications, when its service is next started. */
#define RECORD_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%=&._~+-/"

static GHashTable *attributes_all(void)
{
	GHashTable *attributes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

	g_hash_table_insert(attributes, (void *)"application", g_strdup(APPLICATION));
	return attributes;
}

static GHashTable *attributes_of(const struct acred_key *key)
{
	GHashTable *attributes = attributes_all();

	g_hash_table_insert(attributes, (void *)"facility", g_strdup(key->facility));
	g_hash_table_insert(attributes, (void *)"base_url", g_strdup(key->base_url));
	g_hash_table_insert(attributes, (void *)"user_id", g_strdup_printf("%" PRId64, key->user_id));
	return attributes;
}

static int find_key(struct talk *talk, const struct acred_key *key, char ***ret_items, bool *ret_more)
{
	GHashTable *attributes = attributes_of(key);
	int status = talk_find(talk, attributes, ret_items, ret_more);

	g_hash_table_unref(attributes);
	return status;
}

/* Of several items the one that was changed last: which of ITEMS. */
static int newest(struct talk *talk, char *const *items, size_t *ret_which)
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

/* Reads the newest of ITEMS, at least one, that is not empty: an empty one was erased. Changes their order and number. */
static int read_newest(struct talk *talk, char **items, SecretValue **ret_value)
{
	for (guint n = g_strv_length(items); n > 0; n--) {
		SecretValue *value;
		size_t which;
		int status = newest(talk, items, &which);

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

/* An entry that was emptied may lie in another keyring than the one that is locked. */
static int find_value(struct talk *talk, const struct acred_key *key, SecretValue **ret_value)
{
	for (int round = 0; round < LOOK_ROUNDS; round++) {
		char **items;
		bool more;
		int status = find_key(talk, key, &items, &more);

		if (status != ACRED_OK)
			return status;
		status = read_newest(talk, items, ret_value);
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

/* Removes all of ITEMS but KEEP. *RET_STAY: some are still found, but empty. ABSENT: they were all empty before. */
static int remove_items(struct talk *talk, char *const *items, const char *keep, bool *ret_stay)
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
	int status = find_key(talk, key, &items, &more);

	if (status == ACRED_ABSENT)
		return talk_run_prompt(talk, prompt, ret_item);
	talk_dismiss(talk, prompt);
	if (status != ACRED_OK)
		return status;
	status = newest(talk, items, &which);
	if (status == ACRED_OK)
		status = set_secret(talk, items[which], value);
	if (status == ACRED_OK)
		*ret_item = g_strdup(items[which]);
	g_strfreev(items);
	return status;
}

/* libsecret's own call would let any dialog run that the service asks for. *RET_ITEM: NULL where the service does not tell. */
static int create_item(struct talk *talk, const struct acred_key *key, const char *collection, SecretValue *value,
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

/* Reads back what was stored: a service has been seen to acknowledge what it did not keep. */
static int compare_item(struct talk *talk, const char *item, const char *bytes, size_t len)
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

/* ITEM, NULL where it is to be found, must be what a look-up finds from now on. */
static int settle_item(struct talk *talk, const struct acred_key *key, const char *item, const char *bytes, size_t len)
{
	const char *kept = item;
	size_t which;
	char **items;
	bool more;
	int status = find_key(talk, key, &items, &more);

	if (status == ACRED_ABSENT)
		return talk_say(talk, "the Secret Service does not find what it took", ACRED_FAILED);
	if (status != ACRED_OK)
		return status;
	if (kept == NULL) {
		status = newest(talk, items, &which);
		kept = items[which];
	}
	if (status == ACRED_OK)
		status = compare_item(talk, kept, bytes, len);
	if (status == ACRED_OK)
		status = remove_items(talk, items, kept, &more);
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
	status = create_item(talk, key, collection, value, &item);
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
		int status = find_key(talk, key, &items, &more);

		if (status != ACRED_OK)
			return any && status == ACRED_ABSENT ? ACRED_OK : status;
		status = remove_items(talk, items, NULL, &stay);
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
	GHashTable *wanted = attributes_all();
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
