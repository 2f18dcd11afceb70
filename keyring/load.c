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

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyring/trust.h"

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

/* No such file is another thing than a file we refuse: a package may simply not be installed. */
static int refuse_errno(char *why, size_t room, const char *path)
{
	int status = errno == ENOENT ? ACRED_UNAVAILABLE : ACRED_FAILED;

	refuse(why, room, path, strerror(errno));
	return status;
}

/* Opens the directory that PATH names an entry of, if it can be trusted. */
static int open_directory_of(const char *path, int *ret_fd, char *why, size_t room)
{
	char dir[PATH_MAX];
	size_t n = (size_t)(strrchr(path, '/') - path);
	const char *reason;
	struct stat st;
	int fd;

	n = n == 0 ? 1 : n;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse_errno(why, room, dir);
	reason = fstat(fd, &st) != 0 ? strerror(errno) : trust_refusal(&st);
	if (reason != NULL) {
		close(fd);
		return refuse(why, room, dir, reason);
	}
	*ret_fd = fd;
	return ACRED_OK;
}

/* Opens the file of REAL, a path without links, in its directory. */
static int open_file(const char *real, int *ret_fd, char *why, size_t room)
{
	const char *reason;
	struct stat st;
	int dir, fd, status = open_directory_of(real, &dir, why, room);

	if (status != ACRED_OK)
		return status;
	/* O_NONBLOCK: should it be a FIFO, do not wait for whoever put it there */
	fd = openat(dir, strrchr(real, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		status = refuse_errno(why, room, real);
	close(dir);
	if (fd < 0)
		return status;
	reason = fstat(fd, &st) != 0 ? strerror(errno)
	       : !S_ISREG(st.st_mode) ? "is not a regular file" : trust_refusal(&st);
	if (reason != NULL) {
		close(fd);
		return refuse(why, room, real, reason);
	}
	*ret_fd = fd;
	return ACRED_OK;
}

/* A distribution may keep a link in our folder: then both the link's directory and the file's must be right. */
static int open_trusted(const char *path, int *ret_fd, char *why, size_t room)
{
	char real[PATH_MAX];
	int dir, status;

	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return refuse(why, room, path, "is not an absolute path");
	if (realpath(path, real) == NULL)
		return refuse_errno(why, room, path);
	if (strcmp(path, real) != 0) {
		status = open_directory_of(path, &dir, why, room);
		if (status != ACRED_OK)
			return status;
		close(dir);
	}
	return open_file(real, ret_fd, why, room);
}

static int load_symbol(const char *path, int binding, const char *symbol, const void **ret_address, char *why, size_t room)
{
	char name[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
	const char *reason;
	void *object;
	int fd, status = open_trusted(path, &fd, why, room);

	if (status != ACRED_OK)
		return status;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	object = dlopen(name, binding | RTLD_LOCAL | RTLD_NODELETE);
	if (object == NULL) {
		reason = dlerror();
		close(fd);
		return refuse(why, room, path, reason != NULL ? reason : "cannot be loaded");
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
	if (theirs->size < MODULE_MIN_BYTES)
		return refuse(why, room, path, "its descriptor is too small");
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

	if (name[0] == '/') { /* a configuration file's: open_trusted judges it as it does ours */
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
