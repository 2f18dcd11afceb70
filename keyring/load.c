/* SPDX-License-Identifier: MIT */
/*
 * From a name to code. Looks at the file it opened, then loads that very file; searches nowhere but in the one
 * folder it is told, and never falls through to another when it refuses.
 *
 * The dynamic linker is handed /proc/self/fd/N, so that nobody can put another file under the path between the
 * look and the load. Two things follow. The descriptor stays open for good: the linker knows a library by its
 * name, and a number that is used again would bring back the old one. And a module must not find libraries by
 * $ORIGIN in its RUNPATH.
 */
#include "keyring/load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyring/trusted-file.h"

#define MODULE_NAME_MAX_BYTES 64
#define MODULE_SYMBOL "alation_cred_module"
/* The smallest descriptor: through the one operation that is required. */
#define MODULE_MIN_BYTES (offsetof(struct acred_module, lookup) + sizeof(((struct acred_module *)0)->lookup))

extern const struct acred_module acred_builtin_kernel, acred_builtin_private_file, acred_builtin_environment,
	acred_builtin_credentials_directory;

static const struct acred_module *const builtins[] = {
	&acred_builtin_kernel,
	&acred_builtin_private_file,
	&acred_builtin_environment,
	&acred_builtin_credentials_directory,
};

static int refuse(char *why, size_t room, const char *path, const char *reason)
{
	snprintf(why, room, "%s: %s", path, reason);
	return ACRED_FAILED;
}

/* Whether the linker missed a file, and not NAME, which is open. Its words are not translated: nobody here sets a locale. */
static bool is_about_another(const char *reason, const char *name)
{
	return strstr(reason, strerror(ENOENT)) != NULL && strstr(reason, name) == NULL;
}

/* The linker's words, with PATH for the NAME that it was handed, which tells nobody anything. It says the name of what it
 * loads first, where that is what it is about. */
static void refuse_unloaded(char *why, size_t room, const char *path, const char *reason, const char *name)
{
	size_t n = strlen(name);
	const char *at = strstr(reason, name);

	if (strncmp(reason, name, n) == 0 && strncmp(reason + n, ": ", 2) == 0)
		refuse(why, room, path, reason + n + 2);
	else if (at != NULL)
		snprintf(why, room, "%s: %.*s%s%s", path, (int)(at - reason), reason, path, at + n);
	else
		refuse(why, room, path, reason);
}

static int load_symbol(const char *path, int binding, const char *symbol, const void **ret_address, char *why, size_t room)
{
	char name[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
	const char *reason;
	char real[PATH_MAX];
	void *object;
	int fd;
	enum trusted trusted = trusted_file_open(path, &fd, real, why, room);

	if (trusted != TRUSTED)
		return trusted == TRUSTED_NOT_THERE ? ACRED_UNAVAILABLE : ACRED_FAILED;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	object = dlopen(name, binding | RTLD_LOCAL | RTLD_NODELETE);
	if (object == NULL) {
		reason = dlerror();
		close(fd);
		refuse_unloaded(why, room, path, reason != NULL ? reason : "cannot be loaded", name);
		return reason != NULL && is_about_another(reason, name) ? ACRED_UNAVAILABLE : ACRED_FAILED;
	}
	*ret_address = dlsym(object, symbol);
	if (*ret_address == NULL) {
		snprintf(why, room, "%s: has no symbol '%s'", path, symbol);
		return ACRED_FAILED;
	}
	return ACRED_OK;
}

const void *load_object(const char *path, const char *symbol, char *why, size_t room)
{
	const void *address;

	/* Ours are linked with -z now: what they need themselves is bound at once, and only the insides of the
	 * libraries behind them wait, as in any program that is linked with these. */
	return load_symbol(path, RTLD_LAZY, symbol, &address, why, room) == ACRED_OK ? address : NULL;
}

static const struct acred_module *built_in(const char *name)
{
	for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
		if (strcmp(builtins[i]->name, name) == 0)
			return builtins[i];
	return NULL;
}

bool load_is_built_in(const char *name)
{
	return built_in(name) != NULL;
}

const char *load_place(const char *dir, const char *name, char place[LOAD_PLACE_BYTES])
{
	int n = 0;

	place[0] = '\0';
	if (name[0] == '/')
		n = snprintf(place, LOAD_PLACE_BYTES, "%s", name);
	else if (!load_is_built_in(name))
		n = snprintf(place, LOAD_PLACE_BYTES, "%s/%s.so", dir, name);
	if (n >= LOAD_PLACE_BYTES)
		memcpy(place + LOAD_PLACE_BYTES - sizeof "...", "...", sizeof "...");
	return place;
}

static bool name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= MODULE_NAME_MAX_BYTES && name[n] == '\0';
}

