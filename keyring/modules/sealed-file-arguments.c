/* SPDX-License-Identifier: MIT */
/*
 * What the module's line in the stack says, and where the file lies if it does not say. Reads the environment, opens
 * nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/modules/sealed-file-passphrase.h"
#include "keyring/modules/sealed-file.h"

#define PREFIX_DEFAULT "alation-cred"
#define PLACE "alation-cred/sealed"
#define UNLOCK_TIME_S (8 * 60 * 60) /* a working day: whoever unlocks in the morning is not asked again */

static int bad(struct acred_call *call, const char *name, const char *takes, const char *value)
{
	return note_say(call, ACRED_FAILED, "%s takes %s, not '%s'", name, takes, value);
}

static int set_file(struct acred_call *call, const char *value, struct sealed_arguments *arguments)
{
	size_t n = strlen(value);

	if (value[0] != '/' || value[n - 1] == '/' || n >= sizeof arguments->path)
		return bad(call, "file=", "the absolute path of a file", value);
	memcpy(arguments->path, value, n + 1);
	return ACRED_OK;
}

static int set_key_file(struct acred_call *call, const char *value, struct sealed_arguments *arguments)
{
	static const char directory[] = SEALED_CREDENTIALS "/";

	if (value[0] != '/' && (strncmp(value, directory, sizeof directory - 1) != 0 || value[sizeof directory - 1] == '\0'))
		return bad(call, "key-file=", "an absolute path or " SEALED_CREDENTIALS "/NAME", value);
	arguments->key_file = value;
	return ACRED_OK;
}

/* [0-9]+[smhd]?, as the command's options have it; so long as the kernel can count. */
static int set_unlock_time(struct acred_call *call, const char *value, struct sealed_arguments *arguments)
{
	static const char letters[] = "smhd";
	static const int64_t units_s[] = { 1, 60, 60 * 60, 24 * 60 * 60 };
	size_t digits = strspn(value, "0123456789");
	const char *letter = value[digits] != '\0' ? strchr(letters, value[digits]) : letters;
	int64_t number = digits > 0 && digits < 11 ? strtoll(value, NULL, 10) : -1;

	if (number < 0 || letter == NULL || (value[digits] != '\0' && value[digits + 1] != '\0') ||
	    number > INT32_MAX / units_s[letter - letters])
		return bad(call, "unlock-time=", "a duration such as 8h, or 0", value);
	arguments->unlock_time_s = number * units_s[letter - letters];
	arguments->unlock_time_given = true;
	return ACRED_OK;
}

static int set_prefix(struct acred_call *call, const char *value, struct sealed_arguments *arguments)
{
	if (!entry_prefix_ok(value))
		return bad(call, "prefix=", "1 to 64 letters, digits, '.', '_' and '-'", value);
	snprintf(arguments->prefix, sizeof arguments->prefix, "%s", value);
	return ACRED_OK;
}

static int set(struct acred_call *call, const char *argument, struct sealed_arguments *arguments)
{
	static const struct {
		const char *name;
		int (*set)(struct acred_call *, const char *value, struct sealed_arguments *);
	} known[] = {
		{ "file=", set_file },
		{ "key-file=", set_key_file },
		{ "unlock-time=", set_unlock_time },
		{ "prefix=", set_prefix },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strncmp(argument, known[i].name, strlen(known[i].name)) == 0)
			return known[i].set(call, argument + strlen(known[i].name), arguments);
	return note_say(call, ACRED_FAILED, "unknown argument '%s'; there are file=, key-file=, unlock-time= and prefix=", argument);
}

/* Where the file lies by default: in the state directory, which a shell and cron must agree on. */
static int find_place(struct acred_call *call, struct sealed_arguments *arguments)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	int n;

	if (state != NULL && state[0] == '/')
		n = snprintf(arguments->path, sizeof arguments->path, "%s/" PLACE, state);
	else if (home != NULL && home[0] == '/')
		n = snprintf(arguments->path, sizeof arguments->path, "%s/.local/state/" PLACE, home);
	else
		return note_say(call, ACRED_UNAVAILABLE, "neither XDG_STATE_HOME nor HOME says where the sealed file lies; set HOME or give file=PATH");
	if (n < 0 || n >= (int)sizeof arguments->path)
		return note_say(call, ACRED_UNAVAILABLE, "the path of the state directory is too long; give file=PATH");
	return ACRED_OK;
}

int sealed_arguments_read(struct acred_call *call, int argc, const char *const *argv, struct sealed_arguments *ret)
{
	int status = ACRED_OK;

	memset(ret, 0, sizeof *ret);
	snprintf(ret->prefix, sizeof ret->prefix, "%s", PREFIX_DEFAULT);
	for (int i = 0; i < argc && status == ACRED_OK; i++)
		status = set(call, argv[i], ret);
	if (status != ACRED_OK)
		return status;
	/* Who has the passphrase in a file needs no key that rests. */
	if (!ret->unlock_time_given)
		ret->unlock_time_s = ret->key_file != NULL ? 0 : UNLOCK_TIME_S;
	return ret->path[0] != '\0' ? ACRED_OK : find_place(call, ret);
}
