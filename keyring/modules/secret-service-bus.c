/* SPDX-License-Identifier: MIT */
/*
 * A talk with the Secret Service within one deadline. One thread cancels what is under way when the time is over;
 * the default main context never runs. Starts nothing that was not there or activatable; sees no secret.
 */
#include "keyring/modules/secret-service-bus.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
	GQuark (*domain)(void);
	int code, status;
} meanings[] = {
	{ g_io_error_quark, G_IO_ERROR_CANCELLED, ACRED_TIMEOUT }, /* nobody but our watch cancels */
	{ g_io_error_quark, G_IO_ERROR_TIMED_OUT, ACRED_TIMEOUT },
	{ g_dbus_error_quark, G_DBUS_ERROR_TIMEOUT, ACRED_TIMEOUT },
	{ g_dbus_error_quark, G_DBUS_ERROR_TIMED_OUT, ACRED_TIMEOUT },
	{ secret_error_get_quark, SECRET_ERROR_IS_LOCKED, ACRED_LOCKED },
	{ secret_error_get_quark, SECRET_ERROR_NO_SUCH_OBJECT, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SERVICE_UNKNOWN, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_NAME_HAS_NO_OWNER, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_UNKNOWN_OBJECT, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SPAWN_EXEC_FAILED, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SPAWN_CHILD_EXITED, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SPAWN_CHILD_SIGNALED, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SPAWN_FAILED, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND, ACRED_UNAVAILABLE },
	{ g_dbus_error_quark, G_DBUS_ERROR_ACCESS_DENIED, ACRED_DENIED },
	{ g_dbus_error_quark, G_DBUS_ERROR_AUTH_FAILED, ACRED_DENIED },
};

/* ERROR as a status, and freed. Of what the service says only the error's name is told: its text might hold
 * what it was given. */
int talk_fail(struct talk *talk, const char *what, GError *error)
{
	char *name = g_dbus_error_get_remote_error(error);
	char *text = g_strdup_printf("%s: %s", what, name != NULL ? name : error->message);
	int status = ACRED_FAILED;

	for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++)
		if (g_error_matches(error, meanings[i].domain(), meanings[i].code))
			status = meanings[i].status;
	talk->call->note(talk->call->host, text);
	g_free(text);
	g_free(name);
	g_error_free(error);
	return status;
}

int talk_say(struct talk *talk, const char *text, int status)
{
	talk->call->note(talk->call->host, text);
	return status;
}

static void *watch_main(void *data)
{
	struct talk *talk = data;
	bool late = false;

	g_mutex_lock(&talk->lock);
	while (!talk->over && !late)
		late = !g_cond_wait_until(&talk->changed, &talk->lock, talk->call->deadline_ms * 1000);
	late = !talk->over;
	g_mutex_unlock(&talk->lock);
	if (late)
		g_cancellable_cancel(talk->cancel);
	return NULL;
}

/* No signal is for this thread: the host's handlers run in its own. */
static int watch_start(struct talk *talk)
{
	sigset_t all, before;

	if (talk->call->deadline_ms == 0)
		return ACRED_OK;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	talk->watch = g_thread_try_new("deadline", watch_main, talk, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return talk->watch != NULL ? ACRED_OK : talk_say(talk, "cannot start a thread for the deadline", ACRED_FAILED);
}

static void watch_stop(struct talk *talk)
{
	if (talk->watch == NULL)
		return;
	g_mutex_lock(&talk->lock);
	talk->over = true;
	g_cond_signal(&talk->changed);
	g_mutex_unlock(&talk->lock);
	g_thread_join(talk->watch);
}

static bool is_unix_address(const char *address)
{
	while (address != NULL && g_str_has_prefix(address, "unix:")) {
		address = strchr(address, ';'); /* GLib tries one after the other */
		if (address == NULL)
			return true;
		address++;
	}
	return false;
}

/* Where the session bus is, or NULL. Never tcp:, unixexec: or autolaunch:, and GLib is not left to look for it:
 * it would run `dbus-launch` from PATH. */
static char *bus_address(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
	char *path, *escaped, *found = NULL;
	struct stat st;

	if (is_unix_address(address))
		return g_strdup(address);
	path = runtime != NULL && runtime[0] == '/' ? g_strdup_printf("%s/bus", runtime)
	                                            : g_strdup_printf("/run/user/%lu/bus", (unsigned long)getuid());
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		escaped = g_dbus_address_escape_value(path);
		found = g_strdup_printf("unix:path=%s", escaped);
		g_free(escaped);
	}
	g_free(path);
	return found;
}

/* Asked of the connection: a path has an owner, but an abstract socket has none. A socket that systemd listens
 * on for the bus has its user too. */
static bool peer_is_ours(GIOStream *stream)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	return G_IS_SOCKET_CONNECTION(stream) &&
	       getsockopt(g_socket_get_fd(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream))), SOL_SOCKET,
	                  SO_PEERCRED, &peer, &n) == 0 && peer.uid == getuid();
}

/* A socket with a path has an owner, who can be told before anything is sent: another user's bus may also be one
 * that never answers us. */