/*
 * The part of the descriptor that both sides know. An older module has NULLs behind it; of a newer one we do
 * not see what we could not call. All that follows `lookup` are pointers: none is taken by half.
 */
static int take_descriptor(const struct acred_module *theirs, const char *path, struct acred_module *ret_module,
                           char *why, size_t room)
{
	size_t n;

	if (theirs->abi != ACRED_MODULE_ABI) {
		snprintf(why, room, "%s: speaks version %lu of the module interface, not %d", path,
		         (unsigned long)theirs->abi, ACRED_MODULE_ABI);
		return ACRED_FAILED;
	}
	if (theirs->size < MODULE_MIN_BYTES) {
		snprintf(why, room, "%s: its descriptor says size %zu, which is too small; set it to sizeof alation_cred_module", path, theirs->size);
		return ACRED_FAILED;
	}
	if (theirs->lookup == NULL)
		return refuse(why, room, path, "has no look-up");
	n = theirs->size < sizeof *theirs ? theirs->size : sizeof *theirs;
	n -= n % sizeof(void *);
	memset(ret_module, 0, sizeof *ret_module);
	memcpy(ret_module, theirs, n);
	return ACRED_OK;
}

int load_module(const char *dir, const char *name, struct acred_module *ret_module, char *why, size_t room)
{
	char path[PATH_MAX];
	const void *address;
	int n, status;

	if (name[0] == '/') { /* a configuration file's: it is judged as ours are */
		status = load_symbol(name, RTLD_NOW, MODULE_SYMBOL, &address, why, room);
		return status == ACRED_OK ? take_descriptor(address, name, ret_module, why, room) : status;
	}
	if (!name_ok(name)) /* not shown: it may be anything */
		return refuse(why, room, dir, "no module can have such a name; it is made of a-z, 0-9 and '-'");
	if (built_in(name) != NULL)
		return take_descriptor(built_in(name), name, ret_module, why, room);
	n = snprintf(path, sizeof path, "%s/%s.so", dir, name);
	if (n < 0 || (size_t)n >= sizeof path)
		return refuse(why, room, dir, "is too long a path");
	status = load_symbol(path, RTLD_NOW, MODULE_SYMBOL, &address, why, room);
	if (status != ACRED_OK)
		return status;
	return take_descriptor(address, path, ret_module, why, room);
}

void load_list(const char *dir, void (*each)(void *host, const char *name), void *host)
{
	DIR *files = opendir(dir);
	const struct dirent *file;
	char name[MODULE_NAME_MAX_BYTES + 1];

	while (files != NULL && (file = readdir(files)) != NULL) {
		size_t n = strlen(file->d_name);

		if (n <= 3 || n - 3 > MODULE_NAME_MAX_BYTES || strcmp(file->d_name + n - 3, ".so") != 0)
			continue;
		memcpy(name, file->d_name, n - 3);
		name[n - 3] = '\0';
		if (name_ok(name) && built_in(name) == NULL)
			each(host, name);
	}
	if (files != NULL)
		closedir(files);
}
