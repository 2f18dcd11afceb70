/* SPDX-License-Identifier: MIT */
/*
 * exec: a program takes our place, with an access token in its environment. All else it finds as our caller had it. Never reads
 * stdin, and puts no token into an argument.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/answer.h"
#include "helper/base/clock.h"
#include "helper/base/handover.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/refresh.h"
#include "helper/lifecycle/token.h"
#include "helper/lifecycle/walk.h"
#include "helper/verbs/verbs.h"

#define NOT_EXECUTABLE 126 /* as env(1) has both */
#define NOT_FOUND 127

#define TOKENS_IN_BLOCK 4
#define NAMES_BYTES 512 /* of the variables, and their short values */

static void free_list(char ***list)
{
	free(*list);
}

/* Without what is stale, and with room for a block's. To be taken before a library is loaded: then variables are removed, and such
 * code may set some. The strings are where execve(2) has put them, and nobody writes there. */
static char **environment_of_caller(size_t *ret_n)
{
	size_t n = 0, kept = 0;
	char **list;

	while (environ && environ[n])
		n++;
	list = calloc(n + ENV_VARIABLES_MAX + 1, sizeof *list);
	for (size_t i = 0; list && i < n; i++)
		if (!env_is_stale(environ[i]))
			list[kept++] = environ[i];
	*ret_n = kept;
	return list;
}

static void add_block(char **list, size_t n, const struct secret *block)
{
	for (char *p = block->bytes; p < block->bytes + block->len; p += strlen(p) + 1)
		list[n++] = p;
}

static enum outcome no_memory(struct context *context)
{
	return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "", "no memory for the environment");
}

static enum outcome write_block(struct context *context, const struct account *account, const struct access_record *access,
                                const struct refresh_record *refresh, struct secret *ret_block)
{
	char expires[CLOCK_TEXT_BYTES];
	const struct reply reply = {
		.base_url = bytes_of(account->base_url),
		.user_id = account->user_id,
		.token = secret_view(&access->token),
		.expires_at = answer_moment(access->expires_at, expires),
	};
	struct out out;

	if (!secret_reserve(ret_block, TOKENS_IN_BLOCK * TOKEN_MAX_BYTES + URL_BASE_MAX_BYTES + NAMES_BYTES))
		return no_memory(context);
	out = (struct out){ .p = ret_block->bytes, .room = ret_block->room };
	env_block(&out, &reply, secret_view(&refresh->token));
	ret_block->len = out.n;
	if (out.overflow)
		return trouble_say(&context->trouble, TROUBLE_KEYRING_FAILED, "", "a token has a character that no environment is given");
	return DONE;
}

static enum outcome read_refresh(struct context *context, struct account *account, struct refresh_record *ret_refresh)
{
	LOCK lock = LOCK_NONE;

	return refresh_lock_and_read(context, account, &lock, ret_refresh);
}

/* What is wiped here is not needed while the program is looked for. */
static enum outcome obtain(struct context *context, const char *argument, struct secret *ret_block)
{
	ACCESS_RECORD access = { 0 };
	REFRESH_RECORD refresh = { 0 };
	struct account account;
	enum outcome outcome = account_find(context, argument, &account);

	if (outcome == DONE)
		outcome = token_obtain(context, &account, &access);
	if (outcome == DONE && context->options.refresh_token)
		outcome = read_refresh(context, &account, &refresh);
	return outcome == DONE ? write_block(context, &account, &access, &refresh, ret_block) : outcome;
}

/* A word with '=' was meant to set a variable, and behind it may be a secret. */
static enum outcome say_not_started(struct context *context, const char *program, int error)
{
	int n = (int)strcspn(program, "=");

	if (error == ENOENT)
		context->failure_code = NOT_FOUND;
	else
		context->failure_code = NOT_EXECUTABLE;
	if (program[n])
		return trouble_say(&context->trouble, TROUBLE_USAGE, "to set a variable, let env(1) do it: '-- env NAME=VALUE CMD'", "'%.*s=...' cannot be run: %s", n,
		                   program, strerror(error));
	return trouble_say(&context->trouble, TROUBLE_USAGE,
	                   error == ENOENT ? "look at how it is spelled, at PATH, and, if it is a script, at the program that its first line names" : "", "'%s' cannot be run: %s",
	                   program, strerror(error));
}

static enum outcome start(struct context *context, char *const command[], char **environment)
{
	char **ours = environ;
	int error;

	trace("the command is started");
	context_finish(context); /* the warnings */
	context->n_warnings = 0;
	walk_close(context, context->failure_code);
	if (!handover_give())
		return trouble_say(&context->trouble, TROUBLE_WRITE_FAILED, "look which it is", "stdout is gone: a keyring module or a library has closed it");
	environ = environment; /* the caller's PATH counts, whatever a library has set */
	execvp(command[0], command);
	error = errno;
	environ = ours;
	handover_take_back();
	return say_not_started(context, command[0], error);
}

enum outcome exec_main(struct context *context, const char *argument)
{
	__attribute__((cleanup(free_list))) char **environment = NULL;
	SECRET block = { 0 };
	enum outcome outcome;
	size_t n;

	handover_prepare();
	environment = environment_of_caller(&n);
	if (!environment)
		return no_memory(context);
	context->lasting = true;
	outcome = obtain(context, argument, &block);
	if (outcome != DONE)
		return outcome;
	add_block(environment, n, &block);
	return start(context, (char *const *)context->options.behind, environment);
}
