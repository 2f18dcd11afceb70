/* SPDX-License-Identifier: MIT */
/*
 * Process set-up that must come before anything else, and the scrubbing that must come before any library.
 */
#include "helper/base/harden.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/base/stdout.h"

bool harden_process(void)
{
	struct rlimit core;

	if (getauxval(AT_SECURE))
		return false;
	/* In this order: the lowest free number is what open() gives. */
	for (int fd = 0; fd <= 2; fd++) {
		int flags = fcntl(fd, F_GETFL);
		bool is_open = flags != -1;

		if (fd == STDOUT_FILENO)
			stdout_found(is_open && (flags & O_ACCMODE) != O_RDONLY);
		if (!is_open && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
			return false;
	}
	umask(077);
	/* A reader that is gone and a file that may not grow are failed writes, not the end of us. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* The soft limit alone: whoever we exec may raise it again. */
	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur != 0) {
		core.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &core);
	}
	return true;
}

void harden_for_libraries(void)
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
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	stdout_set_aside();
}
