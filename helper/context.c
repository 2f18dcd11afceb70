/* SPDX-License-Identifier: MIT */
/*
 * The call's frame: limits at its start, warnings on its way, the one trouble at its end.
 */
#include "helper/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/base/clock.h"
#include "helper/base/stdout.h"
#include "helper/site.h"

#define MODULE_MS 5000

static bool a_person_is_there(enum interactive wish)
{
	const char *git = getenv("GIT_TERMINAL_PROMPT");

	if (wish != INTERACTIVE_AUTO)
		return wish == INTERACTIVE_ALWAYS;
	/* Over ssh the keyring's dialog would open on another screen. */
	if (getenv("CI") || getenv("SSH_CONNECTION") || (git && strcmp(git, "0") == 0))
		return false;
	return isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
}

void context_lay_out(struct context *context)
{
	arrange(&context->config, &context->arrangement);
	keyring_init(site_modules_dir(), context->arrangement.lines, context->arrangement.n, &context->keyring);
}

void context_is_about(struct context *context, const char *base_url)
{
	const struct config_value *timeout = context->options.timeout_given ? NULL : config_find(&context->config, CONFIG_TIMEOUT, base_url);
	int64_t timeout_s = timeout ? config_seconds(timeout) : context->options.timeout_given ? context->options.timeout_s : OPTIONS_TIMEOUT_S;

	context->deadline_ms += (timeout_s - context->options.timeout_s) * 1000;
	context->options.timeout_s = timeout_s;
}

void context_start(struct context *context)
{
	context->deadline_ms = clock_mono_ms() + context->options.timeout_s * 1000;
	context->started_boot_ms = clock_boot_ms();
	context->interactive = a_person_is_there(context->options.interactive);
	context->module_ms = MODULE_MS;
}

enum outcome context_configure(struct context *context)
{
	enum outcome outcome = config_read(site_config(), &context->config, &context->trouble);

	if (outcome != DONE)
		return outcome;
	context_is_about(context, NULL);
	context_lay_out(context);
	return DONE;
}

void context_reserve(struct context *context)
{
	int64_t at_least_ms = clock_mono_ms() + CONTEXT_RESERVE_MS;

	if (context->deadline_ms < at_least_ms)
		context->deadline_ms = at_least_ms;
}

void context_warn(struct context *context, const char *code, const char *format, ...)
{
	char raw[CONTEXT_WARNING_BYTES], escaped[CONTEXT_WARNING_BYTES], *text;
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof raw, format, args);
	va_end(args);
	trouble_escape(escaped, sizeof escaped, raw);
	for (size_t i = 0; i < context->n_warnings; i++)
		if (strcmp(context->warnings[i].message, escaped) == 0)
			return;
	/* One too many for the reply is said at once. */
	if (context->n_warnings == CONTEXT_WARNINGS_MAX) {
		trouble_line(raw);
		return;
	}
	text = context->warning_text[context->n_warnings];
	memcpy(text, escaped, CONTEXT_WARNING_BYTES);
	context->warnings[context->n_warnings++] = (struct notice){ code, text };
}

void context_stake(struct context *context, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(context->at_stake, sizeof context->at_stake, format, args);
	va_end(args);
}

struct bytes context_failure(const struct context *context, const struct trouble *trouble, char *buffer, size_t room)
{
	struct out out = { .p = buffer, .room = room };
	struct failure failure = {
		.code = trouble_name(trouble->code),
		.exit = (int)trouble_outcome(trouble->code),
		.message = trouble->message,
		.remedy = trouble->remedy,
		.retryable = trouble_retryable(trouble->code),
		.retry_after_s = trouble->retry_after_s,
	};

	if (context->options.format->failure)
		context->options.format->failure(&out, &failure);
	return (struct bytes){ buffer, out.overflow ? 0 : out.n };
}

static int code_of(const struct context *context, const struct trouble *trouble)
{
	return context->failure_code ? context->failure_code : (int)trouble_outcome(trouble->code);
}

static void foresee(const struct context *context, enum watchdog_end end, const struct trouble *trouble)
{
	char reply[WATCHDOG_REPLY_MAX_BYTES];

	watchdog_words(end, trouble, context_failure(context, trouble, reply, sizeof reply), code_of(context, trouble));
}

/* In a function of its own: what a compiler sets to zero first is not on the warm path. */
static void foresee_stake(const struct context *context, enum watchdog_end end, const struct trouble *trouble)
{
	struct trouble said;

	trouble_say(&said, trouble->code, context->at_stake, "%s", trouble->message);
	foresee(context, end, &said);
}

void context_foresee(const struct context *context, enum watchdog_end end, const struct trouble *trouble)
{
	if (context->at_stake[0])
		foresee_stake(context, end, trouble);
	else
		foresee(context, end, trouble);
}

int context_finish(struct context *context)
{
	char buffer[4096];
	struct trouble ignored = { 0 };
	struct bytes reply;

	for (size_t i = 0; i < context->n_warnings; i++)
		trouble_line(context->warnings[i].message);
	if (context->trouble.code == TROUBLE_NONE)
		return DONE;
	/* Nobody reads it twice on one screen. */
	if (!context->answered || !isatty(stdout_descriptor()))
		trouble_print(&context->trouble);
	if (context->answered)
		return (int)trouble_outcome(context->trouble.code);
	reply = context_failure(context, &context->trouble, buffer, sizeof buffer);
	/* A failure that could not be written keeps its own exit code: that is what the caller must know. */
	if (context->trouble.code != TROUBLE_WRITE_FAILED)
		stdout_write(reply, context->deadline_ms, &ignored);
	return code_of(context, &context->trouble);
}
