/* SPDX-License-Identifier: MIT */
/*
 * capability: what of git's credential protocol is spoken here. Reads nothing.
 */
#include "helper/base/stdout.h"
#include "helper/verbs/verbs.h"
#include "protocol/git.h"

enum outcome capability_main(struct context *context, const char *argument)
{
	char buffer[64];
	struct out out = { .p = buffer, .room = sizeof buffer };

	(void)argument;
	git_capabilities(&out);
	return stdout_write((struct bytes){ buffer, out.n }, context->deadline_ms, &context->trouble);
}
