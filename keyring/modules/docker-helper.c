/* SPDX-License-Identifier: MIT */
/*
 * Secrets in whatever a Docker credential helper keeps them in: pass, a Secret Service, a password manager. Each entry has a
 * ServerURL of its own, BASE_URL/alation-cred/FACILITY/USER_ID, and the user id as its Username. Believes no helper: one that
 * calls an entry absent, or gone, is asked for its list.
 *
 *   program=NAME|PATH  docker-credential-NAME in /usr/local/bin, /usr/bin or /bin; or an absolute path
 *
 * How long a secret is to be kept is not heeded: the protocol has no word for it, and a record carries its own end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyring/modules/docker-helper-json.h"
#include "keyring/modules/docker-helper.h"

#define PLACE "/alation-cred/"
#define URL_MAX_BYTES 2048
#define FACILITY_MAX_BYTES 32
#define USER_ID_MAX_DIGITS 10

struct docker {
	struct docker_program program;
};

/* One entry, as helpers know it. */
struct entry {
	char url[URL_MAX_BYTES + 1], user[USER_ID_MAX_DIGITS + 1];
};

static int docker_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	static const char argument[] = "program=";
	struct docker *self = calloc(1, sizeof *self);
	int status = ACRED_OK;
	bool named = false;

	if (self == NULL)
		return note_say(call, ACRED_FAILED, "no memory");
	for (int i = 0; i < argc && status == ACRED_OK; i++) {
		if (named || strncmp(argv[i], argument, sizeof argument - 1) != 0)
			status = note_say(call, ACRED_FAILED, "takes program= and nothing else, once");
		else
			status = docker_program_read(call, argv[i] + sizeof argument - 1, &self->program);
		named = true;
	}
	if (!named)
		status = note_say(call, ACRED_FAILED, "which program? its line in the configuration must say it: 'refresh sufficient docker-helper program=pass'");
	if (status != ACRED_OK) {
		free(self);
		return status;
	}
	*state = self;
	return ACRED_OK;
}

static void docker_close(void *state)
{
	free(state);
}

static int entry_of(struct acred_call *call, const struct acred_key *key, struct entry *ret)
{
	int n = snprintf(ret->url, sizeof ret->url, "%s" PLACE "%s/%" PRId64, key->base_url, key->facility, key->user_id);
	int digits = snprintf(ret->user, sizeof ret->user, "%" PRId64, key->user_id);

	if (n < 0 || n > URL_MAX_BYTES || digits < 1 || digits > USER_ID_MAX_DIGITS ||
	    !docker_json_plain((struct docker_view){ ret->url, (size_t)n }))
		return note_say(call, ACRED_FAILED, "no helper's entry can be named after this account");
	return ACRED_OK;
}

/* Both ways: the key that TEXT is the ServerURL of. TEXT is taken apart. */
static bool key_of(char *text, const char *user, struct acred_key *ret)
{
	char *id = strrchr(text, '/'), *facility, *place;
	size_t digits;

	if (id == NULL)
		return false;
	*id++ = '\0';
	digits = strspn(id, "0123456789");
	facility = strrchr(text, '/');
	if (facility == NULL || digits == 0 || digits > USER_ID_MAX_DIGITS || id[digits] != '\0' || id[0] == '0' || strcmp(id, user) != 0)
		return false;
	*facility++ = '\0';
	place = strstr(text, "://");
	place = place != NULL ? strchr(place + strlen("://"), '/') : NULL;
	if (place == NULL || strncmp(place, PLACE, strlen(PLACE) - 1) != 0 || place[strlen(PLACE) - 1] != '\0' || facility[0] == '\0' ||
	    strlen(facility) > FACILITY_MAX_BYTES)
		return false;
	*place = '\0';
	*ret = (struct acred_key){ .facility = facility, .base_url = text, .user_id = strtoll(id, NULL, 10) };
	return true;
}

static bool is_text(struct docker_view view, const char *text)
{
	return view.n == strlen(text) && memcmp(view.p, text, view.n) == 0;
}

static int bad_answer(struct acred_call *call, const struct docker *self, const char *what)
{
	return note_say(call, ACRED_FAILED, "%s: %s", self->program.shown, what);
}

/* A NUL would cut a name, and no text of a helper has one. */
static const char *read_object(const struct docker_answer *answer, struct json_object **ret_object)
{
	static const char nul[] = "\\u0000";

	if (memmem(answer->out, answer->n_out, nul, sizeof nul - 1) != NULL)
		return "is not JSON that it could say";
	return secret_json_read(answer->out, answer->n_out, ret_object);
}

