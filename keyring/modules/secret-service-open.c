/* SPDX-License-Identifier: MIT */
/*
 * Opening what is locked, and finding items in what is open: without asking, by the service's dialog, or by a password at
 * the terminal. Nothing is called absent before the keyring that it would be in is open.
 */
#include <string.h>

#include "keyring/modules/secret-service-bus.h"

#define PROMPT_INTERFACE "org.freedesktop.Secret.Prompt"
#define DEFAULT_ALIAS SERVICE_PATH "/aliases/default"
#define ROUNDS 2 /* what was unlocked once must be open */

/* A dialog under way. */
struct dialog {
	bool over, dismissed, gone;
	char *path; /* the object that its end names; NULL: none */
};

static void on_completed(GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *name,
                         GVariant *arguments, gpointer data)
{
	struct dialog *dialog = data;
	gboolean dismissed = TRUE;
	GVariant *result = NULL;

	(void)bus, (void)sender, (void)path, (void)interface, (void)name;
	if (dialog->over)
		return;
	if (g_variant_is_of_type(arguments, G_VARIANT_TYPE("(bv)")))
		g_variant_get(arguments, "(bv)", &dismissed, &result);
	if (result != NULL && g_variant_is_of_type(result, G_VARIANT_TYPE_OBJECT_PATH) && strcmp(g_variant_get_string(result, NULL), NO_PATH) != 0)
		dialog->path = g_variant_dup_string(result, NULL);
	g_clear_pointer(&result, g_variant_unref);
	dialog->dismissed = dismissed;
	dialog->over = true;
}

static void on_gone(GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *name,
                    GVariant *arguments, gpointer data)
{
	struct dialog *dialog = data;

	(void)bus, (void)sender, (void)path, (void)interface, (void)name, (void)arguments;
	dialog->over = dialog->gone = true;
}

static gboolean on_cancelled(GCancellable *cancel, gpointer data)
{
	(void)cancel, (void)data;
	return G_SOURCE_CONTINUE; /* it has woken who waits */
}

/* The answer is not waited for: there are services without this method, and some that never answer it. */
void talk_dismiss(struct talk *talk, const char *prompt)
{
	g_dbus_connection_call(talk->vault->bus, SERVICE_NAME, prompt, PROMPT_INTERFACE, "Dismiss", NULL, NULL,
	                       G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
	g_dbus_connection_flush_sync(talk->vault->bus, NULL, NULL); /* after the deadline too */
}

static void wait_for(struct talk *talk, GMainContext *context, const struct dialog *dialog)
{
	GSource *cancelled = g_cancellable_source_new(talk->cancel);

	g_source_set_callback(cancelled, G_SOURCE_FUNC(on_cancelled), NULL, NULL);
	g_source_attach(cancelled, context);
	while (!dialog->over && !g_cancellable_is_cancelled(talk->cancel))
		g_main_context_iteration(context, TRUE);
	g_source_destroy(cancelled);
	g_source_unref(cancelled);
}

/* Shows the dialog and waits for its end, or its service's, or the deadline. */
static int show_dialog(struct talk *talk, const char *prompt, GMainContext *context, struct dialog *dialog)
{
	GDBusConnection *bus = talk->vault->bus;
	char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(talk->vault->service));
	guint completed, gone;
	GVariant *reply;
	int status;

	if (owner == NULL)
		return talk_say(talk, "the Secret Service is gone", ACRED_UNAVAILABLE);
	completed = g_dbus_connection_signal_subscribe(bus, owner, PROMPT_INTERFACE, "Completed", prompt, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
	                                               on_completed, dialog, NULL);
	gone = g_dbus_connection_signal_subscribe(bus, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
	                                          "/org/freedesktop/DBus", owner, G_DBUS_SIGNAL_FLAGS_NONE, on_gone, dialog, NULL);
	status = talk_method(talk, prompt, PROMPT_INTERFACE, "Prompt", g_variant_new("(s)", ""), "()", &reply);
	if (status == ACRED_OK) {
		g_variant_unref(reply);
		wait_for(talk, context, dialog);
	}
	g_dbus_connection_signal_unsubscribe(bus, completed);
	g_dbus_connection_signal_unsubscribe(bus, gone);
	g_free(owner);
	return status == ACRED_FAILED ? ACRED_LOCKED : status; /* where it cannot be shown, what it was for stays locked */
}

