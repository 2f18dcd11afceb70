/* SPDX-License-Identifier: MIT */
/*
 * JSON as Docker's credential helpers have it. Writes into the caller's memory. No file, no process, no note.
 */
#ifndef KEYRING_MODULES_DOCKER_HELPER_JSON_H
#define KEYRING_MODULES_DOCKER_HELPER_JSON_H

#include "keyring/modules/docker-helper.h"
#include "keyring/secret-json.h"

#define DOCKER_JSON_OVERHEAD_BYTES 64 /* of docker_json_write, beside the three texts */

/* Printable ASCII without blank, '"' and '\': what every helper and store takes, and JSON as it stands. */
bool docker_json_plain(struct docker_view);

/* One line, {"ServerURL":URL,"Username":USER,"Secret":SECRET}, of texts that are plain. Returns its length; ROOM must be
 * that of all three and DOCKER_JSON_OVERHEAD_BYTES. */
size_t docker_json_write(const char *url, const char *user, struct docker_view secret, char *bytes, size_t room);

/* Every member; one that is no text counts as an empty one. */
void docker_json_each(const struct json_object *, void (*each)(void *user, const char *name, struct docker_view text), void *user);

#endif
