/* SPDX-License-Identifier: MIT */
/*
 * Two builds: SITE_TREE finds its shared objects beside the executable and keeps what it caches apart from an
 * installed program's; the other has SITE_LIBDIR compiled in.
 */
#include "helper/site.h"

#ifdef SITE_TREE

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *beside(char path[PATH_MAX], const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return "";
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash || snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - self), self, name) >= PATH_MAX)
		return "";
	return path;
}

const char *site_modules_dir(void)
{
	static char path[PATH_MAX];

	return beside(path, "modules");
}

const char *site_client(void)
{
	static char path[PATH_MAX];

	return beside(path, "alation.so");
}

/* What a machine's administrator has arranged is for the installed program: a tree is tried out and tested. */
const char *site_config(void)
{
	return "";
}

static const char *const prefix_argument[] = { "prefix=alation-cred-tree" };

#else

const char *site_modules_dir(void)
{
	return SITE_LIBDIR "/modules";
}

const char *site_client(void)
{
	return SITE_LIBDIR "/alation.so";
}

const char *site_config(void)
{
	return SITE_SYSCONFDIR "/config";
}

static const char *const prefix_argument[] = { "" };

#endif

const struct keyring_line site_stack[] = {
	{ "refresh", KEYRING_SUFFICIENT, "credentials-directory", 0, NULL },
	{ "refresh", KEYRING_SUFFICIENT, "environment", 0, NULL },
	{ "refresh", KEYRING_SUFFICIENT, "secret-service", 0, NULL },
#ifdef SITE_TREE
	{ "access", KEYRING_SUFFICIENT, "kernel", 1, prefix_argument },
	{ "access", KEYRING_SUFFICIENT, "private-file", 1, prefix_argument },
	{ "recovery", KEYRING_SUFFICIENT, "kernel", 1, prefix_argument },
	{ "recovery", KEYRING_SUFFICIENT, "private-file", 1, prefix_argument },
#else
	{ "access", KEYRING_SUFFICIENT, "kernel", 0, prefix_argument },
	{ "access", KEYRING_SUFFICIENT, "private-file", 0, prefix_argument },
	{ "recovery", KEYRING_SUFFICIENT, "kernel", 0, prefix_argument },
	{ "recovery", KEYRING_SUFFICIENT, "private-file", 0, prefix_argument },
#endif
};
const size_t site_stack_lines = sizeof site_stack / sizeof *site_stack;