static int judge_dialog(struct talk *talk, const char *prompt, const struct dialog *dialog)
{
	if (dialog->gone)
		return talk_say(talk, "the Secret Service ended while its dialog was open", ACRED_UNAVAILABLE);
	if (dialog->dismissed)
		return talk_say(talk, "the keyring's dialog was dismissed", ACRED_LOCKED);
	if (dialog->over)
		return ACRED_OK;
	talk_dismiss(talk, prompt);
	return talk_say(talk, "the keyring's dialog was not answered in time", ACRED_TIMEOUT);
}

/* libsecret's own would not do: it does not tell that a dialog was dismissed, and waits for ever for one that does not
 * complete when it is told to go. */
int talk_run_prompt(struct talk *talk, const char *prompt, char **ret_path)
{
	GMainContext *context = g_main_context_new();
	struct dialog dialog = { 0 };
	int status;

	g_main_context_push_thread_default(context);
	status = show_dialog(talk, prompt, context, &dialog);
	g_main_context_pop_thread_default(context);
	g_main_context_unref(context);
	if (status == ACRED_OK)
		status = judge_dialog(talk, prompt, &dialog);
	if (status == ACRED_OK)
		*ret_path = g_steal_pointer(&dialog.path);
	g_free(dialog.path);
	return status;
}

/* The service wants a dialog. One that may not open is dismissed, or it would stay there for good. */
int talk_prompt(struct talk *talk, const char *prompt)
{
	char *ignored = NULL;
	int status;

	if (strcmp(prompt, NO_PATH) == 0)
		return ACRED_OK;
	if (!talk->may_prompt) {
		talk_dismiss(talk, prompt);
		return ACRED_LOCKED; /* that a person must unlock it is what that means */
	}
	status = talk_run_prompt(talk, prompt, &ignored);
	g_free(ignored);
	return status;
}

/* Without a password it opens without asking. */
int talk_unlock(struct talk *talk, const char *const *paths)
{
	const char *prompt;
	GVariant *reply;
	int status = talk_method(talk, SERVICE_PATH, SERVICE_INTERFACE, "Unlock", g_variant_new("(^ao)", paths), "(aoo)", &reply);

	if (status != ACRED_OK)
		return status;
	g_variant_get(reply, "(@ao&o)", NULL, &prompt);
	/* A person who sees no dialog can be asked at the terminal. */
	if (strcmp(prompt, NO_PATH) != 0 && !talk->may_prompt && talk->call->ask != NULL) {
		talk_dismiss(talk, prompt);
		status = talk_open_by_password(talk, paths[0]);
	} else {
		status = talk_prompt(talk, prompt);
	}
	g_variant_unref(reply);
	return status;
}

/* The collection that new items go to. None is an answer too, but not 'absent': nobody ever set it up. */
static int default_collection(struct talk *talk, char **ret_path)
{
	GError *error = NULL;
	char *path = secret_service_read_alias_dbus_path_sync(talk->vault->service, "default", talk->cancel, &error);

	if (error != NULL)
		return talk_fail(talk, "the default keyring", error);
	if (path == NULL || strcmp(path, NO_PATH) == 0) {
		g_free(path);
		return talk_say(talk, "the Secret Service has no default keyring", ACRED_UNAVAILABLE);
	}
	*ret_path = path;
	return ACRED_OK;
}

int talk_open_default(struct talk *talk, char **ret_path, bool *ret_was_locked)
{
	const char *paths[] = { NULL, NULL };
	GVariant *locked;
	char *path = NULL;
	int status = default_collection(talk, &path);

	if (status != ACRED_OK)
		return status;
	status = talk_property(talk, path, COLLECTION_INTERFACE, "Locked", "b", &locked);
	if (status == ACRED_OK) {
		*ret_was_locked = g_variant_get_boolean(locked);
		g_variant_unref(locked);
		paths[0] = path;
		if (*ret_was_locked)
			status = talk_unlock(talk, paths);
	}
	if (status == ACRED_OK)
		*ret_path = path;
	else
		g_free(path);
	return status;
}

