/* SPDX-License-Identifier: MIT */
/*
 * Opening a keyring with its password where no dialog can be shown, as over ssh: the person is asked by the host, at the
 * terminal. GNOME Keyring alone has a call for that; other services open by their dialog only. The password goes over the
 * encrypted session that secrets go over, and is kept nowhere here.
 */
#include <string.h>

#include "keyring/modules/secret-service-bus.h"

#define GNOME_INTERFACE "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface" /* its own name for it; the greeters use it */
#define COLLECTIONS SERVICE_PATH "/collection/"
#define TRIES 3

char *talk_collection_of(const char *path)
{
	const char *name = path + strlen(COLLECTIONS);

	if (!g_str_has_prefix(path, COLLECTIONS))
		return NULL;
	return g_strndup(path, (gsize)(name - path) + strcspn(name, "/"));
}

static char *question_of(struct talk *talk, const char *collection)
{
	GVariant *label;
	char *question;

	if (talk_property(talk, collection, COLLECTION_INTERFACE, "Label", "s", &label) != ACRED_OK)
		return g_strdup("password of the keyring: ");
	question = g_strdup_printf("password of the keyring '%s': ", g_variant_get_string(label, NULL));
	g_variant_unref(label);
	return question;
}

enum opened { OPENED, WRONG_PASSWORD, NO_SUCH_CALL, BROKEN };

/* What the service says is in *RET_ERROR, the caller's to free, where it is not OPENED. */
static enum opened send_password(struct talk *talk, const char *collection, const char *password, size_t n, GError **ret_error)
{
	SecretValue *value = secret_value_new(password, (gssize)n, "text/plain");
	GVariant *secret = secret_service_encode_dbus_secret(talk->vault->service, value), *reply;

	secret_value_unref(value);
	reply = g_dbus_connection_call_sync(talk->vault->bus, SERVICE_NAME, SERVICE_PATH, GNOME_INTERFACE, "UnlockWithMasterPassword",
	                                    g_variant_new("(o@(oayays))", collection, secret), NULL, G_DBUS_CALL_FLAGS_NONE, -1, talk->cancel, ret_error);
	if (reply != NULL) {
		g_variant_unref(reply);
		return OPENED;
	}
	if (g_error_matches(*ret_error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
	    g_error_matches(*ret_error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE))
		return NO_SUCH_CALL;
	return g_dbus_error_is_remote_error(*ret_error) && strstr((*ret_error)->message, "password") != NULL ? WRONG_PASSWORD : BROKEN;
}

/* Nobody is asked for a password that no call would take. */
static bool has_call(struct talk *talk)
{
	const char *xml;
	GVariant *reply;
	bool has;

	if (talk_method(talk, SERVICE_PATH, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, "(s)", &reply) != ACRED_OK)
		return false;
	g_variant_get(reply, "(&s)", &xml);
	has = strstr(xml, "\"" GNOME_INTERFACE "\"") != NULL;
	g_variant_unref(reply);
	return has;
}

static int open_with(struct talk *talk, const char *collection, const char *question)
{
	for (int tries = 0; tries < TRIES; tries++) {
		GError *error = NULL;
		const char *password;
		size_t n;
		int status = talk->call->ask(talk->call->host, question, &password, &n);

		if (status != ACRED_OK)
			return talk_say(talk, "the keyring is locked, and its password was not given", status);
		switch (send_password(talk, collection, password, n, &error)) {
		case OPENED:
			return ACRED_OK;
		case WRONG_PASSWORD:
			g_error_free(error);
			break;
		case NO_SUCH_CALL:
			g_error_free(error);
			return talk_say(talk, "the keyring is locked, and its service opens it by a dialog alone", ACRED_LOCKED);
		case BROKEN:
			return talk_fail(talk, "unlocking with a password", error);
		}
	}
	return talk_say(talk, "the password is wrong", ACRED_LOCKED);
}

int talk_open_by_password(struct talk *talk, const char *path)
{
	char *collection = talk_collection_of(path), *question;
	GError *error = NULL;
	int status;

	if (collection == NULL)
		return ACRED_LOCKED;
	if (!has_call(talk)) {
		g_free(collection);
		return talk_say(talk, "the keyring is locked, and its service opens it by a dialog alone", ACRED_LOCKED);
	}
	if (!secret_service_ensure_session_sync(talk->vault->service, talk->cancel, &error)) {
		g_free(collection);
		return talk_fail(talk, "a session", error);
	}
	question = question_of(talk, collection);
	status = open_with(talk, collection, question);
	g_free(question);
	g_free(collection);
	return status;
}