static int bad_json(struct acred_call *call, const struct docker *self, const char *wrong)
{
	return note_say(call, ACRED_FAILED, "%s: its answer %s", self->program.shown, wrong);
}

/* One run of VERB; ACRED_OK: it exited with 0. */
static int ask(struct acred_call *call, const struct docker *self, const char *verb, enum docker_kind kind, struct docker_view in,
               struct docker_view secret, struct docker_answer *ret)
{
	int status = docker_run(call, &self->program, verb, kind, in, ret);

	if (status == ACRED_OK && ret->status != 0)
		status = docker_words_judge(call, &self->program, ret, secret);
	return status;
}

/* What a helper's list shows of one entry. */
enum shown { NOT_LISTED, LISTED, HIDDEN, NO_LIST };

struct look { /* through one list */
	struct acred_call *call;
	const char *url, *user;
	void (*each)(void *host, const struct acred_key *);
	bool listed, hidden;
};

static void look_at(void *user, const char *name, struct docker_view text)
{
	/* The label of docker-credential-secretservice from 0.9 on, which it lists in the address's place */
	static const char label[] = "Registry credentials for ";
	struct look *look = user;
	char url[URL_MAX_BYTES + 1], id[USER_ID_MAX_DIGITS + 1];
	struct acred_key key;

	if (strncmp(name, label, sizeof label - 1) == 0)
		name += sizeof label - 1;
	/* An item of a locked keyring has neither name nor user. */
	look->hidden |= name[0] == '\0';
	look->listed |= look->url != NULL && strcmp(name, look->url) == 0;
	if (look->each == NULL || strlen(name) > URL_MAX_BYTES || text.n > USER_ID_MAX_DIGITS)
		return;
	strcpy(url, name);
	memcpy(id, text.p, text.n);
	id[text.n] = '\0';
	if (key_of(url, id, &key))
		look->each(look->call->host, &key);
}

static int look_through(const struct docker *self, struct look *look)
{
	static const struct docker_view nothing = { "", 0 }, unused = { "unused", sizeof "unused" - 1 }; /* as docker writes it */
	DOCKER_ANSWER answer = { 0 };
	SECRET_JSON *object = NULL;
	const char *wrong;
	int status = ask(look->call, self, "list", DOCKER_LOOKS, unused, nothing, &answer);

	/* of an empty store */
	if (status == ACRED_ABSENT)
		return ACRED_OK;
	if (status != ACRED_OK)
		return status;
	wrong = read_object(&answer, &object);
	if (wrong != NULL)
		return bad_json(look->call, self, wrong);
	docker_json_each(object, look_at, look);
	return ACRED_OK;
}

/* Not every helper has a list. One that fails for want of a person, a service or time is none that lacks it: its status. */
static int look_for(struct acred_call *call, const struct docker *self, const struct entry *entry, enum shown *ret)
{
	struct look look = { .call = call, .url = entry->url };
	int status = look_through(self, &look);

	if (status == ACRED_LOCKED || status == ACRED_UNAVAILABLE || status == ACRED_TIMEOUT)
		return status;
	*ret = status != ACRED_OK ? NO_LIST : look.listed ? LISTED : look.hidden ? HIDDEN : NOT_LISTED;
	return ACRED_OK;
}

/* SAID, ACRED_ABSENT or, of an erase, ACRED_OK, if the list does not belie it: one whose keyring is locked has been seen to say
 * the one and the other, and to erase nothing. */
static int confirm_gone(struct acred_call *call, const struct docker *self, const struct entry *entry, int said)
{
	enum shown shown;
	int status = look_for(call, self, entry, &shown);

	if (status != ACRED_OK)
		return status;
	if (shown == LISTED || shown == HIDDEN)
		return note_say(call, ACRED_LOCKED, "%s %s: its keyring is locked", self->program.shown,
		                  said == ACRED_OK ? "still lists what it says it erased" : "lists what it does not find");
	return said;
}