/* A property, or NULL. Nothing is noted: that it cannot be told is no failure yet. */
static GVariant *try_property(struct talk *talk, const char *path, const char *interface, const char *name, const char *type)
{
	GVariant *reply = g_dbus_connection_call_sync(talk->vault->bus, SERVICE_NAME, path, "org.freedesktop.DBus.Properties", "Get",
	                                              g_variant_new("(ss)", interface, name), G_VARIANT_TYPE("(v)"),
	                                              G_DBUS_CALL_FLAGS_NONE, -1, talk->cancel, NULL);
	GVariant *value = NULL;

	if (reply == NULL)
		return NULL;
	g_variant_get(reply, "(v)", &value);
	g_variant_unref(reply);
	if (!g_variant_is_of_type(value, G_VARIANT_TYPE(type)))
		g_clear_pointer(&value, g_variant_unref);
	return value;
}

static bool is_open(struct talk *talk, const char *collection)
{
	GVariant *locked = try_property(talk, collection, COLLECTION_INTERFACE, "Locked", "b");
	bool open = locked != NULL && !g_variant_get_boolean(locked);

	g_clear_pointer(&locked, g_variant_unref);
	return open;
}

static bool any_is_open(struct talk *talk)
{
	GVariant *all;
	GVariantIter i;
	const char *each;
	bool open = is_open(talk, DEFAULT_ALIAS);

	all = open ? NULL : try_property(talk, SERVICE_PATH, SERVICE_INTERFACE, "Collections", "ao");
	if (all == NULL)
		return open;
	g_variant_iter_init(&i, all);
	while (!open && g_variant_iter_next(&i, "&o", &each))
		open = is_open(talk, each);
	g_variant_unref(all);
	return open;
}

/* Unlocks ITEMS. An item that is locked in an open keyring waits for a person's leave to read it. */
static int unlock_items(struct talk *talk, char *const *items)
{
	int status = talk_unlock(talk, (const char *const *)items);
	char *collection = status == ACRED_LOCKED && !talk->may_prompt ? talk_collection_of(items[0]) : NULL;

	if (collection != NULL && is_open(talk, collection))
		talk_say(talk, "the keyring is open, but its service asks a person before each access; its settings can change that", status);
	g_free(collection);
	return status;
}

/* What to do when a search found nothing: ABSENT, or OK if the keyring is only now open, to search again. */
static int judge_nothing(struct talk *talk)
{
	bool was_locked;
	char *path;
	int status = talk_open_default(talk, &path, &was_locked);

	if (status != ACRED_OK)
		return status;
	g_free(path);
	return was_locked ? ACRED_OK : ACRED_ABSENT;
}

int talk_pass_over(struct talk *talk, bool more)
{
	int status = judge_nothing(talk);

	return status == ACRED_ABSENT && more ? talk_say(talk, "a part of the keyring is locked", ACRED_LOCKED) : status;
}

int talk_find(struct talk *talk, GHashTable *attributes, char ***ret_items, bool *ret_more)
{
	/* Where all is locked, KeePassXC shows its dialog for the mere search, and answers once that is closed. */
	if (!any_is_open(talk)) {
		int status = judge_nothing(talk);

		if (status != ACRED_OK && status != ACRED_ABSENT)
			return status;
	}
	for (int round = 0; round < ROUNDS; round++) {
		char **unlocked = NULL, **locked = NULL;
		GError *error = NULL;
		int status;

		if (!secret_service_search_for_dbus_paths_sync(talk->vault->service, NULL, attributes, talk->cancel,
		                                               &unlocked, &locked, &error))
			return talk_fail(talk, "a search", error);
		*ret_more = locked != NULL && locked[0] != NULL;
		if (unlocked != NULL && unlocked[0] != NULL) {
			g_strfreev(locked);
			*ret_items = unlocked;
			return ACRED_OK;
		}
		status = *ret_more ? unlock_items(talk, locked) : judge_nothing(talk);
		g_strfreev(unlocked);
		g_strfreev(locked);
		if (status != ACRED_OK)
			return status;
	}
	return talk_say(talk, "the keyring stays locked", ACRED_LOCKED);
}
