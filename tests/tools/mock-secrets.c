/* SPDX-License-Identifier: MIT */
/*
 * A Secret Service that misbehaves on request, on the session bus; a real one shows no dialog where there is no display,
 * and never fails as these do:
 *
 *   mock-secrets [WORD]... [MANNER]
 *
 *   locked       its one keyring is locked, and opening it needs a dialog
 *   no-default   the alias 'default' names no keyring
 *   search-asks  a search while it is locked opens a dialog that nobody sees, and is answered never
 *   prompts      each store and each deletion has a prompt: that of a store shows nothing and does it
 *   emptied      in another keyring, which is open, lies an empty item of whatever key is asked for
 *   keeps        deletions are acknowledged, and not made
 *   lies=N       so are all stores but the first N
 *   bad=N        in the first N sessions neither side can read the other
 *   dies=N       it ends at the N-th call, before that has done anything
 *   loses=N      it does what the N-th call wants, and ends before it has answered
 *   file=PATH    its items outlive it there
 *   MANNER       what becomes of a dialog, from the table `manners`
 *
 * Keeps secrets as they come ("plain" is its only algorithm). stdout has a line "ready" when it has its name, then one for
 * each method that is called of it ("Get" for a property). Ends by a signal, or with the bus.
 */
#include <gio/gio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_NAME "org.freedesktop.secrets"
#define TOP "/org/freedesktop/secrets"
#define COLLECTION TOP "/collection/mock"
#define OTHER TOP "/collection/other"
#define DEFAULT_ALIAS TOP "/aliases/default"
#define SESSION TOP "/session/1"
#define PROMPT TOP "/prompt/1"
#define NO_PATH "/"
#define ERROR_LOCKED "org.freedesktop.Secret.Error.IsLocked"
#define ERROR_METHOD "org.freedesktop.DBus.Error.UnknownMethod"
#define ERROR_SUPPORT "org.freedesktop.DBus.Error.NotSupported"

enum on_prompt { SHOWS, OPENS, IS_DISMISSED, GOES, DIES, IS_REFUSED };
enum on_dismiss { COMPLETES, SAYS_YES, HAS_NO_SUCH, IS_SILENT };

static const struct manner {
	const char *name;
	enum on_prompt prompt;   /* what Prompt brings about */
	enum on_dismiss dismiss; /* what Dismiss does to a dialog that is shown */
} manners[] = {
	{ "opens", OPENS, COMPLETES },            /* the person gives the password */
	{ "dismissed", IS_DISMISSED, COMPLETES }, /* the person closes it */
	{ "unanswered", SHOWS, COMPLETES },       /* nobody is there */
	{ "acknowledged", SHOWS, SAYS_YES },      /* and Dismiss is answered, but nothing completes */
	{ "undismissable", SHOWS, HAS_NO_SUCH },  /* and there is no Dismiss */
	{ "mute", SHOWS, IS_SILENT },             /* and Dismiss is never answered */
	{ "vanishes", GOES, HAS_NO_SUCH },        /* the dialog's object is gone once it was asked for */
	{ "dies", DIES, HAS_NO_SUCH },            /* and so is the whole service */
	{ "refused", IS_REFUSED, COMPLETES },     /* the dialog cannot be shown */
};

struct item {
	char *path;
	GVariant *attributes, *label;
	GBytes *secret;
	guint64 modified; /* a count: each change is later than the one before */
	guint registered;
};

static struct {
	GDBusConnection *bus;
	GDBusNodeInfo *interfaces;
	const struct manner *manner;
	bool locked, no_default, search_asks, prompts, emptied, keeps;
	long sessions, bad_sessions, calls, dies_at, loses_at, stores, honest_stores; /* honest_stores < 0: all */
	const char *file;
	GPtrArray *items;
	guint64 changes;
	guint prompt;
	GVariant *wanted; /* what CreateItem was called with, until its prompt runs */
	gint ends;        /* atomic: the next answer is not sent any more */
} mock = { .manner = &manners[0], .honest_stores = -1 };

