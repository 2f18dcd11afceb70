/* SPDX-License-Identifier: MIT */
/*
 * Forgetting, in the order in which it can be taken up again.
 */
#include "helper/lifecycle/forget.h"

#include "helper/lifecycle/recovery.h"
#include "helper/lifecycle/vault.h"

enum outcome forget_account(struct context *context, const struct account *account)
{
	enum outcome outcome = vault_forget_access(context, account);

	if (outcome != DONE)
		return outcome;
	/* Before the record: a copy without one would be taken for all that is left of it. */
	recovery_forget(context, account);
	outcome = vault_forget_refresh(context, account);
	return outcome == DONE ? accounts_remove(account, context->deadline_ms, &context->trouble) : outcome;
}
