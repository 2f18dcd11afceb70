/* SPDX-License-Identifier: MIT */
/*
 * Which of Debian's packages a module of ours needs: one table.
 */
#include "helper/lifecycle/missing.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Whoever lacks the library at run time lacks `runs`, and whatever that is made of comes with it; a build without
 * `builds` has left the module out. */
static const struct need {
	const char *module, *runs, *builds;
} needs[] = {
	{ "secret-service", "libsecret-1-0", "libsecret-1-dev" },
	{ "sealed-file", "libsodium23", "libsodium-dev" },
	{ "docker-helper", "libjson-c5", "libjson-c-dev" },
};

static const struct need *need_of(const char *module)
{
	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if (strcmp(needs[i].module, module) == 0)
			return &needs[i];
	return NULL;
}

/* The loader names the module's file, and behind it the library, if it is that. */
static bool is_the_file(const char *why)
{
	static const char end[] = ".so: No such file or directory";
	size_t n = strlen(why);

	return n >= sizeof end - 1 && strcmp(why + n - (sizeof end - 1), end) == 0;
}

const char *missing_words(const char *module, const char *why, char words[MISSING_WORDS_BYTES])
{
	const struct need *need = need_of(module);
	bool file = is_the_file(why);

	if (!need)
		snprintf(words, MISSING_WORDS_BYTES, "install %s", file ? "that module" : "what that module needs");
	else if (file)
		snprintf(words, MISSING_WORDS_BYTES, "install that module, which is built where Debian's package %s is", need->builds);
	else
		snprintf(words, MISSING_WORDS_BYTES, "install Debian's package %s, which that module needs", need->runs);
	return words;
}