static const char interfaces[] =
	"<node>"
	"<interface name='org.freedesktop.Secret.Service'>"
	"<method name='OpenSession'><arg type='s' direction='in'/><arg type='v' direction='in'/><arg type='v' direction='out'/><arg type='o' direction='out'/></method>"
	"<method name='CreateCollection'><arg type='a{sv}' direction='in'/><arg type='s' direction='in'/><arg type='o' direction='out'/><arg type='o' direction='out'/></method>"
	"<method name='SearchItems'><arg type='a{ss}' direction='in'/><arg type='ao' direction='out'/><arg type='ao' direction='out'/></method>"
	"<method name='Unlock'><arg type='ao' direction='in'/><arg type='ao' direction='out'/><arg type='o' direction='out'/></method>"
	"<method name='Lock'><arg type='ao' direction='in'/><arg type='ao' direction='out'/><arg type='o' direction='out'/></method>"
	"<method name='GetSecrets'><arg type='ao' direction='in'/><arg type='o' direction='in'/><arg type='a{o(oayays)}' direction='out'/></method>"
	"<method name='ReadAlias'><arg type='s' direction='in'/><arg type='o' direction='out'/></method>"
	"<property name='Collections' type='ao' access='read'/>"
	"</interface>"
	"<interface name='org.freedesktop.Secret.Collection'>"
	"<method name='CreateItem'><arg type='a{sv}' direction='in'/><arg type='(oayays)' direction='in'/><arg type='b' direction='in'/><arg type='o' direction='out'/><arg type='o' direction='out'/></method>"
	"<property name='Items' type='ao' access='read'/><property name='Label' type='s' access='read'/><property name='Locked' type='b' access='read'/>"
	"</interface>"
	"<interface name='org.freedesktop.Secret.Item'>"
	"<method name='Delete'><arg type='o' direction='out'/></method>"
	"<method name='GetSecret'><arg type='o' direction='in'/><arg type='(oayays)' direction='out'/></method>"
	"<method name='SetSecret'><arg type='(oayays)' direction='in'/></method>"
	"<property name='Locked' type='b' access='read'/><property name='Attributes' type='a{ss}' access='read'/>"
	"<property name='Label' type='s' access='read'/><property name='Modified' type='t' access='read'/>"
	"</interface>"
	"<interface name='org.freedesktop.Secret.Session'><method name='Close'/></interface>"
	"<interface name='org.freedesktop.Secret.Prompt'>"
	"<method name='Prompt'><arg type='s' direction='in'/></method><method name='Dismiss'/>"
	"<signal name='Completed'><arg type='b'/><arg type='v'/></signal>"
	"</interface>"
	"</node>";

static guint serve(const char *path, const char *interface);

static struct item *item_at(const char *path)
{
	for (guint i = 0; i < mock.items->len; i++) {
		struct item *item = g_ptr_array_index(mock.items, i);

		if (strcmp(item->path, path) == 0)
			return item;
	}
	return NULL;
}

static void item_free(gpointer data)
{
	struct item *item = data;

	g_dbus_connection_unregister_object(mock.bus, item->registered);
	g_variant_unref(item->attributes);
	g_variant_unref(item->label);
	g_bytes_unref(item->secret);
	g_free(item->path);
	g_free(item);
}

static struct item *item_new(const char *path)
{
	struct item *item = g_new0(struct item, 1);

	item->path = g_strdup(path);
	item->registered = serve(path, "org.freedesktop.Secret.Item");
	g_ptr_array_add(mock.items, item);
	return item;
}

#define KEPT "a(sa{ss}sayt)"

