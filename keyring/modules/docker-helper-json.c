/* SPDX-License-Identifier: MIT */
/*
 * JSON to a helper is written here, so that no library copies the secret; what comes from it is read by secret-json.c.
 */
#include "keyring/modules/docker-helper-json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

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
