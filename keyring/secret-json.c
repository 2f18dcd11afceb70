/* SPDX-License-Identifier: MIT */
/*
 * json-c has no hook for its memory. Its tokener collects a string in one buffer that grows and leaves its old places behind: so it is made
 * large enough before, and wiped after.
 */
#include "keyring/secret-json.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <string.h>

#define DEPTH_MAX 8

/*
 * What json-c lets pass even in its strict mode: the same member twice, single quotes around a name, NaN, control characters
 * inside a string. TEXT is known to parse; counts the members of the outermost object.
 */
static bool count_members(const char *text, size_t n, size_t *ret_members)
{
	size_t depth = 0;
	bool in_string = false;

	*ret_members = 0;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (in_string) {
			if ((unsigned char)c < ' ')
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

/* What a parse that failed has made so far hangs from the tokener, which frees it as it is. */
static void wipe_unfinished(const struct json_tokener *tokener)
{
	for (int i = 0; i <= tokener->depth && i < tokener->max_depth; i++)
		wipe(tokener->stack[i].current);
}

void secret_json_free(struct json_object **object)
{
	wipe(*object);
	json_object_put(*object);
	*object = NULL;
}

/* One parse; no copy of what was read stays behind but the object's own. */
static struct json_object *parse(const char *text, size_t n, size_t *ret_end)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *value = NULL;

	if (tokener == NULL)
		return NULL;
	if (printbuf_memset(tokener->pb, -1, 0, (int)n + 1) >= 0) {
		printbuf_reset(tokener->pb);
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		value = json_tokener_parse_ex(tokener, text, (int)n);
		*ret_end = json_tokener_get_parse_end(tokener);
		if (value == NULL)
			wipe_unfinished(tokener);
	}
	explicit_bzero(tokener->pb->buf, (size_t)tokener->pb->size);
	json_tokener_free(tokener);
	return value;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *secret_json_read(const char *text, size_t n, struct json_object **ret_object)
{
	SECRET_JSON *value = NULL;
	size_t members = 0, end = 0;

	while (n > 0 && is_blank(text[n - 1]))
		n--;
	if (n == 0)
		return "is empty";
	value = parse(text, n, &end);
	if (value == NULL || end != n || !count_members(text, n, &members))
		return "is not JSON";
	if (!json_object_is_type(value, json_type_object))
		return "is JSON, but not an object";
	if (members != (size_t)json_object_object_length(value))
		return "names a member twice";
	*ret_object = value;
	value = NULL;
	return NULL;
}

enum secret_json_member secret_json_text(const struct json_object *object, const char *name, const char **ret_p, size_t *ret_n)
{
	struct json_object *value;

	*ret_p = "";
	*ret_n = 0;
	if (!json_object_object_get_ex(object, name, &value))
		return SECRET_JSON_NONE;
	if (!json_object_is_type(value, json_type_string))
		return SECRET_JSON_OTHER;
	*ret_p = json_object_get_string(value);
	*ret_n = (size_t)json_object_get_string_len(value);
	return SECRET_JSON_TEXT;
}