static GVariant *bytes_of(GBytes *bytes)
{
	return g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static void save(void)
{
	GVariantBuilder all;
	GVariant *kept;

	if (mock.file == NULL)
		return;
	g_variant_builder_init(&all, G_VARIANT_TYPE(KEPT));
	for (guint i = 0; i < mock.items->len; i++) {
		const struct item *item = g_ptr_array_index(mock.items, i);

		g_variant_builder_add(&all, "(s@a{ss}@s@ayt)", item->path, item->attributes, item->label, bytes_of(item->secret), item->modified);
	}
	kept = g_variant_ref_sink(g_variant_builder_end(&all));
	if (!g_file_set_contents(mock.file, g_variant_get_data(kept), (gssize)g_variant_get_size(kept), NULL))
		_exit(1);
	g_variant_unref(kept);
}

static void restore(void)
{
	GVariant *kept, *attributes, *label, *secret;
	const char *path;
	guint64 modified;
	GVariantIter i;
	char *bytes;
	gsize n;

	if (mock.file == NULL || !g_file_get_contents(mock.file, &bytes, &n, NULL))
		return;
	kept = g_variant_new_from_data(G_VARIANT_TYPE(KEPT), bytes, n, FALSE, g_free, bytes);
	g_variant_iter_init(&i, kept);
	while (g_variant_iter_next(&i, "(&s@a{ss}@s@ayt)", &path, &attributes, &label, &secret, &modified)) {
		struct item *item = item_new(path);

		item->attributes = attributes;
		item->label = label;
		item->secret = g_variant_get_data_as_bytes(secret);
		item->modified = modified;
		mock.changes = MAX(mock.changes, modified);
		g_variant_unref(secret);
	}
	g_variant_unref(kept);
}

/* Whether the item has all that is WANTED; it may have more. */
static bool item_matches(const struct item *item, GVariant *wanted)
{
	const char *name, *value, *found;
	GVariantIter i;

	g_variant_iter_init(&i, wanted);
	while (g_variant_iter_next(&i, "{&s&s}", &name, &value))
		if (!g_variant_lookup(item->attributes, name, "&s", &found) || strcmp(found, value) != 0)
			return false;
	return true;
}

static bool session_is_bad(void)
{
	return mock.sessions <= mock.bad_sessions;
}

/* What has parameters cannot be plain. */
static GVariant *secret_of(const struct item *item)
{
	static const guint8 parameter[1];
	gsize n;
	const void *bytes = g_bytes_get_data(item->secret, &n);

	return g_variant_new("(o@ay@ays)", SESSION, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, parameter, session_is_bad() ? 1 : 0, 1),
	                     g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, n, 1), "text/plain");
}

static void open_session(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	const char *algorithm;

	(void)path;
	g_variant_get(arguments, "(&sv)", &algorithm, NULL);
	mock.sessions += strcmp(algorithm, "plain") == 0;
	if (strcmp(algorithm, "plain") != 0)
		g_dbus_method_invocation_return_dbus_error(call, ERROR_SUPPORT, "plain alone");
	else
		g_dbus_method_invocation_return_value(call, g_variant_new("(vo)", g_variant_new_string(""), SESSION));
}

static void create_collection(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)path, (void)arguments;
	mock.no_default = false;
	g_dbus_method_invocation_return_value(call, g_variant_new("(oo)", COLLECTION, NO_PATH));
}

static bool is_of_other(const char *path)
{
	return g_str_has_prefix(path, OTHER);
}

static bool is_locked(const char *path)
{
	return mock.locked && !is_of_other(path);
}

static void have_emptied(GVariant *wanted)
{
	struct item *item;

	if (item_at(OTHER "/1") != NULL)
		return;
	item = item_new(OTHER "/1");
	item->attributes = g_variant_ref(wanted);
	item->label = g_variant_ref_sink(g_variant_new_string(""));
	item->secret = g_bytes_new(NULL, 0);
	item->modified = ++mock.changes;
}