static bool owner_is_other(const char *address)
{
	const char *path = g_str_has_prefix(address, "unix:path=") ? address + strlen("unix:path=") : NULL;
	struct stat st;
	char *name;
	bool other;

	if (path == NULL || strchr(path, '%') != NULL)
		return false;
	name = g_strndup(path, strcspn(path, ",;"));
	other = stat(name, &st) == 0 && st.st_uid != getuid();
	g_free(name);
	return other;
}

/* libsecret talks over GLib's shared connection alone, and GLib finds that by the environment. */
static int connect_bus(struct talk *talk)
{
	char *address = bus_address();
	GError *error = NULL;
	int status;

	if (address == NULL)
		return talk_say(talk, "there is no D-Bus session here", ACRED_UNAVAILABLE);
	if (owner_is_other(address)) {
		g_free(address);
		return talk_say(talk, "the D-Bus session belongs to another user", ACRED_UNAVAILABLE);
	}
	if (g_strcmp0(getenv("DBUS_SESSION_BUS_ADDRESS"), address) != 0)
		g_setenv("DBUS_SESSION_BUS_ADDRESS", address, TRUE);
	g_free(address);
	talk->vault->bus = g_bus_get_sync(G_BUS_TYPE_SESSION, talk->cancel, &error);
	if (talk->vault->bus == NULL) {
		status = talk_fail(talk, "cannot reach the D-Bus session", error);
		return status == ACRED_TIMEOUT ? status : ACRED_UNAVAILABLE;
	}
	g_dbus_connection_set_exit_on_close(talk->vault->bus, FALSE);
	/* Nothing but a greeting has been sent. A connection of our own, to look first, would cost a tenth of it all. */
	if (!peer_is_ours(g_dbus_connection_get_stream(talk->vault->bus)))
		return talk_say(talk, "the D-Bus session belongs to another user", ACRED_UNAVAILABLE);
	return ACRED_OK;
}

/* This starts a service that can be activated; where there is none, nothing is. */
static int connect_service(struct talk *talk)
{
	GError *error = NULL;
	char *owner;
	int status = connect_bus(talk);

	if (status != ACRED_OK)
		return status;
	talk->vault->service = secret_service_open_sync(SECRET_TYPE_SERVICE, SERVICE_NAME, SECRET_SERVICE_NONE,
	                                                talk->cancel, &error);
	if (talk->vault->service == NULL)
		return talk_fail(talk, "cannot reach the Secret Service", error);
	owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(talk->vault->service));
	if (owner == NULL)
		return talk_say(talk, "there is no Secret Service on this D-Bus session", ACRED_UNAVAILABLE);
	g_free(owner);
	return ACRED_OK;
}

void vault_disconnect(struct vault *vault)
{
	g_clear_object(&vault->service);
	g_clear_object(&vault->bus);
}

int talk_begin(struct talk *talk, struct acred_call *call, struct vault *vault)
{
	int status;

	memset(talk, 0, sizeof *talk);
	talk->call = call;
	talk->vault = vault;
	talk->may_prompt = (call->flags & (ACRED_MAY_PROMPT | ACRED_NO_DIALOG)) == ACRED_MAY_PROMPT;
	talk->cancel = g_cancellable_new();
	g_mutex_init(&talk->lock);
	g_cond_init(&talk->changed);
	status = watch_start(talk);
	if (status == ACRED_OK && vault->service == NULL)
		status = connect_service(talk);
	return status;
}

/* A service that failed may have been started anew, and know nothing of our session: the next call begins afresh. */
int talk_end(struct talk *talk, int status)
{
	watch_stop(talk);
	g_mutex_clear(&talk->lock);
	g_cond_clear(&talk->changed);
	g_object_unref(talk->cancel);
	if (status != ACRED_OK && status != ACRED_ABSENT && status != ACRED_LOCKED)
		vault_disconnect(talk->vault);
	return status;
}

int talk_method(struct talk *talk, const char *path, const char *interface, const char *name,
                  GVariant *arguments, const char *reply_type, GVariant **ret_reply)
{
	GError *error = NULL;
	GVariant *reply = g_dbus_connection_call_sync(talk->vault->bus, SERVICE_NAME, path, interface, name, arguments,
	                                              G_VARIANT_TYPE(reply_type), G_DBUS_CALL_FLAGS_NONE, -1,
	                                              talk->cancel, &error);

	if (reply == NULL)
		return talk_fail(talk, name, error);
	*ret_reply = reply;
	return ACRED_OK;
}

int talk_property(struct talk *talk, const char *path, const char *interface, const char *name, const char *type,
                    GVariant **ret_value)
{
	GVariant *reply, *value;
	int status = talk_method(talk, path, "org.freedesktop.DBus.Properties", "Get", g_variant_new("(ss)", interface, name),
	                    "(v)", &reply);

	if (status != ACRED_OK)
		return status;
	g_variant_get(reply, "(v)", &value);
	g_variant_unref(reply);
	if (!g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
		g_variant_unref(value);
		return talk_say(talk, "the Secret Service answered with another type than it should", ACRED_FAILED);
	}
	*ret_value = value;
	return ACRED_OK;
}
