/* SPDX-License-Identifier: MIT */
/*
 * Asking until there is an answer that will do. What an answer must be is the judges'.
 */
#include "helper/login/dialog.h"

#include <stdio.h>

#include "helper/base/clock.h"
#include "helper/base/prompt.h"

static void begin(struct dialog *dialog)
{
	if (dialog->begun)
		return;
	dialog->begun = true;
	prompt_show(dialog->about);
}

void dialog_show(struct dialog *dialog, const char *text)
{
	begin(dialog);
	prompt_show(text);
}

/* A person's time is not the program's. */
static enum outcome ask_once(struct context *context, const struct dialog_question *question, struct secret *ret_answer)
{
	int64_t began_ms = clock_mono_ms();
	enum outcome outcome = question->hidden ? prompt_secret(question->text, 0, ret_answer, &context->trouble)
	                                        : prompt_ask(question->text, false, ret_answer, &context->trouble);

	context->deadline_ms += clock_mono_ms() - began_ms;
	return outcome;
}

/* What a paste brings along. */
static bool drop_blanks(struct secret *answer)
{
	struct bytes b = bytes_trimmed(secret_view(answer));
	SECRET trimmed = { 0 };

	if (!secret_set(&trimmed, b))
		return false;
	secret_move(answer, &trimmed);
	return true;
}

enum outcome dialog_ask(struct context *context, struct dialog *dialog, const struct dialog_question *question, struct secret *ret_answer)
{
	begin(dialog);
	for (int tries = 1;; tries++) {
		enum outcome outcome = ask_once(context, question, ret_answer);
		char again[256];
		const char *why;

		if (outcome != DONE)
			return outcome;
		if (!question->hidden && !drop_blanks(ret_answer))
			return trouble_say(&context->trouble, TROUBLE_USAGE, "", "no memory for the answer");
		why = question->judge(ret_answer, question->wanted);
		if (!why)
			return DONE;
		if (tries == DIALOG_TRIES || !prompt_possible())
			return trouble_say(&context->trouble, TROUBLE_USAGE, question->remedy, "%s", why);
		secret_wipe(ret_answer);
		snprintf(again, sizeof again, "%s; %s\n", why, question->remedy);
		prompt_again(again);
	}
}