static void search_items(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	GVariant *wanted = g_variant_get_child_value(arguments, 0);
	GVariantBuilder found, locked;

	(void)path;
	if (mock.locked && mock.search_asks) {
		g_variant_unref(wanted);
		return; /* the call is not freed */
	}
	if (mock.emptied)
		have_emptied(wanted);
	g_variant_builder_init(&found, G_VARIANT_TYPE("ao"));
	g_variant_builder_init(&locked, G_VARIANT_TYPE("ao"));
	for (guint i = 0; i < mock.items->len; i++) {
		struct item *item = g_ptr_array_index(mock.items, i);

		if (is_of_other(item->path) || item_matches(item, wanted))
			g_variant_builder_add(is_locked(item->path) ? &locked : &found, "o", item->path);
	}
	g_variant_unref(wanted);
	g_dbus_method_invocation_return_value(call, g_variant_new("(aoao)", &found, &locked));
}

static void unlock(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	GVariant *wanted = g_variant_get_child_value(arguments, 0), *none = g_variant_new_array(G_VARIANT_TYPE_OBJECT_PATH, NULL, 0);

	(void)path;
	g_variant_ref_sink(none);
	if (mock.locked && mock.prompt == 0)
		mock.prompt = serve(PROMPT, "org.freedesktop.Secret.Prompt");
	g_dbus_method_invocation_return_value(call, g_variant_new("(@aoo)", mock.locked ? none : wanted, mock.locked ? PROMPT : NO_PATH));
	g_variant_unref(wanted);
	g_variant_unref(none);
}

static void lock(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)path;
	mock.locked = true;
	g_dbus_method_invocation_return_value(call, g_variant_new("(@aoo)", g_variant_get_child_value(arguments, 0), NO_PATH));
}

static void get_secrets(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	GVariantIter *paths;
	GVariantBuilder secrets;
	const char *each;

	(void)path;
	g_variant_get(arguments, "(aoo)", &paths, NULL);
	g_variant_builder_init(&secrets, G_VARIANT_TYPE("a{o(oayays)}"));
	while (g_variant_iter_next(paths, "&o", &each))
		if (!is_locked(each) && item_at(each) != NULL)
			g_variant_builder_add(&secrets, "{o@(oayays)}", each, secret_of(item_at(each)));
	g_variant_iter_free(paths);
	g_dbus_method_invocation_return_value(call, g_variant_new("(a{o(oayays)})", &secrets));
}

static void read_alias(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	const char *name;

	(void)path;
	g_variant_get(arguments, "(&s)", &name);
	g_dbus_method_invocation_return_value(call, g_variant_new("(o)", strcmp(name, "default") == 0 && !mock.no_default ? COLLECTION : NO_PATH));
}

/* The one with exactly these attributes, or NULL. */
static struct item *item_with(GVariant *attributes)
{
	for (guint i = 0; i < mock.items->len; i++) {
		struct item *item = g_ptr_array_index(mock.items, i);

		if (item_matches(item, attributes) && g_variant_n_children(attributes) == g_variant_n_children(item->attributes))
			return item;
	}
	return NULL;
}

static bool store_is_made(void)
{
	return mock.honest_stores < 0 || mock.stores++ < mock.honest_stores;
}

static void put_secret(struct item *item, GVariant *secret)
{
	GVariant *value = g_variant_get_child_value(secret, 2);
	const void *bytes;
	gsize n;

	bytes = g_variant_get_fixed_array(value, &n, 1);
	g_clear_pointer(&item->secret, g_bytes_unref);
	item->secret = g_bytes_new(bytes, n);
	item->modified = ++mock.changes;
	g_variant_unref(value);
	save();
}

