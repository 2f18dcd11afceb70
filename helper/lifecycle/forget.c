/* SPDX-License-Identifier: MIT */
/*
 * Forgetting, in the order in which it can be taken up again.
 */
#include "helper/lifecycle/forget.h"

#include "helper/base/failpoint.h"
#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/vault.h"

enum outcome forget_account(struct context *context, const struct account *account)
{
	enum outcome outcome = failpoint_after("forget.cache", vault_forget_access(context, account), &context->trouble);

	if (outcome != DONE)
		return outcome;
	/* Before the record: a copy without one would be taken for all that is left of it. */
	recovery_forget(context, account);
	failpoint("forget.copies");
	outcome = failpoint_after("forget.refresh", vault_forget_refresh(context, account), &context->trouble);
	if (outcome == DONE)
		outcome = failpoint_after("forget.listed", accounts_remove(account, context->deadline_ms, &context->trouble), &context->trouble);
	return outcome;
}
