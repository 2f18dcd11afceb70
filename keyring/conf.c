/* SPDX-License-Identifier: MIT */
/*
 * From a line's text to a line of the stack.
 */
#include "keyring/conf.h"

#include <string.h>

static const char *const facilities[] = { "refresh", "access" };

static const char *const controls[] = {
	[KEYRING_REQUIRED] = "required",
	[KEYRING_REQUISITE] = "requisite",
	[KEYRING_SUFFICIENT] = "sufficient",
	[KEYRING_OPTIONAL] = "optional",
};

char *conf_word(char *text, size_t *position, size_t *ret_column)
{
	char *word = text + *position;
	size_t n;

	word += strspn(word, " \t");
	*ret_column = (size_t)(word - text) + 1;
	if (*word == '\0' || *word == '#') {
		*position = (size_t)(word - text);
		return NULL;
	}
	n = strcspn(word, " \t");
	*position = (size_t)(word - text) + n;
	if (word[n] != '\0') {
		word[n] = '\0';
		++*position;
	}
	return word;
}

const char *conf_control_word(enum keyring_control control)
{
	return controls[control];
}

bool conf_is_facility(const char *word, size_t n)
{
	for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++)
		if (n == strlen(facilities[i]) && memcmp(word, facilities[i], n) == 0)
			return true;
	return false;
}

static bool read_control(const char *word, enum keyring_control *ret_control)
{
	for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
		if (strcmp(word, controls[i]) == 0) {
			*ret_control = (enum keyring_control)i;
			return true;
		}
	return false;
}

static const char *judge_module(const char *word)
{
	if (strlen(word) > KEYRING_MODULE_MAX_BYTES)
		return "the module's name is too long";
	if (word[0] == '/')
		return NULL;
	if (strchr(word, '/') != NULL)
		return "a module is a name, or an absolute path";
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' ? NULL : "no module can have such a name; it is made of a-z, 0-9 and '-'";
}

const char *conf_parse(char *text, struct conf_line *ret_line, size_t *ret_column)
{
	struct keyring_line *line = &ret_line->line;
	size_t at = 0;
	const char *word = conf_word(text, &at, ret_column), *wrong;

	if (word == NULL || !conf_is_facility(word, strlen(word)))
		return "a stack line begins with refresh or access";
	line->facility = word;
	word = conf_word(text, &at, ret_column);
	if (word == NULL || !read_control(word, &line->control))
		return "the second word is none of required, requisite, sufficient, optional";
	word = conf_word(text, &at, ret_column);
	if (word == NULL)
		return "the module is missing";
	wrong = judge_module(word);
	if (wrong != NULL)
		return wrong;
	line->module = word;
	line->argc = 0;
	line->argv = ret_line->argv;
	while ((word = conf_word(text, &at, ret_column)) != NULL) {
		if (line->argc == CONF_ARGUMENTS_MAX)
			return "too many arguments";
		ret_line->argv[line->argc++] = word;
	}
	return NULL;
}