/* Returns its path, or what would be its path; the caller's to free. */
static char *store_item(GVariant *arguments)
{
	GVariant *properties, *secret, *attributes, *label;
	gboolean replace;
	struct item *item;
	char *path;

	g_variant_get(arguments, "(@a{sv}@(oayays)b)", &properties, &secret, &replace);
	attributes = g_variant_lookup_value(properties, "org.freedesktop.Secret.Item.Attributes", G_VARIANT_TYPE("a{ss}"));
	label = g_variant_lookup_value(properties, "org.freedesktop.Secret.Item.Label", G_VARIANT_TYPE_STRING);
	item = replace ? item_with(attributes) : NULL;
	path = item != NULL ? g_strdup(item->path) : g_strdup_printf(COLLECTION "/%" G_GUINT64_FORMAT, mock.changes + 1);
	if (store_is_made()) {
		item = item != NULL ? item : item_new(path);
		g_clear_pointer(&item->attributes, g_variant_unref);
		g_clear_pointer(&item->label, g_variant_unref);
		item->attributes = g_variant_ref(attributes);
		item->label = label != NULL ? g_variant_ref(label) : g_variant_ref_sink(g_variant_new_string(""));
		put_secret(item, secret);
	}
	g_variant_unref(attributes);
	g_clear_pointer(&label, g_variant_unref);
	g_variant_unref(secret);
	g_variant_unref(properties);
	return path;
}

static void create_item(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	char *stored;

	(void)path;
	if (mock.locked) {
		g_dbus_method_invocation_return_dbus_error(call, ERROR_LOCKED, "it is locked");
		return;
	}
	if (session_is_bad()) {
		g_dbus_method_invocation_return_dbus_error(call, "org.freedesktop.DBus.Error.UnknownObject", "no such session");
		return;
	}
	if (mock.prompts) {
		mock.wanted = g_variant_ref(arguments);
		if (mock.prompt == 0)
			mock.prompt = serve(PROMPT, "org.freedesktop.Secret.Prompt");
		g_dbus_method_invocation_return_value(call, g_variant_new("(oo)", NO_PATH, PROMPT));
		return;
	}
	stored = store_item(arguments);
	g_dbus_method_invocation_return_value(call, g_variant_new("(oo)", stored, NO_PATH));
	g_free(stored);
}

static void set_secret(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	GVariant *secret = g_variant_get_child_value(arguments, 0);

	if (store_is_made())
		put_secret(item_at(path), secret);
	g_variant_unref(secret);
	g_dbus_method_invocation_return_value(call, NULL);
}

static void delete_item(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)arguments;
	if (is_locked(path)) {
		g_dbus_method_invocation_return_dbus_error(call, ERROR_LOCKED, "it is locked");
		return;
	}
	if (mock.prompts && mock.prompt == 0)
		mock.prompt = serve(PROMPT, "org.freedesktop.Secret.Prompt");
	if (!mock.prompts && !mock.keeps)
		g_ptr_array_remove(mock.items, item_at(path));
	save();
	g_dbus_method_invocation_return_value(call, g_variant_new("(o)", mock.prompts ? PROMPT : NO_PATH));
}

static void get_secret(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)arguments;
	if (is_locked(path))
		g_dbus_method_invocation_return_dbus_error(call, ERROR_LOCKED, "it is locked");
	else
		g_dbus_method_invocation_return_value(call, g_variant_new("(@(oayays))", secret_of(item_at(path))));
}

static void close_session(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)path, (void)arguments;
	g_dbus_method_invocation_return_value(call, NULL);
}

static void take_prompt_away(void)
{
	g_dbus_connection_unregister_object(mock.bus, mock.prompt);
	mock.prompt = 0;
	g_clear_pointer(&mock.wanted, g_variant_unref);
}

static void say_completed(bool dismissed, GVariant *result)
{
	g_dbus_connection_emit_signal(mock.bus, NULL, PROMPT, "org.freedesktop.Secret.Prompt", "Completed",
	                              g_variant_new("(bv)", dismissed, result), NULL);
}

static void complete(bool dismissed)
{
	const char *opened[] = { COLLECTION, NULL };

	if (!dismissed)
		mock.locked = false;
	say_completed(dismissed, g_variant_new_objv(opened, dismissed ? 0 : 1));
}

