/* SPDX-License-Identifier: MIT */
/*
 * The environment of a helper: ours, because gpg, a bus and a home are found by it, without what is Alation's. Where nobody
 * is to be asked, it leads to no display and no terminal either. Changes nothing in our own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyring/modules/docker-helper.h"

#define ADDED_MAX 4
#define PATH_DEFAULT "PATH=/usr/local/bin:/usr/bin:/bin"
#define GPG_OPTIONS "PASSWORD_STORE_GPG_OPTS"

/* gpg tells apart whether its key is gone or wants its passphrase in these lines alone; `pass` hands on what stands there. */
#define GPG_STATUS "--status-fd=2"
/* gpg-agent has a display of its own, from whoever started it, and only this keeps it from asking there. */
#define GPG_ASKS_NOBODY " --pinentry-mode=error"

static bool is_one_of(const char *entry, const char *const *names)
{
	for (; *names != NULL; names++) {
		size_t n = strlen(*names);

		if (strncmp(entry, *names, n) == 0 && (entry[n] == '=' || (*names)[n - 1] == '_'))
			return true;
	}
	return false;
}

static bool is_left_out(const char *entry, bool person, bool dialog)
{
	static const char *const always[] = { "ALATION_", GPG_OPTIONS, NULL }; /* a name that ends in '_': all that begin so */
	static const char *const displays[] = { "DISPLAY", "WAYLAND_DISPLAY", NULL };
	static const char *const persons[] = { "GPG_TTY", "LC_ALL", "LANGUAGE", NULL };

	return is_one_of(entry, always) || (!dialog && is_one_of(entry, displays)) || (!person && is_one_of(entry, persons));
}

/* What `pass` hands to gpg, with ours behind it. */
static int gpg_options(char *text, size_t room, bool person)
{
	const char *theirs = getenv("PASSWORD_STORE_GPG_OPTS");

	return snprintf(text, room, GPG_OPTIONS "=%s%s" GPG_STATUS "%s", theirs != NULL ? theirs : "", theirs != NULL ? " " : "",
	                person ? "" : GPG_ASKS_NOBODY);
}

/* The terminal where a person is asked, as `pass` itself would find it had it our stdin. "": none. */
static void terminal(const struct acred_call *call, char *text, size_t room)
{
	char name[64];

	text[0] = '\0';
	if (call->ask != NULL && getenv("GPG_TTY") == NULL &&
	    (ttyname_r(STDIN_FILENO, name, sizeof name) == 0 || ttyname_r(STDERR_FILENO, name, sizeof name) == 0))
		snprintf(text, room, "GPG_TTY=%s", name);
}

char **docker_environment(const struct acred_call *call)
{
	bool person = call->flags & ACRED_MAY_PROMPT, dialog = person && !(call->flags & ACRED_NO_DIALOG);
	size_t n = 0, kept = 0, options_bytes = (size_t)gpg_options(NULL, 0, person) + 1;
	char tty[80], *text, **envp;

	while (environ[n] != NULL)
		n++;
	terminal(call, tty, sizeof tty);
	/* One piece of memory: the pointers, then the two texts that are new. */
	envp = malloc((n + ADDED_MAX + 1) * sizeof *envp + options_bytes + sizeof tty);
	if (envp == NULL)
		return NULL;
	text = (char *)(envp + n + ADDED_MAX + 1);
	for (size_t i = 0; i < n; i++)
		if (!is_left_out(environ[i], person, dialog))
			envp[kept++] = environ[i];
	gpg_options(text, options_bytes, person);
	envp[kept++] = text;
	if (getenv("PATH") == NULL)
		envp[kept++] = (char *)PATH_DEFAULT;
	/* Their words are known in English; with a person there, his language matters more. */
	if (!person)
		envp[kept++] = (char *)"LC_ALL=C.UTF-8";
	if (tty[0] != '\0')
		envp[kept++] = memcpy(text + options_bytes, tty, sizeof tty);
	envp[kept] = NULL;
	return envp;
}
