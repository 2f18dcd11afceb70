/* SPDX-License-Identifier: MIT */
/*
 * What comes before foreign code. It loads none itself.
 */
#include "helper/base/foreign.h"

#include <stdbool.h>
#include <stdlib.h>

#include "helper/base/handover.h"
#include "helper/base/stdout.h"

void foreign_code_comes(void)
{
	/* What each would do: read secrets from a file instead of the service; talk to another service; load
	 * code into GIO; write TLS session keys to a file; abort on a warning; log what goes by. */
	static const char *const names[] = {
		"SECRET_BACKEND", "SECRET_FILE_TEST_PATH", "SECRET_FILE_TEST_PASSWORD", "SECRET_SERVICE_BUS_NAME",
		"SNAP_NAME", "GIO_EXTRA_MODULES", "GIO_MODULE_DIR", "GIO_USE_VFS", "GIO_USE_TLS", "GIO_USE_PORTALS",
		"GTK_USE_PORTAL", "GSETTINGS_BACKEND", "G_DEBUG", "G_MESSAGES_DEBUG", "G_SLICE", "G_ENABLE_DIAGNOSTIC",
		"G_DBUS_DEBUG", "SSLKEYLOGFILE", "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
		"CURL_SSL_BACKEND", "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS",
	};

	static bool done;

	if (done)
		return;
	done = true;
	handover_before_libraries();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	stdout_set_aside();
}