/* ACRED_ABSENT: it says that there is none, by an answer without user and secret. */
static int take_secret(struct acred_call *call, const struct docker *self, const struct entry *entry, const struct docker_answer *answer)
{
	struct docker_view url, user, secret;
	SECRET_JSON *object = NULL;
	const char *wrong = read_object(answer, &object);
	enum secret_json_member has_url;

	if (wrong != NULL)
		return bad_json(call, self, wrong);
	has_url = secret_json_text(object, "ServerURL", &url.p, &url.n);
	if (has_url == SECRET_JSON_OTHER || secret_json_text(object, "Username", &user.p, &user.n) != SECRET_JSON_TEXT ||
	    secret_json_text(object, "Secret", &secret.p, &secret.n) != SECRET_JSON_TEXT)
		return bad_answer(call, self, "its answer lacks a text that the protocol wants");
	/* docker itself does not ask for it */
	if (has_url == SECRET_JSON_TEXT && !is_text(url, entry->url))
		return bad_answer(call, self, "it answers for another server than the one it was asked about");
	if (user.n == 0 && secret.n == 0)
		return ACRED_ABSENT;
	if (!is_text(user, entry->user))
		return bad_answer(call, self, "it answers with another user's entry");
	if (secret.n == 0 || memchr(secret.p, '\0', secret.n) != NULL)
		return bad_answer(call, self, "its entry holds no secret that could be one of ours");
	docker_words_pass_on(call, &self->program, answer, secret);
	return call->put(call->host, secret.p, secret.n) == 0 ? ACRED_OK : ACRED_FAILED;
}

static int docker_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	static const struct docker_view nothing = { "", 0 };
	const struct docker *self = state;
	DOCKER_ANSWER answer = { 0 };
	struct entry entry;
	int status = entry_of(call, key, &entry);

	if (status == ACRED_OK)
		status = ask(call, self, "get", DOCKER_LOOKS, (struct docker_view){ entry.url, strlen(entry.url) }, nothing, &answer);
	if (status == ACRED_OK)
		status = take_secret(call, self, &entry, &answer);
	return status == ACRED_ABSENT ? confirm_gone(call, self, &entry, status) : status;
}

static int store_entry(struct acred_call *call, const struct docker *self, const struct entry *entry, struct docker_view secret)
{
	size_t room = strlen(entry->url) + strlen(entry->user) + secret.n + DOCKER_JSON_OVERHEAD_BYTES, n;
	DOCKER_ANSWER answer = { 0 };
	char *json = malloc(room);
	int status;

	if (json == NULL)
		return note_say(call, ACRED_FAILED, "no memory for a secret");
	n = docker_json_write(entry->url, entry->user, secret, json, room);
	status = ask(call, self, "store", DOCKER_CHANGES, (struct docker_view){ json, n }, secret, &answer);
	explicit_bzero(json, room);
	free(json);
	if (status == ACRED_OK)
		docker_words_pass_on(call, &self->program, &answer, secret);
	/* No store can mean that. */
	return status == ACRED_ABSENT ? bad_answer(call, self, "it says of what it was to store that it does not find it") : status;
}

static int docker_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s)
{
	const struct docker_view secret = { bytes, len };
	struct entry entry;
	int status;

	(void)ttl_s;
	if (bytes == NULL || len == 0 || len > DOCKER_SECRET_MAX_BYTES || !docker_json_plain(secret))
		return note_say(call, ACRED_FAILED, "a helper is given 1 to %d bytes of printable ASCII, without blank, '\"' and '\\'", DOCKER_SECRET_MAX_BYTES);
	status = entry_of(call, key, &entry);
	return status == ACRED_OK ? store_entry(call, state, &entry, secret) : status;
}

static int docker_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	static const struct docker_view nothing = { "", 0 };
	const struct docker *self = state;
	DOCKER_ANSWER answer = { 0 };
	enum shown before;
	struct entry entry;
	int status = entry_of(call, key, &entry);

	if (status != ACRED_OK)
		return status;
	status = look_for(call, self, &entry, &before);
	if (status == ACRED_TIMEOUT)
		return status;
	if (status != ACRED_OK)
		before = NO_LIST;
	/* Asked in any case: a list may be wrong. Of what is absent some say that it is, some that it is erased, some fail. */
	status = ask(call, self, "erase", DOCKER_CHANGES, (struct docker_view){ entry.url, strlen(entry.url) }, nothing, &answer);
	if (before == NOT_LISTED && (status == ACRED_OK || status == ACRED_FAILED))
		return ACRED_ABSENT;
	if (before == NOT_LISTED)
		return status;
	return status == ACRED_OK || status == ACRED_ABSENT ? confirm_gone(call, self, &entry, status) : status;
}

static int docker_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	const struct docker *self = state;
	struct look look = { .call = call, .each = each };
	int status = look_through(self, &look);

	if (status == ACRED_OK && look.hidden)
		return note_say(call, ACRED_LOCKED, "%s lists entries without their names: its keyring is locked", self->program.shown);
	return status;
}

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
	.name = "docker-helper",
	.about = "any Docker credential helper: pass, a Secret Service, a password manager",
	.open = docker_open,
	.lookup = docker_lookup,
	.store = docker_store,
	.erase = docker_erase,
	.list = docker_list,
	.close = docker_close,
};
