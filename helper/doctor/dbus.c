/* SPDX-License-Identifier: MIT */
/*
 * The step that looks for the D-Bus session as secret-service does: where it is, and whose. Speaks no D-Bus.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/doctor/doctor.h"

static bool has_line(const struct doctor *doctor, const char *module)
{
	const struct keyring *keyring = &doctor->context->keyring;

	for (size_t i = 0; i < keyring->n; i++)
		if (strcmp(keyring->slots[i].line.module, module) == 0)
			return true;
	return false;
}

/* One that is of other kinds alone is passed over by the module, too. */
static bool is_unix(const char *address)
{
	while (address && strncmp(address, "unix:", 5) == 0) {
		address = strchr(address, ';');
		if (!address)
			return true;
		address++;
	}
	return false;
}

/* What stands behind NAME in the first address of the list, without its escapes. False: it has none. */
static bool value_of(const char *address, const char *name, char *value, size_t room)
{
	const char *p = strstr(address, name);
	size_t n = 0;

	if (!p || p > address + strcspn(address, ";"))
		return false;
	for (p += strlen(name); *p && *p != ',' && *p != ';' && n + 1 < room; p++) {
		unsigned byte;

		if (*p == '%' && sscanf(p + 1, "%2x", &byte) == 1 && p[1] && p[2]) {
			value[n++] = (char)byte;
			p += 2;
		} else {
			value[n++] = *p;
		}
	}
	value[n] = '\0';
	return !*p || *p == ',' || *p == ';';
}

/* 0 and whose it is, or an errno. A bus that takes no connection is not waited for. */
static int peer_of(const struct sockaddr_un *at, socklen_t len, uid_t *ret_uid)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)at, len) != 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		error = errno;
	close(fd);
	if (!error)
		*ret_uid = peer.uid;
	return error;
}

static void no_session(struct doctor *doctor, const char *what)
{
	if (doctor->bus_is_needed)
		doctor_fail(doctor, TROUBLE_KEYRING_UNAVAILABLE, "run this in the desktop session, or keep the RefreshToken in an encrypted file: 'alation-cred login --keyring sealed-file'", "%s", what);
	else
		doctor_skip(doctor, "%s; nothing needs it", what);
}

static void look(struct doctor *doctor, const char *from, const char *path, bool abstract)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	char what[DOCTOR_TEXT_BYTES];
	uid_t uid = 0;
	int error;

	if (n + 1 >= sizeof at.sun_path)
		error = ENAMETOOLONG;
	else {
		memcpy(at.sun_path + abstract, path, n);
		error = peer_of(&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1), &uid);
	}
	if (error) {
		snprintf(what, sizeof what, "no D-Bus session at %.400s (%s): %s", path, from, strerror(error));
		no_session(doctor, what);
	} else if (uid != getuid()) {
		snprintf(what, sizeof what, "the D-Bus session at %.400s (%s) belongs to uid %u", path, from, (unsigned)uid);
		no_session(doctor, what);
	} else {
		doctor_ok(doctor, "%s (%s), the user's own", path, from);
	}
}

void doctor_dbus(struct doctor *doctor)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
	bool in_runtime = runtime && runtime[0] == '/';
	char path[512];

	if (!has_line(doctor, "secret-service"))
		doctor_skip(doctor, "no line of the stack needs it");
	else if (is_unix(address) && value_of(address, "path=", path, sizeof path))
		look(doctor, "DBUS_SESSION_BUS_ADDRESS", path, false);
	else if (is_unix(address) && value_of(address, "abstract=", path, sizeof path))
		look(doctor, "DBUS_SESSION_BUS_ADDRESS", path, true);
	else if (is_unix(address))
		doctor_skip(doctor, "DBUS_SESSION_BUS_ADDRESS names a socket in a way that is only known to D-Bus");
	else if (in_runtime && snprintf(path, sizeof path, "%s/bus", runtime) < (int)sizeof path)
		look(doctor, "XDG_RUNTIME_DIR", path, false);
	else {
		snprintf(path, sizeof path, "/run/user/%u/bus", (unsigned)getuid());
		look(doctor, "XDG_RUNTIME_DIR is not set", path, false);
	}
}
