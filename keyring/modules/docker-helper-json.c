/* SPDX-License-Identifier: MIT */
/*
 * JSON to a helper is written here, so that no library copies the secret; JSON from it is read by json-c, which has no hook
 * for its memory. Its tokener collects a string in one buffer that grows and leaves its old places behind: so it is made
 * large enough before, and wiped after.
 */
#include "keyring/modules/docker-helper-json.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8

bool docker_json_plain(struct docker_view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f || text.p[i] == '"' || text.p[i] == '\\')
			return false;
	return true;
}

size_t docker_json_write(const char *url, const char *user, struct docker_view secret, char *bytes, size_t room)
{
	/* No printf: it would have a copy of the secret in a buffer of its own. */
	int head = snprintf(bytes, room, "{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"", url, user);
	size_t n = (size_t)head;

	memcpy(bytes + n, secret.p, secret.n);
	n += secret.n;
	memcpy(bytes + n, "\"}\n", 3);
	return n + 3;
}

/*
 * What json-c lets pass even in its strict mode: the same member twice, single quotes around a name, NaN, control characters
 * inside a string; and a NUL, which would cut a name. TEXT is known to parse; counts the members of the outermost object.
 */
static bool count_members(struct docker_view text, size_t *ret_members)
{
	size_t depth = 0;
	bool in_string = false;

	*ret_members = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (in_string) {
			if ((unsigned char)c < ' ')
				return false;
			if (c == '\\' && text.n - i >= 6 && memcmp(text.p + i + 1, "u0000", 5) == 0)
				return false;
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '\0' || !strchr("{}[]:,\" \t\r\n0123456789+-.eEtrufalsn", c))
			return false;
		in_string = c == '"';
		if (in_string && depth == 1 && *ret_members == 0)
			*ret_members = 1;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ',' && depth == 1)
			++*ret_members;
	}
	return true;
}

static void wipe(struct json_object *value)
{
	if (json_object_is_type(value, json_type_string)) {
		explicit_bzero((char *)json_object_get_string(value), (size_t)json_object_get_string_len(value));
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			wipe(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member) {
			(void)name;
			wipe(member);
		}
	}
}

void docker_json_free(struct json_object **object)
{
	wipe(*object);
	json_object_put(*object);
	*object = NULL;
}

/* What a parse that failed has made so far hangs from the tokener, which frees it as it is. */
static void wipe_unfinished(const struct json_tokener *tokener)
{
	for (int i = 0; i <= tokener->depth && i < tokener->max_depth; i++)
		wipe(tokener->stack[i].current);
}

/* One parse; no copy of what was read stays behind but the object's own. */
static struct json_object *parse(struct docker_view text, size_t *ret_end)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *value = NULL;

	if (tokener == NULL)
		return NULL;
	if (printbuf_memset(tokener->pb, -1, 0, (int)text.n + 1) >= 0) {
		printbuf_reset(tokener->pb);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		value = json_tokener_parse_ex(tokener, text.p, (int)text.n);
		*ret_end = json_tokener_get_parse_end(tokener);
		if (value == NULL)
			wipe_unfinished(tokener);
	}
	explicit_bzero(tokener->pb->buf, (size_t)tokener->pb->size);
	json_tokener_free(tokener);
	return value;
}

const char *docker_json_read(struct docker_view text, struct json_object **ret_object)
{
	DOCKER_JSON *value = NULL;
	size_t members = 0, end = 0;

	while (text.n > 0 && memchr(" \t\r\n", text.p[text.n - 1], 4) != NULL)
		text.n--;
	if (text.n == 0)
		return "it said nothing";
	value = parse(text, &end);
	if (value == NULL || end != text.n || !count_members(text, &members))
		return "what it said is not JSON";
	if (!json_object_is_type(value, json_type_object))
		return "what it said is JSON, but not an object";
	if (members != (size_t)json_object_object_length(value))
		return "it named a member twice";
	*ret_object = value;
	value = NULL;
	return NULL;
}

enum docker_member docker_json_text(const struct json_object *object, const char *name, struct docker_view *ret)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		return DOCKER_NO_MEMBER;
	if (!json_object_is_type(value, json_type_string))
		return DOCKER_NO_TEXT;
	*ret = (struct docker_view){ json_object_get_string(value), (size_t)json_object_get_string_len(value) };
	return DOCKER_TEXT;
}

void docker_json_each(const struct json_object *object, void (*each)(void *user, const char *name, struct docker_view text), void *user)
{
	struct json_object_iterator at = json_object_iter_begin((struct json_object *)object);
	struct json_object_iterator end = json_object_iter_end(object);

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct json_object *value = json_object_iter_peek_value(&at);

		bool text = json_object_is_type(value, json_type_string);

		each(user, json_object_iter_peek_name(&at),
		     (struct docker_view){ text ? json_object_get_string(value) : "", text ? (size_t)json_object_get_string_len(value) : 0 });
	}
}
