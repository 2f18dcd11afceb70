/* SPDX-License-Identifier: MIT */
/*
 * The table of verbs. It is the help, too, and what a test of all verbs goes through.
 */
#include "helper/verbs/table.h"

#include <string.h>

#include "helper/verbs/verbs.h"

const struct verb verbs[] = {
	{ "get", get_main, VERB_ACCOUNT, 1, VERB_GIT | VERB_TOKEN, VERB_OPTIONS(FOR_TOKENS) | VERB_OPTIONS(FOR_GIT),
	  "print an access token, or answer git's request on stdin", "TOKEN=$(alation-cred get)" },
	{ "token", token_main, VERB_ACCOUNT, 1, VERB_TOKEN, VERB_OPTIONS(FOR_TOKENS), "print an access token; never reads stdin",
	  "curl -H @<(alation-cred token --format header) \\\n  https://catalog.example.com/integration/v2/datasource/" },
	{ "exec", exec_main, VERB_ACCOUNT, 1, VERB_COMMAND, VERB_OPTIONS(FOR_TOKENS) | VERB_OPTIONS(FOR_EXEC),
	  "run CMD with an access token in its environment", "alation-cred exec -- python3 report.py" },
	{ "store", store_main, "", 0, VERB_GIT, VERB_OPTIONS(FOR_GIT), "git's protocol: keep the RefreshToken in stdin's request",
	  "printf 'url=%s\\noauth_refresh_token=%s\\n' \\\n  https://102@catalog.example.com \"$TOKEN\" | alation-cred store" },
	{ "erase", erase_main, "", 0, VERB_GIT, VERB_OPTIONS(FOR_GIT), "git's protocol: forget what the request on stdin names",
	  "printf 'url=https://102@catalog.example.com\\n' | alation-cred erase" },
	{ "capability", capability_main, "", 0, VERB_GIT, VERB_OPTIONS(FOR_GIT), "git's protocol: what of it is spoken here", "alation-cred capability" },
	{ "login", login_main, "[URL]", 1, 0, VERB_OPTIONS(FOR_LOGIN), "create or take over a RefreshToken, prove it, keep it",
	  "alation-cred login https://catalog.example.com" },
	{ "logout", logout_main, VERB_ACCOUNT, 1, 0, VERB_OPTIONS(FOR_EACH) | VERB_OPTIONS(FOR_LOGOUT),
	  "end the tokens at the server, forget everything here", "alation-cred logout https://102@catalog.example.com" },
	{ "status", status_main, VERB_ACCOUNT, 1, 0, VERB_OPTIONS(FOR_STATUS), "the accounts, their tokens' ends, where each secret lies",
	  "alation-cred status --format json" },
	{ "validate", validate_main, VERB_ACCOUNT, 1, 0, VERB_OPTIONS(FOR_EACH), "ask the server about both tokens; never mints", "alation-cred validate --all" },
	{ "revoke", revoke_main, VERB_ACCOUNT, 1, 0, VERB_OPTIONS(FOR_EACH), "revoke the access tokens", "alation-cred revoke" },
	{ "rotate", rotate_main, VERB_ACCOUNT, 1, 0, VERB_OPTIONS(FOR_EACH) | VERB_OPTIONS(FOR_ROTATE), "regenerate the RefreshToken",
	  "alation-cred rotate --if-expiring 10d" },
	{ "set", set_main, VERB_ACCOUNT " WORD", 2, 0, 0, "WORD: default, or exclusive or shared (who else uses it)",
	  "alation-cred set https://102@catalog.example.com exclusive" },
	{ "unlock", unlock_main, VERB_ACCOUNT, 1, 0, 0, "open its keyring, for the calls that follow",
	  "alation-cred unlock https://102@catalog.example.com" },
	{ "lock", lock_main, VERB_ACCOUNT, 1, VERB_ALL, 0, "forget keys and cached tokens; without ACCOUNT, of all",
	  "alation-cred lock" },
	{ "doctor", doctor_main, VERB_ACCOUNT, 1, VERB_ANYHOW, VERB_OPTIONS(FOR_DOCTOR), "prove each step of the path to a token; a remedy for what fails",
	  "alation-cred doctor" },
	{ .name = NULL },
};

const struct verb *verb_named(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(name, verb->name) == 0)
			return verb;
	return NULL;
}

bool verb_has(const struct verb *verb, enum verb_trait trait)
{
	return verb && (verb->traits & trait);
}

/* A command's stdout is in no format of ours. */
unsigned verb_options(const struct verb *verb)
{
	return VERB_OPTIONS(FOR_ALL) | (verb ? verb->options : 0) | (verb_has(verb, VERB_COMMAND) ? 0 : VERB_OPTIONS(FOR_ANSWER));
}