static void complete_store(void)
{
	char *stored = store_item(mock.wanted);

	say_completed(false, g_variant_new_object_path(stored));
	take_prompt_away();
	g_free(stored);
}

static void prompt(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)path, (void)arguments;
	if (mock.wanted != NULL) {
		g_dbus_method_invocation_return_value(call, NULL);
		complete_store();
		return;
	}
	if (mock.manner->prompt == IS_REFUSED) {
		g_dbus_method_invocation_return_dbus_error(call, "org.freedesktop.DBus.Error.Failed", "no prompter");
		return;
	}
	g_dbus_method_invocation_return_value(call, NULL);
	g_dbus_connection_flush_sync(mock.bus, NULL, NULL);
	if (mock.manner->prompt == DIES)
		_exit(0);
	if (mock.manner->prompt == GOES)
		take_prompt_away();
	if (mock.manner->prompt == OPENS || mock.manner->prompt == IS_DISMISSED)
		complete(mock.manner->prompt == IS_DISMISSED);
}

static void dismiss(const char *path, GVariant *arguments, GDBusMethodInvocation *call)
{
	(void)path, (void)arguments;
	if (mock.manner->dismiss == HAS_NO_SUCH) {
		g_dbus_method_invocation_return_dbus_error(call, ERROR_METHOD, "no such method");
		return;
	}
	if (mock.manner->dismiss == IS_SILENT)
		return; /* the call is never answered, and not freed */
	g_dbus_method_invocation_return_value(call, NULL);
	if (mock.manner->dismiss == COMPLETES || mock.wanted != NULL)
		complete(true);
	if (mock.wanted != NULL)
		take_prompt_away();
}

static const struct method {
	const char *name;
	void (*answer)(const char *path, GVariant *arguments, GDBusMethodInvocation *call);
} methods[] = {
	{ "OpenSession", open_session },
	{ "CreateCollection", create_collection },
	{ "SearchItems", search_items },
	{ "Unlock", unlock },
	{ "Lock", lock },
	{ "GetSecrets", get_secrets },
	{ "ReadAlias", read_alias },
	{ "CreateItem", create_item },
	{ "Delete", delete_item },
	{ "GetSecret", get_secret },
	{ "SetSecret", set_secret },
	{ "Close", close_session },
	{ "Prompt", prompt },
	{ "Dismiss", dismiss },
};

/* A call has come. */
static void count(const char *name)
{
	printf("%s\n", name);
	mock.calls++;
	if (mock.calls == mock.dies_at)
		_exit(0);
	if (mock.calls == mock.loses_at)
		g_atomic_int_set(&mock.ends, 1);
}

/* Answers go out in another thread, through here. */
static GDBusMessage *on_message(GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer data)
{
	GDBusMessageType type = g_dbus_message_get_message_type(message);

	(void)bus, (void)data;
	if (!incoming && g_atomic_int_get(&mock.ends) && (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR))
		_exit(0);
	return message;
}

static void on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *name,
                    GVariant *arguments, GDBusMethodInvocation *call, gpointer data)
{
	(void)bus, (void)sender, (void)interface, (void)data;
	count(name);
	for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
		if (strcmp(name, methods[i].name) == 0) {
			methods[i].answer(path, arguments, call);
			return;
		}
}

static GVariant *paths_of_items(void)
{
	GVariantBuilder paths;

	g_variant_builder_init(&paths, G_VARIANT_TYPE("ao"));
	for (guint i = 0; i < mock.items->len; i++)
		g_variant_builder_add(&paths, "o", ((struct item *)g_ptr_array_index(mock.items, i))->path);
	return g_variant_builder_end(&paths);
}

