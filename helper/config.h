/* SPDX-License-Identifier: MIT */
/*
 * The configuration files: the system's, then the user's. Finds, judges and reads them, and knows which value counts for
 * which instance; what a stack line means is keyring/conf.h's. Changes nothing.
 */
#ifndef HELPER_CONFIG_H
#define HELPER_CONFIG_H

#include "helper/base/secret.h"
#include "helper/base/trouble.h"
#include "keyring/conf.h"
#include "protocol/url.h"

#define CONFIG_PATH_BYTES 1024
#define CONFIG_LINE_MAX_BYTES 8192
#define CONFIG_NEVER (-1) /* auto-rotate */

enum config_word {
	CONFIG_BASE_URL,
	CONFIG_DEFAULT_ACCOUNT,
	CONFIG_CA_FILE,
	CONFIG_CLIENT_CERT,
	CONFIG_PROXY,
	CONFIG_NO_PROXY,
	CONFIG_AUTO_ROTATE,
	CONFIG_TIMEOUT,
	CONFIG_WORDS
};

/* Where something stands. */
struct config_place {
	const char *file;
	unsigned line; /* from 1 on */
};

struct config_value {
	enum config_word word;
	const char *section; /* the address of the instance that it is for; "": for all */
	const char *value;
	struct config_place place;
};

struct config {
	struct config_file {
		char path[CONFIG_PATH_BYTES]; /* "": there is no such place */
		bool there;
		struct secret text;           /* what values and lines point into; a proxy's password may stand in it */
	} files[2];
	struct config_value *values;
	size_t n_values;
	struct config_section {
		struct config_section *next;
		char base_url[URL_BASE_MAX_BYTES + 1];
		const char *stands_for; /* the value of its base-url; NULL: it has none */
	} *sections;
	struct conf_line lines[KEYRING_LINES_MAX]; /* the stack's, of those facilities that are configured */
	struct config_place line_places[KEYRING_LINES_MAX];
	size_t n_lines;
};

void config_free(struct config *config);

/*
 * Reads SYSTEM (a path; "": none), then $ALATION_CRED_CONFIG, else $XDG_CONFIG_HOME/alation-cred/config, else
 * ~/.config/alation-cred/config. A file that is not there is empty, but for one that $ALATION_CRED_CONFIG names. They and
 * their directories belong to root or the user and are writable by nobody else. UNUSABLE says file, line, column and reason;
 * *ret_config is the caller's to free in any case, and is not to be moved.
 */
enum outcome config_read(const char *system, struct config *ret_config, struct trouble *trouble);

/* The value of WORD for the instance BASE_URL (NULL: for no instance), or NULL: its section's, else the one for all; of
 * several the last. */
const struct config_value *config_find(const struct config *config, enum config_word word, const char *base_url);

/* The same, of BASE_URL's section alone, or of one whose base-url it is: that is the instance under a short name.
 * "": what stands before the first section. */
const struct config_value *config_find_in(const struct config *config, enum config_word word, const char *base_url);

/* Whether it speaks of the instance BASE_URL: in a section's address, or as base-url or default-account. */
bool config_names(const struct config *config, const char *base_url);

/* An address that it has another for, a short name or one that people know, becomes that one; the user id stays. */
void config_take_base_url(const struct config *config, struct url *url);

/* NULL, or what is wrong with VALUE for WORD in SECTION ("": before the first), in words that do not show it. */
const char *config_judge(enum config_word word, const char *value, const char *section);

/* "ca-file" */
const char *config_word_name(enum config_word word);

/* VALUE as seconds; CONFIG_NEVER for "never". For CONFIG_TIMEOUT and CONFIG_AUTO_ROTATE, whose values are sound. */
int64_t config_seconds(const struct config_value *value);

#endif