static GVariant *on_property(GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *name,
                             GError **error, gpointer data)
{
	const char *collections[] = { COLLECTION, OTHER };
	const struct item *item = item_at(path);

	(void)bus, (void)sender, (void)interface, (void)error, (void)data;
	count("Get");
	if (strcmp(name, "Collections") == 0)
		return g_variant_new_objv(collections, mock.no_default ? 0 : mock.emptied ? 2 : 1);
	if (strcmp(name, "Items") == 0)
		return paths_of_items();
	if (strcmp(name, "Locked") == 0)
		return g_variant_new_boolean(is_locked(path));
	if (strcmp(name, "Attributes") == 0)
		return g_variant_ref(item->attributes);
	if (strcmp(name, "Modified") == 0)
		return g_variant_new_uint64(item->modified);
	return item != NULL ? g_variant_ref(item->label) : g_variant_new_string("Mock");
}

static guint serve(const char *path, const char *interface)
{
	static const GDBusInterfaceVTable table = { .method_call = on_call, .get_property = on_property };

	return g_dbus_connection_register_object(mock.bus, path, g_dbus_node_info_lookup_interface(mock.interfaces, interface), &table, NULL,
	                                         NULL, NULL);
}

static void on_name(GDBusConnection *bus, const char *name, gpointer data)
{
	(void)bus, (void)name, (void)data;
	printf("ready\n");
}

static void on_no_name(GDBusConnection *bus, const char *name, gpointer data)
{
	(void)bus, (void)name, (void)data;
	fprintf(stderr, "mock-secrets: '%s' cannot be had\n", SERVICE_NAME);
	exit(1);
}

static const struct word {
	const char *name;
	bool *flag;
} words[] = {
	{ "locked", &mock.locked },
	{ "no-default", &mock.no_default },
	{ "search-asks", &mock.search_asks },
	{ "prompts", &mock.prompts },
	{ "emptied", &mock.emptied },
	{ "keeps", &mock.keeps },
};

static const struct number {
	const char *name;
	long *value;
} numbers[] = {
	{ "dies=", &mock.dies_at },
	{ "loses=", &mock.loses_at },
	{ "lies=", &mock.honest_stores },
	{ "bad=", &mock.bad_sessions },
};

static bool read_argument(const char *argument)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(argument, words[i].name) == 0)
			return *words[i].flag = true;
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
		if (g_str_has_prefix(argument, numbers[i].name)) {
			*numbers[i].value = strtol(argument + strlen(numbers[i].name), NULL, 10);
			return true;
		}
	for (size_t i = 0; i < G_N_ELEMENTS(manners); i++)
		if (strcmp(argument, manners[i].name) == 0) {
			mock.manner = &manners[i];
			return true;
		}
	if (!g_str_has_prefix(argument, "file="))
		return false;
	mock.file = argument + strlen("file=");
	return true;
}

static void read_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!read_argument(argv[i])) {
			fprintf(stderr, "mock-secrets: what is '%s'?\n", argv[i]);
			exit(2);
		}
}

int main(int argc, char **argv)
{
	GError *error = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	read_arguments(argc, argv);
	mock.items = g_ptr_array_new_with_free_func(item_free);
	mock.interfaces = g_dbus_node_info_new_for_xml(interfaces, &error);
	mock.bus = error == NULL ? g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error) : NULL;
	if (error != NULL) {
		fprintf(stderr, "mock-secrets: %s\n", error->message);
		return 1;
	}
	serve(TOP, "org.freedesktop.Secret.Service");
	serve(COLLECTION, "org.freedesktop.Secret.Collection");
	serve(OTHER, "org.freedesktop.Secret.Collection");
	serve(DEFAULT_ALIAS, "org.freedesktop.Secret.Collection");
	serve(SESSION, "org.freedesktop.Secret.Session");
	g_dbus_connection_add_filter(mock.bus, on_message, NULL, NULL);
	restore();
	g_bus_own_name_on_connection(mock.bus, SERVICE_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, on_name, on_no_name, NULL, NULL);
	g_main_loop_run(g_main_loop_new(NULL, FALSE));
	return 0;
}
